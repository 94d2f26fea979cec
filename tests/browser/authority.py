"""A certificate authority of the tests' own, and its trust in a browser's profile."""

from __future__ import annotations

import datetime
import ipaddress
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ONE_DAY = datetime.timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True, slots=True)
class Authority:
    """Issues certificates for addresses. `certificate` is a PEM file."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    issuer: x509.Certificate

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    @classmethod
    def create(cls, folder: Path) -> Authority:
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        issuer = (
            x509.CertificateBuilder()
            .subject_name(_name("Polynya test authority"))
            .issuer_name(_name("Polynya test authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - ONE_DAY)
            .not_valid_after(now + 30 * ONE_DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True
            )
            .sign(key, hashes.SHA256())
        )
        made = cls(folder, key, issuer)
        made.certificate.write_bytes(issuer.public_bytes(serialization.Encoding.PEM))
        return made

    def issue(self, address: str) -> tuple[Path, Path]:
        """Certificate and key files (PEM) for an IPv4 address."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(address))
            .issuer_name(self.issuer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - ONE_DAY)
            .not_valid_after(now + 30 * ONE_DAY)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False
            )
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )
        certificate_file = self.folder / f"{address}.pem"
        key_file = self.folder / f"{address}.key"
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.touch(mode=0o600)
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate_file, key_file

    def trust_in_home(self, home: Path) -> None:
        """Make Chromium started with HOME=`home` trust this authority (NSS database)."""
        database = home / ".pki" / "nssdb"
        database.mkdir(parents=True, exist_ok=True)
        where = f"sql:{database}"
        subprocess.run(["certutil", "-N", "-d", where, "--empty-password"], check=True, capture_output=True)
        subprocess.run(
            ["certutil", "-A", "-d", where, "-n", "polynya-test", "-t", "C,,", "-i", str(self.certificate)],
            check=True,
            capture_output=True,
        )
