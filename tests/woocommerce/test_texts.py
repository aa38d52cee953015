"""What stores write reaches neither a terminal nor a CI as anything but text."""

import json
from dataclasses import replace

import pytest

from providers.core.contract import Selector
from providers.core.http import Answer
from providers.core.texts import LONGEST, shown
from providers.woocommerce.api import reply
from providers.woocommerce.diagnosis import diagnose
from providers.woocommerce.texts import UNKNOWN_CODE, code
from tests.woocommerce.conftest import MakeShop, order

HOSTILE = "\x1b[2J\r\n::error::all is well\u202e"


@pytest.mark.parametrize("known", ["rest_no_route", "woocommerce_rest_cannot_view", "a" * 64, "404"])
def test_codes_as_wordpress_gives_them(known: str) -> None:
    assert code(known) == known


@pytest.mark.parametrize("other", ["", "a" * 65, "Rest", "rest no route", "rest_no_route\n", "::error::x", HOSTILE])
def test_other_codes_are_not_repeated(other: str) -> None:
    assert code(other) == UNKNOWN_CODE
    answer = Answer(401, {}, json.dumps({"code": other}).encode(), "shop.example")
    assert str(reply(answer)) == "401 (unknown code)"


def harmless(text: str) -> bool:
    return not any(part in text for part in ("\x1b", "\n", "\r", "::", "\u202e")) and len(text) <= 200


def test_evidence_holds_no_text_of_the_store(make_shop: MakeShop) -> None:
    shop = make_shop()
    issued = shop.issuer().issue(order())
    for status in (401, 403, 404):
        shop.control.clear_faults()
        shop.fault("status", "rest_probe", status=status, body=json.dumps({"code": HOSTILE}), times=None)
        found = [*shop.issuer().verify(issued.secret, {"rights": "read"}), shop.issuer().control()]
        assert [finding.evidence for finding in found if not harmless(finding.evidence)] == []
        assert UNKNOWN_CODE in found[0].evidence


def test_facts_and_diagnosis_are_harmless(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    found = issuer.store.rest.index()
    issuer.store.rest._index = replace(found, home=HOSTILE), 1e18
    environment = {"version": HOSTILE, "store_id": "x" * 500}
    shop.fault("status", "system_status", status=200, body=json.dumps({"environment": environment}))
    facts = issuer.facts()
    assert facts.keys() == {"api", "home", "woocommerce", "store_id"}
    assert all(map(harmless, facts.values()))
    assert "error" in facts["home"]
    assert len(facts["store_id"]) == LONGEST
    (home,) = [check for check in diagnose(issuer) if check.name == "home address"]
    assert home.state == "failed"
    assert harmless(home.words)


def test_what_is_said_of_keys_is_harmless(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    issued = issuer.issue(order())
    (row,) = [row for row in issuer.store.keys.get(fresh=True) if row.key_id == issued.key_id]
    hostile = type(row)(row.key_id, row.label, "\x1b[2J::x", "7", HOSTILE, HOSTILE, row.revoke_nonce)
    issuer.store.keys._read = lambda: (hostile,)
    page = issuer.store.admin.show(issued.key_id)
    assert page is not None
    issuer.store.logins[page.owner_id] = HOSTILE
    for details in (True, False):
        (key,) = issuer.find(Selector("", details=details))
        said = [str(value) for value in (*key.facts.values(), *key.fields.values())]
        assert [text for text in said if not harmless(text)] == []
        assert key.facts["owner"] == key.facts["last_used"] == shown(HOSTILE)
    assert "\x1b" not in key.tail
