"""`connections capture`, `confirm` and `forget-link`: what people make and know, taken in without showing it."""

from __future__ import annotations

import os
import pty
import sys
import termios
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import pytest

from operations.values import LARGEST, parsed, read_values
from providers.core.errors import ConnectionsError
from providers.core.journal import Book
from sandbox.client import HandMadeKey
from tests.operations.conftest import ORDERS, Project
from tests.operations.terminal import on_a_terminal, until

ROOT = Path(__file__).resolve().parents[2]
FIELDS = ("consumer_key", "consumer_secret")
NAME = "fresh-roast/orders"


# --- the text ---


@pytest.mark.parametrize(
    "text",
    [
        "consumer_key=ck_a\nconsumer_secret=cs_b",
        "consumer_key: ck_a\r\nconsumer_secret: cs_b\r\n",
        "\ufeffck_a\n\n  cs_b  \n",
        "Consumer secret: 'cs_b'\nConsumer-Key : \"ck_a\"\n",
        '"consumer_key": "ck_a",\n"consumer_secret": "cs_b"',
    ],
)
def test_values_are_read_leniently(text: str) -> None:
    found = parsed(text.encode(), FIELDS)
    assert [found[name].reveal() for name in FIELDS] == ["ck_a", "cs_b"]


def test_a_bare_value_may_hold_what_separates_names() -> None:
    assert parsed(b"abc=\n", ["token"])["token"].reveal() == "abc="
    assert parsed(b"token: a:b=c\n", ["token"])["token"].reveal() == "a:b=c"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "consumer_key and consumer_secret was not given"),
        (b"consumer_key=ck_canary\n", "consumer_secret was not given"),
        (b"consumer_key=\nconsumer_secret=cs_canary", "line 1 is not understood"),
        (b"\nck_canary\n", "line 2 is not understood"),
        (b"ck_canary\ncs_canary\nmore_canary\n", "line 1 is not understood"),
        (b"consumer_key=ck_canary\ncs_canary", "line 2 is not understood"),
        (b"consumer_key=ck_canary\nconsumer_key=ck_canary", "line 2 gives consumer_key a second time"),
        (b"my key is ck_canary\n", "line 1 is not understood"),
        (b"ck_canary\x07\ncs_canary", "line 1 is not understood"),
        (b"\xff\xfe", "no text"),
        (b"a" * (LARGEST + 1), "more than"),
    ],
)
def test_errors_name_the_line_and_not_what_stands_in_it(text: bytes, says: str) -> None:
    with pytest.raises(ConnectionsError) as caught:
        parsed(text, FIELDS)
    assert says in str(caught.value)
    assert "canary" not in str(caught.value)


# --- with a store ---


@pytest.fixture
def awaiting(project: Project) -> tuple[Project, str]:
    """A connection whose key a person is to make."""
    there = project.store("fresh-roast")
    project.declare("fresh-roast", there, ORDERS, login="none")
    project.up()
    return project, there


def hand_made(project: Project, there: str, permissions: str = "read") -> HandMadeKey:
    key = project.control.insert_key(there, description="by hand", permissions=permissions, user="reader")
    project.secrets |= {key.consumer_key, key.consumer_secret}
    return key


def pair(key: HandMadeKey) -> bytes:
    return f"consumer_key={key.consumer_key}\nconsumer_secret={key.consumer_secret}\n".encode()


