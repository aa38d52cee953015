"""Secrets do not print, and the filter finds them in whatever form they travel."""

from __future__ import annotations

import base64
import copy
import gc
import html
import io
import json
import logging
import pickle
import re
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.core.errors import Unreachable
from providers.core.redaction import (
    MASK,
    Public,
    RedactedStream,
    RedactingFormatter,
    Secret,
    in_one_line,
    quiet_excepthook,
    redact,
)

CANARY = "cs_0123456789abcdef+/ü\"'&<x>"

# --- the secret itself --------------------------------------------------------------------------------------------------


SHOW: dict[str, Callable[[Secret], str]] = {
    "str": str,
    "repr": repr,
    "format": "{:>40}".format,
    "percent": lambda secret: "%s %r %a" % (secret, secret, secret),  # noqa: UP031
    "list": lambda secret: str([secret]),
    "f-string": lambda secret: f"{secret!r:>40}{secret:9}",
}


@pytest.mark.parametrize("show", SHOW.values(), ids=SHOW.keys())
def test_a_secret_never_prints(show: Callable[[Secret], str]) -> None:
    shown = show(Secret(CANARY))
    assert "cs_" not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "carry", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps], ids=["pickle", "copy", "deep copy", "json"]
)
def test_a_secret_travels_in_no_container(carry: Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as caught:
        carry(Secret(CANARY))
    assert CANARY not in str(caught.value)


def test_a_secret_is_a_text() -> None:
    with pytest.raises(TypeError, match="a secret is a text"):
        Secret(b"bytes")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("length", "tail"), [(3, "def"), (1, "f"), (5, "bcdef"), (0, ""), (-2, ""), (6, ""), (7, "")], ids=str
)
def test_the_visible_end_is_never_the_whole(length: int, tail: str) -> None:
    assert Secret("abcdef").tail(length) == tail


def test_secrets_are_compared_by_their_text_only_where_asked() -> None:
    one, two, three = Secret("ab\udc80"), Secret("ab\udc80"), Secret("other")
    assert one.same(two)
    assert not one.same(three)
    assert one != two
    assert one.reveal() == "ab\udc80"


# --- the filter ---------------------------------------------------------------------------------------------------------

FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "url": lambda s: urllib.parse.quote(s, safe=""),
    "url, path": urllib.parse.quote,
    "url, lower case": lambda s: re.sub("%..", lambda found: found[0].lower(), urllib.parse.quote(s, safe="")),
    "form": urllib.parse.quote_plus,
    "json": json.dumps,
    "json, as typed": lambda s: json.dumps(s, ensure_ascii=False),
    "json of PHP": lambda s: json.dumps(s).replace("/", "\\/"),
    "html": html.escape,
    "html, text": lambda s: html.escape(s, quote=False),
    "html of PHP": lambda s: html.escape(s).replace("&#x27;", "&#039;"),
    "python": repr,
    "python, bytes": lambda s: repr(s.encode()),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_is_found(form: Callable[[str], str]) -> None:
    secret = Secret(CANARY)
    text = redact(f"before {form(secret.reveal())} after")
    assert "0123456789abcdef" not in text
    assert text.startswith("before ")
    assert text.endswith(" after")


