"""Lost and garbled replies, stores that ask for rest: nothing is concluded, nothing is made twice."""

import pytest

from providers.core.contract import Selector
from providers.core.errors import (
    CouldNotLook,
    Rejected,
    StoreError,
    Transient,
    UnclearOutcome,
    Unexpected,
    Unreachable,
)
from tests.woocommerce.conftest import MakeShop, Shop, order

ALL = Selector("")


@pytest.mark.parametrize(
    ("effect", "details", "made"),
    [
        ("drop_after", {}, 1),
        ("drop_before", {}, 0),
        ("truncate", {"length": 40}, 1),
        ("status", {"status": 500}, 0),
        ("status", {"status": 503}, 0),
        ("duplicate", {}, 2),
    ],
)
def test_a_lost_reply_to_a_create_is_unclear(shop: Shop, effect: str, details: dict[str, int], made: int) -> None:
    issuer = shop.issuer()
    issuer.find(ALL)
    shop.fault(effect, "create_key", **details)
    if effect == "duplicate":
        issuer.issue(order())
    else:
        with pytest.raises(UnclearOutcome):
            issuer.issue(order())
    # What was made carries the marker: the next look finds it.
    assert len(shop.ours(issuer)) == made


def test_a_late_create_is_found_later(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    rule = shop.fault("late_commit", "create_key", delay=3600.0)
    with pytest.raises(UnclearOutcome):
        issuer.issue(order())
    assert shop.ours(issuer) == []
    shop.control.release(rule)
    assert len(shop.ours(issuer)) == 1


def test_a_create_refused_by_a_wall_made_nothing(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    shop.fault("status", "create_key", status=403)
    with pytest.raises(StoreError, match="changed nothing") as raised:
        issuer.issue(order())
    assert not isinstance(raised.value, CouldNotLook)
    assert shop.ours(issuer) == []


@pytest.mark.parametrize("effect", [("status", {"status": 500}), ("status", {"status": 403})])
def test_a_key_that_cannot_be_read_back_is_unclear(make_shop: MakeShop, effect: tuple[str, dict[str, int]]) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    shop.fault(effect[0], "edit_page", **effect[1])
    with pytest.raises(UnclearOutcome, match="was made, but then"):
        issuer.issue(order())
    assert len(shop.ours(issuer)) == 1


def test_lost_replies_to_looking_are_asked_for_again(shop: Shop) -> None:
    issuer = shop.issuer()
    for operation in ("login_page", "login", "nonce_page", "list_keys", "edit_page", "rest_nonce", "users_read"):
        shop.fault("drop_after", operation)
    assert len(issuer.find(ALL)) == 1


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_store_that_asks_for_rest_is_asked_again(shop: Shop, status: int) -> None:
    issuer = shop.issuer()
    for operation in ("login", "list_keys", "edit_page", "rest_probe"):
        shop.fault("status", operation, status=status, headers={"Retry-After": "0"})
    issued = issuer.issue(order())
    assert len(shop.ours(issuer)) == 1
    assert issuer.probe(issued.secret) == "accepted"


@pytest.mark.parametrize(
    ("operation", "status", "error"),
    [
        ("login_page", 503, Transient),
        ("login", 500, Transient),
        ("nonce_page", 503, Transient),
        ("nonce_page", 500, Transient),
        ("list_keys", 503, Transient),
        ("list_keys", 500, Unexpected),
        ("list_keys", 429, CouldNotLook),
        ("edit_page", 502, Transient),
        ("users_read", 500, Transient),
    ],
)
def test_a_store_that_fails_is_not_understood_as_empty(
    make_shop: MakeShop, operation: str, status: int, error: type[StoreError]
) -> None:
    shop = make_shop()
    shop.fault("status", operation, status=status, times=None)
    with pytest.raises(error):
        shop.issuer().find(ALL)


@pytest.mark.parametrize("keep_length", [False, True])
@pytest.mark.parametrize("length", [0, 200, 1500])
def test_a_list_that_breaks_off_is_no_list(make_shop: MakeShop, length: int, keep_length: bool) -> None:
    shop = make_shop()
    shop.fault("truncate", "list_keys", length=length, keep_length=keep_length, times=None)
    with pytest.raises((Unexpected, Unreachable)):
        shop.issuer().find(ALL)


@pytest.mark.parametrize("effect", ["drop_after", "drop_before"])
def test_a_lost_reply_to_a_revoke_is_looked_into(shop: Shop, effect: str) -> None:
    issuer = shop.issuer()
    issued = issuer.issue(order())
    shop.fault(effect, "revoke_key")
    issuer.revoke(issued.key_id)
    assert shop.ours(issuer) == []
    assert len(issuer.find(ALL)) == 1


@pytest.mark.parametrize(
    ("effect", "details", "error"),
    [
        ("drop_before", {}, UnclearOutcome),
        ("status", {"status": 503}, Transient),
        ("status", {"status": 403}, StoreError),
    ],
)
def test_a_revoke_that_does_not_work_is_said(
    make_shop: MakeShop, effect: str, details: dict[str, int], error: type[StoreError]
) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    issued = issuer.issue(order())
    shop.fault(effect, "revoke_key", times=None, **details)
    with pytest.raises(error):
        issuer.revoke(issued.key_id)
    assert len(shop.ours(issuer)) == 1


def test_a_lost_reply_to_an_update_is_unclear(shop: Shop) -> None:
    issuer = shop.issuer()
    issued = issuer.issue(order("read"))
    shop.fault("drop_after", "update_key")
    with pytest.raises(UnclearOutcome):
        issuer.revise(issued.key_id, order("read_write"))
    assert shop.ours(issuer)[0].fields["rights"] == "read_write"


def test_a_garbled_reply_to_an_update_is_unclear(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    issued = issuer.issue(order("read"))
    shop.fault("status", "update_key", status=200, body="{}")
    with pytest.raises(UnclearOutcome):
        issuer.revise(issued.key_id, order("read_write"))


def test_an_update_the_store_did_not_carry_out_is_seen(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    issued = issuer.issue(order("read"))
    shop.fault("status", "update_key", status=200, body='{"success": true, "data": {}}')
    with pytest.raises(Unexpected, match="rights"):
        issuer.revise(issued.key_id, order("read_write"))


def test_a_refusal_is_no_unclear_outcome(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    shop.fault("status", "create_key", status=200, body='{"success": false, "data": {"message": "API Key generated"}}')
    with pytest.raises(Rejected):
        issuer.issue(order())


@pytest.mark.parametrize("operation", ["rest_probe", "rest_index"])
def test_an_api_that_fails_proves_nothing(make_shop: MakeShop, operation: str) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    issued = issuer.issue(order())
    issuer.store.rest._index = None
    shop.fault("status", operation, status=500, times=None)
    with pytest.raises(Transient):
        issuer.probe(issued.secret)
    assert issuer.control().verdict == "unverifiable"


def test_a_write_probe_that_is_carried_out_is_an_incident(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    issued = issuer.issue(order("read"))
    shop.fault("status", "rest_probe_write", status=201, body="{}")
    found = issuer.verify(issued.secret, {"rights": "read"})
    assert found[2].verdict == "contradicted"
    assert "INCIDENT" in found[2].evidence


def test_a_store_that_serves_products_to_anybody_proves_nothing(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    issued = issuer.issue(order("read"))
    shop.fault("status", "rest_probe", status=200, body="[]", times=None)
    assert [f.verdict for f in issuer.verify(issued.secret, {"rights": "read"})] == ["unverifiable"] * 3
    assert issuer.control().verdict == "unverifiable"
