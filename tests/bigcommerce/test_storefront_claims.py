"""What a token says of itself is read and never trusted: odd texts say nothing and break nothing."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.bigcommerce.claims import LARGEST, Claims, read
from providers.core.redaction import Secret


def encoded(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def jwt(claims: Any, signature: str = "c2lnbmVkLWJ5LW5vYm9keQ") -> Secret:
    return Secret(f"{encoded({'alg': 'ES256', 'typ': 'JWT'})}.{encoded(claims)}.{signature}")


def test_all_claims() -> None:
    said = read(
        jwt(
            {
                "cid": [7, 1],
                "corsOrigins": ["https://b.example", "https://a.example"],
                "eat": 1_800_000_000,
                "iat": 1_700_000_000,
                "scopes": ["Customer"],
                "sub": "canary-client",
            }
        )
    )
    assert said.expires == datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
    assert said.issued == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (said.channels, said.scopes) == (frozenset({1, 7}), frozenset({"Customer"}))
    assert said.origins == ("https://a.example", "https://b.example")
    assert said.maker is not None
    assert said.maker.reveal() == "canary-client"
    assert "canary-client" not in repr(said)


NAMES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "exp": ({"exp": 0}, {"expires": datetime(1970, 1, 1, tzinfo=UTC)}),
    "one channel": ({"cid": 1}, {"channels": {1}}),
    "no channel": ({"cid": []}, {"channels": frozenset()}),
    "channel_id": ({"channel_id": 3}, {"channels": {3}}),
    "cors": ({"cors": []}, {"origins": ()}),
    "allowed_cors_origins": ({"allowed_cors_origins": ["https://a.example"]}, {"origins": ("https://a.example",)}),
}


@pytest.mark.parametrize("case", NAMES)
def test_claims_have_several_names(case: str) -> None:
    claims, known = NAMES[case]
    said = read(jwt(claims))
    assert {name: getattr(said, name) for name in known} == known


ODD: dict[str, Any] = {
    "expiry in words": {"eat": "tomorrow"},
    "expiry true": {"eat": True},
    "expiry beyond all time": {"eat": 1e30},
    "expiry not a number": {"eat": float("nan")},
    "channels in words": {"cid": ["one"]},
    "channels true": {"cid": [True]},
    "origins as text": {"cors": "https://a.example"},
    "origins of numbers": {"cors": [1]},
    "scopes nested": {"scopes": [["Customer"]]},
    "maker empty": {"sub": ""},
    "maker a number": {"sub": 1},
    "a list": [1],
    "a text": "claims",
}


@pytest.mark.parametrize("case", ODD)
def test_odd_claims_are_not_known(case: str) -> None:
    assert read(jwt(ODD[case])) == Claims()


TEXTS = {
    "no dots": "canary",
    "two parts": "a.b",
    "no base64": "a.%%%.c",
    "no JSON": f"a.{base64.urlsafe_b64encode(b'{').decode()}.c",
    "no UTF-8": f"a.{base64.urlsafe_b64encode(bytes([0xFF])).decode()}.c",
    "deep": f"a.{base64.urlsafe_b64encode(b'[' * 9000).decode()}.c",
    "endless": f"a.{encoded({'eat': 1})}.{'c' * LARGEST}",
}


@pytest.mark.parametrize("case", TEXTS)
def test_what_is_no_jwt_says_nothing(case: str) -> None:
    assert read(Secret(TEXTS[case])) == Claims()
