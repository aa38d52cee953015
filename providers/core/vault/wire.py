"""The one module that imports hvac: requests to Vault, their deadlines and repeats, and what every answer means.

hvac gives the calls; the adapter below sends them. It follows no redirect (hvac would send token, namespace and body to
another host: measured, vault.md 2.5), reads no more than `LARGEST_ANSWER`, keeps the status of an error, and understands
JSON whatever its content type says (vault.md 2.3).
"""

import json
import random
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import hvac
import hvac.adapters
import requests
import urllib3.exceptions

from providers.core.errors import (
    VaultConflict,
    VaultDenied,
    VaultError,
    VaultRateLimited,
    VaultSealed,
    VaultStandby,
    VaultUnclear,
    VaultUnreachable,
    VaultWrongPlace,
)
from providers.core.redaction import Secret
from providers.core.vault.settings import VaultSettings

Kind = Literal["look", "write", "login"]
"""`look` changes nothing and may be repeated by the transport; a `write` never is; a `login` is refused by 400 and 401."""

Action = Callable[[Any], Any]
"""What to do with an `hvac.Client`; the answer is the parsed JSON object."""

LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes: lists of names and the documents of one connection are far smaller."""

TRIES = 4
"""How often a look is tried in all."""

LONGEST_WAIT = 10.0
"""Seconds between two tries at most, whatever `Retry-After` says."""

CAS_MISMATCH = "check-and-set parameter did not match the current version"
"""The text of Vault's plugin and of OpenBao's; no code tells this 400 from others (vault.md 2.3)."""

_FORWARDING_OFF = "disabled in configuration"
_STANDBY = {412, 472, 473}
_PASSING = {500, 502, 504} | _STANDBY

_WORDS: Mapping[int, tuple[type[VaultError], str, str]] = {
    400: (VaultError, "Vault does not understand the request", "Its version may be too old; see `connections doctor`"),
    405: (VaultError, "Vault does not know this operation here", "Is the mount of the right kind, KV version 2?"),
    412: (VaultStandby, "this node of Vault has not yet seen a recent write", "Try again in a moment"),
    413: (VaultError, "Vault refuses a document of this size", "Raise max_request_size, or store less"),
    429: (VaultRateLimited, "a rate-limit quota of Vault was reached", "Try again later, or have the quota raised"),
    472: (VaultStandby, "this is a disaster-recovery secondary of Vault", "Point VAULT_ADDR to the primary"),
    473: (VaultStandby, "this is a performance standby of Vault", "Point VAULT_ADDR to the active node"),
    501: (VaultSealed, "Vault is not initialised", "Have it initialised and unsealed by its administrators"),
    503: (VaultSealed, "Vault is sealed", "Have it unsealed by its administrators"),
}


class StatusError(Exception):
    """Vault's answer was no success. `errors` are Vault's own words, `body` the JSON object; neither is ever shown."""

    def __init__(
        self, status: int, errors: tuple[str, ...], body: Mapping[str, Any], retry_after: float | None
    ) -> None:
        super().__init__(f"status {status}")
        self.status, self.errors, self.body, self.retry_after = status, errors, body, retry_after

    def says(self, text: str) -> bool:
        """Whether Vault's words contain this text."""
        return any(text in error for error in self.errors)


class NotFoundError(VaultError):
    """404. `body` tells an absent document from one whose data is gone; it is never shown."""

    def __init__(self, what: str, where: str, body: Mapping[str, Any]) -> None:
        super().__init__(f"{what}: Vault knows no such path", do="Check VAULT_ADDR and VAULT_NAMESPACE", where=where)
        self.body = body


class GarbledError(Exception):
    """A successful answer that is no JSON object of bearable size."""


class _Adapter(hvac.adapters.RawAdapter):
    """Sends one request as hvac's calls describe it, and returns the JSON object ({} where there is no body)."""

    forward = False
    """Ask the node to let the active node answer."""

    def request(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        raise_exception: bool = True,
        **settings: Any,
    ) -> dict[str, Any]:
        headers = {**(headers or {}), "X-Vault-Request": "true"}
        if self.token:
            headers["X-Vault-Token"] = self.token
        if self.namespace:
            headers["X-Vault-Namespace"] = self.namespace
        if self.forward and method in {"get", "list"}:
            headers["X-Vault-Forward"] = "active-node"
        with self.session.request(
            method=method,
            url=f"{self.base_uri}{url}",
            headers=headers,
            allow_redirects=False,
            timeout=self._kwargs["timeout"],
            stream=True,
            params=settings.get("params"),
            json=settings.get("json"),
        ) as response:
            body = _json(response)
            if raise_exception and not 200 <= response.status_code < 300:
                raise StatusError(response.status_code, _errors(body), body or {}, _seconds(response))
        if body is None:
            raise GarbledError
        return body


