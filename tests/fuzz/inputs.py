"""The stream of inputs: the same seed and place in it give the same input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from polynya.mls.codec import decode
from polynya.mls.commit import UpdatePath, read_update_path
from polynya.mls.errors import MlsError
from polynya.mls.leaf import LeafNode, read_leaf
from polynya.mls.proposal import Proposal, Remove, encode_proposal, read_proposal
from tests.fuzz import scenes, seeds
from tests.fuzz.hostile import Seed
from tests.fuzz.mutate import Mutator
from tests.fuzz.seeds import Corpus
from tests.fuzz.targets import BY_NAME, Input
from tests.mls import parties
from tests.support.seeded import SeededRandom

SCENES = (0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4, 4, 5)
"""How often each: X-Wing's keys are forty times as long, and an ended group has little to say."""

SOUP = 4
"""In a hundred: commits made anew, with a tag that is right, of whatever proposals."""

BATCH = 512


class Source:
    """Inputs of one seed. `targets`: only those."""

    def __init__(self, seed: str, targets: Sequence[str] | None = None) -> None:
        self.seed = seed
        self.targets = frozenset(targets if targets is not None else BY_NAME)
        self._seeds: dict[int, list[Seed]] = {
            number: [s for s in seeds.corpus(number) if self.targets & set(s.targets)]
            for number in set(SCENES)
        }
        if not any(self._seeds.values()):
            raise ValueError(f"no seed is for any of {sorted(self.targets)}")
        self._soup = "apply-commit" in self.targets

    def batch(self, number: int) -> list[Input]:
        """The inputs of that batch."""
        mutator = Mutator(SeededRandom(f"{self.seed}/{number}".encode()), seeds.pool())
        return [self._one(mutator) for _ in range(BATCH)]

    def __iter__(self) -> Iterator[Input]:
        number = 0
        while True:
            yield from self.batch(number)
            number += 1

    def _one(self, mutator: Mutator) -> Input:
        while True:
            number = mutator.one(SCENES)
            if self._soup and scenes.NAMES[number] != "last" and mutator.chance(SOUP):
                made = soup(number, mutator)
                if made is not None:
                    return Input("apply-commit", number, made)
            if self._seeds[number]:
                return self.from_seed(mutator.one(self._seeds[number]), number, mutator)

    def seeds_of(self, scene: int) -> list[Seed]:
        return self._seeds[scene]

    def from_seed(self, seed: Seed, number: int, mutator: Mutator) -> Input:
        """A mutation of a seed, for one of its targets."""
        data = seed.data if mutator.chance(1) else mutator.mutate(seed.data, seed.read, seed.shape)
        wanted = [name for name in seed.targets if name in self.targets]
        return Input(mutator.one(wanted), number, seed.finish(data, mutator))


_corpora: dict[int, Corpus] = {}


def soup(number: int, mutator: Mutator) -> bytes | None:
    """A commit of the hostile member with a valid confirmation tag: its proposals, path and leaf are what mutation
    made of good ones. None where not even our own code with its checks off makes a commit of them."""
    corpus = _corpora.get(number)
    if corpus is None:
        corpus = _corpora[number] = Corpus(scenes.scene(number))
    known = _proposals(number)
    by_value: list[Proposal] = []
    for _ in range(mutator.random.below(4)):
        data = mutator.one(known)
        if mutator.chance(40):
            data = mutator.mutate(data, read_proposal, times=1)
        places = corpus.state.tree.leaf_count
        try:
            value = decode(read_proposal, data)
        except MlsError:
            value = Remove(mutator.random.below(places))
        if isinstance(value, Remove):
            # Code without its checks never comes to the end of a path from outside the tree.
            place = value.removed % places
            value = Remove(corpus.scene.victim if place == corpus.scene.hostile else place)
        by_value.append(value)
    leaf_too, path_too = mutator.chance(25), mutator.chance(25)

    def change_leaf(leaf: LeafNode) -> LeafNode:
        try:
            changed: LeafNode = decode(
                read_leaf,
                corpus.hostile.leaf(
                    mutator.mutate(leaf.encode(), read_leaf, times=1),
                    corpus.state.signature_private,
                    corpus.scene.hostile,
                ),
            )
        except MlsError:
            return leaf
        return changed

    def change_path(path: UpdatePath) -> UpdatePath:
        try:
            return decode(read_update_path, mutator.mutate(path.encode(), read_update_path, times=1))
        except MlsError:
            return path

    try:
        return parties.forge(
            corpus.member,
            by_value,
            mutator.random,
            path=mutator.one((None, None, True, False)),
            change_leaf=change_leaf if leaf_too else None,
            change_path=change_path if path_too else None,
        )
    except (MlsError, IndexError, KeyError):
        return None  # no such leaf, or no such key, to make it with


_encoded: dict[int, tuple[bytes, ...]] = {}


def _proposals(number: int) -> tuple[bytes, ...]:
    if number not in _encoded:
        found = [encode_proposal(value) for name, value in _corpora[number].proposals() if name != "update"]
        found += [encode_proposal(Remove(leaf)) for leaf in scenes.scene(number).groups]
        _encoded[number] = tuple(found)
    return _encoded[number]