def test_a_key_made_by_hand_goes_through_its_whole_life(awaiting: tuple[Project, str]) -> None:
    project, there = awaiting
    assert project.ask("status", code=4)["connections"][0]["state"] == "awaiting_person"
    called = project("capture", NAME, "--json", given=pair(hand_made(project, there)))
    assert called.code == 0, called.err
    document = called.json
    assert document.keys() == {"name", "number", "lost", "findings", "next", "problem", "exit_code"}
    assert (document["number"], document["lost"]) == (1, False)
    assert {finding["verdict"] for finding in document["findings"]} == {"confirmed"}
    (entry,) = project.ask("status", code=2)["connections"]
    assert entry["reasons"] == ["key number 1 was put in; `pulumi up` settles it"]
    assert project.ask("sheet")["sheets"] == []
    project.up()
    assert project.ask("status")["connections"][0]["state"] == "live"

    assert project("rotate", NAME, "--reason", "routine").code == 4
    called = project("capture", NAME, given=pair(hand_made(project, there)))
    assert called.code == 0, called.err
    assert f"{NAME}: key number 2 is proved and in Vault" in called.out
    project.ahead = timedelta(hours=2)
    called = project("rotate", "--due")
    assert called.code == 4, called.out
    assert f"connections confirm {NAME} --deleted 1" in called.out
    status = project.ask("status", code=4)["connections"][0]
    assert (status["state"], status["generation"]) == ("awaiting_person", 2)
    (first, _) = project.control.keys(there)
    project.control.delete_key(there, first.key_id)
    assert project("confirm", NAME, "--deleted", "1", "--reason", "deleted in wp-admin").code == 0
    assert project("rotate", "--due").code == 0
    assert project.ask("status")["connections"][0]["state"] == "live"


def test_a_file_is_read_and_deleted_when_all_is_well(awaiting: tuple[Project, str], tmp_path: Path) -> None:
    project, there = awaiting
    file = tmp_path / "key.txt"
    file.write_bytes(b"nonsense of a canary")
    called = project("capture", NAME, "--file", str(file), "--delete")
    assert (called.code, "line 1 is not understood" in called.err) == (1, True)
    assert file.exists()
    file.write_bytes(pair(hand_made(project, there)))
    assert project("capture", NAME, "--file", str(file), "--delete").code == 0
    assert not file.exists()
    called = project("capture", NAME, "--file", str(file))
    assert (called.code, "cannot be read" in called.err) == (1, True)


def test_only_what_goes_with_its_name_is_deleted(awaiting: tuple[Project, str], tmp_path: Path) -> None:
    project, there = awaiting
    file, link = tmp_path / "key.txt", tmp_path / "link.txt"
    file.write_bytes(pair(hand_made(project, there)))
    link.symlink_to(file)
    for named in (link, tmp_path, tmp_path / "missing.txt"):
        called = project("capture", NAME, "--file", str(named), "--delete")
        assert (called.code, "is no file that could be deleted" in called.err) == (1, True)
    assert f"{NAME}/generations/1" not in project.documents(f"{NAME}/")


