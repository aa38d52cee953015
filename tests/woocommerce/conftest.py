"""Pages for the parsers, written from the sheet."""

from collections.abc import Callable
from pathlib import Path

import pytest

PAGES = Path(__file__).parent / "pages"


@pytest.fixture
def page() -> Callable[[str], str]:
    """The text of a page of wp-admin."""
    return lambda name: (PAGES / f"{name}.html").read_text(encoding="utf-8")
