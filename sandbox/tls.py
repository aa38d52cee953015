"""A throwaway certificate authority, so that everything local speaks verified TLS."""

from __future__ import annotations

import datetime
import fcntl
import ipaddress
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LIFETIME = datetime.timedelta(days=3650)
CERTIFICATE_LIFETIME = datetime.timedelta(days=365)
RENEW_BEFORE = datetime.timedelta(days=2)
CLOCK_TOLERANCE = datetime.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """The local certificate authority of one directory."""

    directory: Path

    @property
    def certificate_path(self) -> Path:
        """The CA file that clients verify against."""
        return self.directory / "ca.pem"

    @property
    def key_path(self) -> Path:
        """The private key of the CA, readable by the owner only."""
        return self.directory / "ca-key.pem"

    def issue(self, name: str, hosts: Sequence[str]) -> tuple[Path, Path]:
        """Certificate and key file for a server called NAME on these hosts; kept while they are good."""
        certificate_path = self.directory / f"{name}.pem"
        key_path = self.directory / f"{name}-key.pem"
        with _locked(self.directory):
            if not _still_good(certificate_path, key_path, self.certificate_path, hosts):
                self._write_certificate(name, hosts, certificate_path, key_path)
        return certificate_path, key_path

    def _write_certificate(self, name: str, hosts: Sequence[str], certificate_path: Path, key_path: Path) -> None:
        ca = x509.load_pem_x509_certificate(self.certificate_path.read_bytes())
        ca_key = serialization.load_pem_private_key(self.key_path.read_bytes(), None)
        if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
            raise TypeError("the local CA key is not an elliptic curve key")
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(_name(name), ca.subject, key, CERTIFICATE_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        _write_private(key_path, _pem(key))
        certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def ensure_authority(directory: Path) -> Authority:
    """The authority of this directory, made on first use and kept from then on."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = Authority(directory)
    with _locked(directory):
        if not (authority.certificate_path.exists() and authority.key_path.exists()):
            key = ec.generate_private_key(ec.SECP256R1())
            subject = _name("Sandbox local CA")
            certificate = (
                _builder(subject, subject, key, CA_LIFETIME)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(_key_usage(signs_certificates=True), critical=True)
                .sign(key, hashes.SHA256())
            )
            _write_private(authority.key_path, _pem(key))
            authority.certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return authority


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One process at a time: a Vault server and the sandbox may start together in one directory."""
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _still_good(certificate_path: Path, key_path: Path, ca_path: Path, hosts: Sequence[str]) -> bool:
    if not (certificate_path.exists() and key_path.exists()):
        return False
    certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(ca_path.read_bytes()))
    except (InvalidSignature, TypeError, ValueError):
        return False
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    fresh = certificate.not_valid_after_utc > _now() + RENEW_BEFORE
    return fresh and set(names) == {_general_name(host) for host in hosts}


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, lifetime: datetime.timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - CLOCK_TOLERANCE)
        .not_valid_after(_now() + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_private(path: Path, content: bytes) -> None:
    """Write a file that nobody else can read, at no moment."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
