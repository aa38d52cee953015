"""The process: certificates, starting, dying, coming back, and the control API."""

from __future__ import annotations

import os
import signal
import ssl
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.client import Client, ControlError
from sandbox.server_process import ROOT, ServerProcess, start
from sandbox.tls import ensure_authority
from tests.sandbox.browser import Browser, MakeBrowser, MakeStore

START_LIMIT = 2.0


def test_knows_nothing_of_the_product() -> None:
    """A misreading that product and stand-in shared would never show."""
    for path in (*(ROOT / "sandbox").rglob("*.py"), *Path(__file__).parent.glob("*.py")):
        for line in path.read_text().splitlines():
            assert not line.strip().startswith(
                ("import providers", "from providers", "import operations", "from operations")
            )


def test_authority_is_kept_and_keys_are_private(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path / "tls")
    first = authority.certificate_path.read_bytes()
    certificate, key = authority.issue("vault", ["localhost", "127.0.0.1"])
    issued = certificate.read_bytes()
    again = ensure_authority(tmp_path / "tls")
    assert again.certificate_path.read_bytes() == first
    assert again.issue("vault", ["localhost", "127.0.0.1"])[0].read_bytes() == issued
    assert again.issue("vault", ["localhost"])[0].read_bytes() != issued
    for private in (key, authority.key_path):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_tls_is_verified_for_name_and_address(server: ServerProcess) -> None:
    context = ssl.create_default_context(cafile=str(server.ca))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for url in (server.url, server.url.replace("localhost", "127.0.0.1")):
        assert httpx.get(f"{url}/_control/health", verify=context, trust_env=False).json()["ready"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/_control/health", verify=ssl.create_default_context(), trust_env=False)


def test_survives_a_kill(tmp_path: Path) -> None:
    first = start(tmp_path)
    first.client.create_store("shop", "3.5.3", "admin-password", settings={"language": "de"})
    browser = Browser(first.url, first.ca, "shop")
    browser.log_in()
    made = browser.create("survivor")
    cookies = browser.http.cookies
    port = int(first.url.rpartition(":")[2])
    first.kill()
    with start(tmp_path, port) as second:
        assert second.url == first.url
        (store,) = second.client.stores()
        assert (store.name, store.version, store.settings) == ("shop", "3.5.3", {"language": "de"})
        assert [key.key_id for key in second.client.keys("shop")][-1] == made.key_id
        after = Browser(second.url, second.ca, "shop")
        after.http.cookies, after.tab = cookies, browser.tab
        # The session of before still stands, and so does the key.
        assert after.rows()[0].description == "survivor"
        assert after.get("/wp-json/wc/v3/products", auth=made.pair).status_code == 200
        after.http.close()
    browser.http.close()


def test_starts_cheaply_with_a_thousand_stores(tmp_path: Path) -> None:
    orders = [{"name": f"shop-{number}", "version": "11.0.1", "admin_password": "x"} for number in range(1000)]
    with start(tmp_path) as first:
        assert len(first.client.create_stores(orders)) == 1000
        assert first.client.create_stores(orders[:10]) == []
    with start(tmp_path) as again:
        # Processor time, which neighbours on the machine do not change; the wall clock is for `make bench`.
        words = Path(f"/proc/{again.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        assert (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK") < START_LIMIT
        assert again.client.health()["stores"] == 1000


def test_ends_at_once_even_while_it_holds_a_reply(tmp_path: Path) -> None:
    with start(tmp_path) as process:
        process.client.create_store("shop", "11.0.1", "x")
        rule = process.client.add_fault("hang", store="shop")
        with httpx.Client(verify=ssl.create_default_context(cafile=str(process.ca)), trust_env=False) as http:
            with pytest.raises(httpx.TimeoutException):
                http.get(f"{process.url}/shop/wp-json/", timeout=0.2)
            process.client.wait_for_fault(rule, 1)
            # The held reply would keep it for as long as nobody lets it go.
            os.kill(process.pid, signal.SIGTERM)
            assert process.process.wait(20) == 0


def test_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys\nfrom sandbox.server_process import start\n"
        "print(start(pathlib.Path(sys.argv[1])).pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, check=False
    )
    pid, deadline = int(output.stdout), time.monotonic() + 20
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_nothing_outside_of_its_directory(tmp_path: Path) -> None:
    with start(tmp_path / "data"):
        assert [path.name for path in tmp_path.iterdir()] == ["data"]
        names = {path.name for path in (tmp_path / "data").iterdir()}
        assert {"tls", "secret.key", "woocommerce.sqlite", "server.log"} <= names
        for name in ("secret.key", "woocommerce.sqlite"):
            assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600


def test_new_stores_have_people_and_keys_that_are_not_ours(control: Client, make_store: MakeStore) -> None:
    store = make_store()
    assert {(user.login, user.role) for user in control.users(store)} == {
        ("connector", "administrator"),
        ("shop-manager", "shop_manager"),
        ("customer", "customer"),
    }
    assert {key.login for key in control.keys(store)} == {"connector", "shop-manager"}


def test_a_persons_hands(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(foreign_keys=[{"login": "customer", "description": "odd one", "permissions": "write"}])
    (odd,) = control.keys(store)
    assert (odd.login, odd.description, odd.permissions, odd.last_access) == ("customer", "odd one", "write", None)
    edited = control.edit_key(store, odd.key_id, permissions="read", user="connector", description="even one")
    assert (edited.login, edited.description, edited.permissions) == ("connector", "even one", "read")
    assert control.edit_key(store, odd.key_id, user=4711).login is None
    made = control.insert_key(store, description="fresh", permissions="read_write", user="shop-manager")
    pair = (made.consumer_key, made.consumer_secret)
    assert make_browser(store, None).get("/wp-json/wc/v3/products", auth=pair).status_code == 200
    control.delete_key(store, odd.key_id)
    assert [key.key_id for key in control.keys(store)] == [made.key_id]
    control.add_user(store, "late", "customer", password="late-password")
    assert make_browser(store, "late").get("/wp-admin/profile.php").status_code == 200
    control.delete_user(store, "late")
    control.delete_store(store)
    assert store not in [row.name for row in control.stores()]
    assert make_browser(store, None).get("/wp-json/").status_code == 404


WRONG_STORES: list[dict[str, Any]] = [
    {"name": "_control", "version": "11.0.1"},
    {"name": "Big", "version": "11.0.1"},
    {"name": "x", "version": "9.9.9"},
    {"name": "x", "version": "11.0.1", "settings": {"nonsense": True}},
    {"name": "x", "version": "11.0.1", "settings": {"two_factor": 1}},
    {"name": "x", "version": "11.0.1", "settings": {"language": "xx"}},
    {"name": "x", "version": "11.0.1", "users": [{"login": "a", "role": "king"}]},
    {"name": "x", "version": "11.0.1", "foreign_keys": [{"login": "nobody"}]},
    {"name": "x", "version": "11.0.1", "colour": "red"},
]


@pytest.mark.parametrize("order", WRONG_STORES)
def test_wrong_orders_make_nothing(order: dict[str, Any], control: Client) -> None:
    before = len(control.stores())
    with pytest.raises(ControlError):
        control.create_stores([{"name": "good", "version": "11.0.1"}, order])
    assert len(control.stores()) == before


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("DELETE", "/stores/no-such"), ("GET", "/faults/99999")]
)
def test_wrong_calls_are_refused(method: str, path: str, control: Client) -> None:
    with pytest.raises(ControlError):
        control._call(method, path)
