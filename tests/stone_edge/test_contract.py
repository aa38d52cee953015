"""The safe check against the sandbox's scripts, in every dialect: what it concludes, and what it never asks for."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from providers.core.http import Http, HttpSettings
from providers.core.redaction import Secret
from providers.stone_edge.inbound import Inbound, parsed
from providers.stone_edge.seti import check
from sandbox.server_process import ServerProcess, start
from sandbox.stone_edge.client import EndpointRow
from tests.stone_edge.conftest import PASSWORD, USER

NUMBERS = itertools.count(1)
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))

MakeScript = Callable[..., EndpointRow]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start(tmp_path_factory.mktemp("stone-edge")) as process:
        yield process


@pytest.fixture
def reaching(sandbox: ServerProcess) -> Iterator[Http]:
    """An `Http` that pauses shortly, as nothing gets better by waiting."""
    settings = HttpSettings(ca_file=sandbox.ca, private={"localhost": LOOPBACK}, read_timeout=1.0)
    with Http(settings, chance=lambda: 0.001) as http:
        yield http


@pytest.fixture
def make_script(sandbox: ServerProcess) -> Iterator[MakeScript]:
    made: list[str] = []

    def make(**settings: Any) -> EndpointRow:
        made.append(f"shop-{next(NUMBERS)}")
        return sandbox.client.stone_edge.create(made[-1], USER, PASSWORD, **settings)

    yield make
    sandbox.client.clear_faults()
    for name in made:
        sandbox.client.stone_edge.delete(name)


def given(script: EndpointRow, password: str = PASSWORD) -> Inbound:
    """The values as the vendor shows them, read as a person pastes them."""
    lines = (f"Cart ID/Username: {USER}", f"Cart Password: {password}", f"Script URL: {script.shown_url}")
    return parsed("\n".join(lines).encode())


DIALECTS: list[dict[str, Any]] = [
    {},
    {"newline": False},
    {"prefix": "SetiResponse"},
    {"prefix": "setiresponse", "newline": False},
    {"version": "1.243"},
    {"echo_omversion": True},
    {"accept_get": False},
    {"errors": "xml"},
    {"errors": "xml_error"},
    {"errors": "xml_for_downloads"},
]


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize("control", [True, False], ids=["with control", "without"])
def test_every_dialect(
    dialect: dict[str, Any],
    right: bool,
    control: bool,
    make_script: MakeScript,
    reaching: Http,
    sandbox: ServerProcess,
) -> None:
    script = make_script(**dialect)
    findings = check(reaching, given(script, PASSWORD if right else "mistyped"), negative_control=control)
    verdicts = [finding.verdict for finding in findings]
    wanted = ["confirmed", "confirmed", "confirmed"] if right else ["confirmed", "contradicted", "unverifiable"]
    assert verdicts == wanted[: 3 if control else 2]
    asked = ["sendversion", "ordercount", "ordercount"] if right and control else ["sendversion", "ordercount"]
    assert sandbox.client.stone_edge.received(script.name) == asked
    unchanged(script, sandbox)


def unchanged(before: EndpointRow, sandbox: ServerProcess) -> None:
    """Nothing of the shop was touched."""
    now = sandbox.client.stone_edge.get(before.name)
    assert (now.statuses, now.stock) == (before.statuses, before.stock)


def test_a_script_that_takes_anything_proves_nothing(
    make_script: MakeScript, reaching: Http, sandbox: ServerProcess
) -> None:
    script = make_script(accept_any_password=True)
    for password in (PASSWORD, "mistyped"):
        findings = check(reaching, given(script, password), negative_control=True)
        assert [finding.verdict for finding in findings] == ["confirmed", "unverifiable", "unverifiable"]
    assert set(sandbox.client.stone_edge.received(script.name)) == {"sendversion", "ordercount"}
    unchanged(script, sandbox)


@pytest.mark.parametrize("page", ["parked", "quoting", "login_form", "empty"])
def test_a_page_that_is_not_seti_never_gets_the_password(
    page: str, make_script: MakeScript, reaching: Http, sandbox: ServerProcess
) -> None:
    script = make_script(page=page)
    findings = check(reaching, given(script), negative_control=True)
    assert [finding.verdict for finding in findings] == ["unverifiable", "unverifiable"]
    assert findings[0].evidence.startswith("reachable, unknown")
    assert sandbox.client.stone_edge.received(script.name) == ["sendversion"]
    assert script.site not in {row.store for row in sandbox.client.find_value(PASSWORD)}


def test_the_wrong_path_is_told_from_a_wrong_password(
    make_script: MakeScript, reaching: Http, sandbox: ServerProcess
) -> None:
    script = make_script()
    inbound = parsed(f"{USER}\n{PASSWORD}\n{script.shown_url}-moved".encode())
    findings = check(reaching, inbound)
    assert [finding.verdict for finding in findings] == ["unverifiable", "unverifiable"]
    assert "not SETI" in findings[0].evidence


def test_a_locked_login_is_not_tried_further(make_script: MakeScript, reaching: Http, sandbox: ServerProcess) -> None:
    script = make_script(lockout_after=2)
    findings = check(reaching, given(script, "mistyped"), negative_control=True)
    assert findings[1].verdict == "contradicted"
    now = sandbox.client.stone_edge.get(script.name)
    assert (now.wrong_passwords, now.locked) == (1, False)


FAULTS: list[tuple[str, str, dict[str, Any], list[str], int]] = [
    ("drop_before", "seti_ordercount", {}, ["confirmed", "unverifiable"], 1),
    ("drop_after", "seti_ordercount", {}, ["confirmed", "unverifiable"], 1),
    ("status", "seti_ordercount", {"status": 503}, ["confirmed", "unverifiable"], 1),
    ("status", "seti_sendversion", {"status": 500}, ["unverifiable", "unverifiable"], 0),
    ("drop_after", "seti_sendversion", {"times": 1}, ["confirmed", "confirmed"], 1),
]


@pytest.mark.parametrize(("effect", "operation", "details", "verdicts", "logins"), FAULTS)
def test_a_broken_answer_concludes_nothing_and_a_login_is_sent_once(
    effect: Any,
    operation: str,
    details: dict[str, Any],
    verdicts: list[str],
    logins: int,
    make_script: MakeScript,
    reaching: Http,
    sandbox: ServerProcess,
) -> None:
    script = make_script()
    sandbox.client.add_fault(effect, store=script.site, operation=operation, **{"times": 10, **details})
    findings = check(reaching, given(script))
    assert [finding.verdict for finding in findings] == verdicts
    received = sandbox.client.stone_edge.received(script.name)
    assert received.count("ordercount") == logins
    assert set(received) <= {"sendversion", "ordercount"}


def test_the_password_stands_in_the_body_alone(
    make_script: MakeScript, reaching: Http, sandbox: ServerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    script = make_script()
    secret = Secret(PASSWORD)
    findings = check(reaching, given(script), negative_control=True)
    for text in (caplog.text, repr(findings), repr(given(script))):
        assert secret.reveal() not in text
        assert "canary" not in text