def test_a_file_that_cannot_be_deleted_is_left_to_a_person(
    awaiting: tuple[Project, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_: Path) -> None:
        raise PermissionError

    project, there = awaiting
    file = tmp_path / "key.txt"
    file.write_bytes(pair(hand_made(project, there)))
    monkeypatch.setattr(Path, "unlink", denied)
    called = project("capture", NAME, "--file", str(file), "--delete")
    assert called.code == 4
    assert f"{NAME}: key number 1 is proved and in Vault" in called.out
    assert f"{file} could not be deleted: delete it yourself" in called.out


def test_the_same_key_again_is_no_error(awaiting: tuple[Project, str], tmp_path: Path) -> None:
    project, there = awaiting
    file = tmp_path / "key.txt"
    file.write_bytes(pair(hand_made(project, there)))
    assert project("capture", NAME, "--file", str(file)).code == 0
    called = project("capture", NAME, "--file", str(file), "--delete")
    assert (called.code, f"{NAME}: key number 1 is in Vault already" in called.out) == (0, True)
    assert not file.exists()


def test_a_store_that_is_in_trouble_proves_nothing(awaiting: tuple[Project, str], tmp_path: Path) -> None:
    project, there = awaiting
    file = tmp_path / "key.txt"
    file.write_bytes(pair(hand_made(project, there)))
    project.control.add_fault("status", store=there, times=None, status=503)
    assert project("capture", NAME, "--file", str(file), "--delete").code == 3
    assert file.exists()
    assert f"{NAME}/generations/1" not in project.documents(f"{NAME}/")


def test_a_file_that_stays_is_mentioned(awaiting: tuple[Project, str], tmp_path: Path) -> None:
    project, there = awaiting
    file = tmp_path / "key.txt"
    file.write_bytes(pair(hand_made(project, there)))
    assert f"Delete {file}: the key stands in it." in project("capture", NAME, "--file", str(file)).out
    assert file.exists()


def test_a_key_of_other_rights_is_refused(awaiting: tuple[Project, str]) -> None:
    project, there = awaiting
    key = hand_made(project, there, "read_write")
    called = project("capture", NAME, given=pair(key))
    assert called.code == 5
    assert f"{NAME}: the key does not do what is declared: " in called.out
    assert "contradicted" in called.out
    document = project("capture", NAME, "--json", given=pair(key)).json
    assert {finding["verdict"] for finding in document["findings"]} == {"contradicted"}
    assert document["exit_code"] == 5
    assert f"{NAME}/generations/1" not in project.documents(f"{NAME}/")


def test_a_key_that_will_not_come(awaiting: tuple[Project, str]) -> None:
    project, _ = awaiting
    called = project("capture", NAME, "--lost", "--reason", "the tab was closed")
    assert (called.code, f"{NAME}: key number 1 is given up" in called.out) == (0, True)
    project.up()
    reasons = project.ask("status", code=4)["connections"][0]["reasons"]
    assert "make key number 2 by hand" in " ".join(reasons)


def test_nothing_is_asked_when_nothing_is_awaited(connected: tuple[Project, str]) -> None:
    project, there = connected
    called = project("capture", NAME, given=pair(hand_made(project, there)))
    assert (called.code, "no key is awaited" in called.err) == (1, True)
    project.declare("fresh-roast", there, ORDERS.replace("orders:", "later:", 1))
    assert project("capture", "fresh-roast/later").code == 1


def test_other_rights_ask_for_another_key_and_for_the_end_of_the_first(awaiting: tuple[Project, str]) -> None:
    project, there = awaiting
    assert project("capture", NAME, given=pair(hand_made(project, there))).code == 0
    project.declare("fresh-roast", there, ORDERS.replace("rights: read", "rights: write"), login="none")
    project.up()
    called = project("rotate", "--due")
    assert called.code == 4, called.out
    status = project.ask("status", code=4)["connections"][0]
    assert status["state"] == "awaiting_person"
    assert f"connections confirm {NAME} --deleted 1" in " ".join(status["reasons"])
    assert "make key number 2 by hand" in " ".join(status["reasons"])
    (first,) = project.control.keys(there)
    project.control.delete_key(there, first.key_id)
    assert project("confirm", NAME, "--deleted", "1", "--reason", "deleted in wp-admin").code == 0
    # Nobody is asked again, and the next run of the engine, which acts on drift alone, has to prove it.
    assert "--deleted 1" not in " ".join(project.ask("status", code=4)["connections"][0]["reasons"])
    assert [(task["task"], task["number"]) for task in project.ask("sheet")["sheets"]] == [("make", 2)]
    reasons = project.ask("status", "--live", code=2)["connections"][0]["reasons"]
    assert "generation 1 was given up and is not yet gone" in reasons
    project.up()
    assert "not yet gone" not in " ".join(project.ask("status", "--live", code=4)["connections"][0]["reasons"])
    assert "--deleted 1" not in " ".join(project.ask("status", code=4)["connections"][0]["reasons"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--lost",),
        ("--lost", "--file", "x", "--reason", "y"),
        ("--delete",),
        ("--reason", "y"),
        ("--lost", "--reason", " "),
    ],
)
def test_what_makes_no_sense(awaiting: tuple[Project, str], arguments: tuple[str, ...]) -> None:
    project, _ = awaiting
    assert project("capture", NAME, *arguments).code == 1


def test_who_may_write_no_secret_cannot_capture(awaiting: tuple[Project, str]) -> None:
    project, there = awaiting
    project.role = "verify"
    called = project("capture", NAME, given=pair(hand_made(project, there)))
    project.role = "apply"
    assert (called.code, len(called.err.splitlines())) == (3, 1)


def test_a_number_that_ends_while_its_key_is_put_in(
    awaiting: tuple[Project, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, there = awaiting
    keep = Book.keep

    def meanwhile(*arguments: Any) -> None:
        keep(*arguments)
        project.write(f"{NAME}/journal", {**project.journal(NAME), "generations": {}})

    monkeypatch.setattr(Book, "keep", meanwhile)
    called = project("capture", NAME, given=pair(hand_made(project, there)))
    assert called.code == 1
    assert "its number was ended meanwhile. Delete the key at the store" in called.err


# --- a terminal ---


def test_what_is_typed_is_not_shown(awaiting: tuple[Project, str]) -> None:
    project, there = awaiting
    key = hand_made(project, there)
    seen = bytearray()
    with on_a_terminal(project, "capture", NAME, "--quiet") as (process, master):
        until(master, "consumer_key (not shown): ", seen)
        os.write(master, f"{key.consumer_key}\n".encode())
        until(master, "consumer_secret (not shown): ", seen)
        os.write(master, f"{key.consumer_secret}\n".encode())
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0, bytes(seen)
    project.said += [seen.decode(), out.decode()]
    assert b"is proved and in Vault" in out
    assert b"ck_" not in seen


class NoTerminal:
    """Says it is a terminal, and its echo cannot be switched off."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.stream.fileno()


def test_without_silence_nothing_is_asked(awaiting: tuple[Project, str], tmp_path: Path) -> None:
    project, _ = awaiting
    with (tmp_path / "file").open("wb+") as stream:
        stdin: Any = NoTerminal(stream)
        called = project("capture", NAME, stdin=stdin)
    assert (called.code, "echo of this terminal" in called.err) == (1, True)


def test_an_echo_that_stays_on_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(termios, "tcsetattr", lambda *_: None)
    master, slave = pty.openpty()
    with os.fdopen(slave) as stream, os.fdopen(master, "wb"):
        monkeypatch.setattr(sys, "stdin", stream)
        with pytest.raises(ConnectionsError, match="echo"):
            read_values(FIELDS, None)


# --- a person's word ---


def test_only_what_waits_can_be_confirmed(connected: tuple[Project, str]) -> None:
    project, _ = connected
    assert "does not wait for its end" in project("confirm", NAME, "--deleted", "1", "--reason", "x").err
    assert "given nothing yet" in project("confirm", f"{NAME}/other", "--by", "me").err
    for arguments in (
        (NAME,),
        (NAME, "--deleted", "1"),
        (NAME, "--by", "me"),
        (f"{NAME}/hub",),
        (f"{NAME}/hub", "--by", "me", "--reason", "x"),
        (NAME, "--deleted", "1", "--reason", "x", "--generation", "1"),
    ):
        called = project("confirm", *arguments)
        assert (called.code, "confirm takes" in called.err) == (1, True)


def test_a_link_whose_consumer_is_gone(connected: tuple[Project, str]) -> None:
    project, _ = connected
    assert project("forget-link", NAME, "--reason", "x").code == 1
    assert project("forget-link", f"{NAME}/hub").code == 1
    assert "no link other" in project("forget-link", f"{NAME}/other", "--reason", "x").err
    assert project("forget-link", f"{NAME}/hub", "--reason", "the hub was closed").code == 0
    assert project.ask("status", code=2)["connections"][0]["links"][0]["state"] == "absent"


def test_what_is_declared_no_more_can_still_be_confirmed(awaiting: tuple[Project, str]) -> None:
    project, _ = awaiting
    project.ask("capture", NAME, "--lost", "--reason", "the tab was closed")
    journal = dict(project.journal(NAME))
    gone = {"1": journal["generations"]["1"] | {"state": "abandoned", "confirmed": ""}}
    project.write(f"{NAME}/journal", journal | {"phase": "closing", "generations": gone})
    (project.folder / "fresh-roast.yaml").unlink()
    assert project("confirm", NAME, "--deleted", "1", "--reason", "never made").code == 0
    assert project.journal(NAME)["generations"]["1"]["confirmed"] == "never made"
    assert "no connection is called" in project("confirm", "fresh-roast/never", "--deleted", "1", "--reason", "x").err
    assert "no connection is called" in project("confirm", "fresh-roast", "--deleted", "1", "--reason", "x").err
