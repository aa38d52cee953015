"""What only other platforms than WooCommerce have: kinds, typed texts, keys made by persons, consumers of their own."""

from pathlib import Path

import pytest

from providers.declarations import inputs, link_inputs
from tests.declarations.files import SETTINGS, loaded, problems

PAPER = """\
platform: paper
store_hash: 12e4567
team: retail
connections:
  clerk:
    purpose: orders
    rights: {set: clerk, sheets: 3}
    links: {printer: {tray: 2}}
  front:
    credential: front_token
    purpose: stock
    strict: true
    rights: [orders, stock]
    links: {hall: {to: printer, hall: north}}
"""


def test_texts_and_kinds(tmp_path: Path) -> None:
    stack = loaded(tmp_path, {"production/paper.yaml": PAPER})
    clerk, front = stack.connections[1:]
    assert (clerk.kind, clerk.by_person, clerk.fields) == ("account", True, {"rights": {"set": "clerk", "sheets": 3}})
    assert (front.kind, front.by_person) == ("front_token", False)
    assert front.fields == {"rights": ["orders", "stock"], "strict": True}
    assert inputs(stack, front)["store_hash"] == "12e4567"
    assert "private_networks" not in inputs(stack, front)
    assert link_inputs(clerk, clerk.links[0]) == {
        "connection": "paper/clerk",
        "link": "printer",
        "to": "printer",
        "platform": "paper",
        "kind": "account",
        "title": "paper",
        "store_hash": "12e4567",
        "rights": {"set": "clerk", "sheets": 3},
        "rack": "https://rack.paper.example",
        "pinned": {"clerk": "paper"},
        "tray": 2,
    }


@pytest.mark.parametrize(
    ("store", "settings", "expected"),
    [("", "", None), ("", "10d", None), ("20d", "10d", 20 * 86400), ("never", "", None)],
)
def test_what_a_person_makes_is_not_due_by_a_default(
    store: str, settings: str, expected: int | None, tmp_path: Path
) -> None:
    text = PAPER.replace("team: retail", f"team: retail\nrotate_after: {store}") if store else PAPER
    default = SETTINGS + (f"defaults: {{rotate_after: {settings}}}\n" if settings else "")
    stack = loaded(tmp_path, {"production/paper.yaml": text, "production/_stack.yaml": default})
    clerk = stack.connection("paper/clerk")
    assert clerk.rotate_after == expected
    assert (str(stack.origin("paper/clerk", "rotate_after")) == "built in") == (not store)


WRONG = [
    (
        "credential: front_token",
        "credential: token",
        "10:17: unknown credential 'token'; allowed: account, front_token; nearest: front_token",
    ),
    ("sheets: 3", "sheets: many", "7:34: sheets: 'many' is no whole number from 1 to 9999"),
    ("sheets: 3", "sheet: 3", "7:26: unknown word 'sheet'; allowed in 'rights': set, sheets; nearest: sheets"),
    ("[orders, stock]", "[orders, stok]", "13:22: 'stok' was found; allowed: orders, stock; nearest: stock"),
    ("[orders, stock]", "[orders, [stock]]", "13:22: a list was found; allowed: orders, stock"),
    ("strict: true", "strict: on", "12:13: strict: 'on' is neither true nor false"),
    (
        "printer: {tray",
        "prnter: {tray",
        (
            "8:13: unknown consumer 'prnter'; allowed: person, printer, vault; nearest: printer;"
            " or say who it is with `to:`"
        ),
    ),
    ("store_hash: 12e4567", "store_hash: [1]", "2:13: store_hash: a list was found where a text is expected"),
]


@pytest.mark.parametrize(("right", "wrong", "said"), WRONG)
def test_wrong(right: str, wrong: str, said: str, tmp_path: Path) -> None:
    found = problems(tmp_path, {"production/paper.yaml": PAPER.replace(right, wrong)})
    assert found == [f"stacks/production/paper.yaml:{said}"]
