"""The link to the plugin of a WordPress site, row by row of its sheet (coopcycle.md 6 and 8.2)."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from providers.coopcycle.plugin import place
from providers.core.admin_session import LoginBlocked
from providers.core.contract import Finding, Link
from providers.core.errors import (
    CouldNotLook,
    Forbidden,
    PersonNeeded,
    Rejected,
    StoreError,
    Transient,
    Unauthorized,
    UnclearOutcome,
    Unexpected,
)
from providers.core.redaction import Secret
from providers.wordpress.options import Failed
from tests.coopcycle.conftest import PASSWORD, Coop, Given, Shop, order

OPTIONS = ("coopcycle_base_url", "coopcycle_api_key", "coopcycle_api_secret")

Values = dict[str, Secret]


def stored(shop: Shop, secret: Values) -> bool:
    """Whether the site's options hold exactly these values."""
    digest = hashlib.sha256(secret["secret"].reveal().encode()).hexdigest()
    wanted = (secret["base_url"].reveal(), secret["identifier"].reveal(), f"sha256:{digest}")
    return tuple(shop.option(name) for name in OPTIONS) == wanted


def emptied(shop: Shop) -> bool:
    return not any(shop.option(name) for name in (*OPTIONS, "coopcycle_app_name"))


def said(findings: Any) -> list[tuple[str, str]]:
    return [(finding.check, finding.verdict) for finding in findings]


ALL_GOOD = [("settings of the site", "confirmed"), ("calls as the plugin", "confirmed"), ("store", "confirmed")]


def test_the_life_of_a_link(coop: Coop, shop: Shop, given: Given) -> None:
    link: Link = shop.link()
    first = given(1)
    assert (link.place, link.acknowledges) == (place(shop.url), "here")
    assert said(link.check(1, first)) == ALL_GOOD[1:]
    # Nothing was touched at the site yet.
    assert shop.control.requests(store=shop.row.site) == []
    link.connect(1, first)
    assert stored(shop, first)
    assert said(link.verify(1, first)) == ALL_GOOD
    assert said(link.observe(1, first)) == ALL_GOOD[:1]
    second = given(2)
    (older,) = link.observe(2, second)
    assert (older.verdict, older.evidence) == ("contradicted", "they hold generation 1")
    link.connect(2, second)
    assert stored(shop, second)
    assert said(link.verify(2, second)) == ALL_GOOD
    assert link.disconnect(second) == ()
    assert emptied(shop)
    assert link.disconnect({}) == ()
    assert shop.control.wordpress.end_sessions(shop.name) == 0
    assert coop.edits() == []


def test_what_stands_already_is_not_saved_again(shop: Shop, given: Given) -> None:
    first = given()
    shop.link().connect(1, first)
    shop.link().connect(1, first)
    saves = [row for row in shop.control.requests(store=shop.row.site) if row.operation == "wp_options_save"]
    assert len(saves) == 1
    # The first save made no call of the plugin's, so there is no banner; we want none.
    assert shop.control.wordpress.calls(shop.name) == []
    assert not shop.option("coopcycle_app_name")


@pytest.mark.parametrize("ticked", ["yes", ""])
def test_other_settings_of_the_form_stay(shop: Shop, given: Given, ticked: str) -> None:
    shop.write(coopcycle_free_shipping=ticked)
    link = shop.link()
    link.connect(1, given())
    assert shop.option("coopcycle_free_shipping") == ticked
    link.disconnect({})
    assert shop.option("coopcycle_free_shipping") == ticked
    assert not shop.option("coopcycle_api_key")


# --- the check that is one save late ------------------------------------------------------------------------------------


def banner(shop: Shop, first: Values) -> None:
    """Bring the site to where it says "Connected to app"."""
    link = shop.link()
    link.connect(1, first)
    shop.write(coopcycle_app_name="northside acme flowers")


def test_a_wrong_secret_under_a_connected_banner_is_seen(shop: Shop, given: Given) -> None:
    """P3: the plugin itself says that all is well."""
    first = given()
    banner(shop, first)
    shop.write(coopcycle_api_secret="f" * 128)
    (finding,) = shop.link().observe(1, first)
    assert (finding.verdict, finding.evidence) == ("contradicted", "they hold another pair")
    assert said(shop.link().verify(1, first)) == [("settings of the site", "contradicted")]
    # The identifier is ours, so the secret is put right.
    shop.link().connect(1, first)
    assert said(shop.link().verify(1, first)) == ALL_GOOD


