"""The ratchet tree's public half (RFC 9420 sections 4 and 7): immutable values that share nodes and hashes.

A tree of 2^d leaves is one tuple of 2^(d+1) - 1 nodes, blank ones None. A change copies the tuple (pointers:
a few microseconds at 1,000 leaves) and forgets the cached hashes on the paths that it touches, nothing else.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from polynya.mls import treemath
from polynya.mls.codec import Reader, decode, opaque, optional, u8, u32, u32s, vector
from polynya.mls.errors import MalformedError, MlsError
from polynya.mls.leaf import Capabilities, LeafNode, read_leaf
from polynya.mls.suite import Suite

LEAF = 1
PARENT = 2

MAX_LEAVES = 1 << 20
"""A million members: their leaves alone are 150 MB, far above what a device could follow."""


@dataclass(frozen=True, slots=True)
class ParentNode:
    """A key that the members below know, except those listed as unmerged (leaf indices, ascending)."""

    encryption_key: bytes
    parent_hash: bytes
    unmerged_leaves: tuple[int, ...]
    encoded: bytes = field(default=b"", repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.encoded:
            data = opaque(self.encryption_key) + opaque(self.parent_hash) + u32s(self.unmerged_leaves)
            object.__setattr__(self, "encoded", data)

    def encode(self) -> bytes:
        return self.encoded

    def with_unmerged(self, leaf: int) -> ParentNode:
        """The node with one more unmerged leaf."""
        return ParentNode(self.encryption_key, self.parent_hash, tuple(sorted({*self.unmerged_leaves, leaf})))


def _read_parent(reader: Reader) -> ParentNode:
    start = reader.pos
    key, parent_hash, unmerged = reader.opaque(), reader.opaque(), reader.u32s()
    if any(a >= b for a, b in itertools.pairwise(unmerged)):
        raise MalformedError("7.1-unmerged-order")
    return ParentNode(key, parent_hash, unmerged, reader.data[start : reader.pos])


Node = LeafNode | ParentNode


class RatchetTree:
    """One state of the tree. Never changed once made; what is computed late is only cached."""

    __slots__ = ("_capabilities", "_encoded", "_encryption_keys", "_hashes", "nodes", "suite")

    def __init__(self, suite: Suite, nodes: Sequence[Node | None], hashes: list[bytes | None] | None = None):
        self.suite = suite
        self.nodes = tuple(nodes)
        self._hashes: list[bytes | None] = [None] * len(self.nodes) if hashes is None else hashes
        self._encoded: bytes | None = None
        self._encryption_keys: dict[bytes, int] | None = None
        self._capabilities: tuple[frozenset[Capabilities], frozenset[int]] | None = None

    # ---- looking -------------------------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RatchetTree):
            return NotImplemented
        return self.suite.id == other.suite.id and self.nodes == other.nodes

    def __hash__(self) -> int:
        return hash(self.nodes)

    @property
    def leaf_count(self) -> int:
        """Places for leaves, blank ones included: a power of two."""
        return (len(self.nodes) + 1) // 2

    @property
    def root(self) -> int:
        return treemath.root(self.leaf_count)

    def leaf(self, index: int) -> LeafNode | None:
        """The leaf at a leaf index; None where it is blank or there is no such place."""
        if not 0 <= index < self.leaf_count:
            return None
        node = self.nodes[2 * index]
        return node if isinstance(node, LeafNode) else None

    def parent_node(self, node: int) -> ParentNode | None:
        """The parent node at a node index; None where it is blank."""
        found = self.nodes[node]
        return found if isinstance(found, ParentNode) else None

    def leaves(self) -> Iterator[tuple[int, LeafNode]]:
        """Leaf index and leaf of every member, ascending."""
        for index, node in enumerate(self.nodes[::2]):
            if isinstance(node, LeafNode):
                yield index, node

    def leaf_by_encoding(self, encoded: bytes) -> int | None:
        """The leaf index of the leaf with exactly these bytes."""
        return next((index for index, leaf in self.leaves() if leaf.encoded == encoded), None)

    def direct_path(self, leaf: int) -> list[int]:
        """Node indices from the leaf's parent to the root."""
        return treemath.direct_path(2 * leaf, self.leaf_count)

    def resolution(self, node: int) -> list[int]:
        """The nodes that together cover all members below `node` (section 4.1.1)."""
        found = self.nodes[node]
        if isinstance(found, ParentNode):
            return [node, *(2 * leaf for leaf in found.unmerged_leaves)]
        if found is not None:
            return [node]
        if self.is_empty(node):
            return []
        return self.resolution(treemath.left(node)) + self.resolution(treemath.right(node))

    def is_empty(self, node: int) -> bool:
        """Whether the resolution of `node` is empty."""
        span = (1 << treemath.level(node)) - 1
        return not any(self.nodes[node - span : node + span + 1])

    def filtered_direct_path(self, leaf: int) -> list[tuple[int, int]]:
        """(node, copath child) for the direct path without nodes whose
        copath child has an empty resolution."""
        path = []
        child = 2 * leaf
        for node in self.direct_path(leaf):
            copath = treemath.sibling(child)
            if not self.is_empty(copath):
                path.append((node, copath))
            child = node
        return path

    def encryption_keys(self) -> dict[bytes, int]:
        """How many nodes hold each encryption key (1 for each in a valid tree)."""
        if self._encryption_keys is None:
            self._encryption_keys = Counter([node.encryption_key for node in self.nodes if node is not None])
        return self._encryption_keys

    def capabilities_in_use(self) -> tuple[frozenset[Capabilities], frozenset[int]]:
        """(the different capabilities of the members' leaves, the credential types in use)."""
        if self._capabilities is None:
            leaves = [leaf for _, leaf in self.leaves()]
            # Most members' are one value (`leaf.read_capabilities`), which is hashed once instead of for each.
            different = {id(leaf.capabilities): leaf.capabilities for leaf in leaves}
            types = {leaf.credential.type for leaf in leaves}
            self._capabilities = (frozenset(different.values()), frozenset(types))
        return self._capabilities

    # ---- hashing -------------------------------------------------------------------------------------------

    def tree_hash(self) -> bytes:
        """The hash of the root (section 7.8)."""
        return self.hash_of(self.root)

    def hash_of(self, node: int) -> bytes:
        """The tree hash of the subtree under `node`."""
        cached = self._hashes[node]
        if cached is None:
            cached = self._hashes[node] = self._hash(node, self.nodes[node], ())
        return cached

    def hash_without(self, node: int, leaves: Collection[int]) -> bytes:
        """The tree hash of the subtree under `node` as if `leaves` had never been added (section 7.9)."""
        below = treemath.leaf_range(node)
        concerned = frozenset(leaf for leaf in leaves if leaf in below)
        if not concerned:
            return self.hash_of(node)
        found = self.nodes[node]
        if node % 2 == 0:
            return self._hash(node, None, ())
        if isinstance(found, ParentNode) and not concerned.isdisjoint(found.unmerged_leaves):
            left_over = tuple(leaf for leaf in found.unmerged_leaves if leaf not in concerned)
            found = ParentNode(found.encryption_key, found.parent_hash, left_over)
        return self._hash(node, found, concerned)

    def _hash(self, node: int, found: Node | None, without: Collection[int]) -> bytes:
        encoded = optional(None if found is None else found.encoded)
        if node % 2 == 0:
            return self.suite.digest(u8(LEAF) + u32(node // 2) + encoded)
        left, right = treemath.left(node), treemath.right(node)
        if without:
            hashes = self.hash_without(left, without), self.hash_without(right, without)
        else:
            hashes = self.hash_of(left), self.hash_of(right)
        return self.suite.digest(u8(PARENT) + encoded + opaque(hashes[0]) + opaque(hashes[1]))

    def parent_hash(self, node: int, copath: int) -> bytes:
        """The parent hash of the parent node `node` with copath child `copath` (section 7.9)."""
        parent = self.parent_node(node)
        if parent is None:
            raise MlsError("7.9-blank", "a blank node has no parent hash")
        original = self.hash_without(copath, parent.unmerged_leaves)
        return self.suite.digest(
            opaque(parent.encryption_key) + opaque(parent.parent_hash) + opaque(original)
        )

    # ---- changing ------------------------------------------------------------------------------------------

    def edit(self) -> TreeEditor:
        """A mutable copy."""
        return TreeEditor(self.suite, list(self.nodes), list(self._hashes))

    def with_path(self, leaf: int, public_keys: Sequence[bytes]) -> tuple[RatchetTree, bytes]:
        """The tree after an update path's nodes were put in, the leaf left as it was, and the leaf's parent
        hash.

        `public_keys` are those of the filtered direct path from the leaf up. Raises MlsError if their number
        is wrong.
        """
        path = self.filtered_direct_path(leaf)
        if len(path) != len(public_keys):
            raise MlsError("7.6-path-length", f"{len(public_keys)} nodes instead of {len(path)}")
        editor = self.edit()
        editor.blank_path(leaf)
        above = b""
        for (node, copath), key in zip(reversed(path), reversed(public_keys), strict=True):
            editor.nodes[node] = ParentNode(key, above, ())
            # The node has no unmerged leaves, so the copath child's hash is that of the tree as it stands.
            above = self.suite.digest(opaque(key) + opaque(above) + opaque(self.hash_of(copath)))
        return editor.done(), above

    def with_leaf(self, index: int, leaf: LeafNode) -> RatchetTree:
        """The tree with one leaf replaced and nothing blanked."""
        editor = self.edit()
        editor.set_leaf(index, leaf)
        return editor.done()

    # ---- bytes ---------------------------------------------------------------------------------------------

    def encode(self) -> bytes:
        """The content of a `ratchet_tree` extension (section 12.4.3.3)."""
        if self._encoded is None:
            last = max((i for i, node in enumerate(self.nodes) if node is not None), default=-1)
            blank, heads = optional(None), (optional(u8(LEAF)), optional(u8(PARENT)))
            self._encoded = vector(
                [
                    blank if node is None else heads[i % 2] + node.encoded
                    for i, node in enumerate(self.nodes[: last + 1])
                ]
            )
        return self._encoded

    @classmethod
    def decode(cls, suite: Suite, data: bytes) -> RatchetTree:
        """The reverse; raises MlsError. Well-formed only: see `checks.check_tree`."""
        nodes = decode(lambda r: r.vector(_read_optional_node), data)
        if not nodes or nodes[-1] is None:
            raise MalformedError("12.4.3.3-last-blank")
        leaves = treemath.leaves_for(len(nodes) // 2)
        if leaves > MAX_LEAVES:
            raise MalformedError("12.4.3.3-size", f"at most {MAX_LEAVES} leaves")
        for i, node in enumerate(nodes):
            if isinstance(node, ParentNode if i % 2 == 0 else LeafNode):
                raise MalformedError("12.4.3.3-node-type")
        return cls(suite, [*nodes, *[None] * (treemath.width(leaves) - len(nodes))])


def _read_node(reader: Reader) -> Node:
    kind = reader.u8()
    if kind == LEAF:
        return read_leaf(reader)
    if kind == PARENT:
        return _read_parent(reader)
    raise MalformedError("7.8-node-type", str(kind))


def _read_optional_node(reader: Reader) -> Node | None:
    return reader.optional(_read_node)


class TreeEditor:
    """A tree while proposals are applied to it (section 12.1)."""

    __slots__ = ("_first_blank", "hashes", "nodes", "suite")

    def __init__(self, suite: Suite, nodes: list[Node | None], hashes: list[bytes | None]) -> None:
        self.suite = suite
        self.nodes = nodes
        self.hashes = hashes
        self._first_blank = 0

    @property
    def leaf_count(self) -> int:
        return (len(self.nodes) + 1) // 2

    def _touch(self, leaf: int) -> list[int]:
        """Forgets the hashes from a leaf to the root; returns its direct path."""
        path = treemath.direct_path(2 * leaf, self.leaf_count)
        self.hashes[2 * leaf] = None
        for node in path:
            self.hashes[node] = None
        return path

    def set_leaf(self, index: int, leaf: LeafNode | None) -> None:
        """Replaces a leaf and nothing else."""
        self._touch(index)
        self.nodes[2 * index] = leaf

    def blank_path(self, index: int) -> None:
        """Blanks all parents of a leaf."""
        for node in self._touch(index):
            self.nodes[node] = None

    def update(self, index: int, leaf: LeafNode) -> None:
        """Applies an Update (section 12.1.2)."""
        self.blank_path(index)
        self.nodes[2 * index] = leaf

    def remove(self, index: int) -> None:
        """Applies a Remove (section 12.1.3), without truncating: see `truncate`."""
        self.blank_path(index)
        self.nodes[2 * index] = None
        self._first_blank = min(self._first_blank, index)

    def truncate(self) -> None:
        """Drops the right half while it holds no leaf (section 7.7)."""
        last = max((i for i in range(0, len(self.nodes), 2) if self.nodes[i] is not None), default=0)
        leaves = treemath.leaves_for(last // 2)
        if leaves < self.leaf_count:
            del self.nodes[treemath.width(leaves) :]
            del self.hashes[treemath.width(leaves) :]

    def claim_leaf(self) -> int:
        """The leftmost blank leaf, the tree extended if there is none (section 7.7)."""
        index = self._first_blank
        while index < self.leaf_count and self.nodes[2 * index] is not None:
            index += 1
        if index == self.leaf_count:
            if 2 * index > MAX_LEAVES:
                raise MlsError("7.7-size", f"at most {MAX_LEAVES} leaves")
            blank = len(self.nodes) + 1
            self.nodes += [None] * blank
            self.hashes += [None] * blank
        self._first_blank = index
        return index

    def add(self, leaf: LeafNode) -> int:
        """Applies an Add (section 12.1.1) and returns the new leaf's index."""
        index = self.claim_leaf()
        for node in self._touch(index):
            parent = self.nodes[node]
            if isinstance(parent, ParentNode):
                self.nodes[node] = parent.with_unmerged(index)
        self.nodes[2 * index] = leaf
        return index

    def done(self) -> RatchetTree:
        return RatchetTree(self.suite, self.nodes, self.hashes)
