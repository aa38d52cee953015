"""The script that Order Manager asks (sheet stone_edge.md 2 and 3), and the office that gives out its credentials."""

from __future__ import annotations

import itertools
import json
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import httpx
import pyrage
import pytest

from sandbox.client import Client, ControlError
from sandbox.mail.reader import EncryptedBlock, InterceptedError, SealError, WrappingToken, find_sealed, text_of
from sandbox.server_process import ServerProcess, start
from sandbox.stone_edge.client import EndpointRow
from sandbox.stone_edge.office import Office, values_of
from sandbox.vault import Access, client

PASSWORD = "cart-password"
LOGIN = {"setiuser": "cart", "password": PASSWORD, "code": ""}
ALL = {"lastorder": "All", "lastdate": "All", "omversion": "7.732"}
NUMBERS = itertools.count(1)

MakeEndpoint = Callable[..., EndpointRow]
Ask = Callable[..., str]


@pytest.fixture
def make(control: Client) -> MakeEndpoint:
    def make_endpoint(**settings: Any) -> EndpointRow:
        return control.stone_edge.create(f"endpoint-{next(NUMBERS)}", "cart", PASSWORD, **settings)

    return make_endpoint


@pytest.fixture
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(verify=ssl.create_default_context(cafile=str(server.ca)), trust_env=False) as client_:
        yield client_


@pytest.fixture
def ask(http: httpx.Client) -> Ask:
    """Ask a script for a function by POST; its status is 200 whatever it says."""

    def post(endpoint: EndpointRow, function: str, login: dict[str, str] = LOGIN, **parameters: str) -> str:
        answer = http.post(endpoint.url, data={"setifunction": function} | login | parameters)
        assert answer.status_code == 200
        return answer.text

    return post


# --- the safe functions ---------------------------------------------------------------------------------------------


def test_the_safe_check(make: MakeEndpoint, ask: Ask, control: Client) -> None:
    endpoint = make()
    assert ask(endpoint, "sendversion", {}, omversion="7.732") == "SETIResponse: version=1.000\n"
    assert ask(endpoint, "ordercount", **ALL) == "SETIResponse: ordercount=3\n"
    assert ask(endpoint, "ordercount", LOGIN | {"password": "wrong"}, **ALL).startswith("SETIError: ")
    assert control.stone_edge.received(endpoint.name) == ["sendversion", "ordercount", "ordercount"]
    after = control.stone_edge.get(endpoint.name)
    assert (after.statuses, after.stock) == (endpoint.statuses, endpoint.stock)


def test_the_url_is_shown_without_its_scheme(make: MakeEndpoint, server: ServerProcess) -> None:
    endpoint = make()
    host = server.url.removeprefix("https://")
    assert endpoint.url == f"{server.url}/connect2cart.example/{endpoint.name}/script"
    assert endpoint.shown_url == f"{host}/connect2cart.example/{endpoint.name}/script"


@pytest.mark.parametrize("path", ["/connect2cart.example/nobody/script", "/connect2cart.example/{name}/scripts"])
def test_a_wrong_url_is_no_script(path: str, make: MakeEndpoint, http: httpx.Client, server: ServerProcess) -> None:
    answer = http.get(server.url + path.format(name=make().name), params={"setifunction": "sendversion"})
    assert (answer.status_code, "SETI" in answer.text) == (404, False)


def test_get_does_as_well_unless_it_is_off(make: MakeEndpoint, http: httpx.Client) -> None:
    for accepted in (True, False):
        endpoint = make(accept_get=accepted)
        answers = [
            http.get(endpoint.url, params={"setifunction": function} | LOGIN | ALL).text
            for function in ("sendversion", "ordercount")
        ]
        assert [answer.startswith("SETIResponse: ") for answer in answers] == [accepted, accepted]


COUNTS: list[tuple[dict[str, str], str]] = [
    ({"lastorder": "All"}, "SETIResponse: ordercount=3"),
    ({"lastorder": "1001"}, "SETIResponse: ordercount=2"),
    ({"lastorder": "all", "lastdate": "19/Feb/2025"}, "SETIResponse: ordercount=2"),
    ({"lastdate": "03-Jun-2025"}, "SETIResponse: ordercount=1"),
    ({"lastorder": "1002", "lastdate": "01-Jan-2025"}, "SETIResponse: ordercount=1"),
    ({}, "SETIError: lastorder or lastdate is needed"),
    ({"lastorder": "many"}, "SETIError: lastorder is no number"),
    ({"lastdate": "2025-06-03"}, "SETIError: lastdate is no date"),
]


