"""Parsers of wp-admin's pages: ids and classes decide, words never."""

from collections.abc import Callable

import pytest

from providers.core.errors import Unexpected
from providers.woocommerce import pages
from providers.woocommerce.pages import Created, Landing, Row, Saved
from providers.wordpress import pages as wordpress

Page = Callable[[str], str]
BASE = "https://shop.example/wp-admin"


@pytest.mark.parametrize(
    ("location", "meaning"),
    [
        ("https://shop.example/wp-login.php?redirect_to=x&reauth=1", Landing.LOGIN),
        ("/wp-login.php", Landing.LOGIN),
        ("/sub/wp-login.php?action=confirm_admin_email&wp_lang=en", Landing.CONFIRM_EMAIL),
        ("/wp-login.php?loggedout=true&wp_lang=de_DE", Landing.LOGGED_OUT),
        ("/wp-login.php?action=validate_2fa", Landing.UNKNOWN),
        (f"{BASE}/admin.php?page=wc-settings", Landing.WRONG_TAB),
        (f"{BASE}/admin.php?page=wc-settings&tab=advanced&section=keys&revoked=1", Landing.REVOKED),
        (f"{BASE}/admin.php?page=wc-settings&tab=api&section=keys&paged=3", Landing.PAGED),
        (f"{BASE}/admin.php?page=wc-settings&tab=general", Landing.UNKNOWN),
        (f"{BASE}/index.php?page=wc-setup", Landing.WIZARD),
        (f"{BASE}/admin.php?page=wc-admin&path=%2Fsetup-wizard", Landing.WIZARD),
        (f"{BASE}/upgrade.php?_wp_http_referer=x", Landing.UPGRADE),
        (f"{BASE}/profile.php", Landing.UNKNOWN),
        ("", Landing.UNKNOWN),
    ],
)
def test_a_redirect_is_known_by_its_path_and_query(location: str, meaning: Landing) -> None:
    assert pages.landing(location) is meaning


def test_the_key_form_gives_its_own_nonce(page: Page) -> None:
    assert pages.key_form(page("form")) == "0123abcdef"


def test_the_nonce_of_a_page_without_the_form_is_not_trusted(page: Page) -> None:
    assert pages.key_form(page("form").replace("key_description", "search")) is None


@pytest.mark.parametrize("nonce", ['"0123abcde"', "12", "null"])
def test_a_form_without_a_nonce_is_not_guessed_about(page: Page, nonce: str) -> None:
    with pytest.raises(Unexpected, match="no nonce"):
        pages.key_form(page("form").replace('"0123abcdef"', nonce))


def test_an_edit_page_shows_a_key(page: Page) -> None:
    assert pages.key_page(page("edit"), "12") == pages.KeyPage(
        "12", "Lager & Bestand", "7", "read_write", "9f8e7d6", "abcdef0123"
    )


def test_the_edit_page_of_2_6_has_an_input_for_the_owner(page: Page) -> None:
    assert pages.key_page(page("edit_input"), "12") == pages.KeyPage("12", "Stock", "7", "read", "abcdefg", "")


def test_a_missing_key_shows_an_empty_form(page: Page) -> None:
    assert pages.key_page(page("edit_missing"), "12") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('id="key_user"', 'id="user"'),
        ('value="Lager &amp; Bestand"', 'value=" "'),
        ("<code>&hellip;9f8e7d6</code>", ""),
        ("&hellip;9f8e7d6", "…6"),
        ('value="12"', 'value="13"'),
        ('value="read_write"', 'value="delete"'),
        ('<select id="key_permissions">', '<select id="permissions">'),
    ],
)
def test_half_a_key_is_neither_a_key_nor_missing(page: Page, old: str, new: str) -> None:
    assert old in page("edit")
    with pytest.raises(Unexpected, match="edit page"):
        pages.key_page(page("edit").replace(old, new), "12")


def test_an_owner_that_is_not_selected_is_nobody(page: Page) -> None:
    shown = pages.key_page(page("edit").replace('value="7" selected="selected"', 'value="7"'), "12")
    assert shown is not None
    assert shown.owner_id == ""


def test_a_list_page_shows_its_keys(page: Page) -> None:
    shown = pages.list_page(page("list"))
    assert shown.rows == (
        Row(
            "12",
            "Lager & Bestand p:s:a/b:3:0123456789abcdef0123",
            "9f8e7d6",
            "7",
            "Robin Lager",
            "3. Mai 2026 um 9:12 Uhr",
            "abcdef0123",
        ),
        Row("11", "Read", "0000001", "", "Boss", "Unbekannt", ""),
        Row("10", "alt", "0000002", "", "", "Unbekannt", ""),
    )
    assert (shown.pages, shown.count, shown.screen_nonce) == (52, 1022, "5c5c5c5c5c")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("3 items", 3),
        ("1,022 items", 1022),
        ("1\u00a0022 éléments", 1022),
        ("۴۵ مورد", 45),
        ("drei", None),
        ("3 of 4", None),
    ],
)
def test_the_number_of_keys_is_read_where_it_is_one_number(page: Page, text: str, count: int | None) -> None:
    assert pages.list_page(page("list").replace("1.022 Einträge", text)).count == count


