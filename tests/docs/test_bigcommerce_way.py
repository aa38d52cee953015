"""The way of docs/bigcommerce.md and docs/stone-edge.md, command by command: a store of the sandbox whose owner is a
scripted visitor of the panel's pages, the vendor's office, a real Vault; the providers are called as the engine does."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from providers.bigcommerce.probes import planned
from providers.core import provider
from providers.core.toolbox import Toolbox
from providers.declarations import Stack, load, platforms
from providers.inputs import consumer_inputs, credential_inputs, ledger_inputs
from sandbox.bigcommerce.client import BigCommerceStore
from sandbox.bigcommerce.visitor import Visitor
from sandbox.mail.reader import text_of
from sandbox.server_process import ServerProcess
from sandbox.stone_edge.office import Office
from sandbox.vault import Access, Mounts, Prepared, client, prepare
from tests.canary import scan
from tests.docs.markdown import ROOT, Block, blocks, missing, read
from tests.docs.markdown import table as table_of
from tests.fixtures_vault import RUN, policies_for
from tests.operations.conftest import call

BIGCOMMERCE = ROOT / "docs" / "bigcommerce.md"
STONE_EDGE = ROOT / "docs" / "stone-edge.md"

ROLES = {"acme-parts": "apply", "acme-parts-waits": "apply", "acme-parts-operator": "operator"}
"""The sessions of the pages with the role of whoever types; what `waits` for a person does not end with 0."""

OWNER, PANEL_PASSWORD, MAIL_PASSWORD = "owner@acme.example", "canary-panel-password", "canary-mail-password"
PROJECT = "connections"
HASH, OFFICE = "docs12x", "sales@stoneedge.com"


class Engine:
    """Does with the providers what the engine does: look, compare inputs, act on what differs. `said` is what they print."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}
        self.said = ""

    def up(self, stack: Stack) -> None:
        """One `pulumi up`."""
        self._settle("ledger", provider.LedgerProvider(), ledger_inputs(PROJECT, stack))
        for connection in stack.connections:
            inputs = credential_inputs(PROJECT, stack, connection)
            made = self._settle(connection.name, provider.CredentialProvider(), inputs)
            for link in connection.links:
                inputs = {**consumer_inputs(PROJECT, stack, connection, link), "handle": made["handle"]}
                self._settle(f"{connection.name}/{link.name}", provider.LinkProvider(), inputs)

    def destroy(self) -> None:
        """One `pulumi destroy`: users before what they use, the ledger at the end; what fails stays."""
        for name in sorted(self.known, key=lambda name: -name.count("/")):
            kinds = {2: provider.LinkProvider, 1: provider.CredentialProvider, 0: provider.LedgerProvider}
            kinds[name.count("/")]().delete(name, self.known[name])
            del self.known[name]

    def _settle(self, name: str, made_by: Any, declared: Mapping[str, Any]) -> dict[str, Any]:
        before: dict[str, Any] = {}
        if name in self.known:
            before = made_by.read(name, self.known[name]).inputs
        inputs = made_by.check(before, declared).inputs
        if not before:
            self.known[name] = made_by.create(inputs).outs
        elif inputs != before:
            self.known[name] = made_by.update(name, before, inputs).outs
        return self.known[name]


