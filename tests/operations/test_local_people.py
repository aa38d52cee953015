"""The scripted people of `make up` at real pages and real mail, after runs that were killed half-way."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from operations.local import people, world
from operations.local.people import Letter
from operations.local.place import LocalError, write_private
from operations.local.world import World
from operations.sheet import Awaited
from providers.core.policies import Role
from providers.core.sheet import Sheet, Table, Task
from sandbox.mail.reader import InterceptedError
from sandbox.server_process import running
from sandbox.vault import Access
from sandbox.vault import client as vault_client
from tests.operations.sandbox_place import make_place

NAME, STORE = "acme-parts/stone-edge", "acme-parts"
TITLE = f"{NAME} #1"
OFFICE = "sales@stoneedge.example"
ROWS = (("Content", "none"), ("Orders", "modify"))


@dataclass
class Calls:
    """The commands that were called, and what is to happen then."""

    made: list[tuple[str, ...]] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


@pytest.fixture
def here(tmp_path: Path, vault_server: Access) -> Iterator[World]:
    """Stores with their owners; no engine."""
    place = make_place(tmp_path)
    with running(place.state / "sandbox", place.store_port) as started:
        world.prepare_bigcommerce(place, started.client)
        yield World(place, started.client, vault_server, {})


@pytest.fixture
def calls(here: World, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Commands are written down, not run."""
    found = Calls()

    def must(self: World, role: Role, *arguments: str, given: str | None = None) -> None:
        found.made.append((role, *arguments))
        found.given.append(given or "")
        if "--file" in arguments:
            path = self.place.root / arguments[arguments.index("--file") + 1]
            found.files.append(path.read_text(encoding="utf-8"))

    monkeypatch.setattr(World, "must", must)
    return found


def task(what: Task = "make", title: str = "") -> Awaited:
    steps = ("Set every row.", Table(ROWS), "Press Save.")
    words = title or f"{what.capitalize()} the API account {TITLE!r} at store 12e4567"
    return Awaited(NAME, what, 1, Sheet(words, "https://panel.example", steps))


def accounts(here: World) -> list[tuple[int, str]]:
    """Those that no other program has."""
    rows = here.stores.bigcommerce.accounts("12e4567")
    return [(row.id, row.title) for row in rows if row.title not in world.OTHERS]


FILE = ".local/downloads/acme-parts-stone-edge-1.txt"
CAPTURE = ("operator", "capture", NAME, "--file", FILE, "--delete")


def test_an_account_is_made_by_its_sheet(here: World, calls: Calls) -> None:
    assert people.make(here, task())
    (row,) = [row for row in here.stores.bigcommerce.accounts("12e4567") if row.title == TITLE]
    assert {label: level for label, level in row.levels.items() if level not in {"none", "standard"}} == {
        "Orders": "modify"
    }
    assert calls.made == [CAPTURE]
    assert row.client_id in calls.files[0]
    file = here.place.root / FILE
    assert file.stat().st_mode & 0o777 == 0o600

    # Killed before it was captured: the account and its file are there.
    assert people.make(here, task())
    assert calls.files[1] == calls.files[0]
    assert accounts(here) == [(row.id, TITLE)]

    # Killed before the file was kept: nobody can see the values again.
    file.unlink()
    assert people.make(here, task())
    ((number, title),) = accounts(here)
    assert (number != row.id, title) == (True, TITLE)
    assert calls.files[2] != calls.files[0]

    # A file without its account is worth nothing.
    here.stores.bigcommerce.delete_account("12e4567", number)
    assert people.make(here, task())
    assert calls.files[3] != calls.files[2]
    assert len(accounts(here)) == 1


def test_files_that_nobody_waits_for_go(here: World) -> None:
    people.forget_downloads(here, [])
    folder = here.place.state / "downloads"
    for name in ("acme-parts-stone-edge-1.txt", "acme-parts-stone-edge-7.txt"):
        write_private(folder / name, "values")
    people.forget_downloads(here, [task()])
    assert [file.name for file in folder.iterdir()] == ["acme-parts-stone-edge-1.txt"]


def test_an_account_is_deleted_by_its_sheet(here: World, calls: Calls) -> None:
    assert not people.delete(here, task("delete"))
    people.make(here, task())
    assert people.delete(here, task("delete"))
    assert accounts(here) == []
    assert len(here.stores.bigcommerce.accounts("12e4567")) == len(world.OTHERS)


