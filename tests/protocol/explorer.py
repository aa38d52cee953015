"""Schedules: real runs side by side, stopped, killed, put to sleep or met by a fault at any of their steps, then judged.

A schedule says only where it departs from the plain course (the first run to its end, then the next):
`{7: ">1", 19: "crash"}` reads "at decision 7 run 1 goes on instead, at decision 19 the one whose turn it is dies".
Words: `>n`, `crash`, `sleep` (wakes when all others are done), `tick n` (seconds pass), `arrive` (late requests commit), or
the name of a fault.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from greenlet import getcurrent, greenlet

from providers.core.contract import Capabilities
from providers.core.errors import ConnectionsError, VaultRolledBack
from providers.core.marker import Owner
from tests.protocol.core import Core
from tests.protocol.doubles import (
    STORE,
    MemoryDocuments,
    MemoryKeyring,
    MemoryLink,
    MemoryStore,
    Violation,
    World,
    unhurried,
)
from tests.protocol.handing import OFFICE, MemoryChannel, MemoryCourier, given_by_vendor, opened
from tests.protocol.watch import Watch, check, generations

OWNER = Owner("shops", "test", "fresh-roast/orders")

Schedule = Mapping[int, str]

SLEEP = 100.0
"""Seconds that pass while a run sleeps: longer than any overlap, lease or settling here."""


class Killed(BaseException):
    """The process is gone: nothing after this step happens."""


# --- what runs do ---------------------------------------------------------------------------------------------------


LIFE = 3000.0
"""Seconds that a credential lives which ends by itself."""


class Stage:
    """What one run works with: the code under test over the doubles."""

    def __init__(self, core: Core, world: World, owner: Owner = OWNER, **operation: Any) -> None:
        self.core, self.world, self.owner = core, world, owner
        self.documents, self.store = MemoryDocuments(world), MemoryStore(world)
        self._operation = operation

    def operation(self, **changes: Any) -> Any:
        """A new operation, as a process of its own would have."""
        book = changes.pop("book", self.core.journal.Book(self.documents, self.owner))
        settings = {"store": STORE, "clock": self.world.clock, "wait": self.world.wait, "lease": 0.0}
        return self.core.operation.Operation(
            book, MemoryKeyring(), self.store, **(settings | self._operation | changes)
        )

    def wish(self, rights: str = "read", rotation: int = 1, **changes: Any) -> Any:
        """A wish for a key with these rights."""
        fields: dict[str, Any] = {"rights": rights, "purpose": changes.pop("purpose", "orders")}
        if self.world.capabilities.lifetime:
            fields[self.world.capabilities.lifetime] = LIFE
        return self.core.due.Wish(fields, rotation=rotation, **changes)

    def settle(self, wish: Any, **changes: Any) -> Any:
        return self.core.loop.settle(self.operation(**changes), wish)

    def destroy(self, **changes: Any) -> Any:
        return self.core.loop.destroy(self.operation(**changes))

    def link(self, name: str, place: str | None = None, acknowledges: Any = "here", **changes: Any) -> Any:
        """A run on a link."""

        def at(words: Mapping[str, Any]) -> MemoryLink:
            return MemoryLink(self.world, self.owner.connection, name, words["place"], acknowledges)

        declared = {"place": name if place is None else place}
        return self.core.links.LinkRun(self.operation(**changes), name, at(declared), words=declared, make=at)

    def channel(self, name: str, reason: str = "", **changes: Any) -> Any:
        """A run on a link whose user outside is handed the values; `reason` does it once more."""
        handing, operation = self.core.handover, self.operation()
        terms = handing.Terms(**({"how": "sealed", "to": OFFICE, "what": "A key"} | changes.pop("terms", {})))
        courier = MemoryCourier(self.world, **changes)
        handover = handing.Handover(terms, courier, self.world.clock, reason)
        link = MemoryChannel(self.world, operation.book, name)
        return self.core.links.LinkRun(operation, name, link, handover=handover, answers=True)

    def journal(self) -> Any:
        """The journal as it stands, read without a step."""
        return self.core.journal.Book(MemoryDocuments(replace(self.world, pace=unhurried)), self.owner).journal()[0]


Script = Callable[["Play", Stage], None]


def up(rights: str = "read", rotation: int = 1, *links: str, **wish: Any) -> Script:
    """`up`: the credential, then its links."""

    def script(play: Play, stage: Stage) -> None:
        play.declare(rights)
        wished = stage.wish(rights, rotation, overlap=play.scenario.overlap, **wish)
        stage.settle(wished)
        for name in links:
            stage.link(name).connect()

    return script


def again(*scripts: Script) -> Script:
    """One run after the other."""

    def script(play: Play, stage: Stage) -> None:
        for each in scripts:
            each(play, stage)

    return script


def connect(name: str, place: str | None = None, connection: str = "") -> Script:
    return lambda play, stage: _of(stage, connection).link(name, place).connect()


def disconnect(name: str, place: str | None = None, connection: str = "") -> Script:
    return lambda play, stage: _of(stage, connection).link(name, place).disconnect()


def hand_over(name: str, reason: str = "") -> Script:
    return lambda play, stage: stage.channel(name, reason).connect(again=bool(reason))


def receive(name: str) -> Script:
    """A person puts in what a vendor gave in return."""
    return lambda play, stage: stage.core.people.receive(stage.operation(), name, given_by_vendor())


def confirm(name: str) -> Script:
    return lambda play, stage: stage.core.people.confirm_link(stage.operation(), name, "a person")


def take_back(name: str) -> Script:
    return lambda play, stage: stage.channel(name).disconnect()


def open_mail(play: Play, stage: Stage) -> None:
    """Somebody opens what came last."""
    stage.world.pace("open", ())
    if stage.world.mails:
        opened(stage.world)


def _of(stage: Stage, connection: str) -> Stage:
    owner = replace(stage.owner, connection=connection) if connection else stage.owner
    return Stage(stage.core, stage.world, owner)


def destroy(*links: str) -> Script:
    """`destroy`: the links, then the credential."""

    def script(play: Play, stage: Stage) -> None:
        for name in links:
            stage.link(name).disconnect()
        stage.destroy()

    return script


def people(name: str, *arguments: Any) -> Script:
    """A person's decision by command."""
    return lambda play, stage: getattr(stage.core.people, name)(stage.operation(), *arguments)


