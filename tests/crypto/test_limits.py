"""Sizes and counts at which primitives stop."""

from __future__ import annotations

import pytest

from polynya.crypto import hashes, hpke
from polynya.crypto.aead import AES_128_GCM
from polynya.crypto.errors import CryptoError
from polynya.crypto.kem import DHKEM_X25519
from tests.support.seeded import SeededRandom

HKDF_MOST = 255 * 32


def contexts() -> tuple[hpke.SenderContext, hpke.ReceiverContext]:
    random = SeededRandom(7)
    private, public = DHKEM_X25519.generate(random)
    enc, sender = hpke.setup_sender(DHKEM_X25519, 1, AES_128_GCM.id, public, b"", random)
    return sender, hpke.setup_receiver(DHKEM_X25519, 1, AES_128_GCM.id, private, enc, b"")


@pytest.mark.parametrize("length", [-1, HKDF_MOST + 1])
def test_hkdf_gives_no_more_than_255_blocks(length: int) -> None:
    with pytest.raises(CryptoError):
        hashes.hkdf_expand(bytes(32), b"", length)
    with pytest.raises(CryptoError):
        contexts()[0].export(b"", length)


def test_hkdf_gives_all_that_it_may() -> None:
    assert len(hashes.hkdf_expand(bytes(32), b"", HKDF_MOST)) == HKDF_MOST
    assert hashes.hkdf_expand(bytes(32), b"", 0) == b""
    sender, receiver = contexts()
    assert sender.export(b"x", HKDF_MOST) == receiver.export(b"x", HKDF_MOST)


def test_a_context_seals_no_two_messages_under_one_nonce() -> None:
    sender, receiver = contexts()
    for context in (sender, receiver):
        context._sequence = (1 << 96) - 2
    sealed = sender.seal(b"", b"last but one")
    assert receiver.open(b"", sealed) == b"last but one"
    with pytest.raises(CryptoError, match="nonces"):
        sender.seal(b"", b"too many")
    with pytest.raises(CryptoError, match="nonces"):
        receiver.open(b"", sealed)
