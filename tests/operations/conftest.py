"""Projects on real stores of the sandbox and a real Vault, and the command called on them; no secret in any word it says."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import shutil
import sys
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import pytest

from operations.program import run
from providers.core import loop
from providers.core.journal import unfolded
from providers.core.links import LinkOutcome
from providers.core.operation import Outcome
from providers.core.toolbox import Toolbox, wish_of
from providers.declarations import load, platforms
from providers.inputs import consumer_inputs, credential_inputs
from sandbox.client import Client
from sandbox.server_process import ServerProcess, start
from sandbox.vault import Prepared, client

NUMBERS = itertools.count(1)
SECRET_NAMES = frozenset({"client_secret", "access_token", "cart_password"})
ADMIN_PASSWORD = "canary-admin-password-of-the-store"


@pytest.fixture(scope="session")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start(tmp_path_factory.mktemp("operations")) as process:
        yield process


@pytest.fixture(autouse=True)
def _no_leftover_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "shops" in request.fixturenames:
        request.getfixturevalue("shops").client.clear_faults()


@dataclass(frozen=True)
class Called:
    """What one call of the command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Piped(io.TextIOWrapper):
    """Standard input as a pipe gives it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")


def call(
    *arguments: str,
    make_toolbox: Callable[[], Toolbox] | None = None,
    given: bytes = b"",
    terminal: bool = False,
    stdin: TextIO | None = None,
) -> Called:
    """Call the command in the present folder, as `python -m operations` does."""
    out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
    options = {} if make_toolbox is None else {"make_toolbox": make_toolbox}
    before, sys.stdin = sys.stdin, stdin or Piped(given)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(arguments, **options)
    finally:
        sys.stdin = before
    return Called(code, out.getvalue(), err.getvalue())


SETTINGS = """\
format: 1
vault: {{mount: {mount}, admins: {admins}, hubs: {hubs}, adopt: {adopt}, transit: {transit}}}
defaults: {{rotate_after: 90d, overlap: 1h, ask: people@agency.example}}
rotation: {{by: schedule, spread: 10d, at_most: 2}}
teams: {{retail: {{mail: retail@agency.example}}}}
hosts:
  private: {{localhost: [127.0.0.0/8, "::1/128"]}}
  ca_file: ca.pem
