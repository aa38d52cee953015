"""WooCommerce's words: addresses, purposes and users, as their rules read or refuse them."""

from typing import get_args

import pytest

from providers.core import marker
from providers.core.marker import Owner
from providers.declarations import Connection, Store
from providers.woocommerce import labels
from providers.woocommerce.declared import DECLARED, ApiKey, _login, purpose, store_url
from providers.woocommerce.pages import RIGHTS

RIGHT = [
    ("https://fresh-roast.example", "https://fresh-roast.example"),
    ("HTTPS://Fresh-Roast.Example", "https://fresh-roast.example"),
    ("https://fresh-roast.example:443/Shop", "https://fresh-roast.example/Shop"),
    ("https://localhost:18443/fresh-roast", "https://localhost:18443/fresh-roast"),
    ("https://fresh-roast.example/de/shop_2.a-b", "https://fresh-roast.example/de/shop_2.a-b"),
    ("https://192.0.2.10:8443", "https://192.0.2.10:8443"),
    ("https://xn--rst-qla.example", "https://xn--rst-qla.example"),
]
WRONG = [
    ("http://fresh-roast.example", "does not begin with https://"),
    ("fresh-roast.example", "does not begin with https://"),
    ("https:///shop", "is no host name"),
    ("https://fresh-roast.example/", "no slash at the end: https://fresh-roast.example"),
    ("https://fresh-roast.example/shop//", "no slash at the end: https://fresh-roast.example/shop"),
    ("https://fresh-roast.example/wp-json/wc/v3", "cut it off: https://fresh-roast.example"),
    ("https://fresh-roast.example/shop/wp-admin/", "cut it off: https://fresh-roast.example/shop"),
    ("https://fresh-roast.example/index.php", "cut it off: https://fresh-roast.example"),
    ("https://fresh-roast.example?x=1", "ends before '?' or '#'"),
    ("https://fresh-roast.example/" + "a/" * 100, "228 characters; an address has 200 at most"),
    ("https://fresh-roast.example?", "ends before '?' or '#'"),
    ("https://fresh-roast.example/#top", "ends before '?' or '#'"),
    ("https://admin:word@fresh-roast.example", "holds no user or password"),
    ("https://fresh-roast.example\\@evil.example", "a backslash"),
    ("https://fresh roast.example", "a blank"),
    ("https://fresh-röst.example", "outside ASCII"),
    ("https://fresh_roast.example", "is no host name"),
    ("https://-x.example", "is no host name"),
    ("https://fresh-roast.example.", "is no host name"),
    ("https://[::1]/shop", "is no host name"),
    ("https://[::1/shop", "is no host name"),
    ("https://2130706433", "neither a host name nor an address"),
    ("https://0x7f.1", "neither a host name nor an address"),
    ("https://10.0x7f", "neither a host name nor an address"),
    ("https://fresh-roast.example:0", "no valid port"),
    ("https://fresh-roast.example:99999", "no valid port"),
    ("https://fresh-roast.example:", "no valid port"),
    ("https://fresh-roast.example/a//b", "each part of a path consists of"),
    ("https://fresh-roast.example/a/../b", "each part of a path consists of"),
    ("https://fresh-roast.example/%2e%2e", "each part of a path consists of"),
    ("https://fresh-roast.example/a;b", "each part of a path consists of"),
    # What Vault takes in no path of an admin login.
    ("https://fresh-roast.example/~shop", "each part of a path consists of"),
    ("https://fresh-roast.example/shop_2~a", "each part of a path consists of"),
    ("https://fresh-roast.example/-shop", "each part of a path consists of"),
    ("https://fresh-roast.example/shop.", "each part of a path consists of"),
    ("https://fresh-roast.example/" + "a" * 129, "each part of a path consists of"),
    (["https://fresh-roast.example"], "a list was found"),
]


@pytest.mark.parametrize(("written", "address"), RIGHT)
def test_addresses(written: str, address: str) -> None:
    assert store_url(written) == address
    assert store_url(address) == address


@pytest.mark.parametrize(("written", "said"), WRONG)
def test_refused_addresses(written: object, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        store_url(written)
    assert said in str(caught.value)
    assert "word" not in str(caught.value).replace("password", "")


PURPOSES = [
    "orders & customers",
    "100% of \"them\" \\ 'all'",
    "Kaffee für Zürich",
    "  many   blanks ",
    "emoji ☕ kept",
    "&amp;",
]


@pytest.mark.parametrize("written", PURPOSES)
def test_a_purpose_is_what_the_store_keeps(written: str) -> None:
    kept = purpose(written)
    assert labels.normalise(kept) == kept == " ".join(written.split())
    mark = "connections:production:fresh-roast/orders:3:0123456789abcdef0123"
    assert marker.strip(labels.label(kept, mark)) == kept


@pytest.mark.parametrize("excess", [0, 1])
def test_the_longest_purpose_fits_beside_the_longest_marker(excess: int) -> None:
    owner = Owner("connections", "production", "fresh-roast/orders")
    room = labels.LONGEST - marker.longest(owner) - 1
    text = "o" * (room + excess)
    if not excess:
        assert len(labels.label(text, f"{owner.prefix}999999999:{'0' * marker.MAC_LENGTH}")) == labels.LONGEST
    connection = _connection(text)
    remarks = list(DECLARED.rules(connection, owner))
    assert [remark.what.split(";")[0] for remark in remarks] == (["purpose: 1 characters too many"] if excess else [])


def _connection(text: str) -> Connection:
    store = Store("fresh-roast", "", "woocommerce", "https://fresh-roast.example", {}, "", "retail", "", "", "")
    return Connection(
        name="fresh-roast/orders",
        store=store,
        platform="woocommerce",
        kind="api_key",
        fields={"authentication": "header"},
        purpose=text,
        team="retail",
        ask="",
        verify="read",
        rotate_after=None,
        rotate="",
        overlap=0,
        freeze=None,
        adopt="",
        revoke_on_destroy=False,
        was="",
        accept={},
        by_person=False,
        links=(),
    )


@pytest.mark.parametrize(
    ("login", "right"),
    [
        ("hub-reader", True),
        ("hub reader", True),
        ("a@b.example", True),
        ("7", True),
        (" x", False),
        ("x ", False),
        ("", False),
        ("x" * 61, False),
        ("ä", False),
    ],
)
def test_logins(login: str, right: bool) -> None:
    if right:
        assert _login(login) == login
    else:
        with pytest.raises(ValueError, match="no login name"):
            _login(login)


def test_rights_are_the_stores_three_words() -> None:

    assert set(get_args(ApiKey.model_fields["rights"].annotation)) == RIGHTS
