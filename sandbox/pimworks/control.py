"""PIMworks' part of the control API, below `/_control/pimworks`: people, subscription, stores; never a key or a password."""

from __future__ import annotations

import hashlib
from typing import Any

from aiohttp import web

from sandbox.control import body_of, integer
from sandbox.pimworks.pages import ROOT
from sandbox.pimworks.state import TAIL_LENGTH, Account, ChannelStore, PimworksError, State
from sandbox.pimworks.syncing import sync
from sandbox.vendor import Call, ControlRoute


class PimworksControl:
    """Handlers; each takes JSON and answers JSON."""

    def __init__(self, state: State, call: Call, url: str) -> None:
        self._state = state
        self._call = call
        self._url = url

    def routes(self) -> list[ControlRoute]:
        """Every route."""
        accounts = "/_control/pimworks"
        account = f"{accounts}/{{account}}"
        return [
            ("GET", accounts, self._list),
            ("POST", accounts, self._create),
            ("GET", account, self._show),
            ("PATCH", account, self._change),
            ("DELETE", account, self._delete),
            ("PATCH", f"{account}/settings", self._change_settings),
            ("PUT", f"{account}/users", self._put_user),
            ("DELETE", f"{account}/stores", self._forget_stores),
            ("DELETE", f"{account}/stores/{{store}}", self._forget_store),
            ("POST", f"{account}/stores/{{store}}/sync", self._sync),
        ]

    async def _list(self, _: web.Request) -> Any:
        return {"accounts": [self._shown(account) for account in self._state.accounts()]}

    async def _create(self, request: web.Request) -> Any:
        return self._shown(self._state.create(await body_of(request)))

    async def _show(self, request: web.Request) -> Any:
        return self._shown(self._account(request))

    async def _change(self, request: web.Request) -> Any:
        account, order = self._account(request), await body_of(request)
        for name, value in order.items():
            if name not in {"module", "subscribed"} or not isinstance(value, bool):
                raise PimworksError("an account takes module and subscribed, true or false")
            setattr(account, name, value)
        return self._shown(self._state.keep(account))

    async def _delete(self, request: web.Request) -> Any:
        self._state.delete(request.match_info["account"])
        return {}

    async def _change_settings(self, request: web.Request) -> Any:
        return self._shown(self._state.change_settings(request.match_info["account"], await body_of(request)))

    async def _put_user(self, request: web.Request) -> Any:
        account = self._account(request)
        self._state.put_user(account, await body_of(request))
        return self._shown(account)

    async def _forget_stores(self, request: web.Request) -> Any:
        account = self._account(request)
        account.stores.clear()
        return self._shown(self._state.keep(account))

    async def _forget_store(self, request: web.Request) -> Any:
        account = self._account(request)
        self._state.remove_store(account, integer(request.match_info["store"]))
        return self._shown(account)

    async def _sync(self, request: web.Request) -> Any:
        account = self._account(request)
        store = account.store(integer(request.match_info["store"]))
        await sync(self._call, account, store)
        self._state.keep(account)
        return _shown_store(store)

    def _account(self, request: web.Request) -> Account:
        return self._state.account(request.match_info["account"])

    def _shown(self, account: Account) -> dict[str, Any]:
        return {
            "name": account.name,
            "site": account.site,
            "url": f"{self._url}{ROOT}",
            "module": account.module,
            "subscribed": account.subscribed,
            "users": [user.model_dump(include={"mail", "role", "right"}) for user in account.users],
            "stores": [_shown_store(store) for store in account.stores],
            "settings": account.settings.model_dump(mode="json"),
        }


def _shown_store(store: ChannelStore) -> dict[str, Any]:
    """A store with the tail of its consumer key and a hash of its secret."""
    shown = store.model_dump(include={"id", "name", "url", "components", "connected", "syncs", "saved"})
    return shown | {
        "consumer_key_tail": store.consumer_key[-TAIL_LENGTH:],
        "secret_key_sha256": hashlib.sha256(store.secret_key.encode()).hexdigest(),
    }
