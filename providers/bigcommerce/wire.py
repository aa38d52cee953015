"""Calls to the API of one store: `{api}/stores/{hash}/v2|v3/...` with a token (sheet bigcommerce.md 3.1, 5, 6, 7).

Of an answer's body only what is known is kept: no text of a store goes further than here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from providers.core.errors import Unexpected
from providers.core.http import Answer, Origin, segment
from providers.core.redaction import Secret

API: Final = "https://api.bigcommerce.com"
"""Where every store's API is (sheet 3.1)."""

ALIVE: Final = "/v2/time"
"""The route that every living token may call, with no rights at all (sheet 5.1)."""

STORE: Final = "/v2/store"
HOOKS: Final = "/v3/hooks"


class Saying(Enum):
    """What the words of an error are known to mean."""

    NO_SCOPE = "a right is missing"
    NO_ROUTE = "there is no such route"
    NO_HEADER = "the token did not arrive"
    SLASH = "the path ends in a slash"
    OTHER = "nothing that we know"


_TITLES: Final[Mapping[str, Saying]] = {
    "you don't have a required scope to access the endpoint": Saying.NO_SCOPE,
    "you are authorized but your scope does not include this resource": Saying.NO_SCOPE,
    "the route is not found, check the url": Saying.NO_ROUTE,
    "x-auth-token header is required": Saying.NO_HEADER,
    "authentication required": Saying.SLASH,
}
"""Whole texts of errors, in lower case and without a full stop: recorded, of 2016-17, and read in public code (sheet 6)."""

_NAMES: Final = ("title", "message", "error", "detail")
"""Where the different shapes of an error have their text (sheet 6): V3, V2 and 2016-17, and problem+json."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What of an answer decides. `left` and `quota` count requests of the store in its present window (sheet 7), None
    where the answer does not tell; `document` is the JSON of a 200, None where there is none."""

    status: int
    saying: Saying = Saying.OTHER
    left: int | None = None
    quota: int | None = None
    document: Any = field(default=None, repr=False, compare=False)


class Gateway:
    """The API of one store. Thread-safe."""

    def __init__(self, origin: Origin, store_hash: str) -> None:
        self._origin, self.store_hash = origin, store_hash

    @property
    def where(self) -> str:
        """The store, as errors name it."""
        return f"{self._origin.where}, store {self.store_hash}"

    @property
    def api_path(self) -> str:
        """The address that the control panel calls API path (sheet 3.1)."""
        return f"{self._origin.url}/stores/{self.store_hash}/v3/"

    def ask(
        self,
        method: str,
        path: str,
        token: Secret,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, Secret] | None = None,
    ) -> Reply:
        """One call. Only a GET is repeated after it was sent: whatever a store may carry out is asked for once.

        Raises `Unreachable`, `UnclearOutcome`, `RateLimited` or `Unexpected` where there is no answer to judge.
        """
        if path.endswith("/"):
            # Such a path is answered like a wrong token (sheet 5.3, rule 4).
            raise Unexpected("a path would end in a slash; nothing was sent", where=self.where)
        answer = self._origin.request(
            method,
            f"/stores/{segment(self.store_hash)}{path}",
            safe=method == "GET",
            query=query or {},
            json=body,
            headers={"accept": "application/json", **(headers or {}), "x-auth-token": token},
        )
        return _reply(answer)


def _reply(answer: Answer) -> Reply:
    document = _document(answer)
    return Reply(
        answer.status,
        _saying(document, answer.text) if answer.status >= 400 else Saying.OTHER,
        _count(answer.headers.get("x-rate-limit-requests-left", "")),
        _count(answer.headers.get("x-rate-limit-requests-quota", "")),
        document if answer.status == 200 else None,
    )


def _document(answer: Answer) -> Any:
    try:
        return answer.json()
    except Unexpected:
        return None


def _saying(document: Any, text: str) -> Saying:
    """The meaning of an error's body, whatever its shape; a body that is no JSON counts as a text."""
    for words in _texts(document) if document is not None else (text,):
        plain = " ".join(words.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split()).rstrip(".").lower()
        if plain in _TITLES:
            return _TITLES[plain]
    return Saying.OTHER


def _texts(document: Any) -> Iterator[str]:
    # V2 gives a list of errors, V3 one object, and a bare text is JSON too.
    for entry in document if isinstance(document, list) else [document]:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, Mapping):
            yield from (entry[name] for name in _NAMES if isinstance(entry.get(name), str))


def _count(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text) else None
