"""spec/messages.toml -> src/polynya/wire/_messages.py: flat readers and writers, as the relay's speed hangs
on them."""

from __future__ import annotations

from scripts.codecs.schema import MAX_UINT, Choice, Enumeration, Field, Schema, Struct, snake

HEADER = '''# ruff: noqa: E501, RUF022, UP007
# fmt: off
"""Generated from spec/messages.toml by `python -m scripts.generate`; do not edit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from enum import IntEnum
from itertools import pairwise
from typing import Any, Final, TypeAlias, Union

from polynya.wire import cbor
from polynya.wire._frozen import message
from polynya.wire.cbor import (
    head,
    read_bool,
    read_bytes,
    read_count,
    read_pairs,
    read_text,
    read_uint,
    skip,
    skip_struct,
    write_bool,
    write_bytes,
    write_list,
    write_text,
    write_uint,
)
from polynya.wire.errors import WireError


def _bad(where: str) -> WireError:
    return WireError("message", where)


@message
class Unknown:
    """A member of an open union that this version does not know; it cannot be encoded."""

    tag: int
'''


def render(schema: Schema) -> str:
    parts = [HEADER]
    parts.append("\n".join(_constant(c.name, c.value, c.doc) for c in schema.constants))
    parts += [_enum(e) for e in schema.enums.values()]
    parts += [_class(schema, s) for s in schema.structs.values()]
    parts += [_alias(u) for u in schema.unions.values()]
    for struct in schema.structs.values():
        parts += [_writer(schema, struct), _reader(schema, struct), _decoder(schema, struct.name)]
    for union in schema.unions.values():
        parts += [_union_writer(union), _union_reader(union), _decoder(schema, union.name)]
    parts += [_tables(schema), _all(schema)]
    return "\n\n".join(part.rstrip("\n") + "\n" for part in parts)


def _literal(data: bytes) -> str:
    return 'b"' + "".join(f"\\x{b:02x}" for b in data) + '"'


def _constant(name: str, value: int | list[int], doc: str) -> str:
    kind, shown = ("int", value) if isinstance(value, int) else ("tuple[int, ...]", tuple(value))
    return f'{name}: Final[{kind}] = {shown}\n"""{doc}"""'


def _enum(enum: Enumeration) -> str:
    lines = [f"class {enum.name}(IntEnum):"]
    for name, (value, doc) in enum.members.items():
        lines += [f"    {snake(name).upper()} = {value}", f'    """{doc}"""']
    table = f"_{snake(enum.name).upper()}: Final = {{int(member): member for member in {enum.name}}}"
    return "\n".join([*lines, "", "", table])


def _type(f: Field) -> str:
    names = {"uint": "int", "text": "str"}
    return f"tuple[{_type(f.item)}, ...]" if f.type == "list" else names.get(f.type, f.type)


def _class(schema: Schema, struct: Struct) -> str:
    lines = ["@message", f"class {struct.name}:"]
    if struct.doc or not struct.fields:
        lines += [f'    """{struct.doc or "Without content."}"""', ""]
    for f in sorted(struct.fields, key=lambda f: f.optional):
        kind = _type(f) + (" | None" if f.optional else "")
        default = "None" if f.optional else ""
        if f.hidden:
            default = f"field(default={default}, repr=False)" if default else "field(repr=False)"
        lines.append(f"    {f.name}: {kind}" + (f" = {default}" if default else ""))
        if f.doc:
            lines.append(f'    """{f.doc}"""')
    return "\n".join(lines)


def _alias(union: Choice) -> str:
    members = [*union.members, *(["Unknown"] if union.open else [])]
    value = f"Union[{', '.join(members)}]" if len(members) > 1 else members[0]
    return f"{union.name}: TypeAlias = {value}"


# ---- writing ----


def _write(schema: Schema, f: Field, v: str, where: str) -> str:
    """Expression that encodes `v`."""
    if f.type == "uint":
        return f'write_uint({v}, {f.most}, "{where}")'
    if f.type == "bool":
        return f"write_bool({v})"
    if f.type == "bytes":
        return f'write_bytes({v}, {f.least}, {f.most}, "{where}")'
    if f.type == "text":
        return f'write_text({v}, {f.most}, "{where}")'
    if f.type == "list":
        return f'write_list([{_write(schema, f.item, "item", where)} for item in {v}], {f.most}, "{where}")'
    if f.type in schema.enums:
        return f'write_uint({v}, {max(n for n, _ in schema.enums[f.type].members.values())}, "{where}")'
    return f"encode_{snake(f.type)}({v})"


def _checks(schema: Schema, f: Field, v: str, where: str) -> list[str]:
    lines = []
    if f.type == "bytes" and f.size is not None:
        lines.append(f"if len({v}) != {f.size}:")
    elif f.type in schema.enums:
        lines.append(f"if {v} not in _{snake(f.type).upper()}:")
    elif f.ascending:
        lines.append(f"if any(a >= b for a, b in pairwise({v})):")
    return [*lines, f'    raise _bad("{where}")'] if lines else []


