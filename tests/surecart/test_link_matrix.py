"""The link against a site's plugin: every row of the observed matrix (sheet surecart.md 4), and what else can happen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.core.errors import (
    Forbidden,
    RateLimited,
    Rejected,
    StoreError,
    Transient,
    Unauthorized,
    UnclearOutcome,
    Unexpected,
    Unreachable,
)
from providers.core.redaction import Secret
from providers.surecart.plugin_link import plugin_link
from sandbox.wordpress.client import SiteRow
from tests.surecart.conftest import Account, contradicted, give, raises, secret

BAD = json.dumps(
    {
        "http_status": "unauthorized",
        "type": "unauthorized",
        "code": "unknown_to_the_sheet",
        "message": "Invalid API token provided",
        "validation_errors": [],
    }
)


def plugin_meets(account: Account, effect: Any, *, skip: int = 1, **details: Any) -> None:
    """What the cloud says to the plugin; before that, `skip` calls are answered as usual: those of our own check."""
    account.control.add_fault(effect, operation="surecart_account", skip=skip, **details)


def called(account: Account, site: SiteRow, since: int = 0) -> list[str]:
    """What was asked of a site, in the stand-in's words."""
    return [row.operation for row in account.control.requests(since, site.site)]


# --- the rows of the matrix -------------------------------------------------------------------------------------------


def test_a_good_token_is_stored_and_connected(account: Account) -> None:
    site, token, following = account.site(), account.token(), account.token()
    account.connected(site, token)
    assert account.now(site).holds(token.value)
    account.connected(site, following)
    assert account.now(site).holds(following.value)


def test_the_same_token_once_more_is_not_sent(account: Account) -> None:
    site, token = account.site(), account.token()
    link = account.connected(site, token)
    before = account.control.last_seq()
    give(link, token)
    assert "surecart_settings_write" not in called(account, site, before)


def test_a_dead_token_is_never_offered(account: Account) -> None:
    site, token, dead = account.site(), account.token(), account.token()
    link = account.connected(site, token)
    account.delete(dead)
    before = account.control.last_seq()
    assert "deleted" in contradicted(link.check(2, secret(dead)))["recognised"]
    with raises(Unauthorized, "was not given to the site"):
        link.connect(2, secret(dead))
    with raises(Unauthorized, "was not given to the site"):
        link.verify(2, secret(dead))
    assert set(called(account, site, before)) == {"surecart_settings_read"}
    assert account.now(site).holds(token.value)


BLANKS = [" {}", "{} ", "{}\n", "\n{}", "\t{}", "{}\r\nx: y", "{} {}"]


@pytest.mark.parametrize("form", BLANKS)
def test_a_token_with_blanks_is_sent_nowhere(account: Account, form: str) -> None:
    site, token = account.site(), account.token()
    link = account.connected(site, token)
    before = account.control.last_seq()
    value = form.format(token.value, "more")
    for act in (link.check, link.connect, link.verify):
        with raises(Unexpected, "nothing was sent"):
            act(2, secret(value))
    assert set(called(account, site, before)) == {"surecart_settings_read"}
    assert account.now(site).holds(token.value)


def test_a_public_token_is_sent_nowhere(account: Account) -> None:
    link = account.link(account.site())
    with raises(Unexpected, "public token"):
        link.check(1, secret(account.control.surecart.account(account.slug).public_token))


def test_the_token_of_another_store_is_never_offered(account: Account, make_account: Any) -> None:
    site, token, other = account.site(), account.token(), make_account()
    link = account.connected(site, token)
    before = account.control.last_seq()
    assert (
        f"it is of {other.slug}, not of {account.slug}" in contradicted(link.check(2, secret(other.token())))["account"]
    )
    assert called(account, site, before) == []


KEPT: list[tuple[str, str, dict[str, Any], type[StoreError], str]] = [
    ("503 of the cloud", "status", {"status": 503, "body": BAD}, Transient, "fails, or SureCart's cloud"),
    ("connection refused", "drop_before", {"times": None}, Transient, "cannot reach SureCart's cloud"),
    ("429 of the cloud", "status", {"status": 429, "body": BAD}, RateLimited, "asks for rest"),
]


@pytest.mark.parametrize("row", KEPT, ids=lambda row: row[0])
def test_an_outage_between_site_and_cloud_keeps_the_token(account: Account, row: Any) -> None:
    _, effect, details, error, words = row
    site, token, following = account.site(), account.token(), account.token()
    link = account.connected(site, token)
    link.check(2, secret(following))
    plugin_meets(account, effect, skip=0, **details)
    with raises(error, words):
        link.connect(2, secret(following))
    assert account.now(site).holds(token.value)
    # Afterwards it goes on.
    account.control.clear_faults()
    give(link, following)


