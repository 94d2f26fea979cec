"""spec/messages.toml -> web/src/wire/_messages.ts: types for the compiler, a table of one line a type for
the bundle."""

from __future__ import annotations

from collections.abc import Collection

from scripts.codecs.schema import BASIC, MAX_UINT, Choice, Constant, Enumeration, Field, Schema, Struct, camel

HEADER = """// Generated from spec/messages.toml by `python -m scripts.generate`; do not edit.
import { codec, type Unknown } from './codec.ts';

export type { Unknown };
"""

LATER_HEADER = """// Generated from spec/messages.toml by `python -m scripts.generate`; do not edit.
import { codec } from './codec.ts';
import { decoder, encoder } from './_messages.ts';
"""

# What the web app loads after the first message: nothing loaded before may call these. Types with both functions here, and
# which no other type names, have their rows there too.
LATER = frozenset({
    "decodeCommitData", "decodeContactRequestBody", "decodeDeviceListBody", "decodeEphemeralContent",
    "decodeEphemeralMessage", "decodeMoved", "decodeMovedBody", "decodeReAddBody", "decodeReceiptBody", "decodeTyping",
    "decodeTokenKey", "decodeTokenKeyList", "decodeWelcomeMessage", "encodeCard", "encodeCardBody", "encodeCommitData",
    "encodeConversationInfo", "encodeEphemeralContent", "encodeEphemeralMessage", "encodeJoinInfo", "encodeMoved",
    "encodeMovedBody", "encodeReAddBody", "encodeReceiptBody", "encodeTokenKey", "encodeTokenKeyList", "encodeTyping",
    "encodeWelcomeMessage",
})  # fmt: skip


