"""Runs of the protocol as real processes, for `real_server`: each is forked, stops itself (SIGSTOP) at the step it is told,
and is then killed (SIGKILL) or woken (SIGCONT).

Commands and answers are lines of JSON: `{"run": script, "connection": name, "stop": step}` forks one and answers when it has
stopped or ended; `{"kill": pid}` and `{"wake": pid}` go on with it; `{"together": [scripts], ...}` runs several at once.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from providers.core import links, loop
from providers.core.contract import (
    RECOGNISED,
    Capabilities,
    Fields,
    Finding,
    Issued,
    Life,
    Order,
    Selector,
    StoreKey,
)
from providers.core.due import Wish
from providers.core.errors import ConnectionsError
from providers.core.journal import Book
from providers.core.marker import Owner
from providers.core.operation import Operation
from providers.core.redaction import Secret
from providers.core.sheet import Sheet, Task
from providers.core.vault import Login, Vault, VaultSettings

PROJECT = "shops"
STORE = "https://fresh-roast.example"

_TABLES = """
create table keys (id integer primary key autoincrement, label text, value text, rights text, alive integer default 1);
create table consumers (place text primary key, value text);
create table changes (what text);
"""


class SqliteStore:
    """A store and its consumers that several processes share, in one file."""

    capabilities = Capabilities("form", "store", frozenset(), True, 0.0)

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=30)
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    def ask(self, query: str, *values: object) -> list[Any]:
        with self._connected() as connection:
            return connection.execute(query, values).fetchall()

    def change(self, what: str, query: str, *values: object) -> int:
        with self._connected() as connection:
            connection.execute("insert into changes values (?)", (what,))
            return connection.execute(query, values).lastrowid or 0

    def prepare(self) -> None:
        with self._connected() as connection:
            connection.executescript(_TABLES)

    def _secret(self, value: str) -> Mapping[str, Secret]:
        return {"consumer_key": Secret(value), "consumer_secret": Secret("cs_" + value)}

    def find(self, selector: Selector, *, fresh: bool = True) -> Sequence[StoreKey]:
        rows = self.ask("select id, label, value, rights from keys where alive")
        return [
            StoreKey(str(number), label, value[-7:], {"rights": rights})
            for number, label, value, rights in rows
            if selector.text in label or str(number) in selector.key_ids
        ]

    def losses(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """Nothing hangs on a key."""
        return ()

    def sheet(self, task: Task, fields: Fields, number: int) -> Sheet:
        raise AssertionError("no person is asked here")

    def ready(self) -> str:
        return ""

    def issue(self, order: Order) -> Issued:
        value = os.urandom(20).hex()
        query = "insert into keys (label, value, rights) values (?, ?, ?)"
        number = self.change("issue", query, order.marker, value, order.fields["rights"])
        return Issued(str(number), self._secret(value))

    def revise(self, key_id: str, order: Order) -> None:
        raise AssertionError("nothing changes in place here")

    def revoke(self, key_id: str, secret: Mapping[str, Secret] | None = None) -> None:
        self.change("revoke", "update keys set alive = 0 where id = ?", int(key_id))

    def _rights(self, secret: Mapping[str, Secret]) -> str | None:
        rows = self.ask("select rights from keys where alive and value = ?", secret["consumer_key"].reveal())
        return rows[0][0] if rows else None

    def verify(self, secret: Mapping[str, Secret], fields: Fields) -> Sequence[Finding]:
        rights = self._rights(secret)
        return [
            Finding(RECOGNISED, "confirmed" if rights else "contradicted", "asked"),
            Finding("rights", "confirmed" if rights == fields["rights"] else "contradicted", "asked"),
        ]

    def tail(self, secret: Mapping[str, Secret]) -> str:
        return secret["consumer_key"].tail(7)

    def probe(self, secret: Mapping[str, Secret]) -> Life:
        return "accepted" if self._rights(secret) else "refused"

    def control(self) -> Finding:
        return Finding("control", "confirmed", "asked")

    def public(self) -> Mapping[str, str]:
        return {"url": STORE}

    def facts(self) -> Mapping[str, str]:
        return {}


class SqliteLink:
    """One user at one place of the shared file."""

    acknowledges = "here"

    def __init__(self, store: SqliteStore, place: str) -> None:
        self.store, self.place = store, place

    def _tail(self) -> str | None:
        rows = self.store.ask("select value from consumers where place = ?", self.place)
        return rows[0][0][-7:] if rows and rows[0][0] else None

    def check(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        return ()

    def observe(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        same = self._tail() == secret["consumer_key"].tail(7)
        return [Finding("what it holds", "confirmed" if same else "contradicted", "asked")]

    def connect(self, generation: int, secret: Mapping[str, Secret]) -> None:
        value = secret["consumer_key"].reveal()
        self.store.change("connect", "insert or replace into consumers values (?, ?)", self.place, value)

    def disconnect(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        self.store.change("disconnect", "insert or replace into consumers values (?, '')", self.place)
        return ()

    def verify(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        works = self._tail() == secret["consumer_key"].tail(7) and self.store.probe(secret) == "accepted"
        return [Finding("through the consumer", "confirmed" if works else "contradicted", "asked")]


class Stepped:
    """Counts every call that leaves the process, and stops it before the one it is told to stop at."""

    def __init__(self, inner: Any, names: frozenset[str], step: Callable[[str], None]) -> None:
        self._inner, self._names, self._step = inner, names, step

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if name not in self._names:
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            self._step(name)
            return value(*args, **kwargs)

        return call


_STEPS = frozenset(
    {
        "read",
        "write",
        "destroy",
        "find",
        "issue",
        "revoke",
        "verify",
        "probe",
        "control",
        "connect",
        "disconnect",
        "observe",
    }
)


class Runs:
    """What one process does: scripts over a real Vault and the shared store."""

    def __init__(self, setup: Mapping[str, Any], connection: str, stop: int = -1) -> None:
        self._stop, self.count = stop, 0
        self.store = SqliteStore(Path(setup["store"]))
        login = Login("token", Secret(setup["token"]))
        ca = Path(setup["ca"]) if setup["ca"] else None
        self._vault = Vault(VaultSettings(setup["address"], login, namespace=setup["namespace"], ca_file=ca))
        self._documents = self._vault.documents(setup["mount"], setup["base"])
        self._keyring = self._vault.keyring(setup["transit"])
        self._owner = Owner(PROJECT, setup["base"].partition("/")[2], connection)

    def _step(self, name: str) -> None:
        if self.count == self._stop:
            os.kill(os.getpid(), signal.SIGSTOP)
        self.count += 1

    def operation(self) -> Operation:
        documents: Any = Stepped(self._documents, _STEPS, self._step)
        issuer: Any = Stepped(self.store, _STEPS, self._step)
        return Operation(Book(documents, self._owner), self._keyring, issuer, STORE, lease=0.0, wait=lambda _: None)

    def up(self, rotation: int) -> None:
        loop.settle(self.operation(), Wish({"rights": "read"}, rotation=rotation))

    def link(self) -> links.LinkRun:
        consumer: Any = Stepped(SqliteLink(self.store, self._owner.connection), _STEPS, self._step)
        return links.LinkRun(self.operation(), "erp", consumer)

    def script(self, name: str) -> None:
        for word in name.split():
            verb, _, number = word.partition(":")
            if verb == "up":
                self.up(int(number))
            elif verb == "connect":
                self.link().connect()
            elif verb == "unlink":
                self.link().disconnect()
            else:
                loop.destroy(self.operation())


def _child(setup: Mapping[str, Any], command: Mapping[str, Any], script: str) -> None:
    code = 2
    try:
        runs = Runs(setup, command["connection"], command.get("stop", -1))
        try:
            runs.script(script)
            code = 0
        except ConnectionsError:
            code = 1
        if "count" in command:
            Path(command["count"]).write_text(str(runs.count), encoding="ascii")
    finally:
        if code == 2:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(code)


def _fork(setup: Mapping[str, Any], command: Mapping[str, Any], script: str) -> int:
    pid = os.fork()
    if pid == 0:
        _child(setup, command, script)
    return pid


def _awaited(pid: int) -> dict[str, Any]:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return {"pid": pid, "how": "stopped"}
    return {"pid": pid, "how": "killed" if os.WIFSIGNALED(status) else f"ended {os.waitstatus_to_exitcode(status)}"}


def serve() -> None:
    """Answer commands until standard input ends."""
    setup = json.loads(sys.stdin.readline())
    SqliteStore(Path(setup["store"])).prepare()
    for line in sys.stdin:
        command = json.loads(line)
        if "together" in command:
            pids = [_fork(setup, command, script) for script in command["together"]]
            answer: Any = [_awaited(pid) for pid in pids]
        elif "run" in command:
            answer = _awaited(_fork(setup, command, command["run"]))
        else:
            (word, pid), *_ = command.items()
            os.kill(pid, signal.SIGKILL if word == "kill" else signal.SIGCONT)
            answer = _awaited(pid)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
