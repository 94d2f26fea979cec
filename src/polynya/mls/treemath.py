"""Array-based trees (RFC 9420 appendix C): leaf i is node 2i; a tree of 2^d leaves has 2^(d+1) - 1 nodes."""

from __future__ import annotations


def width(leaves: int) -> int:
    """Nodes of a tree with `leaves` leaves."""
    return 2 * leaves - 1 if leaves else 0


def level(node: int) -> int:
    """0 for leaves, else one more than the children's."""
    return (~node & (node + 1)).bit_length() - 1


def root(leaves: int) -> int:
    """The root of a tree with `leaves` leaves, a power of two."""
    return leaves - 1


def left(node: int) -> int:
    """The left child of a parent node."""
    return node - (1 << (level(node) - 1))


def right(node: int) -> int:
    """The right child of a parent node."""
    return node + (1 << (level(node) - 1))


def parent(node: int) -> int:
    """The parent of a node that is not the root."""
    step = 1 << level(node)
    return node - step if node & (step << 1) else node + step


def sibling(node: int) -> int:
    """The other child of the node's parent."""
    return node ^ (2 << level(node))


def direct_path(node: int, leaves: int) -> list[int]:
    """The ancestors of `node`, from its parent up to the root; empty for the root."""
    top = root(leaves)
    path = []
    while node != top:
        node = parent(node)
        path.append(node)
    return path


def is_descendant(node: int, ancestor: int) -> bool:
    """Whether `node` is `ancestor` or below it."""
    span = (1 << level(ancestor)) - 1
    return ancestor - span <= node <= ancestor + span


def leaf_range(node: int) -> range:
    """The leaf indices below a node."""
    span = (1 << level(node)) - 1
    return range((node - span) // 2, (node + span) // 2 + 1)


def common_ancestor(a: int, b: int) -> int:
    """The lowest node that has both nodes below it."""
    while not is_descendant(b, a):
        a = parent(a)
    return a


def leaves_for(leaf_index: int) -> int:
    """The smallest power of two that has room for `leaf_index`."""
    return 1 << leaf_index.bit_length()
