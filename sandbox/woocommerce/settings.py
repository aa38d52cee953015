"""The switches of a store: how its host, its plugins and its owner have set it up."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sandbox.woocommerce.texts import LANGUAGES

CHOICES: dict[str, tuple[str, ...]] = {
    "permalinks": ("pretty", "index.php", "plain"),
    "scheme": ("https", "http"),
    "language": tuple(LANGUAGES),
}


class SettingsError(ValueError):
    """A switch that does not exist, or a value it does not take."""


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Every switch with its default: a healthy store on a good host."""

    permalinks: str = "pretty"
    strip_authorization: bool = False
    """The host throws the `Authorization` header away."""
    two_factor: bool = False
    """A good password leads to a page that asks for a code, and to no cookies."""
    captcha: bool = False
    login_limit: int = 0
    """Failed logins after which every login is refused; 0 is no limit. Setting it anew forgets the failures."""
    wizard_pending: bool = False
    """The next admin page redirects to the wizard, once."""
    database_upgrade_pending: bool = False
    confirm_admin_email: bool = False
    clock_offset: float = 0.0
    """Seconds by which the clock of the store is ahead."""
    utc_offset: float = 0.0
    """Time zone of the site, in hours."""
    last_access: bool = True
    language: str = "en"
    date_format: str = ""
    """In PHP's letters, date and time together; empty is the language's own format."""
    home: str = ""
    """Home URL as WordPress has it stored; empty is the address it is asked under."""
    scheme: str = "https"
    """Scheme that WordPress sees; `http` is a store behind a TLS proxy that does not know of TLS."""
    trust_forwarded_proto: bool = False
    """wp-config honours `X-Forwarded-Proto`, which the front sets to https."""
    latency: float = 0.0
    grant_callback_to_loopback: bool = False
    """Let the grant page (way B) post the key to a loopback address."""
    nonce_salt: str = ""
    """Any change makes every nonce handed out so far stale."""
    secure_cookie_name: bool = False
    """Call the admin cookie `wordpress_sec_<hash>` instead of `wordpress_<hash>` (not in the sheet)."""

    def changed(self, changes: dict[str, Any]) -> StoreSettings:
        """A copy with some switches set; raises on anything odd."""
        for name, value in changes.items():
            if name not in DEFAULTS:
                raise SettingsError(f"there is no setting {name!r}")
            if not _fits(DEFAULTS[name], value):
                raise SettingsError(f"setting {name!r} takes a {type(DEFAULTS[name]).__name__}")
            if name in CHOICES and value not in CHOICES[name]:
                raise SettingsError(f"setting {name!r} is one of {', '.join(CHOICES[name])}")
        return replace(self, **changes)

    def stored(self) -> dict[str, Any]:
        """Only what differs from the defaults."""
        return {name: value for name, value in asdict(self).items() if value != DEFAULTS[name]}


DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(StoreSettings)}


def _fits(default: object, value: object) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))
