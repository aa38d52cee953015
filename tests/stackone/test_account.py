"""What an account shows, case by case: statuses, owner, label, address, placeholders, and rows of any shape."""

from __future__ import annotations

from typing import Any

import pytest

from providers.core.errors import Unexpected
from providers.core.redaction import Secret
from providers.stackone.account import account, findings
from providers.stackone.identity import Owner, api_url, owner, place

OWNER = Owner("fresh-roast", "Fresh Roast")
URL = "https://fresh-roast.example"
KEY, SECRET = "ck_" + "1a2b3c4d5e" * 4, "cs_" + "f6e7d8c9b0" * 4
VALUES = {"consumer_key": Secret(KEY), "consumer_secret": Secret(SECRET), "url": Secret(URL)}
MASK = "__secretvalue:**redacted**"

USUAL: dict[str, Any] = {
    "id": "acc-1",
    "provider": "woocommerce",
    "status": "active",
    "origin_owner_id": "fresh-roast",
    "origin_owner_name": "Fresh Roast",
    "updated_at": "2026-05-04T00:00:00.000Z",
    "credentials": {},
}

CASES: list[tuple[dict[str, Any], str, str, str, str]] = [
    ({}, "", "account", "confirmed", "it is active"),
    ({}, "", "origin owner", "confirmed", "it belongs to Fresh Roast (fresh-roast)"),
    ({}, "", "store url", "unverifiable", "does not show it"),
    ({"status": "error"}, "", "account", "contradicted", "it is in error"),
    ({"status": "error", "status_reasons": "x"}, "", "account", "contradicted", "it is in error"),
    (
        {"status": "suspended", "status_reasons": [{"code": "S1", "description": "too late"}, 7, {"code": 12}]},
        "",
        "account",
        "contradicted",
        "it is suspended: data calls are refused: S1, too late; 12",
    ),
    ({"status": "error", "status_reasons": [{"code": SECRET}]}, "", "account", "contradicted", "it is in error: ***"),
    ({"status": "new\x1b[31m"}, "", "account", "unverifiable", "its status 'new�[31m'"),
    ({"status": None}, "", "account", "unverifiable", "its status ''"),
    ({"origin_owner_id": "other"}, "", "origin owner", "contradicted", "'Fresh Roast' (other)"),
    ({"origin_owner_name": "Other"}, "", "origin owner", "contradicted", "'Other' (fresh-roast)"),
    ({"label": "Main"}, "Main", "label", "confirmed", "declared one"),
    ({"label": None}, "Main", "label", "contradicted", "it is ''"),
    ({"setup_information": {"storeUrl": URL}}, "", "store url", "confirmed", "declared one"),
    ({"setup_information": {"anything": URL}}, "", "store url", "unverifiable", "does not show it"),
    ({"setup_information": {"shop": "fresh-roast"}}, "", "store url", "unverifiable", "does not show it"),
    ({"setup_information": {"shop": "https://x.example"}}, "", "store url", "contradicted", "it is https://x.example"),
    ({"setup_information": {"url": "http://fresh-roast.example"}}, "", "store url", "contradicted", "it is http://"),
    ({"setup_information": {"deep": [{"domain": URL}]}}, "", "store url", "confirmed", "declared one"),
    ({"setup_information": {"a": MASK + SECRET[-4:]}}, "", "secret tail", "confirmed", "ends as that"),
    (
        {"credentials": {"a": MASK + KEY[-4:], "b": MASK + SECRET[-4:]}},
        "",
        "secret tail",
        "confirmed",
        "ends as that",
    ),
    ({"credentials": {"a": MASK + KEY[-4:], "b": MASK + "zzzz"}}, "", "secret tail", "contradicted", "not of this"),
    ({"credentials": {"a": MASK + SECRET[-6:], "b": MASK + "zzzz"}}, "", "secret tail", "confirmed", "ends as that"),
    ({"credentials": {"a": MASK + KEY[-4:]}}, "", "secret tail", "confirmed", "ends as that"),
    ({"credentials": {"a": MASK + SECRET}}, "", "secret tail", "contradicted", "not of this generation"),
]


@pytest.mark.parametrize(("row", "label", "check", "verdict", "words"), CASES)
def test_what_an_account_shows(row: dict[str, Any], label: str, check: str, verdict: str, words: str) -> None:
    shown = findings(account({**USUAL, **row}), OWNER, label, URL, VALUES)
    (found,) = [finding for finding in shown if finding.check == check]
    assert found.verdict == verdict
    assert words in found.evidence
    assert SECRET[-4:] not in repr(shown)
    assert ("label" in {finding.check for finding in shown}) is bool(label)


@pytest.mark.parametrize("row", [{}, {"setup_information": {"a": MASK, "b": 7}}, {"setup_information": "x"}])
def test_no_tail_no_verdict(row: dict[str, Any]) -> None:
    checks = {finding.check for finding in findings(account({**USUAL, **row}), OWNER, "", URL, VALUES)}
    assert checks == {"account", "origin owner", "store url"}


def test_values_of_the_set_up_do_not_show() -> None:
    assert "canary" not in repr(account({**USUAL, "setup_information": {"a": "canary"}}))


@pytest.mark.parametrize("row", [None, [], "x", {}, {"id": ""}, {"id": None}, {"id": ["x"]}])
def test_a_row_without_an_id_is_none(row: Any) -> None:
    with pytest.raises(Unexpected):
        account(row)


def test_numbers_as_ids() -> None:
    assert account({"id": 12}).id == "12"


PLACES: list[tuple[str, dict[str, str], str]] = [
    ("https://api.stackone.com", {}, "https://api.stackone.com"),
    ("https://api.stackone.com", {"region": "eu1"}, "https://api.eu1.stackone.com"),
    ("https://proxy.example/api", {"region": "eu1"}, "https://proxy.example/api"),
]


@pytest.mark.parametrize(("endpoint", "hub", "url"), PLACES)
def test_where_the_api_is(endpoint: str, hub: dict[str, str], url: str) -> None:
    assert api_url(endpoint, hub) == url
    assert place(endpoint, hub, OWNER) == f"stackone {url.removeprefix('https://')} woocommerce fresh-roast"


def test_whose_account_it_is() -> None:
    pinned = {"origin_owner_id": "a", "origin_owner_name": "A"}
    assert owner({}, pinned) == Owner("a", "A")
    assert owner({"origin_owner": {"id": "b", "name": "B"}}, pinned) == Owner("b", "B")
