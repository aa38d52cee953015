"""The REST API of a store: which one it has, and calls with a key (sheet woocommerce.md 2.3 and 7)."""

import copy
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from providers.core.contract import Clock
from providers.core.errors import StoreError, Transient, Unexpected
from providers.core.http import Answer, Origin, Text
from providers.core.redaction import Secret
from providers.woocommerce import texts
from providers.woocommerce.verification import Reply

VERSIONS = ("wc/v3", "wc/v2", "wc/v1")
"""From the newest: 3.5, 3.0 and 2.6 have them first. Newer ones are unknown and not used."""

ROOTS = ("/wp-json/", "/index.php/wp-json/")
"""Where pretty permalinks, and those with `index.php`, have the API (sheet 2.3)."""

INDEX_KEPT = 300.0
"""Seconds for which the API's index is not asked for again."""
TROUBLE_KEPT = 5.0
"""The same for trouble with it: a store's other connections need not wait for it one after the other."""


@dataclass(frozen=True, slots=True)
class Index:
    """What the API says about itself without a key: its root, the version we use, the store's home address in
    its own words, and by how many seconds the store's clock is ahead of ours (None where it does not say)."""

    root: str
    version: str
    home: str
    ahead: float | None

    @property
    def products(self) -> str:
        """The route that every recognised key is tried on."""
        return f"{self.root}{self.version}/products"

    @property
    def nowhere(self) -> str:
        """A route that does not exist: what is sent there changes nothing (sheet 7.2, step 3)."""
        return f"{self.root}{self.version}/__probe"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key to call with. `in_query` sends it in the query string, where servers log it: only by declaration."""

    consumer_key: Secret
    consumer_secret: Secret
    in_query: bool = False


class Rest:
    """The REST API of one store. Thread-safe. `now` is a monotonic clock in seconds."""

    def __init__(self, origin: Origin, clock: Clock, now: Callable[[], float]) -> None:
        self._origin, self._clock, self._now = origin, clock, now
        self._lock = threading.Lock()
        self._index: tuple[Index, float] | None = None
        self._failed: tuple[StoreError, float] | None = None

    def index(self) -> Index:
        """What the store has. Errors say why there is no API a key could use."""
        with self._lock:
            if self._index is not None and self._now() - self._index[1] <= INDEX_KEPT:
                return self._index[0]
            if self._failed is not None and self._now() - self._failed[1] < TROUBLE_KEPT:
                raise copy.copy(self._failed[0])
            try:
                self._index = self._look(), self._now()
            except StoreError as error:
                self._failed = copy.copy(error), self._now()
                raise
            return self._index[0]

    def ask(self, method: str, path: str, pair: KeyPair | None) -> Reply:
        """One call with a key, or without any. Changes nothing on the paths it is meant for, so it may be repeated."""
        query: dict[str, Text] = {"per_page": 1} if method == "GET" else {}
        auth: tuple[Text, Text] | None = None
        if pair is not None and pair.in_query:
            query |= {"consumer_key": pair.consumer_key, "consumer_secret": pair.consumer_secret}
        elif pair is not None:
            auth = pair.consumer_key, pair.consumer_secret
        answer = self._origin.request(method, path, query=query, auth=auth, safe=True)
        if answer.status >= 500:
            raise Transient(f"the store's API answers {answer.status}", do="Try later", where=self._origin.where)
        return reply(answer)

    def permalinks(self) -> None:
        """An error where the home page tells of plain permalinks: then no key can log in (sheet 0, 2.3)."""
        home = self._origin.request("GET", "/", safe=True)
        if "rest_route=" in home.headers.get("link", ""):
            raise StoreError(
                "the store has plain permalinks, with which no key can log in",
                do="Choose another structure under Settings > Permalinks, such as `Post name`",
                where=self._origin.where,
            )

    def _look(self) -> Index:
        for root in ROOTS:
            answer = self._origin.request("GET", root, safe=True)
            if answer.status >= 500:
                raise Transient(f"the store's API answers {answer.status}", do="Try later", where=self._origin.where)
            document = json_of(answer)
            if answer.status == 200 and isinstance(document, Mapping) and "namespaces" in document:
                return self._read(root, document, answer)
        self.permalinks()
        raise Unexpected(
            "there is no WordPress REST API at this address",
            do="Correct `url`, or let the API through where a plugin or firewall holds it back",
            where=self._origin.where,
        )

    def _read(self, root: str, document: Mapping[str, Any], answer: Answer) -> Index:
        namespaces = document["namespaces"]
        version = next((known for known in VERSIONS if isinstance(namespaces, list) and known in namespaces), None)
        if version is None:
            raise StoreError(
                "the site has no WooCommerce API that we know",
                do="Make sure that WooCommerce 2.6 or later is active",
                where=self._origin.where,
            )
        home = document.get("home")
        return Index(root, version, home if isinstance(home, str) else "", self._ahead(answer))

    def _ahead(self, answer: Answer) -> float | None:
        try:
            theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        except ValueError:
            return None
        ours: datetime = self._clock()
        return (theirs - ours).total_seconds() if theirs.tzinfo else None


def json_of(answer: Answer) -> Any:
    """The body as JSON, None where it is none."""
    try:
        return answer.json()
    except Unexpected:
        return None


def reply(answer: Answer) -> Reply:
    """What of an answer decides."""
    document = json_of(answer)
    code = document.get("code") if isinstance(document, Mapping) else None
    allow = frozenset(re.findall(r"[A-Z]+", answer.headers.get("allow", "")))
    said = texts.code(code) if isinstance(code, str) else ""
    return Reply(answer.status, said, isinstance(document, list), allow)
