"""What a storefront token can do, by live calls to the storefront and by what the accepted token says of itself.

What the vendor does about origins is nowhere written down: an answer that keeps nobody out concludes nothing, since a
browser may still do so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from providers.bigcommerce.claims import Claims, read
from providers.bigcommerce.rules import PRIVATE
from providers.bigcommerce.site import Seen, Site
from providers.core.contract import LASTS, RECOGNISED, Fields, Finding, Life, Verdict
from providers.core.redaction import Secret

MARGIN: Final = timedelta(days=7)
"""How long before its end a token is replaced at the latest; a third of its life where that is shorter."""

CLOCKS: Final = timedelta(minutes=5)
"""By how much the store's clock and ours may differ."""

NOBODYS: Final = "https://origin.invalid"
"""An origin that nobody can declare or own (RFC 2606)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a token is for: its kind, channels by number, origins, and scopes (none where there is nothing finer)."""

    kind: str
    channels: tuple[int, ...]
    origins: tuple[str, ...]
    scopes: tuple[str, ...]

    @classmethod
    def of(cls, fields: Fields) -> "Terms":
        """The terms in declared fields."""
        rights: Any = fields["rights"]
        scopes = () if isinstance(rights, str) else tuple(rights)
        return cls(fields["token"], tuple(fields["channels"]), tuple(fields.get("cors_origins") or ()), scopes)


def prove(
    site: Site,
    token: Secret,
    terms: Terms,
    life: Life,
    *,
    now: datetime,
    lasts: timedelta,
    maker: Secret | None,
) -> Sequence[Finding]:
    """Every finding about a token: first whether it is accepted (`life`); nothing else is looked at where it is not.

    `lasts` is for how long it is declared to live, `maker` the client ID of the account that makes such tokens now.
    """
    said = read(token)
    recognised = _recognised(life, said, now)
    if recognised.verdict != "confirmed":
        return (recognised,)
    look = _Look(site, token, terms)
    return (
        recognised,
        _lasts(said, now, lasts),
        *_expiry(said, now, lasts),
        *look.store(),
        *look.channels(said),
        *look.origins(said),
        *look.kind(),
        *_scopes(said, terms),
        *_maker(said, maker),
    )


def _recognised(life: Life, said: Claims, now: datetime) -> Finding:
    if life == "accepted":
        return Finding(RECOGNISED, "confirmed", "the storefront answers a query with it")
    if life == "unknown":
        return Finding(RECOGNISED, "unverifiable", "the storefront's answer to it has no clear meaning")
    over = said.expires is not None and said.expires <= now
    why = f"it expired on {said.expires:%Y-%m-%d}" if over else "it was revoked, or is of another store"
    return Finding(RECOGNISED, "contradicted", f"the storefront refuses it: {why}")


def _lasts(said: Claims, now: datetime, lasts: timedelta) -> Finding:
    if said.expires is None:
        return Finding(LASTS, "unverifiable", "the token does not say when it expires")
    whole = said.expires - said.issued if said.issued is not None else lasts
    soon = now >= said.expires - min(MARGIN, whole / 3)
    return Finding(LASTS, "contradicted" if soon else "confirmed", f"it expires on {said.expires:%Y-%m-%d}")


def _expiry(said: Claims, now: datetime, lasts: timedelta) -> Iterator[Finding]:
    if said.expires is not None and said.expires > now + lasts + CLOCKS:
        yield Finding("expires_after", "contradicted", f"it expires on {said.expires:%Y-%m-%d}, LATER than declared")


def _scopes(said: Claims, terms: Terms) -> Iterator[Finding]:
    if terms.kind == PRIVATE:
        yield _compared("rights", frozenset(terms.scopes), said.scopes)


def _maker(said: Claims, maker: Secret | None) -> Iterator[Finding]:
    if said.maker is not None and maker is not None and not said.maker.same(maker):
        words = "another account made it than the present one; whether it outlives that one is not known"
        yield Finding("account", "unverifiable", words)


def _compared(check: str, declared: frozenset[Any], observed: frozenset[Any] | None) -> Finding:
    """What is declared against what the token says of itself."""
    if not observed:
        # An empty list may as well mean that nothing is kept out.
        return Finding(check, "unverifiable", "the token does not say")
    more, less = observed - declared, declared - observed
    words = [f"declared {_listed(declared)}"]
    words += [f"MORE than declared: {_listed(more)}"] if more else []
    words += [f"LESS than declared: {_listed(less)}"] if less else []
    return Finding(check, "contradicted" if more or less else "confirmed", "; ".join(words))


def _listed(values: frozenset[Any]) -> str:
    return ", ".join(str(value) for value in sorted(values)) or "none"


class _Look:
    """The calls of one proof: each question to the storefront is asked once."""

    def __init__(self, site: Site, token: Secret, terms: Terms) -> None:
        self._site, self._token, self._terms = site, token, terms
        self._seen: dict[tuple[int, str], Seen] = {}
        self._origin = terms.origins[0] if terms.origins else ""

    def _ask(self, origin: str, channel: int = 0) -> Seen:
        asked = (channel or self._terms.channels[0], origin)
        if asked not in self._seen:
            self._seen[asked] = self._site.ask(self._token, *asked)
        return self._seen[asked]

    def store(self) -> Iterator[Finding]:
        """Whether the storefront calls itself by the hash."""
        named = self._ask(self._origin).store_hash
        if named:
            same = named == self._site.store_hash
            words = (
                "the storefront calls itself by this hash" if same else "the storefront calls itself by another hash"
            )
            yield Finding("store", "confirmed" if same else "contradicted", words)

    def channels(self, said: Claims) -> Iterator[Finding]:
        """The channels that it is good for: as it says, and whether the storefront of each accepts it."""
        yield _compared("channels", frozenset(self._terms.channels), said.channels)
        for channel in self._terms.channels:
            status = self._ask(self._origin, channel).status
            if status != 200:
                yield Finding(f"channel {channel}", "unverifiable", f"its storefront answers {status}")

    def origins(self, said: Claims) -> Iterator[Finding]:
        """The origins that browsers may call from: as it says, each one accepted, and one that is not declared refused."""
        declared = self._terms.origins
        if not declared and not said.origins:
            return
        known = None if said.origins is None else frozenset(said.origins)
        yield _compared("cors_origins", frozenset(declared), known)
        for origin in declared:
            seen = self._ask(origin)
            if seen.status != 200 or seen.allowed not in {"", "*", origin}:
                words = f"answers {seen.status}" if seen.status != 200 else "does not let its pages see the answer"
                yield Finding(f"origin {origin}", "contradicted", f"declared, but the storefront {words}")
        if declared:
            yield self._others()

    def _others(self) -> Finding:
        seen = self._ask(NOBODYS)
        if seen.status in {401, 403}:
            return Finding("other origins", "confirmed", f"refused with {seen.status}")
        if seen.status == 200 and seen.allowed not in {NOBODYS, "*"}:
            return Finding("other origins", "confirmed", "browsers show them no answer")
        return Finding("other origins", "unverifiable", "the storefront does not show that it keeps them out")

    def kind(self) -> Iterator[Finding]:
        """Whether it can be used without a browser: private tokens can, storefront tokens made since July 2026 cannot."""
        status = self._ask("").status
        private = self._terms.kind == PRIVATE
        as_declared = status == 200 if private else status in {401, 403}
        verdict: Verdict = "confirmed" if as_declared else "unverifiable"
        yield Finding("use from servers", verdict, f"a query without an origin is answered {status}")
