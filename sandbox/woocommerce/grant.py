"""Way B: the grant page, where a person approves and the store posts the key (sheet 9)."""

from __future__ import annotations

import ipaddress
import json
from html import escape
from urllib.parse import urlencode, urlsplit

from sandbox.exchange import Reply, UnknownInSheetError
from sandbox.vendor import Call
from sandbox.woocommerce.descriptions import normalise
from sandbox.woocommerce.pages import front_page, hidden, link
from sandbox.woocommerce.replies import died, html, redirect
from sandbox.woocommerce.state import PERMISSIONS, Session, new_pair
from sandbox.woocommerce.visit import Visit

ROUTE = "/wc-auth/v1/"
PARAMETERS = ("app_name", "user_id", "return_url", "callback_url", "scope")


class DeniedError(Exception):
    """401 "Access denied"."""


async def answer(visit: Visit, call: Call) -> Reply:
    """Any request below wc-auth/v1."""
    step = visit.request.path.removeprefix(ROUTE)
    try:
        _check_parameters(visit)
        if step == "login":
            return _log_in(visit)
        session = visit.front_session
        if session is None:
            return redirect(f"{visit.home}{ROUTE}login?{_parameters(visit)}")
        if not session.user.manages_woocommerce:
            raise UnknownInSheetError("the grant page for a user without `manage_woocommerce`")
        if step == "authorize":
            return _authorize(visit, session)
        if step == "access_granted":
            return await _grant(visit, session, call)
    except DeniedError as denied:
        return died(f"{visit.text('access_denied')}. {visit.text('grant_error', reason=denied)}", 401)
    return front_page(visit, visit.text("not_found"), "", 404)


def _check_parameters(visit: Visit) -> None:
    query = visit.request.query
    for name in PARAMETERS:
        if not query.get(name):
            raise DeniedError(visit.text("grant_missing", name=name))
    if query["scope"] not in PERMISSIONS:
        raise DeniedError(visit.text("grant_scope", scope=query["scope"]))
    for name in ("return_url", "callback_url"):
        parts = urlsplit(query[name])
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise DeniedError(visit.text("grant_url", name=name))
    if urlsplit(query["callback_url"]).scheme != "https":
        raise DeniedError(visit.text("grant_https"))


def _parameters(visit: Visit) -> str:
    return urlencode([(name, visit.request.query[name]) for name in PARAMETERS])


def _log_in(visit: Visit) -> Reply:
    """WooCommerce's own login form, which plugins of wp-login.php do not guard."""
    form = visit.request.form
    error = ""
    if visit.request.method == "POST":
        user = visit.state.user_by_login(visit.store, form.get("username", ""))
        good_nonce = visit.nonce_is_good(form.get("woocommerce-login-nonce", ""), "woocommerce-login", None)
        if user and good_nonce and visit.state.password_is_right(visit.store, user, form.get("password", "")):
            target = form.get("redirect", "")
            if not target.startswith(f"{visit.home}/"):
                target = f"{visit.home}/my-account/"
            return redirect(target, visit.session_cookies(visit.state.open_session(visit.store, user)))
        error = f'<ul class="woocommerce-error" role="alert"><li>{visit.text("empty_login")}</li></ul>'
    app = visit.text("grant_title", app=escape(visit.request.query["app_name"]))
    return html(f"""<!DOCTYPE html>
<html lang="{visit.text("html_lang")}"><head><meta name="robots" content="noindex, nofollow"><title>{app}</title></head>
<body class="wc-auth wp-core-ui"><h1>{app}</h1>
{error}
<form method="post" class="wc-auth-login">
<p class="form-row"><label for="username">{visit.text("username")}</label>
<input type="text" class="input-text" name="username" id="username" value="{escape(form.get("username", ""))}" /></p>
<p class="form-row"><label for="password">{visit.text("password")}</label>
<input class="input-text" type="password" name="password" id="password" /></p>
<p class="wc-auth-actions">
{hidden("woocommerce-login-nonce", visit.nonce("woocommerce-login", None), "woocommerce-login-nonce")}
<button type="submit" class="button button-large button-primary wc-auth-login-button" name="login" value="{visit.text("grant_log_in")}">{visit.text("grant_log_in")}</button>
{hidden("redirect", f"{visit.home}{ROUTE}authorize?{_parameters(visit)}")}</p>
</form></body></html>
""")


def _authorize(visit: Visit, session: Session) -> Reply:
    query = visit.request.query
    nonce = visit.nonce("wc_auth_grant_access", session)
    approve = f"{visit.home}{ROUTE}access_granted?{_parameters(visit)}&wc_auth_nonce={nonce}"
    deny = _with_query(query["return_url"], {"success": "0", "user_id": query["user_id"]})
    title = visit.text("grant_title", app=escape(query["app_name"]))
    return html(f"""<!DOCTYPE html>
<html lang="{visit.text("html_lang")}"><head><meta name="robots" content="noindex, nofollow"><title>{title}</title></head>
<body class="wc-auth wp-core-ui"><h1>{title}</h1>
<ul class="wc-auth-permissions"><li>{visit.text(query["scope"])}</li></ul>
<div class="wc-auth-logged-in-as"><p>{escape(session.user.display_name)}</p></div>
<p class="wc-auth-actions">
<a href="{link(approve)}" class="button button-primary wc-auth-approve">{visit.text("approve")}</a>
<a href="{link(deny)}" class="button wc-auth-deny">{visit.text("deny")}</a></p>
</body></html>
""")


async def _grant(visit: Visit, session: Session, call: Call) -> Reply:
    """Make the key, post it, and take it back if that fails."""
    query = visit.request.query
    if not visit.nonce_is_good(query.get("wc_auth_nonce", ""), "wc_auth_grant_access", session):
        raise DeniedError(visit.text("grant_nonce"))
    pair = new_pair()
    description = _description(visit, query["app_name"], query["scope"])
    key_id = visit.state.insert_key(visit.store, session.user.id, description, query["scope"], pair)
    key = {
        "key_id": key_id,
        "user_id": query["user_id"],
        "consumer_key": pair.consumer_key,
        "consumer_secret": pair.consumer_secret,
        "key_permissions": query["scope"],
    }
    allowed = visit.settings.grant_callback_to_loopback and _is_loopback(query["callback_url"])
    headers = {"Content-Type": "application/json;charset=utf-8"}
    body = json.dumps(key).encode()
    told = await call("POST", query["callback_url"], headers=headers, body=body) if allowed else None
    if told is None or told.status != 200:
        visit.state.delete_key(visit.store, key_id)
        raise DeniedError(visit.text("grant_callback" if allowed else "grant_host"))
    return redirect(_with_query(query["return_url"], {"success": "1", "user_id": query["user_id"]}))


def _description(visit: Visit, app: str, scope: str) -> str:
    """The store words it, so it cannot be declared."""
    date = visit.shown_time(int(visit.now))
    details = f"{visit.text(scope)} ({date})" if visit.profile.grant_description == "scope" else f"({date})"
    return f"{normalise(app)} - API {details}"


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _with_query(url: str, fields: dict[str, str]) -> str:
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(fields)}"
