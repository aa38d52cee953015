"""What commands that reach Vault and stores have in common."""

from dataclasses import dataclass

from operations.session import Session
from providers.core.due import Wish
from providers.core.errors import ConnectionsError, CouldNotLook
from providers.core.toolbox import wish_of
from providers.declarations import Connection


def wish(session: Session, connection: Connection) -> Wish:
    """What is declared, as the loop takes it."""
    return wish_of(session.inputs(connection), session.toolbox.clock())


def vault_path(session: Session, name: str) -> str:
    """Where a connection's credential is read in Vault."""
    return f"{session.stack.settings.vault.mount}/{session.project}/{session.stack.name}/{name}/credential"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something could not be done or seen, with the exit code that goes with it."""

    words: str
    exit_code: int
    looked: bool

    @classmethod
    def of(cls, error: ConnectionsError) -> "Failure":
        """An error as a value: `looked` is false where nothing was learned."""
        return cls(str(error), error.exit_code, not isinstance(error, CouldNotLook))
