"""The truth table (sheet 7.1), live: every row on every version, and what hosts do to it."""

import pytest

from providers.core.contract import Order
from providers.core.redaction import Secret
from providers.woocommerce.issuer import ApiKeyIssuer
from tests.woocommerce.conftest import MakeShop, Shop, mark, order

Pair = dict[str, Secret]


def by_hand(shop: Shop, permissions: str, user: str) -> Pair:
    made = shop.control.insert_key(shop.name, description=f"x {mark()}", permissions=permissions, user=user)
    return {"consumer_key": Secret(made.consumer_key), "consumer_secret": Secret(made.consumer_secret)}


def verdicts(issuer: ApiKeyIssuer, pair: Pair, rights: str) -> str:
    return " ".join(finding.verdict for finding in issuer.verify(pair, {"rights": rights}))


@pytest.mark.parametrize(
    ("permissions", "user", "life", "as_read", "as_write", "as_read_write"),
    [
        ("read", "robot", "accepted", "confirmed confirmed confirmed", "confirmed contradicted contradicted",
         "confirmed confirmed contradicted"),
        ("write", "robot", "accepted", "confirmed contradicted contradicted", "confirmed confirmed confirmed",
         "confirmed contradicted confirmed"),
        ("read_write", "connector", "accepted", "confirmed confirmed contradicted",
         "confirmed contradicted confirmed", "confirmed confirmed confirmed"),
        ("read_write", "buyer", "accepted", "confirmed contradicted contradicted",
         "confirmed contradicted contradicted", "confirmed contradicted contradicted"),
        ("read", "buyer", "accepted", "confirmed contradicted confirmed", "confirmed contradicted contradicted",
         "confirmed contradicted contradicted"),
    ],
)  # fmt: skip
def test_what_a_key_can_do(
    shop: Shop, permissions: str, user: str, life: str, as_read: str, as_write: str, as_read_write: str
) -> None:
    issuer, pair = shop.issuer(), by_hand(shop, permissions, user)
    assert issuer.probe(pair) == life
    assert verdicts(issuer, pair, "read") == as_read
    assert verdicts(issuer, pair, "write") == as_write
    assert verdicts(issuer, pair, "read_write") == as_read_write


def test_a_wrong_secret_is_refused(shop: Shop) -> None:
    issuer, pair = shop.issuer(), by_hand(shop, "read_write", "robot")
    pair["consumer_secret"] = Secret("cs_" + "0" * 40)
    assert issuer.probe(pair) == "refused"
    assert verdicts(issuer, pair, "read_write") == "contradicted unverifiable unverifiable"


def test_an_unknown_key_is_refused_though_anonymous_calls_reach_missing_routes(shop: Shop) -> None:
    issuer = shop.issuer()
    pair = {"consumer_key": Secret("ck_" + "0" * 40), "consumer_secret": Secret("cs_" + "0" * 40)}
    assert issuer.probe(pair) == "refused"
    for rights in ("read", "write", "read_write"):
        assert verdicts(issuer, pair, rights) == "contradicted unverifiable unverifiable"
    assert shop.count("rest_probe_write") == 0


def test_a_stripped_header_is_told_apart_from_a_dead_key(shop: Shop) -> None:
    issuer = shop.issuer()
    issued = issuer.issue(order("read"))
    shop.settings(strip_authorization=True)
    found = issuer.verify(issued.secret, {"rights": "read"})
    assert [finding.verdict for finding in found] == ["unverifiable"] * 3
    assert "strips the Authorization header" in found[0].evidence
    # Nothing went into the store's access logs without being declared.
    assert all("consumer_key" not in row.query_fields for row in shop.control.requests(store=shop.name))
    issuer.revoke(issued.key_id)
    assert issuer.verify(issued.secret, {"rights": "read"})[0].verdict == "contradicted"


def test_a_site_that_does_not_know_its_tls_is_told_apart_from_a_dead_key(shop: Shop) -> None:
    issuer = shop.issuer()
    issued = issuer.issue(order("read"))
    shop.settings(scheme="http")
    found = issuer.verify(issued.secret, {"rights": "read"})
    assert found[0].verdict == "unverifiable"
    assert "does not know that it is on HTTPS" in found[0].evidence


def test_a_key_whose_user_is_gone_is_refused(shop: Shop) -> None:
    issuer = shop.issuer()
    issued = issuer.issue(order("read"))
    shop.control.edit_key(shop.name, int(issued.key_id), user=4711)
    assert issuer.verify(issued.secret, {"rights": "read"})[0].verdict == "contradicted"


def test_the_query_string_is_used_where_declared_and_needed(shop: Shop) -> None:
    issuer = shop.issuer(authentication="query")
    issued = issuer.issue(order("read_write"))
    assert verdicts(issuer, dict(issued.secret), "read_write") == "confirmed confirmed confirmed"
    assert all("consumer_key" not in row.query_fields for row in shop.control.requests(store=shop.name))
    shop.settings(strip_authorization=True)
    found = issuer.verify(issued.secret, {"rights": "read_write"})
    assert [finding.verdict for finding in found] == ["confirmed"] * 3
    assert "query string" in found[0].evidence
    assert issuer.probe(issued.secret) == "accepted"
    issuer.revoke(issued.key_id)
    assert issuer.probe(issued.secret) == "refused"


def test_permalinks_with_index_php_have_another_root(shop: Shop) -> None:
    shop.settings(permalinks="index.php")
    issuer = shop.issuer()
    issued = issuer.issue(order("read"))
    assert verdicts(issuer, dict(issued.secret), "read") == "confirmed confirmed confirmed"


def test_a_key_without_a_row_is_seen_through(make_shop: MakeShop) -> None:
    """The store shows a key that it did not keep (sheet 6, L1)."""
    shop = make_shop("3.5.3")
    admin = shop.issuer().store.admin
    user = admin.user("robot")
    assert user is not None
    with pytest.raises(Exception, match="did not keep it"):
        admin.create("x" * 201, user, "read")
    assert len(shop.control.keys(shop.name)) == 1


def test_the_proof_changes_nothing_but_the_last_access(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    issued = issuer.issue(Order({"rights": "write", "user": "robot", "purpose": "p"}, mark()))
    since = shop.control.last_seq()
    issuer.verify(issued.secret, {"rights": "write"})
    asked = [row.operation for row in shop.control.requests(since, shop.name)]
    assert set(asked) <= {"rest_index", "rest_probe", "rest_probe_options", "rest_probe_write"}
    assert asked.count("rest_probe_write") == 1
