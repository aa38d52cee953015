"""The people of the sandbox, scripted: owners of stores at their control panels, and the vendor's office with its mail.

They know what such people know: a sheet, a panel's login, a mail. What they learn goes in by the product's own commands.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from operations.local.place import STACK, LocalError, write_private
from operations.local.world import World, owner
from operations.screen import Screen
from operations.session import Session
from operations.sheet import Awaited, sheet
from providers.core.journal import LinkEntry
from providers.core.sheet import Table
from providers.core.toolbox import Toolbox
from providers.declarations import Connection
from sandbox.bigcommerce.visitor import Visitor
from sandbox.mail.reader import InterceptedError
from sandbox.stone_edge.office import Office

PLAYED: Final = frozenset({"acme-parts"})
"""Stores whose owner does what is asked. Whoever is asked at the others has not come yet."""

OFFICE: Final = "stone-edge"
"""The consumer whose vendor's office is here."""

_TITLE: Final = re.compile(r"the API account '([^']+)' at store")


@dataclass(frozen=True, slots=True)
class Letter:
    """What a vendor was sent for a link and has not said anything about; `recipient` is the vendor's address. `first` says
    that it has given no values in return for any generation yet."""

    name: str
    store: str
    recipient: str
    generation: int
    first: bool


@contextmanager
def _session(world: World) -> Iterator[Session]:
    """What the command's functions take, for a look into the journals as a person who reads no secret."""
    session = Session(world.place.root, Screen(), STACK, lambda: Toolbox(world.environment("operator")))
    try:
        yield session
    finally:
        session.close()


def do_their_part(world: World) -> bool:
    """Do what is asked of those who are played, as far as it can be done now; whether anything was done."""
    with _session(world) as session:
        played = [task for task in _asked(session) if _store(task) in PLAYED]
        letters = list(_unanswered(session))
    forget_downloads(world, played)
    made = [make(world, task) for task in played if task.task == "make"]
    deleted = [delete(world, task) for task in played if task.task == "delete"]
    if any(deleted):
        # Asks about every key that is to be dead; that somebody is awaited elsewhere is no failure.
        world.connections("apply", "rotate", "--due")
    return any([*made, *deleted, *(answer(world, letter) for letter in letters)])


def leave(world: World) -> bool:
    """Do what is still asked when everything ends, at every store: accounts are deleted, and what was never captured is
    given up; whether anything was asked."""
    with _session(world) as session:
        asked = _asked(session)
    for task in asked:
        delete(world, task)
        if task.task == "make":
            world.must("operator", "capture", task.name, "--lost", "--reason", "the sandbox is taken down")
    forget_downloads(world, ())
    return bool(asked)


def _asked(session: Session) -> tuple[Awaited, ...]:
    """What waits for a person, each as its sheet says it; not what no run has asked for yet."""
    declared = {connection.name: connection for connection in session.stack.connections}
    sheets = sheet(session, "", form="text").sheets
    return tuple(task for task in sheets if task.name not in declared or _is_open(session, declared[task.name]))


def _is_open(session: Session, connection: Connection) -> bool:
    journal, _ = session.operation(connection).book.journal()
    return journal is not None and journal.phase != "closed"


def _store(task: Awaited) -> str:
    return task.name.partition("/")[0]


# --- the owner ---


@contextmanager
def _visit(world: World, store: str) -> Iterator[Visitor]:
    """The owner of a store at its panel."""
    who = owner(world.place, store)
    with Visitor(who.panel, world.stores.ca, who.mail, who.password) as visitor:
        yield visitor


def _tell(world: World, task: Awaited, what: str) -> None:
    world.place.say(f"[bold]A scripted visitor plays the owner of {_store(task)} here[/]: {what}")


def account(task: Awaited) -> str:
    """The name of the account that a sheet is about."""
    found = _TITLE.search(task.sheet.title)
    if found is None:
        raise LocalError(f"{task.name}: its sheet names no account")
    return found[1]


