"""The whole contract of `Issuer`, on a server of the sandbox, over TLS sockets."""

from typing import Any

import pytest

from providers.coopcycle import CREDENTIALS, LINKS
from providers.coopcycle.issuer import BY_FORM, IRREVOCABLE, LINGERS
from providers.coopcycle.resources import RESOURCES
from providers.core.contract import Issuer, LinkKind, Selector, StoreKey
from providers.core.errors import Rejected
from providers.core.redaction import Secret
from tests.coopcycle.conftest import DECLARED, FLOWERS, Coop, mark, order

OURS = Selector("acme:test:")


def test_the_folder_offers_its_kinds(coop: Coop) -> None:
    kind = CREDENTIALS["api_app"]
    made: Issuer = kind.issuer({"url": coop.url, "connection": "northside/acme-flowers"}, coop.tools)
    assert (kind.name, kind.identity, kind.fields) == ("api_app", "url", ("name", "for_store", "rights", "type"))
    assert kind.revisable == made.capabilities.revisable == frozenset()
    assert set(kind.secret_fields) == set(made.issue(order()).secret)
    assert RESOURCES.keys() == CREDENTIALS.keys()
    assert isinstance(LINKS["wordpress"], LinkKind)
    kind.close()
    assert coop.control.coopcycle.end_sessions(coop.name) == 0


def test_the_life_of_an_app(coop: Coop) -> None:
    coop.control.coopcycle.make_app(coop.name, "by hand", store=12)
    issuer = coop.issuer()
    assert issuer.capabilities == BY_FORM
    assert (issuer.capabilities.residual, issuer.capabilities.lingers) == (True, LINGERS)
    assert [(key.label, key.facts) for key in issuer.find(Selector(""))] == [("by hand", {"store": "Acme Flowers"})]
    assert issuer.ready() == ""
    issued = issuer.issue(order())
    assert set(issued.secret) == {"identifier", "secret"}
    (key,) = issuer.find(OURS)
    assert key == StoreKey(
        issued.key_id,
        f"northside acme flowers {mark()}",
        issuer.tail(issued.secret),
        {"type": "oauth", "rights": ["deliveries"], "for_store": FLOWERS},
        {"store": "Acme Flowers"},
    )
    assert issuer.find(Selector("", frozenset({issued.key_id}), details=False))[1].tail == key.tail
    assert {finding.verdict for finding in issuer.verify(issued.secret, DECLARED)} == {"confirmed"}
    assert issuer.probe(issued.secret) == "accepted"
    # A second one beside it for the same store, as a rotation makes it; both live (S11).
    second = issuer.issue(order(2))
    assert {found.key_id for found in issuer.find(OURS)} == {issued.key_id, second.key_id}
    issuer.revoke(issued.key_id, issued.secret)
    assert issuer.probe(issued.secret) == "refused"
    assert issuer.probe(second.secret) == "accepted"
    assert issuer.control().verdict == "confirmed"
    # The row stays, with another secret that nobody keeps.
    (row, *_) = [found for found in issuer.find(OURS) if found.key_id == issued.key_id]
    assert row.tail != issuer.tail(issued.secret)
    assert [app.retired for app in coop.apps()] == [False, True, False]
    # Ending it again is no error, and touches nobody else's.
    issuer.revoke(issued.key_id, issued.secret)
    assert issuer.probe(second.secret) == "accepted"
    assert coop.edits() == []


def test_nothing_changes_in_place(coop: Coop) -> None:
    issuer = coop.issuer()
    issued = issuer.issue(order())
    with pytest.raises(Rejected, match="cannot be changed in place"):
        issuer.revise(issued.key_id, order(name="another"))
    assert coop.edits() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"rights": ["deliveries", "tasks"]},
        {"rights": ["tasks"]},
        {"rights": ["orders:all"], "for_store": None},
        {"rights": ["orders:all", "tasks:all"], "for_store": None},
        {"name": "Dispatcher of the market"},
        {"type": "api_key"},
        {"type": "api_key", "rights": ["orders:all"], "for_store": None},
    ],
    ids=str,
)
def test_every_declaration_is_made_read_back_and_proved(coop: Coop, fields: dict[str, Any]) -> None:
    issuer = coop.issuer(**fields)
    issued = issuer.issue(order(**fields))
    (key,) = issuer.find(OURS)
    wanted = {name: value for name, value in {**DECLARED, **fields}.items() if value is not None}
    assert key.fields == wanted
    assert issuer.tail(issued.secret) == key.tail
    findings = issuer.verify(issued.secret, {**DECLARED, **fields})
    assert [finding for finding in findings if finding.verdict == "contradicted"] == []
    assert findings[0].verdict == "confirmed"
    assert issuer.probe(issued.secret) == "accepted"
    assert coop.edits() == []


def test_an_api_key_is_ended_by_nobody_here(coop: Coop) -> None:
    issuer = coop.issuer(type="api_key")
    assert issuer.capabilities == IRREVOCABLE
    assert issuer.control().verdict == "confirmed"
    assert issuer.probe({"api_key": Secret("ak_" + "0" * 40)}) == "refused"


def test_what_readers_need_beside_the_secret(coop: Coop) -> None:
    assert coop.issuer().public() == {"base_url": coop.url, "store": "12"}
    assert coop.issuer(for_store=None).public() == {"base_url": coop.url}
    assert coop.issuer().facts() == {}
    assert coop.issuer().losses({}) == ()
