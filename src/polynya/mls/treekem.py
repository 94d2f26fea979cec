"""Update paths with their secrets (RFC 9420 sections 7.4 to 7.6)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from polynya.crypto.random import Random
from polynya.mls import treemath
from polynya.mls.commit import HpkeCiphertext, UpdatePath, UpdatePathNode
from polynya.mls.errors import MlsError
from polynya.mls.groupcontext import GroupContext
from polynya.mls.leaf import LeafNode
from polynya.mls.suite import Suite
from polynya.mls.tree import RatchetTree

LABEL = b"UpdatePathNode"


def next_path_secret(suite: Suite, path_secret: bytes) -> bytes:
    return suite.derive_secret(path_secret, b"path")


def node_key_pair(suite: Suite, path_secret: bytes) -> tuple[bytes, bytes]:
    """(private key, public key) of the node that a path secret belongs to."""
    return suite.derive_key_pair(suite.derive_secret(path_secret, b"node"))


@dataclass(frozen=True, slots=True)
class MadePath:
    """What the committer has after making a path: `private_keys` and `path_secrets` by node index."""

    path: UpdatePath
    tree: RatchetTree
    context: GroupContext
    private_keys: Mapping[int, bytes] = field(repr=False)
    path_secrets: Mapping[int, bytes] = field(repr=False)
    commit_secret: bytes = field(repr=False)


def make_path(
    tree: RatchetTree,
    leaf_index: int,
    sign: Callable[[bytes, bytes], LeafNode],
    context: Callable[[bytes], GroupContext],
    new_leaves: Collection[int],
    random: Random,
) -> MadePath:
    """A fresh path for the member at `leaf_index` of `tree`, to which the proposals were applied.

    `sign(encryption key, parent hash)` makes the new leaf; `context(tree hash)` the provisional GroupContext,
    under which the path secrets are sealed; leaves added by the same commit get theirs in the Welcome
    instead.

    Draws one secret, from which the leaf's key pair and all path secrets come: where the filtered path is
    empty the commit secret is still fresh. Then one encapsulation per node and recipient, from the leaf up.
    """
    suite = tree.suite
    secret = random.bytes(suite.secret_size)
    leaf_private, leaf_public = node_key_pair(suite, secret)
    private_keys, path_secrets, public_keys = {2 * leaf_index: leaf_private}, {}, []
    filtered = tree.filtered_direct_path(leaf_index)
    for node, _ in filtered:
        secret = path_secrets[node] = next_path_secret(suite, secret)
        private_keys[node], public_key = node_key_pair(suite, secret)
        public_keys.append(public_key)
    commit_secret = next_path_secret(suite, secret)
    merged, parent_hash = tree.with_path(leaf_index, public_keys)
    leaf = sign(leaf_public, parent_hash)
    merged = merged.with_leaf(leaf_index, leaf)
    provisional = context(merged.tree_hash())
    sealed_under = provisional.encode()
    nodes = []
    for (node, copath), public_key in zip(filtered, public_keys, strict=True):
        ciphertexts = tuple(
            HpkeCiphertext(
                *suite.encrypt_with_label(
                    _encryption_key(tree, recipient), LABEL, sealed_under, path_secrets[node], random
                )
            )
            for recipient in recipients(tree, copath, new_leaves)
        )
        nodes.append(UpdatePathNode(public_key, ciphertexts))
    path = UpdatePath(leaf, tuple(nodes))
    return MadePath(path, merged, provisional, private_keys, path_secrets, commit_secret)


def recipients(tree: RatchetTree, copath: int, new_leaves: Collection[int]) -> list[int]:
    """The nodes to whose keys a path secret is encrypted: the copath child's resolution without new
    leaves."""
    return [node for node in tree.resolution(copath) if node % 2 or node // 2 not in new_leaves]


def _encryption_key(tree: RatchetTree, node: int) -> bytes:
    found = tree.nodes[node]
    if found is None:
        raise MlsError("7.5-blank", f"node {node}")
    return found.encryption_key


def merge_path(
    tree: RatchetTree, leaf_index: int, path: UpdatePath, new_leaves: Collection[int]
) -> tuple[RatchetTree, bytes]:
    """(`tree` with the path in it, the parent hash that its leaf must have), of public things only.

    Raises MlsError if the numbers of nodes or of ciphertexts are not those that the tree demands (section
    7.6)."""
    merged, parent_hash = tree.with_path(leaf_index, [node.encryption_key for node in path.nodes])
    for (_, copath), node in zip(tree.filtered_direct_path(leaf_index), path.nodes, strict=True):
        check_ciphertexts(tree.suite, node, len(recipients(tree, copath, new_leaves)))
    return merged.with_leaf(leaf_index, path.leaf_node), parent_hash


def check_ciphertexts(suite: Suite, node: UpdatePathNode, expected: int) -> None:
    """Section 7.6: one ciphertext for each recipient, each as long as a sealed path secret is."""
    if len(node.encrypted_path_secrets) != expected:
        raise MlsError("7.6-ciphertexts", f"{len(node.encrypted_path_secrets)} instead of {expected}")
    size = suite.secret_size + suite.aead.tag_size
    for sealed in node.encrypted_path_secrets:
        if len(sealed.kem_output) != suite.kem.enc_size or len(sealed.ciphertext) != size:
            raise MlsError("7.6-ciphertext-size")


@dataclass(frozen=True, slots=True)
class OpenedPath:
    """What a receiver has after opening a path: `path_secret` is the first one it could decrypt."""

    private_keys: Mapping[int, bytes] = field(repr=False)
    path_secret: bytes = field(repr=False)
    commit_secret: bytes = field(repr=False)


def open_path(
    tree: RatchetTree,
    sender: int,
    own: int,
    private_keys: Mapping[int, bytes],
    path: UpdatePath,
    context: bytes,
    new_leaves: Collection[int],
) -> OpenedPath:
    """Decrypts the path secret meant for this member and derives those above; raises MlsError.

    `tree` is the tree after the proposals and before the path; `private_keys` are those for it.
    """
    suite = tree.suite
    filtered = tree.filtered_direct_path(sender)
    position = next(
        (i for i, (node, _) in enumerate(filtered) if treemath.is_descendant(2 * own, node)), None
    )
    if position is None:
        raise MlsError("7.5-no-common-ancestor")
    receivers = recipients(tree, filtered[position][1], new_leaves)
    index = next((i for i, node in enumerate(receivers) if node in private_keys), None)
    if index is None:
        raise MlsError("7.5-no-private-key")
    sealed = path.nodes[position].encrypted_path_secrets[index]
    first = suite.decrypt_with_label(
        private_keys[receivers[index]], LABEL, context, sealed.kem_output, sealed.ciphertext
    )
    derived, commit_secret = derive_upwards(
        suite,
        first,
        [(node, path.nodes[position + i].encryption_key) for i, (node, _) in enumerate(filtered[position:])],
    )
    return OpenedPath(derived, first, commit_secret)


def derive_upwards(
    suite: Suite, path_secret: bytes, nodes: Collection[tuple[int, bytes]]
) -> tuple[dict[int, bytes], bytes]:
    """(private keys by node, the secret after the last) along `nodes`: (node index, public key), from below.

    Raises MlsError where a derived public key is not the one given (section 7.5).
    """
    private_keys = {}
    for node, expected in nodes:
        private_keys[node], public_key = node_key_pair(suite, path_secret)
        check_derived_key(public_key, expected)
        path_secret = next_path_secret(suite, path_secret)
    return private_keys, path_secret


def check_derived_key(derived: bytes, sent: bytes) -> None:
    """Section 7.5, step 6: otherwise members would hold different keys for one node."""
    if derived != sent:
        raise MlsError("7.5-derived-key")


def keep_private_keys(
    private_keys: Mapping[int, bytes], before: RatchetTree, after: RatchetTree, own: int
) -> dict[int, bytes]:
    """The private keys whose nodes are still the member's leaf or above it, under an unchanged public key."""
    kept = {}
    for node in (2 * own, *after.direct_path(own)):
        if node in private_keys and node < len(before.nodes):
            old, new = before.nodes[node], after.nodes[node]
            if old is not None and new is not None and old.encryption_key == new.encryption_key:
                kept[node] = private_keys[node]
    return kept
