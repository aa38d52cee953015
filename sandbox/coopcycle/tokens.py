"""Bearer tokens: signed JSON that needs no table, so that what was issued lives until its time is up (S8, S20)."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox.coopcycle.state import Instance

LIFETIME = 3600
"""Seconds (sheet 4)."""
HEADER = {"typ": "JWT", "alg": "HS256"}


class TokenError(Exception):
    """A bearer token that is not taken; the text is the authenticator's."""


class Claims(BaseModel):
    """What a token says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["client", "user"]
    subject: str
    """Identifier of the client, or name of the user."""
    scopes: tuple[str, ...] = ()
    issued: float
    number: str
    """Makes two tokens of one second differ."""


def issue(
    instance: Instance, key: bytes, kind: Literal["client", "user"], subject: str, scopes: tuple[str, ...]
) -> str:
    """A token that is good for an hour by the clock of the server."""
    number = secrets.token_hex(16)
    claims = Claims(kind=kind, subject=subject, scopes=scopes, issued=instance.now, number=number)
    text = f"{_encoded(HEADER)}.{_encoded(claims.model_dump(mode='json'))}"
    return f"{text}.{_signature(key, text)}"


def read(instance: Instance, key: bytes, token: str) -> Claims:
    """What a token says; raises TokenError if it is none of this server's, or too old."""
    text, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode("utf-8", "replace"), _signature(key, text).encode()):
        raise TokenError("Invalid JWT Token")
    try:
        claims = Claims.model_validate_json(_decoded(text.rpartition(".")[2]))
    except (ValidationError, binascii.Error):
        raise TokenError("Invalid JWT Token") from None
    if instance.now >= claims.issued + LIFETIME:
        raise TokenError("Expired JWT Token")
    return claims


def _signature(key: bytes, text: str) -> str:
    return _base64(hmac.digest(key, text.encode("utf-8", "replace"), "sha256"))


def _encoded(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
