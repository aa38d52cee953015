"""The sheets: every row, in the panel's words and order, and nothing a person could take amiss."""

from __future__ import annotations

import pytest

from providers.bigcommerce.scopes import PANEL, TABLE
from providers.core.sheet import Sheet, Table
from tests.bigcommerce.conftest import HASH, STONE_EDGE, MakeIssuer
from tests.http.stub import Stub


def texts(sheet: Sheet) -> list[str]:
    return [step for step in sheet.steps if isinstance(step, str)]


def rows(sheet: Sheet) -> tuple[tuple[str, str], ...]:
    (table,) = [step for step in sheet.steps if isinstance(step, Table)]
    return table.rows


@pytest.fixture
def make(make_issuer: MakeIssuer) -> Sheet:
    return make_issuer(account_title="orders for Stone Edge").sheet("make", {"rights": STONE_EDGE}, 2)


def test_every_row_with_its_level_in_the_panels_order(make: Sheet) -> None:
    assert rows(make) == tuple((label, STONE_EDGE.get(label, "none")) for label in PANEL)
    assert len(rows(make)) == 25


def test_rows_that_not_every_panel_has_only_where_they_are_declared(make_issuer: MakeIssuer) -> None:
    rights = {"Orders": "modify", "Metafields access": "full"}
    found = rows(make_issuer(account_title="robots").sheet("make", {"rights": rights}, 1))
    assert found[25:] == (("Metafields access", "full"),)


def test_where_to_click_and_what_to_type(make: Sheet, stub: Stub) -> None:
    assert make.link == f"https://store-{HASH}.mybigcommerce.com/manage/settings/auth/api-accounts"
    assert make.title == f"Make the API account 'orders for Stone Edge #2' at store {HASH}"
    steps = texts(make)
    assert "Name: orders for Stone Edge #2" in steps
    assert "Token type: V2/V3 API token." in steps
    assert any(f"/stores/{HASH}/v3/" in step for step in steps)
    capture = steps.index("Hand the file F over: connections capture acme-parts/stone-edge --file F --delete")
    done = next(number for number, step in enumerate(steps) if step.startswith("Press Done only after the capture"))
    assert steps.index("Do not press Done yet.") < capture < done == len(steps) - 1
    assert stub.asked == []


def test_the_declared_title_stands_where_no_other_is_given(make_issuer: MakeIssuer) -> None:
    declared = make_issuer(account_title="stock robots").sheet("make", {"rights": {}}, 3)
    assert "Name: stock robots #3" in texts(declared)
    assert "Name: acme-parts/stone-edge #1" in texts(make_issuer().sheet("make", {"rights": {}}, 1))


def test_the_panel_of_a_sandbox(make_issuer: MakeIssuer) -> None:
    issuer = make_issuer(panel="https://localhost:8443/panel/{store_hash}")
    link = issuer.sheet("make", {"rights": {}}, 1).link
    assert link == f"https://localhost:8443/panel/{HASH}/manage/settings/auth/api-accounts"


def test_no_word_of_oauth_stands_in_a_sheet(make: Sheet) -> None:
    text = repr(make)
    parameters = {level.parameter for row in TABLE.values() for level in row.levels if level.parameter}
    assert not [parameter for parameter in parameters if parameter in text]


def test_which_account_to_delete(make_issuer: MakeIssuer, stub: Stub) -> None:
    sheet = make_issuer(account_title="orders for Stone Edge").sheet("delete", {"rights": STONE_EDGE}, 1)
    assert sheet.title == f"Delete the API account 'orders for Stone Edge #1' at store {HASH}"
    assert sheet.link.endswith("/manage/settings/auth/api-accounts")
    assert any("orders for Stone Edge #1" in step for step in texts(sheet))
    assert not [step for step in sheet.steps if isinstance(step, Table)]
    notes = " ".join(sheet.notes)
    assert "cannot be undone" in notes
    assert "metafields" in notes
    assert "scripts" in notes
    assert stub.asked == []
