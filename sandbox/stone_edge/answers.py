"""The forms that answers of a SETI script take (stone_edge.md sections 2.3 and 2.4). The HTTP status is 200 always."""

from __future__ import annotations

from typing import Literal
from xml.etree.ElementTree import Element, SubElement, tostring

from sandbox.exchange import Reply
from sandbox.stone_edge.state import Endpoint

Subject = Literal["Orders", "Products", "Customers"]
"""What a function is about; its XML answers have the root `SETI` and this word."""

DATA, NOTHING, FAILED = 1, 2, 3
"""The response codes."""

DESCRIPTIONS = {DATA: "Success", NOTHING: "Success"}

PAGES = {
    "parked": "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n",
    "quoting": (
        "<!DOCTYPE html>\n<html><head><title>Order Manager integration</title></head><body>\n<p>The script answers\n"
        "SETIResponse: version=1.000\nSETIResponse: ordercount=3\nor SETIError: and a text.</p>\n</body></html>\n"
    ),
    "login_form": (
        '<!DOCTYPE html>\n<html><head><title>Log in</title></head><body><form method="post" action="/login">'
        '<input name="username"><input name="password" type="password"><button>Log in</button></form></body></html>\n'
    ),
    "empty": "",
}
"""Pages that are not SETI, by the setting `page`."""


def plain(endpoint: Endpoint, text: str) -> Reply:
    """A plain answer; a script has no other content type for it than PHP's own."""
    return _text(text + ("\n" if endpoint.settings.newline else ""))


def response(endpoint: Endpoint, values: str) -> Reply:
    """`SETIResponse: values`."""
    return plain(endpoint, f"{endpoint.settings.prefix}: {values}")


def page(endpoint: Endpoint) -> Reply:
    """What stands at the URL in place of a script."""
    return _text(PAGES[endpoint.settings.page])


def document(subject: str, code: int, description: str, entries: list[Element]) -> Reply:
    """`<SETIOrders><Response><ResponseCode>1..</..></Response><Order>...`."""
    root = Element(f"SETI{subject}")
    head = SubElement(root, "Response")
    fields(head, ResponseCode=code, ResponseDescription=description)
    root.extend(entries)
    body = tostring(root, encoding="UTF-8", xml_declaration=True)
    return Reply(200, body, [("Content-Type", "text/xml; charset=UTF-8")])


def download(subject: Subject, entries: list[Element]) -> Reply:
    """The answer of a download; code 2 when there is nothing."""
    code = DATA if entries else NOTHING
    return document(subject, code, DESCRIPTIONS[code], entries)


def failure(endpoint: Endpoint, subject: Subject | None, text: str, *, downloads: bool) -> Reply:
    """An error in the manner of the endpoint. `downloads` is whether the function answers XML when all is well."""
    style = endpoint.settings.errors
    if style == "plain" or (style == "xml_for_downloads" and not downloads):
        return plain(endpoint, f"SETIError: {text}")
    root = "Error" if style == "xml_error" or subject is None else subject
    return document(root, FAILED, text, [])


def fields(parent: Element, **values: object) -> None:
    """Child elements with a text each."""
    for name, value in values.items():
        SubElement(parent, name).text = str(value)


def _text(body: str) -> Reply:
    return Reply(200, body.encode(), [("Content-Type", "text/html; charset=UTF-8")])
