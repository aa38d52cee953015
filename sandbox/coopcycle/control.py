"""CoopCycle's part of the control API, below `/_control/coopcycle`: servers, people, stores, apps and clients.

No answer holds a secret but the one that makes an app by hand.
"""

from __future__ import annotations

import hashlib
from typing import Any

from aiohttp import web

from sandbox.control import body_of, integer
from sandbox.coopcycle.state import (
    KEY_PREFIX,
    App,
    CoopError,
    Draft,
    Instance,
    Instances,
    Named,
    OAuthClient,
    existing_store,
)
from sandbox.vendor import ControlRoute


class CoopControl:
    """Handlers; each takes JSON and answers JSON."""

    def __init__(self, instances: Instances, url: str) -> None:
        self._instances = instances
        self._url = url

    def routes(self) -> list[ControlRoute]:
        """Every route."""
        instances = "/_control/coopcycle"
        instance = f"{instances}/{{instance}}"
        store, app, client = f"{instance}/stores/{{id}}", f"{instance}/apps/{{id}}", f"{instance}/clients/{{id}}"
        return [
            ("GET", instances, self._list),
            ("POST", instances, self._create),
            ("GET", instance, self._show),
            ("DELETE", instance, self._delete),
            ("PATCH", f"{instance}/settings", self._change_settings),
            ("POST", f"{instance}/users", self._add_user),
            ("DELETE", f"{instance}/sessions", self._end_sessions),
            ("POST", f"{instance}/stores", self._add_store),
            ("PATCH", store, self._rename_store),
            ("DELETE", store, self._delete_store),
            ("POST", f"{instance}/restaurants", self._add_restaurant),
            ("GET", f"{instance}/apps", self._list_apps),
            ("POST", f"{instance}/apps", self._make_app),
            ("POST", f"{app}/edit", self._edit_app),
            ("POST", f"{app}/regenerate", self._regenerate),
            ("PATCH", app, self._update_app_row),
            ("DELETE", app, self._drop_app_row),
            ("GET", f"{instance}/clients", self._list_clients),
            ("PATCH", client, self._change_client),
            ("DELETE", client, self._drop_client_row),
        ]

    # Servers and people

    async def _list(self, _: web.Request) -> Any:
        return {"instances": [self._shown(instance) for instance in self._instances.all()]}

    async def _create(self, request: web.Request) -> Any:
        order = await body_of(request)
        instance = self._instances.create(order["name"], order.get("settings") or {})
        for user in order.get("users") or []:
            self._put_user(instance, user)
        for store in order.get("stores") or []:
            self._instances.add_store(instance, store["name"], store.get("id"))
        for restaurant in order.get("restaurants") or []:
            self._instances.add_restaurant(instance, restaurant["name"], restaurant.get("id"))
        return self._shown(instance)

    async def _show(self, request: web.Request) -> Any:
        return self._shown(self._instance(request))

    async def _delete(self, request: web.Request) -> Any:
        self._instances.delete(request.match_info["instance"])
        return {}

    async def _change_settings(self, request: web.Request) -> Any:
        instance = self._instance(request)
        self._instances.change_settings(instance, await body_of(request))
        return self._shown(instance)

    async def _add_user(self, request: web.Request) -> Any:
        instance = self._instance(request)
        self._put_user(instance, await body_of(request))
        return self._shown(instance)

    async def _end_sessions(self, request: web.Request) -> Any:
        return {"ended": self._instances.end_sessions(self._instance(request))}

    # Stores and restaurants

    async def _add_store(self, request: web.Request) -> Any:
        order = await body_of(request)
        return self._instances.add_store(self._instance(request), order["name"], order.get("id")).model_dump()

    async def _rename_store(self, request: web.Request) -> Any:
        name = (await body_of(request))["name"]
        return self._instances.rename_store(self._instance(request), self._number(request), name).model_dump()

    async def _delete_store(self, request: web.Request) -> Any:
        self._instances.delete_store(self._instance(request), self._number(request))
        return {}

    async def _add_restaurant(self, request: web.Request) -> Any:
        order = await body_of(request)
        return self._instances.add_restaurant(self._instance(request), order["name"], order.get("id")).model_dump()

    # Apps and clients

    async def _list_apps(self, request: web.Request) -> Any:
        instance = self._instance(request)
        return {"apps": [_shown_app(instance, app) for app in instance.apps]}

    async def _make_app(self, request: web.Request) -> Any:
        instance = self._instance(request)
        draft = Draft.model_validate(await body_of(request))
        if draft.store is not None:
            existing_store(instance, draft.store)
        app = self._instances.create_app(instance, draft)
        return _with_secrets(instance, app)

    async def _edit_app(self, request: web.Request) -> Any:
        instance, app, order = self._instance(request), self._app(request), await body_of(request)
        scopes = tuple(order.get("scopes") or instance.client_of(app).scopes)
        self._instances.edit_app(instance, app, order.get("name") or app.name, scopes)
        return _with_secrets(instance, app)

    async def _regenerate(self, request: web.Request) -> Any:
        instance, app = self._instance(request), self._app(request)
        self._instances.regenerate(instance, instance.client_of(app))
        return _with_secrets(instance, app)

    async def _update_app_row(self, request: web.Request) -> Any:
        instance, app = self._instance(request), self._app(request)
        self._instances.update_app_row(instance, app, await body_of(request))
        return _shown_app(instance, app)

    async def _drop_app_row(self, request: web.Request) -> Any:
        self._instances.drop_app_row(self._instance(request), self._app(request))
        return {}

    async def _list_clients(self, request: web.Request) -> Any:
        instance = self._instance(request)
        return {"clients": [_shown_client(instance, client) for client in instance.clients]}

    async def _change_client(self, request: web.Request) -> Any:
        instance, client = self._instance(request), self._client(request)
        active = (await body_of(request))["active"]
        if not isinstance(active, bool):
            raise CoopError("a client is active or not")
        self._instances.set_client_active(instance, client, active)
        return _shown_client(instance, client)

    async def _drop_client_row(self, request: web.Request) -> Any:
        self._instances.drop_client_row(self._instance(request), self._client(request))
        return {}

    def _instance(self, request: web.Request) -> Instance:
        return self._instances.get(request.match_info["instance"])

    def _number(self, request: web.Request) -> int:
        return integer(request.match_info["id"])

    def _app(self, request: web.Request) -> App:
        app = self._instance(request).app(self._number(request))
        if app is None:
            raise CoopError(f"there is no app {self._number(request)}")
        return app

    def _client(self, request: web.Request) -> OAuthClient:
        client = self._instance(request).client(request.match_info["id"])
        if client is None:
            raise CoopError("there is no such client")
        return client

    def _put_user(self, instance: Instance, order: dict[str, Any]) -> None:
        unknown = set(order) - {"username", "password", "admin", "two_factor"}
        if unknown:
            raise CoopError(f"a user has no {min(unknown)!r}")
        rights = {name: bool(order.get(name, default)) for name, default in (("admin", True), ("two_factor", False))}
        self._instances.add_user(instance, order["username"], order["password"], **rights)

    def _shown(self, instance: Instance) -> dict[str, Any]:
        users = [user.model_dump(exclude={"password_hash"}) for user in instance.users]
        return {
            "name": instance.name,
            "url": f"{self._url}{instance.root}",
            "site": instance.site,
            "users": users,
            "stores": _rows(instance.stores),
            "restaurants": _rows(instance.restaurants),
            "settings": instance.settings.model_dump(),
        }


def _rows(rows: list[Named]) -> list[dict[str, Any]]:
    return [row.model_dump() for row in rows]


def _shown_app(instance: Instance, app: App) -> dict[str, Any]:
    client = instance.client_of(app)
    return {
        "id": app.id,
        "name": app.name,
        "type": app.type,
        "store": app.store,
        "shop": app.shop,
        "api_key_sha256": _sha256(f"{KEY_PREFIX}{app.api_key}") if app.api_key else None,
        "client": _shown_client(instance, client),
    }


def _shown_client(instance: Instance, client: OAuthClient) -> dict[str, Any]:
    app = instance.app_of_client(client.identifier)
    return {
        "identifier": client.identifier,
        "secret_sha256": _sha256(client.secret),
        "scopes": list(client.scopes),
        "active": client.active,
        "regenerated": client.regenerated,
        "used": client.used,
        "app": app.id if app else None,
    }


def _with_secrets(instance: Instance, app: App) -> dict[str, Any]:
    client = instance.client_of(app)
    key = f"{KEY_PREFIX}{app.api_key}" if app.api_key else None
    return {"id": app.id, "identifier": client.identifier, "secret": client.secret, "api_key": key}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
