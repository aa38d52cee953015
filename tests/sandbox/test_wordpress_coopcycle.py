"""The CoopCycle plugin of a WordPress site (coopcycle.md section 6): the observed matrix, P1 to P10, and options.php."""

from __future__ import annotations

import hashlib
import itertools
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.client import Client
from sandbox.coopcycle.client import HandMadeApp
from sandbox.tls import ensure_authority
from tests.sandbox.browser import elements, parse
from tests.sandbox.sites import COOPCYCLE, OPTIONS, MakeSite, WordPressSite

NUMBERS = itertools.count(1)
ROUND = ["/api", "/oauth2/token", "/oauth2/token", "/api/me"]
HALF_ROUND = ["/api", "/oauth2/token"]
SAVED = ["Settings saved."]
INVALID = ["API credentials are not valid"]


@dataclass(frozen=True)
class Coop:
    """A server with an app called Acme."""

    control: Client
    name: str
    url: str
    app: HandMadeApp

    def form(self, app: HandMadeApp | None = None) -> dict[str, str]:
        chosen = app or self.app
        return {
            "coopcycle_base_url": self.url,
            "coopcycle_api_key": chosen.identifier,
            "coopcycle_api_secret": chosen.secret,
        }


@pytest.fixture
def coop(control: Client) -> Coop:
    made = control.coopcycle.create(f"linked-coop-{next(NUMBERS)}", stores=["Acme", "Northside"])
    app = control.coopcycle.make_app(made.name, "Acme", store=made.store("Acme"))
    return Coop(control, made.name, made.url, app)


@pytest.fixture
def site(make_site: MakeSite) -> WordPressSite:
    """A site with somebody logged in."""
    made = make_site()
    made.log_in()
    return made


@pytest.fixture
def connected(site: WordPressSite, coop: Coop) -> WordPressSite:
    """A site on which the right pair was saved twice: the banner stands."""
    site.saved(**coop.form())
    site.saved()
    assert paths(site, coop) == ROUND * 3
    return site


def paths(site: WordPressSite, coop: Coop) -> list[str]:
    """What the plugin called since this was last asked, below the server's address."""
    calls = site.calls
    site.control.wordpress.forget_calls(site.name)
    assert all(call.plugin == "coopcycle" and call.url.startswith(coop.url) for call in calls)
    return [call.url.removeprefix(coop.url) for call in calls]


def stored(site: WordPressSite) -> dict[str, str]:
    return {name: value for name, value in site.row.options.items() if name.startswith("coopcycle_")}


def shown(secret: str) -> str:
    return f"sha256:{hashlib.sha256(secret.encode()).hexdigest()}"


# --- the observed matrix, row by row --------------------------------------------------------------------------------


def test_a_first_save_calls_nobody(site: WordPressSite, coop: Coop) -> None:
    assert site.saved(**coop.form()) == (SAVED, None)
    assert paths(site, coop) == []
    assert stored(site)["coopcycle_api_secret"] == shown(coop.app.secret)
    assert coop.app.secret not in repr(site.row)


def test_a_second_save_makes_three_rounds(site: WordPressSite, coop: Coop) -> None:
    site.saved(**coop.form())
    assert site.saved() == (SAVED, 'Connected to app "Acme"')
    assert paths(site, coop) == ROUND * 3
    assert site.row.options["coopcycle_app_name"] == "Acme"


def test_a_wrong_secret_over_a_right_one_looks_well(connected: WordPressSite, coop: Coop) -> None:
    assert connected.saved(coopcycle_api_secret="wrong") == (SAVED, 'Connected to app "Acme"')
    assert paths(connected, coop) == ROUND * 3
    assert stored(connected)["coopcycle_api_secret"] == shown("wrong")


def test_a_right_secret_after_a_rotation_looks_bad_once(connected: WordPressSite, coop: Coop) -> None:
    fresh = coop.control.coopcycle.regenerate(coop.name, coop.app.id)
    assert connected.saved(coopcycle_api_secret=fresh.secret) == (INVALID, 'Connected to app "Acme"')
    assert paths(connected, coop) == HALF_ROUND
    assert stored(connected)["coopcycle_api_secret"] == shown(fresh.secret)
    assert connected.saved() == (SAVED, 'Connected to app "Acme"')
    assert paths(connected, coop) == ROUND * 3


def test_a_refused_me_is_a_crash(connected: WordPressSite, coop: Coop) -> None:
    coop.control.coopcycle.change_settings(coop.name, me_without_app=403)
    coop.control.coopcycle.drop_app_row(coop.name, coop.app.id)
    before = stored(connected)
    answer = connected.save(coopcycle_api_secret="new")
    assert (answer.status_code, paths(connected, coop)) == (500, ROUND)
    # The first of the three options was checked, and none stored: the banner stays what it was.
    assert stored(connected) == before
    assert connected.shown(COOPCYCLE.removeprefix("/wp-admin/"))[0] == []


# --- P1 to P10 and what follows from them ---------------------------------------------------------------------------