def _writer(schema: Schema, struct: Struct) -> str:
    lines = [f"def encode_{snake(struct.name)}(value: {struct.name}) -> bytes:"]
    lines.append(f'    """Raises WireError (`message`) for a {struct.name} over a limit."""')
    if struct.one_of:
        found = " + ".join(f"(value.{name} is not None)" for name in struct.one_of)
        names = ", ".join(struct.one_of)
        lines += [f"    if {found} != 1:", f'        raise _bad("{struct.name}: one of {names}")']
    dynamic = any(f.optional for f in struct.fields)
    required = [f for f in struct.fields if not f.optional]
    if dynamic:
        lines.append(f"    count = {len(required)}")
    pieces: list[str] = []
    constant = b"" if dynamic else bytes((0xA0 + len(struct.fields),))
    started = False
    for f in struct.fields:
        where = f"{struct.name}.{f.name}"
        fixed = f.type == "bytes" and f.size is not None
        key = bytes((f.key,)) + (_fixed_head(f.size) if fixed and f.size is not None else b"")
        v = f"value.{f.name}"
        expression = v if fixed else _write(schema, f, v, where)
        if not f.optional:
            lines += ["    " + line for line in _checks(schema, f, v, where)]
            pieces += [_literal(constant + key), expression]
            constant = b""
            continue
        lines.append(f"    data {'+=' if started else '='} {' + '.join(pieces) or _empty(constant)}")
        started, pieces, constant = True, [], b""
        local = f"{f.name}_"
        lines += [f"    {local} = value.{f.name}", f"    if {local} is not None:"]
        expression = local if fixed else _write(schema, f, local, where)
        lines += ["        " + line for line in _checks(schema, f, local, where)]
        lines += ["        count += 1", f"        data += {_literal(key)} + {expression}"]
    if not dynamic:
        lines.append(f"    return {' + '.join(pieces) or _literal(constant)}")
        return "\n".join(lines)
    if pieces:
        lines.append(f"    data += {' + '.join(pieces)}")
    lines.append("    return head(0xA0, count) + data")
    return "\n".join(line for line in lines if line != '    data += b""')


def _empty(constant: bytes) -> str:
    return _literal(constant) if constant else 'b""'


def _fixed_head(n: int) -> bytes:
    if n < 24:
        return bytes((0x40 | n,))
    return bytes((0x58, n)) if n < 0x100 else bytes((0x59, n >> 8, n & 0xFF))


def _union_writer(union: Choice) -> str:
    name = snake(union.name)
    return f'''def encode_{name}(value: {union.name}) -> bytes:
    """Raises WireError (`message`) for a member over a limit{" or Unknown" if union.open else ""}."""
    writer = _{name.upper()}_WRITERS.get(type(value))
    if writer is None:
        raise _bad("{union.name}: not a member")
    return writer[0] + writer[1](value)'''


# ---- reading ----


def _read(schema: Schema, f: Field, target: str, where: str, at: str) -> list[str]:
    """Statements that read a value at `at` into `target` and leave the position after it in `p`."""
    bad = f'    raise _bad("{where}")'
    if f.type == "uint":
        limit = [] if f.most == MAX_UINT else [f"if {target} > {f.most}:", bad]
        return [f"{target}, p = read_uint(d, {at})", *limit]
    if f.type == "bool":
        return [f"{target}, p = read_bool(d, {at})"]
    if f.type == "bytes":
        return [f'{target}, p = read_bytes(d, {at}, {f.least}, {f.most}, "{where}")']
    if f.type == "text":
        return [f'{target}, p = read_text(d, {at}, {f.most}, "{where}")']
    if f.type == "list":
        return _read_list(schema, f, target, where, at)
    if f.type in schema.enums:
        return [f"n, p = read_uint(d, {at})", f"{target} = _{snake(f.type).upper()}[n]"]
    return [f"{target}, p = _read_{snake(f.type)}(d, {at})"]


def _read_list(schema: Schema, f: Field, target: str, where: str, at: str) -> list[str]:
    bad = f'    raise _bad("{where}")'
    items = f"{target}list"
    lines = [f"n, p = read_count(d, {at})", f"if n > {f.most}:", bad]
    lines += [f"{items}: list[{_type(f.item)}] = []", "for _ in range(n):"]
    if f.item.type == "bytes" and f.item.size is not None:
        prefix = _fixed_head(f.item.size)
        n, end = len(prefix), len(prefix) + f.item.size
        lines += [f"    if d[p : p + {n}] != {_literal(prefix)}:", "    " + bad]
        lines += [f"    {items}.append(d[p + {n} : p + {end}])", f"    p += {end}"]
    else:
        item = f"{target}item"
        lines += ["    " + line for line in _read(schema, f.item, item, where, "p")]
        lines.append(f"    {items}.append({item})")
    if f.ascending:
        lines += [f"if any(a >= b for a, b in pairwise({items})):", bad]
    return [*lines, f"{target} = tuple({items})"]


