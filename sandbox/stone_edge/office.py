"""The vendor's office: people who read the mail to sales, open what is sealed, and give out a script's credentials.

Stone Edge has no API for any of this (stone_edge.md section 1). The office sees only what a real receiver sees: the text of a
mail, Vault's address and certificate authority, and its own age identity.
"""

from __future__ import annotations

import json
import re
import secrets
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pyrage

from sandbox.mail.client import MailClient
from sandbox.stone_edge.client import EndpointClient, EndpointRow

WRAPPING_TOKEN = re.compile(r"(?<![\w.-])(?:hvs\.[\w-]{20,}|s\.[A-Za-z0-9]{24}(?:\.[A-Za-z0-9]+)?)(?![\w-])")
"""Tokens as HashiCorp Vault (`hvs.`) and OpenBao (`s.`) make them; a namespace may follow the latter."""

AGE_BLOCK = re.compile(r"-----BEGIN AGE ENCRYPTED FILE-----.*?-----END AGE ENCRYPTED FILE-----", re.DOTALL)

FIELDS = {
    "clientid": "client_id",
    "clientsecret": "client_secret",
    "accesstoken": "access_token",
    "storehash": "store_hash",
}
"""What the office needs, by the letters of a label alone: people write `Client ID`, `client_id` or `CLIENT-ID`."""

WAIT_SECONDS = 30.0


class OfficeError(Exception):
    """The office cannot work with what it got; the message holds no secret."""


class InterceptedError(OfficeError):
    """The wrapping token is dead: it has expired, or somebody else has opened it."""


@dataclass(frozen=True, slots=True)
class WrappingToken:
    """A token that opens once."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EncryptedBlock:
    """Values that only the office's age identity opens, with its armour."""

    content: bytes = field(repr=False)


Sealed = WrappingToken | EncryptedBlock


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
    """The office at one address."""

    endpoints: EndpointClient
    mails: MailClient
    vault_address: str = ""
    """Empty: the office does not reach Vault."""
    vault_ca: Path | None = None
    """The file to verify Vault against; None for the system's authorities."""
    identity: str = field(default="", repr=False)
    """`AGE-SECRET-KEY-...`; empty: the office has none."""
    address: str = "sales@stoneedge.example"

    def letters(self, since: int = 0) -> list[str]:
        """The texts of the mails to the office after a number, oldest first."""
        return [text_of(mail.message) for mail in self.mails.mails(self.address, since)]

    def open(self, sealed: Sealed) -> OutboundValues:
        """The values inside; a wrapping token is spent by it."""
        if isinstance(sealed, WrappingToken):
            return values_of(self._unwrapped(sealed))
        return values_of(_decrypted(sealed, self.identity))

    def open_latest(self) -> OutboundValues:
        """The values of the newest mail to the office."""
        letters = self.letters()
        if not letters:
            raise OfficeError(f"no mail has come to {self.address}")
        return self.open(find_sealed(letters[-1]))

    def answer(self, name: str, **settings: Any) -> InboundValues:
        """Set up a merchant, or give a known one new credentials, and say what goes into Order Manager."""
        username, password = f"{name}-cart", secrets.token_urlsafe(16)
        if name in {endpoint.name for endpoint in self.endpoints.all()}:
            endpoint = self.endpoints.change_credentials(name, username, password)
        else:
            endpoint = self.endpoints.create(name, username, password, **settings)
        return inbound_values(endpoint, password)

    def _unwrapped(self, sealed: WrappingToken) -> Mapping[str, Any]:
        if not self.vault_address:
            raise OfficeError("the office does not reach Vault")
        ca = str(self.vault_ca) if self.vault_ca else None
        context = ssl.create_default_context(cafile=ca)
        # The token itself is the login. It must stand on no other path: Vault burns it there.
        headers = {"X-Vault-Token": sealed.token, "X-Vault-Request": "true"}
        with httpx.Client(verify=context, timeout=WAIT_SECONDS, trust_env=False) as http:
            answer = http.post(f"{self.vault_address}/v1/sys/wrapping/unwrap", headers=headers)
        if answer.status_code in {400, 403}:
            raise InterceptedError("the wrapping token does not open any more")
        if answer.is_error:
            raise OfficeError(f"Vault answered {answer.status_code}")
        data: dict[str, Any] = answer.json()["data"]
        # What was wrapped is a payload, or the answer to a read of a KV v2 secret.
        return data["data"] if "metadata" in data else data


def find_sealed(text: str) -> Sealed:
    """The one wrapping token or encrypted block in the text of a mail, or on a terminal; raises unless there is one."""
    found: set[Sealed] = {WrappingToken(token) for token in WRAPPING_TOKEN.findall(text)}
    found |= {EncryptedBlock(block.encode()) for block in AGE_BLOCK.findall(text)}
    if len(found) != 1:
        raise OfficeError(f"the text holds {len(found)} tokens or blocks, not one")
    return found.pop()


def text_of(message: EmailMessage) -> str:
    """The text of a mail as its reader sees it, with its attachments."""
    return "\n".join(_texts(message)).replace("\r\n", "\n")


def _texts(message: EmailMessage) -> Iterator[str]:
    body = message.get_body(("plain", "html"))
    if body is not None:
        yield body.get_content()
    for attachment in message.iter_attachments():
        content = attachment.get_content()
        yield content if isinstance(content, str) else content.decode("utf-8", "replace")


def _decrypted(sealed: EncryptedBlock, identity: str) -> Mapping[str, Any]:
    if not identity:
        raise OfficeError("the office has no age identity")
    try:
        opened = pyrage.decrypt(sealed.content, [pyrage.x25519.Identity.from_str(identity)])
    except pyrage.DecryptError:
        raise OfficeError("the block is not for this office") from None
    return _mapping(opened.decode())


def _mapping(text: str) -> Mapping[str, Any]:
    """What was encrypted: JSON, or lines of `label: value` and `label=value`."""
    try:
        document = json.loads(text)
    except ValueError:
        pairs = (re.split(r"\s*[:=]\s*", line.strip(), maxsplit=1) for line in text.splitlines() if line.strip())
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
    if not isinstance(document, dict):
        raise OfficeError("the block holds no names with values")
    return document


def values_of(opened: Mapping[str, Any]) -> OutboundValues:
    """The four values; raises with the names of what is missing."""
    named = {FIELDS.get(re.sub(r"[^a-z]", "", label.lower())): str(value) for label, value in opened.items()}
    missing = [name for name in FIELDS.values() if not named.get(name)]
    if missing:
        raise OfficeError(f"missing: {', '.join(missing)}")
    return OutboundValues(**{name: named[name] for name in FIELDS.values()})


def inbound_values(endpoint: EndpointRow, password: str) -> InboundValues:
    """What a merchant types into Order Manager for an endpoint."""
    return InboundValues(endpoint.username, password, endpoint.shown_url)
