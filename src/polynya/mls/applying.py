"""Entering the epoch that a checked commit begins (RFC 9420 section 12.4.2): the steps that take secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from polynya.mls import schedule, transcript, treekem
from polynya.mls.errors import MlsError, PathError, RemovedError
from polynya.mls.framing import PRIVATE_MESSAGE, AuthenticatedContent
from polynya.mls.groupcontext import GroupContext
from polynya.mls.proposal import Update
from polynya.mls.proposals import Applied, Proposed
from polynya.mls.psk import PskId, collect, psk_secret, resumption_key
from polynya.mls.schedule import Derived
from polynya.mls.secrettree import SecretTree
from polynya.mls.state import GroupState
from polynya.mls.suite import Suite
from polynya.mls.tree import RatchetTree
from polynya.mls.verifying import CheckedCommit


def apply_commit(
    state: GroupState, checked: CheckedCommit, psks: Mapping[bytes, bytes], *, keep_past: bool
) -> GroupState:
    """The next epoch; raises RemovedError, PathError, or MlsError where a PSK is missing."""
    check_same_epoch(state, checked)
    if state.own_leaf in checked.applied.removed:
        raise RemovedError("12.4.2-removed", "this member was removed from the group")
    if checked.committer_leaf == state.own_leaf:
        raise MlsError("12.4.2-own-commit", "an own commit is merged, not applied")
    keys = find_psks(state, checked.applied.psks, psks)
    private_keys = keys_after_proposals(state, checked.proposals, checked.applied.tree)
    commit_secret = bytes(state.suite.secret_size)
    path = checked.commit.path
    if path is not None:
        try:
            opened = treekem.open_path(
                _tree_before_path(checked),
                checked.committer_leaf,
                state.own_leaf,
                private_keys,
                path,
                checked.provisional.encode(),
                checked.new_leaves,
            )
        except MlsError as error:
            raise PathError(error.rule, error.detail) from None
        kept = treekem.keep_private_keys(private_keys, checked.applied.tree, checked.tree, state.own_leaf)
        private_keys = {**kept, **opened.private_keys}
        commit_secret = opened.commit_secret
    init_secret = state.secrets.init_secret
    external = checked.applied.external_init
    if external is not None:
        try:
            init_secret = schedule.external_init_secret(
                state.suite, state.secrets.external_secret, external.kem_output
            )
        except MlsError as error:
            raise PathError(error.rule, error.detail) from None
    context = confirmed_context(
        state.suite, state.interim_transcript_hash, checked.provisional, checked.message
    )
    derived = schedule.advance(
        state.suite, init_secret, commit_secret, psk_secret(state.suite, keys), context
    )
    tag = checked.message.auth.confirmation_tag or b""
    check_confirmation_tag(state.suite, derived, context, tag)
    private = checked.message.wire_format == PRIVATE_MESSAGE
    return next_state(
        state,
        checked.applied,
        checked.tree,
        context,
        private_keys,
        derived,
        tag,
        keep_past=keep_past,
        committer=checked.committer_leaf if private else None,
    )


def _tree_before_path(checked: CheckedCommit) -> RatchetTree:
    """The tree after the proposals; for an external commit with a place for the joiner."""
    if checked.applied.external_init is None:
        return checked.applied.tree
    editor = checked.applied.tree.edit()
    editor.claim_leaf()
    return editor.done()


def check_same_epoch(state: GroupState, checked: CheckedCommit) -> None:
    """The commit was checked against this very epoch."""
    if checked.context != state.context:
        raise MlsError("12.4.2-other-epoch", "the commit was verified in another epoch")


def check_confirmation_tag(suite: Suite, derived: Derived, context: GroupContext, tag: bytes) -> None:
    """Section 12.4.2: the committer has arrived at the same secrets."""
    key, confirmed = derived.secrets.confirmation_key, context.confirmed_transcript_hash
    if not transcript.confirmation_is_valid(suite, key, confirmed, tag):
        raise PathError("12.4.2-confirmation-tag")


def keys_after_proposals(
    state: GroupState, resolved: tuple[Proposed, ...], tree: RatchetTree
) -> dict[int, bytes]:
    """The private keys that still hold in the tree after the proposals, an own Update's among them."""
    keys = treekem.keep_private_keys(state.private_keys, state.tree, tree, state.own_leaf)
    for proposed in resolved:
        if isinstance(proposed.proposal, Update) and proposed.leaf == state.own_leaf:
            private = state.update_keys.get(proposed.proposal.leaf_node.encryption_key)
            if private is None:
                raise PathError("12.4.2-own-update", "the private key of an own Update is gone")
            keys[2 * state.own_leaf] = private
    return keys


def find_psks(
    state: GroupState, psk_ids: tuple[PskId, ...], psks: Mapping[bytes, bytes]
) -> list[tuple[PskId, bytes]]:
    """Each PSK's key, or MlsError; resumption keys of this group are found by themselves."""
    group_id = state.context.group_id
    own = {resumption_key(group_id, epoch): key for epoch, key in state.resumption_after().items()}
    return collect(psk_ids, psks, own)


def confirmed_context(
    suite: Suite, interim: bytes, provisional: GroupContext, message: AuthenticatedContent
) -> GroupContext:
    """The GroupContext of the next epoch, its transcript hash included; `interim` is that of the epoch
    before."""
    confirmed = transcript.confirmed_hash(
        suite, interim, message.wire_format, message.content, message.auth.signature
    )
    return replace(provisional, confirmed_transcript_hash=confirmed)


def next_state(
    state: GroupState,
    applied: Applied,
    tree: RatchetTree,
    context: GroupContext,
    private_keys: Mapping[int, bytes],
    derived: Derived,
    tag: bytes,
    *,
    keep_past: bool,
    committer: int | None = None,
    signature_private: bytes | None = None,
) -> GroupState:
    """The next epoch's state. Pending proposals and unused Updates end with the epoch. `committer` as in
    `GroupState.archive`."""
    return GroupState(
        state.suite,
        context,
        tree,
        state.own_leaf,
        signature_private or state.signature_private,
        private_keys,
        derived.secrets,
        SecretTree.begin(tree.leaf_count, derived.encryption_secret),
        transcript.interim_hash(state.suite, context.confirmed_transcript_hash, tag),
        tag,
        past=(*state.past, state.archive(committer)) if keep_past else (),
        resumption=state.resumption_after(),
        reinit=applied.reinit,
    )
