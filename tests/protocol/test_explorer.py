"""Thousands of schedules over the real code: by chance, and by plan."""

from __future__ import annotations

import pytest

from tests.protocol.budget import BUDGET, Tally
from tests.protocol.core import real
from tests.protocol.explorer import Counts, at_random, plans
from tests.protocol.scenarios import SCENARIOS

MEASURED = frozenset(
    {"compromised and no successor", "connect/connect", "create/create", "create/destroy", "rotate/rotate"}
)
"""Scenarios whose coverage counts: lines for runs that meet, which no directed test reaches."""

RANDOM = 100
"""Random schedules of each scenario."""
DEEP = 90
"""Schedules with two departures from the plain course, of each scenario, and twice as many with one."""


@pytest.mark.no_cover
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", SCENARIOS)
def test_by_chance(name: str, tally: Tally) -> None:
    counts = Counts()
    try:
        at_random(real(), SCENARIOS[name], range(round(RANDOM * BUDGET)), counts)
    finally:
        tally.add(random=counts.schedules, crashes=counts.crashes, sleeps=counts.sleeps)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in MEASURED else pytest.mark.no_cover) for name in SCENARIOS],
)
def test_by_plan(name: str, tally: Tally) -> None:
    counts = Counts()
    try:
        plans(real(), SCENARIOS[name], counts, 2, round(DEEP * BUDGET))
    finally:
        tally.add(exhaustive=counts.schedules, crashes=counts.crashes, sleeps=counts.sleeps)
