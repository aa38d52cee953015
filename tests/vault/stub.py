"""A stand-in for the answers no single OpenBao gives: 412, 472, 473, redirects, lost replies, rubbish (vault.md 6.4)."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sandbox.tls import ensure_authority


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `lost` closes the connection in its place, after the request was read."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Stub:
    """Gives `replies` in turn, the last one for ever, and keeps what was asked."""

    address: str
    ca: Path
    replies: list[Reply] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, request: Seen) -> Reply:
        with self.lock:
            self.seen.append(request)
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


LOOKED_UP = Reply(body={"data": {"ttl": 0, "renewable": False, "policies": ["apply"], "display_name": "someone"}})
"""What Vault says about a token that never ends."""


@contextmanager
def stub(directory: Path) -> Iterator[Stub]:
    """A running stub with TLS; its certificate is issued by the authority in `directory`."""
    authority = ensure_authority(directory)
    certificate, key = authority.issue("stub", ["127.0.0.1"])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One packet per answer: a second one would wait for the first to be acknowledged.
        wbufsize = 65536

        def handle_one_request(self) -> None:
            try:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
            except OSError:
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            reply = running.take(Seen(self.command, self.path, headers, body))
            if reply.lost:
                self.close_connection = True
                return
            content = reply.body if isinstance(reply.body, bytes) else self._json(reply.body)
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        def _json(self, value: Any) -> bytes:
            return b"" if value is None else json.dumps(value).encode()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that goes away in the middle of a handshake is what some tests are about."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        running = Stub(f"https://127.0.0.1:{server.server_address[1]}", authority.certificate_path)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()
