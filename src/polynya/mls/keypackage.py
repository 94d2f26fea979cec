"""Key packages (RFC 9420 section 10): the public ones, and a bundle with the private keys beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from polynya.crypto.random import Random
from polynya.mls.codec import Reader, decode, opaque, u8, u16
from polynya.mls.credential import Credential
from polynya.mls.errors import MalformedError, MlsError
from polynya.mls.extensions import VERSION_MLS10, Extension, encode_extensions, read_extensions
from polynya.mls.leaf import Capabilities, LeafNode, Lifetime, default_capabilities, read_leaf, sign_leaf
from polynya.mls.suite import Suite, suite_of

LAST_RESORT = 0x000A
"""Extension type that marks a key package which may be used more than once (draft-ietf-mls-extensions)."""


@dataclass(frozen=True, slots=True)
class KeyPackage:
    """A key package whose checks passed, or whose bytes the group vouches for; see UnverifiedKeyPackage."""

    version: int
    cipher_suite: int
    init_key: bytes
    leaf_node: LeafNode
    extensions: tuple[Extension, ...]
    signature: bytes
    encoded: bytes = field(default=b"", repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.encoded:
            object.__setattr__(self, "encoded", self._unsigned() + opaque(self.signature))

    def encode(self) -> bytes:
        return self.encoded

    def _unsigned(self) -> bytes:
        return _unsigned(self.version, self.cipher_suite, self.init_key, self.leaf_node, self.extensions)

    def signature_is_valid(self, suite: Suite) -> bool:
        """KeyPackageTBS under the leaf's signature key."""
        return suite.verify_with_label(
            self.leaf_node.signature_key, b"KeyPackageTBS", self._unsigned(), self.signature
        )

    @property
    def last_resort(self) -> bool:
        return any(e.type == LAST_RESORT for e in self.extensions)


@dataclass(frozen=True, slots=True)
class UnverifiedKeyPackage:
    """What a stranger sent: well-formed, and nothing more is known.
    `group.verify_key_package` makes it usable."""

    key_package: KeyPackage = field(repr=False)


def _unsigned(
    version: int, cipher_suite: int, init_key: bytes, leaf: LeafNode, extensions: Sequence[Extension]
) -> bytes:
    head = u16(version) + u16(cipher_suite) + opaque(init_key)
    return head + leaf.encode() + encode_extensions(extensions)


def read_key_package(reader: Reader) -> KeyPackage:
    start = reader.pos
    version, cipher_suite, init_key = reader.u16(), reader.u16(), reader.opaque()
    leaf, extensions, signature = read_leaf(reader), read_extensions(reader), reader.opaque()
    encoded = reader.data[start : reader.pos]
    return KeyPackage(version, cipher_suite, init_key, leaf, extensions, signature, encoded)


@dataclass(frozen=True, slots=True)
class KeyPackageBundle:
    """A key package of ours and its private keys; destroyed after joining unless it is the last resort."""

    key_package: KeyPackage
    init_private: bytes = field(repr=False)
    encryption_private: bytes = field(repr=False)
    signature_private: bytes = field(repr=False)

    def encode(self) -> bytes:
        """For storage: version octet 1, then the fields."""
        secrets = (self.init_private, self.encryption_private, self.signature_private)
        return u8(1) + self.key_package.encode() + b"".join(map(opaque, secrets))

    @classmethod
    def decode(cls, data: bytes) -> KeyPackageBundle:
        """Raises MlsError."""
        return decode(_read_bundle, data)

    @property
    def reference(self) -> bytes:
        """The KeyPackageRef by which a Welcome names it."""
        return suite_of(self.key_package.cipher_suite).key_package_ref(self.key_package.encode())


def _read_bundle(reader: Reader) -> KeyPackageBundle:
    if reader.u8() != 1:
        raise MalformedError("state-version")
    return KeyPackageBundle(read_key_package(reader), reader.opaque(), reader.opaque(), reader.opaque())


def make_key_package(
    suite: Suite,
    credential: Credential,
    signature_private: bytes,
    *,
    lifetime: Lifetime,
    extensions: Sequence[Extension] = (),
    leaf_extensions: Sequence[Extension] = (),
    capabilities: Capabilities | None = None,
    last_resort: bool = False,
    random: Random,
) -> KeyPackageBundle:
    """A new key package. Draws the init key pair, then the leaf's encryption key pair.

    Without `capabilities` the leaf supports exactly the extension types used here. Raises MlsError if a type
    used is not among the capabilities given.
    """
    if last_resort:
        extensions = (*extensions, Extension(LAST_RESORT, b""))
    if capabilities is None:
        capabilities = default_capabilities(
            suite, [e.type for e in (*extensions, *leaf_extensions) if e.type > 5]
        )
    elif not {e.type for e in (*extensions, *leaf_extensions) if e.type > 5} <= set(capabilities.extensions):
        raise MlsError("10-capabilities", "an extension used is not listed in the capabilities")
    init_private, init_key = suite.kem.generate(random)
    encryption_private, encryption_key = suite.kem.generate(random)
    leaf = sign_leaf(
        suite,
        signature_private,
        encryption_key=encryption_key,
        credential=credential,
        capabilities=capabilities,
        extensions=leaf_extensions,
        lifetime=lifetime,
    )
    unsigned = _unsigned(VERSION_MLS10, suite.id, init_key, leaf, extensions)
    signed = suite.sign_with_label(signature_private, b"KeyPackageTBS", unsigned)
    key_package = KeyPackage(
        VERSION_MLS10, suite.id, init_key, leaf, tuple(extensions), signed, unsigned + opaque(signed)
    )
    return KeyPackageBundle(key_package, init_private, encryption_private, signature_private)
