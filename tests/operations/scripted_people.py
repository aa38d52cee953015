"""Where the scripted people of `make up` work in tests: real pages and real mail, and commands that are written down."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import pytest

from operations.local import prepare
from operations.local.world import World
from operations.sheet import Awaited
from providers.core.policies import Role
from providers.core.sheet import Sheet, Table, Task
from providers.declarations import DeclaredLink
from sandbox.server_process import running
from sandbox.vault import Access
from sandbox.vault import client as vault_client
from tests.operations.sandbox_place import make_place

__all__ = ["ROWS", "Calls", "awaited", "calls", "declared_link", "here", "mail", "wrapped"]

ROWS = (("Content", "none"), ("Orders", "modify"))


@dataclass
class Calls:
    """The commands that were called, and what they were given."""

    made: list[tuple[str, ...]] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


@pytest.fixture
def here(tmp_path: Path, vault_server: Access) -> Iterator[World]:
    """Vendors' pages with their people; no engine."""
    place = make_place(tmp_path)
    with running(place.state / "sandbox", place.store_port) as started:
        for furnish in (prepare.bigcommerce, prepare.surecart, prepare.pimworks):
            furnish(place, started.client)
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


def awaited(name: str = "acme-parts/stone-edge", task: Task = "make", title: str = "") -> Awaited:
    """A sheet for the first key of a connection."""
    steps = ("Set every row.", Table(ROWS), "Press Save.")
    words = title or f"{task.capitalize()} the API account '{name} #1' at store 12e4567"
    return Awaited(name, task, 1, Sheet(words, "https://panel.example", steps))


def declared_link(here: World, name: str) -> DeclaredLink:
    """A link of the sandbox's files, by its full name."""
    connection, _, link = name.rpartition("/")
    (found,) = [one for one in here.place.stack.connection(connection).links if one.name == link]
    return found


def mail(here: World, to: str, text: str) -> None:
    """A mail as the product sends it."""
    here.stores.mail.put_account("connections", "mail-password")
    server = here.stores.mail.server()
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "integrations@agency.example", to, "Values"
    message.set_content(text)
    context = ssl.create_default_context(cafile=str(here.stores.ca))
    with smtplib.SMTP("localhost", server.starttls_port, local_hostname="client.example") as smtp:
        smtp.starttls(context=context)
        smtp.login("connections", "mail-password")
        smtp.send_message(message)


def wrapped(here: World, values: Mapping[str, str]) -> str:
    """Values that open once; the token."""
    with vault_client(here.access) as vault:
        answer = vault.post("/sys/wrapping/wrap", json=dict(values), headers={"X-Vault-Wrap-TTL": "60s"})
    token: str = answer.json()["wrap_info"]["token"]
    return token
