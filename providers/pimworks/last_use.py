"""When the store says that a key was used last: a hint that PIMworks has it, never proof (woocommerce.md 8, L17).

Our own proofs count as use, and a store may be late to say, say nothing, or say it in its own language and format.
"""

from typing import Final
from urllib.parse import urlsplit

from providers.core.contract import Finding, LinkTools
from providers.core.errors import ConnectionsError
from providers.core.redaction import Secret
from providers.core.texts import shown
from providers.woocommerce import store
from providers.woocommerce.pages import TAIL

LAST_USE: Final = "last use"
"""The check. It concludes nothing."""


def last_use(tools: LinkTools, url: str, consumer_key: Secret) -> tuple[Finding, ...]:
    """The hint, where an admin login shows it; nothing stands or falls with it, so whatever is in the way is let be."""
    parts = urlsplit(url)
    place = parts.netloc, parts.path.strip("/")
    try:
        login = tools.admin_login(*place)
        if login is None:
            return ()
        rows = store.shared(tools.http(parts.hostname or ""), url, lambda: login, tools.clock).keys.get(fresh=False)
    except ConnectionsError:
        return ()
    tail = consumer_key.tail(TAIL)
    said = next((shown(row.last_access) for row in rows if row.tail == tail), "")
    words = f"the store says {said!r}; our own proofs count too, so it is a hint and never proof"
    return (Finding(LAST_USE, "unverifiable", words),) if said else ()
