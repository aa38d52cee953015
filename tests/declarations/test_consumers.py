"""Links to consumers with words of their own in every file: their inputs, and what several may not say."""

import json
from pathlib import Path
from typing import Any

import pytest

from providers.declarations import Stack, link_inputs
from providers.inputs import consumer_inputs
from tests.declarations.files import SETTINGS, loaded, problems

STORE = """\
platform: paper
store_hash: 12e4567
title: Paper & Co
team: retail
freeze: {until: 2026-12-24, reason: sale}
connections:
  clerk:
    purpose: orders
    rights: {set: clerk}
    links: {printer: {tray: 1, colour: red}, reader: {to: vault, overlap: 2h}, desk: {to: person}}
  front:
    credential: front_token
    purpose: stock
    rights: [stock]
    links: {printer: {hall: north}, hall-desk: {}}
"""
HUB = "hubs: {printer: {floor: 3}, mail: {server: smtp.agency.example, from: integrations@agency.example}}\n"
RACK = "endpoints: {printer: {rack: 'https://localhost:18443/rack'}}\nhosts: {private: {localhost: 127.0.0.0/8}}\n"
VAULT = {"mount": "kv", "admins": "admins", "hubs": "hubs", "adopt": "adopt", "transit": "transit"}
MAIL = {"server": "smtp.agency.example", "security": "starttls", "sender": "integrations@agency.example"}
SETTLED = {"overlap": 7200, "freeze": {"until": "2026-12-24", "reason": "sale"}}


def _stack(top: Path, settings: str = "", store: str = STORE) -> Stack:
    return loaded(top, {"production/paper.yaml": store, "production/_stack.yaml": SETTINGS + settings})


def _inputs(stack: Stack, name: str) -> dict[str, dict[str, Any]]:
    connection = stack.connection(name)
    return {link.name: consumer_inputs("connections", stack, connection, link) for link in connection.links}


def test_a_link_has_what_it_needs_of_every_file(tmp_path: Path) -> None:
    found = _inputs(_stack(tmp_path, HUB + RACK), "paper/clerk")
    assert found["printer"] == {
        "project": "connections",
        "stack": "production",
        "vault": VAULT,
        "connection": "paper/clerk",
        "link": "printer",
        "to": "printer",
        "platform": "paper",
        "kind": "account",
        "title": "Paper & Co",
        "store_hash": "12e4567",
        "rights": {"set": "clerk", "sheets": 1},
        "rack": "https://localhost:18443/rack",
        "hub": {"floor": 3, "desk": "front desk"},
        "pinned": {"clerk": "Paper & Co"},
        "settle": SETTLED,
        "tray": 1,
        "colour": "red",
        "hosts": {"private": {"localhost": ["127.0.0.0/8"]}, "ca_file": ""},
        "mail": MAIL,
    }
    assert json.loads(json.dumps(found)) == found


def test_a_link_of_few_words(tmp_path: Path) -> None:
    store = STORE.replace("freeze: {until: 2026-12-24, reason: sale}\n", "")
    found = _inputs(_stack(tmp_path, store=store), "paper/front")
    assert found["hall-desk"] == {
        "project": "connections",
        "stack": "production",
        "vault": VAULT,
        "connection": "paper/front",
        "link": "hall-desk",
        "to": "hall-desk",
        "platform": "paper",
        "kind": "front_token",
        "hosts": {"private": {}, "ca_file": ""},
    }


def test_what_every_kind_has_needs_its_own_words_alone(tmp_path: Path) -> None:
    found = _inputs(_stack(tmp_path, HUB + RACK), "paper/clerk")
    start = {"project": "connections", "stack": "production", "vault": {"mount": "kv", "hubs": "hubs"}}
    start["connection"] = "paper/clerk"
    assert found["reader"] == {**start, "link": "reader", "to": "vault", "overlap": 7200}
    hosts = {"private": {"localhost": ["127.0.0.0/8"]}, "ca_file": ""}
    handed = {"handover": "auto", "handover_ttl": 72 * 3600, "hosts": hosts, "mail": MAIL}
    assert found["desk"] == {**start, "link": "desk", "to": "person", **handed}


