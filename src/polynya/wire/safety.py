"""Safety numbers (protocol.md section 4)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from polynya.crypto.compare import equal
from polynya.wire.errors import WireError

ITERATIONS = 5200
"""Each try at an identity with a chosen fingerprint costs that many SHA-512: some 2 ms."""
QR_PREFIX = "polynya-safety-1:"
AUTHENTICATOR_SIZE = 32


@dataclass(frozen=True, slots=True)
class SafetyCode:
    """What a QR code holds: the identity keys in ascending order, and the conversation's epoch
    authenticator."""

    low: bytes
    high: bytes
    epoch_authenticator: bytes = field(repr=False)


def _groups(data: bytes, count: int) -> tuple[str, ...]:
    """`count` groups of five digits from five bytes each."""
    numbers = (int.from_bytes(data[5 * i : 5 * i + 5], "big") % 100_000 for i in range(count))
    return tuple(f"{n:05}" for n in numbers)


def identity_groups(one: bytes, other: bytes) -> tuple[str, ...]:
    """Eight groups of five digits for two identity keys, the same whichever comes first."""
    pair = b"".join(sorted((one, other)))
    digest = hashlib.sha512(b"polynya fingerprint 1" + pair).digest()
    for _ in range(ITERATIONS):
        digest = hashlib.sha512(digest + pair).digest()
    return _groups(digest, 8)


def epoch_groups(epoch_authenticator: bytes) -> tuple[str, ...]:
    """Four groups of five digits for an epoch of a conversation."""
    return _groups(hashlib.sha256(b"polynya epoch 1" + epoch_authenticator).digest(), 4)


def safety_number(one: bytes, other: bytes, epoch_authenticator: bytes) -> tuple[str, ...]:
    """Twelve groups of five digits: eight of the identities, four of the epoch."""
    return identity_groups(one, other) + epoch_groups(epoch_authenticator)


def safety_qr(one: bytes, other: bytes, epoch_authenticator: bytes) -> str:
    """Text of the QR code."""
    low, high = sorted((one, other))
    data = low + high + epoch_authenticator
    return QR_PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")


def parse_safety_qr(text: str) -> SafetyCode:
    """Raises WireError `safety-qr` for anything that `safety_qr` does not write."""
    try:
        data = base64.urlsafe_b64decode(text.removeprefix(QR_PREFIX) + "==")
    except (binascii.Error, ValueError):
        raise WireError("safety-qr") from None
    low, high, authenticator = data[:32], data[32:64], data[64:]
    written = safety_qr(low, high, authenticator)
    if len(authenticator) != AUTHENTICATOR_SIZE or not equal(written.encode(), text.encode()):
        raise WireError("safety-qr")
    return SafetyCode(low, high, authenticator)
