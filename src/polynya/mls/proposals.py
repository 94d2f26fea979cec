"""The list of proposals of a commit: resolving, judging (RFC 9420 section 12.2), applying (12.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from polynya.mls import checks
from polynya.mls.codec import Reader, opaque
from polynya.mls.commit import Commit, ProposalRef
from polynya.mls.errors import MlsError, UnknownProposalError
from polynya.mls.extensions import VERSION_MLS10, Extension, external_senders, required_capabilities
from polynya.mls.framing import MEMBER, NEW_MEMBER_COMMIT, Sender, read_sender
from polynya.mls.proposal import (
    PATH_REQUIRED,
    Add,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ReInit,
    Remove,
    Update,
    encode_proposal,
    read_proposal,
)
from polynya.mls.psk import APPLICATION, PskId, ResumptionPskId
from polynya.mls.suite import Suite
from polynya.mls.tree import RatchetTree


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal and who made it; `reference` where it was sent before the commit."""

    proposal: Proposal
    sender: Sender
    reference: bytes | None = None

    @property
    def leaf(self) -> int | None:
        """The leaf that an Update or Remove is about."""
        if isinstance(self.proposal, Remove):
            return self.proposal.removed
        return self.sender.index if isinstance(self.proposal, Update) else None

    def encode(self) -> bytes:
        return opaque(self.reference or b"") + self.sender.encode() + encode_proposal(self.proposal)


def read_proposed(reader: Reader) -> Proposed:
    reference, sender = reader.opaque(), read_sender(reader)
    return Proposed(read_proposal(reader), sender, reference or None)


def resolve(commit: Commit, sender: Sender, pending: Mapping[bytes, Proposed]) -> tuple[Proposed, ...]:
    """The commit's proposals, those by reference looked up; raises UnknownProposalError."""
    resolved = []
    for item in commit.proposals:
        if isinstance(item, ProposalRef):
            found = pending.get(item.reference)
            if found is None:
                raise UnknownProposalError("12.4-unknown-proposal")
            resolved.append(found)
        else:
            resolved.append(Proposed(item, sender))
    return tuple(resolved)


@dataclass(frozen=True, slots=True)
class Applied:
    """A tree and extensions after a list of proposals; `added` and `removed` are leaf indices."""

    tree: RatchetTree
    extensions: tuple[Extension, ...]
    added: tuple[int, ...]
    removed: tuple[int, ...]
    psks: tuple[PskId, ...]
    external_init: ExternalInit | None
    reinit: ReInit | None


# ---- one proposal
# ---------------------------------------------------------------------------------------------


def check_proposal(
    proposed: Proposed,
    tree: RatchetTree,
    group_id: bytes,
    *,
    founding: bool,
    now: int | None,
    max_lifetime: int = checks.MAX_LIFETIME,
) -> None:
    """Section 12.1: a proposal by itself. `now` (milliseconds) None: whether a lifetime has run out is not
    judged yet. `max_lifetime` in seconds."""
    proposal = proposed.proposal
    if isinstance(proposal, Add):
        checks.check_key_package(proposal.key_package, tree.suite)
        checks.check_lifetime_span(proposal.key_package.leaf_node.lifetime, max_lifetime)
        if now is not None:
            checks.check_lifetime(proposal.key_package.leaf_node, now)
    elif isinstance(proposal, Update):
        old = tree.leaf(proposed.sender.index) if proposed.sender.type == MEMBER else None
        if old is None:
            raise MlsError("12.1.2-sender", "only members update their leaf")
        checks.check_update_leaf(proposal.leaf_node, old, tree.suite, group_id, proposed.sender.index)
    elif isinstance(proposal, Remove):
        check_remove(proposal, tree)
    elif isinstance(proposal, PreSharedKey):
        check_psk(proposal.psk, tree.suite, founding=founding)
    elif isinstance(proposal, ReInit):
        check_reinit(proposal)
    elif isinstance(proposal, GroupContextExtensions):
        check_context_extensions(proposal)


def check_remove(proposal: Remove, tree: RatchetTree) -> None:
    if tree.leaf(proposal.removed) is None:
        raise MlsError("12.1.3-blank", f"leaf {proposal.removed}")


