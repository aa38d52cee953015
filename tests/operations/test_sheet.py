"""`connections sheet`: by a role that reads no secret, for what waits and for what is to go, whole and in every form."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from lxml.etree import _Element

from operations import screen
from operations.results import Page
from operations.sheet_forms import as_html, as_markdown, as_text
from providers.bigcommerce.scopes import PANEL
from providers.core import loop
from providers.core.sheet import Sheet, Table
from providers.declarations import load, platforms
from providers.inputs import credential_inputs
from tests.operations.bigcommerce_store import NAME, RIGHTS, Account, open_account
from tests.operations.conftest import ORDERS, Project


@pytest.fixture
def account(project: Project, tmp_path: Path) -> Account:
    files = tmp_path / "downloads"
    files.mkdir()
    return open_account(project, files)


def asked(document: Any) -> list[tuple[str, str, int]]:
    return [(entry["name"], entry["task"], entry["number"]) for entry in document["sheets"]]


# --- who, and of what ---


@pytest.mark.parametrize("role", ["preview", "operator", "auditor"])
def test_no_right_to_read_a_secret_is_needed(account: Account, role: str) -> None:
    project = account.project
    project.role = role
    before = project.ask("sheet")
    assert asked(before) == [(NAME, "make", 1)]
    project.role = "apply"
    project.up()
    project.role = role
    assert project.ask("sheet") == before
    assert project.ask("sheet", NAME) == before
    assert project.ask("sheet", "acme-parts/*") == before


def test_the_document(account: Account) -> None:
    document = account.project.ask("sheet")
    assert document.keys() == {"form", "sheets", "exit_code"}
    ((entry,),) = [document["sheets"]]
    assert entry.keys() == {"name", "task", "number", "sheet"}
    sheet = entry["sheet"]
    assert sheet.keys() == {"title", "link", "steps", "notes"}
    assert sheet["link"].endswith(f"/store-{account.store.hash}.mybigcommerce.com/manage/settings/auth/api-accounts")
    (table,) = [step for step in sheet["steps"] if not isinstance(step, str)]
    rows = dict.fromkeys(PANEL, "none") | RIGHTS
    assert {label: level for label, level in table["rows"] if level != "none"} == RIGHTS
    assert {label for label, _ in table["rows"]} == set(rows)
    assert f"Name: {NAME} #1" in sheet["steps"]


def test_what_waits_through_a_life(account: Account) -> None:
    project = account.project
    account.live()
    assert asked(project.ask("sheet")) == []
    assert project("sheet").out == "No person is awaited.\n"
    account.declare({**RIGHTS, "Orders": "read-only"}, links="reader: {to: vault}")
    project.up()
    (entry,) = project.ask("sheet")["sheets"]
    assert (entry["task"], entry["number"]) == ("make", 2)
    assert ["Orders", "read-only"] in next(step["rows"] for step in entry["sheet"]["steps"] if isinstance(step, dict))
    assert account.capture(account.by_the_sheet()).code == 0
    # In Vault, though not current yet: nobody is to make another.
    assert asked(project.ask("sheet")) == []
    project.up()
    project("forget-link", f"{NAME}/office", "--reason", "of the test")
    project.ahead = timedelta(days=2)
    project.up()
    (entry,) = project.ask("sheet")["sheets"]
    assert (entry["task"], entry["number"]) == ("delete", 1)
    assert f"{NAME} #1" in entry["sheet"]["title"]


def test_what_is_declared_otherwise_by_now_says_so(account: Account) -> None:
    project = account.project
    project.up()
    account.declare({**RIGHTS, "Orders": "read-only"})
    project.up()
    (entry,) = project.ask("sheet")["sheets"]
    assert entry["number"] == 1
    assert "Something else is wanted by now: make nothing" in entry["sheet"]["notes"][0]
    (status,) = project.ask("status", code=4)["connections"]
    assert f"`connections capture {NAME} --lost --reason TEXT`, then `pulumi up` asks anew" in status["reasons"][0]
    assert project("capture", NAME, "--lost", "--reason", "was never made").code == 0
    project.up()
    assert ("make", 2) in [(task, number) for _, task, number in asked(project.ask("sheet"))]


def test_what_is_declared_no_more_is_still_to_be_deleted(account: Account) -> None:
    project = account.project
    account.live()
    journal = dict(project.journal(NAME))
    retiring = {"1": journal["generations"]["1"] | {"state": "retiring"}}
    project.write(f"{NAME}/journal", journal | {"phase": "closing", "generations": retiring, "links": {}})
    (project.folder / "acme-parts.yaml").unlink()
    there = project.store("fresh-roast")
    project.declare("fresh-roast", there, ORDERS)
    project.role = "preview"
    for scope in ((), (NAME,), ("acme-parts/*",), ("*",)):
        assert asked(project.ask("sheet", *scope)) == [(NAME, "delete", 1)]
    assert asked(project.ask("sheet", "fresh-roast/orders")) == []
    assert "no connection matches" in project("sheet", "fresh-roast/nothing").err
    project.write(f"{NAME}/journal", journal | {"phase": "closed", "generations": {}, "links": {}})
    assert asked(project.ask("sheet")) == []
    assert project("sheet", NAME).code == 1


def test_what_is_wanted_no_more_before_it_was_made(account: Account) -> None:
    project = account.project
    project.up()
    stack = load(project.root / "stacks", project.stack, platforms(), project=project.prepared.project)
    toolbox = project.toolbox()
    (connection,) = stack.connections
    operation = toolbox.operation(credential_inputs(project.prepared.project, stack, connection))
    outcome = loop.destroy(operation)
    toolbox.close()
    lost = f"`connections capture {NAME} --lost --reason TEXT`"
    assert outcome.person == (f"say whether key number 1 was ever made: {lost}",)
    (project.folder / "acme-parts.yaml").unlink()
    project.role = "preview"
    (entry,) = project.ask("sheet")["sheets"]
    assert "make nothing" in entry["sheet"]["notes"][0]


def test_what_was_ended_and_is_declared_again(account: Account) -> None:
    project = account.project
    project.up()
    journal = dict(project.journal(NAME))
    project.write(f"{NAME}/journal", journal | {"phase": "closed", "generations": {}, "links": {}})
    assert asked(project.ask("sheet")) == [(NAME, "make", 2)]


def test_what_no_person_makes(connected: tuple[Project, str]) -> None:
    project, there = connected
    assert asked(project.ask("sheet")) == []
    project.declare("fresh-roast", there, ORDERS + ORDERS.replace("orders:", "later:", 1))
    assert asked(project.ask("sheet", "fresh-roast/later")) == []


def test_a_key_of_woocommerce_by_hand(project: Project) -> None:
    there = project.store("fresh-roast")
    project.declare("fresh-roast", there, ORDERS, login="none")
    project.role = "preview"
    called = project("sheet", "fresh-roast/orders")
    assert called.code == 0
    assert "    [ ] Permissions  Read\n" in called.out


def test_another_form_is_refused_in_one_line(account: Account) -> None:
    called = account.project("sheet", "--format", "pdf")
    assert called.code == 1
    assert called.err == "--format: 'pdf' is none of text, markdown, html. See `connections sheet --help`\n"


# --- on a stream ---


def cells(row: _Element) -> list[str]:
    return [cell.text or "" for cell in row]


@pytest.mark.parametrize("terminal", [False, True])
def test_nothing_is_cut_and_lines_stay(account: Account, terminal: bool) -> None:
    called = account.project("sheet", terminal=terminal)
    lines = called.out.splitlines()
    assert lines[0].startswith("Make the API account")
    assert set(lines[1]) == {"="}
    rows = [line for line in lines if line.startswith("    [ ] ")]
    assert len(rows) >= len(PANEL)
    assert any(re.fullmatch(r"    \[ \] Orders +modify", row) for row in rows)
    assert any(re.fullmatch(r"    \[ \] Marketing +none", row) for row in rows)
    assert len(called.out) > 3 * screen.LONGEST
    assert f"Hand the file F over: connections capture {NAME} --file F --delete" in called.out


def test_a_file_of_html(account: Account) -> None:
    called = account.project("sheet", "--format", "html")
    assert (called.code, called.err) == (0, "")
    assert called.out.startswith("<!doctype html>\n")
    page = html.document_fromstring(called.out)
    rows = {cells(row)[1]: (row.get("class"), cells(row)[2]) for row in page.iter("tr")}
    assert rows["Orders"] == (None, "modify")
    assert rows["Marketing"] == ("none", "none")
    assert page.findtext(".//title") == page.findtext(".//h1")
    assert not page.xpath("//script | //img | //link")


def test_control_codes_reach_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    class Odd:
        exit_code = 0

        def shown(self) -> list[Page]:
            return [Page("a\x1b[2J\n  b\u202e\tc\r\nd")]

    shown = screen.Screen()
    shown.show(Odd())
    shown.close()
    assert capsys.readouterr().out == "a\ufffd[2J\n  b\ufffd\ufffdc\nd\n"


# --- forms ---

ODD = Sheet(
    title="Make <b>\x1b[31m`it`\x1b[0m</b> | *now*",
    link="javascript:alert(1)",
    steps=(
        "1. Open\nthe [page](https://elsewhere.example) \u202e& look",
        Table((("A | B", "read-only"), ("<C>", "None"))),
        "- Save",
        *("Wait.",) * 8,
        "Then:",
        Table((("D", "modify"),)),
    ),
    notes=("# a note", "another _note_"),
)
GOOD = Sheet("A title", "https://store-abc.example/manage?a=1", ("Do it.",))


def test_text() -> None:
    text = as_text([ODD, GOOD])
    assert "\x1b" not in text
    assert "\u202e" not in text
    lines = text.splitlines()
    assert lines[0] == "Make <b>[31m`it`[0m</b> | *now*"
    assert lines[1] == "=" * len(lines[0])
    assert lines[5:9] == [
        " 1. 1. Open the [page](https://elsewhere.example) & look",
        "    [ ] A | B  read-only",
        "    [ ] <C>    None",
        " 2. - Save",
    ]
    assert lines[-8:] == ["", "", "A title", "=======", "", "https://store-abc.example/manage?a=1", "", " 1. Do it."]
    assert "Note: # a note" in lines


def test_markdown() -> None:
    lines = as_markdown([ODD, GOOD]).splitlines()
    assert lines[0] == "# Make \\<b\\>\\[31m\\`it\\`\\[0m\\</b\\> \\| \\*now\\*"
    assert lines[2] == "javascript:alert(1)"
    assert lines[4] == "1. 1\\. Open the \\[page\\](https://elsewhere.example) \\& look"
    assert lines[6:10] == [
        "   | Row | Level |",
        "   |---|---|",
        "   | A \\| B | **read-only** |",
        "   | \\<C\\> | None |",
    ]
    assert "2. \\- Save" in lines
    # Below a number of two digits a table stands one further in, else it would end the list.
    assert "    | D | **modify** |" in lines
    assert lines[-7:] == ["> another \\_note\\_", "", "# A title", "", f"<{GOOD.link}>", "", "1. Do it."]
    assert "> \\# a note" in lines


def test_html() -> None:
    text = as_html([ODD, GOOD])
    assert "\x1b" not in text
    page = html.document_fromstring(text)
    assert [heading.text for heading in page.iter("h1")] == ["Make <b>[31m`it`[0m</b> | *now*", "A title"]
    assert [link.get("href") for link in page.iter("a")] == [GOOD.link]
    assert page.findtext(".//title") == "What is to be done"
    assert len(page.findall(".//ol")[0]) == 11
    rows = [cells(row) for row in page.iter("tr")]
    assert rows[1:3] == [["\u2610", "A | B", "read-only"], ["\u2610", "<C>", "None"]]
    assert [row.get("class") for row in page.iter("tr")][1:3] == [None, "none"]
    assert [note.text for note in page.findall(".//aside/p")] == ["# a note", "another _note_"]
    assert len(page.findall(".//aside")) == 1
    assert not page.xpath("//b | //script")


def test_nothing_to_do_is_a_page_too() -> None:
    assert as_text([]) == as_markdown([]) == ""
    assert "<section>" not in as_html([])
