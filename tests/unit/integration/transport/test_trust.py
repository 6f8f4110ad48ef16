"""Whom a connection trusts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integration.transport.trust import Trust


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    """A certificate authority of a company."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Contoso CA")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today)
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "ca.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_ca_file_replaces_the_public_authorities(ca_file: Path) -> None:
    """Nobody else can vouch for that host; for all others the public ones do, and this one does not."""
    trust = Trust()
    (own,) = trust.context(str(ca_file)).get_ca_certs()

    assert own["subject"] == ((("commonName", "Contoso CA"),),)
    public = trust.context(None).get_ca_certs()
    assert len(public) > 50
    assert own not in public


def test_names_are_checked_and_authorities_read_once(ca_file: Path) -> None:
    trust = Trust()

    assert trust.context(None).check_hostname
    assert trust.context(None) is trust.context(None)
    assert trust.context(str(ca_file)) is trust.context(str(ca_file))
