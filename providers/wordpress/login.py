"""Logging in to wp-admin without a browser, and out again (sheet woocommerce.md 4.1)."""

from providers.core.admin_session import BROWSER, Login, LoginBlocked, Visit
from providers.core.errors import Transient, Unauthorized, Unexpected
from providers.core.http import Session, Text
from providers.wordpress import pages


class WordPressDoor:
    """Implements `Door`. `otherwise` says what helps where a login needs a person, `captcha` what does where the login page
    refuses it for want of a captcha."""

    def __init__(self, otherwise: str, captcha: str = "") -> None:
        self._otherwise, self._captcha = otherwise, captcha

    def enter(self, web: Session, login: Login) -> None:
        """Log in; the cookie tells whether that went well."""
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
                do=f"Put the right `username` and `password` into Vault{self._captcha}",
                where=web.where,
            )
        raise LoginBlocked(
            f"the admin login needs a person: the login page answers {answer.status} and gives no session "
            "(two-factor, captcha, or a login page elsewhere)",
            do=f"Let this service user log in without a second factor, or {self._otherwise}",
            where=web.where,
        )

    def leave(self, visit: Visit) -> None:
        """Log out, by the nonce of a page seen before or of one asked for now."""
        web = visit.web
        if not visit.logout_nonce:
            page = web.request("GET", "/wp-admin/profile.php", headers=BROWSER, safe=True)
            visit.logout_nonce = pages.logout_nonce(page.text) if page.status == 200 else ""
        query = {"action": "logout", "_wpnonce": visit.logout_nonce}
        answer = web.request("GET", "/wp-login.php", query=query, headers=BROWSER, safe=True)
        if not pages.LOGGED_OUT.is_it(answer.location):
            raise Unexpected("the log-out page does not log out", where=web.where)
