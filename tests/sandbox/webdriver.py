"""A real headless browser, driven over the W3C's WebDriver protocol: Chromium and ChromeDriver, see `script/browser`."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The name under which the protocol puts a reference to an element."""
START_SECONDS = 30.0
DRIVERS = ("chromedriver", "/usr/bin/chromedriver")
BROWSER_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # Nothing but the pages under test: no updates, no names looked up, no calls home.
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
)


class Element:
    """An element on the present page."""

    def __init__(self, session: Session, reference: str) -> None:
        self._session = session
        self._path = f"/element/{reference}"

    def click(self) -> None:
        self._session.call("POST", f"{self._path}/click", {})

    def type(self, text: str) -> None:
        self._session.call("POST", f"{self._path}/clear", {})
        self._session.call("POST", f"{self._path}/value", {"text": text})

    @property
    def text(self) -> str:
        return str(self._session.call("GET", f"{self._path}/text"))

    def all(self, xpath: str) -> list[Element]:
        return self._session.found(self._session.call("POST", f"{self._path}/elements", locator(xpath)))


class Session:
    """One window. Finding waits for the page; a click waits for the page it leads to."""

    def __init__(self, http: httpx.Client, session_id: str) -> None:
        self._http = http
        self._path = f"/session/{session_id}"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._http.request(method, self._path + path, json=body)
        value = answer.json()["value"]
        assert answer.status_code == 200, f"{method} {path}: {value['error']}: {value['message']}"
        return value

    def open(self, url: str) -> None:
        self.call("POST", "/url", {"url": url})

    @property
    def url(self) -> str:
        return str(self.call("GET", "/url"))

    @property
    def title(self) -> str:
        return str(self.call("GET", "/title"))

    @property
    def source(self) -> str:
        return str(self.call("GET", "/source"))

    def all(self, xpath: str) -> list[Element]:
        return self.found(self.call("POST", "/elements", locator(xpath)))

    def one(self, xpath: str) -> Element:
        found = self.all(xpath)
        assert len(found) == 1, (xpath, len(found), self.url)
        return found[0]

    def back(self) -> None:
        self.call("POST", "/back", {})

    def refresh(self) -> None:
        self.call("POST", "/refresh", {})

    def found(self, references: list[dict[str, str]]) -> list[Element]:
        return [Element(self, reference[ELEMENT]) for reference in references]


def locator(xpath: str) -> dict[str, str]:
    return {"using": "xpath", "value": xpath}


@contextmanager
def browsing(directory: Path) -> Iterator[Session]:
    """A browser with a new profile for the length of a block; what it downloads lies in `directory / "downloads"`."""
    driver = next((found for name in DRIVERS if (found := shutil.which(name))), None)
    assert driver is not None, "no ChromeDriver on this machine: script/browser installs it"
    downloads = directory / "downloads"
    downloads.mkdir()
    with (directory / "chromedriver.log").open("wb") as log:
        process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, stderr=log)
    try:
        port = listening_port(process)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=START_SECONDS) as http:
            answer = http.post("/session", json={"capabilities": {"alwaysMatch": capabilities(directory, downloads)}})
            value = answer.json()["value"]
            assert answer.status_code == 200, value["message"]
            try:
                yield Session(http, value["sessionId"])
            finally:
                http.delete(f"/session/{value['sessionId']}")
    finally:
        process.terminate()
        process.communicate()


def listening_port(process: subprocess.Popen[bytes]) -> int:
    """ChromeDriver says its port on its standard output; at the end of that it has ended."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(rb"started successfully on port (\d+)", line):
            return int(found[1])
    raise AssertionError(f"ChromeDriver ended with {process.wait()}")


def capabilities(directory: Path, downloads: Path) -> dict[str, Any]:
    preferences = {
        "download.default_directory": str(downloads),
        "download.prompt_for_download": False,
        "profile.default_content_setting_values.automatic_downloads": 1,
    }
    return {
        # The stand-in's authority is made for one directory; no browser knows it.
        "acceptInsecureCerts": True,
        "timeouts": {"implicit": 5000, "pageLoad": 20000},
        "goog:chromeOptions": {
            "args": [*BROWSER_ARGUMENTS, f"--user-data-dir={directory / 'profile'}"],
            "prefs": preferences,
        },
    }
