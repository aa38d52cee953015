"""What tests and scripts ask of the script endpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Call = Callable[..., dict[str, Any]]
"""Method, path below `/_control`, and a JSON body where there is one; answers JSON."""

LOG_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint and what became of its shop; its password does not show."""

    name: str
    url: str
    """Address of the script, with `https://`."""
    site: str
    """What faults and the log call it."""
    username: str
    settings: dict[str, Any]
    statuses: dict[int, str]
    """Status of each order, by its number."""
    stock: dict[str, int | None]
    """Quantity on hand of each product, by its SKU."""
    wrong_passwords: int
    locked: bool

    @property
    def shown_url(self) -> str:
        """The Script URL as Stone Edge gives it to merchants: without `https://`."""
        return self.url.removeprefix("https://")


class EndpointClient:
    """One method per control route of the endpoints."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def create(
        self,
        name: str,
        username: str,
        password: str,
        *,
        code: str = "",
        orders: Sequence[dict[str, Any]] | None = None,
        products: Sequence[dict[str, Any]] | None = None,
        customers: Sequence[dict[str, Any]] | None = None,
        **settings: Any,
    ) -> EndpointRow:
        """Make an endpoint; without orders, products or customers it gets some. README.md lists the settings."""
        order: dict[str, Any] = {"name": name, "username": username, "password": password, "code": code}
        shop = {"orders": orders, "products": products, "customers": customers}
        order |= {key: list(rows) for key, rows in shop.items() if rows is not None}
        return _row(self._call("POST", "/stone-edge", order | {"settings": settings}))

    def all(self) -> list[EndpointRow]:
        """Every endpoint."""
        return [_row(row) for row in self._call("GET", "/stone-edge")["endpoints"]]

    def get(self, name: str) -> EndpointRow:
        """One endpoint, as it is now."""
        return _row(self._call("GET", f"/stone-edge/{name}"))

    def delete(self, name: str) -> None:
        """Take an endpoint away; its URL is a page of the sandbox's that says so, with 404."""
        self._call("DELETE", f"/stone-edge/{name}")

    def change_settings(self, name: str, **settings: Any) -> EndpointRow:
        """Set some settings of an endpoint."""
        return _row(self._call("PATCH", f"/stone-edge/{name}/settings", settings))

    def change_credentials(self, name: str, username: str, password: str) -> EndpointRow:
        """The vendor gives out other credentials, and takes the old ones no longer."""
        order = {"username": username, "password": password}
        return _row(self._call("PUT", f"/stone-edge/{name}/credentials", order))

    def received(self, name: str) -> list[str]:
        """Every `setifunction` that arrived, oldest first, whatever became of the request; from the log.

        A request without one is `none`, one that SETI does not know is `unknown`.
        """
        site = self.get(name).site
        answer = self._call("GET", f"/requests?limit={LOG_LIMIT}&store={site}")
        return [row["operation"].removeprefix("seti_") for row in answer["requests"]]


def _row(row: dict[str, Any]) -> EndpointRow:
    names = ("name", "url", "site", "username", "settings", "wrong_passwords", "locked")
    return EndpointRow(
        **{name: row[name] for name in names},
        statuses={order["number"]: order["status"] for order in row["orders"]},
        stock={product["sku"]: product["quantity"] for product in row["products"]},
    )
