"""The certificate for phones on the same network: kept while it serves, made anew when not."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from noom_project.local import certificate
from noom_project.local.certificate import load_or_create_certificate

HOSTS = ["localhost", "127.0.0.1", "::1", "192.168.7.2"]


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return tmp_path / "var" / "https.pem"


def test_certificate_names_every_host_and_is_private(pem: Path):
    load_or_create_certificate(pem, HOSTS)
    made = x509.load_pem_x509_certificate(pem.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == HOSTS
    assert pem.stat().st_mode & 0o077 == 0


def test_valid_certificate_is_kept(pem: Path):
    first = load_or_create_certificate(pem, HOSTS).read_bytes()
    assert load_or_create_certificate(pem, HOSTS[:2]).read_bytes() == first


def test_certificate_is_renewed_on_another_network(pem: Path):
    first = load_or_create_certificate(pem, HOSTS).read_bytes()
    assert load_or_create_certificate(pem, [*HOSTS, "10.0.0.9"]).read_bytes() != first


def test_certificate_is_renewed_before_it_expires(pem: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(certificate, "VALID_FOR", timedelta(days=6))
    first = load_or_create_certificate(pem, HOSTS).read_bytes()
    monkeypatch.undo()
    assert load_or_create_certificate(pem, HOSTS).read_bytes() != first


def test_truncated_certificate_is_replaced(pem: Path):
    whole = load_or_create_certificate(pem, HOSTS).read_bytes()
    pem.write_bytes(whole[:300])
    assert x509.load_pem_x509_certificate(load_or_create_certificate(pem, HOSTS).read_bytes())