def by_hand(act: Callable[[World], None]) -> Script:
    """Something a person does at the store or in Vault."""

    def script(play: Play, stage: Stage) -> None:
        stage.world.pace("by hand", ())
        act(stage.world)

    return script


def delete_keys(world: World) -> None:
    """A person deletes every key of ours."""
    for key in world.keys.values():
        if key.made_by == "request":
            key.alive = False


# --- scenarios ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scenario:
    """Runs side by side, what went before them, and what is wished in the end (`rights` None: nothing).

    `faults` are those a schedule may use. `rerun` is off where all must be well without any further run. `refusing`: the
    store makes no key meanwhile. `handed` are links whose user outside is handed the values. `places` are the links that
    share a place; `alarms` is on where a person's hand may raise the false alarm that protocol.md section 7 names.
    """

    name: str
    runs: tuple[Script, ...]
    before: tuple[Script, ...] = ()
    rights: str | None = "read"
    rotation: int = 1
    links: tuple[str, ...] = ()
    handed: tuple[str, ...] = ()
    places: tuple[tuple[str, str], ...] = ()
    overlap: float = 0.0
    lease: float = 0.0
    faults: frozenset[str] = frozenset()
    rerun: bool = True
    refusing: bool = False
    alarms: bool = False
    capabilities: Capabilities = field(default_factory=lambda: World().capabilities)


DEATHS = 100
"""How often a run is killed before it counts as one that cannot be."""

