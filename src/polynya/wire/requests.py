"""What identity keys sign: contact requests, re-add requests, leave proofs and where a group goes on (protocol.md sections
5.2, 5.4, 5.7 and 7)."""

from __future__ import annotations

from dataclasses import dataclass

from polynya.crypto.hashes import sha256
from polynya.crypto.signature import public_key, sign, verify
from polynya.wire.credential import VerifiedDeviceList, verify_device_list
from polynya.wire.errors import WireError
from polynya.wire.labels import signed_bytes
from polynya.wire.messages import (
    ContactRequest,
    ContactRequestBody,
    LeaveProof,
    Moved,
    MovedBody,
    Reach,
    ReAddBody,
    ReAddRequest,
    decode_contact_request_body,
    decode_moved_body,
    decode_re_add_body,
    encode_contact_request_body,
    encode_moved_body,
    encode_re_add_body,
)


@dataclass(frozen=True, slots=True)
class VerifiedContactRequest:
    """A request that its identity signed."""

    identity: bytes
    name: str
    text: str | None
    devices: VerifiedDeviceList
    reach: Reach


@dataclass(frozen=True, slots=True)
class VerifiedReAddRequest:
    """A request that its identity signed. The key package is not verified yet."""

    group: bytes
    identity: bytes
    epoch: int
    key_package: bytes
    time: int


@dataclass(frozen=True, slots=True)
class VerifiedMoved:
    """Where a group goes on, in the word of `identity`. GroupInfo and Welcome are not verified yet."""

    group: bytes
    epoch: int
    identity: bytes
    group_info: bytes
    welcome: bytes | None


def sign_contact_request(identity_seed: bytes, body: ContactRequestBody) -> ContactRequest:
    encoded = encode_contact_request_body(body)
    return ContactRequest(encoded, sign(identity_seed, signed_bytes("contact request", encoded)))


def verify_contact_request(card_id: bytes, request: ContactRequest) -> VerifiedContactRequest:
    """Raises WireError `contact-request-signature`, `contact-request-card` (made for another invite), a
    `device-list-` or `cbor-` rule, or `message`."""
    body = decode_contact_request_body(request.body)
    if not verify(body.identity, signed_bytes("contact request", request.body), request.signature):
        raise WireError("contact-request-signature")
    if body.card != card_id:
        raise WireError("contact-request-card")
    devices = verify_device_list(body.identity, body.devices)
    return VerifiedContactRequest(body.identity, body.name, body.text, devices, body.reach)


def sign_re_add_request(identity_seed: bytes, body: ReAddBody) -> ReAddRequest:
    encoded = encode_re_add_body(body)
    return ReAddRequest(encoded, sign(identity_seed, signed_bytes("re-add", encoded)))


def verify_re_add_request(request: ReAddRequest) -> VerifiedReAddRequest:
    """Raises WireError `re-add-signature`, a `cbor-` rule, or `message`."""
    body = decode_re_add_body(request.body)
    if not verify(body.identity, signed_bytes("re-add", request.body), request.signature):
        raise WireError("re-add-signature")
    return VerifiedReAddRequest(body.group, body.identity, body.epoch, body.key_package, body.time)


def sign_moved(identity_seed: bytes, body: MovedBody) -> Moved:
    encoded = encode_moved_body(body)
    return Moved(encoded, sign(identity_seed, signed_bytes("moved", encoded)))


def verify_moved(moved: Moved) -> VerifiedMoved:
    """Raises WireError `moved-signature`, a `cbor-` rule, or `message`."""
    body = decode_moved_body(moved.body)
    if not verify(body.identity, signed_bytes("moved", moved.body), moved.signature):
        raise WireError("moved-signature")
    return VerifiedMoved(body.group, body.epoch, body.identity, body.group_info, body.welcome)


def leaf_hash(leaf_node: bytes) -> bytes:
    """What a LeaveProof calls an encoded LeafNode by. Each commit of a member's own, and each time it is added, changes
    its leaf: a proof says nothing of what the member is after that."""
    return sha256(signed_bytes("leaf", leaf_node))


def sign_leave_proof(identity_seed: bytes, group_id: bytes, leaves: tuple[bytes, ...]) -> LeaveProof:
    """`leaves`: at most 16 leaf hashes."""
    identity = public_key(identity_seed)
    return LeaveProof(identity, leaves, sign(identity_seed, _leave(group_id, identity, leaves)))


def verify_leave_proof(group_id: bytes, leaf: bytes, proof: LeaveProof) -> bool:
    """Whether the proof's identity wishes that the leaf with this hash be removed from this group."""
    signed = _leave(group_id, proof.identity, proof.leaves)
    return leaf in proof.leaves and verify(proof.identity, signed, proof.signature)


def _leave(group_id: bytes, identity: bytes, leaves: tuple[bytes, ...]) -> bytes:
    return signed_bytes("leave", group_id + identity + b"".join(leaves))
