"""Handing a credential to somebody outside: how, to whom, and what the journal keeps of it (stone_edge.md 1).

No secret leaves in the clear by default. What can still be opened stands in the journal, by an accessor that voids it and
opens nothing, before any message leaves; and what was given before is voided before that too. A run that is killed at any
of these steps leaves at worst a token that nobody ever saw, which expires, or a message that opens nothing; the next run
hands over again. Two runs at once may send two messages: only the token of the last one in the journal opens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from providers.core.contract import Clock
from providers.core.errors import PersonNeeded, Superseded, VaultConflict
from providers.core.redaction import Secret
from providers.core.sealing import seal
from providers.core.vault.wrapping import Wrapped, WrappingState

How = Literal["sealed", "person", "plain"]
"""`sealed`: behind a single-use token, or encrypted to the receiver's public key. `person`: shown once on a terminal.
`plain`: mailed as it is."""

Receipt = Mapping[str, Any]
"""What the journal keeps of the last hand-over, in texts and without a secret: `generation`, `how`, `to`, `by` (mail or
terminal), `accessor`, `expires`, `former` (accessors that may not be void yet), `prepared_at`, `sent_at`, `reason` (why it
was repeated), `earlier` (opened, where the one before was)."""

Note = Callable[[Receipt, str], None]
"""Writes a receipt into the journal, with what happened in words. `VaultConflict` where the link was given something else
meanwhile."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How one user outside gets the values.

    `to` is the receiver's address ("": whoever stands at the terminal), `key` the receiver's public key of age, `ttl` the
    seconds for which a token can be opened, `what` names it in a subject line, `about` are lines for the top of the message.
    """

    how: How
    to: str = ""
    key: str = ""
    ttl: float = 72 * 3600.0
    what: str = ""
    about: tuple[str, ...] = ()

    def is_due(self, receipt: Receipt, number: int) -> bool:
        """Whether this generation was not handed over yet, or to somebody else."""
        return receipt.get("to", "") != self.to or not was_sent(receipt, number)

    def by_mail(self, *, mails: bool) -> bool:
        """Whether it needs no person, given that the stack has a mail server or not."""
        return mails and self.how != "person" and bool(self.to)


class Courier(Protocol):
    """What carries a hand-over: Vault's wrapping, the stack's mail server, a terminal where there is one."""

    @property
    def mails(self) -> bool:
        """Whether the stack has a mail server."""
        ...

    @property
    def address(self) -> str:
        """The address of Vault, for whoever opens a token."""
        ...

    @property
    def show(self) -> Callable[[str], None] | None:
        """Shows a text on a terminal, to a person and nobody else; None where there is no terminal."""
        ...

    def wrap(self, values: Mapping[str, Secret], ttl_seconds: int) -> Wrapped:
        """Put values behind a single-use token."""
        ...

    def state(self, accessor: str) -> WrappingState:
        """Whether the token still waits."""
        ...

    def void(self, accessor: str) -> None:
        """Make the token unopenable. One that is no more is no error."""
        ...

    def send(self, to: str, subject: str, text: str) -> None:
        """Mail a text to one address; the sender is the stack's."""
        ...


