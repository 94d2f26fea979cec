"""KEMs and HPKE against RFC 9180 A.1.1 and the X-Wing draft's vectors."""

from __future__ import annotations

import builtins
import json
from hashlib import shake_256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey

from polynya.crypto import hpke
from polynya.crypto.aead import AEADS
from polynya.crypto.errors import CryptoError
from polynya.crypto.kem import DHKEM_X25519, LOW_ORDER, Kem
from polynya.crypto.xwing import XWING
from tests.support.seeded import SeededRandom

KEMS = [DHKEM_X25519, XWING]

INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
IKM_E = bytes.fromhex("7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234")
IKM_R = bytes.fromhex("6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037")
PLAINTEXT = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")


Pair = tuple[bytes, bytes]


class Fixed:
    """A `Random` that hands out what it was given, once."""

    def __init__(
        self, data: builtins.bytes, encapsulation: tuple[builtins.bytes, builtins.bytes] = (b"", b"")
    ) -> None:
        self.data = data
        self.encapsulation = encapsulation

    def bytes(self, n: int) -> builtins.bytes:
        assert n == len(self.data)
        data, self.data = self.data, b""
        return data

    def encapsulate(self, public_key: builtins.bytes) -> Pair:
        return self.encapsulation


def test_base_mode_matches_rfc_9180_a_1_1() -> None:
    private, public = DHKEM_X25519.derive_key_pair(IKM_R)
    assert private.hex() == "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"
    assert public.hex() == "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"
    enc, sender = hpke.setup_sender(DHKEM_X25519, 1, 1, public, INFO, Fixed(IKM_E))
    assert enc.hex() == "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
    assert DHKEM_X25519.decapsulate(private, enc).hex() == (
        "fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc"
    )
    first, second = sender.seal(b"Count-0", PLAINTEXT), sender.seal(b"Count-1", PLAINTEXT)
    assert first.hex() == (
        "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"
    )
    assert second.hex() == (
        "af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42c2063b84"
    )
    receiver = hpke.setup_receiver(DHKEM_X25519, 1, 1, private, enc, INFO)
    assert receiver.open(b"Count-0", first) == PLAINTEXT
    assert receiver.open(b"Count-1", second) == PLAINTEXT
    for context in (sender, receiver):
        assert context.export(b"", 32).hex() == (
            "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee"
        )
        assert context.export(b"\x00", 32).hex() == (
            "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5"
        )
        assert context.export(b"TestContext", 32).hex() == (
            "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931"
        )


def _xwing_vectors() -> list[dict[str, str]]:
    vectors: list[dict[str, str]] = json.loads((Path(__file__).parent / "xwing.json").read_text())
    assert vectors
    return vectors


@pytest.mark.parametrize("vector", _xwing_vectors())
def test_xwing_matches_the_draft(vector: dict[str, str]) -> None:
    data = {name: bytes.fromhex(value) for name, value in vector.items()}
    private, public = XWING.generate(Fixed(data["seed"]))
    assert (private, public) == (data["sk"], data["pk"])
    assert XWING.decapsulate(private, data["ct"]) == data["ss"]
    # The library cannot be told ML-KEM's randomness: take its half from the vector, make X25519's.
    ct_m = data["ct"][:1088]
    ss_m = MLKEM768PrivateKey.from_seed_bytes(shake_256(private).digest(64)).decapsulate(ct_m)
    made = XWING.encapsulate(public, Fixed(data["eseed"][32:], (ss_m, ct_m)))
    assert made == (data["ss"], data["ct"])


@pytest.mark.parametrize("kem", KEMS)
@pytest.mark.parametrize("aead_id", AEADS)
def test_round_trip_and_refusals(kem: Kem, aead_id: int) -> None:
    random = SeededRandom(7)
    private, public = kem.generate(random)
    assert (len(private), len(public)) == (kem.private_key_size, kem.public_key_size)
    assert kem.public_key(private) == public
    enc, ciphertext = hpke.seal_once(kem, 1, aead_id, public, b"info", b"aad", b"text", random)
    assert len(enc) == kem.enc_size
    assert hpke.open_once(kem, 1, aead_id, private, enc, b"info", b"aad", ciphertext) == b"text"
    assert hpke.open_once(kem, 1, aead_id, kem.load(private), enc, b"info", b"aad", ciphertext) == b"text"
    other, _ = kem.generate(random)
    for arguments in (
        (other, enc, b"info", b"aad", ciphertext),
        (private, enc[:-1], b"info", b"aad", ciphertext),
        (private, enc + b"\x00", b"info", b"aad", ciphertext),
        (private, b"", b"info", b"aad", ciphertext),
        (private, enc, b"Info", b"aad", ciphertext),
        (private, enc, b"info", b"", ciphertext),
        (private, enc, b"info", b"aad", ciphertext[:-1]),
        (private[:-1], enc, b"info", b"aad", ciphertext),
    ):
        with pytest.raises(CryptoError):
            hpke.open_once(kem, 1, aead_id, *arguments)


