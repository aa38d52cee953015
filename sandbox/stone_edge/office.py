"""The vendor's office: people who read the mail to sales, open what is sealed, and give out a script's credentials.

Stone Edge has no API for any of this (stone_edge.md section 1).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.mail.client import MailClient
from sandbox.mail.reader import Reader, Sealed, SealError
from sandbox.stone_edge.client import EndpointClient, EndpointRow

FIELDS = {
    "clientid": "client_id",
    "clientsecret": "client_secret",
    "accesstoken": "access_token",
    "storehash": "store_hash",
}
"""What the office needs, by the letters of a label alone: people write `Client ID`, `client_id` or `CLIENT-ID`."""


@dataclass(frozen=True, slots=True)
class OutboundValues:
    """What Stone Edge asks of a merchant."""

    client_id: str
    client_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    store_hash: str


@dataclass(frozen=True, slots=True)
class InboundValues:
    """What Stone Edge gives back, as it shows it."""

    cart_id: str
    cart_password: str = field(repr=False)
    script_url: str
    """Without `https://`."""


@dataclass(frozen=True, slots=True)
class Office:
    """The office at one address; the fields after the scripts are those of whoever reads its mail."""

    endpoints: EndpointClient
    mails: MailClient
    vault_address: str = ""
    vault_ca: Path | None = None
    identity: str = field(default="", repr=False)
    address: str = "sales@stoneedge.example"

    @property
    def reader(self) -> Reader:
        """Whoever reads its mail."""
        return Reader(self.mails, self.address, self.vault_address, self.vault_ca, self.identity)

    def letters(self, since: int = 0) -> list[str]:
        """The texts of the mails to the office after a number, oldest first."""
        return self.reader.letters(since)

    def open(self, sealed: Sealed) -> OutboundValues:
        """The values inside; a wrapping token is spent by it."""
        return values_of(self.reader.open(sealed))

    def open_latest(self) -> OutboundValues:
        """The values of the newest mail to the office."""
        return values_of(self.reader.open_latest())

    def answer(self, name: str, **settings: Any) -> InboundValues:
        """Set up a merchant, or give a known one new credentials, and say what goes into Order Manager."""
        username, password = f"{name}-cart", secrets.token_urlsafe(16)
        if name in {endpoint.name for endpoint in self.endpoints.all()}:
            endpoint = self.endpoints.change_credentials(name, username, password)
        else:
            endpoint = self.endpoints.create(name, username, password, **settings)
        return inbound_values(endpoint, password)


def values_of(opened: Mapping[str, Any]) -> OutboundValues:
    """The four values; raises with the names of what is missing."""
    named = {FIELDS.get(re.sub(r"[^a-z]", "", label.lower())): str(value) for label, value in opened.items()}
    missing = [name for name in FIELDS.values() if not named.get(name)]
    if missing:
        raise SealError(f"missing: {', '.join(missing)}")
    return OutboundValues(**{name: named[name] for name in FIELDS.values()})


def inbound_values(endpoint: EndpointRow, password: str) -> InboundValues:
    """What a merchant types into Order Manager for an endpoint."""
    return InboundValues(endpoint.username, password, endpoint.shown_url)
