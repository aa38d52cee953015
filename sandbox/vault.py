"""A real Vault server for local use and for tests: HashiCorp Vault where it is on PATH, else OpenBao (vault.md section 6).

`start` runs one unprivileged process on loopback with TLS by the local authority, initialises and unseals it. `prepare`
gives it the mounts, keys, policies and roles that one stack of the product needs, as an administrator of a company would.
Two kinds of storage: `raft` keeps its data, and its keys with mode 0600, in the directory; `inmem` forgets all when stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import httpx

from sandbox.tls import Authority, ensure_authority

Storage = Literal["raft", "inmem"]

READY_WITHIN = 30.0
"""Seconds a server may take to answer, and to become active."""

_POLL = 0.02
_HEALTH = {"standbycode": "200", "sealedcode": "200", "uninitcode": "200"}
_KEYS_FILE = "vault-keys.json"
_DATA = "vault-data"


class VaultFailedError(Exception):
    """The local server did not start, or refused what it was asked."""


# --- access ---------------------------------------------------------------------------------------------------------


class Access(Protocol):
    """How to reach a Vault as its administrator: a server of ours, or any other given by address."""

    @property
    def address(self) -> str: ...

    @property
    def ca(self) -> Path | None:
        """The file to verify its certificate against; None for the system's authorities."""
        ...

    @property
    def root_token(self) -> str: ...

    @property
    def namespace(self) -> str: ...


@dataclass(frozen=True, slots=True)
class RemoteVault:
    """A Vault that somebody else runs."""

    address: str
    ca: Path | None
    root_token: str = field(repr=False)
    namespace: str = ""


def client(access: Access, token: str | None = None) -> httpx.Client:
    """An HTTP client with the administrator's token, or with another one ("" for none). Paths begin at `/v1/`."""
    headers = {"X-Vault-Request": "true"}
    token = access.root_token if token is None else token
    if token:
        headers["X-Vault-Token"] = token
    if access.namespace:
        headers["X-Vault-Namespace"] = access.namespace
    context = ssl.create_default_context(cafile=str(access.ca)) if access.ca else ssl.create_default_context()
    return httpx.Client(base_url=f"{access.address}/v1", headers=headers, verify=context, timeout=30, trust_env=False)