def test_the_vendor_s_own_host_and_a_place_made_of_it(tmp_path: Path) -> None:
    (first, *_) = _stack(tmp_path / "own").connection("paper/clerk").links
    (other, *_) = _stack(tmp_path / "other", RACK).connection("paper/clerk").links
    assert (first.endpoints, first.hub) == ({"rack": "https://rack.paper.example"}, {})
    assert (first.place, other.place) == (
        "12e4567 https://rack.paper.example 1",
        "12e4567 https://localhost:18443/rack 1",
    )
    assert other.taken == {"title": "Paper & Co", "store_hash": "12e4567", "rights": {"set": "clerk", "sheets": 1}}
    assert "url" not in link_inputs(_stack(tmp_path / "own").connection("paper/clerk"), first)


def test_warnings_of_consumers(tmp_path: Path) -> None:
    east = STORE.replace("12e4567", "12e4568").replace(
        "    links: {printer: {tray", "    links: {east: {to: printer, tray"
    )
    files = {"production/paper.yaml": STORE, "production/east.yaml": east}
    stack = loaded(tmp_path, files)
    assert stack.connection("paper/clerk").warnings == (
        "stacks/production/paper.yaml:10: colour: red is dear",
        "stacks/production/paper.yaml:10: 'printer' is missing under hubs in _stack.yaml",
    )
    # Of two links that warn of each other, each warns once; another consumer of the same word is none of them.
    assert [stack.connection(f"{store}/front").warnings for store in ("east", "paper")] == [
        ("stacks/production/east.yaml:15: hall: paper/front/printer prints here too",),
        ("stacks/production/paper.yaml:15: hall: east/front/printer prints here too",),
    ]


SAME = "fills the same place at printer; two links would overwrite each other"
EAST = STORE.replace("12e4567", "west")


def test_two_links_of_two_files_on_one_place(tmp_path: Path) -> None:
    # The made-up place is no wider than a store: as `place` is told, so far it reaches.
    assert problems(tmp_path / "two", {"production/paper.yaml": STORE, "production/west.yaml": EAST}) == []
    same = {"production/paper.yaml": STORE, "production/west.yaml": STORE}
    assert problems(tmp_path / "same", same) == [
        "stacks/production/west.yaml:2:13: store_hash: stacks/production/paper.yaml declares this store already",
        "stacks/production/west.yaml:10:13: paper/clerk/printer (stacks/production/paper.yaml:10) " + SAME,
    ]


LOUD = STORE.replace("links: {printer: {hall: north}", "links: {loud: {to: printer, hall: north}").replace(
    "12e4567", "loud"
)
PAPER_SAYS = "stacks/production/paper.yaml:15:29: hall: loud/front/loud prints here too"
WEST = "stacks/production/west.yaml:"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("", "", [PAPER_SAYS, WEST + "15:29: hall: loud/front/loud prints here too"]),
        # Without all that stands beside a link, nothing is said of it.
        ("[stock]", "[stok]", [WEST + "14:14: 'stok' was found; allowed: orders, stock; nearest: stock"]),
        ("store_hash: west", "store_hash: [a]", [WEST + "2:13: store_hash: a list was found where a text is expected"]),
        ("platform: paper", "platform: [a]", [WEST + "1:11: a list was found where a platform is expected"]),
        ("purpose: orders", "purpose:", [WEST + "8:13: an empty value"]),
    ],
)
def test_an_error_of_what_stands_beside(right: str, wrong: str, said: list[str], tmp_path: Path) -> None:
    west = EAST.replace(right, wrong)
    found = problems(
        tmp_path, {"production/paper.yaml": STORE, "production/loud.yaml": LOUD, "production/west.yaml": west}
    )
    assert [line[: len(start)] for line, start in zip(found, said, strict=True)] == said


def test_consumers_are_not_judged_by_settings_that_cannot_be_read(tmp_path: Path) -> None:
    store = STORE.replace("colour: red", "colour: gold")
    wrong = {"production/paper.yaml": store, "production/_stack.yaml": SETTINGS + "hubs: {printer: {floor: none}}\n"}
    said = "stacks/production/_stack.yaml:6:25: floor: 'none' is no whole number from 1 to 9999"
    assert problems(tmp_path / "wrong", wrong) == [said]
    assert problems(tmp_path / "gold", {"production/paper.yaml": store}) == [
        "stacks/production/paper.yaml:10:40: colour: no printer has gold"
    ]
