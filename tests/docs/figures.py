"""The table of figures in docs/architecture.md, from `.local/bench.json`: `python -m tests.docs.figures` writes it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
FIGURES = ROOT / ".local" / "bench.json"
PLACE = re.compile(r"(?<=<!-- bench: begin -->\n).*?(?=<!-- bench: end -->)", re.DOTALL)
HEAD = (
    "| command | connections | seconds | times the floor | peak MiB | calls per connection |",
    "|---|--:|--:|--:|--:|--:|",
)


def table(rows: list[dict[str, Any]]) -> str:
    """The rows of a bench, each beside the floor for the same number of connections."""
    floors = {row["connections"]: row["seconds"] for row in rows if row["command"].startswith("floor")}
    lines = [
        f"| {row['command']} | {row['connections']} | {row['seconds']:.1f} | "
        f"{row['seconds'] / floors[row['connections']]:.1f} | {row['peak_mib'] or '-'} | "
        f"{row['store_calls'] / row['connections']:.0f} |"
        for row in rows
    ]
    return "\n".join([*HEAD, *lines]) + "\n"


def write() -> None:
    """Put the figures of the last `make bench` into the page."""
    found = table(json.loads(FIGURES.read_text(encoding="utf-8")))
    PAGE.write_text(PLACE.sub(lambda _: found, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
