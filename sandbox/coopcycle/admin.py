"""The pages: who gets in, and what their forms do (coopcycle.md section 2).

A login needs the token of its form, and so does a new app; the form that regenerates a secret has none (S2). Everything
sent to the page of an app makes new credentials (S6), so nothing there asks for a token either.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from functools import cached_property

from sandbox.coopcycle import pages
from sandbox.coopcycle.state import FORM_SCOPES, SHOP_SCOPE, TYPES, App, Draft, Instance, Instances, Session, User
from sandbox.exchange import Reply, VendorRequest

COOKIE = "PHPSESSID"
BAD_TOKEN = "The CSRF token is invalid. Please try to resubmit the form."
BAD_CHOICE = "The selected choice is invalid."
BLANK = "This value should not be blank."
CREATED = "The app was created."


@dataclass(frozen=True)
class Visit:
    """One request to the pages, with the session of its cookie."""

    instances: Instances
    instance: Instance
    request: VendorRequest
    path: str
    """Path below the server."""
    number: int
    """The number in the path; 0 where there is none."""

    @cached_property
    def token(self) -> str:
        """The value of the cookie; a new one for who has none."""
        return self.request.cookies.get(COOKIE, "") or secrets.token_hex(16)

    @cached_property
    def session(self) -> Session:
        """What the cookie stands for, or stood for when the request came."""
        admitted = self.request.admitted
        return admitted if isinstance(admitted, Session) else self.instances.session(self.instance, self.token)

    @property
    def user(self) -> User | None:
        """Who is logged in, all the way."""
        if self.session.username is None or self.session.two_factor_pending:
            return None
        return self.instance.user(self.session.username)

    def url(self, path: str) -> str:
        """An absolute URL, as the framework's login redirects have it."""
        return f"https://{self.request.headers.get('Host', 'localhost')}{self.instance.root}{path}"

    def csrf(self, purpose: str) -> str:
        """A new token for a form of this session: no two pages show the same one, and all are good."""
        nonce = secrets.token_urlsafe(24)
        return f"{nonce}.{self._csrf_mark(purpose, nonce)}"

    def csrf_is_good(self, purpose: str, given: str) -> bool:
        """Whether a form came with a token of this session."""
        nonce, _, mark = given.partition(".")
        return hmac.compare_digest(mark.encode("utf-8", "replace"), self._csrf_mark(purpose, nonce).encode())

    def _csrf_mark(self, purpose: str, nonce: str) -> str:
        key = self.instances.secret_key(self.instance, "csrf")
        return hmac.digest(key, f"{self.session.name} {purpose} {nonce}".encode("utf-8", "replace"), "sha256").hex()

    def page(self, text: str, status: int = 200) -> Reply:
        """A page; it brings the cookie to who has none."""
        headers = [
            ("Content-Type", "text/html; charset=UTF-8"),
            ("Cache-Control", "max-age=0, must-revalidate, private"),
        ]
        if COOKIE not in self.request.cookies:
            headers.append(self.cookie(self.token))
        return Reply(status, text.encode("utf-8", "replace"), headers)

    def cookie(self, value: str) -> tuple[str, str]:
        """The header that sets the cookie of the session."""
        return "Set-Cookie", f"{COOKIE}={value}; Path={self.instance.root}; Secure; HttpOnly; SameSite=Lax"

    def onward(self, path: str) -> Reply:
        """On to a page of the application's own, named by its absolute path."""
        return Reply(302, b"", [("Location", f"{self.instance.root}{path}"), ("Cache-Control", "no-cache, private")])

    def onward_from_login(self, path: str, *cookies: tuple[str, str]) -> Reply:
        """On to another page, named by its URL."""
        return Reply(302, b"", [("Location", self.url(path)), ("Cache-Control", "no-cache, private"), *cookies])

    def say(self, message: str) -> None:
        """Put something on the next page."""
        self.session.message = message
        self.instances.keep_session(self.session)

    def said(self) -> str:
        """What was to be put on the next page, once."""
        message, self.session.message = self.session.message, ""
        if message:
            self.instances.keep_session(self.session)
        return message


# --- in and out -----------------------------------------------------------------------------------------------------


def login_page(visit: Visit) -> Reply:
    """The form, with what the last try said."""
    return visit.page(pages.login(visit.instance, visit.csrf("authenticate"), visit.said()))


