"""A few checks, drawn by the state of the tree, switched off in turn: so that the runner cannot rot."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from scripts.mutation.board import Board, Verdict
from scripts.mutation.naming import files_by_rule
from scripts.mutation.report import equivalents
from scripts.mutation.sites import Site
from scripts.mutation.workers import judge_all


def draw(side: Any, language: str, tests: Sequence[str], count: int) -> tuple[str, list[Verdict]]:
    """(the seed, verdicts) of `count` checks that these tests reach."""
    board: Board = side.board(tests)
    record = side.record(board, tests)
    named = files_by_rule(language)
    excused = equivalents(language)

    def is_asserted(site: Site) -> bool:
        """Whether a test that gets there is in a file that names the rule: others may get there in passing."""
        return any(test.startswith(named.get(site.label, ("?",))) for test in record.reaching(site.name))

    sites = [site for site in side.sites(board, record) if site.kind == "raise" and site.name not in excused]
    asserted = sorted(site.name for site in sites if is_asserted(site))
    chosen = random.Random(board.state).sample(asserted, count)  # noqa: S311
    verdicts: list[Verdict] = []
    tasks = [(name, record.reaching(name)) for name in chosen]
    judge_all(side.runner(tests), tasks, record, verdicts.append)
    return board.state, verdicts
