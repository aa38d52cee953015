"""One login for all threads: had when first needed, renewed at half of its life, had again when it ended.

Long runs outlive tokens, and hvac never renews by itself (vault.md 2.1, 9). After its end even `renew_self` is refused.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from providers.core.errors import VaultDenied, VaultError
from providers.core.redaction import Secret
from providers.core.vault.wire import NotFoundError, Wire

MARGIN = 5.0
"""Seconds before its end from which a token counts as ended, and between two tries to renew a short-lived one."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, when to renew it and when it ends (by the monotonic clock; None for never), and its life in seconds."""

    value: Secret
    renew_at: float | None
    ends_at: float | None
    lasts: float
    renewable: bool


class Session:
    """The login of one `Vault`. `clock` gives monotonic seconds."""

    def __init__(self, wire: Wire, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._wire, self._clock = wire, clock
        self._login = wire.settings.login
        self._lock = threading.Lock()
        self._token: Token | None = None

    def token(self) -> Secret:
        """A token that is good for now."""
        with self._lock:
            token = self._token
            if token is None or self._ended(token):
                token = self._log_in()
            elif token.renew_at is not None and self._clock() >= token.renew_at:
                token = self._renewed(token)
            self._token = token
            return token.value

    def replaced(self, refused: Secret) -> Secret | None:
        """Another token, if this one was refused because it had ended early; None if it still lives.

        Vault answers both with the same status as a policy's refusal (vault.md 2.3), so it is asked about the token.
        """
        with self._lock:
            if self._token is not None and self._token.value is not refused:
                return self._token.value
            try:
                self._look_up(refused)
            except VaultDenied:
                self._token = self._log_in()
                return self._token.value
            return None

    def look_up(self) -> Mapping[str, Any]:
        """What Vault says about the token."""
        return self._look_up(self.token())

    def end(self) -> None:
        """Revoke a token that was had by a login of ours. One given from outside lives on."""
        with self._lock:
            token, self._token = self._token, None
        if token is None or self._login.method == "token" or self._ended(token):
            return
        with contextlib.suppress(VaultError):
            self._wire.call("look", "log out", lambda hvac: hvac.auth.token.revoke_self(), token=token.value)

    def _ended(self, token: Token) -> bool:
        return token.ends_at is not None and self._clock() >= token.ends_at

    def _look_up(self, token: Secret) -> Mapping[str, Any]:
        answer = self._wire.call("look", "look up the token", lambda hvac: hvac.auth.token.lookup_self(), token=token)
        data = answer.get("data")
        if not isinstance(data, dict):
            raise self._garbled()
        return data

    def _log_in(self) -> Token:
        login, value, asked_at = self._login, self._login.secret(), self._clock()
        if login.method == "token":
            try:
                known = self._look_up(value)
            except VaultDenied:
                raise VaultDenied(
                    "Vault does not know the token",
                    do="It has expired, or is of another VAULT_NAMESPACE: set a new one",
                    where=self._wire.settings.host,
                ) from None
            return self._made(value, known.get("ttl"), known.get("renewable"), asked_at)

        def log_in(hvac: Any) -> Any:
            if login.method == "approle":
                method = hvac.auth.approle
                return method.login(login.name, value.reveal(), use_token=False, mount_point=login.mount)
            return hvac.auth.jwt.jwt_login(login.name, value.reveal(), use_token=False, path=login.mount)

        try:
            answer = self._wire.call("login", "log in", log_in, token=None)
        except NotFoundError:
            raise VaultDenied(
                f"nobody can log in at auth/{login.mount}",
                do="Check the name of the auth mount, and VAULT_NAMESPACE",
                where=self._wire.settings.host,
            ) from None
        return self._from_auth(answer, asked_at)

    def _renewed(self, token: Token) -> Token:
        """The token with a longer life, or another one; the same one while neither can be had and it still lives."""
        asked_at = self._clock()
        renewed = token
        with contextlib.suppress(VaultError):
            if token.renewable:
                renewed = self._renew(token, asked_at)
                # Near its longest life Vault renews for less and less.
                if renewed.lasts >= token.lasts / 2:
                    return replace(renewed, lasts=token.lasts)
        with contextlib.suppress(VaultError):
            if self._login.method != "token":
                return self._log_in()
        return replace(renewed, renew_at=asked_at + MARGIN, lasts=token.lasts)

    def _renew(self, token: Token, asked_at: float) -> Token:
        answer = self._wire.call(
            "look", "renew the token", lambda hvac: hvac.auth.token.renew_self(), token=token.value
        )
        return self._from_auth(answer, asked_at)

    def _from_auth(self, answer: Mapping[str, Any], asked_at: float) -> Token:
        auth = answer.get("auth")
        value = auth.get("client_token") if isinstance(auth, dict) else None
        if not isinstance(auth, dict) or not isinstance(value, str) or not value:
            raise self._garbled()
        return self._made(Secret(value), auth.get("lease_duration"), auth.get("renewable"), asked_at)

    def _made(self, value: Secret, seconds: object, renewable: object, asked_at: float) -> Token:
        lasts = float(seconds) if isinstance(seconds, int | float) else 0.0
        if lasts <= 0:
            return Token(value, None, None, 0.0, renewable=False)
        ends_at = asked_at + lasts - min(MARGIN, lasts / 4)
        return Token(value, asked_at + lasts / 2, ends_at, lasts, renewable is True)

    def _garbled(self) -> VaultError:
        return VaultError(
            "the answer to the login is not one of Vault",
            do="Is VAULT_ADDR the address of Vault?",
            where=self._wire.settings.host,
        )
