"""All CoopCycle servers of the process: `https://localhost:PORT/coopcycle.example/NAME/...`, and what answers there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sandbox.coopcycle import admin, api
from sandbox.coopcycle.control import CoopControl
from sandbox.coopcycle.state import HOST, Instance, Instances
from sandbox.documents import Documents
from sandbox.exchange import Reply, VendorRequest, unknown_reply
from sandbox.vendor import ControlRoute, Surroundings, Vendor

Method = tuple[str, Callable[[admin.Visit], Reply]]
ApiMethod = tuple[str, Callable[[api.ApiCall], Reply]]
"""What faults and the log call a request, and what answers it."""
Found = TypeVar("Found")


def _bearer(name: str, handler: api.Handler) -> ApiMethod:
    return name, partial(_with_bearer, handler)


def _with_bearer(handler: api.Handler, call: api.ApiCall) -> Reply:
    return api.authenticated(call, handler)


OPEN_PAGES: Mapping[str, Mapping[str, Method]] = {
    "/": {"GET": ("coop_home", admin.home)},
    "/login": {"GET": ("coop_login_page", admin.login_page), "POST": ("coop_login", admin.log_in)},
    "/login_check": {"POST": ("coop_login", admin.log_in)},
    "/2fa": {"GET": ("coop_two_factor_page", admin.two_factor_page)},
    "/2fa_check": {"POST": ("coop_two_factor", admin.two_factor_check)},
    "/logout": {"GET": ("coop_logout", admin.log_out), "POST": ("coop_logout", admin.log_out)},
    "/profile/": {"GET": ("coop_profile", admin.profile)},
}
"""Pages that say themselves who may see them."""

ADMIN_PAGES: Mapping[str, Mapping[str, Method]] = {
    "/admin": {"GET": ("coop_dashboard", admin.dashboard)},
    "/admin/api/apps": {
        "GET": ("coop_list_apps", admin.list_apps),
        "POST": ("coop_regenerate", admin.regenerate),
    },
    "/admin/api/apps/new": {
        "GET": ("coop_create_page", admin.new_page),
        "POST": ("coop_create_app", admin.create),
    },
    "/admin/api/apps/(?P<number>[0-9]{1,9})": {
        "GET": ("coop_app_page", admin.app_page),
        "POST": ("coop_edit_app", admin.edit),
    },
    "/admin/restaurants/(?P<number>[0-9]{1,9})/api/new": {
        "GET": ("coop_shop_page", admin.shop_page),
        "POST": ("coop_create_shop_app", admin.create_for_shop),
    },
}
"""Pages for ROLE_ADMIN, whatever is asked for below `/admin`."""

API: Mapping[str, Mapping[str, ApiMethod]] = {
    "/api": {"GET": ("coop_entrypoint", api.entrypoint)},
    "/oauth2/token": {"POST": ("coop_token", api.token)},
    "/api/login_check": {"POST": ("coop_login_check", api.login_check)},
    "/api/me": {"GET": _bearer("coop_me", api.me)},
    "/api/stores": {"GET": _bearer("coop_stores", api.stores)},
    "/api/stores/(?P<number>[0-9]{1,9})": {"GET": _bearer("coop_store", api.store)},
    "/api/orders": {"GET": _bearer("coop_orders", api.orders)},
    "/api/tasks": {"GET": _bearer("coop_tasks", api.tasks)},
    "/api/retail_prices/calculate": {"POST": _bearer("coop_calculate", api.calculate)},
    "/api/api_apps/(?P<number>[0-9]{1,9})": {"GET": _bearer("coop_api_app", api.api_app)},
}
"""Nothing makes, lists or deletes an app (S10)."""

CLOSED = ("/admin/api/apps", "/api/api_apps", "/oauth2/token", "/login", "/2fa", "/logout")
"""What the sheet knows in full: any other path or method below these does not exist. Of all else it says nothing."""


class CoopCycle(Vendor):
    """All servers of the process."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._documents = Documents(surroundings.directory / "coopcycle.sqlite")
        self._instances = Instances(self._documents, surroundings.key("coopcycle"))
        self._url = surroundings.url

    def site(self, request: VendorRequest) -> Server | None:
        """The server that the path names; None where there is none."""
        name, slash, rest = request.path.removeprefix("/").partition("/")
        instance = self._instances.find(name) if request.prefix == HOST else None
        return Server(self._instances, instance, (slash + rest) or "/") if instance else None

    def control_routes(self) -> list[ControlRoute]:
        """Its part of the control API."""
        return CoopControl(self._instances, self._url).routes()

    def facts(self) -> dict[str, Any]:
        """How many servers there are."""
        return {"coopcycle_instances": len(self._instances.all())}

    def close(self) -> None:
        """Close the database."""
        self._documents.close()


@dataclass(frozen=True, slots=True)
class Server:
    """One server as one request sees it."""

    instances: Instances
    instance: Instance
    path: str
    """Path below the server."""

    @property
    def name(self) -> str:
        """The host and the instance."""
        return self.instance.site

    @property
    def latency(self) -> float:
        """The setting of the server."""
        return self.instance.settings.latency

    @property
    def clock_offset(self) -> float:
        """The setting of the server."""
        return self.instance.settings.clock_offset

    def operation(self, request: VendorRequest) -> str:
        """The name in the tables above; `coop_api_other` and `coop_other` for all else."""
        for table in (OPEN_PAGES, ADMIN_PAGES, API):
            for pattern, methods in table.items():
                if re.fullmatch(pattern, self.path) and request.method in methods:
                    return methods[request.method][0]
        return "coop_api_other" if self._is_api else "coop_other"

    def admit(self, request: VendorRequest) -> None:
        """Whose session it is was settled when the request came."""
        if not self._is_api:
            request.admitted = self._visit(request, 0).session

    async def process(self, request: VendorRequest) -> Reply:
        """Answer a request, and carry out what it asks."""
        if self._is_api:
            return self._answer_api(request)
        found = _find({**OPEN_PAGES, **ADMIN_PAGES}, self.path)
        visit = self._visit(request, found[1] if found else 0)
        if self.path == "/admin" or self.path.startswith("/admin/"):
            refusal = admin.admitted(visit)
            if refusal is not None:
                return refusal
        method = found[0].get(request.method) if found else None
        if method is not None:
            return method[1](visit)
        if not self.path.startswith(CLOSED):
            return unknown_reply(f"page {request.method} {self.path}")
        return admin.wrong_method(visit) if found else admin.not_found(visit)

    def _answer_api(self, request: VendorRequest) -> Reply:
        found = _find(API, self.path)
        call = api.ApiCall(self.instances, self.instance, request, found[1] if found else 0)
        method = found[0].get(request.method) if found else None
        if method is not None:
            return method[1](call)
        if not self.path.startswith(CLOSED):
            return unknown_reply(f"API call {request.method} {self.path}")
        return api.refused(405 if found else 404)

    @property
    def _is_api(self) -> bool:
        return self.path == "/api" or self.path.startswith(("/api/", "/oauth2/"))

    def _visit(self, request: VendorRequest, number: int) -> admin.Visit:
        return admin.Visit(self.instances, self.instance, request, self.path, number)


def _find(table: Mapping[str, Mapping[str, Found]], path: str) -> tuple[Mapping[str, Found], int] | None:
    """What a table has for a path, and the number in the path."""
    for pattern, methods in table.items():
        if match := re.fullmatch(pattern, path):
            return methods, int(match.groupdict().get("number") or 0)
    return None
