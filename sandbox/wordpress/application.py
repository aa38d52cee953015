"""A WordPress site as one function: WordPress with WooCommerce as it is, and before it what the two plugins answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from sandbox.database import connect
from sandbox.documents import Documents
from sandbox.exchange import Reply, UnknownInSheetError, VendorRequest, unknown_reply
from sandbox.vendor import ControlRoute, Surroundings, Vendor
from sandbox.woocommerce import application as wordpress
from sandbox.woocommerce.authentication import authenticate
from sandbox.woocommerce.database import SCHEMA
from sandbox.woocommerce.rest import with_rest_headers
from sandbox.woocommerce.rest_replies import RestError, error_reply
from sandbox.woocommerce.state import State
from sandbox.wordpress import admin, core_settings, surecart_rest
from sandbox.wordpress.control import SiteControl
from sandbox.wordpress.coopcycle import PAGE
from sandbox.wordpress.state import HOST, Site, Sites
from sandbox.wordpress.visit import SiteVisit

SURECART = "/surecart/v1"
CORE_SETTINGS = "/wp/v2/settings"
REST_OPERATIONS: tuple[tuple[re.Pattern[str], dict[str, str], str], ...] = (
    (re.compile(r"/surecart/v1/settings/?\Z"), {"GET": "surecart_settings_read"}, "surecart_settings_write"),
    (re.compile(r"/surecart/v1/account/?\Z"), {}, "surecart_account_read"),
    (re.compile(r"/surecart/v1/site-health/"), {}, "surecart_health"),
    (re.compile(r"/surecart/v1/provisional_accounts/?\Z"), {}, "surecart_provision"),
    (re.compile(r"/wp/v2/settings/?\Z"), {}, "wp_core_settings"),
)


def operation(request: VendorRequest) -> str:
    """The name by which faults and the log call a request: WordPress's own begin with `wp_`."""
    route = wordpress.rest_route(request)
    if route is not None:
        for pattern, by_method, name in REST_OPERATIONS:
            if pattern.match(route):
                return by_method.get(request.method, name)
    if request.path == "/wp-admin/options.php":
        return "wp_options_save" if request.method == "POST" else "wp_options_page"
    if request.path == "/wp-admin/options-general.php" and request.query.get("page") == PAGE:
        return "coopcycle_settings_page"
    return f"wp_{wordpress.operation(request)}"


class WordPress(Vendor):
    """All WordPress sites of the process, below the host `wordpress.example`."""

    def __init__(self, surroundings: Surroundings) -> None:
        path = surroundings.directory / "wordpress.sqlite"
        self._database = connect(path, SCHEMA)
        self._documents = Documents(path)
        secret = surroundings.key("wordpress")
        state = State(self._database, secret)
        self.sites = Sites(self._documents, state, secret, f"{surroundings.url}/api.surecart.com")
        self.url = surroundings.url
        self.call = surroundings.call

    def site(self, request: VendorRequest) -> Frontend | None:
        """The site that the second segment of the path names."""
        name = request.path.removeprefix("/").partition("/")[0]
        site = self.sites.find(name) if request.prefix == HOST else None
        return Frontend(self, site) if site else None

    def control_routes(self) -> list[ControlRoute]:
        """Sites and what they keep."""
        return SiteControl(self.sites, self.url, self.call).routes()

    def facts(self) -> dict[str, Any]:
        """How many sites there are."""
        return {"sites": len(self.sites.all())}

    def close(self) -> None:
        """Close the database."""
        self._documents.close()
        self._database.close()


@dataclass(frozen=True, slots=True)
class Frontend:
    """One site, as the server sees it."""

    vendor: WordPress
    kept: Site

    @property
    def name(self) -> str:
        """The host and the site."""
        return self.kept.site

    @property
    def latency(self) -> float:
        """The switch of that name."""
        return self.vendor.sites.store(self.kept).settings.latency

    @property
    def clock_offset(self) -> float:
        """The switch of that name."""
        return self.vendor.sites.store(self.kept).settings.clock_offset

    def operation(self, request: VendorRequest) -> str:
        """The name by which faults and the log call a request."""
        return operation(_below(request))

    def admit(self, request: VendorRequest) -> None:
        """Settle who a request is from, before its commit is put off."""
        request.admitted = self._visit(request).admin_session

    async def process(self, request: VendorRequest) -> Reply:
        """Answer a request, and carry out what it asks."""
        try:
            return await _answer(self._visit(request))
        except UnknownInSheetError as reason:
            return unknown_reply(str(reason))

    def _visit(self, request: VendorRequest) -> SiteVisit:
        return SiteVisit(self.vendor.sites, self.kept, _below(request), self.vendor.url, self.vendor.call)


def _below(request: VendorRequest) -> VendorRequest:
    """The request as the site sees it: its home has two segments."""
    name, slash, rest = request.path.removeprefix("/").partition("/")
    _, raw_slash, raw_rest = request.raw_path.removeprefix("/").partition("/")
    return replace(request, prefix=f"{HOST}/{name}", path=slash + rest, raw_path=raw_slash + raw_rest)


async def _answer(visit: SiteVisit) -> Reply:
    route = wordpress.served_route(visit)
    if route is not None:
        reply = await _plugin_route(visit, route.rstrip("/"))
        if reply is not None:
            return with_rest_headers(visit, reply)
    if visit.request.path.startswith("/wp-admin/"):
        reply = await admin.answer(visit)
        if reply is not None:
            return reply
    return await wordpress.answer(visit, visit.call)


async def _plugin_route(visit: SiteVisit, route: str) -> Reply | None:
    """A REST route that a shop does not have, or None."""
    surecart = route.startswith(f"{SURECART}/") and visit.site.settings.surecart
    if not surecart and route != CORE_SETTINGS:
        return None
    try:
        identity = authenticate(visit)
        if surecart:
            return await surecart_rest.answer(visit, identity, route.removeprefix(SURECART))
        return core_settings.answer(visit, identity)
    except RestError as error:
        return error_reply(error)
