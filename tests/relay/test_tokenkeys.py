"""Token keys: which there are when, the same whatever a relay has lost; and signing with them."""

from __future__ import annotations

import builtins
import dataclasses
import json
from pathlib import Path
from typing import Any

import gmpy2
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from polynya.crypto.hashes import sha256
from polynya.crypto.signature import public_key
from polynya.relay import tokenkeys
from polynya.relay.system import SystemRandom
from polynya.relay.tokenkeys import (
    PrivateKey,
    SigningFailed,
    TokenKeys,
    blind_sign,
    derive_key,
    private_key,
)
from polynya.wire.messages import TOKEN_KEY_LIFETIME, TOKEN_KEY_PERIOD, TokenKind
from polynya.wire.tokens import VerifiedTokenKeys, encode_spki, key_id, sign_token_keys, verify_token_keys

SEED = bytes(range(32))
PERIOD = 740
NOW = PERIOD * TOKEN_KEY_PERIOD + 12_345
RFC9578: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "crypto" / "rfc9578.json").read_text("ascii")
)


@pytest.fixture(scope="module")
def rfc_key() -> PrivateKey:
    key = load_pem_private_key(RFC9578["private_key"].encode(), None)
    assert isinstance(key, RSAPrivateKey)
    numbers = key.private_numbers()
    return private_key(numbers.p, numbers.q)


def listed(keys: TokenKeys) -> VerifiedTokenKeys:
    return verify_token_keys(public_key(SEED), keys.signed)


