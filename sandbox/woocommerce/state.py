"""The state of all stores (sheet 14.2) as values and the queries that read and change them."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
import uuid
import zlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.database import transaction
from sandbox.woocommerce.database import STORE_TABLES
from sandbox.woocommerce.profiles import PROFILES, Profile
from sandbox.woocommerce.settings import StoreSettings

STORE_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}\Z")
ROLES = ("administrator", "shop_manager", "customer")
PERMISSIONS = ("read", "write", "read_write")
HISTORY_LENGTH = 64
OAUTH_WINDOW = 15 * 60

DEFAULT_USERS = (
    ("connector", "administrator", "Connector Robot"),
    ("shop-manager", "shop_manager", "Sam Manager"),
    ("customer", "customer", "Chris Customer"),
)
FOREIGN_KEYS: tuple[dict[str, str], ...] = (
    {"login": "connector", "description": "Label printer in the warehouse", "permissions": "read"},
    {"login": "shop-manager", "description": "Newsletter plugin (set up by Sam)", "permissions": "read_write"},
)
"""Keys that people made by hand, so that nobody mistakes 'all keys' for 'our keys'."""


class StateError(ValueError):
    """A control call that cannot be carried out."""


@dataclass(frozen=True, slots=True)
class User:
    """A WordPress user."""

    id: int
    login: str
    display_name: str
    mail: str
    role: str
    password_hash: bytes = field(repr=False)
    keys_per_page: int | None = None

    @property
    def manages_woocommerce(self) -> bool:
        """The capability `manage_woocommerce`."""
        return self.role in {"administrator", "shop_manager"}

    def may_edit(self, other: User) -> bool:
        """The capability `edit_user`: administrators everybody, shop managers customers, everybody themselves."""
        return (
            self.role == "administrator"
            or self.id == other.id
            or (self.role == "shop_manager" and other.role == "customer")
        )


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A row of the table of keys (sheet 1)."""

    key_id: int
    user_id: int
    description: str
    permissions: str
    consumer_key: str = field(repr=False)
    """HMAC of `ck`, as the plugin stores it."""
    consumer_secret: str = field(repr=False)
    """In plain text, since OAuth signs with it."""
    truncated_key: str
    last_access: int | None


@dataclass(frozen=True, slots=True)
class ApplicationPassword:
    """A row of a user's application passwords."""

    uuid: str
    user_id: int
    name: str
    created: int
    last_used: int | None
    last_ip: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """A logged-in user; the token binds nonces to this one session."""

    user: User
    token: str = field(repr=False)


@dataclass(slots=True)
class Store:
    """One store, kept in memory and written through."""

    id: int
    name: str
    profile: Profile
    settings: StoreSettings
    store_uuid: str
    failed_logins: int
    prefixes: list[str] = field(default_factory=list)
    history: deque[tuple[int, ApiKey | None]] = field(default_factory=lambda: deque(maxlen=HISTORY_LENGTH))
    """The last writes to the keys, each as the row before it; the lagging list undoes them."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A consumer key and its secret, given out once."""

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)


def new_pair() -> KeyPair:
    """`ck_` and `cs_` with 40 hex digits each."""
    return KeyPair(f"ck_{secrets.token_hex(20)}", f"cs_{secrets.token_hex(20)}")


def hash_consumer_key(consumer_key: str) -> str:
    """How the plugin stores `ck`: HMAC-SHA256 with the key `wc-api`."""
    return hmac.digest(b"wc-api", consumer_key.encode("utf-8", "surrogateescape"), "sha256").hex()


