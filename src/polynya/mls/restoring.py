"""A group's state out of its stored parts (`parts`): only what would be stored in just this way is taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from polynya.mls.codec import Reader, decode
from polynya.mls.errors import MalformedError
from polynya.mls.groupcontext import GroupContext, read_group_context
from polynya.mls.leaf import LeafNode, read_leaf
from polynya.mls.parts import HEAD, PAST, RATCHET, SECRETS, SIZES, TREE, VERSION, encode_parts
from polynya.mls.places import Places
from polynya.mls.proposal import ReInit, read_proposal
from polynya.mls.proposals import Proposed, read_proposed
from polynya.mls.schedule import EpochSecrets, read_epoch_secrets
from polynya.mls.secrettree import APPLICATION, HANDSHAKE, Ratchet, SecretTree, read_ratchet, read_secrets
from polynya.mls.state import GroupState, PastEpoch
from polynya.mls.suite import suite_of
from polynya.mls.tree import MAX_LEAVES, RatchetTree


def decode_parts(parts: Mapping[bytes, bytes]) -> GroupState:
    """The reverse of `encode_parts`, in whatever order they come; raises MlsError."""
    check_names(parts)
    head = decode(read_head, parts[HEAD])
    suite = suite_of(head.context.cipher_suite)
    tree = RatchetTree.decode(suite, parts[TREE])
    check_coherent(head.context, tree, head.own_leaf)
    past = _read_pasts(parts, head.context.epoch)
    secret_trees = _read_secret_trees(parts, [*past, head.context.epoch])
    check_secret_tree(secret_trees[head.context.epoch], tree.leaf_count)
    state = GroupState(
        suite,
        head.context,
        tree,
        head.own_leaf,
        head.signature_private,
        head.private_keys,
        head.secrets,
        secret_trees[head.context.epoch],
        head.interim_transcript_hash,
        head.confirmation_tag,
        head.pending,
        head.update_keys,
        _past_epochs(past, secret_trees, tree.members()),
        head.resumption,
        head.reinit,
    )
    check_one_encoding(state, parts)
    return state


def decode_state(data: bytes) -> GroupState:
    """The reverse of `encode_state`; raises MlsError."""
    return decode_parts(decode(lambda r: r.mapping(Reader.opaque, Reader.opaque), data))


# ---- checks ----


def check_names(parts: Mapping[bytes, bytes]) -> None:
    """Head and tree are there, and nothing that this version does not know."""
    if HEAD not in parts or TREE not in parts:
        raise MalformedError("state-missing")
    if any(SIZES.get(name[:1]) != len(name) for name in parts):
        raise MalformedError("state-name")


def check_coherent(context: GroupContext, tree: RatchetTree, own_leaf: int) -> None:
    """Stored parts are one state: its tree has the hash that its context names, and the own leaf is in it."""
    if tree.tree_hash() != context.tree_hash or tree.leaf(own_leaf) is None:
        raise MalformedError("state-tree")


def check_epochs(named: list[int], told: list[int], epoch: int) -> None:
    """Former epochs are those directly before the current one, as the leaves of each are told by the next, and each
    lies under its own number."""
    if named != told or named != list(range(epoch - len(named), epoch)):
        raise MalformedError("state-epochs")


def check_keys(epochs: Collection[int], secrets: Collection[int], ratchets: Collection[int]) -> None:
    """There is a secret tree for each epoch that is kept, and no keys of any other."""
    if set(secrets) != set(epochs) or not set(ratchets) <= set(epochs):
        raise MalformedError("state-keys")


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


def check_one_encoding(state: GroupState, parts: Mapping[bytes, bytes]) -> None:
    """What was stored is what would be stored: nothing in it is said in another way, or said twice."""
    if encode_parts(state) != dict(parts):
        raise MalformedError("state-encoding")


# ---- head ----


@dataclass(frozen=True, slots=True)
class Head:
    """What of a GroupState lies in its head."""

    context: GroupContext
    own_leaf: int
    signature_private: bytes = field(repr=False)
    private_keys: Mapping[int, bytes] = field(repr=False)
    secrets: EpochSecrets = field(repr=False)
    interim_transcript_hash: bytes
    confirmation_tag: bytes = field(repr=False)
    pending: tuple[Proposed, ...]
    update_keys: Mapping[bytes, bytes] = field(repr=False)
    resumption: Mapping[int, bytes] = field(repr=False)
    reinit: ReInit | None


def read_head(reader: Reader) -> Head:
    if reader.u8() != VERSION:
        raise MalformedError("state-version")
    context, own_leaf, signature_private = read_group_context(reader), reader.u32(), reader.opaque()
    private_keys = reader.mapping(Reader.u32, Reader.opaque)
    secrets = read_epoch_secrets(reader)
    interim, tag = reader.opaque(), reader.opaque()
    pending = reader.vector(read_proposed)
    update_keys = reader.mapping(Reader.opaque, Reader.opaque)
    resumption = reader.mapping(Reader.u64, Reader.opaque)
    reinit = reader.optional(read_proposal)
    if reinit is not None and not isinstance(reinit, ReInit):
        raise MalformedError("state-reinit")
    return Head(
        context,
        own_leaf,
        signature_private,
        private_keys,
        secrets,
        interim,
        tag,
        pending,
        update_keys,
        resumption,
        reinit,
    )


# ---- former epochs ----


@dataclass(frozen=True, slots=True)
class Past:
    """What of a PastEpoch lies in its own part; `changes` are its leaves against the epoch after it."""

    context: GroupContext
    leaf_count: int
    changes: tuple[tuple[int, LeafNode | None], ...] = field(repr=False)
    sender_data_secret: bytes = field(repr=False)


def read_past(reader: Reader) -> Past:
    context, count = read_group_context(reader), reader.u32()
    changes = reader.vector(lambda r: (r.u32(), r.optional(read_leaf)))
    return Past(context, count, changes, reader.opaque())


def _read_pasts(parts: Mapping[bytes, bytes], epoch: int) -> dict[int, Past]:
    """Those before `epoch`, ascending."""
    names = sorted(name for name in parts if name[:1] == PAST)
    read = [decode(read_past, parts[name]) for name in names]
    epochs = [past.context.epoch for past in read]
    check_epochs([_epoch(name) for name in names], epochs, epoch)
    return dict(zip(epochs, read, strict=True))


def _past_epochs(
    read: Mapping[int, Past], secret_trees: Mapping[int, SecretTree], members: Mapping[int, LeafNode]
) -> tuple[PastEpoch, ...]:
    """`read` ascends; `members` are those of the epoch after the last."""
    past = []
    for epoch in reversed(list(read)):
        each = read[epoch]
        check_members(each.leaf_count)
        members = _members_before(members, each)
        check_secret_tree(secret_trees[epoch], each.leaf_count)
        past.append(
            PastEpoch(each.context, each.leaf_count, members, each.sender_data_secret, secret_trees[epoch])
        )
    return tuple(reversed(past))


def _members_before(after: Mapping[int, LeafNode], past: Past) -> Mapping[int, LeafNode]:
    """The members of an epoch, from those of the epoch after it."""
    members = {index: leaf for index, leaf in after.items() if index < past.leaf_count}
    for index, leaf in past.changes:
        if index >= past.leaf_count:
            raise MalformedError("state-members")
        if leaf is None:
            members.pop(index, None)
        else:
            members[index] = leaf
    return dict(sorted(members.items()))


# ---- secret trees ----


def _epoch(name: bytes) -> int:
    return int.from_bytes(name[1:9], "big")


def _read_secret_trees(parts: Mapping[bytes, bytes], epochs: list[int]) -> dict[int, SecretTree]:
    """By epoch, for exactly these."""
    ratchets: dict[int, dict[tuple[int, int], Ratchet]] = {}
    secrets: dict[int, tuple[int, dict[int, bytes]]] = {}
    for name, value in sorted(parts.items()):
        if name[:1] == SECRETS:
            secrets[_epoch(name)] = decode(read_secrets, value)
        elif name[:1] == RATCHET:
            ratchets.setdefault(_epoch(name), {})[_read_place(name)] = decode(read_ratchet, value)
    check_keys(epochs, secrets, ratchets)
    return {epoch: SecretTree(*secrets[epoch], Places(ratchets.get(epoch))) for epoch in epochs}


def _read_place(name: bytes) -> tuple[int, int]:
    """Leaf index and kind of a ratchet."""
    leaf, kind = int.from_bytes(name[9:13], "big"), name[13]
    if kind not in (HANDSHAKE, APPLICATION):
        raise MalformedError("state-ratchet")
    return leaf, kind
