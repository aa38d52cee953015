"""From answers to levels and verdicts, without a store: every row, every level it could have, every level declared."""

from __future__ import annotations

import pytest

from providers.bigcommerce.judgement import ALWAYS_LISTED, Answer, Judged, Sight, foreseen, judge, sight
from providers.bigcommerce.probes import PROBES, Probe
from providers.bigcommerce.scopes import PANEL, ROWS
from providers.bigcommerce.wire import Reply, Saying
from tests.bigcommerce.conftest import STONE_EDGE

BLIND = {"Customers login", *ALWAYS_LISTED}
"""Rows that no call shows."""

SIGHTS = [
    ("read", 200, Saying.OTHER, Sight.PRESENT),
    ("read", 204, Saying.OTHER, Sight.PRESENT),
    ("read", 201, Saying.OTHER, Sight.UNCLEAR),
    ("read", 302, Saying.OTHER, Sight.UNCLEAR),
    *[
        (kind, status, Saying.OTHER, Sight.PRESENT)
        for kind in ("read", "write")
        for status in (400, 404, 405, 409, 415, 422)
    ],
    *[("write", status, Saying.OTHER, Sight.CARRIED_OUT) for status in (200, 201, 202, 204, 207)],
    *[(kind, 404, Saying.NO_ROUTE, Sight.UNCLEAR) for kind in ("read", "write")],
    *[(kind, 403, Saying.NO_SCOPE, Sight.MISSING) for kind in ("read", "write")],
    *[("read", 403, saying, Sight.UNCLEAR) for saying in (Saying.OTHER, Saying.SLASH)],
    ("read", 404, Saying.NO_SCOPE, Sight.PRESENT),
    ("write", 401, Saying.OTHER, Sight.DEAD),
    ("read", 401, Saying.NO_HEADER, Sight.UNCLEAR),
    ("read", 410, Saying.OTHER, Sight.UNCLEAR),
    ("read", 500, Saying.OTHER, Sight.UNCLEAR),
]


@pytest.mark.parametrize(("kind", "status", "saying", "expected"), SIGHTS)
def test_what_an_answer_shows(kind: str, status: int, saying: Saying, expected: Sight) -> None:
    assert sight("write" if kind == "write" else "read", Reply(status, saying)) is expected


def of(label: str, rows: tuple[Judged, ...]) -> Judged:
    return next(row for row in rows if row.label == label)


def seen(actual: dict[str, str]) -> dict[Probe, Answer]:
    """What a token with these rights shows."""

    def opens(probe: Probe) -> bool:
        def level(label: str) -> str:
            return actual.get(label, ROWS[label].default)

        other = probe.label == "Checkout content" and probe.also is not None and level(probe.also[0]) in probe.also[1]
        return level(probe.label) in probe.opened_by or other

    return {probe: Answer(Sight.PRESENT if opens(probe) else Sight.MISSING) for probe in PROBES}


PAIRS = [
    (label, actual, declared)
    for label in PANEL
    if label not in BLIND
    for actual in ROWS[label].words
    for declared in ROWS[label].words
]


@pytest.mark.parametrize(("label", "actual", "declared"), PAIRS)
def test_every_row_is_told_both_ways(label: str, actual: str, declared: str) -> None:
    row = of(label, judge({label: declared}, seen({label: actual})))
    unsure = label == "Stored payment instruments" and actual != "none"
    assert row.possible == (("read-only", "modify") if unsure else (actual,))
    if unsure and declared != "none":
        assert row.verdict == "unverifiable"
        assert "read-only or modify cannot be told apart" in row.evidence
    elif declared == actual:
        assert row.verdict == "confirmed"
    else:
        assert row.verdict == "contradicted"
        more = ROWS[label].words.index(actual) > ROWS[label].words.index(declared)
        assert ("MORE than declared" if more else "LESS than declared") in row.evidence
    assert row.evidence.startswith(f"declared {declared}; ")
    # Nobody else's row is touched by it.
    others = [other for other in judge({label: declared}, seen({label: actual})) if other.label != label]
    assert {other.verdict for other in others if other.label not in BLIND} <= {"confirmed", "unverifiable"}


