"""What vanishes, or can no longer be edited, when an API account is deleted (sheet bigcommerce.md 3.5)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from providers.bigcommerce.verification import hooks
from providers.bigcommerce.wire import HOOKS, Gateway, Reply
from providers.core.errors import StoreError
from providers.core.redaction import Secret

PAGE: Final = 50
"""Webhooks asked for at a time."""
PAGES: Final = 20
"""Pages read at most: the quota is shared with the shop."""

STANDING: Final = (
    "metafields made by the account stay, but nobody else can edit them: reassign them to the new account first",
    "scripts made by the account stay, but nobody else can edit them: make them again with the new account",
)
"""What no call lists."""

_EVENT: Final = re.compile(r"[a-z0-9_*-]+(/[a-z0-9_*-]+)*")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}")


def losses(gateway: Gateway, token: Secret) -> tuple[str, ...]:
    """Every loss in words, the account's own webhooks by name. What could not be listed is said, never left out."""
    return (*_webhooks(gateway, token), *STANDING)


def _webhooks(gateway: Gateway, token: Secret) -> Iterator[str]:
    for page in range(1, PAGES + 1):
        try:
            reply = gateway.ask("GET", HOOKS, token, query={"limit": str(PAGE), "page": str(page)})
        except StoreError as error:
            yield f"its webhooks vanish; they could not be listed ({error.what})"
            return
        if reply.status != 200:
            yield f"its webhooks vanish; they could not be listed (answer {reply.status})"
            return
        yield from (_webhook(hook) for hook in hooks(reply))
        if page >= _pages(reply):
            return
    yield f"more webhooks vanish than the {PAGE * PAGES} listed"


def _webhook(hook: Mapping[str, Any]) -> str:
    """A webhook by what identifies it; a path or a query of its destination may hold a secret and is left out."""
    event, number = hook.get("scope"), hook.get("id")
    named = event if isinstance(event, str) and _EVENT.fullmatch(event) else "an event"
    known = f"{number} " if isinstance(number, int) else ""
    return f"webhook {known}vanishes: {named} to {_host(hook.get('destination'))}; make it again with the new account"


def _host(destination: object) -> str:
    try:
        host = urlsplit(destination).hostname if isinstance(destination, str) else None
    except ValueError:
        host = None
    return host if host and _HOST.fullmatch(host) else "an address of its own"


def _pages(reply: Reply) -> int:
    """How many pages there are, by the answer; 1 where it does not tell."""
    found: Any = reply.document
    for name in ("meta", "pagination", "total_pages"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, int) else 1
