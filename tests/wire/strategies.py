"""Hypothesis strategies for any message, made from the schema."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from polynya.wire import cbor, messages
from scripts.codecs import schema
from scripts.codecs.schema import Field, Schema
from tests.vectors.recorded import ROOT

SCHEMA: Schema = schema.load(ROOT / "spec" / "messages.toml")
SMALL = 48
"""Most bytes of a string whose limit is larger: size classes beyond it are the vectors' business."""


def field(f: Field) -> st.SearchStrategy[Any]:
    if f.type == "uint":
        edges = [n for n in (0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, f.most) if n <= f.most]
        return st.sampled_from(edges) | st.integers(0, f.most)
    if f.type == "bool":
        return st.booleans()
    if f.type == "bytes":
        return st.binary(min_size=f.least, max_size=max(f.least, min(f.most, SMALL)))
    if f.type == "text":
        return st.text(max_size=min(f.most // 4, SMALL))
    if f.type == "list":
        items = st.lists(field(f.item), max_size=min(f.most, 4), unique=f.ascending)
        return items.map(lambda found: tuple(sorted(found) if f.ascending else found))
    if f.type in SCHEMA.enums:
        return st.sampled_from(list(getattr(messages, f.type)))
    return message(f.type)


def message(name: str) -> st.SearchStrategy[Any]:
    """Values of a struct or union; never Unknown, which cannot be encoded."""
    if name in SCHEMA.unions:
        return st.one_of([message(member) for member in SCHEMA.unions[name].members])
    struct = SCHEMA.structs[name]
    fields = {f.name: st.none() | field(f) if f.optional else field(f) for f in struct.fields}
    if not struct.one_of:
        return st.builds(getattr(messages, name), **fields)
    choices = []
    for chosen in struct.one_of:
        own = {f.name: field(f) for f in struct.fields if f.name == chosen}
        none = {other: st.none() for other in struct.one_of if other != chosen}
        choices.append(st.builds(getattr(messages, name), **{**fields, **none, **own}))
    return st.one_of(choices)


def values() -> st.SearchStrategy[Any]:
    """Any value of the CBOR subset."""
    leaves = st.integers(0, cbor.MAX_UINT) | st.binary(max_size=30) | st.text(max_size=20) | st.booleans()
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 300), inner, max_size=4),
        max_leaves=12,
    )
