"""A BigCommerce store of a test project with its panel, Stone Edge's office and the stack's mail server."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.bigcommerce.client import BigCommerceStore, HandMadeAccount
from sandbox.bigcommerce.visitor import Download, Visitor
from sandbox.stone_edge.office import Office
from sandbox.vault import client
from tests.operations.conftest import Called, Project

NUMBERS = itertools.count(1)
OWNER = "owner@acme-parts.example"
PANEL_PASSWORD = "canary-panel-password-of-the-owner"
MAIL_PASSWORD = "canary-mail-password-of-the-stack"

NAME = "acme-parts/stone-edge"
LINK = f"{NAME}/office"
RIGHTS = {"Orders": "modify", "Products": "read-only", "Information & settings": "read-only"}


@dataclass
class Account:
    """The store's file declares one API account, and a link to the office."""

    project: Project
    store: BigCommerceStore
    office: Office
    files: Path

    # --- declarations ---

    def declare(self, rights: Mapping[str, str] = RIGHTS, *, links: str = "", **words: str) -> None:
        rows = ", ".join(f"{label}: {level}" for label, level in rights.items())
        link = f"office: {{to: stone-edge, recipient: {self.office.address}}}"
        lines = ["stone-edge:", "  purpose: orders into Order Manager", f"  rights: {{{rows}}}", "  verify: full"]
        lines += [f"  {word}: {value}" for word, value in words.items()]
        lines.append(f"  links: {{{links or link}}}")
        head = {"platform": "bigcommerce", "store_hash": f'"{self.store.hash}"'}
        self.project.write_file("acme-parts", head, "\n".join(lines))

    def settings(self, **settings: Any) -> None:
        self.project.control.bigcommerce.change_settings(self.store.hash, **settings)

    # --- a person ---

    @contextmanager
    def panel(self) -> Iterator[Visitor]:
        with Visitor(self.store.panel_url, self.project.control.ca, OWNER, PANEL_PASSWORD) as visitor:
            yield visitor

    def by_the_sheet(self) -> Path:
        """Do what the sheet says: make the account with its rows under its name, and keep the file."""
        ((asked,),) = [[entry for entry in self.project.ask("sheet", NAME)["sheets"] if entry["task"] == "make"]]
        steps = asked["sheet"]["steps"]
        (title,) = [
            step.removeprefix("Name: ") for step in steps if isinstance(step, str) and step.startswith("Name: ")
        ]
        (table,) = [step for step in steps if not isinstance(step, str)]
        with self.panel() as visitor:
            return self.kept(visitor.create_account(title, dict(table["rows"])))

    def kept(self, download: Download, name: str = "") -> Path:
        """The file in the folder of downloads."""
        values = re.findall(r"^(?:Client ID|Client secret|Access token): (.+)$", download.text, re.MULTILINE)
        assert len(values) == 3
        self.project.secrets |= set(values)
        file = self.files / (name or download.file_name)
        file.write_text(download.text, "utf-8")
        return file

    def other(self, rights: Mapping[str, str], store: str = "", **words: str) -> bytes:
        """The three values of an account that no sheet asked for, without their store."""
        control = self.project.control.bigcommerce
        return self.three(control.make_account(store or self.store.hash, "by hand", rights, **words))

    def three(self, made: HandMadeAccount) -> bytes:
        values = (made.client_id, made.client_secret, made.access_token)
        self.project.secrets |= set(values)
        return "\n".join(values).encode()

    # --- the command ---

    def capture(self, given: bytes | Path, *options: str) -> Called:
        """As the operator does, who may read no secret."""
        self.project.role = "operator"
        try:
            if isinstance(given, Path):
                return self.project("capture", NAME, "--file", str(given), *options)
            return self.project("capture", NAME, *options, given=given)
        finally:
            self.project.role = "apply"

    def live(self) -> None:
        """Through the making of the first account."""
        self.project.up()
        called = self.capture(self.by_the_sheet(), "--delete")
        assert called.code == 0, called.out + called.err
        self.project.up()

    def mails(self) -> list[str]:
        return self.office.letters()


def open_account(project: Project, files: Path, **settings: Any) -> Account:
    """A store of this test alone, and what the stack's settings say for it."""
    control = project.control
    users = [{"mail": OWNER, "password": PANEL_PASSWORD, "role": "owner"}]
    number = next(NUMBERS)
    settings = {"quota": 100_000} | settings
    store = control.bigcommerce.create_store(f"parts{number}", users=users, **settings)
    access = project.prepared.access
    office = Office(
        control.stone_edge, control.mail, access.address, access.ca, address=f"office-{number}@agency.example"
    )
    control.mail.put_account("connections", MAIL_PASSWORD)
    project.secrets |= {PANEL_PASSWORD, MAIL_PASSWORD}
    with client(access) as http:
        # All tests share the mount, and some leave another login there.
        place = f"/{project.prepared.mounts.hubs}/data/mail"
        known = http.get(place)
        version = known.json()["data"]["metadata"]["version"] if known.status_code == 200 else 0
        login = {"username": "connections", "password": MAIL_PASSWORD}
        http.post(place, json={"options": {"cas": version}, "data": login}).raise_for_status()
    file = project.folder / "_stack.yaml"
    host, port = control.url, control.mail.server().starttls_port
    file.write_text(
        file.read_text("utf-8")
        + f"endpoints: {{bigcommerce: {{api: {host}/api.bigcommerce.com,"
        + f' panel: "{host}/store-{{store_hash}}.mybigcommerce.com"}}}}\n'
        + f"hubs: {{mail: {{server: localhost, port: {port}, from: integrations@agency.example}}}}\n"
        + "permit: [verify_full, plain_handover]\n",
        "utf-8",
    )
    account = Account(project, store, office, files)
    account.declare()
    return account
