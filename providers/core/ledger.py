"""The ledger of a stack: what Vault and the stores hold against what is declared (design.md section 4).

A key made by a run that was killed, whose declaration then went, is in no engine state. It stands in Vault, and with our
marker at its store; the ledger finds it there, shows it as drift, and ends it on the next `up`. Nothing is revoked for
being unknown: a key that Vault never heard of is only reported.
"""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from providers.core import kinds, loop, marker
from providers.core.address import host_of
from providers.core.contract import Documents, Selector
from providers.core.errors import ConnectionsError, Refused, VaultConflict, VaultDenied, VaultError
from providers.core.journal import Book, Journal, LinkEntry
from providers.core.marker import Marked, Owner
from providers.core.observe import gone
from providers.core.operation import Operation
from providers.core.people import forget_link
from providers.core.toolbox import Inputs, Toolbox, kind_of

OVERRIDE = "CONNECTIONS_OVERRIDE"
"""The environment variable that permits, at apply, to end or renew this many credentials at once."""

FEW = 10
"""Under so many credentials the share that needs an override is all of them, and otherwise a third."""

WORKERS = 8
"""Stores and journals looked at side by side."""


@dataclass(frozen=True, slots=True)
class Held:
    """One connection that Vault knows: its journal, and whether it is declared."""

    owner: Owner
    journal: Journal
    declared: bool


# --- rails ---


