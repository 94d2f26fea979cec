"""Cards: what an invite leads to (protocol.md section 7)."""

from __future__ import annotations

from dataclasses import dataclass

from polynya.crypto.compare import equal
from polynya.crypto.random import Random
from polynya.crypto.signature import sign, verify
from polynya.wire import sealing
from polynya.wire.errors import WireError
from polynya.wire.labels import blob_id, card_key, signed_bytes
from polynya.wire.messages import Card, CardBody, decode_card, decode_card_body, encode_card, encode_card_body

AAD = b"polynya card 1"


@dataclass(frozen=True, slots=True)
class UnverifiedCard:
    """A card that was in the invite's blob; nobody knows yet whether its identity signed it."""

    id: bytes
    """The blob's."""
    card: Card


@dataclass(frozen=True, slots=True)
class VerifiedCard:
    """A card that its identity signed and that has not expired."""

    id: bytes
    identity: bytes
    name: str
    inbox: bytes
    public_key: bytes
    """X-Wing key that contact requests are sealed to."""
    expires: int
    """ms"""


def sign_card(identity_seed: bytes, body: CardBody) -> Card:
    """`body.identity` must be the public key of `identity_seed`, or nobody will accept the card."""
    encoded = encode_card_body(body)
    return Card(encoded, sign(identity_seed, signed_bytes("card", encoded)))


def seal_card(invite_secret: bytes, card: Card, random: Random) -> tuple[bytes, bytes]:
    """(blob id, blob)."""
    blob = sealing.seal(card_key(invite_secret), AAD, encode_card(card), random)
    return blob_id(blob), blob


def open_card(invite_secret: bytes, card_id: bytes, blob: bytes) -> UnverifiedCard:
    """Raises WireError `card-id` (another blob than the invite names), `card-open`, a `cbor-` rule, or
    `message`."""
    if not equal(blob_id(blob), card_id):
        raise WireError("card-id")
    data = sealing.open_sealed(card_key(invite_secret), AAD, blob, "card-open")
    return UnverifiedCard(card_id, decode_card(data))


def verify_card(unverified: UnverifiedCard, now: int) -> VerifiedCard:
    """`now` in ms, by the relay's clock. Raises WireError `card-signature`, `card-expired`, a `cbor-` rule,
    or `message`."""
    card = unverified.card
    body = decode_card_body(card.body)
    if not verify(body.identity, signed_bytes("card", card.body), card.signature):
        raise WireError("card-signature")
    if body.expires < now:
        raise WireError("card-expired")
    return VerifiedCard(unverified.id, body.identity, body.name, body.inbox, body.public_key, body.expires)
