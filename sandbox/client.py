"""A synchronous client of the control API, for tests and scripts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from sandbox.bigcommerce.client import BigCommerceClient
from sandbox.coopcycle.client import CoopClient
from sandbox.faults import Effect
from sandbox.mail.client import MailClient
from sandbox.pimworks.client import PimworksClient
from sandbox.stackone.client import StackOneClient
from sandbox.stone_edge.client import EndpointClient
from sandbox.surecart.client import SureCartClient
from sandbox.wordpress.client import SiteClient

WAIT_SECONDS = 30.0
EXTRA_SECONDS = 30.0


class ControlError(RuntimeError):
    """The control API refused."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as a person would see it: never its secret."""

    key_id: int
    user_id: int
    login: str | None
    description: str
    permissions: str
    truncated_key: str
    last_access: int | None


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user of a store."""

    id: int
    login: str
    display_name: str
    mail: str
    role: str


@dataclass(frozen=True, slots=True)
class StoreRow:
    """A store."""

    name: str
    url: str
    prefixes: tuple[str, ...]
    version: str
    store_id: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class HandMadeKey:
    """A key made by hand, its pair given once; secrets do not show in `repr`."""

    key_id: int
    consumer_key: str
    consumer_secret: str

    def __repr__(self) -> str:
        return f"HandMadeKey(key_id={self.key_id})"


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request in the log, without values."""

    seq: int
    time: float
    store: str
    method: str
    path: str
    operation: str
    query_fields: tuple[str, ...]
    form_fields: tuple[str, ...]
    header_fields: tuple[str, ...]
    status: int | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class RuleState:
    """What became of a fault rule."""

    id: int
    seen: int
    hits: int
    committed: int
    pending: int
    active: bool


