"""Keyed digests by two keys of the transit engine, which nobody can take out of Vault (design.md section 6)."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from providers.core.errors import VaultError, VaultWrongPlace
from providers.core.vault.kv import Caller
from providers.core.vault.paths import checked
from providers.core.vault.wire import NotFoundError

KEYS: Mapping[Literal["marker", "fingerprint"], str] = {
    "marker": "connections-marker",
    "fingerprint": "connections-fingerprint",
}
"""The names of the keys in Vault."""

KEY_VERSION = 1
"""Markers at stores outlive any rotation of the key, and a digest by another version would make our own keys look foreign.
So the version is fixed: rotating the keys in Vault changes nothing, and where version 1 is no longer allowed Vault refuses
loudly. A leaked key is answered by another stack, not by another version."""

_PREFIX = f"vault:v{KEY_VERSION}:"


class TransitKeyring:
    """`Keyring` over a transit mount. Thread-safe."""

    def __init__(self, call: Caller, mount: str, host: str) -> None:
        self._call, self._mount, self._host = call, checked(mount, what="mount"), host

    def mac(self, key: Literal["marker", "fingerprint"], texts: Sequence[str]) -> Sequence[str]:
        """HMAC-SHA-256 of each text, as 64 lower-case hex digits, in one call; none for no texts."""
        if not texts:
            return ()
        name = KEYS[key]
        body = {
            "algorithm": "sha2-256",
            "key_version": KEY_VERSION,
            "batch_input": [{"input": base64.b64encode(text.encode()).decode("ascii")} for text in texts],
        }
        # hvac's own call takes one text only.
        url = f"/v1/{self._mount}/hmac/{name}"

        def action(hvac: Any) -> Any:
            return hvac.adapter.post(url, json=body)

        try:
            answer = self._call("look", f"make digests by the key {name}", action)
        except NotFoundError:
            raise VaultWrongPlace(
                f"the key {name} is not in the transit mount {self._mount}",
                do="Check the mount in _stack.yaml and VAULT_NAMESPACE",
                where=self._host,
            ) from None
        data = answer.get("data")
        results = data.get("batch_results") if isinstance(data, dict) else None
        if not isinstance(results, list) or len(results) != len(texts):
            raise self._garbled(name)
        return tuple(self._digest(name, result) for result in results)

    def _digest(self, name: str, result: object) -> str:
        text = result.get("hmac") if isinstance(result, dict) else None
        if not isinstance(text, str) or not text.startswith(_PREFIX):
            raise self._garbled(name)
        try:
            digest = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raise self._garbled(name) from None
        if len(digest) != 32:
            raise self._garbled(name)
        return digest.hex()

    def _garbled(self, name: str) -> VaultError:
        return VaultError(
            f"Vault made no digest by version {KEY_VERSION} of the key {name}",
            do="Does the key exist, and is its min_decryption_version still 1?",
            where=self._host,
        )
