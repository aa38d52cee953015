"""The live proof of a credential (sheet coopcycle.md 3 and 4). Changes nothing.

The token endpoint alone proves little: the pair that a saved form left behind still gets tokens there, and opens nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from providers.coopcycle.api import Api, Granted, Me, Seen, store_id
from providers.coopcycle.scopes import SCOPES, of_a_store, ordered
from providers.core import marker
from providers.core.contract import RECOGNISED, Finding, Life, Verdict
from providers.core.errors import Unexpected
from providers.core.redaction import Secret
from providers.core.texts import shown

PAIR: Final = ("identifier", "secret")
KEY: Final = ("api_key",)

STORE, NAME, OWN, NEIGHBOUR = "store", "name", "own store", "neighbour refused"
REFUSED: Final = frozenset({401, 403, 404})
"""How a server may refuse what another store has; which of them is unknown (sheet 4)."""

Secrets = Mapping[str, Secret]
Neighbour = Callable[[int], tuple[int | None, str]]
"""Gives another store that exists, or why none is known, in words."""


def is_key(secret: Secrets) -> bool:
    """Whether a credential is an API key; `Unexpected` where it is neither that nor a pair."""
    if secret.keys() >= set(KEY):
        return True
    if secret.keys() >= set(PAIR):
        return False
    raise Unexpected("the stored credential lacks identifier or secret")


def declared_store(fields: Mapping[str, Any]) -> tuple[int, str] | None:
    """Number and name of the declared store; None for none. The engine keeps numbers as floating ones."""
    store = fields.get("for_store")
    return (int(store["id"]), str(store["name"])) if store else None


def prove(api: Api, secret: Secrets, fields: Mapping[str, Any], neighbour: Neighbour) -> tuple[Finding, ...]:
    """Recognised, each scope as declared, present and absent, and bound to the declared store and name."""
    rights = ordered(fields["rights"])
    found, status = api.entry_point()
    if not found:
        # Nothing is sent to what is no CoopCycle server.
        return (Finding(RECOGNISED, "unverifiable", f"GET /api: {status}: this is not the entry point of CoopCycle"),)
    if is_key(secret):
        bearer = secret["api_key"]
        me = api.get("/api/me", bearer)
        recognised = _recognised_key(me)
        scopes = [
            Finding(_scope(name), "unverifiable", "an API key names no scopes when it is used, so none is seen")
            for name in SCOPES
        ]
        return (recognised, *scopes, *_binding(api, bearer, me.me, fields, rights, neighbour))
    return _prove_pair(api, secret, fields, rights, neighbour)


def _prove_pair(
    api: Api, secret: Secrets, fields: Mapping[str, Any], rights: Sequence[str], neighbour: Neighbour
) -> tuple[Finding, ...]:
    asked = {name: _granted(api, secret, [name]) for name in SCOPES}
    scopes = [_scope_finding(name, name in rights, asked[name]) for name in SCOPES]
    good = {name: granted.token for name, granted in asked.items() if granted.token is not None}
    if any(granted.refused for granted in asked.values()) and not good:
        return (Finding(RECOGNISED, "contradicted", "POST /oauth2/token: 401 invalid_client: this pair is not known"),)
    bearer = next((good[name] for name in rights if name in good), None)
    if bearer is None:
        words = f"POST /oauth2/token: {next(iter(asked.values()))}: no token for a declared scope"
        return (Finding(RECOGNISED, "unverifiable", words), *scopes)
    if not of_a_store(rights):
        opened = [(name, api.get(SCOPES[name].collection, good[name])) for name in rights if name in good]
        return (_recognised_by_collections(opened), *scopes, *(_collection(name, seen) for name, seen in opened))
    me = api.get("/api/me", bearer)
    return (_recognised(me), *scopes, *_binding(api, bearer, me.me, fields, rights, neighbour))


def _granted(api: Api, secret: Secrets, scopes: Sequence[str]) -> Granted:
    return api.token(secret["identifier"], secret["secret"], scopes)


# --- recognised -------------------------------------------------------------------------------------------------------


def _recognised(me: Seen) -> Finding:
    """Of a pair that got a token: anything but a whole app at `/api/me` is a pair that half works (S7)."""
    if me.me is not None:
        return Finding(RECOGNISED, "confirmed", "POST /oauth2/token: 200, and GET /api/me: 200, an app")
    return Finding(
        RECOGNISED,
        _unless_passing(me.status),
        f"POST /oauth2/token: 200, but GET /api/me: {me.status}: this pair opens nothing: its app is gone, or somebody saved"
        " the app's form, which makes other credentials",
    )


def _recognised_key(me: Seen) -> Finding:
    if me.me is not None:
        return Finding(RECOGNISED, "confirmed", "GET /api/me with the API key: 200, an app")
    words = f"GET /api/me with the API key: {me.status}: not an app"
    return Finding(RECOGNISED, _unless_passing(me.status), words)


def _recognised_by_collections(opened: Sequence[tuple[str, Seen]]) -> Finding:
    """Of an app without a store, which `/api/me` does not answer (S14)."""
    words = ", ".join(f"GET {SCOPES[name].collection}: {seen.status}" for name, seen in opened)
    if any(seen.status == 200 for _, seen in opened):
        return Finding(RECOGNISED, "confirmed", f"POST /oauth2/token: 200, and {words}")
    verdicts = {_unless_passing(seen.status) for _, seen in opened}
    verdict: Verdict = "unverifiable" if "unverifiable" in verdicts else "contradicted"
    return Finding(RECOGNISED, verdict, f"POST /oauth2/token: 200, but {words}: this pair opens nothing")


def _unless_passing(status: int) -> Verdict:
    """What passes by itself says nothing about a credential; nor does a page that is no answer of the API."""
    return "unverifiable" if status in {200, 408, 429, 502, 503, 504} else "contradicted"


# --- scopes -----------------------------------------------------------------------------------------------------------


def _scope(name: str) -> str:
    return f"scope {name}"


def _scope_finding(name: str, declared: bool, granted: Granted) -> Finding:
    words = "declared" if declared else "not declared"
    if granted.token is not None:
        verdict: Verdict = "confirmed" if declared else "contradicted"
        return Finding(_scope(name), verdict, f"{words}, and granted{'' if declared else ': MORE than declared'}")
    if granted.scope_refused:
        verdict = "contradicted" if declared else "confirmed"
        return Finding(
            _scope(name), verdict, f"{words}, and refused: {granted}{': LESS than declared' if declared else ''}"
        )
    return Finding(_scope(name), "unverifiable", f"{words}; the answer is not one we know: {granted}")


def _collection(name: str, seen: Seen) -> Finding:
    verdict: Verdict = (
        "confirmed" if seen.status == 200 else "contradicted" if seen.status in REFUSED else "unverifiable"
    )
    return Finding(f"{name} at work", verdict, f"GET {SCOPES[name].collection}: {seen.status}")


# --- binding ----------------------------------------------------------------------------------------------------------


def _binding(
    api: Api, bearer: Secret, app: Me | None, fields: Mapping[str, Any], rights: Sequence[str], neighbour: Neighbour
) -> Iterator[Finding]:
    """Whether the app is that of the declared store, and of no other. Nothing where it is not recognised."""
    if app is None:
        return
    store = declared_store(fields)
    declared = None if store is None else store[0]
    yield bound(app, declared)
    if fields.get("name"):
        same = marker.strip(app.name) == fields["name"]
        yield Finding(
            NAME, "confirmed" if same else "contradicted", f"GET /api/me: the app is called {shown(app.name)}"
        )
    if declared is None or app.store != declared:
        return
    seen = api.get(f"/api/stores/{declared}", bearer)
    yield _own(declared, seen, rights)
    yield _neighbour(api, bearer, declared, seen, neighbour)


def bound(app: Me, declared: int | None) -> Finding:
    """Whether an app is bound to this store."""
    words = f"GET /api/me: bound to {'no store' if app.store is None else f'store {app.store}'}"
    if app.store == declared:
        return Finding(STORE, "confirmed", words)
    wanted = "none" if declared is None else f"store {declared}"
    return Finding(STORE, "contradicted", f"{words}, where {wanted} is declared")


def _own(declared: int, seen: Seen, rights: Sequence[str]) -> Finding:
    words = f"GET /api/stores/{declared}: {seen.status}"
    if _is_store(seen, declared):
        return Finding(OWN, "confirmed", words)
    # Whether an app without `deliveries` may read its store is unknown (sheet 3, 4).
    told = seen.status in REFUSED and "deliveries" in rights
    return Finding(OWN, "contradicted" if told else "unverifiable", words)


def _neighbour(api: Api, bearer: Secret, declared: int, own: Seen, neighbour: Neighbour) -> Finding:
    if not _is_store(own, declared):
        return Finding(
            NEIGHBOUR, "unverifiable", "not tried: its own store does not answer, so a refusal shows nothing"
        )
    other, why = neighbour(declared)
    if other is None:
        return Finding(NEIGHBOUR, "unverifiable", f"not tried: {why}")
    seen = api.get(f"/api/stores/{other}", bearer)
    words = f"GET /api/stores/{other}, another store: {seen.status}"
    if _is_store(seen, other):
        return Finding(NEIGHBOUR, "contradicted", f"{words}: MORE than declared")
    return Finding(NEIGHBOUR, "confirmed" if seen.status in REFUSED else "unverifiable", words)


def _is_store(seen: Seen, number: int) -> bool:
    return seen.status == 200 and store_id(str(seen.document.get("@id", ""))) == number


# --- alive ------------------------------------------------------------------------------------------------------------


def life(api: Api, secret: Secrets) -> Life:
    """Whether the server takes the credential now; `unknown` for all that could have another cause."""
    if is_key(secret):
        me = api.get("/api/me", secret["api_key"])
        return "accepted" if me.me is not None else "refused" if me.status == 401 else "unknown"
    for name, scope in SCOPES.items():
        granted = _granted(api, secret, [name])
        if granted.refused:
            return "refused"
        if granted.token is None and not granted.scope_refused:
            return "unknown"
        if granted.token is not None:
            seen = api.get("/api/me" if scope.store else scope.collection, granted.token)
            works = seen.me is not None if scope.store else seen.status == 200
            return "accepted" if works else "unknown"
    return "unknown"
