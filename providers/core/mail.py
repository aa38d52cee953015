"""Sends one message by SMTP: TLS before anything is said, certificates verified, and no doubt about whether it was sent.

A mail lies in many places, so it carries sheets, single-use tokens and sealed values, and a secret as it stands only where a
stack permits that and its reason is on record. Nothing a server says is shown, but for the number of its answer.
"""

import base64
import contextlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any, Final, Literal

from providers.core.errors import (
    Refused,
    Rejected,
    StoreError,
    Transient,
    Unauthorized,
    UnclearOutcome,
    Unreachable,
)
from providers.core.redaction import Secret
from providers.core.tls import verified_tls

PORTS: Final = {"starttls": 587, "tls": 465}
"""Where mail is handed in (RFC 6409, RFC 8314)."""

_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_NAME = re.compile(r"[!-9;-~]+")
_LONGEST_LINE = 998

NUL = "\0"


@dataclass(frozen=True, slots=True)
class MailLogin:
    """Who may send."""

    username: Secret
    password: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """The server that takes our mail. `ca_file` holds further authorities, in PEM; `deadline` is seconds for everything."""

    server: str
    sender: str
    security: Literal["starttls", "tls"] = "starttls"
    port: int | None = None
    ca_file: Path | None = None
    deadline: float = 60.0

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        return self.server, self.port or PORTS[self.security]


def compose(sender: str, recipient: str, subject: str, text: str, now: datetime) -> EmailMessage:
    """A message of plain text to one recipient, with a number of its own. `Refused` for what is no address or no line."""
    message = EmailMessage(policy=SMTP)
    if not subject.isprintable():
        raise Refused("the subject of a mail is one line of text; nothing was sent")
    message["From"], message["To"] = _address(sender), _address(recipient)
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=_domain(sender))
    lines = [*text.splitlines(), ""]
    # As it stands wherever that is possible: whoever opens the mail in a file finds tokens and sealed text unbroken.
    whole = text.isascii() and max(map(len, lines)) <= _LONGEST_LINE
    message.set_content("\n".join(lines), cte="7bit" if whole else "quoted-printable")
    return message


