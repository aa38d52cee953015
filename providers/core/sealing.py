"""Values encrypted to a receiver's public key by age, for one who cannot open a hand-over in Vault.

Only age's own X25519 keys are taken: `age1` and 58 characters with a checksum (age-encryption.org/v1, "The X25519
recipient type"). What comes out is safe to mail; nobody here can open it again.
"""

import json
import re
from collections.abc import Mapping

import pyrage
from pyrage import x25519

from providers.core.errors import DeclarationError
from providers.core.redaction import Secret

KEY_PATTERN = r"age1[02-9ac-hj-np-z]{58}"
"""How a key is written: the characters of Bech32 (BIP 173), in lower case."""

_HOW = "age-keygen prints the public key, which begins with age1"


def key_flaw(key: str) -> str:
    """What is wrong with a public key, in words that never repeat it; "" for a good one."""
    if key.upper().startswith("AGE-SECRET-KEY-"):
        return "this is the secret half of a key, and no longer secret; have another made, and write its public half"
    if not re.fullmatch(KEY_PATTERN, key):
        return f"this is not a public key of age: age1 and 58 characters; {_HOW}"
    try:
        x25519.Recipient.from_str(key)
    except pyrage.RecipientError:
        return f"the checksum of this public key is wrong, so it was not copied whole; {_HOW}"
    return ""


def seal(values: Mapping[str, Secret], key: str) -> str:
    """The values as a JSON object, in their order, encrypted to `key` and armoured: lines of ASCII.

    `age --decrypt` with the receiver's key shows them. `DeclarationError` for what is no key.
    """
    flaw = key_flaw(key)
    if flaw:
        raise DeclarationError(flaw, do="Correct the key under recipients in _stack.yaml")
    text = json.dumps({name: value.reveal() for name, value in values.items()}, indent=2) + "\n"
    return pyrage.encrypt(text.encode(), [x25519.Recipient.from_str(key)], armored=True).decode("ascii")
