"""How much the tests of the protocol run, and what they ran: `PROTOCOL_BUDGET` multiplies everything (1 unless set)."""

from __future__ import annotations

import os
from collections import Counter

BUDGET = float(os.environ.get("PROTOCOL_BUDGET", "1"))


class Tally(Counter[str]):
    """What was run, by kind, for the closing line."""

    def add(self, **counts: int) -> None:
        self.update(counts)


TALLY = Tally()


def closing_line(tally: Counter[str]) -> str:
    """What all tests of the protocol ran, in one line."""
    return (
        f"protocol: {tally['random']:,} random and {tally['exhaustive']:,} exhaustive schedules, "
        f"{tally['crashes']:,} crashes, {tally['sleeps']:,} sleeps; "
        f"real server: {tally['kills']} kills, {tally['pauses']} pauses, {tally['together']} races; "
        f"{tally['caught']} of {tally['mutants']} mutants caught"
    )
