"""The two pages about keys: the list and the form of one key, with the selectors of sheet 4.2, 4.4 and 4.5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote, urlencode

from sandbox.woocommerce import texts
from sandbox.woocommerce.pages import admin_page, hidden, link, nonce_field
from sandbox.woocommerce.replies import json_body
from sandbox.woocommerce.state import PERMISSIONS, ApiKey, Session
from sandbox.woocommerce.visit import Visit

OPTION_KEYS_PER_PAGE = "woocommerce_keys_per_page"


@dataclass(frozen=True, slots=True)
class ListView:
    """What one page of the list shows."""

    keys: Sequence[ApiKey]
    total: int
    store_is_empty: bool
    page: int
    pages: int
    search: str
    notice: str = ""


def revoke_url(visit: Visit, session: Session, key_id: int) -> str:
    """The address that revokes a key; its nonce serves every key id (sheet 1)."""
    return visit.keys_url(f"&revoke-key={key_id}&_wpnonce={visit.nonce('revoke', session)}")


def nonce_script(visit: Visit, session: Session) -> str:
    """The inline script that holds the nonce for create and update (sheet 4.2)."""
    parameters = {
        "ajax_url": visit.admin_url("admin-ajax.php"),
        "update_api_nonce": visit.nonce("update-api-key", session),
        "clipboard_failed": visit.text("clipboard_failed"),
    }
    return (
        '<script id="wc-api-keys-js-extra">\n/* <![CDATA[ */\n'
        f"var woocommerce_admin_api_keys = {json_body(parameters)};\n/* ]]> */\n</script>\n"
    )


def form_page(visit: Visit, session: Session, key_id: int, key: ApiKey | None) -> str:
    """The form of a new key (id 0) or of an old one; a missing id gets an ordinary empty form (L13)."""
    text = visit.text
    owner = key.user_id if key else session.user.id
    permissions = key.permissions if key else "read"
    options = "".join(
        f'<option value="{word}"{" selected=" + chr(39) + "selected" + chr(39) if word == permissions else ""}>'
        f"{text(word)}</option>"
        for word in PERMISSIONS
    )
    known = ""
    if key:
        known = f"""<tr valign="top"><th scope="row" class="titledesc">{text("truncated_key")}</th>
<td class="forminp"><code>&hellip;{key.truncated_key}</code></td></tr>
<tr valign="top"><th scope="row" class="titledesc">{text("last_access")}</th>
<td class="forminp"><span>{escape(visit.shown_time(key.last_access))}</span></td></tr>"""
    if key_id:
        submit = f"""<input type="submit" name="save" id="update_api_key" class="button button-primary" value="{text("save_changes")}" />
<a style="color: #a00; text-decoration: none; margin-left: 10px;" href="{link(revoke_url(visit, session, key_id))}">{text("revoke_key")}</a>"""
    else:
        submit = f'<input type="submit" name="save" id="update_api_key" class="button button-primary" value="{text("generate_key")}" />'
    fields = f"""<div id="key-fields" class="settings-panel">
<h2>{text("key_details")}</h2>
<input type="hidden" id="key_id" value="{key_id}" />
<table id="api-keys-options" class="form-table">
<tbody>
<tr valign="top"><th scope="row" class="titledesc"><label for="key_description">{text("description")}</label></th>
<td class="forminp"><input id="key_description" type="text" class="input-text regular-input" value="{escape(key.description if key else "")}" /></td></tr>
<tr valign="top"><th scope="row" class="titledesc"><label for="key_user">{text("user")}</label></th>
<td class="forminp">{_owner_control(visit, owner)}</td></tr>
<tr valign="top"><th scope="row" class="titledesc"><label for="key_permissions">{text("permissions")}</label></th>
<td class="forminp"><select id="key_permissions" class="wc-enhanced-select">{options}</select></td></tr>
{known}
</tbody>
</table>
<p class="submit">{submit}</p>
</div>"""
    return admin_page(
        visit, session, text("key_details"), _main_form(visit, session, fields, "post"), nonce_script(visit, session)
    )


def _owner_control(visit: Visit, owner: int) -> str:
    shown, hint = escape(visit.owner_text(owner)), escape(visit.text("search_user"))
    if visit.profile.owner_control == "input":
        return (
            f'<input type="text" class="wc-customer-search" id="key_user" data-placeholder="{hint}" '
            f'data-selected="{shown}" value="{owner}" data-allow_clear="true" />'
        )
    return (
        f'<select class="wc-customer-search" id="key_user" data-placeholder="{hint}" data-allow_clear="true">'
        f'<option value="{owner}" selected="selected">{shown}</option></select>'
    )


def list_page(visit: Visit, session: Session, view: ListView) -> str:
    """The list of keys, or the blank state without any table."""
    text = visit.text
    add = f'<a href="{link(visit.keys_url("&create-key=1"))}" class="add-new-h2">{text("add_key")}</a>'
    notice = f'<div id="message" class="updated inline"><p><strong>{escape(view.notice)}</strong></p></div>'
    heading = f"<h2>{text('keys_section')} {add}</h2>\n{notice if view.notice else ''}"
    if view.store_is_empty:
        content = f"""{heading}<div class="woocommerce-BlankState woocommerce-BlankState--api">
