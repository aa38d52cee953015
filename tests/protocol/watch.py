"""What must hold at every moment (vault.md 4.5, protocol.md 7), checked at every change of documents, store and consumers.

Written from the specification alone: it reads the documents as they lie in Vault and imports nothing of the code under test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from providers.core.contract import Order
from providers.core.journal import unfolded
from providers.core.marker import Owner
from tests.protocol.doubles import Key, MemoryLink, Token, Violation, Watcher, World
from tests.protocol.handing import secrets_in

ARROWS = {
    "intended": {"current", "abandoned"},
    "current": {"superseded", "retiring"},
    "superseded": {"retiring"},
    "retiring": {"revoked"},
    "abandoned": {"revoked"},
    "revoked": set[str](),
}
PHASES = {"open": {"closing"}, "closing": {"closed"}, "closed": {"open"}}
DEAD = {"abandoned", "retiring", "revoked"}


@dataclass
class Watch(Watcher):
    """Checks for one connection.

    `overlap` is in seconds; `rights` are those any wish so far declares; `allowance` says how many keys more than two may
    live (crashes, sleepers and faults not yet recovered from, and runs side by side). `recovering` allows the arrow that
    only `recover` takes.
    """

    world: World
    owner: Owner
    overlap: float = 0.0
    rights: set[str] = field(default_factory=set)
    allowance: Callable[[], int] = lambda: 0
    recovering: bool = False
    requests: dict[int, set[int]] = field(default_factory=dict)
    named_until: dict[int, datetime] = field(default_factory=dict)
    noted: dict[str, list[str]] = field(default_factory=dict)
    peak: int = 0

    # --- what Vault says ---

    @property
    def journal(self) -> Mapping[str, Any]:
        return unfolded(self._latest("journal"))

    @property
    def credential(self) -> Mapping[str, Any]:
        return self._latest("credential")

    def _latest(self, name: str) -> Mapping[str, Any]:
        versions = self.world.documents.get(f"{self.owner.connection}/{name}", [])
        return versions[-1] or {} if versions else {}

    def state(self, number: int) -> str:
        """The state of a number; `revoked` for one that the journal gave out and no longer remembers."""
        generation = generations(self.journal).get(number)
        if generation is None:
            return "revoked" if number < self.journal.get("next", 1) else "unknown"
        return str(generation["state"])

    # --- documents ---

    def document(self, path: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
        if path == f"{self.owner.connection}/journal":
            self._journal(unfolded(before or {}), unfolded(after))
        elif path == f"{self.owner.connection}/credential" and after.get("txn"):
            self._published(before or {}, after)

    def _journal(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        check(not secrets_in(self.world, after), "a secret stands in the journal")
        old, new = generations(before), generations(after)
        for number, generation in old.items():
            if number not in new:
                check(generation["state"] == "revoked", f"I11: generation {number} was forgotten alive")
            elif generation["state"] != new[number]["state"]:
                arrow = (generation["state"], new[number]["state"])
                recovered = self.recovering and arrow == ("intended", "retiring")
                check(arrow[1] in ARROWS[arrow[0]] or recovered, f"I11: generation {number} went {arrow}")
                # Where there is no list, a key that is said to be dead while it lives would never be found again.
                lost = self.world.capabilities.lifetime and new[number]["state"] == "revoked"
                check(not (lost and number in self.world.alive(self.owner)), f"generation {number} is not dead")
        check(after.get("next", 1) >= before.get("next", 1), "I11: numbers went back")
        for number in new.keys() - old.keys():
            reused = number < before.get("next", 1) and not self.recovering
            check(not reused, f"I12: number {number} is given out again")
        incarnations = (before.get("incarnation", 1), after.get("incarnation", 1))
        phases = (before.get("phase", "open"), after.get("phase", "open"))
        if before and phases[0] != phases[1]:
            check(phases[1] in PHASES[phases[0]], f"I11: phase went {phases}")
        opened = phases == ("closed", "open")
        check(incarnations[1] - incarnations[0] == (1 if opened else 0), f"I11: incarnation went {incarnations}")
        self._links(before, after)
        if phases == ("closing", "closed"):
            alive = [n for n, g in new.items() if g["state"] != "revoked"]
            check(not alive, f"I11: closed over generations {alive}")
        if self._one("current", new) + self._one("intended", new) > 2:
            check(False, "two generations are open at once")

    @staticmethod
    def _one(state: str, found: Mapping[int, Mapping[str, Any]]) -> int:
        count = len([number for number, generation in found.items() if generation["state"] == state])
        check(count <= 1, f"{count} generations are {state}")
        return count

    def _links(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        old, new = before.get("links", {}), after.get("links", {})
        phase = after.get("phase", "open")
        check(phase == "open" or not new, "a connection closes over its links")
        for name, entry in new.items():
            former = old.get(name)
            if former is None:
                life = before.get("lives", {}).get(name, 0)
                check(entry["life"] == life + 1, f"I11: link {name} began life {entry['life']} after {life}")
                # A link that was renamed goes on with the entry of its former name.
                gone = [e for other, e in old.items() if other not in new and e["place"] == entry["place"]]
                former = {**gone[0], "life": entry["life"]} if gone else {"holds": entry.get("holds", 0)}
            else:
                check(entry["life"] == former["life"], f"I11: link {name} changed its life")
            holds = entry.get("holds", 0)
            proved = holds == entry.get("acknowledged", 0)
            check(holds == former.get("holds", 0) or proved, f"link {name} says it holds {holds} without a proof")
            moved = entry.get("connecting", 0) != former.get("connecting", 0)
            check(
                not moved or generations(after)[entry["connecting"]]["state"] == "current",
                f"link {name} connects to a generation that is not current",
            )
            self._handed_over(name, former, entry)
        for name in old.keys() - new.keys():
            moved_on = [entry for other, entry in new.items() if other not in old]
            if not moved_on:
                self._opens(name, "", "was removed")

    # --- hand-overs ---

    def _handed_over(self, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """What a receipt says, and by what a link that is handed something is acknowledged."""
        receipt, former = after.get("receipt", {}), before.get("receipt", {})
        accessor = receipt.get("accessor", "")
        if accessor and accessor not in self.noted.setdefault(name, []):
            self.noted[name].append(accessor)
        if receipt.get("sent_at") and receipt != former:
            self._opens(name, accessor, "was handed over again")
        if receipt.get("how") and after.get("acknowledged", 0) != before.get("acknowledged", 0):
            words = {word: receipt.get(word) for word in ("confirmed_at", "verified_at")}
            said = any(text and text != former.get(word) for word, text in words.items())
            check(said, f"link {name} is acknowledged by nobody and nothing")

    def _opens(self, name: str, accessor: str, why: str) -> None:
        """Of everything that the journal ever knew of this link, only the one token may open."""
        left = [
            each for each in self.noted.get(name, ()) if each != accessor and self.world.tokens[each].state == "waiting"
        ]
        check(not left, f"link {name} {why}, and {left} can still be opened")

    def sent(self, token: Token) -> None:
        known = any(token.accessor in accessors for accessors in self.noted.values())
        check(known, f"{token.accessor} leaves, and the journal does not know it")
        check(token.sent == 0, f"{token.accessor} leaves a second time")

    def _published(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        former, number = int(before.get("generation", "0") or 0), int(after["generation"])
        if before.get("state") == "live" and former != number:
            self.named_until[former] = self.world.now
        if after["state"] != "live":
            return
        check(self.state(number) in {"current", "superseded"}, f"I13: D names {number}, which is {self.state(number)}")
        check("current" in generations(self.journal)[number]["times"], f"I13: D names {number}, never verified")
        check(number >= former, f"I13: D went back from {former} to {number}")

    # --- the store ---

    def made(self, key: Key, order: Order) -> None:
        if not order.marker.startswith(self.owner.prefix):
            return
        number = key.number(self.owner)
        check(number is not None, "a key was made without a whole marker of ours")
        requests = self.requests.setdefault(number or 0, set())
        requests.add(id(order))
        check(len(requests) == 1, f"I12: number {number} was used for two keys")
        self._rights(order)
        self._count()

    def revised(self, key: Key, order: Order) -> None:
        check(key.made_by != "foreign", f"I8: the foreign key {key.key_id} was changed")
        self._rights(order)

    def _rights(self, order: Order) -> None:
        check(order.fields["rights"] in self.rights, f"I9: rights {order.fields['rights']} were never declared")

    def _count(self) -> None:
        living = sum(len(keys) for keys in self.world.alive(self.owner).values())
        waiting = sum(g["state"] == "superseded" for g in generations(self.journal).values())
        self.peak = max(self.peak, living)
        # What no list shows lives on until its maker ends it, or its time is over.
        unlisted = not self.world.capabilities.lists
        unseen = sum(unlisted and g["state"] == "abandoned" for g in generations(self.journal).values())
        most = 2 + max(0, waiting - 1) + unseen + self.allowance()
        check(living <= most, f"I7: {living} keys live at once where {most} may")

    def revoking(self, key: Key) -> None:
        check(key.made_by != "foreign", f"I8: the foreign key {key.key_id} was revoked")
        number = key.number(self.owner)
        if number is None:
            number = self._recorded(key)
        check(self.state(number) in DEAD, f"I14: number {number} was revoked while {self.state(number)}")
        generation = generations(self.journal).get(number, {})
        if self.journal.get("phase", "open") != "open" or generation.get("compromised"):
            return
        if "current" not in generation.get("times", {}):
            return
        named = self.credential.get("generation") == str(number) and self.credential.get("state") == "live"
        check(not named, f"I6: number {number} was revoked while D names it")
        until = self.named_until.get(number)
        over = until is None or self.world.now >= until + timedelta(seconds=self.overlap)
        check(over, f"I6: number {number} was revoked {self.world.now - (until or self.world.now)} after D named it")
        for consumer in self.world.consumers.values():
            used = consumer.value == key.value and not consumer.stale
            check(not used, f"I6: number {number} was revoked while {consumer.place} uses it")

    def _recorded(self, key: Key) -> int:
        for number, generation in generations(self.journal).items():
            if generation.get("key_id") == key.key_id:
                return number
        raise Violation(f"I8: key {key.key_id} is not ours and was revoked")

    # --- consumers ---

    def given(self, link: MemoryLink, generation: int) -> None:
        if link.connection != self.owner.connection:
            return
        entry = self.journal.get("links", {}).get(link.name, {})
        fits = entry.get("connecting") == generation and entry.get("state", "linked") == "linked"
        link.consumer.stale = not fits
        if fits and not generations(self.journal)[generation].get("compromised"):
            state = self.state(generation)
            check(state in {"current", "superseded"}, f"a link gives number {generation}, which is {state}")


def generations(journal: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """The generations of a journal as it lies in Vault."""
    return {int(number): generation for number, generation in journal.get("generations", {}).items()}


def check(holds: bool, otherwise: str) -> None:
    """Raise `Violation` with these words unless it holds."""
    if not holds:
        raise Violation(otherwise)
