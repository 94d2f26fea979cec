"""The relay's key configurations (protocol.md section 2.1): made, signed, rotated, and destroyed in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from polynya.crypto.errors import CryptoError
from polynya.crypto.kem import PrivateKey
from polynya.crypto.random import Random
from polynya.crypto.xwing import XWING
from polynya.relay.errors import DataError
from polynya.relay.files import destroy, write_private
from polynya.wire.keys import sign_key_configs
from polynya.wire.messages import KEY_CONFIG_LIFETIME, KeyConfig

FOLDER = "keys"
RENEWED_AFTER = KEY_CONFIG_LIFETIME * 2 // 3
"""ms after `not_before`: clients have the rest of the week to learn of the new key."""
DESTROYED_AFTER = 2 * KEY_CONFIG_LIFETIME
LISTED = 4
"""Most configurations in a list."""
TIME_SIZE = 8


@dataclass(frozen=True, slots=True)
class _Key:
    id: int
    not_before: int
    private: PrivateKey = field(repr=False)

    def config(self) -> KeyConfig:
        return KeyConfig(
            self.id, XWING.id, self.private.public_key, self.not_before, self.not_before + KEY_CONFIG_LIFETIME
        )


class KeyRing:
    """`refresh` is called at start and at least once an hour."""

    def __init__(self, data: Path, seed: bytes, random: Random) -> None:
        """Raises DataError for files that hold no key."""
        self._folder = data / FOLDER
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._seed = seed
        self._random = random
        self._keys = {key.id: key for key in map(_read, sorted(self._folder.glob("*.key")))}
        self._signed = b""

    @property
    def private_keys(self) -> Mapping[int, PrivateKey]:
        """By key id, those of configurations that are over but not yet destroyed included."""
        return {key.id: key.private for key in self._keys.values()}

    @property
    def signed(self) -> bytes:
        """What GET <path>/keys answers."""
        return self._signed

    def refresh(self, now: int) -> bool:
        """Destroys and makes keys as `now` demands; whether anything changed. Raises OSError where the disk
        fails."""
        over = [key for key in self._keys.values() if now >= key.not_before + DESTROYED_AFTER]
        for key in over:
            destroy(self._path(key.id))
            del self._keys[key.id]
        newest = max((key.not_before for key in self._keys.values()), default=None)
        is_due = newest is None or now >= newest + RENEWED_AFTER
        if is_due:
            self._make(now)
        if is_due or over or not self._signed:
            self._signed = sign_key_configs(self._seed, self._listed(now))
        return is_due or bool(over)

    def _make(self, now: int) -> None:
        last = max(self._keys.values(), key=lambda key: key.not_before, default=None)
        id_ = 0 if last is None else (last.id + 1) % 256
        while id_ in self._keys:
            id_ = (id_ + 1) % 256
        seed, _ = XWING.generate(self._random)
        write_private(self._path(id_), now.to_bytes(TIME_SIZE, "big") + seed)
        self._keys[id_] = _Key(id_, now, XWING.load(seed))

    def _listed(self, now: int) -> list[KeyConfig]:
        configs = sorted((key.config() for key in self._keys.values()), key=lambda config: -config.not_before)
        return [config for config in configs if config.not_after > now][:LISTED]

    def _path(self, id_: int) -> Path:
        return self._folder / f"{id_:03}.key"


def _read(path: Path) -> _Key:
    try:
        data = path.read_bytes()
        return _Key(int(path.stem), int.from_bytes(data[:TIME_SIZE], "big"), XWING.load(data[TIME_SIZE:]))
    except (CryptoError, ValueError):
        raise DataError(f"{path} is damaged. Move it away: the relay then makes a new key.") from None
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}). The relay's user must be able to."
        ) from None
