"""The script endpoints as one function of a request (stone_edge.md section 3)."""

from __future__ import annotations

from sandbox.exchange import Reply, VendorRequest
from sandbox.stone_edge.answers import failure, page, plain
from sandbox.stone_edge.functions import FUNCTIONS, Parameters, ScriptError
from sandbox.stone_edge.state import Endpoint, Endpoints

PREFIX = "connect2cart.example"
"""The host that the endpoints stand under, here the first segment of the path."""

SCRIPT = "/script"

REFUSED = "Invalid username, password, or store code."
LOCKED = "Too many failed logins, this account is locked."


def endpoint_name(request: VendorRequest) -> str:
    """The name of the endpoint that a request is for, or nothing where its path is no script's."""
    name, slash, rest = request.path.removeprefix("/").partition("/")
    return name if slash + rest == SCRIPT else ""


def parameters_of(endpoint: Endpoint, request: VendorRequest) -> Parameters:
    """What the script was given, in the form or, where it takes that, in the query."""
    return (request.query if endpoint.settings.accept_get else {}) | request.form


def operation(request: VendorRequest) -> str:
    """The name by which faults and the log call a request: `seti_` and the function that was asked for."""
    asked = request.either("setifunction").lower()
    if not asked:
        return "seti_none"
    return f"seti_{asked}" if asked in FUNCTIONS else "seti_unknown"


class StoneEdge:
    """All endpoints of the process."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints

    async def process(self, endpoint: Endpoint, request: VendorRequest) -> Reply:
        """Answer a request, and carry out what it asks."""
        if endpoint.settings.page != "script":
            return page(endpoint)
        parameters = parameters_of(endpoint, request)
        asked = parameters.get("setifunction", "").lower()
        function = FUNCTIONS.get(asked)
        if function is None:
            return plain(endpoint, f'SETIError: Function "{asked}" was not found.')
        try:
            if function.subject is not None:
                self._log_in(endpoint, parameters)
            return function.answer(endpoint, parameters)
        except ScriptError as refusal:
            return failure(endpoint, function.subject, str(refusal), downloads=function.downloads)
        finally:
            self.endpoints.keep(endpoint)

    @staticmethod
    def _log_in(endpoint: Endpoint, parameters: Parameters) -> None:
        if endpoint.settings.accept_any_password:
            return
        if endpoint.locked:
            raise ScriptError(LOCKED)
        given = [parameters.get(name, "") for name in ("setiuser", "password", "code")]
        if given != [endpoint.username, endpoint.password, endpoint.code]:
            endpoint.wrong_passwords += 1
            raise ScriptError(REFUSED)
        endpoint.wrong_passwords = 0
