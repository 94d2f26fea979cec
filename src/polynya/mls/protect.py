"""Signing, sealing and opening of messages (RFC 9420 sections 6.1 to 6.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from polynya.crypto.random import Random
from polynya.mls import secrettree
from polynya.mls.codec import Reader, decode, opaque, u8, u32, u64
from polynya.mls.errors import MalformedError, MlsError
from polynya.mls.framing import (
    APPLICATION,
    MEMBER,
    PRIVATE_MESSAGE,
    PUBLIC_MESSAGE,
    AuthData,
    AuthenticatedContent,
    Content,
    FramedContent,
    PrivateMessage,
    PublicMessage,
    Sender,
    content_tbs,
    content_type,
    encode_content,
    read_auth,
    read_content,
)
from polynya.mls.groupcontext import GroupContext
from polynya.mls.secrettree import SecretTree
from polynya.mls.suite import Suite

REUSE_GUARD_SIZE = 4

Leaf = TypeVar("Leaf")


def sign_content(
    suite: Suite,
    wire_format: int,
    content: FramedContent,
    context: GroupContext | None,
    signature_private: bytes,
) -> bytes:
    """The signature over FramedContentTBS; `context` for members and external joiners."""
    tbs = content_tbs(wire_format, content, context)
    return suite.sign_with_label(signature_private, b"FramedContentTBS", tbs)


def check_content_signature(
    suite: Suite, message: AuthenticatedContent, context: GroupContext | None, signature_key: bytes
) -> None:
    """Section 6.1: no content is acted upon before this."""
    tbs = content_tbs(message.wire_format, message.content, context)
    if not suite.verify_with_label(signature_key, b"FramedContentTBS", tbs, message.auth.signature):
        raise MlsError("6.1-signature")


# ---- public messages --------------------------------------------------------------------------------------


def protect_public(
    suite: Suite, message: AuthenticatedContent, context: GroupContext, membership_key: bytes
) -> PublicMessage:
    """Adds the membership tag of a member's message."""
    content, auth = message.content, message.auth
    if content.sender.type != MEMBER:
        return PublicMessage(content, auth, None)
    tbm = content_tbs(PUBLIC_MESSAGE, content, context) + auth.encode()
    return PublicMessage(content, auth, suite.mac(membership_key, tbm))


def unprotect_public(
    suite: Suite, message: PublicMessage, context: GroupContext, membership_key: bytes
) -> AuthenticatedContent:
    """Checks the membership tag; raises MlsError. The signature is still to be checked."""
    if isinstance(message.content.content, bytes):
        raise MlsError("6-application-in-public", "application data is always encrypted")
    if message.content.sender.type == MEMBER:
        check_membership_tag(suite, message, context, membership_key)
    return AuthenticatedContent(PUBLIC_MESSAGE, message.content, message.auth)


def check_membership_tag(
    suite: Suite, message: PublicMessage, context: GroupContext, membership_key: bytes
) -> None:
    """Section 6.2: only members can have made it."""
    tbm = content_tbs(PUBLIC_MESSAGE, message.content, context) + message.auth.encode()
    if not suite.mac_is_valid(membership_key, tbm, message.membership_tag or b""):
        raise MlsError("6.2-membership-tag")


# ---- private messages -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SenderData:
    """Which key of whose ratchet a private message is under."""

    leaf_index: int
    generation: int
    reuse_guard: bytes

    def encode(self) -> bytes:
        return u32(self.leaf_index) + u32(self.generation) + self.reuse_guard


def _read_sender_data(reader: Reader) -> SenderData:
    return SenderData(reader.u32(), reader.u32(), reader.take(REUSE_GUARD_SIZE))


def sender_data_key(suite: Suite, sender_data_secret: bytes, ciphertext: bytes) -> tuple[bytes, bytes]:
    """(key, nonce) for the sender data, from the first KDF.Nh bytes of the ciphertext (section 6.3.2)."""
    sample = ciphertext[: suite.secret_size]
    key = suite.expand_with_label(sender_data_secret, b"key", sample, suite.aead.key_size)
    return key, suite.expand_with_label(sender_data_secret, b"nonce", sample, suite.aead.nonce_size)


