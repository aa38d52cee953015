"""The three values that Stone Edge gives back, in every form they may come in."""

import pytest

from providers.core.errors import ConnectionsError
from providers.core.redaction import Secret
from providers.stone_edge.inbound import FIELDS, LARGEST, inbound, parsed

WANTED = ("acme-parts", "pass: w=rd ü", "https://connect2cart.example/script.php?a=1")

RIGHT = [
    "cart_id=acme-parts\ncart_password=pass: w=rd ü\nscript_url=connect2cart.example/script.php?a=1\n",
    "Cart ID/Username: acme-parts\r\n\r\nCart Password: pass: w=rd ü\r\nScript URL: connect2cart.example/script.php?a=1",
    "\ufeffScript URL : https://connect2cart.example/script.php?a=1\n  Cart-ID:acme-parts\nPASSWORD =  pass: w=rd ü ",
    'Username: \'acme-parts\'\n"Cart Password": "pass: w=rd ü"\nURL: connect2cart.example/script.php?a=1',
    "acme-parts\npass: w=rd ü\n\nconnect2cart.example/script.php?a=1\n",
]


@pytest.mark.parametrize("text", RIGHT)
def test_the_values_in_any_of_their_forms(text: str) -> None:
    found = parsed(text.encode())
    assert (found.cart_id.reveal(), found.cart_password.reveal(), found.script.text) == WANTED
    values = found.values()
    assert tuple(values) == FIELDS
    again = inbound(values)
    assert [value.reveal() for value in again.values().values()] == list(WANTED)
    assert "w=rd" not in repr(found)
    assert "script.php" not in repr(found)


WRONG = [
    ("", "cart_id and cart_password and script_url was not given"),
    ("cart_id=canary\nscript_url=canary.example", "cart_password was not given"),
    ("cart_id=canary\ncart_password=canary\ncanary.example", "line 3 is not understood"),
    ("canary\ncanary", "line 1 is not understood"),
    ("Dear canary,\ncart_id=canary\ncart_password=canary\nscript_url=canary.example", "line 1 is not understood"),
    ("cart_id=canary\n\ncart_password=\nscript_url=canary.example", "line 3 has no value"),
    ("cart_id=canary\ncart_password=can\x07ary\nscript_url=canary.example", "line 2 has no value"),
    (f"cart_id={'canary' * 100}\ncart_password=a\nscript_url=canary.example", "line 1 has no value"),
    ("cart_id=a\nUsername: canary\ncart_password=b\nscript_url=canary.example", "line 2 gives cart_id a second time"),
    ("cart_id=a\ncart_password=b\nscript_url=http://canary.example", "line 3: plain http is refused"),
    ("a\n\nb\nhttps://canary.example/#canary", "line 4: a Script URL ends before"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_errors_name_the_line_and_never_what_stands_in_it(text: str, words: str) -> None:
    with pytest.raises(ConnectionsError) as caught:
        parsed(text.encode())
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(("data", "words"), [(b"\xff\xfe", "no text"), (b"a" * (LARGEST + 1), "more than")])
def test_what_is_no_list_of_values_is_not_read(data: bytes, words: str) -> None:
    with pytest.raises(ConnectionsError, match=words):
        parsed(data)


def test_values_by_name_are_held_to_the_same() -> None:
    whole = dict(zip(FIELDS, map(Secret, WANTED), strict=True))
    for name in FIELDS:
        for wrong in ({key: value for key, value in whole.items() if key != name}, {**whole, name: Secret("")}):
            with pytest.raises(ConnectionsError, match=f"^{name} is missing"):
                inbound(wrong)
    with pytest.raises(ConnectionsError) as caught:
        inbound({**whole, "script_url": Secret("http://canary.example")})
    assert str(caught.value).startswith("script_url: plain http is refused")
    with pytest.raises(ConnectionsError) as caught:
        inbound({**whole, "script_url": Secret("a..b")})
    assert "neither a name" in str(caught.value)
