"""Single documents of the KV engine, version 2, by their full path (vault.md 3.1)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from providers.core.contract import Document
from providers.core.errors import VaultError, VaultUnclear, VaultWrongPlace
from providers.core.vault.wire import Kind, NotFoundError


class Caller(Protocol):
    """A logged-in `Wire`."""

    def __call__(
        self, kind: Kind, what: str, action: Callable[[Any], Any], *, active: bool = False
    ) -> Mapping[str, Any]: ...


def read(call: Caller, mount: str, where: str, version: int | None = None, *, what: str) -> Document:
    """The latest version, or the given one, from the active node. "absent" may also mean that the place is wrong."""

    def action(hvac: Any) -> Any:
        kv = hvac.secrets.kv.v2
        return kv.read_secret_version(where, version=version, mount_point=mount, raise_on_deleted_version=True)

    try:
        document = _document(call("look", what, action, active=True))
    except NotFoundError as error:
        document = _document(error.body)
    else:
        if document.state == "absent":
            raise VaultError(f"{what}: the answer holds no document", do="Is it a KV mount of version 2?")
    if document.state != "absent" or version is None:
        return document
    # A version that fell out of the mount's max_versions is answered like one that never was.
    latest = read(call, mount, where, what=what)
    return Document("destroyed", version) if latest.version >= version else document


def write(call: Caller, mount: str, where: str, data: Mapping[str, Any], cas: int, *, what: str, host: str) -> int:
    """Write one KV document against a version; the new version."""
    body = dict(data)

    def action(hvac: Any) -> Any:
        return hvac.secrets.kv.v2.create_or_update_secret(where, body, cas=cas, mount_point=mount)

    try:
        answer = call("write", what, action)
    except NotFoundError:
        raise VaultWrongPlace(
            f"{what}: the mount {mount} does not take it", do="Is it a KV mount of version 2?", where=host
        ) from None
    metadata = answer.get("data")
    version = metadata.get("version") if isinstance(metadata, dict) else None
    if not isinstance(version, int):
        raise VaultUnclear(f"{what}: the answer names no version", do="Run it again", where=host)
    return version


def _document(body: Mapping[str, Any]) -> Document:
    """The document in a KV answer, in that of a success or in that of a 404 whose data is gone."""
    outer = body.get("data")
    inner, metadata = (outer.get("data"), outer.get("metadata")) if isinstance(outer, dict) else (None, None)
    version = metadata.get("version") if isinstance(metadata, dict) else None
    if not isinstance(version, int) or version < 1:
        return Document("absent", 0)
    if not isinstance(inner, dict):
        return Document("destroyed", version)
    return Document("present", version, inner, written=_moment(metadata))


def _moment(metadata: Any) -> datetime | None:
    """When a version was written, by Vault's own clock; it says so to the nanosecond."""
    text = metadata.get("created_time")
    return datetime.fromisoformat(text) if isinstance(text, str) else None
