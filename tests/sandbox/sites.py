"""A WordPress site as a program with an application password and as a person at wp-admin sees it; no code of the product."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx

from sandbox.client import Client
from sandbox.wordpress.client import CallRow, SiteRow
from tests.sandbox.browser import elements, one, parse, text_of

PASSWORD = "admin-password"
SETTINGS = "/wp-json/surecart/v1/settings"
ACCOUNT = "/wp-json/surecart/v1/account"
HEALTH = "/wp-json/surecart/v1/site-health/api-connectivity/"
PROVISIONAL = "/wp-json/surecart/v1/provisional_accounts"
COOPCYCLE = "/wp-admin/options-general.php?page=coopcycle-settings"
OPTIONS = "/wp-admin/options.php"


@dataclass
class WordPressSite:
    """One site, its application password and a cookie jar of its own."""

    control: Client
    name: str
    url: str
    tls: ssl.SSLContext
    password: str = field(repr=False)

    @cached_property
    def http(self) -> httpx.Client:
        return httpx.Client(verify=self.tls, trust_env=False, timeout=20)

    @property
    def row(self) -> SiteRow:
        return self.control.wordpress.get(self.name)

    @property
    def calls(self) -> list[CallRow]:
        return self.control.wordpress.calls(self.name)

    @property
    def called(self) -> list[tuple[str, str, int | None]]:
        """Method, path below the host's segment, and status of each call since the list was last begun anew."""
        calls = self.control.wordpress.calls(self.name)
        self.control.wordpress.forget_calls(self.name)
        return [(call.method, "/" + call.url.split("/", 4)[-1], call.status) for call in calls]

    # As a program: Basic, and no cookie

    def rest(self, method: str, path: str, **options: Any) -> httpx.Response:
        options.setdefault("auth", ("connector", self.password))
        with httpx.Client(verify=self.tls, trust_env=False, timeout=20) as http:
            return http.request(method, self.url + path, **options)

    def read(self) -> Any:
        answer = self.rest("GET", SETTINGS)
        assert answer.status_code == 200, answer.text
        return answer.json()["api_token"]

    def offer(self, token: Any, method: str = "PATCH", **others: Any) -> httpx.Response:
        return self.rest(method, SETTINGS, json={"api_token": token} | others)

    def accept(self, token: str) -> None:
        """Store a good token, and begin the list of calls anew."""
        assert self.offer(token).status_code == 200
        self.control.wordpress.forget_calls(self.name)

    def health(self) -> str:
        answer = self.rest("GET", HEALTH)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["status"])

    def is_connected(self) -> bool:
        answer = self.rest("GET", ACCOUNT)
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["is_connected"])

    # As a person: cookies and nonces

    def log_in(self, login: str = "connector", password: str = PASSWORD) -> httpx.Response:
        self.http.get(f"{self.url}/wp-login.php")
        form = {"log": login, "pwd": password, "wp-submit": "Log In", "testcookie": "1"}
        return self.http.post(f"{self.url}/wp-login.php", data=form)

    def page(self, path: str) -> httpx.Response:
        return self.http.get(self.url + path)

    def form(self, path: str) -> dict[str, str]:
        """The fields of the form that goes to options.php, as a browser would send them unchanged."""
        form = one(parse(self.page(path).text), "//form[@action='options.php']")
        inputs = [
            entry
            for entry in elements(form, ".//input[@name and not(@disabled)]")
            if entry.get("type") not in {"checkbox", "submit"} or entry.get("checked")
        ]
        return {entry.get("name", ""): entry.get("value", "") for entry in inputs}

    def post(self, form: dict[str, str]) -> httpx.Response:
        return self.http.post(self.url + OPTIONS, data=form)

    def save(self, **values: str) -> httpx.Response:
        """Save CoopCycle's settings with these values in place of what the form shows."""
        return self.post(self.form(COOPCYCLE) | values)

    def saved(self, **values: str) -> tuple[list[str], str | None]:
        """Save, follow, and read messages and banner."""
        answer = self.save(**values)
        assert answer.status_code == 302, answer.text
        return self.shown(answer.headers["Location"])

    def shown(self, location: str) -> tuple[list[str], str | None]:
        page = parse(self.http.get(httpx.URL(self.url).join(location)).text)
        messages = [text_of(entry) for entry in elements(page, "//div[contains(@class, 'settings-error')]")]
        banners = [text_of(entry) for entry in elements(page, "//div[@class='notice notice-info']")]
        return messages, banners[0] if banners else None

    def close(self) -> None:
        self.http.close()


MakeSite = Callable[..., WordPressSite]
