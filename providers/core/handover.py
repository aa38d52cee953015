"""Handing a credential to somebody outside: how, to whom, and what the journal keeps of it (stone_edge.md 1).

No secret leaves in the clear by default. What was given can be voided for as long as nobody opened it: the accessor that
voids it stands in the journal before the message is sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from providers.core.contract import Clock
from providers.core.errors import PersonNeeded
from providers.core.redaction import Secret
from providers.core.sealing import seal
from providers.core.vault.wrapping import Wrapped, WrappingState

How = Literal["sealed", "person", "plain"]
"""`sealed`: behind a single-use token, or encrypted to the receiver's public key. `person`: shown once on a terminal.
`plain`: mailed as it is."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How one user outside gets the values.

    `to` is the receiver's address ("": whoever stands at the terminal), `key` the receiver's public key of age, `ttl` the
    seconds for which a token can be opened, `what` names it in a subject line, `about` are lines for the top of the message;
    `public` are values that are no secret and go along.
    """

    how: How
    to: str = ""
    key: str = ""
    ttl: float = 72 * 3600.0
    what: str = ""
    about: tuple[str, ...] = ()


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


Receipt = Mapping[str, Any]
"""What the journal keeps: `generation`, `how`, `to`, `by` (mail or terminal), `accessor`, `expires`, `prepared_at`,
`sent_at`, `reason`, `earlier` (opened, where the one before was); texts only, no secret."""

Note = Callable[[Receipt, str], None]
"""Writes a receipt into the journal, with what happened in words."""


def is_due(receipt: Receipt, number: int) -> bool:
    """Whether this generation was not handed over yet."""
    return receipt.get("generation") != str(number) or not receipt.get("sent_at")


@dataclass(frozen=True)
class Handover:
    """The terms of one link and what carries them. `again` is the reason for doing it once more, or empty; one reason
    does it once."""

    terms: Terms
    courier: Courier
    clock: Clock
    again: str = ""

    def give(self, where: str, number: int, values: Mapping[str, Secret], receipt: Receipt, note: Note) -> None:
        """Hand over this generation, once: the journal knows how to void it before anybody can open it.

        An earlier hand-over that nobody opened is voided first. `PersonNeeded` where only a terminal can do it and there
        is none.
        """
        if not is_due(receipt, number) and self.again in {"", receipt.get("reason")}:
            return
        by = self._by(where)
        now = self.clock()
        opened = self._was_opened(receipt, now)
        void(self.courier, receipt)
        kept: dict[str, Any] = {
            name: text
            for name, text in {
                "generation": str(number),
                "how": self.terms.how,
                "to": self.terms.to,
                "by": by,
                "reason": self.again,
                "earlier": "opened" if opened else "",
                "prepared_at": now.isoformat(),
            }.items()
            if text
        }
        lines = self._lines(values, kept, now, number)
        note(kept, f"generation {number} is prepared for {self.terms.to or 'a person'} ({self.terms.how})")
        self._carry(by, number, "\n".join(lines) + "\n")
        note({**kept, "sent_at": self.clock().isoformat()}, f"generation {number} handed over by {by}")

    def _was_opened(self, receipt: Receipt, now: datetime) -> bool:
        """Whether somebody opened the earlier hand-over: its token is no more, though its time is not over."""
        if not receipt.get("accessor") or now >= datetime.fromisoformat(receipt["expires"]):
            return False
        return self.courier.state(receipt["accessor"]) != "waiting"

    def _by(self, where: str) -> Literal["mail", "terminal"]:
        if self.terms.how != "person" and self.terms.to and self.courier.mails and self.courier.show is None:
            return "mail"
        if self.courier.show is None:
            raise PersonNeeded(
                "it is handed over on a terminal", do=f"Run `connections handover {where}` there", where=where
            )
        return "terminal"

    def _lines(self, values: Mapping[str, Secret], kept: dict[str, Any], now: datetime, number: int) -> list[str]:
        """The message; what the journal must know of it is put into `kept`."""
        terms = self.terms
        lines = [*terms.about, f"This is generation {number} of these values; earlier ones end soon."]
        if terms.how != "sealed":
            return [*lines, "", *(f"{name}: {value.reveal()}" for name, value in values.items())]
        if terms.key:
            return [*lines, "Decrypt with your age key: age --decrypt --identity KEY-FILE", "", seal(values, terms.key)]
        wrapped = self.courier.wrap(values, int(terms.ttl))
        kept |= {"accessor": wrapped.accessor, "expires": wrapped.expires.isoformat()}
        return [
            *lines,
            f"They open once, until {min(wrapped.expires, now + timedelta(seconds=terms.ttl)):%Y-%m-%d %H:%M %Z}:",
            "",
            f"  VAULT_ADDR={self.courier.address} vault unwrap {wrapped.token.reveal()}",
            "",
            "If it says that the token is no longer valid before you opened it, somebody else may have: say so at once.",
        ]

    def _carry(self, by: str, number: int, text: str) -> None:
        if by == "mail":
            self.courier.send(self.terms.to, f"{self.terms.what} (generation {number})", text)
        elif self.courier.show is not None:
            self.courier.show(text)


def void(courier: Courier, receipt: Receipt) -> None:
    """End what can still be opened of a hand-over."""
    if receipt.get("accessor"):
        courier.void(receipt["accessor"])
