"""HTTP for stores and hubs, and the only module that speaks it: TLS always, bound origins, no surprises.

Messages are httpx's, connections httpcore's (the transport under httpx). There is no `httpx.Client` on purpose: what it
adds, redirects, a cookie store, proxies and CA files from the environment, log lines with whole URLs (vault.md 2.5, 7.3),
is what must not happen here.

- https only, certificates always verified, TLS 1.2 or later; the connection goes to an address that the guard has checked.
- A URL is only ever built on the origin that was bound at the start. `Location` is an answer's text, nothing follows it.
- Every call says whether it is `safe` to repeat. Only such calls are repeated after they were sent; one that changes
  something and whose reply is lost ends in `UnclearOutcome`. What surely was not sent is tried again either way.
- A status is the caller's to understand, as a 500 may have a meaning (woocommerce.md 6, L6), but for 429: `RateLimited`.
- Four calls at most are in flight to one host, and an origin that asks for rest gets it from every thread.
"""

import base64
import contextlib
import json as jsonlib
import logging
import random
import re
import socket
import ssl
import threading
import time
import urllib.parse
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpcore
import httpx

from providers.core.address import Address, Guard, IPNetwork, Resolve, parse, resolve
from providers.core.contract import Clock
from providers.core.errors import (
    RateLimited,
    StoreError,
    UnclearOutcome,
    Unexpected,
    Unreachable,
)
from providers.core.pacing import Hold, asked_to_wait, back_off, until_renewed
from providers.core.redaction import Secret, redact
from providers.core.tls import verified_tls

_log = logging.getLogger(__name__)

for _name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks"):
    # They log URLs and the headers of answers, with sessions in them; nothing they say is for users.
    logging.getLogger(_name).disabled = True

Text = str | int | Secret
"""A value on the wire. A secret stays one until the moment it is written."""

Pairs = Mapping[str, Text] | Sequence[tuple[str, Text]]
"""Names and values; as a sequence where a name repeats."""

_chance = random.SystemRandom().random

_TRIES = 4
_KEPT = 4.0
"""Seconds an idle connection is kept: less than the 5 after which Apache closes one, perhaps under a request of ours."""

_PASSING = frozenset({408, 502, 503, 504})
"""Statuses after which a safe call is tried again (bigcommerce.md 7, stackone.md)."""

_PATH = re.compile(
    r"(?:/(?!\.{1,2}(?:/|\Z))(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%(?!2[EeFf]|5[Cc]|[01]|7[Ff])[0-9A-Fa-f]{2})*)*"
)
_METHOD = re.compile(r"[A-Z]+")
_FIELD = re.compile(r"[\x20-\x7e]*")

_OWN_AUTHORITY = "An authority of your own is trusted for hosts under hosts.private in _stack.yaml"
_CERTIFICATE = {
    9: ("its certificate is not valid yet", ""),
    10: ("its certificate has expired", ""),
    18: ("its certificate is self-signed", _OWN_AUTHORITY),
    19: ("its certificate comes from an authority that is not trusted", _OWN_AUTHORITY),
    20: ("its certificate comes from an authority that is not trusted", _OWN_AUTHORITY),
    62: ("its certificate is for another name", ""),
    64: ("its certificate is for another address", ""),
}
"""OpenSSL's verification errors (x509_vfy.h) in words, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """How stores and hubs are called.

    `private` is the opt-in of the stack: a host and the networks it may resolve to. `ca_file` holds further authorities, in
    PEM; they are trusted for these hosts only, beside the public ones. Times are in seconds: `connect_timeout` and
    `read_timeout` for one step on the wire, `deadline` for a whole call with all its tries, less the time it queues for a
    turn. `largest_answer` is in bytes.
    """

    ca_file: Path | None = None
    private: Mapping[str, Sequence[IPNetwork]] = field(default_factory=dict)
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    deadline: float = 90.0
    in_flight_per_host: int = 4
    largest_answer: int = 5 * 1024 * 1024
    user_agent: str = "store-connections/1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a store answered. `headers` are by lower-case name, cookies left out; `body` is decompressed and bounded."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    where: str

    @property
    def location(self) -> str:
        """Where the store would send a browser: text to be taken apart, never a URL to call. "" if nowhere."""
        return self.headers.get("location", "")

    @property
    def text(self) -> str:
        """The body in its declared character set, UTF-8 if none; what cannot be decoded is replaced."""
        charset = re.search(r"charset=\"?([\w-]+)", self.headers.get("content-type", ""))
        try:
            return self.body.decode(charset[1] if charset else "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON, or `Unexpected` without a word of it."""
        try:
            return jsonlib.loads(self.body)
        except (ValueError, RecursionError):
            raise Unexpected(f"an answer with status {self.status} is not JSON", where=self.where) from None


