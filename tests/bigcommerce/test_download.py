"""The downloaded file: any layout, and in words what is wrong with it, never what stands in it."""

from __future__ import annotations

import json

import pytest

from providers.bigcommerce.download import LARGEST, read
from providers.core.errors import ConnectionsError

HASH = "abc123xyz9"
PATH = f"https://api.bigcommerce.com/stores/{HASH}/v3/"
ID, PASS, TOKEN = "canary0client0id", "canary0client0secret=", "canary0access0token"
VALUES = {"client_id": ID, "client_secret": PASS, "access_token": TOKEN}
REST = f"Client ID: {ID}\nClient secret: {PASS}\nAccess token: {TOKEN}\n"

LAYOUTS = {
    "labels": f"API path: {PATH}\n{REST}",
    "capitals": f"ACCESS TOKEN: {TOKEN}\nCLIENT NAME: robots\nCLIENT ID: {ID}\nCLIENT SECRET: {PASS}\nAPI PATH: {PATH}",
    "assignments": f"api_path={PATH}\nclient_id={ID}\nclient_secret={PASS}\naccess_token={TOKEN}",
    "next line": (
        f"BigCommerce API credentials\n\nName\nAccess to all\n\nAPI path\n{PATH}\n\nClient ID\n{ID}\n\n"
        f"Client secret:\n  {PASS}\nAccess token\n{TOKEN}\n"
    ),
    "windows": (
        f"Name:\t\trobots\r\nAPI Path:\t{PATH}\r\n\r\nClient ID:\t{ID}\r\nClient Secret:\t{PASS}\r\n"
        f"Access Token:\t{TOKEN}"
    ),
    "tabs": f"API Path\t{PATH}\nClient ID\t{ID}\nClient Secret\t{PASS}\nAccess Token\t{TOKEN}",
    "headers": f"{PATH}\nX-Auth-Client: {ID}\nX-Auth-Token: {TOKEN}\nClient Secret = '{PASS}'\n",
    "ornaments": f"=====\n# --\n{{\nAPI path: {PATH}\n{REST}}}\n",
    "json": json.dumps({"name": "robots", "apiPath": PATH, "clientId": ID, "clientSecret": PASS, "accessToken": TOKEN}),
    "json of several lines": json.dumps({"credentials": {**VALUES, "store_hash": HASH}, "version": 3}, indent=2),
    "nearly json": (
        f'{{\n"api_path": "{PATH}",\n"client_id": "{ID}",\n"client_secret": "{PASS}",\n"access_token": "{TOKEN}",\n}}'
    ),
    "store hash": f"Store Hash Key: store-{HASH}\n{REST}",
    "two paths": f"API path: {PATH}\nAPI URL: {PATH[:-1]}\n{REST}",
    "a type": f"Token type: V2/V3 API token\nAPI path: {PATH}\n{REST}",
    "a name like a type": f"Name: Stencil robots\n{PATH}\n{REST}",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read(layout: str, encoding: str) -> None:
    found = read(LAYOUTS[layout].encode(encoding), HASH)
    assert {name: value.reveal() for name, value in found.values.items()} == VALUES
    assert (found.store_hash, found.not_understood) == (HASH, ())
    assert TOKEN not in repr(found)


def test_a_file_without_a_path_is_of_no_known_store() -> None:
    text = f"{REST}API path: none\n"
    assert read(text.replace("API path: none\n", "").encode(), HASH).store_hash == ""
    assert read(text.replace("none", "https://elsewhere.example/x").encode(), HASH).store_hash == ""


def test_the_values_alone_in_the_panels_order() -> None:
    found = read(f"\n{ID}\n {PASS}\n\n{TOKEN}\n".encode(), HASH)
    assert {name: value.reveal() for name, value in found.values.items()} == VALUES
    assert (found.store_hash, found.not_understood) == ("", ())


def test_lines_that_are_not_understood_are_told_by_number() -> None:
    text = f"Colour: blue\n{LAYOUTS['labels']}some more words\n"
    found = read(text.encode(), HASH)
    assert found.not_understood == (1, 6)
    assert found.values.keys() == VALUES.keys()


LABELS = LAYOUTS["labels"]

WRONG: dict[str, tuple[str, tuple[str, ...]]] = {
    "half a file": (LABELS.partition("Client secret")[0], ("lacks the client secret and the access token",)),
    "cut within a label": (LABELS.partition("s token")[0], ("lacks the access token", "not understood: line 4")),
    "cut behind a label": (LABELS.partition(" canary0access")[0], ("lacks the access token",)),
    "cut within a value": (LABELS.partition("0access0token")[0], ("access token in line 4 is cut off",)),
    "a value of two words": (LABELS.replace(ID, "two words"), ("lacks the client ID", "not understood: line 2")),
    "garbage": ("lorem\nipsum", ("lacks the client ID and the client secret and the access token", "line 1, 2")),
    "short values alone": ("one\ntwo\nthree", ("the client ID in line 1 is cut off",)),
    "two values alone": (f"{ID}\n{TOKEN}", ("lacks", "not understood: line 1, 2")),
    "three sentences": ("a b\nc d\ne f", ("lacks", "not understood: line 1, 2, 3")),
    "nothing": ("", ("lacks the client ID and the client secret and the access token",)),
    "json without values": ('{"client_id": "two words", "client_secret": 3}', ("lacks the client ID",)),
    "json of something else": ("[1, 2]", ("lacks the client ID",)),
    "a stencil token": (f"Token type: Stencil-CLI token\n{LABELS}", ("line 1", "Stencil-CLI token", "V2/V3 API token")),
    "a stencil heading": (f"Stencil CLI credentials\nAccess token: {TOKEN}\n", ("Stencil-CLI token",)),
    "another store": (LABELS.replace(HASH, "qrs987tuv6"), ("of another store: qrs987tuv6, not abc123xyz9", "line 1")),
    "a letter changed": (LABELS.replace(HASH, "abc123xyz8"), ("mistyped", "abc123xyz8")),
    "a letter left out": (LABELS.replace(HASH, "abc123xy9"), ("mistyped",)),
    "a letter too many": (LABELS.replace(HASH, "abc1233xyz9"), ("mistyped",)),
    "two letters swapped, twice": (LABELS.replace(HASH, "bac132xyz9"), ("mistyped",)),
    "capital letters": (LABELS.replace(HASH, HASH.upper()), ("mistyped",)),
    "three letters changed": (LABELS.replace(HASH, "abd124xyz8"), ("of another store",)),
    "one good path and a foreign one": (f"{LABELS}API path: /stores/qrs987tuv6/v3/\n", ("of another store", "line 5")),
    "a token twice": (f"{LABELS}Access token: canary0another\n", ("line 5 gives a second access token, after line 4",)),
    "the same token twice": (f"{LABELS}X-Auth-Token: {TOKEN}\n", ("second access token",)),
    "one value for two": (LABELS.replace(PASS, ID), ("line 3 gives as client secret what another value is already",)),
    "json with a value twice": (
        '{\n"client_id": "canary0client0id",\n"client_id": "canary0client1id"}',
        ("gives a second client ID",),
    ),
    "too much": ("x" * (LARGEST + 1), (f"more than {LARGEST} bytes",)),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_without_a_value(case: str) -> None:
    text, words = WRONG[case]
    with pytest.raises(ConnectionsError) as caught:
        read(text.encode(), HASH)
    said = str(caught.value)
    for word in words:
        assert word in said
    assert "canary" not in said
    assert "two words" not in said
    assert caught.value.do


def test_no_text_at_all() -> None:
    with pytest.raises(ConnectionsError, match="no text"):
        read(b"\x80\x81", HASH)


def test_json_of_endless_depth_is_no_file() -> None:
    with pytest.raises(ConnectionsError, match="lacks"):
        read(b'{"a":' * 3000, HASH)
