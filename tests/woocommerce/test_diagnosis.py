"""`connections doctor` for a store: every trouble has its words and its cure."""

from datetime import UTC, datetime, timedelta

import pytest

from providers.woocommerce.diagnosis import Check, diagnose
from tests.woocommerce.conftest import MakeShop, Shop


def checks(shop: Shop, **inputs: str) -> dict[str, Check]:
    return {check.name: check for check in diagnose(shop.issuer(**inputs))}


def states(found: dict[str, Check]) -> dict[str, list[str]]:
    return {state: [name for name, check in found.items() if check.state == state] for state in ("failed", "unknown")}


def test_a_store_that_is_well(shop: Shop) -> None:
    found = checks(shop)
    assert states(found) == {"failed": [], "unknown": ["authorization header"]}
    assert "WooCommerce" in found["version"].words


def test_a_host_that_does_not_answer(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.control.add_fault("drop_before", store=shop.name, times=None)
    found = checks(shop)
    assert states(found)["failed"] == ["address"]
    assert len(states(found)["unknown"]) == len(found) - 1
    assert "see address" in found["login"].words


@pytest.mark.parametrize(
    ("settings", "failed"),
    [
        ({"permalinks": "plain"}, ["permalinks"]),
        ({"home": "https://other.example/{name}"}, ["home address"]),
        ({"clock_offset": 3600.0}, ["clock"]),
        ({"database_upgrade_pending": True}, ["database upgrade"]),
        ({"two_factor": True}, ["login"]),
    ],
)
def test_what_is_wrong_is_named(shop: Shop, settings: dict[str, object], failed: list[str]) -> None:
    filled = {
        name: value.format(name=shop.name) if isinstance(value, str) else value for name, value in settings.items()
    }
    shop.settings(**filled)
    found = checks(shop)
    assert states(found)["failed"] == failed
    assert found[failed[0]].cure


def test_a_role_that_is_too_weak(shop: Shop) -> None:
    shop.log_in_as("buyer")
    found = checks(shop)
    assert "role" in states(found)["failed"]
    assert "database upgrade" in states(found)["unknown"]


def test_a_wrong_password(shop: Shop) -> None:
    shop.log_in_as("connector", "wrong")
    assert states(checks(shop))["failed"] == ["login"]


def test_our_own_clock_is_wrong(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.tools.clock = lambda: datetime.now(UTC) - timedelta(hours=2)
    assert states(checks(shop))["failed"] == ["clock"]


def test_a_store_without_an_admin_login(make_shop: MakeShop) -> None:
    shop = make_shop()
    found = checks(shop, login="none")
    assert states(found)["failed"] == []
    assert {"login", "role"} <= set(states(found)["unknown"])
    assert shop.count("login") == 0
