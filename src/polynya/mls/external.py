"""Joining by an external commit (RFC 9420 section 12.4.3.2), from the joiner's side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from polynya.crypto.random import Random
from polynya.mls import checks, proposals, schedule, transcript, treekem
from polynya.mls.codec import decode
from polynya.mls.commit import Commit
from polynya.mls.committing import finish_commit
from polynya.mls.credential import Credential
from polynya.mls.errors import MlsError
from polynya.mls.extensions import DEFAULT_EXTENSIONS, Extension, external_pub
from polynya.mls.framing import (
    NEW_MEMBER_COMMIT,
    PUBLIC_MESSAGE,
    FramedContent,
    PublicMessage,
    Sender,
    read_message,
)
from polynya.mls.groupcontext import next_epoch
from polynya.mls.groupinfo import GroupInfo
from polynya.mls.joining import check_group_info, tree_of
from polynya.mls.leaf import Capabilities, default_capabilities, sign_leaf
from polynya.mls.proposal import ExternalInit, PreSharedKey, Proposal, Remove
from polynya.mls.proposals import Proposed
from polynya.mls.psk import PskId, collect, psk_secret
from polynya.mls.secrettree import SecretTree
from polynya.mls.state import GroupState
from polynya.mls.suite import suite_of


def join_external(
    group_info: bytes,
    credential: Credential,
    signature_private: bytes,
    *,
    tree: bytes | None,
    resync: int | None,
    psk_ids: Sequence[PskId],
    psks: Mapping[bytes, bytes],
    leaf_extensions: Sequence[Extension],
    capabilities: Capabilities | None,
    authenticated_data: bytes,
    max_lifetime: int,
    random: Random,
) -> tuple[PublicMessage, GroupState, tuple[Proposed, ...]]:
    """(commit message, state after it, its proposals); raises MlsError.

    `resync` is the leaf index of the joiner's former self, which the commit removes. Draws the encapsulation
    to the group's external key, then what `treekem.make_path` draws."""
    info = decode(read_message, group_info)
    if not isinstance(info, GroupInfo):
        raise MlsError("12.4.3.2-not-a-group-info")
    context = info.group_context
    suite = suite_of(context.cipher_suite)
    old_tree = tree_of(suite, info, tree)
    check_group_info(suite, info, old_tree, max_lifetime)
    epoch = next_epoch(context)
    public_key = external_pub(info.extensions)
    if public_key is None:
        raise MlsError("12.4.3.2-no-external-pub")
    kem_output, init_secret = schedule.external_init(suite, public_key, random)
    sender = Sender(NEW_MEMBER_COMMIT)
    by_value: list[Proposal] = [ExternalInit(kem_output)]
    if resync is not None:
        by_value.append(Remove(resync))
    by_value += [PreSharedKey(psk_id) for psk_id in psk_ids]
    chosen = tuple(Proposed(proposal, sender) for proposal in by_value)
    for proposed in chosen:
        proposals.check_proposal(proposed, old_tree, context.group_id, founding=False, now=None)
    proposals.check_list(chosen, sender, suite)
    applied = proposals.apply(chosen, old_tree, context.extensions)
    editor = applied.tree.edit()
    own = editor.claim_leaf()
    if capabilities is None:
        used = [e.type for e in (*context.extensions, *leaf_extensions) if e.type not in DEFAULT_EXTENSIONS]
        capabilities = default_capabilities(suite, used)
    made = treekem.make_path(
        editor.done(),
        own,
        lambda key, parent_hash: sign_leaf(
            suite,
            signature_private,
            encryption_key=key,
            credential=credential,
            capabilities=capabilities,
            extensions=leaf_extensions,
            parent_hash=parent_hash,
            group_id=context.group_id,
            leaf_index=own,
        ),
        lambda tree_hash: replace(context, epoch=epoch, tree_hash=tree_hash),
        frozenset(),
        random,
    )
    checks.check_leaf_capabilities(made.path.leaf_node, suite)
    proposals.check_result(made.tree, context.extensions)
    signed, after, derived = finish_commit(
        suite,
        context,
        transcript.interim_hash(suite, context.confirmed_transcript_hash, info.confirmation_tag),
        PUBLIC_MESSAGE,
        FramedContent(
            context.group_id,
            context.epoch,
            sender,
            authenticated_data,
            Commit(tuple(by_value), made.path),
        ),
        made.context,
        (init_secret, made.commit_secret, psk_secret(suite, collect(tuple(psk_ids), psks, {}))),
        signature_private,
    )
    tag = signed.auth.confirmation_tag or b""
    state = GroupState(
        suite,
        after,
        made.tree,
        own,
        signature_private,
        made.private_keys,
        derived.secrets,
        SecretTree.begin(made.tree.leaf_count, derived.encryption_secret),
        transcript.interim_hash(suite, after.confirmed_transcript_hash, tag),
        tag,
    )
    return PublicMessage(signed.content, signed.auth, None), state, chosen
