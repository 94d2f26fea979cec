"""Making Welcomes and GroupInfos (RFC 9420 sections 12.4.1 and 12.4.3)."""

from __future__ import annotations

from collections.abc import Sequence

from polynya.crypto.random import Random
from polynya.mls import schedule, treemath
from polynya.mls.commit import HpkeCiphertext
from polynya.mls.committing import MadeCommit
from polynya.mls.extensions import RATCHET_TREE, Extension, external_pub_extension
from polynya.mls.groupinfo import GroupInfo, sign_group_info
from polynya.mls.proposal import Add
from polynya.mls.state import GroupState
from polynya.mls.welcome import EncryptedGroupSecrets, GroupSecrets, Welcome, seal_group_info


def make_group_info(
    state: GroupState, extensions: Sequence[Extension], *, tree: bool, external_pub: bool
) -> GroupInfo:
    """The epoch described and signed: the tree first, then the external key, then the caller's extensions."""
    first = []
    if tree:
        first.append(Extension(RATCHET_TREE, state.tree.encode()))
    if external_pub:
        _, public_key = schedule.external_key_pair(state.suite, state.secrets.external_secret)
        first.append(external_pub_extension(public_key))
    return sign_group_info(
        state.suite,
        state.signature_private,
        state.context,
        (*first, *extensions),
        state.confirmation_tag,
        state.own_leaf,
    )


def make_welcome(
    made: MadeCommit, extensions: Sequence[Extension], *, tree: bool, random: Random
) -> Welcome | None:
    """One Welcome for all that the commit adds, None if it adds nobody. Draws one encapsulation for each
    Add."""
    state, suite = made.state, made.state.suite
    if not made.applied.added:
        return None
    info = make_group_info(state, extensions, tree=tree, external_pub=False)
    encrypted = seal_group_info(suite, made.derived.welcome_secret, info)
    adds = [p.proposal for p in made.proposals if isinstance(p.proposal, Add)]
    entries = []
    for add, leaf in zip(adds, made.applied.added, strict=True):
        path_secret = None
        if made.path is not None:
            ancestor = treemath.common_ancestor(2 * leaf, 2 * state.own_leaf)
            path_secret = made.path.path_secrets[ancestor]
        secrets = GroupSecrets(made.derived.joiner_secret, path_secret, made.applied.psks)
        sealed = suite.encrypt_with_label(
            add.key_package.init_key, b"Welcome", encrypted, secrets.encode(), random
        )
        reference = suite.key_package_ref(add.key_package.encode())
        entries.append(EncryptedGroupSecrets(reference, HpkeCiphertext(*sealed)))
    return Welcome(suite.id, tuple(entries), encrypted)
