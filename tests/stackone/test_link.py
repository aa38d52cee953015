"""The life of a linked account: a session that a person follows, proof, rotation, drift, removal (stackone.md 3, 4, 6)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from providers.core.contract import TAKEN_OVER, Inbound
from providers.core.errors import (
    CouldNotLook,
    Forbidden,
    PersonNeeded,
    RateLimited,
    Rejected,
    StoreError,
    Transient,
    Unauthorized,
    Unexpected,
)
from providers.core.redaction import Secret
from sandbox.client import ControlError
from sandbox.stackone.visitor import HubVisitError
from tests.stackone.conftest import DAY, MakePlace, Place, all_confirmed


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def holds(place: Place) -> int:
    """Of which generation the key is that the only account holds."""
    (account,) = place.accounts()
    known = {digest(key.consumer_secret): number for number, key in place.keys.items()}
    return known[account.consumer_secret_sha256]


def waits(place: Place, generation: int = 1) -> str:
    """Connect, which ends with a person being awaited, and what is said to them."""
    with pytest.raises(PersonNeeded) as caught:
        place.connect(generation)
    return str(caught.value)


# --- a person links the store (T1, T5, T10, T18) --------------------------------------------------------------------


def test_a_person_links_the_store(make_place: MakePlace) -> None:
    place = make_place()
    said = waits(place)
    assert "connections link fresh-roast/orders/stackone --show" in said
    assert "until 2026-05-05 00:00 UTC" in said
    assert place.tools.kept is not None
    assert place.tools.kept.generation == 1
    assert place.tools.kept.values["auth_link_url"].reveal() not in said
    assert place.accounts() == []
    assert place.observe()["connect session"].verdict == "unverifiable"
    place.visit()
    assert place.observe()[TAKEN_OVER].verdict == "confirmed"
    place.connect()
    assert all_confirmed(place.verify())
    (account,) = place.accounts()
    assert (account.origin_owner_id, account.origin_owner_name) == ("fresh-roast", "Fresh Roast")
    assert place.tools.noted == {"account_id": account.id, "generation": "1", "session": str(place.sessions()[0].id)}
    assert holds(place) == 1
    found = place.observe()
    # The run that proved it may have been killed before it said so: the next one can.
    assert found[TAKEN_OVER].verdict == "confirmed"
    assert all_confirmed(found)
    assert set(place.tools.asked) == {"localhost"}


def test_the_session_is_what_is_declared(make_place: MakePlace) -> None:
    words = {"label": "Main shop", "origin_owner": {"id": "retail-7", "name": "Retail"}, "expires_in": 3600}
    place = make_place(words)
    assert "2026-05-04 01:00 UTC" in waits(place)
    (session,) = place.sessions()
    assert (session.origin_owner_id, session.origin_owner_name, session.label) == ("retail-7", "Retail", "Main shop")
    assert (session.provider, session.multiple, session.account_id) == ("woocommerce", False, None)
    assert round(session.expires - session.created) == 3600
    place.visit()
    place.connect()
    assert place.verify()["label"].verdict == "confirmed"


def test_an_open_session_is_not_made_twice(make_place: MakePlace) -> None:
    place = make_place()
    assert waits(place) == waits(place)
    assert len(place.sessions()) == 1


def test_an_expired_session_is_renewed(make_place: MakePlace) -> None:
    """T4: the person came too late; the next run makes another link, and the former one is of no use."""
    place = make_place()
    waits(place)
    assert place.tools.kept is not None
    first = place.tools.kept.values["auth_link_url"].reveal()
    place.later(DAY + 1)
    assert place.observe()["connect session"].verdict == "contradicted"
    with pytest.raises(HubVisitError):
        place.visit(link=first)
    waits(place)
    assert len(place.sessions()) == 2
    assert place.observe()["connect session"].verdict == "unverifiable"
    place.visit()
    place.connect()
    assert all_confirmed(place.verify())


def test_what_a_person_did_just_before_the_end_counts(make_place: MakePlace) -> None:
    place = make_place()
    waits(place)
    place.visit()
    place.later(DAY + 1)
    assert place.observe()[TAKEN_OVER].verdict == "confirmed"
    place.connect()
    assert len(place.sessions()) == 1


def test_nothing_was_given_yet(make_place: MakePlace) -> None:
    place = make_place()
    assert place.observe()["connect session"].verdict == "contradicted"
    assert place.verify()["account"].verdict == "contradicted"
    assert place.link.disconnect({}) == ()
    assert place.operations() == []
    assert place.link.check(1, {}) == ()
    assert place.link.acknowledges == "here"
    host = place.organisation.api_url.removeprefix("https://")
    assert place.link.place == f"stackone {host} woocommerce fresh-roast"


def test_a_person_s_mistake_leaves_the_link_open(make_place: MakePlace) -> None:
    """T13: the form tries the key at the store, and takes none that does not work."""
    place = make_place()
    waits(place)
    for url in (f"{place.inputs['url']}/", f"{place.inputs['url']}/wp-json/wc/v3"):
        with pytest.raises(HubVisitError):
            place.visit(url=url)
    place.secret(7, "write")
    with pytest.raises(HubVisitError):
        place.visit(7)
    assert place.observe()["connect session"].verdict == "unverifiable"
    place.visit()
    place.connect()
    assert holds(place) == 1


# --- the overwrite rule (T2, T3) ------------------------------------------------------------------------------------


def test_an_account_that_is_not_ours_is_refused_before_any_session(make_place: MakePlace) -> None:
    theirs = make_place()
    account = theirs.linked()
    ours = make_place(beside=theirs)
    seen = ours.sandbox.client.last_seq()
    with pytest.raises(Rejected, match=f"{account.id}.*would overwrite it.*adopt: true"):
        ours.connect(2)
    assert set(ours.operations(seen)) == {"accounts_list"}
    assert ours.link.disconnect({}) == ()
    assert theirs.accounts() == [account]


def test_an_account_is_taken_over_where_that_is_declared(make_place: MakePlace) -> None:
    theirs = make_place()
    account = theirs.linked()
    ours = make_place({"adopt": True}, beside=theirs)
    waits(ours, 2)
    assert ours.sessions()[-1].account_id == account.id
    assert ours.tools.noted == {}
    assert "ends by itself" in ours.link.disconnect({})[0], "until it was used, the account is not ours"
    assert ours.accounts() == [account]
    ours.visit(2)
    ours.connect(2)
    assert all_confirmed(ours.verify(2))
    assert holds(ours) == 2
    assert ours.link.disconnect({}) == ()
    assert ours.accounts() == []


def several(place: Place, make_place: MakePlace) -> list[str]:
    """A second account of the same owner, as `multiple` or a hand in the dashboard makes one."""
    other = make_place({"origin_owner": {"id": "second", "name": "Second"}}, beside=place)
    other.linked(9)
    found = {row.origin_owner_id: row.id for row in place.accounts()}
    place.change(found["second"], origin_owner_id="fresh-roast")
    return [row.id for row in place.accounts()]


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize(("shape", "size"), [("bare", 25), ("data", 25), ("bare", 1), ("data", 1)])
def test_several_accounts_of_one_owner_are_refused(
    linked: bool, shape: str, size: int, make_place: MakePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T9: whichever shape the list has, and however many pages."""
    monkeypatch.setattr("providers.stackone.wire.PAGE_SIZE", size)
    place = make_place(list_shape=shape)
    waits(place)
    place.visit()
    if linked:
        place.connect()
    assert len(several(place, make_place)) == 2
    with pytest.raises(Rejected, match="has 2 accounts"):
        place.connect(2)
    found = place.observe()
    if linked:
        assert all_confirmed(found)
    else:
        assert found["account"].verdict == "contradicted"
        assert "several accounts" in place.link.disconnect({})[0]
        assert len(place.accounts()) == 2


