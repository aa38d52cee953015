"""What the pages and answers of wp-admin say, as pure functions of their text (sheet woocommerce.md 3 and 4).

Elements are found by ids, classes and names, never by words: labels and messages are in the store's language. A page
that is not recognised is `Unexpected`, never a guess.
"""

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from providers.core.errors import Unexpected
from providers.core.html import tree, whole, with_class
from providers.core.redaction import Secret
from providers.wordpress.pages import CONFIRM_EMAIL, LOGGED_OUT, LOGIN, UPGRADE, Redirect, is_nonce, query

RIGHTS = frozenset({"read", "write", "read_write"})
"""The three words a store keeps. Any other is stored as `read` without a word (sheet 6, L3)."""

TAIL = 7
"""How many characters of a consumer key the store goes on showing."""

_FORM_SCRIPT = re.compile(r"\bwoocommerce_admin_api_keys\s*=\s*(?=\{)")
_SPACE = re.compile(r"[ \t\r\n]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One key in the list. `owner_id` is empty where this login may not edit the owner; `owner` is the display name,
    empty for a user that no longer exists; `revoke_nonce` is empty where the row offers no revoke."""

    key_id: str
    label: str
    tail: str
    owner_id: str
    owner: str
    last_access: str
    revoke_nonce: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of the list: `count` is how many keys the store says it has, None where that is no plain number;
    `screen_nonce` allows a larger page, and is empty where the version has no such option."""

    rows: tuple[Row, ...]
    pages: int
    count: int | None
    screen_nonce: str


@dataclass(frozen=True, slots=True)
class KeyPage:
    """One key as its edit page shows it; `owner_id` is empty where no owner is selected."""

    key_id: str
    label: str
    owner_id: str
    rights: str
    tail: str
    revoke_nonce: str


@dataclass(frozen=True, slots=True)
class Created:
    """The answer to a create: the pair is shown this once."""

    key_id: str
    consumer_key: Secret
    consumer_secret: Secret


class Saved(Enum):
    """What the store says about a create or update; a success is still to be read back (sheet 6)."""

    REFUSED = "refused"
    PHANTOM = "phantom"
    UNCLEAR = "unclear"
    UPDATED = "updated"


class Landing(Enum):
    """Where a redirect of wp-admin leads (sheet 3 and 4)."""

    LOGIN = "login"
    CONFIRM_EMAIL = "confirm_admin_email"
    LOGGED_OUT = "logged out"
    UPGRADE = "upgrade"
    WIZARD = "wizard"
    WRONG_TAB = "wrong tab"
    REVOKED = "revoked"
    PAGED = "paged"
    UNKNOWN = "unknown"


_KEYS = {"page": "wc-settings", "section": "keys"}
_REDIRECTS = (
    (Landing.LOGGED_OUT, LOGGED_OUT),
    (Landing.CONFIRM_EMAIL, CONFIRM_EMAIL),
    *((Landing.LOGIN, redirect) for redirect in LOGIN),
    (Landing.UPGRADE, UPGRADE),
    (Landing.WIZARD, Redirect("", {"page": "wc-setup"})),
    (Landing.WIZARD, Redirect("", {"page": "wc-admin"})),
    (Landing.WRONG_TAB, Redirect("/admin.php", {"page": "wc-settings"}, absent=frozenset({"tab"}))),
    (Landing.REVOKED, Redirect("/admin.php", _KEYS, present=frozenset({"revoked"}))),
    (Landing.PAGED, Redirect("/admin.php", _KEYS, present=frozenset({"paged"}))),
)


def landing(location: str) -> Landing:
    """What a redirect means. Only the end of its path and its query are looked at; it is never followed."""
    return next((landing for landing, redirect in _REDIRECTS if redirect.is_it(location)), Landing.UNKNOWN)


def key_form(text: str) -> str | None:
    """The nonce for create and update, or None where this is not the key form.

    2.6 prints the script with a nonce on the wrong tab too, so the form's own field must be there (sheet 4.2, L8).
    """
    page = tree(text)
    if not page.xpath('//*[@id="key_description"]'):
        return None
    for script in page.xpath("//script"):
        source = script.text or ""
        for found in _FORM_SCRIPT.finditer(source):
            try:
                settings, _ = json.JSONDecoder().raw_decode(source, found.end())
            except ValueError:
                continue
            nonce = settings.get("update_api_nonce")
            if isinstance(nonce, str) and is_nonce(nonce):
                return nonce
    raise Unexpected("the key form of wp-admin has no nonce")


def key_page(text: str, key_id: str) -> KeyPage | None:
    """The key an edit page shows, or None where the id does not exist.

    A missing id shows the same form with neither description nor the end of a key (sheet 4.4, L13).
    """
    page = tree(text)
    fields = [page.xpath(f'//*[@id="{name}"]') for name in ("key_description", "key_user", "key_permissions")]
    if not all(fields):
        raise Unexpected("the edit page of a key lacks its form")
    (description, *_), (user, *_), (permissions, *_) = fields
    label = _squeezed(description.get("value") or "")
    ends = [end for code in permissions.xpath("following::code") if (end := _tail(code.text_content()))]
    if not label and not ends:
        return None
    shown = page.xpath('string(//*[@id="key_id"]/@value)')
    rights = permissions.xpath("string(.//option[@selected]/@value)")
    if not label or not ends or shown != key_id or rights not in RIGHTS:
        raise Unexpected("the edit page of a key does not show a whole key")
    owner_id = user.get("value") or "" if user.tag == "input" else user.xpath("string(.//option[@selected]/@value)")
    return KeyPage(key_id, label, owner_id, str(rights), ends[0], _revoke(page.xpath("//a/@href"))[1])


def list_page(text: str) -> ListPage:
    """One page of the list of keys. An empty store shows a page without a table (sheet 4.5)."""
    page = tree(text)
    # A page that broke off half-way would look like a shorter list, or like an empty store.
    if not whole(text):
        raise Unexpected("the list of keys ends in the middle")
    tables = page.xpath(f"//table[{with_class('wp-list-table')}]")
    if not tables:
        if any(query(href).get("create-key") == "1" for href in page.xpath("//a/@href")):
            return ListPage((), 1, 0, "")
        raise Unexpected("the page is not the list of keys")
    rows = tuple(_row(found) for found in tables[0].xpath('.//tbody/tr[.//input[@name="key[]"]]'))
    count = _number(page, "displaying-num")
    pages = _number(page, "total-pages")
    if pages is None:
        if count != len(rows):
            raise Unexpected("the list of keys does not say how many pages it has")
        pages = 1
    option = page.xpath('//input[@name="wp_screen_options[option]"][@value="woocommerce_keys_per_page"]')
    screen_nonce = page.xpath('string(//input[@name="screenoptionnonce"]/@value)') if option else ""
    return ListPage(rows, max(pages, 1), count, str(screen_nonce))


def _row(row: Any) -> Row:
    key_id = row.xpath('string(.//input[@name="key[]"]/@value)')
    names = row.xpath(f"./td[{with_class('title')} or {with_class('description')}]")
    tail = _tail(row.xpath(f"string(./td[{with_class('truncated_key')}]//code)"))
    users = row.xpath(f"./td[{with_class('user')}]")
    if not re.fullmatch(r"[1-9][0-9]*", key_id) or not names or not tail or not users:
        raise Unexpected("a row in the list of keys is not whole")
    # The cell of the name also holds the row's actions and a button for small screens.
    label = names[0].xpath(f".//text()[not(ancestor::*[{with_class('row-actions')}]) and not(ancestor::button)]")
    owner_ids = [query(href).get("user_id", "") for href in users[0].xpath(".//a/@href")]
    return Row(
        key_id=str(key_id),
        label=_squeezed("".join(label)),
        tail=tail,
        owner_id=next(filter(None, owner_ids), ""),
        owner=_squeezed(users[0].text_content()),
        last_access=_squeezed(row.xpath(f"string(./td[{with_class('last_access')}])")),
        revoke_nonce=_revoke(row.xpath(f".//a[{with_class('submitdelete')}]/@href"))[1],
    )


def saved(body: Any, *, creates: bool) -> Created | Saved:
    """What the answer to a create or update says. The id of a new key stands only in `revoke_url` (sheet 4.3, 4.6)."""
    match body:
        case {"success": False}:
            return Saved.REFUSED
        case {"success": True, "data": {}} if not creates:
            return Saved.UPDATED
        case {
            "success": True,
            "data": {"consumer_key": str(key), "consumer_secret": str(secret), "revoke_url": str(link)},
        } if creates and key and secret and link:
            key_id, _ = _revoke(tree(link).xpath("//a/@href"))
            if key_id == "0":
                return Saved.PHANTOM
            return Created(key_id, Secret(key), Secret(secret)) if key_id else Saved.UNCLEAR
    return Saved.UNCLEAR


def _revoke(links: list[str]) -> tuple[str, str]:
    """Key id and nonce of the first link that revokes a key; both empty where there is none."""
    for found in map(query, links):
        if re.fullmatch(r"[0-9]+", found.get("revoke-key", "")):
            return found["revoke-key"], found.get("_wpnonce", "")
    return "", ""


def _squeezed(text: str) -> str:
    return _SPACE.sub(" ", text).strip(" ")


def _tail(text: str) -> str:
    """The last characters of a key, whatever stands before them; empty where the text is too short."""
    text = text.strip()
    return text[-TAIL:] if len(text) >= TAIL else ""


def _number(page: Any, name: str) -> int | None:
    """The one number an element shows, whatever separates its thousands; None where there is none, or more than one."""
    text = page.xpath(f"string(//*[{with_class(name)}])")
    found = re.findall(r"\d+(?:[.,\u00a0\u202f'’]\d{3})*", text)
    return int(re.sub(r"\D", "", found[0])) if len(found) == 1 else None