def test_p1_the_pair_of_another_app_is_judged_half_stored(connected: WordPressSite, coop: Coop) -> None:
    """The third option is checked when the new identifier stands beside the old secret already."""
    second = coop.control.coopcycle.make_app(coop.name, "Acme", store=1)
    assert connected.saved(**coop.form(second)) == (INVALID, 'Connected to app "Acme"')
    assert paths(connected, coop) == ROUND * 2 + HALF_ROUND
    assert stored(connected)["coopcycle_api_key"] == second.identifier
    assert connected.saved() == (SAVED, 'Connected to app "Acme"')


def test_p5_an_error_before_the_check_keeps_the_plugin_from_crashing(connected: WordPressSite, coop: Coop) -> None:
    """While the stored pair crashes the plugin nothing can be saved over it, unless the form has an error of its own."""
    coop.control.coopcycle.change_settings(coop.name, me_without_app=403)
    coop.control.coopcycle.drop_app_row(coop.name, coop.app.id)
    fresh = coop.control.coopcycle.make_app(coop.name, "Acme", store=1)
    assert connected.save(**coop.form(fresh)).status_code == 500
    paths(connected, coop)
    messages, _ = connected.saved(**coop.form(fresh) | {"coopcycle_base_url": ""})
    assert messages == ["Base URL is empty", "The base URL must start with http:// or https://"]
    assert paths(connected, coop) == []
    assert connected.saved(**coop.form(fresh)) == (SAVED, 'Connected to app "Acme"')
    assert connected.saved() == (SAVED, 'Connected to app "Acme"')


def test_p6_an_app_without_deliveries_never_connects(site: WordPressSite, coop: Coop) -> None:
    tasks = coop.control.coopcycle.make_app(coop.name, "Tasks", store=1, scopes=["tasks"])
    site.saved(**coop.form(tasks))
    for _ in range(2):
        assert site.saved() == (INVALID, None)


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "{server}/coopcycle.example/nobody"])
def test_a_server_that_is_none(url: str, site: WordPressSite, coop: Coop) -> None:
    address = url.format(server=coop.url.partition("/coopcycle.example")[0])
    site.saved(**coop.form() | {"coopcycle_base_url": address})
    assert site.saved() == (["Server is not compatible with CoopCycle"], None)
    assert [call.url for call in site.calls] == [f"{address}/api"]


def test_p7_the_name_outlives_everything_but_the_page_of_all_options(connected: WordPressSite) -> None:
    empty = dict.fromkeys(("coopcycle_base_url", "coopcycle_api_key", "coopcycle_api_secret"), "")
    messages, banner = connected.saved(**empty)
    assert (len(messages), banner, connected.calls) == (4, 'Connected to app "Acme"', [])
    assert stored(connected) == empty | {"coopcycle_app_name": "Acme"}
    form = connected.form(OPTIONS)
    assert "coopcycle_app_name" in form["page_options"].split(",")
    only = {name: form[name] for name in ("_wpnonce", "_wp_http_referer", "action", "option_page")}
    answer = connected.post(only | {"page_options": "coopcycle_app_name", "coopcycle_app_name": ""})
    assert answer.status_code == 302
    assert connected.shown(answer.headers["Location"])[0] == SAVED
    assert stored(connected) == empty | {"coopcycle_app_name": ""}
    assert connected.shown(COOPCYCLE.removeprefix("/wp-admin/"))[1] is None


def test_p8_nothing_over_rest(connected: WordPressSite) -> None:
    answer = connected.rest("GET", "/wp-json/wp/v2/settings")
    assert answer.status_code == 200
    assert "coopcycle" not in answer.text
    written = connected.rest("POST", "/wp-json/wp/v2/settings", json={"coopcycle_api_key": "x", "title": "Renamed"})
    assert (written.status_code, written.json()["title"]) == (200, "Renamed")
    assert stored(connected)["coopcycle_api_key"] != "x"
    assert connected.rest("GET", "/wp-json/wp/v2/settings", auth=None).status_code == 401
    assert connected.rest("DELETE", "/wp-json/wp/v2/settings").status_code == 404


def test_p8_cookie_and_nonce(connected: WordPressSite, make_site: MakeSite) -> None:
    before = stored(connected)
    form = connected.form(COOPCYCLE) | {"coopcycle_api_key": "x"}
    stale = connected.post(form | {"_wpnonce": "0123456789"})
    assert stale.status_code == 403
    basic = connected.rest("POST", OPTIONS, data=form)
    assert (basic.status_code, "wp-login.php" in basic.headers["Location"]) == (302, True)
    foreign = make_site()
    foreign.log_in()
    assert foreign.post(form).status_code == 403
    assert stored(connected) == before


@pytest.mark.parametrize("login", ["shop-manager", "customer"])
def test_p8_a_lesser_role(login: str, make_site: MakeSite) -> None:
    site = make_site(users=[{"login": login, "role": login.replace("-", "_"), "password": "weak-password"}])
    assert site.log_in(login, "weak-password").status_code == 302
    form = {"option_page": "coopcycle_woocommerce", "action": "update"}
    assert [site.page(COOPCYCLE).status_code, site.page(OPTIONS).status_code, site.post(form).status_code] == [403] * 3


