"""Which kinds of credentials and links there are: found in the platforms' folders, by a name that stands in state.

`woocommerce/api_key` is the entry `api_key` of `CREDENTIALS` in `providers.woocommerce`; a link to `stone-edge` is that
entry of `LINKS` in the folder of the credential's platform, else in `providers.stone_edge`. A platform is added by adding
a folder; these names stay for ever, since `destroy` finds by them how to end what an earlier version made.
"""

import importlib
import importlib.util
import re
from collections.abc import Mapping

from providers.core.contract import CredentialKind, LinkKind
from providers.core.errors import ConnectionsError
from providers.core.links import PersonReader, VaultReader

_NAME = re.compile(r"[a-z][a-z_]*/[a-z][a-z_]*")

_FOLDER = re.compile(r"[a-z][a-z0-9_]*")

_CONSUMER = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

EVERYWHERE: Mapping[str, LinkKind] = {
    "vault": LinkKind(lambda _inputs, _tools: VaultReader(), looks=False),
    "person": LinkKind(lambda _inputs, _tools: PersonReader(), what="Credentials for you", looks=False),
}
"""Links that every platform has, by the word after `to:`."""


class UnknownKind(ConnectionsError):
    """State or journal names a kind that this version of the product does not have."""


def credential(name: str) -> CredentialKind:
    """The kind of credential of this name, or `UnknownKind`."""
    platform, _, kind = name.partition("/")
    if _NAME.fullmatch(name) and importlib.util.find_spec(f"providers.{platform}") is not None:
        kinds: Mapping[str, CredentialKind] = getattr(
            importlib.import_module(f"providers.{platform}"), "CREDENTIALS", {}
        )
        if kind in kinds:
            return kinds[kind]
    raise UnknownKind(
        f"this version knows no credential {name!r}",
        do="Use the version that made it, or one that still knows it, to change or end it",
    )


def link(to: str, platform: str = "") -> LinkKind:
    """The kind of this consumer, for credentials of this platform, or `UnknownKind`."""
    if to in EVERYWHERE:
        return EVERYWHERE[to]
    for folder in (platform, to.replace("-", "_")) if _CONSUMER.fullmatch(to) else ():
        if _FOLDER.fullmatch(folder) and importlib.util.find_spec(f"providers.{folder}") is not None:
            kinds: Mapping[str, LinkKind] = getattr(importlib.import_module(f"providers.{folder}"), "LINKS", {})
            if to in kinds:
                return kinds[to]
    raise UnknownKind(f"this version knows no link to {to!r}", do="Use the version that made it to change or end it")
