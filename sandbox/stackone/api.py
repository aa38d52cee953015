"""The public API: connect sessions, accounts, connectors and actions (stackone.md section 2)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sandbox.exchange import Reply, UnknownInSheetError, VendorRequest
from sandbox.stackone import linking
from sandbox.stackone.replies import (
    RefusedError,
    answer,
    connector_profile_id,
    shown_account,
    shown_session,
    shown_v2_account,
)
from sandbox.stackone.state import PROVIDER, PROVIDER_NAME, SESSION_SECONDS, Account, Organisation, Scope
from sandbox.stackone.visit import Visit
from sandbox.store_calls import read

Handler = Callable[[Visit], Awaitable[Reply]]

READING: frozenset[Scope] = frozenset({"full", "read_only", "accounts"})
MANAGING: frozenset[Scope] = frozenset({"full", "accounts"})
ACTING: frozenset[Scope] = frozenset({"full", "actions"})
LOOKING: frozenset[Scope] = frozenset({"full", "read_only", "accounts", "actions"})

CONNECTOR = {
    "provider": PROVIDER,
    "provider_name": PROVIDER_NAME,
    "category": "ecommerce",
    "models": {},
    "resources": {"images": {"logo_url": "https://stackone-logos.com/api/woocommerce/filled/svg"}},
}
RESOURCES = {
    "product": "products",
    "order": "orders",
    "customer": "customers",
    "coupon": "coupons",
    "product_category": "products/categories",
    "product_tag": "products/tags",
}
"""What a read action may be about, in the singular, and where the store has it. StackOne's list of actions is not known."""
ACTION = re.compile(r"(?:woocommerce_)?(?:list|get|search)_([a-z_]+)\Z")
ANONYMOUS = re.compile(
    r"(?:python-requests|python-urllib|python-httpx|python/|aiohttp|httpx|curl|wget|go-http-client|okhttp|axios|node)",
    re.IGNORECASE,
)
"""User-Agents that are nobody's own."""
SUSPENDED = frozenset({"suspended", "inactive"})
"""Statuses in which data calls get 412 (T15)."""


@dataclass(frozen=True, slots=True)
class Route:
    """A call of the public API, and which key scopes it takes."""

    method: str
    pattern: str
    operation: str
    scopes: frozenset[Scope]
    handler: Handler


async def _create_session(visit: Visit) -> Reply:
    organisation, body = visit.organisation, visit.body()
    for name in ("origin_owner_id", "origin_owner_name"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise RefusedError(400, f"{name} must be a non-empty string")
    if "provider_version" in body and organisation.settings.provider_version == "refused":
        raise RefusedError(400, "provider_version is deprecated and not supported")
    account_id = body.get("account_id")
    if account_id is not None and visit.state.account(organisation, str(account_id)) is None:
        raise RefusedError(404, "Linked account not found")
    if body.get("integration_id") not in {None, organisation.integration_id}:
        raise RefusedError(404, "Integration not found")
    expires_in = body.get("expires_in", SESSION_SECONDS)
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float) or expires_in <= 0:
        raise RefusedError(400, "expires_in must be a positive number")
    session, token = visit.state.create_session(
        organisation,
        float(expires_in),
        provider=_text(body, "provider"),
        origin_owner_id=body["origin_owner_id"],
        origin_owner_name=body["origin_owner_name"],
        origin_username=_text(body, "origin_username"),
        label=_text(body, "label"),
        account_id=None if account_id is None else str(account_id),
        integration_id=_text(body, "integration_id"),
        multiple=body.get("multiple") is True,
        metadata=body["metadata"] if isinstance(body.get("metadata"), dict) else {},
        type=_text(body, "type") or "production",
    )
    link = {"token": token, "auth_link_url": f"{visit.url}/hub.stackone.com/connect?token={token}"}
    return answer(shown_session(organisation, session) | link, 201)


async def _authenticate_session(visit: Visit) -> Reply:
    found = visit.state.session_of(str(visit.body().get("token", "")))
    if found is None or found[0] is not visit.organisation or found[1].expires <= visit.organisation.now:
        raise RefusedError(401, "Invalid or expired connect session token")
    return answer(shown_session(*found), 201)


async def _list_accounts(visit: Visit) -> Reply:
    shown = [shown_account(visit.organisation, _seen(visit, account)) for account in _page(visit)]
    return answer({"data": shown} if visit.organisation.settings.list_shape == "data" else shown)


async def _list_v2_accounts(visit: Visit) -> Reply:
    _demand_v2(visit)
    wanted = _asked(visit.request, "connector_profile_id")
    mine = not wanted or connector_profile_id(visit.organisation) in wanted
    accounts = [shown_v2_account(visit.organisation, _seen(visit, one)) for one in _page(visit)] if mine else []
    return answer({"data": accounts, "next": None})


