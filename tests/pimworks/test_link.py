"""What is proved before PIMworks gets a key, what a person is told, and that they can do it (pimworks.md 3 to 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from providers.core.contract import Finding
from providers.core.errors import CouldNotLook, Incident, StoreError, Transient, Unexpected
from providers.core.redaction import Secret
from providers.pimworks import LINKS
from providers.pimworks.resources import RESOURCES
from sandbox.pimworks.visitor import PimworksVisitor
from tests.pimworks.conftest import ADMIN, VERSIONS, MakePlace, Place

KIND = LINKS["pimworks"]

ALL = {resource: row.data for resource, row in RESOURCES.items()}
LATER = ("system_status", "settings", "shipping/zones", "payment_gateways", "data")
"""What nobody looked for on 2.6, or is known to be missing there; `data` is missing below v3."""


def contradicted(place: Place) -> dict[str, str]:
    return {check: finding.evidence for check, finding in place.check().items() if finding.verdict == "contradicted"}


# --- every resource, every version (section 5) ----------------------------------------------------------------------


@pytest.mark.parametrize("version", ["3.5.3", "11.0.1"])
def test_a_shop_manager_s_key_serves_every_resource(version: str, make_place: MakePlace) -> None:
    found = make_place({"components": ALL}, version=version).check()
    assert len(RESOURCES) == 15
    assert {finding.verdict for finding in found.values()} == {"confirmed"}
    assert found.keys() == {"recognised", "may write", *(f"component {resource}" for resource in ALL)}
    assert found["component products"].evidence == "GET products: 200, 5 there"
    assert "there" not in found["component system_status"].evidence


@pytest.mark.parametrize("version", VERSIONS)
def test_what_every_version_has(version: str, make_place: MakePlace) -> None:
    components = {resource: label for resource, label in ALL.items() if resource not in LATER}
    assert contradicted(make_place({"components": components}, version=version)) == {}


@pytest.mark.parametrize("version", ["3.2.5", "3.4.2"])
def test_a_store_without_the_resource_is_no_weak_key(version: str, make_place: MakePlace) -> None:
    place = make_place({"components": {"products": "Products", "data": "Reference"}}, version=version)
    words = contradicted(place)
    assert words.keys() == {"component data"}
    assert "this store (wc/v2) has no such resource, which has it from wc/v3 on" in words["component data"]


def test_a_resource_that_should_be_there_and_is_not(make_place: MakePlace) -> None:
    place = make_place()
    place.fault("rest_*", 404, '{"code": "rest_no_route"}', path="/orders$")
    assert contradicted(place)["component orders"].endswith("this store (wc/v3) has no such resource")


# --- rights (sections 2 and 3) --------------------------------------------------------------------------------------

KEYS: list[tuple[str, str, bool, dict[str, str]]] = [
    ("read_write", "shop-manager", False, {}),
    ("read_write", "connector", False, {}),
    ("read", "shop-manager", True, {}),
    ("read_write", "shop-manager", True, {}),
    ("read", "shop-manager", False, {"may write": "reading only"}),
    ("write", "shop-manager", False, {"recognised": "may not read"}),
    ("read_write", "customer", False, {"recognised": "role of its user is too weak"}),
]


@pytest.mark.parametrize("version", ["3.2.5", "11.0.1"])
@pytest.mark.parametrize(("permissions", "user", "import_only", "words"), KEYS)
def test_what_a_key_lacks_is_said_before_it_is_given(
    permissions: str, user: str, import_only: bool, words: dict[str, str], version: str, make_place: MakePlace
) -> None:
    place = make_place({"import_only": import_only}, version=version, permissions=permissions, user=user)
    found = contradicted(place)
    assert found.keys() == words.keys()
    assert all(words[check] in found[check] for check in words)
    assert ("may write" in place.check()) is (not import_only and "recognised" not in words)


def test_a_key_that_was_revoked(make_place: MakePlace) -> None:
    place = make_place()
    (key,) = [row for row in place.sandbox.client.keys(place.store) if row.truncated_key == tail_of(place)]
    place.sandbox.client.delete_key(place.store, key.key_id)
    assert "treated as no key" in contradicted(place)["recognised"]


def tail_of(place: Place) -> str:
    return place.secret["consumer_key"].tail(7)


@pytest.mark.parametrize(("status", "words"), [(401, "permission"), (403, "role")])
def test_a_component_that_is_refused(status: int, words: str, make_place: MakePlace) -> None:
    place = make_place()
    place.fault("rest_*", status, '{"code": "woocommerce_rest_cannot_view"}', path="/orders$")
    found = contradicted(place)
    assert found.keys() == {"component orders"}
    assert words in found["component orders"]


# --- the store itself (section 6) -----------------------------------------------------------------------------------


def test_the_key_in_the_query_only_by_declaration(make_place: MakePlace) -> None:
    assert "recognised" in contradicted(make_place(strip_authorization=True))
    place = make_place({"authentication": "query"}, strip_authorization=True)
    assert contradicted(place) == {}


def test_plain_permalinks_are_an_error(make_place: MakePlace) -> None:
    with pytest.raises(StoreError, match="plain permalinks"):
        make_place(permalinks="plain").check()


def test_what_may_trouble_pimworks_is_said(make_place: MakePlace) -> None:
    found = make_place(permalinks="index.php", home="https://elsewhere.example").check()
    doubts = {check for check, finding in found.items() if finding.verdict == "unverifiable"}
    assert doubts == {"permalinks", "home address"}
    assert "elsewhere.example" in found["home address"].evidence


UNKNOWN: list[tuple[str, int, str, str | None, type[Exception]]] = [
    ("rest_probe", 418, "{}", None, Unexpected),
    ("rest_*", 418, "{}", "/orders$", Unexpected),
    ("rest_*", 503, "{}", "/orders$", Transient),
    ("rest_probe_write", 418, "{}", None, Unexpected),
    ("rest_probe_write", 200, "{}", None, Incident),
]


@pytest.mark.parametrize(("operation", "status", "body", "path", "error"), UNKNOWN)
def test_what_shows_nothing_is_not_handed_over(
    operation: str, status: int, body: str, path: str | None, error: type[Exception], make_place: MakePlace
) -> None:
    place = make_place()
    place.fault(operation, status, body, path)
    with pytest.raises(error):
        place.check()


def test_a_lost_answer_is_asked_for_again(make_place: MakePlace) -> None:
    place = make_place()
    rules = [
        place.sandbox.client.add_fault("drop_after", store=place.store, operation=operation)
        for operation in ("rest_probe", "rest_probe_write")
    ]
    assert contradicted(place) == {}
    assert [place.sandbox.client.fault(rule).hits for rule in rules] == [1, 1]
    place.sandbox.client.add_fault("drop_before", store=place.store, operation="rest_probe", times=None)
    with pytest.raises(CouldNotLook):
        place.check()


def test_the_proof_changes_nothing(make_place: MakePlace) -> None:
    place = make_place({"components": ALL})
    seen = place.sandbox.client.last_seq()
    place.check()
    rows = place.sandbox.client.requests(seen, store=place.store)
    assert [row.path.rpartition("/")[2] for row in rows if row.method != "GET"] == ["__probe"]


# --- the last use, a hint (section 7) -----------------------------------------------------------------------------------


def test_the_last_use_is_a_hint_and_never_proof(make_place: MakePlace) -> None:
    """It is what the store said before our own proof, of this key alone."""
    place = make_place()
    place.tools.login = ADMIN
    place.check()
    (hint,) = place.link.verify(1, place.secret)
    assert (hint.check, hint.verdict) == ("last use", "unverifiable")
    assert "a hint and never proof" in hint.evidence
    netloc, _, path = place.inputs["url"].removeprefix("https://").partition("/")
    assert place.tools.logins == [(netloc, path)]


def test_a_hint_that_cannot_be_had_is_in_nobody_s_way(make_place: MakePlace) -> None:
    def hint(place: Place, login: Mapping[str, Secret] | None = ADMIN) -> Sequence[Finding]:
        place.tools.login = login
        assert contradicted(place) == {}
        return place.link.verify(1, place.secret)

    person = make_place({"login": "none"})
    assert (hint(person), person.tools.logins) == ((), [])
    assert hint(make_place(), None) == ()
    assert hint(make_place(captcha=True)) == ()
    stranger = make_place()
    stranger.sandbox.client.add_fault("list_lag", store=stranger.store, operation="list_keys", writes=100)
    assert hint(stranger) == (), "a key that is not in the list"


# --- the hand-over (sections 4 and 7) -------------------------------------------------------------------------------


def test_the_values_sheet(make_place: MakePlace) -> None:
    place = make_place({"components": {"products": "Artikel", "products/tags": "Tags"}, "store_name": "Fresh Roast"})
    lines = KIND.about(place.inputs)
    text = "\n".join(lines)
    for words in (
        f"Store URL: {place.inputs['url']}",
        "Store name: Fresh Roast",
        "Artikel (products), Tags (products/tags)",
        "super user of PIMworks, or Read/Write on its Channel Subscription module",
        "Channels > Manage channels",
        "Settings > Advanced > REST API",
        "Settings > API > Key/Apps",
        "starts the sync of the ticked components at once",
        "(Read/Write)",
    ):
        assert words in text
    assert not [value for name, value in place.secret.items() if name != "url" and value.reveal() in text]
    assert set(KIND.given) <= place.inputs.keys()


def test_the_values_sheet_of_an_import(make_place: MakePlace) -> None:
    text = "\n".join(KIND.about(make_place({"import_only": True}).inputs))
    assert "(Read, for import only)" in text
    assert "Store name" not in text


def test_what_a_person_does_with_it(make_place: MakePlace) -> None:
    """Section 6: SAVE with what was handed over connects, and syncs what was ticked at once."""
    place = make_place({"store_name": "north"})
    pimworks = place.sandbox.client.pimworks
    mail, password = "pim@agency.example", "pim-password"
    account = pimworks.create("agency", users=[{"mail": mail, "password": password, "role": "super"}])
    values = (place.secret["consumer_key"].reveal(), place.secret["consumer_secret"].reveal())
    labels = tuple(place.inputs["components"].values())
    assert contradicted(place) == {}
    with PimworksVisitor(account.url, place.sandbox.ca, mail, password) as person:
        person.subscribe()
        person.save_store("north", place.inputs["url"], *values, labels=labels)
        saved = pimworks.get("agency").store("north")
        assert (saved.connected, saved.components) == (True, labels)
        assert set(saved.syncs.values()) == {"Completed"}
        (line,) = place.link.disconnect({})
        assert "take out the store north before its key ends" in line
        person.remove_store("north")
    assert pimworks.get("agency").stores == ()


def test_core_s_part(make_place: MakePlace) -> None:
    place = make_place()
    assert place.link.acknowledges == "person"
    assert place.link.place == f"pimworks WooCommerce {place.inputs['url']}"
    assert (KIND.what, KIND.looks, KIND.shown) == ("WooCommerce key for PIMworks", False, ())
    place.link.connect(1, place.secret)
    nothing: tuple[Any, ...] = ()
    assert place.link.verify(1, place.secret) == place.link.observe(1, place.secret) == nothing
    (line,) = place.link.disconnect({})
    assert place.inputs["url"] in line
