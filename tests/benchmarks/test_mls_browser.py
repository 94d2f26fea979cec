"""The benchmark's member in Chromium."""

from __future__ import annotations

import pytest

from benchmarks.mls.browser import Browser
from benchmarks.mls.figures import Figures, Place
from benchmarks.mls.measure import Effort, run_size
from benchmarks.mls.members import X25519, X_WING, LateError
from benchmarks.mls.report import FRESH, MORE, OPERATIONS

pytestmark = pytest.mark.browser

LITTLE = Effort(rounds=2, joins=1, fresh=1)


def test_a_page_takes_part() -> None:
    browser = Browser()
    try:
        figures = Figures()
        for suite, size in ((X25519, 8), (X_WING, 2)):
            run_size({"chromium": browser}, suite, size, LITTLE, figures, lambda _: None)
            for operation in (*OPERATIONS, *MORE, *FRESH):
                place = Place(suite, size, "chromium", operation)
                assert (figures.wall(place) or 0) > 0, place
                assert figures.cpu(place) is None
        assert figures.notes == {}
        with pytest.raises(LateError):
            browser.ask("start", [b""] * 500, suite=X25519, identity="00", lifetime=[0, 2**33], limit=0.05)
        assert browser.ask("about").data[0].startswith(b"Chromium ")
    finally:
        browser.close()