class _Failed(Exception):
    """A try that brought no answer: why, whether the request may have reached the store, whether it may pass."""

    def __init__(self, words: str, *, do: str = "", sent: bool, passing: bool) -> None:
        super().__init__(words)
        self.words, self.do, self.sent, self.passing = words, do, sent, passing

    def error(self, where: str, *, safe: bool) -> StoreError:
        """The error to raise where the try is not repeated."""
        if self.sent and not safe:
            return UnclearOutcome(f"the reply to a change was lost: {self.words}", where=where)
        if self.sent and not self.passing:
            return Unexpected(self.words, where=where)
        return Unreachable(self.words, do=self.do, where=where)


@dataclass(slots=True)
class _Try:
    """One try of the calling thread, as the streams under it need to know it."""

    deadline: float
    sent: bool = False


class _Stream(httpcore.NetworkStream):
    """A connection that keeps to the deadline of the call it serves, and remembers that something was sent."""

    def __init__(self, inner: httpcore.NetworkStream, backend: "_Backend") -> None:
        self._inner, self._backend = inner, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._backend.limit(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        limit = self._backend.limit(timeout, httpcore.WriteTimeout)
        self._backend.current.sent = True
        self._inner.write(buffer, limit)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit = self._backend.limit(timeout, httpcore.ConnectTimeout)
        try:
            return _Stream(self._inner.start_tls(ssl_context, server_hostname, limit), self._backend)
        except httpcore.ConnectError as error:
            raise _no_tls(error.__cause__) from None

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _no_tls(cause: BaseException | None) -> _Failed:
    if isinstance(cause, ssl.SSLCertVerificationError):
        words, advice = _CERTIFICATE.get(cause.verify_code, ("its certificate cannot be verified", ""))
        return _Failed(words, do=advice, sent=False, passing=False)
    # A connection that breaks while TLS begins may do better next time; one that speaks something else will not.
    foreign = isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError)
    return _Failed("no TLS connection can be made", sent=False, passing=not foreign)


