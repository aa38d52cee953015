"""What a journal keeps of a generation."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from providers.core.contract import RECOGNISED, Finding
from providers.core.journal import Generation, Journal, LastProof, unfolded

AT = datetime(2026, 11, 21, tzinfo=UTC)


def test_only_the_current_generation_keeps_its_proof() -> None:
    fields = {"rights": {"Orders": "modify"}}
    proof = LastProof.of([Finding(RECOGNISED, "confirmed", "GET /v2/time answers 200")], fields, AT)
    assert proof is not None
    journal = Journal(
        project="shops",
        stack="test",
        connection="acme-parts/orders",
        store="12e4567",
        platform="bigcommerce/api_account",
        next=2,
        generations={1: Generation(state="intended")},
    )
    journal = journal.moved(1, "current", AT, proof=proof)
    assert journal.generations[1].proof == proof
    journal = journal.changed(1, compromised="seen in a screen share")
    assert journal.generations[1].proof == proof
    journal = journal.moved(1, "superseded", AT)
    assert journal.generations[1].proof is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"journal": '{"phase": "open"}', "txn": "1"}, {"phase": "open"}),
        ({"journal": "[]"}, {}),
        ({"phase": "closed", "txn": "1"}, {"phase": "closed"}),
    ],
)
def test_a_journal_is_one_text_or_what_a_person_wrote(data: dict[str, str], words: dict[str, str]) -> None:
    assert unfolded(data) == words
