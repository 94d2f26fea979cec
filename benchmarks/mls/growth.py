"""How a time grows with the size of a group: fits of few points, without a library."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

Points = Mapping[int, float]
"""ms by number of leaves."""


def _solve(matrix: list[list[float]], right: list[float]) -> list[float] | None:
    """Gauss; None where there is no one solution."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        if abs(rows[pivot][column]) < 1e-12:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for other in range(size):
            if other != column:
                factor = rows[other][column] / rows[column][column]
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[column], strict=True)]
    return [rows[place][size] / rows[place][place] for place in range(size)]


def _least_squares(basis: Sequence[Sequence[float]], values: Sequence[float]) -> list[float] | None:
    matrix = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in basis] for x in basis]
    right = [sum(a * value for a, value in zip(x, values, strict=True)) for x in basis]
    return _solve(matrix, right)


def explained(points: Points, by: Callable[[int], float]) -> float:
    """R^2 of the best a + b * by(n): 1.0 is a perfect fit. Needs two different points."""
    sizes, times = list(points), list(points.values())
    mean = sum(times) / len(times)
    spread = sum((time - mean) ** 2 for time in times)
    found = _least_squares([[1.0] * len(sizes), [by(size) for size in sizes]], times)
    if found is None or spread == 0:
        return 0.0
    left = sum((time - found[0] - found[1] * by(size)) ** 2 for size, time in points.items())
    return 1 - left / spread


def linear_share(points: Points, at: int) -> float:
    """Of the time at `at` leaves the share of c * n, in the best a + b * log2(n) + c * n without negative terms, by
    relative errors."""
    sizes = list(points)
    terms: list[Callable[[int], float]] = [lambda _: 1.0, math.log2, float]
    best: tuple[float, list[float]] | None = None
    for chosen in itertools.chain.from_iterable(
        itertools.combinations(range(len(terms)), count) for count in (1, 2, 3)
    ):
        basis = [[terms[term](size) / points[size] for size in sizes] for term in chosen]
        found = _least_squares(basis, [1.0] * len(sizes))
        if found is None or min(found) < 0:
            continue
        weights = [0.0] * len(terms)
        for term, weight in zip(chosen, found, strict=True):
            weights[term] = weight
        error = sum(
            (1 - sum(w * term(size) for w, term in zip(weights, terms, strict=True)) / points[size]) ** 2
            for size in sizes
        )
        # A term more must earn its place.
        if best is None or error < best[0] * 0.99:
            best = (error, weights)
    if best is None:
        return 0.0
    whole = sum(weight * term(at) for weight, term in zip(best[1], terms, strict=True))
    return best[1][2] * at / whole