def touched(before: Mapping[str, Any], declared: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The connections that a change of declarations ends, and those it renews. A note that was taken out renews nothing."""
    ended = tuple(sorted(before.keys() - declared.keys()))
    noted = {name: note for name, note in declared.items() if note and name in before}
    renewed = tuple(sorted(name for name, note in noted.items() if before[name] != note))
    return ended, renewed


def too_much(before: Mapping[str, Any], declared: Mapping[str, Any], already: int = 0) -> str:
    """Why a change ends or renews too much at once, in words; empty where it does not or was permitted by `OVERRIDE`.

    `already` are those of the same day.
    """
    ended, renewed = touched(before, declared)
    count, whole = len(ended) + len(renewed), len(before)
    limit = _limit(whole)
    if count == 0 or whole < 2 or count + already <= limit:
        return ""
    if _permitted(count):
        return ""
    names = ", ".join((*ended, *renewed)[:FEW]) + (", ..." if count > FEW else "")
    today = f", after {already} today" if already else ""
    return (
        f"this ends {len(ended)} and renews {len(renewed)} of {whole} credentials{today} ({names}); "
        f"if that is meant, run with {OVERRIDE}={count}"
    )


def _limit(whole: int) -> int:
    return whole // 3 if whole >= FEW else whole - 1


def _permitted(count: int) -> bool:
    permitted = os.environ.get(OVERRIDE, "")
    return permitted.isdecimal() and int(permitted) >= count


def refuse_mass_end(toolbox: Toolbox, inputs: Inputs, leave: Collection[str]) -> None:
    """Refuse to end, as strays, most of what Vault holds: so it looks where the engine's state was lost, or where an old
    branch is applied, and nobody said that these connections are no longer wanted."""
    doomed = [held for held in _wanted(toolbox, inputs, leave) if held.journal.in_state("current", "superseded")]
    count, whole = len(doomed), len(doomed) + len(inputs["declared"])
    if whole < 2 or count <= _limit(whole) or _permitted(count):
        return
    names = ", ".join(held.owner.connection for held in doomed[:FEW]) + (", ..." if count > FEW else "")
    raise Refused(
        f"{count} connections that Vault holds are not declared here, and {whole - count} are ({names}); "
        f"if they are to be ended, run with {OVERRIDE}={count}"
    )


def count_today(toolbox: Toolbox, inputs: Inputs, before: Mapping[str, Any]) -> None:
    """Keep the day's count in Vault, and refuse where many small changes come to too much."""
    ended, renewed = touched(before, inputs["declared"])
    if not ended and not renewed:
        return
    documents, today = toolbox.documents(inputs), toolbox.clock().date().isoformat()
    while True:
        kept = documents.read("_ledger")
        same_day = kept.state == "present" and kept.data.get("day") == today
        # By name: a run that failed and is repeated touches nothing more.
        earlier = set(str(kept.data.get("touched", "")).split()) if same_day else set()
        now = {*ended, *renewed}
        refusal = too_much(before, inputs["declared"], len(earlier - now))
        if refusal:
            raise Refused(refusal)
        try:
            documents.write("_ledger", {"day": today, "touched": " ".join(sorted(earlier | now))}, cas=kept.version)
        except VaultConflict:
            continue
        return


# --- what is there ---


def held(documents: Documents, inputs: Inputs, *, undeclared_only: bool = False) -> tuple[Held, ...]:
    """Every connection of the stack that Vault has a journal of, sorted by name."""
    names = [
        f"{store}{connection.rstrip('/')}"
        for store in documents.list("")
        if store.endswith("/") and not store.startswith("_")
        for connection in documents.list(store.rstrip("/"))
    ]
    wanted = [name for name in sorted(names) if not (undeclared_only and name in inputs["declared"])]
    with ThreadPoolExecutor(WORKERS) as pool:
        # A name that only notes where a renamed connection is gives the same journal once more.
        found = {
            held.owner.connection: held for held in pool.map(lambda n: _held(documents, inputs, n), wanted) if held
        }
    return tuple(found.values())


def _held(documents: Documents, inputs: Inputs, name: str) -> Held | None:
    book = Book(documents, Owner(inputs["project"], inputs["stack"], name))
    journal, _ = book.peek()
    if journal is None:
        return None
    return Held(book.owner, journal, not inputs["declared"].keys().isdisjoint({name, journal.known_as}))


def at_stores(toolbox: Toolbox, inputs: Inputs) -> tuple[Marked, ...]:
    """Every key at the declared stores that carries a marker of this stack. A store that is down, or whose login may not be
    read, is left out: its own connections say so."""
    selector = Selector(marker.stack_prefix(inputs["project"], inputs["stack"]), details=False)

    def one(store: Mapping[str, Any]) -> Sequence[Marked]:
        try:
            issuer = toolbox.issuer({**_common(inputs), **store, **_host_words(inputs, store)})
            if not issuer.capabilities.lists:
                return ()
            return marker.read(toolbox.keyring(inputs), issuer.find(selector, fresh=False))
        except VaultDenied:
            return ()
        except VaultError:
            raise
        except ConnectionsError:
            return ()

    with ThreadPoolExecutor(WORKERS) as pool:
        return tuple(found for marks in pool.map(one, inputs["stores"].values()) for found in marks)


def _host_words(inputs: Inputs, store: Mapping[str, Any]) -> dict[str, Any]:
    """What `_stack.yaml` says about the host that calls for a store go to."""
    host = host_of(kind_of(store).place(store))
    return {"private_networks": inputs["private"].get(host, []), "ca_file": inputs["ca_file"]}


def _common(inputs: Inputs) -> dict[str, Any]:
    return {name: inputs[name] for name in ("project", "stack", "vault")}


def _live(journal: Journal) -> str:
    numbers = journal.in_state("intended", "current", "superseded", "retiring", "abandoned")
    parts = [f"generation {number} is {journal.generations[number].state}" for number in numbers]
    parts += [f"link {name} is {entry.state}" for name, entry in sorted(journal.links.items())]
    return ", ".join(parts) or "nothing was made yet"


def _undeclared(toolbox: Toolbox, inputs: Inputs) -> tuple[tuple[Held, ...], tuple[Marked, ...]]:
    """What is ours, not declared and not at its end; and the keys that Vault never heard of."""
    known = {found.owner.connection: found for found in held(toolbox.documents(inputs), inputs, undeclared_only=True)}
    declared = inputs["declared"].keys() | {name for name, found in known.items() if found.declared}
    known = {name: found for name, found in known.items() if not found.declared}
    marks = [
        mark
        for mark in _opening(at_stores(toolbox, inputs), known)
        if (mark.owner.project, mark.owner.stack) == (inputs["project"], inputs["stack"])
        and mark.owner.connection not in declared
    ]
    alive_at_stores = {mark.owner.connection for mark in marks}
    open_ones = tuple(
        found for name, found in known.items() if found.journal.phase != "closed" or name in alive_at_stores
    )
    unknown = tuple(
        mark
        for mark in marks
        if mark.owner.connection not in known or mark.number >= known[mark.owner.connection].journal.next
    )
    return open_ones, unknown


def _opening(marks: Iterable[Marked], known: Mapping[str, Held]) -> list[Marked]:
    """Keys but those that only stay listed: a journal says that they open nothing any more."""
    residual = {name: found.journal.residual for name, found in known.items()}
    return [mark for mark in marks if residual.get(mark.owner.connection, {}).get(mark.key.key_id) != mark.key.tail]


def strays(toolbox: Toolbox, inputs: Inputs) -> tuple[str, ...]:
    """What the next `up` ends, in words."""
    found, unknown = _undeclared(toolbox, inputs)
    forgotten = {mark.owner.connection for mark in unknown}
    return tuple(
        f"{held.owner.connection} is not declared: {_live(held.journal)}"
        for held in found
        if held.owner.connection not in forgotten
        and (not _awaits_person(held.journal) or _seems_gone(toolbox, inputs, held))
    )


def _seems_gone(toolbox: Toolbox, inputs: Inputs, held: Held) -> bool:
    """Whether somebody seems to have done what only a person can, so that the next run can prove it."""
    try:
        operation = toolbox.operation(restored(inputs, held.owner, held.journal))
        return bool(gone(operation, held.journal))
    except ConnectionsError:
        return False


def pending(toolbox: Toolbox, inputs: Inputs) -> tuple[str, ...]:
    """What only a person can end, in words: no drift, but kept in sight."""
    found, unknown = _undeclared(toolbox, inputs)
    words = [
        f"{held.owner.connection} waits for a person: {_live(held.journal)}"
        for held in found
        if _awaits_person(held.journal)
    ]
    words += [
        f"{mark.owner.connection}: the store has key {mark.key.key_id} (number {mark.number}), which Vault does not know; "
        f"look with `connections recover {mark.owner.connection}`"
        for mark in unknown
    ]
    return tuple(words)


_A_PERSONS = "; only a person can end it: `connections status` says how"


def _awaits_person(journal: Journal) -> bool:
    """Whether its end is decided and only a person can finish it."""
    left = [journal.generations[number] for number in journal.in_state("retiring", "abandoned", "intended")]
    return journal.phase == "closing" and any(g.made_by == "person" and not g.confirmed for g in left)


# --- ending ---


def end_strays(toolbox: Toolbox, inputs: Inputs, leave: Collection[str]) -> tuple[str, ...]:
    """End what is ours and not declared, but what the engine is about to end itself (`leave`); what could not be ended,
    in words. What is ended by the credential of another goes before that one."""
    doomed = sorted(_wanted(toolbox, inputs, leave), key=lambda held: not _needs(held.journal))
    return tuple(problem for held in doomed for problem in _end(toolbox, inputs, held))


def _needs(journal: Journal) -> bool:
    try:
        return bool(kinds.credential(journal.platform).needs)
    except kinds.UnknownKind:
        return False


def _wanted(toolbox: Toolbox, inputs: Inputs, leave: Collection[str]) -> list[Held]:
    found, unknown = _undeclared(toolbox, inputs)
    forgotten = {mark.owner.connection for mark in unknown}
    return [held for held in found if held.owner.connection not in forgotten and held.owner.connection not in leave]


def unlink(toolbox: Toolbox, inputs: Inputs, operation: Operation, journal: Journal | None) -> None:
    """Clear the users in a journal, each as it was connected. Whoever only reads Vault is taken out: there is nothing to
    clear. One of which too little is known stays, and blocks the end."""
    for link, entry in sorted(journal.links.items()) if journal is not None else ():
        if entry.reads:
            forget_link(operation, link, "its connection ends")
        elif entry.words:
            _unlink(toolbox, inputs, operation, link, entry)


def _unlink(toolbox: Toolbox, inputs: Inputs, operation: Operation, link: str, entry: LinkEntry) -> tuple[str, ...]:
    """Clear one user; what a person is left to do there."""
    made = {**_common(inputs), "connection": operation.book.name, "link": link, **entry.words}
    outcome = toolbox.link_run(made, operation=operation).disconnect()
    if outcome.problems:
        raise outcome.problems[0]
    return outcome.told


def end_links(toolbox: Toolbox, inputs: Inputs, names: Iterable[str]) -> tuple[str, ...]:
    """Clear the users of these full names, which nobody declares; what could not be done or is left to do, in words."""
    words: list[str] = []
    for name in names:
        connection, _, link = name.rpartition("/")
        try:
            book = Book(toolbox.documents(inputs), Owner(inputs["project"], inputs["stack"], connection))
            journal, _ = book.journal()
            entry = journal.links.get(link) if journal is not None else None
            if journal is None or entry is None:
                continue
            operation = toolbox.operation({**restored(inputs, book.owner, journal), "connection": connection})
            words += [_placed(name, line) for line in _unlink(toolbox, inputs, operation, link, entry)]
        except ConnectionsError as error:
            words.append(_placed(name, error))
    return tuple(words)


def restored(inputs: Inputs, owner: Owner, journal: Journal) -> dict[str, Any]:
    """The inputs of a connection that is declared no more, as far as its journal knows them: enough to end it."""
    platform, _, kind = journal.platform.partition("/")
    latest = journal.generations[max(journal.generations)] if journal.generations else None
    identity = kinds.credential(journal.platform).identity
    store = {"platform": platform, "kind": kind, identity: journal.store, **journal.inputs}
    return {
        **_common(inputs),
        "connection": owner.connection,
        **store,
        **(latest.wished if latest is not None else {}),
        **_host_words(inputs, store),
    }


def _end(toolbox: Toolbox, inputs: Inputs, stray: Held) -> Iterable[str]:
    name = stray.owner.connection
    try:
        operation = toolbox.operation(restored(inputs, stray.owner, stray.journal))
        unlink(toolbox, inputs, operation, stray.journal)
        outcome = loop.destroy(operation)
    except ConnectionsError as error:
        return [_placed(name, error)]
    if outcome.journal is None or outcome.journal.phase == "closed" or outcome.person:
        return []
    return [_placed(name, reason) for reason in (*outcome.problems, *outcome.waiting)]


def _placed(name: str, reason: object) -> str:
    words = str(reason)
    return words if words.startswith(name) else f"{name}: {words}"


def alive(toolbox: Toolbox, inputs: Inputs) -> tuple[str, ...]:
    """Everything of the stack that is not at its end, in words; empty when nothing of ours is alive."""
    known = {found.owner.connection: found for found in held(toolbox.documents(inputs), inputs)}
    words = [
        f"{found.owner.connection}: {_live(found.journal)}{_A_PERSONS if _awaits_person(found.journal) else ''}"
        for found in known.values()
        if found.journal.phase != "closed"
    ]
    words += [
        f"{mark.owner.connection}: the store still has key {mark.key.key_id} (number {mark.number})"
        for mark in _opening(at_stores(toolbox, inputs), known)
    ]
    return tuple(words)
