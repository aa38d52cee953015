"""The API: access tokens, and what they open (coopcycle.md sections 3 and 4, rows S7 and S12 to S18)."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.coopcycle import tokens
from sandbox.coopcycle.state import DEFAULT_SCOPE, App, Instance, Instances, Named, OAuthClient, User
from sandbox.exchange import Reply, VendorRequest

ROLE_API_APP_SCOPES = frozenset({"deliveries", "tasks", "orders"})
"""Scopes that carry the role that `/api/me` asks for: none of the `:all` ones does (sheet 3, inferred)."""
RETAIL_PRICE = {"amount": 499, "currency": "EUR"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an app by its key, a client (which may be an orphan) by its access token, or a person by a JWT."""

    app: App | None = None
    scopes: frozenset[str] = frozenset()
    key: bool = False
    user: User | None = None

    @property
    def is_app(self) -> bool:
        """Whether it has the role of an API app: API keys carry it too."""
        return self.key or bool(self.scopes & ROLE_API_APP_SCOPES)


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request to the API."""

    instances: Instances
    instance: Instance
    request: VendorRequest
    number: int
    """The number in the path; 0 where there is none."""

    @property
    def token_key(self) -> bytes:
        """What the bearer tokens of this server are signed with."""
        return self.instances.secret_key(self.instance, "tokens")

    def caller(self) -> Caller:
        """Who calls; raises TokenError if nobody that the authenticators know."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise tokens.TokenError("JWT Token not found")
        app = self.instance.app_of_key(token)
        if app is not None:
            return Caller(app, key=True)
        claims = tokens.read(self.instance, self.token_key, token)
        if claims.kind == "client":
            return Caller(self.instance.app_of_client(claims.subject), frozenset(claims.scopes))
        user = self.instance.user(claims.subject)
        if user is None:
            raise tokens.TokenError("Invalid JWT Token")
        return Caller(user=user)


Handler = Callable[[ApiCall, Caller], Reply]


def authenticated(call: ApiCall, handler: Handler) -> Reply:
    """Answer whoever is known; a failed bearer is a 401 in JSON (S17)."""
    try:
        caller = call.caller()
    except tokens.TokenError as refusal:
        return _unauthorized(str(refusal))
    return handler(call, caller)


# --- without a bearer -----------------------------------------------------------------------------------------------


def entrypoint(_: ApiCall) -> Reply:
    """What anybody may read (S18)."""
    links = {name: f"/api/{name}" for name in ("deliveries", "me", "orders", "stores", "tasks")}
    return _linked({"@context": "/api/contexts/Entrypoint", "@id": "/api", "@type": "Entrypoint"} | links)


def token(call: ApiCall) -> Reply:
    """An access token for a client (S12, S13, S20). Whether an app stands behind it is not asked (S7)."""
    form = call.request.form
    if form.get("grant_type") != "client_credentials":
        return _oauth_error(400, "unsupported_grant_type", "The authorization grant type is not supported.")
    client = _client(call)
    if client is None:
        return _oauth_error(401, "invalid_client", "Client authentication failed")
    asked = tuple(form.get("scope", "").split()) or (DEFAULT_SCOPE,)
    if not set(asked) <= set(client.scopes):
        return _oauth_error(400, "invalid_scope", "The requested scope is invalid, unknown, or malformed")
    call.instances.note_use(call.instance, client)
    access_token = tokens.issue(call.instance, call.token_key, "client", client.identifier, asked)
    return _json({"token_type": "Bearer", "expires_in": tokens.LIFETIME, "access_token": access_token})


def login_check(call: ApiCall) -> Reply:
    """A JWT for a person, two factors or not."""
    form = call.request.form
    user = call.instances.log_in(call.instance, form.get("_username", ""), form.get("_password", ""))
    if user is None:
        return _unauthorized("Invalid credentials.")
    roles = ["ROLE_USER", *(["ROLE_ADMIN"] if user.admin else [])]
    jwt = tokens.issue(call.instance, call.token_key, "user", user.username, ())
    person = {"username": user.username, "email": f"{user.username}@{call.instance.name}.example", "id": user.id}
    return _json({"token": jwt, "roles": roles, **person, "refresh_token": secrets.token_hex(64)})


# --- with one -------------------------------------------------------------------------------------------------------


def me(call: ApiCall, caller: Caller) -> Reply:
    """Which app it is: its store and its name in the exact shape (S15)."""
    if caller.user is not None:
        user = {"@context": "/api/contexts/User", "@id": "/api/me", "@type": "User", "username": caller.user.username}
        return _linked(user)
    if not caller.is_app:
        return refused(call.instance.settings.me_without_role)
    if caller.app is None:
        return refused(call.instance.settings.me_without_app)
    return _linked({"@context": "/api/contexts/ApiApp"} | _app_shown(caller.app))


def store(call: ApiCall, caller: Caller) -> Reply:
    """A store: the app's own, and no other (S15). An orphan's lookup ends in a null dereference (S7)."""
    found = call.instance.store(call.number)
    if caller.user is not None and not caller.user.admin:
        return refused(403)
    if caller.user is None:
        if caller.app is None:
            return refused(500)
        if found is not None and not _may_read(call.instance, caller, found):
            return refused(call.instance.settings.neighbour_refusal)
    return _linked({"@context": "/api/contexts/Store"} | _store_shown(found)) if found else refused(404)


