"""What a receiver must check, one named function per rule (RFC 9420). Each raises MlsError with the rule's
id.

The proposal list's rules are in `proposals`; those of framing, which need keys, in `protect`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from polynya.crypto.errors import CryptoError
from polynya.mls import treemath
from polynya.mls.errors import MlsError
from polynya.mls.extensions import (
    DEFAULT_EXTENSIONS,
    DEFAULT_PROPOSALS,
    VERSION_MLS10,
    Extension,
    RequiredCapabilities,
    required_capabilities,
)
from polynya.mls.keypackage import KeyPackage
from polynya.mls.leaf import COMMIT, KEY_PACKAGE, UPDATE, Capabilities, LeafNode, Lifetime
from polynya.mls.suite import Suite
from polynya.mls.tree import ParentNode, RatchetTree

MAX_LIFETIME = 60 * 60 * 24 * 366
"""Seconds: key packages that claim more than a year are refused before they are used (section 7.2)."""


# ---- leaves (section 7.3) ----------------------------------------------------------------------------------


def check_leaf_source(leaf: LeafNode, source: int) -> None:
    if leaf.source != source:
        raise MlsError("7.3-source", f"{leaf.source} instead of {source}")


def check_leaf_signature(leaf: LeafNode, suite: Suite, group_id: bytes, leaf_index: int) -> None:
    if not leaf.signature_is_valid(suite, group_id, leaf_index):
        raise MlsError("7.3-signature", f"leaf {leaf_index}")


def check_leaf_capabilities(leaf: LeafNode, suite: Suite) -> None:
    """The leaf supports MLS 1.0, the suite, its own credential type and its own extensions."""
    capabilities = leaf.capabilities
    if VERSION_MLS10 not in capabilities.versions or suite.id not in capabilities.cipher_suites:
        raise MlsError("7.3-version-or-suite")
    if leaf.credential.type not in capabilities.credentials:
        raise MlsError("7.3-own-credential")
    if not _supports(capabilities, [e.type for e in leaf.extensions]):
        raise MlsError("7.3-extensions")


def check_supported(capabilities: Collection[Capabilities], extensions: Sequence[Extension]) -> None:
    """Sections 7.3 and 13.4: all of `capabilities` support the GroupContext's extensions and what they require."""
    required = required_capabilities(extensions)
    types = [e.type for e in extensions]
    for one in capabilities:
        if not _supports(one, types):
            raise MlsError("13.4-context-extension")
        if required is not None and not _supports_required(one, required):
            raise MlsError("7.3-required-capabilities")


def _supports(capabilities: Capabilities, extension_types: Sequence[int]) -> bool:
    # As a set: both lists may be a stranger's, and as long as a message.
    supported = frozenset(capabilities.extensions)
    return all(kind in DEFAULT_EXTENSIONS or kind in supported for kind in extension_types)


def _supports_required(capabilities: Capabilities, required: RequiredCapabilities) -> bool:
    proposals_fit = set(required.proposals) <= DEFAULT_PROPOSALS | set(capabilities.proposals)
    credentials_fit = set(required.credentials) <= set(capabilities.credentials)
    return proposals_fit and credentials_fit and _supports(capabilities, required.extensions)


def check_lifetime(leaf: LeafNode, now: int) -> None:
    """`now` in milliseconds."""
    if leaf.lifetime is not None and not leaf.lifetime.contains(now):
        raise MlsError("7.3-lifetime", "the key package is not yet or no longer valid")


def check_lifetime_span(lifetime: Lifetime | None, maximum: int) -> None:
    """Section 7.2: `maximum` in seconds."""
    if lifetime is not None and not 0 <= lifetime.not_after - lifetime.not_before <= maximum:
        raise MlsError("7.2-lifetime-span", f"more than {maximum} seconds, or less than none")


def check_public_keys(suite: Suite, keys: Sequence[bytes]) -> None:
    """Section 7.3: keys that the suite's KEM can encrypt to, or one member could stop all others' commits."""
    try:
        for key in keys:
            suite.kem.check_public_key(key)
    except CryptoError:
        raise MlsError("7.3-encryption-key") from None


# ---- key packages (section 10.1) ---------------------------------------------------------------------------


def check_key_package(key_package: KeyPackage, suite: Suite) -> None:
    """All of section 10.1 and of 7.3 that needs neither time nor group."""
    if key_package.version != VERSION_MLS10 or key_package.cipher_suite != suite.id:
        raise MlsError("10.1-version-or-suite")
    leaf = key_package.leaf_node
    check_leaf_source(leaf, KEY_PACKAGE)
    check_leaf_signature(leaf, suite, b"", 0)
    check_leaf_capabilities(leaf, suite)
    check_public_keys(suite, (leaf.encryption_key, key_package.init_key))
    check_key_package_signature(key_package, suite)
    check_init_key(key_package)
    if not _supports(leaf.capabilities, [e.type for e in key_package.extensions]):
        raise MlsError("10-extensions")


def check_key_package_signature(key_package: KeyPackage, suite: Suite) -> None:
    if not key_package.signature_is_valid(suite):
        raise MlsError("10.1-signature")


def check_init_key(key_package: KeyPackage) -> None:
    if key_package.init_key == key_package.leaf_node.encryption_key:
        raise MlsError("10.1-init-key")


# ---- leaves that replace others ----------------------------------------------------------------------------


