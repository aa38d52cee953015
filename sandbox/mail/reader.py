"""People who read their mail, and open what is sealed in it.

They see only what a real receiver sees: the text of a mail, Vault's address and certificate authority, and their own age
identity.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pyrage

from sandbox.mail.client import MailClient

WRAPPING_TOKEN = re.compile(r"(?<![\w.-])(?:hvs\.[\w-]{20,}|s\.[A-Za-z0-9]{24}(?:\.[A-Za-z0-9]+)?)(?![\w-])")
"""Tokens as HashiCorp Vault (`hvs.`) and OpenBao (`s.`) make them; a namespace may follow the latter."""

AGE_BLOCK = re.compile(r"-----BEGIN AGE ENCRYPTED FILE-----.*?-----END AGE ENCRYPTED FILE-----", re.DOTALL)

WAIT_SECONDS = 30.0


class SealError(Exception):
    """What came cannot be opened; the message holds no secret."""


class InterceptedError(SealError):
    """The wrapping token is dead: it has expired, or somebody else has opened it."""


@dataclass(frozen=True, slots=True)
class WrappingToken:
    """A token that opens once."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EncryptedBlock:
    """Values that only the receiver's age identity opens, with its armour."""

    content: bytes = field(repr=False)


Sealed = WrappingToken | EncryptedBlock


@dataclass(frozen=True, slots=True)
class Reader:
    """A person, or an office, at one mail address."""

    mails: MailClient
    address: str
    vault_address: str = ""
    """Empty: the reader does not reach Vault."""
    vault_ca: Path | None = None
    """The file to verify Vault against; None for the system's authorities."""
    identity: str = field(default="", repr=False)
    """`AGE-SECRET-KEY-...`; empty: the reader has none."""

    def letters(self, since: int = 0) -> list[str]:
        """The texts of the mails to the reader after a number, oldest first."""
        return [text_of(mail.message) for mail in self.mails.mails(self.address, since)]

    def open(self, sealed: Sealed) -> Mapping[str, Any]:
        """The values inside, by their labels; a wrapping token is spent by it."""
        if isinstance(sealed, WrappingToken):
            return self._unwrapped(sealed)
        return _decrypted(sealed, self.identity)

    def open_latest(self) -> Mapping[str, Any]:
        """The values of the newest mail to the reader."""
        letters = self.letters()
        if not letters:
            raise SealError(f"no mail has come to {self.address}")
        return self.open(find_sealed(letters[-1]))

    def _unwrapped(self, sealed: WrappingToken) -> Mapping[str, Any]:
        if not self.vault_address:
            raise SealError("this reader does not reach Vault")
        ca = str(self.vault_ca) if self.vault_ca else None
        context = ssl.create_default_context(cafile=ca)
        # The token itself is the login. It must stand on no other path: Vault burns it there.
        headers = {"X-Vault-Token": sealed.token, "X-Vault-Request": "true"}
        with httpx.Client(verify=context, timeout=WAIT_SECONDS, trust_env=False) as http:
            answer = http.post(f"{self.vault_address}/v1/sys/wrapping/unwrap", headers=headers)
        if answer.status_code in {400, 403}:
            raise InterceptedError("the wrapping token does not open any more")
        if answer.is_error:
            raise SealError(f"Vault answered {answer.status_code}")
        data: dict[str, Any] = answer.json()["data"]
        # What was wrapped is a payload, or the answer to a read of a KV v2 secret.
        return data["data"] if "metadata" in data else data


def find_sealed(text: str) -> Sealed:
    """The one wrapping token or encrypted block in the text of a mail, or on a terminal; raises unless there is one."""
    found: set[Sealed] = {WrappingToken(token) for token in WRAPPING_TOKEN.findall(text)}
    found |= {EncryptedBlock(block.encode()) for block in AGE_BLOCK.findall(text)}
    if len(found) != 1:
        raise SealError(f"the text holds {len(found)} tokens or blocks, not one")
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
        raise SealError("this reader has no age identity")
    try:
        opened = pyrage.decrypt(sealed.content, [pyrage.x25519.Identity.from_str(identity)])
    except pyrage.DecryptError:
        raise SealError("the block is not for this reader") from None
    return _mapping(opened.decode())


def _mapping(text: str) -> Mapping[str, Any]:
    """What was encrypted: JSON, or lines of `label: value` and `label=value`."""
    try:
        document = json.loads(text)
    except ValueError:
        pairs = (re.split(r"\s*[:=]\s*", line.strip(), maxsplit=1) for line in text.splitlines() if line.strip())
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
    if not isinstance(document, dict):
        raise SealError("the block holds no names with values")
    return document
