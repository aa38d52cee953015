"""How errors read, and which exit code they carry."""

from __future__ import annotations

import inspect

import pytest

from providers.core import errors
from providers.core.errors import ConnectionsError, RateLimited, Unreachable


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ConnectionsError("it failed"), "it failed"),
        (ConnectionsError("it failed", do="Try again"), "it failed. Try again"),
        (ConnectionsError("it failed", where="a.yaml:3:1"), "a.yaml:3:1: it failed"),
        (Unreachable("no answer", do="Try again", where="shop.example"), "shop.example: no answer. Try again"),
        (RateLimited("the store asks for rest", where="shop.example"), "shop.example: the store asks for rest"),
    ],
    ids=str,
)
def test_an_error_is_one_line(error: ConnectionsError, line: str) -> None:
    assert str(error) == line


def test_a_limit_says_how_long() -> None:
    assert RateLimited("rest", retry_after=2.5).retry_after == 2.5
    assert RateLimited("rest").retry_after is None


def exit_codes() -> dict[str, int]:
    kinds = (kind for _, kind in inspect.getmembers(errors, inspect.isclass))
    return {kind.__name__: kind.exit_code for kind in kinds if issubclass(kind, ConnectionsError)}


EXIT_CODES = {
    # "could not look" is never "failed": scripts tell them apart
    3: {"CouldNotLook", "Unreachable", "Transient", "RateLimited", "UnclearOutcome"},
    4: {"PersonNeeded"},
    5: {"Refused", "AddressRefused", "Incident"},
}


def test_exit_codes_tell_what_kind_of_failure_it_was() -> None:
    vault = {name for name in exit_codes() if name.startswith("Vault")} - {"VaultConflict", "VaultRolledBack"}
    expected = EXIT_CODES | {3: EXIT_CODES[3] | vault}
    actual = exit_codes()
    for code, names in expected.items():
        assert {name for name, found in actual.items() if found == code} == names


def test_every_kind_says_when_it_is_raised() -> None:
    assert [kind for kind in exit_codes() if not inspect.getdoc(getattr(errors, kind))] == []
