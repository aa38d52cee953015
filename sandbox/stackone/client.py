"""The StackOne part of the client of the control API: `client.stackone`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Call = Callable[..., dict[str, Any]]
"""Method, path below `/_control` and body of a control call, to its answer."""


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    """An organisation and where it is served."""

    name: str
    site: str
    """What faults and the log call it."""
    api_url: str
    """Stands for `https://api.stackone.com`."""
    eu_api_url: str
    """Stands for `https://api.eu1.stackone.com`; the data are the same."""
    settings: dict[str, Any]
    keys: tuple[int, ...]
    """Ids of the API keys."""


@dataclass(frozen=True, slots=True)
class ApiKeyValue:
    """An API key, its value given once."""

    id: int
    scopes: tuple[str, ...]
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkedAccountRow:
    """A linked account; of the values that it holds only hashes (SHA-256 in hexadecimal)."""

    id: str
    status: str
    reasons: tuple[str, ...]
    origin_owner_id: str
    origin_owner_name: str
    origin_username: str | None
    label: str | None
    store_url: str
    updated_at: str
    consumer_key_sha256: str
    consumer_secret_sha256: str


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A connect session, without its token. Times are unix seconds by the clock of the organisation."""

    id: int
    origin_owner_id: str
    origin_owner_name: str
    provider: str | None
    label: str | None
    account_id: str | None
    multiple: bool
    linked_account: str | None
    created: float
    expires: float
    expired: bool


class StackOneClient:
    """One method per control route below `/_control/stackone`."""

    def __init__(self, call: Call) -> None:
        self._call_control = call

    def create(self, name: str, **settings: Any) -> OrganisationRow:
        """Make an organisation; README.md lists the settings."""
        return _row(self._call("POST", "", {"name": name, "settings": settings}))

    def all(self) -> list[OrganisationRow]:
        """Every organisation."""
        return [_row(row) for row in self._call("GET", "")["organisations"]]

    def get(self, name: str) -> OrganisationRow:
        """One organisation, as it is now."""
        return _row(self._call("GET", f"/{name}"))

    def delete(self, name: str) -> None:
        """Take an organisation away with everything in it."""
        self._call("DELETE", f"/{name}")

    def change_settings(self, name: str, **settings: Any) -> OrganisationRow:
        """Set some settings; `clock_offset` lets sessions expire."""
        return _row(self._call("PATCH", f"/{name}/settings", settings))

    def create_key(self, name: str, *scopes: str, region: str = "eu1") -> ApiKeyValue:
        """An API key as the dashboard makes it: full, read_only, accounts, actions; accounts without any."""
        order = {"scopes": list(scopes) or ["accounts"], "region": region}
        row = self._call("POST", f"/{name}/keys", order)
        return ApiKeyValue(row["id"], tuple(row["scopes"]), row["value"])

    def delete_key(self, name: str, key_id: int) -> None:
        """Revoke an API key."""
        self._call("DELETE", f"/{name}/keys/{key_id}")

    def accounts(self, name: str) -> list[LinkedAccountRow]:
        """The linked accounts, oldest first; looking counts as no read for `late_error_after_reads`."""
        return [_account(row) for row in self._call("GET", f"/{name}/accounts")["accounts"]]

    def change_account(self, name: str, account_id: str, *, reason: str = "", **fields: str) -> LinkedAccountRow:
        """Change an account by hand: status (any text), label, origin_owner_id, origin_owner_name, origin_username,
        store_url; the reason becomes its only one."""
        order = fields | ({"reason": reason} if reason else {})
        return _account(self._call("PATCH", f"/{name}/accounts/{account_id}", order))

    def delete_account(self, name: str, account_id: str) -> None:
        """Delete an account by hand."""
        self._call("DELETE", f"/{name}/accounts/{account_id}")

    def sessions(self, name: str) -> list[SessionRow]:
        """The connect sessions, oldest first."""
        return [SessionRow(**row) for row in self._call("GET", f"/{name}/sessions")["sessions"]]

    def fail(
        self,
        name: str,
        status: int,
        operation: str | None = None,
        *,
        message: str = "Refused",
        retry_after: int | None = None,
        times: int | None = 1,
        skip: int = 0,
    ) -> int:
        """Order a fault that answers a status with the documented body; returns the number of the rule (T20)."""
        body = {"statusCode": status, "message": message, "timestamp": "2026-01-02T03:04:05.678Z"}
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        order: dict[str, Any] = {
            "effect": "status",
            "store": f"stackone/{name}",
            "operation": operation,
            "times": times,
            "skip": skip,
        }
        answered = {"status": status, "headers": headers, "body": json.dumps(body)}
        rule: int = self._call_control("POST", "/faults", order | answered)["id"]
        return rule

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._call_control(method, f"/stackone/organisations{path}", body)


def _row(row: dict[str, Any]) -> OrganisationRow:
    keys: Sequence[dict[str, Any]] = row["keys"]
    return OrganisationRow(**row | {"keys": tuple(key["id"] for key in keys)})


def _account(row: dict[str, Any]) -> LinkedAccountRow:
    return LinkedAccountRow(**row | {"reasons": tuple(row["reasons"])})
