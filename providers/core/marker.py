"""The ownership marker: the text in a key's label at its store that says whose it is and which number it has.

`<project>:<stack>:<connection>:<number>:<MAC>` (protocol.md section 2). The MAC is made in Vault over everything before it,
so a marker that somebody copied, cut or guessed is not ours, and what is not ours is never touched.
"""

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from providers.core.contract import Keyring, StoreKey
from providers.core.redaction import Secret

MAC_LENGTH = 20
"""Hex digits of the MAC that stand in the marker: 80 bits, since labels at stores are short."""

_MARKER = re.compile(
    r"(?<![\w:/-])([a-z0-9-]+):([a-z0-9-]+):([a-z0-9-]+/[a-z0-9-]+):([1-9][0-9]{0,8}):([0-9a-f]{20})(?![\w:/-])"
)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a credential is: the project, the stack and the full name `store/connection`."""

    project: str
    stack: str
    connection: str

    @property
    def prefix(self) -> str:
        """What every marker of this owner begins with."""
        return f"{self.project}:{self.stack}:{self.connection}:"


def stack_prefix(project: str, stack: str) -> str:
    """What every marker of a stack begins with."""
    return f"{project}:{stack}:"


def _signed(owner: Owner, number: int) -> str:
    return f"marker:{owner.prefix}{number}"


def make(keyring: Keyring, owner: Owner, number: int) -> str:
    """The marker of key `number` of this owner."""
    (mac,) = keyring.mac("marker", [_signed(owner, number)])
    return f"{owner.prefix}{number}:{mac[:MAC_LENGTH]}"


def longest(owner: Owner) -> int:
    """How many characters a marker of this owner can have: what a label must leave room for."""
    return len(owner.prefix) + 9 + 1 + MAC_LENGTH


@dataclass(frozen=True, slots=True)
class Marked:
    """A key at a store with a whole and valid marker."""

    owner: Owner
    number: int
    key: StoreKey


def read(keyring: Keyring, keys: Iterable[StoreKey]) -> tuple[Marked, ...]:
    """The keys whose label carries exactly one whole marker with a right MAC; all others are not ours.

    All digests are asked for in one call.
    """
    claims: list[tuple[Owner, int, str, StoreKey]] = []
    for key in keys:
        found = _MARKER.findall(key.label)
        if len(found) == 1:
            project, stack, connection, number, mac = found[0]
            claims.append((Owner(project, stack, connection), int(number), mac, key))
    if not claims:
        return ()
    digests = keyring.mac("marker", [_signed(owner, number) for owner, number, _, _ in claims])
    return tuple(
        Marked(owner, number, key)
        for (owner, number, mac, key), digest in zip(claims, digests, strict=True)
        if hmac.compare_digest(mac, digest[:MAC_LENGTH])
    )


def strip(label: str) -> str:
    """The label without any marker: the purpose a person declared."""
    return " ".join(_MARKER.sub(" ", label).split())


def fingerprint_text(owner: Owner, secret: Mapping[str, str]) -> str:
    """What a fingerprint is made over: purpose, owner and the named values in a fixed order.

    The number is left out on purpose: a value that came back (an old file captured twice) has the fingerprint it had.
    """
    # Lengths keep values apart that hold line breaks of their own.
    parts = "".join(f"\n{name}={len(secret[name])}:{secret[name]}" for name in sorted(secret))
    return f"fingerprint:{owner.prefix}{parts}"


def fingerprint(keyring: Keyring, owner: Owner, secret: Mapping[str, Secret]) -> str:
    """The keyed fingerprint of a secret."""
    text = fingerprint_text(owner, {name: value.reveal() for name, value in secret.items()})
    return keyring.mac("fingerprint", [text])[0]
