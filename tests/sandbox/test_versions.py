"""Sheet 2.1: how the five observed versions differ, row by row."""

from __future__ import annotations

import pytest

from sandbox.client import Client
from tests.sandbox.browser import TABS, VERSIONS, MakeBrowser, MakeStore, elements, nonce_in, one, parse, rows_in

OTHER_TAB = {"api": "advanced", "advanced": "api"}


def by_version(*values: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("version", "expected"), list(zip(VERSIONS, values, strict=True)))


@by_version(200, 302, 302, 302, 302)
def test_wrong_tab(version: str, expected: int, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version))
    answer = browser.keys_page("&create-key=1", tab=OTHER_TAB[TABS[version]])
    assert answer.status_code == expected
    if expected == 302:
        assert answer.headers["location"] == f"{browser.base}/wp-admin/admin.php?page=wc-settings"
    else:
        # L8: everything a careless client looks for, but no form.
        assert len(nonce_in(answer.text)) == 10
        assert "key_description" not in answer.text
    assert browser.tab == TABS[version]


@by_version(
    ["wc/v1"],
    ["wc/v1", "wc/v2"],
    ["wc/v1", "wc/v2"],
    ["wc/v1", "wc/v2", "wc/v3"],
    ["wc/v1", "wc/v2", "wc/v3", "wc/store"],
)
def test_namespaces(version: str, expected: list[str], make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version), None)
    document = browser.get("/wp-json/").json()
    assert [name for name in document["namespaces"] if name.startswith("wc/")] == expected
    assert document["url"] == document["home"] == browser.base
    for api in ("v1", "v2", "v3"):
        status = browser.get(f"/wp-json/wc/{api}").status_code
        assert status == (200 if f"wc/{api}" in expected else 404)


@by_version({}, {"v2": False}, {"v2": False}, {"v2": False, "v3": False}, {"v3": True})
def test_system_status(
    version: str, expected: dict[str, bool], make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    browser = make_browser(make_store(version))
    pair = browser.create().pair
    for api in {"v1", "v2", "v3"} & {name.removeprefix("wc/") for name in namespaces(browser.get("/wp-json/").json())}:
        answer = browser.get(f"/wp-json/wc/{api}/system_status", auth=pair)
        if api in expected:
            environment = answer.json()["environment"]
            assert environment["version"] == version
            assert ("store_id" in environment) == expected[api]
        else:
            assert answer.status_code == 501
            assert answer.text.startswith("sandbox: unknown in the sheet:")


def namespaces(document: dict[str, list[str]]) -> list[str]:
    return document["namespaces"]


@by_version("description", "description", "title", "title", "title")
def test_name_column(version: str, expected: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    page = parse(make_browser(make_store(version)).keys_page().text)
    table = "//table[contains(@class, 'wp-list-table')]/tbody/tr"
    classes = {cell.get("class", "").split()[0] for cell in elements(page, f"{table}/td")}
    assert classes == {expected, "truncated_key", "user", "permissions", "last_access"}


@by_version("…", "…", "…", "…", "***")
def test_truncation_prefix(version: str, expected: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version))
    made = browser.create()
    assert browser.rows()[0].tail == expected + made.consumer_key[-7:]
    assert browser.form(made.key_id).tail == "…" + made.consumer_key[-7:]


@by_version("input", "select", "select", "select", "select")
def test_owner_control(version: str, expected: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version))
    made = browser.create(user="2")
    page = browser.keys_page(f"&edit-key={made.key_id}").text
    assert one(parse(page), "//*[@id='key_user']").tag == expected
    form = browser.form(made.key_id)
    assert form.owner == "2"
    assert form.owner_text == "Sam Manager (#2 – shop-manager@shop.example)"


