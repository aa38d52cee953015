"""wp-admin: who gets in, where one is sent instead (sheet 3), and what the pages about keys do (sheet 4.4 to 4.8)."""

from __future__ import annotations

import re
from urllib.parse import quote

from sandbox.exchange import Reply, UnknownInSheetError
from sandbox.woocommerce import key_pages, texts
from sandbox.woocommerce.pages import admin_page, nonce_field
from sandbox.woocommerce.replies import died, html, redirect
from sandbox.woocommerce.state import Session
from sandbox.woocommerce.visit import Visit

OTHER_TABS = ("general", "products", "shipping")


def answer(visit: Visit) -> Reply:
    """Any page of wp-admin except admin-ajax."""
    page = visit.request.path.removeprefix("/wp-admin/") or "index.php"
    if page == "upgrade.php":
        return html(f"<!DOCTYPE html>\n<html><body><h1>{visit.text('database_upgrade')}</h1></body></html>\n")
    if visit.settings.database_upgrade_pending:
        return redirect(visit.admin_url(f"upgrade.php?_wp_http_referer={quote(visit.request_uri, safe='')}"))
    session = visit.admin_session
    if session is None:
        asked = quote(f"{visit.home}{visit.request.raw_path}{_query(visit)}", safe="")
        return redirect(f"{visit.home}/wp-login.php?redirect_to={asked}&reauth=1")
    if visit.settings.wizard_pending and session.user.manages_woocommerce:
        # Once only (L14): whoever asks again gets the page.
        visit.state.change_settings(visit.store, {"wizard_pending": False})
        return redirect(visit.admin_url(f"admin.php?page={visit.profile.wizard_page}"))
    if page == "admin.php":
        return _admin_php(visit, session)
    titles = {"index.php": "dashboard", "profile.php": "profile"}
    if page not in titles:
        raise UnknownInSheetError(f"admin page {page}")
    title = visit.text(titles[page])
    body = f'<div class="wrap"><h1>{title}</h1><form id="your-profile">{nonce_field(visit, visit.nonce(page, session))}</form></div>'
    return html(admin_page(visit, session, title, body))


def _query(visit: Visit) -> str:
    return f"?{visit.request.raw_query}" if visit.request.raw_query else ""


def _admin_php(visit: Visit, session: Session) -> Reply:
    if not session.user.manages_woocommerce:
        return _died(visit, "not_allowed", 403)
    page = visit.request.either("page")
    if page in {"wc-setup", "wc-admin"}:
        return html(admin_page(visit, session, "WooCommerce", f"<p>{visit.text('wizard')}</p>"))
    if page != "wc-settings":
        raise UnknownInSheetError(f"admin.php with page {page!r}")
    return _settings(visit, session)


def _settings(visit: Visit, session: Session) -> Reply:
    request, profile = visit.request, visit.profile
    tab, section = request.either("tab") or "general", request.either("section")
    if tab == profile.tab:
        if section == "keys":
            return _keys(visit, session)
        return html(_settings_page(visit, session, tab))
    if tab in OTHER_TABS:
        return html(_settings_page(visit, session, tab))
    if profile.wrong_tab == "redirect":
        return redirect(visit.admin_url("admin.php?page=wc-settings"))
    # The trap of 2.6 (L8): no form, and the nonce script all the same.
    return html(_settings_page(visit, session, "general", key_pages.nonce_script(visit, session)))


def _settings_page(visit: Visit, session: Session, tab: str, scripts: str = "") -> str:
    body = f"""<div class="wrap woocommerce"><form method="post" id="mainform" action="" enctype="multipart/form-data">
<h1 class="screen-reader-text">{visit.text(tab)}</h1>
<p class="submit"><button name="save" class="button-primary" type="submit">{visit.text("save_changes")}</button>
{nonce_field(visit, visit.nonce("woocommerce-settings", session))}</p></form></div>"""
    return admin_page(visit, session, visit.text("settings"), body, scripts)


def _keys(visit: Visit, session: Session) -> Reply:
    request = visit.request
    if "wp_screen_options[option]" in request.form:
        return _save_screen_option(visit, session)
    if "revoke-key" in request.query:
        return _revoke(visit, session)
    if "revoke" in {request.either("action"), request.either("action2")}:
        return _revoke_many(visit, session)
    if "create-key" in request.query:
        return html(key_pages.form_page(visit, session, 0, None))
    if "edit-key" in request.query:
        key_id = absolute_integer(request.query["edit-key"])
        key = next((key for key in visit.state.keys(visit.store, lag=request.list_lag) if key.key_id == key_id), None)
        return html(key_pages.form_page(visit, session, key_id, key))
    return _list(visit, session)


