"""WooCommerce's part of the control API: stores and a person's hands in them. Never a secret, but for a key made by hand."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.control import body_of, integer
from sandbox.vendor import ControlRoute
from sandbox.woocommerce.state import ApiKey, State, StateError, Store, User, check_permissions, new_pair


class StoreControl:
    """Handlers of the control API below `/_control/stores`; each takes JSON and answers JSON."""

    def __init__(self, state: State, url: str) -> None:
        self._state = state
        self._url = url

    def routes(self) -> list[ControlRoute]:
        """Every route."""
        store = "/_control/stores/{store}"
        return [
            ("GET", "/_control/stores", self._list_stores),
            ("POST", "/_control/stores", self._create_stores),
            ("DELETE", store, self._delete_store),
            ("PATCH", f"{store}/settings", self._change_settings),
            ("POST", f"{store}/rename", self._rename_store),
            ("POST", f"{store}/alias", self._alias_store),
            ("DELETE", f"{store}/sessions", self._end_sessions),
            ("GET", f"{store}/users", self._list_users),
            ("POST", f"{store}/users", self._add_user),
            ("DELETE", f"{store}/users/{{user_id}}", self._delete_user),
            ("GET", f"{store}/keys", self._list_keys),
            ("POST", f"{store}/keys", self._insert_key),
            ("PATCH", f"{store}/keys/{{key_id}}", self._edit_key),
            ("DELETE", f"{store}/keys/{{key_id}}", self._delete_key),
        ]

    # Stores

    async def _list_stores(self, _: web.Request) -> Any:
        return {"stores": [self._shown_store(store) for store in self._state.stores()]}

    async def _create_stores(self, request: web.Request) -> Any:
        created, existing = self._state.create_stores((await body_of(request)).get("stores", []))
        return {"created": created, "existing": existing}

    async def _delete_store(self, request: web.Request) -> Any:
        self._state.delete_store(self._store(request))
        return {}

    async def _change_settings(self, request: web.Request) -> Any:
        store = self._store(request)
        self._state.change_settings(store, await body_of(request))
        return self._shown_store(store)

    async def _rename_store(self, request: web.Request) -> Any:
        store = self._store(request)
        self._state.serve_under(store, (await body_of(request)).get("name"), keep=False)
        return self._shown_store(store)

    async def _alias_store(self, request: web.Request) -> Any:
        store = self._store(request)
        self._state.serve_under(store, (await body_of(request)).get("name"), keep=True)
        return self._shown_store(store)

    async def _end_sessions(self, request: web.Request) -> Any:
        return {"ended": self._state.close_all_sessions(self._store(request))}

    def _shown_store(self, store: Store) -> dict[str, Any]:
        return {
            "name": store.name,
            "url": f"{self._url}/{store.name}",
            "prefixes": store.prefixes,
            "version": store.profile.version,
            "store_id": store.store_uuid,
            "settings": store.settings.stored(),
        }

    # Users and keys

    async def _list_users(self, request: web.Request) -> Any:
        return {"users": [_shown_user(user) for user in self._state.users(self._store(request))]}

    async def _add_user(self, request: web.Request) -> Any:
        return _shown_user(self._state.add_user(self._store(request), await body_of(request)))

    async def _delete_user(self, request: web.Request) -> Any:
        store = self._store(request)
        self._state.delete_user(store, self._user_id(store, request.match_info["user_id"]))
        return {}

    async def _list_keys(self, request: web.Request) -> Any:
        store = self._store(request)
        return {"keys": [self._shown_key(store, key) for key in reversed(self._state.keys(store))]}

    async def _insert_key(self, request: web.Request) -> Any:
        store, order = self._store(request), await body_of(request)
        pair = new_pair()
        user_id = self._user_id(store, order.get("user", "connector"))
        permissions = check_permissions(order.get("permissions", "read"))
        key_id = self._state.insert_key(
            store, user_id, str(order.get("description", "Made by hand")), permissions, pair
        )
        return {"key_id": key_id, "consumer_key": pair.consumer_key, "consumer_secret": pair.consumer_secret}

    async def _edit_key(self, request: web.Request) -> Any:
        store, order = self._store(request), await body_of(request)
        key = self._key(store, request)
        user_id = self._user_id(store, order["user"]) if "user" in order else key.user_id
        permissions = check_permissions(order.get("permissions", key.permissions))
        description = str(order.get("description", key.description))
        self._state.update_key(store, key.key_id, user_id, description, permissions)
        return self._shown_key(store, self._key(store, request))

    async def _delete_key(self, request: web.Request) -> Any:
        store = self._store(request)
        self._state.delete_key(store, self._key(store, request).key_id)
        return {}

    def _store(self, request: web.Request) -> Store:
        return self._state.store(request.match_info["store"])

    def _key(self, store: Store, request: web.Request) -> ApiKey:
        key = self._state.key(store, integer(request.match_info["key_id"]))
        if key is None:
            raise StateError(f"there is no key {request.match_info['key_id']}")
        return key

    def _user_id(self, store: Store, user: object) -> int:
        """A user by login or id. An id need not exist: people's hands make ghosts too."""
        if isinstance(user, int):
            return user
        found = self._state.user_by_login(store, str(user))
        return found.id if found else integer(str(user))

    def _shown_key(self, store: Store, key: ApiKey) -> dict[str, Any]:
        owner = self._state.user(store, key.user_id)
        return {
            "key_id": key.key_id,
            "user_id": key.user_id,
            "login": owner.login if owner else None,
            "description": key.description,
            "permissions": key.permissions,
            "truncated_key": key.truncated_key,
            "last_access": key.last_access,
        }


def _shown_user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "login": user.login,
        "display_name": user.display_name,
        "mail": user.mail,
        "role": user.role,
    }
