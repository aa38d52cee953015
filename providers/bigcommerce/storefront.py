"""`bigcommerce.StorefrontToken`: a storefront or private token, made and revoked by an API account (sheet bigcommerce.md 8).

The one credential of BigCommerce that needs no person. No call lists or reads tokens, and a revocation is only scheduled by
its 200: that a token works, and that it is dead, shows the storefront alone.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn

from providers.bigcommerce import claims
from providers.bigcommerce.issuer import PANEL
from providers.bigcommerce.judgement import Sight, sight
from providers.bigcommerce.rules import PRIVATE, TOKEN_LEVEL, TOKEN_ROW
from providers.bigcommerce.site import Site
from providers.bigcommerce.storefront_proof import Terms, prove
from providers.bigcommerce.wire import API, Gateway, Reply
from providers.core.contract import (
    Capabilities,
    Clock,
    Fields,
    Finding,
    Issued,
    Life,
    Order,
    Selector,
    StoreKey,
    Tools,
)
from providers.core.errors import (
    CouldNotLook,
    Forbidden,
    Incident,
    RateLimited,
    Rejected,
    StoreError,
    Unauthorized,
    UnclearOutcome,
    Unexpected,
    Unreachable,
)
from providers.core.redaction import Secret
from providers.core.sheet import Sheet, Task

FIELDS: Final = ("token", "rights", "channels", "cors_origins", "expires_after")
SECRET_FIELDS: Final = ("token",)

REVOKE: Final = "/v3/storefront/api-token"
MAKE: Final[Mapping[str, str]] = {"storefront": REVOKE, PRIVATE: f"{REVOKE}-private"}
"""The call that makes each kind of token; the customer impersonation tokens have one of their own."""

JWT_HEADER: Final = "sf-api-token"

SETTLE: Final = 300.0
"""Seconds in which a lost request may still be carried out, and by which two clocks may differ."""

BY_ACCOUNT: Final = Capabilities(
    made_by="api", revoked_by="store", revisable=frozenset(), lists=False, settle=SETTLE, lifetime="expires_after"
)

CONTROL: Final = "positive control"
CONTROL_LIFE: Final = 300.0
"""Seconds that the token of a control lives, should its revocation get lost: it ends by itself."""

KEY_ID: Final = 16
"""Characters of the hash that names a token: nothing leads from them to the token."""

_UNDONE: Final = frozenset({400, 404, 405, 409, 415, 422})
"""Statuses of a call that was understood and not carried out."""


@dataclass(frozen=True, slots=True)
class Account:
    """The API account that makes and revokes tokens: its connection's full name, and how to read its credential now."""

    name: str
    read: Callable[[], Mapping[str, Secret] | None]