def _json(response: requests.Response) -> dict[str, Any] | None:
    """The JSON object of an answer, {} for an empty body, None for anything else."""
    content = bytearray()
    for part in response.iter_content(64 * 1024):
        content += part
        if len(content) > LARGEST_ANSWER:
            return None
    if not content.strip():
        return {}
    try:
        body = json.loads(bytes(content))
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _errors(body: Mapping[str, Any] | None) -> tuple[str, ...]:
    errors = (body or {}).get("errors")
    return tuple(str(error) for error in errors) if isinstance(errors, list) else ()


def _seconds(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


class Wire:
    """Requests to one Vault by many threads: each has its own hvac client, all share the settings and `token`.

    `wait` and `draw` (a number below 1) are given by tests.
    """

    def __init__(
        self,
        settings: VaultSettings,
        *,
        wait: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings
        self._wait, self._draw = wait, draw
        self._own = threading.local()
        self._all: weakref.WeakSet[Any] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._forwards = True

    def call(
        self,
        kind: Kind,
        what: str,
        action: Action,
        *,
        token: Secret | None,
        namespace: str | None = None,
        active: bool = False,
    ) -> Mapping[str, Any]:
        """Do `action` with a client that has this token; `what` says it in words for messages.

        `active` asks for the active node's answer. Raises the Vault errors of `providers.core.errors`, and
        `NotFoundError`, one of them, for a 404 that says nothing about the mount.
        """
        waits = self._waits() if kind == "look" else iter(())
        while True:
            try:
                return self._once(kind, what, action, token, namespace, active)
            except _PassingError as passing:
                delay = next(waits, None)
                if delay is None:
                    raise passing.error from None
                self._wait(min(max(delay, passing.retry_after or 0.0), LONGEST_WAIT))

    def health(self) -> Mapping[str, Any]:
        """`sys/health` of this very node, which belongs to no namespace and needs no token."""
        seen = self.call("look", "ask for its health", look_at_health, token=None, namespace="")
        if not isinstance(seen.get("sealed"), bool):
            raise self._garbled("look", "ask for its health")
        return seen

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            clients = list(self._all)
        for client in clients:
            client.session.close()

    def _waits(self) -> Iterator[float]:
        for attempt in range(TRIES - 1):
            yield 0.2 * 2**attempt * (0.5 + self._draw() / 2)

    def _once(
        self, kind: Kind, what: str, action: Action, token: Secret | None, namespace: str | None, active: bool
    ) -> Mapping[str, Any]:
        client = self._client()
        adapter = client.adapter
        adapter.namespace = self.settings.namespace if namespace is None else namespace
        adapter.forward = active and self._forwards
        adapter.token = token.reveal() if token else ""
        try:
            answer: Mapping[str, Any] = action(client)
            return answer
        except StatusError as error:
            if adapter.forward and error.status == 400 and error.says(_FORWARDING_OFF):
                self._stop_forwarding()
                return self._once(kind, what, action, token, namespace, active)
            raise self._meaning(kind, what, error) from None
        except GarbledError:
            raise self._garbled(kind, what) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._broken(kind, what, error) from None
        finally:
            adapter.token = ""

    def _client(self) -> Any:
        client = getattr(self._own, "client", None)
        if client is None:
            settings = self.settings
            session = requests.Session()
            session.trust_env = False
            # On the session alone: hvac loses `verify` where it is given beside one (measured, vault.md 2.2), and would
            # look for both in its environment. The adapter uses neither.
            session.verify = str(settings.ca_file) if settings.ca_file else True
            if settings.client_certificate:
                certificate, key = settings.client_certificate
                session.cert = (str(certificate), str(key))
            client = hvac.Client(
                url=settings.address,
                token="",
                timeout=(settings.connect_within, settings.answer_within),
                allow_redirects=False,
                session=session,
                adapter=_Adapter,
            )
            # A thread that ends takes its client along, which alone would leave its connections open.
            weakref.finalize(client, session.close)
            self._own.client = client
            with self._lock:
                self._all.add(client)
        return client

    def _stop_forwarding(self) -> None:
        """The node refuses to forward by header: fine where it is the active one or hands on everything by itself.

        Community Vault answers every request with this header by 400 (source: http/handler.go and the stub of
        `AllowForwardingViaHeader`); there a standby forwards all. A performance standby answers by itself, maybe with
        old data, so it is refused.
        """
        if self.health().get("performance_standby"):
            raise VaultStandby(
                "this performance standby of Vault may answer with old data and does not forward",
                do="Point VAULT_ADDR to the active node, or set allow_forwarding_via_header in its replication stanza",
                where=self.settings.host,
            )
        self._forwards = False

    # --- what an answer means ---

    def _meaning(self, kind: Kind, what: str, error: StatusError) -> Exception:
        host = self.settings.host
        status = error.status
        if status == 404:
            if error.says("no handler for route"):
                return VaultWrongPlace(
                    f"{what}: nothing is mounted there",
                    do="Check the mount's name and VAULT_NAMESPACE",
                    where=host,
                )
            return NotFoundError(what, host, error.body)
        if status == 403 or (kind == "login" and status in {400, 401}):
            if kind == "login":
                return VaultDenied(
                    "Vault refuses the login", do="Check the role, its secret-id or JWT, and the mount", where=host
                )
            return VaultDenied(
                f"{what}: Vault does not allow it",
                do="The token has expired, or its policies or VAULT_NAMESPACE are not the right ones",
                where=host,
            )
        if status == 400 and error.says(CAS_MISMATCH):
            return VaultConflict(f"{what}: somebody else wrote first", do="Run it again", where=host)
        if 300 <= status < 400:
            return VaultError(
                f"{what}: Vault answers with a redirect, which is never followed",
                do="Set VAULT_ADDR to the address of the active node",
                where=host,
            )
        if kind == "write" and (status >= 500 or status == 408):
            return self._unclear(what, f"it answered {status}")
        cls, words, do = _WORDS.get(
            status, (VaultError, f"Vault failed with status {status}", "Its administrators' log says why")
        )
        meaning = cls(f"{what}: {words}", do=do, where=host)
        if status in _PASSING or status == 429:
            return _PassingError(meaning, error.retry_after)
        return meaning

    def _garbled(self, kind: Kind, what: str) -> Exception:
        if kind == "write":
            return self._unclear(what, "its answer is garbled")
        return VaultError(
            f"{what}: the answer is not one of Vault",
            do="Is VAULT_ADDR the address of Vault, and nothing rewrites it on the way?",
            where=self.settings.host,
        )

    def _broken(self, kind: Kind, what: str, error: Exception) -> Exception:
        """No answer. A write that may have been sent is unclear, whatever else happened to it."""
        host = self.settings.host
        causes = tuple(_causes(error))
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            return VaultUnreachable(
                "the certificate of Vault is not trusted",
                do="Set VAULT_CACERT to the authority's file, and VAULT_ADDR to a name in the certificate",
                where=host,
            )
        never_sent = any(isinstance(cause, _NEVER_SENT) for cause in causes)
        if kind == "write" and not never_sent:
            return self._unclear(what, "the connection broke")
        if any(isinstance(cause, ssl.SSLError) for cause in causes):
            return VaultUnreachable(
                "no TLS with Vault",
                do="Are VAULT_ADDR and VAULT_CACERT right, and does that port speak TLS?",
                where=host,
            )
        refused = VaultUnreachable(
            "Vault cannot be reached" if never_sent else "Vault did not answer",
            do="Is it running, and is VAULT_ADDR right?",
            where=host,
        )
        return _PassingError(refused)

    def _unclear(self, what: str, how: str) -> VaultUnclear:
        return VaultUnclear(
            f"{what}: {how}, so it may or may not have been done", do="Run it again", where=self.settings.host
        )


class _PassingError(Exception):
    """An error that a look may try to outlast."""

    def __init__(self, error: VaultError, retry_after: float | None = None) -> None:
        super().__init__("passing")
        self.error, self.retry_after = error, retry_after


_NEVER_SENT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


def _causes(error: object) -> Iterator[BaseException]:
    """An error and what it was made of, as requests and urllib3 keep it.

    Never its `__context__`: that may be another request's error which the caller is just handling.
    """
    if isinstance(error, BaseException):
        yield error
        for cause in (*error.args, getattr(error, "reason", None)):
            yield from _causes(cause)


def look_at_health(client: Any) -> Mapping[str, Any]:
    """`sys/health` of this very node, every state with a successful status."""
    answer: Mapping[str, Any] = client.sys.read_health_status(
        method="GET",
        standby_code=200,
        dr_secondary_code=200,
        performance_standby_code=200,
        sealed_code=200,
        uninit_code=200,
    )
    return answer
