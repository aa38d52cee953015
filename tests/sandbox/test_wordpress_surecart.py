"""The SureCart plugin of a WordPress site (surecart.md sections 3 to 6): the observed matrix, and W1 to W16."""

from __future__ import annotations

import hashlib
import itertools
import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.client import Client
from sandbox.server_process import start
from sandbox.wordpress.encryption import Encryption
from tests.sandbox.browser import one, parse, text_of
from tests.sandbox.sites import ACCOUNT, HEALTH, PROVISIONAL, SETTINGS, MakeSite, WordPressSite

NUMBERS = itertools.count(1)
ASKED = ("GET", "/v1/account")
NOWHERE = "https://127.0.0.1:1/api.surecart.com"
BAD = "st_nobodyever"


@dataclass(frozen=True)
class Shop:
    """An account at the cloud with a good token, and a second one."""

    control: Client
    slug: str
    token: str
    other: str

    def delete_tokens(self) -> None:
        for token in self.control.surecart.tokens(self.slug):
            self.control.surecart.delete_token(self.slug, token.id)

    def fail(self, *, outage: bool = True) -> None:
        self.control.surecart.change_account_settings(self.slug, outage=outage)


@pytest.fixture
def shop(control: Client) -> Shop:
    slug = f"linked-{next(NUMBERS)}"
    control.surecart.create_account(slug)
    token, other = (control.surecart.make_token(slug).value for _ in range(2))
    return Shop(control, slug, token, other)


@pytest.fixture
def site(make_site: MakeSite, shop: Shop) -> WordPressSite:
    """A site that holds a good token."""
    made = make_site()
    made.accept(shop.token)
    return made


# --- the observed matrix, row by row --------------------------------------------------------------------------------


def test_a_good_candidate_is_stored(site: WordPressSite, shop: Shop) -> None:
    answer = site.offer(shop.other)
    assert (answer.status_code, answer.json()["object"], answer.json()["api_token"]) == (200, "settings", shop.other)
    assert site.called == [(*ASKED, 200)]
    assert (site.row.token, site.row.holds(shop.other)) == ("stored", True)


@pytest.mark.parametrize("spoil", ["{}x", " {}", "{}\n", "\n{}", "{}\r\n"])
def test_a_bad_candidate_takes_the_good_token_away(spoil: str, site: WordPressSite, shop: Shop) -> None:
    answer = site.offer(spoil.format(shop.other))
    assert answer.status_code == 500
    assert answer.json() == {"code": "invalid_token", "message": "Invalid API token.", "data": None}
    assert site.called == [(*ASKED, 401)]
    assert (site.read(), site.row.token) == (False, "absent")


def test_an_outage_passes_through_and_keeps(site: WordPressSite, shop: Shop) -> None:
    shop.fail()
    answer = site.offer(shop.other)
    code = shop.control.surecart.settings()["outage_code"]
    assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (503, code, {"status": 503})
    assert site.row.holds(shop.token)


def test_a_refused_connection_keeps(site: WordPressSite, shop: Shop) -> None:
    shop.control.wordpress.change_settings(site.name, surecart_api_url=NOWHERE)
    answer = site.offer(shop.other)
    assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (500, "http_request_failed", None)
    assert "cURL" in answer.json()["message"]
    assert site.called == [(*ASKED, None)]
    assert site.row.holds(shop.token)


def test_the_empty_candidate_empties_unasked(site: WordPressSite) -> None:
    answer = site.offer("")
    assert (answer.status_code, answer.json()["api_token"]) == (200, "")
    assert (site.called, site.row.token, len(site.row.options["sc_api_token"])) == ([], "emptied", 80)


def test_null_is_ignored(site: WordPressSite, shop: Shop) -> None:
    answer = site.offer(None)
    assert (answer.status_code, answer.json()["api_token"], site.called) == (200, shop.token, [])


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
def test_nobody_gets_nothing(method: str, site: WordPressSite, shop: Shop) -> None:
    answer = site.rest(method, SETTINGS, auth=None, json={"api_token": BAD})
    assert (answer.status_code, answer.json()["code"]) == (401, "rest_forbidden")
    assert site.called == []
    assert site.row.holds(shop.token)


# --- W1 to W16 ------------------------------------------------------------------------------------------------------


