"""The state of all stores: their panel users, their API accounts, and what those own (sheet 3 and 14).

A person's rights are checked here, so that a page can only ask: `create_account`, `accounts`, `delete_account` take the
panel user who does it, or None for a hand from outside (the control API), which may do everything. There is no call that
changes an account: the vendor has none either.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.bigcommerce.database import SCHEMA, STORE_TABLES
from sandbox.bigcommerce.resources import SEEDS
from sandbox.bigcommerce.scopes import RightsError, Row, complete, offered_rows, parameters
from sandbox.bigcommerce.settings import StoreSettings
from sandbox.database import connect, transaction

STORE_HASH = re.compile(r"[a-z0-9]{4,20}\Z")
TITLE_MINIMUM = 4
API_TOKEN = "V2/V3 API token"
STENCIL_TOKEN = "Stencil-CLI token"
TOKEN_TYPES = (API_TOKEN, STENCIL_TOKEN)
OWNER = "owner"
ROLES = (OWNER, "user")
CREATE, LIST, DELETE = "Create_Store_API_Tokens", "List_Store_API_Tokens", "Delete_Store_API_Tokens"
PERMISSIONS = (CREATE, LIST, DELETE)
"""The high-risk permissions on API accounts (sheet 3.1). The owner has them all; nothing is inherited."""
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


class StateError(ValueError):
    """Something that cannot be carried out; its text is fit for a page or the control API."""


class NotPermittedError(StateError):
    """The panel user lacks the permission."""


@dataclass(frozen=True, slots=True)
class User:
    """A user of the control panel."""

    id: int
    mail: str
    role: str
    """`owner` or `user`."""
    permissions: frozenset[str]
    """Those out of PERMISSIONS that a `user` was given."""
    password_hash: bytes = field(repr=False)

    def may(self, permission: str) -> bool:
        """Whether the panel lets this user do what a permission is about."""
        return self.role == OWNER or permission in self.permissions


@dataclass(frozen=True, slots=True)
class Session:
    """A logged-in panel user; `token` is the value of the cookie."""

    user: User
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """A store-level API account as the panel's list knows it: without any secret."""

    id: int
    title: str
    token_type: str
    levels: Mapping[str, str]
    """Label to level word, one for each row that the panel offered, in the panel's order. Empty for Stencil-CLI."""
    client_id: str
    created: float
    """Unix time."""
    deleted: float | None = None
    """Unix time; accounts in lists have none."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The OAuth parameters it was granted."""
        return parameters(self.levels)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the popup shows once, and the .txt holds. Nobody can read it again."""

    account: Account
    store_hash: str
    api_path: str
    """`https://api.bigcommerce.com/stores/{hash}/v3/`, as the panel prints it: the vendor's host, not the sandbox's."""
    client_id: str
    client_secret: str = field(repr=False)
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook, bound to the account that made it."""

    id: int
    account_id: int
    scope: str
    destination: str
    is_active: bool
    created: int


@dataclass(frozen=True, slots=True)
class Resource:
    """A piece of shop data. `owner_client_id` is set for what only its maker may edit: metafields and scripts."""

    id: int
    collection: str
    body: dict[str, Any]
    owner_client_id: str | None
    archived: bool


@dataclass(frozen=True, slots=True)
class StorefrontToken:
    """A storefront, private or customer-impersonation token; of the JWT itself only the hash is kept."""

    account_id: int
    kind: str
    """`storefront`, `private` or `impersonation`."""
    channels: tuple[int, ...]
    origins: tuple[str, ...]
    scopes: tuple[str, ...]
    created: float
    expires: float
    revoked: float | None


@dataclass(slots=True)
class Window:
    """The running rate window of a store; kept in memory only. Times are monotonic seconds."""

    started: float | None = None
    used: int = 0


