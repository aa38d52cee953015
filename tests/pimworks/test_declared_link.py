"""A link to PIMworks as it is declared: what it means, and what is refused before any call."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from providers.declarations import DeclarationErrors, Stack, load, platforms
from providers.pimworks.declared_link import CONSUMERS
from tests.declarations.files import STORE, write_stack

(CONSUMER,) = CONSUMERS
PLATFORMS = {
    "woocommerce": dataclasses.replace(platforms()["woocommerce"], consumers={"api_key": {"pimworks": CONSUMER}})
}
ONE = "{components: {products: Products}}"


def shop(link: str, rights: str = "read_write", host: str = "fresh-roast") -> str:
    store = STORE.replace("{vault: {}}", f"{{pimworks: {link}}}").replace("rights: read", f"rights: {rights}")
    return store.replace("fresh-roast.example", f"{host}.example")


def declared(top: Path, files: dict[str, str]) -> Stack:
    return load(write_stack(top, {f"production/{name}": text for name, text in files.items()}), "production", PLATFORMS)


USUAL: dict[str, Any] = {"channel": "WooCommerce", "handover": "auto", "handover_ttl": 72 * 3600}

RIGHT: list[tuple[str, str, dict[str, Any]]] = [
    (ONE, "read_write", {"components": {"products": "Products"}}),
    (
        "{channel: Shop, store_name: Fresh Roast, components: {orders: Orders, products/categories: Categories}}",
        "read_write",
        {
            "channel": "Shop",
            "store_name": "Fresh Roast",
            "components": {"orders": "Orders", "products/categories": "Categories"},
        },
    ),
    (
        "{import_only: true, components: {products: Products}}",
        "read",
        {"import_only": True, "components": {"products": "Products"}},
    ),
    (
        "{recipient: pim@agency.example, handover: sealed, components: {products: P}}",
        "read_write",
        {"recipient": "pim@agency.example", "handover": "sealed", "components": {"products": "P"}},
    ),
]


@pytest.mark.parametrize(("link", "rights", "changed"), RIGHT)
def test_what_a_link_means(link: str, rights: str, changed: dict[str, Any], tmp_path: Path) -> None:
    (connection,) = declared(tmp_path, {"fresh-roast.yaml": shop(link, rights)}).connections
    (found,) = connection.links
    assert {word: value for word, value in found.fields.items() if value not in (None, False)} == USUAL | changed
    assert found.taken == {"url": "https://fresh-roast.example", "authentication": "header", "login": "admin"}
    assert found.place == f"pimworks {found.fields['channel']} https://fresh-roast.example"
    assert connection.warnings == ()


def test_more_rights_than_an_import_needs_are_only_said(tmp_path: Path) -> None:
    link = "{import_only: true, components: {products: Products}}"
    (connection,) = declared(tmp_path, {"fresh-roast.yaml": shop(link)}).connections
    (warning,) = connection.warnings
    assert "read is enough" in warning


WRONG: list[tuple[str, str, str]] = [
    (ONE, "write", "such a key may not"),
    (ONE, "read", "declare read_write, or `import_only: true`"),
    ("{}", "read_write", "'components' is missing"),
    ("{components: {}}", "read_write", "no component; name one resource at least"),
    ("{components: {product: Products}}", "read_write", "nearest: products"),
    ("{components: {categories: Categories}}", "read_write", "no resource of WooCommerce that is known"),
    ("{components: {products: ''}}", "read_write", "an empty value"),
    ("{components: {products: Products}, recipient: nobody@elsewhere.example}", "read_write", "not among recipients"),
    ("{components: {products: Products}, handover: plain}", "read_write", "plain needs `accept"),
]


@pytest.mark.parametrize(("link", "rights", "words"), WRONG)
def test_what_a_link_may_not_say(link: str, rights: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DeclarationErrors) as caught:
        declared(tmp_path, {"fresh-roast.yaml": shop(link, rights)})
    assert words in str(caught.value)
    assert all(line.startswith("stacks/production/fresh-roast.yaml:") for line in str(caught.value).splitlines())


# --- many stores per channel (section 8) ----------------------------------------------------------------------------

NAMED = "{{channel: {channel}, {name}components: {{products: Products}}}}"

BESIDE: list[tuple[str, str, str, str, str]] = [
    ("A", "store_name: north, ", "A", "store_name: south, ", ""),
    ("A", "store_name: north, ", "B", "store_name: north, ", ""),
    ("A", "", "A", "", ""),
    ("A", "store_name: north, ", "A", "store_name: north, ", "has this name in the channel A too"),
]


@pytest.mark.parametrize(("channel", "name", "other", "its_name", "words"), BESIDE)
def test_names_are_unique_within_a_channel(
    channel: str, name: str, other: str, its_name: str, words: str, tmp_path: Path
) -> None:
    files = {
        "fresh-roast.yaml": shop(NAMED.format(channel=channel, name=name)),
        "northside.yaml": shop(NAMED.format(channel=other, name=its_name), host="northside"),
    }
    if not words:
        assert len(declared(tmp_path, files).connections) == 2
        return
    with pytest.raises(DeclarationErrors, match=words) as caught:
        declared(tmp_path, files)
    assert len(str(caught.value).splitlines()) == 2


def test_a_store_stands_once_in_a_channel(tmp_path: Path) -> None:
    second = """\
  more:
    purpose: the same once more
    rights: read_write
    user: pim-writer
    links: {pimworks: {components: {orders: Orders}}}
"""
    with pytest.raises(DeclarationErrors, match="fills the same place at pimworks"):
        declared(tmp_path, {"fresh-roast.yaml": shop(ONE) + second})
