"""What any member can check about a commit or proposal of the current epoch (RFC 9420 sections 12.1, 12.2,
12.4.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from polynya.mls import checks, proposals, protect, treekem
from polynya.mls.codec import decode
from polynya.mls.commit import Commit, UpdatePath
from polynya.mls.errors import MlsError, WrongEpochError
from polynya.mls.extensions import external_senders
from polynya.mls.framing import (
    EXTERNAL,
    MEMBER,
    NEW_MEMBER_COMMIT,
    NEW_MEMBER_PROPOSAL,
    AuthenticatedContent,
    FramedContent,
    PrivateMessage,
    PublicMessage,
    Sender,
    read_message,
)
from polynya.mls.groupcontext import GroupContext, next_epoch
from polynya.mls.leaf import LeafNode
from polynya.mls.proposal import EXTERNAL_SENDER_TYPES, Add
from polynya.mls.proposals import Applied, Proposed
from polynya.mls.secrettree import SecretTree
from polynya.mls.state import GroupState
from polynya.mls.tree import RatchetTree


@dataclass(frozen=True, slots=True)
class CheckedCommit:
    """A commit that passed, with the public side of the epoch that it begins.

    `tree` and `provisional` (the GroupContext with the old transcript hash) are those after the path.
    """

    message: AuthenticatedContent
    commit: Commit
    context: GroupContext
    committer_leaf: int
    committer: LeafNode
    proposals: tuple[Proposed, ...]
    applied: Applied
    tree: RatchetTree
    provisional: GroupContext

    @property
    def new_leaves(self) -> frozenset[int]:
        return frozenset(self.applied.added)


def open_handshake(state: GroupState, message: bytes) -> tuple[SecretTree, AuthenticatedContent]:
    """Decodes and unprotects a handshake message of the current epoch, and checks its signature."""
    secret_tree, opened = _unprotect(state, message)
    key = signature_key(state, opened.content)
    protect.check_content_signature(state.suite, opened, state.context, key)
    return secret_tree, opened


def _unprotect(state: GroupState, message: bytes) -> tuple[SecretTree, AuthenticatedContent]:
    body = decode(read_message, message)
    if isinstance(body, PublicMessage):
        check_epoch(state, body.content.group_id, body.content.epoch)
        opened = protect.unprotect_public(state.suite, body, state.context, state.secrets.membership_key)
        return state.secret_tree, opened
    if isinstance(body, PrivateMessage):
        check_epoch(state, body.group_id, body.epoch)
        secret_tree, opened, _ = protect.unprotect_private(
            state.suite, state.secret_tree, state.secrets.sender_data_secret, body, state.tree.leaf
        )
        return secret_tree, opened
    raise MlsError("6-not-a-handshake")


def signature_key(state: GroupState, content: FramedContent) -> bytes:
    """Section 6.1: whose key a message's signature is under. A member's is that of the leaf before a commit, a
    joiner's that of its path's leaf."""
    sender, body = content.sender, content.content
    if sender.type == MEMBER:
        return member_leaf(state.tree, sender.index).signature_key
    if sender.type == EXTERNAL and not isinstance(body, bytes | Commit):
        senders = external_senders(state.context.extensions)
        if sender.index >= len(senders):
            raise MlsError("6.1-external-sender")
        return senders[sender.index].signature_key
    if sender.type == NEW_MEMBER_PROPOSAL and isinstance(body, Add):
        return body.key_package.leaf_node.signature_key
    if sender.type == NEW_MEMBER_COMMIT and isinstance(body, Commit):
        if body.path is None:
            raise MlsError("12.4.3.2-path-required")
        return body.path.leaf_node.signature_key
    raise MlsError("6.1-sender-type")


def check_epoch(state: GroupState, group_id: bytes, epoch: int) -> None:
    if group_id != state.context.group_id:
        raise MlsError("6-group-id")
    if epoch != state.context.epoch:
        raise WrongEpochError("12.4.2-epoch", f"{epoch} instead of {state.context.epoch}")


def check_open(state: GroupState) -> None:
    """Section 12.4.2: after a ReInit was committed the group is over."""
    if state.reinit is not None:
        raise MlsError("12.4.2-reinit", "the group was re-initialised")


# ---- proposals
# --------------------------------------------------------------------------------------------------


def check_proposal_message(
    state: GroupState, message: AuthenticatedContent, max_lifetime: int = checks.MAX_LIFETIME
) -> Proposed:
    """A proposal message that was opened, or is our own: its sender and the proposal by itself.

    `max_lifetime` in seconds."""
    content = message.content
    proposal = content.content
    if isinstance(proposal, bytes | Commit):
        raise MlsError("6-not-a-proposal")
    if content.sender.type == EXTERNAL and proposal.type not in EXTERNAL_SENDER_TYPES:
        raise MlsError("12.1.8-external-type")
    reference = state.suite.proposal_ref(message.encode())
    proposed = Proposed(proposal, content.sender, reference)
    group_id = state.context.group_id
    proposals.check_proposal(
        proposed, state.tree, group_id, founding=False, now=None, max_lifetime=max_lifetime
    )
    return proposed


def member_leaf(tree: RatchetTree, index: int) -> LeafNode:
    leaf = tree.leaf(index)
    if leaf is None:
        raise MlsError("6.1-blank-sender", f"leaf {index}")
    return leaf


# ---- commits
# ----------------------------------------------------------------------------------------------------


def check_commit_message(
    state: GroupState, message: AuthenticatedContent, now: int, max_lifetime: int
) -> CheckedCommit:
    """A commit message that was opened: everything but what takes private keys."""
    content = message.content
    commit = content.content
    if not isinstance(commit, Commit):
        raise MlsError("6-not-a-commit")
    pending = {p.reference: p for p in state.pending if p.reference is not None}
    resolved = proposals.resolve(commit, content.sender, pending)
    applied = judge(state, resolved, content.sender, now, max_lifetime)
    proposals.check_path_present(resolved, has_path=commit.path is not None)
    tree, committer = applied.tree, content.sender.index
    if content.sender.type == NEW_MEMBER_COMMIT:
        editor = tree.edit()
        committer = editor.claim_leaf()
        tree = editor.done()
    if commit.path is not None:
        tree = _check_path(state, commit.path, tree, committer, applied)
    proposals.check_result(tree, applied.extensions)
    provisional = replace(
        state.context,
        epoch=next_epoch(state.context),
        tree_hash=tree.tree_hash(),
        extensions=applied.extensions,
    )
    return CheckedCommit(
        message,
        commit,
        state.context,
        committer,
        member_leaf(tree if content.sender.type == NEW_MEMBER_COMMIT else state.tree, committer),
        resolved,
        applied,
        tree,
        provisional,
    )


def judge(
    state: GroupState,
    resolved: tuple[Proposed, ...],
    committer: Sender,
    now: int,
    max_lifetime: int = checks.MAX_LIFETIME,
) -> Applied:
    """The list checked by sections 12.1 and 12.2 and applied, as committers and receivers must."""
    founding = state.context.epoch == 0
    for proposed in resolved:
        proposals.check_proposal(
            proposed,
            state.tree,
            state.context.group_id,
            founding=founding,
            now=now,
            max_lifetime=max_lifetime,
        )
    proposals.check_list(resolved, committer, state.suite)
    return proposals.apply(resolved, state.tree, state.context.extensions)


def _check_path(
    state: GroupState, path: UpdatePath, tree: RatchetTree, committer: int, applied: Applied
) -> RatchetTree:
    """The update path's public side; returns the tree with it."""
    suite, group_id = state.suite, state.context.group_id
    leaf = path.leaf_node
    old = tree.leaf(committer)
    if old is None and applied.removed:
        old = state.tree.leaf(applied.removed[0])
    if old is not None:
        checks.check_fresh_encryption_key(leaf, old)
    checks.check_commit_leaf(leaf, suite, group_id, committer)
    keys = [leaf.encryption_key, *(node.encryption_key for node in path.nodes)]
    checks.check_public_keys(suite, keys)
    checks.check_path_keys(tree, keys)
    merged, parent_hash = treekem.merge_path(tree, committer, path, frozenset(applied.added))
    checks.check_leaf_parent_hash(leaf, parent_hash)
    return merged
