"""StackOne's Hub (sheet stackone.md sections 4 and 8): the wire with its session token, and the page for a person."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.client import HandMadeKey
from sandbox.server_process import ServerProcess
from sandbox.stackone.visitor import HubVisitError, HubVisitor
from tests.sandbox.browser import VERSIONS
from tests.sandbox.stackone import PAIR_FIELDS, MakeStackOne, StackOneApi

LABELS = ("Store URL", "Consumer Key", "Consumer Secret")
WRONG = "cs_" + "0" * 40


@pytest.fixture
def visitor(server: ServerProcess) -> Iterator[HubVisitor]:
    with HubVisitor(server.ca) as person:
        yield person


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def connect(visitor: HubVisitor, api: StackOneApi, pair: HandMadeKey, url: str, **changes: str) -> str:
    values = {"store_url": api.store_url, "consumer_key": pair.consumer_key, "consumer_secret": pair.consumer_secret}
    return visitor.connect(url, **(values | changes))


# --- T3, T4, T5: sessions -------------------------------------------------------------------------------------------


def test_an_edit_session_changes_the_account_it_names(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    old, new = api.pair(), api.pair()
    account_id, other = api.link(pair=old), api.link("other", old)
    token = api.session(account_id=account_id)["token"]
    assert api.hub(token, "GET", "/settings").json()["existing_account_id"] == account_id
    changed = api.send(
        token,
        {"consumerKey": new.consumer_key, "consumerSecret": new.consumer_secret},
        "PATCH",
        f"/accounts/{account_id}",
    )
    assert (changed.status_code, changed.json()["id"]) == (200, account_id)
    assert api.held(account_id).consumer_secret_sha256 == digest(new.consumer_secret)
    assert api.held(account_id).store_url == api.store_url
    assert api.hub(token, "GET", f"/accounts/{other}").status_code == 404
    plain = api.session()["token"]
    assert "existing_account_id" not in api.hub(plain, "GET", "/settings").json()
    assert api.hub(plain, "GET", f"/accounts/{account_id}").status_code == 404


def test_an_edit_is_tested_too(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    account_id = api.link()
    token = api.session(account_id=account_id)["token"]
    refused = api.send(token, {"consumerSecret": WRONG}, "PATCH", f"/accounts/{account_id}")
    assert refused.status_code == 400
    assert api.act(account_id).status_code == 200


@pytest.mark.parametrize("status", [401, 403])
def test_expired_sessions(status: int, make_stackone: MakeStackOne, visitor: HubVisitor) -> None:
    api = make_stackone(expired_status=status)
    session, pair = api.session(expires_in=600), api.pair()
    integration = api.integration(session["token"])
    api.settings(clock_offset=599.0)
    assert api.hub(session["token"], "GET", "/settings").status_code == 200
    api.settings(clock_offset=601.0)
    body = {"integration_id": integration, "credentials": api.values(pair)}
    answers = [
        api.hub(session["token"], "GET", "/settings"),
        api.hub(session["token"], "GET", "/connectors"),
        api.hub(session["token"], "POST", "/accounts", json=body),
    ]
    assert [answer.status_code for answer in answers] == [status] * 3
    with pytest.raises(HubVisitError, match="expired"):
        connect(visitor, api, pair, session["auth_link_url"])
    assert api.list() == []


def test_a_session_lives_half_an_hour_unless_it_says_otherwise(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    api.session()
    (row,) = api.control.stackone.sessions(api.organisation.name)
    assert (round(row.expires - row.created, 3), row.expired) == (1800, False)


def test_the_wire_takes_no_api_key(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    assert [api.call("GET", "/hub/settings").status_code, api.hub("", "GET", "/settings").status_code] == [401, 401]
    assert api.hub("wrong", "GET", "/settings").status_code == 401
    assert api.hub(api.session()["token"], "GET", "/nonsense").status_code == 404


# --- T11: placeholders ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", [4, 0, 7])
def test_placeholders(tail: int, make_stackone: MakeStackOne) -> None:
    api = make_stackone(secret_tail=tail)
    pair = api.pair()
    account_id = api.link(pair=pair)
    token = api.session(account_id=account_id)["token"]
    shown = api.hub(token, "GET", f"/accounts/{account_id}").json()
    ends = {"consumerKey": pair.consumer_key, "consumerSecret": pair.consumer_secret}
    tails = {name: value[-tail:] if tail else "" for name, value in ends.items()}
    assert shown["secrets"] == {name: f"__secretvalue:**redacted**{end}" for name, end in tails.items()}
    assert shown["setupInformation"] == {"storeUrl": api.store_url}


def test_a_placeholder_sent_back_is_stored_and_breaks_the_account(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    account_id = api.link()
    token = api.session(account_id=account_id)["token"]
    shown = api.hub(token, "GET", f"/accounts/{account_id}").json()["secrets"]
    assert api.send(token, shown, "PATCH", f"/accounts/{account_id}").status_code == 200
    assert api.read(account_id)["status"] == "error"
    assert api.held(account_id).consumer_secret_sha256 == digest(shown["consumerSecret"])
    assert api.act(account_id).status_code == 401


# --- T12: fields ----------------------------------------------------------------------------------------------------


def test_the_fields_by_their_labels(make_stackone: MakeStackOne) -> None:
    keys = ["shop", "accessKey", "accessKeySecret"]
    api = make_stackone(field_keys=keys)
    token = api.session()["token"]
    config = api.hub(token, "GET", f"/connectors/{api.integration(token)}").json()["config"]
    fields = {field["label"]: field for field in config["configFields"]}
    assert (config["type"], tuple(fields)) == ("custom", LABELS)
    assert [field["key"] for field in fields.values()] == keys
    assert [field["secret"] for field in fields.values()] == [False, True, True]
    pair = api.pair()
    by_default = api.values(pair)
    assert api.send(token, by_default).status_code == 400
    assert api.send(token, dict(zip(keys, by_default.values(), strict=True))).status_code == 201


@pytest.mark.parametrize(("count", "linked"), [(2, False), (4, True)])
def test_other_numbers_of_fields(count: int, linked: bool, make_stackone: MakeStackOne, visitor: HubVisitor) -> None:
    api = make_stackone(field_count=count)
    session, pair = api.session(), api.pair()
    token = session["token"]
    fields = api.hub(token, "GET", f"/connectors/{api.integration(token)}").json()["config"]["configFields"]
    assert len(fields) == len(visitor.labels(session["auth_link_url"])) == count
    values = {name: value for name, value in api.values(pair).items() if name in {field["key"] for field in fields}}
    assert (api.send(token, values).status_code == 201) is linked
    if not linked:
        with pytest.raises(HubVisitError, match="asks for no Consumer Secret"):
            connect(visitor, api, pair, session["auth_link_url"])


# --- T13: the connection test ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("permissions", "good"), [("read", True), ("read_write", True), ("write", False)])
@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_key_must_be(version: str, permissions: str, good: bool, make_stackone: MakeStackOne) -> None:
    api = make_stackone(version=version)
    answer = api.send(api.session()["token"], api.values(api.pair(permissions)))
    assert (answer.status_code == 201) is good
    assert len(api.list()) == int(good)
    assert (api.control.keys(api.store)[-1].last_access is not None) is good


BAD_URLS = ["{}/wp-json/wc/v3", "{}/", "http://{host}", "{host}", "{}?rest_route=/wc/v3", "{}?x=1", ""]


@pytest.mark.parametrize("url", BAD_URLS)
def test_store_urls_that_are_refused(url: str, make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    given = url.format(api.store_url, host=api.store_url.removeprefix("https://"))
    answer = api.send(api.session()["token"], api.values(storeUrl=given))
    assert (answer.status_code, api.list()) == (400, [])
    assert answer.json()["message"].startswith("Store URL")
    assert api.control.requests(store=api.store) == []


FAILURES: list[tuple[dict[str, Any], int]] = [
    ({}, 400),
    ({"failure_status": 422, "failure_message": "json"}, 422),
    ({"provider_response": False}, 400),
]


@pytest.mark.parametrize(("settings", "status"), FAILURES)
def test_how_a_failure_is_told(
    settings: dict[str, Any], status: int, make_stackone: MakeStackOne, visitor: HubVisitor
) -> None:
    api = make_stackone(**settings)
    session, pair = api.session(), api.pair()
    answer = api.send(session["token"], api.values(pair, consumerSecret=WRONG))
    document = answer.json()
    assert (answer.status_code, document["statusCode"]) == (status, status)
    message = document["message"]
    words = json.loads(message)["error"] if "failure_message" in settings else message
    assert words == "Connection test failed: Consumer secret is invalid."
    assert document.get("provider_response", {}).get("status") == (None if "provider_response" in settings else 401)
    assert WRONG not in answer.text
    with pytest.raises(HubVisitError, match=r"Connection test failed: Consumer secret is invalid\."):
        connect(visitor, api, pair, session["auth_link_url"], consumer_secret=WRONG)
    assert api.list() == []


def test_a_store_that_does_not_answer(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    values = api.values(storeUrl="https://localhost:1/shop")
    answer = api.send(api.session()["token"], values)
    assert answer.json()["message"] == "Connection test failed: the store does not answer"


BAD_BODIES: list[tuple[dict[str, Any], int]] = [
    ({"credentials": None}, 400),
    ({"credentials": {"storeUrl": 1}}, 400),
    ({"integration_id": "another"}, 404),
]


@pytest.mark.parametrize(("changes", "status"), BAD_BODIES)
def test_bodies_that_are_refused(changes: dict[str, Any], status: int, make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    assert api.send(api.session()["token"], api.values(), **changes).status_code == status


# --- T21, T23: the connector ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("connector", "listed"), [("inactive", [False]), ("missing", [])])
def test_a_connector_that_is_off(
    connector: str, listed: list[bool], make_stackone: MakeStackOne, visitor: HubVisitor
) -> None:
    api = make_stackone()
    session, pair = api.session(), api.pair()
    integration = api.integration(session["token"])
    api.settings(connector=connector)
    shown = api.hub(session["token"], "GET", "/connectors").json()["integrations"]
    assert [entry["active"] for entry in shown] == listed
    body = {"integration_id": integration, "credentials": api.values(pair)}
    assert api.hub(session["token"], "POST", "/accounts", json=body).status_code == 404
    with pytest.raises(HubVisitError, match="not available"):
        connect(visitor, api, pair, session["auth_link_url"])


def test_other_providers_have_no_integration(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    token = api.session(provider="shopify")["token"]
    assert api.hub(token, "GET", "/connectors").json() == {"integrations": []}
    assert api.hub(token, "GET", "/connectors/integration-shopify").status_code == 404
    body = {"integration_id": api.integration(api.session()["token"]), "credentials": api.values()}
    assert api.hub(token, "POST", "/accounts", json=body).status_code == 404


def test_oauth_takes_no_credentials(make_stackone: MakeStackOne, visitor: HubVisitor) -> None:
    api = make_stackone(config_type="oauth2")
    session = api.session()
    token = session["token"]
    config = api.hub(token, "GET", f"/connectors/{api.integration(token)}").json()["config"]
    assert (config["type"], config["configFields"]) == ("oauth2", [])
    assert api.send(token, api.values()).status_code == 400
    attempt = api.hub(token, "POST", "/connection_attempts").json()
    polled = api.hub(token, "GET", f"/connection_attempts/{attempt['id']}").json()
    cancelled = api.hub(token, "DELETE", f"/connection_attempts/{attempt['id']}").json()
    assert [attempt["status"], polled["status"], cancelled["status"]] == ["pending", "pending", "cancelled"]
    with pytest.raises(HubVisitError, match="no form"):
        visitor.labels(session["auth_link_url"])
    api.settings(config_type="custom")
    assert api.hub(token, "POST", "/connection_attempts").status_code == 404


# --- T18: the person at the page ------------------------------------------------------------------------------------


def test_nothing_appears_before_a_person_has_connected(make_stackone: MakeStackOne, visitor: HubVisitor) -> None:
    api = make_stackone()
    session, pair = api.session("acme", label="north"), api.pair()
    assert visitor.labels(session["auth_link_url"]) == LABELS
    assert api.list(origin_owner_id="acme") == []
    assert connect(visitor, api, pair, session["auth_link_url"]) == "WooCommerce is connected for Acme."
    (account,) = api.list(origin_owner_id="acme")
    assert (account["status"], account["label"]) == ("active", "north")
    assert api.held(account["id"]).consumer_secret_sha256 == digest(pair.consumer_secret)
    (row,) = api.control.stackone.sessions(api.organisation.name)
    assert row.linked_account == account["id"]
    assert api.act(account["id"]).status_code == 200


def test_the_page_edits_what_an_edit_session_names(make_stackone: MakeStackOne, visitor: HubVisitor) -> None:
    api = make_stackone()
    account_id, new = api.link(), api.pair()
    link = api.session(account_id=account_id)["auth_link_url"]
    connect(visitor, api, new, link, store_url="")
    assert (api.held(account_id).store_url, len(api.list())) == (api.store_url, 1)
    assert api.held(account_id).consumer_secret_sha256 == digest(new.consumer_secret)
    api.call("DELETE", f"/accounts/{account_id}")
    with pytest.raises(HubVisitError, match="404"):
        connect(visitor, api, new, link)


def test_the_page_overwrites_as_the_wire_does(make_stackone: MakeStackOne, visitor: HubVisitor) -> None:
    api = make_stackone()
    account_id, new = api.link(), api.pair()
    connect(visitor, api, new, api.session()["auth_link_url"])
    assert [account["id"] for account in api.list()] == [account_id]
    assert api.held(account_id).consumer_secret_sha256 == digest(new.consumer_secret)


def test_a_refused_form_gives_no_key_back(make_stackone: MakeStackOne, visitor: HubVisitor) -> None:
    api = make_stackone()
    session, pair = api.session(), api.pair("write")
    form = dict(zip(PAIR_FIELDS, (api.store_url, pair.consumer_key, pair.consumer_secret), strict=True))
    answer = api.http.post(session["auth_link_url"], data=form | {"token": session["token"]})
    assert answer.status_code == 400
    assert api.store_url in answer.text
    assert pair.consumer_key not in answer.text
    assert pair.consumer_secret not in answer.text


@pytest.mark.parametrize("link", ["/connect?token=wrong", "/connect", "/elsewhere?token={token}"])
def test_links_that_lead_nowhere(link: str, make_stackone: MakeStackOne, visitor: HubVisitor) -> None:
    api = make_stackone()
    hub = api.organisation.api_url.replace("api.", "hub.")
    with pytest.raises(HubVisitError, match="404"):
        visitor.labels(hub + link.format(token=api.session()["token"]))


def test_a_visitor_says_what_stands_in_the_way(make_stackone: MakeStackOne, visitor: HubVisitor) -> None:
    api = make_stackone()
    link = api.session()["auth_link_url"]
    api.control.add_fault("drop_before", store=api.organisation.site, operation="hub_page")
    with pytest.raises(HubVisitError, match="does not answer"):
        visitor.labels(link)
    api.control.stackone.fail(api.organisation.name, 502, "hub_page")
    with pytest.raises(HubVisitError, match="no page"):
        visitor.labels(link)
    api.control.stackone.change_settings(api.organisation.name, link_status="inactive")
    api.control.add_fault("status", store=api.organisation.site, operation="hub_connect", status=200, body="<p></p>")
    with pytest.raises(HubVisitError, match="does not confirm"):
        connect(visitor, api, api.pair(), link)


def test_operations_of_the_hub(make_stackone: MakeStackOne, visitor: HubVisitor) -> None:
    api = make_stackone()
    session = api.session()
    connect(visitor, api, api.pair(), session["auth_link_url"])
    api.link()
    names = [row.operation for row in api.control.requests(store=api.organisation.site)]
    assert names == [
        "session_create",
        "hub_page",
        "hub_connect",
        "session_create",
        "hub_connectors",
        "hub_account_create",
    ]
    assert session["token"] not in "".join(row.path for row in api.control.requests())