@pytest.mark.parametrize("kem", KEMS)
def test_keys_of_wrong_size_are_refused(kem: Kem) -> None:
    random = SeededRandom(8)
    _, public = kem.generate(random)
    for bad in (b"", public[:-1], public + b"\x00"):
        with pytest.raises(CryptoError):
            kem.encapsulate(bad, random)
    assert kem.derive_key_pair(b"ikm") == kem.derive_key_pair(b"ikm") != kem.derive_key_pair(b"Ikm")


def test_points_that_give_the_all_zero_secret_are_refused() -> None:
    random = SeededRandom(9)
    private, public = DHKEM_X25519.generate(random)
    for point in (bytes(32), (1).to_bytes(32, "little"), (2**255 - 20).to_bytes(32, "little")):
        with pytest.raises(CryptoError):
            DHKEM_X25519.encapsulate(point, random)
        with pytest.raises(CryptoError):
            DHKEM_X25519.decapsulate(private, point)
    private, public = XWING.generate(random)
    _, enc = XWING.encapsulate(public, random)
    with pytest.raises(CryptoError):
        XWING.decapsulate(private, enc[:1088] + bytes(32))
    with pytest.raises(CryptoError):
        XWING.encapsulate(public[:1184] + bytes(32), random)


def test_xwing_public_key_with_coefficients_out_of_range_is_refused() -> None:
    random = SeededRandom(10)
    _, public = XWING.generate(random)
    with pytest.raises(CryptoError):
        XWING.encapsulate(b"\xff" * 1184 + public[1184:], random)


def test_check_public_key_refuses_what_encapsulate_refuses() -> None:
    random = SeededRandom(14)
    assert len(LOW_ORDER) == 7
    lows = [(u | top).to_bytes(32, "little") for u in LOW_ORDER for top in (0, 1 << 255)]
    for low in lows:
        with pytest.raises(CryptoError):
            DHKEM_X25519.encapsulate(low, random)
        with pytest.raises(CryptoError):
            DHKEM_X25519.check_public_key(low)
    _, public = XWING.generate(random)
    for bad in (public[:1184] + lows[0], b"\xff" * 1184 + public[1184:], public[:-1]):
        with pytest.raises(CryptoError):
            XWING.check_public_key(bad)
    for kem in KEMS:
        _, public = kem.generate(random)
        kem.check_public_key(public)
        for bad in (b"", public[:-1], public + b"\x00"):
            with pytest.raises(CryptoError):
                kem.check_public_key(bad)


@pytest.mark.parametrize("kem", KEMS)
def test_unknown_algorithms_are_refused(kem: Kem) -> None:
    random = SeededRandom(11)
    _, public = kem.generate(random)
    for kdf_id, aead_id in ((0, 1), (4, 1), (1, 0), (1, 0xFFFF)):
        with pytest.raises(CryptoError):
            hpke.setup_sender(kem, kdf_id, aead_id, public, b"", random)


def test_a_failed_open_leaves_the_receiver_where_it_was() -> None:
    random = SeededRandom(12)
    private, public = DHKEM_X25519.generate(random)
    enc, sender = hpke.setup_sender(DHKEM_X25519, 1, 1, public, b"", random)
    receiver = hpke.setup_receiver(DHKEM_X25519, 1, 1, private, enc, b"")
    first, second = sender.seal(b"", b"1"), sender.seal(b"", b"2")
    with pytest.raises(CryptoError):
        receiver.open(b"", second)
    assert receiver.open(b"", first) == b"1"
    with pytest.raises(CryptoError):
        receiver.open(b"", first)
    assert receiver.open(b"", second) == b"2"


@pytest.mark.parametrize("kem", KEMS)
def test_secrets_do_not_show_in_repr(kem: Kem) -> None:
    random = SeededRandom(13)
    private, public = kem.generate(random)
    enc, sender = hpke.setup_sender(kem, 1, 1, public, b"", random)
    for thing in (kem.load(private), sender, hpke.setup_receiver(kem, 1, 1, private, enc, b"")):
        assert repr(thing).startswith("<polynya.crypto.") and "b'" not in repr(thing)
