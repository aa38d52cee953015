"""`coopcycle.ApiApp`: an API app of one CoopCycle server, bound to one of its stores or to none.

Made by the administration's form, proved by calls that change nothing, and ended by having its secret replaced by one that
nobody keeps: there is no way to delete an app (sheet coopcycle.md 0 and 5).
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from providers.coopcycle import labels, server, verification
from providers.coopcycle.pages import AppForm, AppPage, Row
from providers.coopcycle.scopes import API_KEY, OAUTH, ordered
from providers.coopcycle.server import Server
from providers.coopcycle.verification import KEY, PAIR, declared_store, is_key
from providers.core import marker
from providers.core.admin_session import Login
from providers.core.contract import Capabilities, Fields, Finding, Issued, Life, Order, Selector, StoreKey, Tools
from providers.core.errors import (
    ConnectionsError,
    CouldNotLook,
    Forbidden,
    PersonNeeded,
    Rejected,
    StoreError,
    UnclearOutcome,
)
from providers.core.redaction import Secret
from providers.core.sheet import Sheet, Task
from providers.core.texts import plain, shown

FIELDS: Final = ("name", "for_store", "rights", "type")
SECRET_FIELDS: Final = PAIR

LINGERS: Final = "access tokens that were given out before go on working for up to an hour"
"""Sheet 4: an access token lives for an hour, whatever becomes of its pair."""

BY_FORM: Final = Capabilities(
    made_by="form",
    revoked_by="store",
    # Saving an app's form makes other credentials, whatever was changed in it (sheet 2, edit trap).
    revisable=frozenset(),
    lists=True,
    # PHP ends a request after 30 s unless told otherwise (max_execution_time): what was not stored by then never will be.
    settle=30.0,
    residual=True,
    lingers=LINGERS,
)
IRREVOCABLE: Final = Capabilities(
    made_by="form", revoked_by="person", revisable=frozenset(), lists=True, settle=30.0, residual=True
)
"""Of an API key: nothing that can be called ends it (sheet 4, 5)."""

CONTROL: Final = "positive control"
TAIL: Final = 12
"""Hex digits of the digest that stands for the end of a credential: the server shows all of it, and we none."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a connection declares that is not asked for by field. `name` is the declared one, empty for our own words."""

    connection: str
    type: str
    name: str
    store: int | None


