"""HashiCorp Vault behind one door: documents, keyed digests, logins, and what to say when it does not answer.

hvac and its types stay in `wire.py`. Thread-safe; nothing is asked of Vault before the first call, so a preview without
Vault can still say that it is without Vault.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from providers.core.errors import VaultDenied, VaultError
from providers.core.redaction import Secret
from providers.core.vault import kv
from providers.core.vault.documents import KvDocuments
from providers.core.vault.keyring import TransitKeyring
from providers.core.vault.login import Session
from providers.core.vault.paths import checked, joined
from providers.core.vault.settings import Login, VaultSettings
from providers.core.vault.wire import Action, Kind, Wire
from providers.core.vault.wrapping import Wrapped, Wrapping, WrappingState

__all__ = [
    "Health",
    "Identity",
    "KvDocuments",
    "Login",
    "TransitKeyring",
    "Vault",
    "VaultSettings",
    "Wrapped",
    "Wrapping",
    "WrappingState",
]

State = Literal["active", "standby", "performance_standby", "secondary", "sealed", "uninitialised", "unreachable"]


@dataclass(frozen=True, slots=True)
class Health:
    """How this node of Vault is. `state` is a word for programs, `words` a line for people."""

    state: State
    words: str
    version: str = ""

    @property
    def usable(self) -> bool:
        """Whether operations may rest on this node's answers."""
        return self.state in {"active", "standby"}


_TOLD: Mapping[State, Callable[[Mapping[str, Any]], bool]] = {
    "uninitialised": lambda seen: seen.get("initialized") is False,
    "sealed": lambda seen: seen.get("sealed") is True,
    "secondary": lambda seen: seen.get("replication_dr_mode") == "secondary",
    "performance_standby": lambda seen: seen.get("performance_standby") is True,
    "standby": lambda seen: seen.get("standby") is True,
}
"""Which fields of `sys/health` tell a state, the gravest first."""

_WORDS: Mapping[State, str] = {
    "active": "Vault is unsealed and active",
    "standby": "this node of Vault is a standby and hands requests on to the active one",
    "performance_standby": "this node of Vault is a performance standby, whose answers may be old: use the active node",
    "secondary": "this node of Vault is a disaster-recovery secondary: use the primary",
    "sealed": "Vault is sealed: have it unsealed by its administrators",
    "uninitialised": "Vault is not initialised: have that done by its administrators",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose token is used: never the token. `ends_in` is in seconds, None for a token that never ends."""

    name: str
    policies: tuple[str, ...]
    ends_in: int | None
    renewable: bool


class Vault:
    """One Vault and one login, shared by all threads. `clock`, `wait` and `draw` are given by tests."""

    def __init__(
        self,
        settings: VaultSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._wire = Wire(settings, wait=wait, draw=draw)
        self._session = Session(self._wire, clock=clock)

    def documents(self, mount: str, base: str) -> KvDocuments:
        """The documents of the stack whose base path is `<project>/<stack>`. No call is made yet."""
        return KvDocuments(self._call, mount, base, self.settings.host, self._clock)

    def keyring(self, mount: str) -> TransitKeyring:
        """Digests by the two keys of this transit mount. No call is made yet."""
        return TransitKeyring(self._call, mount, self.settings.host)

    def wrapping(self) -> Wrapping:
        """Hand-overs behind single-use tokens. No call is made yet."""
        return Wrapping(self._call, self.settings.host)

    def admin_login(self, mount: str, host: str, path: str = "") -> Mapping[str, Secret] | None:
        """The admin login for a host (and a path on it, no slash at either end), or None."""
        return self.secret(mount, joined(host, path))

    def secret(self, mount: str, path: str) -> Mapping[str, Secret] | None:
        """The text fields of a KV document that is not a stack's: a login or a key that a person put there, or None."""
        document = kv.read(self._call, checked(mount, what="mount"), checked(path), what=f"read {mount}/{path}")
        if document.state != "present":
            return None
        if not all(isinstance(value, str) for value in document.data.values()):
            raise VaultError(
                f"{mount}/{path} holds a field that is no text",
                do="Write it again, every value as a text",
                where=self.settings.host,
            )
        return {name: Secret(value) for name, value in document.data.items()}

    def write_secret(self, mount: str, path: str, values: Mapping[str, Secret], *, cas: int) -> int:
        """Write such a document against a version, without reading it; the new version. Fails as `Documents.write`."""
        data = {name: value.reveal() for name, value in values.items()}
        what, place = f"write {mount}/{path}", checked(mount, what="mount")
        return kv.write(self._call, place, checked(path), data, cas, what=what, host=self.settings.host)

    def health(self) -> Health:
        """How this node of Vault is, without logging in. Never raises a `VaultError`."""
        try:
            seen = self._wire.health()
        except VaultError as error:
            return Health("unreachable", str(error))
        version = seen.get("version")
        version = version if isinstance(version, str) else ""
        state: State = next((state for state, told in _TOLD.items() if told(seen)), "active")
        return Health(state, f"{self.settings.host}: {_WORDS[state]}", version)

    def whoami(self) -> Identity:
        """Whose token is used, by which policies and for how long."""
        known = self._session.look_up()
        policies, seconds = known.get("policies"), known.get("ttl")
        return Identity(
            name=str(known.get("display_name", "")),
            policies=tuple(str(policy) for policy in policies) if isinstance(policies, list) else (),
            ends_in=seconds if isinstance(seconds, int) and seconds > 0 else None,
            renewable=known.get("renewable") is True,
        )

    def close(self) -> None:
        """Revoke the token if it was had by a login of ours, and close all connections. Never raises a `VaultError`."""
        self._session.end()
        self._wire.close()

    def _call(self, kind: Kind, what: str, action: Action, *, active: bool = False) -> Mapping[str, Any]:
        """One request with the shared login; once more with another token if the first had ended early."""
        token = self._session.token()
        try:
            return self._wire.call(kind, what, action, token=token, active=active)
        except VaultDenied:
            # Refused before anything was done: even a write may be sent again.
            fresh = self._session.replaced(token)
            if fresh is None:
                raise
        return self._wire.call(kind, what, action, token=fresh, active=active)
