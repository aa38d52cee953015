"""The script endpoints: who may ask, how each one speaks, and the shop behind it (stone_edge.md sections 2 and 3)."""

from __future__ import annotations

import datetime
import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sandbox.documents import Documents

HOST = "connect2cart.example"
"""The host that the scripts stand on, here the first segment of the path."""

SCRIPT = "/script"
"""The path of a script below its endpoint."""

ENDPOINT_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
KIND = "stone_edge.endpoint"


class EndpointError(ValueError):
    """A control call that cannot be carried out."""


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EndpointSettings(_Value):
    """How an endpoint speaks; the defaults are the plainest of the public implementations (sheet 2)."""

    model_config = ConfigDict(strict=True)

    page: Literal["script", "parked", "quoting", "login_form", "empty"] = "script"
    """What answers at the URL: the script, or a page that is not SETI. `quoting` is a page about the protocol."""
    prefix: Literal["SETIResponse", "SetiResponse", "setiresponse"] = "SETIResponse"
    newline: bool = True
    """End plain answers with a line feed."""
    version: str = "1.000"
    echo_omversion: bool = False
    """Answer `sendversion` with the version that the caller named."""
    accept_any_password: bool = False
    errors: Literal["plain", "xml", "xml_error", "xml_for_downloads"] = "plain"
    """`SETIError: text`; XML below the root of the function; XML below `SETIError`; XML for downloads alone."""
    accept_get: bool = True
    lockout_after: int = Field(0, ge=0)
    """Wrong passwords after which every password is refused; 0 is no limit. Setting it anew forgets them."""
    downloads_change_status: bool = True
    """`downloadorders` moves what it hands out to Processing, as one public implementation does."""
    latency: float = Field(0.0, ge=0)


class Order(_Value):
    """An order of the shop."""

    number: int
    date: datetime.date
    status: str = "New"


class Product(_Value):
    """A product of the shop with its quantity on hand; None is a product without stock keeping (`NA`)."""

    sku: str
    name: str
    quantity: int | None


class Customer(_Value):
    """A customer of the shop."""

    number: int
    mail: str


ORDERS = (
    Order(number=1001, date=datetime.date(2025, 1, 8)),
    Order(number=1002, date=datetime.date(2025, 2, 19)),
    Order(number=1003, date=datetime.date(2025, 6, 3), status="Shipped"),
)
PRODUCTS = (
    Product(sku="MUG-BLUE", name="Mug, blue", quantity=12),
    Product(sku="BEANS-1KG", name="Coffee beans, 1 kg", quantity=40),
    Product(sku="GIFT-CARD", name="Gift card", quantity=None),
)
CUSTOMERS = (Customer(number=1, mail="buyer@shopper.example"), Customer(number=2, mail="office@shopper.example"))


class Endpoint(BaseModel):
    """One script endpoint: the credentials it takes, its settings, and its shop."""

    model_config = ConfigDict(extra="forbid")

    name: str
    username: str
    password: str = Field(repr=False)
    code: str = ""
    """The store code; empty for nearly every shop."""
    settings: EndpointSettings = EndpointSettings()
    orders: list[Order] = list(ORDERS)
    products: list[Product] = list(PRODUCTS)
    customers: list[Customer] = list(CUSTOMERS)
    wrong_passwords: int = 0
    """In a row; a right one forgets them unless the endpoint is locked."""

    @field_validator("name")
    @classmethod
    def _fits_a_path(cls, name: str) -> str:
        if not ENDPOINT_NAME.match(name):
            raise ValueError("the name of an endpoint is made of small letters, digits and hyphens")
        return name

    @property
    def site(self) -> str:
        """The host and the endpoint: what faults and the log call it."""
        return f"{HOST}/{self.name}"

    @property
    def locked(self) -> bool:
        """Whether too many wrong passwords came."""
        return 0 < self.settings.lockout_after <= self.wrong_passwords

    def shown(self) -> dict[str, Any]:
        """As the control API tells it: without the password."""
        return self.model_dump(mode="json", exclude={"password"}) | {"site": self.site, "locked": self.locked}


class Endpoints:
    """Every endpoint of the process, kept in memory and written through."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        stored = [Endpoint.model_validate_json(document) for document in documents.all(KIND)]
        self._endpoints = {endpoint.name: endpoint for endpoint in stored}

    def all(self) -> list[Endpoint]:
        """Every endpoint."""
        return list(self._endpoints.values())

    def find(self, name: str) -> Endpoint | None:
        """The endpoint of this name, or None."""
        return self._endpoints.get(name)

    def get(self, name: str) -> Endpoint:
        """The endpoint of this name; raises if there is none."""
        endpoint = self.find(name)
        if endpoint is None:
            raise EndpointError(f"there is no endpoint {name!r}")
        return endpoint

    def create(self, order: dict[str, Any]) -> Endpoint:
        """A new endpoint from what the control API was given."""
        endpoint = Endpoint.model_validate(order)
        if endpoint.name in self._endpoints:
            raise EndpointError(f"there is an endpoint {endpoint.name!r} already")
        self._endpoints[endpoint.name] = endpoint
        self.keep(endpoint)
        return endpoint

    def delete(self, name: str) -> None:
        """Take an endpoint away."""
        del self._endpoints[self.get(name).name]
        self._documents.delete(KIND, name)

    def change_settings(self, name: str, changes: dict[str, Any]) -> Endpoint:
        """Set some settings; a new `lockout_after` forgets the wrong passwords."""
        endpoint = self.get(name)
        endpoint.settings = EndpointSettings.model_validate(endpoint.settings.model_dump() | changes)
        if "lockout_after" in changes:
            endpoint.wrong_passwords = 0
        return self.keep(endpoint)

    def change_credentials(self, name: str, username: str, password: str) -> Endpoint:
        """The vendor has given out other credentials; the old ones are refused from now on."""
        endpoint = self.get(name)
        endpoint.username, endpoint.password, endpoint.wrong_passwords = username, password, 0
        return self.keep(endpoint)

    def keep(self, endpoint: Endpoint) -> Endpoint:
        """Write a changed endpoint through."""
        self._documents.put(KIND, endpoint.name, endpoint.model_dump_json())
        return endpoint