# --- rotation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("owner_key", ["id", "id_and_name"])
def test_another_generation_goes_into_the_same_account(owner_key: str, make_place: MakePlace) -> None:
    place = make_place(owner_key=owner_key)
    account = place.linked()
    waits(place, 2)
    session = place.sessions()[-1]
    assert session.account_id == account.id
    assert place.observe(2)["connect session"].verdict == "unverifiable"
    assert all_confirmed(place.observe(1)), "what it holds goes on working meanwhile"
    assert waits(place, 2)
    assert len(place.sessions()) == 2
    place.visit(2)
    assert place.observe(2)[TAKEN_OVER].verdict == "confirmed"
    place.connect(2)
    assert all_confirmed(place.verify(2))
    assert ([row.id for row in place.accounts()], holds(place)) == ([account.id], 2)


def test_a_rotation_while_the_first_link_waits(make_place: MakePlace) -> None:
    """The person used the link of the former generation: the account is ours, and needs the new key all the same."""
    place = make_place()
    waits(place, 1)
    place.visit(1)
    waits(place, 2)
    (account,) = place.accounts()
    assert place.tools.noted == {"account_id": account.id}
    assert place.sessions()[-1].account_id == account.id
    place.visit(2)
    place.connect(2)
    assert holds(place) == 2