def test_a_site_without_a_login_is_not_called(account: Account) -> None:
    site, token = account.site(), account.token()
    link = account.link(site)
    (place,) = account.tools.logins
    whole = account.tools.logins[place]
    for login in (
        None,
        {"username": whole["username"], "password": Secret("of-wp-admin")},
        {**whole, "username": Secret("")},
    ):
        account.tools.logins = {} if login is None else {place: login}
        for act in (link.connect, link.observe, lambda _, values: link.disconnect(values)):
            with raises(Unauthorized, "no application password"):
                act(1, secret(token))
    assert called(account, site) == []
    host, path = place
    assert host.startswith("localhost:")
    assert path == f"wordpress.example/{site.name}"
    assert set(account.tools.asked) == {place}


def test_a_wrong_application_password_changes_nothing(account: Account) -> None:
    site, token = account.site(), account.token()
    link = account.connected(site, token)
    account.control.wordpress.revoke_application_passwords(site.name)
    for act in (link.connect, link.observe, link.verify):
        with raises(Unauthorized, "does not take its application password"):
            act(1, secret(token))
    assert account.now(site).holds(token.value)


def test_a_login_that_may_not(account: Account) -> None:
    site, token = account.site(), account.token()
    account.control.wordpress.add_user(site.name, "shop", "shop_manager", "x-canary-password")
    password = account.control.wordpress.application_password(site.name, "shop")
    (place,) = account.tools.logins
    account.tools.logins[place] = {"username": Secret("shop"), "application_password": Secret(password)}
    with raises(Forbidden, "does not let its login"):
        account.link(site).connect(1, secret(token))


ABSENT: list[tuple[dict[str, Any], str]] = [
    ({"surecart": False}, "no SureCart plugin"),
    ({"permalinks": "plain"}, "nothing answers at /wp-json/"),
]


@pytest.mark.parametrize(("settings", "words"), ABSENT)
def test_a_site_that_has_no_such_route(account: Account, settings: dict[str, Any], words: str) -> None:
    site, token = account.site(**settings), account.token()
    for act in (account.link(site).connect, account.link(site).observe):
        with raises(Rejected, words):
            act(1, secret(token))


# --- a token that dies while it is given ------------------------------------------------------------------------------


def test_a_token_that_the_plugin_was_refused_once_is_given_again(account: Account) -> None:
    site, token, following = account.site(), account.token(), account.token()
    link = account.connected(site, token)
    plugin_meets(account, "status", status=401, body=BAD)
    assert "connected" in give(link, following)
    assert account.now(site).holds(following.value)


def test_a_site_gets_back_what_it_had_where_the_new_one_died(account: Account) -> None:
    site, token, following = account.site(), account.token(), account.token()
    link = account.connected(site, token)
    assert not contradicted(link.check(2, secret(following)))
    account.delete(following)
    with raises(Rejected, "has the token that it had before"):
        link.connect(2, secret(following))
    assert account.now(site).holds(token.value)
    assert account.control.wordpress.cloud_status(site.name) == 200


def test_a_site_that_is_left_without_a_token_is_said(account: Account) -> None:
    site, token, following = account.site(), account.token(), account.token()
    link = account.connected(site, token)
    link.check(2, secret(following))
    account.delete(following)
    account.delete(token)
    with raises(Rejected, "is NOT connected now"):
        link.connect(2, secret(following))
    assert account.now(site).token == "absent"
    newest = account.token()
    assert "dropped after the cloud refused" in contradicted(link.observe(1, secret(token)))["stored token"]
    give(link, newest)


def test_a_site_that_had_none_is_left_without(account: Account) -> None:
    site, token = account.site(), account.token()
    link = account.link(site)
    link.check(1, secret(token))
    account.delete(token)
    with raises(Rejected, "is NOT connected now"):
        link.connect(1, secret(token))


def test_a_cloud_that_is_lost_in_the_middle_of_a_repair(account: Account) -> None:
    site, token, following = account.site(), account.token(), account.token()
    link = account.connected(site, token)
    plugin_meets(account, "status", status=401, body=BAD)
    plugin_meets(account, "status", skip=1, times=None, status=503, body=BAD)
    link.check(2, secret(following))
    with raises(Rejected, "is NOT connected now: SureCart's cloud answers 503"):
        link.connect(2, secret(following))
    account.control.clear_faults()
    give(link, following)


