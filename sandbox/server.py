"""The process: one TLS port, every store below it, faults and latency on the way, and the control API beside."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import secrets
import signal
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from sandbox.control import Control
from sandbox.exchange import Reply, VendorRequest
from sandbox.faults import Faults, Rule
from sandbox.request_log import LogEntry, RequestLog
from sandbox.tls import Authority, ensure_authority
from sandbox.vendor import Answer, Site, Surroundings, derived_key
from sandbox.vendors import all_vendors

HOSTS = ("localhost", "127.0.0.1", "::1")
BACKLOG = 2048
CALL_TIMEOUT = aiohttp.ClientTimeout(total=10)


class Sandbox:
    """Everything one process holds."""

    def __init__(
        self,
        directory: Path,
        url: str,
        authority: Authority,
        client_tls: ssl.SSLContext,
        log_size: int,
        mail_port: int,
    ) -> None:
        secret = _directory_secret(directory)
        self.log = RequestLog(derived_key(secret, "log"), log_size)
        self.faults = Faults()
        surroundings = Surroundings(directory, url, authority, self._call, self.faults, self.log, mail_port, secret)
        self.vendors = all_vendors(surroundings)
        self.control = Control(self.vendors, self.faults, self.log, url, authority.certificate_path)
        self._client_tls = client_tls

    def application(self) -> web.Application:
        """The routes of the port; whatever is not control is a vendor's."""
        application = web.Application(client_max_size=4 * 1024 * 1024)
        self.control.add_routes(application.router)
        application.router.add_route("*", "/{path:.*}", self.vendor)
        return application

    async def vendor(self, http: web.Request) -> web.StreamResponse:
        """A request to whatever is no control."""
        request = await _read(http)
        sites = (vendor.site(request) for vendor in self.vendors)
        site = next((site for site in sites if site is not None), None)
        if site is None:
            self.log.record(request.prefix, "no_store", request).status = 404
            return web.Response(status=404, text="There is no such host in the sandbox.\n")
        name = site.operation(request)
        entry = self.log.record(site.name, name, request)
        latency = self.control.latency + site.latency
        if latency:
            await asyncio.sleep(latency)
        rule = await self.faults.fire(site.name, name, request.method, request.path)
        if rule is None:
            return self._sent(site, entry, await site.process(request))
        entry.fault = rule.effect
        return await self._faulty(http, site, request, entry, rule)

    async def _faulty(
        self, http: web.Request, site: Site, request: VendorRequest, entry: LogEntry, rule: Rule
    ) -> web.StreamResponse:
        """Answer as a rule orders."""

        def process() -> Awaitable[Reply]:
            return site.process(request)

        match rule.effect:
            case "status":
                headers = {"Content-Type": "text/html; charset=UTF-8"} | rule.headers
                return self._sent(site, entry, Reply(rule.status, rule.body.encode(), list(headers.items())))
            case "drop_before":
                return _dropped(http, entry)
            case "drop_after":
                await process()
                return _dropped(http, entry)
            case "late_commit":
                site.admit(request)
                self.faults.commit_later(rule, process)
                return _dropped(http, entry)
            case "duplicate":
                await process()
                return self._sent(site, entry, await process())
            case "list_lag":
                request.list_lag = rule.writes
                return self._sent(site, entry, await process())
            case "hang":
                return self._sent(site, entry, await self._held(rule, process))
            case "truncate":
                return await self._truncated(http, site, entry, rule, await process())

    async def _held(self, rule: Rule, process: Callable[[], Awaitable[Reply]]) -> Reply:
        if rule.before:
            await self.faults.hold(rule)
            return await process()
        reply = await process()
        await self.faults.hold(rule)
        return reply

    async def _truncated(
        self, http: web.Request, site: Site, entry: LogEntry, rule: Rule, reply: Reply
    ) -> web.StreamResponse:
        length = len(reply.body) // 2 if rule.length is None else rule.length
        whole, reply.body = len(reply.body), reply.body[:length]
        response = self._sent(site, entry, reply)
        if not rule.keep_length or len(reply.body) == whole:
            return response
        cut = web.StreamResponse(status=response.status, headers=response.headers)
        cut.content_length = whole
        await cut.prepare(http)
        await cut.write(reply.body)
        if http.transport is not None:
            http.transport.close()
        return cut

    @staticmethod
    def _sent(site: Site, entry: LogEntry, reply: Reply) -> web.Response:
        entry.status = reply.status
        headers = CIMultiDict(reply.headers)
        if site.clock_offset:
            headers["Date"] = formatdate(entry.time + site.clock_offset, usegmt=True)
        return web.Response(status=reply.status, body=reply.body, headers=headers)

    async def _call(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"", verify: bool = True
    ) -> Answer | None:
        """A request that a stand-in makes itself."""
        connector = aiohttp.TCPConnector(ssl=self._client_tls if verify else False)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=CALL_TIMEOUT) as session,
                session.request(method, url, data=body or None, headers=headers, allow_redirects=False) as response,
            ):
                return Answer(response.status, response.headers.copy(), await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None


def _dropped(http: web.Request, entry: LogEntry) -> web.Response:
    """Close the connection without an answer; the response returned reaches nobody."""
    entry.status = 0
    if http.transport is not None:
        http.transport.abort()
    return web.Response(status=500)


async def _read(http: web.Request) -> VendorRequest:
    """An HTTP request as a plain value."""
    raw_path, _, raw_query = http.raw_path.partition("?")
    prefix, slash, rest = raw_path.lstrip("/").partition("/")
    body = await http.read() if http.body_exists else b""
    return VendorRequest(
        method=http.method,
        prefix=unquote(prefix),
        path=unquote(slash + rest),
        raw_path=slash + rest,
        raw_query=raw_query,
        query_pairs=parse_qsl(raw_query, keep_blank_values=True),
        form_pairs=await _form(http, body) if body else [],
        headers=http.headers,
        cookies=_cookies(http.headers.get("Cookie", "")),
        body=body,
    )


async def _form(http: web.Request, body: bytes) -> list[tuple[str, str]]:
    """The fields of a body: a form, or the plain values at the top of a JSON object."""
    if http.content_type == "application/x-www-form-urlencoded":
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    if http.content_type == "multipart/form-data":
        return [(name, value) for name, value in (await http.post()).items() if isinstance(value, str)]
    if http.content_type == "application/json":
        try:
            document = json.loads(body)
        except ValueError:
            return []
        if isinstance(document, dict):
            return [(name, value) for name, value in document.items() if isinstance(value, str)]
    return []


def _cookies(header: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: unquote(value) for name, sign, value in pairs if sign}


def _directory_secret(directory: Path) -> bytes:
    """The random key of this directory: passwords, sessions, nonces and the log hang on it."""
    path = directory / "secret.key"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
    return path.read_bytes()


def _prepare(directory: Path) -> tuple[Authority, ssl.SSLContext, ssl.SSLContext]:
    """The directory with its certificates; how to serve with them, and how to call a local callback."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = ensure_authority(directory.resolve() / "tls")
    certificate, key = authority.issue("server", HOSTS)
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_tls.load_cert_chain(certificate, key)
    return authority, server_tls, ssl.create_default_context(cafile=str(authority.certificate_path))


def _allow_many_connections() -> None:
    """As many open files as the system grants: a bench opens a thousand connections and more."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def serve(directory: Path, host: str, port: int, mail_port: int, log_size: int, until_stdin_closes: bool) -> None:
    """Run until SIGTERM or SIGINT."""
    _allow_many_connections()
    authority, server_tls, client_tls = _prepare(directory)
    listener = _listen(host, port)
    url = f"https://localhost:{listener.getsockname()[1]}"
    sandbox = Sandbox(directory, url, authority, client_tls, log_size, mail_port)
    for vendor in sandbox.vendors:
        await vendor.start()
    runner = web.AppRunner(sandbox.application(), access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.SockSite(runner, listener, ssl_context=server_tls, backlog=BACKLOG).start()

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_closes:
        loop.add_reader(sys.stdin.fileno(), lambda: stop.set() if not os.read(sys.stdin.fileno(), 4096) else None)
    ready = {"ready": True, "url": url, "ca": str(authority.certificate_path)}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    await stop.wait()
    # At once: open connections and held replies are not waited for.
    for vendor in sandbox.vendors:
        vendor.close()
    os._exit(0)


def _listen(host: str, port: int) -> socket.socket:
    """The listening socket, opened here so that the port is known before the first answer."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener
