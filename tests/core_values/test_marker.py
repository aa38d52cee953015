"""What is ours at a store: whole markers with a right MAC, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.core.contract import StoreKey
from providers.core.marker import Marked, Owner, fingerprint_text, longest, make, read, stack_prefix, strip

OWNER = Owner("connections", "production", "fresh-roast/erp")


class Keyring:
    """HMAC under keys that differ by purpose; counts how often it was asked."""

    def __init__(self, seed: str = "one") -> None:
        self.seed, self.calls = seed, 0

    def mac(self, key: Literal["marker", "fingerprint"], texts: Sequence[str]) -> Sequence[str]:
        self.calls += 1
        return [hmac.new(f"{self.seed} {key}".encode(), text.encode(), hashlib.sha256).hexdigest() for text in texts]


def key(label: str, key_id: str = "1") -> StoreKey:
    return StoreKey(key_id, label, "abcdefg")


MARKER = make(Keyring(), OWNER, 7)


def test_a_marker_names_the_owner_and_the_number() -> None:
    prefix, _, mac = MARKER.rpartition(":")
    assert prefix == "connections:production:fresh-roast/erp:7"
    assert len(mac) == 20
    assert set(mac) <= set("0123456789abcdef")
    assert MARKER.startswith((OWNER.prefix, stack_prefix("connections", "production")))


@given(st.integers(min_value=1, max_value=999_999_999))
def test_the_longest_marker_is_foretold(number: int) -> None:
    assert len(make(Keyring(), OWNER, number)) <= longest(OWNER)


def test_a_marker_of_nine_digits_is_the_longest() -> None:
    assert len(make(Keyring(), OWNER, 999_999_999)) == longest(OWNER)


OURS = {
    "alone": MARKER,
    "after the purpose": f"Orders to the ERP {MARKER}",
    "before it": f"{MARKER} Orders",
    "in brackets": f"Orders ({MARKER})",
}
FOREIGN = {
    "nothing": "",
    "a person's key": "made by hand",
    "twice": f"{MARKER} {MARKER}",
    "with another's": f"{MARKER} {make(Keyring(), Owner('connections', 'staging', 'a/b'), 1)}",
    "cut": MARKER[:-1],
    "one more digit": f"{MARKER}0",
    "a longer word": f"{MARKER}:x",
    "in a longer path": f"x/{MARKER}",
    "behind a hyphen": f"-{MARKER}",
    "another number": MARKER.replace(":7:", ":8:"),
    "number zero": MARKER.replace(":7:", ":0:"),
    "a leading zero": MARKER.replace(":7:", ":07:"),
    "another store": MARKER.replace("fresh-roast", "stale-roast"),
    "another stack": MARKER.replace("production", "staging"),
    "another project": MARKER.replace("connections", "others"),
    "upper case": MARKER.upper(),
    "a guess": f"{OWNER.prefix}7:{'0' * 20}",
    "another key's MAC": make(Keyring("two"), OWNER, 7),
}


@pytest.mark.parametrize("label", OURS.values(), ids=OURS.keys())
def test_a_whole_marker_is_ours(label: str) -> None:
    assert read(Keyring(), [key(label)]) == (Marked(OWNER, 7, key(label)),)


@pytest.mark.parametrize("label", FOREIGN.values(), ids=FOREIGN.keys())
def test_anything_else_is_not(label: str) -> None:
    assert read(Keyring(), [key(label)]) == ()


def test_all_labels_cost_one_call_and_none_costs_none() -> None:
    keyring = Keyring()
    keys = [key(label, str(number)) for number, label in enumerate([*OURS.values(), *FOREIGN.values()])]
    assert [marked.key.key_id for marked in read(keyring, keys)] == ["0", "1", "2", "3"]
    assert keyring.calls == 1
    assert read(keyring, [key("made by hand")]) == ()
    assert keyring.calls == 1


@given(st.integers(min_value=0, max_value=len(MARKER) - 1), st.characters(codec="ascii"))
def test_no_changed_character_leaves_a_marker_ours(position: int, character: str) -> None:
    changed = MARKER[:position] + character + MARKER[position + 1 :]
    found = read(Keyring(), [key(changed)])
    assert found == () or changed == MARKER


@pytest.mark.parametrize(
    ("label", "purpose"),
    [
        (f"Orders to the ERP {MARKER}", "Orders to the ERP"),
        (f"{MARKER} Orders  to the ERP ", "Orders to the ERP"),
        (f"Orders {MARKER} to {MARKER}", "Orders to"),
        (MARKER, ""),
        ("made by hand", "made by hand"),
        (f"cut {MARKER[:-1]}", f"cut {MARKER[:-1]}"),
    ],
    ids=str,
)
def test_the_purpose_is_the_label_without_markers(label: str, purpose: str) -> None:
    assert strip(label) == purpose


def test_a_fingerprint_is_over_owner_names_and_values_in_one_order() -> None:
    text = fingerprint_text(OWNER, {"consumer_secret": "cs", "consumer_key": "ck"})
    assert text == f"fingerprint:{OWNER.prefix}\nconsumer_key=2:ck\nconsumer_secret=2:cs"
    assert text == fingerprint_text(OWNER, {"consumer_key": "ck", "consumer_secret": "cs"})
    assert text != fingerprint_text(Owner("connections", "staging", "fresh-roast/erp"), {"consumer_key": "ck"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": "1\nb=2"}, {"a": "1", "b": "2"}),
        ({"a": "1", "b": ""}, {"a": "1"}),
        ({"a": "1"}, {"b": "1"}),
    ],
    ids=["a value with a line of its own", "an empty value", "names"],
)
def test_different_credentials_have_different_texts(one: dict[str, str], other: dict[str, str]) -> None:
    assert fingerprint_text(OWNER, one) != fingerprint_text(OWNER, other)
