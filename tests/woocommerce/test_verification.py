"""The truth table of the sheet (7.1) and its neighbours, row by row, against every declared right."""

import json
from pathlib import Path
from typing import Any

import pytest

from providers.woocommerce.verification import MEANING, OBSERVED, Reply, Standing, findings, standing

TABLE: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "truth_table.json").read_text(encoding="utf-8"))


def get_reply(row: dict[str, Any]) -> Reply:
    status, code = row["get"]
    return Reply(status, code, is_list=status == 200)


def options_reply(row: dict[str, Any]) -> Reply:
    status, code, allow = row["options"]
    return Reply(status, code, allow=frozenset(allow.split(", ") if allow else []))


@pytest.mark.parametrize("name", TABLE)
def test_what_reading_shows(name: str) -> None:
    row = TABLE[name]
    shown = standing(get_reply(row), lambda: options_reply(row))
    assert shown is Standing[row["shown"]]
    assert MEANING[shown][1] == row["life"]


@pytest.mark.parametrize("rights", ["read", "write", "read_write"])
@pytest.mark.parametrize("name", TABLE)
def test_what_is_found(name: str, rights: str) -> None:
    row = TABLE[name]
    found = findings(
        rights, "wc/v3", get_reply(row), Standing[row["shown"]], Reply(*row["post"]) if row["post"] else None
    )
    assert [finding.check for finding in found] == ["recognised", "may read", "may write"]
    assert " ".join(finding.verdict for finding in found) == row[rights]


def test_options_are_asked_for_only_where_they_tell_more() -> None:
    def not_asked() -> Reply:
        raise AssertionError("not needed")

    for status, code in ((200, ""), (401, "woocommerce_rest_cannot_view"), (403, "woocommerce_rest_cannot_view")):
        standing(Reply(status, code, is_list=True), not_asked)


def test_a_page_with_status_200_is_no_list_of_products() -> None:
    assert standing(Reply(200), lambda: Reply(200)) is Standing.UNKNOWN


def test_every_standing_has_a_meaning() -> None:
    assert set(MEANING) == set(Standing)


@pytest.mark.parametrize(("version", "words"), [*OBSERVED.items(), ("wc/v4", "wc/v4")])
def test_the_evidence_says_what_it_rests_on(version: str, words: str) -> None:
    recognised, *_ = findings("read", version, Reply(200, is_list=True), Standing.READS, Reply(404))
    assert words in recognised.evidence


def test_an_executed_write_probe_is_an_incident() -> None:
    found = findings("read_write", "wc/v3", Reply(200, is_list=True), Standing.READS, Reply(200))
    assert "INCIDENT" in found[2].evidence
