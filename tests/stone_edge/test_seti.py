"""The safe check: which answers mean what, and that nothing else is ever asked."""

from __future__ import annotations

import pytest

from providers.core.errors import AddressRefused
from providers.core.http import Http
from providers.stone_edge.seti import Kind, check, read_answer
from tests.http.stub import Reply, Stub
from tests.stone_edge.conftest import PASSWORD, USER, form_of, login, script

ANSWERS: list[tuple[str, Kind]] = [
    ("SETIResponse: version=1.000\n", "version"),
    ("SETIResponse: version=1.000", "version"),
    ("SetiResponse:version=5.504\r\n", "version"),
    ("\ufeff\n setiresponse : VERSION = 1.243 \n\n", "version"),
    ("SETIResponse=version=1.000", "version"),
    ("SETIResponse: ordercount=0", "count"),
    ("SetiResponse: OrderCount=12\n", "count"),
    ("SETIResponse: ordercount=", "other"),
    ("SETIResponse: ordercount=-1", "other"),
    ("SETIResponse: ordercount=3 or more", "other"),
    ("SETIResponse: itemcount=3", "other"),
    ("SETIResponse\nordercount=3", "foreign"),
    ("SETIResponse: version=<b>1</b>", "other"),
    ("SETIResponse:", "other"),
    ("SETIError: Invalid username", "error"),
    ("setierror: x", "error"),
    ("<SETIError><Response><ResponseCode>3</ResponseCode></Response></SETIError>", "error"),
    ('<?xml version="1.0" encoding="UTF-8" ?>\n<SETIError/>', "error"),
    ("<?xml version='1.0'?><SetiOrders><Response><responsecode> 3 </responsecode></Response></SetiOrders>", "error"),
    ("<SETIOrders><Response><ResponseCode>2</ResponseCode></Response></SETIOrders>", "other"),
    ("<SETIOrders><Response><ResponseCode>13</ResponseCode></Response></SETIOrders>", "other"),
    ("<!DOCTYPE x [<!ENTITY a 'SETIError:'>]><SETIError>&a;</SETIError>", "foreign"),
    ("<html><p>SETIResponse: ordercount=3</p></html>", "foreign"),
    ("It works!\nSETIResponse: version=1.000", "foreign"),
    ("<settings>3</settings>", "foreign"),
    ("", "foreign"),
    ("x" * 70000 + "SETIError: late", "foreign"),
    ("<" * 70000, "foreign"),
]


@pytest.mark.parametrize(("body", "kind"), ANSWERS)
def test_an_answer_is_judged_by_its_body(body: str, kind: Kind) -> None:
    assert read_answer(body) == kind


VERSION, COUNT, REFUSED = "SETIResponse: version=1.000\n", "SETIResponse: ordercount=3\n", "SETIError: Invalid login\n"
XML_REFUSED = "<SETIOrders><Response><ResponseCode>3</ResponseCode></Response></SETIOrders>"
PAGE = "<html><h1>It works!</h1></html>"

CHECKS = [
    (VERSION, COUNT, REFUSED, False, ["confirmed", "confirmed"], 2),
    (VERSION, COUNT, REFUSED, True, ["confirmed", "confirmed", "confirmed"], 3),
    (VERSION, COUNT, XML_REFUSED, True, ["confirmed", "confirmed", "confirmed"], 3),
    (VERSION, COUNT, COUNT, True, ["confirmed", "unverifiable", "unverifiable"], 3),
    (VERSION, COUNT, PAGE, True, ["confirmed", "confirmed", "unverifiable"], 3),
    (VERSION, COUNT, "SETIResponse: x", True, ["confirmed", "confirmed", "unverifiable"], 3),
    (VERSION, REFUSED, REFUSED, False, ["confirmed", "contradicted"], 2),
    (VERSION, XML_REFUSED, REFUSED, True, ["confirmed", "contradicted", "unverifiable"], 2),
    (VERSION, PAGE, REFUSED, False, ["confirmed", "unverifiable"], 2),
    (VERSION, "SETIResponse: itemcount=1", REFUSED, True, ["confirmed", "unverifiable", "unverifiable"], 2),
    (REFUSED, COUNT, REFUSED, False, ["confirmed", "confirmed"], 2),
    (PAGE, COUNT, REFUSED, True, ["unverifiable", "unverifiable"], 1),
    ("", COUNT, REFUSED, False, ["unverifiable", "unverifiable"], 1),
]


