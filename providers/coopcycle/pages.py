"""What the administration pages of a CoopCycle server say, as pure functions of their text (sheet coopcycle.md 2 and 8.1).

Elements are found by ids, names and what they link to, never by words. A page that is not recognised is `Unexpected`, never
a guess: forms that change are why everything that reads them stands here.
"""

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from providers.coopcycle.scopes import API_KEY, OAUTH, ordered
from providers.core.errors import Unexpected
from providers.core.html import tree, whole, with_class
from providers.core.redaction import Secret

NO_STORE = "＊"
"""What the list shows for an app of no store."""

_APP = re.compile(r"/admin/api/apps/([1-9][0-9]{0,17})/?")
_IDENTIFIER = re.compile(r"[0-9a-f]{32}")
_SECRET = re.compile(r"[0-9a-f]{128}")
_API_KEY = re.compile(r"ak_[0-9a-f]{40}")
_CHECK = re.compile(r"[a-z][a-z0-9_-]{0,40}")


Credential = Mapping[str, Secret]


@dataclass(frozen=True, slots=True)
class LoginForm:
    """`path` is where the form is sent: one segment below the server's own address."""

    token: str
    path: str


@dataclass(frozen=True, slots=True)
class Row:
    """An app in the list. `store` is its store's name, empty for none; `credential` holds `identifier` and `secret`, or
    `api_key`."""

    app_id: str
    name: str
    store: str
    credential: Credential


@dataclass(frozen=True, slots=True)
class AppForm:
    """The form that makes an app: its token, the scopes and types it offers, and every store by number."""

    token: str
    scopes: frozenset[str]
    types: frozenset[str]
    stores: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class AppPage:
    """An app as its own page shows it. `store` is None for an app of no store, `scopes` where the page shows none;
    `credential` is as in the list."""

    app_id: str
    name: str
    type: str
    scopes: tuple[str, ...] | None
    store: int | None
    store_name: str
    credential: Credential


class Landing(Enum):
    """Where a redirect of the server leads."""

    LOGIN = "login"
    SECOND_FACTOR = "2fa"
    ELSEWHERE = "elsewhere"


def landing(location: str) -> Landing:
    """What a redirect means, by the end of its path. It is never followed."""
    end = urllib.parse.urlsplit(location).path.rstrip("/").rpartition("/")[2]
    return next(
        (landing for landing in (Landing.LOGIN, Landing.SECOND_FACTOR) if landing.value == end), Landing.ELSEWHERE
    )


def app_id(location: str) -> str:
    """The number of the app that a redirect leads to, empty where it leads elsewhere."""
    found = _APP.search(urllib.parse.urlsplit(location).path)
    return found[1] if found and location.partition("?")[0].rstrip("/").endswith(f"/{found[1]}") else ""


def login_form(text: str) -> LoginForm:
    """The login form; only the last part of where it is sent is taken from the page."""
    for form in tree(text).xpath('//form[.//input[@name="_username"] and .//input[@name="_password"]]'):
        token = form.xpath('string(.//input[@name="_csrf_token"]/@value)')
        action = urllib.parse.urlsplit(form.get("action") or "login").path.rstrip("/").rpartition("/")[2]
        if token and _CHECK.fullmatch(action):
            return LoginForm(str(token), f"/{action}")
    raise Unexpected("the login page shows no form for username and password")


def rows(text: str) -> tuple[Row, ...]:
    """Every app. The page is known by its link to the form that makes one; a server without apps shows an empty table."""
    page = tree(text)
    if not whole(text):
        raise Unexpected("the list of apps ends in the middle")
    if not any(_path(href).endswith("/admin/api/apps/new") for href in page.xpath("//a/@href")):
        raise Unexpected("the page is not the list of apps")
    if page.xpath(f"//*[{with_class('pagination')}]//a"):
        raise Unexpected("the list of apps has several pages, which no known version has")
    found = tuple(_row(row) for row in page.xpath("//tr[.//a[contains(@href, '/admin/api/apps/')]]"))
    if len({row.app_id for row in found}) != len(found):
        raise Unexpected("the list of apps shows one of them twice")
    return found