# --- replies that are lost --------------------------------------------------------------------------------------------


def test_a_lost_reply_to_a_write_that_was_done(account: Account) -> None:
    site, token, following = account.site(), account.token(), account.token()
    link = account.connected(site, token)
    account.faulty("drop_after", site, operation="surecart_settings_write")
    assert "connected" in give(link, following)


def test_a_lost_reply_to_a_write_that_was_not_done(account: Account) -> None:
    site, token, following = account.site(), account.token(), account.token()
    link = account.connected(site, token)
    account.faulty("drop_before", site, operation="surecart_settings_write")
    link.check(2, secret(following))
    with raises(UnclearOutcome, "reply to a change was lost"):
        link.connect(2, secret(following))
    assert account.now(site).holds(token.value)
    give(link, following)


def test_a_lost_reply_to_a_write_that_cost_the_token(account: Account) -> None:
    site, token, following = account.site(), account.token(), account.token()
    link = account.connected(site, token)
    plugin_meets(account, "status", status=401, body=BAD)
    account.faulty("drop_after", site, operation="surecart_settings_write")
    give(link, following)
    assert account.now(site).holds(following.value)


def test_a_lost_reply_of_the_site_health_proves_nothing(account: Account) -> None:
    site, token = account.site(), account.token()
    link = account.link(site)
    link.check(1, secret(token))
    link.connect(1, secret(token))
    before = account.control.last_seq()
    account.faulty("drop_after", site, operation="surecart_health", times=None)
    with raises(UnclearOutcome, "lost"):
        link.verify(1, secret(token))
    assert called(account, site, before).count("surecart_health") == 1


# --- what else a site can be like -------------------------------------------------------------------------------------


def test_a_token_of_somebody_else_stays_unless_it_is_adopted(account: Account) -> None:
    site, foreign, token = account.site(), account.foreign(), account.token()
    account.tools.ours[foreign.value] = 9
    account.connected(site, foreign)
    del account.tools.ours[foreign.value]
    with raises(Rejected, "none of ours"):
        account.link(site).connect(1, secret(token))
    assert account.now(site).holds(foreign.value)
    account.connected(site, token, adopt=True)
    assert account.now(site).holds(token.value)


def test_a_constant_overrides_what_is_stored(account: Account) -> None:
    token, constant = account.token(), account.token()
    site = account.site(surecart_api_token=constant.value)
    link = account.link(site)
    link.check(1, secret(token))
    with raises(Rejected, "SURECART_API_TOKEN in the site's wp-config.php overrides"):
        link.connect(1, secret(token))
    found = contradicted(link.observe(1, secret(token)))["stored token"]
    assert "the token of generation 2 is there" in found
    assert "SURECART_API_TOKEN" in found
    account.control.wordpress.change_settings(site.name, surecart_api_token="")
    give(link, token)


def test_a_constant_of_somebody_else_is_suspected(account: Account) -> None:
    token, foreign = account.token(), account.foreign()
    link = account.link(account.site(surecart_api_token=foreign.value))
    link.check(1, secret(token))
    with raises(Rejected, "may stand in the constant SURECART_API_TOKEN"):
        link.connect(1, secret(token))
    assert "none of ours" in contradicted(link.observe(1, secret(token)))["stored token"]


def test_changed_salts_look_like_no_token_and_are_healed_by_giving_it_again(account: Account) -> None:
    site, token = account.site(), account.token()
    link = account.connected(site, token)
    account.control.wordpress.change_settings(site.name, salts="others")
    assert "no longer readable" in contradicted(link.observe(1, secret(token)))["stored token"]
    account.control.wordpress.change_settings(site.name, salts="")
    assert not contradicted(link.observe(1, secret(token)))
    account.control.wordpress.change_settings(site.name, salts="others")
    give(link, token)


def test_a_plugin_of_another_cloud_drops_what_it_is_given(account: Account) -> None:
    site, token = account.site(), account.token()
    link = account.link(site)
    link.check(1, secret(token))
    link.connect(1, secret(token))
    plugin_meets(account, "status", skip=0, status=401, body=BAD)
    found = contradicted(link.verify(1, secret(token)))
    assert "SURECART_API_URL" in found["connected"]


def test_a_site_that_cannot_reach_the_cloud_is_not_acknowledged(account: Account) -> None:
    site, token = account.site(), account.token()
    link = account.link(site)
    link.check(1, secret(token))
    link.connect(1, secret(token))
    plugin_meets(account, "drop_before", skip=0, times=None)
    with raises(Transient, "its own call to the cloud fails"):
        link.verify(1, secret(token))
    assert account.now(site).holds(token.value)
    account.control.clear_faults()
    assert not contradicted(link.verify(1, secret(token)))


