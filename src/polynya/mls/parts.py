"""A group's state as parts: a mapping from names to values, so that what did not change is not stored again.

The same state always gives the same parts. They hold private keys: whoever stores them encrypts them. Names begin
with a byte for their kind:

    00                           what is small, and the epoch's secrets
    01                           the ratchet tree
    02 || u64 epoch              a former epoch, its leaves as changes against the epoch after it
    03 || u64 epoch              the parts of an epoch's secret tree not looked into yet
    04 || u64 epoch || u32 leaf || u8 kind     one ratchet of that epoch

A former epoch never changes once the epoch after it has begun, and a message changes one ratchet (and at first
the secret tree above it).
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Iterator, Mapping

from polynya.mls.codec import opaque, optional, u8, u32, u64, vector
from polynya.mls.leaf import LeafNode
from polynya.mls.places import Places
from polynya.mls.proposal import encode_proposal
from polynya.mls.secrettree import Ratchet, SecretTree
from polynya.mls.state import GroupState, PastEpoch

VERSION = 2

HEAD = b"\x00"
TREE = b"\x01"
PAST = b"\x02"
SECRETS = b"\x03"
RATCHET = b"\x04"

SIZES = {HEAD: 1, TREE: 1, PAST: 9, SECRETS: 9, RATCHET: 14}
"""Bytes of a name by its first one."""

_RATCHET_NAME = struct.Struct(">cQIB")

Part = tuple[bytes, bytes | None]
"""Name and value; None: gone."""


def past_name(epoch: int) -> bytes:
    return PAST + u64(epoch)


def secrets_name(epoch: int) -> bytes:
    return SECRETS + u64(epoch)


def ratchet_name(epoch: int, place: tuple[int, int]) -> bytes:
    """`place` as in `SecretTree.ratchets`."""
    return _RATCHET_NAME.pack(RATCHET, epoch, *place)


# ---- all of a state ----


def encode_parts(state: GroupState) -> dict[bytes, bytes]:
    """Ascending by name."""
    parts = {HEAD: _encode_head(state), TREE: state.tree.encode()}
    for past, after in _with_after(state):
        parts[past_name(past.context.epoch)] = _encode_past(past, after)
    for epoch, tree in _secret_trees(state):
        parts[secrets_name(epoch)] = tree.encode_secrets()
        for place, ratchet in tree.ratchets.items():
            parts[ratchet_name(epoch, place)] = ratchet.encode()
    return dict(sorted(parts.items()))


def encode_state(state: GroupState) -> bytes:
    """All parts as one blob."""
    return vector(opaque(name) + opaque(value) for name, value in encode_parts(state).items())


def _encode_head(state: GroupState) -> bytes:
    private_keys = sorted(state.private_keys.items())
    update_keys = sorted(state.update_keys.items())
    return b"".join(
        (
            u8(VERSION),
            state.context.encode(),
            u32(state.own_leaf),
            opaque(state.signature_private),
            vector(u32(node) + opaque(key) for node, key in private_keys),
            state.secrets.encode(),
            opaque(state.interim_transcript_hash),
            opaque(state.confirmation_tag),
            vector(p.encode() for p in state.pending),
            vector(opaque(public) + opaque(private) for public, private in update_keys),
            vector(u64(epoch) + opaque(key) for epoch, key in state.resumption.items()),
            optional(None if state.reinit is None else encode_proposal(state.reinit)),
        )
    )


def _encode_past(past: PastEpoch, after: Mapping[int, LeafNode]) -> bytes:
    """`after`: the members of the next epoch, so that a leaf that many epochs share is stored once."""
    changes = []
    for index in sorted({*past.members, *(i for i in after if i < past.leaf_count)}):
        leaf, newer = past.members.get(index), after.get(index)
        if leaf is not newer and (leaf is None or newer is None or leaf.encoded != newer.encoded):
            changes.append(u32(index) + optional(None if leaf is None else leaf.encoded))
    return past.context.encode() + u32(past.leaf_count) + vector(changes) + opaque(past.sender_data_secret)


def _with_after(state: GroupState) -> Iterator[tuple[PastEpoch, Mapping[int, LeafNode]]]:
    """Each former epoch with the members of the epoch after it, from the newest to the oldest."""
    after = state.tree.members()
    for past in reversed(state.past):
        yield past, after
        after = past.members


def _secret_trees(state: GroupState) -> Iterator[tuple[int, SecretTree]]:
    """By epoch, the current one first."""
    yield state.context.epoch, state.secret_tree
    for past in state.past:
        yield past.context.epoch, past.secret_tree


# ---- what is new ----


def part_changes(state: GroupState, since: GroupState) -> dict[bytes, bytes | None]:
    """What makes the parts of `since` those of `state`, ascending by name. What is the same object in both is not
    encoded, so the cost follows what an operation changed."""
    changed = [
        *_head_changes(state, since),
        *_tree_changes(state, since),
        *_past_changes(state, since),
        *_secret_changes(state, since),
    ]
    return dict(sorted(changed, key=operator.itemgetter(0)))


def _head_changes(state: GroupState, since: GroupState) -> Iterator[Part]:
    if not all(a is b for a, b in zip(_in_head(state), _in_head(since), strict=True)):
        yield from _unless_equal(HEAD, _encode_head(state), _encode_head(since))


def _in_head(state: GroupState) -> tuple[object, ...]:
    """Everything that `_encode_head` looks at."""
    return (
        state.context,
        state.own_leaf,
        state.signature_private,
        state.private_keys,
        state.secrets,
        state.interim_transcript_hash,
        state.confirmation_tag,
        state.pending,
        state.update_keys,
        state.resumption,
        state.reinit,
    )


def _tree_changes(state: GroupState, since: GroupState) -> Iterator[Part]:
    if state.tree is not since.tree:
        yield from _unless_equal(TREE, state.tree.encode(), since.tree.encode())


def _past_changes(state: GroupState, since: GroupState) -> Iterator[Part]:
    """Each commit makes a new tree: where the same one follows an epoch, it is the same epoch."""
    before = {past.context.epoch: (past, after) for past, after in _with_after(since)}
    for past, after in _with_after(state):
        epoch = past.context.epoch
        known = before.pop(epoch, None)
        if known is None:
            yield past_name(epoch), _encode_past(past, after)
        elif after is not known[1]:
            yield from _unless_equal(past_name(epoch), _encode_past(past, after), _encode_past(*known))
    for epoch in before:
        yield past_name(epoch), None


def _secret_changes(state: GroupState, since: GroupState) -> Iterator[Part]:
    before = dict(_secret_trees(since))
    for epoch, tree in _secret_trees(state):
        known = before.pop(epoch, None)
        if known is None:
            yield secrets_name(epoch), tree.encode_secrets()
        elif known is tree:
            continue
        elif known.secrets is not tree.secrets or known.leaf_count != tree.leaf_count:
            yield from _unless_equal(secrets_name(epoch), tree.encode_secrets(), known.encode_secrets())
        yield from _ratchet_changes(epoch, tree.ratchets, Places() if known is None else known.ratchets)
    for epoch, tree in before.items():
        yield secrets_name(epoch), None
        yield from _ratchet_changes(epoch, Places(), tree.ratchets)


def _ratchet_changes(epoch: int, ratchets: Places[Ratchet], before: Places[Ratchet]) -> Iterator[Part]:
    for place in ratchets.changes(before):
        name, ratchet, known = ratchet_name(epoch, place), ratchets.get(place), before.get(place)
        if ratchet is None:
            yield name, None
        elif known is None:
            yield name, ratchet.encode()
        else:
            yield from _unless_equal(name, ratchet.encode(), known.encode())


def _unless_equal(name: bytes, value: bytes, before: bytes) -> Iterator[Part]:
    if value != before:
        yield name, value
