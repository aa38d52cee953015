"""The PIMworks part of the client of the control API: `client.pimworks`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Call = Callable[..., dict[str, Any]]
"""Method, path below `/_control` and body of a control call, to its answer."""


@dataclass(frozen=True, slots=True)
class ChannelStoreRow:
    """A store of the WooCommerce channel; of its pair only a tail and a hash."""

    id: int
    name: str
    url: str
    components: tuple[str, ...]
    """Labels that are ticked."""
    connected: bool
    """Whether the last SAVE found the credentials valid."""
    saved: float
    """Unix seconds."""
    syncs: dict[str, str]
    """State of each component's last sync: Completed or Exception."""
    consumer_key_tail: str
    """Its last seven characters, as wp-admin shows them."""
    secret_key_sha256: str


@dataclass(frozen=True, slots=True)
class PimworksRow:
    """A PIMworks account."""

    name: str
    site: str
    """What faults and the log call it, once somebody is logged in; before that it is `pimworks`."""
    url: str
    """Where a person begins."""
    module: bool
    subscribed: bool
    users: tuple[dict[str, str], ...]
    """Mail, role and right of each."""
    stores: tuple[ChannelStoreRow, ...]
    settings: dict[str, Any]

    def store(self, name: str) -> ChannelStoreRow:
        """The only store of this name; raises ValueError otherwise."""
        (found,) = [store for store in self.stores if store.name == name]
        return found


class PimworksClient:
    """One method per control route below `/_control/pimworks`."""

    def __init__(self, call: Call) -> None:
        self._call_control = call

    def create(
        self,
        name: str,
        *,
        users: Sequence[Mapping[str, str]] = (),
        module: bool = True,
        subscribed: bool = False,
        **settings: Any,
    ) -> PimworksRow:
        """Make an account. Each user: {mail, password, role: super | pim, right: read_write | read | none}; README.md lists
        the settings."""
        order = {"name": name, "users": [dict(user) for user in users], "module": module, "subscribed": subscribed}
        return _row(self._call("POST", "", order | {"settings": settings}))

    def all(self) -> list[PimworksRow]:
        """Every account."""
        return [_row(row) for row in self._call("GET", "")["accounts"]]

    def get(self, name: str) -> PimworksRow:
        """One account with its stores, as it is now."""
        return _row(self._call("GET", f"/{name}"))

    def delete(self, name: str) -> None:
        """Take an account away."""
        self._call("DELETE", f"/{name}")

    def change(self, name: str, **switches: bool) -> PimworksRow:
        """The subscription: `module` (Channel Subscription) and `subscribed` (to the channel)."""
        return _row(self._call("PATCH", f"/{name}", switches))

    def change_settings(self, name: str, **settings: Any) -> PimworksRow:
        """Set some settings."""
        return _row(self._call("PATCH", f"/{name}/settings", settings))

    def put_user(self, name: str, mail: str, password: str, *, role: str = "pim", right: str = "none") -> PimworksRow:
        """A user, new or in the place of the one of this mail address."""
        order = {"mail": mail, "password": password, "role": role, "right": right}
        return _row(self._call("PUT", f"/{name}/users", order))

    def forget(self, name: str, store_id: int | None = None) -> PimworksRow:
        """Take one store out of the channel, or all of them; the pages are not asked."""
        return _row(self._call("DELETE", f"/{name}/stores" + ("" if store_id is None else f"/{store_id}")))

    def sync(self, name: str, store_id: int) -> ChannelStoreRow:
        """PIMworks syncs by itself now: every ticked component is read with the pair that it holds."""
        return _store(self._call("POST", f"/{name}/stores/{store_id}/sync", {}))

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._call_control(method, f"/pimworks{path}", body)


def _row(row: dict[str, Any]) -> PimworksRow:
    stores = tuple(_store(store) for store in row["stores"])
    return PimworksRow(**row | {"users": tuple(row["users"]), "stores": stores})


def _store(row: dict[str, Any]) -> ChannelStoreRow:
    return ChannelStoreRow(**row | {"components": tuple(row["components"])})
