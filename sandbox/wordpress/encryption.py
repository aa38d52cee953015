"""How the SureCart plugin keeps a secret in an option (surecart.md section 3): AES-256-CTR, the salt being the check."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

IV_BYTES = 16


class Encryption:
    """The key and the salt of a site; what another pair has encrypted does not come back."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"LOGGED_IN_KEY" + secret).digest()
        self._salt = hashlib.sha256(b"LOGGED_IN_SALT" + secret).hexdigest()[:32]

    def encrypt(self, text: str) -> str:
        """`base64(iv + base64(ciphertext of text and salt))`: 104 characters for a token of 12, 80 for an empty one."""
        iv = secrets.token_bytes(IV_BYTES)
        encryptor = Cipher(algorithms.AES(self._key), modes.CTR(iv)).encryptor()
        ciphertext = encryptor.update((text + self._salt).encode()) + encryptor.finalize()
        return base64.b64encode(iv + base64.b64encode(ciphertext)).decode()

    def decrypt(self, stored: object) -> str | None:
        """The text, or None where the salt at its end is not ours."""
        if not isinstance(stored, str):
            return None
        try:
            raw = base64.b64decode(stored, validate=True)
            ciphertext = base64.b64decode(raw[IV_BYTES:], validate=True)
            decryptor = Cipher(algorithms.AES(self._key), modes.CTR(raw[:IV_BYTES])).decryptor()
        except (binascii.Error, ValueError):
            return None
        plain = decryptor.update(ciphertext) + decryptor.finalize()
        if not hmac.compare_digest(plain[-len(self._salt) :], self._salt.encode()):
            return None
        return plain[: -len(self._salt)].decode()
