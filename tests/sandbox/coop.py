"""What an administrator does at the pages of a CoopCycle server, and a consumer at its API; no code of the product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from lxml import html
from lxml.html import HtmlElement

from sandbox.client import Client
from sandbox.coopcycle.client import CoopClient, CoopInstance

ADMIN = "administrator"
PASSWORD = "administrator-password"
APPS = "/admin/api/apps"
NEW = f"{APPS}/new"
STORES = {"Acme Parts": 1, "Fresh Roast": 2, "Closed Shop": 7}
RESTAURANTS = {"Northside Kitchen": 3}
COOP_ORDER: dict[str, Any] = {
    "users": [{"username": ADMIN, "password": PASSWORD}, {"username": "rider", "password": PASSWORD, "admin": False}],
    "stores": STORES,
    "restaurants": RESTAURANTS,
}
"""What the servers of the tests hold."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class Coop:
    """A server, and a browser in front of it."""

    everything: Client
    server: CoopInstance
    http: httpx.Client

    @property
    def control(self) -> CoopClient:
        return self.everything.coopcycle

    @property
    def name(self) -> str:
        return self.server.name

    # Pages

    def get(self, path: str) -> httpx.Response:
        return self.http.get(self.server.url + path)

    def post(self, path: str, fields: dict[str, Any] | None = None) -> httpx.Response:
        return self.http.post(self.server.url + path, data=fields or {})

    def with_cookie(self, path: str, value: str) -> httpx.Response:
        """As somebody who has nothing but a cookie."""
        self.http.cookies.clear()
        return self.http.get(self.server.url + path, headers={"Cookie": f"PHPSESSID={value}"})

    def page(self, path: str) -> HtmlElement:
        answer = self.get(path)
        assert answer.status_code == 200, answer
        return parse(answer)

    def log_in(self, username: str = ADMIN, password: str = PASSWORD, **fields: str) -> httpx.Response:
        form = self.page("/login").xpath("//form[@class='form-signin']")[0]
        token = form.xpath(".//input[@name='_csrf_token']/@value")[0]
        fields = {"_username": username, "_password": password, "_csrf_token": str(token)} | fields
        return self.http.post(self.url_of(str(form.get("action"))), data=fields)

    def url_of(self, location: str) -> str:
        """The URL of a link in a page: an absolute path with the prefix of the sandbox."""
        return str(httpx.URL(self.server.url).join(location))

    def form_token(self, path: str = NEW) -> str:
        return str(self.page(path).xpath("//input[@name='api_app[_token]']/@value")[0])

    def save(self, name: str = "Acme Parts web shop", path: str = NEW, **fields: Any) -> httpx.Response:
        """Send the form of a new app with its token; fields are named without the brackets."""
        values = {"name": name, "type": "oauth", "scopes": ["deliveries"], "store": "1"} | fields
        if "_token" not in values:
            values["_token"] = self.form_token(path)
        return self.post(path, {FIELDS.get(field, f"api_app[{field}]"): value for field, value in values.items()})

    def create(self, **fields: Any) -> int:
        """A new app; returns its number."""
        answer = self.save(**fields)
        assert answer.status_code == 302, answer.text
        return int(answer.headers["location"].rpartition("/")[2])

    def credentials(self, app: int) -> dict[str, str]:
        """The disabled inputs of an app's page, by id."""
        inputs = self.page(f"{APPS}/{app}").xpath("//input[@disabled]")
        return {str(element.get("id")): str(element.get("value")) for element in inputs}

    def pair(self, app: int) -> Pair:
        shown = self.credentials(app)
        return shown["api_app_client_id"], shown["api_app_client_secret"]

    def regenerate(self, identifier: str) -> httpx.Response:
        return self.post(APPS, {"oauth2_client": identifier})

    # API

    def ask_token(self, pair: Pair, scope: str = "deliveries") -> httpx.Response:
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        return self.http.post(f"{self.server.url}/oauth2/token", auth=pair, data=form)

    def token(self, pair: Pair, scope: str = "deliveries") -> str:
        return str(self.ask_token(pair, scope).json()["access_token"])

    def call(self, path: str, bearer: str | None, method: str = "GET", **more: Any) -> httpx.Response:
        headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        return self.http.request(method, self.server.url + path, headers=headers, **more)

    def statuses(self, bearer: str, *paths: str) -> list[int]:
        return [self.call(path, bearer).status_code for path in paths]

    def jwt(self, username: str = ADMIN, password: str = PASSWORD) -> str:
        answer = self.post("/api/login_check", {"_username": username, "_password": password})
        return str(answer.json()["token"])


FIELDS = {"scopes": "api_app[scopes][]"}
MakeCoop = Callable[..., Coop]


def parse(answer: httpx.Response) -> HtmlElement:
    assert answer.headers["content-type"] == "text/html; charset=UTF-8"
    return html.document_fromstring(answer.text)


def words(page: HtmlElement, path: str) -> list[str]:
    return [" ".join(element.text_content().split()) for element in page.xpath(path)]


def alerts(answer: httpx.Response) -> Sequence[str]:
    return words(parse(answer), "//*[contains(@class, 'alert')]")
