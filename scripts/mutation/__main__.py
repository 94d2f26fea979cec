"""`python -m scripts.mutation`: switches off each check in turn; ends with 1 if any is missed by all tests.

What was judged is kept in `build/mutation/` for this state of the tree, so that a run which was interrupted goes on.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from scripts.mutation import python, typescript
from scripts.mutation.board import Board, Verdict
from scripts.mutation.naming import files_by_rule, unproven
from scripts.mutation.report import summary
from scripts.mutation.workers import judge_all


def run(language: str, only: str, fresh: bool) -> list[str]:
    """The names of the sites that survived."""
    side: Any = {"python": python, "typescript": typescript}[language]
    board: Board = side.board()
    if fresh:
        board.forget()
    record = side.record(board)
    sites = [site for site in side.sites(board, record) if only in site.name]
    known = board.verdicts()
    waiting = [site for site in sites if site.name not in known]
    print(f"{language}: {len(sites)} sites, {len(waiting)} to judge", flush=True)
    named = files_by_rule(language)
    tasks = [(site.name, record.reaching(site.name, named.get(site.label, ()))) for site in waiting]
    judge_all(side.runner(), tasks, record, _noting(board))
    verdicts = board.verdicts()
    wrong = summary(language, sites, verdicts)
    for rule in unproven(language, sites, verdicts):
        print(f"missed, but by no test of a file that names it: {rule}")
        wrong.append(rule)
    return wrong


def _noting(board: Board) -> Callable[[Verdict], None]:
    begun, count = time.monotonic(), 0

    def note(verdict: Verdict) -> None:
        nonlocal count
        count += 1
        board.add(verdict)
        if count % 50 == 0:
            print(f"  {count} judged after {time.monotonic() - begun:.0f} s", flush=True)

    return note


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.mutation", description=__doc__)
    parser.add_argument(
        "languages", nargs="*", metavar="LANGUAGE", help="python, typescript; both if none is named"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="sites whose name holds this text")
    parser.add_argument("--fresh", action="store_true", help="forget what was judged before")
    options = parser.parse_args(arguments)
    languages = options.languages or ["python", "typescript"]
    survivors = [name for language in languages for name in run(language, options.only, options.fresh)]
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
