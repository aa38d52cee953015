"""Calls to SureCart's cloud with a token: the account it belongs to, and webhook endpoints (sheet surecart.md 1 and 6).

Of an answer's body only what is known is kept: no text of the cloud goes further than here, but for what an account is
called.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from providers.core.contract import Life
from providers.core.errors import Transient, Unauthorized, Unexpected
from providers.core.http import Answer, Origin, Text, segment
from providers.core.redaction import Secret

API: Final = "https://api.surecart.com"
"""Where every account's API is, without its version (sheet 1.1)."""
DASHBOARD: Final = "https://app.surecart.com"
"""Where people log in (sheet 1.3)."""

VERSION: Final = "/v1"
HOOK: Final = "/surecart/webhooks"
"""Where the plugin of a site listens for the cloud, below its home (sheet 6)."""

ACCOUNT: Final = f"{VERSION}/account"
WEBHOOKS: Final = f"{VERSION}/webhook_endpoints"

PAGE: Final = 100
"""Entries of a list asked for at a time."""
PAGES: Final = 20
"""Pages read at most: an account with more webhook endpoints than that is none of ours."""

_ERROR: Final = frozenset({"http_status", "type", "code", "message"})
"""What every error body has besides `validation_errors` (sheet 1.1); a proxy's answer has not."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+&'-]{0,99}")
"""Texts of an account that may be shown."""


@dataclass(frozen=True, slots=True)
class Account:
    """What an account says of itself. `id` never changes, `slug` is its name in addresses; `facts` are for people."""

    id: str
    slug: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """What the cloud says to a token: whether it takes it, in words too, and whose it is where it is taken."""

    life: Life
    words: str
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook endpoint: its id, and the address it sends to."""

    id: str
    url: str


class Cloud:
    """The API of SureCart. Thread-safe."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    @property
    def where(self) -> str:
        """The host, as errors name it."""
        return self._origin.where

    @property
    def url(self) -> str:
        """The address that API calls begin with, its version included."""
        return f"{self._origin.url}{VERSION}"

    def ask(self, token: Secret) -> Said:
        """What the cloud says to this token now (sheet 1.2).

        Raises `RateLimited`, `Unreachable` or `Transient` where it says nothing.
        """
        answer = self._call("GET", ACCOUNT, token)
        words = f"GET {ACCOUNT} answers {answer.status}"
        document = _object(answer)
        if answer.status == 401 and document.keys() >= _ERROR:
            return Said("refused", words)
        account = _account(document) if answer.status == 200 else None
        if account is None:
            return Said("unknown", f"{words}, in a form that is not the cloud's")
        return Said("accepted", words, account)

    def webhooks(self, token: Secret) -> Iterator[Webhook]:
        """The webhook endpoints of the token's account. `Unauthorized` where the token is not taken."""
        for page in range(1, PAGES + 1):
            query = {"limit": str(PAGE), "page": str(page)}
            answer = self._call("GET", WEBHOOKS, token, query)
            if answer.status != 200:
                self._refused(answer)
            document = _object(answer)
            entries = document.get("data")
            if not isinstance(entries, list):
                raise Unexpected("a list of webhook endpoints has another form", where=self.where)
            yield from filter(None, map(_webhook, entries))
            if page * PAGE >= _count(document):
                return
        raise Unexpected(f"the account has more than {PAGE * PAGES} webhook endpoints", where=self.where)

    def delete_webhook(self, token: Secret, webhook: Webhook) -> None:
        """Delete an endpoint; one that is already gone is no error."""
        answer = self._call("DELETE", f"{WEBHOOKS}/{segment(webhook.id)}", token)
        if not 200 <= answer.status < 300 and answer.status != 404:
            self._refused(answer)

    def _call(self, method: str, path: str, token: Secret, query: Mapping[str, str] | None = None) -> Answer:
        """One call. All of them are safe to repeat: what is gone cannot go twice."""
        headers: dict[str, Text] = {"accept": "application/json", "authorization": Secret(f"Bearer {token.reveal()}")}
        answer = self._origin.request(method, path, safe=True, query=query or {}, headers=headers)
        if answer.status >= 500 or answer.status == 408:
            raise Transient(f"SureCart's cloud answers {answer.status}", do="Try later", where=self.where)
        return answer

    def _refused(self, answer: Answer) -> NoReturn:
        if answer.status == 401:
            raise Unauthorized("SureCart's cloud does not take the token", where=self.where)
        raise Unexpected(f"SureCart's cloud answers {answer.status}, which tells nothing", where=self.where)


def api(inputs: Mapping[str, Any]) -> str:
    """Where the API is, by the inputs of a credential or a link."""
    found: str = inputs.get("api") or API
    return found


def _object(answer: Answer) -> Mapping[str, Any]:
    """The JSON object of an answer, empty where it is none."""
    try:
        document = answer.json()
    except Unexpected:
        return {}
    return document if isinstance(document, dict) else {}


def _account(document: Mapping[str, Any]) -> Account | None:
    found = (document.get("object"), document.get("id"), document.get("slug"))
    match found:
        case ("account", str(number), str(slug)) if number and slug:
            return Account(number, slug, dict(_facts(document)))
    return None


def _facts(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    plan = document.get("plan")
    told = {
        "name": document.get("name"),
        "currency": document.get("currency"),
        "plan": plan.get("name") if isinstance(plan, dict) else None,
    }
    for name, text in told.items():
        if isinstance(text, str) and _PLAIN.fullmatch(text):
            yield name, text
    if document.get("claimed") is False:
        yield "claimed", "no: a provisional store, which ends unless somebody claims it"


def _webhook(entry: object) -> Webhook | None:
    match entry:
        case {"id": str(number), "url": str(url)} if number:
            return Webhook(number, url)
    return None


def _count(document: Mapping[str, Any]) -> int:
    """How many entries a list has; 0 where it does not tell."""
    match document:
        case {"pagination": {"count": int(count)}}:
            return count
    return 0
