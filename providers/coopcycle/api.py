"""The API of a CoopCycle server, as a credential sees it (sheet coopcycle.md 4). Nothing here changes anything."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from providers.core.errors import Unexpected
from providers.core.http import Answer, Origin, Text
from providers.core.redaction import Secret

ENTRY_POINT = "/api/contexts/Entrypoint"
APP = "/api/contexts/ApiApp"

_STORE = re.compile(r"/api/stores/([1-9][0-9]{0,17})$")
_TOKEN = re.compile(r"[\x21-\x7e]{1,8000}")
_ERROR = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Granted:
    """What the token endpoint said: `error` is its code, empty where it gave none we would repeat; `token` is there where it
    granted one."""

    status: int
    error: str
    token: Secret | None = field(repr=False)

    @property
    def refused(self) -> bool:
        """Whether it does not know this pair (S13)."""
        return (self.status, self.error) == (401, "invalid_client")

    @property
    def scope_refused(self) -> bool:
        """Whether it knows the pair, and the pair has not this scope."""
        return (self.status, self.error) == (400, "invalid_scope")

    def __str__(self) -> str:
        return f"{self.status} {self.error}".strip()


@dataclass(frozen=True, slots=True)
class Me:
    """An app as it sees itself at `/api/me`; `store` is None where it is bound to none."""

    name: str
    store: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer to a bearer: its status, and the JSON object in it, empty where there is none."""

    status: int
    document: dict[str, Any] = field(repr=False)

    @property
    def me(self) -> Me | None:
        """The app, where this is one (S15)."""
        match self.document:
            case {"@context": context, "name": str(name), "store": str() | None as store} if context == APP:
                number = store_id(store or "")
                if self.status == 200 and (store is None or number is not None):
                    return Me(name, number)
        return None


class Api:
    """The API of one server. Thread-safe."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    def entry_point(self) -> tuple[bool, int]:
        """Whether a CoopCycle server answers here, and with which status."""
        answer = self._origin.request("GET", "/api", safe=True, headers=JSON)
        return answer.status == 200 and _object(answer).get("@context") == ENTRY_POINT, answer.status

    def token(self, identifier: Secret, secret: Secret, scopes: Iterable[str]) -> Granted:
        """Ask for an access token. It lives for an hour (S20) and is kept by nobody."""
        form = {"grant_type": "client_credentials", "scope": " ".join(scopes)}
        answer = self._origin.request(
            "POST", "/oauth2/token", safe=True, form=form, auth=(identifier, secret), headers=JSON
        )
        document = _object(answer)
        error, token = document.get("error"), document.get("access_token")
        return Granted(
            status=answer.status,
            error=error if isinstance(error, str) and _ERROR.fullmatch(error) else "",
            token=Secret(token)
            if answer.status == 200 and isinstance(token, str) and _TOKEN.fullmatch(token)
            else None,
        )

    def get(self, path: str, bearer: Secret) -> Seen:
        """`GET` with an access token, or with an API key, which is one itself."""
        headers: dict[str, Text] = {**JSON, "authorization": Secret(f"Bearer {bearer.reveal()}")}
        answer = self._origin.request("GET", path, safe=True, headers=headers)
        return Seen(answer.status, _object(answer))


JSON: Final = {"accept": "application/ld+json, application/json"}


def store_id(iri: str) -> int | None:
    """The number of the store that an IRI means."""
    found = _STORE.search(iri)
    return int(found[1]) if found else None


def _object(answer: Answer) -> dict[str, Any]:
    try:
        document = answer.json()
    except Unexpected:
        return {}
    return document if isinstance(document, dict) else {}