@pytest.mark.parametrize(("parameters", "expected"), COUNTS)
def test_order_counts(parameters: dict[str, str], expected: str, make: MakeEndpoint, ask: Ask) -> None:
    assert ask(make(), "ordercount", **parameters) == expected + "\n"


@pytest.mark.parametrize(("function", "count"), [("getproductscount", 3), ("getcustomerscount", 2)])
def test_item_counts(function: str, count: int, make: MakeEndpoint, ask: Ask) -> None:
    assert ask(make(), function) == f"SETIResponse: itemcount={count}\n"


@pytest.mark.parametrize("function", ["", "nonsense"])
def test_what_seti_does_not_know(function: str, make: MakeEndpoint, ask: Ask, control: Client) -> None:
    endpoint = make()
    assert ask(endpoint, function) == f'SETIError: Function "{function}" was not found.\n'
    assert control.stone_edge.received(endpoint.name) == ["unknown" if function else "none"]


# --- logins ---------------------------------------------------------------------------------------------------------

AUTHENTICATED = (
    "ordercount",
    "getproductscount",
    "getcustomerscount",
    "downloadorders",
    "downloadprods",
    "downloadqoh",
    "downloadcustomers",
    "qohreplace",
    "invupdate",
    "updatestatus",
)


@pytest.mark.parametrize("function", AUTHENTICATED)
@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"setiuser": "other"}, {"code": "x"}])
def test_wrong_credentials_do_nothing(
    function: str, wrong: dict[str, str], make: MakeEndpoint, ask: Ask, control: Client
) -> None:
    endpoint = make()
    change = {"count": "1", "update": "MUG-BLUE~0", "ordernumber": "1001", "orderstatus": "Lost"}
    answer = ask(endpoint, function, LOGIN | wrong, **ALL, **change)
    assert answer == "SETIError: Invalid username, password, or store code.\n"
    after = control.stone_edge.get(endpoint.name)
    assert (after.statuses, after.stock) == (endpoint.statuses, endpoint.stock)


def test_lockout_after_wrong_passwords(make: MakeEndpoint, ask: Ask, control: Client) -> None:
    endpoint = make(lockout_after=2)
    wrong = LOGIN | {"password": "wrong"}
    for login in (wrong, LOGIN, wrong, wrong):
        ask(endpoint, "ordercount", login, **ALL)
    assert control.stone_edge.get(endpoint.name).locked
    assert ask(endpoint, "ordercount", **ALL).startswith("SETIError: Too many")
    assert ask(endpoint, "sendversion", {}).startswith("SETIResponse: ")
    control.stone_edge.change_settings(endpoint.name, lockout_after=2)
    assert ask(endpoint, "ordercount", **ALL).startswith("SETIResponse: ")


def test_changed_credentials(make: MakeEndpoint, ask: Ask, control: Client) -> None:
    endpoint = make()
    control.stone_edge.change_credentials(endpoint.name, "cart", "another")
    assert ask(endpoint, "ordercount", **ALL).startswith("SETIError: ")
    assert ask(endpoint, "ordercount", LOGIN | {"password": "another"}, **ALL).startswith("SETIResponse: ")


# --- dialects -------------------------------------------------------------------------------------------------------

DIALECTS: list[tuple[dict[str, Any], str, str]] = [
    ({"newline": False}, "sendversion", "SETIResponse: version=1.000"),
    ({"newline": False, "prefix": "SetiResponse"}, "ordercount", "SetiResponse: ordercount=3"),
    ({"prefix": "setiresponse"}, "sendversion", "setiresponse: version=1.000\n"),
    ({"version": "1.243"}, "sendversion", "SETIResponse: version=1.243\n"),
    ({"echo_omversion": True}, "sendversion", "SETIResponse: version=7.732\n"),
]


@pytest.mark.parametrize(("settings", "function", "expected"), DIALECTS)
def test_dialects(settings: dict[str, Any], function: str, expected: str, make: MakeEndpoint, ask: Ask) -> None:
    assert ask(make(**settings), function, **ALL) == expected


def test_one_that_accepts_anything(make: MakeEndpoint, ask: Ask) -> None:
    endpoint = make(accept_any_password=True)
    assert ask(endpoint, "ordercount", {"setiuser": "x", "password": "y"}, **ALL) == "SETIResponse: ordercount=3\n"


