"""StackOne: which host a request is for, whose it is, and which part answers it.

| host | what answers |
|---|---|
| `api.stackone.com`, `api.eu1.stackone.com` | `api.py`, and `hub.py` below `/hub`; both hosts have the same data |
| `hub.stackone.com` | `hub_page.py`, the page behind `auth_link_url` |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.documents import Documents
from sandbox.exchange import Reply, UnknownInSheetError, VendorRequest, unknown_reply
from sandbox.stackone import api, hub, hub_page
from sandbox.stackone.control import StackOneControl
from sandbox.stackone.replies import RefusedError, refusal
from sandbox.stackone.state import State
from sandbox.stackone.visit import TOKEN_HEADER, Caller, Visit, by_api_key, by_token
from sandbox.vendor import ControlRoute, Surroundings, Vendor

API_HOSTS = ("api.stackone.com", "api.eu1.stackone.com")
HUB_HOST = "hub.stackone.com"
NOBODY = "stackone"
"""The site of a request whose key or token belongs to no organisation."""


class StackOne(Vendor):
    """All organisations of the process."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._documents = Documents(surroundings.directory / "stackone.sqlite")
        self.state = State(self._documents)
        self.url = surroundings.url
        self.call = surroundings.call

    def site(self, request: VendorRequest) -> StackOneSite | None:
        """The organisation whose key or session a request carries; or nobody's, which is refused."""
        if request.prefix == HUB_HOST:
            return StackOneSite(self, by_token(self.state, request.either("token")))
        if request.prefix not in API_HOSTS:
            return None
        if _is_hub(request):
            return StackOneSite(self, by_token(self.state, request.headers.get(TOKEN_HEADER, "")))
        return StackOneSite(self, by_api_key(self.state, request))

    def control_routes(self) -> list[ControlRoute]:
        """Organisations, their keys, accounts and sessions."""
        return StackOneControl(self.state, self.url).routes()

    def facts(self) -> dict[str, Any]:
        """How many organisations there are."""
        return {"stackone_organisations": len(self.state.organisations())}

    def close(self) -> None:
        """Close the database."""
        self._documents.close()


@dataclass(frozen=True, slots=True)
class StackOneSite:
    """StackOne as one request sees it."""

    vendor: StackOne
    caller: Caller | None

    @property
    def name(self) -> str:
        """The organisation: `stackone/NAME`, or `stackone` for nobody's request."""
        return self.caller.organisation.site if self.caller else NOBODY

    @property
    def latency(self) -> float:
        """The setting of the organisation."""
        return self.caller.organisation.settings.latency if self.caller else 0.0

    @property
    def clock_offset(self) -> float:
        """The setting of the organisation."""
        return self.caller.organisation.settings.clock_offset if self.caller else 0.0

    def operation(self, request: VendorRequest) -> str:
        """The name of the route; `hub_page` and `hub_connect` for the page."""
        if request.prefix == HUB_HOST:
            return "hub_connect" if request.method == "POST" else "hub_page"
        found = hub.route_of(request) if _is_hub(request) else api.route_of(request)
        return found[0].operation if found else "stackone_other"

    def admit(self, request: VendorRequest) -> None:
        """Whose key or token it is was settled when the request came."""

    async def process(self, request: VendorRequest) -> Reply:
        """Answer a request, and carry out what it asks."""
        try:
            if request.prefix == HUB_HOST:
                return await self._show_page(request)
            return await (self._hub(request) if _is_hub(request) else self._api(request))
        except RefusedError as refused:
            return refused.reply
        except UnknownInSheetError as reason:
            return unknown_reply(str(reason))

    async def _show_page(self, request: VendorRequest) -> Reply:
        if self.caller is None or request.path != hub_page.PATH:
            return hub_page.expired(404)
        return await hub_page.process(self._visit(request, self.caller, ""))

    async def _hub(self, request: VendorRequest) -> Reply:
        if self.caller is None:
            return refusal(401, "The session has expired")
        found = hub.route_of(request)
        if found is None:
            return _no_route(request)
        return await hub.process(self._visit(request, self.caller, found[1]), found[0])

    async def _api(self, request: VendorRequest) -> Reply:
        if self.caller is None:
            return refusal(401)
        found = api.route_of(request)
        if found is None:
            return _no_route(request)
        return await api.process(self._visit(request, self.caller, found[1]), found[0])

    def _visit(self, request: VendorRequest, caller: Caller, target: str) -> Visit:
        return Visit(self.vendor.state, self.vendor.call, self.vendor.url, request, caller, target)


def _is_hub(request: VendorRequest) -> bool:
    return request.path == "/hub" or request.path.startswith("/hub/")


def _no_route(request: VendorRequest) -> Reply:
    return refusal(404, f"Cannot {request.method} {request.path}")
