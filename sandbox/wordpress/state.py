"""The sites: switches of WordPress and its plugins, the table of options, transients, and what the plugins called."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.documents import Documents
from sandbox.vendor import Answer, Call
from sandbox.woocommerce.settings import DEFAULTS
from sandbox.woocommerce.state import State, Store
from sandbox.wordpress.encryption import Encryption

HOST = "wordpress.example"
"""The host that the sites stand on, here the first segment of the path."""

KIND = "wordpress.site"
CALLS_KEPT = 1000
WORDPRESS_VERSION = "11.0.1"
"""The WooCommerce that a site has: the one observed on the same WordPress as both plugins."""

TOKEN_OPTION = "sc_api_token"
SECRET_OPTIONS = ("coopcycle_api_secret",)
"""Options that hold a secret in plain text; the control API gives their fingerprint."""

SETTINGS_ERRORS = "settings_errors"
ACCOUNT = "surecart_account"


class SiteSettings(BaseModel):
    """Switches of a site beside those of WordPress in general (`woocommerce/settings.py`)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    surecart: bool = True
    """The SureCart plugin is active."""
    coopcycle: bool = True
    """The CoopCycle plugin is active."""
    environment: Literal["production", "local"] = "production"
    """`WP_ENVIRONMENT_TYPE`; `local` offers application passwords on plain http too."""
    application_passwords: bool = True
    """Off: a security plugin or the host has switched application passwords off."""
    localhost: bool = False
    """The SureCart plugin takes the site for a local one: no webhook and no account cache."""
    surecart_cache_account: bool = False
    """The constant of that name: the account cache on a local site too."""
    surecart_api_url: str = ""
    """The constant `SURECART_API_URL`, without `/v1`; empty is the sandbox's own cloud."""
    surecart_api_token: str = Field("", repr=False)
    """The constant of that name; empty is not defined."""
    surecart_webhook_recheck: bool = False
    """An admin page asks the cloud for the registered webhook and registers another if it is gone (unknown)."""
    salts: str = ""
    """Any change makes what SureCart has encrypted undecryptable; changing it back heals."""


class PluginCall(BaseModel):
    """A request that a plugin made itself; `status` is None where nothing was answered."""

    plugin: Literal["surecart", "coopcycle"]
    method: str
    url: str
    status: int | None
    at: float


class Transient(BaseModel):
    """A value that WordPress forgets."""

    value: Any
    expires: float


class Site(BaseModel):
    """What a site keeps beside its users and their sessions."""

    model_config = ConfigDict(extra="forbid")

    name: str
    settings: SiteSettings = SiteSettings()
    options: dict[str, Any] = {}
    transients: dict[str, Transient] = {}
    calls: list[PluginCall] = []

    @property
    def site(self) -> str:
        """The host and the site: what faults and the log call it."""
        return f"{HOST}/{self.name}"

    def transient(self, name: str, now: float) -> Any:
        """The value of a transient, None once it has expired."""
        found = self.transients.get(name)
        return found.value if found and found.expires > now else None

    def set_transient(self, name: str, value: Any, now: float, seconds: float) -> None:
        """Keep a value for so long by the clock of the site."""
        self.transients[name] = Transient(value=value, expires=now + seconds)


class SiteError(ValueError):
    """A control call that cannot be carried out."""


class Sites:
    """Every site of the process: its users and sessions in `state`, the rest kept in memory and written through."""

    def __init__(self, documents: Documents, state: State, secret: bytes, cloud_url: str) -> None:
        self.state = state
        self._documents = documents
        self._secret = secret
        self._cloud_url = cloud_url
        stored = [Site.model_validate_json(document) for document in documents.all(KIND)]
        self._sites = {site.name: site for site in stored}

    def all(self) -> list[Site]:
        """Every site."""
        return list(self._sites.values())

    def find(self, name: str) -> Site | None:
        """The site of this name, or None."""
        return self._sites.get(name)

    def get(self, name: str) -> Site:
        """The site of this name; raises if there is none."""
        site = self.find(name)
        if site is None:
            raise SiteError(f"there is no site {name!r}")
        return site

    def store(self, site: Site) -> Store:
        """The WordPress of a site: users, sessions, application passwords, switches."""
        return self.state.store(site.name)

    def create(self, name: str, admin_password: str, users: list[dict[str, Any]], settings: dict[str, Any]) -> Site:
        """A new site with the users that a store has, and options as WordPress makes them."""
        if name in self._sites:
            raise SiteError(f"there is a site {name!r} already")
        wordpress, own = _divided(settings)
        site = Site(name=name, settings=SiteSettings.model_validate(own))
        order = {
            "name": name,
            "version": WORDPRESS_VERSION,
            "admin_password": admin_password,
            "users": users,
            "foreign_keys": [],
            "settings": wordpress,
        }
        self.state.create_stores([order])
        site.options = {
            "admin_email": "connector@shop.example",
            "blogdescription": "",
            "blogname": name,
            "date_format": "F j, Y",
            "sidebars_widgets": {"wp_inactive_widgets": []},
            "timezone_string": "",
        }
        self._sites[name] = site
        self.keep(site)
        return site

    def delete(self, name: str) -> None:
        """Take a site away."""
        site = self.get(name)
        self.state.delete_store(self.store(site))
        del self._sites[name]
        self._documents.delete(KIND, name)

    def change_settings(self, site: Site, changes: dict[str, Any]) -> None:
        """Set some switches, WordPress's or the plugins'."""
        wordpress, own = _divided(changes)
        settings = SiteSettings.model_validate(site.settings.model_dump() | own)
        if wordpress:
            self.state.change_settings(self.store(site), wordpress)
        site.settings = settings
        self.keep(site)

    def keep(self, site: Site) -> None:
        """Write a changed site through; one that was taken away meanwhile stays away."""
        if self._sites.get(site.name) is site:
            self._documents.put(KIND, site.name, site.model_dump_json())

    def encryption(self, site: Site) -> Encryption:
        """What SureCart encrypts with, as the salts are now."""
        message = f"{site.name}:{site.settings.salts}".encode()
        return Encryption(hmac.digest(self._secret, message, "sha256"))

    def cloud_url(self, site: Site) -> str:
        """The base of the SureCart cloud as the plugin has it, with `/v1`."""
        return f"{(site.settings.surecart_api_url or self._cloud_url).rstrip('/')}/v1"


class PluginCalls:
    """The requests of one plugin of a site, each noted without a value."""

    def __init__(self, plugin: Literal["surecart", "coopcycle"], site: Site, call: Call, now: float) -> None:
        self._plugin = plugin
        self._site = site
        self._call = call
        self._now = now

    async def __call__(
        self, method: str, url: str, headers: dict[str, str], body: bytes = b"", *, verify: bool = True
    ) -> Answer | None:
        """Call and note it; the query is not noted."""
        answer = await self._call(method, url, headers=headers, body=body, verify=verify)
        status = None if answer is None else answer.status
        noted = PluginCall(
            plugin=self._plugin, method=method, url=url.partition("?")[0], status=status, at=round(self._now, 3)
        )
        self._site.calls.append(noted)
        del self._site.calls[:-CALLS_KEPT]
        return answer


def fingerprint(text: str) -> str:
    """SHA-256 of a text in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _divided(settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    wordpress = {name: value for name, value in settings.items() if name in DEFAULTS}
    return wordpress, {name: value for name, value in settings.items() if name not in DEFAULTS}
