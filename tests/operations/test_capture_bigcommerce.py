"""`connections capture` of API accounts: what the downloaded file may be, who captures, and that nothing bad gets in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.operations.bigcommerce_store import NAME, RIGHTS, Account, open_account
from tests.operations.conftest import Project

ROOT = Path(__file__).resolve().parents[2]
FIRST = f"{NAME}/generations/1"


@pytest.fixture
def account(project: Project, tmp_path: Path) -> Account:
    """An API account that is awaited."""
    files = tmp_path / "downloads"
    files.mkdir()
    made = open_account(project, files)
    project.up()
    return made


def in_vault(account: Account) -> bool:
    return any(name.startswith(f"{NAME}/generations/") for name in account.project.documents(f"{NAME}/"))


def test_the_file_goes_in_and_is_gone(account: Account) -> None:
    project = account.project
    (entry,) = project.ask("status", code=4)["connections"]
    assert entry["state"] == "awaiting_person"
    assert f"`connections sheet {NAME}`" in entry["reasons"][0]
    file = account.by_the_sheet()
    called = account.capture(file, "--delete")
    assert called.code == 0, called.out + called.err
    assert f"{NAME}: key number 1 is proved and in Vault" in called.out
    assert not file.exists()
    assert set(project.documents(f"{NAME}/")[FIRST]) >= {"client_id", "client_secret", "access_token"}
    project.up()
    assert project.journal(NAME)["generations"]["1"]["state"] == "current"


@pytest.mark.parametrize("layout", ["capitals", "equals", "next_line", "windows", "json"])
def test_any_layout_of_the_file(account: Account, layout: str) -> None:
    account.settings(credentials_layout=layout)
    with account.panel() as visitor:
        text = visitor.create_account(f"{NAME} #1", RIGHTS).text
    values = re.findall(r"[A-Za-z0-9]{20,}", text)
    account.project.secrets |= set(values)
    called = account.capture(text.encode())
    assert called.code == 0, called.err


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (b"", "the file lacks the client ID and the client secret and the access token"),
        (b"canary canary canary\n", "not understood: line 1"),
        (b"\x00\xff\xfe\x80", "the file is no text"),
        (b"%PDF-1.7\ncanary of the file", "the file lacks"),
        (b"a" * 20_000, "more than 16384 bytes"),
        (b"Client ID: canary-client-id\nClient secret: canary-client-secret\n", "the file lacks the access token"),
        (b"Client ID: canary-client-id\nAccess token:", "the file lacks the client secret and the access token"),
        (b"Client ID: canary-client-id\nClient secret: canary-client-secret\nAccess token: can", "line 3 is cut off"),
        (b"Token type: Stencil-CLI token\nAccess token: canary-access-token", "line 1 tells of a Stencil-CLI token"),
        (b"API path: https://api.bigcommerce.com/stores/zzzzzzz/v3/\n", "the file is of another store: zzzzzzz"),
    ],
)
def test_garbage_and_half_a_file(account: Account, given: bytes, says: str, tmp_path: Path) -> None:
    file = tmp_path / "given.txt"
    file.write_bytes(given)
    called = account.capture(file, "--delete")
    assert (called.code, called.out) == (1, "")
    assert says in called.err
    assert len(called.err.splitlines()) == 1
    assert "canary" not in called.err
    assert file.exists()
    assert not in_vault(account)
    (document,) = [account.capture(given, "--json").json]
    assert document.keys() == {"error", "exit_code"}


@pytest.mark.parametrize("status", ["401", "403"])
def test_the_token_of_another_store(account: Account, status: str) -> None:
    other = account.project.control.bigcommerce.create_store(f"{account.store.hash}other")
    account.settings(foreign_token=status)
    called = account.capture(account.other(RIGHTS, other.hash))
    assert called.code == 5
    assert "the store does not accept the key: " in called.out
    assert "of another store" in called.out
    assert f"`connections sheet {NAME}`" in called.out
    assert not in_vault(account)


def test_a_file_of_another_store(account: Account) -> None:
    other = account.project.control.bigcommerce.create_store(f"{account.store.hash}other")
    made = account.project.control.bigcommerce.make_account(other.hash, "theirs", RIGHTS)
    text = f"API path: {made.api_path}\n".encode() + account.three(made)
    called = account.capture(text)
    assert called.code == 1
    assert f"the file is of another store: {other.hash}" in called.err


MORE = {"Orders": "modify", "Products": "modify", "Customers": "read-only", "Information & settings": "read-only"}
LESS = {"Orders": "read-only", "Information & settings": "read-only"}


@pytest.mark.parametrize(
    ("rights", "rows", "words"),
    [(MORE, {"Products", "Customers"}, "MORE than declared"), (LESS, {"Orders", "Products"}, "LESS than declared")],
)
def test_every_row_that_is_wrong_is_named(account: Account, rights: dict[str, str], rows: set[str], words: str) -> None:
    values = account.other(rights)
    called = account.capture(values)
    assert called.code == 5
    assert "the key does not do what is declared: " in called.out
    for row in rows:
        assert re.search(rf"^ *{row} +contradicted +.*{words}", called.out, re.MULTILINE), called.out
    document = account.capture(values, "--json").json
    assert {finding["check"] for finding in document["findings"]} == rows
    assert (document["exit_code"], document["problem"][:7]) == (5, "the key")
    assert not in_vault(account)


def test_a_whole_table_of_wrong_rows_is_not_cut(account: Account) -> None:
    every = dict.fromkeys(("Content", "Customers", "Carts", "Checkouts", "Marketing", "Themes"), "modify")
    called = account.capture(account.other({**RIGHTS, **every, "Store inventory": "modify"}))
    assert called.code == 5
    for row in every:
        assert re.search(rf"^ *{row} +contradicted ", called.out, re.MULTILINE), called.out


def test_a_token_of_another_type(account: Account) -> None:
    account.settings(stencil_token="refused")
    called = account.capture(account.other({}, token_type="Stencil-CLI token"))
    assert called.code == 5
    assert not in_vault(account)


def test_a_store_in_trouble_proves_nothing(account: Account) -> None:
    values = account.other(RIGHTS)
    account.settings(server_error=500)
    assert account.capture(values).code == 3
    account.settings(server_error=0, forbidden="platform_limit")
    called = account.capture(values)
    assert (called.code, "could not be proved" in called.err) == (3, True)
    assert not in_vault(account)
    account.settings(forbidden="")
    assert account.capture(values).code == 0


def test_two_people_at_once(account: Account) -> None:
    """The second one's proof was under way when the first one's key went in."""
    project = account.project
    first, second = account.other(RIGHTS), account.other(RIGHTS)
    rule = project.control.add_fault("hang", operation="time")
    project.role = "operator"
    with subprocess.Popen(
        [sys.executable, "-m", "operations", "capture", NAME, "--quiet"],
        cwd=project.root,
        env={**os.environ, **project.environment(), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as other:
        assert other.stdin is not None
        other.stdin.write(second)
        other.stdin.close()
        other.stdin = None
        project.control.wait_for_fault(rule)
        assert account.capture(first).code == 0
        project.control.release(rule)
        out, err = (text.decode() for text in other.communicate(timeout=60))
    project.said += [out, err]
    assert (other.returncode, out) == (5, "")
    assert "a key was already put in for number 1" in err
    assert "delete this one at the store" in err
    project.up()
    assert project.journal(NAME)["generations"]["1"]["state"] == "current"


def test_somebody_was_first(account: Account) -> None:
    first, second = account.other(RIGHTS), account.other(RIGHTS)
    assert account.capture(first).code == 0
    calls = account.project.control.bigcommerce.quota(account.store.hash).left
    called = account.capture(second)
    assert (called.code, "already put in for number 1" in called.err) == (5, True)
    assert account.capture(first, "--json").json["findings"] == []
    assert account.project.control.bigcommerce.quota(account.store.hash).left == calls


def test_an_old_file_again(account: Account) -> None:
    project = account.project
    file = account.by_the_sheet()
    old = file.read_bytes()
    assert account.capture(file).code == 0
    project.up()
    called = account.capture(old)
    assert (called.code, "no key is awaited from a person" in called.err) == (1, True)
    assert project("rotate", NAME, "--reason", "routine").code == 4
    called = account.capture(old)
    assert (called.code, "this is the key of generation 1" in called.err) == (5, True)
    mixed = old.replace(b"Client ID: ", b"Client ID: x")
    called = account.capture(mixed)
    assert called.code == 5
    assert "its client_secret and access_token is that of generation 1" in called.err
    assert f"{NAME}/generations/2" not in project.documents(f"{NAME}/")
    assert project.journal(NAME)["generations"]["1"]["state"] == "current"


def test_a_proof_that_was_asked_for_is_the_one_that_previews_go_by(account: Account) -> None:
    project = account.project
    assert account.capture(account.by_the_sheet()).code == 0
    project.up()
    before = project.journal(NAME)["generations"]["1"]["proof"]["at"]
    assert project("verify").code == 0
    assert project.journal(NAME)["generations"]["1"]["proof"]["at"] > before


def test_the_file_of_a_number_that_was_given_up(account: Account) -> None:
    """It was proved once, and something else was declared before it became current."""
    project = account.project
    old = account.other(RIGHTS)
    assert account.capture(old).code == 0
    account.declare({**RIGHTS, "Content": "read-only"})
    project.up()
    account.declare(RIGHTS)
    project.up()
    called = account.capture(old)
    assert (called.code, "this is the key of generation 1" in called.err) == (5, True)
