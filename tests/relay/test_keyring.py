"""Key configurations: made, listed, renewed, destroyed; and what requests under old ones get."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from polynya.carriers.base import CarrierError, CarrierProblem
from polynya.crypto.signature import public_key
from polynya.relay.errors import DataError
from polynya.relay.keyring import FOLDER, KeyRing
from polynya.relay.system import SystemRandom, now
from polynya.wire.keys import verify_key_configs
from polynya.wire.messages import KEY_CONFIG_LIFETIME, Done, Ping
from tests.relay.client import Client
from tests.support.relay import running_relay

SEED = bytes(range(32))
NOW = 1_790_000_000_000
DAY = 86_400_000


def ids(ring: KeyRing) -> list[int]:
    return [config.id for config in verify_key_configs(public_key(SEED), ring.signed).configs]


def test_a_key_lives_a_week_and_is_destroyed_after_two(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path, SEED, SystemRandom())
    assert ring.refresh(NOW)
    first = verify_key_configs(public_key(SEED), ring.signed).newest
    assert (first.not_before, first.not_after) == (NOW, NOW + KEY_CONFIG_LIFETIME)
    assert not ring.refresh(NOW + 4 * DAY)
    assert ring.refresh(NOW + 5 * DAY)
    assert ids(ring) == [1, 0]
    newest = verify_key_configs(public_key(SEED), ring.signed).newest
    assert newest.public_key != first.public_key
    ring.refresh(NOW + 8 * DAY)
    assert set(ring.private_keys) == {0, 1}
    ring.refresh(NOW + 10 * DAY)
    assert ids(ring) == [2, 1]
    assert set(ring.private_keys) == {0, 1, 2}
    ring.refresh(NOW + 14 * DAY)
    assert set(ring.private_keys) == {1, 2}
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == ["001.key", "002.key"]


def test_a_destroyed_key_is_overwritten_first(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path, SEED, SystemRandom())
    ring.refresh(NOW)
    path = tmp_path / FOLDER / "000.key"
    secret = path.read_bytes()
    os.link(path, tmp_path / "same-bytes")
    ring.refresh(NOW + 14 * DAY)
    assert (tmp_path / "same-bytes").read_bytes() == bytes(len(secret))


def test_keys_are_there_again_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path, SEED, SystemRandom())
    ring.refresh(NOW)
    again = KeyRing(tmp_path, SEED, SystemRandom())
    again.refresh(NOW + DAY)
    assert again.signed == ring.signed
    for path in (tmp_path / FOLDER).iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_long_pause_leaves_one_new_key(tmp_path: Path) -> None:
    KeyRing(tmp_path, SEED, SystemRandom()).refresh(NOW)
    ring = KeyRing(tmp_path, SEED, SystemRandom())
    ring.refresh(NOW + 100 * DAY)
    assert len(ring.private_keys) == 1
    assert verify_key_configs(public_key(SEED), ring.signed).newest.not_before == NOW + 100 * DAY


def test_a_clock_that_jumps_back_keeps_the_keys(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path, SEED, SystemRandom())
    ring.refresh(NOW)
    assert not ring.refresh(NOW - 100 * DAY)
    assert ids(ring) == [0]


@pytest.mark.parametrize("damage", [b"", b"short", bytes(41)])
def test_a_damaged_key_is_named(tmp_path: Path, damage: bytes) -> None:
    KeyRing(tmp_path, SEED, SystemRandom()).refresh(NOW)
    path = tmp_path / FOLDER / "000.key"
    path.write_bytes(damage)
    with pytest.raises(DataError, match=str(path)):
        KeyRing(tmp_path, SEED, SystemRandom())


async def test_requests_open_under_old_keys_until_these_are_destroyed(tmp_path: Path) -> None:
    offset = 0
    async with running_relay(tmp_path, clock=lambda: now() + offset) as running:
        client = Client(running.address, running.identity, clock=lambda: now() + offset)
        old = await client.keys()
        offset = 9 * DAY
        running.relay.refresh_keys()
        assert (await client.answer(Ping())).response == Done()
        assert (await client.keys()).id != old.id
        client.config = old
        offset = 14 * DAY
        running.relay.refresh_keys()
        with pytest.raises(CarrierError) as caught:
            await client.exchange(Ping())
        assert caught.value.problem is CarrierProblem.NOT_OPENED
        await client.close()
