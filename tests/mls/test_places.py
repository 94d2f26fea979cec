"""Places beside a plain dict, whatever is done to both."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from polynya.mls.places import BITS, Place, Places

places = st.tuples(st.integers(0, 5 << BITS), st.integers(0, 1))
drawn = st.dictionaries(places, st.integers(0, 3), max_size=8)


class Value:
    """Equal to no other, and the same as itself."""


def values(some: dict[Place, int]) -> dict[Place, Value]:
    return {place: Value() for place in some}


@given(drawn, st.lists(drawn, max_size=6))
def test_each_version_holds_what_a_dict_would(first: dict[Place, int], steps: list[dict[Place, int]]) -> None:
    model: dict[Place, Value] = values(first)
    versions = [(Places(model), dict(model))]
    for step in steps:
        changed = values(step)
        model.update(changed)
        versions.append((versions[-1][0].replaced(changed), dict(model)))
    for found, wanted in versions:
        assert dict(found) == wanted == dict(Places(wanted))
        assert found == Places(wanted)
        assert len(found) == len(wanted)
        assert all(place in found for place in wanted)
        assert (99_999, 0) not in found and found.get((99_999, 0)) is None
    for found, wanted in versions:
        for before, held in versions:
            told = list(found.changes(before))
            assert len(told) == len(set(told))
            assert set(told) == {
                place for place in {**wanted, **held} if wanted.get(place) is not held.get(place)
            }


@given(drawn, drawn)
def test_what_was_not_made_of_one_another_is_told_apart_too(
    some: dict[Place, int], others: dict[Place, int]
) -> None:
    told = Places(some).changes(Places(others))
    assert set(told) == {place for place in {**some, **others} if some.get(place) != others.get(place)}


def test_what_is_as_before_is_shared_and_not_looked_at() -> None:
    before: Places[Value] = Places(values({(leaf, kind): 0 for leaf in range(1_000) for kind in (0, 1)}))
    after = before.replaced({(500, 1): Value()})
    shared = [number for number, block in after._blocks.items() if block is before._blocks[number]]
    assert len(shared) == len(after._blocks) - 1
    assert list(after.changes(before)) == [(500, 1)]