def test_a_rotation_whose_link_expires(make_place: MakePlace) -> None:
    place = make_place()
    place.linked()
    waits(place, 2)
    place.later(DAY + 1)
    assert place.observe(2)["connect session"].verdict == "contradicted"
    waits(place, 2)
    assert len(place.sessions()) == 3


@pytest.mark.parametrize("tail", [4, 0])
def test_the_former_key_pasted_again(tail: int, make_place: MakePlace) -> None:
    """T11: both keys work, so only a tail tells them apart. Without one, what was given shows when the former key ends."""
    place = make_place(placeholders_in_setup_information=True, secret_tail=tail)
    place.linked()
    waits(place, 2)
    place.visit(1)
    if tail:
        found = place.observe(2)
        assert (found["secret tail"].verdict, TAKEN_OVER in found) == ("contradicted", False)
        assert "not of this generation" in waits(place, 2)
        assert len(place.sessions()) == 3
        place.visit(2)
        place.connect(2)
        assert place.verify(2)["secret tail"].verdict == "confirmed"
        assert holds(place) == 2
    else:
        place.connect(2)
        found = place.verify(2)
        assert all_confirmed(found)
        assert "secret tail" not in found
        place.sandbox.client.delete_key(place.store, place.keys[1].key_id)
        assert place.observe(2)["read action"].verdict == "contradicted"
        assert "the store refuses the account's key" in waits(place, 2)


def test_a_placeholder_is_never_sent_back_nor_shown(make_place: MakePlace) -> None:
    place = make_place(
        {"update": "patch", "bag": "credentials", "credential_fields": FIELDS}, placeholders_in_setup_information=True
    )
    place.linked()
    place.connect(2)
    found = place.observe(2)
    for secret in place.keys[2].consumer_secret, place.keys[2].consumer_key:
        assert secret[-4:] not in repr(found)
    assert holds(place) == 2
    for tail in (place.keys[1].consumer_secret[-4:], place.keys[1].consumer_key[-4:]):
        assert place.sandbox.client.find_value(f"__secretvalue:**redacted**{tail}") == []


# --- update by a call (T16) -----------------------------------------------------------------------------------------

FIELDS = {"store_url": "storeUrl", "consumer_key": "consumerKey", "consumer_secret": "consumerSecret"}

PATCHES: list[tuple[str, dict[str, Any], str]] = [
    ("credentials", {}, ""),
    ("secrets", {"patch_bag": "secrets"}, ""),
    ("credentials", {"patch_moves_updated_at": False}, "does not show any"),
    ("credentials", {"patch_leaves_error": True}, "it is in error"),
    ("credentials", {"patch_test": "error"}, ""),
    ("credentials", {"patch_test": "reject"}, ""),
]