def _guarded(nonce: bytes, reuse_guard: bytes) -> bytes:
    mixed = bytes(a ^ b for a, b in zip(nonce, reuse_guard, strict=False))
    return mixed + nonce[REUSE_GUARD_SIZE:]


def _sender_data_aad(group_id: bytes, epoch: int, kind: int) -> bytes:
    return opaque(group_id) + u64(epoch) + u8(kind)


def _ratchet_kind(kind: int) -> int:
    return secrettree.APPLICATION if kind == APPLICATION else secrettree.HANDSHAKE


def protect_private(
    suite: Suite,
    secret_tree: SecretTree,
    sender_data_secret: bytes,
    message: AuthenticatedContent,
    padding: int,
    random: Random,
) -> tuple[SecretTree, PrivateMessage]:
    """Encrypts a member's message, with `padding` zero bytes. Draws the 4-byte reuse guard."""
    content, auth = message.content, message.auth
    if content.sender.type != MEMBER:
        raise MlsError("6.3.2-sender", "only members encrypt")
    kind = content_type(content.content)
    generation, key, secret_tree = secret_tree.next(suite, content.sender.index, _ratchet_kind(kind))
    guard = random.bytes(REUSE_GUARD_SIZE)
    plaintext = encode_content(content.content) + auth.encode() + bytes(padding)
    sender_aad = _sender_data_aad(content.group_id, content.epoch, kind)
    aad = sender_aad + opaque(content.authenticated_data)
    ciphertext = suite.seal(key.key, _guarded(key.nonce, guard), aad, plaintext)
    sender_data = SenderData(content.sender.index, generation, guard).encode()
    sender_key, sender_nonce = sender_data_key(suite, sender_data_secret, ciphertext)
    sealed = suite.seal(sender_key, sender_nonce, sender_aad, sender_data)
    private = PrivateMessage(
        content.group_id, content.epoch, kind, content.authenticated_data, sealed, ciphertext
    )
    return secret_tree, private


def unprotect_private(
    suite: Suite,
    secret_tree: SecretTree,
    sender_data_secret: bytes,
    message: PrivateMessage,
    leaf_at: Callable[[int], Leaf | None],
) -> tuple[SecretTree, AuthenticatedContent, Leaf]:
    """Opens a message: the secret tree without its key, the content, and what `leaf_at` says of the sender.

    The signature is still to be checked: whoever calls must keep the old tree if it fails.
    """
    sender_aad = _sender_data_aad(message.group_id, message.epoch, message.content_type)
    sender_key, sender_nonce = sender_data_key(suite, sender_data_secret, message.ciphertext)
    sender_data = decode(
        _read_sender_data, suite.open(sender_key, sender_nonce, sender_aad, message.encrypted_sender_data)
    )
    leaf = check_sender_is_member(sender_data.leaf_index, leaf_at)
    kind = _ratchet_kind(message.content_type)
    key, after = secret_tree.take(suite, sender_data.leaf_index, kind, sender_data.generation)
    aad = sender_aad + opaque(message.authenticated_data)
    nonce = _guarded(key.nonce, sender_data.reuse_guard)
    plaintext = suite.open(key.key, nonce, aad, message.ciphertext)
    reader = Reader(plaintext)
    content: Content = read_content(reader, message.content_type)
    auth: AuthData = read_auth(reader, message.content_type)
    check_padding(plaintext[reader.pos :])
    framed = FramedContent(
        message.group_id,
        message.epoch,
        Sender(MEMBER, sender_data.leaf_index),
        message.authenticated_data,
        content,
    )
    return after, AuthenticatedContent(PRIVATE_MESSAGE, framed, auth), leaf


def check_sender_is_member(leaf_index: int, leaf_at: Callable[[int], Leaf | None]) -> Leaf:
    """Section 6.3.2: the leaf is not blank."""
    leaf = leaf_at(leaf_index)
    if leaf is None:
        raise MlsError("6.3.2-blank-sender", f"leaf {leaf_index}")
    return leaf


def check_padding(padding: bytes) -> None:
    """Section 6.3.1: padding is all zeros."""
    if padding.count(0) != len(padding):
        raise MalformedError("6.3.1-padding")
