"""The .txt file that the browser downloads when an API account is saved.

Its layout is not published (sheet 3.1, 14.5): the layouts below are inventions with what a reader may meet, and a store's
setting `credentials_layout` picks one. What the file holds is documented: the three values and the API path.
"""

from __future__ import annotations

import json
import re

from sandbox.bigcommerce.state import Credentials

BYTE_ORDER_MARK = "\ufeff"

TEMPLATES: dict[str, str] = {
    "labelled": (
        "API path: {api_path}\nClient ID: {client_id}\nClient secret: {client_secret}\nAccess token: {access_token}\n"
    ),
    "capitals": (
        "ACCESS TOKEN: {access_token}\n"
        "CLIENT NAME: {name}\n"
        "CLIENT ID: {client_id}\n"
        "CLIENT SECRET: {client_secret}\n"
        "API PATH: {api_path}\n"
    ),
    "equals": (
        "api_path={api_path}\nclient_id={client_id}\nclient_secret={client_secret}\naccess_token={access_token}"
    ),
    "next_line": (
        "BigCommerce API credentials\n\n"
        "Name\n{name}\n\n"
        "API path\n{api_path}\n\n"
        "Client ID\n{client_id}\n\n"
        "Client secret\n{client_secret}\n\n"
        "Access token\n{access_token}\n"
    ),
    "windows": (
        BYTE_ORDER_MARK + "Name:\t\t{name}\r\n"
        "API Path:\t{api_path}\r\n"
        "\r\n"
        "Client ID:\t{client_id}\r\n"
        "Client Secret:\t{client_secret}\r\n"
        "Access Token:\t{access_token}\r\n"
    ),
}
JSON = "json"
LAYOUTS = (*TEMPLATES, JSON)


def file_name(title: str) -> str:
    """The name under which the browser keeps the file (an invention too): the account's name in plain letters."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")
    return f"BigCommerceAPI-credentials-{slug or 'account'}.txt"


def file_text(credentials: Credentials, layout: str) -> str:
    """The file in one of the layouts."""
    values = {
        "name": credentials.account.title,
        "api_path": credentials.api_path,
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        "access_token": credentials.access_token,
    }
    if layout == JSON:
        return json.dumps(values, indent=2) + "\n"
    return TEMPLATES[layout].format(**values)
