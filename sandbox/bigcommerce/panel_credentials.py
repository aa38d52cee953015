"""The .txt file that the browser downloads when an API account is saved.

Its layout is not published (sheet 3.1, 14.5): the layouts below are inventions with what a person may meet, and a store's
setting `credentials_layout` picks one. What the file holds is documented: the three values and the API path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a new account's page shows once; `repr` shows none of the secrets."""

    title: str
    api_path: str
    client_id: str
    client_secret: str = field(repr=False)
    access_token: str = field(repr=False)


LAYOUTS: dict[str, str] = {
    "labels": (
        "API path: {api_path}\nClient ID: {client_id}\nClient secret: {client_secret}\nAccess token: {access_token}\n"
    ),
    "capitals": (
        "ACCESS TOKEN: {access_token}\n"
        "CLIENT NAME: {title}\n"
        "CLIENT ID: {client_id}\n"
        "CLIENT SECRET: {client_secret}\n"
        "API PATH: {api_path}\n"
    ),
    "paragraphs": (
        "BigCommerce API credentials\n\n"
        "Name\n{title}\n\n"
        "API path\n{api_path}\n\n"
        "Client ID\n{client_id}\n\n"
        "Client secret\n{client_secret}\n\n"
        "Access token\n{access_token}\n"
    ),
    "assignments": (
        "api_path={api_path}\nclient_id={client_id}\nclient_secret={client_secret}\naccess_token={access_token}"
    ),
    "windows": (
        BYTE_ORDER_MARK + "Name:\t\t{title}\r\n"
        "API Path:\t{api_path}\r\n"
        "\r\n"
        "Client ID:\t{client_id}\r\n"
        "Client Secret:\t{client_secret}\r\n"
        "Access Token:\t{access_token}\r\n"
    ),
}
DEFAULT_LAYOUT = "labels"


def file_name(credentials: Credentials) -> str:
    """The name under which the browser keeps the file (an invention too): the title in plain letters."""
    slug = re.sub(r"[^a-z0-9]+", "-", credentials.title.casefold()).strip("-")
    return f"BigCommerceAPI-credentials-{slug or 'account'}.txt"


def text(credentials: Credentials, layout: str) -> str:
    """The file in one of the layouts."""
    return LAYOUTS[layout].format(
        title=credentials.title,
        api_path=credentials.api_path,
        client_id=credentials.client_id,
        client_secret=credentials.client_secret,
        access_token=credentials.access_token,
    )