def _rows(task: Awaited) -> Mapping[str, str]:
    """The rows of a sheet with their levels."""
    return {label: level for step in task.sheet.steps if isinstance(step, Table) for label, level in step.rows}


def make(world: World, task: Awaited) -> bool:
    """Make an account by its sheet, and hand its file over; whether that was done, as with its neighbours."""
    title, file = account(task), _download(world, task)
    _tell(world, task, f"makes {title!r} in the control panel, by its sheet")
    with _visit(world, _store(task)) as visitor:
        present = title in visitor.titles()
        if not (present and file.exists()):
            if present:
                # A run was killed before it kept the file, and values that were missed cannot be shown again.
                visitor.delete_account(title, every=True)
            write_private(file, visitor.create_account(title, _rows(task)).text)
    world.must("operator", "capture", task.name, "--file", str(file.relative_to(world.place.root)), "--delete")
    return True


def _download(world: World, task: Awaited) -> Path:
    """Where the visitor keeps the file that the panel downloads, until it is captured."""
    return world.place.state / "downloads" / f"{task.name.replace('/', '-')}-{task.number}.txt"


def forget_downloads(world: World, awaited: Iterable[Awaited]) -> None:
    """Delete the files that nobody waits for any more: a run was killed after it captured them."""
    wanted = {_download(world, task) for task in awaited}
    for file in (world.place.state / "downloads").glob("*.txt"):
        if file not in wanted:
            file.unlink()


def delete(world: World, task: Awaited) -> bool:
    """Delete the account of a sheet; False where it is not there."""
    title = account(task)
    with _visit(world, _store(task)) as visitor:
        if title not in visitor.titles():
            return False
        _tell(world, task, f"deletes {title!r} in the control panel")
        visitor.delete_account(title, every=True)
    return True


# --- the office ---


def _unanswered(session: Session) -> Iterator[Letter]:
    for connection in session.stack.connections:
        journal, _ = session.operation(connection).book.journal()
        for link in connection.links:
            entry = journal.links.get(link.name) if journal is not None and link.to == OFFICE else None
            if entry is not None and _awaits_answer(entry):
                name = f"{connection.name}/{link.name}"
                recipient = link.fields["recipient"]
                yield Letter(name, connection.store.name, recipient, entry.connecting, not entry.inbound)


def _awaits_answer(entry: LinkEntry) -> bool:
    """Whether the present generation was sent, and neither answered nor taken over."""
    sent = bool(entry.receipt.get("sent_at")) and entry.receipt.get("generation") == str(entry.connecting)
    return sent and entry.connecting not in {entry.acknowledged, entry.inbound_generation}


def answer(world: World, letter: Letter) -> bool:
    """Open what came by mail, and say what the vendor would say: the store's login, or that the new values are in use;
    whether that was done."""
    office = Office(
        world.stores.stone_edge, world.stores.mail, world.access.address, world.access.ca, address=letter.recipient
    )
    world.place.say(
        f"[bold]Scripted people play the vendor's office here[/]: open the mail to {letter.recipient}, and answer"
    )
    try:
        office.open_latest()
    except InterceptedError:
        world.place.say("It was opened before, by a run that was killed or by somebody else: it is handed over again")
        # One reason repeats it once.
        reason = f"opened by a run that gave no answer, seen at {datetime.now(UTC):%H:%M:%S.%f}"
        world.must("apply", "handover", letter.name, "--again", "--reason", reason)
        office.open_latest()
    if not letter.first:
        said = ("--by", letter.recipient, "--generation", str(letter.generation))
        world.must("operator", "confirm", letter.name, *said)
        return True
    given = office.answer(letter.store)
    lines = (
        f"Cart ID/Username: {given.cart_id}",
        f"Cart Password: {given.cart_password}",
        f"Script URL: {given.script_url}",
    )
    world.must("operator", "receive", letter.name, given="\n".join((*lines, "")))
    return True