<h2 class="woocommerce-BlankState-message">{text("blank_state")}</h2>
<a class="woocommerce-BlankState-cta button-primary button" href="{link(visit.keys_url("&create-key=1"))}">{text("create_first_key")}</a>
</div>"""
    else:
        content = heading + _search_box(visit, view) + _table(visit, session, view)
    body = _main_form(visit, session, content, visit.profile.bulk_method.lower())
    return admin_page(visit, session, text("settings"), body, screen_options=_screen_options(visit, session))


def _main_form(visit: Visit, session: Session, content: str, method: str) -> str:
    """`#mainform`; the last of its nonces is the one that WooCommerce checks (sheet 4.8)."""
    text = visit.text
    tabs = "".join(
        f'<a href="{link(visit.admin_url(f"admin.php?page=wc-settings&tab={tab}"))}" '
        f'class="nav-tab{" nav-tab-active" if tab == visit.profile.tab else ""}">{text(tab)}</a>'
        for tab in ("general", "products", "shipping", visit.profile.tab)
    )
    return f"""<div class="wrap woocommerce">
<form method="{method}" id="mainform" action="" enctype="multipart/form-data">
<nav class="nav-tab-wrapper woo-nav-tab-wrapper">{tabs}</nav>
<h1 class="screen-reader-text">{text(visit.profile.tab)}</h1>
<ul class="subsubsub"><li><a href="{link(visit.keys_url())}" class="current">{text("keys_section")}</a> | </li>
<li><a href="{link(visit.admin_url(f"admin.php?page=wc-settings&tab={visit.profile.tab}&section=webhooks"))}">{text("webhooks_section")}</a></li></ul>
<br class="clear" />
{hidden("page", "wc-settings")}
{hidden("tab", visit.profile.tab)}
{hidden("section", "keys")}
{content}
<p class="submit">{nonce_field(visit, visit.nonce("woocommerce-settings", session))}</p>
</form>
</div>"""


def _search_box(visit: Visit, view: ListView) -> str:
    text = visit.text
    return f"""<p class="search-box">
<label class="screen-reader-text" for="key-search-input">{text("search_key")}:</label>
<input type="search" id="key-search-input" name="s" value="{escape(view.search)}" />
<input type="submit" id="search-submit" class="button" value="{text("search_key")}" /></p>
"""


def _table(visit: Visit, session: Session, view: ListView) -> str:
    text, column = visit.text, visit.profile.name_column
    if view.keys:
        rows = "\n".join(_row(visit, session, key) for key in view.keys)
    else:
        rows = f'<tr class="no-items"><td class="colspanchange" colspan="5">{text("no_keys_found")}</td></tr>'
    header = f"""<td class="manage-column column-cb check-column"><label class="screen-reader-text">{text("select_all")}</label><input type="checkbox" /></td>
<th scope="col" class="manage-column column-{column} column-primary">{text("description")}</th>
<th scope="col" class="manage-column column-truncated_key">{text("truncated_key")}</th>
<th scope="col" class="manage-column column-user">{text("user")}</th>
<th scope="col" class="manage-column column-permissions">{text("permissions")}</th>
<th scope="col" class="manage-column column-last_access">{text("last_access")}</th>"""
    return f"""{_table_navigation(visit, session, view, "top")}
<table class="wp-list-table widefat fixed striped keys">
<thead><tr>{header}</tr></thead>
<tbody id="the-list">
{rows}
</tbody>
<tfoot><tr>{header}</tr></tfoot>
</table>
{_table_navigation(visit, session, view, "bottom")}"""


def _row(visit: Visit, session: Session, key: ApiKey) -> str:
    text, column = visit.text, visit.profile.name_column
    edit = link(visit.keys_url(f"&edit-key={key.key_id}"))
    title = escape(key.description) or text("untitled")
    actions = (
        f'<div class="row-actions"><span class="id">{text("id_label", id=key.key_id)} | </span>'
        f'<span class="edit"><a href="{edit}">{text("view_edit")}</a> | </span>'
        f'<span class="trash"><a class="submitdelete" aria-label="{text("revoke_label")}" '
        f'href="{link(revoke_url(visit, session, key.key_id))}">{text("revoke")}</a></span></div>'
        f'<button type="button" class="toggle-row"><span class="screen-reader-text">{text("show_details")}</span></button>'
    )
    return f"""<tr><th scope="row" class="check-column"><input type="checkbox" name="key[]" value="{key.key_id}" /></th>
