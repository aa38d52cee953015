"""What the scripted people of the sandbox are to do, as the journals tell, and their doing it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from operations.local import owners, receivers
from operations.local.owners import forget_downloads
from operations.local.place import STACK
from operations.local.receivers import READERS, Letter
from operations.local.world import World
from operations.screen import Screen
from operations.session import Session
from operations.sheet import Awaited, sheet
from providers.core.journal import Journal, LinkEntry
from providers.core.toolbox import Toolbox, link_kind_of
from providers.declarations import Connection, DeclaredLink
from providers.inputs import consumer_inputs

AWAY: Final = frozenset(
    {
        "westside/dispatch",
        "westside-sites/sites",
        "acme-outdoor/unified",
        "old-mill/product-hub",
        "northside-coop/old-mill",
    }
)
"""Connections whose people have not come yet: one of each kind stays awaited."""


@contextmanager
def _session(world: World) -> Iterator[Session]:
    """What the command's functions take, for a look into the journals as a person who reads no secret."""
    session = Session(world.place.root, Screen(), STACK, lambda: Toolbox(world.environment("operator")))
    try:
        yield session
    finally:
        session.close()


def do_their_part(world: World) -> bool:
    """Do what is asked of those who are here, as far as it can be done now; whether anything was done."""
    with _session(world) as session:
        played = tuple(task for task in _asked(session) if task.name not in AWAY)
        letters = list(_unanswered(session))
        links = list(_to_follow(session))
    forget_downloads(world, played)
    made = [owners.make(world, task) for task in played if task.task == "make"]
    deleted = [owners.delete(world, task) for task in played if task.task == "delete"]
    if any(deleted):
        # Asks about every key that is to be dead; that somebody is awaited elsewhere is no failure.
        world.connections("apply", "rotate", "--due")
    for letter in letters:
        READERS[letter.link.to](world, letter)
    for name in links:
        receivers.follow(world, name)
    return any([*made, *deleted, *letters, *links])


def leave(world: World) -> bool:
    """Do what is still asked when everything ends, at every store: keys are deleted, and what was never put in is given
    up; whether anything was asked."""
    with _session(world) as session:
        asked = _asked(session)
    for task in asked:
        owners.delete(world, task)
        if task.task == "make":
            world.must("operator", "capture", task.name, "--lost", "--reason", "the sandbox is taken down")
    forget_downloads(world, ())
    return bool(asked)


def _asked(session: Session) -> tuple[Awaited, ...]:
    """What waits for a person, each as its sheet says it; not what no run has asked for yet."""
    declared = {connection.name: connection for connection in session.stack.connections}
    sheets = sheet(session, "", form="text").sheets
    return tuple(task for task in sheets if task.name not in declared or _open_journal(session, declared[task.name]))


def _open_journal(session: Session, connection: Connection) -> Journal | None:
    journal, _ = session.operation(connection).book.journal()
    return journal if journal is not None and journal.phase != "closed" else None


def _entries(session: Session) -> Iterator[tuple[Connection, DeclaredLink, LinkEntry]]:
    """The links of those who are here that wait for something."""
    for connection in session.stack.connections:
        journal = _open_journal(session, connection) if connection.name not in AWAY else None
        for link in connection.links if journal is not None else ():
            entry = journal.links.get(link.name) if journal is not None else None
            if entry is not None and entry.acknowledged != entry.connecting:
                yield connection, link, entry


def _unanswered(session: Session) -> Iterator[Letter]:
    """What was sent, and neither answered nor taken over."""
    for connection, link, entry in _entries(session):
        sent = bool(entry.receipt.get("sent_at")) and entry.receipt.get("generation") == str(entry.connecting)
        if link.to in READERS and sent and entry.inbound_generation != entry.connecting:
            name = f"{connection.name}/{link.name}"
            yield Letter(name, connection.store.name, link, entry.connecting, not entry.inbound)


def _to_follow(session: Session) -> Iterator[str]:
    """The links that somebody is to follow."""
    for connection, link, entry in _entries(session):
        kind = link_kind_of(consumer_inputs(session.project, session.stack, connection, link))
        if kind.shown and entry.inbound_generation == entry.connecting:
            yield f"{connection.name}/{link.name}"
