"""`woocommerce.ApiKey`: a REST API key of one WooCommerce store, 2.6 to 11.x, whichever it is.

Made by the form behind wp-admin (sheet woocommerce.md 0 and 4), proved by calls that change nothing (7), and never
believed without reading back (6).
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from providers.core import marker
from providers.core.admin_session import Login
from providers.core.contract import Capabilities, Fields, Finding, Issued, Life, Order, Selector, StoreKey, Tools
from providers.core.errors import (
    ConnectionsError,
    PersonNeeded,
    Rejected,
    StoreError,
    UnclearOutcome,
    Unexpected,
)
from providers.core.redaction import Secret
from providers.core.sheet import Sheet, Table, Task
from providers.core.texts import plain, shown
from providers.woocommerce import labels
from providers.woocommerce import store as stores
from providers.woocommerce.admin import Admin, User
from providers.woocommerce.api import Index, KeyPair, reply
from providers.woocommerce.pages import RIGHTS, TAIL, KeyPage, Row
from providers.woocommerce.store import Store
from providers.woocommerce.verification import CANNOT_VIEW, MEANING, Reply, Standing, findings, standing

FIELDS = ("rights", "user", "purpose")
SECRET_FIELDS = ("consumer_key", "consumer_secret")

BY_FORM = Capabilities(
    made_by="form",
    revoked_by="store",
    revisable=frozenset(FIELDS),
    lists=True,
    # A store makes a key in about 40 ms (sheet 4.3), and PHP ends a request after 30 s unless told otherwise
    # (max_execution_time): what has not been stored by then never will be.
    settle=30.0,
    relabels=True,
)
BY_PERSON = Capabilities(made_by="person", revoked_by="person", revisable=frozenset(), lists=False, settle=0.0)

POWERLESS = frozenset({"customer", "subscriber", "contributor", "author", "editor"})
"""Roles whose keys can do nothing (sheet 7.1: the customer's key). Roles we do not know are left to the proof."""

CONTROL = "positive control"


class ApiKeyIssuer:
    """Implements `Issuer`. Thread-safe. `by_person` is for a store without an admin login; `in_query` allows sending the
    key in the query string where the host strips the header."""

    def __init__(self, store: Store, *, by_person: bool, in_query: bool) -> None:
        self.store, self.by_person, self._in_query = store, by_person, in_query

    @property
    def capabilities(self) -> Capabilities:
        """As declared: with `login: none` a person makes and revokes the keys, else the form does.

        Never by what the login page says now: a challenge that passes must not leave a number open that waits for a
        person. A login that needs one is `LoginBlocked`, wherever it is used.
        """
        return BY_PERSON if self.by_person else BY_FORM

    def public(self) -> Mapping[str, str]:
        """The store's address, which readers of the key need."""
        return {"url": self.store.origin.url}

    def tail(self, secret: Mapping[str, Secret]) -> str:
        """The last characters of the consumer key, which the store goes on showing."""
        return self._pair(secret).consumer_key.tail(TAIL)

    def close(self) -> None:
        """Log out of the store. Other connections of it log in again when they need to."""
        self.store.session.close()

    # --- looking ------------------------------------------------------------------------------------------------------

    def find(self, selector: Selector, *, fresh: bool = True) -> Sequence[StoreKey]:
        """Every selected key, from a complete list; details come from each key's own page."""
        admin = self._admin()
        rows = self.store.keys.get(fresh=fresh)
        chosen = [row for row in rows if selector.text in row.label or row.key_id in selector.key_ids]
        if not selector.details:
            return [StoreKey(row.key_id, row.label, shown(row.tail), facts=_facts(row)) for row in chosen]
        # A key that went away since the list was read has no page: it is no key any more.
        pages = [(row, page) for row in chosen if (page := admin.show(row.key_id)) is not None]
        return [
            StoreKey(page.key_id, page.label, shown(page.tail), self._fields(row, page), _facts(row))
            for row, page in pages
        ]

    def facts(self) -> Mapping[str, str]:
        """API version and home address; with an admin login, WooCommerce's version and the store's id where it has one."""
        index = self.store.rest.index()
        found = {"api": index.version, "home": shown(index.home)}
        return found if self.by_person else found | self.store.status()

    def _fields(self, row: Row, page: KeyPage) -> Fields:
        user = self._login_of(page.owner_id) if row.owner else ""
        # A user that is gone shows as an empty cell in the list (sheet 4.5).
        user = shown(user) or f"ghost (#{shown(page.owner_id) or '?'})"
        return {"rights": page.rights, "user": user, "purpose": plain(marker.strip(page.label), labels.LONGEST)}

    def _login_of(self, owner_id: str) -> str:
        if owner_id and owner_id not in self.store.logins:
            user = self._admin().user_by_id(owner_id)
            if user is None:
                return ""
            self.store.logins[owner_id] = user.login
        return self.store.logins.get(owner_id, "")

    # --- making and ending --------------------------------------------------------------------------------------------

    def ready(self) -> str:
        """A store waits for nothing: what is in the way shows when a key is made."""
        return ""

    def issue(self, order: Order) -> Issued:
        """Make a key and read it back; one that is not what was ordered is revoked again."""
        admin = self._admin()
        label, user, rights = self._checked(admin, order)
        try:
            made = admin.create(label, user, rights)
            try:
                page = admin.show(made.key_id)
                wrong = _differences(page, label, user, rights)
                if page is not None and page.tail != made.consumer_key.tail(TAIL):
                    wrong = (*wrong, "key")
                if wrong:
                    admin.revoke(made.key_id)
            except ConnectionsError as error:
                raise UnclearOutcome(
                    f"key {made.key_id} was made, but then: {error.what}", where=self.store.origin.where
                ) from None
        finally:
            self.store.keys.forget()
        if wrong:
            raise Rejected(
                f"the store made a key with another {', '.join(wrong)} than ordered; it is revoked again",
                where=self.store.origin.where,
            )
        return Issued(made.key_id, {"consumer_key": made.consumer_key, "consumer_secret": made.consumer_secret})

    def revise(self, key_id: str, order: Order) -> None:
        """Change description, owner and rights of a key in place; the pair stays."""
        admin = self._admin()
        label, user, rights = self._checked(admin, order)
        if admin.show(key_id) is None:
            raise Rejected(f"key {key_id} is not at the store any more", where=self.store.origin.where)
        try:
            admin.update(key_id, label, user, rights)
        finally:
            self.store.keys.forget()
        if wrong := _differences(admin.show(key_id), label, user, rights):
            raise Unexpected(
                f"the store said that key {key_id} is changed, but its {', '.join(wrong)} stands otherwise",
                do="See whether somebody else changes keys at the same time",
                where=self.store.origin.where,
            )

    def revoke(self, key_id: str, secret: Mapping[str, Secret] | None = None) -> None:
        """End a key, by its id alone, and see that it is gone."""
        admin = self._admin()
        try:
            admin.revoke(key_id)
        finally:
            self.store.keys.forget()

    def losses(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """Nothing hangs on a key."""
        return ()

    def sheet(self, task: Task, fields: Fields, number: int) -> Sheet:
        """What a person does in wp-admin to make this key by hand, or to revoke it."""
        description = f"{fields['purpose']} #{number}"
        link = f"{self.store.origin.url}/wp-admin/admin.php?page=wc-settings&tab=advanced&section=keys"
        where = (
            "Log in as an administrator.",
            "Open WooCommerce > Settings > Advanced > REST API (before 3.4: Settings > API > Keys/Apps).",
        )
        if task == "delete":
            return Sheet(
                f"Revoke the REST API key {description!r} of {self.store.origin.url}",
                link,
                (*where, f"Find {description!r} in the list, and press Revoke below it."),
                ("If it has another description: `connections show` names the end of the key.",),
            )
        rights = {"read": "Read", "write": "Write", "read_write": "Read/Write"}[fields["rights"]]
        return Sheet(
            f"Make a REST API key for {fields['purpose']} at {self.store.origin.url}",
            link,
            (
                *where,
                "Press Add key, and set:",
                Table((("Description", description), ("User", fields["user"]), ("Permissions", rights))),
                "Press Generate API key. Consumer key and consumer secret are shown this once.",
                "Put both in with `connections capture`, or hand them to whoever does.",
            ),
        )

    def _admin(self) -> Admin:
        if self.by_person:
            raise PersonNeeded(
                "keys of this store are made, listed and revoked by a person (`login: none`)",
                do="Do it in wp-admin, or give the store an admin login in Vault",
                where=self.store.origin.where,
            )
        return self.store.admin

    def _checked(self, admin: Admin, order: Order) -> tuple[str, User, str]:
        """Label, owner and rights as they will be sent; what a store would silently keep otherwise is refused (L1 to L4)."""
        where = self.store.origin.where
        rights, login = str(order.fields["rights"]), str(order.fields["user"])
        if rights not in RIGHTS:
            raise Rejected(f"a key has the rights read, write or read_write, not {rights}", where=where)
        label = labels.label(str(order.fields["purpose"]), order.marker)
        # What the login lacks is best said before what it cannot see.
        admin.session.key_form()
        user = admin.user(login)
        if user is None:
            raise Rejected(
                f"the store has no user {login}", do="Correct `user`, or make this user at the store", where=where
            )
        if user.roles <= POWERLESS:
            roles = ", ".join(sorted(user.roles)) or "none"
            raise Rejected(
                f"a key of {login} could do nothing: its role is {roles}",
                do="Give the user the role shop manager, or declare another `user`",
                where=where,
            )
        return label, user, rights

    # --- proving ------------------------------------------------------------------------------------------------------

    def verify(self, secret: Mapping[str, Secret], fields: Fields) -> Sequence[Finding]:
        """Recognised, may read, may write: each as declared, presence and absence (sheet 7.1). Changes nothing."""
        index, pair = self.store.rest.index(), self._pair(secret)
        get, stands, pair = self._standing(index, pair)
        if stands is Standing.ANONYMOUS and self._in_list(pair):
            stands = Standing.STRIPPED
        if stands is Standing.READS and self.store.rest.ask("GET", index.products, None).is_list:
            stands = Standing.INDISTINCT
        post = None
        if MEANING[stands][0] == "confirmed":
            post = self.store.rest.ask("POST", index.nowhere, pair)
        note = "; the key had to be sent in the query string: the host strips the header" if pair.in_query else ""
        return findings(str(fields["rights"]), index.version, get, stands, post, note)

    def probe(self, secret: Mapping[str, Secret]) -> Life:
        """Whether the store accepts the key now."""
        _, stands, _ = self._standing(self.store.rest.index(), self._pair(secret))
        return MEANING[stands][1]

    def control(self) -> Finding:
        """That the API tells nobody from somebody right now: it refuses a call without a key, and serves the admin."""
        try:
            index = self.store.rest.index()
            nobody = self.store.rest.ask("GET", index.products, None)
            if self.by_person:
                return Finding(
                    CONTROL, "unverifiable", f"without a key: {nobody}; there is no admin login to compare with"
                )
            admin = reply(self.store.session.rest(index.products, {"per_page": "1"}))
        except (StoreError, PersonNeeded) as error:
            return Finding(CONTROL, "unverifiable", error.what)
        tells = (nobody.status, nobody.code) == (401, CANNOT_VIEW) and admin.status == 200 and admin.is_list
        return Finding(
            CONTROL, "confirmed" if tells else "unverifiable", f"GET products: without a key {nobody}, as admin {admin}"
        )

    def _standing(self, index: Index, pair: KeyPair) -> tuple[Reply, Standing, KeyPair]:
        """Where the key stands, and the way of sending it that showed it: the header, or where that is allowed and helps,
        the query string."""
        tried = [pair, KeyPair(pair.consumer_key, pair.consumer_secret, in_query=True)] if self._in_query else [pair]
        for way in tried:
            get = self.store.rest.ask("GET", index.products, way)
            stands = standing(get, functools.partial(self.store.rest.ask, "OPTIONS", index.products, way))
            if stands is not Standing.ANONYMOUS:
                return get, stands, way
        return get, stands, pair

    def _in_list(self, pair: KeyPair) -> bool:
        """Whether the store has this key, and its user; without the user it could not be anybody's call."""
        if self.by_person:
            return False
        rows = self.store.keys.get(fresh=True)
        return any(row.tail == pair.consumer_key.tail(TAIL) and row.owner for row in rows)

    def _pair(self, secret: Mapping[str, Secret]) -> KeyPair:
        if not set(SECRET_FIELDS) <= secret.keys():
            raise Unexpected(f"the stored credential lacks {' or '.join(SECRET_FIELDS)}", where=self.store.origin.where)
        return KeyPair(secret["consumer_key"], secret["consumer_secret"])


def _differences(page: KeyPage | None, label: str, user: User, rights: str) -> tuple[str, ...]:
    """What of a key stands otherwise than sent, in the words of the declaration."""
    if page is None:
        return ("existence",)
    pairs = (("purpose", page.label, label), ("user", page.owner_id, user.user_id), ("rights", page.rights, rights))
    return tuple(name for name, kept, sent in pairs if kept != sent)


def _facts(row: Row) -> Mapping[str, str]:
    return {"owner": shown(row.owner), "last_used": shown(row.last_access)}


def issuer(inputs: Mapping[str, Any], tools: Tools) -> ApiKeyIssuer:
    """The issuer for a store's inputs: `url`, `login` ("none" where a person makes the keys) and `authentication`
    ("query" allows the key in the query string)."""
    url = tools.http.origin(inputs["url"]).url
    parts = urlsplit(url)

    def login() -> Login | None:
        # With the port, where it is not the usual one: another service of the same host must not get this login.
        return tools.admin_login(parts.netloc, parts.path.strip("/"))

    store = stores.shared(tools.http, url, login, tools.clock)
    return ApiKeyIssuer(
        store, by_person=inputs.get("login") == "none", in_query=inputs.get("authentication") == "query"
    )
