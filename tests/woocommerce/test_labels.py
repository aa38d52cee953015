"""Descriptions are sent as the store will keep them (sheet 5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.core import marker
from providers.core.errors import Rejected
from providers.woocommerce import labels

MARK = "acme:production:fresh-roast/stackone:3:0123456789abcdef0123"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("plain", "plain"),
        ("<b>bold</b> text", "bold text"),
        ("runs  of\n\t blanks\r\n", "runs of blanks"),
        ("  ends  ", "ends"),
        ("100% %41", "100%"),
        ("a%4%411b", "ab"),
        ('Tom & Jerry\'s "shop" \\ é 🚚', 'Tom & Jerry\'s "shop" \\ é 🚚'),
        ("<b>&amp;", "&amp;"),
        ("a %20 b", "a b"),
    ],
)
def test_normalised_as_the_store_does(text: str, kept: str) -> None:
    assert labels.normalise(text) == kept


@given(st.text(alphabet=st.sampled_from("ab %41<>é\n&"), max_size=40))
def test_a_label_gives_its_purpose_back(text: str) -> None:
    try:
        label = labels.label(text, MARK)
    except Rejected:
        return
    assert labels.normalise(label) == label
    assert marker.strip(label) == labels.normalise(text)


def test_the_marker_stands_after_the_purpose() -> None:
    assert labels.label("orders  out", MARK) == f"orders out {MARK}"
    assert labels.label("", MARK) == MARK


@pytest.mark.parametrize(
    ("purpose", "words"),
    [
        ("a < b", "< or >"),
        ("a > b", "< or >"),
        (f"x {MARK}", "marker of ours"),
        ("no\u00a0break", "unusual blanks"),
        ("x" * (200 - len(MARK)), "too long"),
        ("é" * 80, "too long"),
    ],
)
def test_what_a_store_would_change_is_refused_before_sending(purpose: str, words: str) -> None:
    with pytest.raises(Rejected, match=words):
        labels.label(purpose, MARK)


def test_200_bytes_are_allowed() -> None:
    assert len(labels.label("x" * (199 - len(MARK)), MARK)) == 200
