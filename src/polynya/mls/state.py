"""A member's view of a group as one immutable value, and its encoding as one blob.

The same state always gives the same bytes. They hold private keys: whoever stores them encrypts them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from polynya.mls.codec import Reader, decode, opaque, optional, u8, u16, u32, u64, vector
from polynya.mls.errors import MalformedError
from polynya.mls.groupcontext import GroupContext, read_group_context
from polynya.mls.leaf import LeafNode, read_leaf
from polynya.mls.proposal import ReInit, encode_proposal, read_proposal
from polynya.mls.proposals import Proposed, read_proposed
from polynya.mls.schedule import EpochSecrets, read_epoch_secrets
from polynya.mls.secrettree import SecretTree, read_secret_tree
from polynya.mls.suite import Suite, suite_of
from polynya.mls.tree import MAX_LEAVES, RatchetTree

VERSION = 1

MAX_RESUMPTION_EPOCHS = 8
"""Former epochs whose resumption key is kept: enough for a re-initialisation to find the epoch that it
names."""


@dataclass(frozen=True, slots=True)
class PastEpoch:
    """What it takes to open late application messages of an epoch, and no more. `members` by leaf index, in a tree
    with room for `leaf_count`."""

    context: GroupContext
    leaf_count: int
    members: Mapping[int, LeafNode] = field(repr=False)
    sender_data_secret: bytes = field(repr=False)
    secret_tree: SecretTree = field(repr=False)

    def leaf(self, index: int) -> LeafNode | None:
        return self.members.get(index)


@dataclass(frozen=True, slots=True)
class GroupState:
    """One epoch as a member sees it.

    `private_keys` by node index: the own leaf's and those above it that are known. `update_keys`: private
    keys of own Updates not committed yet, by public key. `past` and `resumption` (by epoch) are ascending.
    """

    suite: Suite
    context: GroupContext
    tree: RatchetTree
    own_leaf: int
    signature_private: bytes = field(repr=False)
    private_keys: Mapping[int, bytes] = field(repr=False)
    secrets: EpochSecrets = field(repr=False)
    secret_tree: SecretTree = field(repr=False)
    interim_transcript_hash: bytes
    confirmation_tag: bytes = field(repr=False)
    pending: tuple[Proposed, ...] = ()
    update_keys: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    past: tuple[PastEpoch, ...] = field(default=(), repr=False)
    resumption: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    reinit: ReInit | None = None

    def archive(self, committer: int | None = None) -> PastEpoch:
        """This epoch without anything that sends: the own ratchets and all handshake ratchets are gone.

        `committer`: the leaf whose private commit ended the epoch, as its key must go too.
        """
        return PastEpoch(
            self.context,
            self.tree.leaf_count,
            dict(self.tree.leaves()),
            self.secrets.sender_data_secret,
            self.secret_tree.without(self.suite, self.own_leaf).without_handshake(self.suite, committer),
        )

    def resumption_after(self) -> Mapping[int, bytes]:
        """The resumption keys to keep in the next epoch."""
        keys = {**self.resumption, self.context.epoch: self.secrets.resumption_psk}
        return dict(list(keys.items())[-MAX_RESUMPTION_EPOCHS:])


def encode_state(state: GroupState) -> bytes:
    """The blob."""
    private_keys = sorted(state.private_keys.items())
    update_keys = sorted(state.update_keys.items())
    return b"".join(
        (
            u8(VERSION),
            state.context.encode(),
            state.tree.encode(),
            u32(state.own_leaf),
            opaque(state.signature_private),
            vector(u32(node) + opaque(key) for node, key in private_keys),
            state.secrets.encode(),
            opaque(state.secret_tree.encode()),
            opaque(state.interim_transcript_hash),
            opaque(state.confirmation_tag),
            vector(p.encode() for p in state.pending),
            vector(opaque(public) + opaque(private) for public, private in update_keys),
            vector(u64(epoch) + opaque(key) for epoch, key in state.resumption.items()),
            optional(None if state.reinit is None else encode_proposal(state.reinit)),
            _encode_past(state),
        )
    )


def decode_state(data: bytes) -> GroupState:
    """The reverse; raises MlsError."""
    state = decode(_read_state, data)
    check_one_encoding(state, data)
    return state


def check_one_encoding(state: GroupState, data: bytes) -> None:
    """What was stored is what would be stored: nothing in it is said in another way, or said twice."""
    if encode_state(state) != data:
        raise MalformedError("state-encoding")


def _read_state(reader: Reader) -> GroupState:
    if reader.u8() != VERSION:
        raise MalformedError("state-version")
    context = read_group_context(reader)
    suite = suite_of(context.cipher_suite)
    start = reader.pos
    reader.take(reader.varint())
    tree = RatchetTree.decode(suite, reader.data[start : reader.pos])
    own_leaf, signature_private = reader.u32(), reader.opaque()
    check_coherent(context, tree, own_leaf)
    private_keys = reader.mapping(Reader.u32, Reader.opaque)
    secrets = read_epoch_secrets(reader)
    secret_tree = decode(read_secret_tree, reader.opaque())
    check_secret_tree(secret_tree, tree.leaf_count)
    interim, tag = reader.opaque(), reader.opaque()
    pending = reader.vector(read_proposed)
    update_keys = reader.mapping(Reader.opaque, Reader.opaque)
    resumption = reader.mapping(Reader.u64, Reader.opaque)
    reinit = reader.optional(read_proposal)
    if reinit is not None and not isinstance(reinit, ReInit):
        raise MalformedError("state-reinit")
    past = _read_past(reader, suite, tree)
    return GroupState(
        suite,
        context,
        tree,
        own_leaf,
        signature_private,
        private_keys,
        secrets,
        secret_tree,
        interim,
        tag,
        pending,
        update_keys,
        past,
        resumption,
        reinit,
    )


def check_coherent(context: GroupContext, tree: RatchetTree, own_leaf: int) -> None:
    """A stored blob is one state: its tree has the hash that its context names, and the own leaf is in it."""
    if tree.tree_hash() != context.tree_hash or tree.leaf(own_leaf) is None:
        raise MalformedError("state-tree")


# ---- past epochs: the leaves of each as changes against the epoch after it
# -----------------------------------------


def _encode_past(state: GroupState) -> bytes:
    """From the newest to the oldest, so that a leaf that many epochs share is stored once."""
    after: Mapping[int, LeafNode] = dict(state.tree.leaves())
    encoded = []
    for epoch in reversed(state.past):
        changes = []
        for index in sorted({*epoch.members, *(i for i in after if i < epoch.leaf_count)}):
            leaf, newer = epoch.members.get(index), after.get(index)
            if leaf is not newer and (leaf is None or newer is None or leaf.encoded != newer.encoded):
                changes.append(u32(index) + optional(None if leaf is None else leaf.encoded))
        encoded.append(
            epoch.context.encode()
            + u32(epoch.leaf_count)
            + vector(changes)
            + opaque(epoch.sender_data_secret)
            + opaque(epoch.secret_tree.encode())
        )
        after = epoch.members
    return u16(len(encoded)) + b"".join(encoded)


def check_secret_tree(secret_tree: SecretTree, leaf_count: int) -> None:
    """A stored secret tree is that of its epoch's tree: looking for a leaf outside of it would never end."""
    fits = secret_tree.leaf_count == leaf_count
    fits = fits and all(node < 2 * leaf_count - 1 for node in secret_tree.secrets)
    if not fits or any(leaf >= leaf_count for leaf, _ in secret_tree.ratchets):
        raise MalformedError("state-secret-tree")


def check_members(count: int) -> None:
    """A past epoch's leaves are those of a full tree, however few members it shares with the epoch after."""
    if count > MAX_LEAVES or count.bit_count() != 1:
        raise MalformedError("state-members")


def _read_past(reader: Reader, suite: Suite, tree: RatchetTree) -> tuple[PastEpoch, ...]:
    after: Mapping[int, LeafNode] = dict(tree.leaves())
    past = []
    for _ in range(reader.u16()):
        context, count = read_group_context(reader), reader.u32()
        changes = reader.vector(lambda r: (r.u32(), r.optional(read_leaf)))
        check_members(count)
        members = {index: leaf for index, leaf in after.items() if index < count}
        for index, leaf in changes:
            if index >= count:
                raise MalformedError("state-members")
            if leaf is None:
                members.pop(index, None)
            else:
                members[index] = leaf
        after = dict(sorted(members.items()))
        sender_data_secret, secret_tree = reader.opaque(), decode(read_secret_tree, reader.opaque())
        check_secret_tree(secret_tree, count)
        past.append(PastEpoch(context, count, after, sender_data_secret, secret_tree))
    return tuple(reversed(past))
