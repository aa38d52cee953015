"""Stone Edge's part of the control API: endpoints, their credentials and settings, and what became of their shops."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.control import body_of
from sandbox.stone_edge.state import SCRIPT, Endpoint, Endpoints
from sandbox.vendor import ControlRoute


class EndpointControl:
    """Handlers below `/_control/stone-edge`; each takes JSON and answers JSON, never with a password."""

    def __init__(self, endpoints: Endpoints, url: str) -> None:
        self._endpoints = endpoints
        self._url = url

    def routes(self) -> list[ControlRoute]:
        """Every route."""
        endpoints = "/_control/stone-edge"
        endpoint = f"{endpoints}/{{endpoint}}"
        return [
            ("GET", endpoints, self._list),
            ("POST", endpoints, self._create),
            ("GET", endpoint, self._show),
            ("DELETE", endpoint, self._delete),
            ("PATCH", f"{endpoint}/settings", self._change_settings),
            ("PUT", f"{endpoint}/credentials", self._change_credentials),
        ]

    async def _list(self, _: web.Request) -> Any:
        return {"endpoints": [self._shown(endpoint) for endpoint in self._endpoints.all()]}

    async def _create(self, request: web.Request) -> Any:
        return self._shown(self._endpoints.create(await body_of(request)))

    async def _show(self, request: web.Request) -> Any:
        return self._shown(self._endpoints.get(request.match_info["endpoint"]))

    async def _delete(self, request: web.Request) -> Any:
        self._endpoints.delete(request.match_info["endpoint"])
        return {}

    async def _change_settings(self, request: web.Request) -> Any:
        name = request.match_info["endpoint"]
        return self._shown(self._endpoints.change_settings(name, await body_of(request)))

    async def _change_credentials(self, request: web.Request) -> Any:
        order = await body_of(request)
        name = request.match_info["endpoint"]
        return self._shown(self._endpoints.change_credentials(name, order["username"], order["password"]))

    def _shown(self, endpoint: Endpoint) -> dict[str, Any]:
        return endpoint.shown() | {"url": f"{self._url}/{endpoint.site}{SCRIPT}"}