def render(schema: Schema) -> str:
    members = {member for union in schema.unions.values() for member in union.members}
    parts = [HEADER, "\n".join(_constant(c) for c in schema.constants)]
    parts += [_enum(e) for e in schema.enums.values()]
    parts += [_interface(s, s.name in members) for s in schema.structs.values()]
    parts += [_alias(u) for u in schema.unions.values()]
    names = [*schema.structs, *schema.unions]
    functions = [line for name in names for line in _functions(name) if _defined(line) not in LATER]
    later = _later_types(schema)
    first = [name for name in names if name not in later]
    parts += [f"export {_table(schema, first)}", "\n".join(functions)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def render_later(schema: Schema) -> str:
    """web/src/wire/_messages_rest.ts. Raises ValueError where LATER names what is not in the schema."""
    names = [*schema.structs, *schema.unions]
    functions = {_defined(line): line for name in names for line in _functions(name)}
    if unknown := LATER - functions.keys():
        raise ValueError(f"LATER names what is not in messages.toml: {', '.join(sorted(unknown))}")
    types = sorted({_type_of(function) for function in LATER})
    imports = "".join(f"  {name},\n" for name in types)
    later = _later_types(schema)
    table = _table(schema, closure(schema, later), "later")
    lines = [
        line.replace("__ */ ", "__ */ later.") if _type_of(function) in later else line
        for function, line in functions.items()
        if function in LATER
    ]
    parts = [f"{LATER_HEADER}import type {{\n{imports}}} from './_messages.ts';\n", table, "\n".join(lines)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _type_of(function: str) -> str:
    return function.removeprefix("encode").removeprefix("decode")


def _later_types(schema: Schema) -> set[str]:
    """Both of whose functions are in LATER, and which no type loaded before names."""
    names = [*schema.structs, *schema.unions]
    own = {name for name in names if {f"encode{name}", f"decode{name}"} <= LATER}
    return own - closure(schema, {name for name in names if name not in own})


def closure(schema: Schema, names: set[str]) -> set[str]:
    """Those types and all that they name, enums too."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        struct = schema.structs.get(name)
        fields = struct.fields if struct else ()
        waiting += [f.of or f.type for f in fields if (f.of or f.type) not in BASIC]
        waiting += list(schema.unions[name].members) if name in schema.unions else []
    return found


def _constant(c: Constant) -> str:
    value = f"[{', '.join(map(str, c.value))}] as const" if isinstance(c.value, list) else str(c.value)
    return f"/** {c.doc} */\nexport const {c.name} = {value};"


def _enum(enum: Enumeration) -> str:
    lines = [f"export const {enum.name} = {{"]
    for name, (value, doc) in enum.members.items():
        lines += [f"  /** {doc} */", f"  {camel(name)}: {value},"]
    values = f"(typeof {enum.name})[keyof typeof {enum.name}]"
    return "\n".join([*lines, "} as const;", f"export type {enum.name} = {values};"])


def _type(f: Field) -> str:
    names = {"uint": "number", "text": "string", "bool": "boolean", "bytes": "Uint8Array"}
    return f"readonly {_type(f.item)}[]" if f.type == "list" else names.get(f.type, f.type)


def _interface(struct: Struct, member: bool) -> str:
    lines = [f"/** {struct.doc} */"] if struct.doc else []
    if not struct.fields:
        lines += [f"export interface {struct.name} {{", f"  readonly type: '{struct.name}';", "}"]
        return "\n".join(lines)
    lines.append(f"export interface {struct.name} {{")
    if member:
        lines.append(f"  readonly type: '{struct.name}';")
    for f in struct.fields:
        if f.doc:
            lines.append(f"  /** {f.doc} */")
        mark, absent = ("?", " | undefined") if f.optional else ("", "")
        lines.append(f"  readonly {camel(f.name)}{mark}: {_type(f)}{absent};")
    return "\n".join([*lines, "}"])


def _alias(union: Choice) -> str:
    return f"export type {union.name} = {' | '.join([*union.members, *(['Unknown'] if union.open else [])])};"


def _kind(schema: Schema, f: Field) -> str:
    """As web/src/wire/codec.ts reads it; an enum's value is a number from 1 on."""
    if f.type == "uint":
        return "u" if f.most == MAX_UINT else f"u:{f.most}"
    if f.type == "bool":
        return "f"
    if f.type == "bytes":
        return f"b{f.size}" if f.size is not None else f"b{f.least or ''}:{f.most}"
    if f.type == "text":
        return f"t:{f.most}"
    if f.type == "list":
        return f"[{_kind(schema, f.item)}]{f.most}{'^' if f.ascending else ''}"
    if f.type in schema.enums:
        values = [value for value, _ in schema.enums[f.type].members.values()]
        if values != list(range(1, len(values) + 1)):
            raise ValueError(f"{f.type}: values must count from 1")
        return f"u1:{len(values)}"
    return f.type


def _table(schema: Schema, names: Collection[str], name: str = "{ encoder, decoder }") -> str:
    lines = []
    unions = [union for union in schema.unions.values() if union.name in names]
    members = {member for union in unions for member in union.members}
    for struct in (s for s in schema.structs.values() if s.name in names):
        fields = ",".join(
            f"{camel(f.name)} {_kind(schema, f)}{'?' if f.optional else ''}" for f in struct.fields
        )
        one_of = "".join(f"|{camel(name)}" for name in struct.one_of)
        mark = "!" if struct.name in members else ""
        lines.append(f"{struct.name} {mark}{'~' if struct.open else ''}{fields}{one_of}")
    for union in unions:
        if list(union.members.values()) != list(range(1, len(union.members) + 1)):
            raise ValueError(f"{union.name}: tags must count from 1")
        lines.append(f"{union.name} {'~' if union.open else ''}={','.join(union.members)}")
    body = "\n".join(lines)
    return f"const {name} = /* @__PURE__ */ codec(`{body}`);"


def _functions(name: str) -> list[str]:
    return [
        f"export const encode{name} = /* @__PURE__ */ encoder<{name}>('{name}');",
        f"export const decode{name} = /* @__PURE__ */ decoder<{name}>('{name}');",
    ]


def _defined(line: str) -> str:
    """The function that a line of `_functions` defines."""
    return line.split()[2]
