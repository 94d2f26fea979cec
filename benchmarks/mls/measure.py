"""What is asked of each member in which order.

Every member has a life of its own in a group that begins from the same tree; the crowd plays all others, checks all
that the member makes, and compares the epochs at the end. Rounds of all members alternate, so that whatever else
the machine does disturbs all alike.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.mls.crowd import Crowd, lifetime
from benchmarks.mls.figures import (
    COMMIT,
    COMMIT_FRESH,
    DECRYPT,
    DECRYPT_ALL,
    DECRYPT_FIRST,
    ENCRYPT,
    ENCRYPT_FIRST,
    JOIN,
    PROCESS,
    PROCESS_FRESH,
    Figures,
    Place,
)
from benchmarks.mls.members import Answer, FailedError, LateError, Member
from polynya.client.system import SystemRandom, now
from polynya.mls.suite import suite_of

TEXT = 256
"""Bytes of an application message."""
FOLLOWING = 4
"""Messages of a sender after its first one in a round."""
CHUNK = 250
"""Messages handed over at once when all speak."""
AHEAD = 60 * 60 * 1000
"""ms. The crowd lives an hour ahead: key packages of mls-rs are valid from the second in which they are made."""
ROUNDS_LEAST = 3


@dataclass(frozen=True, slots=True)
class Effort:
    """How often at one size. `limit` in s for one answer, `budget` in s for a member's rounds."""

    rounds: int
    joins: int
    fresh: int
    limit: float = 60.0
    budget: float = 15.0


def effort_for(size: int) -> Effort:
    if size <= 32:
        return Effort(rounds=30, joins=10, fresh=5)
    if size <= 256:
        return Effort(rounds=20, joins=8, fresh=4)
    if size <= 1000:
        return Effort(rounds=15, joins=5, fresh=3)
    return Effort(rounds=8, joins=3, fresh=2, budget=25.0)


WARM_UP = Effort(rounds=15, joins=3, fresh=1)


class _Over(Exception):
    """The member cannot go on; why is noted."""