def send(
    settings: MailSettings,
    message: EmailMessage,
    login: MailLogin | None = None,
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Hand a message to the server, for the one address that stands in its `To`.

    Surely not sent: `Refused` for a message that is not such as `compose` makes, `Unreachable` without connection, TLS or
    answer, `Transient` and `Rejected` as the server says, `Unauthorized` for the login. `UnclearOutcome` where the message
    was given over and the answer was lost: it may have been sent.
    """
    recipient, content = _checked(settings, message)
    with _conversation(settings, login, monotonic) as client:
        client.done(client.mail(settings.sender))
        client.done(client.rcpt(recipient))
        client.done(client.data(content))


def greet(settings: MailSettings, login: MailLogin | None = None) -> None:
    """Talk to the server as far as its login, and send nothing. Errors as of `send`."""
    with _conversation(settings, login, time.monotonic):
        return


@contextlib.contextmanager
def _conversation(
    settings: MailSettings, login: MailLogin | None, monotonic: Callable[[], float]
) -> "Iterator[_Client]":
    """A server that is ready to take a message."""
    client = _Client(settings, monotonic)
    try:
        client.begin()
        if login is not None:
            client.log_in(login)
        yield client
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        raise client.meaning(error) from None
    finally:
        client.end()


class _Lines:
    """What a server says, line by line, within the time that is left for everything."""

    def __init__(self, connection: socket.socket, left: Callable[[], float]) -> None:
        self._connection, self._left, self._read = connection, left, b""

    def readline(self, limit: int) -> bytes:
        """One line with its end, or what there is of it at the limit or where the connection ends."""
        while b"\n" not in self._read and len(self._read) < limit:
            self._connection.settimeout(self._left())
            more = self._connection.recv(4096)
            if not more:
                break
            self._read += more
        end = self._read.find(b"\n") + 1
        end = min(end, limit) if end else min(len(self._read), limit)
        line, self._read = self._read[:end], self._read[end:]
        return line

    def close(self) -> None:
        """Nothing is held here."""


class _Client(smtplib.SMTP):
    """One conversation. smtplib's own time limit is for each byte; here there is one for all."""

    def __init__(self, settings: MailSettings, monotonic: Callable[[], float]) -> None:
        # Without a name smtplib would look up this machine's and tell it to the server.
        super().__init__(local_hostname=_domain(settings.sender), timeout=settings.deadline)
        self._settings, self._monotonic = settings, monotonic
        self._context = verified_tls(settings.ca_file)
        self._until = monotonic() + settings.deadline
        self._given_over = False

    @property
    def where(self) -> str:
        return "{}:{}".format(*self._settings.place)

    def begin(self) -> None:
        """Connect, and go on only under TLS."""
        host, port = self._settings.place
        self._host = host
        self.done(self.connect(host, port))
        if self._settings.security == "starttls":
            self.starttls(context=self._context)
        self.done(self.ehlo())

    def log_in(self, login: MailLogin) -> None:
        """By PLAIN, or else by LOGIN; both are as safe as the TLS around them."""
        offered = self.esmtp_features.get("auth", "").upper().split()
        username, password = login.username.reveal(), login.password.reveal()
        if "PLAIN" in offered:
            answer = self.docmd("AUTH", f"PLAIN {_base64(f'{NUL}{username}{NUL}{password}')}")
        elif "LOGIN" in offered:
            answer = self.docmd("AUTH", "LOGIN")
            for value in (username, password):
                answer = self.docmd(_base64(value)) if answer[0] == 334 else answer
        else:
            raise Rejected("the mail server offers no login that is known here; nothing was sent", where=self.where)
        self.done(answer, Unauthorized)

    def done(self, answer: tuple[int, bytes], refusal: type[StoreError] = Rejected) -> None:
        """Go on if the server agrees."""
        code, _ = answer
        if not 200 <= code < 300:
            raise self._refused(code, refusal)

    def meaning(self, error: Exception) -> StoreError:
        """What went wrong, in words of ours."""
        if self._given_over:
            return self._unclear()
        if isinstance(error, smtplib.SMTPNotSupportedError):
            what = "the mail server offers no STARTTLS; nothing was sent"
            return Rejected(what, do="Ask for its port with TLS, and set security: tls", where=self.where)
        if isinstance(error, smtplib.SMTPResponseException):
            return self._refused(error.smtp_code, Rejected)
        if isinstance(error, ssl.SSLCertVerificationError):
            what = "the certificate of the mail server is not trusted, or is for another name; nothing was sent"
            return Unreachable(
                what, do="Is the name right? An authority of your own is named by a CA file", where=self.where
            )
        if isinstance(error, ssl.SSLError):
            return Unreachable(
                "no TLS with the mail server; nothing was sent", do="Is the port right?", where=self.where
            )
        return Unreachable("the mail server cannot be reached, or falls silent; nothing was sent", where=self.where)

    def end(self) -> None:
        """Say goodbye without waiting for the answer, and close."""
        with contextlib.suppress(smtplib.SMTPException, OSError):
            self.putcmd("QUIT")
        self.close()

    def _refused(self, code: int, refusal: type[StoreError]) -> StoreError:
        if 400 <= code < 500:
            return Transient(
                f"the mail server puts it off ({code}); nothing was sent", do="Try later", where=self.where
            )
        if 500 <= code < 600:
            return refusal(f"the mail server refuses ({code}); nothing was sent", where=self.where)
        if self._given_over:
            return self._unclear()
        return Unreachable("what answers there is no mail server; nothing was sent", where=self.where)

    def _unclear(self) -> UnclearOutcome:
        return UnclearOutcome(
            "the message was given over and the answer was lost: it may have been sent", where=self.where
        )

    # --- what smtplib calls ---

    def _left(self) -> float:
        left = self._until - self._monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.create_connection((host, port), self._left())
        if self._settings.security == "starttls":
            return connection
        return self._context.wrap_socket(connection, server_hostname=host)

    def send(self, s: Any) -> None:
        """Send a command, or what alone is sent as bytes: the message."""
        if self.sock is not None:
            self.sock.settimeout(self._left())
        self._given_over = self._given_over or isinstance(s, bytes)
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """An answer of one or more lines."""
        if self.file is None and self.sock is not None:
            self.file = _Lines(self.sock, self._left)
        return super().getreply()


def _checked(settings: MailSettings, message: EmailMessage) -> tuple[str, bytes]:
    """The recipient, and the message as it is sent. Nothing that it holds can begin another header, command or message."""
    for name, value in message.items():
        if not _NAME.fullmatch(name) or re.search(r"[\r\n\0]", str(value)):
            raise Refused("a header of the mail would begin another one; nothing was sent")
    names = [name.lower() for name, _ in message.items()]
    if any(names.count(name) != 1 for name in ("from", "to", "subject")) or any(
        name in {"cc", "bcc", "sender"} or name.startswith("resent-") for name in names
    ):
        raise Refused("a mail goes from one address to one; nothing was sent")
    if _address(str(message["From"])) != _address(settings.sender):
        raise Refused("a mail is sent by the address in _stack.yaml; nothing was sent")
    try:
        content = message.as_bytes(policy=SMTP)
    except UnicodeError:
        content = b"\0"
    if not content.isascii() or re.search(rb"\r(?!\n)|(?<!\r)\n|\0|[^\r\n]{999}", content):
        raise Refused("a mail is lines of ASCII, 998 characters at most; nothing was sent")
    return _address(str(message["To"])), content


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise Refused("this is no plain mail address; nothing was sent", do="Write it as team@agency.example")
    return text


def _domain(address: str) -> str:
    return _address(address).rpartition("@")[2]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")