class _Backend(httpcore.NetworkBackend):
    """Connects to addresses that the guard has checked; certificates are still checked against the name."""

    def __init__(self, guard: Guard, dialer: httpcore.NetworkBackend, monotonic: Callable[[], float]) -> None:
        self._guard, self._dialer, self._monotonic = guard, dialer, monotonic
        self._local = threading.local()

    @property
    def current(self) -> _Try:
        """The try of the calling thread."""
        found: _Try = self._local.current
        return found

    def begin(self, deadline: float) -> _Try:
        """A new try of the calling thread."""
        self._local.current = _Try(deadline)
        return self.current

    def limit(self, timeout: float | None, late: type[httpcore.TimeoutException]) -> float:
        """The time one step may take; `late` is raised if the deadline has passed."""
        left = self.current.deadline - self._monotonic()
        if left <= 0:
            raise late
        return min(timeout or left, left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._guard.addresses(host, port)
        except socket.gaierror as error:
            passing = error.errno == socket.EAI_AGAIN
            raise _Failed(
                "the name cannot be looked up now" if passing else "this name does not exist",
                do="" if passing else "Correct the address",
                sent=False,
                passing=passing,
            ) from None
        failure: Exception = httpcore.ConnectError()
        for address in addresses:
            limit = self.limit(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._dialer.connect_tcp(str(address), port, limit, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self)
        raise failure


@dataclass(frozen=True, slots=True)
class _Host:
    """What all calls to one host and port share."""

    pool: httpcore.ConnectionPool
    turns: threading.BoundedSemaphore


@dataclass(frozen=True, slots=True)
class _Call:
    """A request as it is written, once or several times."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    safe: bool


class Http:
    """Every connection of the process to stores and hubs. Thread-safe; `close` ends them."""

    def __init__(
        self,
        settings: HttpSettings,
        *,
        clock: Clock = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = _chance,
        resolver: Resolve = resolve,
        dialer: httpcore.NetworkBackend | None = None,
    ) -> None:
        """`wait` pauses by seconds, in which `monotonic` moves on; `dialer` opens a connection to a checked address."""
        self._settings = settings
        self._clock, self._monotonic, self._wait, self._chance = clock, monotonic, wait, chance
        self._guard = Guard(settings.private, resolver)
        self._backend = _Backend(self._guard, dialer or httpcore.SyncBackend(), monotonic)
        self._tls: dict[bool, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}
        self._holds: dict[str, Hold] = {}
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection; a later call is an error, since nobody would close what it opens."""
        with self._lock:
            self._closed = True
            for host in self._hosts.values():
                host.pool.close()

    def origin(self, url: str) -> "Origin":
        """Bind an address. `AddressRefused` where it is not written as one, or its port is not allowed; no call is made."""
        address = parse(url)
        self._guard.admit(address)
        return Origin(self, address)

    def send(self, address: Address, call: _Call, cookies: httpx.Cookies | None) -> Answer:
        """Carry out a call with all its tries: `Origin.request`."""
        host, hold = self._shared(address)
        deadline = self._monotonic() + self._settings.deadline
        attempt = 0
        while True:
            attempt += 1
            deadline = self._turn(address, host, hold, deadline)
            pause: float | None = None
            outcome: Answer | StoreError
            try:
                outcome = self._try(address, host, call, cookies, deadline, attempt)
            except _Failed as failed:
                outcome = failed.error(address.netloc, safe=call.safe)
                again = failed.passing and (call.safe or not failed.sent)
            else:
                pause = asked_to_wait(outcome.headers, self._clock())
                rest = until_renewed(outcome.headers)
                if outcome.status == 429:
                    again = call.safe or pause is not None
                    rest = pause or 0.0
                    outcome = RateLimited("the store asks for rest", where=address.netloc, retry_after=pause)
                else:
                    again = call.safe and outcome.status in _PASSING
                hold.extend(self._monotonic() + rest)
            finally:
                host.turns.release()
            if not again or attempt == _TRIES:
                break
            if pause is None:
                pause = back_off(attempt, self._chance)
            if self._monotonic() + pause >= deadline:
                break
            self._wait(pause)
        if isinstance(outcome, StoreError):
            raise outcome
        return outcome

    def _shared(self, address: Address) -> tuple[_Host, Hold]:
        """What calls to this host share, and what calls to this origin share: vendors count per store."""
        key = f"{address.host} {address.port}"
        with self._lock:
            if self._closed:
                raise Unreachable("all connections were closed before this call", where=address.netloc)
            if key not in self._hosts:
                limit = self._settings.in_flight_per_host
                own = self._guard.opted_in(address.host)
                if own not in self._tls:
                    self._tls[own] = verified_tls(self._settings.ca_file if own else None)
                pool = httpcore.ConnectionPool(
                    ssl_context=self._tls[own],
                    max_connections=None,  # turns are what limits
                    max_keepalive_connections=limit,
                    keepalive_expiry=_KEPT,
                    network_backend=self._backend,
                )
                self._hosts[key] = _Host(pool, threading.BoundedSemaphore(limit))
            return self._hosts[key], self._holds.setdefault(address.url, Hold())

    def _turn(self, address: Address, host: _Host, hold: Hold, deadline: float) -> float:
        """Wait until the origin may be asked and the host has a turn for us; the deadline without the time we queued."""
        while True:
            now = self._monotonic()
            rest = hold.left(now)
            if rest and now + rest >= deadline:
                raise RateLimited("the store asks for rest", where=address.netloc, retry_after=rest)
            if rest:
                self._wait(rest)
                continue
            host.turns.acquire()
            now, queued_from = self._monotonic(), now
            if not hold.left(now):
                return deadline + now - queued_from
            host.turns.release()
            deadline += now - queued_from

    def _try(
        self, address: Address, host: _Host, call: _Call, cookies: httpx.Cookies | None, deadline: float, attempt: int
    ) -> Answer:
        """One request on the wire, logged without its query."""
        begin = self._monotonic()
        outcome = "no answer"
        try:
            answer = self._exchange(address, host, call, cookies, deadline)
            outcome = str(answer.status)
            return answer
        finally:
            if _log.isEnabledFor(logging.DEBUG):
                taken = round((self._monotonic() - begin) * 1000)
                path = redact(call.path)
                _log.debug("%s %s%s %s %d ms, try %d", call.method, address.netloc, path, outcome, taken, attempt)

    def _exchange(
        self, address: Address, host: _Host, call: _Call, cookies: httpx.Cookies | None, deadline: float
    ) -> Answer:
        target = call.path + (f"?{call.query}" if call.query else "")
        message = httpx.Request(
            call.method, f"https://{address.netloc}{target}", headers=call.headers, content=call.body
        )
        if cookies is not None:
            cookies.set_cookie_header(message)
        timeouts = {
            "connect": self._settings.connect_timeout,
            "read": self._settings.read_timeout,
            "write": self._settings.read_timeout,
            "pool": self._settings.connect_timeout,
        }
        request = httpcore.Request(
            call.method,
            httpcore.URL(scheme="https", host=address.host, port=address.port, target=target or "/"),
            headers=message.headers.raw,
            content=call.body,
            extensions={"timeout": timeouts},
        )
        current = self._backend.begin(deadline)
        try:
            response = host.pool.handle_request(request)
            try:
                raw = self._bounded(response)
            finally:
                response.close()
        except httpcore.TimeoutException:
            raise _Failed("no answer in time", sent=current.sent, passing=True) from None
        except (httpcore.NetworkError, httpcore.ProtocolError):
            words = "the connection broke before the whole answer was there" if current.sent else "no connection"
            raise _Failed(words, sent=current.sent, passing=True) from None
        received = httpx.Headers(response.headers)
        if cookies is not None:
            baked = [("set-cookie", value) for value in received.get_list("set-cookie")]
            cookies.extract_cookies(httpx.Response(response.status, headers=baked, request=message))
        headers = {name: value for name, value in received.items() if name != "set-cookie"}
        body = self._plain(headers.get("content-encoding", ""), raw)
        return Answer(response.status, headers, body, address.netloc)

    def _bounded(self, response: httpcore.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_stream():
            body += chunk
            if len(body) > self._settings.largest_answer:
                raise self._too_large()
        return bytes(body)

    def _plain(self, encoding: str, raw: bytes) -> bytes:
        """The body without its compression, which may blow up a small answer to any size."""
        if not raw or encoding.lower() in {"", "identity"}:
            return raw
        if encoding.lower() not in {"gzip", "x-gzip"}:
            raise _Failed("the answer is compressed in a way that was not asked for", sent=True, passing=False)
        machine = zlib.decompressobj(wbits=31)
        try:
            body = machine.decompress(raw, self._settings.largest_answer)
        except zlib.error:
            raise _Failed("the answer's compression is broken", sent=True, passing=False) from None
        if machine.unconsumed_tail:
            raise self._too_large()
        if not machine.eof:
            raise _Failed("the answer's compression is broken", sent=True, passing=False)
        return body

    def _too_large(self) -> _Failed:
        return _Failed(f"the answer is larger than {self._settings.largest_answer} bytes", sent=True, passing=False)

    @property
    def user_agent(self) -> str:
        """How we introduce ourselves."""
        return self._settings.user_agent


class Origin:
    """A bound address: every request goes to it and to nothing else. Thread-safe."""

    def __init__(self, http: Http, address: Address) -> None:
        self._http, self._address = http, address
        self._cookies: httpx.Cookies | None = None

    @property
    def url(self) -> str:
        """The address in its one spelling, without a slash at the end."""
        return self._address.url

    @property
    def host(self) -> str:
        """The host alone, in ASCII."""
        return self._address.host

    @property
    def where(self) -> str:
        """Host and port, as errors name the place."""
        return self._address.netloc

    @contextlib.contextmanager
    def session(self) -> Iterator["Session"]:
        """A cookie jar of its own on the shared connections: in memory, and gone with the block."""
        session = Session(self._http, self._address)
        try:
            yield session
        finally:
            session.forget()

    def request(
        self,
        method: str,
        path: str,
        *,
        safe: bool,
        query: Pairs = (),
        form: Pairs | None = None,
        json: Any = None,
        headers: Mapping[str, Text] | None = None,
        auth: tuple[Text, Text] | None = None,
    ) -> Answer:
        """Call a path below the origin ("" or beginning with `/`; parts from elsewhere go through `segment`).

        `safe` says that repeating does no harm, whatever the method: a GET that revokes is not safe, a POST that logs in is.
        The body is `form` or `json` or none; `auth` is a pair for Basic. Secrets may stand anywhere in them as `Secret`.

        Raises `AddressRefused`; `Unreachable` where there was no connection, or no whole answer to a safe call;
        `UnclearOutcome` where a call that is not safe was sent and its answer was lost or unreadable; `RateLimited` for a
        429 that could not be waited out; `Unexpected` for an answer too large or badly encoded. Any other status is an
        `Answer`.
        """
        fields = {"user-agent": self._http.user_agent, "accept": "*/*", "accept-encoding": "gzip"}
        body = b""
        if form is not None:
            fields["content-type"] = "application/x-www-form-urlencoded"
            body = _encoded(form).encode()
        elif json is not None:
            fields["content-type"] = "application/json"
            body = jsonlib.dumps(json, default=_revealed).encode()
        if auth is not None:
            pair = f"{_plain(auth[0])}:{_plain(auth[1])}".encode()
            fields["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        fields |= {name.lower(): _plain(value) for name, value in (headers or {}).items()}
        if not _METHOD.fullmatch(method) or not _PATH.fullmatch(path):
            raise Unexpected("a request would leave the address it belongs to; nothing was sent", where=self.where)
        if not all(_FIELD.fullmatch(value) for value in fields.values()):
            raise Unexpected("a value has characters that no HTTP header can carry; nothing was sent", where=self.where)
        call = _Call(method, self._address.base + path, _encoded(query), fields, body, safe)
        return self._http.send(self._address, call, self._cookies)


class Session(Origin):
    """An origin with cookies. For one operation at a time."""

    def __init__(self, http: Http, address: Address) -> None:
        super().__init__(http, address)
        self._cookies = self._jar = httpx.Cookies()

    def cookie_names(self) -> frozenset[str]:
        """The names of the cookies held now, which tell whether a login was accepted."""
        return frozenset(cookie.name for cookie in self._jar.jar)

    def forget(self) -> None:
        """Drop every cookie."""
        self._jar.clear()


def segment(text: str) -> str:
    """One part of a path, from a value that may hold anything. `Unexpected` where it can be none."""
    if text in {"", ".", ".."} or re.search(r"[/\\\x00-\x1f\x7f]", text):
        raise Unexpected("an identifier cannot stand in a path")
    return urllib.parse.quote(text, safe="")


def _plain(value: Text) -> str:
    return value.reveal() if isinstance(value, Secret) else str(value)


def _revealed(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _encoded(pairs: Pairs) -> str:
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return urllib.parse.urlencode([(name, _plain(value)) for name, value in items])
