"""A play: one connection at its store and its consumers in the sandbox, the people around it, and runs that may be killed.

A script is a change of what is declared; whoever plays it brings the world there by as many runs as people's parts need.
Declarations are read from files, and the providers are the product's own, as the engine calls them.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from providers.core import provider
from providers.core.contract import Documents, Keyring
from providers.core.errors import ConnectionsError
from providers.core.http import Http
from providers.core.journal import Book, Journal
from providers.core.marker import Owner
from providers.core.operation import Operation
from providers.core.redaction import Secret
from providers.core.toolbox import Inputs, Toolbox
from providers.core.vault import Vault
from providers.declarations import load, platforms
from sandbox.server_process import ServerProcess
from tests.consumers.engine import Declared, Engine, program
from tests.consumers.steps import (
    PATIENCE,
    Interruption,
    Killed,
    Kind,
    Process,
    Step,
    SteppedCourier,
    SteppedDocuments,
    SteppedHttp,
)
from tests.engine.conftest import StackDocuments
from tests.protocol.doubles import MemoryKeyring, World
from tests.protocol.handing import MemoryCourier

NUMBERS = itertools.count(1)
TAG = "tag0000"
"""Stands in the names of a play, with its number."""

ROUNDS = 6
"""More runs than any script needs with its people."""

PASSED = 120.0
"""Seconds between a run that ended badly and the next: longer than any request takes, and any lease lasts."""

Links = Mapping[str, Mapping[str, Any]]
"""What is declared under `links`, by name."""

READER = "{to: vault, overlap: 1s}"
"""A link that waits for nothing: a connection has one at least."""

SETTINGS = """\
format: 1
vault: {{mount: {mount}, admins: {admins}, hubs: {hubs}, adopt: {adopt}, transit: {transit}}}
defaults: {{ask: people@agency.example}}
teams: {{retail: {{mail: retail@agency.example}}}}
hosts:
  private: {{localhost: [127.0.0.0/8, "::1/128"]}}
  ca_file: ca.pem
recipients: ["*@agency.example"]
{more}
"""
MOUNTS: Mapping[str, str] = {name: name for name in ("mount", "admins", "hubs", "adopt", "transit")}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is declared of the connection: its links, the text that asks for one rotation, the name of the credential."""

    links: Links
    rotate: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """From one declaration to another; to None is the end of everything."""

    before: Wanted
    after: Wanted | None


class Unfinished(Exception):
    """A run ended with something that it could not do."""


class _Entries:
    """The logins that lie in Vault."""

    def __init__(self, play: Play) -> None:
        self._play = play

    def admin_login(self, mount: str, host: str, path: str = "") -> Mapping[str, Secret] | None:
        return self._play.entries.get(f"{host}/{path}" if path else host)

    def secret(self, mount: str, path: str) -> Mapping[str, Secret] | None:
        return self._play.entries.get(path)

    def close(self) -> None:
        """There is no login."""


class SteppedToolbox(Toolbox):
    """The toolbox of one process of a play."""

    def __init__(self, play: Play, process: Process) -> None:
        super().__init__({}, clock=play.world.clock)
        self.play, self.process = play, process
        self._wire = SteppedHttp(play.wire, play.wire._settings, process)

    @property
    def vault(self) -> Any:
        return _Entries(self.play)

    def http_to(self, host: str, ca: str, private_networks: Any) -> Http:
        return self._wire

    def documents(self, inputs: Inputs) -> Documents:
        return SteppedDocuments(self.play.documents, self.process)

    def keyring(self, inputs: Inputs) -> Keyring:
        return self.play.keyring

    def courier(self, inputs: Inputs, show: Callable[[str], None] | None = None) -> Any:
        return SteppedCourier(MemoryCourier(self.play.world, mails=bool(inputs.get("mail"))), self.process)

    def operation(self, inputs: Inputs, **given: Any) -> Operation:
        made = super().operation(inputs, **given)
        words = {name: getattr(made, name) for name in made.__dataclass_fields__}
        return Operation(**words | {"wait": self.play.world.wait})

    def close(self) -> None:
        """Whatever this process held is gone; nobody logs out, as it is buried."""
        super().close()
        self._wire.close()


class Present:
    """Stands where the providers look for their process's toolbox: one process runs at a time."""

    toolbox: SteppedToolbox

    def __getattr__(self, name: str) -> Any:
        return getattr(self.toolbox, name)