def _may_read(instance: Instance, caller: Caller, found: Named) -> bool:
    entitled = caller.key or "deliveries" in caller.scopes or not instance.settings.own_store_needs_deliveries
    return entitled and caller.app is not None and caller.app.store == found.id


def stores(call: ApiCall, caller: Caller) -> Reply:
    """The stores that the caller may read: an app its own."""
    if caller.user is not None:
        rows = call.instance.stores if caller.user.admin else []
    elif caller.app is None:
        return refused(500)
    else:
        rows = [row for row in call.instance.stores if _may_read(call.instance, caller, row)]
    return _collection("Store", "/api/stores", [_store_shown(row) for row in rows])


def orders(call: ApiCall, caller: Caller) -> Reply:
    """All orders, for `orders:all` (S14)."""
    return _everything(call, caller, "orders", "Order")


def tasks(call: ApiCall, caller: Caller) -> Reply:
    """All tasks, for `tasks:all` (S14)."""
    return _everything(call, caller, "tasks", "Task")


def _everything(call: ApiCall, caller: Caller, name: str, kind: str) -> Reply:
    scopes = {f"{name}:all", *([name] if call.instance.settings.plain_scopes_list else [])}
    by_person = caller.user is not None and caller.user.admin
    if not (by_person or caller.scopes & scopes):
        return refused(403)
    rows = [{"@id": f"/api/{name}/{number}", "@type": kind, "id": number} for number in (1, 2)]
    return _collection(kind, f"/api/{name}", rows)


def calculate(call: ApiCall, caller: Caller) -> Reply:
    """What a delivery would cost; makes nothing."""
    if caller.user is None and not (caller.key or DEFAULT_SCOPE in caller.scopes):
        return refused(403)
    if caller.user is None and caller.app is None:
        return refused(500)
    try:
        payload = json.loads(call.request.body)
    except ValueError:
        return refused(400)
    if not isinstance(payload, dict) or not payload.get("dropoff"):
        return refused(400)
    return _linked({"@context": "/api/contexts/RetailPrice", "@type": "RetailPrice"} | RETAIL_PRICE, 201)


def api_app(call: ApiCall, caller: Caller) -> Reply:
    """An app as ROLE_ADMIN may read it: name, store and shop alone (S10)."""
    if caller.user is None or not caller.user.admin:
        return refused(403)
    app = call.instance.app(call.number)
    return _linked({"@context": "/api/contexts/ApiApp"} | _app_shown(app)) if app else refused(404)


# --- shapes ---------------------------------------------------------------------------------------------------------

WORDS = {
    400: "Bad Request",
    401: "Full authentication is required to access this resource.",
    403: "Access Denied.",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
}


def _app_shown(app: App) -> dict[str, Any]:
    return {
        "@id": f"/api/api_apps/{app.id}",
        "name": app.name,
        "store": None if app.store is None else f"/api/stores/{app.store}",
        "shop": None if app.shop is None else f"/api/restaurants/{app.shop}",
    }


def _store_shown(store_: Named) -> dict[str, Any]:
    return {"@id": f"/api/stores/{store_.id}", "@type": "http://schema.org/Store", "id": store_.id, "name": store_.name}


def _collection(kind: str, path: str, rows: list[dict[str, Any]]) -> Reply:
    around = {"@context": f"/api/contexts/{kind}", "@id": path, "@type": "hydra:Collection"}
    return _linked(around | {"hydra:member": rows, "hydra:totalItems": len(rows)})


def _linked(value: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode(), [("Content-Type", "application/ld+json; charset=utf-8")])


def _json(value: dict[str, Any], status: int = 200) -> Reply:
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store, private"), ("Pragma", "no-cache")]
    return Reply(status, json.dumps(value).encode(), headers)


def refused(status: int) -> Reply:
    """An error as the API tells it."""
    error = {"@context": "/api/contexts/Error", "@type": "hydra:Error", "hydra:title": "An error occurred"}
    return _linked(error | {"hydra:description": WORDS[status]}, status)


def _unauthorized(message: str) -> Reply:
    reply = _json({"code": 401, "message": message}, 401)
    reply.headers.append(("WWW-Authenticate", "Bearer"))
    return reply


def _oauth_error(status: int, error: str, description: str) -> Reply:
    reply = _json({"error": error, "error_description": description, "message": description}, status)
    if status == 401:
        reply.headers.append(("WWW-Authenticate", 'Basic realm="OAuth"'))
    return reply


def _client(call: ApiCall) -> OAuthClient | None:
    """The active client whose identifier and secret came by HTTP Basic, or in the form; None for a bad pair."""
    form = call.request.form
    identifier, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, encoded = call.request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            identifier, _, secret = base64.b64decode(encoded).decode("utf-8", "replace").partition(":")
        except (binascii.Error, ValueError):
            return None
    client = call.instance.client(identifier)
    if client is None or not client.active:
        return None
    return client if hmac.compare_digest(client.secret.encode(), secret.encode("utf-8", "replace")) else None
