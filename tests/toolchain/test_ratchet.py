"""What the ratchet counts."""

from __future__ import annotations

import pytest

from script import ratchet


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = 1  # pragma: no cover\n", [("no cover", 1)]),
        ("if x:  #pragma:no branch\n    pass\n", [("no cover", 1)]),
        ("import a  # type: ignore[import]  # noqa: F401\n", [("type: ignore", 1), ("noqa", 1)]),
        ("# ruff: noqa\n", [("noqa", 1)]),
        ("\nprint('x')\n", [("print", 2)]),
        ("console.print('x')\n", []),
        ("text = '# noqa'\n", []),
        ("blueprint('x')\n", []),
    ],
)
def test_counts(source: str, found: list[tuple[str, int]]) -> None:
    assert list(ratchet.found_in(source)) == found
