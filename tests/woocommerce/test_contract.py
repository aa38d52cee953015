"""The whole contract of `Issuer`, on stores of every version, over TLS sockets."""

from typing import Any

import pytest

from providers.core.contract import Issuer, Selector, StoreKey
from providers.core.errors import Forbidden, PersonNeeded, Rejected, Unexpected
from providers.core.redaction import Secret
from providers.core.sheet import Table
from providers.woocommerce import CREDENTIALS
from providers.woocommerce.issuer import BY_FORM, BY_PERSON
from tests.woocommerce.conftest import VERSIONS, MakeShop, Shop, mark, order

VERDICTS = {
    "read": ("confirmed", "confirmed", "confirmed"),
    "write": ("confirmed", "confirmed", "confirmed"),
    "read_write": ("confirmed", "confirmed", "confirmed"),
}
API = {"2.6.14": "wc/v1", "3.2.5": "wc/v2", "3.4.2": "wc/v2", "3.5.3": "wc/v3", "11.0.1": "wc/v3"}


def test_the_folder_offers_its_kind(make_shop: MakeShop) -> None:
    kind = CREDENTIALS["api_key"]
    shop = make_shop()
    made: Issuer = kind.issuer(shop.inputs, shop.tools)
    assert (kind.name, kind.identity, kind.fields) == ("api_key", "url", ("rights", "user", "purpose"))
    assert kind.revisable == made.capabilities.revisable
    assert set(kind.secret_fields) == set(made.issue(order()).secret)
    kind.close()


def test_the_life_of_a_key(shop: Shop) -> None:
    issuer = shop.issuer()
    assert issuer.capabilities == BY_FORM
    foreign = issuer.find(Selector(""))
    assert [(key.label, key.fields["user"], key.fields["rights"]) for key in foreign] == [
        ("by hand", "connector", "read_write")
    ]
    assert issuer.ready() == ""
    issued = issuer.issue(order("read", number=1))
    assert set(issued.secret) == {"consumer_key", "consumer_secret"}
    (key,) = shop.ours(issuer)
    assert key == StoreKey(
        issued.key_id,
        f"sync & more {mark(1)}",
        issuer.tail(issued.secret),
        {"rights": "read", "user": "robot", "purpose": "sync & more"},
        {"owner": "robot & Söhne", "last_used": "Unknown"},
    )
    assert issuer.probe(issued.secret) == "accepted"
    # A second one beside it, as a rotation makes it; both live.
    second = issuer.issue(order("read", number=2))
    assert {found.key_id for found in shop.ours(issuer)} == {issued.key_id, second.key_id}
    issuer.revoke(issued.key_id)
    assert [found.key_id for found in shop.ours(issuer)] == [second.key_id]
    assert issuer.probe(issued.secret) == "refused"
    assert issuer.probe(second.secret) == "accepted"
    assert issuer.control().verdict == "confirmed"
    # Ending it again is no error, and touches nobody else's.
    issuer.revoke(issued.key_id)
    assert len(issuer.find(Selector(""))) == 2


@pytest.mark.parametrize("rights", ["read", "write", "read_write"])
def test_a_key_is_proved_both_ways(shop: Shop, rights: str) -> None:
    issuer = shop.issuer()
    issued = issuer.issue(order(rights))
    before = shop.control.keys(shop.name)
    assert [finding.verdict for finding in issuer.verify(issued.secret, {"rights": rights})] == ["confirmed"] * 3
    for other in {"read", "write", "read_write"} - {rights}:
        found = issuer.verify(issued.secret, {"rights": other})
        assert found[0].verdict == "confirmed"
        assert "contradicted" in {finding.verdict for finding in found[1:]}
    assert [row.description for row in shop.control.keys(shop.name)] == [row.description for row in before]


def test_everything_is_revised_in_place(shop: Shop) -> None:
    issuer = shop.issuer()
    issued = issuer.issue(order("read"))
    issuer.revise(issued.key_id, order("read_write", "connector", "more", number=7))
    (key,) = shop.ours(issuer)
    assert key.fields == {"rights": "read_write", "user": "connector", "purpose": "more"}
    assert key.label == f"more {mark(7)}"
    assert key.tail == issuer.tail(issued.secret)
    assert issuer.probe(issued.secret) == "accepted"


def test_a_key_by_hand_gets_our_marker(shop: Shop) -> None:
    issuer = shop.issuer()
    by_hand = shop.control.insert_key(shop.name, description="old", permissions="read", user="robot")
    assert issuer.capabilities.relabels
    issuer.revise(str(by_hand.key_id), order())
    assert [key.key_id for key in shop.ours(issuer)] == [str(by_hand.key_id)]


