"""The one error of this layer."""

from __future__ import annotations

from polynya.errors import PolynyaError


class CryptoError(PolynyaError):
    """A key, ciphertext or length that cannot be used. It never says why in more detail than that."""

    code = "crypto"