def test_a_right_secret_under_a_false_alarm_is_confirmed(coop: Coop, shop: Shop, given: Given) -> None:
    """P4: after a rotation at the server the plugin calls the new, right pair invalid."""
    first = given(1)
    banner(shop, first)
    coop.issuer().revoke("1", {})
    second = given(2)
    shop.link().connect(2, second)
    assert said(shop.link().verify(2, second)) == ALL_GOOD


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_site_that_breaks_on_the_pair_it_holds_is_put_right(
    coop: Coop, shop: Shop, given: Given, status: int
) -> None:
    """P5: nothing can be saved over a pair that `/api/me` does not know, but it can be emptied first."""
    coop.settings(me_without_app=status)
    first = given(1)
    shop.link().connect(1, first)
    # Somebody saved the app's form: the pair half works.
    coop.control.coopcycle.edit_app(coop.name, 1)
    second = given(2)
    shop.link().connect(2, second)
    assert said(shop.link().verify(2, second)) == ALL_GOOD


def test_a_site_that_goes_on_breaking_is_explained(coop: Coop, shop: Shop, given: Given) -> None:
    first = given(1)
    shop.link().connect(1, first)
    coop.control.coopcycle.edit_app(coop.name, 1)
    shop.fault("status", "wp_options_save", status=500, times=None)
    with pytest.raises(Failed, match="breaks while it saves") as raised:
        shop.link().connect(2, given(2))
    assert "wp option delete" in raised.value.do
    # What it had stays.
    assert stored(shop, first)


def test_a_site_never_loses_a_pair_that_works(shop: Shop, given: Given) -> None:
    first = given(1)
    shop.link().connect(1, first)
    # It breaks for another reason: the pair it holds is good.
    shop.fault("status", "wp_options_save", status=500)
    with pytest.raises(Failed):
        shop.link().connect(2, given(2))
    assert stored(shop, first)


def test_a_pair_for_another_server_is_not_tried_there(shop: Shop, given: Given) -> None:
    first = given(1)
    shop.link().connect(1, first)
    shop.write(coopcycle_base_url="https://elsewhere.example")
    (finding,) = shop.link().observe(1, first)
    assert finding.evidence == "they name another server"
    shop.fault("status", "wp_options_save", status=500)
    with pytest.raises(Failed):
        shop.link().connect(1, first)
    assert shop.option("coopcycle_base_url") == "https://elsewhere.example"


def test_a_save_that_broke_after_all_was_stored_is_a_success(shop: Shop, given: Given) -> None:
    first = given()
    # The reply is lost, the values are stored: what the page holds decides.
    shop.fault("drop_after", "wp_options_save")
    shop.link().connect(1, first)
    assert said(shop.link().verify(1, first)) == ALL_GOOD


def test_a_save_that_was_lost_is_unclear(shop: Shop, given: Given) -> None:
    shop.fault("drop_before", "wp_options_save")
    with pytest.raises(UnclearOutcome):
        shop.link().connect(1, given())


def test_a_site_that_keeps_nothing_is_told(shop: Shop, given: Given) -> None:
    shop.fault("status", "wp_options_save", status=302, headers={"location": "/"})
    with pytest.raises(Unexpected, match="did not keep what was saved"):
        shop.link().connect(1, given())


# --- what is not ours -------------------------------------------------------------------------------------------------


FOREIGN: list[dict[str, str]] = [
    {"coopcycle_api_key": "a" * 32, "coopcycle_api_secret": "b" * 128},
    {"coopcycle_api_key": "a" * 32},
    {"coopcycle_api_secret": "b" * 128},
]


@pytest.mark.parametrize("options", FOREIGN, ids=["pair", "key", "secret"])
def test_a_pair_that_is_not_ours_is_not_replaced_unless_that_is_said(
    shop: Shop, given: Given, options: dict[str, str]
) -> None:
    first = given()
    shop.write(coopcycle_base_url="https://elsewhere.example", **options)
    with pytest.raises(Rejected, match="holds credentials that are not ours") as raised:
        shop.link().connect(1, first)
    assert "`adopt: true`" in raised.value.do
    assert not any(value in str(raised.value) for value in options.values())
    (left,) = shop.link().disconnect(first)
    assert "were left there" in left
    shop.link(adopt=True).connect(1, first)
    assert said(shop.link().verify(1, first)) == ALL_GOOD


def test_an_address_alone_belongs_to_nobody(shop: Shop, given: Given) -> None:
    first = given()
    shop.write(coopcycle_base_url="https://elsewhere.example")
    shop.link().connect(1, first)
    assert stored(shop, first)


