"""A stack of one's own for a test: real engine, real Vault, real stores over TLS, in a folder that is thrown away."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import httpx

from providers.core.journal import unfolded
from providers.core.policies import Role
from providers.core.toolbox import Toolbox
from sandbox.client import KeyRow
from sandbox.server_process import ServerProcess
from sandbox.vault import Prepared, client
from tests.canary import Leak, scan
from tests.conftest import unmeasured

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "connections"
TIMEOUT = 110.0
"""Seconds a command of the engine may take: one that hangs fails its test, not the run."""

USERS = ("hub-reader", "pim-writer")
PASSWORD = "wordpress-Passw0rd/of-the+admin"
"""Has what escaping changes, so that the canary scan can tell forms apart."""

SECRET_WORDS = (
    "consumer_key",
    "consumer_secret",
    "client_id",
    "client_secret",
    "access_token",
    "cart_password",
    "script_url",
    "token",
    "identifier",
    "secret",
    "api_key",
    "auth_link_url",
)
"""The words of documents in Vault under which secrets lie."""


@dataclass(frozen=True, slots=True)
class Store:
    """A store of the sandbox: its declared name, the name it is served under, its address and version."""

    name: str
    served: str
    url: str
    version: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a command of the engine said and how it ended."""

    code: int
    text: str

    @property
    def lines(self) -> list[str]:
        """Its lines, without the blanks around them."""
        return [line.strip() for line in self.text.splitlines()]