# --- the server -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class VaultServer:
    """A running server. `root_token` and the unseal key stay out of its `repr`."""

    directory: Path
    storage: Storage
    address: str
    ca: Path
    audit_log: Path
    namespace: str = ""
    root_token: str = field(default="", repr=False)
    _unseal_key: str = field(default="", repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def pid(self) -> int | None:
        """The process, or None when it was stopped."""
        return self._process.pid if self._process else None

    @property
    def _pid_file(self) -> Path:
        return self.directory / "vault.pid"

    @property
    def log(self) -> Path:
        """What the server itself says."""
        return self.directory / "vault.log"

    def health(self) -> dict[str, Any]:
        """The answer of `sys/health`, whatever the state."""
        with client(self, token="") as http:
            answer: dict[str, Any] = http.get("/sys/health", params=_HEALTH).json()
        return answer

    def stop(self) -> None:
        """End the server in good order. Stopping it twice is no error."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start a stopped server again at the same address, and unseal it. Only `raft` still knows its data."""
        if self.storage == "inmem":
            raise VaultFailedError("a server in memory has nothing to start again from")
        self.stop()
        self._run()
        self.unseal()

    def unseal(self) -> None:
        """Unseal, and wait until the server is active."""
        with client(self, token="") as http:
            _ok(http.put("/sys/unseal", json={"key": self._unseal_key}))
        self._wait(lambda health: not health["sealed"] and not health["standby"])

    def seal(self) -> None:
        """Seal the server: it answers 503 until it is unsealed."""
        with client(self) as http:
            _ok(http.put("/sys/seal"))
        self._wait(lambda health: bool(health["sealed"]))

    def __enter__(self) -> VaultServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        # The environment is a list of ours: neither an address nor a token of the caller, and no home of theirs.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.directory)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [_program(), "server", f"-config={self.directory / 'vault.hcl'}"],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._process.pid), encoding="ascii")
        if hasattr(resource, "prlimit"):
            resource.prlimit(self._process.pid, resource.RLIMIT_CORE, (0, 0))
        self._wait(lambda health: True)

    def _wait(self, satisfied: Any) -> None:
        """Poll the health endpoint until it satisfies; its state is the only sign of being ready."""
        deadline = time.monotonic() + READY_WITHIN
        with client(self, token="") as http:
            while time.monotonic() < deadline:
                if self._process is not None and self._process.poll() is not None:
                    self._process = None
                    raise VaultFailedError(f"the server ended at once; see {self.log}")
                with contextlib.suppress(httpx.TransportError):
                    if satisfied(http.get("/sys/health", params=_HEALTH).json()):
                        return
                time.sleep(_POLL)
        raise VaultFailedError(f"the server was not ready within {READY_WITHIN:.0f} s; see {self.log}")

    def _initialise(self) -> None:
        """Initialise a new server, or take up the keys of one that was here before."""
        keys = self.directory / _KEYS_FILE
        if not self.health()["initialized"]:
            with client(self, token="") as http:
                answer = _ok(http.put("/sys/init", json={"secret_shares": 1, "secret_threshold": 1})).json()
            self.root_token, self._unseal_key = answer["root_token"], answer["keys_base64"][0]
            if self.storage == "raft":
                _write_private(keys, json.dumps({"root_token": self.root_token, "unseal_key": self._unseal_key}))
        else:
            known = json.loads(keys.read_text(encoding="utf-8"))
            self.root_token, self._unseal_key = known["root_token"], known["unseal_key"]

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._pid_file.unlink(missing_ok=True)


def start(
    directory: Path,
    port: int = 0,
    storage: Storage = "raft",
    *,
    authority: Authority | None = None,
    audit_log: Path | None = None,
) -> VaultServer:
    """Start a server whose files lie in `directory`, ready for use: initialised, unsealed, active.

    Port 0 takes the port the directory had before, or a free one. Without `authority` the directory has one of its own.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory = directory.resolve()
    authority = authority or ensure_authority(directory / "tls")
    certificate, key = authority.issue("vault", ["127.0.0.1", "localhost"])
    audit_log = audit_log or directory / "vault-audit.log"
    remembered = directory / "vault-port"
    if port == 0 and remembered.exists():
        port = int(remembered.read_text(encoding="ascii"))
    port = port or _free_port()
    remembered.write_text(str(port), encoding="ascii")
    server = VaultServer(directory, storage, f"https://127.0.0.1:{port}", authority.certificate_path, audit_log)
    configuration = _configuration(storage, directory / _DATA, port, certificate, key, audit_log)
    (directory / "vault.hcl").write_text(configuration, encoding="utf-8")
    _end_leftover(server)
    server._run()
    try:
        server._initialise()
        server.unseal()
        if not _is_openbao():
            with client(server) as http:
                _audit(http, audit_log)
    except BaseException:
        server.kill()
        raise
    return server


def _end_leftover(server: VaultServer) -> None:
    """End the server of this directory that a killed program left behind: it holds the port and the data."""
    if not server._pid_file.exists():
        return
    pid = int(server._pid_file.read_text(encoding="ascii"))
    # Another process may have the number by now: only one that runs with this very configuration is ours.
    deadline = time.monotonic() + READY_WITHIN
    while str(server.directory / "vault.hcl") in _command_of(pid):
        if time.monotonic() > deadline:
            raise VaultFailedError(f"process {pid} of {server.directory} does not end")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        time.sleep(_POLL)
    server._pid_file.unlink()


def _command_of(pid: int) -> str:
    proc = Path("/proc") / str(pid) / "cmdline"
    if Path("/proc/self").exists():
        return proc.read_bytes().decode("utf-8", "replace") if proc.exists() else ""
    asked = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout


def _configuration(storage: Storage, data: Path, port: int, certificate: Path, key: Path, audit_log: Path) -> str:
    quoted = json.dumps  # HCL's strings are JSON's
    lines = [
        f"api_addr = {quoted(f'https://127.0.0.1:{port}')}",
        "ui = false",
        'log_level = "warn"',
        'listener "tcp" {',
        f"  address = {quoted(f'127.0.0.1:{port}')}",
        f"  tls_cert_file = {quoted(str(certificate))}",
        f"  tls_key_file = {quoted(str(key))}",
        '  tls_min_version = "tls12"',
        "}",
    ]
    if storage == "raft":
        data.mkdir(exist_ok=True, mode=0o700)
        lines += [
            f"cluster_addr = {quoted(f'https://127.0.0.1:{_free_port()}')}",
            'storage "raft" {',
            f"  path = {quoted(str(data))}",
            '  node_id = "local"',
            # Alone, it need not wait for others before it leads.
            '  performance_multiplier = "1"',
            "}",
        ]
    else:
        lines += ['storage "inmem" {}']
    if _is_openbao():
        # OpenBao takes audit devices from here only; Vault knows no such stanza, `start` asks it by the API.
        lines += [
            'audit "file" "to-file" {',
            f"  options {{ file_path = {quoted(str(audit_log))} }}",
            "}",
        ]
    else:
        lines += ["disable_mlock = true"]  # locking memory needs a right that an unprivileged process lacks
    return "\n".join([*lines, ""])


def _program() -> str:
    beside = Path(sys.executable).parent / "bao"
    program = shutil.which("vault") or shutil.which("bao") or (str(beside) if beside.exists() else None)
    if program is None:
        raise VaultFailedError("neither `vault` nor `bao` is on PATH")
    return program


def _is_openbao() -> bool:
    return Path(_program()).name == "bao"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read, at no moment, and that is there whole or not at all."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)


# --- what one stack needs -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mounts:
    """Where the things of a stack are mounted. The names of the two transit keys are fixed by the product."""

    mount: str = "kv"
    admins: str = "admins"
    hubs: str = "hubs"
    adopt: str = "legacy"
    transit: str = "transit"
    approle: str = "approle"

    @property
    def kv(self) -> tuple[str, ...]:
        """The mounts of the key-value engine, version 2."""
        return (self.mount, self.admins, self.hubs, self.adopt)


TRANSIT_KEYS = ("connections-marker", "connections-fingerprint")

MAX_VERSIONS = 10
"""Kept versions of a document: enough to see who changed what by hand, few enough that nothing old stays for ever."""


@dataclass(frozen=True, slots=True)
class AppRole:
    """What one role logs in with."""

    mount: str
    role_id: str
    secret_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A Vault that is ready for one stack."""

    access: Access
    project: str
    stack: str
    mounts: Mounts
    roles: Mapping[str, AppRole]

    @property
    def base(self) -> str:
        """The stack's base path under the mount."""
        return f"{self.project}/{self.stack}"

    def token(self, role: str) -> str:
        """A fresh token of this role."""
        login = self.roles[role]
        with client(self.access, token="") as http:
            body = {"role_id": login.role_id, "secret_id": login.secret_id}
            answer = _ok(http.post(f"/auth/{login.mount}/login", json=body)).json()
        token: str = answer["auth"]["client_token"]
        return token


def prepare(
    access: Access,
    project: str,
    stack: str,
    policies: Mapping[str, str],
    mounts: Mounts | None = None,
    *,
    token_ttl: str = "1h",
) -> Prepared:
    """Mounts, keys, one policy and one AppRole per role, and the stack's sentinel. Doing it again changes nothing.

    `policies` are rendered policy texts by the name of their role. Each call gives fresh secret-ids.
    """
    mounts = mounts or Mounts()
    with client(access) as http:
        present = _ok(http.get("/sys/mounts")).json()["data"]
        for mount in mounts.kv:
            if f"{mount}/" not in present:
                _ok(http.post(f"/sys/mounts/{mount}", json={"type": "kv", "options": {"version": "2"}}))
            _configure(http, mount)
        if f"{mounts.transit}/" not in present:
            _ok(http.post(f"/sys/mounts/{mounts.transit}", json={"type": "transit"}))
        for key in TRANSIT_KEYS:
            # A key made for digests alone: it can neither encrypt nor be exported. Making it again changes nothing.
            if http.get(f"/{mounts.transit}/keys/{key}").status_code == 404:
                body = {"type": "hmac", "key_size": 32, "exportable": False, "allow_plaintext_backup": False}
                _ok(http.post(f"/{mounts.transit}/keys/{key}", json=body))
        if f"{mounts.approle}/" not in _ok(http.get("/sys/auth")).json()["data"]:
            _ok(http.post(f"/sys/auth/{mounts.approle}", json={"type": "approle"}))
        roles = {}
        for role, text in policies.items():
            name = f"{project}-{stack}-{role}"
            _ok(http.put(f"/sys/policies/acl/{name}", json={"policy": text}))
            settings = {"token_policies": name, "token_ttl": token_ttl, "token_max_ttl": "24h"}
            _ok(http.post(f"/auth/{mounts.approle}/role/{name}", json=settings))
            role_id = _ok(http.get(f"/auth/{mounts.approle}/role/{name}/role-id")).json()["data"]["role_id"]
            secret_id = _ok(http.post(f"/auth/{mounts.approle}/role/{name}/secret-id")).json()["data"]["secret_id"]
            roles[role] = AppRole(mounts.approle, role_id, secret_id)
        base = f"{project}/{stack}"
        sentinel = http.get(f"/{mounts.mount}/data/{base}/_sentinel")
        if sentinel.status_code == 404:
            body = {"options": {"cas": 0}, "data": {"format": "1", "base": base}}
            _ok(http.post(f"/{mounts.mount}/data/{base}/_sentinel", json=body))
    return Prepared(access, project, stack, mounts, roles)


def _configure(http: httpx.Client, mount: str) -> None:
    """Check-and-set for every write. A mount of version 2 refuses for a moment after it was made: ask again."""
    deadline = time.monotonic() + READY_WITHIN
    body = {"cas_required": True, "max_versions": MAX_VERSIONS}
    while True:
        answer = http.post(f"/{mount}/config", json=body)
        if answer.status_code != 400 or time.monotonic() > deadline:
            _ok(answer)
            return
        time.sleep(_POLL)


def _audit(http: httpx.Client, path: Path) -> None:
    if "to-file/" not in _ok(http.get("/sys/audit")).json()["data"]:
        _ok(http.put("/sys/audit/to-file", json={"type": "file", "options": {"file_path": str(path)}}))


def _ok(answer: httpx.Response) -> httpx.Response:
    """The answer, or an error that names the path and the status: bodies of Vault may hold secrets."""
    if answer.status_code >= 300:
        raise VaultFailedError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code}")
    return answer


@contextlib.contextmanager
def namespace(access: RemoteVault, name: str) -> Iterator[RemoteVault]:
    """A namespace of its own for as long as the block lasts (OpenBao, Vault Enterprise)."""
    with client(access) as http:
        _ok(http.post(f"/sys/namespaces/{name}"))
    try:
        yield replace(access, namespace=name)
    finally:
        with client(access) as http:
            _ok(http.delete(f"/sys/namespaces/{name}"))
