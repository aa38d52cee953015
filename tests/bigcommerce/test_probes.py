"""The table of probes: complete, harmless, and in words that the table of rights has."""

from __future__ import annotations

import pytest

from providers.bigcommerce.probes import PROBES, Probe, planned
from providers.bigcommerce.scopes import PANEL, ROWS

WITHOUT = {
    "read": {
        "Customers login",
        "Create payments",
        "Storefront API tokens",
        "Storefront API customer impersonation tokens",
    },
    "write": {"Customers login", "Get payment methods", "Stored payment instruments", "Store logs"},
}
"""The rows of the panel that have no reading, or no writing probe (sheet 5.2)."""


@pytest.mark.parametrize("kind", ["read", "write"])
def test_every_row_of_the_panel_has_its_probe(kind: str) -> None:
    rows = [probe.label for probe in PROBES if probe.kind == kind]
    assert rows == [label for label in PANEL if label not in WITHOUT[kind]]


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: f"{probe.kind} {probe.label}")
def test_a_probe_changes_nothing(probe: Probe) -> None:
    if probe.kind == "read":
        assert (probe.method, probe.body) == ("GET", None)
    elif probe.method == "DELETE":
        # The one that the gateway's backend refuses for want of a header (sheet 5.3, rule 1).
        assert (probe.label, probe.path, probe.body) == ("Storefront API tokens", "/v3/storefront/api-token", None)
    else:
        assert (probe.method, probe.body) == ("POST", {})
    assert not probe.path.endswith("/")
    assert probe.path.startswith(("/v2/", "/v3/"))
    assert not {"capture", "void", "refund_quotes", "refunds"} & set(probe.path.split("/"))


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: f"{probe.kind} {probe.label}")
def test_a_probe_opens_with_its_level_and_every_higher_one(probe: Probe) -> None:
    row = ROWS[probe.label]
    lowest = "read-only" if probe.kind == "read" else row.words[-1]
    assert probe.opened_by == {word for word in row.words if row.includes(word, lowest)}
    if probe.also is not None:
        assert set(probe.also[1]) <= set(ROWS[probe.also[0]].words)


def test_which_rows_open_calls_of_others() -> None:
    others = [(probe.label, probe.kind, probe.also[0], set(probe.also[1])) for probe in PROBES if probe.also]
    assert others == [
        ("Checkout content", "read", "Content", {"read-only", "modify"}),
        ("Checkout content", "write", "Content", {"modify"}),
        ("Get payment methods", "read", "Information & settings", {"read-only", "modify"}),
    ]


def test_writing_is_opted_in_and_comes_last() -> None:
    assert {probe.kind for probe in planned(full=False)} == {"read"}
    kinds = [probe.kind for probe in planned(full=True)]
    assert kinds == sorted(kinds)
    assert len(planned(full=True)) == len(PROBES) == 42
    assert planned(full=True)[0].call == "GET /v2/pages"
