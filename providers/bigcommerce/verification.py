"""The live proof of a token: which rights it has and which it has not (sheet bigcommerce.md 5.3 to 5.5).

One call after the other, first whether the token lives, then reading, then writing where that was opted in. The quota is
shared with the shop's own integrations, so the calls end above a reserve of it, and at once where something was carried
out that nobody could have ordered.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from providers.bigcommerce.judgement import Answer, Answers, Judged, Sight, judge, sight
from providers.bigcommerce.probes import Probe, planned
from providers.bigcommerce.rights import Rights
from providers.bigcommerce.wire import ALIVE, HOOKS, STORE, Gateway, Reply, Saying
from providers.core.contract import RECOGNISED, Finding, Life, Verdict
from providers.core.errors import (
    Incident,
    RateLimited,
    StoreError,
    Transient,
    UnclearOutcome,
    Unexpected,
    Unreachable,
)
from providers.core.redaction import Secret

RESERVE_SHARE: Final = 1 / 3
"""The part of the store's quota that is left to its shop."""
RESERVE_LEAST: Final = 10
"""Requests that are left to it in any case."""

FAILURES: Final = 3
"""So many calls in a row without an answer end the looking: a store in trouble is left alone."""

DOUBTS: Final = 3
"""How many reading calls show that a token which may not even ask for the time is not of this store: few, as the quota
may be a stranger's."""

KEPT: Final = "was not looked at: the store's quota is kept for its shop"
FAILING: Final = "was not looked at: the store kept failing"
NOT_ACCEPTED: Final = "was not looked at: it is not known that the store accepts the token"

ACCOUNT_NAME, CLIENT_ID, CLIENT_SECRET, IDENTITY = "account name", "client id", "client secret", "store"

_UNHEARD: Final = (Unreachable, UnclearOutcome, Unexpected)
"""Errors of one call that say nothing about its right."""


def life(reply: Reply) -> Life:
    """What the answer to `GET /v2/time` says. A 401 alone does not tell a deleted token from a wrong hash (5.3, rule 4):
    either way it is not accepted here."""
    if reply.status == 200:
        return "accepted"
    return "refused" if reply.status == 401 and reply.saying is not Saying.NO_HEADER else "unknown"


