"""`connections link`: how one user of a credential stands, and, on a terminal alone, what a person needs to go on there."""

import os
import sys
from collections.abc import Callable, Mapping

from operations.people import parts
from operations.results import Said
from operations.screen import printable
from operations.session import Session
from providers.core.errors import ConnectionsError, PersonNeeded, Refused
from providers.core.redaction import Public
from providers.core.standing import standing
from providers.core.toolbox import link_kind_of, user_of
from providers.declarations import Connection, DeclaredLink
from providers.declarations.names import shown
from providers.inputs import consumer_inputs

ONLY_THERE = "what a person goes on with is shown on a terminal only, never where output is kept"


def declared_link(session: Session, name: str) -> tuple[Connection, DeclaredLink]:
    """The declared link of a full name."""
    full, link = parts(name)
    connection = session.stack.connection(full)
    found = next((declared for declared in connection.links if declared.name == link), None)
    if found is None:
        what = f"{full} declares no link {shown(link)}" if link else "store/connection/link is to be named"
        raise ConnectionsError(what, do="See `connections status`")
    return connection, found


def terminal(session: Session, environ: Mapping[str, str], refusal: str) -> Callable[[str], None]:
    """Shows a text to the person at the terminal, past everything that records or filters; refused, in these words, where
    output is kept."""
    kept = environ.get("CI") or session.screen.as_json or not (sys.stdin.isatty() and sys.stdout.isatty())
    if kept:
        raise Refused(refusal, do="Run it yourself, on a terminal")

    def show(text: str) -> None:
        sys.stdout.write(f"\n{printable(text)}\n\n")
        sys.stdout.flush()

    return show


def link(session: Session, name: str, *, show: bool) -> Said:
    """How a link stands; with `show`, what its person follows and fills in. That reads the secret: role apply."""
    connection, declared = declared_link(session, name)
    inputs = consumer_inputs(session.project, session.stack, connection, declared)
    book = session.toolbox.link_operation(inputs).book
    journal, _ = book.journal()
    entry = journal.link(declared.name, declared.was) if journal is not None else None
    current = journal.current if journal is not None else None
    if not show:
        stands = standing(name, entry, current, user_of(inputs))
        generation = f", generation {entry.acknowledged}" if entry is not None and entry.acknowledged else ""
        awaited = stands.state in {"awaiting_person", "waiting_for_vendor"}
        lines = (f"{name}: {stands.state}{generation}", *filter(None, (stands.drift, *stands.reasons)))
        return Said(lines, PersonNeeded.exit_code if awaited else 2 if stands.drift else 0)
    fields = link_kind_of(inputs).shown
    if not fields:
        raise ConnectionsError(
            f"no person goes on at {declared.to!r} by a link", do="See `connections status`", where=name
        )
    display = terminal(session, os.environ, ONLY_THERE)
    if entry is None or entry.inbound_generation != entry.connecting or entry.acknowledged == entry.connecting:
        raise ConnectionsError("nothing waits for a person here", do="See `connections status`", where=name)
    received = book.received(entry.inbound) or {}
    values = {
        **{field: received[field] for field in fields if field in received},
        **{word: Public(text) for word, text in book.published().public.items()},
        **book.kept(entry.connecting).values,
    }
    display("\n".join(f"{word}: {value.reveal()}" for word, value in values.items()))
    return Said((f"{name}: generation {entry.connecting} waits. When it is done, run `pulumi up`.",))