def test_the_facts_of_a_store(shop: Shop) -> None:
    row = next(row for row in shop.control.stores() if row.name == shop.name)
    issuer = shop.issuer()
    facts = dict(issuer.facts())
    expected = {"api": API[row.version], "home": shop.url}
    if row.version != "2.6.14":
        expected["woocommerce"] = row.version
    if row.version == "11.0.1":
        expected["store_id"] = row.store_id
    assert facts == expected
    assert issuer.facts() == facts
    assert shop.count("system_status") <= 1
    assert issuer.public() == {"url": shop.url}


def test_keys_are_selected_by_text_or_id(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    one, two = issuer.issue(order(number=1)), issuer.issue(order(number=2))
    (foreign,) = issuer.find(Selector("by hand", details=False))
    assert foreign.fields == {}
    assert foreign.facts["owner"] == "connector & Söhne"
    found = issuer.find(Selector(mark(1), frozenset({two.key_id})))
    assert [key.key_id for key in found] == [two.key_id, one.key_id]
    assert issuer.find(Selector("nobody's")) == []


def test_a_key_that_goes_while_it_is_looked_at_is_no_key(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer()
    issued = issuer.issue(order())
    assert len(issuer.find(Selector(""), fresh=False)) == 2
    shop.control.delete_key(shop.name, int(issued.key_id))
    # A recent listing still shows it; its own page does not.
    assert len(issuer.find(Selector(""), fresh=False)) == 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("count", [0, 45])
def test_every_page_of_the_list_is_read(make_shop: MakeShop, version: str, count: int) -> None:
    keys = [{"login": "robot", "description": f"key {number}", "permissions": "read"} for number in range(1, count + 1)]
    shop = make_shop(version, foreign_keys=keys)
    issuer = shop.issuer()
    names = [key.label for key in issuer.find(Selector("", details=False))]
    assert names == [f"key {number}" for number in range(count, 0, -1)]
    # Larger pages, where the version has them, are asked for once.
    again = shop.count("list_keys")
    issuer.find(Selector("", details=False))
    assert shop.count("list_keys") - again == (1 if version >= "3.4" or version == "11.0.1" or count == 0 else 5)


def test_the_language_of_the_store_does_not_matter(shop: Shop) -> None:
    shop.settings(language="de")
    issuer = shop.issuer()
    issued = issuer.issue(order("read_write"))
    issuer.revise(issued.key_id, order("read"))
    (key,) = shop.ours(issuer)
    assert key.fields["rights"] == "read"
    assert [f.verdict for f in issuer.verify(issued.secret, {"rights": "read"})] == ["confirmed"] * 3
    with pytest.raises(Rejected):
        issuer.issue(order(user="nobody"))
    issuer.revoke(issued.key_id)
    assert shop.ours(issuer) == []


@pytest.mark.parametrize(
    "purpose", ['Tom & Jerry\'s "shop"', "back\\slash", "café 🚚", "100% natural", "&amp; &lt;b&gt;"]
)
def test_descriptions_stay_as_they_were_sent(shop: Shop, purpose: str) -> None:
    issuer = shop.issuer()
    issuer.issue(order(purpose=purpose))
    (key,) = shop.ours(issuer)
    assert key.fields["purpose"] == purpose


# --- lies (sheet 6) ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"purpose": "x" * 200}, "too long"),
        ({"rights": "delete"}, "read, write or read_write"),
        ({"user": "nobody"}, "no user nobody"),
        ({"user": "robo"}, "no user robo"),
        ({"user": "buyer"}, "role is customer"),
    ],
)
def test_what_a_store_would_keep_otherwise_is_refused_before(shop: Shop, changed: dict[str, Any], words: str) -> None:
    issuer = shop.issuer()
    with pytest.raises(Rejected, match=words):
        issuer.issue(order(**changed))
    assert shop.count("create_key") == 0


def test_changing_a_key_that_is_gone_is_refused(shop: Shop) -> None:
    with pytest.raises(Rejected, match="not at the store"):
        shop.issuer().revise("987654", order())
    assert shop.count("update_key") == 0


def test_a_user_that_is_gone_shows_as_a_ghost(shop: Shop) -> None:
    issuer = shop.issuer()
    issued = issuer.issue(order())
    shop.control.edit_key(shop.name, int(issued.key_id), user=4711)
    (key,) = shop.ours(issuer)
    assert key.fields["user"] == "ghost (#4711)"