class ApiAppIssuer:
    """Implements `Issuer`. Thread-safe."""

    def __init__(self, shared: Server, terms: Terms) -> None:
        self.server, self.terms = shared, terms
        self._where = shared.origin.where

    @property
    def capabilities(self) -> Capabilities:
        """By the declared type: a pair can be ended, an API key only by whoever runs the server."""
        return IRREVOCABLE if self.terms.type == API_KEY else BY_FORM

    def public(self) -> Mapping[str, str]:
        """The server's address, and the number of the store where the app has one."""
        store = {} if self.terms.store is None else {"store": str(self.terms.store)}
        return {"base_url": self.server.origin.url, **store}

    def tail(self, secret: Mapping[str, Secret]) -> str:
        """A short digest: it changes whenever somebody regenerates the secret, and gives nothing of it away."""
        parts = KEY if is_key(secret) else PAIR
        text = ":".join(secret[name].reveal() for name in parts)
        return hashlib.sha256(f"coopcycle:{text}".encode()).hexdigest()[:TAIL]

    def close(self) -> None:
        """Log out of the server. Other connections of it log in again when they need to."""
        self.server.admin.session.close()

    # --- looking ------------------------------------------------------------------------------------------------------

    def find(self, selector: Selector, *, fresh: bool = True) -> Sequence[StoreKey]:
        """Every selected app, from a complete list; details come from each app's own page."""
        rows = self.server.apps.get(fresh=fresh)
        chosen = [row for row in rows if selector.text in row.name or row.app_id in selector.key_ids]
        listed = [row for row in chosen if not selector.details or row.app_id in selector.plain]
        # An app that went away since the list was read has no page: it is none any more.
        pages = [(row, self.server.admin.app(row.app_id)) for row in chosen if row not in listed]
        return [
            *(StoreKey(row.app_id, row.name, self.tail(row.credential), facts=_facts(row)) for row in listed),
            *(
                StoreKey(page.app_id, page.name, self.tail(page.credential), self._fields(page), _facts(row))
                for row, page in pages
                if page is not None
            ),
        ]

    def _fields(self, page: AppPage) -> Fields:
        """The declared fields as far as the server shows them. A name that is not declared is our own words, whatever they
        were."""
        found: dict[str, Any] = {"type": page.type, **({"rights": list(page.scopes)} if page.scopes else {})}
        if page.store is not None:
            found["for_store"] = {"id": page.store, "name": plain(page.store_name, labels.LONGEST)}
        if self.terms.name:
            found["name"] = plain(marker.strip(page.name), labels.LONGEST)
        return found

    def facts(self) -> Mapping[str, str]:
        """A server tells nothing of itself that stays."""
        return {}

    # --- making and ending --------------------------------------------------------------------------------------------

    def ready(self) -> str:
        """A server waits for nothing: what is in the way shows when an app is made."""
        return ""

    def issue(self, order: Order) -> Issued:
        """Make an app and read it back. One that is not what was ordered is left to its number's end: core revokes it."""
        label = labels.label(order.fields.get("name") or labels.own_words(self.terms.connection), order.marker)
        try:
            number = self.server.admin.create(lambda form: self._filled(form, label, order.fields))
            try:
                page = self.server.admin.app(number)
            except ConnectionsError as error:
                raise UnclearOutcome(f"app #{number} was made, but then: {error.what}", where=self._where) from None
        finally:
            self.server.apps.forget()
        wrong = _differences(page, label, order.fields)
        if page is None or wrong:
            raise UnclearOutcome(
                f"app #{number} was made with another {', '.join(wrong)} than ordered", where=self._where
            )
        return Issued(number, page.credential)

    def _filled(self, form: AppForm, label: str, fields: Fields) -> list[tuple[str, str]]:
        """What is sent; what the server would make otherwise than declared is refused before."""
        kind, rights, store = str(fields["type"]), ordered(fields["rights"]), declared_store(fields)
        if missing := [name for name in rights if name not in form.scopes]:
            raise Rejected(f"the server's form has no scope {', '.join(missing)}", where=self._where)
        if form.types and kind not in form.types:
            raise Rejected(f"the server's form has no type {kind}", where=self._where)
        if store is not None:
            self._right_store(form, *store)
        sent = [("api_app[name]", label), ("api_app[type]", kind)]
        sent += [("api_app[scopes][]", name) for name in rights]
        return [*sent, ("api_app[store]", "" if store is None else str(store[0]))]

    def _right_store(self, form: AppForm, number: int, name: str) -> None:
        """Both were declared: a wrong number would send orders to a neighbour."""
        there = form.stores.get(number)
        if there == name:
            return
        others = [str(other) for other, called in form.stores.items() if called == name]
        hint = f"; {name} is store {' and '.join(others)}" if others else ""
        what = f"there is no store {number}" if there is None else f"store {number} is {shown(there)}, not {name}"
        raise Rejected(what + hint, do="Correct `for_store`, or make the store at the server first", where=self._where)

    def revise(self, key_id: str, order: Order) -> None:
        """Never: nothing of an app can be changed without making other credentials."""
        raise Rejected(f"app #{key_id} cannot be changed in place; another one takes its place", where=self._where)

    def revoke(self, key_id: str, secret: Mapping[str, Secret] | None = None) -> None:
        """End the pair of an app, by having its secret replaced by one that nobody keeps, and see that it is dead.

        The app stays listed. Where somebody saved its form, the former pair is another client, which no page shows: it is
        ended too where we have it.
        """
        page = self.server.admin.app(key_id) if key_id else None
        shown_now = dict(page.credential) if page is not None else {}
        for found in (shown_now, dict(secret or {})):
            if "api_key" in found and self.probe(found) != "refused":
                raise Forbidden(
                    f"app #{key_id} is an API key, and nothing that can be called ends it",
                    do="Whoever runs the server ends it in its database; then run again",
                    where=self._where,
                )
        try:
            if shown_now.keys() >= set(PAIR):
                self._end(shown_now, f"app #{key_id}")
            if secret and secret.keys() >= set(PAIR):
                current = shown_now.get("identifier")
                if current is None or not current.same(secret["identifier"]):
                    self._end(secret, f"the pair that app #{key_id} had before its form was saved")
        finally:
            self.server.apps.forget()

    def _end(self, pair: Mapping[str, Secret], what: str) -> None:
        """Two tries: what the server answers to it is unknown, and a reply may be lost, so the pair itself is asked."""
        lost: StoreError | None = None
        for _ in range(2):
            try:
                self.server.admin.regenerate(pair["identifier"])
                lost = None
            except CouldNotLook as error:
                lost = error
            if self.probe(pair) == "refused":
                return
        raise lost or Forbidden(
            f"the server goes on taking {what}, although its secret was to be replaced",
            do=f"Press `Regenerate secret` beside it at {self.server.origin.url}/admin/api/apps, or have its OAuth2 client"
            " deactivated at the server's console",
            where=self._where,
        )

    def losses(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """Nothing hangs on an app."""
        return ()

    def sheet(self, task: Task, fields: Fields, number: int) -> Sheet:
        """What a person does to end what we cannot. Apps are made by the form, so nobody is asked to make one."""
        name = fields.get("name") or labels.own_words(self.terms.connection)
        page = f"{self.server.origin.url}/admin/api/apps"
        what = f"{name!r} #{number}"
        if task == "make":
            steps: tuple[str, ...] = (
                "Press + Add, set the name, the type, the scopes and the store as declared, and press Save.",
            )
            return Sheet(f"Make the API app {what} at {self.server.origin.url}", page, steps)
        return Sheet(
            f"End the API app {what} of {self.server.origin.url}",
            page,
            (
                f"Log in as an administrator and find the app whose name holds `{self.terms.connection}:{number}:`.",
                "If its type is OAuth2: press `Regenerate secret` beside it, and copy nothing.",
                "If it is an API key: whoever runs the server empties `api_key` of its row in the table `api_app`.",
            ),
            (
                "No page and no call of the server ends an API key.",
                "Never save the form of the app: that makes another credential.",
                f"Afterwards {LINGERS}.",
            ),
        )

    # --- proving ------------------------------------------------------------------------------------------------------

    def verify(self, secret: Mapping[str, Secret], fields: Fields) -> Sequence[Finding]:
        """Recognised at `/api/me`, the scopes, the binding to the store, and a neighbour refused."""
        return verification.prove(self.server.api, secret, fields, self._neighbour)

    def probe(self, secret: Mapping[str, Secret]) -> Life:
        """Whether the server takes it now, token and `/api/me` both."""
        return verification.life(self.server.api, secret)

    def control(self) -> Finding:
        """That the server, right now, tells a credential from a made-up one."""
        try:
            found, status = self.server.api.entry_point()
            if self.terms.type == API_KEY:
                answer = self.server.api.get("/api/me", Secret(f"ak_{secrets.token_hex(20)}"))
                refused, words = answer.status == 401, f"GET /api/me with a made-up API key: {answer.status}"
            else:
                made_up = Secret(secrets.token_hex(16)), Secret(secrets.token_hex(64))
                granted = self.server.api.token(*made_up, ["deliveries"])
                refused, words = granted.refused, f"POST /oauth2/token with a made-up pair: {granted}"
        except StoreError as error:
            return Finding(CONTROL, "unverifiable", error.what)
        return Finding(CONTROL, "confirmed" if found and refused else "unverifiable", f"GET /api: {status}; {words}")

    def _neighbour(self, number: int) -> tuple[int | None, str]:
        """The nearest other store that exists, as the form for an app offers it: one that does not exist proves nothing."""
        try:
            others = [other for other in self.server.admin.form().stores if other != number]
        except (StoreError, PersonNeeded) as error:
            return None, f"which stores there are is not known: {error.what}"
        nearest = min(others, key=lambda other: (abs(other - number), other), default=None)
        return nearest, "" if nearest is not None else "the server has no other store"


def _differences(page: AppPage | None, label: str, fields: Fields) -> tuple[str, ...]:
    """What of an app stands otherwise than sent, in the words of the declaration."""
    if page is None:
        return ("existence",)
    store = declared_store(fields)
    rights = ordered(fields["rights"])
    pairs = (
        ("name", page.name, label),
        ("type", page.type, fields["type"]),
        ("for_store", page.store, None if store is None else store[0]),
        ("rights", page.scopes or rights, rights),
    )
    return tuple(name for name, kept, sent in pairs if kept != sent)


def _facts(row: Row) -> Mapping[str, str]:
    return {"store": shown(row.store)}


def issuer(inputs: Mapping[str, Any], tools: Tools) -> ApiAppIssuer:
    """The issuer for a server's inputs: `url`, and of the connection `connection`, `type`, `name`, `for_store` where
    they are there."""
    url = tools.http.origin(inputs["url"]).url
    parts = urlsplit(url)

    def login() -> Login | None:
        # With the port, where it is not the usual one: another service of the same host must not get this login.
        return tools.admin_login(parts.netloc, parts.path.strip("/"))

    store = declared_store(inputs)
    terms = Terms(
        connection=inputs.get("connection", ""),
        type=inputs.get("type", OAUTH),
        name=inputs.get("name", ""),
        store=None if store is None else store[0],
    )
    return ApiAppIssuer(server.shared(tools.http, url, login), terms)
