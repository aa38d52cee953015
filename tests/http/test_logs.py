"""Logs tell what was called and how it went, never a query, a header, a cookie or a body."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

import pytest

from providers.core.errors import Unreachable
from providers.core.http import Http, Origin
from providers.core.redaction import Secret
from tests.http.stub import Reply, Stub

CANARY = "canary-0123456789"
VENDORS = ["httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.http2"]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything any logger says, at its most talkative."""
    caplog.set_level(logging.DEBUG)
    for name in (*VENDORS, "providers.core.http"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def test_a_call_is_one_line_without_anything_secret(origin: Origin, stub: Stub, log: pytest.LogCaptureFixture) -> None:
    stub.replies(Reply(200, CANARY.encode(), [("Set-Cookie", f"session={CANARY}"), ("X-Echo", CANARY)]))
    with origin.session() as session:
        for _ in range(2):
            session.request(
                "POST",
                "/wp-login.php",
                query={"consumer_secret": CANARY},
                form={"pwd": CANARY},
                headers={"X-Auth-Token": CANARY},
                auth=("user", CANARY),
                safe=False,
            )
    assert CANARY in stub.asked[1].headers["cookie"]
    assert "canary" not in log.text
    line = rf"POST 127\.0\.0\.1:{stub.port}/shop/wp-login\.php 200 0 ms, try 1"
    assert [record.name for record in log.records] == ["providers.core.http"] * 2
    assert all(re.fullmatch(line, record.getMessage()) for record in log.records)


def test_a_secret_in_a_path_is_redacted(origin: Origin, stub: Stub, log: pytest.LogCaptureFixture) -> None:
    secret = Secret(CANARY)
    origin.request("GET", f"/apps/{secret.reveal()}/", safe=True)
    assert stub.asked[0].target == f"/shop/apps/{CANARY}/"
    assert "/shop/apps/***/ 200" in log.text
    assert CANARY not in log.text


def test_every_try_is_a_line(make_http: Callable[..., Http], stub: Stub, log: pytest.LogCaptureFixture) -> None:
    stub.replies(Reply(200, CANARY.encode(), cut=0))
    with pytest.raises(Unreachable):
        make_http().origin(stub.url()).request("GET", "/x", query={"key": CANARY}, safe=True)
    lines = [record.getMessage().partition("/x ")[2] for record in log.records]
    assert lines == [f"no answer 0 ms, try {number}" for number in range(1, 5)]
    assert CANARY not in log.text
