"""The protocol's CBOR subset: RFC 8949 section 4.2.1, restricted as in protocol.md section 1.

`encode` and `decode` handle any value of the subset. The other functions are what the generated codecs
are made of: each reads at `pos` in `data` and returns the value and the position after it. A reader may
run past the end of `data` (a short slice, an IndexError): `finish` turns both into a refusal, because a
position past the end never equals the length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, Union

from polynya.wire.errors import WireError

Value: TypeAlias = Union[int, bytes, str, bool, Sequence["Value"], Mapping[int, "Value"]]  # noqa: UP007
T = TypeVar("T")

MAX_UINT = 2**53 - 1
MAX_DEPTH = 16
"""Most arrays and maps inside each other; the deepest message has 8."""


# ---- writing ------------------------------------------------------------------------------------------


def head(major: int, n: int) -> bytes:
    """First bytes of an item: major type (already shifted, 0x00..0xa0) and argument, in the shortest form."""
    if n < 24:
        return bytes((major | n,))
    if n < 0x100:
        return bytes((major | 24, n))
    if n < 0x10000:
        return bytes((major | 25, n >> 8, n & 0xFF))
    if n < 0x100000000:
        return bytes((major | 26,)) + n.to_bytes(4, "big")
    return bytes((major | 27,)) + n.to_bytes(8, "big")


_UINTS = tuple(bytes((n,)) for n in range(24))


def write_uint(n: int, limit: int, where: str) -> bytes:
    """An unsigned integer of at most `limit`; raises WireError naming `where`."""
    if n > limit or n < 0:
        raise WireError("message", f"{where}: 0 to {limit}")
    if n < 24:
        return _UINTS[n]
    if n >= 0x100000000:
        return b"\x1b" + n.to_bytes(8, "big")
    return head(0, n)


def write_bytes(value: bytes, least: int, most: int, where: str) -> bytes:
    """A byte string of `least` to `most` bytes; raises WireError naming `where`."""
    n = len(value)
    if n > most or n < least:
        raise WireError("message", f"{where}: {least} to {most} bytes")
    return head(0x40, n) + value


def write_text(value: str, most: int, where: str) -> bytes:
    """A text string of at most `most` bytes of UTF-8; raises WireError naming `where`."""
    try:
        data = value.encode()
    except UnicodeEncodeError:
        raise WireError("message", f"{where}: text with a lone surrogate") from None
    if len(data) > most:
        raise WireError("message", f"{where}: at most {most} bytes of UTF-8")
    return head(0x60, len(data)) + data


def write_bool(value: bool) -> bytes:
    return b"\xf5" if value else b"\xf4"


def write_list(items: Sequence[bytes], most: int, where: str) -> bytes:
    """An array of items that are already encoded."""
    if len(items) > most:
        raise WireError("message", f"{where}: at most {most} items")
    return head(0x80, len(items)) + b"".join(items)


def encode(value: Value) -> bytes:
    """Deterministic encoding of any value of the subset; raises WireError for any other."""
    return _encode(value, 1)


def _encode(value: Any, depth: int) -> bytes:
    if isinstance(value, bool):
        return write_bool(value)
    if isinstance(value, int):
        if not 0 <= value <= MAX_UINT:
            raise WireError("cbor-integer")
        return head(0, value)
    if isinstance(value, bytes):
        return head(0x40, len(value)) + value
    if isinstance(value, str):
        return write_text(value, MAX_UINT, "text")
    if depth > MAX_DEPTH:
        raise WireError("cbor-depth")
    if isinstance(value, Mapping):
        parts = [head(0xA0, len(value))]
        for key in sorted(value):
            if isinstance(key, bool) or not isinstance(key, int) or not 0 <= key <= MAX_UINT:
                raise WireError("cbor-keys")
            parts += (head(0, key), _encode(value[key], depth + 1))
        return b"".join(parts)
    if isinstance(value, Sequence):
        return head(0x80, len(value)) + b"".join(_encode(item, depth + 1) for item in value)
    raise WireError("cbor-type", type(value).__name__)


# ---- reading any value --------------------------------------------------------------------------------


def decode(data: bytes) -> Value:
    """The value that `data` holds, from the first byte to the last.

    Raises WireError with rule cbor-truncated, cbor-trailing, cbor-length (a longer form than needed),
    cbor-indefinite, cbor-type, cbor-integer, cbor-keys, cbor-utf8 or cbor-depth.
    """
    value, end = _decode(data, 0, 1)
    if end != len(data):
        raise WireError("cbor-trailing")
    return value


def _argument(data: bytes, pos: int) -> tuple[int, int]:
    info = data[pos] & 0x1F
    if info < 24:
        return info, pos + 1
    if info == 31:
        raise WireError("cbor-indefinite")
    if info > 27:
        raise WireError("cbor-type")
    size = 1 << (info - 24)
    end = pos + 1 + size
    if end > len(data):
        raise WireError("cbor-truncated")
    n = int.from_bytes(data[pos + 1 : end], "big")
    if n < (24, 0x100, 0x10000, 0x100000000)[info - 24]:
        raise WireError("cbor-length")
    if n > MAX_UINT:
        raise WireError("cbor-integer")
    return n, end


def _decode(data: bytes, pos: int, depth: int) -> tuple[Value, int]:
    if pos >= len(data):
        raise WireError("cbor-truncated")
    major = data[pos] >> 5
    if major == 7:
        if data[pos] not in (0xF4, 0xF5):
            raise WireError("cbor-type")
        return data[pos] == 0xF5, pos + 1
    if major in (1, 6):
        raise WireError("cbor-type")
    if major == 0:
        return _argument(data, pos)
    n, pos = _argument(data, pos)
    if major in (2, 3):
        end = pos + n
        if end > len(data):
            raise WireError("cbor-truncated")
        if major == 2:
            return data[pos:end], end
        try:
            return str(data[pos:end], "utf-8"), end
        except UnicodeDecodeError:
            raise WireError("cbor-utf8") from None
    if depth > MAX_DEPTH:
        raise WireError("cbor-depth")
    if major == 4:
        items: list[Value] = []
        for _ in range(n):
            item, pos = _decode(data, pos, depth + 1)
            items.append(item)
        return items, pos
    pairs: dict[int, Value] = {}
    last = -1
    for _ in range(n):
        if pos >= len(data):
            raise WireError("cbor-truncated")
        if data[pos] >> 5:
            raise WireError("cbor-keys")
        key, pos = _argument(data, pos)
        if key <= last:
            raise WireError("cbor-keys")
        last = key
        pairs[key], pos = _decode(data, pos, depth + 1)
    return pairs, pos


# ---- reading known values (generated codecs) ----------------------------------------------------------


def read_uint(data: bytes, pos: int) -> tuple[int, int]:
    b = data[pos]
    if b < 24:
        return b, pos + 1
    if b == 0x1B:
        n = int.from_bytes(data[pos + 1 : pos + 9], "big")
        if 0x100000000 <= n <= MAX_UINT:
            return n, pos + 9
    elif b == 0x18:
        n = data[pos + 1]
        if n >= 24:
            return n, pos + 2
    elif b == 0x19:
        n = data[pos + 1] << 8 | data[pos + 2]
        if n >= 0x100:
            return n, pos + 3
    elif b == 0x1A:
        n = int.from_bytes(data[pos + 1 : pos + 5], "big")
        if n >= 0x10000:
            return n, pos + 5
    raise WireError("message", "expected an unsigned integer")


def _read_head(data: bytes, pos: int, major: int) -> tuple[int, int]:
    """Argument of an item of this major type (shifted, as in `head`); raises WireError for another type."""
    b = data[pos] - major
    if 0 <= b < 24:
        return b, pos + 1
    if b == 24:
        n = data[pos + 1]
        if n >= 24:
            return n, pos + 2
    elif b == 25:
        n = data[pos + 1] << 8 | data[pos + 2]
        if n >= 0x100:
            return n, pos + 3
    elif b == 26:
        n = int.from_bytes(data[pos + 1 : pos + 5], "big")
        if n >= 0x10000:
            return n, pos + 5
    raise WireError("message", "another type than expected")


def read_bytes(data: bytes, pos: int, least: int, most: int, where: str) -> tuple[bytes, int]:
    n, pos = _read_head(data, pos, 0x40)
    if n > most or n < least:
        raise WireError("message", f"{where}: {least} to {most} bytes")
    return data[pos : pos + n], pos + n


def read_text(data: bytes, pos: int, most: int, where: str) -> tuple[str, int]:
    """Raises UnicodeDecodeError (a ValueError) for invalid UTF-8."""
    n, pos = _read_head(data, pos, 0x60)
    if n > most:
        raise WireError("message", f"{where}: at most {most} bytes of UTF-8")
    return str(data[pos : pos + n], "utf-8"), pos + n


def read_bool(data: bytes, pos: int) -> tuple[bool, int]:
    b = data[pos]
    if b == 0xF5:
        return True, pos + 1
    if b == 0xF4:
        return False, pos + 1
    raise WireError("message", "expected true or false")


def read_count(data: bytes, pos: int) -> tuple[int, int]:
    """Number of items of an array."""
    return _read_head(data, pos, 0x80)


def read_pairs(data: bytes, pos: int) -> tuple[int, int]:
    """Number of pairs of a map."""
    return _read_head(data, pos, 0xA0)


def skip(data: bytes, pos: int) -> int:
    """Position after the item at `pos`; any value of the subset."""
    return _decode(data, pos, 1)[1]


def skip_struct(data: bytes, pos: int) -> int:
    """Position after the map at `pos`."""
    if data[pos] >> 5 != 5:
        raise WireError("message", "expected a map")
    return skip(data, pos)


def finish(reader: Callable[[bytes, int], tuple[T, int]], data: bytes) -> T:
    """The whole of `data` read by `reader`; raises WireError: a cbor-* rule if the bytes are outside the
    subset, else `message`."""
    try:
        value, end = reader(data, 0)
    except (WireError, LookupError, ValueError) as error:
        raise _refusal(data, error) from None
    if end != len(data):
        raise _refusal(data, None)
    return value


def finish_open(reader: Callable[[bytes, int], tuple[T, int]], data: bytes) -> T:
    """As `finish`, for messages with unknown parts: these count towards the depth, so all is walked first."""
    decode(data)
    return finish(reader, data)


def _refusal(data: bytes, error: Exception | None) -> WireError:
    decode(data)
    return error if isinstance(error, WireError) else WireError("message", "not of the message's form")