class Course:
    """One member's way through one size."""

    def __init__(self, member: Member, suite: int, size: int, effort: Effort, figures: Figures) -> None:
        self._member = member
        self._suite = suite
        self._size = size
        self._effort = effort
        self._figures = figures
        self._leaf = size // 3 if size > 2 else 1
        self._turn = 0
        self._crowd: Crowd | None = None
        self._spent = 0.0
        self._too_large = False
        """It could not even join just after the mass add."""
        self.rounds = 0

    def _record(self, operation: str, answer: Answer, start: int = 0, end: int | None = None) -> None:
        place = Place(self._suite, self._size, self._member.kind.key, operation)
        self._figures.add(place, answer.samples[start:end])

    def _ask(self, op: str, data: Sequence[bytes] = (b"",)) -> Answer:
        return self._member.ask(op, data, limit=self._effort.limit)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except LateError:
            text = f"not reached in {self._effort.limit:g} s"
            self._figures.note(self._suite, self._size, self._member.kind.key, text)
            raise _Over from None
        except FailedError as error:
            self._figures.note(self._suite, self._size, self._member.kind.key, str(error))
            raise _Over from None

    def _other(self) -> int:
        """A leaf of the crowd, each time another one, all over the tree."""
        while True:
            self._turn += 1
            leaf = self._turn * 0x9E37_79B1 % self._size
            if leaf != self._leaf:
                return leaf

    def _enter(self, crowd: Crowd) -> bytes:
        """Makes a member and has it admitted; returns the Welcome."""
        valid = lifetime(crowd.now)
        key_package = self._member.start(self._suite, b"measured", (valid.not_before, valid.not_after))
        return crowd.admit(self._leaf, key_package, self._other()).welcome

    def fresh(self, base: Crowd) -> None:
        """Commits just after the mass add."""
        with self._noting():
            crowd = base.copy()
            welcome = self._enter(crowd)
            for _ in range(self._effort.fresh):
                self._too_large = True
                self._ask("join", [welcome])
                self._too_large = False
                made = self._ask("commit")
                crowd.check(made.data[0])
                self._record(COMMIT_FRESH, made)
                after = crowd.copy()
                self._record(PROCESS_FRESH, self._ask("process", [after.commit(self._other())]))
                self._agree(after)

    def join(self, lived_in: Crowd) -> None:
        """Joins, and fills the blanks that taking somebody's place has left above."""
        if self._too_large:
            raise _Over
        with self._noting():
            crowd = self._crowd = lived_in.copy()
            self._record(JOIN, self._ask("join", [self._enter(crowd)] * self._effort.joins))
            self._ask("process", [crowd.commit(self._leaf ^ 1)])
            if crowd.recipients(self._leaf) != crowd.levels(self._leaf):
                raise AssertionError("the group is not as members' commits leave it")

    def round(self) -> bool:
        """One more of everything that members do every day; False: it has had its rounds."""
        done = self.rounds >= self._effort.rounds
        if done or (self._spent > self._effort.budget and self.rounds >= ROUNDS_LEAST):
            return False
        with self._noting():
            begun = time.monotonic()
            self._round(self._need())
            self._spent += time.monotonic() - begun
            self.rounds += 1
        return True

    def _need(self) -> Crowd:
        assert self._crowd is not None
        return self._crowd

    def _round(self, crowd: Crowd) -> None:
        made = self._ask("commit")
        crowd.check(made.data[0])
        self._record(COMMIT, made)
        committer = self._other()
        self._record(PROCESS, self._ask("process", [crowd.commit(committer)]))
        texts = [os.urandom(TEXT) for _ in range(1 + FOLLOWING)]
        sent = self._ask("encrypt", texts)
        if [crowd.hear(message) for message in sent.data] != texts:
            raise AssertionError(f"{self._member.kind.title} says something else than it was told")
        self._record(ENCRYPT_FIRST, sent, 0, 1)
        self._record(ENCRYPT, sent, 1)
        received = self._hear([crowd.say(committer, text) for text in texts], texts)
        self._record(DECRYPT_FIRST, received, 0, 1)
        self._record(DECRYPT, received, 1)

    def _hear(self, messages: Sequence[bytes], texts: Sequence[bytes]) -> Answer:
        received = self._ask("decrypt", messages)
        if list(received.data) != list(texts):
            raise AssertionError(f"{self._member.kind.title} hears something else than was said")
        return received

    def all_speak(self) -> None:
        """Everybody says something in one epoch; at the end the epochs must be the same."""
        with self._noting():
            crowd = self._need()
            self._ask("process", [crowd.commit(self._other())])
            leaves = [leaf for leaf in range(self._size) if leaf != self._leaf]
            begun = time.monotonic()
            for start in range(0, len(leaves), CHUNK):
                texts = [os.urandom(TEXT) for _ in leaves[start : start + CHUNK]]
                said = [
                    crowd.say(leaf, text)
                    for leaf, text in zip(leaves[start : start + CHUNK], texts, strict=True)
                ]
                self._hear(said, texts)
                if start + CHUNK >= len(leaves):
                    again = [os.urandom(TEXT) for _ in leaves[-1 - FOLLOWING :]]
                    more = [
                        crowd.say(leaf, text)
                        for leaf, text in zip(leaves[-1 - FOLLOWING :], again, strict=True)
                    ]
                    self._record(DECRYPT_ALL, self._hear(more, again))
                elif time.monotonic() - begun > self._effort.budget:
                    text = f"not all had spoken in {self._effort.budget:g} s"
                    self._figures.note(self._suite, self._size, self._member.kind.key, text)
                    break
            self._agree(crowd)

    def _agree(self, crowd: Crowd) -> None:
        if self._ask("export").data[0] != crowd.group.export("bench", b"", 32):
            raise AssertionError(f"{self._member.kind.title} has arrived at another epoch than the others")

    def close(self) -> None:
        self._ask("leave")


def run_size(
    members: Mapping[str, Member],
    suite: int,
    size: int,
    effort: Effort,
    figures: Figures,
    tell: Callable[[str], None],
) -> int:
    """All members at one size; returns to how many keys the commit after the mass add is encrypted."""
    tell(f"making a group of {size:,}")
    base = Crowd.gather(suite_of(suite), size, now=now() + AHEAD, random=SystemRandom())
    lived_in = base.lived_in()
    able = [member for member in members.values() if suite in member.kind.suites]
    courses = [Course(member, suite, size, effort, figures) for member in able]
    present = []
    for member, course in zip(able, courses, strict=True):
        tell(f"{size:,} leaves: {member.kind.title} joins")
        try:
            course.fresh(base)
        except _Over:
            tell(f"{size:,} leaves: {member.kind.title} is given up just after the mass add")
        try:
            course.join(lived_in)
        except _Over:
            continue
        present.append(course)
    going = list(present)
    while going:
        tell(f"{size:,} leaves: round {going[0].rounds + 1}")
        for course in list(going):
            try:
                if course.round():
                    continue
            except _Over:
                present.remove(course)
            going.remove(course)
    tell(f"{size:,} leaves: everybody speaks")
    for course in present:
        try:
            course.all_speak()
            course.close()
        except _Over:
            continue
    return base.recipients(size // 3 if size > 2 else 1)
