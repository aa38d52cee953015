"""Logging in to wp-admin without a browser, and out again (sheet woocommerce.md 4.1)."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.core.errors import PersonNeeded, Transient, Unauthorized, Unexpected
from providers.core.http import Origin, Session, Text
from providers.core.redaction import Secret
from providers.woocommerce import pages
from providers.woocommerce.pages import Landing

Login = Mapping[str, Secret]
"""`username` and `password` of the store's admin login."""

BROWSER: Mapping[str, str] = {"user-agent": "Mozilla/5.0 (compatible; store-connections/1)"}
"""An ordinary User-Agent: hosts turn others away from wp-admin (sheet 4)."""


class LoginBlocked(PersonNeeded):
    """The login cannot be passed without a person: two-factor, captcha, or a login page elsewhere."""


@dataclass(slots=True)
class Visit:
    """One logged-in period: its cookies, which end with `scope`, and the nonces that belong to it."""

    web: Session
    scope: contextlib.ExitStack
    nonces: dict[str, str] = field(default_factory=dict)
    logout_nonce: str = ""


def whole(login: Login | None, where: str) -> Login:
    """The login itself, or `PersonNeeded` where it lacks something or is not there."""
    if login is None or not {"username", "password"} <= login.keys():
        raise PersonNeeded(
            "there is no whole admin login for this store in Vault",
            do="Put `username` and `password` there, or declare `login: none`",
            where=where,
        )
    return login


def log_in(origin: Origin, login: Login) -> Visit:
    """A new session. `LoginBlocked` where the store wants more than the login, `Unauthorized` where it refuses it."""
    with contextlib.ExitStack() as scope:
        web = scope.enter_context(origin.session())
        _pass(web, login)
        return Visit(web, scope.pop_all())


def _pass(web: Session, login: Login) -> None:
    form: dict[str, Text] = {
        "log": login["username"],
        "pwd": login["password"],
        "wp-submit": "Log In",
        "redirect_to": f"{web.url}/wp-admin/",
        "testcookie": "1",
    }
    answer = web.request("GET", "/wp-login.php", headers=BROWSER, safe=True)
    if answer.status < 400:
        # Safe to repeat: a second login is one more session that nobody uses.
        answer = web.request("POST", "/wp-login.php", form=form, headers=BROWSER, safe=True)
    # The cookie tells, whatever page comes next: a refusal has status 200 (sheet 6, L7), and an administrator may be
    # asked to confirm a mail address first.
    if any(name.startswith("wordpress_logged_in_") for name in web.cookie_names()):
        return
    if answer.status >= 500:
        raise Transient(f"the store's login page answers {answer.status}", do="Try later", where=web.where)
    if answer.status == 200 and pages.login_refused(answer.text):
        raise Unauthorized(
            "the store refuses its admin login",
            do="Put the right `username` and `password` into Vault; where a captcha is asked for, declare `login: none`",
            where=web.where,
        )
    raise LoginBlocked(
        f"the admin login needs a person: the login page answers {answer.status} and gives no session "
        "(two-factor, captcha, or a login page elsewhere)",
        do="Let this service user log in without a second factor, or declare `login: none`: a person makes the keys then",
        where=web.where,
    )


def log_out(origin: Origin, visit: Visit) -> None:
    """End the session at the store; an error where the store does not say that it ended."""
    if not visit.logout_nonce:
        page = visit.web.request("GET", "/wp-admin/profile.php", headers=BROWSER, safe=True)
        visit.logout_nonce = pages.logout_nonce(page.text) if page.status == 200 else ""
    query = {"action": "logout", "_wpnonce": visit.logout_nonce}
    answer = visit.web.request("GET", "/wp-login.php", query=query, headers=BROWSER, safe=True)
    if pages.landing(answer.location) is not Landing.LOGGED_OUT:
        raise Unexpected("the log-out page does not log out", where=origin.where)