@dataclass
class Workbench:
    """A project folder with one stack, its engine state, and the means of an administrator of Vault and stores."""

    root: Path
    prepared: Prepared
    sandbox: ServerProcess
    engine: Mapping[str, str] = field(repr=False)
    stores: dict[str, Store] = field(default_factory=dict)
    transcript: list[str] = field(default_factory=list, repr=False)
    """Everything that commands said."""
    secrets: set[str] = field(default_factory=set, repr=False)
    """Everything that nobody may say."""

    def __post_init__(self) -> None:
        for name in ("Pulumi.yaml", "__main__.py", "providers", "operations", ".venv"):
            (self.root / name).symlink_to(ROOT / name)
        folder = self.root / "stacks" / self.stack
        folder.mkdir(parents=True)
        (self.root / "ca.pem").write_bytes(self.sandbox.ca.read_bytes())
        salt = (ROOT / "stacks" / "Pulumi.sandbox.yaml").read_text(encoding="utf-8")
        (self.root / "stacks" / f"Pulumi.{self.stack}.yaml").write_text(salt, encoding="utf-8")
        self.settings()
        for name, role in self.prepared.roles.items():
            (self.root / f"secret-id-{name}").write_text(role.secret_id, encoding="ascii")
            self.secrets.add(role.secret_id)
        self.secrets |= {self.prepared.access.root_token, PASSWORD}
        assert self.pulumi("stack", "init", self.stack).code == 0

    # --- the stack's files ---

    @property
    def stack(self) -> str:
        return self.prepared.stack

    def settings(self, **words: Any) -> None:
        """Write `_stack.yaml`, with these words beside the usual ones or in their place."""
        mounts = self.prepared.mounts
        usual: dict[str, Any] = {
            "format": 1,
            "vault": {name: getattr(mounts, name) for name in ("mount", "admins", "hubs", "adopt", "transit")},
            "defaults": {"ask": "integrations@agency.example"},
            "teams": {"retail": {"mail": "retail@agency.example"}},
            "hosts": {"private": {"localhost": ["127.0.0.0/8", "::1/128"]}, "ca_file": "ca.pem"},
        }
        self.write("_stack", usual | words)

    def declare(self, name: str, connections: Mapping[str, Mapping[str, Any]], **words: Any) -> None:
        """Write the file of a store. A connection has what is given and, where it is not, rights, user and purpose."""
        usual = {"rights": "read", "user": "hub-reader", "purpose": "orders into the hub"}
        links = {"links": {"hub": {"to": "vault", "overlap": "1h"}}}
        declared = {
            "platform": "woocommerce",
            "url": self.stores[name].url,
            "team": "retail",
            "connections": {key: usual | links | dict(given) for key, given in connections.items()},
        }
        self.write(name, declared | words)

    def undeclare(self, name: str) -> None:
        """Take the file of a store away."""
        (self.root / "stacks" / self.stack / f"{name}.yaml").unlink()

    def write(self, name: str, words: Mapping[str, Any]) -> None:
        """Write a file of the stack."""
        path = self.root / "stacks" / self.stack / f"{name}.yaml"
        path.write_text(json.dumps(words, indent=2), encoding="utf-8")  # JSON is YAML

    # --- the engine ---

    def environment(self, role: Role | None = "apply", env: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a command of the engine sees when it runs as this role, or without any login."""
        access = self.prepared.access
        found = {
            **unmeasured(os.environ),
            **unmeasured(self.engine),
            "VAULT_ADDR": access.address,
            "PULUMI_STACK": self.stack,
        }
        if access.ca is not None:
            found["VAULT_CACERT"] = str(access.ca)
        if role is not None:
            login = self.prepared.roles[role]
            found |= {
                "VAULT_ROLE_ID": login.role_id,
                "VAULT_SECRET_ID_FILE": str(self.root / f"secret-id-{role}"),
                "VAULT_APPROLE_MOUNT": login.mount,
            }
        return found | dict(env or {})

    def start(
        self, *arguments: str, role: Role | None = "apply", env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a command of the engine in a process group of its own."""
        return subprocess.Popen(
            ["pulumi", *arguments],
            cwd=self.root,
            env=self.environment(role, env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def command(self, *arguments: str, role: Role = "operator", given: str = "") -> Result:
        """A call of `connections` in the project's folder, with this text on standard input."""
        done = subprocess.run(
            [".venv/bin/python", "-m", "operations", "--stack", self.stack, *arguments],
            cwd=self.root,
            env=self.environment(role),
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        self.transcript.append(done.stdout)
        self.remember_secrets()
        return Result(done.returncode, done.stdout)

    def finish(self, process: subprocess.Popen[str]) -> Result:
        """Wait for a command that was started."""
        try:
            text, _ = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            kill_all(process)
            text, _ = process.communicate()
            raise AssertionError(f"the engine hung:\n{text[-3000:]}") from None
        self.transcript.append(text)
        self.remember_secrets()
        return Result(process.returncode, text)

    def pulumi(self, *arguments: str, role: Role | None = "apply", env: Mapping[str, str] | None = None) -> Result:
        """Run a command of the engine to its end."""
        return self.finish(self.start(*arguments, role=role, env=env))

    def up(self, *arguments: str, role: Role | None = "apply", env: Mapping[str, str] | None = None) -> Result:
        """`pulumi up`, as a pipeline runs it."""
        return self.pulumi("up", "--yes", "--skip-preview", "--non-interactive", *arguments, role=role, env=env)

    def preview(self, *arguments: str, role: Role | None = "apply", env: Mapping[str, str] | None = None) -> Result:
        """`pulumi preview --diff`."""
        return self.pulumi("preview", "--diff", "--non-interactive", *arguments, role=role, env=env)

    def destroy(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        """`pulumi destroy`."""
        return self.pulumi("destroy", "--yes", "--skip-preview", "--non-interactive", *arguments, env=env)

    def settled(self) -> Result:
        """A preview that must be empty."""
        result = self.preview("--expect-no-changes")
        assert result.code == 0, result.text
        return result

    def applied(self, env: Mapping[str, str] | None = None) -> Result:
        """An `up` that must end well."""
        result = self.up(env=env)
        assert result.code == 0, result.text
        return result

    def state(self) -> dict[str, Any]:
        """What the engine remembers."""
        exported: dict[str, Any] = json.loads(self.pulumi("stack", "export").text)
        deployment: dict[str, Any] = exported["deployment"]
        return deployment

    def outputs(self, name: str) -> dict[str, Any]:
        """The outputs of a resource, by its name."""
        for resource in self.state().get("resources", []):
            if resource["urn"].endswith(f"::{name}") and resource.get("custom"):
                found: dict[str, Any] = resource["outputs"]
                return found
        raise AssertionError(f"the engine knows no {name}")

    # --- Vault, as its administrator ---

    def vault(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """One request as the administrator of Vault."""
        return self._vault.request(method, path, json=body)

    def document(self, path: str) -> dict[str, Any]:
        """The latest version of a document of the stack; empty where there is none."""
        answer = self.vault("GET", f"/{self.prepared.mounts.mount}/data/{self.prepared.base}/{path}")
        found: dict[str, Any] = (answer.json().get("data") or {}).get("data") or {}
        return found

    def journal(self, connection: str) -> dict[str, Any]:
        """The journal of a connection."""
        return dict(unfolded(self.document(f"{connection}/journal")))

    def credential(self, connection: str) -> dict[str, Any]:
        """What readers of Vault find; its secrets are remembered as such."""
        found = self.document(f"{connection}/credential")
        self._remember(found)
        return found

    def states(self, connection: str) -> dict[str, str]:
        """The state of each generation, by its number."""
        return {number: entry["state"] for number, entry in self.journal(connection).get("generations", {}).items()}

    def connections(self) -> list[str]:
        """Every connection that Vault has something of."""
        stores = [name for name in self._names("") if not name.startswith("_")]
        return [f"{store}{name}".rstrip("/") for store in stores for name in self._names(store)]

    def _names(self, path: str) -> list[str]:
        answer = self.vault("LIST", f"/{self.prepared.mounts.mount}/metadata/{self.prepared.base}/{path}")
        names: list[str] = (answer.json().get("data") or {}).get("keys", [])
        return names

    def tokens(self) -> set[str]:
        """The accessors of all tokens that Vault honours."""
        return set(self.vault("LIST", "/auth/token/accessors").json()["data"]["keys"])

    def remember_secrets(self) -> None:
        """Read every secret that Vault holds now: nobody may ever have said it."""
        if self.vault("GET", "/sys/health").status_code != 200:
            return
        for name in self.connections():
            self.credential(name)
            for place in self.secret_documents(name):
                self._remember(self.document(place))

    def _remember(self, document: Mapping[str, Any]) -> None:
        self.secrets |= {document[word] for word in SECRET_WORDS if word in document}

    def secret_documents(self, connection: str) -> Sequence[str]:
        """The paths of everything secret that Vault keeps or kept of a connection, the published copy aside."""
        inbound = [f"{connection}/inbound/{name}" for name in self._names(f"{connection}/inbound")]
        return [f"{connection}/generations/{number}" for number in self._names(f"{connection}/generations")] + inbound

    def leaks(self) -> list[Leak]:
        """Where a secret of this stack stands although it may not: files of the engine, what was said, Vault's audit log,
        journals, what stores show and what they were asked."""
        client = self.sandbox.client
        texts = {f"output {number}": text for number, text in enumerate(self.transcript)}
        texts["state"] = json.dumps(self.state())
        for name in self.connections():
            texts[f"journal of {name}"] = json.dumps(self.journal(name))
        for store in self.stores.values():
            texts[f"descriptions of {store.name}"] = repr(client.keys(store.served))
            texts[f"requests to {store.name}"] = repr(client.requests(store=store.served))
        folders = [self.root.parent / "state", self.root.parent / "home", self.root / "stacks"]
        audit = getattr(self.prepared.access, "audit_log", None)
        return scan([*folders, *([audit] if audit else [])], self.secrets, texts)

    def put(self, mount: str, path: str, data: Mapping[str, Any]) -> None:
        """Write a document whatever is there."""
        place = f"/{mount}/data/{path}"
        answer = self.vault("GET", place).json().get("data") or {}
        body = {"options": {"cas": (answer.get("metadata") or {}).get("version", 0)}, "data": dict(data)}
        self.vault("POST", place, body).raise_for_status()

    def kept_secrets(self) -> list[str]:
        """Where Vault still has a secret of this stack in any version, as its administrator sees it."""
        mount, found = self.prepared.mounts.mount, []
        for name in self.connections():
            for path in (f"{name}/credential", *self.secret_documents(name)):
                place = f"{self.prepared.base}/{path}"
                metadata = self.vault("GET", f"/{mount}/metadata/{place}").json().get("data") or {}
                for version in metadata.get("versions", {}):
                    answer = self.vault("GET", f"/{mount}/data/{place}?version={version}").json()
                    kept = (answer.get("data") or {}).get("data") or {}
                    if kept.keys() & {*SECRET_WORDS, "cart_id"}:
                        found.append(path)
        return found

    def opens(self, token: str) -> bool:
        """Whether a wrapping token could still be opened; it is not."""
        return self.vault("POST", "/sys/wrapping/lookup", {"token": token}).status_code == 200

    def killed(self, process: subprocess.Popen[str]) -> None:
        """Kill a command that was started, and all it started."""
        kill_all(process)
        self.transcript.append(process.communicate()[0])
        self.remember_secrets()

    def age_proof(self, connection: str, *, days: int) -> None:
        """Date the last proof of the current generation back."""
        place = f"{self.prepared.base}/{connection}/journal"
        journal = self.journal(connection)
        current = next(entry for entry in journal["generations"].values() if entry["state"] == "current")
        proved = datetime.fromisoformat(current["proof"]["at"])
        current["proof"]["at"] = (proved - timedelta(days=days)).isoformat()
        self.put(self.prepared.mounts.mount, place, journal)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Look at the arguments and the environment of every process that commands start meanwhile."""
        with Watch(self) as watch:
            yield
        for program in ("pulumi\0up", "pulumi.dynamic", "-m\0operations"):
            assert any(program in text for text in watch.seen), f"{program} was not looked at"
        assert scan([], self.secrets, watch.texts) == []

    def toolbox(self) -> Toolbox:
        """What the product works with, as the role `apply`; to be closed."""
        return Toolbox(self.environment("apply"))

    # --- stores, as their administrators ---

    def add_store(self, name: str, version: str = "11.0.1", *, served: str = "", **settings: Any) -> Store:
        """A store with the usual users, and its admin login in Vault."""
        served = served or f"{self.stack}-{name}"
        client = self.sandbox.client
        users = [{"login": login, "role": "shop_manager"} for login in USERS]
        url = client.create_store(served, version, PASSWORD, users=users, settings=settings or None)
        self.stores[name] = Store(name, served, url, version)
        self.give_login(url)
        return self.stores[name]

    def give_login(self, url: str) -> None:
        """Put the admin login for an address into Vault."""
        self.put(
            self.prepared.mounts.admins, url.removeprefix("https://"), {"username": "connector", "password": PASSWORD}
        )

    def keys(self, name: str) -> list[KeyRow]:
        """The keys with a marker of this stack, at a store."""
        prefix = f"{PROJECT}:{self.stack}:"
        return [key for key in self.sandbox.client.keys(self.stores[name].served) if prefix in key.description]

    def same_keys(self, name: str) -> list[tuple[int, str, str]]:
        """Our keys at a store, as far as only a person's or our own act changes them."""
        return [(key.key_id, key.truncated_key, key.description) for key in self.keys(name)]

    def foreign_keys(self, name: str) -> list[KeyRow]:
        """All other keys of a store."""
        ours = {key.key_id for key in self.keys(name)}
        return [key for key in self.sandbox.client.keys(self.stores[name].served) if key.key_id not in ours]

    def answer(self, name: str, credential: Mapping[str, str]) -> int:
        """The status with which a store answers a read with this key."""
        store = self.stores[name]
        version = "v1" if store.version.startswith("2.") else "v2"
        pair = f"{credential['consumer_key']}:{credential['consumer_secret']}"
        headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        return self._http.get(f"{store.url}/wp-json/wc/{version}/products", headers=headers).status_code

    @cached_property
    def _vault(self) -> httpx.Client:
        return client(self.prepared.access)

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(verify=ssl.create_default_context(cafile=str(self.sandbox.ca)), trust_env=False, timeout=30)

    def close(self) -> None:
        """Close the connections."""
        self._vault.close()
        self._http.close()
        self._http.close()


def proposed(text: str, name: str) -> str:
    """What a preview proposes to change about a resource: the lines under its name, after the refresh."""
    blocks = text.split("\n    ~ pulumi-python")
    return "".join(block for block in blocks if "(update)" in block.split("\n")[0] and f"::{name}]" in block)


class Watch(threading.Thread):
    """Reads what `/proc` shows of every process of a bench, all the time: its arguments and its environment."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(daemon=True)
        self.root = bench.root
        self.texts: dict[str, str] = {}
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.1):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    shown = {name: (process / name).read_bytes().decode("latin-1") for name in ("cmdline", "environ")}
                    ours = str(self.root) in shown["environ"] or (process / "cwd").readlink().is_relative_to(self.root)
                    # A process that was just started still shows what its parent was called with.
                    texts = {f"{name} of {process.name}, {len(text)} long": text for name, text in shown.items()}
                    self.texts |= texts if ours else {}

    @property
    def seen(self) -> set[str]:
        """The programs that were seen, by their arguments."""
        return {text for place, text in self.texts.items() if place.startswith("cmdline")}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


def kill_all(process: subprocess.Popen[str]) -> None:
    """Kill a command and everything it started, as a lost machine does: plugins have groups of their own, in its session."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name in parentheses may hold blanks; state, parent, group and session follow it.
            if int(stat.read_text(encoding="utf-8").rpartition(")")[2].split()[3]) == process.pid:
                os.kill(int(stat.parent.name), signal.SIGKILL)


def until(satisfied: Any, *, within: float = 150.0) -> None:
    """Look again and again until something holds."""
    deadline = time.monotonic() + within
    while not satisfied():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