class Noted:
    """Documents that remember what was ever written."""

    def __init__(self, inner: Documents, written: list[tuple[str, dict[str, Any]]]) -> None:
        self._inner, self._written = inner, written
        self.read, self.destroy, self.list = inner.read, inner.destroy, inner.list

    def write(self, path: str, data: Mapping[str, Any], *, cas: int) -> int:
        version = self._inner.write(path, data, cas=cas)
        self._written.append((path, json.loads(json.dumps(data))))
        return version


_NO_SECRETS = frozenset(
    {"state", "generation", "key_id", "tail", "txn", "base_url", "url", "store"}
    | {"session_id", "expires_at", "edits", "before", "published_at", "public"}
)
"""Words of documents with secrets under which none stands."""


@dataclass
class Play:
    """See the module. A platform's play makes its world in `prepare`."""

    sandbox: ServerProcess
    root: Path
    present: Present
    wire: Http
    vault: Vault | None = None
    mounts: Mapping[str, str] = field(default_factory=lambda: MOUNTS)
    base: tuple[str, str] = ("shops", "test")
    """Project and stack."""
    world: World = field(default_factory=World)
    entries: dict[str, Mapping[str, Secret]] = field(default_factory=dict)
    engine: Engine = field(default_factory=Engine)
    written: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ended: list[SteppedToolbox] = field(default_factory=list)
    settings: str = ""
    late: bool = False
    """Whether a run slept between its look and its write at a consumer: no look can tell it what was decided meanwhile, and
    what it wrote is only put right by the next run."""
    declared: dict[str, Declared] = field(default_factory=dict)

    STORE: ClassVar[str] = ""
    CONNECTION: ClassVar[str] = ""

    def __post_init__(self) -> None:
        self.tag = f"tag{next(NUMBERS):04}"
        self.world.now = datetime.now(UTC)
        memory: Documents = StackDocuments(self.world)
        if self.vault is not None:
            memory = self.vault.documents(self.mounts["mount"], "/".join(self.base))
        self.documents = Noted(memory, self.written)
        self.keyring: Keyring = MemoryKeyring() if self.vault is None else self.vault.keyring(self.mounts["transit"])
        self.folder = self.root / self.tag / "stacks"
        (self.folder / self.base[1]).mkdir(parents=True)
        (self.folder.parent / "ca.pem").write_bytes(self.sandbox.ca.read_bytes())
        self.prepare()

    # --- of a platform ------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the store and the consumers, and put logins into `entries`."""
        raise NotImplementedError

    def file(self, wanted: Wanted) -> str:
        """The store's file."""
        raise NotImplementedError

    def people(self, toolbox: Toolbox, *, ending: bool) -> bool:
        """People do what they are asked for, of a connection that goes on or is `ending`; whether anything was asked."""
        return False

    def check_world(self, links: Links | None, journal: Journal) -> None:
        """The consumers and the store, when a script has come to its end."""
        raise NotImplementedError

    def check_always(self, script: Script) -> None:
        """What holds at every moment, also when a run was just killed."""

    # --- declaring and running ----------------------------------------------------------------------------------------

    def declare(self, wanted: Wanted) -> None:
        """Read the files. Those of two plays differ by their tags alone: they are read once."""
        project, stack = self.base
        files = (stack, self.settings.replace(self.tag, TAG), self.file(wanted).replace(self.tag, TAG))
        if files not in _READ:
            (self.folder / stack / "_stack.yaml").write_text(SETTINGS.format(**MOUNTS, more=files[1]), "utf-8")
            (self.folder / stack / f"{self.STORE}.yaml").write_text(files[2], "utf-8")
            found = program(project, load(self.folder, stack, platforms(), project=project))
            _READ[files] = json.dumps({name: asdict(declared) for name, declared in found.items()})
        made = json.loads(_READ[files].replace(TAG, self.tag))
        self.declared = {name: Declared(**words) for name, words in made.items()}

    def login(self, url: str, **values: str) -> None:
        """Put an admin login into Vault."""
        parts = urllib.parse.urlsplit(url)
        path = f"/{parts.path.strip('/')}" if parts.path.strip("/") else ""
        self.entries[f"{parts.netloc}{path}"] = {name: Secret(value) for name, value in values.items()}

    def start(self, interruption: Interruption | None = None) -> SteppedToolbox:
        """A new process, which is the present one."""
        made = SteppedToolbox(self, Process(interruption))
        self.present.toolbox = made
        self.ended.append(made)
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Every process of this play is over."""
        for toolbox in self.ended:
            toolbox.process.buried = True
        while self.ended:
            self.ended.pop().close()

    def perform(self, after: Wanted | None, toolbox: SteppedToolbox, engine: Engine) -> None:
        """Run until people have nothing to do; `Unfinished` where something failed then."""
        if after is not None:
            self.declare(after)
        declared = self.declared
        failed: list[str] = []
        for _ in range(ROUNDS):
            failed = engine.destroy() if after is None else engine.up(declared)
            if not self.people(toolbox, ending=after is None):
                break
        if failed:
            raise Unfinished("; ".join(failed))

    def clean(self, after: Wanted | None) -> list[Step]:
        """The whole script by a process that nothing happens to; its steps."""
        toolbox = self.start()
        self.perform(after, toolbox, self.engine)
        return toolbox.process.steps

    def interrupted(self, script: Script, interruption: Interruption) -> None:
        """The script by a process that something happens to, and time passes."""
        toolbox = self.start(interruption)
        try:
            self.perform(script.after, toolbox, self.engine)
        except Killed:
            pass
        except (Unfinished, ConnectionsError):
            # What was lost may be reported; the next run puts it right.
            assert interruption.kind == "lost"
        self.world.pass_time(PASSED)
        assert toolbox.process.struck, f"there is no step {interruption.number} any more"

    @contextmanager
    def asleep(self, script: Script, number: int) -> Iterator[None]:
        """The script by a process that sleeps before one of its steps while the block runs, and then goes on."""
        sleeper = self.start(Interruption("paused", number))
        # Of two engines the one that ends last leaves its state.
        engine = Engine(dict(self.engine.state))

        def go() -> None:
            try:
                self.perform(script.after, sleeper, engine)
            except (Unfinished, ConnectionsError):
                # It was overtaken, and says so.
                pass
            finally:
                sleeper.process.asleep.set()

        thread = threading.Thread(target=go)
        thread.start()
        try:
            assert sleeper.process.asleep.wait(PATIENCE)
            assert sleeper.process.struck, f"there is no step {number} any more"
            yield
        finally:
            self.present.toolbox = sleeper
            sleeper.process.woken.set()
            thread.join(PATIENCE)
        assert not thread.is_alive()
        self.engine = engine

    # --- looking ------------------------------------------------------------------------------------------------------

    @property
    def book(self) -> Book:
        return Book(self.documents, Owner(*self.base, self.CONNECTION))

    @property
    def journal(self) -> Journal:
        found, _ = self.book.journal()
        assert found is not None
        return found

    def inputs(self, link: str = "") -> dict[str, Any]:
        """The inputs of the credential as it is declared, or of a link."""
        return self.declared[f"{self.CONNECTION}/{link}" if link else self.CONNECTION].inputs

    def secret_of(self, number: int) -> dict[str, str]:
        """The secret that a generation had, whatever became of it."""
        path = f"{self.CONNECTION}/generations/{number}"
        found = [data for written, data in self.written if written == path and data.get("state") == "live"]
        return {name: value for name, value in found[0].items() if name not in _NO_SECRETS} if found else {}

    def secrets(self) -> set[str]:
        """Everything that only documents of secrets may hold."""
        places = (f"{self.CONNECTION}/generations/", f"{self.CONNECTION}/inbound/", f"{self.CONNECTION}/credential")
        return {
            value
            for path, data in self.written
            if path.startswith(places)
            for name, value in data.items()
            if name not in _NO_SECRETS and len(value) >= 16
        }

    # --- the invariants -----------------------------------------------------------------------------------------------

    def check(self, script: Script) -> None:
        """Everything that must hold when the script has come to its end."""
        links = script.after.links if script.after is not None else None
        journal = self.journal
        self.check_always(script)
        self._check_journal(links, journal)
        self._check_documents(links, journal)
        self.check_world(links, journal)
        if links is None:
            assert self.engine.state == {}

    def _check_journal(self, links: Links | None, journal: Journal) -> None:
        states = {number: generation.state for number, generation in journal.generations.items()}
        assert set(journal.links) == set(links or {})
        if links is None:
            assert (journal.phase, set(states.values()) <= {"revoked"}) == ("closed", True), states
            return
        assert journal.phase == "open"
        assert [state for state in states.values() if state != "revoked"] == ["current"], states
        for name, entry in journal.links.items():
            if entry.reads:
                continue
            stands = (entry.state, entry.connecting, entry.acknowledged, entry.holds)
            assert stands == ("linked", journal.current, journal.current, journal.current), (name, stands)
            if entry.place:
                slot, _ = self.book.slot(hashlib.sha256(entry.place.encode()).hexdigest()[:32])
                assert slot is not None
                owner = (slot.connection, slot.link, slot.incarnation, slot.life)
                assert owner == (self.CONNECTION, name, journal.incarnation, entry.life)

    def _check_documents(self, links: Links | None, journal: Journal) -> None:
        current = self.secret_of(journal.current) if journal.current is not None else {}
        dead = {value for number in journal.generations for value in self.secret_of(number).values()}
        dead -= set(current.values())
        known = {f"{self.CONNECTION}/inbound/{number}" for entry in journal.links.values() for number in entry.received}
        secrets = self.secrets()
        for path in {path for path, _ in self.written}:
            latest = self.documents.read(path)
            for number in range(1, latest.version + 1):
                version = self.documents.read(path, version=number)
                text = json.dumps(dict(version.data)) if version.state == "present" else ""
                assert not [value for value in dead if value in text], f"{path} holds what is dead"
                if path.startswith(f"{self.CONNECTION}/inbound/") and path not in known:
                    assert not text or version.data.get("state") == "revoked", f"{path} outlived its link"
        for path, data in self.written:
            if path.endswith("/journal") or path.startswith("_"):
                text = json.dumps(data)
                assert not [value for value in secrets if value in text], f"{path} holds a secret"
        published = self.book.published()
        assert published.state == ("live" if links is not None else "revoked")
        if links is not None:
            assert {name: value.reveal() for name, value in published.values.items()}.items() >= current.items()


_READ: dict[tuple[str, ...], str] = {}

MakePlay = Callable[[], Play]


def course(make: MakePlay, script: Script) -> list[Step]:
    """The steps of a script that nothing disturbs."""
    with make() as play:
        play.clean(script.before)
        steps = play.clean(script.after)
        play.check(script)
    return steps


def killed_everywhere(make: MakePlay, script: Script) -> int:
    """Kill a run after each step that can change anything, and run once more; how many runs died."""
    return _disturbed(make, script, "killed after", lambda step: step.changes)


def replies_lost(make: MakePlay, script: Script) -> int:
    """Lose the reply of each HTTP request that changes anything, and run once more; how many were lost."""
    return _disturbed(make, script, "lost", lambda step: step.changes and step.http)


def _disturbed(make: MakePlay, script: Script, kind: Kind, chosen: Callable[[Step], bool]) -> int:
    steps = course(make, script)
    numbers = [number for number, step in enumerate(steps) if chosen(step)]
    for number in numbers:
        with make() as play, told(steps, number, kind):
            play.clean(script.before)
            play.interrupted(script, Interruption(kind, number))
            play.check_always(script)
            play.clean(script.after)
            play.check(script)
    return len(numbers)


Chosen = Callable[[Sequence[Step], int], bool]

NEAR = 6
"""Steps between a call of a consumer and what is decided by it."""


def at_the_consumer(steps: Sequence[Step], number: int) -> bool:
    """Steps that change what a consumer or a store has, the first look behind each, and what is decided by such calls: how
    runs that sleep elsewhere in the life of a credential meet others is what the protocol's schedules try."""
    step, former = steps[number], steps[number - 1]
    outside = any(near.http or near.what in {"wrap", "send"} for near in steps[max(0, number - NEAR) : number])
    decides = step.changes and step.what.endswith("/journal") and outside
    return decides or any(each.http and each.changes for each in (former, step))


