"""spec/state.toml -> the codecs of what the core saves, in both languages. Its types may name those of messages.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.codecs import python, schema, typescript
from scripts.codecs.schema import Schema, snake


@dataclass(frozen=True)
class State:
    own: Schema
    everything: Schema
    """Own types and those of the messages."""
    foreign: tuple[str, ...]
    """Types of the messages that own structs name, in the order of messages.toml."""


def load(path: Path, messages: Schema) -> State:
    """Reads and checks the schema; raises ValueError naming what is wrong."""
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    own = schema.parse({**table, "union": {}})
    twice = (own.structs.keys() | own.enums.keys()) & (messages.structs.keys() | messages.enums.keys())
    if twice:
        raise ValueError(f"named in messages.toml already: {', '.join(sorted(twice))}")
    everything = Schema((), messages.enums | own.enums, messages.structs | own.structs, messages.unions)
    for struct in own.structs.values():
        schema.check_struct(everything, struct)
    named = {f.of or f.type for struct in own.structs.values() for f in struct.fields}
    foreign = tuple(name for name in [*messages.enums, *messages.structs, *messages.unions] if name in named)
    return State(own, everything, foreign)


PYTHON_HEADER = '''"""Generated from spec/state.toml by `python -m scripts.generate`; do not edit."""

from __future__ import annotations

from dataclasses import field
from enum import IntEnum
from typing import Final

from polynya.wire import cbor
from polynya.wire._frozen import message
from polynya.wire._messages import (
%s
)
from polynya.wire.cbor import (
    head,
    read_bool,
    read_bytes,
    read_count,
    read_text,
    read_uint,
    write_bool,
    write_bytes,
    write_list,
    write_text,
    write_uint,
)
from polynya.wire.errors import WireError


def _bad(where: str) -> WireError:
    return WireError("message", where)
'''


def render_python(state: State) -> str:
    """src/polynya/core/_state.py"""
    names: list[str] = []
    for name in state.foreign:
        names.append(name)
        if name in state.everything.enums:
            names.append(f"_{snake(name).upper()}")
        else:
            names += [f"encode_{snake(name)}", f"_read_{snake(name)}"]
    imports = "\n".join(f"    {name}," for name in sorted(names))
    parts = [PYTHON_HEADER % imports]
    parts.append("\n".join(python._constant(c.name, c.value, c.doc) for c in state.own.constants))
    parts += [python._enum(e) for e in state.own.enums.values()]
    parts += [python._class(state.everything, s) for s in state.own.structs.values()]
    for struct in state.own.structs.values():
        parts += [
            python._writer(state.everything, struct),
            python._reader(state.everything, struct),
            python._decoder(state.everything, struct.name),
        ]
    return "\n\n".join(part.rstrip("\n") + "\n" for part in parts)


TYPESCRIPT_HEADER = """// Generated from spec/state.toml by `python -m scripts.generate`; do not edit.
import { codec } from '../wire/codec.ts';
"""

# What the web app loads after the first message (web/src/core/rest.ts). No type loaded before may name one of these.
LATER = frozenset({
    "InviteState", "OperationKind", "Invite", "Asked", "SlotReceipt", "Candidate", "Operation", "OwnCommit", "Upload",
    "Wish", "Unread", "LateAmendment", "Orphan", "FormerGroup",
})  # fmt: skip


def render_typescript(state: State, later: bool) -> str:
    """web/src/core/_state.ts, or for `later` _state_rest.ts: types, and a table that repeats the rows of the
    messages' types that it names.
    """
    own = state.own
    if unknown := LATER - own.structs.keys() - own.enums.keys():
        raise ValueError(f"LATER names what is not in state.toml: {', '.join(sorted(unknown))}")
    structs = [s for s in own.structs.values() if (s.name in LATER) == later]
    enums = [e for e in own.enums.values() if (e.name in LATER) == later]
    named = {f.of or f.type for s in structs for f in s.fields}
    foreign = [name for name in state.foreign if name in named]
    parts = [TYPESCRIPT_HEADER + f"import type {{ {', '.join(foreign)} }} from '../wire/_messages.ts';\n"]
    if later:
        earlier = [s.name for s in own.structs.values() if s.name in named and s.name not in LATER]
        parts[0] += f"import type {{ {', '.join(earlier)} }} from './_state.ts';\n"
    else:
        parts.append("\n".join(typescript._constant(c) for c in own.constants))
    parts += [typescript._enum(e) for e in enums]
    parts += [typescript._interface(s, False) for s in structs]
    types = "\n".join(f"  {s.name}: {s.name};" for s in structs)
    parts.append(f"/** By the name that the codec knows it by. */\nexport interface Types {{\n{types}\n}}")
    needed = typescript.closure(state.everything, {s.name for s in structs})
    if not later and needed & LATER:
        raise ValueError(f"LATER holds what is loaded first: {', '.join(sorted(needed & LATER))}")
    parts += [
        f"export {typescript._table(state.everything, needed)}",
        "\n".join(line for s in structs for line in typescript._functions(s.name)),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)
