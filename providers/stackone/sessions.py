"""A connect session: what is kept of it in Vault while a person has its link, and what it brought about (stackone.md 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from providers.core.contract import Inbound
from providers.core.redaction import Secret
from providers.stackone.account import Account

SHOWN: Final = ("auth_link_url",)
"""What a person is shown to go on with."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was opened for a generation. `edits` is the account that it was opened to change, empty where it makes
    one; `before` is the `updated_at` which that had then."""

    id: str
    generation: int
    expires: datetime
    edits: str
    before: str

    def is_over(self, now: datetime) -> bool:
        """Whether its link is of no use any more."""
        return now >= self.expires

    def concerns(self, account: Account) -> bool:
        """Whether an account is the one that it makes or edits.

        One that it makes has our origin owner, which had none when it was opened.
        """
        return account.id == self.edits or not self.edits

    def was_used_on(self, account: Account) -> bool:
        """Whether the account came into being or changed since the session was opened.

        By StackOne's own texts, so that no clock of ours counts; an account that shows none is never taken for changed.
        """
        if not self.edits:
            return True
        return account.id == self.edits and account.updated_at not in {"", self.before}


def kept(session: Session, link: Secret) -> dict[str, Secret]:
    """What goes into Vault, as `tools.receive` takes it."""
    texts = {
        "session_id": session.id,
        "expires_at": session.expires.isoformat(),
        "edits": session.edits,
        "before": session.before,
    }
    return {"auth_link_url": link, **{name: Secret(text) for name, text in texts.items() if text}}


def opened(inbound: Inbound | None) -> Session | None:
    """The session in Vault, None where there is none."""
    if inbound is None:
        return None
    values: Mapping[str, str] = {name: value.reveal() for name, value in inbound.values.items()}
    return Session(
        id=values.get("session_id", ""),
        generation=inbound.generation,
        expires=datetime.fromisoformat(values["expires_at"]),
        edits=values.get("edits", ""),
        before=values.get("before", ""),
    )
