"""Comparison whose duration does not depend on where the inputs differ."""

from __future__ import annotations

import hmac


def equal(a: bytes, b: bytes) -> bool:
    """Whether two secrets or tags are the same bytes; the time taken shows no more than their lengths."""
    return hmac.compare_digest(a, b)
