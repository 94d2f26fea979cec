"""One group's life among members of every kind: who is in it, what reaches whom, and what must hold.

The seed decides every operation; the referees' keys are their own, so two runs agree in operations, not in bytes.
Each member has an inbox, which it works off at once unless it is away. Application messages may come at once,
late, or never.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from polynya.mls.credential import BasicCredential
from polynya.mls.tree import RatchetTree
from tests.referees import adversary
from tests.referees.cast import OURS, Cast, Plan
from tests.referees.member import Made, Member, RefusedError, View
from tests.referees.python import KEPT_EPOCHS, PythonMember
from tests.support.seeded import SeededRandom

GHOSTS = 10
"""Removed members who go on trying; the oldest gives up when another joins them."""


FORGED = 8
"""Percent of what one of ours receives that comes with a bit changed before it comes as it is."""


TAG = 33
"""Bytes: a length, and an HMAC of SHA-256."""


class LifeError(AssertionError):
    """Something did not hold: the seed, the plan and every operation up to there."""

    def __init__(self, seed: int, plan: str, log: Sequence[str], cause: BaseException) -> None:
        self.seed = seed
        lines = "\n".join(f"  {number}. {line}" for number, line in enumerate(log, 1))
        super().__init__(f"{type(cause).__name__}: {cause}\nseed {seed}, plan {plan}, operations:\n{lines}")


@dataclass(frozen=True, slots=True)
class Parcel:
    """Something for an inbox: a `kind` of "proposal", "commit" or "message"."""

    kind: str
    data: bytes
    epoch: int
    sender: str
    sender_identity: bytes = b""
    sender_leaf: int = -1
    text: bytes = b""
    removes: frozenset[str] = frozenset()


@dataclass(slots=True)
class Seat:
    """A member of the group since the epoch `since`, at `epoch` as far as it has read."""

    name: str
    member: Member
    epoch: int
    since: int
    away: bool = False
    inbox: deque[Parcel] = field(default_factory=deque)


@dataclass(slots=True)
class Ghost:
    name: str
    member: Member
    held: frozenset[bytes]


@dataclass(slots=True)
class Tally:
    """What was done, in numbers."""

    operations: int = 0
    epochs: int = 0
    messages: int = 0
    opened: int = 0
    refused: int = 0
    attacks: int = 0
    largest: int = 0

    def add(self, other: Tally) -> None:
        for name in ("operations", "epochs", "messages", "opened", "refused", "attacks"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.largest = max(self.largest, other.largest)


class Group:
    """The state of one life, and the steps of which operations are made."""

    def __init__(self, cast: Cast, plan: Plan, seed: int) -> None:
        self.cast = cast
        self.plan = plan.without(cast.missing)
        self.name = f"{plan.name}-{seed}"
        self.random = SeededRandom(f"life {plan.name} {seed}".encode())
        self.seats: dict[str, Seat] = {}
        self.ghosts: list[Ghost] = []
        self.views: dict[int, View] = {}
        self.leaves: dict[str, int] = {}
        self.epoch = 0
        self.late: list[tuple[str, Parcel]] = []
        self.last_message: Parcel | None = None
        self.opened_by: dict[bytes, set[str]] = {}
        self.tally = Tally()
        self.kinds: set[str] = set()
        """Those that had a part."""
        self._born = 0

    # ---- drawing

    def below(self, n: int) -> int:
        return self.random.below(n)

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def some(self, seats: Sequence[Seat], count: int) -> list[Seat]:
        """Up to `count` different ones."""
        rest = list(seats)
        return [rest.pop(self.below(len(rest))) for _ in range(min(count, len(rest)))]

    def newcomer(self, kinds: Sequence[str] | None = None) -> tuple[str, Member]:
        choice = kinds or self.plan.kinds
        kind = choice[self.below(len(choice))]
        self._born += 1
        self.kinds.add(kind)
        name = f"{kind}{self._born}"
        return name, self.cast.new(kind, self.plan, self.name, name)

    # ---- who is there

    def present(self) -> list[Seat]:
        return [seat for seat in self.seats.values() if not seat.away]

    def ours_present(self) -> list[Seat]:
        """At least one always: they tell everything of an epoch that others' views are compared with."""
        return [seat for seat in self.present() if seat.member.kind in OURS]

    def formats(self) -> frozenset[str]:
        """Formats of handshakes that everybody reads."""
        return frozenset({"public", "private"}).intersection(
            *(seat.member.abilities().reads for seat in self.seats.values())
        )

    # ---- beginning

    def found(self, member: Member, name: str) -> None:
        member.found(hashlib.sha256(self.name.encode()).digest()[:16])
        view = member.view()
        self.epoch = view.get("epoch", 0)
        self.views[self.epoch] = view
        self.seats[name] = Seat(name, member, self.epoch, self.epoch)
        self.leaves = {name: 0}
        self.tally.largest = 1

    # ---- delivery

    def post(self, parcel: Parcel) -> None:
        for seat in list(self.seats.values()):
            if seat.name != parcel.sender:
                seat.inbox.append(parcel)
                self.settle(seat)
        self.haunt(parcel)

    def settle(self, seat: Seat) -> None:
        """Works off the inbox of somebody who is present."""
        while not seat.away and seat.inbox and seat.name in self.seats:
            parcel = seat.inbox.popleft()
            if seat.member.kind in OURS and self.chance(FORGED):
                self.refuses_changed(seat, parcel)
            if parcel.kind == "proposal":
                seat.member.receive_proposal(parcel.data)
            elif parcel.kind == "message":
                self.opens_once(seat, parcel)
            else:
                self._follow(seat, parcel)

    def _follow(self, seat: Seat, parcel: Parcel) -> None:
        still_there = seat.member.apply(parcel.data)
        assert still_there == (seat.name not in parcel.removes), f"{seat.name} is told wrong who is removed"
        if still_there:
            self.arrived(seat, parcel.epoch + 1)
        else:
            self.bury(seat)

    def arrived(self, seat: Seat, epoch: int) -> None:
        seat.epoch = epoch
        self.agrees(seat)
        seat.member.forget_before(epoch - KEPT_EPOCHS)

    def bury(self, seat: Seat) -> None:
        """The member is out: it keeps what it has, and tries."""
        del self.seats[seat.name]
        held: frozenset[bytes] = frozenset()
        if isinstance(seat.member, PythonMember):
            group = seat.member.group
            assert group is not None and seat.member.removing is not None
            self.cannot_follow(seat.name, seat.member)
            held = adversary.public_keys_held(group)
        self.ghosts.append(Ghost(seat.name, seat.member, held))
        if len(self.ghosts) > GHOSTS:
            self.ghosts.pop(0).member.close()

    # ---- epochs

    def accept(
        self,
        winner: Seat,
        made: Made,
        removes: frozenset[str] = frozenset(),
        newcomers: Sequence[tuple[str, Member]] = (),
    ) -> None:
        """The commit becomes its epoch's: committer, members and newcomers enter the next one."""
        before, after = self.epoch, self.epoch + 1
        winner.member.merge()
        self.epoch = after
        self.arrived(winner, after)
        self.post(Parcel("commit", made.message, before, winner.name, removes=removes))
        for name, member in newcomers:
            join(member, made)
            self.seats[name] = seat = Seat(name, member, after, after)
            self.arrived(seat, after)
            self.cannot_read_the_past(seat)
        self.settled(removes)

    def settled(self, removes: frozenset[str]) -> None:
        """After everybody present has entered an epoch."""
        leaving = removes.union(*(parcel.removes for seat in self.seats.values() for parcel in seat.inbox))
        assert all(self.seats[name].away for name in leaving if name in self.seats)
        members = {seat.member.identity: name for name, seat in self.seats.items() if name not in leaving}
        tree = self.views[self.epoch]["tree"]
        self.leaves = {}
        for index, leaf in RatchetTree.decode(self.plan.suite, tree).leaves():
            assert isinstance(leaf.credential, BasicCredential)
            self.leaves[members.pop(leaf.credential.identity)] = index
        assert not members, f"not in the tree: {sorted(members.values())}"
        for ghost in self.ghosts:
            used = adversary.keys_still_used(ghost.held, self.plan.suite, tree)
            assert not used, f"{ghost.name} was removed and holds keys of the tree"
        self.tally.epochs += 1
        self.tally.largest = max(self.tally.largest, len(self.leaves))
        self.late = [(name, p) for name, p in self.late if name in self.leaves]
        for epoch in [e for e in self.views if e < min(seat.epoch for seat in self.seats.values())]:
            del self.views[epoch]

    # ---- what must hold

    def agrees(self, seat: Seat) -> None:
        """What the member tells of its epoch is what the others told."""
        known = self.views.setdefault(seat.epoch, {})
        for name, value in seat.member.view().items():
            assert known.setdefault(name, value) == value, f"{seat.name} sees another {name}"
        assert known.get("epoch", seat.epoch) == seat.epoch, f"{seat.name} is not at epoch {seat.epoch}"

    def opens_once(self, seat: Seat, parcel: Parcel) -> None:
        opened = seat.member.decrypt(parcel.data)
        if seat.member.abilities().listens:
            assert opened.data == parcel.text, f"{seat.name} reads something else"
        assert opened.sender in (None, parcel.sender_leaf), f"{seat.name} sees another sender"
        assert opened.identity in (None, parcel.sender_identity), f"{seat.name} sees another identity"
        self.opened_by.setdefault(parcel.data, set()).add(seat.name)
        self.tally.opened += 1
        self.refuses_message(seat.member, f"{seat.name} opens a message twice", parcel.data)

    def refuses_message(self, member: Member, wrong: str, message: bytes) -> None:
        try:
            member.decrypt(message)
        except RefusedError:
            self.tally.refused += 1
            return
        raise AssertionError(wrong)

    def refuses_commit(self, member: Member, wrong: str, message: bytes) -> None:
        try:
            still_there = member.apply(message)
        except RefusedError:
            self.tally.refused += 1
            return
        raise AssertionError(f"{wrong} (and believes to be {'in' if still_there else 'out'})")

    def refuses_proposal(self, member: Member, wrong: str, message: bytes) -> None:
        try:
            member.receive_proposal(message)
        except RefusedError:
            self.tally.refused += 1
            return
        raise AssertionError(wrong)

    def refuses_changed(self, seat: Seat, parcel: Parcel) -> None:
        """A changed message is refused, and leaves the member as it was: what is right comes next.

        The confirmation tag at the end of an external commit is under no signature, and whoever the commit removes
        cannot compute it (RFC 9420 sections 6.1 and 6.2)."""
        changed = bytearray(parcel.data)
        end = len(changed) - (TAG if seat.name in parcel.removes else 0)
        changed[self.below(end)] ^= 1 << self.below(8)
        wrong = f"{seat.name} takes a changed {parcel.kind}"
        if parcel.kind == "message":
            self.refuses_message(seat.member, wrong, bytes(changed))
        elif parcel.kind == "commit":
            self.refuses_commit(seat.member, wrong, bytes(changed))
        else:
            self.refuses_proposal(seat.member, wrong, bytes(changed))

    def haunt(self, parcel: Parcel) -> None:
        """Removed members open nothing that is sent after their removal."""
        for ghost in self.ghosts:
            if ghost.name in parcel.removes:
                continue
            self.tally.attacks += 1
            if parcel.kind == "commit":
                self.refuses_commit(ghost.member, f"{ghost.name} was removed and follows", parcel.data)
            elif parcel.kind == "message":
                self.refuses_message(ghost.member, f"{ghost.name} was removed and reads", parcel.data)

    def cannot_follow(self, name: str, member: PythonMember) -> None:
        assert member.group is not None and member.removing is not None
        self.tally.attacks += 1
        follows = adversary.follows_anyway(member.group, member.removing)
        assert not follows, f"{name} computes the epoch that its removal began"

    def cannot_read_the_past(self, seat: Seat) -> None:
        """A newcomer opens nothing that was sent before."""
        if self.last_message is not None:
            wrong = f"{seat.name} reads what was said before it came"
            self.refuses_message(seat.member, wrong, self.last_message.data)

    def close(self) -> None:
        for seat in self.seats.values():
            seat.member.close()
        for ghost in self.ghosts:
            ghost.member.close()


def join(member: Member, made: Made) -> None:
    """By whichever of the Welcomes is for this member."""
    refusals = []
    for welcome in made.welcomes:
        try:
            member.join(welcome, made.tree)
        except RefusedError as error:
            refusals.append(str(error))
        else:
            return
    raise AssertionError(f"a {member.kind} cannot join: {refusals}")