def test_w2_a_health_read_wipes_what_died(site: WordPressSite, shop: Shop) -> None:
    assert (site.health(), site.row.token) == ("good", "stored")
    shop.delete_tokens()
    assert site.read() == shop.token
    assert site.control.wordpress.cloud_status(site.name) == 401
    assert site.row.token == "stored"
    assert (site.health(), site.read(), site.row.token) == ("critical", False, "absent")


def test_w2_a_webhook_wipes_too(site: WordPressSite, shop: Shop) -> None:
    shop.delete_tokens()
    site.log_in()
    site.page("/wp-admin/")
    assert site.called == [("POST", "/v1/webhook_endpoints", 401)]
    assert site.row.token == "absent"


@pytest.mark.parametrize("down", ["outage", "refused"])
def test_w3_a_health_read_in_an_outage_keeps(down: str, site: WordPressSite, shop: Shop) -> None:
    if down == "outage":
        shop.fail()
    else:
        shop.control.wordpress.change_settings(site.name, surecart_api_url=NOWHERE)
    assert (site.health(), site.row.holds(shop.token)) == ("critical", True)


def test_w4_three_empties(make_site: MakeSite, shop: Shop) -> None:
    fresh = make_site()
    assert fresh.read() is False
    assert fresh.offer("").status_code == 200
    assert fresh.read() == ""
    fresh.offer(shop.token)
    fresh.offer(BAD)
    assert fresh.read() is False
    assert fresh.offer(None).status_code == 200
    assert fresh.called == [(*ASKED, 200), (*ASKED, 401)]


def test_w5_the_token_reads_in_clear_and_only_there(site: WordPressSite, shop: Shop) -> None:
    assert site.read() == shop.token
    assert shop.token not in repr(site.row)
    assert site.row.stored_sha256 == hashlib.sha256(shop.token.encode()).hexdigest()


def test_the_option_is_as_long_as_on_the_real_site(site: WordPressSite) -> None:
    encryption = Encryption(b"a site")
    assert [len(encryption.encrypt(text)) for text in ("", "twelve-chars")] == [80, 104]
    assert encryption.decrypt(encryption.encrypt("twelve-chars")) == "twelve-chars"
    for stored in (None, "", "!", "AAAA", Encryption(b"another").encrypt("twelve-chars")):
        assert encryption.decrypt(stored) is None
    assert site.row.options["sc_api_token"] != encryption.encrypt("twelve-chars")


def test_w6_a_bad_token_blocks_the_rest(site: WordPressSite, shop: Shop) -> None:
    assert site.offer(BAD, uninstall=True).status_code == 500
    assert "sc_uninstall" not in site.row.options
    answer = site.offer(shop.token, uninstall=True)
    assert (answer.json()["uninstall"], site.row.options["sc_uninstall"]) == (True, True)
    assert site.offer(None, uninstall=False).json()["uninstall"] is False


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("kind", ["json", "data"])
def test_w7_methods_and_forms(method: str, kind: str, site: WordPressSite, shop: Shop) -> None:
    answer = site.rest(method, SETTINGS, **{kind: {"api_token": shop.other}})
    assert (answer.status_code, site.row.holds(shop.other)) == (200, True)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", SETTINGS), ("PATCH", SETTINGS), ("GET", ACCOUNT), ("GET", HEALTH), ("POST", PROVISIONAL)],
)
@pytest.mark.parametrize("login", ["shop-manager", "customer"])
def test_w7_a_lesser_role_is_refused(method: str, path: str, login: str, site: WordPressSite) -> None:
    password = site.control.wordpress.application_password(site.name, login)
    answer = site.rest(method, path, auth=(login, password), json={"api_token": BAD})
    assert (answer.status_code, answer.json()["code"]) == (403, "rest_forbidden")
    assert site.called == []


def test_a_body_that_is_no_json(site: WordPressSite) -> None:
    answer = site.rest("PATCH", SETTINGS, content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "rest_invalid_json")


AUTHENTICATION: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"scheme": "http"}, "rest_forbidden"),
    ({"scheme": "http", "environment": "local"}, None),
    ({"scheme": "http", "trust_forwarded_proto": True}, None),
    ({"application_passwords": False}, "rest_forbidden"),
    ({"strip_authorization": True}, "rest_forbidden"),
]