class State:
    """All stores. Every call is synchronous and short: the process has one thread."""

    def __init__(self, connection: sqlite3.Connection, secret: bytes) -> None:
        self._database = connection
        self._secret = secret
        self._stores: dict[int, Store] = {}
        self._by_prefix: dict[str, Store] = {}
        for row in connection.execute("SELECT * FROM stores"):
            self._remember(row)
        for row in connection.execute("SELECT prefix, store_id FROM prefixes"):
            self._bind(row["prefix"], self._stores[row["store_id"]])

    # Stores

    def stores(self) -> list[Store]:
        """Every store in the order of creation."""
        return list(self._stores.values())

    def store_at(self, prefix: str) -> Store | None:
        """The store served under this prefix."""
        return self._by_prefix.get(prefix)

    def store(self, name: str) -> Store:
        """The store of this name or alias; raises if there is none."""
        store = self._by_prefix.get(name)
        if store is None:
            raise StateError(f"there is no store {name!r}")
        return store

    def create_stores(self, orders: Iterable[dict[str, Any]]) -> tuple[list[str], list[str]]:
        """Make stores in one transaction; returns the names made and the names that were there already."""
        created: list[str] = []
        existing: list[str] = []
        fresh: list[Store] = []
        with transaction(self._database):
            for order in orders:
                name = check_name(order.get("name"))
                if name in self._by_prefix or name in created:
                    existing.append(name)
                    continue
                fresh.append(self._insert_store(name, order))
                created.append(name)
        for store in fresh:
            self._stores[store.id] = store
            self._bind(store.name, store)
        return created, existing

    def delete_store(self, store: Store) -> None:
        """Take a store away with everything in it."""
        with transaction(self._database):
            for table in STORE_TABLES:
                self._database.execute(f"DELETE FROM {table} WHERE store_id = ?", (store.id,))  # noqa: S608
            self._database.execute("DELETE FROM stores WHERE id = ?", (store.id,))
        del self._stores[store.id]
        for prefix in store.prefixes:
            del self._by_prefix[prefix]

    def change_settings(self, store: Store, changes: dict[str, Any]) -> None:
        """Set switches of a store."""
        store.settings = store.settings.changed(changes)
        self._database.execute(
            "UPDATE stores SET settings = ? WHERE id = ?", (json.dumps(store.settings.stored()), store.id)
        )
        if "login_limit" in changes:
            self.count_failed_login(store, reset=True)

    def serve_under(self, store: Store, name: object, *, keep: bool) -> None:
        """Serve a store under another name as well (keep), or instead: the host has moved."""
        prefix = check_name(name)
        if prefix in self._by_prefix:
            raise StateError(f"{prefix!r} is taken")
        with transaction(self._database):
            if not keep:
                self._database.execute("DELETE FROM prefixes WHERE store_id = ?", (store.id,))
                self._database.execute("UPDATE stores SET name = ? WHERE id = ?", (prefix, store.id))
            self._database.execute("INSERT INTO prefixes VALUES (?, ?)", (prefix, store.id))
        if not keep:
            for old in store.prefixes:
                del self._by_prefix[old]
            store.prefixes.clear()
            store.name = prefix
        self._bind(prefix, store)

    def count_failed_login(self, store: Store, *, reset: bool = False) -> None:
        """One more failed login, or none any more."""
        store.failed_logins = 0 if reset else store.failed_logins + 1
        self._database.execute("UPDATE stores SET failed_logins = ? WHERE id = ?", (store.failed_logins, store.id))

    # Users and sessions

    def users(self, store: Store) -> list[User]:
        """Every user of a store by id."""
        rows = self._database.execute("SELECT * FROM users WHERE store_id = ? ORDER BY id", (store.id,))
        return [_user(row) for row in rows]

    def user(self, store: Store, user_id: int) -> User | None:
        """A user by id."""
        row = self._database.execute(
            "SELECT * FROM users WHERE store_id = ? AND id = ?", (store.id, user_id)
        ).fetchone()
        return _user(row) if row else None

    def user_by_login(self, store: Store, login: str) -> User | None:
        """A user by login name."""
        row = self._database.execute(
            "SELECT * FROM users WHERE store_id = ? AND login = ?", (store.id, login)
        ).fetchone()
        return _user(row) if row else None

    def add_user(self, store: Store, order: dict[str, Any]) -> User:
        """A new user."""
        login = order.get("login")
        if isinstance(login, str) and self.user_by_login(store, login):
            raise StateError(f"there is a user {login!r} already")
        last = self._database.execute("SELECT max(id) FROM users WHERE store_id = ?", (store.id,)).fetchone()[0]
        return self._insert_user(store.id, (last or 0) + 1, order)

    def delete_user(self, store: Store, user_id: int) -> None:
        """Delete a user in WordPress; the keys go too or stay, by version (sheet 1)."""
        if self.user(store, user_id) is None:
            raise StateError(f"there is no user {user_id}")
        with transaction(self._database):
            for table in ("sessions", "application_passwords"):
                self._database.execute(
                    f"DELETE FROM {table} WHERE store_id = ? AND user_id = ?",  # noqa: S608
                    (store.id, user_id),
                )
            self._database.execute("DELETE FROM users WHERE store_id = ? AND id = ?", (store.id, user_id))
            if store.profile.keys_die_with_owner:
                for key in self.keys(store):
                    if key.user_id == user_id:
                        self.delete_key(store, key.key_id)

    def set_keys_per_page(self, store: Store, user: User, size: int) -> None:
        """Keep the screen option of a user."""
        self._database.execute(
            "UPDATE users SET keys_per_page = ? WHERE store_id = ? AND id = ?", (size, store.id, user.id)
        )

    def password_is_right(self, store: Store, user: User, password: str) -> bool:
        """Compare a password."""
        return hmac.compare_digest(user.password_hash, self._hash_password(store.id, user.id, password))

    def open_session(self, store: Store, user: User) -> Session:
        """Log a user in."""
        token = secrets.token_urlsafe(32)
        self._database.execute(
            "INSERT INTO sessions VALUES (?, ?, ?)", (self._hash_token(store, token), store.id, user.id)
        )
        return Session(user, token)

    def session(self, store: Store, token: str) -> Session | None:
        """The session of a token, if it is alive."""
        row = self._database.execute(
            "SELECT users.* FROM sessions JOIN users ON users.store_id = sessions.store_id AND users.id = sessions.user_id"
            " WHERE sessions.token_hash = ?",
            (self._hash_token(store, token),),
        ).fetchone()
        return Session(_user(row), token) if row else None

    def close_session(self, store: Store, session: Session) -> None:
        """Log out."""
        self._database.execute("DELETE FROM sessions WHERE token_hash = ?", (self._hash_token(store, session.token),))

    def close_all_sessions(self, store: Store) -> int:
        """End every session of a store; returns how many there were."""
        return self._database.execute("DELETE FROM sessions WHERE store_id = ?", (store.id,)).rowcount

    def derive(self, store: Store, purpose: str) -> bytes:
        """A secret of one store for one purpose, such as its nonces."""
        return hmac.digest(self._secret, f"{purpose}:{store.id}".encode(), "sha256")

    # Keys

    def keys(self, store: Store, search: str = "", lag: int = 0) -> list[ApiKey]:
        """Keys whose description contains the text, newest first; as they were LAG writes ago."""
        rows = self._database.execute("SELECT * FROM api_keys WHERE store_id = ? ORDER BY key_id DESC", (store.id,))
        keys = {row["key_id"]: _key(row) for row in rows}
        for key_id, before in list(reversed(store.history))[:lag]:
            if before is None:
                keys.pop(key_id, None)
            else:
                keys[key_id] = before
        wanted = search.casefold()
        chosen = [key for key in keys.values() if wanted in key.description.casefold()]
        return sorted(chosen, key=lambda key: -key.key_id) if lag else chosen

    def key(self, store: Store, key_id: int) -> ApiKey | None:
        """A key by id."""
        row = self._database.execute(
            "SELECT * FROM api_keys WHERE store_id = ? AND key_id = ?", (store.id, key_id)
        ).fetchone()
        return _key(row) if row else None

    def key_of(self, store: Store, consumer_key: str) -> ApiKey | None:
        """The key that a `ck` belongs to."""
        row = self._database.execute(
            "SELECT * FROM api_keys WHERE store_id = ? AND consumer_key = ?",
            (store.id, hash_consumer_key(consumer_key)),
        ).fetchone()
        return _key(row) if row else None

    def insert_key(self, store: Store, user_id: int, description: str, permissions: str, pair: KeyPair) -> int:
        """Store a new key; returns its id."""
        key_id = self._insert_key(store.id, user_id, description, permissions, pair)
        store.history.append((key_id, None))
        return key_id

    def update_key(self, store: Store, key_id: int, user_id: int, description: str, permissions: str) -> bool:
        """Overwrite the three fields; False if there is no such key."""
        before = self.key(store, key_id)
        if before is None:
            return False
        self._database.execute(
            "UPDATE api_keys SET user_id = ?, description = ?, permissions = ? WHERE store_id = ? AND key_id = ?",
            (user_id, description, permissions, store.id, key_id),
        )
        store.history.append((key_id, before))
        return True

    def delete_key(self, store: Store, key_id: int) -> bool:
        """Revoke a key; False if there is none."""
        before = self.key(store, key_id)
        if before is None:
            return False
        self._database.execute("DELETE FROM api_keys WHERE store_id = ? AND key_id = ?", (store.id, key_id))
        self._database.execute("DELETE FROM oauth_nonces WHERE store_id = ? AND key_id = ?", (store.id, key_id))
        store.history.append((key_id, before))
        return True

    def touch_key(self, store: Store, key: ApiKey, moment: int) -> None:
        """Note the last access, at most once a second."""
        if key.last_access != moment:
            self._database.execute(
                "UPDATE api_keys SET last_access = ? WHERE store_id = ? AND key_id = ?", (moment, store.id, key.key_id)
            )

    def use_oauth_nonce(self, store: Store, key: ApiKey, nonce: str, timestamp: int, now: int) -> bool:
        """Note a nonce; False if it was used within the window."""
        with transaction(self._database):
            self._database.execute(
                "DELETE FROM oauth_nonces WHERE store_id = ? AND key_id = ? AND timestamp < ?",
                (store.id, key.key_id, now - OAUTH_WINDOW),
            )
            added = self._database.execute(
                "INSERT OR IGNORE INTO oauth_nonces VALUES (?, ?, ?, ?)", (store.id, key.key_id, nonce, timestamp)
            )
        return added.rowcount == 1

    # Application passwords

    def application_passwords(self, store: Store, user: User) -> list[ApplicationPassword]:
        """The application passwords of a user, oldest first."""
        rows = self._database.execute(
            "SELECT * FROM application_passwords WHERE store_id = ? AND user_id = ? ORDER BY created, uuid",
            (store.id, user.id),
        )
        return [_application_password(row) for row in rows]

    def add_application_password(self, store: Store, user: User, name: str, now: int) -> tuple[str, str]:
        """A new application password; returns its uuid and the password."""
        identifier = str(uuid.uuid4())
        password = secrets.token_hex(12)
        self._database.execute(
            "INSERT INTO application_passwords VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
            (store.id, user.id, identifier, name, self._hash_password(store.id, user.id, password), now),
        )
        return identifier, password

    def rename_application_password(self, store: Store, user: User, identifier: str, name: str) -> None:
        """Give an application password another name."""
        self._database.execute(
            "UPDATE application_passwords SET name = ? WHERE store_id = ? AND user_id = ? AND uuid = ?",
            (name, store.id, user.id, identifier),
        )

    def delete_application_passwords(self, store: Store, user: User, identifier: str | None = None) -> int:
        """Delete one application password of a user, or all; returns how many."""
        return self._database.execute(
            "DELETE FROM application_passwords WHERE store_id = ? AND user_id = ? AND (? IS NULL OR uuid = ?)",
            (store.id, user.id, identifier, identifier),
        ).rowcount

    def use_application_password(self, store: Store, user: User, password: str, address: str, now: int) -> bool:
        """Whether this is one of the user's application passwords; notes the use. Blanks in it do not count."""
        wanted = self._hash_password(store.id, user.id, re.sub(r"[^a-zA-Z0-9]", "", password))
        used = self._database.execute(
            "UPDATE application_passwords SET last_used = ?, last_ip = ?"
            " WHERE store_id = ? AND user_id = ? AND password_hash = ?",
            (now, address, store.id, user.id, wanted),
        )
        return used.rowcount == 1

    # Inside

    def _remember(self, row: sqlite3.Row) -> None:
        self._stores[row["id"]] = Store(
            id=row["id"],
            name=row["name"],
            profile=PROFILES[row["version"]],
            settings=StoreSettings(**json.loads(row["settings"])),
            store_uuid=row["store_uuid"],
            failed_logins=row["failed_logins"],
        )

    def _bind(self, prefix: str, store: Store) -> None:
        self._by_prefix[prefix] = store
        store.prefixes.append(prefix)

    def _insert_store(self, name: str, order: dict[str, Any]) -> Store:
        unknown = set(order) - {"name", "version", "admin_password", "users", "foreign_keys", "settings"}
        if unknown:
            raise StateError(f"unknown field {min(unknown)!r}")
        version = order.get("version")
        if version not in PROFILES:
            raise StateError(f"version must be one of {', '.join(PROFILES)}")
        settings = StoreSettings().changed(order.get("settings") or {})
        store_uuid = str(uuid.uuid4())
        # Key ids start elsewhere in every store, so that mixing up two stores shows.
        first_key_id = 1 + zlib.crc32(name.encode()) % 90
        row_id = self._database.execute(
            "INSERT INTO stores (name, version, settings, store_uuid, next_key_id) VALUES (?, ?, ?, ?, ?)",
            (name, version, json.dumps(settings.stored()), store_uuid, first_key_id),
        ).lastrowid
        if row_id is None:
            raise StateError("the database gave the store no number")
        self._database.execute("INSERT INTO prefixes VALUES (?, ?)", (name, row_id))
        ids = self._insert_first_users(row_id, order)
        foreign = order.get("foreign_keys")
        for key in FOREIGN_KEYS if foreign is None else foreign:
            if key.get("login") not in ids:
                raise StateError(f"a foreign key belongs to no user: {key.get('login')!r}")
            permissions = check_permissions(key.get("permissions", "read"))
            self._insert_key(row_id, ids[key["login"]], key.get("description", "Made by hand"), permissions, new_pair())
        return Store(row_id, name, PROFILES[version], settings, store_uuid, 0)

    def _insert_first_users(self, store_id: int, order: dict[str, Any]) -> dict[str, int]:
        """The default users, some of them overridden, then those that the caller adds; login to id."""
        wanted = {login: {"login": login, "role": role, "display_name": name} for login, role, name in DEFAULT_USERS}
        if order.get("admin_password"):
            wanted["connector"]["password"] = order["admin_password"]
        for user in order.get("users") or []:
            login = user.get("login")
            wanted[login] = wanted.get(login, {}) | user
        for number, user in enumerate(wanted.values(), 1):
            self._insert_user(store_id, number, user)
        return {login: number for number, login in enumerate(wanted, 1)}

    def _insert_user(self, store_id: int, user_id: int, order: dict[str, Any]) -> User:
        login, role = order.get("login"), order.get("role")
        if not isinstance(login, str) or not login:
            raise StateError("a user needs a login")
        if role not in ROLES:
            raise StateError(f"role must be one of {', '.join(ROLES)}")
        user = User(
            id=user_id,
            login=login,
            # Without a password nobody can log in as this user.
            password_hash=self._hash_password(store_id, user_id, order.get("password") or secrets.token_hex(16)),
            display_name=order.get("display_name") or login,
            mail=order.get("mail") or f"{login}@shop.example",
            role=role,
        )
        self._database.execute(
            "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
            (store_id, user.id, user.login, user.password_hash, user.display_name, user.mail, user.role),
        )
        return user

    def _insert_key(self, store_id: int, user_id: int, description: str, permissions: str, pair: KeyPair) -> int:
        (key_id,) = self._database.execute(
            "UPDATE stores SET next_key_id = next_key_id + 1 WHERE id = ? RETURNING next_key_id - 1", (store_id,)
        ).fetchone()
        self._database.execute(
            "INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (
                store_id,
                key_id,
                user_id,
                description,
                permissions,
                hash_consumer_key(pair.consumer_key),
                pair.consumer_secret,
                pair.consumer_key[-7:],
            ),
        )
        return int(key_id)

    def _hash_password(self, store_id: int, user_id: int, password: str) -> bytes:
        # Cheap on purpose: a real store spends a hundred milliseconds here, which would be all that a bench measures.
        message = f"{store_id}:{user_id}:{password}".encode("utf-8", "surrogateescape")
        return hmac.digest(self._secret, message, "sha256")

    @staticmethod
    def _hash_token(store: Store, token: str) -> bytes:
        return hashlib.sha256(f"{store.id}:{token}".encode("utf-8", "surrogateescape")).digest()


def check_name(name: object) -> str:
    """A name that can be a path segment."""
    if not isinstance(name, str) or not STORE_NAME.match(name):
        raise StateError(f"{name!r} is no store name: small letters, digits, dots and hyphens, at most 63")
    return name


def check_permissions(permissions: object) -> str:
    """One of the three words."""
    if permissions not in PERMISSIONS:
        raise StateError(f"permissions must be one of {', '.join(PERMISSIONS)}")
    return str(permissions)


def _user(row: sqlite3.Row) -> User:
    return User(
        row["id"], row["login"], row["display_name"], row["mail"], row["role"], row["password_hash"],
        row["keys_per_page"],
    )  # fmt: skip


def _key(row: sqlite3.Row) -> ApiKey:
    return ApiKey(
        row["key_id"], row["user_id"], row["description"], row["permissions"], row["consumer_key"],
        row["consumer_secret"], row["truncated_key"], row["last_access"],
    )  # fmt: skip


def _application_password(row: sqlite3.Row) -> ApplicationPassword:
    return ApplicationPassword(
        row["uuid"], row["user_id"], row["name"], row["created"], row["last_used"], row["last_ip"]
    )
