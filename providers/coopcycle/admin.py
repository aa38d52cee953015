"""Apps through the administration's forms: no API makes, lists or ends them (sheet coopcycle.md 0 and 2).

`/admin/api/apps/{id}` is only ever read: whatever is saved there makes new credentials and leaves the old ones behind, half
working (the edit trap).
"""

from collections.abc import Callable, Sequence

from providers.coopcycle import pages
from providers.coopcycle.pages import AppForm, AppPage, Landing, Row
from providers.core.admin_session import BROWSER, AdminSession, Login, LoginBlocked, SessionLost, Visit
from providers.core.errors import Forbidden, Rejected, Transient, Unauthorized, UnclearOutcome, Unexpected
from providers.core.http import Answer, Origin, Pairs, Session, Text, segment
from providers.core.redaction import Secret

APPS = "/admin/api/apps"
ANOTHER_USER = "Give the server an administrator for this product alone, without a second factor, and put it into Vault"
WITHOUT_LOGIN = f"Put `username` and `password` of an administrator there. {ANOTHER_USER}"


class CoopCycleDoor:
    """Implements `Door`: the login form with its token, and a second factor that only a person passes (S1)."""

    def enter(self, web: Session, login: Login) -> None:
        """Log in. Whether the user is an administrator shows at the first page."""
        page = web.request("GET", "/login", headers=BROWSER, safe=True)
        if page.status >= 500:
            raise Transient(f"the server's login page answers {page.status}", do="Try later", where=web.where)
        form = pages.login_form(page.text)
        sent: dict[str, Text] = {
            "_username": login["username"],
            "_password": login["password"],
            "_csrf_token": form.token,
        }
        # Safe to repeat: a second login is one more session that nobody uses.
        answer = web.request("POST", form.path, form=sent, headers=BROWSER, safe=True)
        if answer.status >= 500:
            raise Transient(f"the server's login answers {answer.status}", do="Try later", where=web.where)
        match pages.landing(answer.location):
            case Landing.SECOND_FACTOR:
                raise second_factor(web.where)
            case Landing.ELSEWHERE if 300 <= answer.status < 400:
                return
        raise Unauthorized(
            "the server refuses its admin login",
            do="Put the right `username` and `password` into Vault",
            where=web.where,
        )

    def leave(self, visit: Visit) -> None:
        """Log out."""
        answer = visit.web.request("GET", "/logout", headers=BROWSER, safe=True)
        if not 300 <= answer.status < 400:
            raise Unexpected("the log-out page does not log out", where=visit.web.where)


def second_factor(where: str) -> LoginBlocked:
    """What is said where the server asks the admin for a second factor."""
    return LoginBlocked(
        "the admin login needs a person: the server asks for a second factor (2FA)", do=ANOTHER_USER, where=where
    )


class Admin:
    """What an admin login can do with the apps of one server. `login` and `now` are as for `AdminSession`."""

    def __init__(self, origin: Origin, login: Callable[[], Login | None], now: Callable[[], float]) -> None:
        self.session = AdminSession(origin, CoopCycleDoor(), login, now, WITHOUT_LOGIN)
        self._where = origin.where

    # --- looking ------------------------------------------------------------------------------------------------------

    def rows(self) -> tuple[Row, ...]:
        """Every app."""
        return pages.rows(self._read(APPS, "list apps").text)

    def app(self, app_id: str) -> AppPage | None:
        """One app, or None where there is none."""
        path = f"{APPS}/{segment(app_id)}"
        answer = self.session.use(lambda visit: self._page(visit, "GET", path))
        if answer.status == 404:
            return None
        return pages.app_page(self._shown(answer, "show an app").text, app_id)

    def form(self) -> AppForm:
        """The form that makes an app, with the stores that there are."""
        return self.session.use(self._form)

    # --- making and ending --------------------------------------------------------------------------------------------

    def create(self, check: Callable[[AppForm], Sequence[tuple[str, str]]]) -> str:
        """Make an app and give its number. `check` gets the form and gives what is sent, or raises what is wrong.

        `Rejected` only where the server surely has none; `UnclearOutcome` where it may.
        """

        def ask(visit: Visit) -> Answer:
            # The token belongs to the session: both are of one visit.
            form = self._form(visit)
            sent = [*check(form), ("api_app[_token]", form.token)]
            return self._page(visit, "POST", f"{APPS}/new", form=sent, safe=False)

        answer = self.session.use(ask)
        if 300 <= answer.status < 400 and (number := pages.app_id(answer.location)):
            return number
        if answer.status in {200, 422} and pages.is_app_form(answer.text):
            raise Rejected(
                "the server shows the form again instead of making the app",
                do="See on its page what it wants: its version may ask for more than is known",
                where=self._where,
            )
        if answer.status in {400, 401, 403, 404, 405, 413}:
            raise Forbidden(f"the server answers {answer.status} to a new app, and made none", where=self._where)
        raise UnclearOutcome(f"the server's answer ({answer.status}) does not say which app it made", where=self._where)

    def regenerate(self, identifier: Secret) -> int:
        """Have the secret of a client replaced (no token is asked for, S2); the answer's status, which says nothing: the
        caller reads back."""
        form: Pairs = {"oauth2_client": identifier}
        return self.session.use(lambda visit: self._page(visit, "POST", APPS, form=form, safe=False)).status

    # --- pages --------------------------------------------------------------------------------------------------------

    def _form(self, visit: Visit) -> AppForm:
        return pages.app_form(self._shown(self._page(visit, "GET", f"{APPS}/new"), "make apps").text)

    def _read(self, path: str, act: str) -> Answer:
        return self._shown(self.session.use(lambda visit: self._page(visit, "GET", path)), act)

    def _page(self, visit: Visit, method: str, path: str, form: Pairs | None = None, safe: bool = True) -> Answer:
        """A page, or what the door before it says. Whoever is led to it asked for nothing that was carried out."""
        answer = visit.web.request(method, path, form=form, headers=BROWSER, safe=safe)
        if 300 <= answer.status < 400:
            match pages.landing(answer.location):
                case Landing.LOGIN:
                    raise SessionLost
                case Landing.SECOND_FACTOR:
                    raise second_factor(self._where)
        return answer

    def _shown(self, answer: Answer, act: str) -> Answer:
        if answer.status == 200:
            return answer
        if answer.status == 403:
            raise Forbidden(f"the admin login may not {act}", do="Give its user the role ROLE_ADMIN", where=self._where)
        if answer.status >= 500:
            raise Transient(
                f"the server answers {answer.status} where it is to {act}", do="Try later", where=self._where
            )
        raise Unexpected(f"the server answers {answer.status} where it is to {act}", where=self._where)
