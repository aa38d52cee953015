"""Texts of stores become text and nothing else."""

import pytest

from providers.core.texts import LONGEST, plain, shown


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("11.0.1", "11.0.1"),
        ("https://fresh-roast.example/de", "https://fresh-roast.example/de"),
        ("Jörg & Söhne", "Jörg & Söhne"),
        ("\x1b[31mred\x1b[0m", "�[31mred�[0m"),
        ("one\ntwo\r\nthree\u2028four", "one�two��three�four"),
        ("\x00\x7f\x9b\u200b\u202e\ud800", "������"),
        ("::error::x", ": :error: :x"),
        (":::", ": : :"),
        ("##[error]x", "## [error]x"),
        ("x" * 101, "x" * LONGEST),
        ("::" * 60, (": " * 60)[:LONGEST]),
        ("", ""),
    ],
)
def test_what_is_shown(given: str, seen: str) -> None:
    assert shown(given) == seen
    assert shown(seen) == seen


def test_a_purpose_keeps_its_colons_and_its_length() -> None:
    assert plain("a::b" * 50, 200) == "a::b" * 50
    assert plain("a\nb", 2) == "a�"
