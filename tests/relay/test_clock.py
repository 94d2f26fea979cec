"""The relay's clock: follows corrections, and a jump only when it has lasted."""

from __future__ import annotations

from polynya.relay.clock import PATIENCE, STEP, SteadyClock

DAY = 86_400_000
NOW = 20_000 * DAY


class Computer:
    """Its wall clock can be set; its steady clock cannot."""

    def __init__(self) -> None:
        self.elapsed = 1_000_000
        self.shift = NOW

    def wall(self) -> int:
        return self.elapsed + self.shift

    def steady(self) -> int:
        return self.elapsed


def test_it_is_the_wall_clock_while_that_goes_on() -> None:
    computer = Computer()
    clock = SteadyClock(computer.wall, computer.steady)
    for _ in range(1_000):
        computer.elapsed += 977
        computer.shift += 3
        assert clock() == computer.wall()
    computer.shift += STEP
    assert clock() == computer.wall()


def test_a_small_step_back_makes_it_wait() -> None:
    computer = Computer()
    clock = SteadyClock(computer.wall, computer.steady)
    before = clock()
    computer.shift -= STEP
    computer.elapsed += 10
    assert clock() == before
    computer.elapsed += STEP
    assert clock() == computer.wall()


def test_a_jump_that_passes_is_never_seen() -> None:
    for jump in (3_650 * DAY, DAY, STEP + 1, -STEP - 1, -DAY, -3_650 * DAY):
        computer = Computer()
        clock = SteadyClock(computer.wall, computer.steady)
        right = computer.shift
        computer.shift += jump
        for _ in range(59):
            computer.elapsed += PATIENCE // 60
            assert clock() == computer.elapsed + right
        computer.shift = right
        computer.elapsed += PATIENCE
        assert clock() == computer.elapsed + right
        computer.shift += jump
        computer.elapsed += PATIENCE
        assert clock() == computer.elapsed + right, "the patience begins anew"


def test_a_jump_that_lasts_is_followed() -> None:
    for jump in (DAY, -DAY):
        computer = Computer()
        clock = SteadyClock(computer.wall, computer.steady)
        computer.shift += jump
        clock()
        computer.elapsed += PATIENCE - 1
        assert clock() == computer.wall() - jump
        computer.elapsed += 1
        assert clock() == computer.wall()


def test_a_clock_that_jumps_about_is_not_followed() -> None:
    computer = Computer()
    clock = SteadyClock(computer.wall, computer.steady)
    for index in range(1, 40):
        computer.elapsed += PATIENCE // 2
        computer.shift = NOW + index * DAY
        assert clock() == computer.elapsed + NOW
