"""Values behind a single-use token, which whoever gets it exchanges for them once (vault.md 2.1, response wrapping).

A second exchange fails, so a receiver who finds a token spent knows that somebody else was there first. The token's
accessor opens nothing: it tells whether the token still waits, and voids it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from providers.core.errors import Refused, VaultUnclear
from providers.core.redaction import Secret
from providers.core.vault.kv import Caller
from providers.core.vault.wire import StatusError

WrappingState = Literal["waiting", "opened or expired"]
"""Vault forgets a token that was exchanged and one whose time is over alike; only a later attempt tells them apart."""

_PATH = "sys/wrapping/wrap"
_GONE = "invalid accessor"
"""What Vault and OpenBao say of an accessor whose token is no more. The status differs by version."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Values that wait for one exchange. `token` opens them, `accessor` does not; `expires` is by Vault's own clock."""

    token: Secret
    accessor: str
    expires: datetime


class Wrapping:
    """Makes, watches and voids wrapping tokens. Thread-safe."""

    def __init__(self, call: Caller, host: str) -> None:
        self._call, self._host = call, host

    def wrap(self, values: Mapping[str, Secret], ttl_seconds: int) -> Wrapped:
        """Put values behind a new token that lives this long.

        `VaultUnclear` where the reply was lost: what was wrapped then expires unseen, as nobody has its token.
        """
        what = "wrap a hand-over"
        body = {name: value.reveal() for name, value in values.items()}
        answer = self._call("write", what, lambda hvac: hvac.sys.wrap(body, ttl_seconds))
        wrapped = _wrapped(answer.get("wrap_info"))
        if wrapped is None:
            raise VaultUnclear(f"{what}: the answer names no token", do="Run it again", where=self._host)
        return wrapped

    def state(self, accessor: str) -> WrappingState:
        """Whether a hand-over can still be opened."""
        return "waiting" if self._is_alive(accessor) else "opened or expired"

    def void(self, accessor: str) -> None:
        """Make a hand-over unopenable. One that is no more is no error."""
        if self._is_alive(accessor):
            self._call("look", "void a hand-over", lambda hvac: _unless_gone(hvac.auth.token.revoke_accessor, accessor))

    def _is_alive(self, accessor: str) -> bool:
        """Whether the token of this accessor exists; `Refused` for one that is no hand-over.

        An accessor comes out of a journal: were it somebody's login there, voiding it would log that person out.
        """
        what = "look at a hand-over"
        answer = self._call("look", what, lambda hvac: _unless_gone(hvac.auth.token.lookup_accessor, accessor))
        if not answer:
            return False
        data = answer.get("data")
        if not isinstance(data, dict) or data.get("path") != _PATH:
            raise Refused(
                f"{what}: the recorded accessor is not that of a hand-over",
                do="Somebody has changed the journal: see Vault's audit log",
                where=self._host,
            )
        return True


def _unless_gone(action: Any, accessor: str) -> Any:
    """What Vault says about a token, or nothing where it is no more."""
    try:
        return action(accessor)
    except StatusError as error:
        if error.says(_GONE):
            return {}
        raise


def _wrapped(info: object) -> Wrapped | None:
    """A token as Vault's answer tells it, or None."""
    if not isinstance(info, dict):
        return None
    token, accessor, seconds, created = (info.get(name) for name in ("token", "accessor", "ttl", "creation_time"))
    if not (isinstance(token, str) and token and isinstance(accessor, str) and accessor):
        return None
    if not isinstance(seconds, int) or not isinstance(created, str):
        return None
    try:
        begun = datetime.fromisoformat(created)
    except ValueError:
        return None
    return Wrapped(Secret(token), accessor, begun.astimezone(UTC) + timedelta(seconds=seconds))
