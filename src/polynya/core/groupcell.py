"""A row that holds an MLS group: decoded at its first use, saved in parts."""

from __future__ import annotations

from collections.abc import Mapping

from polynya.mls.group import Group


class GroupCell:
    """A group, or the parts that it is stored in until somebody asks for it."""

    __slots__ = ("_group", "_parts")

    def __init__(self, group: Group) -> None:
        self._group: Group | None = group
        self._parts: Mapping[bytes, bytes] = {}

    @classmethod
    def stored(cls, parts: Mapping[bytes, bytes]) -> GroupCell:
        """By name; damaged ones show when the group is asked for."""
        cell = cls.__new__(cls)
        cell._group, cell._parts = None, parts
        return cell

    def group(self) -> Group:
        """Raises MlsError where what was stored is damaged."""
        if self._group is None:
            self._group = Group.from_parts(self._parts)
            self._parts = {}
        return self._group

    def parts(self) -> Mapping[bytes, bytes]:
        """By name."""
        return self._parts if self._group is None else self._group.parts()


def cell_changes(before: GroupCell | None, after: GroupCell | None) -> Mapping[bytes, bytes | None]:
    """Parts to be saved, ascending by name; None: to be removed. Decodes nothing."""
    if before is not None and before._group is not None and after is not None and after._group is not None:
        return after._group.changes(before._group)
    old = {} if before is None else before.parts()
    new = {} if after is None else after.parts()
    names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    return {name: new.get(name) for name in names}
