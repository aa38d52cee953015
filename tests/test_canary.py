"""The canary scan finds each form that was planted, and nothing where nothing is."""

import base64
import json
import urllib.parse
from pathlib import Path

import pytest

from tests.canary import forms, scan

KEY = "ck_" + "0123456789abcdef0123456789abcdef01234567"
PASSWORD = 'a "quoted"/word+with&odd=characters'
PLANTED = {
    "raw": PASSWORD,
    "URL-encoded": urllib.parse.quote(PASSWORD, safe=""),
    "URL-encoded form": urllib.parse.quote_plus(PASSWORD),
    "JSON": json.dumps({"value": PASSWORD}),
    "PHP's JSON": json.dumps({"value": PASSWORD}).replace("/", "\\/"),
    "base64": base64.b64encode(PASSWORD.encode()).decode(),
    "base64 after one": base64.b64encode(b"x" + PASSWORD.encode() + b"tail").decode(),
    "base64 after two": base64.b64encode(f"me:{PASSWORD}".encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(b"12" + PASSWORD.encode()).decode(),
}


@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED)
def test_each_form_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_text(f"before {text} after", encoding="utf-8")
    assert {leak.place for leak in scan([tmp_path], [PASSWORD])} == {"file"}
    assert {leak.place for leak in scan([], [PASSWORD], {"output": text})} == {"output"}


@pytest.mark.parametrize("start", [3, 4, 17, 35])
def test_any_piece_of_a_key_is_found(start: int) -> None:
    (leak,) = scan([], [KEY], {"log": f"{KEY[start : start + 8]}..."})[:1]
    assert leak.form == "piece"
    assert scan([], [KEY], {"log": f"{KEY[start : start + 7]}..."}) == []


def test_names_and_bytes_are_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / KEY).touch()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\0" + KEY.encode() + b"\0")
    assert {leak.place for leak in scan([tmp_path], [KEY])} == {f"name of {KEY}", "binary"}


def test_a_secret_in_the_form_of_a_request_number_is_found_and_digests_give_no_false_alarm() -> None:
    number = "01234567-89ab-cdef-0123-456789abcdef"
    digest = "hmac-sha256:" + KEY[3:] + "0" * 24
    assert scan([], [number], {"audit": f'"id": "{number}"'})
    assert scan([], [KEY], {"audit": f"{number} {digest}"}) == []


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("ck_fedcba98 and other words", encoding="utf-8")
    assert scan([tmp_path], [KEY, PASSWORD]) == []


def test_a_leak_does_not_say_the_secret() -> None:
    assert KEY[3:] not in repr(scan([], [KEY], {"log": KEY}))


def test_short_secrets_are_refused() -> None:
    with pytest.raises(ValueError, match="short"):
        scan([], ["short"])


def test_every_form_is_long_enough_to_be_looked_for() -> None:
    assert all(len(text) >= 8 for secret in (KEY, PASSWORD, "12345678") for _, text in forms(secret))
