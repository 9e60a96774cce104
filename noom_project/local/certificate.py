"""A self-signed certificate for this machine's names, with its key in a file."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from noom_project.local import private_files

VALID_FOR = timedelta(days=365)
RENEWED_BEFORE_END = timedelta(days=7)


def load_or_create_certificate(path: Path, hosts: Iterable[str]) -> Path:
    """Returns the PEM file `path`, made anew if it lacks a host or expires.

    `hosts` are names and addresses. Otherwise the file stays, because a phone's owner has to accept
    each new certificate.
    """
    names = [_general_name(host) for host in hosts]
    if not (path.exists() and _serves(path.read_bytes(), names)):
        private_files.write(path, _new_pem(names))
    return path


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _serves(pem: bytes, names: list[x509.GeneralName]) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError:  # cut short by a crash, or another program's
        return False
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    ends = certificate.not_valid_after_utc
    return set(names) <= set(held) and datetime.now(UTC) < ends - RENEWED_BEFORE_END


def _new_pem(names: list[x509.GeneralName]) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Noom on this network")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a phone's clock may be behind
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    return key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, plain
    ) + certificate.public_bytes(pem)