<td class='{column} column-{column} has-row-actions column-primary' data-colname="{text("description")}"><strong><a class="row-title" href="{edit}">{title}</a></strong>{actions}</td>
<td class='truncated_key column-truncated_key' data-colname="{text("truncated_key")}"><code>{visit.profile.truncation_prefix}{key.truncated_key}</code></td>
<td class='user column-user' data-colname="{text("user")}">{_owner_cell(visit, session, key.user_id)}</td>
<td class='permissions column-permissions' data-colname="{text("permissions")}">{text(key.permissions)}</td>
<td class='last_access column-last_access' data-colname="{text("last_access")}">{escape(visit.shown_time(key.last_access))}</td></tr>"""


def _owner_cell(visit: Visit, session: Session, owner_id: int) -> str:
    """The owner's name, as a link only for viewers who may edit that user; empty for a ghost."""
    owner = visit.state.user(visit.store, owner_id)
    if owner is None:
        return ""
    name = escape(owner.display_name)
    if not session.user.may_edit(owner):
        return name
    return f'<a href="{link(visit.admin_url(f"user-edit.php?user_id={owner.id}"))}">{name}</a>'


def _table_navigation(visit: Visit, session: Session, view: ListView, which: str) -> str:
    """Bulk actions, counters and, at the top, the table's own nonce, which revokes nothing."""
    text = visit.text
    nonce = nonce_field(visit, visit.nonce("bulk-keys", session)) if which == "top" else ""
    name = "action" if which == "top" else "action2"
    count = text("items_one" if view.total == 1 else "items_many", number=texts.number(visit.texts, view.total))
    pages = texts.number(visit.texts, view.pages)
    current = (
        f'<input class="current-page" id="current-page-selector" type="text" name="paged" value="{view.page}" size="1" />'
        if which == "top"
        else str(view.page)
    )
    links = "".join(
        f'<a class="{kind}-page button" href="{link(paged_uri(visit, page))}"><span aria-hidden="true">{sign}</span></a>'
        for kind, page, sign, there in (
            ("prev", view.page - 1, "&lsaquo;", view.page > 1),
            ("next", view.page + 1, "&rsaquo;", view.page < view.pages),
        )
        if there
    )
    return f"""<div class="tablenav {which}">
{nonce}
<div class="alignleft actions bulkactions"><label for="bulk-action-selector-{which}" class="screen-reader-text">{text("select_bulk_action")}</label>
<select name="{name}" id="bulk-action-selector-{which}"><option value="-1">{text("bulk_actions")}</option>
<option value="revoke">{text("revoke")}</option></select>
<input type="submit" class="button action" value="{text("apply")}" /></div>
<div class="tablenav-pages{" one-page" if view.pages == 1 else ""}"><span class="displaying-num">{count}</span>
<span class="pagination-links">{links}<span class="paging-input">{current}<span class="tablenav-paging-text"> {text("page_of")} <span class="total-pages">{pages}</span></span></span></span></div>
<br class="clear" />
</div>"""


def paged_uri(visit: Visit, page: int) -> str:
    """The present address with another page number, relative to the host as WordPress writes it."""
    pairs = [(name, value) for name, value in visit.request.query_pairs if name != "paged"]
    path = quote(f"/{visit.request.prefix}{visit.request.path}")
    return f"{path}?{urlencode([*pairs, ('paged', str(page))])}"


def _screen_options(visit: Visit, session: Session) -> str:
    if not visit.profile.page_size_limit:
        return ""
    text, size = visit.text, session.user.keys_per_page or visit.profile.page_size_shown
    return f"""<div id="screen-options-wrap" class="hidden" tabindex="-1">
<form id="adv-settings" method="post">
<fieldset class="screen-options"><legend>{text("screen_options")}</legend>
<label for="{OPTION_KEYS_PER_PAGE}">{text("items_per_page")}</label>
<input type="number" step="1" min="1" max="999" class="screen-per-page" name="wp_screen_options[value]"
id="{OPTION_KEYS_PER_PAGE}" maxlength="3" value="{size}" />
{hidden("wp_screen_options[option]", OPTION_KEYS_PER_PAGE)}</fieldset>
<p class="submit"><input type="submit" name="screen-options-apply" id="screen-options-apply" class="button button-primary" value="{text("apply")}" /></p>
{hidden("screenoptionnonce", visit.nonce("screen-options-nonce", session), "screenoptionnonce")}
</form>
</div>"""
