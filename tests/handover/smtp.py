"""A mail server of a few lines: it answers each command as a test says, and keeps what it was told."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

USUAL: Mapping[str, str | None] = {
    "": "220 mail.example ESMTP",
    "EHLO": "250-mail.example\r\n250-STARTTLS\r\n250 AUTH LOGIN PLAIN",
    "STARTTLS": "220 go ahead",
    "AUTH": "235 welcome",
    "MAIL": "250 sender ok",
    "RCPT": "250 recipient ok",
    "DATA": "354 go ahead",
    ".": "250 taken",
    "QUIT": "221 bye",
}
"""The answer to a command, to the connection (""), to the end of a message (".")."""

CLOSE, SILENCE = "close", "silence"
"""In the place of an answer: end the connection, or say nothing for ever."""


@dataclass
class Server:
    """What was said to it: `commands` in the clear and under TLS, `messages` as they came with their dots."""

    port: int = 0
    answers: dict[str, str | None] = field(default_factory=lambda: dict(USUAL))
    clear: list[str] = field(default_factory=list)
    covered: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    broken: int = 0

    @property
    def commands(self) -> list[str]:
        return self.clear + self.covered


def _answer(server: Server, connection: socket.socket, what: str) -> str:
    text = server.answers.get(what) or "500 what?"
    if text == SILENCE:
        connection.recv(1)
    elif text != CLOSE:
        connection.sendall(text.encode() + b"\r\n")
    return text


def _talk(server: Server, connection: socket.socket, *, secure: bool) -> bool:
    """Answer commands; whether TLS is to begin."""
    said = ""
    with connection.makefile("rb") as lines:
        while said not in {CLOSE, SILENCE}:
            line = lines.readline().decode("utf-8", "replace").rstrip("\r\n")
            if not line:
                return False
            (server.covered if secure else server.clear).append(line)
            verb = line.partition(" ")[0].upper()
            said = _answer(server, connection, verb if verb in USUAL else "AUTH")
            if verb == "STARTTLS" and said.startswith("220"):
                return True
            if verb == "DATA" and said.startswith("354"):
                message = b""
                while not message.endswith(b"\r\n.\r\n"):
                    part = lines.readline()
                    if not part:
                        return False
                    message += part
                server.messages.append(message)
                said = _answer(server, connection, ".")
    return False


@contextlib.contextmanager
def mail_server(certificate: Path | None, *, implicit: bool = False) -> Iterator[Server]:
    """A running server on loopback; without a certificate it breaks off where TLS begins."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate is not None:
        context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1])
    over = threading.Event()

    def converse(connection: socket.socket) -> None:
        """One conversation, to its end."""
        try:
            if implicit:
                connection = context.wrap_socket(connection, server_side=True)
            greeting = _answer(server, connection, "")
            if greeting not in {CLOSE, SILENCE} and _talk(server, connection, secure=implicit):
                connection = context.wrap_socket(connection, server_side=True)
                _talk(server, connection, secure=True)
        except OSError:
            server.broken += 1
        finally:
            connection.close()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while not over.is_set():
                connection, _ = listener.accept()
                with connection:
                    converse(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