def check_psk(psk: PskId, suite: Suite, *, founding: bool) -> None:
    """Resumption for re-initialising or branching belongs to the first commit of a new group only."""
    if len(psk.nonce) != suite.secret_size:
        raise MlsError("12.1.4-nonce")
    if isinstance(psk, ResumptionPskId) and psk.usage != APPLICATION and not founding:
        raise MlsError("12.1.4-usage")


def check_reinit(proposal: ReInit) -> None:
    if proposal.version < VERSION_MLS10:
        raise MlsError("12.1.5-version")


def check_context_extensions(proposal: GroupContextExtensions) -> None:
    """Those that MLS itself reads must be readable."""
    required_capabilities(proposal.extensions)
    external_senders(proposal.extensions)


# ---- the list
# -------------------------------------------------------------------------------------------------


def check_list(proposals: Sequence[Proposed], committer: Sender, suite: Suite) -> None:
    """Section 12.2, as far as the list alone shows."""
    if committer.type == NEW_MEMBER_COMMIT:
        check_external_list(proposals)
    else:
        check_committer_leaf(proposals, committer.index)
        check_one_change_per_leaf(proposals)
        check_no_external_init(proposals)
        check_reinit_alone(proposals)
    check_adds_differ(proposals, suite)
    check_psks_differ(proposals)
    check_one_context_change(proposals)


def check_committer_leaf(proposals: Sequence[Proposed], committer: int) -> None:
    """Nobody commits their own Update or Remove: the commit's path is their update."""
    for proposed in proposals:
        if proposed.leaf == committer:
            raise MlsError("12.2-committer", "a committer's own Update or Remove")


def check_one_change_per_leaf(proposals: Sequence[Proposed]) -> None:
    leaves = [p.leaf for p in proposals if p.leaf is not None]
    if len(set(leaves)) != len(leaves):
        raise MlsError("12.2-same-leaf")


def check_no_external_init(proposals: Sequence[Proposed]) -> None:
    if any(isinstance(p.proposal, ExternalInit) for p in proposals):
        raise MlsError("12.2-external-init")


def check_reinit_alone(proposals: Sequence[Proposed]) -> None:
    if len(proposals) > 1 and any(isinstance(p.proposal, ReInit) for p in proposals):
        raise MlsError("12.2-reinit-alone")


def check_adds_differ(proposals: Sequence[Proposed], suite: Suite) -> None:
    """Two Adds of one client: the same key package or the same signature key."""
    keys = [p.proposal.key_package.leaf_node.signature_key for p in proposals if isinstance(p.proposal, Add)]
    if len(set(keys)) != len(keys):
        raise MlsError("12.2-same-client")


def check_psks_differ(proposals: Sequence[Proposed]) -> None:
    ids = [p.proposal.psk.encode() for p in proposals if isinstance(p.proposal, PreSharedKey)]
    if len(set(ids)) != len(ids):
        raise MlsError("12.2-same-psk")


def check_one_context_change(proposals: Sequence[Proposed]) -> None:
    if sum(isinstance(p.proposal, GroupContextExtensions) for p in proposals) > 1:
        raise MlsError("12.2-context-extensions")


def check_external_list(proposals: Sequence[Proposed]) -> None:
    """An external commit: one ExternalInit, at most one Remove, any number of PSKs, all by value."""
    if any(p.reference is not None for p in proposals):
        raise MlsError("12.4.3.2-by-reference")
    kinds = [p.proposal.type for p in proposals]
    if kinds.count(ExternalInit.type) != 1 or kinds.count(Remove.type) > 1:
        raise MlsError("12.2-external-commit")
    if not set(kinds) <= {ExternalInit.type, Remove.type, PreSharedKey.type}:
        raise MlsError("12.2-external-commit")


def path_is_required(proposals: Sequence[Proposed]) -> bool:
    """Section 12.4: also for no proposals, and for GroupContextExtensions alone."""
    return not proposals or any(p.proposal.type in PATH_REQUIRED for p in proposals)