@by_version((10, 0), (10, 0), (20, 10), (20, 20), (20, 20))
def test_page_size(
    version: str, expected: tuple[int, int], control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    size, shown = expected
    store = make_store(version, foreign_keys=[])
    for number in range(size + 1):
        control.insert_key(store, description=f"key {number}")
    browser = make_browser(store)
    page = browser.keys_page().text
    assert len(rows_in(page)) == size
    box = elements(parse(page), "//form[@id='adv-settings']//input[@name='wp_screen_options[value]']")
    assert [field.get("value") for field in box] == ([str(shown)] if shown else [])


@by_version(None, None, 999, 999, 999)
def test_screen_option(
    version: str, expected: int | None, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store(version, foreign_keys=[])
    for number in range(25):
        control.insert_key(store, description=f"key {number}")
    browser = make_browser(store)
    before = len(browser.rows())
    fields = elements(parse(browser.keys_page().text), "//input[@name='screenoptionnonce']")
    assert bool(fields) == (expected is not None)
    path = f"/wp-admin/admin.php?page=wc-settings&tab={browser.tab}&section=keys"
    form = {"wp_screen_options[option]": "woocommerce_keys_per_page", "wp_screen_options[value]": "100"}
    assert browser.post(path, data=form | {"screenoptionnonce": "0123456789"}).status_code == 403
    if fields:
        nonce = fields[0].get("value", "")
        assert browser.post(path, data=form | {"screenoptionnonce": nonce}).status_code == 302
        assert len(browser.rows()) == 25
        # Another user's pages stay as they were, and a size over the limit changes nothing.
        assert len(make_browser(store, "shop-manager").rows()) == before
        too_much = form | {"screenoptionnonce": nonce, "wp_screen_options[value]": str((expected or 0) + 1)}
        browser.post(path, data=too_much)
        assert len(browser.rows()) == 25


@by_version("store", "phantom", "phantom", "phantom", "refuse")
def test_long_description(
    version: str, expected: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store(version, foreign_keys=[])
    browser = make_browser(store)
    assert browser.create("x" * 200).key_id > 0
    document = browser.save("x" * 201, permissions="read_write")
    stored = [key.description for key in control.keys(store) if len(key.description) > 200]
    assert document["success"] == (expected != "refuse")
    assert bool(stored) == (expected == "store")
    if expected == "phantom":
        # L1: a whole pair that opens nothing.
        data = document["data"]
        assert "revoke-key=0&#038;" in data["revoke_url"]
        pair = (data["consumer_key"], data["consumer_secret"])
        assert browser.get("/wp-json/wc/v2/products", auth=pair).status_code == 401


@by_version(302, 302, 302, 500, 500)
def test_revoke_of_a_missing_key(version: str, expected: int, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version))
    answer = browser.revoke(888888)
    assert answer.status_code == expected
    if expected == 302:
        # L5: to the letter what a real one answers.
        assert answer.headers["location"] == browser.revoke(browser.create().key_id).headers["location"]
        assert answer.headers["location"].endswith("&revoked=1")
    else:
        assert "permission" in answer.text


@by_version(500, 500, 403, 403, 403)
def test_revoke_with_a_stale_nonce(
    version: str, expected: int, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store(version)
    browser = make_browser(store)
    made, link = browser.create(), browser.revoke_link()
    control.change_settings(store, nonce_salt="tomorrow")
    answer = browser.http.get(link.replace("revoke-key=999999", f"revoke-key={made.key_id}"))
    assert answer.status_code == expected
    assert made.key_id in [key.key_id for key in control.keys(store)]


@by_version(True, True, True, False, False)
def test_shop_manager_gives_a_key_to_an_administrator(
    version: str, expected: bool, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store(version, foreign_keys=[])
    browser = make_browser(store, "shop-manager")
    assert browser.save("for the boss", user="1")["success"] is expected
    assert [key.login for key in control.keys(store)] == (["connector"] if expected else [])
    # Oneself and a customer are allowed everywhere.
    assert browser.save("mine", user="2")["success"]
    assert browser.save("theirs", user="3")["success"]


@by_version(("get", 200), ("get", 200), ("get", 200), ("post", 302), ("post", 302))
def test_bulk_revoke(
    version: str, expected: tuple[str, int], control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    method, status = expected
    store = make_store(version)
    foreign = [key.key_id for key in control.keys(store)]
    browser = make_browser(store)
    ids = [browser.create(f"number {number}").key_id for number in range(3)]
    page = parse(browser.keys_page().text)
    form = one(page, "//form[@id='mainform']")
    assert form.get("method") == method
    nonces = [field.get("value", "") for field in elements(form, ".//input[@name='_wpnonce']")]
    assert len(set(nonces)) > 1
    path = f"/wp-admin/admin.php?page=wc-settings&tab={browser.tab}&section=keys"

    def send(nonce: str) -> int:
        fields: dict[str, str | list[str]] = {
            "_wpnonce": nonce,
            "action": "revoke",
            "key[]": [str(ids[0]), str(ids[2])],
        }
        if method == "post":
            answer = browser.post(path, data=fields)
        else:
            place = {"page": "wc-settings", "tab": browser.tab, "section": "keys"}
            answer = browser.get("/wp-admin/admin.php", params=place | fields)
        if answer.status_code == 302:
            assert answer.headers["location"].endswith("&revoked=2")
        return answer.status_code

    # The first nonce belongs to the table and is worth nothing.
    assert send(nonces[0]) in {403, 500}
    assert {*ids, *foreign} == {key.key_id for key in control.keys(store)}
    assert send(nonces[-1]) == status
    assert {ids[1], *foreign} == {key.key_id for key in control.keys(store)}


@by_version(True, True, True, False, False)
def test_challenge_on_a_wrong_secret(
    version: str, expected: bool, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    """2.6.14 and 3.4.2 are unknown in the sheet and follow 3.2.5 here."""
    browser = make_browser(make_store(version))
    made = browser.create()
    answer = browser.get("/wp-json/wc/v1/products", auth=(made.consumer_key, "cs_" + "0" * 40))
    assert answer.status_code == 401
    assert ("www-authenticate" in answer.headers) is expected


@by_version(False, False, True, True, True)
def test_keys_of_a_deleted_owner(
    version: str, expected: bool, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store(version, foreign_keys=[])
    browser = make_browser(store)
    made = browser.create(user="2")
    control.delete_user(store, "shop-manager")
    assert (browser.rows() == []) is expected
    if not expected:
        row = browser.rows()[0]
        assert (row.key_id, row.owner, row.owner_link) == (made.key_id, "", "")
        assert browser.get("/wp-json/wc/v1/products", auth=made.pair).status_code == 401