# --- one schedule ---------------------------------------------------------------------------------------------------


@dataclass
class Actor:
    """One run of a schedule."""

    number: int
    greenlet: greenlet
    step: str = ""
    faults: tuple[str, ...] = ()
    state: str = "awake"


class Chooser:
    """Where the course of a schedule is decided."""

    def choose(self, play: Play, index: int, actor: Actor, awake: Sequence[Actor]) -> str:
        """The word for this decision, or an empty text for the plain course."""
        raise NotImplementedError


@dataclass
class Counts:
    """How much was run."""

    schedules: int = 0
    crashes: int = 0
    sleeps: int = 0
    steps: int = 0

    def add(self, other: Counts) -> None:
        self.schedules += other.schedules
        self.crashes += other.crashes
        self.sleeps += other.sleeps
        self.steps += other.steps


class Play:
    """One schedule of one scenario, from the empty world to the verdict."""

    def __init__(self, core: Core, scenario: Scenario, chooser: Chooser) -> None:
        self.core, self.scenario, self.chooser = core, scenario, chooser
        self.world = World(capabilities=scenario.capabilities)
        self.watch = Watch(self.world, OWNER, scenario.overlap, allowance=self._allowance)
        self.world.watchers.append(self.watch)
        self.taken: dict[int, str] = {}
        self.counts = Counts()
        self.disturbed = 0
        self.actors: list[Actor] = []
        self.trail: list[str] = []
        self.errors: list[BaseException] = []
        self._hub = getcurrent()

    def declare(self, rights: str) -> None:
        """From now on these rights are declared."""
        self.watch.rights.add(rights)

    def _allowance(self) -> int:
        # A run that others overtake is a sleeper too.
        return self.disturbed + max(0, len(self.actors) - 1)

    def stage(self, run: str) -> Stage:
        return Stage(self.core, self.world, run=run, lease=self.scenario.lease)

    def run(self) -> None:
        """Run it and judge it; raises `Violation` with the schedule that shows it."""
        try:
            before = self.stage("before")
            for script in self.scenario.before:
                script(self, before)
            self._side_by_side()
            self._judge()
        except AssertionError as wrong:
            kind = "" if isinstance(wrong, Violation) else "the code fell over: "
            raise Violation(f"{kind}{wrong}\n    replay({self.scenario.name!r}, {self.taken})") from wrong
        except Exception as wrong:
            raise Violation(f"{wrong!r}\n    replay({self.scenario.name!r}, {self.taken})") from wrong
        finally:
            for actor in self.actors:
                if actor.state in {"awake", "asleep"}:
                    self._kill(actor)

    # --- the runs side by side ---

    def _side_by_side(self) -> None:
        self.world.pace, self.world.refusing = self._pace, self.scenario.refusing
        for number, script in enumerate(self.scenario.runs):
            actor = Actor(number, greenlet(self._body(script, f"run {number}")))
            self.actors.append(actor)
            self._resume(actor, "")
        current = self.actors[0]
        for index in itertools.count():
            awake = [actor for actor in self.actors if actor.state == "awake"]
            if not awake:
                asleep = [actor for actor in self.actors if actor.state == "asleep"]
                if not asleep:
                    break
                asleep[0].state = "awake"
                self.world.pass_time(SLEEP)
                continue
            if current.state != "awake":
                current = awake[0]
            word = self.chooser.choose(self, index, current, awake)
            if word:
                self.taken[index] = word
            if word.startswith(">"):
                current = self.actors[int(word[1:])]
                word = ""
            self._follow(current, word)
        self.world.pace, self.world.refusing = unhurried, False

    def _follow(self, actor: Actor, word: str) -> None:
        if word == "crash":
            self.counts.crashes += 1
            self.disturbed += 1
            self._kill(actor)
        elif word == "sleep":
            self.counts.sleeps += 1
            self.disturbed += 1
            actor.state = "asleep"
        elif word == "arrive":
            self.world.arrive()
        elif word.startswith("tick"):
            self.world.pass_time(float(word.split()[1]))
        else:
            self.disturbed += bool(word)
            self._resume(actor, word)

    def _body(self, script: Script, run: str) -> Callable[[str], None]:
        def body(_: str) -> None:
            try:
                script(self, self.stage(run))
            except VaultRolledBack as alarm:
                if not self.scenario.alarms:
                    raise Violation(f"false alarm: {alarm}") from None
            except ConnectionsError as error:
                self.errors.append(error)

        return body

    def _pace(self, step: str, faults: tuple[str, ...]) -> str:
        actor = next((each for each in self.actors if each.greenlet is getcurrent()), None)
        if actor is None:
            return ""
        if actor.state == "dead":
            raise Killed
        actor.step, actor.faults = step, faults
        fault: str = self._hub.switch()
        return fault

    def _resume(self, actor: Actor, fault: str) -> None:
        self.counts.steps += 1
        if actor.step:
            self.trail.append(f"run {actor.number}: {actor.step}{' !' + fault if fault else ''}")
        actor.greenlet.switch(fault)
        if actor.greenlet.dead:
            actor.state = "done"

    def _kill(self, actor: Actor) -> None:
        actor.state = "dead"
        self.trail.append(f"run {actor.number}: dies before {actor.step}")
        # Planted faults may survive a death. One that is left unfinished would be ended by whichever thread collects it.
        for _ in range(DEATHS):
            if actor.greenlet.dead:
                return
            try:
                actor.greenlet.throw(Killed)
            except Killed:
                return
        raise Violation("a run that was killed goes on")

    # --- the verdict ---

    def _judge(self) -> None:
        world, scenario = self.world, self.scenario
        world.arrive()
        if scenario.rerun:
            over = LIFE if scenario.capabilities.lifetime else 0.0
            world.pass_time(scenario.capabilities.settle + scenario.overlap + over + 60.0)
            self._rerun(strict=True)
        world.arrive()
        (self._destroyed if scenario.rights is None else self._live)()
        before = len(world.writes)
        self._rerun(strict=True)
        check(len(world.writes) == before, f"I5: a further run wrote {world.writes[before:]}")

    def _rerun(self, *, strict: bool) -> None:
        """One clean run of the wish: an up, its links, an up; or a destroy."""
        stage, scenario = self.stage("clean"), self.scenario
        outcomes: list[Any] = []
        if scenario.rights is None:
            known = stage.journal()
            for name in sorted(known.links) if known is not None else ():
                run = stage.channel if name in scenario.handed else partial(stage.link, place=self._place(name))
                outcomes.append(run(name).disconnect())
            outcomes.append(stage.destroy())
        else:
            self.declare(scenario.rights)
            wish = stage.wish(scenario.rights, scenario.rotation, overlap=scenario.overlap)
            outcomes.append(stage.settle(wish))
            known = stage.journal()
            for name in sorted(set(known.links) - {*scenario.links, *scenario.handed}):
                outcomes.append(stage.link(name, self._place(name)).disconnect())
            for name in scenario.links:
                outcomes.append(self._refreshed(stage, name))
            for name in scenario.handed:
                outcomes.append(stage.channel(name).connect())
                if outcomes[-1].person:
                    confirm(name)(self, stage)
            self.world.pass_time(scenario.overlap + 1.0)
            outcomes.append(stage.settle(wish))
        problems = [str(problem) for outcome in outcomes for problem in outcome.problems]
        check(not (strict and problems), f"a clean run ends with problems: {problems}")

    def _place(self, name: str) -> str | None:
        return dict(self.scenario.places).get(name)

    def _refreshed(self, stage: Stage, name: str) -> Any:
        """What the consumer does not hold is given again."""
        return stage.link(name, self._place(name)).connect()

    def _live(self) -> None:
        world, watch = self.world, self.watch
        journal = watch.journal
        known = generations(journal)
        current = [number for number, generation in known.items() if generation["state"] == "current"]
        alive = world.alive(OWNER)
        check(journal.get("phase", "open") == "open", "I3: not open")
        check(len(current) == 1, f"I3: {len(current)} generations are current")
        idle = {generation["state"] for generation in known.values()} <= {"current", "revoked"}
        check(idle, f"I3: not idle: { {n: g['state'] for n, g in known.items()} }")
        check("lease" not in journal, "I3: a lease is left")
        check(list(alive) == current, f"I1: keys {sorted(alive)} live at the store, {current} in Vault")
        (key,) = alive[current[0]]
        check(key.key_id == known[current[0]]["key_id"], "I1: another key id than in Vault")
        check(key.fields["rights"] == self.scenario.rights, f"I2: the key has rights {key.fields['rights']}")
        published = watch.credential
        check(published.get("state") == "live", "I2: nothing is published")
        check(published["generation"] == str(current[0]), "I2: D is behind")
        check(published["consumer_key"] == key.value, "I2: D holds another value")
        self._secrets_left(key.value)
        self._unlinked()
        links = journal.get("links", {})
        check(set(links) == {*self.scenario.links, *self.scenario.handed}, f"links {sorted(links)}")
        for name, entry in links.items():
            numbers = {entry.get("holds"), entry.get("connecting"), entry.get("acknowledged")}
            check(numbers == set(current), f"link {name} is not settled: {entry}")
        for name in self.scenario.handed:
            receipt = links[name]["receipt"]
            said = (receipt.get("generation"), bool(receipt.get("sent_at")), receipt.get("former"))
            check(said == (str(current[0]), True, None), f"link {name} was not handed over: {receipt}")
        for name in self.scenario.links:
            place = dict(self.scenario.places).get(name, name)
            check(world.consumers[place].value == key.value, f"{place} does not hold the current key")

    def _destroyed(self) -> None:
        journal = self.watch.journal
        check(not self.world.alive(OWNER), f"I1: keys {sorted(self.world.alive(OWNER))} live after the end")
        self._secrets_left("")
        self._unlinked()
        if not journal:
            return
        check(journal.get("phase") == "closed", f"I3: phase {journal.get('phase', 'open')}")
        states = {generation["state"] for generation in generations(journal).values()}
        check(states <= {"revoked"}, f"I3: {states}")
        check(self.watch.credential.get("state") == "revoked", "D is no tombstone")

    def _unlinked(self) -> None:
        """Who is no link any more holds nothing, unless a link slept before its write."""
        used = {dict(self.scenario.places).get(name, name) for name in self.scenario.links}
        for place, consumer in self.world.consumers.items():
            check(place in used or not consumer.value or consumer.stale, f"{place} was unlinked and still holds a key")

    def _secrets_left(self, living: str) -> None:
        """The data of what is dead is destroyed, in every version of every document."""
        links = self.watch.journal.get("links", {}).values()
        known = {f"{OWNER.connection}/inbound/{number}" for entry in links for number in entry.get("received", ())}
        for path, versions in self.world.documents.items():
            left = (
                path.startswith(f"{OWNER.connection}/inbound/")
                and path not in known
                and "cart_id" in (versions[-1] or {})
            )
            check(not left, f"{path} still holds what came in for a link that is no more")
        for path, versions in self.world.documents.items():
            for number, version in enumerate(versions, 1):
                held = (version or {}).get("consumer_key", living)
                dead = path.startswith(OWNER.connection) and held != living
                check(not dead, f"version {number} of {path} still holds a dead secret")


