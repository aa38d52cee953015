"""Parsers of the administration's pages: ids, names and links decide, words never; nothing is guessed."""

import contextlib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.coopcycle import pages
from providers.coopcycle.pages import AppForm, AppPage, Landing, LoginForm, Row
from providers.core.errors import Unexpected
from providers.core.redaction import Secret

IDENTIFIER, SECRET, KEY = "0a" * 16, "1b" * 64, "ak_" + "2c" * 20

LOGIN = """<html><body>
<form action="/search"><input name="q"></form>
<form action="https://other.example/sub/login_check?x=1" method="post">
<input type="hidden" name="_csrf_token" value="T.0">
<input type="text" name="_username"><input type="password" name="_password">
</form></body></html>"""

LIST = f"""<html><body><a class="btn" href="/sub/admin/api/apps/new">+</a>
<table><thead><tr><th>#</th></tr></thead><tbody>
<tr><td><a href="/sub/admin/api/apps/1">#1</a></td><td> Blumen &amp;
 mehr </td><td>Acme Flowers</td>
<td>{IDENTIFIER} <button data-clipboard-text="{IDENTIFIER}"></button></td>
<td><button data-clipboard-text="{SECRET}"></button></td>
<td><form method="post"><input type="hidden" name="oauth2_client" value="{IDENTIFIER}"></form></td></tr>
<tr><td><a href="https://northside.example/admin/api/apps/2/">#2</a></td><td>key</td><td>＊</td>
<td><button data-clipboard-text=" {KEY} "></button></td>
<td><form method="post"><input type="hidden" name="oauth2_client" value="{IDENTIFIER[::-1]}"></form></td></tr>
</tbody></table></body></html>"""

FORM = """<html><body><form name="api_app" method="post"><input name="api_app[name]">
<select name="api_app[type]"><option value="oauth">1</option><option value="api_key">2</option></select>
<input type="checkbox" name="api_app[scopes][]" value="deliveries">
<input type="checkbox" name="api_app[scopes][]" value="tasks">
<select name="api_app[store]"><option value=""></option><option value="12"> Acme
 Flowers </option><option value="x">no</option></select>
<input type="hidden" name="api_app[_token]" value="T.1"></form></body></html>"""

APP = f"""<html><body><form name="api_app" method="post"><input name="api_app[name]" value="Blumen  &amp; mehr">
<input type="radio" name="api_app[type]" value="oauth" checked><input type="radio" name="api_app[type]" value="api_key">
<input type="checkbox" name="api_app[scopes][]" value="tasks" checked>
<input type="checkbox" name="api_app[scopes][]" value="deliveries" checked>
<input type="checkbox" name="api_app[scopes][]" value="orders:all">
<select name="api_app[store]"><option value=""></option><option value="12" selected>Acme Flowers</option></select>
<input id="api_app_client_id" disabled value="{IDENTIFIER}"><input id="api_app_client_secret" disabled value="{SECRET}">
<input type="hidden" name="api_app[_token]" value="T.1"></form></body></html>"""


@pytest.mark.parametrize(
    ("location", "meaning"),
    [
        ("https://northside.example/login", Landing.LOGIN),
        ("/sub/login/?x=1", Landing.LOGIN),
        ("/2fa", Landing.SECOND_FACTOR),
        ("https://northside.example/sub/2fa?preferProvider=totp", Landing.SECOND_FACTOR),
        ("/login/more", Landing.ELSEWHERE),
        ("/profile/", Landing.ELSEWHERE),
        ("", Landing.ELSEWHERE),
    ],
)
def test_a_redirect_is_known_by_the_end_of_its_path(location: str, meaning: Landing) -> None:
    assert pages.landing(location) is meaning


@pytest.mark.parametrize(
    ("location", "number"),
    [
        ("/admin/api/apps/7", "7"),
        ("https://other.example/sub/admin/api/apps/70/?flash=1", "70"),
        ("/admin/api/apps/new", ""),
        ("/admin/api/apps/0", ""),
        ("/admin/api/apps/7/edit", ""),
        ("/admin/api/apps", ""),
        ("/elsewhere?next=/admin/api/apps/7", ""),
        ("", ""),
    ],
)
def test_only_the_number_is_taken_from_a_redirect(location: str, number: str) -> None:
    assert pages.app_id(location) == number


def test_the_login_form_gives_its_token_and_one_segment() -> None:
    assert pages.login_form(LOGIN) == LoginForm("T.0", "/login_check")
    assert pages.login_form(LOGIN.replace("https://other.example/sub/login_check?x=1", "")) == LoginForm(
        "T.0", "/login"
    )


@pytest.mark.parametrize(
    "text",
    [
        LOGIN.replace("_csrf_token", "token"),
        LOGIN.replace("login_check", "LOGIN%20CHECK"),
        LOGIN.replace("_password", "pass"),
        "<html></html>",
        "",
    ],
)
def test_another_page_is_no_login_form(text: str) -> None:
    with pytest.raises(Unexpected):
        pages.login_form(text)


def revealed(credential: Mapping[str, Secret]) -> dict[str, str]:
    return {name: value.reveal() for name, value in credential.items()}


def test_the_list_gives_every_app() -> None:
    one, two = pages.rows(LIST)
    assert (one.app_id, one.name, one.store) == ("1", "Blumen & mehr", "Acme Flowers")
    assert revealed(one.credential) == {"identifier": IDENTIFIER, "secret": SECRET}
    assert (two.app_id, two.name, two.store) == ("2", "key", "")
    assert revealed(two.credential) == {"api_key": KEY}
    assert SECRET not in repr(one)
    assert KEY not in repr(two)


