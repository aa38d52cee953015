"""What a SETI script does, function by function (stone_edge.md section 2.3).

The functions that write really write: a caller that asks for more than `sendversion` and `ordercount` leaves traces in the
orders and the stock of the shop.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from xml.etree.ElementTree import Element, SubElement

from sandbox.exchange import Reply
from sandbox.stone_edge.answers import Subject, download, fields, plain, response
from sandbox.stone_edge.state import Endpoint, Order, Product

Parameters = Mapping[str, str]
Item = TypeVar("Item")

DATE_FORMATS = ("%d/%b/%Y", "%d-%b-%Y")
BATCH_SIZE = 100
PROCESSING = "Processing"


class ScriptError(Exception):
    """The script refuses; the message is what it says."""


@dataclass(frozen=True, slots=True)
class Function:
    """One `setifunction`."""

    answer: Callable[[Endpoint, Parameters], Reply]
    subject: Subject | None = None
    """None for the function that needs no login."""
    downloads: bool = False
    """Whether it answers XML."""
    writes: bool = False


# --- parameters -----------------------------------------------------------------------------------------------------


def _since(parameters: Parameters) -> Callable[[Order], bool]:
    """Which orders `lastorder` and `lastdate` ask for; either may be `All`, and one of them must be there."""
    number, date = parameters.get("lastorder", ""), parameters.get("lastdate", "")
    if not number and not date:
        raise ScriptError("lastorder or lastdate is needed")
    after = None if number.lower() in {"", "all"} else _integer("lastorder", number)
    earliest = None if date.lower() in {"", "all"} else _date(date)

    def wanted(order: Order) -> bool:
        return (after is None or order.number > after) and (earliest is None or order.date >= earliest)

    return wanted


def _integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ScriptError(f"{name} is no number") from None


def _date(text: str) -> datetime.date:
    for form in DATE_FORMATS:
        try:
            return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.UTC).date()
        except ValueError:
            continue
    raise ScriptError("lastdate is no date")


def _batch(items: Sequence[Item], parameters: Parameters) -> Sequence[Item]:
    """The items from `startnum`, which counts from one, at most `batchsize` of them."""
    start = max(_integer("startnum", parameters.get("startnum") or "1"), 1) - 1
    size = _integer("batchsize", parameters.get("batchsize") or str(BATCH_SIZE))
    return items[start : start + size]


def _pair(text: str) -> tuple[str, int]:
    """`sku~qty`."""
    sku, sign, quantity = text.partition("~")
    if not sign:
        raise ScriptError("update is made of sku~quantity")
    return sku, _integer("the quantity", quantity)


# --- functions ------------------------------------------------------------------------------------------------------


def send_version(endpoint: Endpoint, parameters: Parameters) -> Reply:
    """Prove that the script is there."""
    named = parameters.get("omversion", "")
    echoed = endpoint.settings.echo_omversion and named
    return response(endpoint, f"version={named if echoed else endpoint.settings.version}")


def order_count(endpoint: Endpoint, parameters: Parameters) -> Reply:
    """How many orders there are to fetch."""
    return response(endpoint, f"ordercount={len(list(filter(_since(parameters), endpoint.orders)))}")


def products_count(endpoint: Endpoint, _: Parameters) -> Reply:
    """How many products there are."""
    return response(endpoint, f"itemcount={len(endpoint.products)}")


def customers_count(endpoint: Endpoint, _: Parameters) -> Reply:
    """How many customers there are."""
    return response(endpoint, f"itemcount={len(endpoint.customers)}")


def download_orders(endpoint: Endpoint, parameters: Parameters) -> Reply:
    """Hand orders out, and note that they were handed out."""
    chosen = _batch(list(filter(_since(parameters), endpoint.orders)), parameters)
    entries = []
    for order in chosen:
        entry = Element("Order")
        fields(entry, OrderNumber=order.number, OrderDate=f"{order.date:%d-%b-%Y}", OrderStatus=order.status)
        entries.append(entry)
    if endpoint.settings.downloads_change_status:
        numbers = {order.number for order in chosen}
        _set_status(endpoint, numbers, PROCESSING)
    return download("Orders", entries)


def _set_status(endpoint: Endpoint, numbers: set[int], status: str) -> None:
    endpoint.orders = [
        order.model_copy(update={"status": status}) if order.number in numbers else order for order in endpoint.orders
    ]


def _products(endpoint: Endpoint, parameters: Parameters, *, quantity_only: bool) -> Reply:
    entries = []
    for product in _batch(endpoint.products, parameters):
        entry = Element("Product")
        fields(entry, Code=product.sku, QOH="NA" if product.quantity is None else product.quantity)
        if not quantity_only:
            fields(entry, Name=product.name)
        entries.append(entry)
    return download("Products", entries)


def download_products(endpoint: Endpoint, parameters: Parameters) -> Reply:
    """Hand products out."""
    return _products(endpoint, parameters, quantity_only=False)


def download_quantities(endpoint: Endpoint, parameters: Parameters) -> Reply:
    """Hand the stock out."""
    return _products(endpoint, parameters, quantity_only=True)


def download_customers(endpoint: Endpoint, parameters: Parameters) -> Reply:
    """Hand customers out."""
    entries = []
    for customer in _batch(endpoint.customers, parameters):
        entry = Element("Customer")
        fields(entry, WebID=customer.number)
        fields(SubElement(entry, "BillAddr"), Email=customer.mail)
        entries.append(entry)
    return download("Customers", entries)


def replace_quantities(endpoint: Endpoint, parameters: Parameters) -> Reply:
    """Overwrite the stock of many products."""
    updates = [_pair(part) for part in parameters.get("update", "").split("|") if part]
    if len(updates) != _integer("count", parameters.get("count", "")):
        raise ScriptError("count and update do not fit")
    lines = [f"{sku}={_write_stock(endpoint, sku, quantity)}" for sku, quantity in updates]
    return plain(endpoint, "\n".join([endpoint.settings.prefix, *lines, "SETIEndOfData"]))


def update_quantity(endpoint: Endpoint, parameters: Parameters) -> Reply:
    """Change the stock of one product by a difference."""
    sku, difference = _pair(parameters.get("update", ""))
    product = _product(endpoint, sku)
    known = product.quantity if product else None
    outcome = _write_stock(endpoint, sku, difference + (known or 0))
    success, quantity = ("OK", difference + (known or 0)) if outcome == "OK" else ("False", outcome)
    return plain(endpoint, f"{endpoint.settings.prefix}={success};SKU={sku};QOH={quantity};NOTE=")


def _product(endpoint: Endpoint, sku: str) -> Product | None:
    return next((product for product in endpoint.products if product.sku == sku), None)


def _write_stock(endpoint: Endpoint, sku: str, quantity: int) -> str:
    """OK, NF (not found) or NA (the product has no stock keeping)."""
    product = _product(endpoint, sku)
    if product is None:
        return "NF"
    if product.quantity is None:
        return "NA"
    position = endpoint.products.index(product)
    endpoint.products[position] = product.model_copy(update={"quantity": quantity})
    return "OK"


def update_status(endpoint: Endpoint, parameters: Parameters) -> Reply:
    """Overwrite the status of an order."""
    number = _integer("ordernumber", parameters.get("ordernumber", ""))
    if number not in {order.number for order in endpoint.orders}:
        return response(endpoint, "update=False;Notes=Order not found")
    _set_status(endpoint, {number}, parameters.get("orderstatus", ""))
    return response(endpoint, "update=OK;Notes=")


FUNCTIONS: dict[str, Function] = {
    "sendversion": Function(send_version),
    "ordercount": Function(order_count, "Orders"),
    "getproductscount": Function(products_count, "Products"),
    "getcustomerscount": Function(customers_count, "Customers"),
    "downloadorders": Function(download_orders, "Orders", downloads=True, writes=True),
    "downloadprods": Function(download_products, "Products", downloads=True),
    "downloadqoh": Function(download_quantities, "Products", downloads=True),
    "downloadcustomers": Function(download_customers, "Customers", downloads=True),
    "qohreplace": Function(replace_quantities, "Products", writes=True),
    "invupdate": Function(update_quantity, "Products", writes=True),
    "updatestatus": Function(update_status, "Orders", writes=True),
}