@pytest.mark.parametrize(("bag", "settings", "words"), PATCHES)
def test_an_update_by_a_call_counts_only_where_it_shows(
    bag: str, settings: dict[str, Any], words: str, make_place: MakePlace
) -> None:
    place = make_place({"update": "patch", "bag": bag, "credential_fields": FIELDS}, **settings)
    account = place.linked()
    if words:
        with pytest.raises(Rejected, match=words):
            place.connect(2)
        assert place.tools.noted["generation"] == "1"
    else:
        place.connect(2)
        assert all_confirmed(place.verify(2))
        assert holds(place) == 2
        assert place.tools.noted["generation"] == "2"
    assert [row.id for row in place.accounts()] == [account.id]
    assert len(place.sessions()) == 1, "no person was asked"


@pytest.mark.parametrize("settings", [{"patch_bag": "secrets"}, {"field_keys": ["shop", "ck", "cs"]}])
def test_a_change_that_was_taken_and_forgotten_shows_when_the_former_key_ends(
    settings: dict[str, Any], make_place: MakePlace
) -> None:
    """As long as the former key works nothing tells it apart, but for a tail; the words of the declaration were wrong."""
    place = make_place({"update": "patch", "bag": "credentials", "credential_fields": FIELDS}, **settings)
    place.linked()
    place.connect(2)
    assert (all_confirmed(place.verify(2)), holds(place)) == (True, 1)
    place.sandbox.client.delete_key(place.store, place.keys[1].key_id)
    assert place.observe(2)["read action"].verdict == "contradicted"
    with pytest.raises(Rejected, match="does not work after the change.*update: session"):
        place.connect(2)


def test_a_call_takes_over_what_is_not_ours(make_place: MakePlace) -> None:
    theirs = make_place()
    account = theirs.linked()
    words = {"update": "patch", "bag": "credentials", "credential_fields": FIELDS, "adopt": True}
    ours = make_place(words, beside=theirs)
    ours.connect(2)
    assert all_confirmed(ours.verify(2))
    assert ours.tools.noted == {"account_id": account.id, "generation": "2"}
    assert len(ours.sessions()) == 1


# --- drift ----------------------------------------------------------------------------------------------------------

STATUSES = ["inactive", "suspended", "archived", "expired", "error"]


@pytest.mark.parametrize("status", STATUSES)
def test_an_account_that_is_not_active_is_drift_with_its_reasons(status: str, make_place: MakePlace) -> None:
    """T14, T15."""
    place = make_place()
    account = place.linked()
    place.change(account.id, status=status, reason="the store said no")
    found = place.observe()["account"]
    assert found.verdict == "contradicted"
    assert "the store said no" in found.evidence
    assert "the store said no" in waits(place)
    assert place.sessions()[-1].account_id == account.id
    assert waits(place), "the person has not been there yet"
    assert len(place.sessions()) == 2
    place.visit()
    place.connect()
    assert all_confirmed(place.verify())


def test_an_error_that_comes_after_the_link(make_place: MakePlace) -> None:
    """T14: what was linked successfully is in error a moment later."""
    place = make_place(late_error_after_reads=0)
    waits(place)
    place.visit()
    assert place.observe()["account"].verdict == "contradicted"
    assert "it is in error" in waits(place)
    assert place.tools.noted["account_id"] == place.accounts()[0].id


def test_a_status_that_nobody_knows_concludes_nothing(make_place: MakePlace) -> None:
    """T17."""
    place = make_place(link_status="under_review")
    waits(place)
    place.visit()
    found = place.observe()
    assert (found["account"].verdict, TAKEN_OVER in found) == ("unverifiable", False)
    with pytest.raises(Unexpected, match="under_review"):
        place.connect()
    assert "generation" not in place.tools.noted
    place.change(place.accounts()[0].id, status="active")
    place.connect()
    place.change(place.accounts()[0].id, status="under_review")
    assert {finding.verdict for finding in place.observe().values()} == {"unverifiable", "confirmed"}
    with pytest.raises(Unexpected, match="under_review"):
        place.verify()


CHANGES = [{"label": "other"}, {"origin_owner_id": "other"}, {"origin_owner_name": "Other"}]


