"""The SureCart part of the client of the control API: `client.surecart`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Call = Callable[..., dict[str, Any]]
"""Method, path below `/_control` and body of a control call, to its answer."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A store's account."""

    id: str
    slug: str
    name: str
    url: str | None
    currency: str
    claimed: bool
    claim_url: str | None
    claim_window_ends_at: int | None
    public_token: str
    created_at: int
    people: tuple[str, ...]
    """Mail addresses of those who see it in the dashboard."""
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A secret token, without its value."""

    id: str
    name: str
    created: float
    """Unix time."""
    ending: str
    """Its last characters."""
    sha256: str
    """Hash of its value, hexadecimal."""


@dataclass(frozen=True, slots=True)
class HandMadeToken:
    """A token made by hand; its value is given in this answer alone and does not show in `repr`."""

    id: str
    name: str
    created: float
    ending: str
    sha256: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookEndpointRow:
    """A webhook endpoint, without its signing secret."""

    id: str
    url: str
    description: str | None
    destination: str | None
    enabled: bool
    webhook_events: tuple[str, ...]
    created_at: int
    updated_at: int
    tests: int
    """How often its test was called."""


class SureCartClient:
    """One method per control route below `/_control/surecart`."""

    def __init__(self, call: Call, url: str) -> None:
        self._call_control = call
        self.api_url = f"{url}/api.surecart.com"
        """Stands for `https://api.surecart.com`: without `/v1`, as the plugin's constant takes it."""
        self.dashboard_url = f"{url}/app.surecart.com"
        """Stands for `https://app.surecart.com`."""

    # The cloud

    def settings(self) -> dict[str, Any]:
        """The settings of the whole cloud; settings.py explains them."""
        return self._call("GET", "/settings")

    def change_settings(self, **settings: Any) -> dict[str, Any]:
        """Set some settings of the whole cloud."""
        return self._call("PATCH", "/settings", settings)

    def reset_settings(self) -> dict[str, Any]:
        """Set every setting of the whole cloud back to its default."""
        return self._call("DELETE", "/settings")

    def end_sessions(self) -> int:
        """Log everybody out of the dashboard."""
        ended: int = self._call("DELETE", "/sessions")["ended"]
        return ended

    def reset_rate(self) -> None:
        """Begin every rate window anew."""
        self._call("DELETE", "/rate")

    # Accounts

    def accounts(self) -> list[AccountRow]:
        """Every account, by slug."""
        return [_account(row) for row in self._call("GET", "/accounts")["accounts"]]

    def account(self, slug: str) -> AccountRow:
        """One account."""
        return _account(self._call("GET", f"/accounts/{slug}"))

    def create_account(
        self,
        slug: str,
        *,
        account_id: str = "",
        name: str = "",
        url: str | None = None,
        people: Sequence[Mapping[str, str]] = (),
        **settings: Any,
    ) -> AccountRow:
        """Make an account without tokens. Each of the people: {mail, password}; who is in several has one password."""
        order = {
            "slug": slug,
            "id": account_id,
            "name": name,
            "url": url,
            "people": [dict(person) for person in people],
        }
        return _account(self._call("POST", "/accounts", order | {"settings": settings}))

    def change_account(self, slug: str, /, **changes: Any) -> AccountRow:
        """Set slug, name, url, currency or claimed; the id stays."""
        return _account(self._call("PATCH", f"/accounts/{slug}", changes))

    def delete_account(self, slug: str) -> None:
        """Take an account away with everything in it."""
        self._call("DELETE", f"/accounts/{slug}")

    def change_account_settings(self, slug: str, **settings: Any) -> AccountRow:
        """Set some settings of an account."""
        return _account(self._call("PATCH", f"/accounts/{slug}/settings", settings))

    def add_person(self, slug: str, mail: str, password: str) -> AccountRow:
        """Let somebody into an account."""
        return _account(self._call("POST", f"/accounts/{slug}/people", {"mail": mail, "password": password}))

    # A person's hands

    def tokens(self, slug: str) -> list[TokenRow]:
        """The tokens of an account, oldest first."""
        return [TokenRow(**row) for row in self._call("GET", f"/accounts/{slug}/tokens")["tokens"]]

    def make_token(self, slug: str, name: str = "") -> HandMadeToken:
        """A token as a person makes it in the dashboard."""
        return HandMadeToken(**self._call("POST", f"/accounts/{slug}/tokens", {"name": name}))

    def delete_token(self, slug: str, token_id: str) -> None:
        """Delete a token; every site that uses it is cut off."""
        self._call("DELETE", f"/accounts/{slug}/tokens/{token_id}")

    def webhook_endpoints(self, slug: str) -> list[WebhookEndpointRow]:
        """The webhook endpoints of an account, oldest first."""
        rows = self._call("GET", f"/accounts/{slug}/webhook-endpoints")["webhook_endpoints"]
        return [WebhookEndpointRow(**row | {"webhook_events": tuple(row["webhook_events"])}) for row in rows]

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._call_control(method, f"/surecart{path}", body)


def _account(row: dict[str, Any]) -> AccountRow:
    return AccountRow(**row | {"people": tuple(row["people"])})
