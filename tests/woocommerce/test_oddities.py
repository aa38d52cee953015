"""Answers that no store of the sandbox gives by itself: none of them is taken for something it is not."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from providers.core.admin_session import LoginBlocked
from providers.core.contract import Selector
from providers.core.errors import (
    CouldNotLook,
    Forbidden,
    Rejected,
    StoreError,
    Transient,
    UnclearOutcome,
    Unexpected,
)
from providers.core.http import Answer, Origin
from providers.woocommerce.admin import LONG_LIST, USERS_PER_PAGE, Admin
from providers.woocommerce.api import Rest
from providers.woocommerce.diagnosis import diagnose
from providers.woocommerce.pages import Landing, ListPage, Row
from providers.woocommerce.session import AdminSession, Refusal
from tests.woocommerce.conftest import MakeShop, Shop, order

ALL = Selector("")


def answers(shop: Shop, operation: str, body: object, status: int = 200, **details: Any) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    shop.fault("status", operation, status=status, body=text, **details)


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_create_whose_answer_has_no_id_is_unclear(make_shop: MakeShop) -> None:
    shop = make_shop()
    answers(shop, "create_key", {"success": True, "data": {"consumer_key": "ck_1", "consumer_secret": "cs_1"}})
    with pytest.raises(UnclearOutcome, match="which key it made"):
        shop.issuer().issue(order())


def created(key_id: str) -> dict[str, Any]:
    data = {
        "consumer_key": "ck_0000000",
        "consumer_secret": "cs_1",
        "revoke_url": f'<a href="?revoke-key={key_id}">x</a>',
    }
    return {"success": True, "data": data}


def test_a_key_that_is_not_what_was_ordered_is_revoked_again(make_shop: MakeShop) -> None:
    shop = make_shop()
    other = shop.control.insert_key(shop.name, description="something else", permissions="read_write", user="connector")
    answers(shop, "create_key", created(str(other.key_id)))
    with pytest.raises(Rejected, match="purpose, user, rights, key"):
        shop.issuer().issue(order())
    assert other.key_id not in [row.key_id for row in shop.control.keys(shop.name)]


def test_a_key_that_does_not_exist_after_all_is_none(make_shop: MakeShop) -> None:
    shop = make_shop()
    answers(shop, "create_key", created("987654"))
    with pytest.raises(Rejected, match="existence"):
        shop.issuer().issue(order())


@pytest.mark.parametrize("code", ["rest_user_invalid_id", "rest_no_route"])
def test_only_a_user_that_is_said_not_to_exist_is_a_ghost(make_shop: MakeShop, code: str) -> None:
    shop = make_shop()
    answers(shop, "users_read", {"code": code}, status=404)
    if code == "rest_no_route":
        with pytest.raises(Forbidden, match="cannot see the store's users"):
            shop.issuer().find(ALL)
    else:
        assert shop.issuer().find(ALL)[0].fields["user"] == "ghost (#1)"


@pytest.mark.parametrize("body", [[{"id": "1"}], [7]])
def test_users_of_another_form_are_not_guessed_about(make_shop: MakeShop, body: object) -> None:
    shop = make_shop()
    answers(shop, "users_search", body)
    with pytest.raises(Unexpected, match="list of users"):
        shop.issuer().issue(order())


def test_a_rest_nonce_of_another_form_is_not_used(make_shop: MakeShop) -> None:
    shop = make_shop()
    answers(shop, "rest_nonce", "<html>no</html>")
    with pytest.raises(Unexpected, match="no nonce for its REST API"):
        shop.issuer().find(ALL)


def test_a_nonce_that_is_never_taken_is_said(make_shop: MakeShop) -> None:
    shop = make_shop()
    answers(shop, "create_key", "-1", status=403, times=None)
    with pytest.raises(Forbidden, match="does not take our nonce"):
        shop.issuer().issue(order())
    assert shop.count("create_key") == 2


def test_a_rest_nonce_is_fetched_anew(make_shop: MakeShop) -> None:
    shop = make_shop()
    answers(shop, "users_read", {"code": "rest_cookie_invalid_nonce"}, status=403)
    assert len(shop.issuer().find(ALL)) == 1
    assert shop.count("rest_nonce") == 2


def test_a_session_that_is_never_kept_is_said(make_shop: MakeShop) -> None:
    shop = make_shop()
    answers(shop, "create_key", "0", status=400, times=None)
    with pytest.raises(StoreError, match="does not keep our admin session"):
        shop.issuer().issue(order())
    assert shop.count("login") == 2


def test_a_page_without_the_key_form_is_no_store_of_ours(make_shop: MakeShop) -> None:
    shop = make_shop()
    answers(shop, "nonce_page", "<html><body>Dashboard</body></html>", times=None)
    with pytest.raises(Unexpected, match="shows the key form"):
        shop.issuer().find(ALL)


def test_a_wizard_without_end_is_a_persons(make_shop: MakeShop) -> None:
    shop = make_shop()
    to_the_wizard = {"Location": f"{shop.url}/wp-admin/admin.php?page=wc-setup"}
    shop.fault("status", "nonce_page", status=302, headers=to_the_wizard, times=None)
    with pytest.raises(StoreError, match="wizard again and again"):
        shop.issuer().find(ALL)
    assert "wizard" in [check.name for check in diagnose(shop.issuer()) if check.state == "failed"]


# --- the list ---------------------------------------------------------------------------------------------------------


def row(key_id: int, revoke_nonce: str = "") -> Row:
    return Row(str(key_id), f"key {key_id}", "0000000", "1", "Boss", "", revoke_nonce)


def listing(ids: list[int], pages: int, count: int | None, screen_nonce: str = "") -> ListPage:
    return ListPage(tuple(row(key_id) for key_id in ids), pages, count, screen_nonce)


class ScriptedAdmin(Admin):
    """Pages of the list come from a script; None is a page past the end."""

    def __init__(self, *script: ListPage | None) -> None:
        super().__init__(cast("AdminSession", None), lambda: "/wp-json/", "shop.example")
        self.script = list(script)

    def _list(self, number: int) -> ListPage | None:
        return self.script.pop(0)


def ids(rows: tuple[Row, ...]) -> list[int]:
    return [int(found.key_id) for found in rows]


THEN = (listing([8, 7], 2, 4), listing([6, 5], 2, 4))


@pytest.mark.parametrize(
    "shifted",
    [
        [listing([4, 3], 2, 4), listing([3, 2], 2, 4)],  # a key came, one went: a row twice
        [listing([4, 3], 2, 4), listing([2, 1], 2, 5)],  # a key came
        [listing([4, 3], 2, 4), listing([1], 2, 3)],  # one went: a row was never shown
        [listing([4, 3], 2, 4), None],  # the last page went
        [None],
    ],
)
def test_a_list_that_shifts_is_read_again(shifted: list[ListPage | None]) -> None:
    assert ids(ScriptedAdmin(*shifted, *THEN).rows()) == [8, 7, 6, 5]


def test_a_list_that_never_rests_is_no_list() -> None:
    shifting = [listing([4, 3], 2, 4), listing([3, 2], 2, 4)] * 9
    with pytest.raises(CouldNotLook, match="kept changing"):
        ScriptedAdmin(*shifting).rows()


def test_without_a_readable_count_the_same_list_is_seen_twice() -> None:
    one = (listing([4, 3], 2, None), listing([2, 1], 2, None))
    other = (listing([5, 4], 2, None), listing([3, 2], 2, None))
    admin = ScriptedAdmin(*one, *other, *other)
    assert ids(admin.rows()) == [5, 4, 3, 2]
    assert admin.script == []
    assert ids(ScriptedAdmin(listing([1], 1, None)).rows()) == [1]


def test_a_store_that_does_not_make_its_pages_larger_is_read_as_it_is() -> None:
    class Unmoved(AdminSession):
        def __init__(self) -> None:
            self.posts = 0

        def page(self, query: Any, *, form: Any = None, safe: bool = True) -> str | Landing | Refusal:
            self.posts += 1
            return Refusal.FORBIDDEN

    pages = [listing([number], LONG_LIST, LONG_LIST, "5c5c5c5c5c") for number in range(LONG_LIST, 0, -1)]
    admin = ScriptedAdmin(pages[0], *pages, pages[0], *pages[1:])
    admin.session = unmoved = Unmoved()
    assert ids(admin.rows()) == [3, 2, 1]
    assert ids(admin.rows()) == [3, 2, 1]
    assert unmoved.posts == 1


def test_a_list_that_leads_elsewhere_is_no_list(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.fault("status", "list_keys", status=302, headers={"Location": "/"})
    with pytest.raises(Unexpected, match="leads elsewhere"):
        shop.issuer().find(ALL)


def test_a_page_past_the_end_leads_back(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    issuer.find(ALL)
    assert issuer.store.admin._list(7) is None


# --- revoking with another key's nonce --------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2.6.14", "11.0.1"])
def test_a_nonce_of_another_row_serves(make_shop: MakeShop, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = make_shop(version)
    issuer = shop.issuer()
    issued = issuer.issue(order())
    without_links(monkeypatch)
    issuer.revoke(issued.key_id)
    assert shop.ours(issuer) == []


def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Edit pages that offer no revoke."""
    shown = Admin.show

    def show(self: Admin, key_id: str) -> Any:
        page = shown(self, key_id)
        return page and type(page)(page.key_id, page.label, page.owner_id, page.rights, page.tail, "")

    monkeypatch.setattr(Admin, "show", show)


