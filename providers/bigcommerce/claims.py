"""What a storefront token says of itself: the claims of its JWT, read here and trusted by nobody.

Whoever holds a text can write such claims; they count only beside a storefront that accepts the token, which no changed
text is (sheet bigcommerce.md 8: "JWT claims can be read locally"). The sheet names no claim: each is looked for under the
names that public code and the vendor's fields use, and one that is not there, or is of another type, is not known.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from providers.core.redaction import Secret

EXPIRY: Final = ("eat", "exp")
ISSUED: Final = ("iat",)
CHANNELS: Final = ("cid", "channel_ids", "channel_id")
ORIGINS: Final = ("corsOrigins", "cors", "allowed_cors_origins")
SCOPES: Final = ("scopes",)
MAKER: Final = ("sub",)

LARGEST: Final = 16_384
"""Characters of a token that are looked at."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims by meaning, None where they are not known. `maker` is the client ID of the account that made the token."""

    expires: datetime | None = None
    issued: datetime | None = None
    channels: frozenset[int] | None = None
    origins: tuple[str, ...] | None = None
    scopes: frozenset[str] | None = None
    maker: Secret | None = None


def read(token: Secret) -> Claims:
    """The claims of a token; nothing is known of a text that is no JWT."""
    found = _payload(token)
    return Claims(
        expires=_time(_named(found, EXPIRY)),
        issued=_time(_named(found, ISSUED)),
        channels=_several(_named(found, CHANNELS), int),
        origins=_origins(_named(found, ORIGINS)),
        scopes=_several(_named(found, SCOPES), str),
        maker=_maker(_named(found, MAKER)),
    )


def _payload(token: Secret) -> Mapping[str, Any]:
    text = token.reveal()
    parts = text.split(".")
    if len(parts) != 3 or len(text) > LARGEST:
        return {}
    try:
        document = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _named(claims: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((claims[name] for name in names if name in claims), None)


def _time(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _several(value: Any, kind: type) -> frozenset[Any] | None:
    entries = value if isinstance(value, list) else [value]
    return frozenset(entries) if all(type(entry) is kind for entry in entries) else None


def _origins(value: Any) -> tuple[str, ...] | None:
    found = _several(value, str) if isinstance(value, list) else None
    return None if found is None else tuple(sorted(found))


def _maker(value: object) -> Secret | None:
    return Secret(value) if isinstance(value, str) and value else None
