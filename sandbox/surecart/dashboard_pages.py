"""The dashboard as HTML: what a person sees. Every function makes one page out of plain values.

Login, choice of a store, API in the sidebar, the Secret Token tab and the value on the screen are the vendor's (seed 000,
sheet 1.3); the markup, the list of several tokens, their names and how one is made are inferred.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from sandbox.surecart.state import DASHBOARD_HOST, Account, Token

ROOT = f"/{DASHBOARD_HOST}"
API = "api"
SECRET_TOKEN = "api/secret-token"
TABS = (("public-token", API, "Public Token"), ("secret-token", SECRET_TOKEN, "Secret Token"))
CURRENT = " aria-current='page'"
WARNING = "Store this token securely. It provides access to the store and should not be shared publicly."
STYLE = """
body { font-family: sans-serif; margin: 0; color: #1f2937; background: #f9fafb; }
header { background: #fff; padding: 1rem 2rem; display: flex; gap: 2rem; align-items: center; }
.columns { display: flex; } aside { padding: 1rem 2rem; } aside a { display: block; padding: .4rem 0; } main { padding: 1rem 2rem; }
table { border-collapse: collapse; background: #fff; } th, td { padding: .4rem 1rem; text-align: left; border-bottom: 1px solid #e5e7eb; }
.error { color: #b91c1c; font-weight: bold; } .tabs a { margin-right: 1rem; } .tabs a[aria-current] { font-weight: bold; }
"""
COPY = """<script>
for (const button of document.querySelectorAll("button.copy"))
  button.addEventListener("click", () => navigator.clipboard.writeText(document.getElementById(button.dataset.of).textContent));
</script>"""


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page behind the login has around its content."""

    person: str
    csrf: str
    account: Account | None = None
    """The store that was chosen; None where none is yet."""

    def path(self, rest: str) -> str:
        """The path of a page of the chosen store."""
        return f"{ROOT}/{self.account.slug if self.account else ''}/{rest}"


def login(csrf: str, mail: str = "", error: str = "") -> str:
    """The login form."""
    return _document(
        "Log in",
        f"""<main>
<h1>Log in to SureCart</h1>
{_error(error)}
<form id="login" method="post" action="{ROOT}/login">
{_csrf(csrf)}
<p><label for="email">Email</label> <input type="email" id="email" name="email" value="{escape(mail)}" required></p>
<p><label for="password">Password</label> <input type="password" id="password" name="password" required></p>
<p><button type="submit">Log in</button></p>
</form>
</main>""",
    )


def stores(frame: Frame, accounts: Iterable[Account]) -> str:
    """The stores that somebody may choose from."""
    items = "\n".join(
        f'<li><a href="{ROOT}/{escape(account.slug)}/dashboard"><span class="name">{escape(account.name)}</span>'
        f' (<span class="slug">{escape(account.slug)}</span>)</a></li>'
        for account in accounts
    )
    body = f'<ul id="stores">\n{items}\n</ul>' if items else "<p>You have no stores.</p>"
    return _page(frame, "Choose a store", body)


def dashboard(frame: Frame) -> str:
    """Where the choice of a store leads."""
    return _page(frame, "Dashboard", "<p>There are no orders yet.</p>")


def public_token(frame: Frame, value: str) -> str:
    """The Public Token tab."""
    body = f"""{_tabs(frame, API)}
<p><code id="public">{escape(value)}</code> <button type="button" class="copy" data-of="public">Copy</button></p>
{COPY}"""
    return _page(frame, "API", body)


def secret_tokens(frame: Frame, tokens: Iterable[Token], named: bool, notice: str = "", error: str = "") -> str:
    """The Secret Token tab: every token with its value, and the form that makes another one."""
    lines = "\n".join(_line(frame, token, named) for token in tokens)
    name = '<th scope="col">Name</th>' if named else ""
    table = f"""<table id="secret-tokens">
<thead><tr>{name}<th scope="col">Ends with</th><th scope="col">Created</th><th scope="col">Token</th><th></th></tr></thead>
<tbody>
{lines}
</tbody>
</table>"""
    field = '<label for="name">Name</label> <input type="text" id="name" name="name" value=""> ' if named else ""
    said = f'<p role="status">{escape(notice)}</p>' if notice else ""
    body = f"""{_tabs(frame, SECRET_TOKEN)}
{said}{_error(error)}
<p>{WARNING}</p>
{table if lines else "<p>There are no secret tokens.</p>"}
<form id="new-token" method="post" action="{escape(frame.path(SECRET_TOKEN))}">
{_csrf(frame.csrf)}
<p>{field}<button type="submit">Create token</button></p>
</form>
{COPY}"""
    return _page(frame, "API", body)


def confirm_deletion(frame: Frame, token: Token, named: bool) -> str:
    """The question before a token is deleted."""
    name = f'<strong class="name">{escape(token.name)}</strong>, ' if named and token.name else ""
    body = f"""<p>Delete the secret token {name}ending with <code class="ending">{escape(token.ending)}</code>, created {_date(token)}?
All sites that use it are disconnected at once. This cannot be undone.</p>
<form id="delete-token" method="post" action="{escape(_delete_path(frame, token))}">
{_csrf(frame.csrf)}
<p><a href="{escape(frame.path(SECRET_TOKEN))}">Cancel</a> <button type="submit">Delete</button></p>
</form>"""
    return _page(frame, "Delete secret token", body)


def refusal(frame: Frame, title: str, words: str) -> str:
    """A page that says why not."""
    return _page(frame, title, _error(words))


def _line(frame: Frame, token: Token, named: bool) -> str:
    name = f'<th scope="row" class="name">{escape(token.name)}</th>' if named else ""
    element = f"token-{token.id}"
    return (
        f'<tr data-token="{token.id}">{name}<td class="ending">{escape(token.ending)}</td>'
        f'<td class="created">{_date(token)}</td>'
        f'<td><code class="value" id="{element}">{escape(token.value)}</code> '
        f'<button type="button" class="copy" data-of="{element}">Copy</button></td>'
        f'<td><a class="delete" href="{escape(_delete_path(frame, token))}">Delete</a></td></tr>'
    )


def _delete_path(frame: Frame, token: Token) -> str:
    return frame.path(f"{SECRET_TOKEN}/{token.id}/delete")


def _date(token: Token) -> str:
    return time.strftime("%d %b %Y, %H:%M:%S UTC", time.gmtime(token.created))


def _tabs(frame: Frame, current: str) -> str:
    tabs = " ".join(
        f'<a id="{identifier}" href="{escape(frame.path(path))}"{CURRENT if path == current else ""}>{words}</a>'
        for identifier, path, words in TABS
    )
    return f'<nav class="tabs">{tabs}</nav>'


def _page(frame: Frame, title: str, body: str) -> str:
    """A page with the dashboard around it; the sidebar belongs to the chosen store."""
    account = frame.account
    store, sidebar = "", ""
    if account:
        store = f'<strong id="store">{escape(account.name)} (<span class="slug">{escape(account.slug)}</span>)</strong>'
        sidebar = (
            f'<aside><nav id="sidebar"><a href="{escape(frame.path("dashboard"))}">Dashboard</a>'
            f'<a id="api" href="{escape(frame.path(API))}">API</a></nav></aside>'
        )
    return _document(
        title,
        f"""<header>
{store}
<a id="change-store" href="{ROOT}/stores">Stores</a>
<span id="person">{escape(frame.person)}</span>
<form id="logout" method="post" action="{ROOT}/logout">{_csrf(frame.csrf)}<button type="submit">Log out</button></form>
</header>
<div class="columns">{sidebar}
<main>
<h1>{escape(title)}</h1>
{body}
</main></div>""",
    )


def _document(title: str, body: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{escape(title)} - SureCart</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _csrf(value: str) -> str:
    return f'<input type="hidden" name="csrf_token" value="{escape(value)}">'


def _error(words: str) -> str:
    return f'<p class="error" role="alert">{escape(words)}</p>' if words else ""
