"""SureCart's REST routes: settings, account, site health, provisional accounts (surecart.md sections 4 and 5)."""

from __future__ import annotations

from sandbox.exchange import Reply, UnknownInSheetError
from sandbox.woocommerce.authentication import Identity
from sandbox.woocommerce.rest_replies import READING, RestError, json_reply, no_route
from sandbox.woocommerce.wordpress_rest import may
from sandbox.wordpress.surecart import Problem, SureCart
from sandbox.wordpress.visit import SiteVisit

EDITING = ("POST", "PUT", "PATCH")

SWITCHES = {
    "uninstall": "sc_uninstall",
    "stripe_payment_element": "sc_stripe_payment_element",
    "use_esm_loader": "surecart_use_esm_loader",
    "slide_out_cart_disabled": "sc_slide_out_cart_disabled",
}
"""The boolean fields of the settings, and the options behind them."""


async def answer(visit: SiteVisit, identity: Identity, route: str) -> Reply:
    """A route below surecart/v1."""
    method = visit.request.method
    if route == "/settings":
        _need(identity, "manage_options")
        if method in READING:
            return _settings(visit)
        if method in EDITING:
            return await _change_settings(visit)
    elif route == "/account":
        _need(identity, "manage_options")
        if method in READING:
            return await _account(visit)
    elif route == "/site-health/api-connectivity":
        _need(identity, "view_site_health_checks")
        if method in READING:
            return await _health(visit)
    elif route == "/provisional_accounts":
        _need(identity, "manage_options")
        if method == "POST":
            return await _provision(visit)
    else:
        raise UnknownInSheetError(f"surecart/v1{route}")
    raise no_route(visit)


def _need(identity: Identity, capability: str) -> None:
    if not may(identity, capability):
        status = 401 if identity.user is None else 403
        raise RestError("rest_forbidden", "Sorry, you are not allowed to do that.", status)


def _failed(problem: Problem) -> Reply:
    data = None if problem.status is None else {"status": problem.status}
    return json_reply({"code": problem.code, "message": problem.message, "data": data}, problem.status or 500)


def _settings(visit: SiteVisit) -> Reply:
    """Everything, the token in clear."""
    token = SureCart(visit).token
    switches = {name: bool(visit.site.options.get(option)) for name, option in SWITCHES.items()}
    return json_reply({"object": "settings", "api_token": False if token is None else token} | switches)


async def _change_settings(visit: SiteVisit) -> Reply:
    parameters = visit.parameters()
    candidate = parameters.get("api_token")
    if candidate is not None:
        if not isinstance(candidate, str):
            raise UnknownInSheetError("a token that is no text")
        problem = await SureCart(visit).change_token(candidate)
        if problem is not None:
            return _failed(problem)
    for name, option in SWITCHES.items():
        if parameters.get(name) is not None:
            visit.site.options[option] = parameters[name] not in {False, "", "0", "false"}
    visit.keep()
    return _settings(visit)


async def _account(visit: SiteVisit) -> Reply:
    surecart = SureCart(visit)
    account = await surecart.account() or {"object": "account", "id": None}
    return json_reply(account | {"is_connected": bool(surecart.token and account["id"])})


async def _health(visit: SiteVisit) -> Reply:
    """Always 200; and whatever the call does to the token, it does."""
    account = await SureCart(visit).find_account()
    good = not isinstance(account, Problem) and bool(account.get("id"))
    words = "Your site can reach the SureCart API." if good else "Your site cannot reach the SureCart API."
    return json_reply(
        {
            "label": "SureCart API connectivity",
            "status": "good" if good else "critical",
            "badge": {"label": "SureCart", "color": "blue" if good else "red"},
            "description": f"<p>{words}</p>",
            "actions": "",
            "test": "surecart_api_test",
        }
    )


async def _provision(visit: SiteVisit) -> Reply:
    made = await SureCart(visit).provision(visit.parameters())
    return _failed(made) if isinstance(made, Problem) else json_reply(made)