def test_a_site_that_was_emptied_is_drift(shop: Shop, given: Given) -> None:
    first = given()
    shop.link().connect(1, first)
    shop.write(**dict.fromkeys(OPTIONS, ""))
    (finding,) = shop.link().observe(1, first)
    assert (finding.verdict, finding.evidence) == ("contradicted", "they were emptied")


# --- proof before and after -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_pair_that_opens_nothing_is_never_given(coop: Coop, shop: Shop, given: Given, status: int) -> None:
    coop.settings(me_without_app=status)
    first = given()
    coop.control.coopcycle.edit_app(coop.name, 1)
    (finding,) = shop.link().check(1, first)
    assert (finding.verdict, "opens nothing" in finding.evidence) == ("contradicted", True)


def test_an_app_without_deliveries_is_never_given(shop: Shop, given: Given) -> None:
    assert said(shop.link().check(1, given(rights=["tasks"]))) == [("calls as the plugin", "contradicted")]


def test_a_dead_pair_is_never_given(coop: Coop, shop: Shop, given: Given) -> None:
    first = given()
    coop.issuer().revoke("1", {})
    assert said(shop.link().check(1, first)) == [("calls as the plugin", "contradicted")]


def test_an_app_of_another_store_is_never_given(shop: Shop, given: Given) -> None:
    first = given()
    assert said(shop.link().check(1, {**first, "store": Secret("13")})) == [
        ("calls as the plugin", "confirmed"),
        ("store", "contradicted"),
    ]
    without = {name: value for name, value in first.items() if name != "store"}
    assert said(shop.link().check(1, without))[1] == ("store", "contradicted")


UNPROVED: list[tuple[str, int, str, type[StoreError]]] = [
    ("coop_entrypoint", 200, "{}", CouldNotLook),
    ("coop_token", 500, "", CouldNotLook),
    ("coop_me", 503, "", Transient),
    ("coop_me", 200, "<html></html>", Transient),
]


@pytest.mark.parametrize(("operation", "status", "body", "error"), UNPROVED)
def test_what_cannot_be_proved_now_acknowledges_nothing(
    coop: Coop, shop: Shop, given: Given, operation: str, status: int, body: str, error: type[StoreError]
) -> None:
    first = given()
    shop.link().connect(1, first)
    coop.fault("status", operation, status=status, body=body, times=None)
    with pytest.raises(error):
        shop.link().verify(1, first)


def test_a_credential_that_is_no_pair_is_told(shop: Shop) -> None:
    with pytest.raises(Unexpected, match="an address, an identifier and a secret"):
        shop.link().check(1, {"api_key": Secret("ak_"), "base_url": Secret("https://x.example")})


# --- the door -------------------------------------------------------------------------------------------------------------


def as_helper(shop: Shop) -> None:
    """Log in as somebody who may manage the shop, and no settings."""
    shop.control.wordpress.add_user(shop.name, "helper", "shop_manager", PASSWORD)
    shop.log_in_as("helper")


def break_page(status: int, body: str = "") -> Callable[[Shop], Any]:
    return lambda shop: shop.fault("status", "coopcycle_settings_page", status=status, body=body)


DOORS: dict[str, tuple[Callable[[Shop], Any], type[Exception], str]] = {
    "no login": (lambda shop: shop.lent_away(), PersonNeeded, "no whole admin login"),
    "two factors": (lambda shop: shop.settings(two_factor=True), LoginBlocked, "needs a person"),
    "wrong password": (lambda shop: shop.log_in_as("connector", "wrong"), Unauthorized, "refuses its admin login"),
    "no administrator": (as_helper, Forbidden, "cannot be opened"),
    "no plugin": (lambda shop: shop.settings(coopcycle=False), Forbidden, "cannot be opened"),
    "down": (lambda shop: shop.fault("status", "wp_login_page", status=500, times=None), Transient, "answers 500"),
    "broken page": (break_page(500), Transient, "settings page of wp-admin answers 500"),
    "missing page": (break_page(404), Unexpected, "settings page of wp-admin answers 404"),
    "other page": (break_page(200, "<p>x</p>"), Unexpected, "no form that can be saved"),
}


@pytest.mark.parametrize("door", DOORS)
def test_what_is_in_the_way_of_a_save(shop: Shop, given: Given, door: str) -> None:
    shut, error, words = DOORS[door]
    first = given()
    shut(shop)
    with pytest.raises(error, match=words):
        shop.link().connect(1, first)
    assert not shop.option("coopcycle_api_key")


