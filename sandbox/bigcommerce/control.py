"""BigCommerce's part of the control API, below `/_control/bigcommerce`.

A person's hands, as far as the vendor gives them any: accounts are made and deleted, never edited. No answer holds a secret
but the one that makes an account by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from sandbox.bigcommerce import rate
from sandbox.bigcommerce.routes import BY_OPERATION
from sandbox.bigcommerce.state import API_TOKEN, Account, State, StateError, Store, User
from sandbox.control import body_of, integer
from sandbox.vendor import ControlRoute

STORE_FIELDS = {"hash", "settings", "users"}


class BigCommerceControl:
    """Handlers; each takes JSON and answers JSON."""

    def __init__(self, state: State, url: str) -> None:
        self._state = state
        self._url = url

    def routes(self) -> list[ControlRoute]:
        """Every route."""
        stores = "/_control/bigcommerce/stores"
        store = f"{stores}/{{hash}}"
        return [
            ("GET", stores, self._list_stores),
            ("POST", stores, self._create_store),
            ("DELETE", store, self._delete_store),
            ("PATCH", f"{store}/settings", self._change_settings),
            ("GET", f"{store}/users", self._list_users),
            ("POST", f"{store}/users", self._add_user),
            ("DELETE", f"{store}/sessions", self._end_sessions),
            ("GET", f"{store}/accounts", self._list_accounts),
            ("POST", f"{store}/accounts", self._make_account),
            ("DELETE", f"{store}/accounts/{{account}}", self._delete_account),
            ("GET", f"{store}/hooks", self._list_hooks),
            ("GET", f"{store}/resources", self._count_resources),
            ("GET", f"{store}/storefront-tokens", self._list_storefront_tokens),
            ("GET", f"{store}/quota", self._show_quota),
            ("PUT", f"{store}/quota", self._set_quota),
            ("DELETE", f"{store}/quota", self._reset_quota),
        ]

    # Stores and panel users

    async def _list_stores(self, _: web.Request) -> Any:
        return {"stores": [self._shown_store(store) for store in self._state.stores()]}

    async def _create_store(self, request: web.Request) -> Any:
        order = await body_of(request)
        unknown = set(order) - STORE_FIELDS
        if unknown:
            raise StateError(f"unknown field {min(unknown)!r}")
        settings = order.get("settings") or {}
        _check_operations(settings)
        store = self._state.create_store(order.get("hash"), settings, order.get("users") or [])
        return self._shown_store(store)

    async def _delete_store(self, request: web.Request) -> Any:
        self._state.delete_store(self._store(request))
        return {}

    async def _change_settings(self, request: web.Request) -> Any:
        store, changes = self._store(request), await body_of(request)
        _check_operations(changes)
        self._state.change_settings(store, changes)
        return self._shown_store(store)

    async def _list_users(self, request: web.Request) -> Any:
        return {"users": [_shown_user(user) for user in self._state.users(self._store(request))]}

    async def _add_user(self, request: web.Request) -> Any:
        return _shown_user(self._state.add_user(self._store(request), await body_of(request)))

    async def _end_sessions(self, request: web.Request) -> Any:
        return {"ended": self._state.end_sessions(self._store(request))}

    # Accounts and what they own

    async def _list_accounts(self, request: web.Request) -> Any:
        return {"accounts": [_shown_account(account) for account in self._state.accounts(self._store(request))]}

    async def _make_account(self, request: web.Request) -> Any:
        store, order = self._store(request), await body_of(request)
        made = self._state.create_account(
            store, str(order.get("title", "")), order.get("rows") or {}, token_type=order.get("token_type", API_TOKEN)
        )
        return {
            "account_id": made.account.id,
            "store_hash": made.store_hash,
            "api_path": made.api_path,
            "client_id": made.client_id,
            "client_secret": made.client_secret,
            "access_token": made.access_token,
        }

    async def _delete_account(self, request: web.Request) -> Any:
        self._state.delete_account(self._store(request), integer(request.match_info["account"]))
        return {}

    async def _list_hooks(self, request: web.Request) -> Any:
        return {"hooks": [asdict(hook) for hook in self._state.webhooks(self._store(request))]}

    async def _count_resources(self, request: web.Request) -> Any:
        return {"resources": self._state.resource_counts(self._store(request))}

    async def _list_storefront_tokens(self, request: web.Request) -> Any:
        return {"tokens": [asdict(token) for token in self._state.storefront_tokens(self._store(request))]}

    # Quota

    async def _show_quota(self, request: web.Request) -> Any:
        return asdict(rate.look(self._store(request)))

    async def _set_quota(self, request: web.Request) -> Any:
        left = (await body_of(request)).get("left")
        if isinstance(left, bool) or not isinstance(left, int) or left < 0:
            raise StateError("a quota takes how many requests are left")
        return asdict(rate.set_left(self._store(request), left))

    async def _reset_quota(self, request: web.Request) -> Any:
        return asdict(rate.reset(self._store(request)))

    def _store(self, request: web.Request) -> Store:
        return self._state.store(request.match_info["hash"])

    def _shown_store(self, store: Store) -> dict[str, Any]:
        return {
            "hash": store.store_hash,
            "gateway_url": f"{self._url}/api.bigcommerce.com",
            "panel_url": f"{self._url}/{store.host}/manage",
            "storefront_url": f"{self._url}/{store.host}",
            "account_uuid": store.account_uuid,
            "settings": store.settings.stored(),
        }


def _check_operations(settings: Mapping[str, Any]) -> None:
    """Operations that settings name must be there, and take the status they are set to."""
    for name in settings.get("accepting", []):
        if name not in BY_OPERATION:
            raise StateError(f"there is no operation {name!r}")
    for name, status in settings.get("statuses", {}).items():
        if name not in BY_OPERATION or status not in BY_OPERATION[name].statuses:
            raise StateError(f"{name!r} does not answer {status}")


def _shown_account(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "title": account.title,
        "token_type": account.token_type,
        "levels": dict(account.levels),
        "client_id": account.client_id,
        "created": account.created,
    }


def _shown_user(user: User) -> dict[str, Any]:
    return {"id": user.id, "mail": user.mail, "role": user.role, "permissions": sorted(user.permissions)}