def _row(row: Any) -> Row:
    ids = {number for href in row.xpath(".//a/@href") if (number := app_id(href))}
    cells = row.xpath("./td")
    copies = [text.strip() for text in row.xpath(".//@data-clipboard-text")]
    found = _credential(_first(_IDENTIFIER, copies), _first(_SECRET, copies), _first(_API_KEY, copies))
    if len(ids) != 1 or len(cells) < 3 or not found:
        raise Unexpected("a row in the list of apps is not whole")
    store = _squeezed(cells[2].text_content())
    return Row(
        app_id=ids.pop(),
        name=_squeezed(cells[1].text_content()),
        store="" if store == NO_STORE else store,
        credential=found,
    )


def _credential(identifier: str, secret: str, api_key: str) -> Credential:
    """What there is of an app's credential; empty where it is not whole."""
    if api_key:
        return {"api_key": Secret(api_key)}
    return {"identifier": Secret(identifier), "secret": Secret(secret)} if identifier and secret else {}


def app_form(text: str) -> AppForm:
    """The form that makes an app."""
    form = _form(text)
    token = str(form.xpath('string(.//input[@name="api_app[_token]"]/@value)'))
    if not token:
        raise Unexpected("the form for an app has no token")
    return AppForm(
        token=token,
        scopes=frozenset(_values(form, "api_app[scopes][]")),
        types=frozenset(_values(form, "api_app[type]")),
        stores=_stores(form, "option"),
    )


def app_page(text: str, number: str) -> AppPage:
    """An app, with its credentials in disabled inputs (S4)."""
    form = _form(text)
    name = str(form.xpath('string(.//input[@name="api_app[name]"]/@value)'))
    chosen = form.xpath('.//select[@name="api_app[type]"]/option[@selected]/@value') or form.xpath(
        './/input[@name="api_app[type]"][@checked]/@value'
    )
    found = _credential(
        _shown(form, "client_id", _IDENTIFIER), _shown(form, "client_secret", _SECRET), _shown(form, "apiKey", _API_KEY)
    )
    kind = API_KEY if "api_key" in found else OAUTH
    if not name or not found or chosen not in ([], [kind]):
        raise Unexpected("the page of an app does not show a whole app")
    scopes = form.xpath('.//input[@name="api_app[scopes][]"][@checked]/@value') + form.xpath(
        './/select[@name="api_app[scopes][]"]/option[@selected]/@value'
    )
    store = dict(_stores(form, "option[@selected]"))
    return AppPage(
        app_id=number,
        name=_squeezed(name),
        type=kind,
        scopes=ordered(str(scope) for scope in scopes) or None,
        store=next(iter(store), None),
        store_name=next(iter(store.values()), ""),
        credential=found,
    )


def _shown(form: Any, name: str, pattern: re.Pattern[str]) -> str:
    """The value of one of the disabled inputs (S4)."""
    return _first(pattern, [text.strip() for text in form.xpath(f'.//input[@id="api_app_{name}"]/@value')])


def is_app_form(text: str) -> bool:
    """Whether a page shows the form for an app: after a save, that the server did not take what was sent."""
    return "api_app[_token]" in text


def _form(text: str) -> Any:
    forms = tree(text).xpath('//form[.//input[@name="api_app[name]"]]')
    if len(forms) != 1:
        raise Unexpected("the page does not show the form for an app")
    return forms[0]


def _stores(form: Any, option: str) -> dict[int, str]:
    options = form.xpath(f'.//select[@name="api_app[store]"]//{option}')
    return {
        int(entry.get("value")): _squeezed(entry.text_content())
        for entry in options
        if re.fullmatch(r"[1-9][0-9]{0,17}", entry.get("value") or "")
    }


def _values(form: Any, name: str) -> list[str]:
    return [
        str(value)
        for value in form.xpath(f'.//input[@name="{name}"]/@value')
        + form.xpath(f'.//select[@name="{name}"]//option/@value')
    ]


def _first(pattern: re.Pattern[str], texts: list[str]) -> str:
    return next((text for text in texts if pattern.fullmatch(text)), "")


def _path(link: str) -> str:
    return urllib.parse.urlsplit(link).path


def _squeezed(text: str) -> str:
    return " ".join(text.split())