_STRANGE: Final[Mapping[Saying, str]] = {
    Saying.NO_SCOPE: "a right is missing, though the call needs none",
    Saying.NO_ROUTE: "there is no such route: the address of the API is wrong",
    Saying.NO_HEADER: "the token did not arrive: something on the way takes the header out",
    Saying.SLASH: "what a path gets that ends in a slash: the address of the API is wrong",
    Saying.OTHER: "which has other causes than the token too",
}
"""What an answer to `GET /v2/time` may mean that is neither yes nor no."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof showed. `recognised` and `others` are findings beside the `rows` of the matrix; `facts` is what the
    store said of itself."""

    recognised: Finding
    rows: tuple[Judged, ...]
    others: tuple[Finding, ...]
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything, as core knows proofs: whether the token is accepted first, then row by row."""
        return (self.recognised, *(row.finding for row in self.rows), *self.others)


def prove(gateway: Gateway, secret: Mapping[str, Secret], rights: Rights, *, full: bool) -> Proof:
    """Look at every right of a token. `full` opts in to the writing calls.

    Raises `CouldNotLook` where nothing could be learned, `Incident` where a store carried out a writing call.
    """
    token = secret["access_token"]
    look = _Look(gateway, token)
    first = look.alive()
    match life(first), first.saying:
        case "accepted", _:
            recognised = _finding("confirmed", "GET /v2/time answers 200")
        case "refused", _:
            words = (
                "GET /v2/time answers 401: the token is deleted or was never one,"
                " or it is of another store, or the store hash is wrong"
            )
            recognised = _finding("contradicted", words)
        case _, Saying.NO_SCOPE if first.status == 403:
            recognised = look.doubted()
        case _:
            recognised = _finding("unverifiable", f"GET /v2/time answers {first.status}: {_STRANGE[first.saying]}")
    if recognised.verdict == "confirmed":
        for probe in planned(full=full):
            look.at(probe)
        recognised = look.summary(recognised)
        answers: Answers = look.answers
    else:
        answers = {probe: Answer(Sight.UNCLEAR, NOT_ACCEPTED) for probe in planned(full=full)}
        look.stopped = NOT_ACCEPTED
    others = (*look.identity(), _ACCOUNT_NAME, look.client_id(secret.get("client_id")), _CLIENT_SECRET)
    return Proof(recognised, judge(rights, answers), others, look.facts)


_ACCOUNT_NAME: Final = Finding(ACCOUNT_NAME, "unverifiable", "no call of the API shows it")
_CLIENT_SECRET: Final = Finding(CLIENT_SECRET, "unverifiable", "no call of the API proves it; it only signs logins")


def _finding(verdict: Verdict, evidence: str) -> Finding:
    return Finding(RECOGNISED, verdict, evidence)


class _Look:
    """The calls of one proof. `stopped` says why no more are made, empty while they are."""

    def __init__(self, gateway: Gateway, token: Secret) -> None:
        self._gateway, self._token = gateway, token
        self.answers: dict[Probe, Answer] = {}
        self.stopped = ""
        self._failures = 0
        self._trouble: StoreError | None = None
        self._heard = False
        self._refused = False
        self._store: Mapping[str, Any] = {}

    # --- calls --------------------------------------------------------------------------------------------------------

    def alive(self) -> Reply:
        """The answer to the call that needs no right."""
        reply = self._gateway.ask("GET", ALIVE, self._token)
        if reply.status >= 500:
            raise self._failure(reply)
        self._count(reply)
        return reply

    def at(self, probe: Probe) -> None:
        """Look at one right, unless it was looked at before."""
        if probe in self.answers:
            return
        if self.stopped:
            self.answers[probe] = Answer(Sight.UNCLEAR, self.stopped)
            return
        reply = self._ask(probe.method, probe.path, probe.query, probe.body)
        if isinstance(reply, str):
            self.answers[probe] = Answer(Sight.UNCLEAR, reply)
            return
        seen = sight(probe.kind, reply)
        if seen is Sight.CARRIED_OUT:
            raise Incident(
                f"the store carried out {probe.call}, which was to show whether {probe.label} may be changed"
                f" (answer {reply.status}); nothing more was sent",
                do=f"See what is new at the store under {probe.label}, remove what nobody ordered,"
                " and declare `verify: read` until it is explained",
                where=self._gateway.where,
            )
        if seen is Sight.DEAD:
            self._refusal()
        if probe.path == STORE and isinstance(reply.document, Mapping):
            self._store = reply.document
        self.answers[probe] = Answer(seen, f"was answered {reply.status}: {reply.saying.value}")

    def doubted(self) -> Finding:
        """A token that is refused even the time for want of a right: whose it is, shown by a few more calls."""
        few = planned(full=False)[:DOUBTS]
        for probe in few:
            self.at(probe)
        seen = {self.answers[probe].sight for probe in few}
        if Sight.PRESENT in seen:
            return _finding("confirmed", "GET /v2/time is refused, but other calls are served")
        if seen == {Sight.MISSING}:
            words = (
                "every call is refused for want of a right, even GET /v2/time, which needs none: the token is of"
                " another store, or the store hash is wrong (`store-` in front of it does this too)"
            )
            return _finding("contradicted", words)
        return _finding("unverifiable", f"GET /v2/time answers 403: {_STRANGE[Saying.NO_SCOPE]}")

    def client_id(self, client_id: Secret | None) -> Finding:
        """Whether the client id belongs to the token: webhooks of the account show it (3.2)."""
        if client_id is None:
            return Finding(CLIENT_ID, "unverifiable", "none was given")
        reply = self.stopped or self._ask("GET", HOOKS, {"limit": "1"}, None)
        if isinstance(reply, str):
            return Finding(CLIENT_ID, "unverifiable", f"it {reply}")
        shown = [hook["client_id"] for hook in hooks(reply) if isinstance(hook.get("client_id"), str)]
        if not shown:
            words = "no call shows it as long as the account has no webhook"
            return Finding(CLIENT_ID, "unverifiable", words)
        if client_id.same(Secret(shown[0])):
            return Finding(CLIENT_ID, "confirmed", "a webhook of the account shows it")
        words = "a webhook of the account shows another one: these values are of two accounts"
        return Finding(CLIENT_ID, "contradicted", words)

    def _ask(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Reply | str:
        """One call, or in words why there is no answer to judge; whether to go on is decided here."""
        words = "brought no answer"
        try:
            reply = self._gateway.ask(method, path, self._token, query=query, body=body)
            if reply.status < 500:
                self._failures, self._heard = 0, True
                self._count(reply)
                return reply
            words = f"was answered {reply.status}"
            self._trouble = self._failure(reply)
        except RateLimited as limited:
            # Waiting was tried already, within limits.
            self.stopped, self._trouble = KEPT, limited
            return "met the store's rate limit"
        except _UNHEARD as unheard:
            self._trouble = unheard
        self._failures += 1
        if self._failures >= FAILURES:
            self.stopped = FAILING
        return words

    def _refusal(self) -> None:
        """A token that was accepted is refused: it died meanwhile, unless it is accepted after all."""
        try:
            again = self.alive()
        except StoreError:
            return
        if life(again) == "refused":
            self._refused = True
            self.stopped = "was not looked at: the token was refused meanwhile"

    def _failure(self, reply: Reply) -> Transient:
        return Transient(f"the store's API answers {reply.status}", do="Try later", where=self._gateway.where)

    def _count(self, reply: Reply) -> None:
        """Keep to the reserve of the quota that the answer tells of."""
        if reply.left is None or reply.quota is None:
            return
        if reply.left <= max(RESERVE_LEAST, math.ceil(reply.quota * RESERVE_SHARE)):
            self.stopped = self.stopped or KEPT
            self._trouble = self._trouble or RateLimited(
                "the store's quota is kept for its shop", do="Look again in a minute", where=self._gateway.where
            )

    # --- what it comes to ---------------------------------------------------------------------------------------------

    def summary(self, recognised: Finding) -> Finding:
        """What the run as a whole shows about the token (5.3, rule 4)."""
        if not self._heard and self._trouble is not None:
            raise self._trouble
        if self._refused:
            return _finding(
                "contradicted", f"{recognised.evidence} first and 401 later: the token was deleted meanwhile"
            )
        seen = {answer.sight for answer in self.answers.values()} - {Sight.UNCLEAR, Sight.DEAD}
        if seen == {Sight.MISSING}:
            words = "a living token without any of the rights looked at; a token of another type looks like this too"
            return _finding("confirmed", f"{recognised.evidence}, every other call is refused: {words}")
        return recognised

    @property
    def facts(self) -> Mapping[str, str]:
        """Plan and domain of the store, where the token may read them and they look like such."""
        found = {"plan": self._store.get("plan_level"), "domain": self._store.get("domain")}
        return {
            name: text for name, text in found.items() if isinstance(text, str) and _PLAIN.fullmatch(text) is not None
        }

    def identity(self) -> tuple[Finding, ...]:
        """Whether the store calls itself by the hash, where the token may read that (3.2)."""
        named = self._store.get("id")
        if not isinstance(named, str):
            return ()
        if named == self._gateway.store_hash:
            return (Finding(IDENTITY, "confirmed", "the store calls itself by this hash"),)
        return (Finding(IDENTITY, "contradicted", "the store calls itself by another hash"),)


_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,99}")
"""Texts of a store that may be shown: plans and host names."""


def hooks(reply: Reply) -> tuple[Mapping[str, Any], ...]:
    """The webhooks in an answer to `GET /v3/hooks`: those of the token's own account (3.2). Odd ones are left out."""
    document = reply.document
    found = document.get("data") if isinstance(document, Mapping) else None
    return tuple(hook for hook in found if isinstance(hook, Mapping)) if isinstance(found, list) else ()