def test_a_login_that_needs_a_person_concludes_nothing(shop: Shop, given: Given) -> None:
    first = given()
    shop.settings(two_factor=True)
    (finding,) = shop.link().observe(1, first)
    assert finding == Finding("settings of the site", "unverifiable", finding.evidence)
    assert "without a second factor" in finding.evidence


def test_a_session_that_ends_on_the_way_is_begun_again(shop: Shop, given: Given) -> None:
    first = given()
    login = f"{shop.url}/wp-login.php?reauth=1"
    shop.fault("status", "wp_options_save", status=302, headers={"location": login})
    shop.link().connect(1, first)
    assert stored(shop, first)


def test_a_settings_form_of_another_version_is_not_guessed(shop: Shop, given: Given) -> None:
    first = given()
    body = (
        '<form action="options.php"><input name="option_page" value="coopcycle_woocommerce">'
        '<input name="_wpnonce" value="0123456789"><input name="coopcycle_base_url" value=""></form>'
    )
    shop.fault("status", "coopcycle_settings_page", status=200, body=body, times=None)
    with pytest.raises(Unexpected, match="not those we know"):
        shop.link().connect(1, first)


def test_a_refused_save_is_told(shop: Shop, given: Given) -> None:
    shop.fault("status", "wp_options_save", status=403)
    with pytest.raises(Forbidden, match="answers 403 to a save"):
        shop.link().connect(1, given())


# --- the end --------------------------------------------------------------------------------------------------------------


def test_a_stale_banner_is_cleared(shop: Shop, given: Given) -> None:
    first = given()
    banner(shop, first)
    assert shop.link().disconnect(first) == ()
    assert emptied(shop)


def test_where_the_banner_cannot_be_cleared_a_person_is_told(shop: Shop, given: Given) -> None:
    first = given()
    banner(shop, first)
    for status in (403, 500):
        shop.control.clear_faults()
        shop.fault("status", "wp_options_page", status=status, times=None)
        (line,) = shop.link().disconnect(first)
        assert "wp option delete coopcycle_app_name" in line
        assert str(status) in line
    shop.control.clear_faults()
    shop.fault("status", "wp_options_save", status=302, headers={"location": "/"}, times=None)
    (line,) = shop.link().disconnect({})
    assert "the site keeps it" in line


def test_a_site_that_empties_nothing_is_told(shop: Shop, given: Given) -> None:
    first = given()
    shop.link().connect(1, first)
    shop.fault("status", "wp_options_save", status=302, headers={"location": "/"})
    with pytest.raises(Unexpected, match="did not empty"):
        shop.link().disconnect(first)
    shop.fault("status", "wp_options_save", status=500)
    with pytest.raises(Failed):
        shop.link().disconnect(first)
    assert stored(shop, first)


@pytest.mark.parametrize("ours", [True, False])
def test_the_options_of_a_plugin_that_was_switched_off_are_cleared(shop: Shop, given: Given, ours: bool) -> None:
    first = given()
    banner(shop, first)
    if not ours:
        shop.write(coopcycle_api_key="a" * 32, coopcycle_api_secret="b" * 128)
    shop.settings(coopcycle=False)
    lines = shop.link().disconnect(first)
    if ours:
        assert lines == ()
        assert emptied(shop)
    else:
        assert "left there" in lines[0]
        assert shop.option("coopcycle_api_key") == "a" * 32


def test_a_site_without_the_plugin_and_its_options_has_nothing_to_clear(shop: Shop) -> None:
    shop.settings(coopcycle=False)
    assert shop.link().disconnect({}) == ()


def test_a_user_who_may_see_nothing_clears_nothing_and_says_so(shop: Shop, given: Given) -> None:
    first = given()
    shop.link().connect(1, first)
    as_helper(shop)
    with pytest.raises(Forbidden, match="page of all settings"):
        shop.link().disconnect(first)
    assert stored(shop, first)


def test_a_rotation_leaves_no_moment_without_a_working_pair(coop: Coop, shop: Shop, given: Given) -> None:
    link = shop.link()
    first, second = given(1), given(2)
    link.connect(1, first)
    issuer = coop.issuer()
    link.connect(2, second)
    assert issuer.probe({name: first[name] for name in ("identifier", "secret")}) == "accepted"
    assert said(link.verify(2, second)) == ALL_GOOD
    issuer.revoke("1", first)
    assert said(link.verify(2, second)) == ALL_GOOD
    assert issuer.issue(order(3)).key_id == "3"
