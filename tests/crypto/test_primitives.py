"""Hashes, AEADs, comparison and Ed25519."""

from __future__ import annotations

import pytest

from polynya.crypto import aead, compare, hashes, signature
from polynya.crypto.errors import CryptoError
from tests.support.seeded import SeededRandom


def test_hkdf_matches_rfc_5869_case_1() -> None:
    prk = hashes.hkdf_extract(bytes(range(13)), b"\x0b" * 22)
    assert prk.hex() == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
    okm = hashes.hkdf_expand(prk, bytes(range(0xF0, 0xFA)), 42)
    assert okm.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_hkdf_matches_rfc_5869_case_3_without_salt_and_info() -> None:
    prk = hashes.hkdf_extract(b"", b"\x0b" * 22)
    okm = hashes.hkdf_expand(prk, b"", 42)
    assert okm.hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )


def test_hkdf_refuses_more_than_255_blocks() -> None:
    assert len(hashes.hkdf_expand(bytes(32), b"", 255 * 32)) == 255 * 32
    with pytest.raises(CryptoError):
        hashes.hkdf_expand(bytes(32), b"", 255 * 32 + 1)


def test_hashes_and_hmac_match_their_standards() -> None:
    assert hashes.sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert hashes.sha512(b"abc").hex().startswith("ddaf35a193617abacc417349ae204131")
    assert hashes.digest(b"abc", hashes.SHA384).hex().startswith("cb00753f45a35e8bb5a03d699ac65007")
    mac = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"  # RFC 4231 case 2
    assert hashes.hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex() == mac


@pytest.mark.parametrize("algorithm", aead.AEADS.values())
def test_aead_opens_only_what_was_sealed(algorithm: aead.Aead) -> None:
    key, nonce = bytes(range(algorithm.key_size)), bytes(algorithm.nonce_size)
    sealed = algorithm.seal(key, nonce, b"aad", b"text")
    assert len(sealed) == 4 + algorithm.tag_size
    assert algorithm.open(key, nonce, b"aad", sealed) == b"text"
    for changed in (sealed[:-1], b"", sealed[:5] + bytes((sealed[5] ^ 1,)) + sealed[6:]):
        with pytest.raises(CryptoError):
            algorithm.open(key, nonce, b"aad", changed)
    with pytest.raises(CryptoError):
        algorithm.open(key, nonce, b"other", sealed)
    with pytest.raises(CryptoError):
        algorithm.open(key, b"\x01" + nonce[1:], b"aad", sealed)


@pytest.mark.parametrize("algorithm", aead.AEADS.values())
def test_aead_refuses_wrong_sizes(algorithm: aead.Aead) -> None:
    with pytest.raises(CryptoError):
        algorithm.seal(bytes(algorithm.key_size + 8), bytes(12), b"", b"")
    with pytest.raises(CryptoError):
        algorithm.open(bytes(algorithm.key_size), bytes(11), b"", bytes(16))


def test_compare() -> None:
    assert compare.equal(b"same", b"same")
    assert not compare.equal(b"same", b"sama")
    assert not compare.equal(b"same", b"sam")


def test_ed25519_matches_rfc_8032_test_2() -> None:
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public = signature.public_key(seed)
    assert public.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signed = signature.sign(seed, b"\x72")
    assert signed.hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert signature.verify(public, b"\x72", signed)
    assert not signature.verify(public, b"\x73", signed)


def test_empty_and_wrong_length_keys_and_signatures_are_never_valid() -> None:
    seed = signature.generate(SeededRandom(1))
    public, signed = signature.public_key(seed), signature.sign(seed, b"m")
    for bad in (b"", signed[:-1], signed + b"\x00", bytes(64)):
        assert not signature.verify(public, b"m", bad)
    for bad in (b"", public[:-1], public + b"\x00", bytes(32)):
        assert not signature.verify(bad, b"m", signed)
    for bad in (b"", seed + b"\x00"):
        with pytest.raises(CryptoError):
            signature.sign(bad, b"m")


_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P


def _decompress(y: int) -> tuple[int, int] | None:
    """Some x for `y` on Ed25519's curve, or None: -x^2 + y^2 = 1 + d x^2 y^2."""
    x2 = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(x2, (_P + 3) // 8, _P)
    if x * x % _P != x2:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    return (x, y) if x * x % _P == x2 else None


def _double(point: tuple[int, int]) -> tuple[int, int]:
    x, y = point
    k = _D * x * x * y * y % _P
    return 2 * x * y * pow(1 + k, -1, _P) % _P, (y * y + x * x) * pow(1 - k, -1, _P) % _P


def test_small_order_list_holds_exactly_the_points_whose_order_divides_8() -> None:
    ys = {int.from_bytes(e, "little") & (2**255 - 1) for e in signature.SMALL_ORDER}
    assert len(signature.SMALL_ORDER) == 14
    for y in ys:
        point = _decompress(y % _P)
        assert point is not None
        for _ in range(3):
            point = _double(point)
        assert point == (0, 1)
    # Four values of y carry all eight points: 1, -1, 0 and the two of order 8; the rest are p and p + 1.
    assert {y % _P for y in ys} == {0, 1, _P - 1, *(y for y in ys if 1 < y < _P - 1)}
    assert {_P, _P + 1} <= ys


def test_signatures_with_small_order_points_are_refused() -> None:
    identity = (1).to_bytes(32, "little")
    forged = identity + bytes(32)  # R = identity, S = 0 holds for every message under the identity key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    Ed25519PublicKey.from_public_bytes(identity).verify(forged, b"anything")  # the library accepts it
    assert not signature.verify(identity, b"anything", forged)
    seed = signature.generate(SeededRandom(2))
    assert not signature.verify(signature.public_key(seed), b"anything", forged)
