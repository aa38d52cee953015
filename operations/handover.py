"""`connections handover` and `receive`: what goes to somebody outside, and what the vendor gives in return."""

import os
import sys
from collections.abc import Callable, Mapping

from operations.application import given_path
from operations.people import parts
from operations.results import Said
from operations.session import Session
from operations.values import read_values
from operations.work import checked_reason
from providers.core import kinds, people
from providers.core.errors import ConnectionsError, Refused
from providers.core.links import LinkRun
from providers.declarations import Connection, DeclaredLink
from providers.inputs import consumer_inputs


def _link(session: Session, name: str) -> tuple[Connection, DeclaredLink]:
    """The declared link of a full name."""
    full, link = parts(name)
    connection = session.stack.connection(full)
    found = next((declared for declared in connection.links if declared.name == link), None)
    if found is None:
        raise ConnectionsError(f"{full} declares no link {link or 'of no name'}", do="See `connections status`")
    return connection, found


def handover(session: Session, name: str, *, again: bool, reason: str, show: bool) -> Said:
    """Hand a credential over: by mail where the stack can, else on this terminal."""
    if again != bool(reason):
        raise ConnectionsError(
            "a repeated hand-over takes --again and --reason", do="See `connections handover --help`"
        )
    connection, link = _link(session, name)
    inputs = consumer_inputs(session.project, session.stack, connection, link)
    if not kinds.link(link.to).what:
        raise ConnectionsError(f"nothing is handed over to {link.to!r}", do="It reads Vault itself", where=name)
    mailed = bool(inputs.get("mail")) and inputs.get("handover") != "person" and bool(inputs.get("recipient"))
    why = checked_reason(reason) if again else ""
    terminal = None if mailed and not show else _terminal(os.environ)
    operation = session.operation(connection)
    run = session.toolbox.link_run(inputs, operation=operation, again=why, show=terminal)
    before = _receipt(run)
    outcome = run.connect(again=again)
    if outcome.problems:
        raise outcome.problems[0]
    receipt = outcome.entry.receipt if outcome.entry is not None else {}
    if not receipt.get("sent_at"):
        raise Refused("it was not handed over", do=" ".join(outcome.person), where=name)
    if receipt == before:
        words = f"{name}: generation {receipt['generation']} was handed over on {receipt['sent_at'][:16]} already"
        return Said((words, "To repeat it and void the earlier one: --again --reason TEXT"))
    lines = [f"{name}: generation {receipt['generation']} is handed over by {receipt['by']}"]
    if receipt.get("earlier") == "opened":
        lines.append("The earlier one was opened. If not by its receiver, the key is in other hands:")
        lines.append(f"  connections rotate {connection.name} --compromised --reason TEXT")
    return Said((*lines, *outcome.person))


def _receipt(run: LinkRun) -> Mapping[str, object]:
    journal, _ = run.book.journal()
    entry = journal.links.get(run.name) if journal is not None else None
    return entry.receipt if entry is not None else {}


def _terminal(environ: Mapping[str, str]) -> Callable[[str], None]:
    """Shows a text to the person at the terminal, past everything that records or filters."""
    if environ.get("CI") or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused(
            "a hand-over is shown on a terminal only, never where output is kept", do="Run it yourself, on a terminal"
        )

    def show(text: str) -> None:
        sys.stdout.write(f"\n{text}\n")
        sys.stdout.flush()

    return show


def receive(session: Session, name: str, *, file: str, delete: bool) -> Said:
    """Put in what a link's vendor gave in return."""
    if delete and not file:
        raise ConnectionsError("--delete goes with --file", do="See `connections receive --help`")
    connection, link = _link(session, name)
    kind = kinds.link(link.to)
    if not kind.inbound_fields:
        raise ConnectionsError(f"{link.to!r} gives nothing in return", where=name)
    path = given_path(file, os.environ) if file else None
    values = read_values(kind.inbound_fields, path, kind.parse)
    inputs = consumer_inputs(session.project, session.stack, connection, link)
    people.receive(session.toolbox.link_operation(inputs), link.name, values)
    lines = [f"{name}: its vendor's values are in Vault", "Run `pulumi up`: it checks them."]
    if path is not None and delete:
        path.unlink()
    elif path is not None:
        lines.append(f"Delete {file}: secrets stand in it.")
    return Said(tuple(lines))