def test_p9_a_direct_write_is_not_checked(site: WordPressSite, coop: Coop) -> None:
    site.control.wordpress.write_options(site.name, coop.form())
    assert site.saved() == (SAVED, 'Connected to app "Acme"')
    paths(site, coop)
    site.control.wordpress.write_options(site.name, {"coopcycle_base_url": "nonsense", "coopcycle_app_name": None})
    assert (stored(site)["coopcycle_base_url"], paths(site, coop)) == ("nonsense", [])
    assert "coopcycle_app_name" not in stored(site)


class Entry(BaseHTTPRequestHandler):
    """Any server at all: what matters is that it was reached."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nowhere."""


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[str]:
    """A server whose certificate comes from an authority that nobody knows."""
    certificate, key = ensure_authority(tmp_path / "tls").issue("server", ("localhost",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Entry) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"https://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def test_p10_the_certificate_is_not_looked_at(untrusted: str, make_site: MakeSite) -> None:
    site = make_site(surecart_api_url=untrusted)
    site.log_in()
    site.saved(coopcycle_base_url=untrusted, coopcycle_api_key="a", coopcycle_api_secret="b")
    assert site.saved() == (["Server is not compatible with CoopCycle"], None)
    assert site.offer("a token").json()["code"] == "http_request_failed"
    calls = [(call.plugin, call.url, call.status) for call in site.calls]
    assert calls == [("coopcycle", f"{untrusted}/api", 200), ("surecart", f"{untrusted}/v1/account", None)]


# --- options.php ----------------------------------------------------------------------------------------------------


def test_what_the_form_leaves_out_becomes_empty(connected: WordPressSite) -> None:
    connected.saved(coopcycle_free_shipping="yes")
    form = connected.form(COOPCYCLE)
    assert form["coopcycle_free_shipping"] == "yes"
    names = ("option_page", "action", "_wpnonce", "_wp_http_referer")
    assert connected.post({name: form[name] for name in names}).status_code == 302
    names_written = ("coopcycle_base_url", "coopcycle_api_key", "coopcycle_api_secret", "coopcycle_free_shipping")
    assert stored(connected) == dict.fromkeys(names_written, "") | {"coopcycle_app_name": "Acme"}


def test_a_save_leads_back_to_where_the_form_was(site: WordPressSite) -> None:
    form = site.form(COOPCYCLE)
    back = f"/wordpress.example/{site.name}{COOPCYCLE}&settings-updated=true"
    assert site.post(form).headers["Location"] == back
    assert len(site.shown(back)[0]) == 4
    # The messages are shown once.
    assert site.shown(back)[0] == []
    own = f"/wordpress.example/{site.name}/wp-admin/options.php?settings-updated=true"
    assert site.post(form | {"_wp_http_referer": "https://elsewhere.example/"}).headers["Location"] == own


def test_messages_are_gone_after_half_a_minute(site: WordPressSite) -> None:
    location = site.save().headers["Location"]
    site.control.wordpress.change_settings(site.name, clock_offset=31.0)
    assert site.shown(location)[0] == []


def test_the_page_of_all_options(connected: WordPressSite) -> None:
    page = parse(connected.page(OPTIONS).text)
    disabled = [entry.get("name") for entry in elements(page, "//form[@id='all-options']//input[@disabled]")]
    assert disabled == ["sidebars_widgets"]
    form = connected.form(OPTIONS)
    assert "sidebars_widgets" not in form["page_options"]
    before = connected.row.options
    # The plugin checks its options here as well.
    assert connected.post(form).status_code == 302
    assert connected.row.options == before
    assert len(connected.calls) == 3 * len(ROUND)


def test_groups_that_are_none(make_site: MakeSite) -> None:
    site = make_site(coopcycle=False)
    site.log_in()
    assert site.page(COOPCYCLE).status_code == 403
    assert site.page("/wp-admin/options-general.php").status_code == 501
    form = site.form(OPTIONS)
    assert site.post(form | {"option_page": "coopcycle_woocommerce"}).status_code == 403
    assert site.post({"action": "update"}).status_code == 501


def test_logging_out_and_in(site: WordPressSite) -> None:
    assert site.page(COOPCYCLE).status_code == 200
    link = elements(parse(site.page(COOPCYCLE).text), "//li[@id='wp-admin-bar-logout']/a")[0].get("href", "")
    assert site.http.get(link).status_code == 302
    gone = site.page(COOPCYCLE)
    assert (gone.status_code, f"/{site.name}/wp-login.php?redirect_to=" in gone.headers["Location"]) == (302, True)
    assert site.log_in("connector", "wrong").status_code == 200
    assert site.log_in().status_code == 302
    assert site.control.wordpress.end_sessions(site.name) == 1
    assert site.page(COOPCYCLE).status_code == 302


def test_operations(site: WordPressSite) -> None:
    site.save()
    site.page(OPTIONS)
    operations = [row.operation for row in site.control.requests(store=site.row.site)]
    assert operations == ["wp_login_page", "wp_login", "coopcycle_settings_page", "wp_options_save", "wp_options_page"]
