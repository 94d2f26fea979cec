"""spec/messages.toml as checked values."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_UINT = 2**53 - 1
BASIC = ("uint", "bool", "bytes", "text", "list")
SECRET_NAME = re.compile(r"(.*_secret|secret|key|inbox_key|package_key)\Z")


@dataclass(frozen=True)
class Field:
    name: str
    key: int
    type: str
    doc: str = ""
    size: int | None = None
    min: int | None = None
    max: int | None = None
    of: str = ""
    item_size: int | None = None
    item_max: int | None = None
    optional: bool = False
    ascending: bool = False
    secret: bool = False

    @property
    def least(self) -> int:
        return self.size if self.size is not None else self.min or 0

    @property
    def most(self) -> int:
        if self.size is not None:
            return self.size
        return MAX_UINT if self.max is None else self.max

    @property
    def hidden(self) -> bool:
        return self.secret or (self.type == "bytes" and SECRET_NAME.match(self.name) is not None)

    @property
    def item(self) -> Field:
        """A list's element as a field of its own."""
        return Field(self.name, 0, self.of, size=self.item_size, max=self.item_max)


@dataclass(frozen=True)
class Struct:
    name: str
    doc: str
    open: bool
    fields: tuple[Field, ...]
    one_of: tuple[str, ...]
    """Names of optional fields of which exactly one is there."""


@dataclass(frozen=True)
class Choice:
    """A union."""

    name: str
    doc: str
    open: bool
    members: dict[str, int]


@dataclass(frozen=True)
class Enumeration:
    name: str
    members: dict[str, tuple[int, str]]


@dataclass(frozen=True)
class Constant:
    name: str
    value: int | list[int]
    doc: str


@dataclass(frozen=True)
class Schema:
    constants: tuple[Constant, ...]
    enums: dict[str, Enumeration]
    structs: dict[str, Struct]
    unions: dict[str, Choice]

    def reaches_open(self, name: str, seen: frozenset[str] = frozenset()) -> bool:
        """Whether a value of this type can hold parts that the schema does not know."""
        if name in seen:
            return False
        seen |= {name}
        if name in self.unions:
            union = self.unions[name]
            return union.open or any(self.reaches_open(member, seen) for member in union.members)
        if name in self.structs:
            struct = self.structs[name]
            return struct.open or any(self.reaches_open(f.of or f.type, seen) for f in struct.fields)
        return False


def snake(name: str) -> str:
    """CamelCase or kebab-case as snake_case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def camel(name: str) -> str:
    """snake_case or kebab-case as camelCase."""
    first, *rest = re.split("[-_]", name)
    return first + "".join(word.capitalize() for word in rest)


def load(path: Path) -> Schema:
    """Reads and checks the schema; raises ValueError naming what is wrong."""
    schema = parse(tomllib.loads(path.read_text(encoding="utf-8")))
    for struct in schema.structs.values():
        check_struct(schema, struct)
    for union in schema.unions.values():
        for member, tag in union.members.items():
            if member not in schema.structs or not 0 < tag < 24:
                raise ValueError(f"{union.name}.{member}: a struct and a tag of 1 to 23")
    return schema


def parse(table: dict[str, Any]) -> Schema:
    """The schema as written, its types not yet looked up."""
    return Schema(
        tuple(Constant(name, **row) for name, row in table["constants"].items()),
        {
            name: Enumeration(name, {member: (row["value"], row["doc"]) for member, row in rows.items()})
            for name, rows in table["enum"].items()
        },
        {name: _struct(name, rows) for name, rows in table["struct"].items()},
        {name: _union(name, rows) for name, rows in table["union"].items()},
    )


def _struct(name: str, rows: dict[str, Any]) -> Struct:
    fields = tuple(Field(field, **row) for field, row in rows.items() if isinstance(row, dict))
    return Struct(name, rows.get("doc", ""), rows.get("open", False), fields, tuple(rows.get("one_of", ())))


def _union(name: str, rows: dict[str, Any]) -> Choice:
    members = {member: tag for member, tag in rows.items() if member not in ("doc", "open")}
    return Choice(name, rows.get("doc", ""), rows.get("open", False), members)


def check_struct(schema: Schema, struct: Struct) -> None:
    """Raises ValueError for keys out of order, unknown types and missing limits."""
    if [f.key for f in struct.fields] != list(range(1, len(struct.fields) + 1)) or len(struct.fields) > 23:
        raise ValueError(f"{struct.name}: keys must count from 1, to 23 at most")
    for f in struct.fields:
        where = f"{struct.name}.{f.name}"
        for kind in (f, f.item) if f.type == "list" else (f,):
            tables = (BASIC, schema.enums, schema.structs, schema.unions)
            known = any(kind.type in table for table in tables)
            if not known or (kind is not f and kind.type == "list"):
                raise ValueError(f"{where}: unknown type {kind.type}")
            if kind.type in ("bytes", "text", "list") and kind.size is None and kind.max is None:
                raise ValueError(f"{where}: needs a limit")
    if any(not f.optional for f in struct.fields if f.name in struct.one_of):
        raise ValueError(f"{struct.name}: one_of names optional fields")
