"""Verified TLS, for every connection that is not to Vault."""

import ssl
from pathlib import Path

import certifi

from providers.core.errors import DeclarationError


def verified_tls(ca_file: Path | None) -> ssl.SSLContext:
    """Verified TLS by the public authorities, and those of `ca_file`.

    Not `ssl.create_default_context`, which writes session keys wherever SSLKEYLOGFILE says.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(certifi.where())
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError):
            raise DeclarationError(f"the CA file {ca_file} cannot be read as certificates in PEM") from None
    return context
