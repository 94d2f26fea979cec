"""What a run has found, as a table and a list."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.mutation.board import Verdict
from scripts.mutation.sites import Site

EQUIVALENT = Path(__file__).parent / "equivalent.toml"


def equivalents(language: str) -> dict[str, str]:
    """Sites whose absence nothing can show, with the reason."""
    found: dict[str, str] = tomllib.loads(EQUIVALENT.read_text("utf-8")).get(language, {})
    return found


def summary(language: str, sites: Sequence[Site], verdicts: Mapping[str, Verdict]) -> list[str]:
    """Prints the table; the names of the sites that survived without a reason, or with one that no longer holds."""
    rows: dict[tuple[str, str], list[int]] = {}
    wrong = []
    excused = equivalents(language)
    for site in sites:
        row = rows.setdefault((site.file.partition("/")[0], site.kind), [0, 0, 0])
        row[0] += 1
        verdict = verdicts.get(site.name)
        survived = verdict is None or verdict.killed is None
        if survived and site.name in excused:
            row[1] += 1
        elif survived:
            row[2] += 1
            wrong.append(site.name)
            print(f"survived: {site.name}  ({site.file}:{site.line}; {_reached(verdict)})")
        elif site.name in excused:
            wrong.append(site.name)
            print(f"no equivalent, take it off the list: {site.name}")
    print(f"\n{language}\n{'layer':10} {'kind':8} {'sites':>6} {'equivalent':>11} {'survived':>9}")
    for (layer, kind), (count, same, left) in sorted(rows.items()):
        print(f"{layer:10} {kind:8} {count:6} {same:11} {left:9}")
    totals = [sum(row[i] for row in rows.values()) for i in range(3)]
    print(f"{'all':19} {totals[0]:6} {totals[1]:11} {totals[2]:9}", flush=True)
    return wrong


def _reached(verdict: Verdict | None) -> str:
    if verdict is None or not verdict.reached:
        return "no test gets there"
    return f"{verdict.reached} tests pass"
