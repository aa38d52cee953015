"""Sheet 4.2 to 4.8 and 5: a key's life in wp-admin."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from sandbox.client import Client
from tests.sandbox.browser import API, TABS, VERSIONS, MakeBrowser, MakeStore, elements, nonce_in, one, parse, text_of

every_version = pytest.mark.parametrize("version", VERSIONS)


@every_version
def test_create(version: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(version)
    browser = make_browser(store)
    answer = browser.ajax(key_id="0", description="Sync of the shop", user="1", permissions="read")
    assert answer.headers["content-type"].startswith("application/json")
    document = answer.json()
    assert set(document["data"]) == {
        "user_id",
        "description",
        "permissions",
        "consumer_key",
        "consumer_secret",
        "truncated_key",
        "message",
        "revoke_url",
    }
    data = document["data"]
    assert re.fullmatch(r"ck_[0-9a-f]{40}", data["consumer_key"])
    assert re.fullmatch(r"cs_[0-9a-f]{40}", data["consumer_secret"])
    assert (data["user_id"], data["permissions"], data["truncated_key"]) == (1, "read", data["consumer_key"][-7:])
    # Fact 2: the id only between `&#038;` in the HTML.
    key = control.keys(store)[-1]
    assert (
        f"&#038;tab={TABS[version]}&#038;section=keys&#038;revoke-key={key.key_id}&#038;_wpnonce=" in data["revoke_url"]
    )
    assert (key.description, key.permissions, key.login) == ("Sync of the shop", "read", "connector")


REFUSALS: list[tuple[dict[str, str], str]] = [
    ({"description": ""}, "Description is missing."),
    ({"user": ""}, "User is missing."),
    ({"permissions": ""}, "Permissions is missing."),
]


@pytest.mark.parametrize(("fields", "message"), REFUSALS)
@every_version
def test_refusals_by_rule_are_200(
    version: str, fields: dict[str, str], message: str, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    """L9."""
    browser = make_browser(make_store(version))
    answer = browser.ajax(**{"key_id": "0", "description": "x", "user": "1", "permissions": "read"} | fields)
    assert (answer.status_code, answer.json()) == (200, {"success": False, "data": {"message": message}})


@every_version
def test_ajax_without_right(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(version)
    browser, other = make_browser(store), make_browser(store, "shop-manager")
    fields = {"key_id": "0", "description": "x", "user": "2", "permissions": "read"}
    second = make_browser(store)
    for wrong in ("0123456789", other.nonce(), second.nonce(), nonce_of_revoke(browser.revoke_link())):
        answer = browser.ajax(wrong, **fields)
        assert (answer.status_code, answer.text) == (403, "-1")
    # GET knows no description (sheet 4.3).
    query = {"action": "woocommerce_update_api_key", "security": browser.nonce()} | fields
    answer = browser.get("/wp-admin/admin-ajax.php", params=query)
    assert answer.json() == {"success": False, "data": {"message": "Description is missing."}}
    assert browser.post("/wp-admin/admin-ajax.php", data={"action": "nonsense"}).status_code == 400


def nonce_of_revoke(link: str) -> str:
    return link.partition("_wpnonce=")[2]


def test_nonce_goes_stale(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store()
    browser = make_browser(store)
    nonce = browser.nonce()
    assert re.fullmatch(r"[0-9a-f]{10}", nonce)
    control.change_settings(store, clock_offset=25 * 3600)
    fields = {"key_id": "0", "description": "x", "user": "1", "permissions": "read"}
    assert browser.ajax(nonce, **fields).text == "-1"
    assert browser.ajax(**fields).json()["success"]


def test_page_is_full_of_decoys(make_store: MakeStore, make_browser: MakeBrowser) -> None:
    text = make_browser(make_store()).keys_page("&create-key=1").text
    nonces = set(re.findall(r'nonce"?[^0-9a-f]{1,30}([0-9a-f]{10})"', text))
    assert len(nonces) > 3
    assert nonce_in(text) in nonces
    script = re.search(r"woocommerce_admin_api_keys = (\{.*?\});", text)
    assert script
    assert json.loads(script[1])["update_api_nonce"] == nonce_in(text)


DESCRIPTIONS = [
    ("<b>bold</b> text", "bold text"),
    ("a\n b\t\tc  d", "a b c d"),
    ("  edges  ", "edges"),
    ("100% %41", "100%"),
    ("50%25 off", "50 off"),
    ("%%4141x", "x"),
    ("fish & chips \"quoted\" 'single' back\\slash", "fish & chips \"quoted\" 'single' back\\slash"),
    ("café ☕ 😀", "café ☕ 😀"),
    ("<b>&amp;", "&amp;"),
    ("&lt;i&gt;", "&lt;i&gt;"),
]


@pytest.mark.parametrize(("given", "kept"), DESCRIPTIONS)
@every_version
def test_normalisation(
    version: str, given: str, kept: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store(version)
    browser = make_browser(store)
    made = browser.create(given)
    assert made.data["description"] == kept
    assert control.keys(store)[-1].description == kept
    assert browser.form(made.key_id).description == kept
    assert browser.rows()[0].description == kept


@every_version
def test_edit_page(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version))
    made = browser.create("Reporting", user="2", permissions="write")
    form = browser.form(made.key_id)
    assert (form.key_id, form.description, form.owner) == (str(made.key_id), "Reporting", "2")
    assert (form.permissions, form.last_access) == ("write", "Unknown")
    assert form.tail[-7:] == made.consumer_key[-7:]
    # L13: a missing id shows an ordinary form, which is empty.
    missing = browser.form(999999)
    assert (missing.description, missing.tail, missing.last_access) == ("", "", "")


@every_version
def test_list(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version))
    made = browser.create("Newest of them", user="3", permissions="read_write")
    rows = browser.rows()
    assert [row.key_id for row in rows] == sorted((row.key_id for row in rows), reverse=True)
    assert (rows[0].key_id, rows[0].description, rows[0].owner) == (made.key_id, "Newest of them", "Chris Customer")
    assert rows[0].owner_link.endswith("user_id=3")
    assert rows[0].permissions == "Read/Write"
    assert rows[0].last_access == "Unknown"
    assert f"revoke-key={made.key_id}&" in rows[0].revoke_link
    page = parse(browser.keys_page().text)
    assert {text_of(count) for count in elements(page, "//*[@class='displaying-num']")} == {"3 items"}
    assert {text_of(count) for count in elements(page, "//*[@class='total-pages']")} == {"1"}


def test_owner_link_only_for_those_who_may_edit(make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store()
    browser = make_browser(store)
    for user in ("1", "2", "3"):
        browser.create(f"of {user}", user=user)
    links = {row.description: bool(row.owner_link) for row in make_browser(store, "shop-manager").rows("&s=of")}
    assert links == {"of 1": False, "of 2": True, "of 3": True}


@every_version
def test_search(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version))
    twins = [browser.create("marker-17 twin").key_id for _ in range(2)]
    assert sorted(row.key_id for row in browser.rows("&s=marker-17")) == twins
    nothing = browser.keys_page("&s=no-such-key").text
    assert browser.rows("&s=no-such-key") == []
    assert "wp-list-table" in nothing
    assert browser.rows("&s=%25") == []


@every_version
def test_blank_state(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    text = make_browser(make_store(version, foreign_keys=[])).keys_page().text
    assert '<table class="wp-list-table' not in text
    assert "woocommerce-BlankState" in text


@every_version
def test_paging(version: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(version, foreign_keys=[])
    for number in range(45):
        control.insert_key(store, description=f"key {number}")
    browser = make_browser(store)
    size = len(browser.rows())
    last = -(-45 // size)
    seen = [row.key_id for page in range(1, last + 1) for row in browser.rows(f"&paged={page}")]
    assert seen == [key.key_id for key in reversed(control.keys(store))]
    totals = elements(parse(browser.keys_page().text), "//*[@class='total-pages']")
    assert {text_of(total) for total in totals} == {str(last)}
    # L15: past the end comes a redirect to the last page, not an empty one.
    answer = browser.keys_page(f"&paged={last + 3}")
    assert answer.status_code == 302
    assert answer.headers["location"].endswith(f"&paged={last}")
    searched = browser.keys_page("&s=key&paged=99").headers["location"]
    assert "s=key" in searched


@every_version
def test_update(version: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(version)
    browser = make_browser(store)
    made = browser.create("before", permissions="read_write")
    document = browser.save("after", user="2", permissions="read", key_id=made.key_id)
    data: dict[str, Any] = document["data"]
    assert (data["consumer_key"], data["consumer_secret"], "revoke_url" in data) == ("", "", False)
    key = control.keys(store)[-1]
    assert (key.key_id, key.description, key.login, key.permissions) == (made.key_id, "after", "shop-manager", "read")
    # In force at once, with the same pair.
    products = f"/wp-json/wc/{API[version]}"
    assert browser.get(f"{products}/products", auth=made.pair).status_code == 200
    assert browser.post(f"{products}/__probe", auth=made.pair).status_code == 401


@every_version
def test_update_of_a_missing_key_succeeds(
    version: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    """L2."""
    store = make_store(version)
    before = control.keys(store)
    assert make_browser(store).save("nowhere", key_id=777777)["success"]
    assert control.keys(store) == before


@every_version
def test_odd_permission_becomes_read(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    """L3."""
    browser = make_browser(make_store(version))
    made = browser.create(permissions="everything")
    assert (made.data["permissions"], browser.form(made.key_id).permissions) == ("read", "read")


@every_version
def test_ghost_owner(version: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    """L4."""
    store = make_store(version)
    browser = make_browser(store)
    made = browser.create(user="4711")
    assert (control.keys(store)[-1].user_id, control.keys(store)[-1].login) == (4711, None)
    assert browser.rows()[0].owner == ""
    assert browser.form(made.key_id).owner == "4711"


@every_version
def test_shop_manager_rewrites_an_administrators_key(
    version: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    """L16."""
    store = make_store(version)
    made = make_browser(store).create("of the boss", permissions="read")
    document = make_browser(store, "shop-manager").save("mine now", "2", "read_write", made.key_id)
    assert document["success"]
    key = control.keys(store)[-1]
    assert (key.key_id, key.login, key.permissions) == (made.key_id, "shop-manager", "read_write")


@every_version
def test_rotation_and_revoke(version: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(version)
    foreign = control.keys(store)
    browser = make_browser(store)
    first, second = browser.create("rotated"), browser.create("rotated")
    path = f"/wp-json/wc/{API[version]}/products"
    assert [browser.get(path, auth=made.pair).status_code for made in (first, second)] == [200, 200]
    # One nonce serves every id: the link of the second revokes the first.
    link = str(parse(second.data["revoke_url"]).get("href"))
    answer = browser.http.get(link.replace(f"revoke-key={second.key_id}", f"revoke-key={first.key_id}"))
    place = f"{browser.base}/wp-admin/admin.php?page=wc-settings&tab={TABS[version]}&section=keys&revoked=1"
    assert (answer.status_code, answer.headers["location"]) == (302, place)
    dead = browser.get(path, auth=first.pair)
    assert (dead.status_code, dead.json()["code"]) == (401, "woocommerce_rest_cannot_view")
    assert browser.get(path, auth=second.pair).status_code == 200
    assert [key.key_id for key in control.keys(store)] == [*(key.key_id for key in foreign), second.key_id]
    assert one(parse(browser.http.get(place).text), "//*[@id='message']") is not None


@pytest.mark.parametrize(("version", "status"), [("3.5.3", 500), ("11.0.1", 500), ("3.4.2", 302)])
def test_revoke_obeys_the_owner_rule(
    version: str, status: int, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store(version)
    made = make_browser(store).create("of the boss")
    assert make_browser(store, "shop-manager").revoke(made.key_id).status_code == status


def test_ids_of_stores_differ_and_are_never_reused(
    control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    stores = [make_store() for _ in range(4)]
    assert len({control.keys(store)[0].key_id for store in stores}) > 1
    browser = make_browser(stores[0])
    first = browser.create().key_id
    browser.revoke(first)
    assert browser.create().key_id == first + 1


UNKNOWN: list[tuple[str, dict[str, str]]] = [
    ("11.0.1", {"description": " <b></b> "}),
    ("11.0.1", {"user": "connector"}),
    ("3.5.3", {"description": "é" * 150}),
    ("3.5.3", {"description": "x" * 201, "key_id": "1"}),
]


@pytest.mark.parametrize(("version", "fields"), UNKNOWN)
def test_what_nobody_looked_at_is_refused_loudly(
    version: str, fields: dict[str, str], make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    browser = make_browser(make_store(version))
    answer = browser.ajax(**{"key_id": "0", "description": "x", "user": "1", "permissions": "read"} | fields)
    assert answer.status_code == 501
    assert answer.text.startswith("sandbox: unknown in the sheet:")


@pytest.mark.parametrize("version", ["2.6.14", "11.0.1"])
def test_html_is_escaped(version: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(version, foreign_keys=[])
    control.add_user(store, "evil", "customer", display_name='"><script>alert(1)</script>', mail="'><b>@shop.example")
    key = control.insert_key(store, description='"><script>alert(2)</script>', user="evil")
    browser = make_browser(store)
    for page in (browser.keys_page(), browser.keys_page(f"&edit-key={key.key_id}"), browser.keys_page('&s="><script>')):
        assert "<script>alert" not in page.text
        assert '"><script>' not in page.text
    assert browser.form(key.key_id).description == '"><script>alert(2)</script>'
    assert browser.rows()[0].owner == '"><script>alert(1)</script>'
