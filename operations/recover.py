"""`connections recover`: Vault was restored from an older copy, and the store has keys of ours that it does not know."""

from collections.abc import Iterable
from dataclasses import dataclass

from operations.results import Block
from operations.screen import table
from operations.session import Session
from operations.work import checked_reason, operation_of
from providers.core import marker, people
from providers.core.errors import ConnectionsError


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A key of ours at the store that Vault does not know."""

    number: int
    key_id: str
    tail: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """What Vault does not know, and whether that was settled now."""

    name: str
    unknown: tuple[UnknownKey, ...]
    done: bool

    @property
    def exit_code(self) -> int:
        """2 while there are unknown keys and nobody said yes."""
        return 2 if self.unknown and not self.done else 0

    def shown(self) -> Iterable[Block]:
        """The keys, and what to do."""
        rows = [(str(key.number), key.key_id, key.tail, key.purpose) for key in self.unknown]
        yield from table(("number", "key", "ends in", "purpose"), rows)
        if not self.unknown:
            yield f"{self.name}: Vault knows every key of ours at the store"
        elif self.done:
            yield f"{self.name}: these keys are to be revoked, and a fresh one is to be made"
            yield "Run `pulumi up`: it does both, and moves the links."
        else:
            yield f"{self.name}: Vault does not know these keys; who uses them stops working when they are revoked"
            yield f"If they are to go, run `connections recover {self.name} --yes --reason TEXT`, then `pulumi up`."


def recover(session: Session, name: str, *, yes: bool, reason: str) -> Recovered:
    """Show the unknown keys; with a yes, decide that they end."""
    if yes != bool(reason):
        raise ConnectionsError("recover takes --yes and --reason together, or neither", do="Look first, without")
    operation = operation_of(session, name)
    found = people.unknown_keys(operation)
    if found and yes:
        people.recover(operation, [entry.number for entry in found], checked_reason(reason))
    keys = tuple(
        UnknownKey(entry.number, entry.key.key_id, entry.key.tail, marker.strip(entry.key.label)) for entry in found
    )
    return Recovered(name, keys, done=bool(keys) and yes)
