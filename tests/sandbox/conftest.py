"""One stand-in for all tests of it, as a process of its own; every test makes its own stores there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from sandbox.client import Client
from sandbox.server_process import ServerProcess, start
from tests.sandbox.browser import ADMIN_PASSWORD, Browser, MakeBrowser, MakeStore, tls
from tests.sandbox.coop import COOP_ORDER, Coop, MakeCoop
from tests.sandbox.gateway import Api, MakeApi
from tests.sandbox.sites import PASSWORD, MakeSite, WordPressSite
from tests.sandbox.stackone import MakeStackOne, StackOneApi


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start(tmp_path_factory.mktemp("sandbox")) as process:
        yield process


@pytest.fixture
def control(server: ServerProcess) -> Iterator[Client]:
    yield server.client
    server.client.clear_faults()
    server.client.set_latency(0)


NUMBERS = itertools.count(1)


@pytest.fixture
def make_store(control: Client) -> MakeStore:
    """Make a store of a version and return its name."""

    def make(version: str = "11.0.1", **order: Any) -> str:
        name = f"shop-{next(NUMBERS)}"
        passwords = [
            {"login": login, "role": role, "password": f"{login}-password"}
            for login, role in (("shop-manager", "shop_manager"), ("customer", "customer"))
        ]
        order.setdefault("users", passwords)
        control.create_store(name, version, ADMIN_PASSWORD, **order)
        return name

    return make


@pytest.fixture
def make_browser(server: ServerProcess) -> Iterator[MakeBrowser]:
    """A browser for a store, logged in if a login is given."""
    browsers: list[Browser] = []

    def make(store: str, login: str | None = "connector") -> Browser:
        browser = Browser(server.url, server.ca, store)
        browsers.append(browser)
        if login is not None:
            browser.log_in(login)
        return browser

    yield make
    for browser in browsers:
        browser.http.close()


@pytest.fixture
def make_api(server: ServerProcess, control: Client) -> Iterator[MakeApi]:
    """A BigCommerce store of its own with one account of these rows; settings as keywords."""
    with httpx.Client(verify=tls(server.ca), trust_env=False, timeout=20) as http:

        def make(rows: Mapping[str, str] | None = None, **settings: Any) -> Api:
            store = control.bigcommerce.create_store(f"shop{next(NUMBERS)}", **({"quota": 100_000} | settings))
            account = control.bigcommerce.make_account(store.hash, "an account", rows or {})
            return Api(http, control.bigcommerce, store, account, account.access_token)

        yield make


@pytest.fixture
def make_site(server: ServerProcess, control: Client) -> Iterator[MakeSite]:
    """A WordPress site of its own with an application password; settings as keywords."""
    sites: list[WordPressSite] = []

    def make(**settings: Any) -> WordPressSite:
        row = control.wordpress.create(f"site-{next(NUMBERS)}", PASSWORD, **settings)
        password = control.wordpress.application_password(row.name)
        sites.append(WordPressSite(control, row.name, row.url, tls(server.ca), password))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def make_coop(server: ServerProcess, control: Client) -> Iterator[MakeCoop]:
    """A CoopCycle server of its own with a browser in front of it, logged in unless `inside` is false."""
    browsers: list[httpx.Client] = []

    def make(*, inside: bool = True, **settings: Any) -> Coop:
        browsers.append(httpx.Client(verify=tls(server.ca), trust_env=False, timeout=20))
        made = control.coopcycle.create(f"coop-{next(NUMBERS)}", **COOP_ORDER, **settings)
        coop = Coop(control, made, browsers[-1])
        if inside:
            assert coop.log_in().status_code == 302
        return coop

    yield make
    for browser in browsers:
        browser.close()


@pytest.fixture
def make_stackone(server: ServerProcess, control: Client) -> Iterator[MakeStackOne]:
    """A StackOne organisation of its own with an API key of these scopes, and a store; settings as keywords."""
    with httpx.Client(verify=tls(server.ca), trust_env=False, timeout=20) as http:

        def make(*scopes: str, version: str = "11.0.1", **settings: Any) -> StackOneApi:
            name = f"organisation-{next(NUMBERS)}"
            url = control.create_store(f"{name}-shop", version, ADMIN_PASSWORD)
            organisation = control.stackone.create(name, **settings)
            key = control.stackone.create_key(name, *(scopes or ("full",)))
            return StackOneApi(http, control, organisation, key.value, f"{name}-shop", url)

        yield make
