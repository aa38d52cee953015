"""`api.bigcommerce.com`: rate, URL, token, scope, body, in exactly this order (sheet 14.1).

Whoever lacks the scope gets the 403 whatever the body is; whoever has it learns what is wrong with the body.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sandbox.bigcommerce import hooks, rate, replies, storefront
from sandbox.bigcommerce.routes import Route, find
from sandbox.bigcommerce.scopes import allows
from sandbox.bigcommerce.settings import StoreSettings
from sandbox.bigcommerce.state import STENCIL_TOKEN, Account, Resource, State, Store
from sandbox.exchange import Reply, VendorRequest

TARGET = re.compile(r"/stores/([^/]+)(/.*)?\Z")
PREFIX = "store-"
FALLBACK = StoreSettings()
STENCIL_LEVELS = {"no_scopes": {}, "themes": {"Themes": "modify"}}
OWNERSHIP = "Metafield ownership"


@dataclass(frozen=True, slots=True)
class Target:
    """What a path asks for."""

    store_hash: str
    """As in the path, without a `store-` prefix; empty if the path names no store."""
    prefixed: bool
    path: str
    """Below `/stores/{hash}`; empty if there is nothing."""
    store: Store | None

    @property
    def settings(self) -> StoreSettings:
        """The switches of the store; the defaults if there is none."""
        return self.store.settings if self.store else FALLBACK


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token came with a request."""

    store: Store
    account: Account


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has passed all of the gateway but its body."""

    state: State
    store: Store
    account: Account
    route: Route
    names: tuple[str, ...]
    """The segments that the `{}` of the route stand for."""
    request: VendorRequest

    def document(self) -> Any:
        """The body as JSON; None for one that is empty or no JSON."""
        try:
            return json.loads(self.request.body)
        except ValueError:
            return None

    @property
    def status(self) -> int:
        """What the sheet says a token with the scope gets, or the one of its statuses that the store was set to."""
        chosen = self.store.settings.statuses.get(self.route.operation, self.route.statuses[0])
        return chosen if chosen in self.route.statuses else self.route.statuses[0]

    def refuse(self, errors: dict[str, str]) -> Reply:
        """The body is not accepted, or something is not there."""
        route = self.route
        return replies.bad_body(
            self.store.settings, v2=route.is_v2, problem=route.problem, status=self.status, errors=errors
        )


def target(state: State, path: str) -> Target:
    """What a path below the host asks for."""
    match = TARGET.match(path)
    if match is None:
        return Target("", prefixed=False, path=path, store=None)
    store_hash = match[1].removeprefix(PREFIX)
    return Target(store_hash, match[1].startswith(PREFIX), match[2] or "", state.store_at(store_hash))


def operation(aim: Target, request: VendorRequest) -> str:
    """The operation of the route; `gateway_other` for what has none."""
    found = find(request.method, aim.path)
    return found[0].operation if found else "gateway_other"


def authenticated(state: State, request: VendorRequest) -> Caller | None:
    """Whose living token came with the request; None without one."""
    if isinstance(request.admitted, Caller):
        return request.admitted
    found = state.account_of(request.headers.get("X-Auth-Token", ""))
    if found is None:
        return None
    store, account = found
    if account.deleted is not None and store.now >= account.deleted + store.settings.deletion_delay:
        return None
    if account.token_type == STENCIL_TOKEN and store.settings.stencil_token == "refused":
        return None
    return Caller(store, account)


def answer(state: State, aim: Target, request: VendorRequest) -> Reply:
    """Answer a request, and carry out what it asks."""
    settings = aim.settings
    if aim.store is None:
        reply = _admitted(state, aim, request)
        reply.headers += rate.Quota(settings.quota, settings.quota, settings.window_ms, settings.window_ms).headers()
        return reply
    if settings.overloaded:
        return rate.too_many()
    quota = rate.take(aim.store)
    if quota.limited:
        reply = rate.too_many()
    elif settings.server_error:
        reply = replies.titled(settings.server_error, "Something went wrong")
    else:
        reply = _admitted(state, aim, request)
    if settings.rate_headers and (settings.limit_headers or not quota.limited):
        reply.headers += quota.headers()
    return reply


def _admitted(state: State, aim: Target, request: VendorRequest) -> Reply:
    """URL, then token; or the other way round."""
    url, token = (lambda: _url_refusal(aim, request)), (lambda: _token_refusal(state, aim, request))
    steps: tuple[Callable[[], Reply | None], ...] = (url, token) if aim.settings.url_before_token else (token, url)
    for step in steps:
        refusal = step()
        if refusal is not None:
            return refusal
    found, caller = find(request.method, aim.path), authenticated(state, request)
    if found is None or caller is None or aim.store is None:
        return replies.no_route()
    route, names = found
    for pattern in aim.settings.forbidden_operations:
        if aim.settings.forbidden and fnmatchcase(route.operation, pattern):
            return replies.forbidden(aim.settings.forbidden)
    if not _opens(aim.settings, caller.account, route):
        return replies.missing_scope(aim.settings)
    return _carried_out(Call(state, aim.store, caller.account, route, names, request))


def _url_refusal(aim: Target, request: VendorRequest) -> Reply | None:
    if aim.prefixed:
        return replies.missing_scope(aim.settings)
    if aim.path.endswith("/"):
        return replies.trailing_slash()
    return None if find(request.method, aim.path) else replies.no_route()


def _token_refusal(state: State, aim: Target, request: VendorRequest) -> Reply | None:
    if not request.headers.get("X-Auth-Token"):
        return replies.no_token()
    caller = authenticated(state, request)
    if caller is None:
        return replies.dead_token(aim.settings)
    if aim.store is None or caller.store.id != aim.store.id:
        settings = aim.store.settings if aim.store else caller.store.settings
        refuse = replies.missing_scope if settings.foreign_token == "403" else replies.dead_token
        return refuse(settings)
    return None


def _opens(settings: StoreSettings, account: Account, route: Route) -> bool:
    levels: Mapping[str, str] = account.levels
    if account.token_type == STENCIL_TOKEN:
        levels = STENCIL_LEVELS[settings.stencil_token]
    needs = route.needs
    if route.operation == "payment_methods_read" and settings.payment_methods_by_information:
        needs = (*needs, ("Information & settings", "read-only"))
    return not needs or any(allows(levels, label, word) for label, word in needs)


def _carried_out(call: Call) -> Reply:
    if call.route.operation in call.store.settings.accepting:
        return _made(call, [document if isinstance(document := call.document(), dict) else {}], 201)
    match call.route.action:
        case "hooks" | "hook":
            names, document = call.names, call.document()
            return hooks.answer(call.state, call.store, call.account, call.request.method, names, document)
        case "storefront" | "private" | "impersonation":
            return storefront.create(call.state, call.store, call.account, call.route.action, call.document())
        case "revoke":
            return storefront.revoke(call.state, call.store, call.request)
        case "create":
            return _create(call)
        case "edit":
            return _edit(call)
        case "charge":
            # What a live shop would do to its customer: it happens whatever the body is.
            return _made(call, [{"order_id": call.names[0], "event": call.route.operation}], 201)
        case "wipe" | "archive":
            call.state.wipe(call.store, call.route.collection, archive=call.route.action == "archive")
            return Reply(204)
        case "graphql":
            return _admin_graphql(call)
        case _:
            return _look(call)


def _look(call: Call) -> Reply:
    """The reads."""
    store, route = call.store, call.route
    items = [_shown(resource) for resource in call.state.resources(store, route.collection)]
    match route.action:
        case "time":
            return replies.json_reply({"time": int(store.now)})
        case "store":
            return replies.json_reply(_store_information(store))
        case "count":
            return replies.json_reply({"count": len(items)})
        case "one":
            wanted = [item for item in items if call.names[0] in {str(item.get("uuid")), str(item["id"])}]
            return replies.single(wanted[0]) if wanted else call.refuse({"id": "not found"})
        case "below" if call.status == 404:
            return call.refuse({"id": "not found"})
    if call.status == 204:
        return Reply(204)
    limit = call.request.query.get("limit", "")
    return replies.collection(items[: int(limit)] if limit.isdecimal() else items, v2=route.is_v2)


def _create(call: Call) -> Reply:
    """A write with a body: refused by name of the missing fields, or done."""
    document = call.document()
    bodies = document if call.route.bulk else [document]
    if not isinstance(bodies, list) or not bodies or not all(isinstance(body, dict) for body in bodies):
        return call.refuse({"body": "missing or of another kind"})
    missing = {name: "missing" for body in bodies for name in call.route.required if not body.get(name)}
    return call.refuse(missing) if missing else _made(call, bodies, 201 if call.route.is_v2 else 200)


def _made(call: Call, bodies: list[dict[str, Any]], status: int) -> Reply:
    """Something new at the store."""
    route = call.route
    owner = call.account.client_id if route.owned else None
    made = []
    for body in bodies:
        # Scripts are called by a uuid, everything else by its number.
        named = body | {"uuid": str(uuid.uuid4())} if route.collection == "scripts" else body
        made.append(_shown(call.state.add_resource(call.store, route.collection or route.operation, named, owner)))
    if route.bulk:
        return replies.json_reply({"data": made, "meta": {}}, status)
    return replies.single(made[0], status, v2=route.is_v2)


def _edit(call: Call) -> Reply:
    """Metafields and scripts: nobody but the account that made them may edit them (sheet 3.5)."""
    for resource in call.state.resources(call.store, call.route.collection):
        if call.names[-1] not in {str(resource.body.get("uuid")), str(resource.id)}:
            continue
        if resource.owner_client_id != call.account.client_id:
            return replies.titled(403, "It belongs to another API account.")
        document = call.document()
        changes = document if isinstance(document, dict) else {}
        changed = call.state.change_resource(resource, resource.body | changes, resource.owner_client_id)
        return replies.single(_shown(changed))
    return call.refuse({"id": "not found"})


def _admin_graphql(call: Call) -> Reply:
    """`metafield.reassignMetafieldsOwner`, and nothing else (sheet 14.4); variables only, no GraphQL is parsed."""
    if not allows(call.account.levels, OWNERSHIP, "manage"):
        if call.store.settings.graphql_missing_scope == "403":
            return replies.missing_scope(call.store.settings)
        return replies.json_reply({"data": None, "errors": [{"message": "You are not authorized to do this."}]})
    document = call.document()
    query = document.get("query", "") if isinstance(document, dict) else ""
    wanted = document.get("variables", {}).get("input", {}) if isinstance(document, dict) else {}
    if "reassignMetafieldsOwner" not in query:
        return replies.json_reply({"errors": [{"message": "The sandbox knows reassignMetafieldsOwner only."}]})
    for resource in call.state.resources(call.store, "metafields"):
        if resource.id in wanted.get("metafieldIds", []):
            call.state.change_resource(resource, resource.body, wanted["newClientId"])
    return replies.json_reply({"data": {"metafield": {"reassignMetafieldsOwner": {"errors": []}}}})


def _shown(resource: Resource) -> dict[str, Any]:
    owner = {"owner_client_id": resource.owner_client_id} if resource.collection == "metafields" else {}
    return {"id": resource.id} | resource.body | owner


def _store_information(store: Store) -> dict[str, Any]:
    return {
        "id": store.store_hash,
        "account_uuid": store.account_uuid,
        "store_id": str(1000 + store.id),
        "name": f"Shop {store.store_hash}",
        "domain": store.host,
        "plan_level": store.settings.plan_level,
    }
