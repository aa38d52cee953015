"""The mail server on two ports of its own: one with STARTTLS, one with TLS from the first byte.

Who may send, and what goes wrong on purpose, is for `post.py` and `handler.py`; the protocol is aiosmtpd's.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path

from aiosmtpd.smtp import SMTP

from sandbox.faults import Faults
from sandbox.mail.handler import Handler
from sandbox.mail.post import MailPorts, MailSettings, Post, Transport
from sandbox.request_log import RequestLog
from sandbox.tls import ensure_authority

HOSTNAME = "localhost"
HOSTS = ("localhost", "127.0.0.1", "::1")
OTHER_HOSTS = ("mail.elsewhere.example",)
MECHANISMS = frozenset({"LOGIN", "PLAIN"})


class Certificates:
    """How the server proves who it is, by the setting `certificate`."""

    def __init__(self, directory: Path, settings: Callable[[], MailSettings]) -> None:
        self._directory = directory
        self._settings = settings
        self._contexts: dict[str, ssl.SSLContext] = {}

    def context(self) -> ssl.SSLContext:
        """A context that chooses its certificate when a client comes, so that the setting may change at any time."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = self._choose
        return context

    def _choose(self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        kind = self._settings().certificate
        if kind not in self._contexts:
            self._contexts[kind] = self._made(kind)
        connection.context = self._contexts[kind]

    def _made(self, kind: str) -> ssl.SSLContext:
        folder = self._directory / ("tls-other" if kind == "other_authority" else "tls")
        hosts = OTHER_HOSTS if kind == "other_host" else HOSTS
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*ensure_authority(folder).issue(f"mail-{kind}", hosts))
        return context


class MailServer:
    """The server with its two ports."""

    def __init__(self, post: Post, faults: Faults, log: RequestLog, directory: Path) -> None:
        self.post = post
        self._faults = faults
        self._log = log
        self._certificates = Certificates(directory, lambda: post.settings)
        self._servers: list[asyncio.Server] = []
        # It says what a mail holds, and warns of its own ways.
        logging.getLogger("mail.log").setLevel(logging.ERROR)

    async def start(self, host: str, port: int = 0) -> None:
        """Listen on the ports of last time, or on free ones; with `port`, STARTTLS listens there or nowhere."""
        last = self.post.ports
        try:
            self._servers = await self._listen(host, last.model_copy(update={"starttls": port or last.starttls}))
        except OSError:
            self._servers = await self._listen(host, MailPorts(starttls=port))
        starttls, implicit = (server.sockets[0].getsockname()[1] for server in self._servers)
        self.post.listen_on(MailPorts(starttls=starttls, implicit=implicit))

    async def _listen(self, host: str, ports: MailPorts) -> list[asyncio.Server]:
        loop = asyncio.get_running_loop()
        starttls = await loop.create_server(lambda: self._connection("starttls"), host, ports.starttls)
        try:
            context = self._certificates.context()
            implicit = await loop.create_server(lambda: self._connection("implicit"), host, ports.implicit, ssl=context)
        except OSError:
            starttls.close()
            raise
        return [starttls, implicit]

    def _connection(self, transport: Transport) -> SMTP:
        """The protocol of one connection, as the settings are when it is made."""
        settings = self.post.settings
        handler = Handler(self.post, self._faults, self._log, transport, settings)
        clear = transport == "starttls"
        return SMTP(
            handler,
            hostname=HOSTNAME,
            ident="sandbox",
            enable_SMTPUTF8=True,
            tls_context=self._certificates.context() if clear and settings.starttls == "works" else None,
            auth_require_tls=clear and settings.tls_required,
            auth_exclude_mechanism=MECHANISMS.difference(settings.mechanisms),
            authenticator=handler.log_in,
        )