def test_words_of_evidence() -> None:
    rights = {"Content": "read-only", "Create payments": "create", "Storefront API tokens": "manage"}
    rows = judge(rights, seen({**rights, "Orders": "modify"}))
    assert of("Content", rows).evidence == "declared read-only; reads, does not write"
    assert of("Create payments", rows).evidence == "declared create; creates"
    assert of("Storefront API tokens", rows).evidence == "declared manage; manages"
    assert of("Orders", rows).evidence == "declared none; reads, writes; MORE than declared: modify"
    assert of("Store logs", rows).evidence == "declared none; does not read"
    assert of("Customers login", rows).evidence == "declared none; no call of the API shows this row"
    assert of("Metafields access", rows).evidence == "declared standard; no call of the API shows this row"
    assert [of(label, rows).verdict for label in sorted(BLIND)] == ["unverifiable"] * 3
    finding = of("Content", rows).finding
    assert (finding.check, finding.verdict) == ("Content", "confirmed")


def test_what_cannot_be_told_apart_is_said() -> None:
    rows = foreseen({"Customers": "read-only", "Create payments": "create"}, full=False)
    customers = of("Customers", rows)
    assert (customers.verdict, customers.observed) == ("unverifiable", "read-only or modify")
    assert customers.evidence == (
        "declared read-only; reads, writing is not looked at with `verify: read`; read-only or modify cannot be told apart"
    )
    assert of("Create payments", rows).observed == "none or create"
    # That a right is missing shows by reading alone.
    assert of("Themes", rows).verdict == "confirmed"


def test_more_than_declared_shows_without_writing() -> None:
    reads = {probe: found for probe, found in seen({"Orders": "modify"}).items() if probe.kind == "read"}
    row = of("Orders", judge({}, reads))
    assert (row.verdict, row.observed) == ("contradicted", "read-only or modify")
    assert row.evidence.endswith("MORE than declared: read-only or modify")


OVERLAP = [
    # Level of Content, of Checkout content, and the levels that are possible then (sheet 5.4).
    ("none", "none", ("none",)),
    ("none", "read-only", ("read-only",)),
    ("none", "modify", ("modify",)),
    ("read-only", "none", ("none", "read-only")),
    ("read-only", "read-only", ("none", "read-only")),
    ("read-only", "modify", ("modify",)),
    ("modify", "none", ("none", "read-only", "modify")),
    ("modify", "read-only", ("none", "read-only", "modify")),
    ("modify", "modify", ("none", "read-only", "modify")),
]


@pytest.mark.parametrize(("content", "checkout", "possible"), OVERLAP)
def test_scripts_open_with_either_row(content: str, checkout: str, possible: tuple[str, ...]) -> None:
    rights = {"Content": content, "Checkout content": checkout}
    row = of("Checkout content", judge(rights, seen(rights)))
    assert row.possible == possible
    assert row.verdict == ("confirmed" if len(possible) == 1 else "unverifiable")
    assert ("which Content opens too" in row.evidence) == (content != "none")
    assert of("Checkout content", foreseen(rights, full=True)) == row
    # What the account has counts, not what it should have.
    asked = {"Checkout content": checkout}
    assert of("Checkout content", judge(asked, seen(rights))).possible == possible


def test_payment_methods_may_open_with_information() -> None:
    both = {"Information & settings": "read-only", "Get payment methods": "read-only"}
    assert of("Get payment methods", judge(both, seen(both))).verdict == "unverifiable"
    refused = {"Information & settings": "read-only"}
    assert of("Get payment methods", judge(refused, seen(refused))).verdict == "confirmed"


def test_answers_that_no_level_explains_prove_nothing() -> None:
    turned = {probe: Answer(Sight.MISSING if probe.kind == "read" else Sight.PRESENT) for probe in PROBES}
    row = of("Orders", judge({"Orders": "modify"}, turned))
    assert (row.verdict, row.observed) == ("unverifiable", "none or read-only or modify")
    assert "no level of the row explains these answers" in row.evidence


def test_a_missing_write_of_a_middle_level() -> None:
    only_write = {probe: Answer(Sight.MISSING) for probe in PROBES if probe.kind == "write"}
    row = of("Orders", judge({"Orders": "modify"}, only_write))
    assert row.evidence.endswith("LESS than declared: none or read-only")
    kept = {probe: Answer(Sight.UNCLEAR, "was answered 503") for probe in PROBES if probe.kind == "read"} | only_write
    row = of("Orders", judge({"Orders": "read-only"}, kept))
    assert row.evidence == (
        "declared read-only; reading was answered 503, does not write; none or read-only cannot be told apart"
    )


def test_the_whole_of_stone_edge() -> None:
    rows = foreseen(STONE_EDGE, full=True)
    assert [row.label for row in rows] == [*PANEL, *ALWAYS_LISTED]
    assert {row.label for row in rows if row.verdict == "unverifiable"} == BLIND
    assert "contradicted" not in {row.verdict for row in rows}
