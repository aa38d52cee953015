"""wp-admin sessions: logging in, what stands in the way, losing the session, and sharing it."""

import logging
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from providers.core import admin_session as sessions
from providers.core.admin_session import LoginBlocked
from providers.core.contract import Selector
from providers.core.errors import ConnectionsError, Forbidden, PersonNeeded, StoreError, Transient, Unauthorized
from providers.core.redaction import Secret
from providers.woocommerce import store as stores
from providers.woocommerce.issuer import BY_FORM, BY_PERSON
from tests.woocommerce.conftest import PASSWORD, MakeShop, Shop, order

ALL = Selector("")


def test_one_login_serves_all_connections_of_a_store(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuers = [shop.issuer() for _ in range(8)]
    together = threading.Barrier(8)

    def look(number: int) -> int:
        together.wait(10)
        return len(issuers[number].find(ALL))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(look, range(8))) == [1] * 8
    assert shop.count("login") == 1
    # All asked before the second listing began, so it served whoever missed the first.
    assert shop.count("list_keys") <= 2


def test_a_recent_listing_serves_who_needs_no_fresh_one(make_shop: MakeShop) -> None:
    shop = make_shop()
    one, two = shop.issuer(), shop.issuer()
    one.find(ALL)
    two.find(ALL, fresh=False)
    assert shop.count("list_keys") == 1
    one.issue(order())
    assert len(two.find(ALL, fresh=False)) == 2
    assert shop.count("list_keys") == 2


def test_logging_out_ends_the_session_at_the_store(shop: Shop) -> None:
    issuer = shop.issuer()
    issuer.find(ALL)
    issuer.close()
    assert shop.count("logout") == 1
    assert shop.control.end_sessions(shop.name) == 0
    issuer.close()
    issuer.find(ALL)
    assert shop.count("login") == 2
    stores.close()
    stores.close()
    assert shop.control.end_sessions(shop.name) == 0


