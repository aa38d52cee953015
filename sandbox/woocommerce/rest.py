"""The REST API: index, authentication before routing, and the shop's routes with the truth table of sheet 7.1."""

from __future__ import annotations

import re
from typing import Any

from sandbox.exchange import Reply, UnknownInSheetError
from sandbox.woocommerce import wordpress_rest
from sandbox.woocommerce.authentication import AUTH_ERROR, Identity, authenticate
from sandbox.woocommerce.pages import rest_link
from sandbox.woocommerce.resources import RESOURCES, Resource
from sandbox.woocommerce.rest_replies import READING, WRITING, RestError, error_reply, json_reply, no_route, paged
from sandbox.woocommerce.visit import Visit

SHOP_ROUTE = re.compile(r"/wc/(v\d+)(?:/(.*))?\Z")
BATCH = "/batch"
SYSTEM_STATUS = "system_status"
WORDPRESS_NAMESPACES = ("oembed/1.0", "wp/v2", "wp-site-health/v1", "wp-block-editor/v1")
WORDPRESS_VERSION = "6.9.1"


def answer(visit: Visit, route: str) -> Reply:
    """A request to a route such as `/wc/v3/products`."""
    route = route.rstrip("/") or "/"
    try:
        identity = authenticate(visit)
        if identity.key is not None:
            _check_permission(visit, identity)
        reply = _dispatch(visit, identity, route)
    except RestError as error:
        reply = error_reply(error)
    return with_rest_headers(visit, reply)


def with_rest_headers(visit: Visit, reply: Reply) -> Reply:
    """An answer with what stands in the head of every one of the REST API's."""
    reply.headers += [
        ("Content-Type", "application/json; charset=UTF-8"),
        ("X-Robots-Tag", "noindex"),
        ("X-Content-Type-Options", "nosniff"),
        ("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link"),
        rest_link(visit),
    ]
    return reply


def _check_permission(visit: Visit, identity: Identity) -> None:
    """The method against the permission of the key, before any routing (sheet 7.3); allowed requests leave a trace."""
    key, method = identity.key, visit.request.method
    if key is None:
        return
    if method in READING:
        if key.permissions not in {"read", "read_write"}:
            raise RestError(AUTH_ERROR, visit.text("no_read"), 401)
    elif method in WRITING:
        if key.permissions not in {"write", "read_write"}:
            raise RestError(AUTH_ERROR, visit.text("no_write"), 401)
    elif method != "OPTIONS":
        raise UnknownInSheetError(f"a request by {method} with a key")
    if visit.settings.last_access:
        visit.state.touch_key(visit.store, key, int(visit.now))


def _dispatch(visit: Visit, identity: Identity, route: str) -> Reply:
    if route == "/":
        return _index(visit)
    shop = SHOP_ROUTE.match(route)
    if shop and shop[1] in visit.profile.api_versions:
        return _shop(visit, identity, shop[1], shop[2] or "")
    if route.removeprefix("/").startswith(visit.profile.other_namespaces):
        raise UnknownInSheetError(f"routes of {route}")
    if route.startswith("/wp/v2"):
        return wordpress_rest.answer(visit, identity, route.removeprefix("/wp/v2"))
    raise no_route(visit)


def _index(visit: Visit) -> Reply:
    """What anybody may see: the namespaces tell the version (sheet 2.3)."""
    document: dict[str, Any] = {
        "name": visit.store.name,
        "description": "",
        "url": visit.home,
        "home": visit.home,
        "gmt_offset": str(visit.settings.utc_offset),
        "timezone_string": "",
        "namespaces": [*WORDPRESS_NAMESPACES, *visit.namespaces],
        "authentication": {},
        "routes": {"/": {"namespace": "", "methods": ["GET"]}},
    }
    if visit.application_passwords_available:
        authorization = visit.admin_url("authorize-application.php")
        document["authentication"] = {"application-passwords": {"endpoints": {"authorization": authorization}}}
    return json_reply(document)


