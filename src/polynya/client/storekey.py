"""The store's master key: random, wrapped under a key from a passphrase or from a file beside the store.

Wrapping keeps a change of passphrase from touching any row.
"""

from __future__ import annotations

import hashlib
import os
import sys
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from polynya.client.errors import PassphraseNeeded, StoreDamaged, StoreError, StoreKeyMissing, WrongPassphrase
from polynya.crypto.aead import AES_256_GCM
from polynya.crypto.errors import CryptoError
from polynya.crypto.random import Random
from polynya.wire import cbor
from polynya.wire.errors import WireError

SCRYPT_LOG_N = 17
SCRYPT_R = 8
SCRYPT_P = 1
"""scrypt (RFC 7914) takes 128 x r x 2^17 = 128 MiB and ~0.4 s of one core: a guesser with 16 GiB of fast
memory makes some 300 guesses a second, so a passphrase of five words from a list of 7,776 (65 bits)
stands for billions of years."""

MOST_LOG_N = 20
"""A store that asks for more than 1 GiB of memory (128 x 8 x 2^20) is not one of ours."""

_LABEL = b"polynya store key 1"


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """What the store keeps. `salt` is empty where the key file wraps."""

    salt: bytes
    log_n: int
    r: int
    p: int
    sealed: bytes = field(repr=False)

    @property
    def by_passphrase(self) -> bool:
        return bool(self.salt)

    def encode(self) -> bytes:
        return cbor.encode([self.salt, self.log_n, self.r, self.p, self.sealed])

    @classmethod
    def decode(cls, data: bytes) -> WrappedKey:
        """Raises StoreDamaged."""
        try:
            value = cbor.decode(data)
        except WireError as error:
            raise damaged("its key record cannot be read") from error
        match value:
            case [bytes(salt), int(log_n), int(r), int(p), bytes(sealed)] if (
                len(salt) in (0, 16) and log_n <= MOST_LOG_N and r <= 16 and p <= 16 and len(sealed) == 60
            ):
                return cls(salt, log_n, r, p, sealed)
        raise damaged("its key record is not of a known form")


def damaged(what: str) -> StoreDamaged:
    return StoreDamaged(
        f"The store is damaged: {what}. Nothing was changed. Restore the folder from a copy, or "
        f"start a new store."
    )


def _from_passphrase(passphrase: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    # Keyboards differ in how they compose an accented letter; NFC makes the same word the same key.
    secret = unicodedata.normalize("NFC", passphrase).encode()
    n = 1 << log_n
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=128 * r * (n + p + 2), dklen=32)


def _aad(wrapped: WrappedKey) -> bytes:
    return _LABEL + cbor.encode([wrapped.salt, wrapped.log_n, wrapped.r, wrapped.p])


def wrap(master: bytes, *, passphrase: str | None, key_file: Path, random: Random) -> WrappedKey:
    """Wraps `master` under the passphrase, or, without one, under the key file, which is made if need be."""
    if passphrase is not None:
        if not passphrase:
            raise StoreError("The passphrase is empty. Choose one, or give none at all to use a key file.")
        empty = WrappedKey(random.bytes(16), SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P, b"")
        key = _from_passphrase(passphrase, empty.salt, empty.log_n, empty.r, empty.p)
    else:
        empty = WrappedKey(b"", 0, 0, 0, b"")
        key = read_key_file(key_file) if key_file.exists() else make_key_file(key_file, random)
    nonce = random.bytes(12)
    sealed = nonce + AES_256_GCM.seal(key, nonce, _aad(empty), master)
    return WrappedKey(empty.salt, empty.log_n, empty.r, empty.p, sealed)


def unwrap(wrapped: WrappedKey, *, passphrase: str | None, key_file: Path) -> bytes:
    """The master key; raises PassphraseNeeded, WrongPassphrase, StoreKeyMissing or StoreDamaged."""
    if wrapped.by_passphrase:
        if passphrase is None:
            raise PassphraseNeeded(
                f"The store {key_file.parent} is sealed with a passphrase. Set POLYNYA_PASSPHRASE "
                f"or type it when asked."
            )
        key = _from_passphrase(passphrase, wrapped.salt, wrapped.log_n, wrapped.r, wrapped.p)
    else:
        key = read_key_file(key_file)
    try:
        return AES_256_GCM.open(key, wrapped.sealed[:12], _aad(wrapped), wrapped.sealed[12:])
    except CryptoError as error:
        if wrapped.by_passphrase:
            raise WrongPassphrase(
                "The passphrase does not open this store. Nothing was changed; try again."
            ) from error
        raise StoreKeyMissing(
            f"The key file {key_file} belongs to another store. Put back the one that was made with "
            f"this store."
        ) from error


def make_key_file(path: Path, random: Random) -> bytes:
    """Writes 32 random bytes for this user's eyes alone, durably, before anything is sealed with them."""
    key = random.bytes(32)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, key)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreError(f"The key file {path} cannot be written: {error.strerror}.") from error
    return key


def read_key_file(path: Path) -> bytes:
    """The 32 bytes; raises StoreKeyMissing where it is absent, of another size, or readable by other
    users."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(33)
    except FileNotFoundError as error:
        raise StoreKeyMissing(
            f"The key file {path} is missing. The store cannot be opened without it."
        ) from error
    except OSError as error:
        raise StoreKeyMissing(f"The key file {path} cannot be read: {error.strerror}.") from error
    check_key_file_private(path, mode)
    if len(key) != 32:
        raise StoreKeyMissing(
            f"The key file {path} is not whole. Put back the one that was made with this store."
        )
    return key


def check_key_file_private(path: Path, mode: int) -> None:
    """Other users of the machine must not read it; Windows says who may by other means."""
    if sys.platform != "win32" and mode & 0o077:
        raise StoreKeyMissing(f"Other users can read the key file {path}. Run: chmod 600 {path}")
