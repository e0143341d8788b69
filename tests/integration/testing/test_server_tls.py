"""The served fake over TLS, which Amazon's KPL insists on."""

import datetime as dt
import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fakes.kinesis_server import KinesisServer, kinesis_server
from orderstream import Producer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KinesisServer]:
    """A fake with a certificate of its own making."""
    certificate, key = self_signed(tmp_path_factory.mktemp("tls"))
    with kinesis_server(
        *("--stream", "orders", "--certificate", certificate, "--key", key), trusted=certificate
    ) as running:
        yield running


def self_signed(directory: Path) -> tuple[str, str]:
    """Make a certificate for the loopback address, good for a day; return the files of it and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    files = directory / "certificate.pem", directory / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(files[0]), str(files[1])


def test_records_arrive_over_tls(server: KinesisServer) -> None:
    """The producer writes through a client that trusts the certificate, and GetRecords gives it back."""
    with Producer("orders", client=server.client()) as producer:
        placed = producer.put(b"data", "key").result(30)
    client = server.client()
    iterator = client.get_shard_iterator(
        StreamName="orders", ShardId=placed.shard_id, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    (record,) = client.get_records(ShardIterator=iterator)["Records"]
    assert (record["Data"], record["PartitionKey"]) == (b"data", "key")


def test_nobody_is_served_without_tls(server: KinesisServer, tmp_path: Path) -> None:
    """Plain HTTP gets no response on that port, and who trusts another certificate does not go on."""
    plain = KinesisServer(server.process, server.port)
    with pytest.raises(ConnectionError):
        plain.send("GET", "/health")
    other, _ = self_signed(tmp_path)
    with pytest.raises(SSLError):
        KinesisServer(server.process, server.port, other).client().list_streams()