@dataclass
class Way:
    """A reader's folder with everybody who takes part."""

    root: Path
    prepared: Prepared
    sandbox: ServerProcess
    store: BigCommerceStore
    owner: Visitor
    engine: Engine = field(default_factory=Engine)
    transcript: list[str] = field(default_factory=list, repr=False)
    secrets: set[str] = field(default_factory=set, repr=False)
    deleted: list[str] = field(default_factory=list)
    last: str = ""
    replaced: set[str] = field(default_factory=set)

    # --- what the pages say ---

    @property
    def instead(self) -> dict[str, str]:
        """What stands in the pages for what only the reader has -> what this test has."""
        mail = self.sandbox.client.mail.server()
        return {
            "stacks/production": f"stacks/{self.prepared.stack}",
            "production:": f"{self.prepared.stack}:",
            "abc123x": HASH,
            "server: smtp.agency.example": f"server: {mail.host}, port: {mail.starttls_port}",
        }

    def here(self, text: str) -> str:
        """A text of a page with this test's values."""
        for word, value in self.instead.items():
            if word in text:
                self.replaced.add(word)
                text = text.replace(word, value)
        return text

    def follow(self, block: Block) -> None:
        """Do what a block says, or hold what it shows against what was said."""
        text = self.here(block.text)
        match block.kind:
            case "settings":
                path = self.root / self.here(block.what)
                path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
            case "file":
                (self.root / self.here(block.what)).write_text(text, encoding="utf-8")
            case "shell":
                self.before(text)
                self.last = "".join(self.run(line, block.what) for line in text.splitlines())
                self.transcript.append(self.last)
            case "shown" if block.what == "mail":
                shown = text_of(self.mails()[-1].message)
                subject = f"Subject: {self.mails()[-1].message['subject']}"
                assert missing(text, f"{subject}\n{shown}") == [], f"{block}: the mail is\n{subject}\n{shown}"
            case "shown":
                assert missing(text, self.last) == [], f"{block}: the real output is\n{self.last}"

    def run(self, line: str, session: str) -> str:
        """One command; what it said."""
        program, *words = shlex.split(line)
        if program == "pulumi":
            code, said = self.pulumi(words[0])
        else:
            called = call(*words, make_toolbox=lambda: self.toolbox(ROLES[session]))
            code, said = called.code, called.out + called.err
        assert (code != 0) == session.endswith("-waits"), f"{line} ended with {code}:\n{said}"
        return said

    def pulumi(self, verb: str) -> tuple[int, str]:
        """A command of the engine, in a process of its own as far as the providers can tell."""
        said = io.StringIO()
        provider.TOOLBOX = self.toolbox("apply")
        provider._seen.clear()
        provider._said.clear()
        code = 0
        with contextlib.redirect_stdout(said):
            try:
                if verb == "up":
                    self.engine.up(load(self.root / "stacks", self.prepared.stack, platforms(), project=PROJECT))
                else:
                    self.engine.destroy()
            except provider.NotDone as error:
                code = 1
                said.write(f"{error}\n")
            finally:
                provider.TOOLBOX.close()
        return code, said.getvalue()

    # --- the people ---

    def before(self, commands: str) -> None:
        """What somebody did before these commands are typed: the owner at the panel, the vendor at its desk."""
        said = self.sheet_text()
        for name in re.findall(r"^ *\d+\. Find the account named (.+?), with", said, re.MULTILINE):
            self.owner.delete_account(name)
            self.deleted.append(name)
        if " capture " in commands:
            made = self.owner.create_account(*self.sheet())
            (self.root / "credentials.txt").write_text(made.text, encoding="utf-8")
            self.secrets |= {word for word in re.split(r"\s+", made.text) if len(word) > 20 and "/" not in word}
        if " receive " in commands:
            vault, desk = self.prepared.access, self.sandbox.client
            office = Office(desk.stone_edge, desk.mail, vault.address, vault.ca, address=OFFICE)
            opened = office.open_latest()
            assert opened.store_hash == HASH
            answer = office.answer(f"acme-{self.prepared.stack}")
            self.secrets.add(answer.cart_password)
            lines = (
                f"Cart ID/Username: {answer.cart_id}",
                f"Cart Password: {answer.cart_password}",
                f"Script URL: {answer.script_url}",
            )
            (self.root / "answer.txt").write_text("\n".join(lines), encoding="utf-8")

    def sheet_text(self) -> str:
        """Every sheet that waits for a person; "" before there is a file."""
        return call("sheet", make_toolbox=lambda: self.toolbox("operator")).out

    def sheet(self) -> tuple[str, dict[str, str]]:
        """What the printed sheet tells the owner: the name, and the rows with their levels."""
        said = self.sheet_text()
        (name,) = re.findall(r"^ *\d+\. Name: (.+)$", said, re.MULTILINE)
        rows = re.findall(r"^ +\[ \] (\S.*?)  +(\S+)$", said, re.MULTILINE)
        return name, dict(rows)

    # --- the world ---

    def mails(self) -> list[Any]:
        """The mails to the office, oldest first."""
        return self.sandbox.client.mail.mails(OFFICE)

    def toolbox(self, role: str) -> Toolbox:
        """What somebody in this role works with."""
        login, access = self.prepared.roles[role], self.prepared.access
        words = {
            "VAULT_ADDR": access.address,
            "VAULT_ROLE_ID": login.role_id,
            "VAULT_SECRET_ID": login.secret_id,
            "VAULT_APPROLE_MOUNT": login.mount,
        }
        return Toolbox(words | ({"VAULT_CACERT": str(access.ca)} if access.ca else {}))

    def documents(self, path: str = "") -> dict[str, dict[str, str]]:
        """Every document of the stack that can still be read, as an administrator sees them."""
        base = f"{self.prepared.mounts.mount}/{{}}/{self.prepared.base}/{path}"
        found: dict[str, dict[str, str]] = {}
        with client(self.prepared.access) as http:
            answer = http.request("LIST", f"/{base.format('metadata')}")
            for name in answer.json()["data"]["keys"] if answer.status_code == 200 else ():
                if name.endswith("/"):
                    found |= self.documents(f"{path}{name}")
                    continue
                data = (http.get(f"/{base.format('data')}{name}").json().get("data") or {}).get("data")
                if data:
                    found[f"{path}{name}"] = data
        return found


