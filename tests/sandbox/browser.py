"""What a person does in a store with a browser, and what a consumer does with a key; no code of the product."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
from lxml import html
from lxml.html import HtmlElement

VERSIONS = ("2.6.14", "3.2.5", "3.4.2", "3.5.3", "11.0.1")
TABS = dict(zip(VERSIONS, ("api", "api", "advanced", "advanced", "advanced"), strict=True))
API = dict(zip(VERSIONS, ("v1", "v2", "v2", "v3", "v3"), strict=True))
ADMIN_PASSWORD = "admin-password"

MakeStore = Callable[..., str]


@lru_cache
def tls(ca: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca))


@dataclass(frozen=True)
class Made:
    """A key as the create answer tells it."""

    key_id: int
    consumer_key: str
    consumer_secret: str
    data: dict[str, Any]

    @property
    def pair(self) -> tuple[str, str]:
        return self.consumer_key, self.consumer_secret


@dataclass(frozen=True)
class Row:
    key_id: int
    description: str
    tail: str
    owner: str
    owner_link: str
    permissions: str
    last_access: str
    revoke_link: str


@dataclass(frozen=True)
class Form:
    key_id: str
    description: str
    owner: str
    owner_text: str
    permissions: str
    tail: str
    last_access: str


class Browser:
    """One cookie jar for one store; redirects are not followed."""

    def __init__(self, url: str, ca: Path, store: str) -> None:
        self.base = f"{url}/{store}"
        self.http = httpx.Client(verify=tls(ca), trust_env=False, timeout=20)
        self.tab = ""

    # Plain requests

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(self.base + path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.http.post(self.base + path, **options)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.http.request(method, self.base + path, **options)

    # Logging in

    def try_log_in(self, login: str, password: str, **fields: str) -> httpx.Response:
        self.get("/wp-login.php")
        form = {
            "log": login,
            "pwd": password,
            "wp-submit": "Log In",
            "redirect_to": f"{self.base}/wp-admin/",
            "testcookie": "1",
        }
        return self.post("/wp-login.php", data=form | fields)

    def log_in(self, login: str = "connector") -> None:
        answer = self.try_log_in(login, ADMIN_PASSWORD if login == "connector" else f"{login}-password")
        assert answer.status_code == 302, answer.text
        self.tab = "advanced"
        if login != "customer" and not self.keys_page("&create-key=1").text.count("key_description"):
            self.tab = "api"

    # Keys

    def keys_page(self, rest: str = "", tab: str | None = None) -> httpx.Response:
        return self.get(f"/wp-admin/admin.php?page=wc-settings&tab={tab or self.tab}&section=keys{rest}")

    def nonce(self) -> str:
        return nonce_in(self.keys_page("&create-key=1").text)

    def ajax(self, nonce: str | None = None, **fields: str) -> httpx.Response:
        form = {"action": "woocommerce_update_api_key", "security": nonce or self.nonce()}
        return self.post("/wp-admin/admin-ajax.php", data=form | fields)

    def save(self, description: str, user: str = "1", permissions: str = "read", key_id: int = 0) -> dict[str, Any]:
        answer = self.ajax(key_id=str(key_id), description=description, user=user, permissions=permissions)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def create(self, description: str = "ours", user: str = "1", permissions: str = "read_write") -> Made:
        document = self.save(description, user, permissions)
        assert document["success"], document
        data = document["data"]
        return Made(key_id_in(data["revoke_url"]), data["consumer_key"], data["consumer_secret"], data)

    def rows(self, rest: str = "") -> list[Row]:
        return rows_in(self.keys_page(rest).text)

    def form(self, key_id: int) -> Form:
        return form_in(self.keys_page(f"&edit-key={key_id}").text)

    def revoke_link(self) -> str:
        """A ready link, whatever key it is for."""
        page = parse(self.keys_page("&edit-key=999999").text)
        return str(one(page, "//a[contains(@href, 'revoke-key=')]").get("href"))

    def revoke(self, key_id: int) -> httpx.Response:
        return self.http.get(self.revoke_link().replace("revoke-key=999999", f"revoke-key={key_id}"))


MakeBrowser = Callable[..., Browser]


def parse(text: str) -> HtmlElement:
    return html.fromstring(text)


def elements(page: HtmlElement, path: str) -> list[HtmlElement]:
    found = page.xpath(path)
    assert isinstance(found, list)
    return [element for element in found if isinstance(element, HtmlElement)]


def one(page: HtmlElement, path: str) -> HtmlElement:
    found = elements(page, path)
    assert len(found) == 1, (path, len(found))
    return found[0]


def text_of(element: HtmlElement) -> str:
    return str(element.text_content()).strip()


def nonce_in(text: str) -> str:
    start = text.index('"update_api_nonce":"') + len('"update_api_nonce":"')
    return text[start : text.index('"', start)]


def key_id_in(revoke_url: str) -> int:
    href = str(parse(revoke_url).get("href"))
    return int(href.partition("revoke-key=")[2].partition("&")[0])


def rows_in(text: str) -> list[Row]:
    rows = []
    for row in elements(parse(text), "//table[contains(@class, 'wp-list-table')]/tbody/tr[.//input[@name='key[]']]"):
        owner = elements(row, "td[contains(@class, 'column-user')]/a")
        name = one(row, "td[contains(@class, 'column-title') or contains(@class, 'column-description')]")
        rows.append(
            Row(
                key_id=int(one(row, ".//input[@name='key[]']").get("value", "")),
                description=text_of(one(name, "strong")),
                tail=text_of(one(row, "td[contains(@class, 'truncated_key')]/code")),
                owner=text_of(one(row, "td[contains(@class, 'column-user')]")),
                owner_link=owner[0].get("href", "") if owner else "",
                permissions=text_of(one(row, "td[contains(@class, 'permissions')]")),
                last_access=text_of(one(row, "td[contains(@class, 'last_access')]")),
                revoke_link=one(row, ".//a[@class='submitdelete']").get("href", ""),
            )
        )
    return rows


def form_in(text: str) -> Form:
    page = parse(text)
    owner = one(page, "//*[@id='key_user']")
    option = elements(owner, "option[@selected]")
    codes = elements(page, "//code")
    seen = elements(page, "//td[@class='forminp']/span")
    return Form(
        key_id=one(page, "//input[@id='key_id']").get("value", ""),
        description=one(page, "//input[@id='key_description']").get("value", ""),
        owner=option[0].get("value", "") if option else owner.get("value", ""),
        owner_text=text_of(option[0]) if option else owner.get("data-selected", ""),
        permissions=one(page, "//select[@id='key_permissions']/option[@selected]").get("value", ""),
        tail=text_of(codes[0]) if codes else "",
        last_access=text_of(seen[0]) if seen else "",
    )
