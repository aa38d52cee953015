"""SureCart's part of the control API, below `/_control/surecart`: a person's hands, and the switches of the cloud.

No answer holds a secret token but the one that makes it.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.control import body_of
from sandbox.surecart.rate import Rate
from sandbox.surecart.state import Account, Cloud, CloudError
from sandbox.vendor import ControlRoute

ACCOUNT_FIELDS = {"slug", "id", "name", "url", "people", "settings"}


class CloudControl:
    """Handlers; each takes JSON and answers JSON."""

    def __init__(self, cloud: Cloud, rate: Rate, url: str) -> None:
        self._cloud = cloud
        self._rate = rate
        self._url = url

    def routes(self) -> list[ControlRoute]:
        """Every route."""
        cloud = "/_control/surecart"
        accounts = f"{cloud}/accounts"
        account = f"{accounts}/{{slug}}"
        return [
            ("GET", f"{cloud}/settings", self._show_settings),
            ("PATCH", f"{cloud}/settings", self._change_settings),
            ("DELETE", f"{cloud}/settings", self._reset_settings),
            ("DELETE", f"{cloud}/sessions", self._end_sessions),
            ("DELETE", f"{cloud}/rate", self._reset_rate),
            ("GET", accounts, self._list),
            ("POST", accounts, self._create),
            ("GET", account, self._show),
            ("PATCH", account, self._change),
            ("DELETE", account, self._delete),
            ("PATCH", f"{account}/settings", self._change_account_settings),
            ("POST", f"{account}/people", self._add_person),
            ("GET", f"{account}/tokens", self._list_tokens),
            ("POST", f"{account}/tokens", self._make_token),
            ("DELETE", f"{account}/tokens/{{token}}", self._delete_token),
            ("GET", f"{account}/webhook-endpoints", self._list_webhooks),
        ]

    # The cloud

    async def _show_settings(self, _: web.Request) -> Any:
        return self._cloud.settings.model_dump(mode="json")

    async def _change_settings(self, request: web.Request) -> Any:
        return self._cloud.change_settings(await body_of(request)).model_dump(mode="json")

    async def _reset_settings(self, _: web.Request) -> Any:
        return self._cloud.change_settings(None).model_dump(mode="json")

    async def _end_sessions(self, _: web.Request) -> Any:
        return {"ended": self._cloud.end_sessions()}

    async def _reset_rate(self, _: web.Request) -> Any:
        self._rate.reset()
        return {}

    # Accounts

    async def _list(self, _: web.Request) -> Any:
        return {"accounts": [account.shown() for account in self._cloud.accounts()]}

    async def _create(self, request: web.Request) -> Any:
        order = await body_of(request)
        unknown = set(order) - ACCOUNT_FIELDS
        if unknown:
            raise CloudError(f"unknown field {min(unknown)!r}")
        account = self._cloud.create(
            order["slug"],
            account_id=order.get("id", ""),
            name=order.get("name", ""),
            url=order.get("url"),
            people=order.get("people") or [],
            settings=order.get("settings"),
        )
        return account.shown()

    async def _show(self, request: web.Request) -> Any:
        return self._account(request).shown()

    async def _change(self, request: web.Request) -> Any:
        return self._cloud.change(request.match_info["slug"], await body_of(request)).shown()

    async def _delete(self, request: web.Request) -> Any:
        self._cloud.delete(request.match_info["slug"])
        return {}

    async def _change_account_settings(self, request: web.Request) -> Any:
        return self._cloud.change_account_settings(request.match_info["slug"], await body_of(request)).shown()

    async def _add_person(self, request: web.Request) -> Any:
        return self._cloud.add_person(request.match_info["slug"], await body_of(request)).shown()

    # What an account holds

    async def _list_tokens(self, request: web.Request) -> Any:
        return {"tokens": [token.shown() for token in self._account(request).live_tokens]}

    async def _make_token(self, request: web.Request) -> Any:
        account, order = self._account(request), await body_of(request)
        token = self._cloud.make_token(account, str(order.get("name", "")))
        return token.shown() | {"value": token.value}

    async def _delete_token(self, request: web.Request) -> Any:
        self._cloud.delete_token(self._account(request), request.match_info["token"])
        return {}

    async def _list_webhooks(self, request: web.Request) -> Any:
        endpoints = self._account(request).webhook_endpoints
        return {"webhook_endpoints": [item.model_dump(mode="json", exclude={"signing_secret"}) for item in endpoints]}

    def _account(self, request: web.Request) -> Account:
        return self._cloud.get(request.match_info["slug"])