def test_there_are_keys_of_this_period_and_the_one_before() -> None:
    keys = TokenKeys(SEED)
    assert not keys.is_ready(NOW)
    keys.refresh(NOW)
    first = listed(keys)
    starts = {(key.kind, key.not_before // TOKEN_KEY_PERIOD) for key in first.keys}
    assert starts == {(kind, period) for kind in TokenKind for period in (PERIOD, PERIOD - 1)}
    assert all(key.not_after - key.not_before == TOKEN_KEY_LIFETIME for key in first.keys)
    assert len({key.spki for key in first.keys}) == 4
    last = (PERIOD + 1) * TOKEN_KEY_PERIOD - 1
    assert keys.is_ready(PERIOD * TOKEN_KEY_PERIOD)
    assert keys.is_ready(last)
    assert not keys.is_ready(last + 1)
    keys.refresh(last + 1)
    second = verify_token_keys(public_key(SEED), keys.signed, first.keys)
    assert second.newest(TokenKind.USE).not_before == (PERIOD + 1) * TOKEN_KEY_PERIOD
    # Of what was there before, the newest of each kind is still taken, and not issued with.
    for kind in TokenKind:
        old = keys.find(key_id(first.newest(kind).spki))
        assert old is not None
        assert not keys.is_newest(old)
        new = keys.find(key_id(second.newest(kind).spki))
        assert new is not None
        assert keys.is_newest(new)
    gone = [key for key in first.keys if key.not_before < PERIOD * TOKEN_KEY_PERIOD]
    assert len(gone) == 2
    assert all(keys.find(key_id(key.spki)) is None for key in gone)


def test_a_relay_that_has_only_its_identity_left_has_the_same_keys() -> None:
    """Others for a kind and period that somebody has seen would look like fraud. The hashes hold across versions."""
    one, other = TokenKeys(SEED), TokenKeys(SEED)
    one.refresh(NOW + TOKEN_KEY_PERIOD)
    other.refresh(NOW)
    verify_token_keys(public_key(SEED), other.signed, listed(one).keys)
    found = {
        kind.name: sha256(encode_spki(derive_key(SEED, kind, PERIOD * TOKEN_KEY_PERIOD).public.n)).hex()
        for kind in TokenKind
    }
    assert found == {
        "USE": "58265ab9f12a675242fb20bf254398adf40a8fca3174cf99c1c37377486aa8e1",
        "JOIN": "2382c0a1c4e3da2012d8bbe3f7cef7a426b096736683184e82412972c0201d95",
    }


def test_another_relay_has_others() -> None:
    start = PERIOD * TOKEN_KEY_PERIOD
    assert derive_key(SEED, TokenKind.USE, start).public != derive_key(bytes(32), TokenKind.USE, start).public


def test_derived_keys_are_sound() -> None:
    key = derive_key(SEED, TokenKind.USE, PERIOD * TOKEN_KEY_PERIOD)
    assert key.public.n.bit_length() == 2_048
    assert key.public.n == key.p * key.q
    for prime in (key.p, key.q):
        assert int(prime).bit_length() == 1_024
        assert gmpy2.is_prime(prime, 50)
        assert gmpy2.gcd(prime - 1, 65_537) == 1
    assert abs(int(key.p - key.q)).bit_length() > 1_000


@pytest.mark.parametrize("case", RFC9578["cases"], ids=lambda case: str(case["nonce"])[:8])
def test_signatures_are_those_of_rfc_9578(rfc_key: PrivateKey, case: dict[str, str]) -> None:
    blinded = bytes.fromhex(case["token_request"])[3:]
    assert blind_sign(rfc_key, blinded, SystemRandom()).hex() == case["token_response"]


def test_a_fault_gives_no_signature(rfc_key: PrivateKey) -> None:
    """One half wrong, and the greatest common divisor of the error and n would be a prime of the key."""
    blinded = (2**2000 + 1).to_bytes(256, "big")
    for field in ("d_p", "d_q", "q_inverse"):
        faulty = dataclasses.replace(rfc_key, **{field: getattr(rfc_key, field) + 2})
        with pytest.raises(SigningFailed):
            blind_sign(faulty, blinded, SystemRandom())


def test_powers_are_taken_of_masked_messages_in_constant_time(
    rfc_key: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody who chooses the message chooses what the secret exponents work on."""
    seen: list[tuple[int, int]] = []
    real = gmpy2.powmod_sec

    def powmod_sec(base: Any, exponent: Any, modulus: Any) -> Any:
        seen.append((int(base), int(exponent)))
        return real(base, exponent, modulus)

    def powmod(base: Any, exponent: Any, modulus: Any) -> Any:
        assert exponent == 65_537
        return pow(int(base), 65_537, int(modulus))

    monkeypatch.setattr(gmpy2, "powmod_sec", powmod_sec)
    monkeypatch.setattr(gmpy2, "powmod", powmod)
    blinded = (2**2000 + 1).to_bytes(256, "big")
    answers = {blind_sign(rfc_key, blinded, SystemRandom()) for _ in range(2)}
    assert len(answers) == 1
    assert [exponent for _, exponent in seen] == [rfc_key.d_p, rfc_key.d_q] * 2
    bases = [base for base, _ in seen]
    assert len(set(bases)) == 4
    message = int.from_bytes(blinded, "big")
    assert not {message % int(rfc_key.p), message % int(rfc_key.q)} & set(bases)


def test_keys_do_not_show_their_secrets(rfc_key: PrivateKey) -> None:
    assert str(rfc_key.p) not in repr(rfc_key)
    assert str(rfc_key.d_p) not in repr(rfc_key)


class Fixed:
    """Draws one and the same."""

    def bytes(self, n: int) -> builtins.bytes:
        return (2).to_bytes(n, "big")

    def encapsulate(self, public_key: builtins.bytes) -> tuple[builtins.bytes, builtins.bytes]:
        raise AssertionError


def test_zero_and_one_stay_what_they_are(rfc_key: PrivateKey) -> None:
    for value in (0, 1):
        blinded = value.to_bytes(256, "big")
        assert blind_sign(rfc_key, blinded, Fixed()) == blinded


def test_keys_are_ready_when_all_that_is_asked_of_them_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made in a thread of their own, while others ask whether they are ready."""
    keys = TokenKeys(SEED)
    keys.refresh(NOW)
    later = NOW + TOKEN_KEY_PERIOD
    ready: list[bool] = []

    def sign(*arguments: Any) -> Any:
        ready.append(keys.is_ready(later))
        return sign_token_keys(*arguments)

    monkeypatch.setattr(tokenkeys, "sign_token_keys", sign)
    keys.refresh(later)
    assert ready == [False]
    assert keys.is_ready(later)
