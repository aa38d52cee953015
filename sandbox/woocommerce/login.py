"""wp-login.php: in, out, and the plugins that stand in the way (sheet 4.1)."""

from __future__ import annotations

from html import escape

from sandbox.exchange import Reply, UnknownInSheetError
from sandbox.woocommerce.pages import hidden, login_frame, logout_url
from sandbox.woocommerce.replies import died, html, redirect
from sandbox.woocommerce.state import User
from sandbox.woocommerce.visit import TEST_COOKIE, TEST_COOKIE_VALUE, Visit


def answer(visit: Visit) -> Reply:
    """Any request to wp-login.php."""
    action = visit.request.either("action") or "login"
    if action == "login":
        return _log_in(visit) if visit.request.method == "POST" else _with_test_cookie(visit, _login_page(visit))
    if action == "logout":
        return _log_out(visit)
    if action == "confirm_admin_email":
        return _confirm_admin_email(visit)
    if action == "validate_2fa":
        return _two_factor_page(visit, visit.text("code_wrong"))
    raise UnknownInSheetError(f"wp-login.php with action {action!r}")


def _with_test_cookie(visit: Visit, reply: Reply) -> Reply:
    reply.headers.append(visit.set_cookie(TEST_COOKIE, TEST_COOKIE_VALUE.replace(" ", "%20"), f"{visit.home_path}/"))
    return reply


def _login_page(visit: Visit, error: str = "") -> Reply:
    text, request = visit.text, visit.request
    target = request.either("redirect_to") or visit.admin_url()
    message = text("logged_out") if request.query.get("loggedout") else ""
    captcha = ""
    if visit.settings.captcha:
        captcha = (
            f'<p><label for="captcha_code">{text("captcha")}</label><img src="{visit.home_path}/captcha.png" alt="" />'
            '<input type="text" name="captcha_code" id="captcha_code" value="" /></p>'
        )
    form = f"""<form name="loginform" id="loginform" action="{escape(visit.home)}/wp-login.php" method="post">
<p><label for="user_login">{text("username")}</label>
<input type="text" name="log" id="user_login" class="input" value="{escape(request.form.get("log", ""))}" size="20" /></p>
<div class="user-pass-wrap"><label for="user_pass">{text("password")}</label>
<input type="password" name="pwd" id="user_pass" class="input password-input" value="" size="20" /></div>
{captcha}
<p class="forgetmenot"><input name="rememberme" type="checkbox" id="rememberme" value="forever" />
<label for="rememberme">{text("remember_me")}</label></p>
<p class="submit"><input type="submit" name="wp-submit" id="wp-submit" class="button" value="{text("log_in")}" />
{hidden("redirect_to", target)}
{hidden("testcookie", "1")}</p>
</form>"""
    return login_frame(visit, form, error, message)


def _log_in(visit: Visit) -> Reply:
    user, error = _check_credentials(visit)
    if user is None:
        return _with_test_cookie(visit, _login_page(visit, error))
    if visit.settings.two_factor:
        return _two_factor_page(visit)
    session = visit.state.open_session(visit.store, user)
    cookies = visit.session_cookies(session)
    target = _safe_target(visit, user)
    if visit.settings.confirm_admin_email and user.role == "administrator":
        target = f"{visit.home}/wp-login.php?redirect_to={target}&action=confirm_admin_email"
    return _with_test_cookie(visit, redirect(target, cookies))


def _check_credentials(visit: Visit) -> tuple[User | None, str]:
    """The user, or the words why not."""
    form, settings = visit.request.form, visit.settings
    login, password = form.get("log", ""), form.get("pwd", "")
    if settings.login_limit and visit.store.failed_logins >= settings.login_limit:
        return None, visit.text("too_many_logins")
    if form.get("testcookie") and visit.request.cookies.get(TEST_COOKIE) != TEST_COOKIE_VALUE:
        return None, visit.text("cookies_blocked")
    if not login or not password:
        return None, visit.text("empty_login")
    if settings.captcha:
        # No answer is ever right: only a person could give one.
        return None, visit.text("captcha_wrong")
    user = visit.state.user_by_login(visit.store, login)
    if user is None:
        visit.state.count_failed_login(visit.store)
        return None, visit.text("wrong_username", login=login)
    if not visit.state.password_is_right(visit.store, user, password):
        visit.state.count_failed_login(visit.store)
        return None, visit.text("wrong_password", login=login)
    return user, ""


def _safe_target(visit: Visit, user: User) -> str:
    """Where a good login leads: what was asked for, if it is on this site; a customer to the profile."""
    asked = visit.request.form.get("redirect_to", "")
    admin = visit.admin_url()
    on_this_site = asked.startswith((f"{visit.home}/", f"{visit.home_path}/"))
    target = asked if on_this_site else admin
    if target in {admin, f"{visit.home_path}/wp-admin/"} and not user.manages_woocommerce:
        return visit.admin_url("profile.php")
    return target


def _two_factor_page(visit: Visit, error: str = "") -> Reply:
    """A page that asks for a code, 200, and no cookies."""
    form = f"""<form name="validate_2fa_form" id="loginform" action="{escape(visit.home)}/wp-login.php?action=validate_2fa"
method="post" autocomplete="off">
{hidden("provider", "Two_Factor_Totp")}
<p>{visit.text("two_factor")}</p>
<p><label for="authcode">{visit.text("verify")}</label>
<input type="tel" name="authcode" id="authcode" class="input authcode" value="" size="20" pattern="[0-9]*" /></p>
<p class="submit"><input type="submit" id="submit" class="button" value="{visit.text("verify")}" /></p>
</form>"""
    return login_frame(visit, form, error)


def _confirm_admin_email(visit: Visit) -> Reply:
    """The detour after a login; the session exists already (sheet 4.1, from source)."""
    session = visit.front_session
    if session is None:
        return redirect(f"{visit.home}/wp-login.php")
    target = visit.request.query.get("redirect_to") or visit.admin_url()
    form = f"""<form class="admin-email-confirm-form" name="admin-email-confirm-form" method="post"
action="{escape(visit.home)}/wp-login.php?action=confirm_admin_email">
<h1 class="admin-email__heading">{visit.text("confirm_email")}</h1>
{hidden("confirm_admin_email_nonce", visit.nonce("confirm_admin_email", session), "confirm_admin_email_nonce")}
{hidden("redirect_to", target)}
<input type="submit" name="correct-admin-email" class="button button-primary" value="{visit.text("email_correct")}" />
</form>"""
    return login_frame(visit, form)


def _log_out(visit: Visit) -> Reply:
    session = visit.front_session
    if not visit.nonce_is_good(visit.request.query.get("_wpnonce", ""), "log-out", session):
        if session is None:
            return died(visit.text("link_expired"), 403, visit.text("html_lang"))
        question = (
            f'<p>{visit.text("logout_question")} <a href="{escape(logout_url(visit, session))}">'
            f"{visit.text('log_out')}</a></p>"
        )
        return html(f'<!DOCTYPE html>\n<html><body id="error-page">{question}</body></html>\n', 403)
    if session is not None:
        visit.state.close_session(visit.store, session)
    expired = [
        ("Set-Cookie", f"{name}=%20; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; path={path}")
        for name, path in (
            (visit.admin_cookie, f"{visit.home_path}/wp-admin"),
            (visit.admin_cookie, f"{visit.home_path}/wp-content/plugins"),
            (visit.logged_in_cookie, f"{visit.home_path}/"),
        )
    ]
    return redirect(f"{visit.home}/wp-login.php?loggedout=true&wp_lang={visit.text('locale').lower()}", expired)
