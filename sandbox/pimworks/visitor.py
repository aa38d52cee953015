"""A person at PIMworks, scripted: subscribes to the WooCommerce channel, adds, replaces and removes stores.

It reads the pages that a person reads and sends the forms that stand in them, over HTTP; it knows nothing of the stand-in's
insides. Errors repeat what the page says and never a secret.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx
from lxml import html
from lxml.html import HtmlElement

TIMEOUT_SECONDS = 30.0
CHANNEL = "WooCommerce"


class PimworksVisitError(RuntimeError):
    """PIMworks refused, or a page does not hold what the visitor looked for; says what the page says."""


@dataclass(frozen=True, slots=True)
class ShownStore:
    """A store as the page lists it."""

    name: str
    url: str
    connection: str
    syncs: dict[str, str]
    """State of each ticked component, by its label."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page with the address it came from."""

    url: str
    root: HtmlElement


class PimworksVisitor:
    """One person. `url` is the account row's; `ca` the certificate authority to trust."""

    def __init__(self, url: str, ca: Path, mail: str, password: str) -> None:
        self._url = url.rstrip("/")
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

    def subscribe(self) -> None:
        """Channels > Manage channels, search for WooCommerce, +Add; nothing if the channel is there already."""
        channels = self._channels()
        if _all(channels.root, "//table[@id='subscribed']//a[@class='edit']"):
            return
        search = _one(channels.root, "//form[@id='search']", "search for channels")
        found = self._get(f"{urljoin(channels.url, search.get('action', ''))}?search={CHANNEL}")
        lines = [line for line in _all(found.root, "//ul[@id='found']/li") if _text(line, "channel") == CHANNEL]
        if not lines:
            raise PimworksVisitError(f"the search finds no {CHANNEL}")
        form = _one(lines[0], ".//form", f"button '+Add' beside {CHANNEL}")
        self._send(found, form, list(_fields(form)))

    def stores(self) -> tuple[ShownStore, ...]:
        """The stores of the channel, in the order of the page."""
        return tuple(_shown(line) for line in _lines(self._channel()))

    def labels(self) -> tuple[str, ...]:
        """The sync components that the form of a new store offers."""
        return tuple(_boxes(_form(self._open(self._channel(), None))))

    def save_store(
        self, store_name: str, store_url: str, consumer_key: str, secret_key: str, labels: Iterable[str]
    ) -> ShownStore:
        """Add the store of this name, or replace what stands there; SAVE, and return it as the page then lists it.

        Exactly these labels are ticked. Where the form asks for no name, the URL finds the store. An empty key field keeps
        the old key. Raises PimworksVisitError with the page's words when SAVE is refused.
        """
        channel = self._channel()
        line = next((one for one in _lines(channel) if store_name == _text(one, "name")), None)
        line = line if line is not None else next((o for o in _lines(channel) if _text(o, "name") == store_url), None)
        page = self._open(channel, line)
        form, wanted = _form(page), list(labels)
        offered = _boxes(form)
        missing = [label for label in wanted if label not in offered]
        if missing:
            raise PimworksVisitError(
                f"the page offers no sync component {', '.join(missing)}, only {', '.join(offered)}"
            )
        typed = {"store_url": store_url, "consumer_key": consumer_key, "secret_key": secret_key}
        typed |= {"store_name": store_name} if _all(form, ".//input[@name='store_name']") else {}
        fields = [pair for pair in _fields(form) if pair[0] not in {*typed, "components"}]
        fields += list(typed.items()) + [("components", offered[label]) for label in wanted]
        listed = self._send(page, form, fields)
        names = {store_name, store_url}
        return next(store for store in map(_shown, _lines(listed)) if store.name in names)

    def remove_store(self, store_name: str) -> None:
        """Remove the store of this name; raises PimworksVisitError when there is none."""
        channel = self._channel()
        line = next((one for one in _lines(channel) if _text(one, "name") == store_name), None)
        if line is None:
            raise PimworksVisitError(f"the channel has no store {store_name!r}")
        form = _one(line, ".//form[contains(@class, 'remove')]", f"button to remove {store_name!r}")
        self._send(channel, form, list(_fields(form)))

    def _channels(self) -> Page:
        page = self._get(f"{self._url}/dashboard")
        link = _one(page.root, "//a[@id='channels']", "menu Channels > Manage channels")
        return self._get(urljoin(page.url, link.get("href", "")))

    def _channel(self) -> Page:
        channels = self._channels()
        edit = _one(channels.root, "//table[@id='subscribed']//a[@class='edit']", f"edit icon of {CHANNEL}")
        return self._get(urljoin(channels.url, edit.get("href", "")))

    def _open(self, channel: Page, line: HtmlElement | None) -> Page:
        """The form of a listed store, or of a new one."""
        if line is None:
            link = _one(channel.root, "//a[@id='add-store']", "button 'Add store'")
        else:
            link = _one(line, ".//a[@class='edit']", "edit icon of the store")
        return self._get(urljoin(channel.url, link.get("href", "")))

    def _get(self, url: str) -> Page:
        """A page; where PIMworks asks for a login first, the login."""
        page = self._call("GET", url)
        forms = _all(page.root, "//form[@id='login']")
        if not forms:
            return page
        fields = {"mail": self._mail, "password": self._password}
        page = self._send(page, forms[0], list(fields.items()))
        if _all(page.root, "//form[@id='login']"):
            raise PimworksVisitError(f"PIMworks does not let {self._mail} in: {_said(page.root)}")
        return self._call("GET", url)

    def _send(self, page: Page, form: HtmlElement, fields: list[tuple[str, str]]) -> Page:
        return self._call("POST", urljoin(page.url, form.get("action", "")), fields)

    def _call(self, method: str, url: str, fields: list[tuple[str, str]] | None = None) -> Page:
        data: dict[str, list[str]] = {}
        for name, value in fields or []:
            data.setdefault(name, []).append(value)
        try:
            answer = self._http.request(method, url, data=data or None)
        except httpx.HTTPError as error:
            raise PimworksVisitError(f"{method} {urlsplit(url).path}: no answer ({type(error).__name__})") from None
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            raise PimworksVisitError(f"{method} {answer.url.path}: {answer.status_code}, no page")
        root: HtmlElement = html.document_fromstring(answer.text or "<html></html>")
        if answer.is_error:
            raise PimworksVisitError(f"{method} {answer.url.path}: {answer.status_code}, {_said(root)}")
        return Page(str(answer.url), root)