@dataclass(slots=True)
class Store:
    """One store, kept in memory and written through."""

    id: int
    store_hash: str
    account_uuid: str
    settings: StoreSettings
    window: Window = field(default_factory=Window)

    @property
    def now(self) -> float:
        """The time by the clock of the store: unix seconds."""
        return time.time() + self.settings.clock_offset

    @property
    def host(self) -> str:
        """The vendor's host of the panel and the storefront: the first path segment in the sandbox."""
        return f"store-{self.store_hash}.mybigcommerce.com"

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that the form for a new account shows, in order."""
        return offered_rows(self.settings.rows_offered)


class State:
    """All stores. Every call is synchronous and short: the process has one thread."""

    def __init__(self, path: Path, secret: bytes) -> None:
        """`path` is the database file, `secret` the key that hashes and signatures hang on."""
        self._database = connect(path, SCHEMA)
        self._secret = secret
        self._stores: dict[str, Store] = {}
        for row in self._database.execute("SELECT * FROM stores ORDER BY id"):
            settings = StoreSettings(**json.loads(row["settings"]))
            store = Store(row["id"], row["store_hash"], row["account_uuid"], settings)
            self._stores[store.store_hash] = store

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # Stores

    def stores(self) -> list[Store]:
        """Every store in the order of creation."""
        return list(self._stores.values())

    def store_at(self, store_hash: str) -> Store | None:
        """The store with this hash, or None."""
        return self._stores.get(store_hash)

    def store(self, store_hash: str) -> Store:
        """The store with this hash; raises if there is none."""
        store = self._stores.get(store_hash)
        if store is None:
            raise StateError(f"there is no store {store_hash!r}")
        return store

    def create_store(
        self, store_hash: object, settings: dict[str, Any] | None = None, users: Iterable[dict[str, Any]] = ()
    ) -> Store:
        """A new store with some shop data in it. Each user: {mail, password, role, permissions}."""
        if not isinstance(store_hash, str) or not STORE_HASH.match(store_hash):
            raise StateError("a store hash is 4 to 20 small letters and digits")
        if store_hash in self._stores:
            raise StateError(f"there is a store {store_hash!r} already")
        chosen = StoreSettings().changed(settings or {})
        account_uuid = str(uuid.uuid4())
        with transaction(self._database):
            row_id = self._insert(
                "INSERT INTO stores (store_hash, account_uuid, settings) VALUES (?, ?, ?)",
                (store_hash, account_uuid, json.dumps(chosen.stored())),
            )
            for collection, bodies in SEEDS.items():
                for body in bodies:
                    self._insert_resource(row_id, collection, body, None)
            for user in users:
                self._insert_user(row_id, user)
        store = Store(row_id, store_hash, account_uuid, chosen)
        self._stores[store_hash] = store
        return store

    def delete_store(self, store: Store) -> None:
        """Take a store away with everything in it."""
        with transaction(self._database):
            for table in STORE_TABLES:
                self._database.execute(f"DELETE FROM {table} WHERE store_id = ?", (store.id,))  # noqa: S608
            self._database.execute("DELETE FROM stores WHERE id = ?", (store.id,))
        del self._stores[store.store_hash]

    def change_settings(self, store: Store, changes: dict[str, Any]) -> None:
        """Set switches of a store."""
        store.settings = store.settings.changed(changes)
        self._database.execute(
            "UPDATE stores SET settings = ? WHERE id = ?", (json.dumps(store.settings.stored()), store.id)
        )

    def derive(self, store: Store, purpose: str) -> bytes:
        """A secret of one store for one purpose, such as the tokens in its forms."""
        return hmac.digest(self._secret, f"{purpose}:{store.id}".encode(), "sha256")

    # Panel users and sessions

    def users(self, store: Store) -> list[User]:
        """Every user of the panel, oldest first."""
        rows = self._database.execute("SELECT * FROM users WHERE store_id = ? ORDER BY id", (store.id,))
        return [_user(row) for row in rows]

    def add_user(self, store: Store, order: dict[str, Any]) -> User:
        """A new panel user: {mail, password, role: owner | user, permissions: [names out of PERMISSIONS]}."""
        user_id = self._insert_user(store.id, order)
        return next(user for user in self.users(store) if user.id == user_id)

    def log_in(self, store: Store, mail: str, password: str) -> Session | None:
        """A session for the right password, else None."""
        wanted = self._hash_password(store.id, mail.casefold(), password)
        for user in self.users(store):
            if user.mail == mail.casefold() and hmac.compare_digest(user.password_hash, wanted):
                token = secrets.token_urlsafe(32)
                self._database.execute(
                    "INSERT INTO sessions VALUES (?, ?, ?)", (self._hash("session", token), store.id, user.id)
                )
                return Session(user, token)
        return None

    def session(self, store: Store, token: str) -> Session | None:
        """The session of a cookie value, if it is alive."""
        row = self._database.execute(
            "SELECT users.* FROM sessions JOIN users ON users.id = sessions.user_id"
            " WHERE sessions.token_hash = ? AND sessions.store_id = ?",
            (self._hash("session", token), store.id),
        ).fetchone()
        return Session(_user(row), token) if row else None

    def log_out(self, session: Session) -> None:
        """End a session."""
        self._database.execute("DELETE FROM sessions WHERE token_hash = ?", (self._hash("session", session.token),))

    def end_sessions(self, store: Store) -> int:
        """End every session of a store; returns how many there were."""
        return self._database.execute("DELETE FROM sessions WHERE store_id = ?", (store.id,)).rowcount

    # API accounts

    def create_account(
        self,
        store: Store,
        title: str,
        chosen: Mapping[str, str],
        *,
        token_type: str = API_TOKEN,
        by: User | None = None,
    ) -> Credentials:
        """Save a new account; the answer is the only place where its secrets can ever be read.

        `chosen` maps labels to level words in any letter case; a row left out gets its default, which is none but for
        Metafields access. A Stencil-CLI token has no rows: what it may do is the setting `stencil_token`.
        Raises NotPermittedError without the Create permission, StateError for a title that is too short or too long,
        an unknown token type, rows that this panel does not offer, and the account above the limit (50).
        """
        _demand(by, CREATE)
        title = title.strip()
        if len(title) < TITLE_MINIMUM:
            raise StateError(f"The name must have at least {TITLE_MINIMUM} characters.")
        if 0 < store.settings.title_maximum < len(title):
            raise StateError(f"The name may have at most {store.settings.title_maximum} characters.")
        if token_type not in TOKEN_TYPES:
            raise StateError(f"The token type is one of: {', '.join(TOKEN_TYPES)}.")
        if len(self._living(store)) >= store.settings.account_limit:
            raise StateError(f"A store has at most {store.settings.account_limit} store-level API accounts.")
        levels: dict[str, str] = {}
        if token_type == API_TOKEN:
            try:
                levels = complete(chosen, store.rows)
            except RightsError as error:
                raise StateError(str(error)) from None
        client_id, access_token = (_random(31) for _ in range(2))
        client_secret = secrets.token_hex(32)
        created = store.now
        account_id = self._insert(
            "INSERT INTO accounts (store_id, title, token_type, levels, client_id, token_hash, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (store.id, title, token_type, json.dumps(levels), client_id, self._hash("token", access_token), created),
        )
        account = Account(account_id, title, token_type, levels, client_id, created)
        api_path = f"https://api.bigcommerce.com/stores/{store.store_hash}/v3/"
        return Credentials(account, store.store_hash, api_path, client_id, client_secret, access_token)

    def accounts(self, store: Store, *, by: User | None = None) -> list[Account]:
        """The accounts in the panel's list, oldest first. Raises NotPermittedError without the List permission."""
        _demand(by, LIST)
        return self._living(store)

    def account(self, store: Store, account_id: int, *, by: User | None = None) -> Account:
        """One account of the list; raises if there is none."""
        for account in self.accounts(store, by=by):
            if account.id == account_id:
                return account
        raise StateError(f"there is no account {account_id}")

    def delete_account(self, store: Store, account_id: int, *, by: User | None = None) -> None:
        """Delete an account for good: its webhooks vanish at once, its metafields and scripts stay without an editor.

        Its token dies after the setting `deletion_delay`. Raises NotPermittedError without the Delete permission,
        StateError if there is no such account.
        """
        _demand(by, DELETE)
        if all(account.id != account_id for account in self._living(store)):
            raise StateError(f"there is no account {account_id}")
        with transaction(self._database):
            self._database.execute("UPDATE accounts SET deleted = ? WHERE id = ?", (store.now, account_id))
            self._database.execute("DELETE FROM webhooks WHERE account_id = ?", (account_id,))

    def account_of(self, access_token: str) -> tuple[Store, Account] | None:
        """Whose token this is, of whatever store, deleted accounts too; None for a token nobody was given."""
        row = self._database.execute(
            "SELECT accounts.*, stores.store_hash FROM accounts JOIN stores ON stores.id = accounts.store_id"
            " WHERE token_hash = ?",
            (self._hash("token", access_token),),
        ).fetchone()
        return (self._stores[row["store_hash"]], _account(row)) if row else None

    def _living(self, store: Store) -> list[Account]:
        rows = self._database.execute(
            "SELECT * FROM accounts WHERE store_id = ? AND deleted IS NULL ORDER BY id", (store.id,)
        )
        return [_account(row) for row in rows]

    # What accounts own

    def webhooks(self, store: Store, account_id: int | None = None) -> list[Webhook]:
        """The webhooks of one account, or of all, oldest first."""
        rows = self._database.execute(
            "SELECT * FROM webhooks WHERE store_id = ? AND (? IS NULL OR account_id = ?) ORDER BY id",
            (store.id, account_id, account_id),
        )
        return [_webhook(row) for row in rows]

    def add_webhook(self, store: Store, account_id: int, scope: str, destination: str, is_active: bool) -> Webhook:
        """A webhook of an account."""
        created = int(store.now)
        hook_id = self._insert(
            "INSERT INTO webhooks (store_id, account_id, scope, destination, is_active, created) VALUES (?, ?, ?, ?, ?, ?)",
            (store.id, account_id, scope, destination, is_active, created),
        )
        return Webhook(hook_id, account_id, scope, destination, is_active, created)

    def change_webhook(self, hook: Webhook, scope: str, destination: str, is_active: bool) -> Webhook:
        """Overwrite a webhook; returns it as it is then."""
        self._database.execute(
            "UPDATE webhooks SET scope = ?, destination = ?, is_active = ? WHERE id = ?",
            (scope, destination, is_active, hook.id),
        )
        return Webhook(hook.id, hook.account_id, scope, destination, is_active, hook.created)

    def delete_webhook(self, hook: Webhook) -> None:
        """Take a webhook away."""
        self._database.execute("DELETE FROM webhooks WHERE id = ?", (hook.id,))

    # Shop data

    def resources(self, store: Store, collection: str) -> list[Resource]:
        """The members of a collection, such as `customers`, oldest first; archived ones are left out."""
        rows = self._database.execute(
            "SELECT * FROM resources WHERE store_id = ? AND collection = ? AND archived = 0 ORDER BY id",
            (store.id, collection),
        )
        return [_resource(row) for row in rows]

    def resource_counts(self, store: Store) -> dict[str, int]:
        """How many members every collection has, archived ones left out; what a test compares to see that nothing changed."""
        rows = self._database.execute(
            "SELECT collection, archived FROM resources WHERE store_id = ?",
            (store.id,),
        )
        counts: Counter[str] = Counter(dict.fromkeys(SEEDS, 0))
        counts.update(row["collection"] for row in rows if not row["archived"])
        return dict(sorted(counts.items()))

    def add_resource(
        self, store: Store, collection: str, body: dict[str, Any], owner_client_id: str | None = None
    ) -> Resource:
        """A new member of a collection."""
        resource_id = self._insert_resource(store.id, collection, body, owner_client_id)
        return Resource(resource_id, collection, body, owner_client_id, archived=False)

    def change_resource(self, resource: Resource, body: dict[str, Any], owner_client_id: str | None) -> Resource:
        """Overwrite a member of a collection; returns it as it is then."""
        self._database.execute(
            "UPDATE resources SET body = ?, owner_client_id = ? WHERE id = ?",
            (json.dumps(body), owner_client_id, resource.id),
        )
        return Resource(resource.id, resource.collection, body, owner_client_id, resource.archived)

    def wipe(self, store: Store, collection: str, *, archive: bool = False) -> None:
        """Delete or archive everything in a collection, as the dangerous routes do (sheet 5.3)."""
        statement = "UPDATE resources SET archived = 1" if archive else "DELETE FROM resources"
        self._database.execute(f"{statement} WHERE store_id = ? AND collection = ?", (store.id, collection))

    # Storefront tokens

    def add_storefront_token(self, store: Store, jwt: str, token: StorefrontToken) -> None:
        """Keep a token that was just given out."""
        self._database.execute(
            "INSERT INTO storefront_tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (
                self._hash("storefront", jwt),
                store.id,
                token.account_id,
                token.kind,
                *(json.dumps(values) for values in (token.channels, token.origins, token.scopes)),
                token.created,
                token.expires,
            ),
        )

    def storefront_tokens(self, store: Store) -> list[StorefrontToken]:
        """Every token ever given out in a store, oldest first. The vendor has no such list."""
        rows = self._database.execute(
            "SELECT * FROM storefront_tokens WHERE store_id = ? ORDER BY created", (store.id,)
        )
        return [_storefront_token(row) for row in rows]

    def storefront_token(self, store: Store, jwt: str) -> StorefrontToken | None:
        """The token that a JWT is, dead ones too; None for one that this store never gave out."""
        row = self._database.execute(
            "SELECT * FROM storefront_tokens WHERE token_hash = ? AND store_id = ?",
            (self._hash("storefront", jwt), store.id),
        ).fetchone()
        return _storefront_token(row) if row else None

    def revoke_storefront_token(self, store: Store, jwt: str) -> None:
        """Schedule the revocation; an earlier one stays."""
        self._database.execute(
            "UPDATE storefront_tokens SET revoked = ? WHERE token_hash = ? AND store_id = ? AND revoked IS NULL",
            (store.now, self._hash("storefront", jwt), store.id),
        )

    def deletion_of(self, account_id: int) -> float | None:
        """When an account was deleted; None while it lives."""
        row = self._database.execute("SELECT deleted FROM accounts WHERE id = ?", (account_id,)).fetchone()
        deleted: float | None = row["deleted"] if row else None
        return deleted

    # Inside

    def _insert(self, statement: str, values: tuple[Any, ...]) -> int:
        row_id = self._database.execute(statement, values).lastrowid
        if row_id is None:
            raise StateError("the database gave no number")
        return row_id

    def _insert_resource(self, store_id: int, collection: str, body: dict[str, Any], owner: str | None) -> int:
        return self._insert(
            "INSERT INTO resources (store_id, collection, owner_client_id, body) VALUES (?, ?, ?, ?)",
            (store_id, collection, owner, json.dumps(body)),
        )

    def _insert_user(self, store_id: int, order: dict[str, Any]) -> int:
        mail, password, role = order.get("mail"), order.get("password"), order.get("role", "user")
        permissions = order.get("permissions", [])
        if not isinstance(mail, str) or "@" not in mail:
            raise StateError("a panel user needs a mail address")
        if not isinstance(password, str) or not password:
            raise StateError("a panel user needs a password")
        if role not in ROLES:
            raise StateError(f"a role is one of {', '.join(ROLES)}")
        if not isinstance(permissions, list) or not set(permissions) <= set(PERMISSIONS):
            raise StateError(f"permissions are out of {', '.join(PERMISSIONS)}")
        mail = mail.casefold()
        try:
            return self._insert(
                "INSERT INTO users (store_id, mail, role, permissions, password_hash) VALUES (?, ?, ?, ?, ?)",
                (store_id, mail, role, json.dumps(permissions), self._hash_password(store_id, mail, password)),
            )
        except sqlite3.IntegrityError:
            raise StateError(f"there is a user {mail!r} already") from None

    def _hash(self, purpose: str, value: str) -> bytes:
        return hmac.digest(self._secret, f"{purpose}:{value}".encode("utf-8", "surrogateescape"), "sha256")

    def _hash_password(self, store_id: int, mail: str, password: str) -> bytes:
        return self._hash("password", f"{store_id}:{mail}:{password}")