ERRORS = [
    ("plain", "ordercount", "SETIError"),
    ("plain", "downloadorders", "SETIError"),
    ("xml", "ordercount", "SETIOrders"),
    ("xml", "downloadprods", "SETIProducts"),
    ("xml", "getcustomerscount", "SETICustomers"),
    ("xml_error", "ordercount", "SETIError"),
    ("xml_for_downloads", "ordercount", "SETIError"),
    ("xml_for_downloads", "downloadorders", "SETIOrders"),
]


@pytest.mark.parametrize(("style", "function", "root"), ERRORS)
def test_errors(style: str, function: str, root: str, make: MakeEndpoint, ask: Ask) -> None:
    answer = ask(make(errors=style), function, {}, **ALL)
    if root == "SETIError" and style != "xml_error":
        assert answer == "SETIError: Invalid username, password, or store code.\n"
    else:
        document = fromstring(answer)
        assert (document.tag, document.findtext("Response/ResponseCode")) == (root, "3")


@pytest.mark.parametrize("page", ["parked", "quoting", "login_form", "empty"])
def test_a_page_that_is_not_seti(page: str, make: MakeEndpoint, ask: Ask, control: Client) -> None:
    endpoint = make(page=page)
    answers = {ask(endpoint, function, **ALL) for function in ("sendversion", "ordercount", "updatestatus")}
    assert len(answers) == 1
    assert not answers.pop().lower().startswith("seti")
    # What arrived is known, although no script was there.
    assert control.stone_edge.received(endpoint.name) == ["sendversion", "ordercount", "updatestatus"]


def test_slow_and_absent_answers(make: MakeEndpoint, http: httpx.Client, control: Client) -> None:
    endpoint = make()
    question = {"setifunction": "sendversion"}
    rule = control.add_fault("hang", store=endpoint.site, operation="seti_sendversion")
    with pytest.raises(httpx.ReadTimeout):
        http.post(endpoint.url, data=question, timeout=0.2)
    control.release(rule)
    control.add_fault("drop_before", store=endpoint.site, operation="seti_*")
    with pytest.raises(httpx.RemoteProtocolError):
        http.post(endpoint.url, data=question)
    control.add_fault("truncate", store=endpoint.site, length=6, keep_length=False)
    assert http.post(endpoint.url, data=question).text == "SETIRe"
    assert control.stone_edge.received(endpoint.name) == ["sendversion"] * 3


def test_settings_are_checked(make: MakeEndpoint, control: Client) -> None:
    endpoint = make()
    for wrong in ({"prefix": "SETI"}, {"newline": 1}, {"colour": "red"}, {"lockout_after": -1}):
        with pytest.raises(ControlError):
            control.stone_edge.change_settings(endpoint.name, **wrong)
    for name in (endpoint.name, "No Name"):
        with pytest.raises(ControlError):
            control.stone_edge.create(name, "cart", PASSWORD)
    assert control.stone_edge.get(endpoint.name) == endpoint


# --- the functions that no check may call ---------------------------------------------------------------------------


def test_downloaded_orders_are_processing(make: MakeEndpoint, ask: Ask, control: Client) -> None:
    endpoint = make()
    document = fromstring(ask(endpoint, "downloadorders", **ALL, startnum="2", batchsize="1"))
    assert (document.tag, document.findtext("Response/ResponseCode")) == ("SETIOrders", "1")
    assert [order.findtext("OrderNumber") for order in document.iter("Order")] == ["1002"]
    assert control.stone_edge.get(endpoint.name).statuses == endpoint.statuses | {1002: "Processing"}
    nothing = fromstring(ask(endpoint, "downloadorders", lastorder="1003"))
    assert (nothing.findtext("Response/ResponseCode"), len(nothing)) == ("2", 1)


def test_an_endpoint_whose_downloads_change_nothing(make: MakeEndpoint, ask: Ask, control: Client) -> None:
    endpoint = make(downloads_change_status=False)
    ask(endpoint, "downloadorders", **ALL)
    assert control.stone_edge.get(endpoint.name).statuses == endpoint.statuses


@pytest.mark.parametrize(
    ("function", "root", "tags"),
    [
        ("downloadprods", "SETIProducts", ["Code", "QOH", "Name"]),
        ("downloadqoh", "SETIProducts", ["Code", "QOH"]),
        ("downloadcustomers", "SETICustomers", ["WebID", "BillAddr"]),
    ],
)
def test_downloads(function: str, root: str, tags: list[str], make: MakeEndpoint, ask: Ask) -> None:
    document = fromstring(ask(make(), function, startnum="1", batchsize="10"))
    assert document.tag == root
    assert {tuple(field.tag for field in entry) for entry in list(document)[1:]} == {tuple(tags)}


