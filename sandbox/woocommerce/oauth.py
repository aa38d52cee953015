"""OAuth 1.0a with one leg, as the plugin checks it (sheet 7.4)."""

from __future__ import annotations

import base64
import hmac
import re
from urllib.parse import quote, unquote

from sandbox.woocommerce.state import OAUTH_WINDOW, ApiKey
from sandbox.woocommerce.visit import Visit

REQUIRED = (
    "oauth_consumer_key",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_signature",
    "oauth_signature_method",
)
DIGESTS = {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256"}
HEADER_PARAMETER = re.compile(r'(oauth_\w+)\s*=\s*"([^"]*)"')


def parameters(visit: Visit, authorization: str) -> dict[str, str]:
    """The `oauth_` parameters from the query and the header; empty if there is none at all."""
    given = {name: value for name, value in visit.request.query.items() if name.startswith("oauth_")}
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "oauth":
        given |= {name: unquote(value) for name, value in HEADER_PARAMETER.findall(rest)}
    return given if any(name in given for name in REQUIRED) else {}


def reason_against(visit: Visit, key: ApiKey, given: dict[str, str]) -> str:
    """Name of the text that says why not, or nothing: signature first, then the time, then the nonce."""
    digest = DIGESTS.get(given["oauth_signature_method"])
    if digest is None:
        return "signature_method"
    expected = signature(visit, key, given, digest)
    if not hmac.compare_digest(expected, given["oauth_signature"].encode("utf-8", "surrogateescape")):
        return "signature_invalid"
    timestamp, now = given["oauth_timestamp"], int(visit.now)
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > OAUTH_WINDOW:
        return "timestamp_invalid"
    if not visit.state.use_oauth_nonce(visit.store, key, given["oauth_nonce"], int(timestamp), now):
        return "nonce_used"
    return ""


def signature(visit: Visit, key: ApiKey, given: dict[str, str], digest: str) -> bytes:
    """The signature the store computes, over its own home URL whatever host was asked."""
    signed = [(name, value) for name, value in visit.request.query_pairs if not name.startswith("oauth_")]
    signed += [(name, value) for name, value in given.items() if name != "oauth_signature"]
    encoded = sorted((_encode(name), _encode(value)) for name, value in signed)
    base = "&".join(
        _encode(part)
        for part in (
            visit.request.method,
            visit.home + visit.request.raw_path,
            "&".join(f"{name}={value}" for name, value in encoded),
        )
    )
    code = hmac.digest(f"{key.consumer_secret}&".encode(), base.encode(), digest)
    return base64.b64encode(code)


def _encode(text: str) -> str:
    """RFC 3986, as OAuth wants it."""
    return quote(text, safe="~", errors="surrogateescape")
