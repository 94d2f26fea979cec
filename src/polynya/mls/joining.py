"""Joining by a Welcome (RFC 9420 section 12.4.3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from polynya.mls import checks, schedule, transcript, treekem, treemath
from polynya.mls.codec import decode
from polynya.mls.errors import MlsError
from polynya.mls.extensions import RATCHET_TREE, Extension, find
from polynya.mls.framing import WELCOME, split_message
from polynya.mls.groupinfo import GroupInfo
from polynya.mls.keypackage import KeyPackageBundle
from polynya.mls.psk import APPLICATION, PskId, ResumptionPskId, collect, psk_secret
from polynya.mls.secrettree import SecretTree
from polynya.mls.state import GroupState
from polynya.mls.succession import Former, check_succession
from polynya.mls.suite import Suite, suite_of
from polynya.mls.tree import RatchetTree
from polynya.mls.welcome import (
    EncryptedGroupSecrets,
    GroupSecrets,
    Welcome,
    open_group_info,
    open_group_secrets,
    read_welcome,
)


@dataclass(frozen=True, slots=True)
class JoinedState:
    """A new group, and what its GroupInfo said besides."""

    state: GroupState
    group_info: GroupInfo
    bundle: KeyPackageBundle
    psks: tuple[PskId, ...]


def join(
    welcome_message: bytes,
    bundles: Sequence[KeyPackageBundle],
    tree_bytes: bytes | None,
    psks: Mapping[bytes, bytes],
    max_lifetime: int,
    former: Former | None,
) -> JoinedState:
    """Checks everything that section 12.4.3.1 asks of a joiner; raises MlsError."""
    wire_format, encoded = split_message(welcome_message)
    if wire_format != WELCOME:
        raise MlsError("12.4.3.1-not-a-welcome")
    message = decode(read_welcome, encoded)
    suite = suite_of(message.cipher_suite)
    bundle, entry = _find_bundle(suite, message, bundles)
    secrets = open_group_secrets(suite, bundle.init_private, entry.secrets, message.encrypted_group_info)
    mixed = psk_secret(suite, collect(secrets.psks, psks, {}))
    welcome_secret = schedule.welcome_secret(suite, secrets.joiner_secret, mixed)
    info = open_group_info(suite, welcome_secret, message.encrypted_group_info)
    context = info.group_context
    if context.cipher_suite != suite.id:
        raise MlsError("12.4.3.1-suite")
    tree = tree_of(suite, info, tree_bytes)
    check_group_info(suite, info, tree, max_lifetime)
    check_welcome_psks(secrets.psks)
    check_first_epoch(secrets.psks, context.epoch)
    check_succession(secrets.psks, context, tree, former)
    own = tree.leaf_by_encoding(bundle.key_package.leaf_node.encoded)
    if own is None:
        raise MlsError("12.4.3.1-own-leaf")
    if suite.signature_public_key(bundle.signature_private) != bundle.key_package.leaf_node.signature_key:
        raise MlsError("12.4.3.1-own-signature-key")
    private_keys = {2 * own: bundle.encryption_private, **_path_keys(suite, tree, info.signer, own, secrets)}
    derived = schedule.from_joiner(suite, secrets.joiner_secret, mixed, context)
    confirmed, tag = context.confirmed_transcript_hash, info.confirmation_tag
    check_confirmation(suite, derived.secrets.confirmation_key, confirmed, tag)
    state = GroupState(
        suite,
        context,
        tree,
        own,
        bundle.signature_private,
        private_keys,
        derived.secrets,
        SecretTree.begin(tree.leaf_count, derived.encryption_secret),
        transcript.interim_hash(suite, confirmed, tag),
        tag,
    )
    return JoinedState(state, info, bundle, secrets.psks)


def _find_bundle(
    suite: Suite, welcome: Welcome, bundles: Sequence[KeyPackageBundle]
) -> tuple[KeyPackageBundle, EncryptedGroupSecrets]:
    by_reference = {b.reference: b for b in bundles if b.key_package.cipher_suite == suite.id}
    for entry in welcome.secrets:
        bundle = by_reference.get(entry.new_member)
        if bundle is not None:
            return bundle, entry
    raise MlsError("12.4.3.1-no-key-package", "the Welcome is for none of these key packages")


def tree_of(suite: Suite, info: GroupInfo, tree_bytes: bytes | None) -> RatchetTree:
    """The tree from the GroupInfo, or else the one that came another way; it must have the hash that is
    promised."""
    inside = find(info.extensions, RATCHET_TREE)
    data = tree_bytes if inside is None else inside
    if data is None:
        raise MlsError("12.4.3.1-no-tree")
    tree = RatchetTree.decode(suite, data)
    check_tree_hash(tree, info.group_context.tree_hash)
    return tree


def check_tree_hash(tree: RatchetTree, expected: bytes) -> None:
    if tree.tree_hash() != expected:
        raise MlsError("12.4.3.1-tree-hash")


def check_group_info(suite: Suite, info: GroupInfo, tree: RatchetTree, max_lifetime: int) -> None:
    """The GroupInfo is signed by a member of the very tree it describes, and that tree is valid."""
    check_group_info_signature(suite, info, tree)
    context = info.group_context
    checks.check_tree(tree, context.group_id, context.extensions, max_lifetime)


def check_group_info_signature(suite: Suite, info: GroupInfo, tree: RatchetTree) -> None:
    signer = tree.leaf(info.signer)
    if signer is None:
        raise MlsError("12.4.3-signer", f"leaf {info.signer} is blank")
    if not info.signature_is_valid(suite, signer.signature_key):
        raise MlsError("12.4.3-signature")


def check_confirmation(suite: Suite, confirmation_key: bytes, confirmed: bytes, tag: bytes) -> None:
    if not transcript.confirmation_is_valid(suite, confirmation_key, confirmed, tag):
        raise MlsError("12.4.3.1-confirmation-tag")


def check_welcome_psks(psks: Sequence[PskId]) -> None:
    """A resumption for re-initialising or branching is the only one of its kind."""
    if sum(isinstance(p, ResumptionPskId) and p.usage != APPLICATION for p in psks) > 1:
        raise MlsError("12.4.3.1-resumption")


def check_first_epoch(psks: Sequence[PskId], epoch: int) -> None:
    """A re-initialised or branched group begins with the commit that adds everybody."""
    if epoch != 1 and any(isinstance(p, ResumptionPskId) and p.usage != APPLICATION for p in psks):
        raise MlsError("12.4.3.1-resumption-epoch")


def _path_keys(
    suite: Suite, tree: RatchetTree, signer: int, own: int, secrets: GroupSecrets
) -> dict[int, bytes]:
    """The private keys above the own leaf that the committer's path gives, checked against the tree."""
    if secrets.path_secret is None:
        return {}
    if signer == own:
        raise MlsError("12.4.3.1-own-signer")
    ancestor = treemath.common_ancestor(2 * signer, 2 * own)
    nodes = []
    for node in (ancestor, *treemath.direct_path(ancestor, tree.leaf_count)):
        parent = tree.parent_node(node)
        if parent is not None:
            nodes.append((node, parent.encryption_key))
        elif node == ancestor:
            raise MlsError("12.4.3.1-path-secret", "the common ancestor is blank")
    return treekem.derive_upwards(suite, secrets.path_secret, nodes)[0]


def expired_leaves(tree: RatchetTree, now: int) -> tuple[int, ...]:
    """Members whose key package was not valid at `now` (ms). Old members may be: this refuses nobody."""
    return tuple(i for i, leaf in tree.leaves() if leaf.lifetime and not leaf.lifetime.contains(now))


def other_extensions(info: GroupInfo) -> tuple[Extension, ...]:
    """The GroupInfo's extensions without the tree."""
    return tuple(e for e in info.extensions if e.type != RATCHET_TREE)
