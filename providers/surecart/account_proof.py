"""The live proof of a token: the cloud takes it, and it is of the declared account (sheet surecart.md 1.2).

Issuer and links prove by the same call: a token is offered to a site only after this, and never one that failed it.
"""

import re
from collections.abc import Iterator
from typing import Final

from providers.core.contract import RECOGNISED, Finding
from providers.core.redaction import Secret
from providers.surecart.cloud import Cloud, Said
from providers.surecart.token_text import flaw

IDENTITY: Final = "account"
RIGHTS: Final = "rights"

SLUG: Final = re.compile(r"[a-z0-9]([a-z0-9_-]{0,98}[a-z0-9])?")
"""The slug of an account, which stands in addresses; its exact form is not documented."""


def ask(cloud: Cloud, token: Secret) -> Said:
    """What the cloud says to this token. One that cannot be a token is not sent."""
    wrong = flaw(token.reveal())
    return Said("unknown", f"nothing was sent: {wrong}") if wrong else cloud.ask(token)


def findings(said: Said, slug: str) -> Iterator[Finding]:
    """Whether the token is accepted, and of which account it is; its rights, which no token has less of."""
    if said.account is None:
        refused = said.life == "refused"
        words = f"{said.words}: the token is deleted, or was never one" if refused else said.words
        yield Finding(RECOGNISED, "contradicted" if refused else "unverifiable", words)
        return
    yield Finding(RECOGNISED, "confirmed", said.words)
    found = said.account
    if found.slug == slug:
        yield Finding(IDENTITY, "confirmed", f"it is the token of {slug}", pins=found.id)
    else:
        named = found.slug if SLUG.fullmatch(found.slug) else "another account"
        yield Finding(IDENTITY, "contradicted", f"right token, wrong store: it is of {named}, not of {slug}")
    yield Finding(RIGHTS, "confirmed", "a secret token: all, nothing finer exists")