def slept_everywhere(
    make: MakePlay, script: Script, other: Wanted | None, chosen: Callable[[Sequence[Step], int], bool]
) -> int:
    """A run sleeps before each step that is `chosen` while another takes all over; it wakes, and another cleans up. How many
    slept."""
    steps = course(make, script)
    numbers = [number for number in range(1, len(steps)) if chosen(steps, number)]
    for number in numbers:
        with make() as play, told(steps, number, "asleep before"):
            play.clean(script.before)
            play.late = steps[number].changes and steps[number].http
            with play.asleep(script, number):
                play.clean(other)
                play.check_always(script)
            play.world.pass_time(PASSED)
            play.clean(script.after)
            play.check(script)
    return len(numbers)


@contextmanager
def told(steps: Sequence[Step], number: int, what: str) -> Iterator[None]:
    """Say where it was when something does not hold."""
    try:
        yield
    except Exception as failed:
        failed.add_note(f"{what} step {number}: {steps[number].what}")
        raise


@pytest.fixture(scope="module")
def present() -> Iterator[Present]:
    """The providers work with the toolbox of the present process."""
    with pytest.MonkeyPatch.context() as patch:
        made = Present()
        patch.setattr(provider, "TOOLBOX", made)
        yield made
        for known in (provider._seen, provider._linked, provider._renamed, provider._stray_links, provider._said):
            known.clear()
