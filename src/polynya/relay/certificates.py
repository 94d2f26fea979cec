"""The relay's certificate: its file, what it says, and the TLS context that presents it."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from polynya.relay.errors import ConfigError

FOLDER = "certificates"
"""In the data folder, with a folder for each certificate authority."""
CERTIFICATE = "certificate.pem"
"""Private key and chain in one file, so that they are replaced together."""

CIPHERS = ":".join(
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "DHE-RSA-AES128-GCM-SHA256",
        "DHE-RSA-AES256-GCM-SHA384",
    )
)
"""Of TLS 1.2, and the client chooses: what certbot and Mozilla's generator put into web servers' settings, so that a
relay's handshake is like those of most sites; all have forward secrecy."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is known of a certificate; times in ms since the epoch."""

    names: frozenset[str]
    """host names and addresses that it holds for"""
    begins: int
    ends: int
    chain: str
    """PEM, without the key"""

    @property
    def lifetime(self) -> int:
        return self.ends - self.begins

    def covers(self, names: tuple[str, ...]) -> bool:
        return self.names >= set(names)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PKCS #8 in PEM, not encrypted: for `write_private` only."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_certificate(pem: bytes) -> Certificate:
    """The first certificate of a chain; a private key among them is passed over. Raises ValueError."""
    chain = x509.load_pem_x509_certificates(pem)
    first = chain[0]
    names: set[str] = set()
    try:
        extension = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        pass
    else:
        names |= {name.lower() for name in extension.get_values_for_type(x509.DNSName)}
        names |= {str(address) for address in extension.get_values_for_type(x509.IPAddress)}
    only_chain = re.sub(
        rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\s*", b"", pem, flags=re.S
    )
    return Certificate(
        frozenset(names),
        int(first.not_valid_before_utc.timestamp() * 1000),
        int(first.not_valid_after_utc.timestamp() * 1000),
        only_chain.decode("ascii", "replace"),
    )


def authority_folder(data: Path, directory: str) -> Path:
    """Where an authority's account and certificate are: one that was only tried never stands in for another."""
    host = directory.partition("://")[2].partition("/")[0]
    return data / FOLDER / re.sub(r"[^A-Za-z0-9.-]", "_", host)


def server_context() -> ssl.SSLContext:
    """Without a certificate: handshakes fail until one is loaded."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.set_ciphers(CIPHERS)
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.sni_callback = any_name
    return context


def any_name(_connection: object, _name: str | None, _context: ssl.SSLContext) -> None:
    """Every name gets the one certificate, and is acknowledged (RFC 6066 section 3), as web servers do."""


def load(context: ssl.SSLContext, certificate: Path, key: Path | None = None) -> Certificate:
    """New handshakes present these files; connections that there are go on as they are. Tried out first: a context
    that has taken one file and not the other would refuse everybody. Raises OSError or ValueError (of which
    ssl.SSLError is the former)."""
    server_context().load_cert_chain(certificate, key, _no_passphrase)
    found = read_certificate(certificate.read_bytes())
    context.load_cert_chain(certificate, key, _no_passphrase)
    return found


def _no_passphrase() -> str:
    """Without this OpenSSL would ask for one on the terminal."""
    raise ValueError("the key has a passphrase")


def load_given(context: ssl.SSLContext, certificate: Path, key: Path) -> Certificate:
    """The operator's own files. Raises ConfigError."""
    for path, option in ((certificate, "--tls-cert"), (key, "--tls-key")):
        try:
            path.open("rb").close()
        except OSError:
            raise ConfigError(f"The file {path} cannot be read. Check {option}.") from None
    try:
        return load(context, certificate, key)
    except (OSError, ValueError):
        raise ConfigError(
            f"{certificate} and {key} are not a certificate and its key without a passphrase, "
            "both in PEM. Check --tls-cert and --tls-key."
        ) from None
