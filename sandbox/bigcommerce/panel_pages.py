"""The control panel as HTML: what a person sees. Every function makes one page out of plain values.

Words and order of the rows are the sheet's (3.4, 4.2, 14.5); the markup is ours, since nobody publishes the panel's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from sandbox.bigcommerce.panel_credentials import file_name, file_text
from sandbox.bigcommerce.scopes import Row
from sandbox.bigcommerce.state import API_TOKEN, TOKEN_TYPES, Account, Credentials

API_ACCOUNTS = "settings/auth/api-accounts"
CREATE = f"{API_ACCOUNTS}/create"
CREATE_TITLE = "Create API account"
LIST_TITLE = "Store-level API accounts"
SETTINGS_SECTIONS = {
    "Setup": ("Store profile", "Currencies", "Payments", "Shipping", "Tax"),
    "Advanced": ("Search", "Accounting", "Web analytics"),
}
"""What stands above the API section; none of it leads anywhere here."""
STYLE = """
body { font-family: sans-serif; margin: 0; color: #313440; background: #f6f7fc; }
header, main { padding: 1rem 2rem; } header { background: #fff; display: flex; gap: 2rem; align-items: center; }
table { border-collapse: collapse; background: #fff; } th, td { padding: .4rem 1rem; text-align: left; }
td label { white-space: nowrap; margin-right: 1rem; } tr { border-bottom: 1px solid #d9dce9; } .error { color: #db3643; font-weight: bold; }
dialog { border: 1px solid #3c64f4; padding: 2rem; } form.inline { display: inline; }
"""


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page inside the panel has around its content."""

    root: str
    """Path of the panel, `/store-HASH.mybigcommerce.com/manage`."""
    store: str
    """Its host name, which stands at the top of every page."""
    person: str
    csrf: str

    def path(self, rest: str) -> str:
        """The path of a page of this panel."""
        return f"{self.root}/{rest}"


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form: empty at first, and as it was sent after a refusal."""

    title: str = ""
    token_type: str = API_TOKEN
    levels: Mapping[str, str] | None = None
    """Level by label; None is every row's default."""
    error: str = ""


def document(title: str, body: str) -> str:
    """An HTML document."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{escape(title)} - BigCommerce</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""


def login(action: str, target: str, mail: str, error: str) -> str:
    """The login form; `target` is the path that a good login leads to."""
    return document(
        "Log in",
        f"""<main>
<h1>Log in to your store</h1>
{_error(error)}
<form id="login" method="post" action="{escape(action)}">
<input type="hidden" name="target" value="{escape(target)}">
<p><label for="email">Email address</label> <input type="email" id="email" name="email" value="{escape(mail)}" required></p>
<p><label for="password">Password</label> <input type="password" id="password" name="password" required></p>
<p><button type="submit">Log in</button></p>
</form>
</main>""",
    )


def two_factor() -> str:
    """What stands behind a good password where a code is asked for; no code is right here, only a person has one."""
    return document(
        "Two-factor authentication",
        """<main>
<h1>Enter your verification code</h1>
<form id="two-factor" method="post">
<p><label for="code">Code</label> <input type="text" id="code" name="code" autocomplete="one-time-code"></p>
<p><button type="submit">Verify</button></p>
</form>
</main>""",
    )


def choose_store(stores: Iterable[tuple[str, str]]) -> str:
    """Where a deep link leads somebody with several stores: pairs of a store's name and its address."""
    items = "\n".join(f'<li><a href="{escape(path)}">{escape(name)}</a></li>' for name, path in stores)
    return document("Choose a store", f'<main><h1>Choose a store</h1><ul id="stores">\n{items}\n</ul></main>')


def dashboard(frame: Frame) -> str:
    """Where a login leads that asked for no page."""
    return _page(frame, "Dashboard", f'<p>Welcome to {escape(frame.store)}.</p><p><a href="#">View storefront</a></p>')


def settings(frame: Frame) -> str:
    """The settings, with the API section at the bottom (sheet 3.3)."""
    sections = "\n".join(
        f"<section><h2>{heading}</h2><ul>{''.join(f'<li>{name}</li>' for name in names)}</ul></section>"
        for heading, names in SETTINGS_SECTIONS.items()
    )
    return _page(
        frame,
        "Settings",
        f"""{sections}
<section id="api"><h2>API</h2><ul>
<li><a id="api-accounts" href="{escape(frame.path(API_ACCOUNTS))}">{LIST_TITLE}</a></li>
<li>Account-level API accounts</li>
</ul></section>""",
    )


def account_list(frame: Frame, accounts: Sequence[Account], may_create: bool, may_delete: bool, notice: str) -> str:
    """The list. There is no way into an account: nothing about it can be shown or changed (sheet 2)."""
    create = (
        f'<p><a id="create-api-account" role="button" href="{escape(frame.path(CREATE))}">{CREATE_TITLE}</a></p>'
        if may_create
        else ""
    )
    lines = "\n".join(_line(frame, account, may_delete) for account in accounts)
    table = f"""<table id="api-account-list">
<thead><tr><th>Name</th><th>Token type</th><th>Date created</th><th>Action</th></tr></thead>
<tbody>
{lines}
</tbody>
</table>"""
    said = f'<p role="status">{escape(notice)}</p>' if notice else ""
    return _page(frame, LIST_TITLE, said + create + (table if accounts else "<p>There are no API accounts.</p>"))


def _line(frame: Frame, account: Account, may_delete: bool) -> str:
    delete = (
        f'<a class="delete" href="{escape(frame.path(f"{API_ACCOUNTS}/{account.id}/delete"))}">Delete</a>'
        if may_delete
        else ""
    )
    created_on = time.strftime("%d %b %Y", time.gmtime(account.created))
    return (
        f'<tr data-account="{account.id}"><th scope="row" class="name">{escape(account.title)}</th>'
        f"<td>{escape(account.token_type)}</td><td>{created_on}</td><td>{delete}</td></tr>"
    )


def field_name(label: str) -> str:
    """The name of a row's field in the form."""
    return "scope_" + re.sub(r"[^a-z0-9]+", "_", label.casefold()).strip("_")


def create_form(frame: Frame, rows: Iterable[Row], api_path: str, draft: Draft) -> str:
    """The form of a new account: token type, name, API path and one line of choices per row."""
    types = "".join(
        f'<option value="{words}"{" selected" if words == draft.token_type else ""}>{words}</option>'
        for words in TOKEN_TYPES
    )
    levels = draft.levels or {}
    lines = "\n".join(_row(row, levels.get(row.label, row.default)) for row in rows)
    return _page(
        frame,
        CREATE_TITLE,
        f"""{_error(draft.error)}
<form id="api-account" method="post" action="{escape(frame.path(CREATE))}">
{_csrf(frame)}
<p><label for="token_type">Token type</label> <select id="token_type" name="token_type">{types}</select></p>
<p><label for="name">Name</label> <input type="text" id="name" name="name" value="{escape(draft.title)}"></p>
<p>API path <code id="api_path">{escape(api_path)}</code></p>
<table id="oauth-scopes">
<caption>OAuth scopes</caption>
<tbody>
{lines}
</tbody>
</table>
<p><a href="{escape(frame.path(API_ACCOUNTS))}">Cancel</a> <button type="submit" id="save">Save</button></p>
</form>""",
    )


def _row(row: Row, chosen: str) -> str:
    name = field_name(row.label)
    choices = " ".join(
        f'<label><input type="radio" name="{name}" value="{word}"{" checked" if word == chosen else ""}>'
        f" {word.capitalize()}</label>"
        for word in row.words
    )
    return f'<tr><th scope="row">{escape(row.label)}</th><td>{choices}</td></tr>'


def created(frame: Frame, credentials: Credentials, layout: str) -> str:
    """The popup after Save: the values, once, and the .txt that the browser fetches by itself out of the page."""
    content = file_text(credentials, layout).encode()
    values = "\n".join(
        f'<dt>{words}</dt><dd><code id="{identifier}">{escape(value)}</code></dd>'
        for identifier, words, value in (
            ("client_id", "Client ID", credentials.client_id),
            ("client_secret", "Client secret", credentials.client_secret),
            ("access_token", "Access token", credentials.access_token),
        )
    )
    return _page(
        frame,
        LIST_TITLE,
        f"""<dialog open id="api-credentials" aria-labelledby="api-credentials-title">
<h2 id="api-credentials-title">BigCommerce API credentials</h2>
<p>Keep these values: they are not shown again. A file with them has been downloaded.</p>
<dl>
{values}
</dl>
<p><a id="credentials-file" download="{escape(file_name(credentials.account.title))}" href="data:text/plain;charset=utf-8,{quote(content, safe="")}">Download</a>
<a id="done" role="button" href="{escape(frame.path(API_ACCOUNTS))}">Done</a></p>
</dialog>
<script>document.getElementById("credentials-file").click();</script>""",
    )


def confirm_deletion(frame: Frame, account: Account) -> str:
    """The question before an account is deleted."""
    action = frame.path(f"{API_ACCOUNTS}/{account.id}/delete")
    return _page(
        frame,
        "Delete API account",
        f"""<p>Delete <strong class="name">{escape(account.title)}</strong>? Whatever uses it stops working. This cannot be undone.</p>
<form id="delete-api-account" method="post" action="{escape(action)}">
{_csrf(frame)}
<a href="{escape(frame.path(API_ACCOUNTS))}">Cancel</a> <button type="submit" id="confirm">Delete</button>
</form>""",
    )


def refusal(frame: Frame, title: str, words: str) -> str:
    """A page inside the panel that says why not."""
    return _page(frame, title, _error(words))


def _page(frame: Frame, title: str, body: str) -> str:
    """A page with the panel around it."""
    return document(
        title,
        f"""<header>
<strong>{escape(frame.store)}</strong>
<nav><a href="{escape(frame.path("dashboard"))}">Dashboard</a> <a id="settings" href="{escape(frame.path("settings"))}">Settings</a></nav>
<span id="person">{escape(frame.person)}</span>
<form id="logout" class="inline" method="post" action="{escape(frame.path("logout"))}">{_csrf(frame)}<button type="submit">Log out</button></form>
</header>
<main>
<h1>{escape(title)}</h1>
{body}
</main>""",
    )


def _csrf(frame: Frame) -> str:
    return f'<input type="hidden" name="csrf_token" value="{escape(frame.csrf)}">'


def _error(words: str) -> str:
    return f'<p class="error" role="alert">{escape(words)}</p>' if words else ""
