"""Vectors of the encoding: any CBOR, then every message, made from the schema and not from the codecs under
test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from polynya.wire import cbor
from scripts.codecs.schema import Field, Schema, Struct
from scripts.vectors.source import Case, secret

LARGE = 9_000
"""Bytes; a limit above it is left to each language's own tests, so that the files stay small."""

VALID_CBOR = {
    "0": "00",
    "23": "17",
    "24": "1818",
    "255": "18ff",
    "256": "190100",
    "65535": "19ffff",
    "65536": "1a00010000",
    "2^32-1": "1affffffff",
    "2^32": "1b0000000100000000",
    "2^53-1": "1b001fffffffffffff",
    "false": "f4",
    "true": "f5",
    "empty bytes": "40",
    "23 bytes": "57" + "ab" * 23,
    "24 bytes": "5818" + "ab" * 24,
    "256 bytes": "590100" + "ab" * 256,
    "empty text": "60",
    "text": "6568656c6c6f",
    "two-byte letter": "62c3a9",
    "four-byte letter": "64f09f9982",
    "byte order mark is kept": "63efbbbf",
    "not normalised": "6365cc81",
    "NUL in text": "6100",
    "empty array": "80",
    "mixed array": "84004161f562c3a9",
    "empty map": "a0",
    "map": "a3000118184162190100f4",
    "16 arrays deep": "81" * 15 + "80",
    "16 maps deep": "a100" * 15 + "a0",
}

INVALID_CBOR = {
    "cbor-truncated": [
        "",
        "18",
        "1901",
        "1a000100",
        "1b00000001000000",
        "42ff",
        "5818ff",
        "62c3",
        "8200",
        "a1",
        "a100",
        "5affffffff",
        "9affffffff",
        "ba00010000",
        "5b000fffffffffffff",
    ],
    "cbor-trailing": ["0000", "f5f5", "4000", "6000", "8000", "a000"],
    "cbor-length": [
        "1800",
        "1817",
        "190000",
        "1900ff",
        "1a00000000",
        "1a0000ffff",
        "1b0000000000000000",
        "1b00000000ffffffff",
        "580161",
        "5900ff" + "ab" * 255,
        "780161",
        "980100",
        "b8010000",
        "a1180000",
    ],
    "cbor-indefinite": ["5f4100ff", "7f6100ff", "9f00ff", "bf0000ff", "1f"],
    "cbor-type": [
        "20",
        "3863",
        "c000",
        "d8184100",
        "f6",
        "f7",
        "e0",
        "f3",
        "f818",
        "f90000",
        "fa00000000",
        "fb0000000000000000",
        "ff",
        "1c",
        "1d",
        "1e",
        "5c",
        "8120",
        "a10020",
    ],
    "cbor-integer": [
        "1b0020000000000000",
        "1bffffffffffffffff",
        "5b0020000000000000",
        "a11b002000000000000000",
    ],
    "cbor-keys": [
        "a201000000",
        "a200000000",
        "a1610000",
        "a12000",
        "a1410000",
        "a1f400",
        "a21818001700",
        "a3000001000100",
    ],
    "cbor-utf8": ["61ff", "62c080", "63eda080", "64f4908080", "6180", "62c328"],
    "cbor-depth": ["81" * 17, "81" * 16 + "80", "a100" * 16 + "a0", "81" * 16 + "a0"],
}


def cbor_cases() -> Iterator[Case]:
    for name, data in VALID_CBOR.items():
        yield {"name": name, "data": data, "rule": None}
    for rule, datas in INVALID_CBOR.items():
        for number, data in enumerate(datas):
            yield {"name": f"{rule} {number}", "data": data, "rule": rule}


def message_cases(schema: Schema) -> Iterator[Case]:
    """Each struct in its smallest and its fullest form and with one thing wrong each, and each union's
    members."""
    maker = _Maker(schema)
    for struct in schema.structs.values():
        yield from maker.struct_cases(struct)
    for union in schema.unions.values():
        for member, tag in union.members.items():
            value, item = maker.struct(schema.structs[member], False)
            data = cbor.encode([tag, item])
            yield {
                "name": f"{union.name} {member}",
                "type": union.name,
                "data": data.hex(),
                "value": value,
                "rule": None,
            }
        first = next(iter(union.members))
        _, item = maker.struct(schema.structs[first], False)
        unknown = max(union.members.values()) + 1
        wrong: dict[str, Any] = {
            "tag 0": [0, item],
            "no array": item,
            "one item": [union.members[first]],
            "three items": [union.members[first], item, 0],
            "text tag": ["1", item],
            "struct that is no map": [union.members[first], []],
            "unknown tag without struct": [unknown, 0],
        }
        if union.open:
            for tag in (unknown, 24, cbor.MAX_UINT):
                data = cbor.encode([tag, {1: [secret("unknown", 3)], 9: {}}])
                value = {"type": "Unknown", "tag": tag}
                yield {
                    "name": f"{union.name} tag {tag}",
                    "type": union.name,
                    "data": data.hex(),
                    "value": value,
                    "rule": None,
                }
            del wrong["tag 0"]
        else:
            wrong["unknown tag"] = [unknown, item]
        for name, bad in wrong.items():
            yield _refused(f"{union.name} {name}", union.name, bad)