@pytest.mark.parametrize(("version", "count", "refusal", "control", "verdicts", "calls"), CHECKS)
def test_a_check(
    version: str, count: str, refusal: str, control: bool, verdicts: list[str], calls: int, http: Http, stub: Stub
) -> None:
    stub.script = script(version, count, refusal)
    findings = check(http, login(stub.url("localhost", "/s?a=1")), negative_control=control)
    assert [finding.verdict for finding in findings] == verdicts
    assert [finding.check for finding in findings] == ["script", "login", "wrong password"][: len(findings)]
    assert [form_of(asked)["setifunction"] for asked in stub.asked] == ["sendversion", "ordercount", "ordercount"][
        :calls
    ]
    for asked in stub.asked:
        assert (asked.method, asked.target) == ("POST", "/s?a=1")
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        assert "canary" not in str(asked.headers)
    assert form_of(stub.asked[0]).keys() == {"setifunction", "omversion"}
    for asked in stub.asked[1:2]:
        wanted = {"setiuser": USER, "password": PASSWORD, "lastorder": "All", "lastdate": "All", "code": ""}
        assert wanted.items() <= form_of(asked).items()
    for asked in stub.asked[2:]:
        form = form_of(asked)
        assert form["setiuser"] == USER
        assert form["password"].startswith("wrong-")
    assert "canary" not in repr(findings)


def test_no_wrong_password_is_like_another(http: Http, stub: Stub) -> None:
    stub.script = script(VERSION, COUNT, REFUSED)
    for _ in range(2):
        check(http, login(stub.url("localhost", "/s")), negative_control=True)
    assert form_of(stub.asked[2])["password"] != form_of(stub.asked[5])["password"]


STATUSES = [
    (Reply(404, VERSION.encode()), "confirmed"),
    (Reply(500, b"SETIError: database"), "confirmed"),
    (Reply(404, PAGE.encode()), "unverifiable"),
    (Reply(302, b"", (("location", "https://elsewhere.example/"),)), "unverifiable"),
    (Reply(200, b"x", (("content-encoding", "br"),)), "unverifiable"),
    (Reply(429, b""), "unverifiable"),
]


@pytest.mark.parametrize(("reply", "verdict"), STATUSES)
def test_the_status_concludes_nothing(reply: Reply, verdict: str, http: Http, stub: Stub) -> None:
    stub.replies(reply)
    script = check(http, login(stub.url("localhost", "/s")))[0]
    assert script.verdict == verdict
    assert ("reachable, unknown" in script.evidence) == (verdict == "unverifiable" and reply.status != 429)


@pytest.mark.parametrize("lost_at", [2, 3])
def test_a_login_whose_answer_is_lost_is_not_tried_again(lost_at: int, http: Http, stub: Stub) -> None:
    replies = [Reply(body=VERSION.encode()), Reply(body=COUNT.encode()), Reply(cut=0)]
    stub.replies(*replies[: lost_at - 1], Reply(cut=0))
    findings = check(http, login(stub.url("localhost", "/s")), negative_control=True)
    assert findings[lost_at - 1].verdict == "unverifiable"
    assert "its answer was lost" in findings[lost_at - 1].evidence
    assert len(stub.asked) == lost_at


def test_a_host_that_is_not_there_is_unknown(http: Http) -> None:
    findings = check(http, login("https://localhost:1/s"), negative_control=True)
    assert [finding.verdict for finding in findings] == ["unverifiable", "unverifiable"]


def test_the_guard_stands_before_the_script(http: Http, stub: Stub) -> None:
    for url in ("https://127.0.0.1/s", f"https://other.example:{stub.port}/s", "https://169.254.169.254/latest"):
        with pytest.raises(AddressRefused):
            check(http, login(url))
    assert stub.asked == []
