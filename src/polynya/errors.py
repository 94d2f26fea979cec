"""The root of every error that Polynya raises on purpose."""

from __future__ import annotations


class PolynyaError(Exception):
    """Base of all errors. `code` is stable and in kebab-case; `str(error)` is for people."""

    code: str = "polynya"
