"""GroupInfo (RFC 9420 section 12.4.3): an epoch as described to someone who joins it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polynya.mls.codec import Reader, opaque, u32
from polynya.mls.extensions import Extension, encode_extensions, read_extensions
from polynya.mls.groupcontext import GroupContext, read_group_context
from polynya.mls.suite import Suite


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """Only as good as its signature, which must be that of the leaf
    `signer` of the very tree it describes."""

    group_context: GroupContext
    extensions: tuple[Extension, ...]
    confirmation_tag: bytes
    signer: int
    signature: bytes

    def encode(self) -> bytes:
        return self.unsigned() + opaque(self.signature)

    def unsigned(self) -> bytes:
        """GroupInfoTBS."""
        return _unsigned(self.group_context, self.extensions, self.confirmation_tag, self.signer)

    def signature_is_valid(self, suite: Suite, signature_key: bytes) -> bool:
        return suite.verify_with_label(signature_key, b"GroupInfoTBS", self.unsigned(), self.signature)


def _unsigned(context: GroupContext, extensions: Sequence[Extension], tag: bytes, signer: int) -> bytes:
    return context.encode() + encode_extensions(extensions) + opaque(tag) + u32(signer)


def sign_group_info(
    suite: Suite,
    signature_private: bytes,
    context: GroupContext,
    extensions: Sequence[Extension],
    confirmation_tag: bytes,
    signer: int,
) -> GroupInfo:
    unsigned = _unsigned(context, extensions, confirmation_tag, signer)
    signed = suite.sign_with_label(signature_private, b"GroupInfoTBS", unsigned)
    return GroupInfo(context, tuple(extensions), confirmation_tag, signer, signed)


def read_group_info(reader: Reader) -> GroupInfo:
    context, extensions = read_group_context(reader), read_extensions(reader)
    return GroupInfo(context, extensions, reader.opaque(), reader.u32(), reader.opaque())