def _list(visit: Visit, session: Session, notice: str = "") -> Reply:
    request = visit.request
    search = request.either("s")
    everything = visit.state.keys(visit.store, lag=request.list_lag)
    found = [key for key in everything if search.casefold() in key.description.casefold()] if search else everything
    size = session.user.keys_per_page or visit.profile.page_size
    pages = -(-len(found) // size)
    page = max(1, absolute_integer(request.either("paged")))
    if pages and page > pages:
        # L15: not an empty page but the last one.
        return redirect(key_pages.paged_uri(visit, pages))
    if request.query.get("revoked", "").isdigit():
        notice = _revoked_notice(visit, int(request.query["revoked"]))
    view = key_pages.ListView(
        keys=found[(page - 1) * size : page * size],
        total=len(found),
        store_is_empty=not everything,
        page=page,
        pages=pages,
        search=search,
        notice=notice,
    )
    return html(key_pages.list_page(visit, session, view))


def _revoked_notice(visit: Visit, number: int) -> str:
    return visit.text("revoked_one" if number == 1 else "revoked_many", number=texts.number(visit.texts, number))


def _revoke(visit: Visit, session: Session) -> Reply:
    """One key. Whatever happened, the answer before 3.5 is the same (L5); later a missing key looks forbidden (L6)."""
    if not visit.nonce_is_good(visit.request.query.get("_wpnonce", ""), "revoke", session):
        return _died(visit, "link_expired", visit.profile.revoke_stale_nonce)
    key_id = absolute_integer(visit.request.query["revoke-key"])
    key = visit.state.key(visit.store, key_id)
    if key is None:
        if visit.profile.revoke_missing != 302:
            return _died(visit, "revoke_refused", visit.profile.revoke_missing)
    elif visit.profile.owner_rule and not _may_edit_owner(visit, session, key.user_id):
        return _died(visit, "revoke_refused", 500)
    visit.state.delete_key(visit.store, key_id)
    return redirect(visit.keys_url("&revoked=1"))


def _may_edit_owner(visit: Visit, session: Session, owner_id: int) -> bool:
    owner = visit.state.user(visit.store, owner_id)
    # An administrator may edit whoever there is or was.
    return session.user.may_edit(owner) if owner else session.user.role == "administrator"


def _revoke_many(visit: Visit, session: Session) -> Reply:
    request, profile = visit.request, visit.profile
    if request.method != profile.bulk_method:
        raise UnknownInSheetError(f"bulk revoke by {request.method} on {profile.version}")
    pairs = request.form_pairs if profile.bulk_method == "POST" else request.query_pairs
    # The table's own nonce comes first in the form and the right one last, so PHP sees the right one.
    nonce = next((value for name, value in reversed(pairs) if name == "_wpnonce"), "")
    if not visit.nonce_is_good(nonce, "woocommerce-settings", session):
        # Which status this has is not in the sheet; it follows the single revoke.
        return _died(visit, "action_failed", profile.revoke_stale_nonce)
    if profile.owner_rule and session.user.role != "administrator":
        raise UnknownInSheetError("bulk revoke by a user without `remove_users`")
    wanted = [absolute_integer(value) for name, value in pairs if re.fullmatch(r"key\[\d*\]", name)]
    number = sum(visit.state.delete_key(visit.store, key_id) for key_id in wanted)
    if profile.bulk_method == "POST":
        return redirect(visit.keys_url(f"&revoked={number}"))
    return _list(visit, session, _revoked_notice(visit, number))


def _save_screen_option(visit: Visit, session: Session) -> Reply:
    form = visit.request.form
    if not visit.nonce_is_good(form.get("screenoptionnonce", ""), "screen-options-nonce", session):
        return _died(visit, "link_expired", 403)
    size = absolute_integer(form.get("wp_screen_options[value]", ""))
    known = form["wp_screen_options[option]"] == key_pages.OPTION_KEYS_PER_PAGE
    if known and 1 <= size <= visit.profile.page_size_limit:
        visit.state.set_keys_per_page(visit.store, session.user, size)
    return redirect(visit.keys_url())


def _died(visit: Visit, text: str, status: int) -> Reply:
    return died(visit.text(text), status, visit.text("html_lang"))


def absolute_integer(value: str) -> int:
    """WordPress's absint(): the digits a text begins with, without a sign."""
    match = re.match(r"\s*[+-]?(\d{1,18})", value)
    return int(match[1]) if match else 0
