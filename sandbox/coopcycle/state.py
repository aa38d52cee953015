"""The servers and what they hold: people, stores, API apps and their OAuth2 clients (coopcycle.md sections 1, 2 and 5).

An app and its client are two rows, as they are at the vendor: that is what an orphaned pair is made of. Secrets are kept in
clear, as the vendor keeps them, because its pages show them again; no answer of the control API holds one but that which
makes an app by hand.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sandbox.documents import Documents

HOST = "coopcycle.example"
"""The host that all servers stand on, here the first segment of the path."""

AppType = Literal["oauth", "api_key"]
TYPES: tuple[str, ...] = get_args(AppType)
FORM_SCOPES = ("deliveries", "tasks", "orders:all", "tasks:all")
"""Those that the form offers (sheet 3)."""
SHOP_SCOPE = "orders"
"""The one that the shop variant forces; no other form offers it."""
DEFAULT_SCOPE = "deliveries"
KEY_PREFIX = "ak_"

INSTANCE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
INSTANCE = "coopcycle.instance"
SESSION = "coopcycle.session"


class CoopError(ValueError):
    """A control call that cannot be carried out."""


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Settings(_Value):
    """What differs from server to server, and what the sheet calls unknown."""

    model_config = ConfigDict(strict=True)

    clock_offset: float = 0.0
    """Seconds by which the clock of the server is ahead: access tokens follow it."""
    latency: float = Field(0.0, ge=0)
    login_check_path: Literal["/login_check", "/login"] = "/login_check"
    """Where the form of `/login` sends to (unknown, sheet 2; the framework's default); sent elsewhere it is just shown again."""
    regenerate_answer: Literal["redirect", "page"] = "redirect"
    """What the regenerate POST answers (unknown, sheet 2): on to the list by 302, or the list itself."""
    form_error_status: Literal[200, 422] = 200
    """Status of the form page that names errors."""
    me_without_app: Literal[401, 403, 404, 500] = 404
    """What `/api/me` gives an orphaned pair (unknown, sheet 2)."""
    me_without_role: Literal[401, 403, 404] = 403
    """What `/api/me` gives a token that holds only `:all` scopes (refused by sheet 3; status unknown)."""
    neighbour_refusal: Literal[403, 404] = 403
    """What a store that is not the app's own is refused with (unknown, sheet 4)."""
    own_store_needs_deliveries: bool = False
    """Only the scope `deliveries`, or an API key, reads even the app's own store."""
    plain_scopes_list: bool = False
    """`/api/orders` and `/api/tasks` open to the plain scopes too, not only to the `:all` ones."""


class User(_Value):
    """Somebody with a login."""

    id: int
    username: str
    password_hash: str = Field(repr=False)
    admin: bool = True
    """ROLE_ADMIN."""
    two_factor: bool = False
    """A good password leads to `/2fa`."""


class Named(_Value):
    """A store or a restaurant (a shop): all that matters here is its name."""

    id: int
    name: str


class OAuthClient(_Row):
    """A row of `oauth2_client`."""

    identifier: str
    secret: str = Field(repr=False)
    scopes: tuple[str, ...]
    active: bool = True
    regenerated: int = 0
    """How often its secret was regenerated."""
    used: bool = False
    """Whether the secret that it has now ever got an access token."""


class App(_Row):
    """A row of `api_app`."""

    id: int
    name: str
    type: AppType = "oauth"
    api_key: str | None = Field(None, repr=False)
    """40 hex digits; `ak_` stands before them wherever the key is shown or sent."""
    client: str
    """Identifier of its OAuth2 client."""
    store: int | None = None
    shop: int | None = None


class Draft(_Value):
    """What the form asks for."""

    name: str
    type: AppType = "oauth"
    scopes: tuple[str, ...] = (DEFAULT_SCOPE,)
    store: int | None = None
    shop: int | None = None


class Session(_Row):
    """What a cookie stands for."""

    name: str
    """Hash of the cookie's value."""
    instance: str
    username: str | None = None
    two_factor_pending: bool = False
    target: str = ""
    """The page that somebody without a login wanted."""
    message: str = ""
    """Shown once, on the next page."""


class Instance(_Row):
    """One CoopCycle server."""

    name: str
    settings: Settings = Settings()
    users: list[User] = []
    stores: list[Named] = []
    restaurants: list[Named] = []
    apps: list[App] = []
    clients: list[OAuthClient] = []
    last_id: int = 0
    """The highest number that an app ever had: none is given twice."""

    @field_validator("name")
    @classmethod
    def _fits_a_path(cls, name: str) -> str:
        if not INSTANCE_NAME.match(name):
            raise ValueError("the name of an instance is made of small letters, digits and hyphens")
        return name

    @property
    def site(self) -> str:
        """The host and the instance: what faults and the log call it."""
        return f"{HOST}/{self.name}"

    @property
    def root(self) -> str:
        """The path that everything of it lies below."""
        return f"/{self.site}"

    @property
    def now(self) -> float:
        """Unix seconds by its own clock."""
        return time.time() + self.settings.clock_offset

    def user(self, username: str) -> User | None:
        """The user of this name, or None."""
        return next((user for user in self.users if user.username == username), None)

    def store(self, store_id: int | None) -> Named | None:
        """The store of this number, or None."""
        return next((store for store in self.stores if store.id == store_id), None)

    def restaurant(self, restaurant_id: int | None) -> Named | None:
        """The restaurant of this number, or None."""
        return next((shop for shop in self.restaurants if shop.id == restaurant_id), None)

    def app(self, app_id: int) -> App | None:
        """The app of this number, or None."""
        return next((app for app in self.apps if app.id == app_id), None)

    def client(self, identifier: str) -> OAuthClient | None:
        """The client of this identifier, or None; it may belong to no app."""
        return next((client for client in self.clients if client.identifier == identifier), None)

    def client_of(self, app: App) -> OAuthClient:
        """The client that an app has now; the foreign key says that there is one."""
        return next(client for client in self.clients if client.identifier == app.client)

    def app_of_client(self, identifier: str) -> App | None:
        """The app that a client belongs to; None for an orphan."""
        return next((app for app in self.apps if app.client == identifier), None)

    def app_of_key(self, key: str) -> App | None:
        """The app of an API key that is sent with its `ak_`."""
        if not key.startswith(KEY_PREFIX):
            return None
        plain = key.removeprefix(KEY_PREFIX)
        return next((app for app in self.apps if app.api_key == plain), None)


class Instances:
    """Every server of the process, kept in memory and written through."""

    def __init__(self, documents: Documents, key: bytes) -> None:
        """`key` is the secret that passwords and signatures hang on."""
        self._documents = documents
        self._key = key
        stored = [Instance.model_validate_json(document) for document in documents.all(INSTANCE)]
        self._instances = {instance.name: instance for instance in stored}
        sessions = [Session.model_validate_json(document) for document in documents.all(SESSION)]
        self._sessions = {session.name: session for session in sessions}

    def all(self) -> list[Instance]:
        """Every server."""
        return list(self._instances.values())

    def find(self, name: str) -> Instance | None:
        """The server of this name, or None."""
        return self._instances.get(name)

    def get(self, name: str) -> Instance:
        """The server of this name; raises if there is none."""
        instance = self.find(name)
        if instance is None:
            raise CoopError(f"there is no instance {name!r}")
        return instance

    def create(self, name: str, settings: dict[str, Any]) -> Instance:
        """A new server without anybody or anything in it."""
        if name in self._instances:
            raise CoopError(f"there is an instance {name!r} already")
        return self.keep(Instance(name=name, settings=Settings.model_validate(settings)))

    def delete(self, name: str) -> None:
        """Take a server away."""
        self.end_sessions(self.get(name))
        del self._instances[name]
        self._documents.delete(INSTANCE, name)

    def keep(self, instance: Instance) -> Instance:
        """Write a changed server through."""
        self._instances[instance.name] = instance
        self._documents.put(INSTANCE, instance.name, instance.model_dump_json())
        return instance

    def change_settings(self, instance: Instance, changes: dict[str, Any]) -> None:
        """Set some settings."""
        instance.settings = Settings.model_validate(instance.settings.model_dump() | changes)
        self.keep(instance)

    def secret_key(self, instance: Instance, purpose: str) -> bytes:
        """A secret key of one server for one purpose."""
        return hmac.digest(self._key, f"{instance.name} {purpose}".encode(), "sha256")

    # People

    def add_user(self, instance: Instance, username: str, password: str, *, admin: bool, two_factor: bool) -> User:
        """Somebody new, or the same one with another password and other rights."""
        known = instance.user(username)
        user_id = known.id if known else 1 + max((user.id for user in instance.users), default=0)
        password_hash = self._password_hash(instance, username, password)
        user = User(id=user_id, username=username, password_hash=password_hash, admin=admin, two_factor=two_factor)
        instance.users = [other for other in instance.users if other.id != user_id] + [user]
        self.keep(instance)
        return user

    def log_in(self, instance: Instance, username: str, password: str) -> User | None:
        """Whose name and password these are, or None."""
        user = instance.user(username)
        given = self._password_hash(instance, username, password)
        return user if user is not None and hmac.compare_digest(user.password_hash, given) else None

    def _password_hash(self, instance: Instance, username: str, password: str) -> str:
        text = f"{username}\0{password}".encode("utf-8", "replace")
        return hmac.digest(self.secret_key(instance, "passwords"), text, "sha256").hex()

    def session(self, instance: Instance, token: str) -> Session:
        """What a cookie stands for; an unknown one stands for nobody."""
        name = _session_name(instance, token)
        return self._sessions.get(name) or Session(name=name, instance=instance.name)

    def keep_session(self, session: Session) -> None:
        """Write a session through."""
        self._sessions[session.name] = session
        self._documents.put(SESSION, session.name, session.model_dump_json())

    def end_session(self, session: Session) -> None:
        """Log somebody out."""
        self._sessions.pop(session.name, None)
        self._documents.delete(SESSION, session.name)

    def end_sessions(self, instance: Instance) -> int:
        """Log everybody out; returns how many were in."""
        ended = [session for session in self._sessions.values() if session.instance == instance.name]
        for session in ended:
            self.end_session(session)
        return sum(session.username is not None for session in ended)

    # Stores and restaurants

    def add_store(self, instance: Instance, name: str, store_id: int | None = None) -> Named:
        """A new store, under the number given or the next."""
        return self._add_named(instance, instance.stores, name, store_id)

    def add_restaurant(self, instance: Instance, name: str, restaurant_id: int | None = None) -> Named:
        """A new restaurant, likewise."""
        return self._add_named(instance, instance.restaurants, name, restaurant_id)

    def _add_named(self, instance: Instance, rows: list[Named], name: str, row_id: int | None) -> Named:
        row = Named(id=row_id or 1 + max((other.id for other in rows), default=0), name=name)
        if any(other.id == row.id for other in rows):
            raise CoopError(f"number {row.id} is taken")
        rows.append(row)
        self.keep(instance)
        return row

    def rename_store(self, instance: Instance, store_id: int, name: str) -> Named:
        """The same store under another name."""
        changed = Named(id=existing_store(instance, store_id).id, name=name)
        instance.stores = [changed if store.id == store_id else store for store in instance.stores]
        self.keep(instance)
        return changed

    def delete_store(self, instance: Instance, store_id: int) -> None:
        """Take a store away that no app is bound to."""
        existing_store(instance, store_id)
        if any(app.store == store_id for app in instance.apps):
            raise CoopError(f"an app is bound to store {store_id}")
        instance.stores = [store for store in instance.stores if store.id != store_id]
        self.keep(instance)

    # Apps and their clients

    def create_app(self, instance: Instance, draft: Draft) -> App:
        """What saving the form for a new app does. Equal names and stores are fine (S11)."""
        client = _new_client(draft.scopes)
        app = App(
            id=instance.last_id + 1,
            name=draft.name,
            type=draft.type,
            api_key=_new_key(draft.type),
            client=client.identifier,
            store=draft.store,
            shop=draft.shop,
        )
        instance.last_id = app.id
        instance.clients.append(client)
        instance.apps.append(app)
        self.keep(instance)
        return app

    def edit_app(self, instance: Instance, app: App, name: str, scopes: tuple[str, ...]) -> None:
        """What saving the form of an app does: a new client, or key, whatever was changed (S6). The old client stays."""
        client = _new_client(scopes)
        instance.clients.append(client)
        app.name, app.client = name, client.identifier
        app.api_key = _new_key(app.type)
        self.keep(instance)

    def regenerate(self, instance: Instance, client: OAuthClient) -> None:
        """Another secret under the same identifier (S8)."""
        client.secret = _new_secret()
        client.regenerated += 1
        client.used = False
        self.keep(instance)

    def note_use(self, instance: Instance, client: OAuthClient) -> None:
        """A client got an access token."""
        if not client.used:
            client.used = True
            self.keep(instance)

    def update_app_row(self, instance: Instance, app: App, changes: dict[str, Any]) -> None:
        """Change the row itself, which no page of the vendor's does: name or store, and the pair stays."""
        if changes.get("store") is not None:
            existing_store(instance, changes["store"])
        if set(changes) - {"name", "store"}:
            raise CoopError("a row takes another name or store")
        changed = App.model_validate(app.model_dump() | changes)
        app.name, app.store = changed.name, changed.store
        self.keep(instance)

    def drop_app_row(self, instance: Instance, app: App) -> None:
        """Delete the row of an app; its client stays, as an orphan."""
        instance.apps.remove(app)
        self.keep(instance)

    def set_client_active(self, instance: Instance, client: OAuthClient, active: bool) -> None:
        """What the server's console can do to a client."""
        client.active = active
        self.keep(instance)

    def drop_client_row(self, instance: Instance, client: OAuthClient) -> None:
        """Delete the row of a client; the foreign key forbids it while an app points there (sheet 5)."""
        if instance.app_of_client(client.identifier) is not None:
            raise CoopError(
                "update or delete on table oauth2_client violates a foreign key constraint on table api_app"
            )
        instance.clients.remove(client)
        self.keep(instance)


def existing_store(instance: Instance, store_id: int) -> Named:
    """The store of this number; raises if there is none."""
    store = instance.store(store_id)
    if store is None:
        raise CoopError(f"there is no store {store_id}")
    return store


def _new_client(scopes: Iterable[str]) -> OAuthClient:
    identifier = hashlib.md5(secrets.token_bytes(16), usedforsecurity=False).hexdigest()
    return OAuthClient(identifier=identifier, secret=_new_secret(), scopes=tuple(scopes))


def _new_secret() -> str:
    return hashlib.sha512(secrets.token_bytes(32)).hexdigest()


def _new_key(app_type: AppType) -> str | None:
    return secrets.token_hex(20) if app_type == "api_key" else None


def _session_name(instance: Instance, token: str) -> str:
    """Sessions are kept under a hash: the file gives nobody a way in."""
    return hashlib.sha256(f"{instance.name}\0{token}".encode("utf-8", "replace")).hexdigest()
