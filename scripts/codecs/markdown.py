"""spec/messages.toml -> spec/messages.md: the same as tables for people."""

from __future__ import annotations

from scripts.codecs.schema import MAX_UINT, Choice, Field, Schema, Struct

HEADER = """# Messages

Generated from [messages.toml](messages.toml) by `python -m scripts.generate`; do not edit. The encoding is in
[protocol.md](protocol.md), section 1. Sizes are in bytes. An *open* struct accepts unknown keys, an *open*
union unknown tags.
"""


def render(schema: Schema) -> str:
    parts = [HEADER, "## Constants\n", "| name | value | meaning |\n|---|---|---|"]
    parts[-1] += "".join(f"\n| `{c.name}` | {_value(c.value)} | {c.doc} |" for c in schema.constants)
    parts.append("\n## Enums")
    for enum in schema.enums.values():
        rows = "".join(f"\n| {value} | `{name}` | {doc} |" for name, (value, doc) in enum.members.items())
        parts.append(f"\n### {enum.name}\n\n| value | name | meaning |\n|---|---|---|{rows}")
    parts.append("\n## Unions")
    parts += [_union(union) for union in schema.unions.values()]
    parts.append("\n## Structs")
    parts += [_struct(struct) for struct in schema.structs.values()]
    return "\n".join(parts) + "\n"


def _value(value: int | list[int]) -> str:
    return ", ".join(f"{n:,}" for n in value) if isinstance(value, list) else f"{value:,}"


def _union(union: Choice) -> str:
    rows = "".join(f"\n| {tag} | [{name}](#{name.lower()}) |" for name, tag in union.members.items())
    kind = "Open." if union.open else "Closed."
    return f"\n### {union.name}\n\n{kind}\n\n| tag | struct |\n|---|---|{rows}"


def _limits(f: Field) -> str:
    if f.type == "uint":
        return "" if f.most == MAX_UINT else f"at most {f.most:,}"
    if f.type == "list":
        inner = _limits(f.item)
        order = ", strictly ascending" if f.ascending else ""
        return f"at most {f.most:,} items{f' of {inner}' if inner else ''}{order}"
    if f.size is not None:
        return f"{f.size:,}"
    if f.type in ("bytes", "text"):
        return f"{f.least:,} to {f.most:,}"
    return ""


def _struct(struct: Struct) -> str:
    lines = [f"\n### {struct.name}\n"]
    if struct.doc or struct.open:
        lines.append(f"{'Open. ' if struct.open else ''}{struct.doc}".rstrip() + "\n")
    if struct.one_of:
        lines.append(f"Exactly one of {' and '.join(f'`{name}`' for name in struct.one_of)} is there.\n")
    if not struct.fields:
        return "\n".join([*lines, "No fields: an empty map."])
    lines.append("| key | field | type | limits | meaning |\n|---|---|---|---|---|")
    for f in struct.fields:
        kind = f"list of {f.of}" if f.type == "list" else f.type
        optional = ", optional" if f.optional else ""
        lines.append(f"| {f.key} | `{f.name}` | {kind}{optional} | {_limits(f)} | {f.doc} |")
    return "\n".join(lines)
