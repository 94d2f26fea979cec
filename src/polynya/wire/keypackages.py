"""Key packages as the relay stores them: sealed (protocol.md section 2.6)."""

from __future__ import annotations

from polynya.crypto.random import Random
from polynya.wire import sealing
from polynya.wire.errors import WireError
from polynya.wire.messages import KEY_PACKAGE_MAX


def seal_key_package(package_key: bytes, owner: bytes, key_package: bytes, random: Random) -> bytes:
    """Raises WireError `key-package-size` for one that the relay would not store."""
    if len(key_package) + sealing.OVERHEAD > KEY_PACKAGE_MAX:
        raise WireError("key-package-size")
    return sealing.seal(package_key, owner, key_package, random)


def open_key_package(package_key: bytes, owner: bytes, sealed: bytes) -> bytes:
    """An encoded KeyPackage, not yet verified; raises WireError `key-package-open`."""
    return sealing.open_sealed(package_key, owner, sealed, "key-package-open")
