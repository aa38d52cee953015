"""The tests themselves are tested: for each rule a fault is planted in a copy of the code, and must be caught."""

from __future__ import annotations

import pytest

from tests.protocol.budget import Tally
from tests.protocol.core import mutated, real
from tests.protocol.explorer import Counts
from tests.protocol.lifetime_mutants import LIFETIME_MUTANTS
from tests.protocol.mutants import MUTANTS, Mutant
from tests.protocol.place_mutants import PLACE_MUTANTS

pytestmark = pytest.mark.no_cover

EVERY = (*MUTANTS, *LIFETIME_MUTANTS, *PLACE_MUTANTS)


@pytest.mark.parametrize("mutant", EVERY, ids=lambda mutant: mutant.rule)
def test_a_planted_fault_is_caught(mutant: Mutant, tally: Tally) -> None:
    tally.add(mutants=1)
    core = mutated(*mutant.changes)
    # Whatever it falls over, a violation or an error of its own, is noticed.
    with pytest.raises((Exception, pytest.fail.Exception)):
        mutant.catch(core, Counts())
    tally.add(caught=1)


@pytest.mark.parametrize("mutant", EVERY, ids=lambda mutant: mutant.rule)
def test_the_code_passes_what_catches_it(mutant: Mutant) -> None:
    mutant.catch(real(), Counts())