def _lines(channel: Page) -> list[HtmlElement]:
    return _all(channel.root, "//table[@id='stores']/tbody/tr")


def _shown(line: HtmlElement) -> ShownStore:
    syncs = {_text(one, "component"): _text(one, "state") for one in _all(line, ".//ul[@class='syncs']/li")}
    return ShownStore(_text(line, "name"), _text(line, "url"), _text(line, "connection"), syncs)


def _form(page: Page) -> HtmlElement:
    return _one(page.root, "//form[@id='store']", "form of a store")


def _boxes(form: HtmlElement) -> dict[str, str]:
    """The value of each checkbox, by its label."""
    labels = _all(form, ".//fieldset[@id='components']//label")
    return {_words(label): _one(label, ".//input", "checkbox").get("value", "") for label in labels}


def _fields(form: HtmlElement) -> Iterable[tuple[str, str]]:
    """What a browser would send of a form that nobody touched."""
    for control in _all(form, ".//input[@name]"):
        if control.get("type") != "checkbox" or control.get("checked") is not None:
            yield control.get("name", ""), control.get("value", "")


def _said(root: HtmlElement) -> str:
    """The errors on a page."""
    return " ".join(_words(line) for line in _all(root, "//*[@role='alert']")) or "without a reason"


def _all(element: HtmlElement, path: str) -> list[HtmlElement]:
    found = element.xpath(path)
    return [item for item in found if isinstance(item, HtmlElement)] if isinstance(found, list) else []


def _one(element: HtmlElement, path: str, what: str) -> HtmlElement:
    found = _all(element, path)
    if len(found) != 1:
        raise PimworksVisitError(f"the page holds {len(found)} of what should be one: {what}")
    return found[0]


def _text(element: HtmlElement, kind: str) -> str:
    """The words of the only part of this class."""
    return _words(_one(element, f".//*[@class='{kind}']", kind))


def _words(element: HtmlElement) -> str:
    return " ".join(element.text_content().split())
