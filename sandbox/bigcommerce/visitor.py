"""A person at the control panel, scripted: logs in, makes an API account and keeps the file, deletes an account.

It reads the pages that a person reads and sends the forms that stand in them, over HTTP; it knows nothing of the stand-in's
insides. Errors repeat what the page says and never a secret.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import httpx
from lxml import html
from lxml.html import HtmlElement

LIST = "settings/auth/api-accounts"
V2_V3_TOKEN = "V2/V3 API token"
TIMEOUT_SECONDS = 30.0
FILE_PREFIX = "data:text/plain;charset=utf-8,"


class VisitError(RuntimeError):
    """The panel refused, or a page does not hold what the visitor looked for."""


@dataclass(frozen=True, slots=True)
class Download:
    """The .txt that Save downloads: its name and its text as it is, byte order mark and line ends included."""

    file_name: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """A page with the address it came from."""

    url: str
    root: HtmlElement

    def all(self, path: str) -> list[HtmlElement]:
        """The elements at an XPath."""
        return _all(self.root, path)

    def one(self, path: str, what: str) -> HtmlElement:
        """The only element at an XPath; raises VisitError when there is none or several."""
        return _one(self.root, path, what)

    def link(self, path: str, what: str) -> str:
        """The address behind the only link at an XPath."""
        address: str = self.one(path, what).get("href", "")
        return urljoin(self.url, address)


class Visitor:
    """One person in the panel of one store.

    `manage_url` is the address of the panel, `https://HOST/store-HASH.mybigcommerce.com/manage`; `ca` the certificate
    authority to trust.
    """

    def __init__(self, manage_url: str, ca: Path, mail: str, password: str) -> None:
        self._manage_url = manage_url.rstrip("/")
        self._mail = mail
        self._password = password
        context = ssl.create_default_context(cafile=str(ca))
        self._http = httpx.Client(verify=context, trust_env=False, timeout=TIMEOUT_SECONDS, follow_redirects=True)

    def close(self) -> None:
        """Forget the session and close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def titles(self) -> tuple[str, ...]:
        """The names in the list of API accounts, in its order."""
        return tuple(_words(name) for name in self._list().all("//table[@id='api-account-list']//*[@class='name']"))

    def create_account(self, title: str, levels: Mapping[str, str], token_type: str = V2_V3_TOKEN) -> Download:
        """Make an account with a level per row label, in any letter case, and return the downloaded file.

        A row that is not named keeps the panel's default. Raises VisitError when a row, a level or the token type is not
        on the page, and with the page's words when the panel refuses.
        """
        settings = self._get(f"{self._manage_url}/settings")
        accounts = self._get(settings.link("//a[@id='api-accounts']", "link to the API accounts"))
        page = self._get(accounts.link("//a[@id='create-api-account']", "button 'Create API account'"))
        form = page.one("//form[@id='api-account']", "form of a new account")
        fields = _fields(form)
        fields["name"] = title
        types = {_words(option): option.get("value", "") for option in _all(form, ".//select[@id='token_type']/option")}
        if token_type not in types:
            raise VisitError(f"the panel offers no token type {token_type!r}, only {', '.join(types)}")
        fields["token_type"] = types[token_type]
        fields.update(_choices(form, levels))
        saved = self._send(page, form, fields)
        link = saved.one("//dialog[@id='api-credentials']//a[@download]", "download of the credentials")
        content = link.get("href", "")
        if not content.startswith(FILE_PREFIX):
            raise VisitError("the panel downloads something that is no text")
        text = unquote_to_bytes(content.removeprefix(FILE_PREFIX)).decode()
        self._get(saved.link("//dialog[@id='api-credentials']//a[@id='done']", "button 'Done'"))
        return Download(link.get("download", ""), text)

    def delete_account(self, title: str, *, every: bool = False) -> None:
        """Delete the only account of this name, or every one of it; raises VisitError when there is none, or are several
        and not every one is meant."""
        lines = [
            line
            for line in self._list().all("//table[@id='api-account-list']/tbody/tr")
            if _words(_one(line, ".//*[@class='name']", "name of an account")) == title
        ]
        if len(lines) != 1 and not (every and lines):
            raise VisitError(f"{len(lines)} API accounts are called {title!r}, not one")
        for line in lines:
            delete = _one(line, ".//a[@class='delete']", f"button to delete {title!r}")
            page = self._get(urljoin(self._manage_url, delete.get("href", "")))
            form = page.one("//form[@id='delete-api-account']", "question before deleting")
            self._send(page, form, _fields(form))

    def _list(self) -> Page:
        return self._get(f"{self._manage_url}/{LIST}")

    def _get(self, url: str) -> Page:
        """A page; where the panel asks for a login first, the login."""
        page = self._call("GET", url)
        forms = page.all("//form[@id='login']")
        if not forms:
            return page
        fields = _fields(forms[0]) | {"email": self._mail, "password": self._password}
        page = self._send(page, forms[0], fields)
        if page.all("//form[@id='login']"):
            raise VisitError(f"the panel does not let {self._mail} in: {_said(page.root)}")
        if page.all("//form[@id='two-factor']"):
            raise VisitError(f"the panel asks {self._mail} for a code, which only a person has")
        return page

    def _send(self, page: Page, form: HtmlElement, fields: Mapping[str, str]) -> Page:
        return self._call("POST", urljoin(page.url, form.get("action", "")), fields)

    def _call(self, method: str, url: str, fields: Mapping[str, str] | None = None) -> Page:
        try:
            return _page(self._http.request(method, url, data=fields))
        except httpx.HTTPError as error:
            raise VisitError(f"{method} {urlsplit(url).path}: no answer ({type(error).__name__})") from None


