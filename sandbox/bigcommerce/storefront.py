"""Storefront, private and customer-impersonation tokens (sheet 8): giving out, revoking, and what they open."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from sandbox.bigcommerce.replies import json_reply, single, titled
from sandbox.bigcommerce.state import Account, State, Store, StorefrontToken
from sandbox.exchange import Reply, VendorRequest

GRAPHQL_PATH = "/graphql"
TOKEN_SCOPES = ("Unauthenticated", "Customer", "B2B")
ORIGINS_MAXIMUM = 2
TOKEN_TYPES = {"storefront": 1, "impersonation": 2, "private": 3}


def create(state: State, store: Store, account: Account, kind: str, document: Any) -> Reply:
    """One of the three POSTs: 422 with the fields that are wrong, or the JWT, once."""
    body = document if isinstance(document, dict) else {}
    errors = dict(_mistakes(store, kind, body))
    if errors:
        return titled(422, "JSON data is missing or invalid", errors)
    channels = tuple(body["channel_ids"]) if "channel_ids" in body else (body["channel_id"],)
    token = StorefrontToken(
        account_id=account.id,
        kind=kind,
        channels=channels,
        origins=tuple(body.get("allowed_cors_origins", [])),
        scopes=tuple(body.get("scopes", [])),
        created=store.now,
        expires=body["expires_at"],
        revoked=None,
    )
    jwt = _signed(state, store, account, token)
    state.add_storefront_token(store, jwt, token)
    return single({"token": jwt})


def revoke(state: State, store: Store, request: VendorRequest) -> Reply:
    """The DELETE: 422 without a token of this store, else 200, whether it takes effect now or later, or took already."""
    jwt = request.headers.get("Sf-Api-Token", "")
    if state.storefront_token(store, jwt) is None:
        return titled(422, "Sf-Api-Token header is missing or invalid", {"Sf-Api-Token": "missing or invalid"})
    state.revoke_storefront_token(store, jwt)
    return single({})


def graphql(state: State, store: Store, request: VendorRequest, channel: int = 0) -> Reply:
    """The GraphQL Storefront API, as far as it shows whether a token works: 401 for a dead one, 200 for a good one. At the
    host of a channel only its own tokens are good."""
    scheme, _, jwt = request.headers.get("Authorization", "").partition(" ")
    token = state.storefront_token(store, jwt) if scheme.lower() == "bearer" else None
    if token is None or not _is_alive(state, store, token) or (channel and channel not in token.channels):
        return titled(401, "Unauthorized")
    origin = request.headers.get("Origin")
    if not _may_come_from(store, token, origin):
        return titled(int(store.settings.graphql_refusal), "The token is not for this origin")
    try:
        document = json.loads(request.body)
    except ValueError:
        document = None
    if request.method != "POST" or not isinstance(document, dict) or not document.get("query"):
        return titled(400, "A query is needed")
    reply = json_reply({"data": {"site": {"settings": {"storeHash": store.store_hash}}}})
    if origin is not None:
        reply.headers.append(("Access-Control-Allow-Origin", origin))
    return reply


def _mistakes(store: Store, kind: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the body of a POST, by field."""
    mistakes: list[tuple[str, str]] = []
    channels = body["channel_ids"] if "channel_ids" in body else [body.get("channel_id")]
    if not isinstance(channels, list) or not channels or any(one not in store.settings.channels for one in channels):
        mistakes.append(("channel_id", "must be a channel of this store"))
    expires = body.get("expires_at")
    if isinstance(expires, bool) or not isinstance(expires, int) or expires <= store.now:
        mistakes.append(("expires_at", "must be a unix time in the future"))
    if not _origins_are_good(store, kind, body.get("allowed_cors_origins", [])):
        mistakes.append(("allowed_cors_origins", f"must be 1 to {ORIGINS_MAXIMUM} origins"))
    scopes = body.get("scopes")
    if kind == "private" and not (isinstance(scopes, list) and scopes and all(one in TOKEN_SCOPES for one in scopes)):
        mistakes.append(("scopes", f"must be out of {', '.join(TOKEN_SCOPES)}"))
    return mistakes


def _origins_are_good(store: Store, kind: str, origins: object) -> bool:
    if not isinstance(origins, list) or len(origins) > ORIGINS_MAXIMUM:
        return False
    if not origins:
        return kind == "impersonation" or (kind == "private" and store.settings.private_token_origins == "optional")
    return all(isinstance(origin, str) and _is_origin(origin) for origin in origins)


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and text == f"{parts.scheme}://{parts.netloc}"


def _is_alive(state: State, store: Store, token: StorefrontToken) -> bool:
    if store.now >= token.expires:
        return False
    if token.revoked is not None and store.now >= token.revoked + store.settings.storefront_revocation_delay:
        return False
    return not (store.settings.storefront_tokens_die_with_account and state.deletion_of(token.account_id) is not None)


def _may_come_from(store: Store, token: StorefrontToken, origin: str | None) -> bool:
    """A plain token is for browsers: tokens made after June 2026 do not work from servers, which send no origin."""
    if origin is None:
        return token.kind != "storefront" or store.settings.storefront_server_use
    return not token.origins or origin in token.origins


def _signed(state: State, store: Store, account: Account, token: StorefrontToken) -> str:
    """A JWT. The names of its claims are not in the sheet; only that it has some, which can be read."""
    claims = {
        "cid": list(token.channels),
        "corsOrigins": list(token.origins),
        store.settings.expiry_claim: int(token.expires),
        "iat": int(token.created),
        "iss": "BC",
        "jti": secrets.token_hex(8),
        "scopes": list(token.scopes),
        "sid": store.id,
        "sub": account.client_id,
        "token_type": TOKEN_TYPES[token.kind],
    }
    message = b".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    signature = hmac.digest(state.derive(store, "storefront"), message, "sha256")
    return b".".join((message, _encoded(signature))).decode()


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