def test_a_key_of_a_deleted_user_goes_with_it_from_3_4(shop: Shop) -> None:
    issuer = shop.issuer()
    issued = issuer.issue(order())
    assert shop.ours(issuer)[0].fields["user"] == "robot"
    user_id = next(user.id for user in shop.control.users(shop.name) if user.login == "robot")
    shop.control.delete_user(shop.name, "robot")
    version = next(row.version for row in shop.control.stores() if row.name == shop.name)
    found = [(key.key_id, key.fields["user"]) for key in shop.ours(issuer)]
    assert found == ([(issued.key_id, f"ghost (#{user_id})")] if version in {"2.6.14", "3.2.5"} else [])


def test_a_key_rewritten_by_another_admin_shows_as_it_is(shop: Shop) -> None:
    issuer = shop.issuer()
    issued = issuer.issue(order("read_write"))
    shop.control.edit_key(shop.name, int(issued.key_id), permissions="read", user="connector")
    (key,) = shop.ours(issuer)
    assert (key.fields["rights"], key.fields["user"]) == ("read", "connector")


# --- without an admin login -------------------------------------------------------------------------------------------


def test_a_person_makes_the_keys_where_there_is_no_login(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer(login="none")
    assert issuer.capabilities == BY_PERSON
    for act in (
        lambda: issuer.find(Selector("")),
        lambda: issuer.issue(order()),
        lambda: issuer.revise("1", order()),
        lambda: issuer.revoke("1"),
    ):
        with pytest.raises(PersonNeeded, match="by a person"):
            act()
    by_hand = shop.control.insert_key(shop.name, description=f"sync {mark()}", permissions="read_write", user="robot")
    secret = {"consumer_key": Secret(by_hand.consumer_key), "consumer_secret": Secret(by_hand.consumer_secret)}
    assert [f.verdict for f in issuer.verify(secret, {"rights": "read_write"})] == ["confirmed"] * 3
    assert issuer.probe(secret) == "accepted"
    shop.control.delete_key(shop.name, by_hand.key_id)
    assert issuer.probe(secret) == "refused"
    assert next(f.verdict for f in issuer.verify(secret, {"rights": "read_write"})) == "contradicted"
    assert issuer.control().verdict == "unverifiable"
    assert issuer.facts() == {"api": "wc/v3", "home": shop.url}
    assert shop.count("login") == 0


def test_the_sheets_a_person_works_by(make_shop: MakeShop) -> None:
    shop = make_shop()
    issuer = shop.issuer(login="none")
    fields = order("read_write", purpose="stock").fields
    make, delete = issuer.sheet("make", fields, 3), issuer.sheet("delete", fields, 3)
    assert make.link.startswith(f"{shop.url}/wp-admin/")
    assert Table((("Description", "stock #3"), ("User", "robot"), ("Permissions", "Read/Write"))) in make.steps
    assert "'stock #3'" in delete.title
    assert issuer.losses({}) == ()


# --- rights of the admin login ----------------------------------------------------------------------------------------


def test_a_shop_managers_login_may_not_give_keys_to_others_from_3_5(shop: Shop) -> None:
    row = next(row for row in shop.control.stores() if row.name == shop.name)
    shop.log_in_as("robot")
    issuer = shop.issuer()
    issuer.issue(order(user="robot"))
    if row.version in {"3.5.3", "11.0.1"}:
        with pytest.raises(Rejected, match="refuses this key"):
            issuer.issue(order(user="connector", number=2))
        assert len(shop.control.keys(shop.name)) == 2
    else:
        assert issuer.issue(order(user="connector", number=2)).key_id


def test_a_customers_login_may_not_manage_keys(shop: Shop) -> None:
    shop.log_in_as("buyer")
    with pytest.raises(Forbidden, match="manage_woocommerce"):
        shop.issuer().find(Selector(""))


def test_a_stored_credential_without_its_fields_is_not_guessed_about(make_shop: MakeShop) -> None:
    with pytest.raises(Unexpected, match="lacks consumer_key"):
        make_shop().issuer().probe({"consumer_key": Secret("ck_0")})


def test_two_keys_may_have_one_description(shop: Shop) -> None:
    issuer = shop.issuer()
    made = {issuer.issue(order()).key_id, issuer.issue(order()).key_id}
    assert {key.key_id for key in shop.ours(issuer)} == made