def test_a_cloud_in_trouble_stops_before_the_site_is_touched(account: Account) -> None:
    site, token = account.site(), account.token()
    link = account.link(site)
    account.control.surecart.change_account_settings(account.slug, rate_limited=True)
    with raises(RateLimited, "asks for rest"):
        link.check(1, secret(token))
    account.control.surecart.change_account_settings(account.slug, rate_limited=False, outage=True)
    with raises(Transient, "answers 503"):
        link.check(1, secret(token))
    account.control.surecart.change_account_settings(account.slug, outage=False)
    assert called(account, site) == []
    give(link, token)


# --- looking ----------------------------------------------------------------------------------------------------------


def test_a_look_never_makes_the_plugin_call_the_cloud(account: Account) -> None:
    site, token, foreign = account.site(), account.token(), account.foreign()
    link = account.connected(site, token)
    calls, before = len(account.control.wordpress.calls(site.name)), account.control.last_seq()
    shapes: dict[str, dict[str, Any]] = {
        "confirmed": {},
        "generation 2": {"surecart_api_token": account.token().value},
        "none of ours": {"surecart_api_token": foreign.value},
        "no longer readable": {"salts": "others"},
    }
    for words, settings in shapes.items():
        account.control.wordpress.change_settings(site.name, **({"surecart_api_token": "", "salts": ""} | settings))
        (found,) = link.observe(1, secret(token))
        assert found.verdict == ("confirmed" if words == "confirmed" else "contradicted")
        assert words in found.evidence or not settings
    account.delete(token)
    account.control.wordpress.change_settings(site.name, surecart_api_token="", salts="")
    # Dead at the cloud, and still stored: the look does not cost the site its copy, nor does it speak of it.
    assert link.observe(1, secret(token))[0].verdict == "confirmed"
    assert set(called(account, site, before)) == {"surecart_settings_read"}
    assert len(account.control.wordpress.calls(site.name)) == calls
    assert account.now(site).holds(token.value)


def test_an_emptied_token_is_told_from_a_dropped_one(account: Account) -> None:
    site, token = account.site(), account.token()
    link = account.connected(site, token)
    assert link.disconnect(secret(token)) != [""]
    assert contradicted(link.observe(1, secret(token))) == {"stored token": "the token was emptied"}
    account.connected(site, token)


def test_a_site_that_is_down_says_so(account: Account) -> None:
    site, token = account.site(), account.token()
    link = account.connected(site, token)
    account.faulty("drop_before", site, times=None)
    for act in (link.observe, link.connect, link.verify):
        with raises(Unreachable, "broke"):
            act(1, secret(token))


# --- one token on several sites ---------------------------------------------------------------------------------------


def test_three_sites_one_down_and_none_ever_without_its_token(account: Account) -> None:
    sites = [account.site() for _ in range(3)]
    token, following = account.token(), account.token()
    links = [account.connected(site, token) for site in sites]
    account.faulty("drop_before", sites[1], times=None)
    for link, site in zip(links, sites, strict=True):
        if site is sites[1]:
            with raises(Unreachable, "broke"):
                give(link, following, 2)
        else:
            give(link, following, 2)
    assert [account.now(site).holds(following.value) for site in sites] == [True, False, True]
    assert [account.control.wordpress.cloud_status(site.name) for site in sites] == [200, 200, 200]
    account.control.clear_faults()
    give(links[1], following, 2)
    # Only now the old one may go.
    account.delete(token)
    assert [account.control.wordpress.cloud_status(site.name) for site in sites] == [200, 200, 200]


def test_a_deleted_token_is_repaired_on_all_sites_by_a_new_one(account: Account) -> None:
    sites = [account.site() for _ in range(3)]
    token = account.token()
    links = [account.connected(site, token) for site in sites]
    account.delete(token)
    assert "recognised" in contradicted(account.issuer().verify(secret(token), {"rights": "all"}))
    newest = account.token()
    for link in links:
        give(link, newest, 2)
    assert all(account.now(site).holds(newest.value) for site in sites)


def test_each_link_has_the_place_of_its_site(account: Account) -> None:
    inputs = {"site": "https://Acme.example:443/blog", "account": account.slug}
    link = plugin_link(inputs, account.tools)
    assert (link.place, link.acknowledges) == ("SureCart plugin at https://acme.example/blog", "here")
