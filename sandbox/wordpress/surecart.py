"""The SureCart plugin: its token, its calls to the cloud, its account and its webhook (surecart.md sections 3 to 6).

Everything hangs on one rule: whatever request the cloud answers with 401 takes the stored token away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox.vendor import Answer
from sandbox.wordpress.state import ACCOUNT, TOKEN_OPTION, PluginCalls
from sandbox.wordpress.visit import SiteVisit

PLUGIN_VERSION = "4.6.6"
PLUGIN_VERSION_HEADER = "X-SURECART-WP-PLUGIN-VERSION"
TOKEN_HEADER = "X-SURECART-API-TOKEN"
PREVIOUS_ACCOUNT = "sc_previous_account"
REGISTERED_WEBHOOK = "surecart_registered_webhook"
CACHE_SECONDS = 15 * 60
PREVIOUS_SECONDS = 5 * 60
SUCCESS = (200, 201)
WEBHOOK_EVENTS = (
    "customer.created",
    "customer.updated",
    "purchase.created",
    "purchase.revoked",
    "subscription.renewed",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A WP_Error; without a status of its own it is answered with 500 and `data: null`."""

    code: str
    message: str
    status: int | None = None


class SureCart:
    """The plugin on one site, during one request."""

    def __init__(self, visit: SiteVisit) -> None:
        self._visit = visit
        self._site = visit.site
        self._calls = PluginCalls("surecart", visit.site, visit.call, visit.now)

    # The token

    @property
    def token(self) -> str | None:
        """The effective token: the constant, or what is stored; None where nothing is or it does not decrypt."""
        return self._site.settings.surecart_api_token or self.stored_token

    @property
    def stored_token(self) -> str | None:
        """What the option holds; empty once it was emptied."""
        return self._visit.sites.encryption(self._site).decrypt(self._site.options.get(TOKEN_OPTION))

    def save_token(self, token: str) -> None:
        """Store a token, untested."""
        self._site.options[TOKEN_OPTION] = self._visit.sites.encryption(self._site).encrypt(token)
        self._visit.keep()

    def clear_token(self) -> None:
        """Delete the option; a constant stays."""
        self._site.options.pop(TOKEN_OPTION, None)
        self._visit.keep()

    async def change_token(self, candidate: str) -> Problem | None:
        """Try a candidate at the cloud and store it; an empty one is stored untried."""
        if candidate:
            account = await self.find_account(candidate)
            if isinstance(account, Problem):
                return account
            self._site.transients.pop(ACCOUNT, None)
        self.save_token(candidate)
        return None

    # The cloud

    async def find_account(self, token: str | None = None) -> dict[str, Any] | Problem:
        """The account of a token, by default the effective one, fresh from the cloud."""
        return await self._request("GET", "/account", self.token if token is None else token)

    async def _request(
        self, method: str, path: str, token: str | None, document: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | Problem:
        """A request with a token; a 401 takes the stored one away, whichever was asked with."""
        if not token:
            return Problem("missing_token", "Please connect your site to SureCart.")
        answer = await self._send(method, path, _bearer(token), document)
        if answer is not None and answer.status == 409:
            # The plugin's bug: asked once more, and what comes back goes nowhere, but for what a 401 does.
            again = await self._send(method, path, _bearer(token), document)
            if again is not None and again.status == 401:
                self.clear_token()
        if answer is not None and answer.status == 401:
            self.clear_token()
            return Problem("invalid_token", "Invalid API token.")
        return self._outcome(answer)

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], document: Mapping[str, Any] | None
    ) -> Answer | None:
        url = self._visit.sites.cloud_url(self._site) + path
        body = b"" if document is None else json.dumps(document).encode()
        answer = await self._calls(method, url, {"Content-Type": "application/json", **headers}, body)
        self._visit.keep()
        return answer

    def _outcome(self, answer: Answer | None) -> dict[str, Any] | Problem:
        if answer is None:
            address = urlsplit(self._visit.sites.cloud_url(self._site))
            message = (
                f"cURL error 7: Failed to connect to {address.hostname} port {address.port or 443}: Connection refused"
            )
            return Problem("http_request_failed", message)
        document = _document(answer)
        if answer.status in SUCCESS:
            return document
        return Problem(str(document.get("code") or "error"), str(document.get("message") or ""), answer.status)

    # The account

    async def account(self) -> dict[str, Any] | None:
        """The account as the plugin's pages have it: cached for 15 minutes, or for 5 the last good one (section 5)."""
        site, now = self._site, self._visit.now
        if site.settings.localhost and not site.settings.surecart_cache_account:
            return _known(await self.find_account())
        cached: dict[str, Any] | None = site.transient(ACCOUNT, now)
        if cached is not None:
            return cached
        fresh = _known(await self.find_account())
        if fresh is not None:
            site.options[PREVIOUS_ACCOUNT] = fresh
            site.set_transient(ACCOUNT, fresh, now, CACHE_SECONDS)
        elif site.options.get(PREVIOUS_ACCOUNT):
            fresh = site.options[PREVIOUS_ACCOUNT]
            site.set_transient(ACCOUNT, fresh, now, PREVIOUS_SECONDS)
        self._visit.keep()
        return fresh

    async def provision(self, parameters: Mapping[str, Any]) -> dict[str, Any] | Problem:
        """A provisional store; its token comes in a header and is stored."""
        if self.token:
            return Problem("setup_complete", "You have already set up your store.")
        document = {
            "account_name": parameters.get("account_name"),
            "account_url": self._visit.home,
            "email": parameters.get("email"),
            "source": "surecart",
        }
        headers = {PLUGIN_VERSION_HEADER: PLUGIN_VERSION}
        answer = await self._send("POST", "/public/provisional_accounts", headers, document)
        token = answer.headers.get(TOKEN_HEADER) if answer is not None else None
        if token:
            self.save_token(token)
        return self._outcome(answer)

    # The webhook

    async def load_admin_page(self) -> None:
        """What `admin_init` does: register the site's webhook once, if the site is worth it (section 6)."""
        site = self._site
        if not self._visit.ssl or site.settings.localhost or not self.token or await self._has_webhook():
            return
        url = f"{self._visit.home}/surecart/webhooks"
        endpoint = {
            "description": "WordPress Webhook SureCart",
            "enabled": True,
            "destination": "wordpress",
            "url": url,
            "webhook_events": list(WEBHOOK_EVENTS),
        }
        made = await self._request("POST", "/webhook_endpoints", self.token, {"webhook_endpoint": endpoint})
        if isinstance(made, Problem):
            return
        secret = self._visit.sites.encryption(site).encrypt(str(made.get("signing_secret", "")))
        site.options[REGISTERED_WEBHOOK] = {"id": made.get("id"), "url": url, "signing_secret": secret}
        self._visit.keep()

    async def _has_webhook(self) -> bool:
        """Whether the site thinks that its webhook is registered; whether it asks the cloud is a setting."""
        registered = self._site.options.get(REGISTERED_WEBHOOK)
        if not registered or not self._site.settings.surecart_webhook_recheck:
            return bool(registered)
        found = await self._request("GET", f"/webhook_endpoints/{registered['id']}", self.token)
        return not isinstance(found, Problem) or found.status != 404


def _bearer(token: str) -> dict[str, str]:
    """The headers as they arrive: the value goes raw into the head, so a line break in it eats the next header."""
    if re.search(r"[\r\n\0]", token):
        broken = re.sub(r"[\r\n\0]+", " ", token)
        return {"Authorization": f"Bearer {broken}{PLUGIN_VERSION_HEADER}: {PLUGIN_VERSION}"}
    return {"Authorization": f"Bearer {token}", PLUGIN_VERSION_HEADER: PLUGIN_VERSION}


def _document(answer: Answer) -> dict[str, Any]:
    try:
        document = json.loads(answer.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _known(account: dict[str, Any] | Problem) -> dict[str, Any] | None:
    return account if not isinstance(account, Problem) and account.get("id") else None
