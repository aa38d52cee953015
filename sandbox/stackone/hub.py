"""The Hub's wire below `/hub` of the API's hosts: another world with its own token (stackone.md section 4, T5)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.exchange import Reply, VendorRequest
from sandbox.stackone import linking
from sandbox.stackone.replies import RefusedError, answer, plain_fields, secret_fields
from sandbox.stackone.state import PROVIDER, PROVIDER_NAME, Account, Session
from sandbox.stackone.visit import Visit

Handler = Callable[[Visit, Session], Awaitable[Reply]]
ATTEMPTS = "/hub/connection_attempts"


@dataclass(frozen=True, slots=True)
class Route:
    """A call of the Hub's."""

    method: str
    pattern: str
    operation: str
    handler: Handler


async def _settings(visit: Visit, session: Session) -> Reply:
    existing = {"existing_account_id": session.account_id} if session.account_id else {}
    return answer({"enabled_features": {}} | existing)


async def _connectors(visit: Visit, session: Session) -> Reply:
    organisation = visit.organisation
    wanted = visit.request.query.get("provider") or session.provider or PROVIDER
    integration = {
        "integration_id": organisation.integration_id,
        "provider": PROVIDER,
        "name": PROVIDER_NAME,
        "type": "ecommerce",
        "active": organisation.settings.connector == "active",
        "version": "1.0.0",
        "authentication_config_key": organisation.settings.config_type,
        "environment": session.type,
    }
    there = organisation.settings.connector != "missing" and wanted == PROVIDER
    return answer({"integrations": [integration] if there else []})


async def _connector(visit: Visit, session: Session) -> Reply:
    organisation = visit.organisation
    if visit.target != organisation.integration_id or organisation.settings.connector == "missing":
        raise RefusedError(404, "Integration not found")
    kind = organisation.settings.config_type
    fields = linking.config_fields(organisation) if kind == "custom" else []
    return answer(
        {"config": {"key": kind, "name": PROVIDER_NAME, "type": kind, "configFields": fields}, "hub_settings": {}}
    )


async def _create_account(visit: Visit, session: Session) -> Reply:
    values = _values(visit, session)
    account = await linking.link(visit.state, visit.call, visit.organisation, session, values)
    return answer({"id": account.id, "provider": account.provider}, 201)


async def _read_account(visit: Visit, session: Session) -> Reply:
    account, organisation = edited_account(visit, session), visit.organisation
    return answer(
        {
            "id": account.id,
            "provider": account.provider,
            "integrationId": account.integration_id,
            "setupInformation": plain_fields(organisation, account),
            "secrets": secret_fields(organisation, account),
        }
    )


async def _update_account(visit: Visit, session: Session) -> Reply:
    account, values = edited_account(visit, session), _values(visit, session)
    await linking.edit(visit.state, visit.call, visit.organisation, session, account, values)
    return answer({"id": account.id, "provider": account.provider})


async def _start_attempt(visit: Visit, session: Session) -> Reply:
    _demand_oauth(visit)
    return answer({"id": secrets.token_hex(8), "status": "pending", "authorization_url": f"{visit.url}/no-such-login/"})


async def _show_attempt(visit: Visit, session: Session) -> Reply:
    _demand_oauth(visit)
    return answer({"id": visit.target, "status": "pending"})


async def _cancel_attempt(visit: Visit, session: Session) -> Reply:
    _demand_oauth(visit)
    return answer({"id": visit.target, "status": "cancelled"})


ROUTES = (
    Route("GET", "/hub/settings", "hub_settings", _settings),
    Route("GET", "/hub/connectors", "hub_connectors", _connectors),
    Route("GET", "/hub/connectors/(?P<id>[^/]+)", "hub_connector", _connector),
    Route("POST", "/hub/accounts", "hub_account_create", _create_account),
    Route("GET", "/hub/accounts/(?P<id>[^/]+)", "hub_account_read", _read_account),
    Route("PATCH", "/hub/accounts/(?P<id>[^/]+)", "hub_account_update", _update_account),
    Route("POST", ATTEMPTS, "hub_attempt_create", _start_attempt),
    Route("GET", f"{ATTEMPTS}/(?P<id>[^/]+)", "hub_attempt_read", _show_attempt),
    Route("DELETE", f"{ATTEMPTS}/(?P<id>[^/]+)", "hub_attempt_cancel", _cancel_attempt),
)


def route_of(request: VendorRequest) -> tuple[Route, str] | None:
    """The route of a request, and what its path names."""
    for route in ROUTES:
        match = re.fullmatch(route.pattern, request.path)
        if match and route.method == request.method:
            return route, match.groupdict().get("id", "")
    return None


async def process(visit: Visit, route: Route) -> Reply:
    """Carry a call of the Hub's out, if its session lives (T4)."""
    return await route.handler(visit, living_session(visit))


def living_session(visit: Visit) -> Session:
    """The session of the caller; raises when it is over."""
    session = visit.caller.session
    if session is None or session.expires <= visit.organisation.now:
        raise RefusedError(visit.organisation.settings.expired_status, "The session has expired")
    return session


def edited_account(visit: Visit, session: Session) -> Account:
    """The account that an edit session is for; no other can be seen with it."""
    mine = session.account_id == visit.target and session.account_id is not None
    account = visit.state.account(visit.organisation, visit.target) if mine else None
    if account is None:
        raise RefusedError(404, "Linked account not found")
    return account


def _values(visit: Visit, session: Session) -> linking.Values:
    body = visit.body()
    offered = visit.organisation.settings.connector == "active" and session.provider in {None, PROVIDER}
    if not offered or body.get("integration_id") != visit.organisation.integration_id:
        raise RefusedError(404, "Integration not found")
    return linking.values_of(visit.organisation, body.get("credentials"))


def _demand_oauth(visit: Visit) -> None:
    if visit.organisation.settings.config_type != "oauth2":
        raise RefusedError(404, "This integration is not linked by OAuth")
