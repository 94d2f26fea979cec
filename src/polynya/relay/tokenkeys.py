"""The relay's token keys (protocol.md section 2.9): which there are at a time, and signing blinded messages with them.

A key is a function of the relay's identity, its kind and its period. A relay that has lost all but its identity, or came
back from an old backup, therefore has the keys that it had: with others it would look like one that tells people apart.
Nothing is lost by that: whoever has the identity is the relay, and what a key signed stays unlinkable for its holder too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import gmpy2

from polynya.crypto.blindrsa import PublicKey, draw_unit
from polynya.crypto.random import Random
from polynya.relay.store.base import key_number
from polynya.wire.labels import expand
from polynya.wire.messages import TOKEN_KEY_LIFETIME, TOKEN_KEY_PERIOD, SignedTokenKeys, TokenKey, TokenKind
from polynya.wire.tokens import KEY_BYTES, encode_spki, key_id, sign_token_keys

EXPONENT = 65_537
PRIME_BITS = 4 * KEY_BYTES


class SigningFailed(Exception):
    """A signature came out wrong, as by a fault of the machine; it would have told the key."""


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """RSA with 2,048 bits, for the Chinese remainder theorem."""

    public: PublicKey
    p: gmpy2.mpz = field(repr=False)
    q: gmpy2.mpz = field(repr=False)
    d_p: gmpy2.mpz = field(repr=False)
    d_q: gmpy2.mpz = field(repr=False)
    q_inverse: gmpy2.mpz = field(repr=False)


def private_key(p: int, q: int) -> PrivateKey:
    """From two primes whose lesser neighbours have no factor with the exponent in common."""
    p, q = gmpy2.mpz(p), gmpy2.mpz(q)
    d_p, d_q = gmpy2.invert(EXPONENT, p - 1), gmpy2.invert(EXPONENT, q - 1)
    return PrivateKey(PublicKey(int(p * q), EXPONENT), p, q, d_p, d_q, gmpy2.invert(q, p))


def blind_sign(key: PrivateKey, blinded: bytes, random: Random) -> bytes:
    """RFC 9474 section 4.3; `blinded` is below the modulus.

    The power is taken of the message times a random unit's, so that its time tells nothing of the key, and is checked
    before it leaves: one wrong half would give the key away. Raises SigningFailed.
    """
    n = key.public.n
    message = gmpy2.mpz(int.from_bytes(blinded, "big"))
    r = draw_unit(n, random)
    masked = message * gmpy2.powmod(r, EXPONENT, n) % n
    s_p = gmpy2.powmod_sec(masked % key.p, key.d_p, key.p)
    s_q = gmpy2.powmod_sec(masked % key.q, key.d_q, key.q)
    power = s_q + key.q * ((s_p - s_q) * key.q_inverse % key.p)
    if gmpy2.powmod(power, EXPONENT, n) != masked:
        raise SigningFailed
    return int(power * gmpy2.invert(r, n) % n).to_bytes(KEY_BYTES, "big")


def derive_key(seed: bytes, kind: TokenKind, not_before: int) -> PrivateKey:
    """The relay's key of this kind and period (ms, a multiple of TOKEN_KEY_PERIOD); ~0.1 s."""
    name = f"token key {kind.name.lower()} {not_before // TOKEN_KEY_PERIOD}"
    return private_key(_prime(seed, f"{name} p"), _prime(seed, f"{name} q"))


def _prime(seed: bytes, label: str) -> int:
    """The least prime, fit for the exponent, that is not below a number drawn under the label, whose two upper bits are
    set: two of them have a product of full length."""
    drawn = int.from_bytes(expand(seed, label, PRIME_BITS // 8), "big") | 3 << (PRIME_BITS - 2)
    prime = gmpy2.next_prime(drawn - 1)
    while prime % EXPONENT == 1:
        prime = gmpy2.next_prime(prime)
    return int(prime)


@dataclass(frozen=True, slots=True)
class IssuingKey:
    """One key, with all that is asked of it."""

    number: int
    token_key: TokenKey
    private: PrivateKey

    @property
    def kind(self) -> TokenKind:
        return self.token_key.kind


class TokenKeys:
    """The keys whose tokens are taken at a time: of this period, with which tokens are issued, and of the one before.

    Blocking where a period has begun; called in a worker thread.
    """

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._keys: dict[int, IssuingKey] = {}
        self._by_id: dict[bytes, IssuingKey] = {}
        self._signed: SignedTokenKeys | None = None

    def is_ready(self, now: int) -> bool:
        """Whether `refresh` has nothing to do."""
        return self._keys.keys() == {key_number(*place) for place in _places(now)}

    def refresh(self, now: int) -> None:
        """Makes the keys of this time, and lets go of others."""
        keys = {}
        for kind, not_before in _places(now):
            number = key_number(kind, not_before)
            keys[number] = self._keys.get(number) or self._derive(number, kind, not_before)
        self._by_id = {key_id(key.token_key.spki): key for key in keys.values()}
        self._signed = sign_token_keys(self._seed, [key.token_key for key in keys.values()])
        # Last: others go by it while this thread is at work.
        self._keys = keys

    def _derive(self, number: int, kind: TokenKind, not_before: int) -> IssuingKey:
        private = derive_key(self._seed, kind, not_before)
        spki = encode_spki(private.public.n)
        return IssuingKey(number, TokenKey(kind, spki, not_before, not_before + TOKEN_KEY_LIFETIME), private)

    @property
    def signed(self) -> SignedTokenKeys:
        """What GetTokenKeys answers; after `refresh`."""
        assert self._signed is not None  # noqa: S101
        return self._signed

    def find(self, id_: bytes) -> IssuingKey | None:
        return self._by_id.get(id_)

    def is_newest(self, key: IssuingKey) -> bool:
        return all(key.number >= other.number for other in self._keys.values() if other.kind == key.kind)


def _places(now: int) -> list[tuple[TokenKind, int]]:
    """(kind, not_before) of each key whose tokens are taken now, the newest first."""
    start = now - now % TOKEN_KEY_PERIOD
    periods = range(start, max(now - TOKEN_KEY_LIFETIME, -1), -TOKEN_KEY_PERIOD)
    return [(kind, not_before) for not_before in periods for kind in TokenKind]