def test_without_a_number_of_pages_the_count_must_match_the_rows(page: Page) -> None:
    one_page = page("list").replace("total-pages", "other")
    with pytest.raises(Unexpected, match="how many pages"):
        pages.list_page(one_page)
    assert pages.list_page(one_page.replace("1.022", "3")).pages == 1


def test_a_version_without_the_screen_option_has_no_nonce_for_it(page: Page) -> None:
    assert pages.list_page(page("list").replace("woocommerce_keys_per_page", "edit_per_page")).screen_nonce == ""


def test_an_empty_store_shows_no_table(page: Page) -> None:
    assert pages.list_page(page("blank")) == pages.ListPage((), 1, 0, "")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("</html>", "", "ends in the middle"),
        ('value="12"', 'value="x"', "row"),
        ("column-title has-row-actions", "", None),
        ('"title column-title', '"column-name', "row"),
        ("&hellip;9f8e7d6", "", "row"),
        ('class="user"', 'class="owner"', "row"),
    ],
)
def test_a_broken_list_is_no_shorter_list(page: Page, old: str, new: str, words: str | None) -> None:
    assert old in page("list")
    broken = page("list").replace(old, new)
    if words is None:
        assert len(pages.list_page(broken).rows) == 3
    else:
        with pytest.raises(Unexpected, match=words):
            pages.list_page(broken)


def test_any_other_page_is_no_empty_store(page: Page) -> None:
    with pytest.raises(Unexpected, match="not the list"):
        pages.list_page(page("form"))


KEY, SECRET = "ck_" + "0" * 40, "cs_" + "1" * 40


def answer(link: str, **changed: object) -> object:
    data = {"consumer_key": KEY, "consumer_secret": SECRET, "revoke_url": link, "message": "Schlüssel erzeugt"}
    return {"success": True, "data": data | changed}


def link(key_id: str) -> str:
    query = f"page=wc-settings&#038;section=keys&#038;revoke-key={key_id}&#038;_wpnonce=0123456789"
    return f'<a style="" href="{BASE}/admin.php?{query}">x</a>'


def test_a_created_key_has_its_id_in_the_revoke_link() -> None:
    made = pages.saved(answer(link("12")), creates=True)
    assert isinstance(made, Created)
    assert (made.key_id, made.consumer_key.reveal(), made.consumer_secret.reveal()) == ("12", KEY, SECRET)
    assert KEY not in repr(made)


@pytest.mark.parametrize(
    ("body", "creates", "meaning"),
    [
        (answer(link("0")), True, Saved.PHANTOM),
        (answer(link("")), True, Saved.UNCLEAR),
        (answer("no link"), True, Saved.UNCLEAR),
        (answer(""), True, Saved.UNCLEAR),
        (answer(link("12"), consumer_secret=""), True, Saved.UNCLEAR),
        (answer(link("12"), consumer_key=None), True, Saved.UNCLEAR),
        ({"success": False, "data": {"message": "API Key generated"}}, True, Saved.REFUSED),
        ({"success": False}, False, Saved.REFUSED),
        ({"success": True, "data": {"consumer_key": "", "consumer_secret": ""}}, False, Saved.UPDATED),
        ({"success": True}, False, Saved.UNCLEAR),
        ({"success": 1, "data": {}}, False, Saved.UNCLEAR),
        (None, True, Saved.UNCLEAR),
        ([], False, Saved.UNCLEAR),
        (-1, True, Saved.UNCLEAR),
    ],
)
def test_what_is_said_about_a_save(body: object, creates: bool, meaning: Saved) -> None:
    assert pages.saved(body, creates=creates) is meaning


def test_the_login_page_refuses_with_an_element() -> None:
    assert wordpress.login_refused('<form><div id="login_error">Nein</div></form>')
    assert not wordpress.login_refused("<form>login_error</form>")


def test_the_log_out_link_has_a_nonce(page: Page) -> None:
    assert wordpress.logout_nonce(page("list")) == "0a0b0c0d0e"
    assert wordpress.logout_nonce(page("form")) == ""


@pytest.mark.parametrize("text", ["", " ", "<?xml version='1.0' encoding='utf-8'?><a/>", "<!-- -->"])
def test_what_is_no_page_is_unexpected(text: str) -> None:
    with pytest.raises(Unexpected, match="no HTML"):
        wordpress.login_refused(text)