def _page(answer: httpx.Response) -> Page:
    """An answer as a page; raises VisitError when it is none, or is a refusal."""
    # The path alone: an address can hold what was typed.
    where = f"{answer.request.method} {answer.url.path}"
    if not answer.headers.get("Content-Type", "").startswith("text/html"):
        raise VisitError(f"{where}: {answer.status_code}, no page")
    root = html.document_fromstring(answer.text)
    if answer.is_error:
        raise VisitError(f"{where}: {answer.status_code}, {_said(root)}")
    return Page(str(answer.url), root)


def _fields(form: HtmlElement) -> dict[str, str]:
    """What a browser would send of a form that nobody touched."""
    fields = {}
    for control in _all(form, ".//input[@name]"):
        if control.get("type") != "radio" or control.get("checked") is not None:
            fields[control.get("name", "")] = control.get("value", "")
    for select in _all(form, ".//select[@name]"):
        options = _all(select, ".//option[@selected]") or _all(select, ".//option")
        fields[select.get("name", "")] = options[0].get("value", "") if options else ""
    return fields


def _choices(form: HtmlElement, levels: Mapping[str, str]) -> dict[str, str]:
    """The fields by which the named rows get their levels."""
    rows = {_words(_one(row, "th", "label of a row")).casefold(): row for row in _all(form, ".//tr[th and td]")}
    fields = {}
    for label, level in levels.items():
        row = rows.get(label.casefold())
        if row is None:
            raise VisitError(f"the panel has no row {label!r}")
        choices = {_words(choice): choice for choice in _all(row, ".//label")}
        chosen = next((choice for words, choice in choices.items() if words.casefold() == level.casefold()), None)
        if chosen is None:
            raise VisitError(f"row {label!r} offers {', '.join(choices)}, not {level!r}")
        button = _one(chosen, ".//input", f"button {level!r} of row {label!r}")
        fields[button.get("name", "")] = button.get("value", "")
    return fields


def _said(root: HtmlElement) -> str:
    """The errors on a page."""
    return " ".join(_words(line) for line in _all(root, "//*[@role='alert']")) or "without a reason"


def _all(element: HtmlElement, path: str) -> list[HtmlElement]:
    found = element.xpath(path)
    return [item for item in found if isinstance(item, HtmlElement)] if isinstance(found, list) else []


def _one(element: HtmlElement, path: str, what: str) -> HtmlElement:
    found = _all(element, path)
    if len(found) != 1:
        raise VisitError(f"the page holds {len(found)} of what should be one: {what}")
    return found[0]


def _words(element: HtmlElement) -> str:
    return " ".join(element.text_content().split())
