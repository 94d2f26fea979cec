"""Transcript hashes and the confirmation tag (RFC 9420 sections 6.1 and 8.2)."""

from __future__ import annotations

from polynya.mls.codec import opaque, u16
from polynya.mls.framing import FramedContent
from polynya.mls.suite import Suite


def confirmed_hash(
    suite: Suite, interim: bytes, wire_format: int, content: FramedContent, signature: bytes
) -> bytes:
    """The confirmed transcript hash after a commit; `interim` is the interim hash before it."""
    return suite.digest(interim + u16(wire_format) + content.encode() + opaque(signature))


def interim_hash(suite: Suite, confirmed: bytes, confirmation_tag: bytes) -> bytes:
    """The interim transcript hash after a commit with this tag."""
    return suite.digest(confirmed + opaque(confirmation_tag))


def confirmation_tag(suite: Suite, confirmation_key: bytes, confirmed: bytes) -> bytes:
    return suite.mac(confirmation_key, confirmed)


def confirmation_is_valid(suite: Suite, confirmation_key: bytes, confirmed: bytes, tag: bytes) -> bool:
    return suite.mac_is_valid(confirmation_key, confirmed, tag)
