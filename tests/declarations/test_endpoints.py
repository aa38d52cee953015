"""A vendor's hosts that all its stores share: its own, or those that `_stack.yaml` names in their place."""

from pathlib import Path
from typing import NoReturn

import pytest

from operations.screen import Screen
from operations.session import Session
from providers.declarations import DeclaredPlatform, Stack, inputs
from providers.declarations.models import ConnectionWords, StoreWords
from providers.inputs import ledger_inputs
from tests.declarations.files import SETTINGS, loaded

STORE = """\
platform: bigcommerce
store_hash: 12e4567
team: retail
ask: owner@agency.example
connections:
  orders:
    purpose: orders into the hub
    rights: {Orders: read-only}
    links: {vault: {}}
"""

ELSEWHERE = """\
endpoints:
  bigcommerce:
    api: https://localhost:18443/bigcommerce
    panel: https://localhost:18443/panel/{store_hash}
hosts:
  private: {localhost: 127.0.0.0/8, fresh-roast.example: 10.0.0.0/24, api.bigcommerce.com: 10.9.0.0/24}
"""


def _nothing_is_reached() -> NoReturn:
    raise AssertionError


def _stack(top: Path, settings: str) -> Stack:
    return loaded(top, {"production/acme-parts.yaml": STORE, "production/_stack.yaml": SETTINGS + settings})


@pytest.mark.parametrize(
    ("settings", "url", "panel", "networks"),
    [
        (
            "",
            "https://api.bigcommerce.com/stores/12e4567",
            "https://store-12e4567.mybigcommerce.com",
            None,
        ),
        (
            ELSEWHERE,
            "https://localhost:18443/bigcommerce/stores/12e4567",
            "https://localhost:18443/panel/12e4567",
            ["127.0.0.0/8"],
        ),
    ],
)
def test_hosts_reach_the_inputs(
    settings: str, url: str, panel: str, networks: list[str] | None, tmp_path: Path
) -> None:
    stack = _stack(tmp_path, settings)
    (store, *_) = stack.stores
    assert (store.address, store.url) == ("12e4567", url)
    found = inputs(stack, stack.connection("acme-parts/orders"))
    assert (found["api"], found["panel"]) == (url.removesuffix("/stores/12e4567"), panel)
    assert found["login"] == "https://login.bigcommerce.com"
    assert found.get("private_networks") == networks
    # The ledger's own way to the store.
    listed = ledger_inputs("connections", stack)["stores"]["acme-parts"]
    assert {word: listed[word] for word in ("store_hash", "api", "panel")} == {
        "store_hash": "12e4567",
        "api": found["api"],
        "panel": panel,
    }


def test_a_store_with_an_address_of_its_own_is_called_there(tmp_path: Path) -> None:
    stack = _stack(tmp_path, ELSEWHERE)
    store = stack.stores[1]
    assert (store.url, store.endpoints) == (store.address, {})
    assert inputs(stack, stack.connection("fresh-roast/orders"))["private_networks"] == ["10.0.0.0/24"]


def test_the_command_reaches_a_store_in_the_same_way(tmp_path: Path) -> None:
    stack = _stack(tmp_path, ELSEWHERE)
    (tmp_path / "Pulumi.yaml").write_text("name: connections\n")
    session = Session(tmp_path, Screen(), "production", _nothing_is_reached)
    store = session.stack.stores[0]
    found, declared = session.store_inputs(store), inputs(stack, stack.connection("acme-parts/orders"))
    words = ("store_hash", "api", "panel", "login", "private_networks")
    assert {word: found[word] for word in words} == {word: declared[word] for word in words}


def test_a_platform_without_endpoints_keeps_its_words() -> None:
    platform = DeclaredPlatform("plain", "title", StoreWords, {"key": ConnectionWords}, "key")
    assert platform.address("https://fresh-roast.example", {}) == "https://fresh-roast.example"
    assert platform.settle("a/b", {"rights": "read"}, {}).fields == {"rights": "read"}
