"""`connections confirm` and `forget-link`: what only a person can know, put on record."""

from operations.results import Said
from operations.session import Session
from operations.work import checked_reason, operation_of
from providers.core import people
from providers.core.errors import ConnectionsError


def parts(name: str) -> tuple[str, str]:
    """The connection and the link of a full name; the link is empty where only a connection is named."""
    store, _, rest = name.partition("/")
    connection, _, link = rest.partition("/")
    return f"{store}/{connection}", link


def confirm(session: Session, name: str, *, deleted: int | None, reason: str, by: str, generation: int | None) -> Said:
    """A key number was deleted by hand, or a link's user works with its generation."""
    connection, link = parts(name)
    if link and by and deleted is None and not reason:
        who = checked_reason(by, "--by")
        people.confirm_link(operation_of(session, connection), link, who, generation)
        return Said(
            (f"{name}: confirmed", "Run `pulumi up`, or wait for the next `rotate --due`: the old key can retire.")
        )
    if not link and deleted is not None and reason and not by and generation is None:
        people.confirm_deleted(operation_of(session, connection), deleted, checked_reason(reason))
        return Said((f"{name}: key number {deleted} is noted as deleted", "Run `pulumi up`: it sees that it is dead."))
    raise ConnectionsError(
        "confirm takes store/connection with --deleted and --reason, or store/connection/link with --by, maybe --generation",
        do="See `connections confirm --help`",
    )


def forget_link(session: Session, name: str, *, reason: str) -> Said:
    """A link's consumer is gone for good."""
    connection, link = parts(name)
    if not link:
        raise ConnectionsError("forget-link takes store/connection/link", do="See `connections status`")
    void = session.toolbox.vault.wrapping().void
    people.forget_link(operation_of(session, connection), link, checked_reason(reason), void)
    return Said((f"{name}: forgotten", "Take it out of its file if it still stands there, then run `pulumi up`."))
