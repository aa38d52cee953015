"""wp-admin/options.php: how WordPress writes options, and the page of all options (WordPress core; coopcycle.md section 6).

A save writes every option of the group: what the form leaves out becomes empty. The hidden page of all options has the
group `options`, names what it writes in `page_options`, and so reaches options that no settings page has.
"""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import urlsplit

from sandbox.exchange import Reply, UnknownInSheetError
from sandbox.woocommerce.pages import admin_page, hidden, nonce_field
from sandbox.woocommerce.replies import died, html, redirect
from sandbox.woocommerce.state import Session
from sandbox.wordpress import coopcycle
from sandbox.wordpress.coopcycle import Notice, Plugin, UncaughtError
from sandbox.wordpress.state import SETTINGS_ERRORS
from sandbox.wordpress.visit import SiteVisit

ALL_OPTIONS = "options"
NOTICE_SECONDS = 30
BLANKS = " \t\n\r\0\x0b"


async def answer(visit: SiteVisit, session: Session) -> Reply:
    """A request to options.php by somebody who is logged in."""
    if session.user.role != "administrator":
        return _died(visit, "Sorry, you are not allowed to manage options for this site.", 403)
    request = visit.request
    if request.either("action") == "update":
        return await _save(visit, session)
    if request.either("option_page"):
        raise UnknownInSheetError("options.php with a group and without action=update")
    return html(_all_options(visit, session))


async def _save(visit: SiteVisit, session: Session) -> Reply:
    form = visit.request.form
    group = form.get("option_page", "")
    if not group:
        raise UnknownInSheetError("options.php without option_page")
    if not visit.nonce_is_good(visit.request.either("_wpnonce"), f"{group}-options", session):
        return _died(visit, visit.text("link_expired"), 403)
    groups = _groups(visit)
    if group not in groups:
        return _died(visit, f"Error: The {group} options page is not in the allowed options list.", 500)
    names = form.get("page_options", "").split(",") if group == ALL_OPTIONS else groups[group]
    plugin = Plugin(visit)
    try:
        for name in (one.strip(BLANKS) for one in names):
            if name:
                value = form[name].strip(BLANKS) if name in form else None
                await update_option(visit, plugin, name, value)
    except UncaughtError:
        return _died(visit, "There has been a critical error on this website.", 500)
    finally:
        visit.keep()
    notices = plugin.notices or [Notice("settings_updated", "Settings saved.", "success")]
    shown = [{"code": one.code, "message": one.words, "type": one.kind} for one in notices]
    visit.site.set_transient(SETTINGS_ERRORS, shown, visit.now, NOTICE_SECONDS)
    visit.keep()
    return redirect(_with_updated(_referer(visit)))


async def update_option(visit: SiteVisit, plugin: Plugin, name: str, value: Any) -> None:
    """update_option() inside wp-admin: sanitized, checked by the plugin, stored whatever the check found."""
    options = visit.site.options
    if visit.site.settings.coopcycle:
        value = plugin.sanitize(name, value)
        await plugin.check(name)
    if value is None:
        if name not in options:
            # A row cannot be made from nothing.
            return
        value = ""
    options[name] = value


def notices(visit: SiteVisit) -> str:
    """The messages of the last save, once, on the page that it led to."""
    if not visit.request.query.get("settings-updated"):
        return ""
    found = visit.site.transient(SETTINGS_ERRORS, visit.now) or []
    visit.site.transients.pop(SETTINGS_ERRORS, None)
    visit.keep()
    return "\n".join(
        f"<div id='setting-error-{escape(one['code'])}' class='notice notice-{one['type']} settings-error is-dismissible'>"
        f"<p><strong>{escape(one['message'])}</strong></p></div>"
        for one in found
    )


def _groups(visit: SiteVisit) -> dict[str, tuple[str, ...]]:
    groups: dict[str, tuple[str, ...]] = {ALL_OPTIONS: (), "general": ("blogname", "blogdescription", "admin_email")}
    if visit.site.settings.coopcycle:
        groups[coopcycle.GROUP] = coopcycle.OPTIONS
    return groups


def _referer(visit: SiteVisit) -> str:
    """wp_get_referer(): where the form was, or this page."""
    referer = visit.request.form.get("_wp_http_referer") or visit.request.headers.get("Referer", "")
    foreign = urlsplit(referer).netloc not in {"", urlsplit(visit.home).netloc}
    return visit.request_uri if foreign or not referer else referer


def _with_updated(url: str) -> str:
    if "settings-updated=true" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}settings-updated=true"


def _all_options(visit: SiteVisit, session: Session) -> str:
    rows, written = [], []
    for name, value in sorted(visit.site.options.items()):
        serialized = not isinstance(value, str | bool | int)
        shown = "SERIALIZED DATA" if serialized else ("1" if value is True else "" if value is False else str(value))
        if not serialized:
            written.append(name)
        disabled = ' disabled="disabled"' if serialized else ""
        rows.append(
            f'<tr><th scope="row"><label for="{escape(name)}">{escape(name)}</label></th><td><input class="regular-text'
            f'{" disabled" if serialized else " all-options"}" type="text" name="{escape(name)}" id="{escape(name)}"'
            f' value="{escape(shown)}"{disabled} /></td></tr>'
        )
    fields = "\n".join(rows)
    body = f"""{notices(visit)}
<div class="wrap"><h1>All Settings</h1>
<form action="options.php" method="post" id="all-options">
{nonce_field(visit, visit.nonce(f"{ALL_OPTIONS}-options", session))}
{hidden("action", "update")}{hidden("option_page", ALL_OPTIONS)}
<table class="form-table" role="presentation">
{fields}
</table>
{hidden("page_options", ",".join(written))}
<p class="submit"><input type="submit" name="Update" id="Update" class="button button-primary" value="Save Changes" /></p>
</form></div>"""
    return admin_page(visit, session, "All Settings", body)


def _died(visit: SiteVisit, words: str, status: int) -> Reply:
    return died(words, status, visit.text("html_lang"))