@pytest.mark.parametrize("changes", CHANGES)
def test_what_names_the_account_is_put_right_without_a_person(changes: dict[str, str], make_place: MakePlace) -> None:
    place = make_place({"label": "Main shop"})
    account = place.linked()
    place.change(account.id, **changes)
    assert [finding.verdict for finding in place.observe().values()].count("contradicted") == 1
    assert place.verify().keys() == place.observe().keys() - {"read action"}
    place.connect()
    assert all_confirmed(place.verify())
    assert len(place.sessions()) == 1
    (now,) = place.accounts()
    assert (now.origin_owner_id, now.origin_owner_name, now.label) == ("fresh-roast", "Fresh Roast", "Main shop")


def test_another_store_s_address_is_drift(make_place: MakePlace) -> None:
    place = make_place()
    account = place.linked()
    place.change(account.id, store_url="https://elsewhere.example")
    found = place.observe()["store url"]
    assert (found.verdict, "elsewhere.example" in found.evidence) == ("contradicted", True)
    assert "elsewhere.example" in waits(place)


def test_a_store_that_refuses_the_key_is_told_from_a_bad_api_key(make_place: MakePlace) -> None:
    place = make_place()
    place.linked()
    place.sandbox.client.delete_key(place.store, place.keys[1].key_id)
    for status in (401, 403, 422, 502):
        place.settings(store_refusal_status=status)
        assert place.verify()["read action"].verdict == "contradicted"
        assert place.observe()["read action"].verdict == "contradicted"


@pytest.mark.parametrize("generation", [1, 2])
def test_an_account_that_was_deleted_is_made_anew(generation: int, make_place: MakePlace) -> None:
    place = make_place()
    account = place.linked()
    if generation == 2:
        waits(place, 2)
    place.sandbox.client.stackone.delete_account(place.organisation.name, account.id)
    assert place.observe(generation)["account"].verdict == "contradicted"
    assert place.verify()["account"].verdict == "contradicted"
    waits(place, generation)
    assert place.sessions()[-1].account_id is None
    place.visit(generation)
    place.connect(generation)
    assert place.tools.noted["account_id"] == place.accounts()[0].id != account.id
    assert holds(place) == generation


# --- removal (T19) --------------------------------------------------------------------------------------------------


def test_the_account_is_deleted_and_seen_to_be_gone(make_place: MakePlace) -> None:
    place = make_place()
    place.linked()
    for _ in range(2):
        assert place.link.disconnect(place.secret()) == ()
        assert place.operations()[-2:] == ["account_delete", "account_read"]
        assert place.accounts() == []


def test_a_session_that_nobody_used_ends_by_itself(make_place: MakePlace) -> None:
    place = make_place()
    waits(place)
    (line,) = place.link.disconnect({})
    assert "2026-05-05 00:00 UTC" in line
    place.later(DAY + 1)
    assert place.link.disconnect({}) == ()


def test_what_a_person_linked_meanwhile_is_deleted_too(make_place: MakePlace) -> None:
    place = make_place()
    waits(place)
    place.visit()
    assert place.link.disconnect({}) == ()
    assert place.accounts() == []


def test_an_edit_that_nobody_made_leaves_only_its_account_to_delete(make_place: MakePlace) -> None:
    place = make_place()
    place.linked()
    waits(place, 2)
    assert len(place.link.disconnect({})) == 1
    assert place.accounts() == []


def test_a_delete_that_did_nothing_is_an_error(make_place: MakePlace) -> None:
    place = make_place()
    place.linked()
    place.sandbox.client.add_fault("status", store=place.organisation.site, operation="account_delete", status=200)
    with pytest.raises(Unexpected, match="it is there"):
        place.link.disconnect({})


# --- the API key (T5, T6, T7, T8, T21) ------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [None, {}])
def test_no_api_key(entry: dict[str, Secret] | None, make_place: MakePlace) -> None:
    place = make_place()
    place.tools.entry = entry
    with pytest.raises(Unauthorized, match=r"no API key of StackOne in Vault.*scope Accounts"):
        place.connect()
    assert place.operations() == []