@pytest.mark.parametrize(("settings", "code"), AUTHENTICATION)
def test_w8_where_application_passwords_count(settings: dict[str, Any], code: str | None, make_site: MakeSite) -> None:
    site = make_site(**settings)
    answer = site.rest("GET", SETTINGS)
    assert answer.json().get("code") == code
    assert answer.status_code == (401 if code else 200)
    offered = "application-passwords" in site.rest("GET", "/wp-json/").json()["authentication"]
    assert offered == (code is None or "strip_authorization" in settings)


def test_w8_a_wrong_application_password(site: WordPressSite) -> None:
    answer = site.rest("GET", SETTINGS, auth=("connector", "wrong"))
    assert (answer.status_code, answer.json()["code"]) == (401, "incorrect_password")
    assert site.control.wordpress.revoke_application_passwords(site.name) == 1
    assert site.rest("GET", SETTINGS).status_code == 401


def test_w8_cookies_need_a_nonce(site: WordPressSite, shop: Shop) -> None:
    site.log_in()
    refused = site.http.patch(site.url + SETTINGS, json={"api_token": shop.other})
    assert (refused.status_code, refused.json()["code"]) == (401, "rest_forbidden")
    nonce = site.page("/wp-admin/admin-ajax.php?action=rest-nonce").text
    accepted = site.http.patch(site.url + SETTINGS, json={"api_token": shop.other}, headers={"X-WP-Nonce": nonce})
    assert (accepted.status_code, site.row.holds(shop.other)) == (200, True)


def test_w9_the_constant_overrides(site: WordPressSite, shop: Shop) -> None:
    constant = shop.control.surecart.make_token(shop.slug).value
    shop.control.wordpress.change_settings(site.name, surecart_api_token=constant)
    answer = site.offer(shop.other)
    assert (answer.status_code, answer.json()["api_token"]) == (200, constant)
    assert site.row.holds(shop.other)
    assert site.row.constant
    assert constant not in repr(site.row)
    assert site.offer(BAD).status_code == 500
    assert (site.read(), site.row.token, site.health()) == (constant, "absent", "good")
    shop.control.wordpress.change_settings(site.name, surecart_api_token="")
    assert site.read() is False


def test_w10_other_salts_hide_the_token(site: WordPressSite, shop: Shop) -> None:
    shop.control.wordpress.change_settings(site.name, salts="changed")
    assert (site.read(), site.row.token) == (False, "undecryptable")
    assert (site.health(), site.called) == ("critical", [])
    shop.control.wordpress.change_settings(site.name, salts="")
    assert (site.read(), site.health()) == (shop.token, "good")


def test_w11_the_cached_account_vouches_for_a_quarter_of_an_hour(site: WordPressSite, shop: Shop) -> None:
    assert site.is_connected()
    shop.delete_tokens()
    assert (site.is_connected(), site.called) == (True, [(*ASKED, 200)])
    site.control.wordpress.change_settings(site.name, clock_offset=15 * 60 - 30)
    assert site.is_connected()
    site.control.wordpress.change_settings(site.name, clock_offset=15 * 60 + 1)
    assert (site.is_connected(), site.called, site.read()) == (False, [(*ASKED, 401)], False)


def test_w11_the_account_before_vouches_for_five_minutes_more(site: WordPressSite, shop: Shop) -> None:
    assert site.is_connected()
    shop.fail()
    site.control.wordpress.change_settings(site.name, clock_offset=15 * 60 + 1)
    assert (site.is_connected(), site.is_connected()) == (True, True)
    assert site.called == [(*ASKED, 200), (*ASKED, 503)]
    site.control.wordpress.change_settings(site.name, clock_offset=20 * 60 + 2)
    assert (site.is_connected(), site.called) == (True, [(*ASKED, 503)])
    # A new token clears the cache.
    shop.fail(outage=False)
    site.accept(shop.other)
    assert (site.is_connected(), site.called) == (True, [(*ASKED, 200)])


