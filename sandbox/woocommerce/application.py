"""A WooCommerce store as one function: which part of it answers a request, and what the request is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sandbox.database import connect
from sandbox.exchange import Reply, UnknownInSheetError, VendorRequest, unknown_reply
from sandbox.vendor import Call, ControlRoute, Surroundings, Vendor
from sandbox.woocommerce import admin, ajax, grant, login, rest
from sandbox.woocommerce.control import StoreControl
from sandbox.woocommerce.database import SCHEMA
from sandbox.woocommerce.pages import front_page
from sandbox.woocommerce.replies import moved
from sandbox.woocommerce.state import State, Store
from sandbox.woocommerce.visit import Visit

ADMIN_AJAX = "/wp-admin/admin-ajax.php"
REST_PATH = re.compile(r"(?:/index\.php)?/wp-json(/.*)?\Z")
NAMESPACE_ROUTE = re.compile(r"/wc/[^/]+/?\Z")
USER_OPERATIONS = (
    (re.compile(r"/wp/v2/users/[^/]+/application-passwords"), "application_passwords"),
    (re.compile(r"/wp/v2/users/me/?\Z"), "users_me"),
    (re.compile(r"/wp/v2/users/\d+/?\Z"), "users_read"),
    (re.compile(r"/wp/v2/users/?\Z"), "users_search"),
)
GRANT_OPERATIONS = {"authorize": "grant_page", "login": "grant_login", "access_granted": "grant_approve"}


def rest_route(request: VendorRequest) -> str | None:
    """The REST route a request is for, or None: a path below wp-json, or `rest_route` in the query."""
    if match := REST_PATH.match(request.path):
        return match[1] or "/"
    if request.path in {"/", "/index.php"} and request.query.get("rest_route"):
        return request.query["rest_route"]
    return None


def operation(request: VendorRequest) -> str:
    """The name by which faults and the log call a request."""
    path = request.path
    if path == "/wp-login.php":
        action = request.either("action") or "login"
        if action == "login":
            return "login" if request.method == "POST" else "login_page"
        return "logout" if action == "logout" else "login_detour"
    if path == ADMIN_AJAX:
        return _ajax_operation(request)
    if path.startswith("/wp-admin"):
        return _admin_operation(request)
    if path.startswith(grant.ROUTE):
        return GRANT_OPERATIONS.get(path.removeprefix(grant.ROUTE), "other")
    route = rest_route(request)
    if route is not None:
        return _rest_operation(request, route)
    return "home" if path in {"/", ""} else "other"


def _ajax_operation(request: VendorRequest) -> str:
    action = request.either("action")
    if action == ajax.UPDATE_KEY:
        return "update_key" if admin.absolute_integer(request.form.get("key_id", "")) else "create_key"
    return "rest_nonce" if action == "rest-nonce" else "ajax_other"


def _admin_operation(request: VendorRequest) -> str:
    if request.path != "/wp-admin/admin.php":
        return "admin_page"
    if request.either("page") != "wc-settings" or request.either("section") != "keys":
        return "settings_page" if request.either("page") == "wc-settings" else "admin_page"
    if "wp_screen_options[option]" in request.form:
        return "screen_option"
    if "revoke-key" in request.query:
        return "revoke_key"
    if "revoke" in {request.either("action"), request.either("action2")}:
        return "bulk_revoke"
    if "create-key" in request.query:
        return "nonce_page"
    return "edit_page" if "edit-key" in request.query else "list_keys"


def _rest_operation(request: VendorRequest, route: str) -> str:
    if route == "/":
        return "rest_index"
    for pattern, name in USER_OPERATIONS:
        if pattern.match(route):
            return name
    if not route.startswith("/wc/"):
        return "rest_other"
    if NAMESPACE_ROUTE.match(route):
        return "rest_namespace"
    if request.method == "OPTIONS":
        return "rest_probe_options"
    if request.method in {"GET", "HEAD"}:
        return "system_status" if route.rstrip("/").endswith("/system_status") else "rest_probe"
    return "rest_probe_batch" if route.endswith("/batch") else "rest_probe_write"


async def answer(visit: Visit, call: Call) -> Reply:
    """What WordPress with WooCommerce answers; raises UnknownInSheetError where the sheet says nothing."""
    path = visit.request.path
    if path == ADMIN_AJAX:
        return ajax.answer(visit)
    if path.startswith("/wp-admin/"):
        return admin.answer(visit)
    if path == "/wp-login.php":
        return login.answer(visit)
    if path in {"", "/wp-admin"}:
        return moved(f"{visit.home}{path}/")
    if path.startswith(grant.ROUTE) and visit.settings.permalinks == "pretty":
        return await grant.answer(visit, call)
    route = served_route(visit)
    if route is not None:
        return rest.answer(visit, route)
    if path in {"/", "/index.php"}:
        return front_page(visit, visit.store.name, "<main><h1>Shop</h1></main>")
    return front_page(visit, visit.text("not_found"), "", 404)


def served_route(visit: Visit) -> str | None:
    """The REST route of a request if the permalinks let its address reach the REST API; `?rest_route=` always does."""
    path = visit.request.path
    if REST_PATH.match(path):
        if visit.settings.permalinks == "plain":
            return None
        if visit.settings.permalinks == "index.php" and not path.startswith("/index.php/"):
            return None
    return rest_route(visit.request)


class WooCommerce(Vendor):
    """All WooCommerce stores of the process, each below its name."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._database = connect(surroundings.directory / "woocommerce.sqlite", SCHEMA)
        self.state = State(self._database, surroundings.key("state"))
        self.url = surroundings.url
        self.call = surroundings.call

    def site(self, request: VendorRequest) -> Shop | None:
        """The store served under the first path segment."""
        store = self.state.store_at(request.prefix)
        return Shop(self, store) if store else None

    def control_routes(self) -> list[ControlRoute]:
        """Stores, users and keys."""
        return StoreControl(self.state, self.url).routes()

    def facts(self) -> dict[str, Any]:
        """How many stores there are."""
        return {"stores": len(self.state.stores())}

    def close(self) -> None:
        """Close the database."""
        self._database.close()


@dataclass(frozen=True, slots=True)
class Shop:
    """One store of the vendor, as the server sees it."""

    vendor: WooCommerce
    store: Store

    @property
    def name(self) -> str:
        """The name of the store, whichever alias it was asked under."""
        return self.store.name

    @property
    def latency(self) -> float:
        """The switch of that name."""
        return self.store.settings.latency

    @property
    def clock_offset(self) -> float:
        """The switch of that name."""
        return self.store.settings.clock_offset

    def operation(self, request: VendorRequest) -> str:
        """The name by which faults and the log call a request."""
        return operation(request)

    def admit(self, request: VendorRequest) -> None:
        """Settle who a request is from, before its commit is put off; logging out later changes nothing any more."""
        request.admitted = self._visit(request).admin_session

    async def process(self, request: VendorRequest) -> Reply:
        """Answer a request, and carry out what it asks."""
        try:
            return await answer(self._visit(request), self.vendor.call)
        except UnknownInSheetError as reason:
            return unknown_reply(str(reason))

    def _visit(self, request: VendorRequest) -> Visit:
        return Visit(self.vendor.state, self.store, request, self.vendor.url)