def own_part(before: bytes, value: bytes) -> slice:
    """Where, in the base64 of it all, the characters stand that depend on the value alone: six whole bits each."""
    return slice(-(-8 * len(before) // 6), 8 * (len(before) + len(value)) // 6)


@given(st.text(min_size=8), st.binary(max_size=20), st.binary(max_size=20), st.booleans())
def test_base64_keeps_nothing_of_the_value_whatever_stands_around_it(
    value: str, before: bytes, after: bytes, url_safe: bool
) -> None:
    secret = Secret(value)
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    whole = encode(before + value.encode() + after).decode()
    shown = redact(whole)
    assert MASK in shown
    assert whole[own_part(before, value.encode())] not in shown
    assert secret.reveal() == value


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(4))
@pytest.mark.parametrize("length", range(8, 12))
def test_of_base64_exactly_the_part_of_the_value_goes(before: int, after: int, length: int) -> None:
    secret = Secret("cs_0123456789abcdef"[:length])
    value = secret.reveal().encode()
    whole = base64.b64encode(b"<" * before + value + b">" * after).decode()
    own = own_part(b"<" * before, value)
    assert redact(whole) == whole[: own.start] + MASK + whole[own.stop :]


@given(st.lists(st.text(alphabet="abc", min_size=4, max_size=9), min_size=1, max_size=5), st.text(alphabet="abc"))
def test_values_that_overlap_leave_nothing(values: list[str], text: str) -> None:
    secrets = [Secret(value) for value in values]
    shown = redact(text)
    covered = {
        i
        for v in values
        for start in range(len(text))
        if text.startswith(v, start)
        for i in range(start, start + len(v))
    }
    rest = [c for i, c in enumerate(text) if i not in covered]
    assert list(shown.replace(MASK, "")) == rest
    assert len(secrets) == len(values)


def test_a_value_of_several_lines_is_found_line_by_line() -> None:
    key = Secret("-----BEGIN-----\nMIIEvQIBADANBg\n-----END-----\n")
    assert [redact(line) for line in key.reveal().splitlines()] == [MASK] * 3
    assert redact(f"<{key.reveal()}>") == f"<{MASK}>"


@pytest.mark.parametrize("value", ["", "a", "abc"])
def test_short_values_blank_out_no_words(value: str) -> None:
    secret = Secret(value)
    assert redact("abc abstract") == "abc abstract"
    assert secret.reveal() == value


def test_what_nobody_holds_any_more_is_forgotten() -> None:
    secret = Secret("gone-tomorrow")
    assert redact("gone-tomorrow") == MASK
    del secret
    gc.collect()
    assert redact("gone-tomorrow") == "gone-tomorrow"


def test_lone_surrogates_harm_nobody() -> None:
    secret = Secret("abc\udc80def")
    assert redact("x abc\udc80def y") == f"x {MASK} y"
    assert secret.tail(3) == "def"


def test_a_hundred_secrets_and_a_long_text_take_no_time() -> None:
    secrets = [Secret(f"cs_{number:040x}") for number in range(100)]
    text = "a line of a page as stores send them\n" * 20_000
    redact("once")
    begin = time.process_time()
    assert redact(text + secrets[50].reveal()) == text + MASK
    # Generous: what it must not do is take minutes.
    assert time.process_time() - begin < 10


def test_secrets_come_and_go_while_others_filter() -> None:
    kept = Secret("always-there-0001")
    stop, wrong = threading.Event(), []

    def churn() -> None:
        while not stop.is_set():
            [Secret(f"passing-{number}") for number in range(10)]

    def look() -> None:
        for _ in range(50):
            if redact(f"x{kept.reveal()}x") != f"x{MASK}x":
                wrong.append("missed")
        stop.set()

    threads = [threading.Thread(target=work) for work in (churn, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- the sinks ----------------------------------------------------------------------------------------------------------


def test_the_log_formatter_redacts_arguments_and_drops_tracebacks() -> None:
    secret = Secret("canary-in-a-log")
    sink = io.StringIO()
    handler = logging.StreamHandler(sink)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(message)s"))
    log = logging.getLogger("tests.core_values.redaction")
    log.propagate = False
    log.addHandler(handler)
    log.warning("at %s", secret.reveal(), stack_info=True)
    try:
        raise ValueError(secret.reveal())
    except ValueError:
        log.exception("it failed")
    text = sink.getvalue()
    assert text.splitlines()[0] == "WARNING at ***"
    assert "canary" not in text
    assert "Traceback" not in text
    assert "internal error: ValueError in test_the_log_formatter" in text


def test_a_traceback_formatted_elsewhere_is_not_taken_over() -> None:
    record = logging.LogRecord("test", logging.ERROR, __file__, 1, "failed", (), None)
    record.exc_text = "Traceback with everything"
    assert RedactingFormatter("%(message)s").format(record) == "failed"


def test_a_stream_redacts_whole_lines_however_they_are_cut() -> None:
    secret = Secret("canary-in-pieces")
    sink = io.StringIO()
    stream = RedactedStream(sink)
    assert [stream.write(piece) for piece in ("a can", "ary-in-pie", "ces b\nnext canary-", "in-pieces")] == [
        5,
        10,
        18,
        9,
    ]
    stream.flush()
    assert sink.getvalue() == "a *** b\n"
    stream.close()
    stream.close()
    assert stream.closed
    assert sink.getvalue() == "a *** b\nnext ***"
    assert not sink.closed
    assert secret.reveal() == "canary-in-pieces"


def test_a_stream_takes_the_place_of_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    stream = RedactedStream(sys.stdout)
    secret = Secret("canary-on-screen")
    print("shown", secret.reveal(), file=stream)
    assert capsys.readouterr().out == "shown ***\n"
    assert (stream.isatty(), stream.writable(), stream.readable(), stream.encoding) == (False, True, False, "utf-8")
    with pytest.raises(io.UnsupportedOperation):
        stream.fileno()
    stream.close()


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001
        return caught


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            Unreachable("no  answer\nin time", do="Try later", where="shop.example"),
            "shop.example: no answer in time. Try later",
        ),
        (Unreachable("for canary-uncaught"), "for ***"),
        (KeyboardInterrupt(), "interrupted"),
        (None, "internal error: NoneType"),
        (ValueError("canary-uncaught"), "internal error: ValueError"),
        (raised(KeyError("canary-uncaught")), "internal error: KeyError in raised, line"),
    ],
    ids=repr,
)
def test_an_error_becomes_one_line(error: BaseException | None, line: str) -> None:
    secret = Secret("canary-uncaught")
    assert in_one_line(error).startswith(line)
    assert secret.reveal() not in in_one_line(error)


def test_what_nobody_caught_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    error = raised(RuntimeError("words of any kind"))
    quiet_excepthook(RuntimeError, error, error.__traceback__)
    text = capsys.readouterr().err
    assert text.startswith("internal error: RuntimeError in raised, line ")
    assert text.count("\n") == 1


def test_what_is_public_is_shown() -> None:
    address = Public("https://shop.example/store")
    assert redact("see https://shop.example/store") == "see https://shop.example/store"
    assert (address.reveal(), str(address), repr(address)) == ("https://shop.example/store", MASK, f"Secret({MASK})")
    assert address.same(Secret("https://shop.example/store"))