def log_in(visit: Visit) -> Reply:
    """A good name and password lead to the wanted page, or by way of `/2fa`; anything else leads back."""
    if visit.path != visit.instance.settings.login_check_path:
        return login_page(visit)
    form = visit.request.form
    if not visit.csrf_is_good("authenticate", form.get("_csrf_token", "")):
        return _back_to_login(visit, "Invalid CSRF token.")
    user = visit.instances.log_in(visit.instance, form.get("_username", ""), form.get("_password", ""))
    if user is None:
        return _back_to_login(visit, "Invalid credentials.")
    # Another session from here on: the old cookie gives nobody a way in.
    token = secrets.token_hex(16)
    session = visit.instances.session(visit.instance, token)
    session.username, session.two_factor_pending = user.username, user.two_factor
    session.target = visit.session.target
    visit.instances.end_session(visit.session)
    visit.instances.keep_session(session)
    path = "/2fa" if user.two_factor else session.target or "/profile/"
    return visit.onward_from_login(path, visit.cookie(token))


def _back_to_login(visit: Visit, message: str) -> Reply:
    visit.say(message)
    cookies = [] if COOKIE in visit.request.cookies else [visit.cookie(visit.token)]
    return visit.onward_from_login("/login", *cookies)


def two_factor_page(visit: Visit) -> Reply:
    """Asks for a code; leads away who need not be here."""
    if not visit.session.two_factor_pending:
        return visit.onward_from_login("/login")
    return visit.page(pages.two_factor(visit.instance, visit.csrf("two_factor"), visit.said()))


def two_factor_check(visit: Visit) -> Reply:
    """No code is right."""
    if not visit.session.two_factor_pending:
        return visit.onward_from_login("/login")
    visit.say("The verification code is not valid.")
    return visit.onward_from_login("/2fa")


def log_out(visit: Visit) -> Reply:
    """End the session."""
    visit.instances.end_session(visit.session)
    return visit.onward_from_login(
        "/", ("Set-Cookie", f"{COOKIE}=deleted; Path={visit.instance.root}; Max-Age=0; Secure")
    )


def home(visit: Visit) -> Reply:
    """What anybody sees."""
    return visit.page(pages.document("Home", f'<a href="{visit.instance.root}/login">Login</a>'))


def profile(visit: Visit) -> Reply:
    """Where a login leads that wanted no page."""
    if visit.user is None:
        return _to_login(visit)
    return visit.page(pages.framed(visit.instance, visit.user.username, "<p>Your account</p>"))


def admitted(visit: Visit) -> Reply | None:
    """None for an administrator; anybody else is sent away."""
    if visit.user is None:
        return _to_login(visit)
    if not visit.user.admin:
        return visit.page(pages.document("Forbidden", "<h1>Access Denied.</h1>"), 403)
    return None


def _to_login(visit: Visit) -> Reply:
    if visit.session.two_factor_pending:
        return visit.onward_from_login("/2fa")
    if visit.request.method == "GET":
        visit.session.target = visit.path
        visit.instances.keep_session(visit.session)
    cookies = [] if COOKIE in visit.request.cookies else [visit.cookie(visit.token)]
    return visit.onward_from_login("/login", *cookies)


# --- API apps -------------------------------------------------------------------------------------------------------


def dashboard(visit: Visit) -> Reply:
    """The first page of the administration."""
    return visit.page(
        pages.framed(visit.instance, "Administration", f'<a href="{visit.instance.root}{pages.APPS}">API</a>')
    )


def list_apps(visit: Visit) -> Reply:
    """All apps; a lag leaves the newest out."""
    apps = visit.instance.apps[: max(0, len(visit.instance.apps) - visit.request.list_lag)]
    return visit.page(pages.app_list(visit.instance, apps, visit.said()))


def regenerate(visit: Visit) -> Reply:
    """A new secret for a client, without a token of any form (S2, S8); an unknown client is a null dereference (S9)."""
    identifier = visit.request.form.get("oauth2_client")
    if identifier is None:
        return list_apps(visit)
    client = visit.instance.client(identifier)
    if client is None:
        return visit.page(pages.document("Error", "<h1>Oops! An Error Occurred</h1>"), 500)
    visit.instances.regenerate(visit.instance, client)
    if visit.instance.settings.regenerate_answer == "page":
        return list_apps(visit)
    return visit.onward(pages.APPS)


def new_page(visit: Visit) -> Reply:
    """The empty form."""
    return _form(visit, pages.Shown())