def test_a_login_that_is_offered_no_revoke_at_all(make_shop: MakeShop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    issued = issuer.issue(order())
    without_links(monkeypatch)
    monkeypatch.setattr(Admin, "_list", lambda self, number: None)
    with pytest.raises(Forbidden, match="no way to revoke"):
        issuer.revoke(issued.key_id)


# --- users and the API ------------------------------------------------------------------------------------------------


class Scripted:
    """An origin, or its session, that answers by a function of path and query."""

    url, where = "https://shop.example", "shop.example"

    def __init__(self, answer: Callable[[str, dict[str, str]], Answer]) -> None:
        self.answer = answer

    def request(self, method: str, path: str, *, query: Any = (), **_: object) -> Answer:
        return self.answer(path, dict(query))

    @contextmanager
    def session(self) -> Iterator["Scripted"]:
        yield self


def answer(body: object, status: int = 200, **headers: str) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(status, headers, text.encode(), "shop.example")


class UsersOf(AdminSession):
    """A session whose REST API has this many users with like names."""

    def __init__(self, count: int) -> None:
        names = ["robot-1@shop", *(f"robot-{number}" for number in range(2, count + 1))]
        self.users = [{"id": number, "username": name, "roles": []} for number, name in enumerate(names, 1)]
        self.asked: list[str] = []
        self.searched: set[str] = set()

    def rest(self, path: str, query: Any) -> Answer:
        self.searched.add(query["search"])
        self.asked.append(query["page"])
        start = USERS_PER_PAGE * (int(query["page"]) - 1)
        return answer(self.users[start : start + USERS_PER_PAGE])


@pytest.mark.parametrize(
    ("login", "found", "asked"), [("robot-1@shop", "1", "1"), ("robot-150", "150", "12"), ("robot", None, "123")]
)
def test_users_are_looked_for_on_every_page(login: str, found: str | None, asked: str) -> None:
    session = UsersOf(2 * USERS_PER_PAGE)
    user = Admin(session, lambda: "/wp-json/", "shop.example").user(login)
    assert (user.user_id if user else None) == found
    assert "".join(session.asked) == asked
    assert session.searched == {login.partition("@")[0]}


def index(answer: Answer) -> Rest:
    origin = cast("Origin", Scripted(lambda path, query: answer))
    return Rest(origin, lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda: 0.0)


@pytest.mark.parametrize(
    ("found", "error", "words"),
    [
        (answer("<html>"), Unexpected, "no WordPress REST API"),
        (answer({"namespaces": ["wc/v3"]}, 401), Unexpected, "no WordPress REST API"),
        (answer([]), Unexpected, "no WordPress REST API"),
        (answer({"namespaces": ["wp/v2", "wc/v4"]}), StoreError, "no WooCommerce API"),
        (answer({"namespaces": "wc/v3"}), StoreError, "no WooCommerce API"),
        (
            answer("", link='<https://x/index.php?rest_route=/>; rel="https://api.w.org/"'),
            StoreError,
            "plain permalinks",
        ),
        (answer("", 503), Transient, "503"),
    ],
)
def test_a_site_without_a_usable_api_is_said(found: Answer, error: type[StoreError], words: str) -> None:
    with pytest.raises(error, match=words):
        index(found).index()


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("Wed, 31 Dec 2025 23:59:00 GMT", -60.0),
        ("Thu, 01 Jan 2026 00:01:00 -0000", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_stores_clock_is_read_where_it_is_told(date: str, ahead: float | None) -> None:
    found = index(answer({"namespaces": ["wc/v1", "wc/v2"], "home": 7}, date=date)).index()
    assert (found.version, found.home, found.ahead) == ("wc/v2", "", ahead)


def test_an_unknown_clock_is_no_wrong_clock(make_shop: MakeShop) -> None:
    issuer = make_shop().issuer()
    found = issuer.store.rest.index()
    issuer.store.rest._index = type(found)(found.root, found.version, found.home, None), 1e18
    (clock,) = [check for check in diagnose(issuer) if check.name == "clock"]
    assert (clock.state, clock.words) == ("unknown", "the store does not say what time it has")


@pytest.mark.parametrize(
    "body", ["no json", [], {"environment": 7}, {"environment": {"version": 11, "store_id": None}}]
)
def test_facts_of_another_form_are_left_out(make_shop: MakeShop, body: object) -> None:
    shop = make_shop()
    answers(shop, "system_status", body)
    assert set(shop.issuer().facts()) == {"api", "home"}


def test_a_login_page_elsewhere_needs_a_person(make_shop: MakeShop) -> None:
    shop = make_shop()
    answers(shop, "login_page", "not here", status=404)
    with pytest.raises(LoginBlocked, match="answers 404 and gives no session"):
        shop.issuer().find(ALL)
