"""As much of a TLS ClientHello as it takes to see which protocols its sender offers (RFC 8446 section 4.1.2, RFC 7301)."""

from __future__ import annotations

HANDSHAKE, CLIENT_HELLO, ALERT = 22, 1, 21
"""Types of record and message (RFC 8446 sections 5.1 and 4)."""
RECORD_HEAD = 5
NO_PROTOCOL = bytes((ALERT, 3, 3, 0, 2, 2, 120))
"""The record of a fatal no_application_protocol alert (RFC 7301 section 3.2)."""
BAD_NAME = bytes((ALERT, 3, 3, 0, 2, 2, 112))
"""The record of a fatal unrecognized_name alert (RFC 6066 section 3)."""
_NAME, _ALPN = 0, 16
SPOKEN = frozenset((b"http/1.1", b"http/1.0", b"http/0.9", b"acme-tls/1"))
"""What ordinary servers without HTTP/2 take, and the certificate authority's."""


def size_of(first: bytes) -> int:
    """Bytes of the first record, as far as can be said from its beginning; of one that is too long its head is
    enough."""
    if len(first) < RECORD_HEAD:
        return RECORD_HEAD
    size = int.from_bytes(first[3:5], "big")
    return RECORD_HEAD + (size if size <= 16_384 else 0)


def refusal(record: bytes) -> bytes | None:
    """The alert for a hello that names protocols, and none that is spoken here, or a server by what is no name: `ssl`
    answers neither as others do. None for all else, whole or not: TLS itself says what is wrong with that."""
    try:
        found = _extensions(record[RECORD_HEAD:])
        if _ALPN in found and not _protocols(found[_ALPN]) & SPOKEN:
            return NO_PROTOCOL
    except IndexError:
        return None
    return None if found.get(_NAME, b"").isascii() else BAD_NAME


def _extensions(message: bytes) -> dict[int, bytes]:
    if message[0] != CLIENT_HELLO:
        return {}
    at = 4 + 2 + 32
    at += 1 + message[at]
    at += 2 + _number(message, at)
    at += 1 + message[at]
    end = at + 2 + _number(message, at)
    at += 2
    found = {}
    while at + 4 <= end <= len(message):
        kind, size = _number(message, at), _number(message, at + 2)
        content = message[at + 4 : at + 4 + size]
        # Of a name: without type and lengths.
        found[kind] = content[5:] if kind == _NAME else content
        at += 4 + size
    return found


def _number(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]


def _protocols(offer: bytes) -> set[bytes]:
    at, end = 2, 2 + _number(offer, 0)
    found = set()
    while at < end:
        size = offer[at]
        found.add(offer[at + 1 : at + 1 + size])
        at += 1 + size
    return found
