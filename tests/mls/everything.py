"""Somebody who has all that a member stored, and tries every 32 bytes of it in every place of the key schedule."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from polynya.mls import protect, schedule, treemath
from polynya.mls.codec import decode, opaque
from polynya.mls.commit import Commit
from polynya.mls.errors import MlsError
from polynya.mls.framing import PrivateMessage, PublicMessage, read_message
from polynya.mls.group import Group
from polynya.mls.groupcontext import GroupContext
from polynya.mls.secrettree import APPLICATION
from polynya.mls.suite import Suite
from polynya.mls.treekem import LABEL
from polynya.mls.welcome import Welcome, open_group_info, open_group_secrets

SIZE = 32
"""Bytes of every secret in the suites 0x0001 and 0xF001, and of an X25519 private key."""


def windows(blob: bytes) -> Iterator[bytes]:
    """Every 32 bytes of `blob`: each secret in it is one of them, wherever and however it is stored."""
    seen = {blob[start : start + SIZE] for start in range(len(blob) - SIZE + 1)}
    return iter(sorted(seen))


@dataclass(frozen=True, slots=True)
class Target:
    """A private message, with all about it: `key` is what an attempt must find, the nonce is given away.

    `sides`: the way in the secret tree from the root to the sender's leaf. `kind` as in `secrettree`.
    `vain`: secrets, and commit secrets given away with them, that were tried and do not lead to the key."""

    suite: Suite
    context: bytes
    sides: tuple[bytes, ...]
    kind: int
    generation: int
    nonce: bytes
    key: bytes = field(repr=False)
    message: PrivateMessage
    vain: set[tuple[bytes, bytes]] = field(default_factory=set, repr=False, compare=False)

    @classmethod
    def of(cls, sender: Group, message: bytes, kind: int, generation: int) -> Target:
        """`sender` as it was before it sent the message, which is the one of that generation."""
        state = sender._state
        suite, own = state.suite, 2 * state.own_leaf
        body = decode(read_message, message)
        assert isinstance(body, PrivateMessage)
        data_key, data_nonce = protect.sender_data_key(
            suite, state.secrets.sender_data_secret, body.ciphertext
        )
        aad = protect._sender_data_aad(body.group_id, body.epoch, body.content_type)
        opened = suite.open(data_key, data_nonce, aad, body.encrypted_sender_data)
        sender_data = decode(protect._read_sender_data, opened)
        assert (sender_data.leaf_index, sender_data.generation) == (state.own_leaf, generation)
        used = state.secret_tree.take(suite, state.own_leaf, kind, generation)[0]
        path = [own, *treemath.direct_path(own, state.tree.leaf_count)]
        sides = tuple(
            b"left" if treemath.left(above) == node else b"right" for node, above in itertools.pairwise(path)
        )
        guarded = protect._guarded(used.nonce, sender_data.reuse_guard)
        made = cls(suite, state.context.encode(), sides[::-1], kind, generation, guarded, used.key, body)
        assert made.is_opened_by(used.key) and not made.is_opened_by(bytes(len(used.key)))
        return made

    def is_opened_by(self, key: bytes) -> bool:
        """By a message key."""
        body = self.message
        aad = protect._sender_data_aad(body.group_id, body.epoch, body.content_type)
        aad += opaque(body.authenticated_data)
        try:
            self.suite.open(key, self.nonce, aad, body.ciphertext)
        except MlsError:
            return False
        return True

    def is_held_in(self, data: bytes) -> bool:
        """Whether the key itself lies anywhere in `data`."""
        return self.key in data

    def opens_with(self, blob: bytes, commit_secret: bytes = bytes(SIZE)) -> bool:
        """Whether anything in `blob` leads to the key; `commit_secret` is given away too."""
        return self.is_held_in(blob) or any(self._comes_of(secret, commit_secret) for secret in windows(blob))

    def _comes_of(self, secret: bytes, commit_secret: bytes) -> bool:
        """Whether the key is among `_keys`. No other key opens the message, so it need not be tried on it."""
        attempt = (secret, commit_secret)
        if attempt in self.vain:
            return False
        found = self.key in self._keys(secret, commit_secret)
        if not found:
            self.vain.add(attempt)
        return found

    def _keys(self, secret: bytes, commit_secret: bytes) -> Iterator[bytes]:
        """All message keys that come of one secret, as the secret of a ratchet's generation, of a node of the
        secret tree, of the epoch, its joiner secret or the init secret before it."""
        suite = self.suite
        for generation in range(self.generation + 1):
            yield self._ratchet(secret, generation)
        for depth in range(len(self.sides) + 1):
            yield self._below(depth, secret)
        yield self._epoch(secret)
        yield self._joiner(secret)
        extracted = suite.extract(secret, commit_secret)
        yield self._joiner(suite.expand_with_label(extracted, b"joiner", self.context, suite.secret_size))

    def _ratchet(self, secret: bytes, generation: int) -> bytes:
        suite = self.suite
        for step in range(generation, self.generation):
            secret = suite.derive_tree_secret(secret, b"secret", step, suite.secret_size)
        return suite.derive_tree_secret(secret, b"key", self.generation, suite.aead.key_size)

    def _below(self, depth: int, secret: bytes) -> bytes:
        """`secret` is that of the node at `depth` above the sender's leaf."""
        suite = self.suite
        for side in self.sides[depth:]:
            secret = suite.expand_with_label(secret, b"tree", side, suite.secret_size)
        kind = b"application" if self.kind == APPLICATION else b"handshake"
        return self._ratchet(suite.expand_with_label(secret, kind, b"", suite.secret_size), 0)

    def _epoch(self, secret: bytes) -> bytes:
        return self._below(0, self.suite.derive_secret(secret, b"encryption"))

    def _joiner(self, secret: bytes) -> bytes:
        suite = self.suite
        extracted = suite.extract(secret, bytes(SIZE))
        return self._epoch(suite.expand_with_label(extracted, b"epoch", self.context, suite.secret_size))


def opens_a_path(suite: Suite, blob: bytes, message: bytes, provisional: GroupContext) -> bool:
    """Whether any 32 bytes of `blob` are a private key for a path secret of a public commit, which was sealed
    under `provisional`."""
    body = decode(read_message, message)
    assert isinstance(body, PublicMessage) and isinstance(body.content.content, Commit)
    path = body.content.content.path
    assert path is not None
    sealed = [each for node in path.nodes for each in node.encrypted_path_secrets]
    assert sealed
    for private_key in windows(blob):
        for each in sealed:
            try:
                suite.decrypt_with_label(
                    private_key, LABEL, provisional.encode(), each.kem_output, each.ciphertext
                )
            except MlsError:
                continue
            return True
    return False


def opens_a_welcome(suite: Suite, blob: bytes, message: bytes) -> bool:
    """Whether any 32 bytes of `blob` are an init key, joiner secret or welcome secret for a Welcome without
    PSKs."""
    body = decode(read_message, message)
    assert isinstance(body, Welcome)
    for secret in windows(blob):
        for entry in body.secrets:
            try:
                open_group_secrets(suite, secret, entry.secrets, body.encrypted_group_info)
            except MlsError:
                continue
            return True
        for welcome_secret in (secret, schedule.welcome_secret(suite, secret, bytes(SIZE))):
            try:
                open_group_info(suite, welcome_secret, body.encrypted_group_info)
            except MlsError:
                continue
            return True
    return False
