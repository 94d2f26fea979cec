"""What a stranger can tell apart, by the probe's name, and why it stays so. `spec/threat-model.md` says the same."""

from __future__ import annotations

KNOWN = {
    "hello for a bad name": "Python's `ssl` cannot acknowledge a name that is not ASCII: the handshake is refused",
    "bad chunk": "the error in the body is found by another parser, after the answer has begun",
}
KNOWN_PLAIN = {
    "bare bytes, not UTF-8": "plain HTTP sends on to an escaped address, which a browser makes of it anyway",
    "bad chunk": KNOWN["bad chunk"],
}
"""On the port for plain HTTP beside https."""