def test_the_store_is_asked_about_what_was_deleted(here: World, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Awaited] = []
    monkeypatch.setattr(people, "_session", lambda _: contextlib.nullcontext())
    monkeypatch.setattr(people, "_asked", lambda _: asked)
    monkeypatch.setattr(people, "_unanswered", lambda _: [])
    monkeypatch.setattr(World, "connections", lambda _, *words: calls.made.append(words))
    assert not people.do_their_part(here)
    asked.append(replace(task(), name="westside/dispatch"))
    assert not people.do_their_part(here)
    asked[:] = [task()]
    assert people.do_their_part(here)
    assert calls.made == [CAPTURE]
    asked[:] = [task("delete")]
    assert people.do_their_part(here)
    assert calls.made[1:] == [("apply", "rotate", "--due")]
    assert not people.do_their_part(here)


def test_a_sheet_without_an_account_is_an_error() -> None:
    with pytest.raises(LocalError, match="its sheet names no account"):
        people.account(task(title="Do something else"))


def mail(here: World, text: str) -> None:
    """A mail to the office, as the product sends it."""
    here.stores.mail.put_account("connections", "mail-password")
    server = here.stores.mail.server()
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "integrations@agency.example", OFFICE, "Values"
    message.set_content(text)
    context = ssl.create_default_context(cafile=str(here.stores.ca))
    with smtplib.SMTP("localhost", server.starttls_port, local_hostname="client.example") as smtp:
        smtp.starttls(context=context)
        smtp.login("connections", "mail-password")
        smtp.send_message(message)


def wrapped(here: World) -> str:
    values = {"client_id": "a", "client_secret": "b", "access_token": "c", "store_hash": "12e4567"}
    with vault_client(here.access) as vault:
        answer = vault.post("/sys/wrapping/wrap", json=values, headers={"X-Vault-Wrap-TTL": "60s"})
    token: str = answer.json()["wrap_info"]["token"]
    return token


LETTER = Letter(f"{NAME}/stone-edge", STORE, OFFICE, 1, True)


def test_the_office_opens_its_mail_and_answers(here: World, calls: Calls) -> None:
    mail(here, f"Open this once:\n\n{wrapped(here)}\n")
    assert people.answer(here, LETTER)
    assert calls.made == [("operator", "receive", LETTER.name)]
    (endpoint,) = here.stores.stone_edge.all()
    first, second, third = calls.given[0].splitlines()
    assert first == f"Cart ID/Username: {endpoint.username}"
    assert second.startswith("Cart Password: ")
    assert third == f"Script URL: {endpoint.shown_url}"


def test_after_a_rotation_the_office_says_that_it_uses_the_new_values(here: World, calls: Calls) -> None:
    mail(here, f"Open this once:\n\n{wrapped(here)}\n")
    assert people.answer(here, replace(LETTER, generation=2, first=False))
    assert calls.made == [("operator", "confirm", LETTER.name, "--by", OFFICE, "--generation", "2")]
    assert here.stores.stone_edge.all() == []


def test_what_was_opened_before_is_handed_over_again(
    here: World, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = wrapped(here)
    mail(here, f"Open this once:\n\n{token}\n")
    with vault_client(here.access, token) as vault:
        assert vault.post("/sys/wrapping/unwrap").status_code == 200
    with pytest.raises(InterceptedError):
        people.answer(here, LETTER)
    record = World.must

    def must(self: World, role: Role, *arguments: str, given: str | None = None) -> None:
        record(self, role, *arguments, given=given)
        if arguments[0] == "handover":
            mail(self, f"Open this once:\n\n{wrapped(self)}\n")

    calls.made.clear()
    monkeypatch.setattr(World, "must", must)
    assert people.answer(here, LETTER)
    assert [made[:2] for made in calls.made] == [("apply", "handover"), ("operator", "receive")]


def test_a_command_that_fails_ends_it(here: World) -> None:
    there = World(here.place, here.stores, here.access, {"operator": {}})
    with pytest.raises(LocalError, match="connections show ended with exit code 1"):
        there.must("operator", "show", "nothing/at-all")
