"""The BigCommerce part of the client of the control API: `client.bigcommerce`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Call = Callable[..., dict[str, Any]]
"""Method, path below `/_control` and body of a control call, to its answer."""


@dataclass(frozen=True, slots=True)
class BigCommerceStore:
    """A store and where it is served."""

    hash: str
    gateway_url: str
    """Stands for `https://api.bigcommerce.com`."""
    panel_url: str
    """Stands for `https://store-{hash}.mybigcommerce.com/manage`."""
    storefront_url: str
    """Stands for `https://store-{hash}.mybigcommerce.com`; `/graphql` is below it."""
    account_uuid: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An API account, never its secrets."""

    id: int
    title: str
    token_type: str
    levels: dict[str, str]
    client_id: str
    created: float


@dataclass(frozen=True, slots=True)
class HandMadeAccount:
    """An API account made by hand, its values given once; secrets do not show in `repr`."""

    account_id: int
    store_hash: str
    api_path: str
    client_id: str
    client_secret: str = field(repr=False)
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HookRow:
    """A webhook."""

    id: int
    account_id: int
    scope: str
    destination: str
    is_active: bool
    created: int


@dataclass(frozen=True, slots=True)
class StorefrontTokenRow:
    """A token of the storefront, without the JWT. Times are unix seconds."""

    account_id: int
    kind: str
    channels: tuple[int, ...]
    origins: tuple[str, ...]
    scopes: tuple[str, ...]
    created: float
    expires: float
    revoked: float | None


@dataclass(frozen=True, slots=True)
class QuotaRow:
    """The rate window of a store."""

    quota: int
    left: int
    reset_ms: int
    window_ms: int


class BigCommerceClient:
    """One method per control route below `/_control/bigcommerce`."""

    def __init__(self, call: Call) -> None:
        self._call_control = call

    # Stores and panel users

    def stores(self) -> list[BigCommerceStore]:
        """Every store."""
        return [BigCommerceStore(**row) for row in self._call("GET", "")["stores"]]

    def create_store(
        self, store_hash: str, *, users: Sequence[Mapping[str, Any]] = (), **settings: Any
    ) -> BigCommerceStore:
        """Make a store. Each user: {mail, password, role: owner | user, permissions}; settings: see settings.py."""
        order = {"hash": store_hash, "users": [dict(user) for user in users], "settings": settings}
        return BigCommerceStore(**self._call("POST", "", order))

    def delete_store(self, store_hash: str) -> None:
        """Take a store away with everything in it."""
        self._call("DELETE", f"/{store_hash}")

    def change_settings(self, store_hash: str, **settings: Any) -> BigCommerceStore:
        """Set switches of a store."""
        return BigCommerceStore(**self._call("PATCH", f"/{store_hash}/settings", settings))

    def add_user(
        self, store_hash: str, mail: str, password: str, *, role: str = "user", permissions: Sequence[str] = ()
    ) -> int:
        """A new user of the panel; returns the id."""
        order = {"mail": mail, "password": password, "role": role, "permissions": list(permissions)}
        user_id: int = self._call("POST", f"/{store_hash}/users", order)["id"]
        return user_id

    def end_sessions(self, store_hash: str) -> int:
        """Log everybody out of the panel."""
        ended: int = self._call("DELETE", f"/{store_hash}/sessions")["ended"]
        return ended

    # Accounts and what they own

    def accounts(self, store_hash: str) -> list[AccountRow]:
        """The accounts of a store, oldest first."""
        return [AccountRow(**row) for row in self._call("GET", f"/{store_hash}/accounts")["accounts"]]

    def make_account(
        self, store_hash: str, title: str, rows: Mapping[str, str], *, token_type: str = "V2/V3 API token"
    ) -> HandMadeAccount:
        """An account as the owner makes it in the panel: label to level; what is left out is none."""
        order = {"title": title, "rows": dict(rows), "token_type": token_type}
        return HandMadeAccount(**self._call("POST", f"/{store_hash}/accounts", order))

    def delete_account(self, store_hash: str, account_id: int) -> None:
        """Delete an account for good."""
        self._call("DELETE", f"/{store_hash}/accounts/{account_id}")

    def hooks(self, store_hash: str) -> list[HookRow]:
        """The webhooks of all accounts."""
        return [HookRow(**row) for row in self._call("GET", f"/{store_hash}/hooks")["hooks"]]

    def resources(self, store_hash: str) -> dict[str, int]:
        """How many members each collection of shop data has: equal before and after, if nobody wrote."""
        counts: dict[str, int] = self._call("GET", f"/{store_hash}/resources")["resources"]
        return counts

    def storefront_tokens(self, store_hash: str) -> list[StorefrontTokenRow]:
        """Every token of the storefront ever given out, oldest first."""
        rows = self._call("GET", f"/{store_hash}/storefront-tokens")["tokens"]
        return [
            StorefrontTokenRow(**row | {name: tuple(row[name]) for name in ("channels", "origins", "scopes")})
            for row in rows
        ]

    # Quota

    def quota(self, store_hash: str) -> QuotaRow:
        """The rate window as it stands; looking costs nothing."""
        return _quota(self._call("GET", f"/{store_hash}/quota"))

    def set_quota(self, store_hash: str, left: int) -> QuotaRow:
        """Begin a window in which so many requests are left."""
        return _quota(self._call("PUT", f"/{store_hash}/quota", {"left": left}))

    def reset_quota(self, store_hash: str) -> QuotaRow:
        """End the window: the whole quota is there again."""
        return _quota(self._call("DELETE", f"/{store_hash}/quota"))

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._call_control(method, f"/bigcommerce/stores{path}", body)


def _quota(row: dict[str, Any]) -> QuotaRow:
    return QuotaRow(row["quota"], row["left"], row["reset_ms"], row["window_ms"])
