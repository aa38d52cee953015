"""How a link stands, in words: the same for the engine's runs, a preview and `connections status`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from providers.core.handover import Terms
from providers.core.journal import LinkEntry

LinkState = Literal["absent", "connecting", "awaiting_person", "waiting_for_vendor", "acknowledged", "unlinking"]
"""`connecting`: the next run gives it the present generation. `awaiting_person`: somebody here has something to do.
`waiting_for_vendor`: it was handed over, and what its vendor gives in return is not there yet."""

OF_A_PERSON = ("confirmed_by", "confirmed_at")
OF_A_CHECK = ("verified_at",)
"""Names in a receipt that tell by what a generation was acknowledged."""


@dataclass(frozen=True, slots=True)
class User:
    """What is declared of a link's user. `by_person`: a person says that it works with a generation, unless a check shows
    it. `answers`: its vendor gives values in return. `terms` are those of its hand-over, None where it reads Vault; `mails`
    is whether the stack has a mail server. `follows`: a person goes on at the consumer, by what its link kept."""

    by_person: bool
    answers: bool = False
    terms: Terms | None = None
    mails: bool = False
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A link's state, what the next run does about it ("" for nothing), and what is known, in words that do not change by
    the hour."""

    state: LinkState
    drift: str = ""
    reasons: tuple[str, ...] = ()


def standing(where: str, entry: LinkEntry | None, number: int | None, user: User) -> Standing:
    """How a link stands while this generation is the one to use, or will be; `where` is its full name."""
    if entry is None:
        return Standing("absent", "it is not connected") if number else Standing("awaiting_person")
    if entry.state == "unlinking":
        return Standing("unlinking", "its removal was not finished")
    if number is not None and entry.connecting != number:
        words = "is not handed over yet" if user.by_person else "is not yet taken over"
        return Standing("connecting", f"generation {number} {words}", _known(entry))
    if entry.acknowledged == entry.connecting:
        return Standing("acknowledged", "", _known(entry))
    if user.follows and entry.inbound_generation == entry.connecting:
        words = f"generation {entry.connecting} waits for a person: `connections link {where} --show` on a terminal"
        return Standing("awaiting_person", "", (words,))
    if not user.by_person:
        return Standing("connecting", f"generation {entry.connecting} is not yet taken over")
    if user.terms is not None and user.terms.is_due(entry.receipt, entry.connecting):
        words = f"generation {entry.connecting} is not handed over yet"
        if user.terms.by_mail(mails=user.mails):
            return Standing("connecting", words, _known(entry))
        return Standing("awaiting_person", "", (f"{words}: on a terminal, `connections handover {where}`",))
    if user.answers and not entry.inbound:
        return Standing("waiting_for_vendor", "", (*_known(entry), owed(where, entry, user.answers)))
    came = ("its vendor's values are in Vault",) if entry.inbound else ()
    return Standing("awaiting_person", "", (*_known(entry), *came, owed(where, entry, user.answers)))


def owed(where: str, entry: LinkEntry, answers: bool) -> str:
    """What a user outside, or whoever speaks for it, still owes."""
    if answers and not entry.inbound:
        return f"when its vendor's values are there: `connections receive {where}`"
    return f"take over generation {entry.connecting}, then `connections confirm {where} --by WHO`"


def _known(entry: LinkEntry) -> tuple[str, ...]:
    """What the receipt tells: to whom and when it went, how long it opens, and who says that it arrived."""
    receipt, words = entry.receipt, []
    if receipt.get("sent_at"):
        to = f" to {receipt['to']}" if receipt.get("to") else ""
        words.append(
            f"generation {receipt['generation']} handed over{to} by {receipt['by']} on {_at(receipt['sent_at'])}"
            f" ({receipt['how']})"
        )
        if receipt.get("expires") and entry.acknowledged != entry.connecting:
            words.append(f"it can be opened until {_at(receipt['expires'])}")
    if receipt.get("confirmed_by"):
        words.append(f"confirmed by {receipt['confirmed_by']} on {_at(receipt['confirmed_at'])}")
    if receipt.get("verified_at"):
        words.append(f"verified here on {_at(receipt['verified_at'])}")
    return tuple(words)


def _at(time: str) -> str:
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M %Z}"