def test_a_server_without_apps_has_an_empty_list() -> None:
    empty = f"{LIST[: LIST.index('<tr><td>')]}</tbody></table></body></html>"
    assert pages.rows(empty) == ()


@pytest.mark.parametrize(
    ("pattern", "put"),
    [
        ("/sub/admin/api/apps/new", "/sub/other"),
        ("</html>", ""),
        ("<table>", '<ul class="big pagination"><li><a href="?p=2">2</a></li></ul><table>'),
        ("/sub/admin/api/apps/1", "/sub/admin/api/apps/one"),
        ("https://northside.example/admin/api/apps/2/", "/admin/api/apps/1"),
        (SECRET, "short"),
        (KEY, "ak_short"),
        ("<td>Acme Flowers</td>\n", ""),
    ],
)
def test_a_list_that_is_not_whole_is_unexpected(pattern: str, put: str) -> None:
    text = LIST.replace(pattern, put)
    assert text != LIST
    if pattern.startswith("<td>Acme"):
        # One cell less still leaves three: the name of the store is then something else, and only shown.
        assert len(pages.rows(text)) == 2
        return
    with pytest.raises(Unexpected):
        pages.rows(text)


def test_the_form_tells_what_can_be_made() -> None:
    assert pages.app_form(FORM) == AppForm(
        "T.1", frozenset({"deliveries", "tasks"}), frozenset({"oauth", "api_key"}), {12: "Acme Flowers"}
    )
    assert pages.is_app_form(FORM)


@pytest.mark.parametrize(
    "text", [FORM.replace("api_app[_token]", "x"), FORM.replace("api_app[name]", "x"), "<html></html>"]
)
def test_another_page_is_no_form_for_an_app(text: str) -> None:
    with pytest.raises(Unexpected):
        pages.app_form(text)


def test_the_page_of_an_app() -> None:
    page = pages.app_page(APP, "7")
    assert (page.app_id, page.name, page.type, page.scopes) == ("7", "Blumen & mehr", "oauth", ("deliveries", "tasks"))
    assert (page.store, page.store_name) == (12, "Acme Flowers")
    assert revealed(page.credential) == {"identifier": IDENTIFIER, "secret": SECRET}
    assert SECRET not in repr(page)


KEY_APP = APP.replace("api_app_client_id", "x").replace("api_app_client_secret", "api_app_apiKey").replace(SECRET, KEY)
CHOSEN = KEY_APP.replace('value="oauth" checked', 'value="oauth"').replace('"api_key"', '"api_key" checked')


@pytest.mark.parametrize(
    ("text", "kind", "scopes"),
    [
        (CHOSEN, "api_key", True),
        # A page that shows no type, and one that shows no scopes.
        (KEY_APP.replace("api_app[type]", "x"), "api_key", True),
        (APP.replace("api_app[type]", "x"), "oauth", True),
        (APP.replace("api_app[scopes][]", "x"), "oauth", False),
        (APP.replace(' value="12" selected', ' value="12"'), "oauth", True),
    ],
)
def test_pages_of_other_apps(text: str, kind: str, scopes: bool) -> None:
    page = pages.app_page(text, "7")
    assert (page.type, page.scopes is not None) == (kind, scopes)
    assert ("api_key" in page.credential) == (kind == "api_key")
    if 'value="12" selected' not in text:
        assert (page.store, page.store_name) == (None, "")


@pytest.mark.parametrize(
    ("pattern", "put"),
    [
        (IDENTIFIER, "short"),
        (SECRET, ""),
        ('value="Blumen  &amp; mehr"', ""),
        ('value="oauth" checked', 'value="jwt" checked'),
        ('value="oauth" checked><input type="radio" name="api_app[type]" value="api_key"', 'value="api_key" checked'),
        ("api_app[name]", "x"),
    ],
)
def test_a_page_that_is_not_whole_is_unexpected(pattern: str, put: str) -> None:
    text = APP.replace(pattern, put)
    assert text != APP
    with pytest.raises(Unexpected):
        pages.app_page(text, "7")


PARSERS: dict[str, tuple[str, Any]] = {
    "login": (LOGIN, pages.login_form),
    "list": (LIST, pages.rows),
    "form": (FORM, pages.app_form),
    "app": (APP, lambda text: pages.app_page(text, "7")),
}


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
def test_a_page_that_was_damaged_is_read_or_unexpected(name: str, data: st.DataObject) -> None:
    """Never another error, and never a secret in what is said."""
    text, parse = PARSERS[name]
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    damaged = text[:begin] + data.draw(st.text(max_size=20)) + text[end:]
    said, found = "", None
    try:
        found = parse(damaged)
    except Unexpected as error:
        said = str(error)
    assert SECRET not in said
    assert found is None or isinstance(found, LoginForm | AppForm | AppPage | tuple)
    assert all(isinstance(row, Row) for row in (found if isinstance(found, tuple) else ()))


@given(text=st.text(max_size=200))
def test_any_text_is_read_or_unexpected(text: str) -> None:
    for _, parse in PARSERS.values():
        with contextlib.suppress(Unexpected):
            parse(text)
    pages.landing(text)
    pages.app_id(text)