async def _read_account(visit: Visit) -> Reply:
    return answer(shown_account(visit.organisation, _seen(visit, _account(visit))))


async def _read_v2_account(visit: Visit) -> Reply:
    _demand_v2(visit)
    return answer(shown_v2_account(visit.organisation, _seen(visit, _account(visit))))


async def _update_account(visit: Visit) -> Reply:
    organisation, account, body = visit.organisation, _account(visit), visit.body()
    if body.get("provider", PROVIDER) != PROVIDER:
        raise RefusedError(422, "The provider of a linked account cannot be changed")
    owner = body.get("origin_owner_id", account.origin_owner_id)
    if owner != account.origin_owner_id and any(
        other.origin_owner_id == owner for other in visit.state.accounts(organisation)
    ):
        raise RefusedError(409, "This origin owner has a linked account already")
    values = _patched_values(organisation, body)
    if values:
        await linking.patch_values(visit.call, organisation, account, values)
        # It may have been deleted while the store was asked.
        _account(visit)
    for name in ("origin_owner_id", "origin_owner_name", "origin_username", "label", "type"):
        if name in body and (isinstance(body[name], str) or body[name] is None):
            setattr(account, name, body[name])
    if isinstance(body.get("metadata"), dict):
        account.metadata = body["metadata"]
    if isinstance(body.get("shared"), bool):
        account.shared = body["shared"]
    if organisation.settings.patch_moves_updated_at:
        visit.state.touch(organisation, account)
    else:
        visit.state.keep_account(account)
    return answer(shown_account(organisation, account))


async def _delete_account(visit: Visit) -> Reply:
    account = _account(visit)
    visit.state.delete_account(account)
    return answer(shown_account(visit.organisation, account))


async def _account_meta(visit: Visit) -> Reply:
    _account(visit)
    return answer({name: CONNECTOR[name] for name in ("provider", "category", "models")})


async def _list_connectors(visit: Visit) -> Reply:
    connector = _connector(visit.organisation)
    return answer([connector] if connector else [])


async def _read_connector(visit: Visit) -> Reply:
    connector = _connector(visit.organisation)
    if connector is None or visit.target != PROVIDER:
        raise RefusedError(404, "Connector not found")
    return answer(connector)


async def _run_action(visit: Visit) -> Reply:
    body = visit.body()
    match = ACTION.match(str(body.get("action", "")))
    resource = _resource(match[1]) if match else None
    if resource is None:
        raise RefusedError(404, f"Action {body.get('action')} not found")
    return await _ask_store(visit, resource)


async def _proxy(visit: Visit) -> Reply:
    body = visit.body()
    if str(body.get("method", "get")).lower() != "get":
        raise UnknownInSheetError("a write through /unified/proxy")
    path = re.sub(r"\A/?(wp-json/wc/v[0-9]/)?", "", str(body.get("path", "")))
    return await _ask_store(visit, path)


async def _request_logs(visit: Visit) -> Reply:
    raise UnknownInSheetError("the answer of /requests/logs")


async def _ask_store(visit: Visit, resource: str) -> Reply:
    """A data call: the store is asked with the key that the account holds (T15)."""
    account_id = visit.request.headers.get("x-account-id", "")
    if not account_id:
        raise RefusedError(400, "x-account-id header is required")
    account = visit.state.account(visit.organisation, account_id)
    if account is None:
        raise RefusedError(404, "Linked account not found")
    if account.status in SUSPENDED:
        raise RefusedError(412, "Linked account disabled or suspended")
    told = await read(visit.call, account.key, resource)
    if told.is_good:
        return answer({"data": told.document, "next": None})
    refusals = [{"status": told.status, "url": f"{account.store_url}/{resource}", "raw": told.document}]
    status = visit.organisation.settings.store_refusal_status if told.status in {401, 403} else 502
    raise RefusedError(status, told.words, errorCode="PROVIDER_ERROR", provider_errors=refusals)


ROUTES = (
    Route("POST", "/connect_sessions", "session_create", MANAGING, _create_session),
    Route("POST", "/connect_sessions/authenticate", "session_authenticate", MANAGING, _authenticate_session),
    Route("GET", "/accounts", "accounts_list", READING, _list_accounts),
    Route("GET", "/accounts/(?P<id>[^/]+)", "account_read", READING, _read_account),
    Route("PATCH", "/accounts/(?P<id>[^/]+)", "account_update", MANAGING, _update_account),
    Route("DELETE", "/accounts/(?P<id>[^/]+)", "account_delete", MANAGING, _delete_account),
    Route("GET", "/accounts/(?P<id>[^/]+)/meta", "account_meta", READING, _account_meta),
    Route("GET", "/v2/accounts", "v2_accounts_list", READING, _list_v2_accounts),
    Route("GET", "/v2/accounts/(?P<id>[^/]+)", "v2_account_read", READING, _read_v2_account),
    Route("GET", "/connectors/meta", "connectors_list", LOOKING, _list_connectors),
    Route("GET", "/connectors/meta/(?P<id>[^/]+)", "connector_read", LOOKING, _read_connector),
    Route("POST", "/actions/rpc", "action_rpc", ACTING, _run_action),
    Route("POST", "/unified/proxy", "proxy", ACTING, _proxy),
    Route("GET", "/requests/logs(?:/.*)?", "request_logs", READING, _request_logs),
)
"""Every call. None creates an account (T1) and none registers a webhook (T24)."""


