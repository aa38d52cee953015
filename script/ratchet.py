"""Count what may only become less, and fail when the number is not the allowed one.

The allowed numbers stand in pyproject.toml under `tool.ratchet`. A smaller count fails too: whoever removed one lowers
the number, so that it does not come back.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

COMMENTS = {
    "no cover": re.compile(r"#\s*pragma:\s*no\s*(cover|branch)"),
    "type: ignore": re.compile(r"#\s*type:\s*ignore"),
    "noqa": re.compile(r"#\s*(ruff:\s*)?noqa"),
}


def found_in(source: str) -> Iterator[tuple[str, int]]:
    """What counts, and on which line. Text in strings is no comment and no call."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield from ((kind, token.start[0]) for kind, pattern in COMMENTS.items() if pattern.search(token.string))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield "print", node.lineno


def main() -> int:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ratchet"]
    allowed: dict[str, int] = settings["allowed"]
    places: dict[str, list[str]] = {kind: [] for kind in allowed}
    for folder in settings["folders"]:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for kind, line in found_in(path.read_text(encoding="utf-8")):
                places.setdefault(kind, []).append(f"{path.relative_to(ROOT)}:{line}")
    counts = Counter({kind: len(found) for kind, found in places.items()})
    wrong = [kind for kind in places if counts[kind] != allowed.get(kind, 0)]
    for kind in wrong:
        number = allowed.get(kind, 0)
        advice = "use another way" if counts[kind] > number else "lower the number in pyproject.toml"
        sys.stderr.write(f"ratchet: {counts[kind]} times '{kind}', allowed are {number}: {advice}\n")
        sys.stderr.writelines(f"  {place}\n" for place in places[kind])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
