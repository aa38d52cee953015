"""The Script URL: shown without a scheme, never called without TLS."""

import pytest

from providers.core.errors import AddressRefused
from providers.stone_edge.script_url import LONGEST, script_url

RIGHT = [
    ("connect2cart.example/script.php", "https://connect2cart.example", "/script.php", ()),
    ("  Connect2Cart.example/Script.php\n", "https://connect2cart.example", "/Script.php", ()),
    ("https://connect2cart.example/a/b/", "https://connect2cart.example", "/a/b/", ()),
    ("HTTPS://connect2cart.example", "https://connect2cart.example", "/", ()),
    ("connect2cart.example:8443/script", "https://connect2cart.example:8443", "/script", ()),
    ("connect2cart.example:443/script", "https://connect2cart.example", "/script", ()),
    ("münchen.example/s", "https://xn--mnchen-3ya.example", "/s", ()),
    ("[2001:db8::1]/s", "https://[2001:db8::1]", "/s", ()),
    (
        "store-xyz.bigcommerce.example/accountinggateway.php?action=process&accounting=stoneedge",
        "https://store-xyz.bigcommerce.example",
        "/accountinggateway.php",
        (("action", "process"), ("accounting", "stoneedge")),
    ),
    ("connect2cart.example?id=a%20b&id=", "https://connect2cart.example", "/", (("id", "a b"), ("id", ""))),
]


@pytest.mark.parametrize(("text", "origin", "path", "query"), RIGHT)
def test_a_url_in_its_one_spelling(text: str, origin: str, path: str, query: tuple[tuple[str, str], ...]) -> None:
    found = script_url(text)
    assert (found.origin, found.path, found.query) == (origin, path, query)
    assert script_url(found.text) == found


WRONG = [
    ("", "or with its host"),
    ("/canary/script.php", "or with its host"),
    ("//canary.example/script.php", "or with its host"),
    ("http://canary.example/script.php", "plain http is refused"),
    ("HTTP:canary.example", "plain http is refused"),
    ("ftp://canary.example/script.php", "begins with https://"),
    ("https:canary.example/script.php", "begins with https://"),
    ("javascript:canary", "begins with https://"),
    ("user:canary@shop.example/script", "begins with https://"),
    ("https://user:canary@shop.example/script", "'@'"),
    ("canary@shop.example/script", "'@'"),
    ("canary.example/a b", "no blanks"),
    ("canary.example/a\x00b", "no blanks"),
    ("canary.example\\a", "no blanks"),
    ("canary.example/" + "a" * LONGEST, "short"),
    ("canary.example/script#canary", "before '#'"),
    ("canary.example/a/../b", "plain letters"),
    ("canary.example/./b", "plain letters"),
    ("canary.example/%2e%2e/b", "plain letters"),
    ("canary.example:99999/b", "not an address"),
    ("canary..example/b", "neither a name nor an IP"),
    ("canary.example/b?setifunction=qohreplace", "no function and no login"),
    ("canary.example/b?SETIFunction[]=qohreplace", "no function and no login"),
    ("canary.example/b?%20setifunction=x", "no function and no login"),
    ("canary.example/b?a=1&setiuser=canary", "no function and no login"),
    ("canary.example/b?password=canary", "no function and no login"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_what_is_no_script_url_is_refused_and_not_repeated(text: str, words: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        script_url(text)
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_only_the_origin_is_shown() -> None:
    assert repr(script_url("shop.example/canary?a=canary")) == "ScriptUrl(origin='https://shop.example')"