def test_logging_out_needs_no_page_seen_before(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    issuer.store.session.enter()
    issuer.close()
    assert shop.control.end_sessions(shop.name) == 0


def test_a_session_that_cannot_be_logged_out_is_told_and_forgotten(
    make_shop: MakeShop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    shop = make_shop()
    issuer = shop.issuer()
    issuer.find(ALL)
    shop.control.end_sessions(shop.name)
    issuer.close()
    assert "could not be logged out" in caplog.text
    assert len(issuer.find(ALL)) == 1


def test_idle_sessions_are_logged_out(make_shop: MakeShop, monkeypatch: pytest.MonkeyPatch) -> None:
    idle, other = make_shop(), make_shop()
    idle.issuer().find(ALL)
    monkeypatch.setattr(stores, "IDLE", -1.0)
    other.issuer()
    assert idle.count("logout") == 1


Act = Callable[[Shop], object]
ACTS: dict[str, Act] = {
    "find": lambda shop: shop.issuer().find(ALL),
    "issue": lambda shop: shop.issuer().issue(order(number=2)),
    "revise": lambda shop: shop.issuer().revise(str(ours(shop)), order(purpose="other")),
    "revoke": lambda shop: shop.issuer().revoke(str(ours(shop))),
    "control": lambda shop: shop.issuer().control(),
}


def ours(shop: Shop) -> int:
    return next(row.key_id for row in shop.control.keys(shop.name) if "acme:test:" in row.description)


@pytest.mark.parametrize("act", ACTS)
def test_a_lost_session_is_begun_again_once(shop: Shop, act: str) -> None:
    issuer = shop.issuer()
    issuer.issue(order())
    assert issuer.control().verdict == "confirmed"
    shop.control.end_sessions(shop.name)
    ACTS[act](shop)
    assert shop.count("login") == 2


@pytest.mark.parametrize("act", ["issue", "revise", "revoke", "control"])
def test_stale_nonces_are_fetched_anew(shop: Shop, act: str) -> None:
    issuer = shop.issuer()
    issuer.issue(order())
    issuer.control()
    shop.settings(nonce_salt="tomorrow")
    ACTS[act](shop)
    assert issuer.control().verdict == "confirmed"
    assert shop.count("login") == 1


def test_many_threads_that_lost_the_session_log_in_once(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    issuer.find(ALL)
    shop.control.end_sessions(shop.name)
    together = threading.Barrier(6)
    shop.settings(latency=0.05)

    def look(_: int) -> None:
        together.wait(10)
        issuer.find(ALL)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(look, range(6)))
    assert shop.count("login") == 2


# --- what stands in the way -------------------------------------------------------------------------------------------


def test_a_wrong_password_is_said_and_not_tried_again(shop: Shop) -> None:
    shop.log_in_as("connector", "wrong-pass-word")
    issuer = shop.issuer()
    # The store's own trouble shows where it is used: what it could do is not in doubt.
    assert issuer.capabilities == BY_FORM
    for _ in range(3):
        with pytest.raises(Unauthorized, match="refuses its admin login") as raised:
            issuer.find(ALL)
        assert "wrong-pass-word" not in "".join(traceback.format_exception(raised.value))
    assert shop.count("login") == 1


@pytest.mark.parametrize("operation", ["login_page", "rest_index"])
def test_a_store_that_does_not_answer_is_not_waited_for_by_each_connection(make_shop: MakeShop, operation: str) -> None:
    shop = make_shop()
    shop.fault("status", operation, status=500, times=None)
    for _ in range(3):
        with pytest.raises(Transient):
            shop.issuer().find(ALL) if operation == "login_page" else shop.issuer().facts()
    assert shop.count(operation) == 1


def test_a_refusal_is_forgotten_after_a_while(make_shop: MakeShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "REFUSAL_KEPT", 0.0)
    shop = make_shop()
    shop.log_in_as("connector", "wrong")
    with pytest.raises(Unauthorized):
        shop.issuer().find(ALL)
    shop.log_in_as("connector")
    assert len(shop.issuer().find(ALL)) == 1


def test_a_login_that_needs_a_person_is_recognised(shop: Shop) -> None:
    shop.settings(two_factor=True)
    issuer = shop.issuer()
    unknown = {"consumer_key": Secret("ck_" + "0" * 40), "consumer_secret": Secret("cs_" + "0" * 40)}
    for act in (
        lambda: issuer.find(ALL),
        lambda: issuer.issue(order()),
        lambda: issuer.revise("1", order()),
        lambda: issuer.revoke("1"),
        # What the store said of itself before is kept, and not overwritten with less.
        issuer.facts,
        # A key that the API does not know is looked for in the list, and not taken for dead without it.
        lambda: issuer.verify(unknown, {"rights": "read"}),
    ):
        with pytest.raises(LoginBlocked, match="needs a person") as raised:
            act()
        assert "without a second factor, or declare `login: none`" in raised.value.do
    control = issuer.control()
    assert (control.verdict, "needs a person" in control.evidence) == ("unverifiable", True)
    assert shop.count("login") == 1


def test_who_makes_the_keys_is_declared_and_never_asked_of_the_login_page(
    make_shop: MakeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "REFUSAL_KEPT", 0.0)
    shop = make_shop()
    issuer = shop.issuer()
    assert issuer.capabilities == BY_FORM
    assert shop.issuer(login="none").capabilities == BY_PERSON
    assert (shop.count("login_page"), shop.count("login")) == (0, 0)
    # A challenge in front of the login page, that passes again.
    shop.fault("status", "login_page", status=403, times=1)
    with pytest.raises(LoginBlocked):
        issuer.find(ALL)
    assert issuer.capabilities == BY_FORM
    assert len(issuer.find(ALL)) == 1


def test_a_captcha_looks_like_a_wrong_password_and_the_advice_says_so(shop: Shop) -> None:
    shop.settings(captcha=True)
    with pytest.raises(Unauthorized) as raised:
        shop.issuer().find(ALL)
    assert "captcha" in raised.value.do


def test_no_login_in_vault_is_a_persons_step(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.tools.logins.clear()
    with pytest.raises(PersonNeeded, match="no whole admin login"):
        shop.issuer().find(ALL)
    shop.log_in_as("connector")
    ((place, login),) = shop.tools.logins.items()
    shop.tools.logins[place] = {"username": login["username"]}
    with pytest.raises(PersonNeeded, match="no whole admin login"):
        shop.issuer().find(ALL)


def test_a_site_with_cookies_for_https_alone_lets_us_in(shop: Shop) -> None:
    shop.settings(secure_cookie_name=True)
    assert len(shop.issuer().find(ALL)) == 1


def test_confirming_a_mail_address_can_wait(shop: Shop) -> None:
    shop.settings(confirm_admin_email=True)
    assert len(shop.issuer().find(ALL)) == 1


def test_the_wizard_is_passed_by_asking_again(shop: Shop) -> None:
    shop.settings(wizard_pending=True)
    assert len(shop.issuer().find(ALL)) == 1


def test_a_database_upgrade_is_a_persons(shop: Shop) -> None:
    shop.settings(database_upgrade_pending=True)
    with pytest.raises(StoreError, match="database upgrade"):
        shop.issuer().find(ALL)


def test_a_role_that_is_too_weak_is_said(shop: Shop) -> None:
    shop.log_in_as("buyer")
    with pytest.raises(Forbidden, match="manage_woocommerce"):
        shop.issuer().issue(order(user="robot"))


def test_nothing_secret_is_told(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    issuer = shop.issuer()
    issued = issuer.issue(order())
    issuer.verify(issued.secret, {"rights": "read"})
    told = [repr(issued), repr(issuer.find(ALL)), repr(issuer.verify(issued.secret, {"rights": "write"}))]
    shop.settings(database_upgrade_pending=True)
    for act in ACTS.values():
        try:
            act(shop)
        except ConnectionsError as error:
            told.append("".join(traceback.format_exception(error)) + str(error))
    issuer.close()
    everything = "\n".join([*told, caplog.text])
    assert "/wp-login.php" in caplog.text
    for value in (PASSWORD, *(secret.reveal() for secret in issued.secret.values())):
        assert value not in everything
