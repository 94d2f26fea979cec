"""What the C library's allocator holds of the system's memory; with another library than glibc nothing is done."""

from __future__ import annotations

import ctypes
import sys

M_MMAP_THRESHOLD = -3
"""mallopt(3)"""
LARGE = 128 * 1024
"""Bytes from which a block has pages of its own: glibc's own threshold, which it otherwise raises to what was freed last.
What the event loop reads of a connection at once, up to 256 KiB, comes and goes."""


def keep_large_apart() -> None:
    """Large blocks take from the system what is touched of them, and give it back when they are freed."""
    libc = _libc()
    if libc is not None:
        libc.mallopt(M_MMAP_THRESHOLD, LARGE)


def give_back() -> None:
    """Pages in which nothing is left: ~0.1 ms, and ~1 ms for each 25 MB."""
    libc = _libc()
    if libc is not None:
        libc.malloc_trim(0)


def _libc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") else None
