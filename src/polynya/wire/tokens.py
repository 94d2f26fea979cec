"""Tokens (protocol.md section 2.9; RFC 9577, RFC 9578 type 0x0002): what is signed, the token, and the relay's keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from polynya.crypto import blindrsa
from polynya.crypto.blindrsa import Blinding, PublicKey
from polynya.crypto.compare import equal
from polynya.crypto.errors import CryptoError
from polynya.crypto.hashes import sha256
from polynya.crypto.random import Random
from polynya.crypto.signature import sign, verify
from polynya.wire.errors import WireError
from polynya.wire.labels import signed_bytes
from polynya.wire.messages import (
    TOKEN_KEY_LIFETIME,
    TOKEN_KEY_PERIOD,
    TOKEN_SIZE,
    SignedTokenKeys,
    TokenKey,
    TokenKeyList,
    TokenKind,
    decode_token_key_list,
    encode_token_key_list,
)

TOKEN_TYPE = (0x0002).to_bytes(2, "big")
NONCE_SIZE = 32
KEY_BYTES = 256
"""Of a modulus, a blinded message and a signature: RSA with 2,048 bits."""
SIGNED_SIZE = 2 + 3 * 32
"""Bytes of a token in front of its authenticator: what the authenticator signs."""

# RFC 9578 section 6.5: SubjectPublicKeyInfo with id-RSASSA-PSS, SHA-384, MGF1 with SHA-384 and salts of 48 bytes;
# all that is around the modulus is the same in every key of 2,048 bits with exponent 65,537.
_SPKI_HEAD = bytes.fromhex(
    "30820152303d06092a864886f70d01010a3030a00d300b0609608648016503040202a11a301806092a864886f70d010108300b06"
    "09608648016503040202a2030201300382010f003082010a0282010100"
)
_SPKI_TAIL = bytes.fromhex("0203010001")
_EXPONENT = 65_537

LABEL = "token keys"
TURN = 86_400_000
"""ms around the end of a period in which a relay's newest keys may be of either: it makes them beside its other work, and
who waited for the answer has an older time of it."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token's parts (RFC 9577 section 2.2); nothing in it is verified."""

    nonce: bytes = field(repr=False)
    challenge_digest: bytes = field(repr=False)
    key_id: bytes = field(repr=False)
    authenticator: bytes = field(repr=False)
    signed: bytes = field(repr=False)
    """what the authenticator signs"""


@dataclass(frozen=True, slots=True)
class PendingToken:
    """What a client keeps until the relay has signed: for one token, sent again unchanged until it is answered."""

    signed: bytes = field(repr=False)
    blinding: Blinding


@dataclass(frozen=True, slots=True)
class VerifiedTokenKeys:
    """A list that the relay's identity signed."""

    keys: tuple[TokenKey, ...]

    def newest(self, kind: TokenKind) -> TokenKey:
        """The key that tokens of this kind are issued with."""
        return max((key for key in self.keys if key.kind == kind), key=lambda key: key.not_before)


def encode_spki(n: int) -> bytes:
    """The SubjectPublicKeyInfo of a modulus of 2,048 bits."""
    return _SPKI_HEAD + n.to_bytes(KEY_BYTES, "big") + _SPKI_TAIL


def decode_spki(spki: bytes) -> PublicKey:
    """Raises WireError `token-key` for anything but an odd modulus of 2,048 bits with exponent 65,537 in the RFC's form."""
    modulus = spki[len(_SPKI_HEAD) : -len(_SPKI_TAIL)]
    if len(modulus) != KEY_BYTES or spki != _SPKI_HEAD + modulus + _SPKI_TAIL:
        raise WireError("token-key")
    n = int.from_bytes(modulus, "big")
    if n.bit_length() != 8 * KEY_BYTES or n % 2 == 0:
        raise WireError("token-key")
    return PublicKey(n, _EXPONENT)


def member_id(member_secret: bytes) -> bytes:
    """By which a relay knows whom it issues tokens to."""
    return sha256(b"polynya member 1" + member_secret)


def key_id(spki: bytes) -> bytes:
    return sha256(spki)


