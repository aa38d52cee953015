"""One request to StackOne with whom it is from."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.exchange import VendorRequest
from sandbox.stackone.replies import RefusedError
from sandbox.stackone.state import ApiKey, Organisation, Session, State
from sandbox.vendor import Call

TOKEN_HEADER = "x-hub-session-token"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a request is from: the key of an organisation, or one of its sessions."""

    organisation: Organisation
    key: ApiKey | None = None
    session: Session | None = None
    token: str = field(default="", repr=False)
    """The session's."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that is let in."""

    state: State
    call: Call
    url: str
    """`https://localhost:PORT`."""
    request: VendorRequest
    caller: Caller
    target: str = ""
    """What the path names: an account, a connector, an integration."""

    @property
    def organisation(self) -> Organisation:
        """Whose data it is about."""
        return self.caller.organisation

    def body(self) -> dict[str, Any]:
        """The JSON object that came."""
        try:
            document = json.loads(self.request.body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise RefusedError(400, "The body must be a JSON object")
        return document


def by_api_key(state: State, request: VendorRequest) -> Caller | None:
    """The caller of the public API: Basic with the API key as user and an empty password (T5)."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    try:
        user, colon, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    found = state.key_of(user) if scheme.lower() == "basic" and colon and not password else None
    return Caller(found[0], key=found[1]) if found else None


def by_token(state: State, token: str) -> Caller | None:
    """The caller with a session's token, expired or not."""
    found = state.session_of(token) if token else None
    return Caller(found[0], session=found[1], token=token) if found else None