def _shop(visit: Visit, identity: Identity, api_version: str, name: str) -> Reply:
    if not name:
        # L11: the index of the namespace is open to anybody.
        return json_reply({"namespace": f"wc/{api_version}", "routes": {f"/wc/{api_version}": {}}})
    if name == SYSTEM_STATUS:
        return _system_status(visit, identity, api_version)
    if name.endswith(BATCH) and name.removesuffix(BATCH) in RESOURCES:
        resource = RESOURCES[name.removesuffix(BATCH)]
        if "POST" in resource.methods and api_version in resource.api_versions and visit.request.method == "POST":
            return _batch(visit, identity)
        raise no_route(visit)
    if name in RESOURCES:
        resource = RESOURCES[name]
        if api_version in resource.unknown_in:
            raise UnknownInSheetError(f"whether wc/{api_version} has {name}")
        if api_version in resource.api_versions:
            return _collection(visit, identity, f"wc/{api_version}", resource)
    elif name.rpartition("/")[2].isdecimal() and name.rpartition("/")[0] in RESOURCES:
        raise UnknownInSheetError(f"a single item of {name.rpartition('/')[0]}")
    raise no_route(visit)


def _manages(identity: Identity) -> bool:
    return identity.user is not None and identity.user.manages_woocommerce


def _forbidden(visit: Visit, identity: Identity, what: str) -> RestError:
    """401 for a stranger, 403 for somebody whose role is too weak. A ghost is a stranger (inferred)."""
    status = 401 if identity.user is None else 403
    return RestError(f"woocommerce_rest_{what}", visit.text(what), status)


def _collection(visit: Visit, identity: Identity, namespace: str, resource: Resource) -> Reply:
    method = visit.request.method
    if method == "OPTIONS":
        return _options(identity, namespace, resource.methods)
    if method in READING:
        if not _manages(identity):
            raise _forbidden(visit, identity, "cannot_view")
        return paged(visit, list(resource.items))
    if method not in resource.methods:
        raise no_route(visit)
    if not _manages(identity):
        raise _forbidden(visit, identity, "cannot_create")
    raise UnknownInSheetError("writing shop data; the stand-in has none to change")


def _options(identity: Identity, namespace: str, methods: tuple[str, ...]) -> Reply:
    """200 for everybody; `Allow` only for a role that may (sheet 7.1)."""
    reply = json_reply({"namespace": namespace, "methods": list(methods), "endpoints": [], "schema": {}})
    if _manages(identity):
        reply.headers.append(("Allow", ", ".join(methods)))
    return reply


def _batch(visit: Visit, identity: Identity) -> Reply:
    if not _manages(identity):
        raise _forbidden(visit, identity, "cannot_batch")
    if visit.request.form_pairs or visit.request.body not in {b"", b"{}", b"[]"}:
        raise UnknownInSheetError("a batch that holds anything")
    return json_reply([])


def _system_status(visit: Visit, identity: Identity, api_version: str) -> Reply:
    if api_version not in visit.profile.system_status:
        raise UnknownInSheetError(f"wc/{api_version}/system_status on {visit.profile.version}")
    if visit.request.method == "OPTIONS":
        return _options(identity, f"wc/{api_version}", ("GET",))
    if visit.request.method not in READING:
        raise no_route(visit)
    if not _manages(identity):
        raise _forbidden(visit, identity, "cannot_view")
    environment: dict[str, Any] = {
        "home_url": visit.home,
        "site_url": visit.home,
        "version": visit.profile.version,
        "wp_version": WORDPRESS_VERSION,
        "language": visit.text("locale"),
    }
    if visit.profile.has_store_id:
        environment["store_id"] = visit.store.store_uuid
    return json_reply({"environment": environment, "database": {}, "active_plugins": [], "theme": {}, "settings": {}})