def challenge_digest(identity: bytes, kind: TokenKind) -> bytes:
    """SHA-256 of the TokenChallenge (RFC 9577 section 2.1) of this relay and kind."""
    issuer, origin = identity.hex().encode(), b"polynya " + kind.name.lower().encode()
    return sha256(TOKEN_TYPE + _vector(issuer, 2) + _vector(b"", 1) + _vector(origin, 2))


def begin_token(identity: bytes, key: TokenKey, random: Random) -> PendingToken:
    """Draws a token of this key's relay and kind, and blinds it. Raises WireError `token-key`, or CryptoError where the
    relay's key can blind nothing."""
    nonce = random.bytes(NONCE_SIZE)
    signed = TOKEN_TYPE + nonce + challenge_digest(identity, key.kind) + key_id(key.spki)
    return PendingToken(signed, blindrsa.blind(decode_spki(key.spki), signed, random))


def finish_token(key: TokenKey, pending: PendingToken, blind_signature: bytes) -> bytes:
    """The encoded token; raises WireError `token-signature` where the relay signed something else, or with another key."""
    try:
        return pending.signed + blindrsa.finalize(
            decode_spki(key.spki), pending.signed, pending.blinding, blind_signature
        )
    except CryptoError:
        raise WireError("token-signature") from None


def parse_token(token: bytes) -> Token:
    """Raises WireError `token` for another size or type."""
    if len(token) != TOKEN_SIZE or not token.startswith(TOKEN_TYPE):
        raise WireError("token")
    signed = token[:SIGNED_SIZE]
    return Token(signed[2:34], signed[34:66], signed[66:98], token[SIGNED_SIZE:], signed)


def verify_token(identity: bytes, kind: TokenKind, key: PublicKey, token: Token) -> bool:
    """Whether this relay signed the token for this kind, with this key; nothing is said of whether it is spent."""
    if not equal(token.challenge_digest, challenge_digest(identity, kind)):
        return False
    return blindrsa.verify(key, token.signed, token.authenticator)


def sign_token_keys(relay_seed: bytes, keys: Sequence[TokenKey]) -> SignedTokenKeys:
    """Raises WireError `message` over a limit."""
    body = encode_token_key_list(TokenKeyList(tuple(keys)))
    return SignedTokenKeys(body, sign(relay_seed, signed_bytes(LABEL, body)))


def verify_token_keys(
    relay_identity: bytes, signed: SignedTokenKeys, seen: Sequence[TokenKey] = ()
) -> VerifiedTokenKeys:
    """`seen`: verified keys of this relay that were seen before, in lists of the relay's or in cards of others.

    Raises WireError `token-keys-signature`, `token-key` (a key of another form), `token-keys-period` (times other than a
    period's), `token-keys-doubled` (two for one kind and period), `token-keys-none` (a kind without a key),
    `token-keys-differ` (another key than one seen for its kind and period: the relay tells people apart by their tokens),
    a `cbor-` rule, or `message`.
    """
    if not verify(relay_identity, signed_bytes(LABEL, signed.body), signed.signature):
        raise WireError("token-keys-signature")
    keys = decode_token_key_list(signed.body).keys
    for key in keys:
        decode_spki(key.spki)
        if key.not_before % TOKEN_KEY_PERIOD or key.not_after != key.not_before + TOKEN_KEY_LIFETIME:
            raise WireError("token-keys-period")
    places = {_place(key): key.spki for key in keys}
    if len(places) != len(keys):
        raise WireError("token-keys-doubled")
    if {key.kind for key in keys} != set(TokenKind):
        raise WireError("token-keys-none")
    if any(places.get(_place(key), key.spki) != key.spki for key in seen):
        raise WireError("token-keys-differ")
    return VerifiedTokenKeys(keys)


def check_period(keys: VerifiedTokenKeys, time: int) -> None:
    """The newest keys are of the period of `time`: ms, what the relay told with the list. Else it could give each person a
    period of its own, and no two lists would ever differ. Raises WireError `token-keys-period`."""
    for kind in TokenKind:
        begins = keys.newest(kind).not_before
        if not begins - TURN <= time < begins + TOKEN_KEY_PERIOD + TURN:
            raise WireError("token-keys-period")


def _place(key: TokenKey) -> tuple[TokenKind, int]:
    return key.kind, key.not_before


def _vector(data: bytes, length_size: int) -> bytes:
    return len(data).to_bytes(length_size, "big") + data