class Client:
    """One method per control route."""

    def __init__(self, url: str, ca: Path) -> None:
        self.url = url
        self.ca = ca
        context = ssl.create_default_context(cafile=str(ca))
        timeout = httpx.Timeout(WAIT_SECONDS + EXTRA_SECONDS)
        self._http = httpx.Client(base_url=f"{url}/_control", verify=context, timeout=timeout, trust_env=False)
        self.bigcommerce = BigCommerceClient(self._call)
        self.coopcycle = CoopClient(self._call)
        self.pimworks = PimworksClient(self._call)
        self.stackone = StackOneClient(self._call)
        self.stone_edge = EndpointClient(self._call)
        self.mail = MailClient(self._call)
        self.wordpress = SiteClient(self._call)
        self.surecart = SureCartClient(self._call, url)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # Stores

    def health(self) -> dict[str, Any]:
        """Address, CA file, process number, number of stores, uptime."""
        return self._call("GET", "/health")

    def stores(self) -> list[StoreRow]:
        """Every store."""
        return [_store(row) for row in self._call("GET", "/stores")["stores"]]

    def create_stores(self, stores: list[dict[str, Any]]) -> list[str]:
        """Make stores; those that exist are left as they are. Returns the names made.

        Each: name, version, admin_password, and optionally users [{login, role, password, display_name, mail}],
        foreign_keys [{login, description, permissions}], settings {..}.
        """
        created: list[str] = self._call("POST", "/stores", {"stores": stores})["created"]
        return created

    def create_store(
        self,
        name: str,
        version: str,
        admin_password: str,
        *,
        users: list[dict[str, Any]] | None = None,
        foreign_keys: list[dict[str, Any]] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> str:
        """Make one store; returns its base URL."""
        order: dict[str, Any] = {"name": name, "version": version, "admin_password": admin_password}
        if users is not None:
            order["users"] = users
        if foreign_keys is not None:
            order["foreign_keys"] = foreign_keys
        if settings is not None:
            order["settings"] = settings
        self.create_stores([order])
        return self.store_url(name)

    def store_url(self, name: str) -> str:
        """Base URL of a store."""
        return f"{self.url}/{name}"

    def delete_store(self, name: str) -> None:
        """Take a store away with everything in it."""
        self._call("DELETE", f"/stores/{name}")

    def change_settings(self, name: str, **settings: Any) -> StoreRow:
        """Set switches of a store; README.md lists them."""
        return _store(self._call("PATCH", f"/stores/{name}/settings", settings))

    def rename_store(self, name: str, new_name: str) -> StoreRow:
        """The host has moved: the same data below another prefix, nothing below the old one."""
        return _store(self._call("POST", f"/stores/{name}/rename", {"name": new_name}))

    def alias_store(self, name: str, alias: str) -> StoreRow:
        """Serve a store below a second prefix."""
        return _store(self._call("POST", f"/stores/{name}/alias", {"name": alias}))

    def end_sessions(self, name: str) -> int:
        """Log everybody out."""
        ended: int = self._call("DELETE", f"/stores/{name}/sessions")["ended"]
        return ended

    # A person's hands

    def users(self, store: str) -> list[UserRow]:
        """Every user of a store."""
        return [UserRow(**row) for row in self._call("GET", f"/stores/{store}/users")["users"]]

    def add_user(
        self, store: str, login: str, role: str, *, password: str = "", display_name: str = "", mail: str = ""
    ) -> UserRow:
        """A new user: role administrator, shop_manager or customer. Without a password nobody can log in."""
        order = {"login": login, "role": role, "password": password, "display_name": display_name, "mail": mail}
        return UserRow(**self._call("POST", f"/stores/{store}/users", order))

    def delete_user(self, store: str, user: str | int) -> None:
        """Delete a user by login or id; the keys go too or stay, by version."""
        self._call("DELETE", f"/stores/{store}/users/{user}")

    def keys(self, store: str) -> list[KeyRow]:
        """Every key of a store, oldest first."""
        return [KeyRow(**row) for row in self._call("GET", f"/stores/{store}/keys")["keys"]]

    def insert_key(
        self, store: str, *, description: str, permissions: str = "read", user: str | int = "connector"
    ) -> HandMadeKey:
        """A key made by hand."""
        order = {"description": description, "permissions": permissions, "user": user}
        return HandMadeKey(**self._call("POST", f"/stores/{store}/keys", order))

    def edit_key(
        self,
        store: str,
        key_id: int,
        *,
        description: str | None = None,
        permissions: str | None = None,
        user: str | int | None = None,
    ) -> KeyRow:
        """Change a key by hand; None leaves a field alone. A user id that does not exist makes a ghost."""
        given = {"description": description, "permissions": permissions, "user": user}
        order = {name: value for name, value in given.items() if value is not None}
        return KeyRow(**self._call("PATCH", f"/stores/{store}/keys/{key_id}", order))

    def delete_key(self, store: str, key_id: int) -> None:
        """Revoke a key by hand."""
        self._call("DELETE", f"/stores/{store}/keys/{key_id}")

    # Latency and faults

    def set_latency(self, seconds: float, store: str | None = None) -> None:
        """Let every vendor request, or those to one store, wait this long."""
        if store is None:
            self._call("PUT", "/latency", {"seconds": seconds})
        else:
            self.change_settings(store, latency=seconds)

    def add_fault(
        self,
        effect: Effect,
        *,
        store: str | None = None,
        operation: str | None = None,
        method: str | None = None,
        path: str | None = None,
        skip: int = 0,
        times: int | None = 1,
        **details: Any,
    ) -> int:
        """Order a fault; returns the number of the rule. `times=None` is always, and so is `list_lag`.

        Details: status, headers, body (status); delay (hang, late_commit); before (hang); writes (list_lag);
        length, keep_length (truncate).
        """
        order = {
            "effect": effect,
            "store": store,
            "operation": operation,
            "method": method,
            "path": path,
            "skip": skip,
        }
        if effect != "list_lag":
            order["times"] = times
        rule_id: int = self._call("POST", "/faults", order | details)["id"]
        return rule_id

    def fault(self, rule: int) -> RuleState:
        """What became of a rule so far."""
        return _rule(self._call("GET", f"/faults/{rule}"))

    def remove_fault(self, rule: int) -> None:
        """Take a rule away; what it holds is let go."""
        self._call("DELETE", f"/faults/{rule}")

    def clear_faults(self) -> None:
        """Take all rules away."""
        self._call("DELETE", "/faults")

    def release(self, rule: int) -> RuleState:
        """Let held replies go, do the late commits (they are done on return), end a lag."""
        return _rule(self._call("POST", f"/faults/{rule}/release", {}))

    def wait_for_fault(
        self, rule: int, hits: int = 1, *, committed: int = 0, timeout: float = WAIT_SECONDS
    ) -> RuleState:
        """Block until the rule was hit this often and its late commits were done this often; TimeoutError otherwise."""
        query = f"hits={hits}&committed={committed}&timeout={timeout}"
        answer = self._call("GET", f"/faults/{rule}/wait?{query}")
        if not answer["reached"]:
            raise TimeoutError(f"fault {rule} was hit {answer['hits']} times within {timeout} s, not {hits}")
        return _rule(answer)

    # The log

    def requests(self, since: int = 0, store: str | None = None, limit: int = 100_000) -> list[RequestRow]:
        """Requests after a sequence number, oldest first."""
        query = f"since={since}&limit={limit}" + (f"&store={store}" if store else "")
        return [_request(row) for row in self._call("GET", f"/requests?{query}")["requests"]]

    def last_seq(self) -> int:
        """Sequence number of the newest request."""
        seq: int = self._call("GET", "/requests?limit=1")["last_seq"]
        return seq

    def counts(self) -> dict[str, dict[str, int]]:
        """Requests per store and operation."""
        counts: dict[str, dict[str, int]] = self._call("GET", "/requests/counts")["counts"]
        return counts

    def find_value(self, value: str) -> list[RequestRow]:
        """Requests that carried exactly this value in a field of the query, the form or the credentials."""
        return [_request(row) for row in self._call("POST", "/requests/find", {"value": value})["requests"]]

    def clear_requests(self) -> None:
        """Forget the log and the counts."""
        self._call("DELETE", "/requests")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._http.request(method, path, json=body)
        document: dict[str, Any] = answer.json()
        if answer.is_error:
            raise ControlError(document.get("error", f"status {answer.status_code}"))
        return document


def _store(row: dict[str, Any]) -> StoreRow:
    return StoreRow(**row | {"prefixes": tuple(row["prefixes"])})


def _request(row: dict[str, Any]) -> RequestRow:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return RequestRow(**fields)


def _rule(row: dict[str, Any]) -> RuleState:
    names = ("id", "seen", "hits", "committed", "pending", "active")
    return RuleState(**{name: row[name] for name in names})
