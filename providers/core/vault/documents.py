"""The KV documents of one stack, with the sentinel that makes "not found" mean something (protocol.md sections 1 and 3)."""

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from providers.core.contract import Document
from providers.core.errors import VaultConflict, VaultError, VaultUnclear, VaultWrongPlace
from providers.core.vault import kv
from providers.core.vault.kv import Caller
from providers.core.vault.paths import checked, joined
from providers.core.vault.wire import NotFoundError

SENTINEL = "_sentinel"
SENTINEL_GOOD_FOR = 30.0
"""Seconds for which a sentinel that was read vouches for the place."""


class KvDocuments:
    """`Documents` over KV version 2 at `<mount>/<base>`; `base` is `<project>/<stack>`. Thread-safe.

    `clock` gives monotonic seconds.
    """

    def __init__(self, call: Caller, mount: str, base: str, host: str, clock: Callable[[], float]) -> None:
        self._call, self._host, self._clock = call, host, clock
        self._mount, self._base = checked(mount, what="mount"), checked(base, what="base path")
        self._lock = threading.Lock()
        self._seen_at: float | None = None

    def read(self, path: str, *, version: int | None = None) -> Document:
        """The latest version as `Documents.read` says; with `version`, that one, whose number is also the result's."""
        document = kv.read(self._call, self._mount, self._place(path), version, what=f"read {path}")
        if document.state == "absent":
            self._see_sentinel()
        return document

    def write(self, path: str, data: Mapping[str, Any], *, cas: int) -> int:
        """As `Documents.write`."""
        what = f"write {path}"
        return kv.write(self._call, self._mount, self._place(path), data, cas, what=what, host=self._host)

    def destroy(self, path: str, versions: Sequence[int]) -> None:
        """As `Documents.destroy`. No versions, or versions that are gone already, are no error."""
        where, mount, numbers = self._place(path), self._mount, list(versions)
        if not numbers:
            return
        try:
            self._call(
                "write",
                f"destroy versions of {path}",
                lambda hvac: hvac.secrets.kv.v2.destroy_secret_versions(where, numbers, mount_point=mount),
            )
        except NotFoundError:
            self._see_sentinel()

    def list(self, path: str) -> Sequence[str]:
        """As `Documents.list`; "" lists the stack itself."""
        where, mount = joined(self._base, path), self._mount
        try:
            answer = self._call(
                "look",
                f"list {path or self._base}",
                lambda hvac: hvac.secrets.kv.v2.list_secrets(where, mount_point=mount),
                active=True,
            )
        except NotFoundError:
            self._see_sentinel()
            return ()
        data = answer.get("data")
        names = data.get("keys") if isinstance(data, dict) else None
        if not isinstance(names, list):
            raise VaultError(f"the list of {path or self._base} is garbled", do="Run it again", where=self._host)
        return tuple(str(name) for name in names)

    def write_sentinel(self) -> None:
        """Make the sentinel where it is missing: an act of setting a stack up, never of an operation."""
        with contextlib.suppress(VaultConflict, VaultUnclear):
            self.write(SENTINEL, {"format": "1", "base": self._base}, cas=0)
        self._see_sentinel()

    def _place(self, path: str) -> str:
        return f"{self._base}/{checked(path)}"

    def _see_sentinel(self) -> None:
        """Raise `VaultWrongPlace` unless this stack's sentinel is readable through the same mount and base."""
        now = self._clock()
        with self._lock:
            if self._seen_at is not None and now - self._seen_at < SENTINEL_GOOD_FOR:
                return
        seen = kv.read(self._call, self._mount, self._place(SENTINEL), what=f"read {SENTINEL}")
        if seen.data.get("base") != self._base:
            raise VaultWrongPlace(
                f"the sentinel of {self._base} is not in the mount {self._mount}, so nothing can be said to be missing",
                do="Check the mount in _stack.yaml and VAULT_NAMESPACE; a new stack needs `connections init`",
                where=self._host,
            )
        with self._lock:
            self._seen_at = now
