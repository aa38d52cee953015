"""The errors a user can meet: one short line each, what to do next, and the exit code that goes with it.

No message may hold a secret, a response body or a URL query. Raise with ``from None`` at a boundary where the cause could
print values it holds (protocol of design.md section 8).
"""

from typing import ClassVar


class ConnectionsError(Exception):
    """Base of every error of the product.

    `what` is one line in words; `do` is the next step for the reader; `where` is a place (`file:line:column`, a full
    connection name or a host). `str()` joins them to the one line that is shown.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, do: str = "", where: str = "") -> None:
        self.what, self.do, self.where = what, do, where
        super().__init__(what)

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line}. {self.do}" if self.do else line


# --- what a user wrote ---


class DeclarationError(ConnectionsError):
    """A declared file cannot be read or means something that cannot be done."""


class Refused(ConnectionsError):
    """A rail of core refused before anything was touched."""

    exit_code = 5


class PersonNeeded(ConnectionsError):
    """The next step is a person's."""

    exit_code = 4


class Incident(ConnectionsError):
    """A call that was to change nothing was carried out by a store: something may stand there that nobody ordered.

    Whatever was at work stops at once; a person looks before anything is asked again.
    """

    exit_code = 5


# --- stores and hubs ---


class StoreError(ConnectionsError):
    """A store or hub did not do what it was asked."""


class CouldNotLook(StoreError):
    """Nothing could be learned: neither success nor failure may be concluded."""

    exit_code = 3


class Unreachable(CouldNotLook):
    """No connection, no TLS, or no whole answer to a request that changes nothing, within the deadline."""


class Transient(CouldNotLook):
    """The store answered with a passing failure (5xx, 408): looking again later may work."""


class RateLimited(CouldNotLook):
    """The store asks to wait. `retry_after` is in seconds, or None where it did not say."""

    def __init__(self, what: str, *, do: str = "", where: str = "", retry_after: float | None = None) -> None:
        super().__init__(what, do=do, where=where)
        self.retry_after = retry_after


class UnclearOutcome(CouldNotLook):
    """A changing request was sent and its reply was lost: it may or may not have been carried out."""


class Unauthorized(StoreError):
    """The login or key is not accepted."""


class Forbidden(StoreError):
    """The login is accepted, its rights do not suffice."""


class Rejected(StoreError):
    """The store understood and refused: nothing was changed, the same request will be refused again."""


class Unexpected(StoreError):
    """The answer is not one we know; nothing is concluded from it."""


class AddressRefused(StoreError):
    """The address guard does not allow this host or address (design.md section 8)."""

    exit_code = 5


# --- Vault ---


class VaultError(CouldNotLook):
    """Vault could not be used; the words say why."""


class VaultUnreachable(VaultError):
    """Connection refused, reset, timed out or no trusted TLS."""


class VaultSealed(VaultError):
    """Vault is sealed or not initialised."""


class VaultDenied(VaultError):
    """The token is missing, expired or its policies do not allow this."""


class VaultRateLimited(VaultError):
    """A rate-limit quota of Vault (429)."""


class VaultStandby(VaultError):
    """This node cannot answer now: standby, replication lag (412, 429 on health, 472, 473)."""


class VaultUnclear(VaultError):
    """A write was sent and its reply was lost."""


class VaultConflict(ConnectionsError):
    """Check-and-set refused: somebody else wrote this document first."""


class VaultWrongPlace(VaultError):
    """The stack's sentinel is not readable: wrong mount, namespace or policy; "not found" proves nothing."""


# --- the protocol ---


class Superseded(ConnectionsError):
    """Another operation ended the incarnation or life this one belonged to; it stops."""


class VaultRolledBack(ConnectionsError):
    """A store knows more than Vault: Vault was restored from an older copy. Nothing is touched."""


class Blocked(ConnectionsError):
    """A step that is due cannot be done now; what is missing stands in the words."""
