"""The administration's door: the login form, a second factor, sessions that end, and users who may not enter."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from providers.coopcycle import server as servers
from providers.core import admin_session
from providers.core.admin_session import LoginBlocked
from providers.core.contract import Selector
from providers.core.errors import ConnectionsError, Forbidden, PersonNeeded, Transient, Unauthorized, Unexpected
from tests.coopcycle.conftest import DECLARED, Coop, order

ALL = Selector("")


def test_one_login_serves_all_connections_of_a_server(coop: Coop) -> None:
    issuers = [coop.issuer() for _ in range(6)]
    together = threading.Barrier(6)

    def look(number: int) -> int:
        together.wait(10)
        return len(issuers[number].find(ALL))

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(look, range(6))) == [0] * 6
    assert coop.count("coop_login") == 1
    issuers[0].close()
    assert coop.count("coop_logout") == 1
    assert coop.control.coopcycle.end_sessions(coop.name) == 0


@pytest.mark.parametrize("path", ["/login_check", "/login"])
def test_the_form_is_sent_where_the_page_says(coop: Coop, path: str) -> None:
    coop.settings(login_check_path=path)
    assert coop.issuer().find(ALL) == []


def test_a_second_factor_is_said_in_words(coop: Coop) -> None:
    coop.log_in_as("careful")
    issuer = coop.issuer()
    with pytest.raises(LoginBlocked, match=r"second factor \(2FA\)") as raised:
        issuer.issue(order())
    assert "administrator for this product alone, without a second factor" in raised.value.do
    assert raised.value.exit_code == 4
    # It is not tried again and again, lest somebody is locked out.
    with pytest.raises(PersonNeeded):
        issuer.find(ALL)
    assert coop.count("coop_login") == 1
    # What needs no admin goes on.
    assert issuer.control().verdict == "confirmed"


def test_a_second_factor_asked_for_later_is_said_too(coop: Coop) -> None:
    issuer = coop.issuer()
    issuer.find(ALL)
    coop.fault("status", "coop_list_apps", status=302, headers={"location": f"{coop.url}/2fa"})
    with pytest.raises(LoginBlocked, match="second factor"):
        issuer.find(ALL)


def test_a_wrong_password_is_tried_once(coop: Coop, monkeypatch: pytest.MonkeyPatch) -> None:
    coop.log_in_as("robot", "wrong")
    for _ in range(3):
        with pytest.raises(Unauthorized, match="refuses its admin login") as raised:
            coop.issuer().find(ALL)
        assert "wrong" not in str(raised.value)
    assert coop.count("coop_login") == 1
    monkeypatch.setattr(admin_session, "REFUSAL_KEPT", 0.0)
    servers.close()
    coop.log_in_as("robot")
    assert coop.issuer().find(ALL) == []


def test_without_a_login_a_person_is_asked(coop: Coop) -> None:
    coop.tools.logins.clear()
    with pytest.raises(PersonNeeded, match="no whole admin login") as raised:
        coop.issuer().find(ALL)
    assert "administrator" in raised.value.do


def test_a_user_without_the_role_is_told(coop: Coop) -> None:
    coop.log_in_as("courier")
    for act in ACTS.values():
        with pytest.raises(Forbidden, match="may not") as raised:
            act(coop)
        assert "ROLE_ADMIN" in raised.value.do


ACTS: dict[str, Callable[[Coop], Any]] = {
    "list": lambda coop: coop.issuer().find(ALL),
    "make": lambda coop: coop.issuer().issue(order()),
    "look": lambda coop: coop.issuer().server.admin.app("1"),
}


@pytest.mark.parametrize("act", [*ACTS, "end"])
def test_a_lost_session_is_begun_again_once(coop: Coop, act: str) -> None:
    issuer = coop.issuer()
    issued = issuer.issue(order())
    coop.control.coopcycle.end_sessions(coop.name)
    if act == "end":
        issuer.revoke(issued.key_id, issued.secret)
    else:
        ACTS[act](coop)
    assert coop.count("coop_login") == 2
    assert len(coop.apps()) == (2 if act == "make" else 1)


def test_a_session_lost_between_form_and_save_makes_one_app(coop: Coop) -> None:
    coop.fault("status", "coop_create_app", status=302, headers={"location": f"{coop.url}/login"})
    coop.issuer().issue(order())
    assert len(coop.apps()) == 1


def test_a_session_that_is_never_kept_is_said(coop: Coop) -> None:
    coop.fault("status", "coop_list_apps", status=302, headers={"location": "/login"}, times=None)
    with pytest.raises(Unauthorized, match="does not keep our admin session"):
        coop.issuer().find(ALL)


@pytest.mark.parametrize("operation", ["coop_login_page", "coop_login"])
def test_a_server_that_is_down_is_not_waited_for_by_each_connection(coop: Coop, operation: str) -> None:
    coop.fault("status", operation, status=500, times=None)
    for _ in range(2):
        with pytest.raises(Transient, match="login"):
            coop.issuer().find(ALL)
    assert coop.count(operation) == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(200, "<html><form><input name='_username'></form></html>", Unexpected), (404, "<p>nothing</p>", Unexpected)],
)
def test_another_login_page_gets_no_password(coop: Coop, status: int, body: str, error: type[ConnectionsError]) -> None:
    coop.fault("status", "coop_login_page", status=status, body=body)
    with pytest.raises(error, match="no form for username and password"):
        coop.issuer().find(ALL)
    assert coop.count("coop_login") == 0


def test_a_log_out_that_fails_is_told_and_forgotten(coop: Coop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    coop.issuer().find(ALL)
    coop.fault("status", "coop_logout", status=500)
    servers.close()
    servers.close()
    assert "could not be logged out" in caplog.text


def test_idle_sessions_are_logged_out(coop: Coop, monkeypatch: pytest.MonkeyPatch) -> None:
    coop.issuer().find(ALL)
    monkeypatch.setattr(servers, "IDLE", -1.0)
    coop.issuer()
    assert coop.count("coop_logout") == 1


def test_without_a_login_the_proof_says_what_it_could_not_see(coop: Coop) -> None:
    issued = coop.issuer().issue(order())
    servers.close()
    coop.tools.logins.clear()
    findings = {finding.check: finding for finding in coop.issuer().verify(issued.secret, DECLARED)}
    neighbour = findings.pop("neighbour refused")
    assert neighbour.verdict == "unverifiable"
    assert "which stores there are is not known: there is no whole admin login" in neighbour.evidence
    assert {finding.verdict for finding in findings.values()} == {"confirmed"}
