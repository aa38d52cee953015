"""StackOne's part of the control API, below `/_control/stackone`: what people do in the dashboard, and what tests look at.

No answer holds a secret but the one that makes an API key; of the values that an account holds only hashes are told.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.control import body_of, integer
from sandbox.stackone.linking import INVALID
from sandbox.stackone.replies import shown_account
from sandbox.stackone.state import Account, Organisation, Session, StackOneError, State, sha256, timestamp
from sandbox.vendor import ControlRoute

CHANGEABLE = ("status", "label", "origin_owner_id", "origin_owner_name", "origin_username", "store_url")
"""What a person may change of an account."""


class StackOneControl:
    """Handlers; each takes JSON and answers JSON."""

    def __init__(self, state: State, url: str) -> None:
        self._state = state
        self._url = url

    def routes(self) -> list[ControlRoute]:
        """Every route."""
        organisations = "/_control/stackone/organisations"
        one = f"{organisations}/{{organisation}}"
        return [
            ("GET", organisations, self._list),
            ("POST", organisations, self._create),
            ("GET", one, self._show),
            ("DELETE", one, self._delete),
            ("PATCH", f"{one}/settings", self._change_settings),
            ("POST", f"{one}/keys", self._create_key),
            ("DELETE", f"{one}/keys/{{key}}", self._delete_key),
            ("GET", f"{one}/accounts", self._list_accounts),
            ("PATCH", f"{one}/accounts/{{account}}", self._change_account),
            ("DELETE", f"{one}/accounts/{{account}}", self._delete_account),
            ("GET", f"{one}/sessions", self._list_sessions),
        ]

    async def _list(self, _: web.Request) -> Any:
        return {"organisations": [self._shown(one) for one in self._state.organisations()]}

    async def _create(self, request: web.Request) -> Any:
        order = await body_of(request)
        return self._shown(self._state.create_organisation(order["name"], order.get("settings") or {}))

    async def _show(self, request: web.Request) -> Any:
        return self._shown(self._organisation(request))

    async def _delete(self, request: web.Request) -> Any:
        self._state.delete_organisation(request.match_info["organisation"])
        return {}

    async def _change_settings(self, request: web.Request) -> Any:
        name = request.match_info["organisation"]
        return self._shown(self._state.change_settings(name, await body_of(request)))

    async def _create_key(self, request: web.Request) -> Any:
        order = await body_of(request)
        region = str(order.get("region", "eu1"))
        key, value = self._state.create_key(self._organisation(request), order["scopes"], region)
        return {"id": key.id, "scopes": key.scopes, "value": value}

    async def _delete_key(self, request: web.Request) -> Any:
        self._state.delete_key(self._organisation(request), integer(request.match_info["key"]))
        return {}

    async def _list_accounts(self, request: web.Request) -> Any:
        organisation = self._organisation(request)
        return {"accounts": [_shown_account(organisation, one) for one in self._state.accounts(organisation)]}

    async def _change_account(self, request: web.Request) -> Any:
        organisation, account, order = self._organisation(request), self._account(request), await body_of(request)
        unknown = set(order) - {*CHANGEABLE, "reason"}
        if unknown:
            raise StackOneError(f"unknown field {min(unknown)!r}")
        if not all(isinstance(value, str) for value in order.values()):
            raise StackOneError("the fields of an account are texts")
        for name in CHANGEABLE:
            if name in order:
                setattr(account, name, order[name])
        reason = {"code": INVALID, "description": order.get("reason", ""), "timestamp": timestamp(organisation.now)}
        account.status_reasons = [reason] if order.get("reason") else []
        return _shown_account(organisation, self._state.touch(organisation, account))

    async def _delete_account(self, request: web.Request) -> Any:
        self._state.delete_account(self._account(request))
        return {}

    async def _list_sessions(self, request: web.Request) -> Any:
        organisation = self._organisation(request)
        return {"sessions": [_shown_session(organisation, one) for one in self._state.sessions(organisation)]}

    def _organisation(self, request: web.Request) -> Organisation:
        return self._state.organisation(request.match_info["organisation"])

    def _account(self, request: web.Request) -> Account:
        account = self._state.account(self._organisation(request), request.match_info["account"])
        if account is None:
            raise StackOneError(f"there is no account {request.match_info['account']}")
        return account

    def _shown(self, organisation: Organisation) -> dict[str, Any]:
        return {
            "name": organisation.name,
            "site": organisation.site,
            "api_url": f"{self._url}/api.stackone.com",
            "eu_api_url": f"{self._url}/api.eu1.stackone.com",
            "settings": organisation.settings.model_dump(mode="json"),
            "keys": [{"id": key.id, "scopes": key.scopes} for key in organisation.keys],
        }


def _shown_account(organisation: Organisation, account: Account) -> dict[str, Any]:
    """As the API shows it, with hashes of the held values."""
    names = ("id", "status", "origin_owner_id", "origin_owner_name", "origin_username", "label", "updated_at")
    shown = shown_account(organisation, account)
    return {name: shown[name] for name in names} | {
        "reasons": [reason["description"] for reason in account.status_reasons],
        "store_url": account.store_url,
        "consumer_key_sha256": sha256(account.consumer_key),
        "consumer_secret_sha256": sha256(account.consumer_secret),
    }


def _shown_session(organisation: Organisation, session: Session) -> dict[str, Any]:
    owner = ("origin_owner_id", "origin_owner_name", "provider", "label")
    names = ("id", *owner, "account_id", "multiple", "linked_account", "created", "expires")
    return {name: getattr(session, name) for name in names} | {"expired": session.expires <= organisation.now}
