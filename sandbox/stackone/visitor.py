"""A person with a link to the Hub, scripted: opens it, fills the fields in by their labels, clicks Connect.

It reads the page that a person reads and sends the form that stands in it, over HTTP; it knows nothing of the stand-in's
insides. Errors repeat what the page says and never a secret.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import httpx
from lxml import html
from lxml.html import HtmlElement

TIMEOUT_SECONDS = 30.0


class HubVisitError(RuntimeError):
    """The Hub refused, or its page does not hold what the visitor looked for; says what the page says."""


class HubVisitor:
    """One person; `ca` is the certificate authority to trust."""

    def __init__(self, ca: Path) -> None:
        context = ssl.create_default_context(cafile=str(ca))
        self._http = httpx.Client(verify=context, trust_env=False, timeout=TIMEOUT_SECONDS, follow_redirects=True)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def labels(self, auth_link_url: str) -> tuple[str, ...]:
        """The labels of the fields that the page asks for, in its order."""
        return tuple(self._open(auth_link_url)[1])

    def connect(self, auth_link_url: str, store_url: str, consumer_key: str, consumer_secret: str) -> str:
        """Connect a store, and return the confirmation; an empty value leaves its field empty.

        Raises HubVisitError with the page's words when it refuses: an expired link, a bad key, a bad address.
        """
        form, names = self._open(auth_link_url)
        given = {"Store URL": store_url, "Consumer Key": consumer_key, "Consumer Secret": consumer_secret}
        missing = [label for label in given if label not in names]
        if missing:
            raise HubVisitError(f"the Hub asks for no {', '.join(missing)}")
        fields = {field.get("name", ""): field.get("value", "") for field in _all(form, ".//input[@name]")}
        fields |= {names[label]: value for label, value in given.items()}
        answered = self._page("POST", urljoin(auth_link_url, form.get("action", "") or auth_link_url), fields)
        confirmation = _all(answered, "//*[@id='connected']")
        if not confirmation:
            raise HubVisitError(f"the Hub does not confirm: {_said(answered)}")
        return _words(confirmation[0])

    def _open(self, auth_link_url: str) -> tuple[HtmlElement, dict[str, str]]:
        """The form behind a link, and the name of each field by its label."""
        forms = _all(self._page("GET", auth_link_url), "//form[@id='connect']")
        if len(forms) != 1:
            raise HubVisitError("the Hub shows no form to fill in")
        return forms[0], {_words(label): label.get("for", "") for label in _all(forms[0], ".//label[@for]")}

    def _page(self, method: str, url: str, fields: dict[str, str] | None = None) -> HtmlElement:
        try:
            answer = self._http.request(method, url, data=fields)
        except httpx.HTTPError as error:
            raise HubVisitError(f"the Hub does not answer ({type(error).__name__})") from None
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            raise HubVisitError(f"the Hub answers {answer.status_code}, no page")
        root: HtmlElement = html.document_fromstring(answer.text or "<html></html>")
        if answer.is_error:
            raise HubVisitError(f"the Hub refuses ({answer.status_code}): {_said(root)}")
        return root


def _said(root: HtmlElement) -> str:
    """The errors on a page."""
    return " ".join(_words(line) for line in _all(root, "//*[@role='alert']")) or "without a reason"


def _all(element: HtmlElement, path: str) -> list[HtmlElement]:
    found = element.xpath(path)
    return [item for item in found if isinstance(item, HtmlElement)] if isinstance(found, list) else []


def _words(element: HtmlElement) -> str:
    return " ".join(element.text_content().split())
