"""Values sealed to a public key: only its owner reads them, and what is no key is refused without a word of it."""

import json

import pyrage
import pytest
from pyrage import x25519

from providers.core import sealing
from providers.core.errors import DeclarationError
from providers.core.redaction import Secret


def test_only_the_receiver_reads_what_was_sealed() -> None:
    receiver, stranger = x25519.Identity.generate(), x25519.Identity.generate()
    values = {"client_secret": Secret("sealed-canary-ü-1"), "access_token": Secret("sealed-canary-2\n")}
    sealed = sealing.seal(values, str(receiver.to_public()))
    opened = json.loads(pyrage.decrypt(sealed.encode(), [receiver]))
    assert list(opened.items()) == [(name, value.reveal()) for name, value in values.items()]
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed.encode(), [stranger])
    lines = sealed.splitlines()
    assert (lines[0], lines[-1]) == ("-----BEGIN AGE ENCRYPTED FILE-----", "-----END AGE ENCRYPTED FILE-----")
    assert sealed.isascii()
    assert max(map(len, lines)) <= 64
    assert "canary" not in sealed


def test_no_two_sealed_texts_are_alike() -> None:
    key = str(x25519.Identity.generate().to_public())
    assert sealing.seal({"a": Secret("value")}, key) != sealing.seal({"a": Secret("value")}, key)


GOOD = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
"""The public key of age's own README: the same in every process, as names of tests must be."""

FLAWS = {
    "": "not a public key",
    "age1": "not a public key",
    f"{GOOD} ": "not a public key",
    f"{GOOD}\n": "not a public key",
    GOOD.upper(): "not a public key",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5": "not a public key",
    f"age1pq1{GOOD[4:]}": "not a public key",
    GOOD[:-1] + ("q" if GOOD[-1] != "q" else "p"): "checksum",
    "AGE-SECRET-KEY-1CANARY": "secret half",
    "age-secret-key-1canary": "secret half",
}


@pytest.mark.parametrize(("key", "words"), FLAWS.items())
def test_what_is_no_key_is_said_and_not_repeated(key: str, words: str) -> None:
    assert words in sealing.key_flaw(key)
    with pytest.raises(DeclarationError, match=words) as caught:
        sealing.seal({"a": Secret("value-canary")}, key)
    assert caught.value.__cause__ is None
    shown = str(caught.value).lower()
    assert "canary" not in shown
    assert len(key) < 5 or key.lower() not in shown


def test_a_good_key_has_no_flaw() -> None:
    assert sealing.key_flaw(GOOD) == ""
