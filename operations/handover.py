"""`connections handover` and `receive`: what goes to somebody outside, and what the vendor gives in return."""

import os
from collections.abc import Mapping

from operations.application import given_path
from operations.link import declared_link, terminal
from operations.results import Said
from operations.session import Session
from operations.values import check_deletable, delete_file, read_values
from operations.work import checked_reason
from providers.core import people
from providers.core.errors import ConnectionsError, PersonNeeded
from providers.core.links import LinkRun
from providers.core.toolbox import link_kind_of
from providers.inputs import consumer_inputs

ONLY_THERE = "a hand-over is shown on a terminal only, never where output is kept"


def handover(session: Session, name: str, *, again: bool, reason: str, show: bool) -> Said:
    """Hand a credential over: by mail where the stack can, else on this terminal. It reads the secret: role apply."""
    if again != bool(reason):
        raise ConnectionsError(
            "a repeated hand-over takes --again and --reason", do="See `connections handover --help`"
        )
    why = checked_reason(reason) if again else ""
    connection, link = declared_link(session, name)
    inputs = consumer_inputs(session.project, session.stack, connection, link)
    operation = session.operation(connection)
    run = session.toolbox.link_run(inputs, operation=operation, again=why)
    terms = run.handover.terms if run.handover is not None else None
    if run.handover is None or terms is None:
        raise ConnectionsError(f"nothing is handed over to {link.to!r}", do="It reads Vault itself", where=name)
    if show or not terms.by_mail(mails=run.handover.courier.mails):
        shown = terminal(session, os.environ, ONLY_THERE)
        run = session.toolbox.link_run(inputs, operation=operation, again=why, show=shown)
    before = _receipt(run)
    outcome = run.connect(again=again)
    receipt = outcome.entry.receipt if outcome.entry is not None else {}
    problem = outcome.problems[0] if outcome.problems else None
    if receipt.get("sent_at") in {None, before.get("sent_at")}:
        if problem is not None:
            raise problem
        if not receipt.get("sent_at"):
            raise PersonNeeded(
                "its user has it without a hand-over, by a person's word",
                do=f"To hand it over all the same: `connections handover {name} --again --reason TEXT`",
            )
        words = f"{name}: generation {receipt['generation']} was handed over on {receipt['sent_at'][:16]} already"
        repeat = "for another reason" if again else "and void the earlier one"
        return Said((words, f"To repeat it {repeat}: `connections handover {name} --again --reason TEXT`"))
    lines = [f"{name}: generation {receipt['generation']} is handed over by {receipt['by']}"]
    if receipt.get("earlier") == "opened":
        lines.append("The earlier one was opened. If not by its receiver, the key is in other hands:")
        lines.append(f"  connections rotate {connection.name} --compromised --reason TEXT")
    if problem is not None:
        return Said((*lines, str(problem)), problem.exit_code)
    return Said((*lines, *outcome.person))


def _receipt(run: LinkRun) -> Mapping[str, object]:
    journal, _ = run.book.journal()
    entry = journal.links.get(run.name) if journal is not None else None
    return entry.receipt if entry is not None else {}


def receive(session: Session, name: str, *, file: str, delete: bool) -> Said:
    """Put in what a link's vendor gave in return."""
    if delete and not file:
        raise ConnectionsError("--delete goes with --file", do="See `connections receive --help`")
    path = given_path(file, os.environ) if file else None
    if path is not None and delete:
        check_deletable(path, file)
    connection, link = declared_link(session, name)
    inputs = consumer_inputs(session.project, session.stack, connection, link)
    kind = link_kind_of(inputs)
    if not kind.inbound_fields:
        raise ConnectionsError(f"{link.to!r} gives nothing in return", where=name)
    operation = session.toolbox.link_operation(inputs)
    # Before anything is asked of a person.
    people.check_receivable(operation, link.name)
    people.receive(operation, link.name, read_values(kind.inbound_fields, path, kind.parse))
    lines = (f"{name}: its vendor's values are in Vault", "Run `pulumi up`: it checks them.")
    if path is None:
        return Said(lines)
    if not delete:
        return Said((*lines, f"Delete {file}: secrets stand in it."))
    left = delete_file(path, file)
    return Said((*lines, left), PersonNeeded.exit_code) if left else Said(lines)