def test_a_bad_api_key(make_place: MakePlace) -> None:
    place = make_place()
    place.tools.entry = {"api_key": Secret("v1.eu1.canary-of-a-wrong-key")}
    with pytest.raises(Unauthorized, match="does not accept the API key.*of this region") as caught:
        place.connect()
    assert "canary" not in str(caught.value)


SCOPES: list[tuple[tuple[str, ...], bool, bool]] = [
    (("full",), True, True),
    (("accounts", "actions"), True, True),
    (("accounts",), True, False),
    (("actions",), False, False),
    (("read_only",), False, False),
]


@pytest.mark.parametrize(("scopes", "may_open", "may_act"), SCOPES)
def test_the_scope_of_the_api_key(
    scopes: tuple[str, ...], may_open: bool, may_act: bool, make_place: MakePlace
) -> None:
    place = make_place(scopes=scopes)
    if not may_open:
        with pytest.raises(Forbidden, match="scope Accounts"):
            place.connect()
        return
    waits(place)
    place.visit()
    if not may_act:
        with pytest.raises(Forbidden, match="actions_key"):
            place.connect()
        assert "generation" not in place.tools.noted
        actor = place.sandbox.client.stackone.create_key(place.organisation.name, "actions")
        assert place.tools.entry is not None
        place.tools.entry = {**place.tools.entry, "actions_key": Secret(actor.value)}
    place.connect()
    assert all_confirmed(place.verify())


def test_a_client_that_looks_anonymous_would_be_refused(make_place: MakePlace) -> None:
    place = make_place(refuse_anonymous=True)
    place.linked()


@pytest.mark.parametrize("connector", ["inactive", "missing"])
def test_a_connector_that_is_off_is_said_before_any_session(connector: str, make_place: MakePlace) -> None:
    place = make_place(connector=connector)
    with pytest.raises(Rejected, match="no active connector for WooCommerce"):
        place.connect()
    assert place.sessions() == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_connector_that_may_not_be_looked_at_is_no_reason(status: int, make_place: MakePlace) -> None:
    place = make_place()
    place.sandbox.client.stackone.fail(place.organisation.name, status, "connector_read", times=None)
    waits(place)
    assert len(place.sessions()) == 1


# --- answers of every kind (T20) ------------------------------------------------------------------------------------

ERRORS: list[tuple[int, type[StoreError]]] = [
    (400, Rejected),
    (401, Unauthorized),
    (403, Forbidden),
    (404, Rejected),
    (408, Transient),
    (409, Rejected),
    (412, Rejected),
    (418, Unexpected),
    (422, Rejected),
    (429, RateLimited),
    (500, Unexpected),
    (501, Transient),
    (502, Transient),
]


@pytest.mark.parametrize(("status", "error"), ERRORS)
def test_every_refusal_in_words(status: int, error: type[StoreError], make_place: MakePlace) -> None:
    place = make_place()
    place.sandbox.client.stackone.fail(place.organisation.name, status, "session_create", times=None)
    with pytest.raises(error) as caught:
        place.connect()
    if status not in {401, 429}:
        assert "(Refused)" in str(caught.value)
    assert place.sessions() == []
    assert place.tools.kept is None


@pytest.mark.parametrize("status", [408, 429])
def test_what_asks_for_patience_gets_it(status: int, make_place: MakePlace) -> None:
    place = make_place()
    rule = place.sandbox.client.stackone.fail(place.organisation.name, status, "session_create", retry_after=0)
    waits(place)
    assert (place.sandbox.client.fault(rule).hits, len(place.sessions())) == (1, 1)


ACTIONS: list[tuple[int, type[StoreError] | None]] = [
    (400, Unexpected),
    (401, Unauthorized),
    (403, Forbidden),
    (404, Unexpected),
    (409, Rejected),
    (412, None),
    (422, Unexpected),
    (429, RateLimited),
    (501, Unexpected),
    (502, Transient),
]


