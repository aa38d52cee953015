"""The control API below /_control: a person's hands, the faults, the log. Never a secret, but for a key made by hand."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.faults import FaultError, Faults
from sandbox.request_log import RequestLog
from sandbox.woocommerce.settings import SettingsError
from sandbox.woocommerce.state import ApiKey, State, StateError, Store, User, check_permissions, new_pair

Handler = Callable[[web.Request], Awaitable[Any]]

LOG_PAGE = 1000
WAIT_SECONDS = 30.0


class Control:
    """Handlers of the control API; each takes JSON and answers JSON."""

    def __init__(self, state: State, faults: Faults, log: RequestLog, url: str, ca: Path) -> None:
        self.latency = 0.0
        self._state = state
        self._faults = faults
        self._log = log
        self._url = url
        self._ca = ca
        self._started = time.monotonic()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Every route of the table in README.md."""
        store = "/_control/stores/{store}"
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/_control/health", self._health),
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
            ("PUT", "/_control/latency", self._set_latency),
            ("GET", "/_control/faults", self._list_faults),
            ("POST", "/_control/faults", self._add_fault),
            ("DELETE", "/_control/faults", self._clear_faults),
            ("GET", "/_control/faults/{rule}", self._show_fault),
            ("DELETE", "/_control/faults/{rule}", self._remove_fault),
            ("POST", "/_control/faults/{rule}/release", self._release_fault),
            ("GET", "/_control/faults/{rule}/wait", self._wait_for_fault),
            ("GET", "/_control/requests", self._list_requests),
            ("DELETE", "/_control/requests", self._clear_requests),
            ("GET", "/_control/requests/counts", self._count_requests),
            ("POST", "/_control/requests/find", self._find_requests),
        ]
        for method, path, handler in routes:
            router.add_route(method, path, _guarded(handler))
        router.add_route("*", "/_control/{rest:.*}", _guarded(_nothing_here))

    # Stores

    async def _health(self, _: web.Request) -> Any:
        return {
            "ready": True,
            "url": self._url,
            "ca": str(self._ca),
            "pid": os.getpid(),
            "stores": len(self._state.stores()),
            "uptime": time.monotonic() - self._started,
        }

    async def _list_stores(self, _: web.Request) -> Any:
        return {"stores": [self._shown_store(store) for store in self._state.stores()]}

    async def _create_stores(self, request: web.Request) -> Any:
        created, existing = self._state.create_stores((await _body(request)).get("stores", []))
        return {"created": created, "existing": existing}

    async def _delete_store(self, request: web.Request) -> Any:
        self._state.delete_store(self._store(request))
        return {}

    async def _change_settings(self, request: web.Request) -> Any:
        store = self._store(request)
        self._state.change_settings(store, await _body(request))
        return self._shown_store(store)

    async def _rename_store(self, request: web.Request) -> Any:
        store = self._store(request)
        self._state.serve_under(store, (await _body(request)).get("name"), keep=False)
        return self._shown_store(store)

    async def _alias_store(self, request: web.Request) -> Any:
        store = self._store(request)
        self._state.serve_under(store, (await _body(request)).get("name"), keep=True)
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
        return _shown_user(self._state.add_user(self._store(request), await _body(request)))

    async def _delete_user(self, request: web.Request) -> Any:
        store = self._store(request)
        self._state.delete_user(store, self._user_id(store, request.match_info["user_id"]))
        return {}

    async def _list_keys(self, request: web.Request) -> Any:
        store = self._store(request)
        return {"keys": [self._shown_key(store, key) for key in reversed(self._state.keys(store))]}

    async def _insert_key(self, request: web.Request) -> Any:
        store, order = self._store(request), await _body(request)
        pair = new_pair()
        user_id = self._user_id(store, order.get("user", "connector"))
        permissions = check_permissions(order.get("permissions", "read"))
        key_id = self._state.insert_key(
            store, user_id, str(order.get("description", "Made by hand")), permissions, pair
        )
        return {"key_id": key_id, "consumer_key": pair.consumer_key, "consumer_secret": pair.consumer_secret}

    async def _edit_key(self, request: web.Request) -> Any:
        store, order = self._store(request), await _body(request)
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
        key = self._state.key(store, _integer(request.match_info["key_id"]))
        if key is None:
            raise StateError(f"there is no key {request.match_info['key_id']}")
        return key

    def _user_id(self, store: Store, user: object) -> int:
        """A user by login or id. An id need not exist: people's hands make ghosts too."""
        if isinstance(user, int):
            return user
        found = self._state.user_by_login(store, str(user))
        return found.id if found else _integer(str(user))

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

    # Latency and faults

    async def _set_latency(self, request: web.Request) -> Any:
        seconds = (await _body(request)).get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise StateError("latency takes seconds")
        self.latency = float(seconds)
        return {"seconds": self.latency}

    async def _list_faults(self, _: web.Request) -> Any:
        return {"faults": [rule.shown() for rule in self._faults.all()]}

    async def _add_fault(self, request: web.Request) -> Any:
        return self._faults.add(await _body(request)).shown()

    async def _clear_faults(self, _: web.Request) -> Any:
        self._faults.remove(None)
        return {}

    async def _show_fault(self, request: web.Request) -> Any:
        return self._faults.get(_integer(request.match_info["rule"])).shown()

    async def _remove_fault(self, request: web.Request) -> Any:
        self._faults.remove(_integer(request.match_info["rule"]))
        return {}

    async def _release_fault(self, request: web.Request) -> Any:
        rule = self._faults.get(_integer(request.match_info["rule"]))
        pending = len(rule.waiting) if rule.effect == "late_commit" else 0
        self._faults.release(rule)
        # What was let go is done when the caller goes on.
        await self._faults.wait(rule, 0, rule.committed + pending, WAIT_SECONDS)
        return rule.shown()

    async def _wait_for_fault(self, request: web.Request) -> Any:
        rule = self._faults.get(_integer(request.match_info["rule"]))
        hits, committed = (_integer(request.query.get(name, "0")) for name in ("hits", "committed"))
        timeout = float(request.query.get("timeout", WAIT_SECONDS))
        reached = await self._faults.wait(rule, hits, committed, timeout)
        return {"reached": reached} | rule.shown()

    # The log

    async def _list_requests(self, request: web.Request) -> Any:
        since, limit = (_integer(request.query.get(*pair)) for pair in (("since", "0"), ("limit", str(LOG_PAGE))))
        entries = self._log.since(since, limit, request.query.get("store"))
        return {"requests": [entry.shown() for entry in entries], "last_seq": self._log.last_seq}

    async def _clear_requests(self, _: web.Request) -> Any:
        self._log.clear()
        return {}

    async def _count_requests(self, _: web.Request) -> Any:
        return {"counts": self._log.counts()}

    async def _find_requests(self, request: web.Request) -> Any:
        value = (await _body(request)).get("value")
        if not isinstance(value, str):
            raise StateError("find takes a value")
        return {"requests": [entry.shown() for entry in self._log.find(value)]}


def _guarded(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The answer of a handler as JSON, its errors as 400."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await handler(request))
        except (StateError, SettingsError, FaultError, AttributeError, KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)

    return guarded


async def _nothing_here(request: web.Request) -> Any:
    raise StateError(f"the control API has no {request.method} {request.path}")


async def _body(request: web.Request) -> dict[str, Any]:
    document = await request.json()
    if not isinstance(document, dict):
        raise StateError("the control API takes a JSON object")
    return document


def _integer(text: str) -> int:
    if not text.isdecimal():
        raise StateError(f"{text!r} is no number")
    return int(text)


def _shown_user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "login": user.login,
        "display_name": user.display_name,
        "mail": user.mail,
        "role": user.role,
    }