recipients: ["*@agency.example"]
"""


@dataclass
class Project:
    """A project of this test alone. `ahead` moves its clock."""

    root: Path
    prepared: Prepared
    control: Client
    ahead: timedelta = timedelta()
    role: str = "apply"
    said: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=lambda: {ADMIN_PASSWORD})

    @property
    def stack(self) -> str:
        return self.prepared.stack

    @property
    def folder(self) -> Path:
        return self.root / "stacks" / self.stack

    # --- the command ---

    def environment(self) -> Mapping[str, str]:
        login = self.prepared.roles[self.role]
        return {
            "VAULT_ADDR": self.prepared.access.address,
            **({"VAULT_CACERT": str(self.prepared.access.ca)} if self.prepared.access.ca else {}),
            "VAULT_ROLE_ID": login.role_id,
            "VAULT_SECRET_ID": login.secret_id,
            "VAULT_APPROLE_MOUNT": login.mount,
        }

    def toolbox(self) -> Toolbox:
        return Toolbox(self.environment(), clock=lambda: datetime.now(UTC) + self.ahead)

    def __call__(
        self, *arguments: str, given: bytes = b"", terminal: bool = False, stdin: TextIO | None = None
    ) -> Called:
        called = call(*arguments, make_toolbox=self.toolbox, given=given, terminal=terminal, stdin=stdin)
        self.said += [called.out, called.err]
        return called

    def ask(self, *arguments: str, code: int = 0) -> Any:
        """The JSON document of a call that ends with this code."""
        called = self(*arguments, "--json")
        assert called.code == code, called.out + called.err
        return called.json

    # --- the world ---

    def store(self, name: str, version: str = "11.0.1", **order: Any) -> str:
        """A store of the sandbox with its admin login in Vault; its name there."""
        there = f"{name}-{next(NUMBERS)}"
        users = [{"login": login, "role": "shop_manager"} for login in ("reader", "writer")]
        order.setdefault("foreign_keys", [])
        self.control.create_store(there, version, ADMIN_PASSWORD, users=users, **order)
        self.login(there, ADMIN_PASSWORD)
        return there

    def login(self, there: str, password: str) -> None:
        host = urllib.parse.urlsplit(self.control.url).netloc
        with client(self.prepared.access) as http:
            path = f"/{self.prepared.mounts.admins}/data/{host}/{there}"
            http.post(path, json={"options": {"cas": 0}, "data": {"username": "connector", "password": password}})

    def declare(self, name: str, there: str, connections: str, **words: str) -> None:
        """A store's file; `connections` is the text under that word."""
        self.write_file(name, {"platform": "woocommerce", "url": self.control.store_url(there), **words}, connections)

    def write_file(self, name: str, head: Mapping[str, str], connections: str) -> None:
        """A store's file of any platform."""
        head = {"team": "retail", **head}
        lines = [f"{word}: {value}" for word, value in head.items()]
        body = "".join(f"  {line}\n" for line in connections.strip("\n").splitlines())
        (self.folder / f"{name}.yaml").write_text("\n".join(lines) + f"\nconnections:\n{body}", "utf-8")

    def up(self, *names: str) -> list[Outcome | LinkOutcome]:
        """What `pulumi up` does for connections: the loop, their links, the loop; where each was left."""
        toolbox = self.toolbox()
        stack = load(self.root / "stacks", self.stack, platforms(), project=self.prepared.project)
        left: list[Outcome | LinkOutcome] = []
        for connection in stack.connections:
            if names and connection.name not in names:
                continue
            inputs = credential_inputs(self.prepared.project, stack, connection)
            operation = toolbox.operation(inputs)
            left.append(loop.settle(operation, wish_of(inputs, toolbox.clock())))
            for link in connection.links:
                wanted = consumer_inputs(self.prepared.project, stack, connection, link)
                left.append(toolbox.link_run(wanted, operation=operation).connect())
        toolbox.close()
        self.said += [text for outcome in left for text in (*map(str, outcome.problems), *outcome.person)]
        return left

    def documents(self, path: str = "") -> dict[str, Mapping[str, Any]]:
        """Every document below a path, as an administrator sees them."""
        base = f"{self.prepared.mounts.mount}/{{}}/{self.prepared.base}"
        found: dict[str, Mapping[str, Any]] = {}
        with client(self.prepared.access) as http:
            folders = [path]
            while folders:
                folder = folders.pop()
                answer = http.request("LIST", f"/{base.format('metadata')}/{folder}")
                for name in answer.json()["data"]["keys"] if answer.status_code == 200 else ():
                    whole = f"{folder}{name}"
                    if name.endswith("/"):
                        folders.append(whole)
                        continue
                    read = http.get(f"/{base.format('data')}/{whole}").json()
                    if (read.get("data") or {}).get("data"):
                        found[whole] = read["data"]["data"]
        return found

    def journal(self, name: str) -> Mapping[str, Any]:
        return unfolded(self.documents(f"{name}/")[f"{name}/journal"])

    def write(self, path: str, data: Mapping[str, Any]) -> None:
        """Write a document by hand, over whatever is there."""
        place = f"{self.prepared.mounts.mount}/data/{self.prepared.base}/{path}"
        with client(self.prepared.access) as http:
            answer = http.get(f"/{place}")
            version = answer.json()["data"]["metadata"]["version"] if answer.status_code == 200 else 0
            done = http.post(f"/{place}", json={"options": {"cas": version}, "data": dict(data)})
            assert done.status_code < 300, done.text

    def note_secrets(self) -> None:
        """Remember every secret that Vault holds now, for the search in everything that was said."""
        self.secrets |= {login.secret_id for login in self.prepared.roles.values()}
        for path, data in self.documents().items():
            if not path.endswith("/journal"):
                self.secrets |= {
                    value
                    for name, value in data.items()
                    if isinstance(value, str) and (value.startswith(("ck_", "cs_")) or name in SECRET_NAMES)
                }


@pytest.fixture
def project(
    tmp_path: Path, prepared: Prepared, shops: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project in the present folder, with an empty stack."""
    root = tmp_path / "project"
    made = Project(root, prepared, shops.client)
    made.folder.mkdir(parents=True)
    (root / "Pulumi.yaml").write_text(f"name: {prepared.project}\nruntime: python\n", "utf-8")
    names = prepared.mounts
    settings = SETTINGS.format(
        mount=names.mount, admins=names.admins, hubs=names.hubs, adopt=names.adopt, transit=names.transit
    )
    (made.folder / "_stack.yaml").write_text(settings, "utf-8")
    shutil.copy(shops.ca, root / "ca.pem")
    monkeypatch.chdir(root)
    yield made
    made.note_secrets()
    everything = "\n".join(made.said)
    assert [secret[:6] for secret in made.secrets if secret in everything] == []


ORDERS = """
orders:
  purpose: orders into the hub
  rights: read
  user: reader
  links: {hub: {to: vault}}
"""


@pytest.fixture
def connected(project: Project) -> tuple[Project, str]:
    """A project with one store and one connection that is up; and the store's name in the sandbox."""
    there = project.store("fresh-roast")
    project.declare("fresh-roast", there, ORDERS)
    project.up()
    return project, there
