"""The benchmark of MLS in small: every member takes part, nothing is given up, and the tables are whole."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from benchmarks.document import PERFORMANCE, put
from benchmarks.mls import growth, report, storing
from benchmarks.mls.__main__ import SECTION, document, members, versions
from benchmarks.mls.figures import Figures, Place
from benchmarks.mls.measure import Effort, run_size
from benchmarks.mls.members import KINDS, X25519, X_WING, FailedError, LateError, missing, program
from benchmarks.mls.tables import Table, milliseconds, ratio

SIZES = (2, 8)
LITTLE = Effort(rounds=2, joins=1, fresh=1)
KEYS = tuple(kind.key for kind in KINDS if kind.key != "chromium" and kind.key not in missing())


def silent(text: str) -> None:
    pass


@pytest.fixture(scope="module")
def measured() -> tuple[Figures, dict[tuple[int, int], int], str]:
    figures, recipients = Figures(), {}
    with members(KEYS) as present:
        software = versions(present)
        for size in SIZES:
            recipients[X25519, size] = run_size(present, X25519, size, LITTLE, figures, silent)
        recipients[X_WING, 2] = run_size(present, X_WING, 2, LITTLE, figures, silent)
    return figures, recipients, software


def test_all_members_do_everything(measured: tuple[Figures, dict[tuple[int, int], int], str]) -> None:
    figures, recipients, software = measured
    assert figures.notes == {}
    operations = (*report.OPERATIONS, *report.MORE, *report.FRESH)
    wanted = {(X25519, size, key) for size in SIZES for key in KEYS} | {
        (X_WING, 2, key) for key in ("python", "node")
    }
    for suite, size, key in wanted:
        for operation in operations:
            place = Place(suite, size, key, operation)
            assert (figures.wall(place) or 0) > 0, place
            assert figures.cpu(place) is not None, place
    assert figures.count(Place(X25519, 8, "python", report.OPERATIONS[0])) == LITTLE.rounds
    assert recipients == {(X25519, 2): 1, (X25519, 8): 6, (X_WING, 2): 1}
    assert "ts-mls 1.6.4" in software and "Node" in software


def test_a_device_saves_messages(measured: tuple[Figures, dict[tuple[int, int], int], str]) -> None:
    figures, recipients, software = measured
    kept = [storing.measure(suite, 8, silent, times=3) for suite in (X25519, X_WING)]
    for each in kept:
        assert 0 < each.rows[storing.NOBODY] < each.rows[storing.EVERYBODY] < each.file[storing.EVERYBODY]
        savings = (*each.received.values(), *each.sent.values())
        assert len(savings) == 4
        assert all(saving.rows >= 2 and saving.written > 0 < saving.least for saving in savings)
    assert kept[1].rows[storing.NOBODY] > kept[0].rows[storing.NOBODY]
    tables = report.tables(figures, recipients, kept)
    text = "\n".join(table.text() for table in tables)
    page = document(software, 60, ("0.1", "2.0"), tables)
    for title in ("Path commit, suite 0x0001", "Join by a Welcome, suite X-Wing", "Saving after one message"):
        assert title in text and f"**{title}" in page
    assert all(len(row) == len(table.header) for table in tables for row in table.rows)
    assert all(all(table.header) for table in tables)


def test_the_document_has_room_for_the_section(tmp_path: Path) -> None:
    copy = tmp_path / "performance.md"
    copy.write_text(PERFORMANCE.read_text("utf-8"), "utf-8")
    put(SECTION, "first", copy)
    put(SECTION, "second", copy)
    text = copy.read_text("utf-8")
    assert "second" in text and "first\n" not in text
    assert text.startswith("# Performance") and "### What grows with the group" in text
    with pytest.raises(ValueError, match="no section"):
        put("nothing of the kind", "content", copy)


def test_a_late_member_begins_anew() -> None:
    member = program("node")
    try:
        with pytest.raises(LateError):
            member.ask("start", suite=X25519, identity="00", lifetime=[0, 2**33], limit=0)
        assert member.ask("about").data[0].startswith(b"Node ")
    finally:
        member.close()


@pytest.mark.parametrize("key", ["node", "python"])
def test_what_fails_is_told(key: str) -> None:
    member = program(key)
    try:
        with pytest.raises(FailedError, match="suite"):
            member.start(0x0ABC, b"somebody", (0, 2**33))
        member.start(X25519, b"somebody", (0, 2**33))
        with pytest.raises(FailedError, match="join"):
            member.ask("join", [os.urandom(100)])
    finally:
        member.close()


def test_growth_is_told_apart() -> None:
    sizes = (32, 256, 1000, 5000)
    logarithmic = {size: 1 + 2 * math.log2(size) for size in sizes}
    linear = {size: 3 + size / 100 for size in sizes}
    both = {size: 2 * math.log2(size) + size / 100 for size in sizes}
    assert growth.explained(logarithmic, math.log2) == pytest.approx(1)
    assert growth.explained(linear, float) == pytest.approx(1)
    assert growth.explained(logarithmic, float) < 0.9 > growth.explained(linear, math.log2)
    assert growth.linear_share(logarithmic, 5000) == pytest.approx(0, abs=1e-6)
    assert growth.linear_share(linear, 5000) == pytest.approx(50 / 53)
    assert growth.linear_share(both, 5000) == pytest.approx(50 / (50 + 2 * math.log2(5000)))


def test_targets_are_judged() -> None:
    from benchmarks.mls.members import Sample

    figures = Figures()
    assert "not measured" in report.verdict(figures, [])
    place = Place(X25519, report.TARGET_SIZE, "python", report.OPERATIONS[0])
    figures.add(place, [Sample(9.0, 9.0)])
    assert report.verdict(figures, []) == "All targets are kept."
    figures.add(place, [Sample(30.0, 9.0), Sample(40.0, 9.0)])
    assert "Python, path commit: 30.0 ms instead of 10" in report.verdict(figures, [])
    row = report.target_table(figures).rows[0]
    assert row[-1] == "NO" and row[3] == "30.0" and row[4] == "9.00"


def test_numbers_are_readable() -> None:
    assert [milliseconds(value) for value in (None, 0.123, 9.876, 12.34, 1234.5)] == [
        "-",
        "0.12",
        "9.88",
        "12.3",
        "1,234",
    ]
    assert [ratio(*pair) for pair in ((1.0, 4.0), (4.0, 1.0), (None, 1.0), (1.0, None))] == [
        "0.25",
        "4.0",
        "-",
        "-",
    ]
    table = Table("A title", ["leaves", "a"], [["2", "10.0"], ["1,000", "9.0"]], ["A note."])
    assert table.text().splitlines() == [
        "A title",
        "",
        "  leaves     a",
        "  ------  ----",
        "  2       10.0",
        "  1,000    9.0",
        "  A note.",
    ]
    assert "| 1,000 | 9.0 |" in table.markdown()
