"""Hand-overs in memory: tokens that open once, mails that carry them, and a vendor that gives values in return."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from providers.core.contract import TAKEN_OVER, Finding, Verdict
from providers.core.errors import Transient, UnclearOutcome, VaultSealed, VaultUnclear
from providers.core.redaction import Secret
from providers.core.vault.wrapping import Wrapped, WrappingState
from tests.protocol.doubles import Token, World, finding

OFFICE = "sales@vendor.example"
_TOKEN = re.compile(r"hvs\.canary-[0-9]+")
CART_PASSWORD = "cart-canary"


def given_by_vendor() -> Mapping[str, Secret]:
    """What a vendor gives in return."""
    return {"cart_id": Secret("cart-of-the-shop"), "cart_password": Secret(CART_PASSWORD)}


def token_in(text: str) -> str:
    """The token that a message carries; empty where it carries none."""
    found = set(_TOKEN.findall(text))
    assert len(found) <= 1
    return found.pop() if found else ""


class MemoryCourier:
    """Implements `handover.Courier`. What is mailed or shown is kept as text, and told to the watchers first."""

    address = "https://vault.example:8200"

    def __init__(self, world: World, *, mails: bool = True, terminal: bool = False) -> None:
        self.world, self.mails, self._terminal = world, mails, terminal

    @property
    def show(self) -> Callable[[str], None] | None:
        return self._carried if self._terminal else None

    def wrap(self, values: Mapping[str, Secret], ttl_seconds: int) -> Wrapped:
        fault = self.world.pace("wrap", ("lost", "sealed"))
        if fault == "sealed":
            raise VaultSealed("sealed")
        number = len(self.world.tokens) + 1
        token = Token(f"hvs.canary-{number}", f"accessor-{number}", {k: v.reveal() for k, v in values.items()})
        self.world.tokens[token.accessor] = token
        if fault == "lost":
            raise VaultUnclear("no reply")
        expires = self.world.now + timedelta(seconds=ttl_seconds)
        return Wrapped(Secret(token.token), token.accessor, expires)

    def state(self, accessor: str) -> WrappingState:
        self.world.pace("token state", ())
        return "waiting" if self.world.tokens[accessor].state == "waiting" else "opened or expired"

    def void(self, accessor: str) -> None:
        if self.world.pace("token void", ("sealed",)):
            raise VaultSealed("sealed")
        token = self.world.tokens[accessor]
        if token.state == "waiting":
            token.state = "void"

    def send(self, to: str, subject: str, text: str) -> None:
        fault = self.world.pace("send", ("transient", "lost"))
        if fault == "transient":
            raise Transient("the mail server puts it off; nothing was sent")
        self._carried(f"To: {to}\nSubject: {subject}\n\n{text}")
        if fault == "lost":
            raise UnclearOutcome("it may have been sent")

    def _carried(self, text: str) -> None:
        self.world.changed("send")
        carried = token_in(text)
        for token in self.world.tokens.values():
            if token.token == carried:
                for watcher in self.world.watchers:
                    watcher.sent(token)
                token.sent += 1
        self.world.mails.append(text)


def opened(world: World, mail: int = -1) -> Mapping[str, str] | None:
    """What somebody finds who opens the token of a mail (the last one, unless told); None where it does not open."""
    (token,) = (token for token in world.tokens.values() if token.token == token_in(world.mails[mail]))
    if token.state != "waiting":
        return None
    token.state = "opened"
    return token.values


class MemoryChannel:
    """A user outside, whose vendor gives values in return; implements `Link`. `verdict` is what their check shows."""

    place = ""
    acknowledges: Literal["here", "overlap", "person"] = "person"

    def __init__(self, world: World, book: Any, name: str, verdict: Verdict = "confirmed") -> None:
        self.world, self.book, self.name, self.verdict = world, book, name, verdict

    def check(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        return ()

    def connect(self, generation: int, secret: Mapping[str, Secret]) -> None:
        """The hand-over did it."""

    def observe(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        return self.verify(generation, secret)

    def disconnect(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """The vendor has no call for it."""
        return ()

    def verify(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        self.world.pace("channel verify", ())
        journal, _ = self.book.journal()
        entry = journal.links.get(self.name)
        values = self.book.received(entry.inbound) if entry is not None and entry.inbound else None
        if values is None:
            return ()
        assert values["cart_password"].reveal() == CART_PASSWORD
        if self.verdict == "confirmed" and entry.inbound_generation == generation:
            return (finding("login"), finding(TAKEN_OVER))
        return (finding("login", self.verdict),)


def secrets_in(world: World, text: Mapping[str, Any]) -> list[str]:
    """Everything secret that a document holds: keys, tokens, what vendors gave."""
    written = json.dumps(text)
    known = [key.value for key in world.keys.values()] + [token.token for token in world.tokens.values()]
    return [value for value in (*known, CART_PASSWORD) if value in written]
