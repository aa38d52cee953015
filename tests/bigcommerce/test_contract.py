"""The whole contract of `Issuer` against the sandbox's gateway, over TLS sockets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from providers.bigcommerce.download import read
from providers.bigcommerce.issuer import ApiAccountIssuer, issuer
from providers.bigcommerce.scopes import PANEL, ROWS
from providers.core.contract import RECOGNISED, Finding
from providers.core.errors import CouldNotLook, Incident, RateLimited, Transient
from providers.core.http import Http
from providers.core.redaction import Secret
from sandbox.bigcommerce.client import BigCommerceClient, HandMadeAccount
from sandbox.bigcommerce.panel_credentials import LAYOUTS, file_text
from sandbox.bigcommerce.state import Account, Credentials
from sandbox.server_process import ServerProcess
from tests.bigcommerce.conftest import STONE_EDGE, Loan

NUMBERS = itertools.count(1)
EVERYTHING = {label: ROWS[label].words[-1] for label in PANEL}


@dataclass
class Shop:
    """A store of the sandbox, seen from both sides."""

    hash: str
    api: str
    control: BigCommerceClient
    http: Http

    def issuer(self, **inputs: Any) -> ApiAccountIssuer:
        words = {"store_hash": self.hash, "api": self.api, "verify": "full", "connection": "acme-parts/stone-edge"}
        return issuer({**words, **inputs}, Loan(self.http))

    def account(self, rights: Mapping[str, str], **words: str) -> HandMadeAccount:
        return self.control.make_account(self.hash, "an account", rights, **words)

    def settings(self, **settings: Any) -> None:
        self.control.change_settings(self.hash, **settings)

    def calls(self) -> int:
        quota = self.control.quota(self.hash)
        return quota.quota - quota.left


MakeShop = Callable[..., Shop]


@pytest.fixture
def make_shop(server: ServerProcess, http: Http) -> MakeShop:
    def make(**settings: Any) -> Shop:
        client = server.client.bigcommerce
        store = client.create_store(f"shop{next(NUMBERS)}", **({"quota": 100_000} | settings))
        return Shop(store.hash, store.gateway_url, client, http)

    return make


def secret(account: HandMadeAccount) -> dict[str, Secret]:
    return {
        "client_id": Secret(account.client_id),
        "client_secret": Secret(account.client_secret),
        "access_token": Secret(account.access_token),
    }


def proved(shop: Shop, account: HandMadeAccount, rights: Mapping[str, str], **inputs: Any) -> dict[str, Finding]:
    found = shop.issuer(**inputs).verify(secret(account), {"rights": rights})
    assert found[0].check == RECOGNISED
    return {finding.check: finding for finding in found}


def contradicted(found: Mapping[str, Finding]) -> set[str]:
    return {check for check, finding in found.items() if finding.verdict == "contradicted"}


# --- accounts with other rights than declared -------------------------------------------------------------------------


def test_the_account_of_stone_edge(make_shop: MakeShop) -> None:
    shop = make_shop()
    before = shop.control.resources(shop.hash)
    found = proved(shop, shop.account(STONE_EDGE), STONE_EDGE)
    assert {check for check, finding in found.items() if finding.verdict == "unverifiable"} == {
        "Customers login",
        "Metafield ownership",
        "Metafields access",
        "account name",
        "client id",
        "client secret",
    }
    assert {finding.verdict for finding in found.values()} == {"confirmed", "unverifiable"}
    assert set(PANEL) <= found.keys()
    assert shop.control.resources(shop.hash) == before


@pytest.mark.parametrize("label", [label for label in PANEL if label != "Customers login"])
def test_every_row_too_much_and_too_little(make_shop: MakeShop, label: str) -> None:
    shop = make_shop()
    words = ROWS[label].words
    lower, higher = words[0], words[-1]
    over = proved(shop, shop.account({label: higher}), {label: lower})
    assert contradicted(over) == {label}
    assert "MORE than declared" in over[label].evidence
    under = proved(shop, shop.account({label: lower}), {label: higher})
    assert contradicted(under) == {label}
    assert "LESS than declared" in under[label].evidence
    if len(words) > 2:
        middle = words[1]
        assert contradicted(proved(shop, shop.account({label: middle}), {label: higher})) <= {label}
        assert contradicted(proved(shop, shop.account({label: middle}), {label: lower})) == {label}


@pytest.mark.parametrize("label", PANEL)
def test_one_row_less_of_everything(make_shop: MakeShop, label: str) -> None:
    shop = make_shop()
    found = proved(shop, shop.account({**EVERYTHING, label: "none"}), EVERYTHING)
    # What another row opens too, and what no call shows, cannot be told.
    hidden = {"Customers login", "Checkout content"}
    assert contradicted(found) == {label} - hidden
    if label in hidden:
        assert found[label].verdict == "unverifiable"


GOLDEN = {
    "no scopes but Store logs": {"Store logs": "read-only"},
    "everything but Customers modify": {**EVERYTHING, "Customers": "read-only"},
}
"""The two tokens that were recorded at a real store (sheet 5.1, 14.7)."""


@pytest.mark.parametrize("case", GOLDEN)
def test_recorded_tokens(make_shop: MakeShop, case: str) -> None:
    shop, rights = make_shop(), GOLDEN[case]
    account = shop.account(rights)
    assert contradicted(proved(shop, account, rights)) == set()
    other = next(rights for name, rights in GOLDEN.items() if name != case)
    missed = contradicted(proved(shop, account, other))
    assert missed == {label for label in PANEL if rights.get(label, "none") != other.get(label, "none")} - {
        "Customers login",
        # Content at modify opens the same calls.
        *({"Checkout content"} if "Content" in rights else set()),
    } - ({"Get payment methods"} if "Content" in rights else set())


# --- what is unknown of the platform, either way ----------------------------------------------------------------------

CHOICES: list[dict[str, Any]] = [
    {"missing_scope_body": "2016"},
    {"v2_errors": "object"},
    {"url_before_token": False},
    {"rate_headers": False},
    {"payment_methods_by_information": True},
]


@pytest.mark.parametrize("settings", CHOICES, ids=str)
def test_no_choice_of_the_stand_in_changes_the_outcome(make_shop: MakeShop, settings: dict[str, Any]) -> None:
    shop = make_shop(**settings)
    account = shop.account(STONE_EDGE)
    assert contradicted(proved(shop, account, STONE_EDGE)) == set()
    assert contradicted(proved(shop, account, {**STONE_EDGE, "Orders": "read-only"})) == {"Orders"}


def test_payment_methods_that_information_opens(make_shop: MakeShop) -> None:
    shop = make_shop(payment_methods_by_information=True)
    rights = {"Information & settings": "read-only"}
    found = proved(shop, shop.account(rights), rights)
    assert found["Get payment methods"].verdict == "unverifiable"
    assert contradicted(found) == set()


@pytest.mark.parametrize("cause", ["platform_limit", "owner_changed", "feature_disabled"])
def test_a_403_for_another_cause_proves_nothing(make_shop: MakeShop, cause: str) -> None:
    shop = make_shop(forbidden=cause)
    account = shop.account(STONE_EDGE)
    found = proved(shop, account, STONE_EDGE)
    assert {finding.verdict for finding in found.values()} == {"unverifiable"}
    assert shop.issuer().probe(secret(account)) == "unknown"
    shop.settings(forbidden_operations=["products_*"])
    found = proved(shop, account, STONE_EDGE)
    assert (found[RECOGNISED].verdict, found["Products"].verdict) == ("confirmed", "unverifiable")
    assert contradicted(found) == set()


# --- tokens that are not what they should be --------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["title", "text", "empty"])
def test_a_dead_token(make_shop: MakeShop, body: str) -> None:
    shop = make_shop(dead_token_body=body)
    account = shop.account(STONE_EDGE)
    ours, kept = shop.issuer(), secret(account)
    assert (ours.probe(kept), ours.control().verdict) == ("accepted", "confirmed")
    shop.control.delete_account(shop.hash, account.account_id)
    assert (ours.probe(kept), ours.control().verdict) == ("refused", "confirmed")
    found = proved(shop, account, STONE_EDGE)
    assert contradicted(found) == {RECOGNISED}


@pytest.mark.parametrize(("answer", "life"), [("401", "refused"), ("403", "unknown")])
def test_the_token_of_another_store(make_shop: MakeShop, answer: str, life: str) -> None:
    shop, other = make_shop(foreign_token=answer), make_shop(foreign_token=answer)
    account = other.account(EVERYTHING)
    before = shop.calls()
    found = proved(shop, account, STONE_EDGE)
    assert contradicted(found) == {RECOGNISED}
    assert "another store" in found[RECOGNISED].evidence
    assert shop.calls() - before <= 4
    assert shop.issuer().probe(secret(account)) == life


def test_a_wrong_hash_and_one_with_a_prefix(make_shop: MakeShop) -> None:
    shop = make_shop()
    account = shop.account(STONE_EDGE)
    for wrong in (f"{shop.hash}x", f"store-{shop.hash}"):
        found = proved(shop, account, STONE_EDGE, store_hash=wrong)
        assert contradicted(found) == {RECOGNISED}
        assert "hash is wrong" in found[RECOGNISED].evidence
    assert "`store-`" in found[RECOGNISED].evidence


@pytest.mark.parametrize("kind", ["no_scopes", "themes", "refused"])
def test_a_token_of_another_type_is_found_out(make_shop: MakeShop, kind: str) -> None:
    shop = make_shop(stencil_token=kind)
    account = shop.account({}, token_type="Stencil-CLI token")
    found = proved(shop, account, STONE_EDGE)
    assert contradicted(found)
    if kind == "no_scopes":
        assert "another type" in found[RECOGNISED].evidence


# --- stores in trouble ------------------------------------------------------------------------------------------------


def test_a_rate_limit_in_the_middle(make_shop: MakeShop) -> None:
    shop = make_shop(quota=150)
    account = shop.account(STONE_EDGE)
    shop.control.set_quota(shop.hash, 70)
    found = proved(shop, account, STONE_EDGE)
    assert shop.control.quota(shop.hash).left == 50
    assert found["Content"].verdict == "unverifiable"
    assert found["Marketing"].verdict == "confirmed"
    assert "the store's quota is kept for its shop" in found["Order fulfillment"].evidence
    assert contradicted(found) == set()
    shop.control.reset_quota(shop.hash)
    assert proved(shop, account, STONE_EDGE)["Order fulfillment"].verdict == "confirmed"


def test_a_limit_that_nothing_told_of(make_shop: MakeShop) -> None:
    shop = make_shop(quota=20, rate_headers=False, limit_headers=False)
    account = shop.account(STONE_EDGE)
    found = proved(shop, account, STONE_EDGE)
    assert contradicted(found) == set()
    assert found["Marketing"].verdict == "confirmed"
    assert "met the store's rate limit" in " ".join(finding.evidence for finding in found.values())


def test_a_quota_that_others_have_used_up(make_shop: MakeShop) -> None:
    shop = make_shop(quota=150)
    account = shop.account(STONE_EDGE)
    shop.control.set_quota(shop.hash, 40)
    with pytest.raises(RateLimited):
        proved(shop, account, STONE_EDGE)
    assert shop.control.quota(shop.hash).left == 39


def test_a_store_that_answers_500_then_403(make_shop: MakeShop) -> None:
    shop = make_shop(server_error=500)
    account = shop.account(STONE_EDGE)
    with pytest.raises(Transient):
        proved(shop, account, STONE_EDGE)
    assert shop.issuer().probe(secret(account)) == "unknown"
    assert shop.issuer().control().verdict == "unverifiable"
    shop.settings(server_error=0, forbidden="platform_limit")
    assert proved(shop, account, STONE_EDGE)[RECOGNISED].verdict == "unverifiable"
    shop.settings(forbidden="")
    assert contradicted(proved(shop, account, STONE_EDGE)) == set()


def test_an_overloaded_platform(make_shop: MakeShop) -> None:
    shop = make_shop(overloaded=True)
    with pytest.raises(CouldNotLook):
        proved(shop, shop.account(STONE_EDGE), STONE_EDGE)


def test_what_a_store_carries_out_is_an_incident(make_shop: MakeShop) -> None:
    shop = make_shop(accepting=["orders_write"])
    account = shop.account(STONE_EDGE)
    before = shop.control.resources(shop.hash)
    with pytest.raises(Incident, match="POST /v2/orders"):
        proved(shop, account, STONE_EDGE)
    after = shop.control.resources(shop.hash)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {"orders": 1}
    # Reading alone meets nothing of it.
    assert contradicted(proved(shop, account, STONE_EDGE, verify="read")) == set()
    assert shop.control.resources(shop.hash) == after


# --- beside the rows --------------------------------------------------------------------------------------------------


def test_webhooks_tell_the_client_id_and_are_lost(make_shop: MakeShop, http: Http) -> None:
    shop = make_shop()
    account, other = shop.account(STONE_EDGE), shop.account({})
    http.origin(shop.api).request(
        "POST",
        f"/stores/{shop.hash}/v3/hooks",
        safe=False,
        json={"scope": "store/order/*", "destination": "https://hooks.fresh-roast.example/in", "is_active": True},
        headers={"x-auth-token": Secret(account.access_token)},
    )
    assert proved(shop, account, STONE_EDGE)["client id"].verdict == "confirmed"
    mixed = {**secret(account), "client_id": Secret(other.client_id)}
    found = {finding.check: finding for finding in shop.issuer().verify(mixed, {"rights": STONE_EDGE})}
    assert contradicted(found) == {"client id"}
    lost = shop.issuer().losses(secret(account))
    assert "store/order/* to hooks.fresh-roast.example" in lost[0]
    assert "webhook" not in shop.issuer().losses(secret(other))[0]


def test_the_store_of_an_account_that_may_read_it(make_shop: MakeShop) -> None:
    shop = make_shop(plan_level="Pro")
    rights = {"Information & settings": "read-only"}
    ours = shop.issuer()
    found = {finding.check: finding for finding in ours.verify(secret(shop.account(rights)), {"rights": rights})}
    assert found["store"].verdict == "confirmed"
    assert ours.facts()["plan"] == "Pro"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_file_that_the_panel_gives_is_read(layout: str) -> None:
    account = Account(1, "Access token, client ID & more #2", "V2/V3 API token", {}, "canary0client0id", 0.0)
    path = "https://api.bigcommerce.com/stores/shop1/v3/"
    shown = Credentials(account, "shop1", path, "canary0client0id", "canary0secret", "canary0token")
    found = read(file_text(shown, layout).encode(), "shop1")
    assert {name: value.reveal() for name, value in found.values.items()} == {
        "client_id": shown.client_id,
        "client_secret": shown.client_secret,
        "access_token": shown.access_token,
    }
    assert (found.store_hash, found.not_understood) == ("shop1", ())