@pytest.mark.parametrize(("status", "error"), ACTIONS)
def test_a_read_action_that_proves_nothing_never_acknowledges(
    status: int, error: type[StoreError] | None, make_place: MakePlace
) -> None:
    place = make_place()
    place.linked()
    place.sandbox.client.stackone.fail(place.organisation.name, status, "action_rpc", times=None)
    if error is None:
        assert "suspended" in place.verify()["read action"].evidence
        assert place.observe()["read action"].verdict == "contradicted"
    else:
        with pytest.raises(error):
            place.verify()
        assert place.observe()["read action"].verdict == "unverifiable"


def test_an_action_that_stackone_does_not_have(make_place: MakePlace) -> None:
    place = make_place({"proof_action": "woocommerce_list_nothing"})
    waits(place)
    place.visit()
    with pytest.raises(Unexpected, match=r"does not run 'woocommerce_list_nothing'.*proof_action"):
        place.connect()
    place.inputs["proof_action"] = "woocommerce_list_products"
    place.connect()


ODD: list[tuple[str, str, str]] = [
    ("accounts_list", '"text"', "no list"),
    ("accounts_list", '{"data": {}}', "no list"),
    ("accounts_list", "[7]", "without an id"),
    ("accounts_list", '[{"provider": "woocommerce"}]', "without an id"),
    ("accounts_list", "<html>", "not JSON"),
    ("session_create", "[]", "without an id"),
    ("session_create", '{"id": 1}', "without an id"),
    ("session_create", '{"id": 1, "auth_link_url": "http://plain.example/"}', "without an id"),
    ("session_create", '{"id": 1, "auth_link_url": "https://two.example/\\nlines"}', "without an id"),
    ("session_create", '{"auth_link_url": "https://hub.example/"}', "without an id"),
]


@pytest.mark.parametrize(("operation", "body", "words"), ODD)
def test_answers_of_another_shape(operation: str, body: str, words: str, make_place: MakePlace) -> None:
    place = make_place()
    site = place.organisation.site
    place.sandbox.client.add_fault("status", store=site, operation=operation, status=200, body=body)
    with pytest.raises(Unexpected, match=words):
        place.connect()
    assert place.tools.kept is None


def test_a_page_in_the_way(make_place: MakePlace) -> None:
    place = make_place()
    site, body = place.organisation.site, "<html>a proxy's words</html>"
    place.sandbox.client.add_fault("status", store=site, operation="accounts_list", status=500, body=body)
    with pytest.raises(Unexpected, match="StackOne answers 500$"):
        place.connect()


