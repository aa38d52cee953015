"""The same on a real Vault server with real processes: SIGKILL and SIGSTOP at any step, one clean run, then the verdict."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from providers.core.contract import Documents
from providers.core.journal import unfolded
from providers.core.marker import Owner
from sandbox.vault import Prepared
from tests.fixtures_vault import VaultAs
from tests.protocol.budget import BUDGET, Tally
from tests.protocol.real_worker import PROJECT, SqliteStore

pytestmark = [pytest.mark.xdist_group("protocol-server"), pytest.mark.no_cover]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Course:
    """What went before, the run that is disturbed, who takes over, and the clean run (twice: the second writes nothing)."""

    before: str
    run: str
    other: str
    clean: str


LIVE = "up:2 connect up:2"
COURSES = {
    "create": Course("", "up:1 connect", "up:1", LIVE),
    "rotate": Course("up:1 connect", "up:2 connect up:2", "up:2 connect up:2", LIVE),
    "destroy": Course("up:1 connect", "unlink destroy", "unlink destroy", "unlink destroy"),
    "rotate, others destroy": Course("up:1", "up:2", "destroy", "unlink destroy"),
    "destroy, others create": Course("up:1", "destroy up:2", "destroy up:2", LIVE),
}


class Processes:
    """The helper that forks runs, and what it left behind."""

    def __init__(self, process: subprocess.Popen[str], documents: Documents, store: SqliteStore, stack: str) -> None:
        self._process, self.documents, self.store, self.stack = process, documents, store, stack

    def tell(self, **command: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def run(self, connection: str, script: str, **command: Any) -> Any:
        """One run to its end, or to the step it stops at."""
        if not script:
            return {"how": "ended 0"}
        answer = self.tell(run=script, connection=connection, **command)
        assert answer["how"] != "ended 2", "a run fell over: see its standard error"
        return answer

    # --- what must hold ---

    def alive(self, connection: str) -> dict[str, str]:
        """Living keys of a connection, by marker."""
        prefix = Owner(PROJECT, self.stack, connection).prefix
        rows = self.store.ask("select label, value from keys where alive")
        return {label: value for label, value in rows if label.startswith(prefix)}

    def readable(self, connection: str) -> None:
        """I6: whoever reads D now gets a working key."""
        credential = self.documents.read(f"{connection}/credential").data
        if credential.get("state") == "live":
            assert credential["consumer_key"] in self.alive(connection).values()

    def settled(self, connection: str, *, live: bool) -> None:
        """I1, I2 and I3 as Vault and the store show them."""
        journal = unfolded(self.documents.read(f"{connection}/journal").data)
        states = {int(n): generation["state"] for n, generation in journal.get("generations", {}).items()}
        keys = self.alive(connection)
        if not live:
            assert keys == {}
            assert set(states.values()) <= {"revoked"}
            assert journal.get("phase", "closed") == "closed"
            return
        (current,) = [number for number, state in states.items() if state == "current"]
        assert set(states.values()) <= {"current", "revoked"}
        assert len(keys) == 1
        assert next(iter(keys)).split(":")[3] == str(current)
        credential = self.documents.read(f"{connection}/credential").data
        assert credential["consumer_key"] in keys.values()
        assert credential["generation"] == str(current)
        held = self.store.ask("select value from consumers where place = ?", connection)
        assert held == [(credential["consumer_key"],)]

    def written(self, connection: str) -> tuple[object, ...]:
        """How much was ever written."""
        versions = [self.documents.read(f"{connection}/{name}").version for name in ("journal", "credential")]
        return (*versions, *self.store.ask("select count(*) from changes"))


@pytest.fixture
def processes(prepared: Prepared, vault_as: VaultAs, tmp_path: Path) -> Iterator[Processes]:
    access, mounts = prepared.access, prepared.mounts
    setup = {
        "address": access.address,
        "namespace": access.namespace,
        "ca": str(access.ca) if access.ca else "",
        "token": prepared.token("apply"),
        "mount": mounts.mount,
        "transit": mounts.transit,
        "base": prepared.base,
        "store": str(tmp_path / "store.sqlite"),
    }
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.protocol.real_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(setup) + "\n")
        process.stdin.flush()
        documents = vault_as("apply").documents(mounts.mount, prepared.base)
        yield Processes(process, documents, SqliteStore(Path(setup["store"])), prepared.stack)
        process.stdin.close()


def judged(processes: Processes, connection: str, course: Course) -> None:
    """One clean run, the invariants, and another run that writes nothing."""
    processes.run(connection, course.clean)
    processes.settled(connection, live=course.clean == LIVE)
    written = processes.written(connection)
    processes.run(connection, course.clean)
    assert processes.written(connection) == written, "I5: a further run wrote something"


def killed(processes: Processes, connection: str, pid: int, course: Course) -> None:
    assert processes.tell(kill=pid)["how"] == "killed"


def killed_then_others(processes: Processes, connection: str, pid: int, course: Course) -> None:
    killed(processes, connection, pid, course)
    processes.run(connection, course.other)


def paused(processes: Processes, connection: str, pid: int, course: Course) -> None:
    processes.run(connection, course.other)
    processes.readable(connection)
    assert processes.tell(wake=pid)["how"].startswith("ended")


def paused_while_another_dies(processes: Processes, connection: str, pid: int, course: Course) -> None:
    other = processes.run(connection, course.other, stop=11)
    if other["how"] == "stopped":
        assert processes.tell(kill=other["pid"])["how"] == "killed"
    assert processes.tell(wake=pid)["how"].startswith("ended")


WAYS: dict[str, tuple[Callable[[Processes, str, int, Course], None], int, int]] = {
    "killed": (killed, 1, 0),
    "killed, others go on": (killed_then_others, 1, 0),
    "paused": (paused, 0, 1),
    "paused while another dies": (paused_while_another_dies, 1, 1),
}
EACH = 2
"""Points tried for each course and way with the default budget, spread over all of its steps."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", COURSES)
def test_runs_die_and_sleep_at_any_step(name: str, processes: Processes, tally: Tally, tmp_path: Path) -> None:
    course, numbers = COURSES[name], itertools.count(1)
    count = tmp_path / "count"
    first = f"fresh-roast/c{next(numbers)}"
    processes.run(first, course.before)
    processes.run(first, course.run, count=str(count))
    steps = int(count.read_text(encoding="ascii"))
    judged(processes, first, course)
    each = min(steps, round(EACH * BUDGET))
    for offset, (act, kills, pauses) in enumerate(WAYS.values()):
        for index in range(each):
            step = (index * steps + offset * steps // len(WAYS)) // each
            connection = f"fresh-roast/c{next(numbers)}"
            processes.run(connection, course.before)
            stopped = processes.run(connection, course.run, stop=min(step, steps - 1))
            assert stopped["how"] == "stopped"
            processes.readable(connection)
            act(processes, connection, stopped["pid"], course)
            processes.readable(connection)
            judged(processes, connection, course)
            tally.add(kills=kills, pauses=pauses)


def test_runs_at_once(processes: Processes, tally: Tally) -> None:
    for index in range(round(BUDGET)):
        for letter, course in zip("abcde", COURSES.values(), strict=True):
            connection = f"fresh-roast/{letter}{index}"
            processes.run(connection, course.before)
            scripts = [course.run, course.other, course.run]
            for answer in processes.tell(together=scripts, connection=connection):
                assert answer["how"] in {"ended 0", "ended 1"}
            judged(processes, connection, course)
            tally.add(together=1)