@pytest.mark.parametrize(("constant", "asked"), [(False, 2), (True, 1)])
def test_w11_a_local_site_has_no_cache_without_the_constant(
    constant: bool, asked: int, make_site: MakeSite, shop: Shop
) -> None:
    site = make_site(localhost=True, surecart_cache_account=constant)
    site.accept(shop.token)
    assert (site.is_connected(), site.is_connected()) == (True, True)
    assert site.called == [(*ASKED, 200)] * asked


def test_w11_a_token_alone_says_connected(site: WordPressSite, shop: Shop) -> None:
    site.log_in()
    shop.delete_tokens()
    site.control.wordpress.change_settings(site.name, localhost=True)
    page = parse(site.page("/wp-admin/admin.php?page=sc-settings&tab=connection").text)
    assert text_of(one(page, "//p[@id='sc-connection-status']")) == "Connected"
    assert "<td>API Connectivity</td><td>Connected</td>" in site.page("/wp-admin/site-health.php?tab=debug").text
    assert site.called == []
    site.offer("")
    assert "<td>API Connectivity</td><td>Not connected</td>" in site.page("/wp-admin/site-health.php?tab=debug").text


def test_w11_without_anything_known(make_site: MakeSite) -> None:
    site = make_site()
    assert (site.is_connected(), site.called) == (False, [])


def test_w12_health_is_always_200(site: WordPressSite) -> None:
    for token in (None, BAD):
        site.offer(token)
        answer = site.rest("GET", HEALTH.rstrip("/"))
        assert (answer.status_code, answer.json()["test"]) == (200, "surecart_api_test")


def test_w13_an_admin_page_registers_the_webhook_once(site: WordPressSite, shop: Shop) -> None:
    assert shop.control.surecart.webhook_endpoints(shop.slug) == []
    site.log_in()
    for _ in range(2):
        assert site.page("/wp-admin/").status_code == 200
    assert site.called == [("POST", "/v1/webhook_endpoints", 200)]
    (endpoint,) = shop.control.surecart.webhook_endpoints(shop.slug)
    assert endpoint.url == f"{site.url}/surecart/webhooks"
    assert (endpoint.destination, endpoint.enabled) == ("wordpress", True)
    assert endpoint.description == "WordPress Webhook SureCart"
    assert endpoint.webhook_events
    assert site.row.options["surecart_registered_webhook"]["id"] == endpoint.id


@pytest.mark.parametrize(
    "settings", [{"localhost": True}, {"scheme": "http", "environment": "local"}, {"surecart": False}]
)
def test_w13_not_every_site_has_a_webhook(settings: dict[str, Any], make_site: MakeSite, shop: Shop) -> None:
    site = make_site()
    site.accept(shop.token)
    site.control.wordpress.change_settings(site.name, **settings)
    site.log_in()
    assert site.page("/wp-admin/").status_code == 200
    assert site.called == []


def test_w13_nobody_and_no_token_make_none(make_site: MakeSite) -> None:
    site = make_site()
    assert site.page("/wp-admin/").status_code == 302
    site.log_in()
    assert site.page("/wp-admin/").status_code == 200
    assert site.called == []


def test_w14_what_stays_after_emptying(site: WordPressSite) -> None:
    site.log_in()
    site.page("/wp-admin/")
    site.is_connected()
    site.offer("")
    assert {"sc_api_token", "sc_previous_account", "surecart_registered_webhook"} <= set(site.row.options)
    assert site.row.transients == ("surecart_account",)
    assert not site.is_connected()


def test_w15_a_provisional_store_once(make_site: MakeSite) -> None:
    site = make_site()
    order = {"email": "owner@shop.example", "account_name": "A new shop"}
    made = site.rest("POST", PROVISIONAL, json=order)
    assert made.status_code == 200
    token = site.read()
    assert (token not in made.text, site.health()) == (True, "good")
    again = site.rest("POST", PROVISIONAL, json=order)
    assert (again.status_code, again.json()["code"], site.read()) == (500, "setup_complete", token)
    refused = make_site().rest("POST", PROVISIONAL, json=order | {"account_name": "A"})
    assert refused.status_code == refused.json()["data"]["status"] == 422


def test_w16_the_retry_after_a_conflict_is_lost(site: WordPressSite, shop: Shop) -> None:
    body = '{"code": "conflict", "message": "Conflict"}'
    cloud = f"api.surecart.com/{shop.slug}"
    shop.control.add_fault("status", store=cloud, operation="surecart_account", status=409, body=body)
    answer = site.offer(shop.other)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert site.called == [(*ASKED, 409), (*ASKED, 200)]
    assert site.row.holds(shop.token)


