"""The CoopCycle plugin: its settings, and the check that runs before each value is stored (coopcycle.md section 6).

The check looks at what the table of options holds at that moment, and runs for each of three options, one after the other.
So a first save checks nothing, a good save checks three times what was there before, and the first error ends the checks.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from html import escape
from typing import Any

from sandbox.vendor import Answer
from sandbox.woocommerce.pages import admin_page, hidden, nonce_field
from sandbox.woocommerce.state import Session
from sandbox.wordpress.state import PluginCalls
from sandbox.wordpress.visit import SiteVisit

PAGE = "coopcycle-settings"
GROUP = "coopcycle_woocommerce"
BASE_URL, API_KEY, API_SECRET = "coopcycle_base_url", "coopcycle_api_key", "coopcycle_api_secret"
FREE_SHIPPING, APP_NAME = "coopcycle_free_shipping", "coopcycle_app_name"
CHECKED = (BASE_URL, API_KEY, API_SECRET)
OPTIONS = (*CHECKED, FREE_SHIPPING)
"""What the settings group holds, in the order of saving; the name of the app is not among it."""

EMPTY_WORDS = {BASE_URL: "Base URL is empty", API_KEY: "API key is empty", API_SECRET: "API secret is empty"}
SCOPE_BODY = b"grant_type=client_credentials&scope=deliveries"
ENTRY_CONTEXT = "/api/contexts/Entrypoint"


class UncaughtError(Exception):
    """An exception that nothing in the plugin catches: WordPress answers 500."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message of the settings API, shown on the page that comes next."""

    code: str
    words: str
    kind: str = "error"


@dataclass(slots=True)
class Plugin:
    """The plugin during one save."""

    visit: SiteVisit
    notices: list[Notice] = field(default_factory=list)

    def sanitize(self, name: str, value: Any) -> Any:
        """A value as the plugin takes it: trimmed, with a message about what is wrong with it."""
        if name not in CHECKED:
            return value
        text = str(value or "").strip(" \t\n\r\0\x0b")
        if text in {"", "0"}:
            self.notices.append(Notice(name, EMPTY_WORDS[name]))
        if name == BASE_URL and not text.startswith(("http://", "https://")):
            self.notices.append(Notice(name, "The base URL must start with http:// or https://"))
        return text

    async def check(self, name: str) -> None:
        """Try the values stored so far, unless there was an error before or one of them is missing."""
        options = self.visit.site.options
        base_url, key, secret = (str(options.get(one) or "") for one in CHECKED)
        if name not in CHECKED or self.notices or not (base_url and key and secret):
            return
        entry = await self._call("GET", f"{base_url}/api", {"Content-Type": "application/json"})
        if entry is None or entry.status != 200 or _field(entry, "@context") != ENTRY_CONTEXT:
            self.notices.append(Notice(BASE_URL, "Server is not compatible with CoopCycle"))
            return
        token = await self._token(base_url, key, secret)
        if token is None or token.status != 200:
            self.notices.append(Notice(API_KEY, "API credentials are not valid"))
            return
        app_name = await self._app_name(base_url, key, secret)
        if app_name:
            options[APP_NAME] = app_name

    async def _app_name(self, base_url: str, key: str, secret: str) -> Any:
        """The name of the app, by a token of its own; anything but a success is an exception that nobody catches."""
        token = await self._token(base_url, key, secret)
        if token is None or not 200 <= token.status < 300:
            raise UncaughtError
        headers = {
            "Content-Type": "application/ld+json",
            "Authorization": f"Bearer {_field(token, 'access_token') or ''}",
        }
        me = await self._call("GET", f"{base_url}/api/me", headers)
        if me is None or not 200 <= me.status < 300:
            raise UncaughtError
        return _field(me, "name")

    async def _token(self, base_url: str, key: str, secret: str) -> Answer | None:
        pair = base64.b64encode(f"{key}:{secret}".encode("utf-8", "surrogateescape")).decode()
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        return await self._call("POST", f"{base_url}/oauth2/token", headers, SCOPE_BODY)

    async def _call(self, method: str, url: str, headers: dict[str, str], body: bytes = b"") -> Answer | None:
        """Without looking at the certificate (P10)."""
        calls = PluginCalls("coopcycle", self.visit.site, self.visit.call, self.visit.now)
        return await calls(method, url, headers, body, verify=False)


def settings_page(visit: SiteVisit, session: Session, notices: str) -> str:
    """The page below Settings, the three values in its form in clear."""
    options = visit.site.options
    name = options.get(APP_NAME)
    banner = f'<div class="notice notice-info"><p>Connected to app "{escape(str(name))}"</p></div>' if name else ""
    rows = "\n".join(
        f'<tr><th scope="row">{label}</th><td><input class="regular-text" type="text" id="{option}" name="{option}"'
        f' value="{escape(str(options.get(option) or ""))}" /></td></tr>'
        for option, label in ((BASE_URL, "Base URL"), (API_KEY, "API Key"), (API_SECRET, "API Secret"))
    )
    checked = ' checked="checked"' if options.get(FREE_SHIPPING) == "yes" else ""
    body = f"""{notices}
<div class="wrap"><h1>CoopCycle</h1>
{banner}
<form method="post" action="options.php">
{hidden("option_page", GROUP)}{hidden("action", "update")}{nonce_field(visit, visit.nonce(f"{GROUP}-options", session))}
<h2>General</h2>
<table class="form-table" role="presentation">
{rows}
<tr><th scope="row">Execute on free shipping</th><td><input type="checkbox" id="{FREE_SHIPPING}" name="{FREE_SHIPPING}"
value="yes"{checked} /></td></tr>
</table>
<p class="submit"><input type="submit" name="submit" id="submit" class="button button-primary" value="Save Changes" /></p>
</form></div>"""
    return admin_page(visit, session, "CoopCycle", body)


def _field(answer: Answer, name: str) -> Any:
    try:
        document = json.loads(answer.body)
    except ValueError:
        return None
    return document.get(name) if isinstance(document, dict) else None
