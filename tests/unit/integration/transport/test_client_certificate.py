"""A client certificate is shown to the host that it is for."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integration.errors import ConfigurationError, Outage
from integration.transport import Host, Request
from integration.transport.trust import Trust
from sandbox.machine.certificates import make_certificates
from tests.unit.integration.transport.parts import TransportTo


class Strict:
    """A server that talks to nobody without a certificate of its authority."""

    def __init__(self, url: str, ca_file: str, certificate: str) -> None:
        self.url, self.ca_file, self.certificate = url, ca_file, certificate


def client_certificate() -> tuple[str, str]:
    """A certificate that has signed itself, and its key (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "integration")]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    return certificate.public_bytes(pem).decode(), private.decode()


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Strict]:
    make_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    certificate, key = client_certificate()
    context.load_verify_locations(cadata=certificate)
    context.verify_mode = ssl.CERT_REQUIRED

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readline():
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    yield Strict(f"https://127.0.0.1:{port}", str(tmp_path / "ca.pem"), certificate + key)
    server.close()


async def test_the_certificate_admits_us(strict: Strict, transport_to: TransportTo) -> None:
    transport = transport_to(Host(strict.url, ca_file=strict.ca_file, client_certificate=strict.certificate))
    assert (await transport.send(Request("erp", "look", "GET", f"{strict.url}/"))).ok


async def test_without_it_nobody_answers(strict: Strict, transport_to: TransportTo) -> None:
    transport = transport_to(Host(strict.url, ca_file=strict.ca_file))
    with pytest.raises(Outage):
        await transport.send(Request("erp", "look", "GET", f"{strict.url}/"))


def test_what_is_no_certificate_is_said_without_showing_it() -> None:
    text = "-----BEGIN CERTIFICATE-----\nsecret\n-----END CERTIFICATE-----"
    with pytest.raises(ConfigurationError) as raised:
        Trust().context(None, text)
    assert "secret" not in str(raised.value)


def test_a_certificate_does_not_show_in_what_is_printed() -> None:
    assert "secret" not in repr(Host("https://erp.example", client_certificate="secret"))
