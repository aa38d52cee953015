"""What the stand-in was asked, without a single value.

Names of fields are kept, values only as keyed hashes, so that a test can ask "was this ever sent, and to whom?" although
nobody can read a secret out of the log. The ring lives in memory and is bounded; the counters are not cut.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.exchange import VendorRequest

HASH_BYTES = 12
CREDENTIAL_HEADERS = ("Authorization", "X-WP-Nonce", "Cookie", "X-Auth-Token", "X-Auth-Client", "Sf-Api-Token")
HASHED_HEADERS = ("X-Auth-Token", "X-Auth-Client", "Sf-Api-Token")
"""Headers that are a credential as they stand."""
OAUTH_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


@dataclass(slots=True)
class LogEntry:
    """One request. `status` is None while the answer is pending and 0 if the connection was closed without one."""

    seq: int
    time: float
    store: str
    method: str
    path: str
    operation: str
    query_fields: tuple[str, ...]
    form_fields: tuple[str, ...]
    header_fields: tuple[str, ...]
    hashes: tuple[bytes, ...]
    status: int | None = None
    fault: str | None = None

    def shown(self) -> dict[str, Any]:
        """As the control API tells it: no values, and no hashes either, as nobody outside can use them."""
        return {
            "seq": self.seq,
            "time": self.time,
            "store": self.store,
            "method": self.method,
            "path": self.path,
            "operation": self.operation,
            "query_fields": list(self.query_fields),
            "form_fields": list(self.form_fields),
            "header_fields": list(self.header_fields),
            "status": self.status,
            "fault": self.fault,
        }


class RequestLog:
    """Bounded ring of entries and unbounded counters per store and operation."""

    def __init__(self, key: bytes, size: int) -> None:
        self._key = key
        self._entries: deque[LogEntry] = deque(maxlen=size)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._seq = 0

    def record(self, store: str, operation: str, request: VendorRequest) -> LogEntry:
        """Note the arrival of a request; the caller fills in the status later."""
        self._seq += 1
        values = [value for _, value in request.query_pairs]
        values += [value for _, value in request.form_pairs]
        headers = tuple(name.lower() for name in CREDENTIAL_HEADERS if name in request.headers)
        if "authorization" in headers:
            values.extend(_credential_values(request.headers["Authorization"]))
        values += [request.headers[name] for name in HASHED_HEADERS if name in request.headers]
        entry = LogEntry(
            seq=self._seq,
            time=time.time(),
            store=store,
            method=request.method,
            path=f"/{request.prefix}{request.path}",
            operation=operation,
            query_fields=tuple(name for name, _ in request.query_pairs),
            form_fields=tuple(name for name, _ in request.form_pairs),
            header_fields=headers,
            hashes=tuple(self._hash(value) for value in values),
        )
        self._entries.append(entry)
        self._counts[store, operation] += 1
        return entry

    def find(self, value: str) -> list[LogEntry]:
        """Entries in which exactly this value stood in a field of the query, the form or the credentials."""
        wanted = self._hash(value)
        return [entry for entry in self._entries if wanted in entry.hashes]

    def since(self, seq: int, limit: int, store: str | None) -> list[LogEntry]:
        """Entries after SEQ, oldest first."""
        chosen: list[LogEntry] = []
        for entry in self._entries:
            if entry.seq > seq and (store is None or entry.store == store):
                chosen.append(entry)
                if len(chosen) == limit:
                    break
        return chosen

    def counts(self) -> dict[str, dict[str, int]]:
        """Number of requests per store and operation since the last clear."""
        result: dict[str, dict[str, int]] = {}
        for (store, operation), number in sorted(self._counts.items()):
            result.setdefault(store, {})[operation] = number
        return result

    def clear(self) -> None:
        """Forget entries and counters; the sequence goes on."""
        self._entries.clear()
        self._counts.clear()

    @property
    def last_seq(self) -> int:
        """Sequence number of the newest entry."""
        return self._seq

    def _hash(self, value: str) -> bytes:
        return hmac.digest(self._key, value.encode("utf-8", "surrogateescape"), "sha256")[:HASH_BYTES]


def _credential_values(header: str) -> Iterator[str]:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(rest).decode("utf-8", "replace").partition(":")
        except (binascii.Error, ValueError):
            return
        yield name
        yield password
    elif scheme.lower() == "oauth":
        for _, value in OAUTH_PARAMETER.findall(rest):
            yield value
    else:
        yield rest
