"""The CoopCycle part of the client of the control API: `client.coopcycle`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Call = Callable[..., dict[str, Any]]
"""Method, path below `/_control` and body of a control call, to its answer."""

LOG_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A store or a restaurant."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class CoopUser:
    """Somebody with a login."""

    id: int
    username: str
    admin: bool
    two_factor: bool


@dataclass(frozen=True, slots=True)
class CoopInstance:
    """A server and where it is served."""

    name: str
    url: str
    """Stands for `https://NAME.coopcycle.org`; everything lies below it."""
    site: str
    """What faults and the log call it."""
    users: tuple[CoopUser, ...]
    stores: tuple[NamedRow, ...]
    restaurants: tuple[NamedRow, ...]
    settings: dict[str, Any]

    def store(self, name: str) -> int:
        """The number of the store of this name."""
        return next(store.id for store in self.stores if store.name == name)


@dataclass(frozen=True, slots=True)
class OAuthClientRow:
    """A row of `oauth2_client`, never its secret."""

    identifier: str
    secret_sha256: str
    scopes: tuple[str, ...]
    active: bool
    regenerated: int
    """How often its secret was regenerated."""
    used: bool
    """Whether the secret that it has now ever got an access token."""
    app: int | None
    """The app it belongs to; None for an orphan."""

    @property
    def retired(self) -> bool:
        """Whether its secret was regenerated and nobody has used the new one: regenerated and discarded."""
        return self.regenerated > 0 and not self.used


@dataclass(frozen=True, slots=True)
class AppRow:
    """A row of `api_app` with its client."""

    id: int
    name: str
    type: str
    store: int | None
    shop: int | None
    api_key_sha256: str | None
    """Of the key as it is sent, with `ak_`."""
    client: OAuthClientRow

    @property
    def scopes(self) -> tuple[str, ...]:
        """Those of its client."""
        return self.client.scopes

    @property
    def active(self) -> bool:
        """Whether its client is."""
        return self.client.active

    @property
    def retired(self) -> bool:
        """Whether its client is: see there."""
        return self.client.retired


@dataclass(frozen=True, slots=True)
class HandMadeApp:
    """What a hand at the pages reads off them; secrets do not show in `repr`."""

    id: int
    identifier: str
    secret: str = field(repr=False)
    api_key: str | None = field(repr=False)
    """With `ak_`; None but for that type."""

    @property
    def pair(self) -> tuple[str, str]:
        """Identifier and secret."""
        return self.identifier, self.secret


class CoopClient:
    """One method per control route below `/_control/coopcycle`."""

    def __init__(self, call: Call) -> None:
        self._call_control = call

    # Servers and people

    def create(
        self,
        name: str,
        *,
        users: Sequence[Mapping[str, Any]] = (),
        stores: Mapping[str, int] | Sequence[str] = (),
        restaurants: Mapping[str, int] | Sequence[str] = (),
        **settings: Any,
    ) -> CoopInstance:
        """Make a server. Each user: {username, password, admin, two_factor}; stores by name, with their number if it matters.

        README.md lists the settings.
        """
        order = {
            "name": name,
            "users": [dict(user) for user in users],
            "stores": _named(stores),
            "restaurants": _named(restaurants),
            "settings": settings,
        }
        return _instance(self._call("POST", "", order))

    def all(self) -> list[CoopInstance]:
        """Every server."""
        return [_instance(row) for row in self._call("GET", "")["instances"]]

    def get(self, name: str) -> CoopInstance:
        """One server, as it is now."""
        return _instance(self._call("GET", f"/{name}"))

    def delete(self, name: str) -> None:
        """Take a server away with everything in it."""
        self._call("DELETE", f"/{name}")

    def change_settings(self, name: str, **settings: Any) -> CoopInstance:
        """Set some settings."""
        return _instance(self._call("PATCH", f"/{name}/settings", settings))

    def put_user(
        self, name: str, username: str, password: str, *, admin: bool = True, two_factor: bool = False
    ) -> CoopInstance:
        """Somebody new, or the same one with another password and other rights."""
        order = {"username": username, "password": password, "admin": admin, "two_factor": two_factor}
        return _instance(self._call("POST", f"/{name}/users", order))

    def end_sessions(self, name: str) -> int:
        """Log everybody out; returns how many were in."""
        ended: int = self._call("DELETE", f"/{name}/sessions")["ended"]
        return ended

    # Stores and restaurants

    def add_store(self, name: str, store: str, store_id: int | None = None) -> NamedRow:
        """A new store, under the number given or the next."""
        return NamedRow(**self._call("POST", f"/{name}/stores", {"name": store, "id": store_id}))

    def rename_store(self, name: str, store_id: int, store: str) -> NamedRow:
        """The same store under another name."""
        return NamedRow(**self._call("PATCH", f"/{name}/stores/{store_id}", {"name": store}))

    def delete_store(self, name: str, store_id: int) -> None:
        """Take a store away that no app is bound to."""
        self._call("DELETE", f"/{name}/stores/{store_id}")

    def add_restaurant(self, name: str, restaurant: str, restaurant_id: int | None = None) -> NamedRow:
        """A new restaurant."""
        return NamedRow(**self._call("POST", f"/{name}/restaurants", {"name": restaurant, "id": restaurant_id}))

    # Apps, as a person at the pages makes and changes them

    def apps(self, name: str) -> list[AppRow]:
        """Every app, oldest first."""
        return [_app(row) for row in self._call("GET", f"/{name}/apps")["apps"]]

    def app(self, name: str, app_id: int) -> AppRow:
        """One app."""
        return next(app for app in self.apps(name) if app.id == app_id)

    def make_app(
        self,
        name: str,
        app_name: str,
        *,
        store: int | None = None,
        scopes: Sequence[str] = ("deliveries",),
        app_type: str = "oauth",
        shop: int | None = None,
    ) -> HandMadeApp:
        """An app made by hand."""
        order = {"name": app_name, "store": store, "scopes": list(scopes), "type": app_type, "shop": shop}
        return HandMadeApp(**self._call("POST", f"/{name}/apps", order))

    def edit_app(
        self, name: str, app_id: int, *, app_name: str | None = None, scopes: Sequence[str] = ()
    ) -> HandMadeApp:
        """Somebody saves the form of an app: new credentials, whatever was changed (the edit trap)."""
        order = {"name": app_name, "scopes": list(scopes)}
        return HandMadeApp(**self._call("POST", f"/{name}/apps/{app_id}/edit", order))

    def regenerate(self, name: str, app_id: int) -> HandMadeApp:
        """Somebody presses Regenerate secret beside an app."""
        return HandMadeApp(**self._call("POST", f"/{name}/apps/{app_id}/regenerate", {}))

    # Rows and clients, as whoever runs the server can change them

    def update_app_row(self, name: str, app_id: int, /, **changes: Any) -> AppRow:
        """Another `name` or `store` in the database itself; the pair stays as it is."""
        return _app(self._call("PATCH", f"/{name}/apps/{app_id}", changes))

    def drop_app_row(self, name: str, app_id: int) -> None:
        """Delete the row of an app; its pair stays, as an orphan."""
        self._call("DELETE", f"/{name}/apps/{app_id}")

    def clients(self, name: str) -> list[OAuthClientRow]:
        """Every OAuth2 client, orphans too."""
        return [_client(row) for row in self._call("GET", f"/{name}/clients")["clients"]]

    def set_client_active(self, name: str, identifier: str, active: bool) -> OAuthClientRow:
        """Deactivate a client at the server's console, or bring it back."""
        return _client(self._call("PATCH", f"/{name}/clients/{identifier}", {"active": active}))

    def drop_client_row(self, name: str, identifier: str) -> None:
        """Delete the row of a client; refused while an app points to it."""
        self._call("DELETE", f"/{name}/clients/{identifier}")

    def received(self, name: str) -> list[str]:
        """The operation of every request that arrived, oldest first, whatever became of it; from the log."""
        site = self.get(name).site
        answer = self._call_control("GET", f"/requests?limit={LOG_LIMIT}&store={site}")
        return [row["operation"] for row in answer["requests"]]

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._call_control(method, f"/coopcycle{path}", body)


def _named(rows: Mapping[str, int] | Sequence[str]) -> list[dict[str, Any]]:
    if isinstance(rows, Mapping):
        return [{"name": name, "id": number} for name, number in rows.items()]
    return [{"name": name} for name in rows]


def _instance(row: dict[str, Any]) -> CoopInstance:
    users = tuple(CoopUser(**user) for user in row["users"])
    places = {kind: tuple(NamedRow(**place) for place in row[kind]) for kind in ("stores", "restaurants")}
    return CoopInstance(**row | places | {"users": users})


def _client(row: dict[str, Any]) -> OAuthClientRow:
    return OAuthClientRow(**row | {"scopes": tuple(row["scopes"])})


def _app(row: dict[str, Any]) -> AppRow:
    return AppRow(**row | {"client": _client(row["client"])})
