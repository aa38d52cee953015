"""What answers say about waiting."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.core.pacing import Hold, asked_to_wait, back_off, until_renewed

NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)

ASKED: list[tuple[dict[str, str], float | None]] = [
    ({}, None),
    ({"retry-after": "0"}, 0.0),
    ({"retry-after": " 7 "}, 7.0),
    ({"retry-after": "86400"}, 3600.0),
    ({"retry-after": "9" * 400}, 3600.0),
    ({"retry-after": "-3"}, None),
    ({"retry-after": "1.5"}, None),
    ({"retry-after": "soon"}, None),
    ({"retry-after": ""}, None),
    ({"retry-after": "٣"}, None),
    ({"retry-after": "Mon, 04 May 2026 12:00:30 GMT"}, 30.0),
    ({"retry-after": "Mon, 04 May 2026 12:00:30 -0000"}, 30.0),
    ({"retry-after": "Monday, 04-May-26 12:00:30 GMT"}, 30.0),
    ({"retry-after": "Mon May  4 12:00:30 2026"}, 30.0),
    ({"retry-after": "Mon, 04 May 2026 11:00:00 GMT"}, 0.0),
    ({"retry-after": "Mon, 04 May 2027 12:00:00 GMT"}, 3600.0),
    ({"retry-after": "Mon, 99 May 2026 12:00:30 GMT"}, None),
    # the store's clock is an hour ahead: its own date says what it means
    ({"retry-after": "Mon, 04 May 2026 13:00:30 GMT", "date": "Mon, 04 May 2026 13:00:00 GMT"}, 30.0),
    ({"retry-after": "Mon, 04 May 2026 12:00:30 GMT", "date": "today"}, 30.0),
    ({"x-retry-after": "4"}, 4.0),
    ({"x-retry-after": "4", "retry-after": "9"}, 9.0),
    ({"x-retry-after": "4", "x-rate-limit-requests-left": "0", "x-rate-limit-time-reset-ms": "15000"}, 15.0),
    ({"x-retry-after": "40", "x-rate-limit-requests-left": "0", "x-rate-limit-time-reset-ms": "15000"}, 40.0),
    ({"x-rate-limit-time-reset-ms": "15000"}, None),
    ({"x-rate-limit-requests-left": "0", "x-rate-limit-time-reset-ms": "later"}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), ASKED, ids=[str(headers)[:60] for headers, _ in ASKED])
def test_how_long_an_answer_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_to_wait(headers, NOW) == seconds


@given(st.dictionaries(st.sampled_from(["retry-after", "date", "x-rate-limit-requests-left"]), st.text()))
def test_any_header_gives_a_bounded_wait_or_none(headers: dict[str, str]) -> None:
    wait = asked_to_wait(headers, NOW)
    assert wait is None or 0 <= wait <= 3600


def budget(left: str, quota: str = "150", reset: str = "15000") -> dict[str, str]:
    return {
        "x-rate-limit-requests-left": left,
        "x-rate-limit-requests-quota": quota,
        "x-rate-limit-time-reset-ms": reset,
    }


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        (budget("149"), 0.0),
        (budget("16"), 0.0),
        (budget("15"), 15.0),
        (budget("0"), 15.0),
        (budget("0", quota="many"), 15.0),
        (budget("3", quota="many"), 0.0),
        (budget("few"), 0.0),
        (budget("0", reset="later"), 0.0),
        (budget("0", reset="0"), 0.0),
    ],
    ids=str,
)
def test_a_shared_budget_keeps_a_reserve_for_others(headers: dict[str, str], seconds: float) -> None:
    assert until_renewed(headers) == seconds


@pytest.mark.parametrize(("attempt", "most"), [(1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (6, 8.0), (50, 8.0)])
def test_backing_off_doubles_up_to_a_limit_with_full_jitter(attempt: int, most: float) -> None:
    assert back_off(attempt, lambda: 1.0) == most
    assert back_off(attempt, lambda: 0.25) == most / 4
    assert back_off(attempt, lambda: 0.0) == 0


def test_a_hold_only_moves_later() -> None:
    hold = Hold()
    assert hold.left(100.0) == 0
    hold.extend(130.0)
    hold.extend(110.0)
    assert (hold.left(100.0), hold.left(129.0), hold.left(130.0), hold.left(500.0)) == (30.0, 1.0, 0.0, 0.0)
