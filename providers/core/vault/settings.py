"""How to reach Vault and how to log in, from the environment alone (vault.md 2.2, 7.4).

Nothing is taken from the home folder, and nothing of it travels in declarations or in the engine's state.
"""

import ipaddress
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from providers.core.errors import VaultDenied, VaultError
from providers.core.redaction import Secret

Source = Path | Secret
"""A login value: itself, or the file it stands in, which is read again at every login."""

_LARGEST = 64 * 1024
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Login:
    """How a token is had. `name` is the role id (`approle`) or the role (`jwt`); `value` the token, secret-id or JWT."""

    method: Literal["token", "approle", "jwt"]
    value: Source = field(repr=False)
    name: str = field(default="", repr=False)
    mount: str = ""

    def secret(self) -> Secret:
        """The token, secret-id or JWT, as of now."""
        if isinstance(self.value, Secret):
            return self.value
        try:
            with self.value.open("rb") as file:
                text = file.read(_LARGEST).decode("ascii").strip()
        except (OSError, ValueError):
            text = ""
        if not _PRINTABLE.fullmatch(text):
            raise VaultDenied(
                f"the file {self.value} with the login for Vault cannot be read, is empty or holds something else",
                do="Put the token, secret-id or JWT into it, alone",
            ) from None
        return Secret(text)


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """Where Vault is, whose certificate it must have, and how to log in.

    `ca_file` None means the usual public authorities. `client_certificate` is certificate and key, where Vault asks for
    one. `connect_within` and `answer_within` are seconds.
    """

    address: str
    login: Login
    namespace: str = ""
    ca_file: Path | None = None
    client_certificate: tuple[Path, Path] | None = None
    connect_within: float = 5.0
    answer_within: float = 30.0

    def __post_init__(self) -> None:
        host = _host(self.address)
        if not host:
            raise VaultError(
                "VAULT_ADDR is not the address of a server",
                do="It looks like https://vault.example:8200: https, host and port, nothing else",
            )
        if self.address.startswith("http:") and not _loopback(host):
            raise VaultError(
                "Vault is only spoken to by https", do="Put https into VAULT_ADDR, and the CA file into VAULT_CACERT"
            )
        for path in (self.ca_file, *(self.client_certificate or ())):
            if path is not None and not path.is_file():
                raise VaultError(
                    f"the certificate file {path} is not there", do="Correct VAULT_CACERT or VAULT_CLIENT_*"
                )

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return urllib.parse.urlsplit(self.address).netloc

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "VaultSettings":
        """The settings that these variables describe; a `VaultError` names the one that is missing.

        `VAULT_ADDR`, `VAULT_NAMESPACE`, `VAULT_CACERT`, `VAULT_CLIENT_CERT` with `VAULT_CLIENT_KEY`, and exactly one login:
        `VAULT_TOKEN` or `VAULT_TOKEN_FILE`; `VAULT_ROLE_ID` with `VAULT_SECRET_ID` or `VAULT_SECRET_ID_FILE`;
        `VAULT_JWT_ROLE` with `VAULT_JWT_FILE`. `VAULT_APPROLE_MOUNT` and `VAULT_JWT_MOUNT` name other auth mounts.
        """
        given = {name: value.strip() for name, value in environ.items() if name.startswith("VAULT_") and value.strip()}
        if "VAULT_ADDR" not in given:
            raise VaultError("VAULT_ADDR is not set", do="Set it to the address of Vault")
        certificate, key = given.get("VAULT_CLIENT_CERT"), given.get("VAULT_CLIENT_KEY")
        if (certificate is None) != (key is None):
            raise VaultError("VAULT_CLIENT_CERT and VAULT_CLIENT_KEY belong together", do="Set both, or neither")
        return cls(
            address=given["VAULT_ADDR"].rstrip("/"),
            login=_login(given),
            namespace=given.get("VAULT_NAMESPACE", "").strip("/"),
            ca_file=Path(given["VAULT_CACERT"]) if "VAULT_CACERT" in given else None,
            client_certificate=(Path(certificate), Path(key)) if certificate and key else None,
        )


def _login(given: Mapping[str, str]) -> Login:
    methods = {
        "token": "VAULT_TOKEN" in given or "VAULT_TOKEN_FILE" in given,
        "approle": "VAULT_ROLE_ID" in given,
        "jwt": "VAULT_JWT_ROLE" in given,
    }
    chosen = [method for method, is_given in methods.items() if is_given]
    if not chosen:
        raise VaultDenied(
            "no login for Vault is set",
            do="Set VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID_FILE, or VAULT_JWT_ROLE and VAULT_JWT_FILE",
        )
    if len(chosen) > 1:
        raise VaultDenied(f"more than one login for Vault is set: {', '.join(chosen)}", do="Unset all but one")
    if chosen == ["token"]:
        return Login("token", _source(given, "VAULT_TOKEN"))
    if chosen == ["approle"]:
        mount = given.get("VAULT_APPROLE_MOUNT", "approle")
        return Login("approle", _source(given, "VAULT_SECRET_ID"), given["VAULT_ROLE_ID"], mount)
    if "VAULT_JWT_FILE" not in given:
        raise VaultDenied("VAULT_JWT_ROLE is set without VAULT_JWT_FILE", do="Name the file that holds the JWT")
    return Login("jwt", Path(given["VAULT_JWT_FILE"]), given["VAULT_JWT_ROLE"], given.get("VAULT_JWT_MOUNT", "jwt"))


def _source(given: Mapping[str, str], name: str) -> Source:
    file = f"{name}_FILE"
    if name in given and file in given:
        raise VaultDenied(f"{name} and {file} are both set", do="Unset one")
    if file in given:
        return Path(given[file])
    if name not in given:
        raise VaultDenied(f"VAULT_ROLE_ID is set without {name}", do=f"Name the file that holds it: {file}")
    if not _PRINTABLE.fullmatch(given[name]):
        raise VaultDenied(f"{name} holds characters that no such value has", do="Set it again")
    return Secret(given[name])


def _host(address: str) -> str:
    """The host of an address that is nothing but scheme, host and port; "" for any other text."""
    try:
        parts = urllib.parse.urlsplit(address)
        rebuilt = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port is not None else "")
    except ValueError:
        return ""
    plain = address.lower().replace("[", "").replace("]", "")
    return parts.hostname or "" if parts.scheme in {"http", "https"} and plain == rebuilt else ""


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
