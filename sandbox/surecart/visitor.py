"""A person at the dashboard, scripted: chooses a store, makes a token and copies its value, deletes a token.

It reads the pages that a person reads and sends the forms that stand in them, over HTTP; it knows nothing of the stand-in's
insides. Errors repeat what the page says and never a token.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx
from lxml import html
from lxml.html import HtmlElement

TIMEOUT_SECONDS = 30.0


class VisitError(RuntimeError):
    """The dashboard refused, or a page does not hold what the visitor looked for."""


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A token as the Secret Token tab shows it; its value does not show in `repr`."""

    name: str
    """Empty where it has none, or where the dashboard knows no names."""
    ending: str
    """The last characters of the value."""
    created: str
    value: str = field(repr=False)


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


class Visitor:
    """One person at the dashboard, in whatever stores this person sees.

    `dashboard_url` is its address, `https://HOST/app.surecart.com`; `ca` the certificate authority to trust.
    """

    def __init__(self, dashboard_url: str, ca: Path, mail: str, password: str) -> None:
        self._dashboard_url = dashboard_url.rstrip("/")
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

    def tokens(self, store_slug: str) -> tuple[ShownToken, ...]:
        """What the Secret Token tab of a store shows, in its order."""
        return tuple(_shown(line) for line in _lines(self._secret_tokens(store_slug)))

    def make_token(self, store_slug: str, name: str = "") -> str:
        """Make a token in a store and return the value that the page then shows. A name is passed over where the
        dashboard knows none. Raises VisitError with the page's words when the dashboard refuses."""
        before = self._secret_tokens(store_slug)
        known = {line.get("data-token") for line in _lines(before)}
        form = before.one("//form[@id='new-token']", "form of a new token")
        fields = _fields(form)
        after = self._send(before, form, fields | {"name": name} if "name" in fields else fields)
        made = [_shown(line) for line in _lines(after) if line.get("data-token") not in known]
        if len(made) != 1:
            raise VisitError(f"the list shows {len(made)} new tokens, not one")
        return made[0].value

    def delete_token(self, store_slug: str, name: str = "", *, ending: str = "") -> None:
        """Delete the only token of this name, or of these last characters, or of both; raises VisitError when there is
        none, or are several."""
        listed = self._secret_tokens(store_slug)
        lines = [line for line in _lines(listed) if _is_meant(_shown(line), name, ending)]
        if len(lines) != 1:
            raise VisitError(f"{len(lines)} tokens are called {name!r} and end with {ending!r}, not one")
        link = _one(lines[0], ".//a[@class='delete']", "button to delete the token")
        asked = self._follow(listed, link)
        form = asked.one("//form[@id='delete-token']", "question before deleting")
        self._send(asked, form, _fields(form))

    def _secret_tokens(self, store_slug: str) -> Page:
        """The Secret Token tab of a store, by way of the sidebar."""
        store = self._store(store_slug)
        api = self._follow(store, store.one("//nav[@id='sidebar']//a[@id='api']", "API in the sidebar"))
        return self._follow(api, api.one("//a[@id='secret-token']", "Secret Token tab"))

    def _store(self, store_slug: str) -> Page:
        """The first page of a store: chosen from the list, or the only one there is."""
        page = self._entered()
        for link in page.all("//ul[@id='stores']//a"):
            if _words(_one(link, ".//*[@class='slug']", "slug of a store")) == store_slug:
                return self._follow(page, link)
        if [_words(slug) for slug in page.all("//*[@id='store']//*[@class='slug']")] == [store_slug]:
            return page
        raise VisitError(f"the dashboard shows {self._mail} no store {store_slug!r}")

    def _entered(self) -> Page:
        """The list of stores; where the dashboard asks for a login first, the login."""
        page = self._call("GET", f"{self._dashboard_url}/stores")
        forms = page.all("//form[@id='login']")
        if not forms:
            return page
        page = self._send(page, forms[0], _fields(forms[0]) | {"email": self._mail, "password": self._password})
        if page.all("//form[@id='login']"):
            raise VisitError(f"the dashboard does not let {self._mail} in: {_said(page.root)}")
        return page

    def _follow(self, page: Page, link: HtmlElement) -> Page:
        return self._call("GET", urljoin(page.url, link.get("href", "")))

    def _send(self, page: Page, form: HtmlElement, fields: Mapping[str, str]) -> Page:
        return self._call("POST", urljoin(page.url, form.get("action", "")), fields)

    def _call(self, method: str, url: str, fields: Mapping[str, str] | None = None) -> Page:
        try:
            return _page(self._http.request(method, url, data=fields))
        except httpx.HTTPError as error:
            raise VisitError(f"{method} {urlsplit(url).path}: no answer ({type(error).__name__})") from None


def _page(answer: httpx.Response) -> Page:
    """An answer as a page; raises VisitError when it is none, or is a refusal."""
    where = f"{answer.request.method} {answer.url.path}"
    if not answer.headers.get("Content-Type", "").startswith("text/html"):
        raise VisitError(f"{where}: {answer.status_code}, no page")
    root = html.document_fromstring(answer.text or "<html></html>")
    if answer.is_error:
        raise VisitError(f"{where}: {answer.status_code}, {_said(root)}")
    return Page(str(answer.url), root)


def _lines(page: Page) -> list[HtmlElement]:
    return page.all("//table[@id='secret-tokens']/tbody/tr")


def _shown(line: HtmlElement) -> ShownToken:
    name = "".join(_words(cell) for cell in _all(line, ".//*[@class='name']"))
    ending, created, value = (
        _words(_one(line, f".//*[@class='{column}']", f"{column} of a token"))
        for column in ("ending", "created", "value")
    )
    return ShownToken(name, ending, created, value)


def _is_meant(token: ShownToken, name: str, ending: str) -> bool:
    return bool(name or ending) and token.name == (name or token.name) and token.value.endswith(ending)


def _fields(form: HtmlElement) -> dict[str, str]:
    """What a browser would send of a form that nobody touched."""
    return {control.get("name", ""): control.get("value", "") for control in _all(form, ".//input[@name]")}


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
