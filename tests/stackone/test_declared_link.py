"""A link to StackOne as it is declared: what it means, and what is refused before any call."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from providers.declarations import DeclarationErrors, Stack, load, platforms
from providers.stackone.declared_link import CONSUMERS
from tests.declarations.files import SETTINGS, STORE, write_stack

(CONSUMER,) = CONSUMERS
PLATFORMS = {
    "woocommerce": dataclasses.replace(platforms()["woocommerce"], consumers={"api_key": {"stackone": CONSUMER}})
}
PERMITTED = SETTINGS.replace("permit: [", "permit: [adopt_foreign, ")
REGION = SETTINGS + "hubs: {stackone: {region: eu1}}\n"


def shop(link: str, *, rights: str = "read", words: str = "") -> str:
    store = STORE.replace("{vault: {}}", f"{{stackone: {link}}}").replace("rights: read", f"rights: {rights}")
    return store + (f"    {words}\n" if words else "")


def declared(top: Path, files: dict[str, str]) -> Stack:
    return load(write_stack(top, {f"production/{name}": text for name, text in files.items()}), "production", PLATFORMS)


USUAL: dict[str, Any] = {"expires_in": 24 * 3600, "proof_action": "woocommerce_list_products", "update": "session"}
PATCH = "update: patch, bag: secrets, credential_fields: {consumer_key: ck, consumer_secret: cs, store_url: url}"

RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("{}", {}),
    ("{label: Main shop, expires_in: 2h}", {"label": "Main shop", "expires_in": 7200}),
    ("{origin_owner: {id: retail-7, name: Retail}}", {"origin_owner": {"id": "retail-7", "name": "Retail"}}),
    ("{proof_action: woocommerce_get_orders}", {"proof_action": "woocommerce_get_orders"}),
    (
        f"{{{PATCH}}}",
        {
            "update": "patch",
            "bag": "secrets",
            "credential_fields": {"consumer_key": "ck", "consumer_secret": "cs", "store_url": "url"},
        },
    ),
]


@pytest.mark.parametrize(("link", "changed"), RIGHT)
@pytest.mark.parametrize("rights", ["read", "read_write"])
def test_what_a_link_means(link: str, changed: dict[str, Any], rights: str, tmp_path: Path) -> None:
    (connection,) = declared(tmp_path, {"fresh-roast.yaml": shop(link, rights=rights)}).connections
    (found,) = connection.links
    assert {word: value for word, value in found.fields.items() if value not in (None, False)} == USUAL | changed
    assert (found.taken, found.endpoints) == (
        {"url": "https://fresh-roast.example"},
        {"api": "https://api.stackone.com"},
    )
    pinned = {"origin_owner_id": "fresh-roast", "origin_owner_name": "fresh-roast"}
    assert found.pinned == ({} if "origin_owner" in changed else pinned)
    assert found.place.startswith("stackone api.stackone.com woocommerce ")


def test_a_title_is_the_owner_s_name_and_a_region_the_place(tmp_path: Path) -> None:
    files = {"_stack.yaml": REGION, "fresh-roast.yaml": "title: Fresh Roast\n" + shop("{}")}
    (connection,) = declared(tmp_path, files).connections
    (found,) = connection.links
    assert found.pinned["origin_owner_name"] == "Fresh Roast"
    assert found.hub == {"region": "eu1"}
    assert found.place == "stackone api.eu1.stackone.com woocommerce fresh-roast"


def test_taking_over_is_permitted_and_accepted(tmp_path: Path) -> None:
    words = "accept: {adopt_foreign: linked by hand last year}"
    files = {"_stack.yaml": PERMITTED, "fresh-roast.yaml": shop("{adopt: true}", words=words)}
    (connection,) = declared(tmp_path, files).connections
    assert connection.links[0].fields["adopt"] is True


WRONG: list[tuple[str, str, str]] = [
    ("{}", "write", "StackOne connects with read or read_write only"),
    ("{adopt: true}", "read", "adopt needs `accept"),
    ("{update: patch}", "read", "StackOne does not publish where the values go"),
    ("{update: patch, bag: secrets}", "read", "StackOne does not publish"),
    ("{bag: secrets}", "read", "bag means nothing without `update: patch`"),
    (f"{{{PATCH.removeprefix('update: patch, bag: secrets, ')}}}", "read", "credential_fields means nothing"),
    (f"{{{PATCH.replace('cs,', 'ck,')}}}", "read", "two values under one key"),
    ("{origin_owner: {id: retail-7}}", "read", "name"),
    ("{origin_owner: {id: 'two words', name: Retail}}", "read", "is not an id"),
    ("{proof_action: woocommerce_delete_products}", "read", "is not a read action"),
    ("{proof_action: shopify_list_products}", "read", "is not a read action"),
    ("{update: by_hand}", "read", "'by_hand' was found"),
    ("{credential_fields: {consumer_key: ck}, update: patch, bag: secrets}", "read", "consumer_secret"),
    ("{expires_in: 5}", "read", "is no duration"),
]


@pytest.mark.parametrize(("link", "rights", "words"), WRONG)
def test_what_a_link_may_not_say(link: str, rights: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DeclarationErrors) as caught:
        declared(tmp_path, {"fresh-roast.yaml": shop(link, rights=rights)})
    assert words in str(caught.value)
    assert all(line.startswith("stacks/production/fresh-roast.yaml:") for line in str(caught.value).splitlines())


def test_plain_http_is_refused(tmp_path: Path) -> None:
    """A store's address begins with https:// already; the rule holds whatever a platform allows."""
    (connection,) = declared(tmp_path, {"fresh-roast.yaml": shop("{}")}).connections
    plain = dataclasses.replace(connection, store=dataclasses.replace(connection.store, address="http://fresh.example"))
    (remark,) = CONSUMER.rules(plain, connection.links[0])
    assert (remark.path, remark.warning) == (("links", "stackone"), False)
    assert "https" in remark.what


def test_two_links_cannot_fill_one_account(tmp_path: Path) -> None:
    """Whatever their labels: a session overwrites the account of its owner."""
    link = "{label: One, origin_owner: {id: retail-7, name: Retail}}"
    other = shop(link.replace("One", "Two")).replace("fresh-roast.example", "northside.example")
    with pytest.raises(DeclarationErrors, match="fills the same place at stackone"):
        declared(tmp_path, {"fresh-roast.yaml": shop(link), "northside.yaml": other})


@pytest.mark.parametrize("region", ["EU1", "eu1.evil.example", ""])
def test_a_region_is_part_of_a_host(region: str, tmp_path: Path) -> None:
    settings = SETTINGS + f"hubs: {{stackone: {{region: '{region}'}}}}\n"
    with pytest.raises(DeclarationErrors):
        declared(tmp_path, {"_stack.yaml": settings, "fresh-roast.yaml": shop("{}")})
