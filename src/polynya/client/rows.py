"""How rows look on disk: keyed hashes for keys, AES-256-GCM for values, each bound to its place.

Who reads the disk sees how many rows there are and how large. Who can write to it can put back an older
copy of everything: nothing stored in one place can show that.
"""

from __future__ import annotations

import struct

from polynya.client.storekey import damaged
from polynya.crypto.aead import AES_256_GCM
from polynya.crypto.errors import CryptoError
from polynya.crypto.hashes import hkdf_expand, hmac_sha256
from polynya.crypto.random import Random

NONCE = 12
EACH_DAY = 86_400_000
"""ms. Every day has a key of its own: random nonces hold for 2^32 values under one key (NIST SP 800-38D,
section 8.3), which is 49,000 writes a second all day long."""


class RowSeal:
    """Seals and opens rows under keys that come from the store's master key."""

    def __init__(self, master: bytes, random: Random) -> None:
        self._names = hkdf_expand(master, b"polynya store names 1", 32)
        self._values = hkdf_expand(master, b"polynya store values 1", 32)
        self._random = random
        self._days: dict[int, bytes] = {}

    def name(self, *parts: bytes) -> bytes:
        """16 bytes that stand for `parts` and tell nothing of them."""
        return hmac_sha256(self._names, b"".join(struct.pack(">I", len(part)) + part for part in parts))[:16]

    def _key(self, day: int) -> bytes:
        key = self._days.get(day)
        if key is None:
            key = self._days[day] = hkdf_expand(self._values, struct.pack(">I", day), 32)
        return key

    def seal(self, place: bytes, value: bytes, now: int) -> bytes:
        """`place` says where the row lies; only there does it open."""
        day = (now // EACH_DAY) & 0xFFFFFFFF
        nonce = self._random.bytes(NONCE)
        return struct.pack(">I", day) + nonce + AES_256_GCM.seal(self._key(day), nonce, place, value)

    def open(self, place: bytes, sealed: bytes) -> bytes:
        """Raises StoreDamaged for a row that was changed or moved."""
        try:
            (day,) = struct.unpack_from(">I", sealed)
            return AES_256_GCM.open(self._key(day), sealed[4 : 4 + NONCE], place, sealed[4 + NONCE :])
        except (CryptoError, struct.error) as error:
            raise damaged("a row does not open") from error
