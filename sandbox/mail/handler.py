"""One conversation with the mail server: what each command does, with the faults on the way and the log beside.

The faults and the log are those of the stores. In both the server goes by the name `_mail`; the operations are `mail_hello`,
`mail_login`, `mail_sender`, `mail_recipient` and `mail_content`, the path is the address that a command names, and the status
is SMTP's. The effects `list_lag` and `truncate` mean nothing here, nor do `drop_after`, `late_commit` and `duplicate` to a login.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.exchange import VendorRequest
from sandbox.faults import Faults, Rule
from sandbox.mail.post import MailSettings, Post, Transport
from sandbox.request_log import LogEntry, RequestLog

NAME = "_mail"
"""What faults and the log call the server; no store can be called so."""

TAKEN = "250 2.0.0 OK"
LOGIN_FIRST = "530 5.7.0 Authentication required"
TLS_FIRST = "530 5.7.0 Must issue a STARTTLS command first"
NO_SUCH_FAULT = "451 4.3.5 sandbox: there is no such fault here"


class Handler:
    """The hooks that the protocol calls, for one connection."""

    def __init__(
        self, post: Post, faults: Faults, log: RequestLog, transport: Transport, settings: MailSettings
    ) -> None:
        self._post = post
        self._faults = faults
        self._log = log
        self._transport: Transport = transport
        self._settings = settings

    # --- commands ---------------------------------------------------------------------------------------------------

    async def handle_HELO(self, server: SMTP, session: Session, _: Envelope, hostname: str) -> str:
        """A greeting of the old kind."""

        def greet() -> str:
            session.host_name = hostname
            return f"250 {server.hostname}"

        return await self._answered(server, "mail_hello", "HELO", "", greet)

    async def handle_EHLO(
        self, server: SMTP, session: Session, _: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        """A greeting, answered with what the server can do."""

        def greet() -> str:
            session.host_name = hostname
            offered = [line for line in lines if line != "250-AUTH "]
            if self._settings.starttls == "refused" and self._tls(session) is None:
                offered.insert(1, "250-STARTTLS")
            return "\n".join(offered)

        return (await self._answered(server, "mail_hello", "EHLO", "", greet)).split("\n")

    async def handle_AUTH(self, server: SMTP, _: Session, __: Envelope, ___: list[str]) -> Any:
        """A login begins; what becomes of it is for `log_in`."""
        rule = await self._faults.fire(NAME, "mail_login", "AUTH", "")
        if rule is None:
            return MISSING
        entry = self._record("mail_login", "AUTH", "", [])
        if rule.effect == "hang":
            entry.fault = rule.effect
            await self._faults.hold(rule)
            return MISSING
        if rule.effect not in {"status", "drop_before"}:
            return NO_SUCH_FAULT
        return await self._faulty(server, entry, rule, lambda: "")

    def log_in(self, _: SMTP, __: Session, ___: Envelope, mechanism: str, credentials: Any) -> AuthResult:
        """Check a name and a password, which reach the log as hashes alone."""
        login: LoginPassword = credentials
        username, password = (value.decode("utf-8", "replace") for value in login)
        entry = self._record("mail_login", mechanism, "", [("username", username), ("password", password)])
        success = self._post.may_send(username, password)
        entry.status = 235 if success else 535
        return AuthResult(success=success, handled=False, auth_data=login)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The sender of a mail."""

        def accept() -> str:
            if self._settings.tls_required and self._tls(session) is None:
                return TLS_FIRST
            if self._settings.login_required and not session.authenticated:
                return LOGIN_FIRST
            envelope.mail_from = address
            envelope.mail_options.extend(options)
            return TAKEN

        return await self._answered(server, "mail_sender", "MAIL", address, accept)

    async def handle_RCPT(self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        """A recipient of a mail."""

        def accept() -> str:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
            return TAKEN

        return await self._answered(server, "mail_recipient", "RCPT", address, accept)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The mail itself. It is kept before the reply goes out, as a server that takes the responsibility does."""
        sender, recipients = envelope.mail_from or "", tuple(envelope.rcpt_tos)
        content = envelope.original_content or b""
        login: LoginPassword | None = session.auth_data
        username = login.login.decode("utf-8", "replace") if login else None
        tls = self._tls(session)

        def accept() -> str:
            self._post.keep(sender, recipients, username, tls, content)
            return TAKEN

        return await self._answered(server, "mail_content", "DATA", "", accept)

    def _tls(self, session: Session) -> Transport | None:
        return self._transport if self._transport == "implicit" or session.ssl is not None else None

    # --- faults and log ---------------------------------------------------------------------------------------------

    def _record(self, operation: str, method: str, address: str, fields: list[tuple[str, str]]) -> LogEntry:
        path = f"/{address}"
        request = VendorRequest(method, NAME, path, path, "", [], fields, headers={}, cookies={})
        return self._log.record(NAME, operation, request)

    async def _answered(
        self, server: SMTP, operation: str, method: str, address: str, process: Callable[[], str]
    ) -> str:
        """The reply to a command, noted in the log, or what a rule orders in its place."""
        entry = self._record(operation, method, address, [])
        rule = await self._faults.fire(NAME, operation, method, address)
        reply = process() if rule is None else await self._faulty(server, entry, rule, process)
        entry.status = int(reply[:3])
        return reply

    async def _faulty(self, server: SMTP, entry: LogEntry, rule: Rule, process: Callable[[], str]) -> str:
        """Answer as a rule orders."""
        entry.fault = rule.effect
        match rule.effect:
            case "status":
                return f"{rule.status} {rule.body or 'sandbox: as ordered'}"
            case "drop_before":
                return await self._dropped(server, entry)
            case "drop_after":
                process()
                return await self._dropped(server, entry)
            case "late_commit":

                async def later() -> None:
                    process()

                self._faults.commit_later(rule, later)
                return await self._dropped(server, entry)
            case "duplicate":
                process()
                return process()
            case "hang":
                if rule.before:
                    await self._faults.hold(rule)
                    return process()
                reply = process()
                await self._faults.hold(rule)
                return reply
            case _:
                return NO_SUCH_FAULT

    @staticmethod
    async def _dropped(server: SMTP, entry: LogEntry) -> str:
        """Close the connection without a reply: the protocol ends this task as soon as it notices."""
        entry.status = 0
        if isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        await asyncio.Event().wait()
        return ""