def check_path_present(proposals: Sequence[Proposed], *, has_path: bool) -> None:
    if not has_path and path_is_required(proposals):
        raise MlsError("12.4-path-required")


# ---- applying
# -------------------------------------------------------------------------------------------------


def apply(proposals: Sequence[Proposed], tree: RatchetTree, extensions: tuple[Extension, ...]) -> Applied:
    """The list in the order of section 12.3. It must have been checked."""
    editor = tree.edit()
    added, removed, psks = [], [], []
    external_init = reinit = None
    for proposed in proposals:
        if isinstance(proposed.proposal, GroupContextExtensions):
            extensions = proposed.proposal.extensions
    for proposed in proposals:
        if isinstance(proposed.proposal, Update):
            editor.update(proposed.sender.index, proposed.proposal.leaf_node)
    for proposed in proposals:
        if isinstance(proposed.proposal, Remove):
            editor.remove(proposed.proposal.removed)
            removed.append(proposed.proposal.removed)
    if removed:
        editor.truncate()
    for proposed in proposals:
        proposal = proposed.proposal
        if isinstance(proposal, Add):
            added.append(editor.add(proposal.key_package.leaf_node))
        elif isinstance(proposal, PreSharedKey):
            psks.append(proposal.psk)
        elif isinstance(proposal, ExternalInit):
            external_init = proposal
        elif isinstance(proposal, ReInit):
            reinit = proposal
    return Applied(
        editor.done(), extensions, tuple(added), tuple(removed), tuple(psks), external_init, reinit
    )


def check_result(tree: RatchetTree, extensions: Sequence[Extension]) -> None:
    """Section 12.2, last rule: the tree after the commit is valid for the extensions after the commit."""
    checks.check_supported(tree.capabilities_in_use()[0], extensions)
    checks.check_credentials_supported(tree)
    checks.check_unique_keys(tree)


def choose_pending(
    pending: Sequence[Proposed], own: int, tree: RatchetTree, by_value: Sequence[Proposed], now: int
) -> tuple[Proposed, ...]:
    """Those of the pending proposals that can be committed together by the member at leaf `own` (section
    12.2).

    A Remove wins over Updates of its leaf, a later Update over an earlier; of several changes of the
    extensions the first stays, and none beside one by value; an Add of a client that is there already, whose
    key package has run out or that is added twice is left out; a ReInit is left out where there is anything
    else."""
    if not pending:
        return ()
    taken = {p.leaf for p in by_value if p.leaf is not None}
    removed = {p.leaf for p in pending if isinstance(p.proposal, Remove)}
    last_update = {p.leaf: p for p in pending if isinstance(p.proposal, Update)}
    leaving = (removed - {own}) | taken
    clients = {leaf.signature_key for index, leaf in tree.leaves() if index not in leaving}
    clients |= {
        p.proposal.key_package.leaf_node.signature_key for p in by_value if isinstance(p.proposal, Add)
    }
    context_changed = any(isinstance(p.proposal, GroupContextExtensions) for p in by_value)
    psks = {p.proposal.psk.encode() for p in by_value if isinstance(p.proposal, PreSharedKey)}
    chosen: list[Proposed] = []
    for proposed in pending:
        proposal = proposed.proposal
        if isinstance(proposal, Remove | Update):
            stays = proposed.leaf != own and proposed.leaf not in taken
            if isinstance(proposal, Update):
                stays = stays and proposed.leaf not in removed and last_update[proposed.leaf] is proposed
            elif stays:
                taken.add(proposal.removed)
        elif isinstance(proposal, Add):
            leaf = proposal.key_package.leaf_node
            stays = leaf.signature_key not in clients
            stays = stays and (leaf.lifetime is None or leaf.lifetime.contains(now))
            if stays:
                clients.add(leaf.signature_key)
        elif isinstance(proposal, GroupContextExtensions):
            stays = not context_changed
            context_changed = True
        elif isinstance(proposal, PreSharedKey):
            stays = proposal.psk.encode() not in psks
            psks.add(proposal.psk.encode())
        else:
            stays = isinstance(proposal, ReInit) and not by_value and len(pending) == 1
        if stays:
            chosen.append(proposed)
    return tuple(chosen)
