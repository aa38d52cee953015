"""Rows as somebody wrote them, in the panel's spelling; every row of the vendor's table, both ways."""

import pytest

from providers.bigcommerce.rights import Wrong, complete, excepted, granted, normalise, wider
from providers.bigcommerce.scopes import ELSEWHERE, PANEL, ROWS, TABLE

LEVELS = [
    pytest.param(label, level.word, id=f"{label}, {level.parameter or level.word}")
    for label, row in TABLE.items()
    for level in row.levels
]
WORDS = sorted({word for row in TABLE.values() for word in row.words})


def test_there_are_as_many_as_the_vendor_documents() -> None:
    assert len(LEVELS) == 101


@pytest.mark.parametrize(("label", "level"), LEVELS)
def test_every_level_both_ways(label: str, level: str) -> None:
    for written in ((label, level), (label.upper(), level.upper()), (label.lower(), level.title())):
        found, wrong = normalise(dict([written]))
        if label in ROWS:
            assert (found, wrong) == ({label: level}, ())
        else:
            assert (found, wrong[0].of_label) == ({}, True)
            assert wrong[0].what.endswith(ELSEWHERE[TABLE[label].offered])


@pytest.mark.parametrize("label", ROWS)
def test_no_row_takes_another_rows_levels(label: str) -> None:
    words = ROWS[label].words
    for level in WORDS:
        found, wrong = normalise({label: level})
        if level in words:
            assert (found, wrong) == ({label: level}, ())
        else:
            assert found == {}
            assert f"no level '{level}'; allowed: {', '.join(words)}" in wrong[0].what
            assert (wrong[0].label, wrong[0].of_label) == (label, False)


@pytest.mark.parametrize(
    ("label", "level", "said"),
    [
        ("Orders", "modfy", "allowed: none, read-only, modify; nearest: modify"),
        ("Orders", "everything", "allowed: none, read-only, modify"),
        (
            "Storefront API tokens",
            "modify",
            "allowed: none, manage; api-accounts guide prints it, the panel says manage",
        ),
        ("Get payment methods", "modify", "allowed: none, read-only"),
        ("Chekouts", "modify", "; nearest: Checkouts"),
        ("Xyzzy", "modify", ", Order fulfillment, Metafield ownership, "),
        (
            "payments - get accepted methods",
            "read-only",
            (
                "'payments - get accepted methods' is how api-accounts guide (since 2022-04) calls it;"
                " the panel's word is 'Get payment methods'"
            ),
        ),
    ],
)
def test_what_is_wrong_is_said_with_what_is_allowed(label: str, level: str, said: str) -> None:
    _, (wrong,) = normalise({label: level})
    assert said in wrong.what
    assert ("nearest" in wrong.what) == ("nearest" in said)


def test_a_row_stands_once() -> None:
    found, wrong = normalise({"orders": "modify", "Orders": "none", "ORDERS": "read-only"})
    assert found == {"Orders": "modify"}
    assert [entry.label for entry in wrong] == ["Orders", "ORDERS"]
    assert all(entry.of_label and "twice" in entry.what for entry in wrong)
    # A wrong level does not make room for another one.
    assert [entry.of_label for entry in normalise({"orders": "x", "Orders": "none"})[1]] == [False, True]


def test_rows_come_in_the_panels_order() -> None:
    found, _ = normalise({"metafields access": "full", "Order fulfillment": "none", "content": "modify"})
    assert list(found) == ["Content", "Order fulfillment", "Metafields access"]


def test_granted_rows_are_those_above_their_default() -> None:
    rights = {"Themes": "none", "Metafields access": "standard", "Orders": "modify", "Content": "read-only"}
    assert list(granted(rights).items()) == [("Content", "read-only"), ("Orders", "modify")]
    assert granted({"Metafields access": "full"}) == {"Metafields access": "full"}


def test_a_person_sets_the_25_rows_and_what_else_is_granted() -> None:
    rows = complete({"Orders": "modify", "Metafields access": "full"})
    assert list(rows) == [*PANEL, "Metafields access"]
    assert {label: level for label, level in rows.items() if level != "none"} == {
        "Orders": "modify",
        "Metafields access": "full",
    }


BASE = {"Content": "read-only", "Checkout content": "modify", "Themes": "none"}


@pytest.mark.parametrize(
    ("written", "rights"),
    [
        ({}, BASE),
        ({"checkout content": "None"}, {**BASE, "Checkout content": "none"}),
        ({"Themes": "modify", "Orders": "read-only"}, {**BASE, "Themes": "modify", "Orders": "read-only"}),
    ],
)
def test_an_exception_takes_the_place_of_its_row(written: dict[str, str], rights: dict[str, str]) -> None:
    assert excepted(BASE, written) == (rights, ())


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        (
            {"CONTENT": "Read-Only"},
            Wrong("CONTENT", False, "the set has this row at 'Read-Only' already; leave the exception out"),
        ),
        ({"Themes": "none"}, Wrong("Themes", False, "the set has this row at 'none' already; leave the exception out")),
        ({"Orders": "none"}, Wrong("Orders", False, "the set has this row at 'none' already; leave the exception out")),
        (
            {"Orders": "write"},
            Wrong("Orders", False, "the row has no level 'write'; allowed: none, read-only, modify"),
        ),
    ],
)
def test_an_exception_that_changes_nothing_is_wrong(written: dict[str, str], wrong: Wrong) -> None:
    rights, found = excepted(BASE, written)
    assert found == (wrong,)
    assert granted(rights) == granted(BASE)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"Orders": "modify"}, {"Orders": "read-only"}, ""),
        ({"Orders": "modify"}, {}, ""),
        ({"Orders": "modify"}, {"Orders": "modify"}, ""),
        ({"Orders": "read-only"}, {"Orders": "modify"}, "Orders: read-only => modify"),
        (
            {"Content": "modify"},
            {"Themes": "read-only", "Metafields access": "full"},
            "Themes: none => read-only, Metafields access: standard => full",
        ),
        # Of these levels nobody says that one includes the other.
        (
            {"Infrastructure Projects": "manage"},
            {"Infrastructure Projects": "read-only"},
            "Infrastructure Projects: manage => read-only",
        ),
    ],
)
def test_wider(before: dict[str, str], after: dict[str, str], words: str) -> None:
    assert wider(before, after) == words
