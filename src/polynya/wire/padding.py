"""Padding to a few sizes, so that lengths tell little (protocol.md sections 2.2 and 3)."""

from __future__ import annotations

from collections.abc import Sequence

from polynya.wire.errors import WireError
from polynya.wire.messages import RESPONSE_STEPS

LENGTH_SIZE = 4


def pad(data: bytes, sizes: Sequence[int] = RESPONSE_STEPS, length_size: int = LENGTH_SIZE) -> bytes:
    """Length (big-endian) || `data` || zeros, in all the smallest fitting of `sizes` (ascending).

    Raises WireError `padding-fit` if none fits.
    """
    needed = length_size + len(data)
    for size in sizes:
        if size >= needed:
            return len(data).to_bytes(length_size, "big") + data + bytes(size - needed)
    raise WireError("padding-fit", f"{len(data)} bytes")


def unpad(padded: bytes, sizes: Sequence[int] = RESPONSE_STEPS, length_size: int = LENGTH_SIZE) -> bytes:
    """What `pad` got. Raises WireError `padding-length`, `padding-step` (not the smallest fitting) or
    `padding-zeros`."""
    length = int.from_bytes(padded[:length_size], "big")
    end = length_size + length
    if end > len(padded):
        raise WireError("padding-length")
    if next((size for size in sizes if size >= end), 0) != len(padded):
        raise WireError("padding-step")
    if padded[end:] != bytes(len(padded) - end):
        raise WireError("padding-zeros")
    return padded[length_size:end]
