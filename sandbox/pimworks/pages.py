"""The pages as HTML. Words of the steps and fields are the help page's (pimworks.md section 4), the markup is ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from sandbox.pimworks.state import Account, ChannelStore

ROOT = "/pimworks.example"
CHANNELS = f"{ROOT}/channels"
WOOCOMMERCE = f"{CHANNELS}/woocommerce"
CATALOGUE = ("Amazon", "BigCommerce", "eBay", "Magento", "Shopify", "WooCommerce")
"""Channels that a search finds; only WooCommerce can be added here."""
STYLE = """
body { font-family: sans-serif; margin: 0; color: #22303c; background: #f5f7f9; }
header, main { padding: 1rem 2rem; } header { background: #fff; display: flex; gap: 2rem; align-items: center; }
table { border-collapse: collapse; background: #fff; } th, td { padding: .4rem 1rem; text-align: left; }
fieldset { margin: 1rem 0; max-width: 30rem; } form.inline { display: inline; } .error { color: #b3261e; font-weight: bold; }
"""


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page has around its content."""

    person: str
    form_token: str
    may_see_channels: bool
    may_write: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form of a store."""

    name: str = ""
    url: str = ""
    components: Sequence[str] = ()


def login(mail: str, error: str) -> str:
    """The login form."""
    return _document(
        "Log in",
        f"""<main>
<h1>Log in to PIMworks</h1>
{_error(error)}
<form id="login" method="post" action="{ROOT}/login">
<p><label for="mail">Email</label> <input type="email" id="mail" name="mail" value="{escape(mail)}" required></p>
<p><label for="password">Password</label> <input type="password" id="password" name="password" required></p>
<p><button type="submit">Log in</button></p>
</form>
</main>""",
    )


def dashboard(frame: Frame) -> str:
    """Where a login leads to."""
    return _page(frame, "Dashboard", "<p>Welcome.</p>")


def channels(frame: Frame, account: Account, search: str) -> str:
    """Channels > Manage channels: what is subscribed to, and what a search finds."""
    lines = ""
    if account.subscribed:
        lines = (
            f'<tr class="subscribed"><td class="channel">WooCommerce</td><td>{len(account.stores)} stores</td>'
            f'<td><a class="edit" href="{WOOCOMMERCE}">Edit</a></td></tr>'
        )
    found = [name for name in CATALOGUE if search and search.casefold() in name.casefold()]
    results = "\n".join(_found(frame, name, account.subscribed and name == "WooCommerce") for name in found)
    nothing = '<p class="nothing">No channel found.</p>' if search and not found else ""
    return _page(
        frame,
        "Manage channels",
        f"""<table id="subscribed"><tbody>{lines}</tbody></table>
<form id="search" method="get" action="{CHANNELS}">
<p><label for="search-field">Search channels</label> <input type="search" id="search-field" name="search" value="{escape(search)}">
<button type="submit">Search</button></p>
</form>
<ul id="found">{results}</ul>{nothing}""",
    )


def channel(frame: Frame, account: Account, notice: str) -> str:
    """The channel with its stores."""
    rows = "\n".join(_store_row(frame, store) for store in account.stores)
    add = f'<p><a id="add-store" href="{WOOCOMMERCE}/stores/new">Add store</a></p>' if frame.may_write else ""
    said = f'<p id="notice" role="status">{escape(notice)}</p>' if notice else ""
    return _page(
        frame,
        "WooCommerce: manage stores",
        f"""{said}
<table id="stores">
<thead><tr><th>Store name</th><th>Store URL</th><th>Connection</th><th>Sync</th><th></th></tr></thead>
<tbody>{rows}</tbody>
</table>
{add}""",
    )


def store_form(frame: Frame, account: Account, action: str, draft: Draft, error: str) -> str:
    """The form of a store; keys never come back into it."""
    boxes = "\n".join(
        f'<label><input type="checkbox" name="components" value="{escape(label)}"'
        f"{' checked' if label in draft.components else ''}> {escape(label)}</label><br>"
        for label in account.settings.components
    )
    name = (
        f'<p><label for="store_name">Store name</label> <input id="store_name" name="store_name" value="{escape(draft.name)}"></p>'
        if account.settings.store_name_field
        else ""
    )
    return _page(
        frame,
        "WooCommerce: store",
        f"""{_error(error)}
<form id="store" method="post" action="{escape(action)}">
{_token(frame)}
{name}
<p><label for="store_url">Store URL</label> <input id="store_url" name="store_url" value="{escape(draft.url)}"></p>
<p><label for="consumer_key">Consumer key</label> <input id="consumer_key" name="consumer_key" autocomplete="off"></p>
<p><label for="secret_key">Secret key</label> <input type="password" id="secret_key" name="secret_key" autocomplete="off"></p>
<fieldset id="components"><legend>Sync components</legend>
{boxes}
</fieldset>
<a href="{WOOCOMMERCE}">Cancel</a> <button type="submit" id="save">SAVE</button>
</form>""",
    )


def refusal(frame: Frame, title: str, words: str) -> str:
    """A page that says why not."""
    return _page(frame, title, _error(words))


def _found(frame: Frame, name: str, subscribed: bool) -> str:
    """A channel that a search found."""
    button = ""
    if name == "WooCommerce" and not subscribed and frame.may_write:
        button = (
            f'<form class="add inline" method="post" action="{CHANNELS}/add">{_token(frame)}'
            '<input type="hidden" name="channel" value="woocommerce"><button type="submit">+Add</button></form>'
        )
    return f'<li><span class="channel">{escape(name)}</span> {"Subscribed" if subscribed else button}</li>'


def _store_row(frame: Frame, store: ChannelStore) -> str:
    syncs = "".join(
        f'<li><span class="component">{escape(label)}</span>: <span class="state">{escape(store.syncs.get(label, "-"))}</span></li>'
        for label in store.components
    )
    address = f"{WOOCOMMERCE}/stores/{store.id}"
    deeds = (
        f'<a class="edit" href="{address}">Edit</a> <form class="remove inline" method="post" action="{address}/remove">'
        f'{_token(frame)}<button type="submit">Remove</button></form>'
        if frame.may_write
        else ""
    )
    connection = "Connected" if store.connected else "Invalid credentials"
    return (
        f'<tr><td class="name">{escape(store.name)}</td><td class="url">{escape(store.url)}</td>'
        f'<td class="connection">{connection}</td><td><ul class="syncs">{syncs}</ul></td><td>{deeds}</td></tr>'
    )


def _page(frame: Frame, title: str, body: str) -> str:
    """A page with the application around it."""
    menu = f'<a id="channels" href="{CHANNELS}">Channels: Manage channels</a>' if frame.may_see_channels else ""
    return _document(
        title,
        f"""<header>
<strong>PIMworks</strong>
<nav><a href="{ROOT}/dashboard">Dashboard</a> {menu}</nav>
<span id="person">{escape(frame.person)}</span>
<form id="logout" class="inline" method="post" action="{ROOT}/logout">{_token(frame)}<button type="submit">Log out</button></form>
</header>
<main>
<h1>{escape(title)}</h1>
{body}
</main>""",
    )


def _document(title: str, body: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{escape(title)} - PIMworks</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _token(frame: Frame) -> str:
    return f'<input type="hidden" name="form_token" value="{escape(frame.form_token)}">'


def _error(words: str) -> str:
    return f'<p class="error" role="alert">{escape(words)}</p>' if words else ""