def test_stock_is_overwritten(make: MakeEndpoint, ask: Ask, control: Client) -> None:
    endpoint = make()
    update = "MUG-BLUE~7|GIFT-CARD~1|NO-SUCH~3|"
    answer = ask(endpoint, "qohreplace", count="3", update=update)
    assert answer == "SETIResponse\nMUG-BLUE=OK\nGIFT-CARD=NA\nNO-SUCH=NF\nSETIEndOfData\n"
    assert control.stone_edge.get(endpoint.name).stock == endpoint.stock | {"MUG-BLUE": 7}
    assert ask(endpoint, "qohreplace", count="2", update=update).startswith("SETIError: ")
    assert ask(endpoint, "qohreplace", count="1", update="MUG-BLUE").startswith("SETIError: ")


def test_stock_is_updated(make: MakeEndpoint, ask: Ask, control: Client) -> None:
    endpoint = make()
    answers = [ask(endpoint, "invupdate", update=update) for update in ("MUG-BLUE~-2", "GIFT-CARD~1", "NO-SUCH~1")]
    assert answers == [
        "SETIResponse=OK;SKU=MUG-BLUE;QOH=10;NOTE=\n",
        "SETIResponse=False;SKU=GIFT-CARD;QOH=NA;NOTE=\n",
        "SETIResponse=False;SKU=NO-SUCH;QOH=NF;NOTE=\n",
    ]
    assert control.stone_edge.get(endpoint.name).stock == endpoint.stock | {"MUG-BLUE": 10}


def test_status_is_overwritten(make: MakeEndpoint, ask: Ask, control: Client) -> None:
    endpoint = make()
    assert ask(endpoint, "updatestatus", ordernumber="1003", orderstatus="Returned") == (
        "SETIResponse: update=OK;Notes=\n"
    )
    assert ask(endpoint, "updatestatus", ordernumber="9", orderstatus="Lost").startswith(
        "SETIResponse: update=False;Notes="
    )
    assert control.stone_edge.get(endpoint.name).statuses == endpoint.statuses | {1003: "Returned"}


# --- the process ----------------------------------------------------------------------------------------------------


def test_endpoints_survive_a_kill_and_their_passwords_do_not_show(tmp_path: Path) -> None:
    first = start(tmp_path)
    first.client.stone_edge.create("fresh-roast", "cart", PASSWORD, orders=[], lockout_after=3)
    first.kill()
    with start(tmp_path) as second:
        (endpoint,) = second.client.stone_edge.all()
        assert (endpoint.statuses, endpoint.settings["lockout_after"]) == ({}, 3)
        told = json.dumps([second.client._call("GET", path) for path in ("/stone-edge", "/requests", "/health")])
        assert PASSWORD not in told
        second.client.stone_edge.delete("fresh-roast")
        assert second.client.stone_edge.all() == []


def test_the_log_knows_where_a_password_went(make: MakeEndpoint, ask: Ask, control: Client) -> None:
    endpoint = make()
    ask(endpoint, "ordercount", LOGIN | {"password": "once-and-never-again"}, **ALL)
    assert [(row.store, row.operation) for row in control.find_value("once-and-never-again")] == [
        (endpoint.site, "seti_ordercount")
    ]


# --- the office -----------------------------------------------------------------------------------------------------

OUTBOUND = {
    "client_id": "the-client-id",
    "client_secret": "the-client-secret",
    "access_token": "the-access-token",
    "store_hash": "abc123",
}


@pytest.fixture
def office(control: Client, vault_server: Access) -> Office:
    return Office(control.stone_edge, control.mail, vault_server.address, vault_server.ca)


def wrapped(vault_server: Access, values: dict[str, Any]) -> str:
    with client(vault_server) as vault:
        answer = vault.post("/sys/wrapping/wrap", json=values, headers={"X-Vault-Wrap-TTL": "60s"})
    token: str = answer.json()["wrap_info"]["token"]
    return token


def test_a_wrapping_token_opens_once(office: Office, vault_server: Access) -> None:
    token = wrapped(vault_server, OUTBOUND)
    sealed = find_sealed(f"Hello,\r\n\r\nplease open this within an hour:\r\n\r\n    {token}\r\n\r\nThank you.\r\n")
    assert sealed == WrappingToken(token)
    assert office.open(sealed).access_token == "the-access-token"
    with pytest.raises(InterceptedError):
        office.open(sealed)


