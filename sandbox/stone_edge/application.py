"""The script endpoints of Connect2Cart (stone_edge.md section 3), below the host `connect2cart.example`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.documents import Documents
from sandbox.exchange import Reply, VendorRequest
from sandbox.stone_edge.answers import failure, page, plain
from sandbox.stone_edge.control import EndpointControl
from sandbox.stone_edge.functions import FUNCTIONS, ScriptError
from sandbox.stone_edge.state import HOST, SCRIPT, Endpoint, Endpoints
from sandbox.vendor import ControlRoute, Surroundings, Vendor

REFUSED = "Invalid username, password, or store code."
LOCKED = "Too many failed logins, this account is locked."


class StoneEdge(Vendor):
    """All endpoints of the process."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._documents = Documents(surroundings.directory / "stone_edge.sqlite")
        self._endpoints = Endpoints(self._documents)
        self._url = surroundings.url

    def site(self, request: VendorRequest) -> Script | None:
        """The endpoint whose script the path names; None for every other page of the host."""
        name, slash, rest = request.path.removeprefix("/").partition("/")
        endpoint = self._endpoints.find(name) if request.prefix == HOST and slash + rest == SCRIPT else None
        return Script(self._endpoints, endpoint) if endpoint else None

    def control_routes(self) -> list[ControlRoute]:
        """Its part of the control API."""
        return EndpointControl(self._endpoints, self._url).routes()

    def facts(self) -> dict[str, Any]:
        """How many endpoints there are."""
        return {"endpoints": len(self._endpoints.all())}

    def close(self) -> None:
        """Close the database."""
        self._documents.close()


@dataclass(frozen=True, slots=True)
class Script:
    """The script of one endpoint."""

    endpoints: Endpoints
    endpoint: Endpoint

    @property
    def name(self) -> str:
        """The host and the endpoint: a store of another platform may have the endpoint's name."""
        return self.endpoint.site

    @property
    def latency(self) -> float:
        """The setting of the endpoint."""
        return self.endpoint.settings.latency

    @property
    def clock_offset(self) -> float:
        """None: nothing of the protocol depends on the clock."""
        return 0.0

    def operation(self, request: VendorRequest) -> str:
        """`seti_` and the function that was asked for, in the form or in the query."""
        asked = request.either("setifunction").lower()
        if not asked:
            return "seti_none"
        return f"seti_{asked}" if asked in FUNCTIONS else "seti_unknown"

    def admit(self, request: VendorRequest) -> None:
        """Nothing: credentials come with every request."""

    async def process(self, request: VendorRequest) -> Reply:
        """Answer a request, and carry out what it asks."""
        endpoint = self.endpoint
        if endpoint.settings.page != "script":
            return page(endpoint)
        parameters = (request.query if endpoint.settings.accept_get else {}) | request.form
        asked = parameters.get("setifunction", "").lower()
        function = FUNCTIONS.get(asked)
        if function is None:
            return plain(endpoint, f'SETIError: Function "{asked}" was not found.')
        try:
            if function.subject is not None:
                _log_in(endpoint, parameters)
            return function.answer(endpoint, parameters)
        except ScriptError as refusal:
            return failure(endpoint, function.subject, str(refusal), downloads=function.downloads)
        finally:
            self.endpoints.keep(endpoint)


def _log_in(endpoint: Endpoint, parameters: Mapping[str, str]) -> None:
    """Refuse wrong credentials, and every credential once too many were wrong."""
    if endpoint.settings.accept_any_password:
        return
    if endpoint.locked:
        raise ScriptError(LOCKED)
    given = [parameters.get(name, "") for name in ("setiuser", "password", "code")]
    if given != [endpoint.username, endpoint.password, endpoint.code]:
        endpoint.wrong_passwords += 1
        raise ScriptError(REFUSED)
    endpoint.wrong_passwords = 0