# --- beside ---------------------------------------------------------------------------------------------------------


def test_doors_not_to_use(site: WordPressSite) -> None:
    site.log_in()
    assert site.page("/wp-admin/admin.php?page=sc-plugin").status_code == 403
    assert site.page("/wp-admin/admin.php?page=sc-complete-signup").status_code == 501


@pytest.mark.parametrize(
    ("settings", "path", "status"),
    [
        ({"surecart": False}, SETTINGS, 404),
        ({"permalinks": "plain"}, SETTINGS, 404),
        ({"permalinks": "plain"}, "/?rest_route=/surecart/v1/settings", 200),
        ({"permalinks": "index.php"}, SETTINGS, 404),
        ({"permalinks": "index.php"}, f"/index.php{SETTINGS}", 200),
        ({}, "/wp-json/surecart/v1/products", 501),
    ],
)
def test_where_the_route_is(settings: dict[str, Any], path: str, status: int, make_site: MakeSite) -> None:
    site = make_site(**settings)
    assert site.rest("GET", path).status_code == status
    assert site.rest("DELETE", path).status_code == (404 if status == 200 else status)


def test_the_shop_is_there_too(site: WordPressSite) -> None:
    namespaces = site.rest("GET", "/wp-json/", auth=None).json()["namespaces"]
    assert {"wc/v3", "surecart/v1"} <= set(namespaces)
    assert site.rest("GET", "/wp-json/wc/v3/products").status_code == 200
    capabilities = site.rest("GET", "/wp-json/wp/v2/users/me?context=edit").json()["capabilities"]
    assert capabilities["manage_options"] is capabilities["view_site_health_checks"] is True
    site.control.wordpress.change_settings(site.name, surecart=False)
    assert "surecart/v1" not in site.rest("GET", "/wp-json/").json()["namespaces"]


def test_one_token_on_two_sites(make_site: MakeSite, shop: Shop) -> None:
    sites = [make_site(), make_site()]
    for site in sites:
        site.accept(shop.token)
    sites[0].offer(shop.other)
    shop.control.surecart.delete_token(shop.slug, shop.control.surecart.tokens(shop.slug)[0].id)
    assert [site.health() for site in sites] == ["good", "critical"]


def test_a_site_that_is_down_keeps(site: WordPressSite, shop: Shop) -> None:
    rule = site.control.add_fault("status", store=site.row.site, status=503, times=None)
    assert site.offer(shop.other).status_code == 503
    site.control.remove_fault(rule)
    site.control.add_fault("drop_after", store=site.row.site, operation="surecart_settings_write")
    with pytest.raises(httpx.RemoteProtocolError):
        site.offer(shop.other)
    assert site.row.holds(shop.other)


def test_operations(site: WordPressSite) -> None:
    site.read()
    site.offer(None)
    site.is_connected()
    site.health()
    site.log_in()
    operations = [row.operation for row in site.control.requests(store=site.row.site)]
    # The first write is the fixture's.
    assert operations == [
        "surecart_settings_write",
        "surecart_settings_read",
        "surecart_settings_write",
        "surecart_account_read",
        "surecart_health",
        "wp_login_page",
        "wp_login",
    ]


def test_a_site_outlives_the_process(tmp_path: Path) -> None:
    with start(tmp_path / "sandbox") as first:
        first.client.surecart.create_account("northside")
        token = first.client.surecart.make_token("northside").value
        made = first.client.wordpress.create("blog", "a-password", salts="of its own")
        password = first.client.wordpress.application_password("blog")
        tls = ssl.create_default_context(cafile=str(first.ca))
        WordPressSite(first.client, "blog", made.url, tls, password).accept(token)
        before = first.client.wordpress.get("blog")
        first.kill()
    with start(tmp_path / "sandbox") as second:
        after = second.client.wordpress.get("blog")
        assert (after.holds(token), replace(after, url=before.url)) == (True, before)
        assert WordPressSite(second.client, "blog", after.url, tls, password).read() == token
        second.client.wordpress.delete("blog")
        assert second.client.wordpress.all() == []
