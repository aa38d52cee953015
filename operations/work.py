"""What commands that reach Vault and stores have in common."""

from dataclasses import dataclass

from operations.session import Session
from providers.core.due import Wish
from providers.core.errors import ConnectionsError, DeclarationError
from providers.core.journal import Book
from providers.core.ledger import restored
from providers.core.marker import Owner
from providers.core.operation import Operation
from providers.core.toolbox import wish_of
from providers.declarations import Connection
from providers.declarations.values import line
from providers.inputs import ledger_inputs


def wish(session: Session, connection: Connection) -> Wish:
    """What is declared, as the loop takes it."""
    return wish_of(session.inputs(connection), session.toolbox.clock())


def operation_of(session: Session, name: str) -> Operation:
    """An operation on a connection that is declared, or that Vault still knows from before."""
    try:
        return session.operation(session.stack.connection(name))
    except DeclarationError:
        owner = Owner(session.project, session.stack.name, name)
        inputs = ledger_inputs(session.project, session.stack)
        well_formed = len([part for part in name.split("/") if part]) == 2
        journal = Book(session.toolbox.documents(inputs), owner).peek()[0] if well_formed else None
        if journal is None:
            raise
        return session.toolbox.operation(restored(inputs, owner, journal))


def vault_path(session: Session, name: str) -> str:
    """Where a connection's credential is read in Vault."""
    return f"{session.stack.settings.vault.mount}/{session.project}/{session.stack.name}/{name}/credential"


def checked_reason(text: str, option: str = "--reason") -> str:
    """A person's reason as it goes on record: one line that says something."""
    try:
        return line(text)
    except ValueError as error:
        raise ConnectionsError(f"{option}: {error}", do="Say it in one line; it stands on record") from None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something could not be done or seen, with the exit code that goes with it."""

    words: str
    exit_code: int

    @classmethod
    def of(cls, error: ConnectionsError) -> "Failure":
        """An error as a value."""
        return cls(str(error), error.exit_code)
