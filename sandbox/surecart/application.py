"""The SureCart cloud: which of its hosts a request is for, and what faults and the log call it.

| host | what answers |
|---|---|
| `api.surecart.com` | `api.py` |
| `app.surecart.com` | `dashboard.py`: the pages where people make, copy and delete tokens |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.documents import Documents
from sandbox.exchange import Reply, UnknownInSheetError, VendorRequest, unknown_reply
from sandbox.surecart import api, dashboard
from sandbox.surecart.control import CloudControl
from sandbox.surecart.rate import Rate
from sandbox.surecart.state import API_HOST, DASHBOARD_HOST, Account, Cloud
from sandbox.vendor import ControlRoute, Surroundings, Vendor


class SureCart(Vendor):
    """The whole cloud."""

    def __init__(self, surroundings: Surroundings) -> None:
        documents = Documents(surroundings.directory / "surecart.sqlite")
        self._cloud = Cloud(documents, surroundings.key("surecart"))
        self._rate = Rate()
        self._url = surroundings.url

    def site(self, request: VendorRequest) -> ApiHost | DashboardHost | None:
        """The API or the dashboard, told apart by account where the request is somebody's."""
        if request.prefix == API_HOST:
            owner = api.secret_owner(self._cloud, request) or api.public_owner(self._cloud, request)
            return ApiHost(self._cloud, self._rate, owner)
        if request.prefix == DASHBOARD_HOST:
            return DashboardHost(self._cloud, self._cloud.find(dashboard.slug_of(request)))
        return None

    def control_routes(self) -> list[ControlRoute]:
        """Its part of the control API."""
        return CloudControl(self._cloud, self._rate, self._url).routes()

    def facts(self) -> dict[str, Any]:
        """How many accounts there are."""
        return {"surecart_accounts": len(self._cloud.accounts())}

    def close(self) -> None:
        """Close the database."""
        self._cloud.close()


@dataclass(frozen=True, slots=True)
class ApiHost:
    """`api.surecart.com` as one request sees it."""

    cloud: Cloud
    rate: Rate
    account: Account | None

    @property
    def name(self) -> str:
        """The host, and the slug of the account whose token came; the host alone for a dead token or none."""
        return f"{API_HOST}/{self.account.slug}" if self.account else API_HOST

    @property
    def latency(self) -> float:
        """The setting of the cloud."""
        return self.cloud.settings.latency

    @property
    def clock_offset(self) -> float:
        """The setting of the cloud."""
        return self.cloud.settings.clock_offset

    def operation(self, request: VendorRequest) -> str:
        """Such as `surecart_account`; see api.py."""
        return api.operation(request)

    def admit(self, request: VendorRequest) -> None:
        """Whose secret token it is was settled when the request came."""
        request.admitted = api.secret_owner(self.cloud, request)

    async def process(self, request: VendorRequest) -> Reply:
        """Answer a request, and carry out what it asks."""
        try:
            return api.answer(self.cloud, self.rate, request)
        except UnknownInSheetError as reason:
            return unknown_reply(str(reason))


@dataclass(frozen=True, slots=True)
class DashboardHost:
    """`app.surecart.com` as one request sees it."""

    cloud: Cloud
    account: Account | None

    @property
    def name(self) -> str:
        """The host, and the slug of the store whose page it is; the host alone before a store is chosen."""
        return f"{DASHBOARD_HOST}/{self.account.slug}" if self.account else DASHBOARD_HOST

    @property
    def latency(self) -> float:
        """The setting of the cloud."""
        return self.cloud.settings.latency

    @property
    def clock_offset(self) -> float:
        """The setting of the cloud."""
        return self.cloud.settings.clock_offset

    def operation(self, request: VendorRequest) -> str:
        """Such as `surecart_token_create`; see dashboard.py."""
        return dashboard.operation(request)

    def admit(self, request: VendorRequest) -> None:
        """Whose session it is was settled when the request came."""
        request.admitted = dashboard.session(self.cloud, request)

    async def process(self, request: VendorRequest) -> Reply:
        """Answer a request, and carry out what it asks."""
        try:
            return dashboard.answer(self.cloud, request)
        except UnknownInSheetError as reason:
            return unknown_reply(str(reason))
