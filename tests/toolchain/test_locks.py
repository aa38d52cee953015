"""The locks say the same as the requirements, hold a hash of everything, and name no place it comes from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PINS = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
PAIRS = [
    ("requirements.txt", "requirements.lock"),
    ("requirements-test.txt", "requirements-test.lock"),
    ("engine/go.txt", "engine/go.lock"),
]


def pins(name: str) -> dict[str, str]:
    """Package and version; names as registries compare them."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in PINS.findall(text)}


@pytest.mark.parametrize(("wanted", "lock"), PAIRS)
def test_what_is_wanted_is_locked(wanted: str, lock: str) -> None:
    missing = pins(wanted).items() - pins(lock).items()
    assert not missing, f"run script/lock: {lock} lacks {sorted(missing)}"


def test_tests_run_with_what_is_used() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-test.lock").items()


@pytest.mark.parametrize("lock", [lock for _, lock in PAIRS])
def test_everything_is_locked_by_hash_and_nothing_by_place(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    for entry in entries:
        assert "--hash=sha256:" in entry, entry
    assert not re.search(r"://|\bindex|find-links|\bfile:", text)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt"])
def test_every_requirement_says_why(name: str) -> None:
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if PINS.match(line):
            assert re.search(r"\s# \S", line), f"{name}: {line}"
