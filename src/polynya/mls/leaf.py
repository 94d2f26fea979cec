"""Leaf nodes (RFC 9420 section 7.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from polynya.mls.codec import Reader, opaque, u8, u16s, u32, u64
from polynya.mls.credential import BASIC, Credential, read_credential
from polynya.mls.errors import MalformedError
from polynya.mls.extensions import VERSION_MLS10, Extension, encode_extensions, read_extensions
from polynya.mls.suite import Suite

KEY_PACKAGE = 1
UPDATE = 2
COMMIT = 3


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a client supports: ids, without those that everybody supports by default."""

    versions: tuple[int, ...]
    cipher_suites: tuple[int, ...]
    extensions: tuple[int, ...] = ()
    proposals: tuple[int, ...] = ()
    credentials: tuple[int, ...] = (BASIC,)

    def encode(self) -> bytes:
        lists = (self.versions, self.cipher_suites, self.extensions, self.proposals, self.credentials)
        return b"".join(map(u16s, lists))


def default_capabilities(suite: Suite, extensions: Sequence[int] = ()) -> Capabilities:
    """MLS 1.0, this suite, basic credentials and the application's extension types in ascending order."""
    return Capabilities((VERSION_MLS10,), (suite.id,), tuple(sorted(set(extensions))))


SHARED_SIZE = 256
"""Bytes of capabilities of which all leaves share one value: 256 values of 256 bytes are what strangers can make us
keep."""


@lru_cache(maxsize=256)  # nearly all leaves of a group have the same few capabilities
def _shared(capabilities: Capabilities) -> Capabilities:
    return capabilities


def read_capabilities(reader: Reader) -> Capabilities:
    start = reader.pos
    found = Capabilities(reader.u16s(), reader.u16s(), reader.u16s(), reader.u16s(), reader.u16s())
    return _shared(found) if reader.pos - start <= SHARED_SIZE else found


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Seconds since the Unix epoch, both ends included."""

    not_before: int
    not_after: int

    def encode(self) -> bytes:
        return u64(self.not_before) + u64(self.not_after)

    def contains(self, now: int) -> bool:
        """`now` in milliseconds."""
        return self.not_before <= now // 1000 <= self.not_after


@dataclass(frozen=True, slots=True)
class LeafNode:
    """A member's leaf. `lifetime` is there in key packages, `parent_hash` in commits, neither in updates."""

    encryption_key: bytes
    signature_key: bytes
    credential: Credential
    capabilities: Capabilities
    source: int
    lifetime: Lifetime | None
    parent_hash: bytes | None
    extensions: tuple[Extension, ...]
    signature: bytes
    encoded: bytes = field(default=b"", repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.encoded:
            object.__setattr__(self, "encoded", self._unsigned() + opaque(self.signature))

    def encode(self) -> bytes:
        return self.encoded

    def _unsigned(self) -> bytes:
        return unsigned_leaf(
            self.encryption_key,
            self.signature_key,
            self.credential,
            self.capabilities,
            self.source,
            self.lifetime,
            self.parent_hash,
            self.extensions,
        )

    def signature_is_valid(self, suite: Suite, group_id: bytes, leaf_index: int) -> bool:
        """LeafNodeTBS: an update's or commit's leaf is signed for one group and place; an empty signature
        never is valid. `group_id` and `leaf_index` do not matter for a key package's leaf."""
        unsigned = self.encoded[: len(self.encoded) - len(opaque(self.signature))]
        place = b"" if self.source == KEY_PACKAGE else opaque(group_id) + u32(leaf_index)
        return suite.verify_with_label(self.signature_key, b"LeafNodeTBS", unsigned + place, self.signature)


def unsigned_leaf(
    encryption_key: bytes,
    signature_key: bytes,
    credential: Credential,
    capabilities: Capabilities,
    source: int,
    lifetime: Lifetime | None,
    parent_hash: bytes | None,
    extensions: Sequence[Extension],
) -> bytes:
    """All of a LeafNode but the signature."""
    middle = b""
    if source == KEY_PACKAGE and lifetime is not None:
        middle = lifetime.encode()
    elif source == COMMIT and parent_hash is not None:
        middle = opaque(parent_hash)
    return b"".join(
        (
            opaque(encryption_key),
            opaque(signature_key),
            credential.encode(),
            capabilities.encode(),
            u8(source),
            middle,
            encode_extensions(extensions),
        )
    )


def sign_leaf(
    suite: Suite,
    signature_private: bytes,
    *,
    encryption_key: bytes,
    credential: Credential,
    capabilities: Capabilities,
    extensions: Sequence[Extension],
    lifetime: Lifetime | None = None,
    parent_hash: bytes | None = None,
    group_id: bytes = b"",
    leaf_index: int = 0,
) -> LeafNode:
    """A signed leaf: a key package's with `lifetime`, a commit's with `parent_hash`, else an update's."""
    source = KEY_PACKAGE if lifetime is not None else COMMIT if parent_hash is not None else UPDATE
    signature_key = suite.signature_public_key(signature_private)
    unsigned = unsigned_leaf(
        encryption_key, signature_key, credential, capabilities, source, lifetime, parent_hash, extensions
    )
    place = b"" if source == KEY_PACKAGE else opaque(group_id) + u32(leaf_index)
    signed = suite.sign_with_label(signature_private, b"LeafNodeTBS", unsigned + place)
    return LeafNode(
        encryption_key,
        signature_key,
        credential,
        capabilities,
        source,
        lifetime,
        parent_hash,
        tuple(extensions),
        signed,
        unsigned + opaque(signed),
    )


def read_leaf(reader: Reader) -> LeafNode:
    start = reader.pos
    encryption_key = reader.opaque()
    signature_key = reader.opaque()
    credential = read_credential(reader)
    capabilities = read_capabilities(reader)
    source = reader.u8()
    lifetime = parent_hash = None
    if source == KEY_PACKAGE:
        lifetime = Lifetime(reader.u64(), reader.u64())
    elif source == COMMIT:
        parent_hash = reader.opaque()
    elif source != UPDATE:
        raise MalformedError("7.2-source", str(source))
    extensions = read_extensions(reader)
    signature = reader.opaque()
    return LeafNode(
        encryption_key,
        signature_key,
        credential,
        capabilities,
        source,
        lifetime,
        parent_hash,
        extensions,
        signature,
        reader.data[start : reader.pos],
    )