def _reader(schema: Schema, struct: Struct) -> str:
    lines = [f"def _read_{snake(struct.name)}(d: bytes, p: int) -> tuple[{struct.name}, int]:"]
    body = _open_reader(schema, struct) if struct.open else _closed_reader(schema, struct)
    return "\n".join([*lines, *("    " + line for line in body)])


def _made(struct: Struct) -> str:
    names = ", ".join(f"{f.name}_" for f in sorted(struct.fields, key=lambda f: f.optional))
    return f"return {struct.name}({names}), p"


def _closed_reader(schema: Schema, struct: Struct) -> list[str]:
    bad = f'    raise _bad("{struct.name}")'
    optional = [f for f in struct.fields if f.optional]
    required = len(struct.fields) - len(optional)
    if optional:
        lines = [f"left = d[p] - {0xA0 + required}", f"if left < 0 or left > {len(optional)}:", bad, "p += 1"]
    else:
        lines = [f"if d[p] != {0xA0 + required}:", bad, "p += 1"]
    for f in struct.fields:
        target, where = f"{f.name}_", f"{struct.name}.{f.name}"
        wrong = f'    raise _bad("{where}")'
        if f.type == "bytes" and f.size is not None:
            prefix = bytes((f.key,)) + _fixed_head(f.size)
            n, end = len(prefix), len(prefix) + f.size
            check = [f"if d[p : p + {n}] != {_literal(prefix)}:", wrong]
            read = [f"{target} = d[p + {n} : p + {end}]", f"p += {end}"]
        else:
            check, read = [f"if d[p] != {f.key}:", wrong], _read(schema, f, target, where, "p + 1")
        if not f.optional:
            lines += check + read
            continue
        lines += [f"{target}: {_type(f)} | None = None", f"if left and d[p] == {f.key}:"]
        lines += ["    " + line for line in ["left -= 1", *(check if len(check[0]) > 24 else []), *read]]
    if optional:
        lines += ["if left:", bad]
    if struct.one_of:
        lines += [f"if {' + '.join(f'({name}_ is not None)' for name in struct.one_of)} != 1:", bad]
    return [*lines, _made(struct)]


def _open_reader(schema: Schema, struct: Struct) -> list[str]:
    bad = f'    raise _bad("{struct.name}")'
    lines = ["pairs, p = read_pairs(d, p)", "last = -1"]
    lines += [f"{f.name}_: {_type(f)} | None = None" for f in struct.fields]
    lines += ["for _ in range(pairs):", "    k, p = read_uint(d, p)"]
    lines += ["    if k <= last:", "    " + bad, "    last = k"]
    word = "if"
    for f in struct.fields:
        lines.append(f"    {word} k == {f.key}:")
        read = _read(schema, f, f"{f.name}_", f"{struct.name}.{f.name}", "p")
        lines += ["        " + line for line in read]
        word = "elif"
    lines += ["    else:", "        p = skip(d, p)"]
    required = [f"{f.name}_ is None" for f in struct.fields if not f.optional]
    lines += [f"if {' or '.join(required)}:", bad]
    return [*lines, _made(struct)]


def _union_reader(union: Choice) -> str:
    name = snake(union.name)
    lines = [f"def _read_{name}(d: bytes, p: int) -> tuple[{union.name}, int]:", "    if d[p] != 0x82:"]
    lines += [f'        raise _bad("{union.name}")']
    if not union.open:
        return "\n".join([*lines, f"    return _{name.upper()}_READERS[d[p + 1]](d, p + 2)"])
    lines += ["    tag, p = read_uint(d, p + 1)", f"    reader = _{name.upper()}_READERS.get(tag)"]
    lines += ["    if reader is None:", "        return Unknown(tag), skip_struct(d, p)"]
    lines.append("    return reader(d, p)")
    return "\n".join(lines)


def _decoder(schema: Schema, name: str) -> str:
    finish = "finish_open" if schema.reaches_open(name) else "finish"
    return f'''def decode_{snake(name)}(data: bytes) -> {name}:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.{finish}(_read_{snake(name)}, data)'''


def _tables(schema: Schema) -> str:
    lines = []
    for union in schema.unions.values():
        name = snake(union.name).upper()
        lines.append(f"_{name}_WRITERS: Final[dict[type, tuple[bytes, Callable[[Any], bytes]]]] = {{")
        for member, tag in union.members.items():
            lines.append(f"    {member}: ({_literal(bytes((0x82, tag)))}, encode_{snake(member)}),")
        reader = f"Callable[[bytes, int], tuple[{union.name}, int]]"
        lines += ["}", f"_{name}_READERS: Final[dict[int, {reader}]] = {{"]
        lines += [f"    {tag}: _read_{snake(member)}," for member, tag in union.members.items()]
        lines.append("}")
    return "\n".join(lines)


def _all(schema: Schema) -> str:
    names = [c.name for c in schema.constants]
    types = [*schema.structs, *schema.unions]
    names += [*schema.enums, "Unknown", *types]
    names += [f"{verb}_{snake(name)}" for name in types for verb in ("encode", "decode")]
    return "\n".join(["__all__ = [", *(f'    "{name}",' for name in sorted(names)), "]"])
