"""Groups that follow others: by re-initialisation or as a branch (RFC 9420 sections 11.2, 11.3 and 12.4.3.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from polynya.mls.credential import Credential
from polynya.mls.errors import MlsError
from polynya.mls.groupcontext import GroupContext
from polynya.mls.psk import APPLICATION, REINIT, PskId, ResumptionPskId
from polynya.mls.state import GroupState
from polynya.mls.tree import RatchetTree

SameClient = Callable[[Credential, Credential], bool]


@dataclass(frozen=True, slots=True)
class Former:
    """The group that a new one says it follows. `same` tells whether two credentials stand for one client."""

    state: GroupState
    same: SameClient


def link_of(psks: Sequence[PskId]) -> ResumptionPskId | None:
    """The PSK that ties a new group to the one before; `joining.check_welcome_psks` lets no second one through."""
    for psk in psks:
        if isinstance(psk, ResumptionPskId) and psk.usage != APPLICATION:
            return psk
    return None


def check_succession(
    psks: Sequence[PskId], context: GroupContext, tree: RatchetTree, former: Former | None
) -> None:
    """A joiner of a group that follows another holds it against that other; nothing where it follows none."""
    link = link_of(psks)
    if link is None:
        return
    members = check_former(link, former)
    if former is None:
        return
    credentials = [leaf.credential for _, leaf in tree.leaves()]
    if link.usage == REINIT:
        check_reinit_parameters(former.state, context)
        check_nobody_lost(members, credentials, former.same)
    else:
        check_branch_parameters(former.state, context)
        check_nobody_gained(members, credentials, former.same)


def check_former(link: ResumptionPskId, former: Former | None) -> list[Credential]:
    """The caller has the group and epoch that are named; returns the credentials of that epoch's members."""
    if former is not None and former.state.context.group_id == link.group_id:
        if former.state.context.epoch == link.epoch:
            return [leaf.credential for _, leaf in former.state.tree.leaves()]
        for past in former.state.past:
            if past.context.epoch == link.epoch:
                return [leaf.credential for leaf in past.members.values()]
    raise MlsError("12.4.3.1-former-group", "join with the group that this one follows")


def check_reinit_parameters(former: GroupState, context: GroupContext) -> None:
    """The former group ended by a ReInit, and the new one is what that said."""
    said = former.reinit
    if said is None or (said.group_id, said.cipher_suite, said.extensions) != (
        context.group_id,
        context.cipher_suite,
        context.extensions,
    ):
        raise MlsError("12.4.3.1-reinit")


def check_nobody_lost(before: Sequence[Credential], after: Sequence[Credential], same: SameClient) -> None:
    if any(not any(same(old, new) for new in after) for old in before):
        raise MlsError("12.4.3.1-reinit-members", "a member of the former group is missing")


def check_branch_parameters(former: GroupState, context: GroupContext) -> None:
    if former.context.cipher_suite != context.cipher_suite:
        raise MlsError("12.4.3.1-branch")


def check_nobody_gained(before: Sequence[Credential], after: Sequence[Credential], same: SameClient) -> None:
    if any(not any(same(old, new) for old in before) for new in after):
        raise MlsError("12.4.3.1-branch-members", "somebody was not a member of the former group")
