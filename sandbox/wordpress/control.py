"""WordPress's part of the control API: sites, a person's hands in them, and what they keep. Never a secret."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from sandbox.control import body_of
from sandbox.vendor import Call, ControlRoute
from sandbox.woocommerce.settings import DEFAULTS
from sandbox.wordpress.state import SECRET_OPTIONS, TOKEN_OPTION, Site, SiteError, Sites, fingerprint

ADMINISTRATOR = "connector"


class SiteControl:
    """Handlers below `/_control/wordpress`; each takes JSON and answers JSON."""

    def __init__(self, sites: Sites, url: str, call: Call) -> None:
        self._sites = sites
        self._url = url
        self._call = call

    def routes(self) -> list[ControlRoute]:
        """Every route."""
        sites = "/_control/wordpress"
        site = f"{sites}/{{site}}"
        return [
            ("GET", sites, self._list),
            ("POST", sites, self._create),
            ("GET", site, self._show),
            ("DELETE", site, self._delete),
            ("PATCH", f"{site}/settings", self._change_settings),
            ("POST", f"{site}/users", self._add_user),
            ("DELETE", f"{site}/sessions", self._end_sessions),
            ("POST", f"{site}/application-passwords", self._add_application_password),
            ("DELETE", f"{site}/application-passwords", self._delete_application_passwords),
            ("PUT", f"{site}/options", self._write_options),
            ("GET", f"{site}/calls", self._list_calls),
            ("DELETE", f"{site}/calls", self._forget_calls),
            ("GET", f"{site}/cloud", self._ask_cloud),
        ]

    async def _list(self, _: web.Request) -> Any:
        return {"sites": [self._shown(site) for site in self._sites.all()]}

    async def _create(self, request: web.Request) -> Any:
        order = await body_of(request)
        unknown = set(order) - {"name", "admin_password", "users", "settings"}
        if unknown:
            raise SiteError(f"unknown field {min(unknown)!r}")
        settings = order.get("settings") or {}
        return self._shown(
            self._sites.create(order["name"], order["admin_password"], order.get("users") or [], settings)
        )

    async def _show(self, request: web.Request) -> Any:
        return self._shown(self._site(request))

    async def _delete(self, request: web.Request) -> Any:
        self._sites.delete(request.match_info["site"])
        return {}

    async def _change_settings(self, request: web.Request) -> Any:
        site = self._site(request)
        self._sites.change_settings(site, await body_of(request))
        return self._shown(site)

    async def _add_user(self, request: web.Request) -> Any:
        store = self._sites.store(self._site(request))
        user = self._sites.state.add_user(store, await body_of(request))
        return {"id": user.id, "login": user.login, "role": user.role}

    async def _end_sessions(self, request: web.Request) -> Any:
        return {"ended": self._sites.state.close_all_sessions(self._sites.store(self._site(request)))}

    async def _add_application_password(self, request: web.Request) -> Any:
        order = await body_of(request)
        store, state = self._sites.store(self._site(request)), self._sites.state
        user = state.user_by_login(store, order["login"])
        if user is None:
            raise SiteError(f"there is no user {order['login']!r}")
        now = int(time.time() + store.settings.clock_offset)
        identifier, password = state.add_application_password(store, user, order["name"], now)
        return {"uuid": identifier, "password": password}

    async def _delete_application_passwords(self, request: web.Request) -> Any:
        store, state = self._sites.store(self._site(request)), self._sites.state
        return {"deleted": sum(state.delete_application_passwords(store, user) for user in state.users(store))}

    async def _write_options(self, request: web.Request) -> Any:
        """As WP-CLI writes them: no plugin looks at it; null deletes an option."""
        site = self._site(request)
        for name, value in (await body_of(request)).items():
            if value is None:
                site.options.pop(name, None)
            else:
                site.options[name] = value
        self._sites.keep(site)
        return self._shown(site)

    async def _list_calls(self, request: web.Request) -> Any:
        return {"calls": [call.model_dump() for call in self._site(request).calls]}

    async def _forget_calls(self, request: web.Request) -> Any:
        site = self._site(request)
        site.calls.clear()
        self._sites.keep(site)
        return {}

    async def _ask_cloud(self, request: web.Request) -> Any:
        """What the cloud says to the effective token right now; nothing is wiped and nothing noted."""
        site = self._site(request)
        token = site.settings.surecart_api_token or self._stored_token(site)
        if not token:
            return {"status": None}
        url = f"{self._sites.cloud_url(site)}/account"
        answer = await self._call("GET", url, headers={"Authorization": f"Bearer {token}"})
        return {"status": None if answer is None else answer.status}

    def _site(self, request: web.Request) -> Site:
        return self._sites.get(request.match_info["site"])

    def _stored_token(self, site: Site) -> str | None:
        return self._sites.encryption(site).decrypt(site.options.get(TOKEN_OPTION))

    def _shown(self, site: Site) -> dict[str, Any]:
        stored = self._stored_token(site)
        if TOKEN_OPTION not in site.options:
            token = "absent"
        elif stored is None:
            token = "undecryptable"
        else:
            token = "stored" if stored else "emptied"
        effective = site.settings.surecart_api_token or stored
        options = {
            name: f"sha256:{fingerprint(str(value))}" if name in SECRET_OPTIONS and value else value
            for name, value in site.options.items()
        }
        own = site.settings.model_dump(exclude={"surecart_api_token"})
        store = self._sites.store(site).settings
        return {
            "name": site.name,
            "site": site.site,
            "url": f"{self._url}/{site.site}",
            "login": ADMINISTRATOR,
            "settings": {name: getattr(store, name) for name in DEFAULTS} | own,
            "options": options,
            "transients": sorted(site.transients),
            "token": token,
            "stored_sha256": fingerprint(stored) if stored else None,
            "effective_sha256": fingerprint(effective) if effective else None,
            "constant": bool(site.settings.surecart_api_token),
        }
