"""A group as a signed GroupInfo describes it (RFC 9420 section 12.4.3), for those who are not in it yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from polynya.crypto.compare import equal
from polynya.mls.checks import MAX_LIFETIME
from polynya.mls.codec import decode
from polynya.mls.errors import MlsError
from polynya.mls.framing import read_message
from polynya.mls.group import Group, Member
from polynya.mls.groupcontext import GroupContext
from polynya.mls.groupinfo import GroupInfo
from polynya.mls.joining import check_group_info, tree_of
from polynya.mls.suite import suite_of


@dataclass(frozen=True, slots=True)
class DescribedGroup:
    """One epoch of a group in public values, signed by one of its members; only `read_group_info` makes one."""

    context: GroupContext
    members: tuple[Member, ...]
    """Ascending by leaf index."""
    signer_leaf_index: int
    tree: bytes = field(repr=False)
    confirmation_tag: bytes = field(repr=False)

    def is_of(self, group: Group) -> bool:
        """Whether the group is in the very epoch that is described: the tag stands for its secrets too."""
        return self.context == group.context and equal(self.confirmation_tag, group.confirmation_tag)


def read_group_info(data: bytes, max_lifetime: int = MAX_LIFETIME) -> DescribedGroup:
    """From an MLSMessage with a GroupInfo that holds its tree. Checks all that a joiner checks without secrets; raises
    MlsError. `max_lifetime` (seconds): as in `verify_key_package`."""
    info = decode(read_message, data)
    if not isinstance(info, GroupInfo):
        raise MlsError("12.4.3-not-a-group-info")
    suite = suite_of(info.group_context.cipher_suite)
    tree = tree_of(suite, info, None)
    check_group_info(suite, info, tree, max_lifetime)
    members = tuple(Member.of(index, leaf) for index, leaf in tree.leaves())
    return DescribedGroup(info.group_context, members, info.signer, tree.encode(), info.confirmation_tag)