def test_a_list_without_an_end(make_place: MakePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    place = make_place(list_shape="data")
    place.linked()
    monkeypatch.setattr("providers.stackone.wire.PAGES", 2)
    with pytest.raises(Unexpected, match="has no end"):
        place.connect()


def test_a_change_that_is_not_answered_with_200(make_place: MakePlace) -> None:
    place = make_place({"label": "Main shop"})
    account = place.linked()
    place.change(account.id, label="other")
    site = place.organisation.site
    place.sandbox.client.add_fault("status", store=site, operation="account_update", status=202, body="{}")
    with pytest.raises(Unexpected, match="with 202"):
        place.connect()


def test_an_account_that_vanishes_under_a_change(make_place: MakePlace) -> None:
    place = make_place({"update": "patch", "bag": "credentials", "credential_fields": FIELDS})
    place.linked()
    site = place.organisation.site
    place.sandbox.client.add_fault("status", store=site, operation="account_read", status=404, times=1)
    with pytest.raises(Rejected, match="does not show any"):
        place.connect(2)
    place = make_place({"label": "Main shop"})
    account = place.linked()
    place.change(account.id, label="other")
    site = place.organisation.site
    place.sandbox.client.add_fault("status", store=site, operation="account_read", status=404, times=1)
    assert "label: it is 'other'" in waits(place)


# --- lost replies ---------------------------------------------------------------------------------------------------

LOST = ["drop_before", "drop_after"]


@pytest.mark.parametrize("effect", LOST)
def test_a_session_whose_answer_was_lost_is_known_to_nobody(effect: Any, make_place: MakePlace) -> None:
    place = make_place()
    rule = place.sandbox.client.add_fault(effect, store=place.organisation.site, operation="session_create")
    waits(place)
    assert place.sandbox.client.fault(rule).hits == 1
    assert len(place.sessions()) == (2 if effect == "drop_after" else 1)
    place.visit()
    place.connect()
    assert len(place.accounts()) == 1


@pytest.mark.parametrize("effect", LOST)
def test_a_change_whose_answer_was_lost(effect: Any, make_place: MakePlace) -> None:
    place = make_place({"update": "patch", "bag": "credentials", "credential_fields": FIELDS})
    place.linked()
    rule = place.sandbox.client.add_fault(effect, store=place.organisation.site, operation="account_update")
    place.connect(2)
    assert place.sandbox.client.fault(rule).hits == 1
    assert (all_confirmed(place.verify(2)), holds(place)) == (True, 2)


@pytest.mark.parametrize("effect", LOST)
def test_a_delete_whose_answer_was_lost(effect: Any, make_place: MakePlace) -> None:
    place = make_place()
    place.linked()
    rule = place.sandbox.client.add_fault(effect, store=place.organisation.site, operation="account_delete")
    assert place.link.disconnect({}) == ()
    assert place.sandbox.client.fault(rule).hits == 1
    assert place.accounts() == []


@pytest.mark.parametrize("operation", ["accounts_list", "connector_read", "session_create"])
def test_out_of_reach_before_the_session(operation: str, make_place: MakePlace) -> None:
    place = make_place()
    place.sandbox.client.add_fault("drop_before", store=place.organisation.site, operation=operation, times=None)
    with pytest.raises(CouldNotLook):
        place.connect()
    assert (place.tools.noted, place.tools.kept) == ({}, None)


@pytest.mark.parametrize("operation", ["accounts_list", "action_rpc"])
def test_out_of_reach_after_the_session(operation: str, make_place: MakePlace) -> None:
    place = make_place()
    waits(place)
    place.visit()
    place.sandbox.client.add_fault("drop_before", store=place.organisation.site, operation=operation, times=None)
    with pytest.raises(CouldNotLook):
        place.connect()
    assert "generation" not in place.tools.noted
    place.sandbox.client.clear_faults()
    place.connect()
    place.sandbox.client.add_fault("drop_before", store=place.organisation.site, operation="account_read", times=None)
    for look in place.verify, place.observe, lambda: place.link.disconnect({}):
        with pytest.raises(CouldNotLook):
            look()


def test_a_run_that_was_killed_before_it_noted_anything_goes_on(make_place: MakePlace) -> None:
    place = make_place()
    account = place.linked()
    place.tools.noted = {}
    place.connect()
    assert place.tools.noted["account_id"] == account.id
    place.tools.noted = {"account_id": account.id}
    assert place.tools.kept is not None
    place.tools.kept = Inbound(place.tools.kept.values, 1)
    place.connect()
    assert place.tools.noted["generation"] == "1"
    assert len(place.sessions()) == 1


# --- secrets --------------------------------------------------------------------------------------------------------


def test_the_wire_of_the_hub_is_never_called_and_nothing_leaks(
    make_place: MakePlace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    place = make_place()
    place.linked()
    said = waits(place, 2)
    place.visit(2)
    place.connect(2)
    found = place.observe(2)
    place.link.disconnect({})
    assert {name for name in place.operations() if name.startswith("hub_")} <= {"hub_page", "hub_connect"}
    assert place.tools.kept is not None
    assert place.tools.entry is not None
    secrets = [*(value.reveal() for value in place.tools.kept.values.values()), place.tools.entry["api_key"].reveal()]
    secrets = [value for value in secrets if len(value) > 30]
    secrets += [value for key in place.keys.values() for value in (key.consumer_key, key.consumer_secret)]
    for text in (caplog.text, repr(found), said, repr(place.tools.noted), repr(place.link)):
        assert not [value for value in secrets if value in text]


def test_settings_of_the_stand_in_are_checked(make_place: MakePlace) -> None:
    """A test that sets what is not there would prove nothing."""
    with pytest.raises(ControlError):
        make_place(no_such_setting=True)
