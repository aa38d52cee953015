"""The panel's rows as data: complete, in its order, and with what the vendor's documents do not agree about."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from providers.bigcommerce import scopes
from providers.bigcommerce.scopes import CONFLICTS, ELSEWHERE, PANEL, ROWS, STORE_LEVEL, TABLE, Row

LINES = list(csv.DictReader((Path(scopes.__file__).parent / "scopes.csv").read_text("utf-8").splitlines()))

VENDORS_LIST = """\
Content, Checkout content, Customers, Customers login, Information & settings, Marketing, Orders, Order transactions,
Create payments, Get payment methods, Stored payment instruments, Products, Themes, Carts, Checkouts, Sites & routes,
Channel settings, Channel listings, Storefront API tokens, Storefront API customer impersonation tokens, Store logs,
Store locations, Store inventory, Fulfillment methods, Order fulfillment"""
"""The vendor's own list (sheet bigcommerce.md 4.1), in its order."""


def test_every_line_is_in_a_row() -> None:
    assert len(LINES) == 101
    assert sum(len(row.levels) for row in TABLE.values()) == len(LINES)
    assert {line["offered"] for line in LINES} == {*STORE_LEVEL, *ELSEWHERE}
    assert all(
        row.label.strip() == row.label and row.words == tuple(map(str.lower, row.words)) for row in TABLE.values()
    )


def test_the_panel_has_the_vendors_25_rows_in_its_order() -> None:
    assert ", ".join(PANEL) == VENDORS_LIST.replace("\n", " ")
    assert [ROWS[label].position for label in PANEL] == list(range(1, 26))
    assert tuple(ROWS)[:25] == PANEL


def test_no_two_labels_differ_by_letter_case_alone() -> None:
    assert set(Counter(label.lower() for label in TABLE).values()) == {1}


def test_a_parameter_belongs_to_one_level() -> None:
    named = [line["parameter"] for line in LINES if line["parameter"]]
    assert set(Counter(named).values()) == {1}
    assert all(bool(line["parameter"]) != (line["level"] == "none") for line in LINES)
    implicit = {level.parameter for row in TABLE.values() if row.offered == "implicit" for level in row.levels}
    assert implicit == {"store_v2_default", "users_basic_information"}


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("Content", "none read-only modify"),
        ("Customers login", "none login"),
        ("Create payments", "none create"),
        ("Get payment methods", "none read-only"),
        ("Store logs", "none read-only"),
        ("Storefront API tokens", "none manage"),
        ("Metafields access", "standard full"),
        ("B2B Edition", "none modify"),
    ],
)
def test_levels_in_their_order(label: str, words: str) -> None:
    assert " ".join(ROWS[label].words) == words
    assert ROWS[label].default == words.split(" ", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("label", "level", "parameter"),
    [
        ("Themes", "modify", "store_themes_manage"),
        ("Fulfillment methods", "modify", "store_fulfillment_methods_manage"),
        ("Order fulfillment", "modify", "store_order_fulfillment_manage"),
        ("Carts", "modify", "store_cart"),
        ("Checkouts", "read-only", "store_checkout_read_only"),
        ("Store logs", "read-only", "store_logs_read_only"),
        ("Content", "none", ""),
    ],
)
def test_irregular_parameters(label: str, level: str, parameter: str) -> None:
    assert ROWS[label].level(level).parameter == parameter


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.label)
def test_a_level_includes_itself_and_the_default(row: Row) -> None:
    for word in row.words:
        assert row.includes(word, word)
        assert row.includes(word, row.default)
        assert row.level(word).includes in {"", *row.words}


def test_what_a_level_includes() -> None:
    assert ROWS["Orders"].includes("modify", "read-only")
    assert not ROWS["Orders"].includes("read-only", "modify")
    assert not ROWS["Orders"].includes("none", "read-only")
    assert ROWS["Metafields access"].includes("full", "standard")
    # The closed alpha's levels: nobody says that one includes another.
    assert not ROWS["Infrastructure Deployments"].includes("manage", "create preview")


def test_a_level_that_a_row_does_not_have() -> None:
    with pytest.raises(KeyError, match="login"):
        ROWS["Orders"].level("login")


def test_conflicts_name_what_is_used_here() -> None:
    parameters = {line["parameter"] for line in LINES}
    for conflict in CONFLICTS:
        row = ROWS[conflict.label]
        assert conflict.printed != conflict.used
        if conflict.of == "parameter":
            assert row.level(conflict.level).parameter == conflict.used
            assert conflict.printed not in parameters
        elif conflict.of == "level":
            assert conflict.used == conflict.level == row.words[-1]
            assert conflict.printed not in row.words
        else:
            assert conflict.used == conflict.label
            assert (conflict.of, conflict.printed in ROWS) in {("label", False), ("opened by", True)}