# --- schedules by chance --------------------------------------------------------------------------------------------


class ByChance(Chooser):
    """A random schedule. The same seed gives the same one."""

    def __init__(self, seed: int, scenario: Scenario) -> None:
        self.random = random.Random(seed)
        self.switch = self.random.choice((0.03, 0.1, 0.3, 0.6))
        self.rate = self.random.choice((0.01, 0.03, 0.08))
        self.crashes = self.random.choice((0, 1, 1, 2)) if scenario.rerun else 0
        self.sleeps = self.random.choice((0, 1, 1, 2)) if scenario.rerun else 0
        self.faults = self.random.choice((0, 1, 2)) if scenario.faults else 0
        self.ticks = self.random.choice((0, 1, 3))
        self.allowed = scenario.faults

    def choose(self, play: Play, index: int, actor: Actor, awake: Sequence[Actor]) -> str:
        chance = self.random.random
        if len(awake) > 1 and chance() < self.switch:
            return f">{self.random.choice([each.number for each in awake if each is not actor])}"
        if self.crashes and chance() < self.rate:
            self.crashes -= 1
            return "crash"
        if self.sleeps and chance() < self.rate:
            self.sleeps -= 1
            return "sleep"
        if play.world.late and chance() < 0.2:
            return "arrive"
        if self.ticks and chance() < self.rate:
            self.ticks -= 1
            return f"tick {self.random.choice((1, 40))}"
        possible = [fault for fault in actor.faults if fault in self.allowed]
        if self.faults and possible and chance() < 0.15:
            self.faults -= 1
            return self.random.choice(possible)
        return ""


