"""The link to Stone Edge as core calls it: what it does itself, which is to check what came in, and no more."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from providers.core import kinds
from providers.core.contract import TAKEN_OVER, Inbound
from providers.core.errors import AddressRefused, ConnectionsError
from providers.core.http import Http
from providers.core.redaction import Secret
from providers.stone_edge import LINKS
from providers.stone_edge.channel import Channel, channel
from tests.http.stub import Stub
from tests.lending import Lending
from tests.stone_edge.conftest import PASSWORD, USER, form_of, script

VERSION, COUNT, REFUSAL = "SETIResponse: version=1.000", "SETIResponse: ordercount=3", "SETIError: no"


class Lent(Lending):
    """What core lends to the link: this answer, and this HTTP for the host that is asked for."""

    def __init__(self, http: Http, answer: Inbound | None) -> None:
        self._http, self._answer = http, answer
        self.asked: list[str] = []

    def http(self, host: str) -> Http:
        self.asked.append(host)
        return self._http

    def inbound(self) -> Inbound | None:
        return self._answer


def login(url: str, password: str = PASSWORD) -> Mapping[str, Secret]:
    return {"cart_id": Secret(USER), "cart_password": Secret(password), "script_url": Secret(url)}


@pytest.fixture
def seti(stub: Stub) -> Stub:
    stub.script = script(VERSION, COUNT, REFUSAL)
    return stub


def test_nothing_is_looked_at_before_the_vendor_answered(http: Http) -> None:
    tools = Lent(http, None)
    assert channel({}, tools).verify(1, {}) == ()
    assert tools.asked == []


@pytest.mark.parametrize(("answered", "proved"), [(2, True), (1, False), (0, False)])
def test_only_what_came_for_this_generation_proves_it(answered: int, proved: bool, http: Http, seti: Stub) -> None:
    tools = Lent(http, Inbound(login(seti.url("localhost")), answered))
    findings = channel({}, tools).verify(2, {})
    assert [finding.verdict for finding in findings] == ["confirmed"] * (3 if proved else 2)
    assert (findings[-1].check == TAKEN_OVER) is proved
    assert tools.asked == ["localhost"]
    assert [form_of(asked)["setifunction"] for asked in seti.asked] == ["sendversion", "ordercount"]


@pytest.mark.parametrize("control", [True, False])
def test_a_refused_login_is_contradicted_and_proves_nothing(control: bool, http: Http, seti: Stub) -> None:
    tools = Lent(http, Inbound(login(seti.url("localhost"), "mistyped-canary"), 1))
    findings = channel({"negative_control": control}, tools).verify(1, {})
    assert [finding.verdict for finding in findings][:2] == ["confirmed", "contradicted"]
    assert TAKEN_OVER not in {finding.check for finding in findings}
    assert "canary" not in repr(findings)


def test_the_control_is_tried_where_it_is_declared(http: Http, seti: Stub) -> None:
    tools = Lent(http, Inbound(login(seti.url("localhost")), 1))
    assert len(channel({"negative_control": True}, tools).verify(1, {})) == 4
    assert [form_of(asked)["setifunction"] for asked in seti.asked] == ["sendversion", "ordercount", "ordercount"]


def test_what_was_edited_in_vault_is_said_and_not_shown(http: Http) -> None:
    for values, error in (
        ({"cart_id": Secret("a")}, ConnectionsError),
        (login("http://plain-canary.example"), AddressRefused),
    ):
        with pytest.raises(error) as caught:
            channel({}, Lent(http, Inbound(values, 1))).verify(1, {})
        assert "canary" not in str(caught.value)


def test_everything_else_is_the_hand_over_s(http: Http) -> None:
    made = kinds.link("stone-edge").link({}, Lent(http, None))
    assert isinstance(made, Channel)
    assert (made.place, made.acknowledges, made.check(1, {}), made.observe(1, {})) == ("", "person", (), ())
    made.connect(1, {})
    assert made.disconnect({}) == ()


def test_what_the_vendor_gives_is_read_from_a_text() -> None:
    kind = LINKS["stone-edge"]
    assert kind.parse is not None
    values = kind.parse(b"Cart ID/Username: fresh-cart\nCart Password: pass\nScript URL: shop.example/script\n")
    assert tuple(values) == kind.inbound_fields == ("cart_id", "cart_password", "script_url")
    assert values["script_url"].reveal() == "https://shop.example/script"
