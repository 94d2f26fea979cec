"""The secret tree (RFC 9420 section 9): one ratchet per sender and kind, made when first needed.

Immutable. What was consumed is not in the tree that an operation returns: the secrets above a leaf go when
the leaf's ratchets are made, a ratchet's secret when it steps, a message key when it is handed out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from polynya.mls import treemath
from polynya.mls.codec import Reader, opaque, u32, vector
from polynya.mls.errors import ReplayedError
from polynya.mls.places import Places
from polynya.mls.suite import Suite

HANDSHAKE = 0
APPLICATION = 1

MAX_AHEAD = 1000
"""Generations that a ratchet may be asked to skip at once: 3 HKDF
calls each, 3,000 x 5 us = 15 ms at most."""

MAX_SKIPPED = 256
"""Keys of skipped generations kept for each ratchet, the latest ones: 256 x (16 + 12 + 8) = 9 KB."""

MAX_GENERATION = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class MessageKey:
    """For one message, once."""

    key: bytes = field(repr=False)
    nonce: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ratchet:
    """`secret` is that of the next `generation`; `skipped` are earlier ones not used yet, oldest first."""

    secret: bytes = field(repr=False)
    generation: int = 0
    skipped: Mapping[int, MessageKey] = field(default_factory=dict, repr=False)

    def step(self, suite: Suite) -> tuple[MessageKey, Ratchet]:
        """The next key, and the ratchet after it."""
        if self.generation > MAX_GENERATION:
            raise ReplayedError("9.1-exhausted")
        key = MessageKey(
            suite.derive_tree_secret(self.secret, b"key", self.generation, suite.aead.key_size),
            suite.derive_tree_secret(self.secret, b"nonce", self.generation, suite.aead.nonce_size),
        )
        secret = suite.derive_tree_secret(self.secret, b"secret", self.generation, suite.secret_size)
        return key, Ratchet(secret, self.generation + 1, self.skipped)

    def take(self, suite: Suite, generation: int) -> tuple[MessageKey, Ratchet]:
        """The key of `generation`, and the ratchet without it; raises
        ReplayedError if it is gone or too far."""
        if generation < self.generation:
            left = dict(self.skipped)
            found = left.pop(generation, None)
            if found is None:
                raise ReplayedError("9.2-consumed", f"generation {generation}")
            return found, Ratchet(self.secret, self.generation, left)
        if generation - self.generation > MAX_AHEAD:
            raise ReplayedError("9.1-too-far-ahead", f"generation {generation} after {self.generation}")
        skipped = dict(self.skipped)
        ratchet = self
        while ratchet.generation < generation:
            current = ratchet.generation
            skipped[current], ratchet = ratchet.step(suite)
        key, ratchet = ratchet.step(suite)
        for oldest in list(skipped)[: max(0, len(skipped) - MAX_SKIPPED)]:
            del skipped[oldest]
        return key, Ratchet(ratchet.secret, ratchet.generation, skipped)

    def encode(self) -> bytes:
        keys = vector(u32(g) + opaque(k.key) + opaque(k.nonce) for g, k in self.skipped.items())
        # The generation may be one past the largest: it takes 5 bytes.
        return opaque(self.secret) + self.generation.to_bytes(5, "big") + keys


def read_ratchet(reader: Reader) -> Ratchet:
    secret, generation = reader.opaque(), int.from_bytes(reader.take(5), "big")
    skipped = reader.mapping(Reader.u32, lambda r: MessageKey(r.opaque(), r.opaque()))
    return Ratchet(secret, generation, skipped)


@dataclass(frozen=True, slots=True)
class SecretTree:
    """`secrets` by node index: the parts of the tree not looked into
    yet. `ratchets` by (leaf index, kind)."""

    leaf_count: int
    secrets: Mapping[int, bytes] = field(repr=False)
    ratchets: Places[Ratchet] = field(repr=False)

    @classmethod
    def begin(cls, leaf_count: int, encryption_secret: bytes) -> SecretTree:
        return cls(leaf_count, {treemath.root(leaf_count): encryption_secret}, Places())

    def next(self, suite: Suite, leaf: int, kind: int) -> tuple[int, MessageKey, SecretTree]:
        """(generation, key, tree after it) for sending."""
        tree = self._open(suite, leaf, kind)
        ratchet = tree._ratchet(leaf, kind)
        key, after = ratchet.step(suite)
        return ratchet.generation, key, tree._with(leaf, kind, after)

    def take(self, suite: Suite, leaf: int, kind: int, generation: int) -> tuple[MessageKey, SecretTree]:
        """The key of a received message, and the tree without it; raises ReplayedError."""
        tree = self._open(suite, leaf, kind)
        key, after = tree._ratchet(leaf, kind).take(suite, generation)
        return key, tree._with(leaf, kind, after)

    def without(self, suite: Suite, leaf: int) -> SecretTree:
        """The tree without the ratchets of a leaf and the secrets from which they come."""
        tree = self._open(suite, leaf, APPLICATION)
        kept = {place: r for place, r in tree.ratchets.items() if place[0] != leaf}
        return SecretTree(self.leaf_count, tree.secrets, Places(kept))

    def without_handshake(self, suite: Suite, leaf: int | None = None) -> SecretTree:
        """The tree without the handshake ratchets made so far and without that of `leaf`, for an epoch in which
        no more handshakes are accepted."""
        tree = self if leaf is None else self._open(suite, leaf, HANDSHAKE)
        kept = {place: r for place, r in tree.ratchets.items() if place[1] != HANDSHAKE}
        return SecretTree(self.leaf_count, tree.secrets, Places(kept))

    def _ratchet(self, leaf: int, kind: int) -> Ratchet:
        ratchet = self.ratchets.get((leaf, kind))
        if ratchet is None:
            raise ReplayedError("9.2-dropped", f"no keys of leaf {leaf} are left")
        return ratchet

    def _with(self, leaf: int, kind: int, ratchet: Ratchet) -> SecretTree:
        return SecretTree(self.leaf_count, self.secrets, self.ratchets.replaced({(leaf, kind): ratchet}))

    def _open(self, suite: Suite, leaf: int, kind: int) -> SecretTree:
        """The tree with both ratchets of a leaf made, and the secrets above the leaf gone."""
        if (leaf, kind) in self.ratchets:
            return self
        node = 2 * leaf
        path = [node, *treemath.direct_path(node, self.leaf_count)]
        start = next((i for i, step in enumerate(path) if step in self.secrets), None)
        if start is None:
            return self
        secrets = dict(self.secrets)
        for step in reversed(path[1 : start + 1]):
            secret = secrets.pop(step)
            for child, side in ((treemath.left(step), b"left"), (treemath.right(step), b"right")):
                secrets[child] = suite.expand_with_label(secret, b"tree", side, suite.secret_size)
        leaf_secret = secrets.pop(node)
        made = {
            (leaf, each): Ratchet(suite.expand_with_label(leaf_secret, label, b"", suite.secret_size))
            for each, label in ((HANDSHAKE, b"handshake"), (APPLICATION, b"application"))
        }
        return SecretTree(self.leaf_count, secrets, self.ratchets.replaced(made))

    def encode_secrets(self) -> bytes:
        """What was not looked into yet; the ratchets are stored one by one."""
        secrets = vector(u32(node) + opaque(secret) for node, secret in sorted(self.secrets.items()))
        return u32(self.leaf_count) + secrets


def read_secrets(reader: Reader) -> tuple[int, dict[int, bytes]]:
    """The reverse of `encode_secrets`: (leaf count, secrets by node index)."""
    return reader.u32(), reader.mapping(Reader.u32, Reader.opaque)
