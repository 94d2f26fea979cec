"""Making commits (RFC 9420 section 12.4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from polynya.crypto.random import Random
from polynya.mls import checks, proposals, protect, schedule, transcript, treekem
from polynya.mls.applying import confirmed_context, find_psks, keys_after_proposals, next_state
from polynya.mls.commit import Commit, ProposalRef
from polynya.mls.credential import Credential
from polynya.mls.errors import MlsError
from polynya.mls.extensions import Extension
from polynya.mls.framing import (
    MEMBER,
    PRIVATE_MESSAGE,
    PUBLIC_MESSAGE,
    AuthData,
    AuthenticatedContent,
    FramedContent,
    PrivateMessage,
    PublicMessage,
    Sender,
)
from polynya.mls.groupcontext import GroupContext, next_epoch
from polynya.mls.leaf import Capabilities, LeafNode, sign_leaf
from polynya.mls.proposal import Proposal
from polynya.mls.proposals import Applied, Proposed
from polynya.mls.psk import psk_secret
from polynya.mls.schedule import Derived
from polynya.mls.state import GroupState
from polynya.mls.suite import Suite
from polynya.mls.treekem import MadePath
from polynya.mls.verifying import check_open, judge, member_leaf


@dataclass(frozen=True, slots=True)
class LeafChange:
    """What a path commit or Update changes in the own leaf besides its encryption key; None leaves it as it
    is."""

    credential: Credential | None = None
    extensions: tuple[Extension, ...] | None = None
    capabilities: Capabilities | None = None
    signature_private: bytes | None = field(default=None, repr=False)


NO_CHANGE = LeafChange()


@dataclass(frozen=True, slots=True)
class MadeCommit:
    """The commit message, the state after it, and what a Welcome is made of."""

    message: PublicMessage | PrivateMessage
    state: GroupState
    proposals: tuple[Proposed, ...]
    applied: Applied
    derived: Derived = field(repr=False)
    path: MadePath | None = field(repr=False)


def renew_leaf(
    state: GroupState, change: LeafChange, encryption_key: bytes, parent_hash: bytes | None
) -> LeafNode:
    """The own leaf with a new encryption key, signed anew: for a commit, or without `parent_hash` for an
    Update."""
    old = member_leaf(state.tree, state.own_leaf)
    leaf = sign_leaf(
        state.suite,
        change.signature_private or state.signature_private,
        encryption_key=encryption_key,
        credential=change.credential or old.credential,
        capabilities=change.capabilities or old.capabilities,
        extensions=old.extensions if change.extensions is None else change.extensions,
        parent_hash=parent_hash,
        group_id=state.context.group_id,
        leaf_index=state.own_leaf,
    )
    checks.check_leaf_capabilities(leaf, state.suite)
    return leaf


def choose(
    state: GroupState, by_value: Sequence[Proposal], *, include_pending: bool, now: int
) -> tuple[Proposed, ...]:
    """The list to commit: pending proposals in order of arrival, then those given."""
    own = Sender(MEMBER, state.own_leaf)
    values = tuple(Proposed(proposal, own) for proposal in by_value)
    if not include_pending:
        return values
    pending = proposals.choose_pending(state.pending, state.own_leaf, state.tree, values, now)
    return (*pending, *values)


def make_commit(
    state: GroupState,
    chosen: tuple[Proposed, ...],
    *,
    path: bool | None,
    change: LeafChange,
    authenticated_data: bytes,
    private: bool,
    psks: Mapping[bytes, bytes],
    now: int,
    random: Random,
) -> MadeCommit:
    """Draws what `treekem.make_path` draws if there is a path, then the reuse guard if `private`."""
    check_open(state)
    sender = Sender(MEMBER, state.own_leaf)
    applied = judge(state, chosen, sender, now)
    with_path = True if path is None else path
    proposals.check_path_present(chosen, has_path=with_path)
    if not with_path and change != NO_CHANGE:
        raise MlsError("12.4.1-leaf-without-path", "a leaf changes only in a commit with a path")
    suite, context = state.suite, state.context
    tree = applied.tree
    private_keys: Mapping[int, bytes] = keys_after_proposals(state, chosen, tree)
    commit_secret = bytes(suite.secret_size)
    provisional = replace(
        context, epoch=next_epoch(context), tree_hash=tree.tree_hash(), extensions=applied.extensions
    )
    made: MadePath | None = None
    if with_path:
        made = treekem.make_path(
            tree,
            state.own_leaf,
            lambda key, parent_hash: renew_leaf(state, change, key, parent_hash),
            lambda tree_hash: replace(provisional, tree_hash=tree_hash),
            frozenset(applied.added),
            random,
        )
        commit_secret = made.commit_secret
        kept = treekem.keep_private_keys(private_keys, tree, made.tree, state.own_leaf)
        private_keys, tree = {**kept, **made.private_keys}, made.tree
    proposals.check_result(tree, applied.extensions)
    references = tuple(p.proposal if p.reference is None else ProposalRef(p.reference) for p in chosen)
    commit = Commit(references, None if made is None else made.path)
    content = FramedContent(context.group_id, context.epoch, sender, authenticated_data, commit)
    signed, after, derived = finish_commit(
        suite,
        context,
        state.interim_transcript_hash,
        PRIVATE_MESSAGE if private else PUBLIC_MESSAGE,
        content,
        provisional if made is None else made.context,
        (
            state.secrets.init_secret,
            commit_secret,
            psk_secret(state.suite, find_psks(state, applied.psks, psks)),
        ),
        state.signature_private,
    )
    message: PublicMessage | PrivateMessage
    if private:
        sender_data_secret = state.secrets.sender_data_secret
        _, message = protect.protect_private(suite, state.secret_tree, sender_data_secret, signed, 0, random)
    else:
        message = protect.protect_public(suite, signed, context, state.secrets.membership_key)
    # Nothing of this and former epochs goes along: a stored commit must not hold keys that are used meanwhile.
    next_ = next_state(
        replace(state, past=()),
        applied,
        tree,
        after,
        private_keys,
        derived,
        signed.auth.confirmation_tag or b"",
        keep_past=False,
        signature_private=change.signature_private,
    )
    return MadeCommit(message, next_, chosen, applied, derived, made)


def finish_commit(
    suite: Suite,
    context: GroupContext,
    interim: bytes,
    wire_format: int,
    content: FramedContent,
    provisional: GroupContext,
    secrets: tuple[bytes, bytes, bytes],
    signature_private: bytes,
) -> tuple[AuthenticatedContent, GroupContext, Derived]:
    """(signed content with its confirmation tag, next GroupContext, next secrets).

    `context` and `interim` are those of the epoch that ends; `secrets` are init, commit and PSK secret.
    """
    signature = protect.sign_content(suite, wire_format, content, context, signature_private)
    unconfirmed = AuthenticatedContent(wire_format, content, AuthData(signature, None))
    after = confirmed_context(suite, interim, provisional, unconfirmed)
    derived = schedule.advance(suite, *secrets, after)
    tag = transcript.confirmation_tag(
        suite, derived.secrets.confirmation_key, after.confirmed_transcript_hash
    )
    return AuthenticatedContent(wire_format, content, AuthData(signature, tag)), after, derived
