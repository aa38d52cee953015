"""A whole life of an API account by a real browser: what a person clicks, sees and finds among the downloads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.bigcommerce.client import BigCommerceStore
from sandbox.client import Client
from sandbox.server_process import ServerProcess
from tests.sandbox.webdriver import Session, browsing

OWNER = "owner@acme-parts.example"
PASSWORD = "panel-password"
ROWS = {
    "Content": "Read-only",
    "Checkout content": "Modify",
    "Customers": "Modify",
    "Customers login": "None",
    "Information & settings": "None",
    "Marketing": "None",
    "Orders": "Modify",
    "Order transactions": "Modify",
    "Create payments": "None",
    "Get payment methods": "None",
    "Stored payment instruments": "None",
    "Products": "Modify",
    "Themes": "None",
    "Carts": "Modify",
    "Checkouts": "Modify",
    "Sites & routes": "None",
    "Channel settings": "None",
    "Channel listings": "None",
    "Storefront API tokens": "None",
    "Storefront API customer impersonation tokens": "None",
    "Store logs": "None",
    "Store locations": "Read-only",
    "Store inventory": "Modify",
    "Fulfillment methods": "Modify",
    "Order fulfillment": "Modify",
}
"""The 25 rows of the seed, in the panel's order."""
DOWNLOAD_SECONDS = 20.0


@pytest.fixture
def store(control: Client) -> Iterator[BigCommerceStore]:
    users = [{"mail": OWNER, "password": PASSWORD, "role": "owner"}]
    yield control.bigcommerce.create_store("browsed1", users=users)
    control.bigcommerce.delete_store("browsed1")


@pytest.mark.timeout(180)
def test_an_account_from_the_deep_link_to_its_end(
    server: ServerProcess, control: Client, store: BigCommerceStore, tmp_path: Path
) -> None:
    with browsing(tmp_path) as browser:
        enter(browser, f"{server.url}/login.bigcommerce.com/deep-links/settings/auth/api-accounts")
        assert browser.url == f"{store.panel_url}/settings/auth/api-accounts"

        browser.one("//a[.='Create API account']").click()
        browser.one("//select[@id='token_type']/option[.='V2/V3 API token']").click()
        browser.one("//input[@id='name']").type("Stone Edge")
        for label, level in ROWS.items():
            browser.one(f"//tr[th='{label}']//label[normalize-space()='{level}']/input").click()
        browser.one("//button[.='Save']").click()

        secrets = {
            words: browser.one(f"//dialog//dt[.='{words}']/following-sibling::dd[1]/code").text
            for words in ("Client ID", "Client secret", "Access token")
        }
        assert all(len(value) > 20 for value in secrets.values())
        file = downloaded(browser, tmp_path / "downloads")
        assert file.suffix == ".txt"
        assert [file.read_text(encoding="utf-8").count(value) for value in secrets.values()] == [1, 1, 1]
        browser.one("//dialog//a[.='Done']").click()

        assert [name.text for name in browser.all("//table[@id='api-account-list']//th[@class='name']")] == [
            "Stone Edge"
        ]
        (account,) = control.bigcommerce.accounts(store.hash)
        assert {label: level for label, level in account.levels.items() if label in ROWS} == {
            label: level.lower() for label, level in ROWS.items()
        }
        browser.refresh()
        assert not [words for words, value in secrets.items() if value in browser.source]

        browser.one("//tr[th='Stone Edge']//a[.='Delete']").click()
        assert "cannot be undone" in browser.one("//main").text
        browser.one("//a[.='Cancel']").click()
        browser.one("//tr[th='Stone Edge']//a[.='Delete']").click()
        browser.one("//button[.='Delete']").click()
        assert browser.one("//*[@role='status']").text == "The API account was deleted."
        assert "Stone Edge" not in browser.source
        assert control.bigcommerce.accounts(store.hash) == []


def enter(browser: Session, url: str) -> None:
    """Open a page, and log in where it asks for that."""
    browser.open(url)
    browser.one("//input[@id='email']").type(OWNER)
    browser.one("//input[@id='password']").type(PASSWORD)
    browser.one("//button[.='Log in']").click()


def downloaded(browser: Session, folder: Path) -> Path:
    """The only file in a folder, once the browser has written all of it; asking the browser is what takes the time."""
    deadline = time.monotonic() + DOWNLOAD_SECONDS
    while time.monotonic() < deadline:
        files = list(folder.glob("*.txt"))
        if files and files[0].stat().st_size and not list(folder.glob("*.crdownload")):
            assert len(files) == 1
            return files[0]
        assert browser.title
    raise AssertionError(f"nothing was downloaded into {folder}")