def _refused(name: str, kind: str, item: Any) -> Case:
    return {"name": name, "type": kind, "data": cbor.encode(item).hex(), "rule": "message"}


class _Maker:
    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.tagged = {member for union in schema.unions.values() for member in union.members}

    def struct(self, struct: Struct, full: bool) -> tuple[Case, dict[int, Any]]:
        """(value as in the vectors, CBOR map); `full`: with all optional fields."""
        value: Case = {"type": struct.name} if struct.name in self.tagged else {}
        item: dict[int, Any] = {}
        for f in struct.fields:
            if f.optional and (f.name != struct.one_of[int(full)] if f.name in struct.one_of else not full):
                continue
            value[f.name], item[f.key] = self.field(f, full, f"{struct.name}.{f.name}")
        return value, item

    def field(self, f: Field, full: bool, where: str) -> tuple[Any, Any]:
        if f.type == "uint":
            n = min(f.most, 1_700_000_000_000) if full else 0
            return n, n
        if f.type == "bool":
            return full, full
        if f.type == "bytes":
            data = secret(where, max(f.least, min(f.most, 40)) if full else f.least)
            return "0x" + data.hex(), data
        if f.type == "text":
            text = "é🙂 text"[: f.most // 4] if full else ""
            return text, text
        if f.type == "list":
            pairs = [self.field(f.item, full, f"{where} {i}") for i in range(min(f.most, 2) if full else 0)]
            if f.ascending:
                pairs.sort(key=lambda pair: bytes(pair[1]))
            return [a for a, _ in pairs], [b for _, b in pairs]
        if f.type in self.schema.enums:
            numbers = [n for n, _ in self.schema.enums[f.type].members.values()]
            n = numbers[-1 if full else 0]
            return n, n
        if f.type in self.schema.structs:
            return self.struct(self.schema.structs[f.type], full)
        members = list(self.schema.unions[f.type].members.items())
        member, tag = members[-1 if full else 0]
        value, item = self.struct(self.schema.structs[member], full)
        return value, [tag, item]

    def struct_cases(self, struct: Struct) -> Iterator[Case]:
        name = struct.name
        for form, full in (("smallest", False), ("fullest", True)):
            value, item = self.struct(struct, full)
            yield {
                "name": f"{name} {form}",
                "type": name,
                "data": cbor.encode(item).hex(),
                "value": value,
                "rule": None,
            }
        value, item = self.struct(struct, True)
        extra = {**item, 0: 1, len(struct.fields) + 1: [{5: b"\x00"}], 1000: "later"}
        if struct.open:
            data = cbor.encode(extra).hex()
            yield {
                "name": f"{name} with unknown keys",
                "type": name,
                "data": data,
                "value": value,
                "rule": None,
            }
            deep: Any = 0
            for _ in range(16):
                deep = [deep]
            data = (
                bytes((0xA0 + len(item) + 1,)) + cbor.encode(item)[1:] + b"\x18\x63" + b"\x81" * 16 + b"\x00"
            ).hex()
            yield {
                "name": f"{name} with a deep unknown key",
                "type": name,
                "data": data,
                "rule": "cbor-depth",
            }
        else:
            yield _refused(f"{name} with an unknown key", name, {**item, len(struct.fields) + 1: 0})
            yield _refused(f"{name} with key 0", name, {**item, 0: 0})
        yield _refused(f"{name} that is no map", name, [])
        for f in struct.fields:
            if not f.optional:
                yield _refused(
                    f"{name} without {f.name}", name, {k: v for k, v in item.items() if k != f.key}
                )
            if f.name not in struct.one_of or f.key in item:
                for what, bad in self.wrong(f, item[f.key]):
                    yield _refused(f"{name}.{f.name} {what}", name, {**item, f.key: bad})
        if struct.one_of:
            keys = [f.key for f in struct.fields if f.name in struct.one_of]
            yield _refused(
                f"{name} with none of {struct.one_of}", name, {k: v for k, v in item.items() if k not in keys}
            )
            _, other = self.struct(struct, False)
            yield _refused(f"{name} with all of {struct.one_of}", name, {**other, **item})

    def wrong(self, f: Field, good: Any) -> Iterator[tuple[str, Any]]:
        yield "of another type", 7 if f.type in ("bytes", "text", "bool", "list") else b"7"
        if f.type == "uint" and f.most < cbor.MAX_UINT:
            yield "above its limit", f.most + 1
        elif f.type == "bytes":
            yield "that is text", "x" * f.least
            if f.most < LARGE:
                yield "too long", bytes(f.most + 1)
            if f.least:
                yield "too short", bytes(f.least - 1)
        elif f.type == "text" and f.most < LARGE:
            yield "too long", "x" * (f.most + 1)
            yield "too long in bytes", "é" * (f.most // 2 + 1)
        elif f.type == "list":
            if len(cbor.encode([good[0]] * (f.most + 1))) < LARGE and not f.ascending:
                yield "with too many items", [good[0]] * (f.most + 1)
            for what, bad in self.wrong(f.item, good[0]):
                yield f"with an item {what}", [bad]
            if f.ascending:
                yield "not ascending", good[::-1]
                yield "doubled", [good[0], good[0]]
        elif f.type in self.schema.enums:
            numbers = [n for n, _ in self.schema.enums[f.type].members.values()]
            yield "of no known value", max(numbers) + 1
