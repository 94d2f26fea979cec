"""The GroupContext (RFC 9420 section 8.1): what all members of an epoch agree on."""

from __future__ import annotations

from dataclasses import dataclass

from polynya.mls.codec import Reader, opaque, u16, u64
from polynya.mls.errors import MalformedError, MlsError
from polynya.mls.extensions import VERSION_MLS10, Extension, encode_extensions, read_extensions


@dataclass(frozen=True, slots=True)
class GroupContext:
    """One epoch of one group, in public values."""

    cipher_suite: int
    group_id: bytes
    epoch: int
    tree_hash: bytes
    confirmed_transcript_hash: bytes
    extensions: tuple[Extension, ...]

    def encode(self) -> bytes:
        return b"".join(
            (
                u16(VERSION_MLS10),
                u16(self.cipher_suite),
                opaque(self.group_id),
                u64(self.epoch),
                opaque(self.tree_hash),
                opaque(self.confirmed_transcript_hash),
                encode_extensions(self.extensions),
            )
        )


LAST_EPOCH = (1 << 53) - 1
"""A browser's numbers hold no larger one: no group goes further, so that all its members go as far."""


def check_epoch(epoch: int) -> None:
    """The epoch is one that a group can come to; raises MalformedError."""
    if epoch > LAST_EPOCH:
        raise MalformedError("8.1-last-epoch", f"{epoch}")


def next_epoch(context: GroupContext) -> int:
    """The epoch after this one; MlsError where there is none."""
    if context.epoch >= LAST_EPOCH:
        raise MlsError("8.1-last-epoch", "the group has used up its epochs: begin another")
    return context.epoch + 1


def read_group_context(reader: Reader) -> GroupContext:
    if reader.u16() != VERSION_MLS10:
        raise MalformedError("8.1-version")
    suite, group_id, epoch = reader.u16(), reader.opaque(), reader.u64()
    check_epoch(epoch)
    return GroupContext(suite, group_id, epoch, reader.opaque(), reader.opaque(), read_extensions(reader))
