"""The GraphQL Storefront API of one store: the only place that shows whether a storefront token works (sheet
bigcommerce.md 8).

It is at the store's own host. Public code calls the host of the channel that a token is for, `store-{hash}-{channel}`, and
the plain host for channel 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.core.contract import Life
from providers.core.errors import Transient, Unexpected
from providers.core.http import Answer, Http, Origin, Text
from providers.core.redaction import Secret

GRAPHQL: Final = "/graphql"
DEFAULT_CHANNEL: Final = 1

QUERY: Final = "query { site { settings { storeHash } } }"
"""Reads nothing but which store it is."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What of an answer decides. `store_hash` is what the store calls itself, "" where it does not; `allowed` is the origin
    that browsers may show the answer to."""

    status: int
    store_hash: str = ""
    allowed: str = ""

    @property
    def life(self) -> Life:
        """Whether the token is accepted. Other answers than these two have other causes too."""
        if self.status == 200:
            return "accepted"
        return "refused" if self.status == 401 else "unknown"


class Site:
    """The storefront of one store. Thread-safe.

    `address` is that of the store's plain host.
    """

    def __init__(self, http: Http, address: str, store_hash: str) -> None:
        self._http, self._address, self.store_hash = http, address, store_hash

    def url(self, channel: int) -> str:
        """Where the GraphQL API of a channel is."""
        return f"{self._origin(channel).url}{GRAPHQL}"

    def ask(self, token: Secret, channel: int, origin: str = "") -> Seen:
        """One query with a token, as a browser sends it from a page of `origin`, or as a server does without one.

        It changes nothing and may be repeated. Raises `Unreachable`, `RateLimited`, `Unexpected` or `Transient` where there
        is no answer to judge.
        """
        at = self._origin(channel)
        headers: dict[str, Text] = {"authorization": Secret(f"Bearer {token.reveal()}")}
        if origin:
            headers["origin"] = origin
        answer = at.request("POST", GRAPHQL, safe=True, json={"query": QUERY}, headers=headers)
        if answer.status >= 500:
            raise Transient(f"the storefront answers {answer.status}", do="Try later", where=at.where)
        return Seen(answer.status, _store_hash(answer), answer.headers.get("access-control-allow-origin", ""))

    def _origin(self, channel: int) -> Origin:
        plain, own = f"store-{self.store_hash}.", f"store-{self.store_hash}-{channel}."
        address = self._address if channel == DEFAULT_CHANNEL else self._address.replace(plain, own, 1)
        return self._http.origin(address)


def _store_hash(answer: Answer) -> str:
    if answer.status != 200:
        return ""
    try:
        found: Any = answer.json()
    except Unexpected:
        return ""
    for name in ("data", "site", "settings", "storeHash"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""