# --- schedules by plan ----------------------------------------------------------------------------------------------


class ByPlan(Chooser):
    """A given schedule; what else could have been decided after its last word is noted."""

    def __init__(self, schedule: Schedule, scenario: Scenario) -> None:
        self.schedule, self.scenario = schedule, scenario
        self.last = max(schedule, default=-1)
        self.options: list[tuple[int, str]] = []

    def choose(self, play: Play, index: int, actor: Actor, awake: Sequence[Actor]) -> str:
        if index > self.last:
            others = [f">{each.number}" for each in awake if each is not actor]
            faults = [fault for fault in actor.faults if fault in self.scenario.faults]
            ends = ("crash", "sleep") if self.scenario.rerun else ()
            self.options += [(index, word) for word in (*others, *ends, *faults)]
        return self.schedule.get(index, "")


def play(core: Core, scenario: Scenario, schedule: Schedule | Chooser, counts: Counts) -> Chooser:
    """Run one schedule; raises `Violation`."""
    chooser = schedule if isinstance(schedule, Chooser) else ByPlan(schedule, scenario)
    one = Play(core, scenario, chooser)
    try:
        one.run()
    finally:
        one.counts.schedules = 1
        counts.add(one.counts)
    return chooser


def at_random(core: Core, scenario: Scenario, seeds: range, counts: Counts) -> None:
    """Random schedules, one a seed."""
    for seed in seeds:
        play(core, scenario, ByChance(seed, scenario), counts)


def plans(core: Core, scenario: Scenario, counts: Counts, depth: int = 2, most: int | None = None) -> None:
    """Every schedule with at most `depth` departures from the plain course, at most one of them a crash, a sleep or a
    fault; or `most` of the deepest ones and twice as many of those before, evenly spread."""
    level: list[dict[int, str]] = [{}]
    for remaining in range(depth, -1, -1):
        following: list[dict[int, str]] = []
        limit = len(level) if most is None else most * (2 if remaining else 1)
        spread = level if len(level) <= limit else _spread(level, limit)
        for schedule in spread:
            chooser = ByPlan(schedule, scenario)
            play(core, scenario, chooser, counts)
            if remaining:
                following += _deeper(schedule, chooser.options)
        level = following


def _deeper(schedule: dict[int, str], options: Sequence[tuple[int, str]]) -> Iterator[dict[int, str]]:
    disturbed = any(not word.startswith(">") for word in schedule.values())
    for index, word in options:
        if not (disturbed and not word.startswith(">")):
            yield {**schedule, index: word}


def _spread(schedules: list[dict[int, str]], most: int) -> list[dict[int, str]]:
    return [schedules[index * len(schedules) // most] for index in range(most)]