def route_of(request: VendorRequest) -> tuple[Route, str] | None:
    """The route of a request, and what its path names."""
    for route in ROUTES:
        match = re.fullmatch(route.pattern, request.path)
        if match and route.method == request.method:
            return route, match.groupdict().get("id", "")
    return None


async def process(visit: Visit, route: Route) -> Reply:
    """Carry a call out that a key asks for, if its scopes do for it (T6)."""
    settings = visit.organisation.settings
    if settings.refuse_anonymous and is_anonymous(visit.request):
        raise RefusedError(403, "Forbidden")
    scopes = route.scopes | ({"accounts"} if settings.accounts_key_may_act else set())
    key = visit.caller.key
    if key is None or scopes.isdisjoint(key.scopes):
        raise RefusedError(403, "The API key does not have the scope for this")
    return await route.handler(visit)


def is_anonymous(request: VendorRequest) -> bool:
    """Whether nobody says who is asking (T7)."""
    agent = request.headers.get("User-Agent", "")
    return not agent or ANONYMOUS.match(agent) is not None


def _patched_values(organisation: Organisation, body: dict[str, Any]) -> linking.Values:
    """What a PATCH says about the fields: the bag that counts, and `setup_information` for those that are no secrets."""
    bag = organisation.settings.patch_bag
    plain = linking.values_of(organisation, body.get("setup_information", {}))
    values: linking.Values = {"store_url": plain["store_url"]} if "store_url" in plain else {}
    for name in ("credentials", "secrets"):
        given = linking.values_of(organisation, body.get(name, {}))
        if bag in {name, "either"}:
            values |= given
    return values


def _page(visit: Visit) -> list[Account]:
    """The accounts that a list asks for (T9)."""
    request = visit.request
    owners = _asked(request, "origin_owner_id") | _asked(request, "origin_owner_ids")
    wanted = (
        (_asked(request, "provider") | _asked(request, "providers"), "provider"),
        (_asked(request, "account_ids"), "id"),
        (owners, "origin_owner_id"),
        (_asked(request, "status"), "status"),
    )
    found = [
        account
        for account in visit.state.accounts(visit.organisation)
        if all(not values or getattr(account, name) in values for values, name in wanted)
    ]
    number, size = _number(request, "page", 1), _number(request, "page_size", visit.organisation.settings.page_size)
    return found[(number - 1) * size : number * size]


def _asked(request: VendorRequest, name: str) -> set[str]:
    """The values of a filter: repeated, with brackets, or with commas between them."""
    given = [value for key, value in request.query_pairs if key in {name, f"{name}[]"}]
    return {part for value in given for part in value.split(",") if part}


def _number(request: VendorRequest, name: str, default: int) -> int:
    given = request.query.get(name, str(default))
    if not given.isdecimal() or int(given) < 1:
        raise RefusedError(400, f"{name} must be a positive number")
    return int(given)


def _seen(visit: Visit, account: Account) -> Account:
    """An account that is about to be shown; one too many looks and it is in `error` (T14)."""
    limit = visit.organisation.settings.late_error_after_reads
    if limit is not None:
        if account.reads >= limit and account.status != "error":
            account.blame("CONNECTION_LOST", "The connection was lost", visit.organisation.now)
            visit.state.touch(visit.organisation, account)
        account.reads += 1
        visit.state.keep_account(account)
    return account


def _account(visit: Visit) -> Account:
    account = visit.state.account(visit.organisation, visit.target)
    if account is None:
        raise RefusedError(404, "Linked account not found")
    return account


def _connector(organisation: Organisation) -> dict[str, Any] | None:
    stands = organisation.settings.connector
    return None if stands == "missing" else CONNECTOR | {"active": stands == "active"}


def _demand_v2(visit: Visit) -> None:
    if not visit.organisation.settings.v2:
        raise RefusedError(404, f"Cannot GET {visit.request.path}")


def _resource(words: str) -> str | None:
    """Where the store has what an action is about: `product`, `products`, `product_categories`."""
    single = f"{words.removesuffix('ies')}y" if words.endswith("ies") else words.removesuffix("s")
    return RESOURCES.get(words) or RESOURCES.get(single)


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise RefusedError(400, f"{name} must be a string")
    return value
