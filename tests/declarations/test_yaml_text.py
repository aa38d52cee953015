"""Bytes that no editor shows, and what the reader keeps of a text."""

import pytest

from providers.declarations.yaml_text import LARGEST, Place, read

BYTES = [
    pytest.param(
        b"\xef\xbb\xbfa: b\n", "1:1: the file begins with a byte order mark; save it as UTF-8 without one", id="bom"
    ),
    pytest.param(
        b"\xff\xfea\0", "1:1: the file begins with a byte order mark; save it as UTF-8 without one", id="utf-16"
    ),
    pytest.param(b"a: b\nc: \xe4\n", "2:4: this is not UTF-8; save the file as UTF-8", id="latin-1"),
    pytest.param(b"a: b\0\n", "1:5: an invisible or control character (U+0000); take it out", id="nul"),
    pytest.param(b"a: \x1b[2J\n", "1:4: an invisible or control character (U+001B); take it out", id="escape"),
    pytest.param(b"a: b\rc: d\n", "1:5: an invisible or control character (U+000D); take it out", id="lone-return"),
    pytest.param("a: b\u2028c: d\n".encode(), "1:5: an invisible or control character (U+2028); take it out", id="ls"),
    pytest.param("a: b\u0085c: d\n".encode(), "1:5: an invisible or control character (U+0085); take it out", id="nel"),
    pytest.param("a: \u202eb\n".encode(), "1:4: an invisible or control character (U+202E); take it out", id="bidi"),
    pytest.param(
        "a: b\ufeff\n".encode(), "1:5: an invisible or control character (U+FEFF); take it out", id="bom-inside"
    ),
    pytest.param(b"a: b\n\tc: d\n", "2:1: a tab; use blanks", id="tab"),
    pytest.param(b"a: " + b"x" * LARGEST, f"1:1: the file has {LARGEST + 3} bytes; {LARGEST} are allowed", id="huge"),
    pytest.param(b"[" * 100_000, "1:13: more than 12 levels inside each other", id="deep-open"),
    pytest.param(b"a: {" * 60_000, "1:48: more than 12 levels inside each other", id="deep-mappings"),
    pytest.param(
        b'a: "\\',
        "1:5: an unknown escape; in double quotes write \\\\ for a backslash, or use single quotes",
        id="cut-escape",
    ),
    pytest.param(b'a: "\\uZZ"', "1:7: this is not YAML", id="other"),
    pytest.param(b'a: b\n"', "2:1: a quote is not closed", id="cut-quote"),
]


@pytest.mark.parametrize(("data", "said"), BYTES)
def test_refused(data: bytes, said: str) -> None:
    source = read(data)
    assert source.root == {}
    assert [f"{flaw.place.line}:{flaw.place.column}: {flaw.what}" for flaw in source.flaws] == [said]


def test_every_scalar_is_text() -> None:
    source = read(
        b"a: 12e4567\nb: 0123456\nc: no\nd: 12:30\ne: 2026-11-20\nf: [true, 1.5, 0x1F, .inf]\ng: |-\n  x\n  y\n"
    )
    assert source.flaws == ()
    assert source.root == {
        "a": "12e4567",
        "b": "0123456",
        "c": "no",
        "d": "12:30",
        "e": "2026-11-20",
        "f": ["true", "1.5", "0x1F", ".inf"],
        "g": "x\ny",
    }


def test_places_and_quotes() -> None:
    source = read("ä: [x, 'y']\nb:\n  c: \"d\"\n".encode())
    assert source.value_place(("ä", 1)) == Place(1, 8)
    assert source.word_place(("ä", 1)) == Place(1, 8)
    assert source.word_place(("b", "c")) == Place(3, 3)
    assert source.value_place(("b", "c", "nothing", "there")) == Place(3, 6)
    assert source.word_place(("b", "missing")) == Place(2, 1)
    assert source.word_place(("nowhere",)) == Place(1, 1)
    assert source.quoted == {("ä", 1), ("b", "c")}
    assert read(b"").word_place(()) == Place(1, 1)


def test_all_flaws_of_a_file_at_once() -> None:
    source = read(b"a: &x b\nc: *x\nd:\nD: 1\n<<: {e: f}\n")
    assert [flaw.place.line for flaw in source.flaws] == [1, 2, 3, 4, 5]
    assert source.root == {"a": "b", "c": "", "d": ""}