@dataclass(frozen=True)
class Handover:
    """The terms of one link and what carries them; without terms its user reads Vault and nothing is handed over.

    `again` is the reason for doing it once more, or empty; one reason does it once.
    """

    terms: Terms | None
    courier: Courier
    clock: Clock
    again: str = ""

    def give(self, where: str, number: int, values: Mapping[str, Secret], receipt: Receipt, note: Note) -> None:
        """Hand over this generation, once.

        `PersonNeeded` where only a terminal can do it and there is none; `Superseded` where another run handed it over while
        this one did.
        """
        terms = self.terms
        if terms is None or not (terms.is_due(receipt, number) or self.again not in {"", receipt.get("reason")}):
            return
        by = self._by(terms, where)
        now = self.clock()
        former = openable(receipt)
        facts = {
            "generation": str(number),
            "how": terms.how,
            "to": terms.to,
            "by": by,
            "reason": self.again,
            "earlier": "opened" if self._was_opened(receipt, now) else "",
            "former": " ".join(former),
            "prepared_at": now.isoformat(),
        }
        lines, sealed = self._message(terms, number, values, now)
        kept = {name: text for name, text in (facts | sealed).items() if text}
        note(kept, f"generation {number} is prepared for {terms.to or 'a person'} ({terms.how})")
        for accessor in former:
            self.courier.void(accessor)
        self._carry(terms, by, number, "\n".join(lines) + "\n")
        kept.pop("former", None)
        try:
            note({**kept, "sent_at": self.clock().isoformat()}, f"generation {number} handed over by {by}")
        except VaultConflict:
            # Not again: two runs would void each other's messages for ever.
            raise Superseded(
                "another run handed it over meanwhile: its message opens, and none before it", where=where
            ) from None

    def end(self, receipt: Receipt) -> None:
        """Void whatever can still be opened."""
        for accessor in openable(receipt):
            self.courier.void(accessor)

    def _was_opened(self, receipt: Receipt, now: datetime) -> bool:
        """Whether somebody opened the earlier hand-over: its token is no more, though its time is not over and no run has
        decided to void it. What a killed run had seen and nobody was told yet counts too."""
        if not receipt.get("sent_at") and receipt.get("earlier"):
            return True
        if not receipt.get("accessor") or now >= datetime.fromisoformat(receipt["expires"]):
            return False
        return self.courier.state(receipt["accessor"]) != "waiting"

    def _by(self, terms: Terms, where: str) -> Literal["mail", "terminal"]:
        if self.courier.show is not None:
            return "terminal"
        if not terms.by_mail(mails=self.courier.mails):
            raise PersonNeeded(
                "it is handed over on a terminal", do=f"Run `connections handover {where}` there", where=where
            )
        return "mail"

    def _message(
        self, terms: Terms, number: int, values: Mapping[str, Secret], now: datetime
    ) -> tuple[list[str], dict[str, str]]:
        """The message, and what the journal must know of what is in it."""
        lines = [
            *terms.about,
            f"This is generation {number} of these values; earlier ones end soon.",
            f"Prepared {now:%Y-%m-%d %H:%M:%S %Z}. Of several such messages only the last one is of use.",
        ]
        if terms.how != "sealed":
            return [*lines, "", *(f"{name}: {value.reveal()}" for name, value in values.items())], {}
        if terms.key:
            how = "Decrypt with your age key: age --decrypt --identity KEY-FILE"
            return [*lines, how, "", seal(values, terms.key)], {}
        wrapped = self.courier.wrap(values, int(terms.ttl))
        lines += [
            f"They open once, until {min(wrapped.expires, now + timedelta(seconds=terms.ttl)):%Y-%m-%d %H:%M %Z}:",
            "",
            f"  VAULT_ADDR={self.courier.address} vault unwrap {wrapped.token.reveal()}",
            "",
            "If it says that the token is no longer valid before you opened it, somebody else may have: say so at once.",
        ]
        return lines, {"accessor": wrapped.accessor, "expires": wrapped.expires.isoformat()}

    def _carry(self, terms: Terms, by: str, number: int, text: str) -> None:
        show = self.courier.show
        if show is not None and by == "terminal":
            show(text)
        else:
            self.courier.send(terms.to, f"{terms.what} (generation {number})", text)


def was_sent(receipt: Receipt, number: int) -> bool:
    """Whether this generation was handed over."""
    return receipt.get("generation") == str(number) and bool(receipt.get("sent_at"))


def openable(receipt: Receipt) -> tuple[str, ...]:
    """Accessors of everything handed over that may still open."""
    return (*str(receipt.get("former", "")).split(), *str(receipt.get("accessor", "")).split())
