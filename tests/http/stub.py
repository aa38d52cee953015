"""A store of a few lines: TLS on loopback, answers by script, and an account of what it was asked."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True)
class Asked:
    """One request as it arrived: `headers` by lower-case name, `connection` counts from 0."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


@dataclass(frozen=True)
class Reply:
    """An answer. `cut` sends so many bytes of it and breaks off (0: closes without a word)."""

    status: int = 200
    body: bytes = b"{}"
    headers: Sequence[tuple[str, str]] = ()
    cut: int | None = None
    length: bool = True

    def wire(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Stub", *(f"{name}: {value}" for name, value in self.headers)]
        if self.length:
            lines.append(f"content-length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


Script = Callable[[Asked], Reply]


@dataclass
class Stub:
    """A running stub; `script` is called for every request and may be changed at any time."""

    port: int
    script: Script
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    failures: list[str] = field(default_factory=list)
    ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released once for every connection that is over."""

    def url(self, host: str = "127.0.0.1", base: str = "") -> str:
        return f"https://{host}:{self.port}{base}"

    def replies(self, *replies: Reply) -> None:
        """These answers in turn, the last one for ever."""
        left = list(replies)
        self.script = lambda _: left.pop(0) if len(left) > 1 else left[0]


def context_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@contextlib.contextmanager
def running(context: ssl.SSLContext | None) -> Iterator[Stub]:
    """A stub on a free port; without a context it speaks no TLS."""
    listener = socket.create_server(("127.0.0.1", 0))
    stub = Stub(listener.getsockname()[1], lambda _: Reply())
    threads: list[threading.Thread] = []
    open_sockets: set[socket.socket] = set()

    def accept() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            number, stub.connections = stub.connections, stub.connections + 1
            thread = threading.Thread(target=converse, args=(plain, number), daemon=True)
            threads.append(thread)
            thread.start()

    def converse(plain: socket.socket, number: int) -> None:
        connection = plain
        open_sockets.add(plain)
        try:
            if context is not None:
                connection = context.wrap_socket(plain, server_side=True)
                open_sockets.add(connection)
            with connection.makefile("rb") as lines:
                while (asked := read_request(lines, number)) is not None:
                    stub.asked.append(asked)
                    reply = stub.script(asked)
                    connection.sendall(reply.wire()[: reply.cut])
                    if reply.cut is not None or not reply.length:
                        break
        except OSError as error:
            stub.failures.append(type(error).__name__)
        finally:
            open_sockets.discard(plain)
            open_sockets.discard(connection)
            connection.close()
            plain.close()
            stub.ended.release()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield stub
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for connection in list(open_sockets):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def read_request(lines: BinaryIO, connection: int) -> Asked | None:
    first = lines.readline().decode()
    if not first:
        return None
    method, target, _ = first.split(" ")
    headers: dict[str, str] = {}
    while (line := lines.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = lines.read(int(headers.get("content-length", 0)))
    return Asked(method, target, headers, body, connection)
