"""A burst fits, whatever the clock says: floating point does not refuse it."""

from __future__ import annotations

from polynya.relay.rates import Rate, Rates


def test_a_whole_burst_at_once() -> None:
    for thousandth in range(20_000):
        now = 8_123.0 + thousandth / 997
        assert Rate(1.0, 1_000).take(now, 1_000) == 0
        assert Rate(1.0, 1_000).take(now, 1_001) > 0
        rates = Rates(0.01, 1)
        assert rates.take(b"key", now) == 0
        assert rates.take(b"key", now) > 0
