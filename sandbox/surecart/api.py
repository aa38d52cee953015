"""`api.surecart.com/v1`: the account, webhook endpoints, provisional accounts, and lists of anything else (sheet 1).

In this order: an outage, the token, the limits, the route. Nothing here makes, lists or deletes tokens (sheet 1.3), but for
the one of a new provisional store.
"""

from __future__ import annotations

import json
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sandbox.exchange import Reply, UnknownInSheetError, VendorRequest
from sandbox.surecart import replies
from sandbox.surecart.rate import MINUTE, OPERATIONS_WINDOW, Rate
from sandbox.surecart.state import Account, Cloud, WebhookEndpoint

TOKEN_HEADER = "X-SURECART-API-TOKEN"
BEARER = "Bearer "
PUBLIC = "/v1/public/"
NAME_MINIMUM = 3
PAGE_LIMIT = 100
DEFAULT_LIMIT = 20
RETRY_SECONDS = 30
WEBHOOK = "webhook_endpoint"
WEBHOOK_FIELDS = {
    "url": str,
    "description": str | None,
    "destination": str | None,
    "enabled": bool,
    "webhook_events": list,
}
"""What a body may set."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API by somebody who may make it."""

    cloud: Cloud
    request: VendorRequest
    account: Account
    identifier: str
    """The id in the path; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Route:
    """An operation of the API that needs a secret token."""

    method: str
    pattern: re.Pattern[str]
    operation: str
    handler: Callable[[Call], Reply]


class BodyError(ValueError):
    """A body that is no JSON object, or has a field of another kind: 400."""


def secret_owner(cloud: Cloud, request: VendorRequest) -> Account | None:
    """The account of the secret token of a request. The value counts as it stands: a blank or a line feed before or
    after it makes it another token (sheet 4)."""
    header = request.headers.get("Authorization", "")
    return cloud.owner(header.removeprefix(BEARER)) if header.startswith(BEARER) else None


def public_owner(cloud: Cloud, request: VendorRequest) -> Account | None:
    """The account of the public key of a request."""
    header = request.headers.get("Authorization", "")
    return cloud.public_owner(header.removeprefix(BEARER)) if header.startswith(BEARER) else None


def operation(request: VendorRequest) -> str:
    """The name by which faults and the log call a request."""
    if request.path.startswith(PUBLIC):
        provisional = (request.method, request.path) == ("POST", f"{PUBLIC}provisional_accounts")
        return "surecart_provisional" if provisional else "surecart_public_other"
    found = _route(request)
    return found[0].operation if found else "surecart_other"


def answer(cloud: Cloud, rate: Rate, request: VendorRequest) -> Reply:
    """A request to the API."""
    settings = cloud.settings
    admitted = request.admitted if isinstance(request.admitted, Account) else None
    # As it is now: an account that was changed since is another value.
    account = cloud.account(admitted.id) if admitted else secret_owner(cloud, request)
    caller = account or public_owner(cloud, request)
    if settings.outage or (caller is not None and caller.settings.outage):
        return replies.error(
            settings,
            503,
            settings.outage_code,
            "The service is unavailable. Try again later.",
            headers=_retry_after(cloud, RETRY_SECONDS),
        )
    try:
        if request.path.startswith(PUBLIC):
            return _public(cloud, rate, request, caller)
        if account is None:
            return replies.unauthorized(settings)
        wait = _limited(cloud, rate, account, operation(request))
        return _too_many(cloud, wait) if wait else _routed(cloud, account, request)
    except BodyError as problem:
        return replies.error(settings, 400, "bad_request", str(problem))


def _limited(cloud: Cloud, rate: Rate, account: Account, name: str) -> int:
    """Seconds to wait, or 0."""
    settings, now = account.settings, cloud.now()
    if settings.rate_limited or cloud.settings.rate_limited:
        return RETRY_SECONDS
    sensitive = any(fnmatchcase(name, pattern) for pattern in settings.sensitive_operations)
    wait = rate.take(f"sensitive {account.id}", settings.sensitive_limit, MINUTE, now) if sensitive else 0
    return wait or rate.take(f"operations {account.id}", settings.operations_limit, OPERATIONS_WINDOW, now)


def _too_many(cloud: Cloud, wait: int) -> Reply:
    settings = cloud.settings
    headers = _retry_after(cloud, wait)
    return replies.error(settings, 429, settings.rate_limit_code, "Too many requests.", headers=headers)


def _retry_after(cloud: Cloud, seconds: int) -> list[tuple[str, str]]:
    return [("Retry-After", str(seconds))] if cloud.settings.retry_after else []


# Public endpoints


def _public(cloud: Cloud, rate: Rate, request: VendorRequest, caller: Account | None) -> Reply:
    """A public endpoint: with a public key, with a secret token too, and for a provisional account with nothing."""
    provisional = operation(request) == "surecart_provisional"
    if caller is None and (not provisional or "Authorization" in request.headers):
        return replies.unauthorized(cloud.settings)
    limit = cloud.settings.public_limit
    wait = rate.take(f"public {caller.id if caller else ''}", limit, MINUTE, cloud.now())
    if wait or cloud.settings.rate_limited:
        return _too_many(cloud, wait or RETRY_SECONDS)
    if provisional:
        return _provisional(cloud, request)
    return _anything_else(cloud, request)


def _provisional(cloud: Cloud, request: VendorRequest) -> Reply:
    """A new provisional store; its token stands in a header of the answer and nowhere else (sheet 1.4)."""
    body = _body(request, "provisional_account")
    name, url = body.get("account_name"), body.get("account_url")
    if not isinstance(name, str) or len(name.strip()) < NAME_MINIMUM:
        message = f"Account name is too short (minimum is {NAME_MINIMUM} characters)"
        return replies.invalid(cloud.settings, "provisional_account", "account_name", "too_short", message)
    account, token = cloud.create_provisional(name.strip(), url if isinstance(url, str) else None)
    document = {
        "id": str(uuid.uuid5(uuid.UUID(account.id), "provisional_account")),
        "object": "provisional_account",
        "account": account.id,
        "account_name": account.name,
        "account_url": account.url,
        "email": body.get("email"),
        "source": body.get("source"),
        "claim_url": account.claim_url,
        "claim_window_ends_at": account.claim_window_ends_at,
    }
    return replies.json_reply(document, headers=[(TOKEN_HEADER, token.value)])


# Endpoints for a secret token


def _account(call: Call) -> Reply:
    expand = [value for name, value in call.request.query_pairs if re.fullmatch(r"expand(\[\d*\])?", name)]
    return replies.json_reply(replies.account_document(call.account, expand))


def _list_webhooks(call: Call) -> Reply:
    endpoints = call.cloud.webhook_endpoints(call.account, call.request.list_lag)
    limit = min(_number(call.request, "limit", DEFAULT_LIMIT), PAGE_LIMIT)
    page = _number(call.request, "page", 1)
    chosen = endpoints[(page - 1) * limit : page * limit]
    documents = [replies.webhook_document(endpoint) for endpoint in chosen]
    return replies.listing(documents, len(endpoints), limit, page, "/v1/webhook_endpoints")


def _create_webhook(call: Call) -> Reply:
    fields = _webhook_fields(call.request)
    problem = _webhook_problem(call, fields, fields.get("url"))
    if problem is not None:
        return problem
    now = int(call.cloud.now())
    endpoint = WebhookEndpoint(
        id=str(uuid.uuid4()), signing_secret=secrets.token_hex(16), created_at=now, updated_at=now, **fields
    )
    call.cloud.put_webhook_endpoints(call.account, [*call.account.webhook_endpoints, endpoint])
    return replies.json_reply(replies.webhook_document(endpoint))


def _find_webhook(call: Call) -> Reply:
    endpoint = _webhook(call)
    return replies.json_reply(replies.webhook_document(endpoint)) if endpoint else _no_webhook(call)


def _update_webhook(call: Call) -> Reply:
    endpoint = _webhook(call)
    if endpoint is None:
        return _no_webhook(call)
    fields = _webhook_fields(call.request)
    problem = _webhook_problem(call, fields, fields.get("url", endpoint.url))
    if problem is not None:
        return problem
    return _replaced(call, endpoint.model_copy(update=fields | {"updated_at": int(call.cloud.now())}))


def _delete_webhook(call: Call) -> Reply:
    endpoint = _webhook(call)
    if endpoint is None:
        return _no_webhook(call)
    rest = [other for other in call.account.webhook_endpoints if other.id != endpoint.id]
    call.cloud.put_webhook_endpoints(call.account, rest)
    return replies.json_reply({"id": endpoint.id, "object": WEBHOOK, "deleted": True})


def _test_webhook(call: Call) -> Reply:
    endpoint = _webhook(call)
    return _replaced(call, endpoint.model_copy(update={"tests": endpoint.tests + 1})) if endpoint else _no_webhook(call)


def _webhook(call: Call) -> WebhookEndpoint | None:
    return next((endpoint for endpoint in call.account.webhook_endpoints if endpoint.id == call.identifier), None)


def _no_webhook(call: Call) -> Reply:
    return replies.not_found(call.cloud.settings, WEBHOOK, call.identifier)


def _replaced(call: Call, endpoint: WebhookEndpoint) -> Reply:
    endpoints = [endpoint if other.id == endpoint.id else other for other in call.account.webhook_endpoints]
    call.cloud.put_webhook_endpoints(call.account, endpoints)
    return replies.json_reply(replies.webhook_document(endpoint))


def _webhook_fields(request: VendorRequest) -> dict[str, Any]:
    """What a body sets of an endpoint; fields that nobody knows are passed over."""
    body = _body(request, WEBHOOK)
    fields = {name: value for name, value in body.items() if name in WEBHOOK_FIELDS}
    for name, value in fields.items():
        if not isinstance(value, WEBHOOK_FIELDS[name]):
            raise BodyError(f"{name} takes another kind of value")
    if "webhook_events" in fields:
        fields["webhook_events"] = tuple(str(event) for event in fields["webhook_events"])
    return fields


def _webhook_problem(call: Call, fields: dict[str, Any], url: str | None) -> Reply | None:
    settings = call.cloud.settings
    if url is None:
        return replies.invalid(settings, WEBHOOK, "url", "blank", "Url can't be blank")
    if not re.match(r"https?://[^/\s]", url):
        return replies.invalid(settings, WEBHOOK, "url", "invalid", "Url is invalid")
    others = (other.url for other in call.account.webhook_endpoints if other.id != call.identifier)
    if call.account.settings.webhook_urls_unique and "url" in fields and url in others:
        return replies.invalid(settings, WEBHOOK, "url", "taken", "Url has already been taken")
    return None


ENDPOINTS = r"/v1/webhook_endpoints"
ENDPOINT = rf"{ENDPOINTS}/(?P<id>[^/]+)"
ROUTES = tuple(
    Route(method, re.compile(pattern), name, handler)
    for method, pattern, name, handler in (
        ("GET", r"/v1/account", "surecart_account", _account),
        ("GET", ENDPOINTS, "surecart_webhooks_list", _list_webhooks),
        ("POST", ENDPOINTS, "surecart_webhooks_create", _create_webhook),
        ("GET", ENDPOINT, "surecart_webhooks_find", _find_webhook),
        ("PATCH", ENDPOINT, "surecart_webhooks_update", _update_webhook),
        ("DELETE", ENDPOINT, "surecart_webhooks_delete", _delete_webhook),
        ("POST", rf"{ENDPOINT}/test", "surecart_webhooks_test", _test_webhook),
    )
)


def _route(request: VendorRequest) -> tuple[Route, str] | None:
    """The route of a request with the id in its path."""
    for route in ROUTES:
        match = route.pattern.fullmatch(request.path)
        if match and route.method == request.method:
            return route, match.groupdict().get("id", "")
    return None


def _routed(cloud: Cloud, account: Account, request: VendorRequest) -> Reply:
    found = _route(request)
    if found is None:
        return _anything_else(cloud, request)
    route, identifier = found
    return route.handler(Call(cloud, request, account, identifier))


def _anything_else(cloud: Cloud, request: VendorRequest) -> Reply:
    """An empty list for whatever else is read; nothing at all where tokens might be."""
    if not request.path.startswith("/v1/") or "token" in request.path:
        return replies.no_route(cloud.settings, request.path)
    if request.method != "GET":
        raise UnknownInSheetError(f"{request.method} {request.path}")
    limit, page = _number(request, "limit", DEFAULT_LIMIT), _number(request, "page", 1)
    return replies.listing([], 0, limit, page, request.path)


def _body(request: VendorRequest, name: str) -> dict[str, Any]:
    """The JSON object of a body: its fields, or those of the object under `name`, as the plugin wraps them."""
    try:
        document = json.loads(request.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise BodyError("The body is no JSON object.")
    inner = document.get(name, document)
    if not isinstance(inner, dict):
        raise BodyError(f"{name} is no object.")
    return inner


def _number(request: VendorRequest, name: str, otherwise: int) -> int:
    text = request.query.get(name, "")
    return max(int(text), 1) if text.isdecimal() else otherwise
