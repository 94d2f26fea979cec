"""Answers to the validations of a certificate authority: by HTTP-01 (RFC 8555 section 8.3) on the port for plain HTTP,
and by TLS-ALPN-01 (RFC 8737) on the relay's one port, in between the ordinary handshakes."""

from __future__ import annotations

import datetime
import hashlib
import ssl
import weakref
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from polynya.relay.addresses import as_ip
from polynya.relay.authority import Challenge
from polynya.relay.certificates import any_name, key_pem
from polynya.relay.files import write_private
from polynya.relay.hello import CLIENT_HELLO, HANDSHAKE

HTTP_01 = "http-01"
TLS_ALPN_01 = "tls-alpn-01"
WELL_KNOWN = "/.well-known/acme-challenge/"
ALPN = "acme-tls/1"
_ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
_OFFER = bytes([len(ALPN)]) + ALPN.encode()
"""The protocol's name in a ClientHello's list (RFC 7301 section 3.1)."""


class Challenges:
    """Those that are going on. `folder` takes the file of a challenge's certificate for the moment in which it is
    loaded."""

    def __init__(self, context: ssl.SSLContext, folder: Path, has_plain_http: bool) -> None:
        self._context = context
        self._folder = folder
        self.has_plain_http = has_plain_http
        self._tokens: dict[str, str] = {}
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._offers: weakref.WeakSet[Any] = weakref.WeakSet()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Those that can be answered. TLS-ALPN-01 is first, as its port must be open anyway; it takes a hook of
        `ssl` that Python does not document."""
        kinds = (TLS_ALPN_01,) if hasattr(self._context, "_msg_callback") else ()
        return (*kinds, HTTP_01) if self.has_plain_http else kinds

    async def prepare(self, challenge: Challenge) -> None:
        """From now on the challenge can be validated."""
        if challenge.kind == HTTP_01:
            self._tokens[challenge.token] = challenge.key_authorization
            return
        self._contexts[_server_name(challenge.name)] = _challenge_context(challenge, self._folder)
        self._context._msg_callback = self._see  # type: ignore[attr-defined]
        self._context.sni_callback = self._choose

    def clear(self) -> None:
        """Ends all challenges; ordinary handshakes pass no hook any more."""
        self._tokens.clear()
        self._contexts.clear()
        if hasattr(self._context, "_msg_callback"):
            self._context._msg_callback = None
        self._context.sni_callback = any_name

    def http_answer(self, path: str) -> str | None:
        """The body for a request of plain HTTP to `path`, where it is a challenge's."""
        return self._tokens.get(path.removeprefix(WELL_KNOWN)) if path.startswith(WELL_KNOWN) else None

    def _see(self, connection: Any, direction: str, _: Any, content: Any, kind: Any, data: bytes) -> None:
        """Of each handshake message: remembers who offers the challenge's protocol. `ssl` tells the name that is asked
        for, but not the protocols."""
        if direction == "read" and (content, kind) == (HANDSHAKE, CLIENT_HELLO) and _OFFER in data:
            self._offers.add(connection)

    def _choose(self, connection: Any, name: str | None, _: ssl.SSLContext) -> None:
        context = self._contexts.get((name or "").lower())
        if context is not None and connection in self._offers:
            connection.context = context


def _server_name(name: str) -> str:
    """What the CA sends as SNI: an address by its name in the reverse tree (RFC 8738 section 6)."""
    ip = as_ip(name)
    return name.lower() if ip is None else ip.reverse_pointer


def _challenge_context(challenge: Challenge, folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "challenge")])
    digest = hashlib.sha256(challenge.key_authorization.encode()).digest()
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_general_name(challenge.name)]), critical=False)
        # DER of an OCTET STRING of 32 bytes (RFC 8737 section 3).
        .add_extension(x509.UnrecognizedExtension(_ACME_IDENTIFIER, b"\x04\x20" + digest), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([ALPN])
    path = folder / "challenge.pem"
    write_private(path, pem)
    try:
        context.load_cert_chain(path)
    finally:
        path.unlink(missing_ok=True)
    return context


def _general_name(name: str) -> x509.GeneralName:
    ip = as_ip(name)
    return x509.DNSName(name) if ip is None else x509.IPAddress(ip)
