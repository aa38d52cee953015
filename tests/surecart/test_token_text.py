"""What is taken for a token when a person gives one, and what is said of the rest without a letter of it."""

from __future__ import annotations

import pytest

from providers.core.errors import ConnectionsError
from providers.surecart import CREDENTIALS
from providers.surecart.token_text import LARGEST, flaw, read
from tests.surecart.conftest import CANARIES, raises

TOKEN = "st_canary0token0123456789"

TAKEN = [
    TOKEN,
    f"{TOKEN}\n",
    f"{TOKEN}\r\n",
    f"token={TOKEN}",
    f"token={TOKEN}\n",
    f"\ufeff{TOKEN}",
]


@pytest.mark.parametrize("text", TAKEN)
def test_a_whole_token_on_one_line(text: str) -> None:
    parse = CREDENTIALS["api_token"].parse
    assert parse is not None
    found = parse(text.encode(), {"account": "acme-outdoor"})
    assert {name: value.reveal() for name, value in found.items()} == {"token": TOKEN}


REFUSED = [
    ("", "it is empty"),
    ("\n", "it is empty"),
    ("token=", "it is empty"),
    (f" {TOKEN}", "before or behind"),
    (f"{TOKEN} ", "before or behind"),
    (f"{TOKEN}\t\n", "before or behind"),
    (f"token= {TOKEN}", "before or behind"),
    (f"\n{TOKEN}", "before or behind"),
    (f"{TOKEN}\n\n", "before or behind"),
    (f"{TOKEN}\u00a0", "before or behind"),
    (f"{TOKEN}\nmore", "stands in it"),
    (f"{TOKEN}\r{TOKEN}", "stands in it"),
    (f"API Token: {TOKEN}", "stands in it"),
    (f"{TOKEN}\u200b", "that no token has"),
    (f"{TOKEN}\x00", "that no token has"),
    (f"“{TOKEN}”", "that no token has"),
    ("pt_canary0public0123456", "public token"),
    ("st_cana", "cut off"),
    ("x" * (LARGEST + 1), f"more than {LARGEST}"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_what_is_none(text: str, words: str) -> None:
    CANARIES.update({TOKEN, "canary0public", "st_cana", "xxxx"})
    with raises(ConnectionsError, words):
        read(text.encode())


def test_no_text() -> None:
    with raises(ConnectionsError, "is no text"):
        read(b"\xff\xfe")


def test_the_longest_and_the_shortest() -> None:
    assert (flaw("x" * LARGEST), flaw("x" * 8)) == ("", "")