def test_a_wrapped_read_of_a_secret_opens_as_well(office: Office, vault_server: Access) -> None:
    sealed = WrappingToken(wrapped(vault_server, {"metadata": {"version": 1}, "data": OUTBOUND}))
    assert office.open(sealed).client_id == "the-client-id"


def test_an_office_that_does_not_reach_vault_has_an_age_key(office: Office, control: Client) -> None:
    identity = pyrage.x25519.Identity.generate()
    text = json.dumps(OUTBOUND).encode()
    block = pyrage.encrypt(text, [identity.to_public()], armored=True).decode()
    sealed = find_sealed(f"For you:\n\n{block}\n-- \nsent by a machine\n")
    assert isinstance(sealed, EncryptedBlock)
    away = Office(control.stone_edge, control.mail, identity=str(identity))
    assert away.open(sealed).client_secret == "the-client-secret"
    with pytest.raises(SealError, match="no age identity"):
        office.open(sealed)
    stranger = Office(control.stone_edge, control.mail, identity=str(pyrage.x25519.Identity.generate()))
    with pytest.raises(SealError, match="not for this reader"):
        stranger.open(sealed)
    with pytest.raises(SealError, match="reach Vault"):
        away.open(WrappingToken("hvs.x"))


TOKENS = ["hvs.CAESIJ" + "a1-_" * 20, "s." + "a1B2" * 6, "s." + "a1B2" * 6 + ".ns1"]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("text", ["{}", "token: {}\r\n", "Open {}.\nIt opens once.", "<p>{}</p>", "{0} and again {0}"])
def test_tokens_are_found(token: str, text: str) -> None:
    assert find_sealed(text.format(token)) == WrappingToken(token)


@pytest.mark.parametrize("text", ["", "nothing at all, see docs.vault.example", " ".join(TOKENS)])
def test_no_token_or_too_many(text: str) -> None:
    with pytest.raises(SealError):
        find_sealed(text)


@pytest.mark.parametrize(
    "labels",
    [
        ("Client ID", "Client secret", "Access token", "Store hash"),
        ("CLIENT-ID", "CLIENT-SECRET", "ACCESS-TOKEN", "STORE-HASH"),
    ],
)
def test_labels_may_be_written_in_any_way(labels: tuple[str, ...]) -> None:
    assert values_of(dict(zip(labels, OUTBOUND.values(), strict=True))).store_hash == "abc123"


def test_missing_values_are_named() -> None:
    with pytest.raises(SealError, match=r"client_secret, store_hash\Z"):
        values_of({"client id": "x", "access_token": "y", "store_hash": ""})


def test_a_mail_with_attachments_is_read_whole() -> None:
    message = EmailMessage()
    message.set_content("See below.")
    message.add_alternative("<p>See below.</p>", subtype="html")
    message.add_attachment("text\n", filename="a.txt")
    message.add_attachment(b"bytes", maintype="application", subtype="octet-stream", filename="b.age")
    assert text_of(message).split() == ["See", "below.", "text", "bytes"]


def test_the_office_answers_and_answers_anew(office: Office, make: MakeEndpoint, ask: Ask, control: Client) -> None:
    name = f"merchant-{next(NUMBERS)}"
    first = office.answer(name, newline=False)
    endpoint = control.stone_edge.get(name)
    assert (first.script_url, first.cart_id) == (endpoint.shown_url, endpoint.username)
    login = {"setiuser": first.cart_id, "password": first.cart_password}
    assert ask(endpoint, "ordercount", login, **ALL) == "SETIResponse: ordercount=3"
    second = office.answer(name)
    assert (second.script_url, second.cart_password == first.cart_password) == (first.script_url, False)
    assert ask(endpoint, "ordercount", login, **ALL).startswith("SETIError: ")


def test_secrets_of_the_office_do_not_show(office: Office) -> None:
    shown = [
        repr(WrappingToken("hvs.secret")),
        repr(EncryptedBlock(b"secret")),
        repr(values_of({name: "secret" if name != "client_id" else "x" for name in OUTBOUND} | {"store_hash": "x"})),
        repr(Office(office.endpoints, office.mails, identity="secret")),
    ]
    assert not [text for text in shown if "secret'" in text or "hvs" in text]
