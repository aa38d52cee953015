"""Every rule of the protocol by a case of its own."""

from __future__ import annotations

import pytest

from tests.protocol.core import real
from tests.protocol.places import CHECKS


@pytest.mark.parametrize("name", CHECKS)
def test_rule(name: str) -> None:
    CHECKS[name](real())