def check_update_leaf(leaf: LeafNode, old: LeafNode, suite: Suite, group_id: bytes, leaf_index: int) -> None:
    """An Update's leaf (section 7.3)."""
    check_leaf_source(leaf, UPDATE)
    check_leaf_signature(leaf, suite, group_id, leaf_index)
    check_leaf_capabilities(leaf, suite)
    check_public_keys(suite, (leaf.encryption_key,))
    check_fresh_encryption_key(leaf, old)


def check_commit_leaf(leaf: LeafNode, suite: Suite, group_id: bytes, leaf_index: int) -> None:
    """An update path's leaf (section 12.4.2): made for this commit and signed anew."""
    check_leaf_source(leaf, COMMIT)
    check_leaf_signature(leaf, suite, group_id, leaf_index)
    check_leaf_capabilities(leaf, suite)


def check_fresh_encryption_key(leaf: LeafNode, old: LeafNode) -> None:
    if leaf.encryption_key == old.encryption_key:
        raise MlsError("7.3-same-encryption-key")


def check_path_keys(tree: RatchetTree, keys: Sequence[bytes]) -> None:
    """Section 12.4.2: no key of the update path, the leaf's included, is in
    the tree already or twice in the path."""
    present = tree.encryption_keys()
    if len(set(keys)) != len(keys) or any(key in present for key in keys):
        raise MlsError("12.4.2-path-key-reused")


def check_leaf_parent_hash(leaf: LeafNode, expected: bytes) -> None:
    """Section 7.9.2: the committer's leaf signs the path that was sent."""
    if leaf.parent_hash != expected:
        raise MlsError("7.9.2-parent-hash")


# ---- whole trees -------------------------------------------------------------------------------------------


def check_unique_keys(tree: RatchetTree) -> None:
    """Section 7.3: no two members share a signature key, no two nodes an encryption key."""
    signature_keys = [leaf.signature_key for _, leaf in tree.leaves()]
    if len(set(signature_keys)) != len(signature_keys):
        raise MlsError("7.3-signature-key-reused")
    if any(count > 1 for count in tree.encryption_keys().values()):
        raise MlsError("7.3-encryption-key-reused")


def check_credentials_supported(tree: RatchetTree) -> None:
    """Section 7.3: every member supports every credential type in use."""
    capabilities, in_use = tree.capabilities_in_use()
    if any(not in_use <= set(one.credentials) for one in capabilities):
        raise MlsError("7.3-credential-support")


def check_tree(
    tree: RatchetTree, group_id: bytes, extensions: Sequence[Extension], max_lifetime: int = MAX_LIFETIME
) -> None:
    """Everything that a joiner verifies about a tree whose hash it knows (section 12.4.3.1).

    `max_lifetime` in seconds."""
    for _, leaf in tree.leaves():
        check_leaf_capabilities(leaf, tree.suite)
        check_lifetime_span(leaf.lifetime, max_lifetime)
    check_supported(tree.capabilities_in_use()[0], extensions)
    check_credentials_supported(tree)
    check_unique_keys(tree)
    check_public_keys(tree.suite, tuple(tree.encryption_keys()))
    parents = [(node, tree.parent_node(node)) for node in range(1, len(tree.nodes), 2)]
    for node, parent in parents:
        if parent is not None:
            check_unmerged_leaves(tree, node, parent)
    for node, parent in parents:
        if parent is not None:
            check_parent_hash(tree, node, parent)
    for index, leaf in tree.leaves():
        check_leaf_signature(leaf, tree.suite, group_id, index)


def check_unmerged_leaves(tree: RatchetTree, node: int, parent: ParentNode) -> None:
    """Section 12.4.3.1: unmerged leaves are members below, and unmerged at every node in between."""
    below = treemath.leaf_range(node)
    for leaf in parent.unmerged_leaves:
        if leaf not in below or tree.leaf(leaf) is None:
            raise MlsError("12.4.3.1-unmerged-leaf", f"leaf {leaf} at node {node}")
        step = treemath.parent(2 * leaf)
        while step != node:
            between = tree.parent_node(step)
            if between is not None and leaf not in between.unmerged_leaves:
                raise MlsError("12.4.3.1-unmerged-between", f"leaf {leaf} at node {step}")
            step = treemath.parent(step)


def check_parent_hash(tree: RatchetTree, node: int, parent: ParentNode) -> None:
    """Section 7.9.2: some node below was set together with this one, and its parent hash says so."""
    children = treemath.left(node), treemath.right(node)
    for child, copath in (children, children[::-1]):
        descendant = _set_together(tree, child, parent)
        if descendant is None:
            continue
        found = tree.nodes[descendant]
        if found is not None and found.parent_hash == tree.parent_hash(node, copath):
            return
    raise MlsError("7.9.2-parent-hash", f"node {node}")


def _set_together(tree: RatchetTree, child: int, parent: ParentNode) -> int | None:
    """The one node in the resolution of `child` that is not an unmerged leaf of its parent, if there is just
    one and all those unmerged leaves are in the resolution too."""
    below = treemath.leaf_range(child)
    unmerged = {2 * leaf for leaf in parent.unmerged_leaves if leaf in below}
    resolution = tree.resolution(child)
    others = [node for node in resolution if node not in unmerged]
    if len(others) == 1 and len(resolution) == len(unmerged) + 1:
        return others[0]
    return None
