"""What tests and scripts ask of the WordPress sites."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Call = Callable[..., dict[str, Any]]
"""Method, path below `/_control`, and a JSON body where there is one; answers JSON."""


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site as it is now; secrets only as SHA-256 in hex."""

    name: str
    url: str
    """Home URL, without a slash at its end."""
    site: str
    """What faults and the log call it."""
    login: str
    """Login name of the administrator."""
    settings: dict[str, Any]
    options: dict[str, Any]
    """The table of options; a secret in plain text shows as `sha256:..`, SureCart's token as it is encrypted."""
    transients: tuple[str, ...]
    """Names of the transients, expired ones included."""
    token: str
    """SureCart's option: absent, emptied, stored or undecryptable."""
    stored_sha256: str | None
    effective_sha256: str | None
    """Of the token that counts: the constant, or the stored one."""
    constant: bool
    """Whether the constant `SURECART_API_TOKEN` is defined."""

    def holds(self, token: str) -> bool:
        """Whether the option holds exactly this token."""
        return self.stored_sha256 == hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CallRow:
    """A request that a plugin of the site made itself; `status` is None where nothing was answered."""

    plugin: str
    method: str
    url: str
    status: int | None
    at: float


class SiteClient:
    """One method per control route of the sites."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def create(
        self, name: str, admin_password: str, *, users: Sequence[dict[str, Any]] = (), **settings: Any
    ) -> SiteRow:
        """Make a site. Its administrator is `connector`; `shop-manager` and `customer` get a password if `users` says so.

        README.md lists the settings.
        """
        order = {"name": name, "admin_password": admin_password, "users": list(users), "settings": settings}
        return _row(self._call("POST", "/wordpress", order))

    def all(self) -> list[SiteRow]:
        """Every site."""
        return [_row(row) for row in self._call("GET", "/wordpress")["sites"]]

    def get(self, name: str) -> SiteRow:
        """One site, as it is now."""
        return _row(self._call("GET", f"/wordpress/{name}"))

    def delete(self, name: str) -> None:
        """Take a site away."""
        self._call("DELETE", f"/wordpress/{name}")

    def change_settings(self, name: str, **settings: Any) -> SiteRow:
        """Set some switches."""
        return _row(self._call("PATCH", f"/wordpress/{name}/settings", settings))

    def add_user(self, name: str, login: str, role: str, password: str = "") -> None:
        """A new user: administrator, shop_manager or customer. Without a password nobody can log in."""
        self._call("POST", f"/wordpress/{name}/users", {"login": login, "role": role, "password": password})

    def end_sessions(self, name: str) -> int:
        """Log everybody out."""
        ended: int = self._call("DELETE", f"/wordpress/{name}/sessions")["ended"]
        return ended

    def application_password(self, name: str, login: str = "connector", label: str = "connections") -> str:
        """A new application password of a user, given once."""
        order = {"login": login, "name": label}
        password: str = self._call("POST", f"/wordpress/{name}/application-passwords", order)["password"]
        return password

    def revoke_application_passwords(self, name: str) -> int:
        """Delete every application password of a site; returns how many there were."""
        deleted: int = self._call("DELETE", f"/wordpress/{name}/application-passwords")["deleted"]
        return deleted

    def write_options(self, name: str, options: dict[str, Any]) -> SiteRow:
        """Write options as WP-CLI does: no plugin checks them; None deletes."""
        return _row(self._call("PUT", f"/wordpress/{name}/options", options))

    def calls(self, name: str) -> list[CallRow]:
        """Every request that the plugins of a site made themselves, oldest first."""
        return [CallRow(**row) for row in self._call("GET", f"/wordpress/{name}/calls")["calls"]]

    def forget_calls(self, name: str) -> None:
        """Begin the list of calls anew."""
        self._call("DELETE", f"/wordpress/{name}/calls")

    def cloud_status(self, name: str) -> int | None:
        """What the SureCart cloud answers to the effective token right now; None without a token or an answer.

        Nothing is wiped by it, and it is not among the calls.
        """
        status: int | None = self._call("GET", f"/wordpress/{name}/cloud")["status"]
        return status


def _row(row: dict[str, Any]) -> SiteRow:
    return SiteRow(**row | {"transients": tuple(row["transients"])})
