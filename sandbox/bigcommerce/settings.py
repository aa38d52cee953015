"""The switches of a store: its plan, what goes wrong there, and every point that sheet 14 calls a choice.

What is not known of the real platform is a setting here, so that no client takes one value for a fact.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

CHOICES: dict[str, tuple[str, ...]] = {
    "foreign_token": ("401", "403"),
    "dead_token_body": ("title", "text", "empty"),
    "missing_scope_body": ("title", "2016"),
    "v2_errors": ("list", "object"),
    "forbidden": ("", "platform_limit", "owner_changed", "feature_disabled"),
    "stencil_token": ("no_scopes", "themes", "refused"),
    "credentials_layout": ("labelled", "capitals", "equals", "next_line", "windows", "json"),
    "expiry_claim": ("eat", "exp"),
    "private_token_origins": ("optional", "required"),
    "graphql_refusal": ("401", "403"),
    "graphql_missing_scope": ("errors", "403"),
}
"""The words that a setting takes, where it does not take any."""

ERROR_STATUSES = (500, 501, 502, 503, 504, 505)


class SettingsError(ValueError):
    """A switch that does not exist, or a value it does not take."""


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Every switch with its default."""

    # The store
    plan_level: str = "Standard"
    channels: list[int] = field(default_factory=lambda: [1])
    """Ids of the channels that storefront tokens may be for."""
    clock_offset: float = 0.0
    """Seconds by which the clock of the store is ahead: expiry and delays follow it."""
    latency: float = 0.0

    # The panel
    account_limit: int = 50
    title_maximum: int = 0
    """Longest title of an account; 0 is no limit (unknown, sheet 3.1)."""
    metafields: bool = True
    """The panel shows the rows Metafield ownership and Metafields access."""
    translations: bool = False
    b2b: bool = False
    infrastructure: bool = False
    credentials_layout: str = "labelled"
    """Layout of the downloaded .txt (unknown, sheet 3.1)."""
    two_factor: bool = False
    """A good password leads to a page that asks for a code."""

    # Rate (sheet 7)
    quota: int = 150
    """Requests in a window, shared by all tokens of the store."""
    window_ms: int = 30_000
    rate_headers: bool = True
    """Every answer carries the four headers; off: none does, a 429 neither."""
    limit_headers: bool = True
    """A 429 over quota carries its headers."""
    overloaded: bool = False
    """Every request is answered 429 without headers: the platform is overloaded."""
    server_error: int = 0
    """Status of the 5xx that every request is answered with; 0 is none."""

    # The gateway (sheet 14.1)
    url_before_token: bool = True
    """An unknown route and a trailing slash are seen before the token is."""
    foreign_token: str = "401"
    """What the token of another store gets: the 401, or a 403 for a missing scope everywhere."""
    deletion_delay: float = 0.0
    """Seconds for which the token of a deleted account still works."""
    dead_token_body: str = "title"
    missing_scope_body: str = "title"
    """The recorded body with a title, or the one of 2016."""
    v2_errors: str = "list"
    forbidden: str = ""
    """A 403 for another cause than a missing scope; empty is none."""
    forbidden_operations: list[str] = field(default_factory=lambda: ["*"])
    """Operations that get it, as shell patterns."""
    accepting: list[str] = field(default_factory=list)
    """Operations of write routes that take any body, `{}` too, and answer 201 having created something."""
    statuses: dict[str, int] = field(default_factory=dict)
    """Operation to the status that a token with the scope gets, where sheet 5.2 names several."""
    payment_methods_by_information: bool = False
    """Information & settings opens Get payment methods too."""
    stencil_token: str = "no_scopes"
    """What the token of a Stencil-CLI account is at the gateway: alive without scopes, good for themes, or refused."""

    # Storefront tokens (sheet 8)
    storefront_revocation_delay: float = 0.0
    """Seconds for which a revoked storefront token still works."""
    storefront_tokens_die_with_account: bool = False
    expiry_claim: str = "eat"
    private_token_origins: str = "optional"
    storefront_server_use: bool = False
    """A plain storefront token works without an `Origin` header, as those made before July 2026 do until March 2027."""
    graphql_refusal: str = "403"
    """What a living token gets for a foreign origin, or without one where it needs one."""
    graphql_missing_scope: str = "errors"
    """Admin GraphQL without the scope: 200 with `errors`, or the gateway's 403."""

    @property
    def rows_offered(self) -> tuple[str, ...]:
        """Which groups of newer rows the panel shows (names out of `scopes.SWITCHABLE`)."""
        return tuple(name for name in ("metafields", "translations", "b2b", "infrastructure") if getattr(self, name))

    def changed(self, changes: dict[str, Any]) -> StoreSettings:
        """A copy with some switches set; raises on anything odd."""
        for name, value in changes.items():
            if name not in DEFAULTS:
                raise SettingsError(f"there is no setting {name!r}")
            if not _fits(DEFAULTS[name], value):
                raise SettingsError(f"setting {name!r} takes a {type(DEFAULTS[name]).__name__}")
            if name in CHOICES and value not in CHOICES[name]:
                raise SettingsError(f"setting {name!r} is one of {', '.join(CHOICES[name])}")
        if changes.get("server_error", 0) not in (0, *ERROR_STATUSES):
            raise SettingsError(f"setting 'server_error' is 0 or one of {', '.join(map(str, ERROR_STATUSES))}")
        return replace(self, **changes)

    def stored(self) -> dict[str, Any]:
        """Only what differs from the defaults."""
        return {name: value for name, value in asdict(self).items() if value != DEFAULTS[name]}


DEFAULTS: dict[str, Any] = {item.name: getattr(StoreSettings(), item.name) for item in fields(StoreSettings)}


def _fits(default: object, value: object) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))