def create(visit: Visit) -> Reply:
    """A new app, if the token and the choices are good; the server does not hold scopes against the store (S12)."""
    draft = _draft(visit)
    if isinstance(draft, pages.Shown):
        return _form(visit, draft, visit.instance.settings.form_error_status)
    app = visit.instances.create_app(visit.instance, draft)
    visit.say(CREATED)
    return visit.onward(f"{pages.APPS}/{app.id}")


def app_page(visit: Visit) -> Reply:
    """The form of an app, its credentials in inputs that cannot be changed."""
    app = visit.instance.app(visit.number)
    if app is None:
        return not_found(visit)
    shown = _shown(visit.instance, app)
    csrf = visit.csrf("api_app")
    shop = app.shop is not None
    return visit.page(pages.app_form(visit.instance, csrf, shown, app, shop=shop, message=visit.said()))


def edit(visit: Visit) -> Reply:
    """The trap: whatever is sent, a new client or key is made (S6)."""
    app = visit.instance.app(visit.number)
    if app is None:
        return not_found(visit)
    kept = visit.instance.client_of(app).scopes
    sent = tuple(
        value for name, value in visit.request.form_pairs if name == "api_app[scopes][]" and value in FORM_SCOPES
    )
    visit.instances.edit_app(visit.instance, app, visit.request.form.get("api_app[name]") or app.name, sent or kept)
    return visit.onward(f"{pages.APPS}/{app.id}")


def shop_page(visit: Visit) -> Reply:
    """The form of a new app for a restaurant."""
    if visit.instance.restaurant(visit.number) is None:
        return not_found(visit)
    return _form(visit, pages.Shown(), shop=True)


def create_for_shop(visit: Visit) -> Reply:
    """A new app for a restaurant: of the fields only the name counts (S19)."""
    restaurant = visit.instance.restaurant(visit.number)
    if restaurant is None:
        return not_found(visit)
    errors = _token_errors(visit)
    name = visit.request.form.get("api_app[name]", "")
    if errors or not name:
        shown = pages.Shown(name=name, errors=errors or [BLANK])
        return _form(visit, shown, visit.instance.settings.form_error_status, shop=True)
    draft = Draft(name=name, scopes=(SHOP_SCOPE,), shop=restaurant.id)
    app = visit.instances.create_app(visit.instance, draft)
    visit.say(CREATED)
    return visit.onward(f"{pages.APPS}/{app.id}")


def not_found(visit: Visit) -> Reply:
    """No such page, or no such app."""
    return visit.page(pages.document("Not found", "<h1>Not found</h1>"), 404)


def wrong_method(visit: Visit) -> Reply:
    """A page that has no such method."""
    return visit.page(pages.document("Method not allowed", "<h1>Method not allowed</h1>"), 405)


def _form(visit: Visit, shown: pages.Shown, status: int = 200, *, shop: bool = False) -> Reply:
    text = pages.app_form(visit.instance, visit.csrf("api_app"), shown, None, shop=shop)
    return visit.page(text, status)


def _draft(visit: Visit) -> Draft | pages.Shown:
    """What the form asks for, or the form again with what is wrong."""
    form = visit.request.form
    name, app_type, store = (form.get(f"api_app[{field}]", "") for field in ("name", "type", "store"))
    scopes = tuple(value for field, value in visit.request.form_pairs if field == "api_app[scopes][]")
    errors = _token_errors(visit)
    if not name:
        errors.append(BLANK)
    if app_type not in TYPES:
        errors.append(BAD_CHOICE)
    if not set(scopes) <= set(FORM_SCOPES):
        errors.append(BAD_CHOICE)
    if store and not (store.isdecimal() and visit.instance.store(int(store))):
        errors.append(BAD_CHOICE)
    if errors:
        return pages.Shown(name, app_type, scopes, store, errors)
    values = {"name": name, "type": app_type, "scopes": scopes, "store": int(store) if store else None}
    return Draft.model_validate(values)


def _token_errors(visit: Visit) -> list[str]:
    return [] if visit.csrf_is_good("api_app", visit.request.form.get("api_app[_token]", "")) else [BAD_TOKEN]


def _shown(instance: Instance, app: App) -> pages.Shown:
    store = "" if app.store is None else str(app.store)
    return pages.Shown(app.name, app.type, instance.client_of(app).scopes, store)