class StorefrontTokenIssuer:
    """Implements `Issuer`. Thread-safe, but for `facts`, which are those of the last proof.

    `terms` are the declared ones; None where only the store is of interest. `clock` gives the present time.
    """

    def __init__(self, gateway: Gateway, site: Site, account: Account, terms: Terms | None, clock: Clock) -> None:
        self._gateway, self._site, self._account = gateway, site, account
        self._terms, self._clock = terms, clock
        self._facts: Mapping[str, str] | None = None

    @property
    def capabilities(self) -> Capabilities:
        """Made and revoked by calls; nothing changes in place, nothing is listed, and each ends by itself."""
        return BY_ACCOUNT

    def public(self) -> Mapping[str, str]:
        """The store's hash, and where the GraphQL API of the token's first channel is."""
        return {"store_hash": self._gateway.store_hash, "graphql": self._site.url(self._declared.channels[0])}

    def tail(self, secret: Mapping[str, Secret]) -> str:
        """Nothing of a token is shown anywhere."""
        return ""

    def facts(self) -> Mapping[str, str]:
        """When the token of the last proof expires; `CouldNotLook` before the first."""
        if self._facts is None:
            raise CouldNotLook("the token was not looked at", where=self._gateway.where)
        return self._facts

    def find(self, selector: Selector, *, fresh: bool = True) -> Sequence[StoreKey]:
        """No call lists tokens: `Unexpected`."""
        self._never("no call lists storefront tokens")

    def revise(self, key_id: str, order: Order) -> None:
        """Tokens never change: `Unexpected`."""
        self._never("a storefront token never changes")

    def losses(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """Nothing hangs on a token."""
        return ()

    def sheet(self, task: Task, fields: Fields, number: int) -> Sheet:
        """Nothing of it is a person's: `Unexpected`."""
        self._never("no page makes or revokes storefront tokens")

    def _never(self, words: str) -> NoReturn:
        raise Unexpected(words, where=self._gateway.where)

    # --- making and ending --------------------------------------------------------------------------------------------

    def ready(self) -> str:
        """Whether the account is there, and has the right to make tokens; that is seen by a call that revokes nothing.

        Raises `Unauthorized` or `Forbidden` where the account is dead or lacks the right.
        """
        held = self._account.read()
        if held is None:
            return (
                f"its account {self._account.name} has no live key yet"
                f" (`connections status {self._account.name}` says what that waits for)"
            )
        # Without a token to revoke the call is refused for its body, behind the gateway: 422 (5.2, row 19).
        reply = self._gateway.ask("DELETE", REVOKE, _token_of(held))
        seen = sight("write", reply)
        if seen is Sight.CARRIED_OUT:
            raise Incident(
                "the store carried out a revocation that named no token",
                do="See whether tokens of this store still work before anything else is asked of it",
                where=self._gateway.where,
            )
        if seen is not Sight.PRESENT:
            self._refused(reply, seen)
        return ""

    def issue(self, order: Order) -> Issued:
        """Make a token. Its life counts from the decision, so that its end is known even if it is never seen."""
        return self._make(Terms.of(order.fields), order.decided or self._clock(), _life(order.fields))

    def _make(self, terms: Terms, begin: datetime, life: float) -> Issued:
        expires = begin + timedelta(seconds=life)
        body: dict[str, Any] = {"expires_at": int(expires.timestamp())}
        body |= {"channel_id": terms.channels[0]} if len(terms.channels) == 1 else {"channel_ids": list(terms.channels)}
        if terms.origins:
            body["allowed_cors_origins"] = list(terms.origins)
        if terms.kind == PRIVATE:
            body["scopes"] = list(terms.scopes)
        try:
            reply = self._gateway.ask("POST", MAKE[terms.kind], self._account_token(), body=body)
        except RateLimited as limited:
            # Limited is before carried out: no token can come of it.
            raise Unreachable(limited.what, do="Run again in a minute", where=self._gateway.where) from None
        if reply.status in _UNDONE:
            raise Rejected(
                f"the store refuses such a token (answer {reply.status})",
                do="Look at channels, cors_origins, rights and expires_after: channels must be of this store",
                where=self._gateway.where,
            )
        token = _issued(reply)
        if token is None:
            self._refused(reply, sight("read", reply))
        return Issued(key_id(token), {"token": token})

    def revoke(self, key_id: str, secret: Mapping[str, Secret] | None = None) -> None:
        """Ask for the end of a token, by the token itself; without it nothing can be asked, and it ends by itself.

        A 200 says that the revocation is scheduled; a token that the store does not know any more is no error.
        """
        if not secret or "token" not in secret:
            return
        reply = self._gateway.ask("DELETE", REVOKE, self._account_token(), headers={JWT_HEADER: secret["token"]})
        if not (200 <= reply.status < 300 or reply.status in _UNDONE):
            self._refused(reply, sight("read", reply))

    def _account_token(self) -> Secret:
        held = self._account.read()
        if held is None:
            raise Unauthorized(
                f"its account {self._account.name} has no live key, and tokens are made and revoked by nothing else",
                do=f"See `connections status {self._account.name}`",
                where=self._gateway.where,
            )
        return _token_of(held)

    def _refused(self, reply: Reply, seen: Sight) -> NoReturn:
        """Say what an answer says about the account."""
        name, where = self._account.name, self._gateway.where
        if seen is Sight.MISSING:
            raise Forbidden(
                f"its account {name} lacks the right `{TOKEN_ROW}: {TOKEN_LEVEL}`",
                do=f"Declare that row for {name}, and make the account that is asked for then",
                where=where,
            )
        if seen is Sight.DEAD:
            raise Unauthorized(
                f"the store does not accept its account {name}", do=f"See `connections verify {name}`", where=where
            )
        if reply.status >= 500:
            raise UnclearOutcome(f"the store's API answers {reply.status}", do="Run again", where=where)
        raise Unexpected(f"the store answers {reply.status}, which tells nothing", where=where)

    # --- proving ------------------------------------------------------------------------------------------------------

    def verify(self, secret: Mapping[str, Secret], fields: Fields) -> Sequence[Finding]:
        """Whether the storefront accepts the token, for how long, and whether it is what `fields` declare and no more."""
        token = self._token(secret)
        said = claims.read(token)
        accepted = self._life(token)
        self._facts = {} if said.expires is None else {"expires": f"{said.expires:%Y-%m-%d}"}
        held = self._account.read()
        maker = held.get("client_id") if held is not None else None
        now, lasts = self._clock(), timedelta(seconds=_life(fields))
        return prove(self._site, token, Terms.of(fields), accepted, now=now, lasts=lasts, maker=maker)

    def probe(self, secret: Mapping[str, Secret]) -> Life:
        """Whether the storefront accepts the token now."""
        return self._life(self._token(secret))

    def _life(self, token: Secret) -> Life:
        """What the storefront says to a token, asked for as the token itself says that it may be used: another origin could
        be refused to a living one as well, and so the refusal of one that does not say so shows nothing."""
        said = claims.read(token)
        channels = sorted(said.channels or self._declared.channels)
        origins = self._declared.origins if said.origins is None else said.origins
        found = self._site.ask(token, channels[0], origins[0] if origins else "").life
        return "unknown" if found == "refused" and (said.origins is None or said.channels is None) else found

    def control(self) -> Finding:
        """That the storefront tells a good token from a bad one right now: it accepts a token made for this, and refuses the
        same with another signature.

        The account's own token says nothing about the storefront, and other tokens of the connection may be dead by now:
        so one is made, for five minutes, and revoked at once. It costs two calls of the store's quota, and only where
        something was already refused.
        """
        try:
            return self._controlled()
        except StoreError as error:
            return Finding(CONTROL, "unverifiable", error.what)

    def _controlled(self) -> Finding:
        made = self._make(self._declared, self._clock(), CONTROL_LIFE)
        token = made.secret["token"]
        try:
            good, bad = self._life(token), self._life(_forged(token))
        finally:
            # One that stays ends by itself.
            with suppress(StoreError):
                self.revoke(made.key_id, made.secret)
        told = (good, bad) == ("accepted", "refused")
        words = f"a token of five minutes is {good}, and {bad} with another signature"
        return Finding(CONTROL, "confirmed" if told else "unverifiable", words)

    @property
    def _declared(self) -> Terms:
        if self._terms is None:
            raise Unexpected("nothing says what kind of token this is", where=self._gateway.where)
        return self._terms

    def _token(self, secret: Mapping[str, Secret]) -> Secret:
        if "token" not in secret:
            raise Unexpected("the stored credential lacks token", where=self._gateway.where)
        return secret["token"]


def key_id(token: Secret) -> str:
    """The name of a token in journals and state: a part of its hash."""
    return hashlib.sha256(token.reveal().encode("utf-8", "surrogatepass")).hexdigest()[:KEY_ID]


def _token_of(account: Mapping[str, Secret]) -> Secret:
    if "access_token" not in account:
        raise Unexpected("the account's stored credential lacks access_token")
    return account["access_token"]


def _life(fields: Fields) -> float:
    return float(fields["expires_after"])


def _issued(reply: Reply) -> Secret | None:
    data = reply.document.get("data") if isinstance(reply.document, Mapping) else None
    token = data.get("token") if isinstance(data, Mapping) else None
    return Secret(token) if isinstance(token, str) and token else None


def _forged(token: Secret) -> Secret:
    """The same token, signed by nobody."""
    message, _, signature = token.reveal().rpartition(".")
    return Secret(f"{message}.{secrets.token_urlsafe(len(signature))[: len(signature)]}")


def wider(before: Fields, after: Fields) -> str:
    """In words, what a token of `after` permits that one of `before` did not; empty where nothing."""
    former, present = Terms.of(before), Terms.of(after)
    found = [
        f"{word}: {', '.join(map(str, more))}"
        for word, more in (
            ("rights", sorted(set(present.scopes) - set(former.scopes))),
            ("channels", sorted(set(present.channels) - set(former.channels))),
            ("cors_origins", sorted(set(present.origins) - set(former.origins))),
        )
        if more
    ]
    if former.kind != present.kind:
        found.insert(0, f"token: {former.kind} => {present.kind}")
    return "; ".join(found)


def issuer(inputs: Mapping[str, Any], tools: Tools) -> StorefrontTokenIssuer:
    """The issuer for a token's inputs: `store_hash`; `api` and `panel` where they are not the vendor's own (the storefront
    is at the panel's host); the token's fields; `connection`, the full name, and `account`, the connection beside it whose
    API account makes the token."""
    store_hash: str = inputs["store_hash"]
    panel: str = inputs.get("panel") or PANEL
    beside: str = inputs.get("connection", "").rpartition("/")[0]
    name = f"{beside}/{inputs.get('account', '')}"
    return StorefrontTokenIssuer(
        Gateway(tools.http.origin(inputs.get("api") or API), store_hash),
        Site(tools.http, panel.replace("{store_hash}", store_hash), store_hash),
        Account(name, lambda: tools.credential(name)),
        Terms.of(inputs) if inputs.get("token") else None,
        tools.clock,
    )