@pytest.fixture
def way(
    tmp_path: Path,
    vault_server: Access,
    vault_mounts: Mounts,
    stores: ServerProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Way]:
    stack = f"way-{RUN}"
    prepared = prepare(vault_server, PROJECT, stack, policies_for(PROJECT, stack, vault_mounts), vault_mounts)
    root = tmp_path / "checkout"
    (root / "stacks" / stack).mkdir(parents=True)
    shutil.copytree(ROOT / "stacks" / "rights", root / "stacks" / "rights")
    (root / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n", encoding="utf-8")
    shutil.copy(stores.ca, root / "ca.pem")
    m, here = vault_mounts, f"https://{stores.url.removeprefix('https://')}"
    settings = (
        "format: 1\n"
        f"vault: {{mount: {m.mount}, admins: {m.admins}, hubs: {m.hubs}, adopt: {m.adopt}, transit: {m.transit}}}\n"
        "teams: {integrations: {mail: integrations@agency.example}}\n"
        'hosts: {private: {localhost: [127.0.0.0/8, "::1/128"]}, ca_file: ca.pem}\n'
        "endpoints:\n"
        "  bigcommerce:\n"
        f"    api: {here}/api.bigcommerce.com\n"
        f'    panel: "{here}/store-{{store_hash}}.mybigcommerce.com"\n'
        f"    login: {here}/login.bigcommerce.com\n"
    )
    (root / "stacks" / stack / "_stack.yaml").write_text(settings, encoding="utf-8")
    monkeypatch.chdir(root)
    monkeypatch.setattr(provider, "TOOLBOX", provider.TOOLBOX)
    control = stores.client
    # Proofs follow each other faster here than any reader's: the reserve of a small plan would end them.
    store = control.bigcommerce.create_store(
        HASH, users=[{"mail": OWNER, "password": PANEL_PASSWORD, "role": "owner"}], quota=100_000
    )
    control.mail.put_account("connector", MAIL_PASSWORD)
    with client(vault_server) as http:
        # Other tests of this Vault send mail too.
        written = http.get(f"/{m.hubs}/metadata/mail")
        version = written.json()["data"]["current_version"] if written.status_code == 200 else 0
        login = {"options": {"cas": version}, "data": {"username": "connector", "password": MAIL_PASSWORD}}
        http.post(f"/{m.hubs}/data/mail", json=login).raise_for_status()
    with Visitor(store.panel_url, stores.ca, OWNER, PANEL_PASSWORD) as owner:
        yield Way(root, prepared, stores, store, owner, secrets={PANEL_PASSWORD, MAIL_PASSWORD})
    control.bigcommerce.delete_store(HASH)
    control.mail.delete_account("connector")


def in_order() -> list[Block]:
    """The blocks of both pages in the order of the way: the second page stands where the first one sends its reader."""
    first = blocks(BIGCOMMERCE)
    turn = read(BIGCOMMERCE).partition("<!-- then: docs/stone-edge.md -->")[0].count("\n")
    return [
        *(block for block in first if block.line <= turn),
        *blocks(STONE_EDGE),
        *(block for block in first if block.line > turn),
    ]


@pytest.mark.xdist_group("docs-bigcommerce-way")
def test_the_whole_way(way: Way) -> None:
    for block in in_order():
        if block.page == "docs/stone-edge.md":
            check_credential(way)
        way.follow(block)
    assert way.replaced == way.instead.keys()
    assert way.deleted == ["acme-parts/stone-edge #1", "acme-parts/stone-edge #2"]
    assert way.sandbox.client.bigcommerce.accounts(HASH) == []
    left = way.documents("acme-parts/")
    assert {path.rpartition("/")[2] for path in left} == {"journal", "credential"}
    told = {"transcript": "".join(way.transcript), "mails": "\n".join(text_of(mail.message) for mail in way.mails())}
    told |= {path: str(data) for path, data in left.items()}
    assert len(way.secrets) == 2 + 2 * 3 + 1
    assert scan([way.root / "stacks"], way.secrets, told) == []


def check_credential(way: Way) -> None:
    """What the page says of the published copy."""
    rows = table_of(BIGCOMMERCE, "fields: credential of bigcommerce")
    told = set().union(*(re.findall(r"`(\w+)`", row[0]) for row in rows))
    published = way.documents("acme-parts/")["acme-parts/stone-edge/credential"]
    assert published.keys() == told
    assert (published["state"], published["key_id"]) == ("live", "")


def test_the_number_of_calls_of_a_proof() -> None:
    # Beside the probes: whether the token lives, and whose client id it is.
    full, reading = (2 + len(planned(full=full)) for full in (True, False))
    assert f"A proof takes {full} calls with `verify: full`, {reading} with `verify: read`." in read(BIGCOMMERCE)
