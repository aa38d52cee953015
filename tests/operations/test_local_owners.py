"""The scripted owners of `make up` at real pages, after runs that were killed half-way too."""

from __future__ import annotations

import pytest

from operations.local import owners
from operations.local.place import LocalError, write_private
from operations.local.prepare import OTHERS
from operations.local.world import World
from tests.operations.scripted_people import Calls, awaited, calls, here

__all__ = ["calls", "here"]

PARTS, HASH = "acme-parts/stone-edge", "12e4567"
SITES, SLUG = "acme-sites/sites", "acme-sites"


def accounts(here: World) -> list[tuple[int, str]]:
    """Those that no other program has."""
    return [(row.id, row.title) for row in here.stores.bigcommerce.accounts(HASH) if row.title not in OTHERS]


def tokens(here: World) -> list[tuple[str, str]]:
    """The tokens that no other program has: name and ending."""
    return [(row.name, row.ending) for row in here.stores.surecart.tokens(SLUG) if row.name not in OTHERS]


def test_an_account_is_made_by_its_sheet(here: World, calls: Calls) -> None:
    assert owners.make(here, awaited(PARTS))
    (row,) = [row for row in here.stores.bigcommerce.accounts(HASH) if row.title == f"{PARTS} #1"]
    assert {label: level for label, level in row.levels.items() if level not in {"none", "standard"}} == {
        "Orders": "modify"
    }
    file = ".local/downloads/acme-parts-stone-edge-1.txt"
    assert calls.made == [("operator", "capture", PARTS, "--file", file, "--delete")]
    assert row.client_id in calls.files[0]
    kept = here.place.root / file
    assert kept.stat().st_mode & 0o777 == 0o600

    # Killed before it was captured: the account and its file are there.
    assert owners.make(here, awaited(PARTS))
    assert calls.files[1] == calls.files[0]
    assert accounts(here) == [(row.id, f"{PARTS} #1")]

    # Killed before the file was kept: nobody can see the values again.
    kept.unlink()
    assert owners.make(here, awaited(PARTS))
    ((number, title),) = accounts(here)
    assert (number != row.id, title) == (True, f"{PARTS} #1")
    assert calls.files[2] != calls.files[0]

    # A file without its account is worth nothing.
    here.stores.bigcommerce.delete_account(HASH, number)
    assert owners.make(here, awaited(PARTS))
    assert calls.files[3] != calls.files[2]
    assert len(accounts(here)) == 1


def test_a_token_is_made_under_the_name_of_its_connection(here: World, calls: Calls) -> None:
    assert owners.make(here, awaited(SITES))
    ((name, ending),) = tokens(here)
    assert name == f"{SITES} #1"
    file = ".local/downloads/acme-sites-sites-1.txt"
    assert calls.made == [("operator", "capture", SITES, "--file", file, "--delete")]
    assert calls.files[0].endswith(f"{ending}\n")

    # Killed before the file was kept: the token that nobody has goes, and those of others stay.
    (here.place.root / file).unlink()
    assert owners.make(here, awaited(SITES))
    ((name, other),) = tokens(here)
    assert (name, other != ending) == (f"{SITES} #1", True)
    assert len(here.stores.surecart.tokens(SLUG)) == 2


def test_what_a_sheet_names_is_deleted_and_nothing_else(here: World, calls: Calls) -> None:
    for name in (PARTS, SITES):
        assert not owners.delete(here, awaited(name, "delete"))
        owners.make(here, awaited(name))
        assert owners.delete(here, awaited(name, "delete"))
    assert (accounts(here), tokens(here)) == ([], [])
    assert len(here.stores.bigcommerce.accounts(HASH)) == len(OTHERS)
    assert [row.name for row in here.stores.surecart.tokens(SLUG)] == [next(iter(OTHERS))]


def test_files_that_nobody_waits_for_go(here: World) -> None:
    owners.forget_downloads(here, ())
    folder = here.place.state / "downloads"
    for name in ("acme-parts-stone-edge-1.txt", "acme-parts-stone-edge-7.txt"):
        write_private(folder / name, "values")
    owners.forget_downloads(here, (awaited(PARTS),))
    assert [file.name for file in folder.iterdir()] == ["acme-parts-stone-edge-1.txt"]


def test_a_sheet_without_an_account_is_an_error(here: World) -> None:
    with pytest.raises(LocalError, match=f"{PARTS}: its sheet names no account"):
        owners.make(here, awaited(PARTS, title="Do something else"))
