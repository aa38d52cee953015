"""Making an app: what is refused before anything is made, what is read back, and replies that are lost."""

import re
from typing import Any

import pytest

from providers.coopcycle import labels
from providers.core.contract import Selector
from providers.core.errors import ConnectionsError, Forbidden, Rejected, Transient, UnclearOutcome, Unexpected
from tests.coopcycle.conftest import CONNECTION, Coop, mark, order

OURS = Selector("acme:test:")

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"for_store": {"id": 99, "name": "Acme Flowers"}}, "there is no store 99; Acme Flowers is store 12"),
    ({"for_store": {"id": 99, "name": "Nobody"}}, "there is no store 99"),
    ({"for_store": {"id": 21, "name": "Acme Flowers"}}, "store 21 is Acme Market, not Acme Flowers; .* is store 12"),
    ({"for_store": {"id": 12, "name": "acme flowers"}}, "store 12 is Acme Flowers, not acme flowers"),
    ({"rights": ["orders"]}, "has no scope orders"),
    ({"type": "jwt"}, "has no type jwt"),
    ({"name": mark(3)}, "reads like a marker"),
    ({"name": "n" * 200}, "too long: with our marker 256 characters"),
]


@pytest.mark.parametrize(("fields", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_is_not_as_declared_is_never_made(coop: Coop, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(Rejected, match=words):
        coop.issuer(**fields).issue(order(**fields))
    assert coop.apps() == []
    assert coop.count("coop_create_app") == 0


def test_a_renamed_store_is_seen_as_another(coop: Coop) -> None:
    issuer = coop.issuer()
    issuer.issue(order())
    coop.control.coopcycle.rename_store(coop.name, 12, "Acme Flowers & Sons")
    (key,) = issuer.find(OURS)
    assert key.fields["for_store"] == {"id": 12, "name": "Acme Flowers & Sons"}


def test_a_name_of_our_own_words_is_no_declared_field(coop: Coop) -> None:
    coop.issuer().issue(order())
    # The connection was renamed in the file: that is no change of its app.
    (key,) = coop.issuer(connection="northside/flowers").find(OURS)
    assert "name" not in key.fields
    (key,) = coop.issuer(name="Flowers").find(OURS)
    assert key.fields["name"] == "northside acme flowers"


def test_texts_keep_their_letters(coop: Coop) -> None:
    fields: dict[str, Any] = {"name": 'Kaffee & "Kuchen" <ß>', "for_store": {"id": 13, "name": "Fresh Roast & Söhne"}}
    issuer = coop.issuer(**fields)
    issuer.issue(order(**fields))
    (key,) = issuer.find(OURS)
    assert {name: key.fields[name] for name in fields} == fields


@pytest.mark.parametrize("status", [200, 422])
def test_the_form_again_made_nothing(coop: Coop, status: int) -> None:
    coop.settings(form_error_status=status)
    issuer = coop.issuer()
    coop.fault("status", "coop_create_app", status=status, body=FORM_AGAIN)
    with pytest.raises(Rejected, match="shows the form again"):
        issuer.issue(order())
    assert coop.apps() == []


FORM_AGAIN = '<html><form><input name="api_app[name]"><input name="api_app[_token]"></form></html>'

ANSWERS: list[tuple[int, dict[str, str], type[ConnectionsError]]] = [
    (403, {}, Forbidden),
    (404, {}, Forbidden),
    (500, {}, UnclearOutcome),
    (200, {}, UnclearOutcome),
    (302, {"location": "/somewhere"}, UnclearOutcome),
    (302, {"location": "/admin/api/apps/new"}, UnclearOutcome),
    (302, {"location": "/admin/api/apps/0"}, UnclearOutcome),
]


@pytest.mark.parametrize(("status", "headers", "error"), ANSWERS)
def test_other_answers_are_unclear_unless_they_surely_refuse(
    coop: Coop, status: int, headers: dict[str, str], error: type[ConnectionsError]
) -> None:
    coop.fault("status", "coop_create_app", status=status, headers=headers, body="<html></html>")
    with pytest.raises(error):
        coop.issuer().issue(order())


def test_a_lost_reply_is_unclear_and_the_app_is_found_by_its_marker(coop: Coop) -> None:
    coop.fault("drop_after", "coop_create_app")
    issuer = coop.issuer()
    with pytest.raises(UnclearOutcome):
        issuer.issue(order())
    assert coop.count("coop_create_app") == 1
    (key,) = issuer.find(OURS)
    assert key.label == f"{labels.own_words(CONNECTION)} {mark()}"
    # Nobody has its secret; it can be ended all the same, by its id alone.
    issuer.revoke(key.key_id)
    assert [app.retired for app in coop.apps()] == [True]
    assert coop.edits() == []


def test_a_request_lost_on_its_way_is_never_repeated(coop: Coop) -> None:
    coop.fault("drop_before", "coop_create_app")
    with pytest.raises(UnclearOutcome):
        coop.issuer().issue(order())
    assert coop.apps() == []


READ_BACK: list[tuple[str, str, str]] = [
    ("its name", r'value="northside acme flowers', 'value="northside acme'),
    ("its store", r'<option value="12" selected="selected">', '<option value="12">'),
    ("its scopes", r'value="deliveries" checked="checked"', 'value="deliveries"'),
    ("other scopes", r'value="tasks"', 'value="tasks" checked="checked"'),
]


@pytest.mark.parametrize(("what", "pattern", "put"), READ_BACK, ids=[what for what, _, _ in READ_BACK])
def test_an_app_is_read_back(coop: Coop, what: str, pattern: str, put: str) -> None:
    """What the page shows otherwise than ordered leaves the number open: core ends what was made."""
    issuer = coop.issuer()
    number = issuer.issue(order()).key_id
    page = issuer.server.admin.session.use(
        lambda visit: visit.web.request("GET", f"/admin/api/apps/{number}", safe=True).text
    )
    page = page.replace(mark(1), mark(2))
    changed = re.sub(pattern, put, page)
    assert changed != page
    coop.fault(
        "status", "coop_app_page", status=200, body=changed, headers={"content-type": "text/html; charset=utf-8"}
    )
    if what == "its scopes":
        # A version that shows no scopes: they are proved by the token endpoint.
        issuer.issue(order(2))
        return
    with pytest.raises(UnclearOutcome, match="made with another"):
        issuer.issue(order(2))


def test_an_app_that_cannot_be_read_back_is_unclear(coop: Coop) -> None:
    issuer = coop.issuer()
    coop.fault("status", "coop_app_page", status=500, times=None)
    with pytest.raises(UnclearOutcome, match="app #1 was made, but then"):
        issuer.issue(order())
    coop.control.clear_faults()
    coop.fault("status", "coop_app_page", status=404)
    with pytest.raises(UnclearOutcome, match="another existence"):
        issuer.issue(order(2))


PAGES: list[tuple[int, str, type[ConnectionsError]]] = [
    (500, "", Transient),
    (404, "", Unexpected),
    (200, "<html><p>maintenance</p></html>", Unexpected),
    (200, "", Unexpected),
]


@pytest.mark.parametrize(("status", "body", "error"), PAGES)
@pytest.mark.parametrize("operation", ["coop_list_apps", "coop_create_page"])
def test_other_pages_are_never_taken_for_the_right_one(
    coop: Coop, operation: str, status: int, body: str, error: type[ConnectionsError]
) -> None:
    coop.fault("status", operation, status=status, body=body)
    issuer = coop.issuer()
    with pytest.raises(error):
        issuer.find(OURS) if operation == "coop_list_apps" else issuer.issue(order())
    assert coop.apps() == []


def test_an_app_that_goes_while_it_is_looked_at_is_none(coop: Coop) -> None:
    issuer = coop.issuer()
    issued = issuer.issue(order())
    assert len(issuer.find(OURS, fresh=False)) == 1
    coop.control.coopcycle.drop_app_row(coop.name, int(issued.key_id))
    # A recent listing still shows it; its own page does not.
    assert issuer.find(OURS, fresh=False) == []


def test_apps_of_restaurants_and_of_no_store_are_listed(coop: Coop) -> None:
    place = coop.control.coopcycle.add_restaurant(coop.name, "Pizza")
    coop.control.coopcycle.make_app(coop.name, "shop", shop=place.id, scopes=["orders"])
    coop.control.coopcycle.make_app(coop.name, "all", scopes=["orders:all"])
    coop.control.coopcycle.make_app(coop.name, "key", store=12, app_type="api_key")
    found = coop.issuer().find(Selector(""))
    assert [(key.label, key.facts["store"], key.fields.get("for_store")) for key in found] == [
        ("shop", "", None),
        ("all", "", None),
        ("key", "Acme Flowers", {"id": 12, "name": "Acme Flowers"}),
    ]
    assert [key.tail for key in coop.issuer().find(Selector(""), fresh=False)] == [key.tail for key in found]
    assert [key.tail for key in coop.issuer().find(Selector("", details=False))] == [key.tail for key in found]