def _demand(user: User | None, permission: str) -> None:
    if user is not None and not user.may(permission):
        raise NotPermittedError(f"This needs the permission {permission}.")


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _user(row: sqlite3.Row) -> User:
    permissions = frozenset(json.loads(row["permissions"]))
    return User(row["id"], row["mail"], row["role"], permissions, row["password_hash"])


def _account(row: sqlite3.Row) -> Account:
    return Account(
        id=row["id"],
        title=row["title"],
        token_type=row["token_type"],
        levels=json.loads(row["levels"]),
        client_id=row["client_id"],
        created=row["created"],
        deleted=row["deleted"],
    )


def _webhook(row: sqlite3.Row) -> Webhook:
    return Webhook(
        row["id"], row["account_id"], row["scope"], row["destination"], bool(row["is_active"]), row["created"]
    )


def _resource(row: sqlite3.Row) -> Resource:
    return Resource(
        row["id"], row["collection"], json.loads(row["body"]), row["owner_client_id"], bool(row["archived"])
    )


def _storefront_token(row: sqlite3.Row) -> StorefrontToken:
    return StorefrontToken(
        account_id=row["account_id"],
        kind=row["kind"],
        channels=tuple(json.loads(row["channels"])),
        origins=tuple(json.loads(row["origins"])),
        scopes=tuple(json.loads(row["scopes"])),
        created=row["created"],
        expires=row["expires"],
        revoked=row["revoked"],
    )
