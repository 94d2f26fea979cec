"""Random operations on one group, drawn from a seed: the engine's driver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from polynya.mls.extensions import Extension
from tests.referees.cast import OURS, Cast, Plan
from tests.referees.engine import Group, LifeError, Parcel, Seat, Tally
from tests.referees.member import EXTENSION, Made, Member, RefusedError, Wish
from tests.referees.python import KEPT_EPOCHS

SIZES = ((55, 2, 6), (25, 7, 12), (14, 13, 24), (6, 25, 64))
"""Percent of lives, and between how many members they have at most."""

WEIGHTS = {
    "talk": 24,
    "late": 8,
    "update": 10,
    "remove": 8,
    "replace": 4,
    "propose": 10,
    "race": 9,
    "enter": 6,
    "return": 4,
    "reload": 7,
    "leave": 5,
    "come back": 5,
    "special": 8,
}


@dataclass(frozen=True, slots=True)
class Intent:
    """A wish by names, which outlives an epoch: leaves and newcomers as they are when it is committed."""

    adds: tuple[tuple[str, Member, bytes], ...] = ()
    removes: tuple[str, ...] = ()

    def words(self) -> str:
        parts = [f"adding {', '.join(name for name, _, _ in self.adds)}"] if self.adds else []
        parts += [f"removing {', '.join(self.removes)}"] if self.removes else []
        return " and ".join(parts) or "updating"


class Life(Group):
    """`run` lives it; raises LifeError."""

    def __init__(self, cast: Cast, plan: Plan, seed: int) -> None:
        super().__init__(cast, plan, seed)
        self.seed = seed
        self.log: list[str] = []
        self.target = self._draw_size()
        self._operations: dict[str, Callable[[], str | None]] = {
            "talk": self.talk,
            "late": self.deliver_late,
            "add": self.add,
            "update": self.update,
            "remove": self.remove,
            "replace": self.replace,
            "propose": self.propose,
            "race": self.race,
            "enter": self.enter,
            "return": self.come_again,
            "reload": self.reload,
            "leave": self.go_away,
            "come back": self.come_back,
            "special": self.special,
        }

    def _draw_size(self) -> int:
        percent = self.below(100)
        for share, low, high in SIZES:
            if percent < share:
                return low + self.below(high - low + 1)
            percent -= share
        raise AssertionError("the shares are not 100 percent")

    def run(self, operations: int) -> Tally:
        try:
            self._begin()
            done = 0
            while done < operations:
                if done == operations // 2:
                    self.target = max(2, self._draw_size() // 2)
                name = self._draw_operation()
                self.log.append(f"{name} ...")
                said = self._operations[name]()
                if said is None:
                    self.log.pop()
                    continue
                self.log[-1] = f"epoch {self.epoch}: {said}"
                done += 1
                self.tally.operations = done
            for seat in list(self.seats.values()):
                seat.away = False
                self.settle(seat)
        except Exception as error:
            raise LifeError(self.seed, self.plan.name, self.log, error) from error
        finally:
            self.close()
        return self.tally

    def _begin(self) -> None:
        name, founder = self.newcomer(self.plan.founders())
        self.log.append(f"{name} founds")
        self.found(founder, name)
        if founder.kind not in OURS:
            self._commit_and_log(self.seats[name], self._adding(1, OURS))

    def _draw_operation(self) -> str:
        weights = dict(WEIGHTS)
        growing = len(self.leaves) < self.target
        weights["add"] = 30 if growing else 3
        if growing:
            weights["remove"] = 3
        elif len(self.leaves) > self.target:
            weights["remove"] = 25
        place = self.below(sum(weights.values()))
        for name, weight in weights.items():
            if place < weight:
                return name
            place -= weight
        raise AssertionError("the weights have no such sum")

    # ---- wishes

    def _adding(self, count: int, kinds: Sequence[str] | None = None) -> Intent:
        born = [self.newcomer(kinds) for _ in range(count)]
        return Intent(tuple((name, member, member.key_package()) for name, member in born))

    def _leaving(self, by: Seat, count: int) -> tuple[str, ...]:
        """Who `by` may remove: never itself, nor the last of ours who is present."""
        ours = [seat.name for seat in self.ours_present()]
        kept = {by.name} if by.name in ours else {by.name, ours[self.below(len(ours))]}
        names = [name for name in self.leaves if name not in kept]
        return tuple(names.pop(self.below(len(names))) for _ in range(min(count, len(names))))

    def _wish(self, by: Seat, intent: Intent) -> Wish | None:
        """As one of the commits that `by` can make, in a format that all read; None if there is none."""
        sends = sorted(by.member.abilities().sends & self.formats())
        if not sends:
            return None
        private = sends[self.below(len(sends))] == "private"
        adds = tuple(key_package for _, _, key_package in intent.adds)
        removes = tuple(self.leaves[name] for name in intent.removes)
        apart = all(member.abilities().tree_apart for _, member, _ in intent.adds)
        ours = by.member.kind in OURS
        wish = Wish(
            adds,
            removes,
            private,
            path=not (ours and adds and not removes and self.chance(30)),
            tree_apart=bool(ours and adds and apart and self.chance(40)),
        )
        return wish if by.member.can_commit(wish) else None

    def _committer(self, intent_for: Callable[[Seat], Intent]) -> tuple[Seat, Intent, Wish] | None:
        for seat in self.some(self.present(), 4):
            intent = intent_for(seat)
            wish = self._wish(seat, intent)
            if wish is not None:
                return seat, intent, wish
            self._abandon(intent)
        return None

    def _abandon(self, intent: Intent) -> None:
        for _, member, _ in intent.adds:
            member.close()

    # ---- commits

    def _commit(self, seat: Seat, intent: Intent, wish: Wish) -> str:
        made = seat.member.commit(wish)
        how = [f"{seat.name} commits, {intent.words()}", "privately" if wish.private else "publicly"]
        how += ["without a path"] * (not wish.path) + ["with the tree apart"] * wish.tree_apart
        if seat.member.abilities().waits and self.chance(40):
            self._deliver([(name, p) for name, p in self.late if name == seat.name][:3])
            if self.chance(30):
                seat.member.reload()
                how.append("after a restart")
        self._accept(seat, made, intent)
        return ", ".join(how)

    def _accept(self, seat: Seat, made: Made, intent: Intent, proposed: Intent | None = None) -> None:
        adds, removes = intent.adds, intent.removes
        if proposed is not None:
            adds, removes = (*proposed.adds, *adds), (*proposed.removes, *removes)
        newcomers = [(name, member) for name, member, _ in adds]
        self.accept(seat, made, frozenset(removes), newcomers)

    def _commit_and_log(self, seat: Seat, intent: Intent) -> None:
        wish = self._wish(seat, intent)
        assert wish is not None
        self.log.append(self._commit(seat, intent, wish))

    def _commit_by_anyone(self, intent_for: Callable[[Seat], Intent]) -> str | None:
        found = self._committer(intent_for)
        return None if found is None else self._commit(*found)

    def add(self) -> str | None:
        room = max(1, self.target - len(self.leaves))
        count = 1 + self.below(min(room, 12))
        one_by_one = self.chance(30)
        return self._commit_by_anyone(lambda _: self._adding(1 if one_by_one else count))

    def update(self) -> str | None:
        return self._commit_by_anyone(lambda _: Intent())

    def remove(self) -> str | None:
        if len(self.leaves) < 2:
            return None
        count = 1 if self.chance(60) else 1 + self.below(max(1, len(self.leaves) // 3))
        return self._commit_by_anyone(lambda by: Intent(removes=self._leaving(by, count)))

    def replace(self) -> str | None:
        if len(self.leaves) < 3:
            return None
        return self._commit_by_anyone(
            lambda by: Intent(self._adding(1 + self.below(2)).adds, self._leaving(by, 1 + self.below(2)))
        )

    def special(self) -> str | None:
        """Extensions of the group and pre-shared keys: a member of ours commits what others can follow."""
        [seat] = self.some(self.ours_present(), 1)
        private = "public" not in self.formats() or self.chance(50)
        kind = self.below(3)
        if kind == 0:
            some = self.plan.ours_only() and self.chance(80)
            extensions = (Extension(EXTENSION, self.random.bytes(self.below(20))),) if some else ()
            wish, said = Wish(private=private, extensions=extensions), "extensions of the group"
        elif kind == 1 and self.plan.ours_only():
            wish, said = Wish(private=private, psk=self.random.bytes(32)), "a pre-shared key"
        else:
            epoch = self.epoch - self.below(3)
            seats = self.seats.values()
            able = all(s.since <= epoch and s.member.abilities().resumes for s in seats)
            if seat.member.kind != "python" or not able:
                return None
            wish = Wish(private=private, psk=self.random.bytes(32), resumed=epoch)
            said = f"the resumption key of epoch {epoch}"
        made = seat.member.commit(wish)
        self._accept(seat, made, Intent())
        return f"{seat.name} commits {said}"

    def propose(self) -> str | None:
        """Proposals by several, in each other's way or not, and a commit by one.

        Of what cannot stand together a committer takes the Remove, or else one of each kind, and nothing that
        concerns its own leaf (RFC 9420 section 12.2).
        """
        if not all(seat.member.abilities().keeps_proposals for seat in self.seats.values()):
            return None
        found = self._committer(lambda seat: Intent() if commits_nothing_new(seat) else self._adding(1))
        if found is None:
            return None
        committer, intent, wish = found
        said = [f"{committer.name} is to commit what is proposed"]
        proposed = Intent()
        concerned = {committer.name}
        able = self.present()
        for _ in range(1 + self.below(5)):
            seat = able[self.below(len(able))]
            proposed = self._propose(seat, committer, proposed, concerned, said)
        if len(said) == 1:
            self._abandon(intent)
            return None
        self._says_nothing(committer)
        made = committer.member.commit(replace(wish, path=True))
        self._accept(committer, made, intent, proposed)
        return "; ".join((*said, f"it commits that, {intent.words()}"))

    def _propose(
        self, seat: Seat, committer: Seat, proposed: Intent, concerned: set[str], said: list[str]
    ) -> Intent:
        """One more proposal; about nobody twice where the committer could not settle it."""
        kinds = sorted(seat.member.abilities().proposes)
        settles = committer.member.abilities().settles
        if not committer.member.abilities().welcomes_all:
            kinds = [kind for kind in kinds if kind != "add"]
        if seat.name in concerned and not settles:
            kinds = [kind for kind in kinds if kind != "update"]
        sends = sorted(seat.member.abilities().sends & self.formats())
        if not kinds or not sends:
            return proposed
        private = sends[self.below(len(sends))] == "private"
        kind = kinds[self.below(len(kinds))]
        if kind == "add":
            again = bool(proposed.adds) and settles and self.chance(30)
            add = proposed.adds[-1] if again else self._adding(1).adds[0]
            if not again:
                proposed = replace(proposed, adds=(*proposed.adds, add))
            message = seat.member.propose_add(add[2], private=private)
            said.append(f"{seat.name} proposes to add {add[0]}")
        elif kind == "remove":
            names = self._removable(committer, proposed)
            names = names if settles else [name for name in names if name not in concerned]
            if not names:
                return proposed
            name = names[self.below(len(names))]
            concerned.add(name)
            if name not in (committer.name, *proposed.removes):
                proposed = replace(proposed, removes=(*proposed.removes, name))
            message = seat.member.propose_remove(self.leaves[name], private=private)
            said.append(f"{seat.name} proposes to remove {name}")
        else:
            concerned.add(seat.name)
            message = seat.member.propose_update(private=private)
            said.append(f"{seat.name} proposes its update")
        self.log[-1] = "; ".join((*said, "..."))
        self.post(Parcel("proposal", message, self.epoch, seat.name))
        return proposed

    def _removable(self, committer: Seat, proposed: Intent) -> list[str]:
        """Everybody, as long as somebody of ours who is present stays."""
        staying = {seat.name for seat in self.ours_present()} - {*proposed.removes}
        last = staying if len(staying) == 1 and committer.name not in staying else set()
        return [name for name in self.leaves if name not in last]

    def _says_nothing(self, seat: Seat) -> None:
        """Section 12.4: whoever has seen a proposal sends no application message before the commit."""
        if seat.member.kind == "python":
            try:
                seat.member.encrypt(b"too early")
            except RefusedError:
                return
            raise AssertionError(f"{seat.name} speaks while proposals wait")

    def race(self) -> str | None:
        """Commits of one epoch by several: one wins, the others try again after it."""
        rivals: list[tuple[Seat, Intent, Made]] = []
        for seat in self.some(self.present(), 3):
            draw = self.below(3)
            intent = Intent()
            if draw == 0 and len(self.leaves) < self.target + 2:
                intent = self._adding(1)
            elif draw == 1 and len(self.leaves) > 2:
                intent = Intent(removes=self._leaving(seat, 1))
            wish = self._wish(seat, intent)
            if wish is None:
                self._abandon(intent)
            else:
                rivals.append((seat, intent, seat.member.commit(wish)))
        if not rivals:
            return None
        winner, intent, made = rivals.pop(self.below(len(rivals)))
        said = [f"{winner.name} wins, {intent.words()}"]
        self.log[-1] = "; ".join((*said, *(f"{s.name} loses, {i.words()}" for s, i, _ in rivals)))
        for loser, _, _ in rivals:
            loser.member.clear()
        self._accept(winner, made, intent)
        for loser, lost, stale in rivals:
            for seat in self.some([s for s in self.present() if s is not loser], 2):
                self.refuses_commit(seat.member, f"{seat.name} follows a commit that lost", stale.message)
            said.append(self._again(loser, lost))
            self.log[-1] = "; ".join(said)
        return self.log[-1]

    def _again(self, loser: Seat, intent: Intent) -> str:
        """The loser's wish in the epoch after, as far as it still makes sense."""
        intent = Intent(intent.adds, tuple(name for name in intent.removes if name in self.leaves))
        ours = {seat.name for seat in self.ours_present()}
        if loser.name in self.seats and loser.name in self.leaves and ours - {*intent.removes}:
            wish = self._wish(loser, intent)
            if wish is not None:
                return "again, " + self._commit(loser, intent, wish)
        self._abandon(intent)
        return f"{loser.name} gives up"

    # ---- from outside

    def enter(self) -> str | None:
        doors = [seat for seat in self.present() if seat.member.abilities().admits]
        if len(self.leaves) > self.target or not doors:
            return None
        [door] = self.some(doors, 1)
        name, member = self.newcomer([k for k in self.plan.kinds if k in (*OURS, "rine")])
        message = member.enter(door.member.group_info(), None)
        self._entered(name, member, message, frozenset())
        return f"{name} enters by {door.name}"

    def come_again(self) -> str | None:
        """Somebody who lost everything enters in place of its former leaf."""
        able = [s for s in self.seats.values() if s.name in self.leaves and s.member.abilities().returns]
        if not able:
            return None
        [former] = self.some(able, 1)
        doors = [s for s in self.present() if s.member.abilities().admits and s is not former]
        if not doors:
            return None
        if self._moves(former) and not all(s.member.abilities().follows_moves for s in self.seats.values()):
            return None
        [door] = self.some(doors, 1)
        member = former.member.successor()
        self._born += 1
        name = f"{member.kind}{self._born}"
        message = member.enter(door.member.group_info(), self.leaves[former.name])
        self._entered(name, member, message, frozenset({former.name}))
        return f"{name} enters by {door.name} in place of {former.name}"

    def _moves(self, former: Seat) -> bool:
        """Whether a blank leaf waits to the left of its own."""
        return not {*range(self.leaves[former.name])} <= {*self.leaves.values()}

    def _entered(self, name: str, member: Member, message: bytes, removes: frozenset[str]) -> None:
        before = self.epoch
        self.epoch = before + 1
        seat = Seat(name, member, self.epoch, self.epoch)
        self.arrived(seat, self.epoch)
        self.post(Parcel("commit", message, before, name, removes=removes))
        self.seats[name] = seat
        self.cannot_read_the_past(seat)
        self.settled(removes)

    # ---- messages

    def talk(self) -> str | None:
        able = [seat for seat in self.present() if seat.member.abilities().talks]
        if not able:
            return None
        [seat] = self.some(able, 1)
        count = 1 + self.below(4)
        parcels = []
        for _ in range(count):
            text = self.random.bytes(self.below(80))
            data = seat.member.encrypt(text)
            leaf = self.leaves[seat.name]
            parcels.append(Parcel("message", data, self.epoch, seat.name, seat.member.identity, leaf, text))
        for other in [s for s in self.seats.values() if s is not seat and s.name in self.leaves]:
            self._hear(other, parcels)
        for parcel in parcels:
            self.haunt(parcel)
        self.last_message = parcels[-1]
        self.opened_by = {parcel.data: self.opened_by.get(parcel.data, set()) for parcel in parcels[-1:]}
        self.tally.messages += count
        return f"{seat.name} says {count} things"

    def _hear(self, seat: Seat, parcels: Sequence[Parcel]) -> None:
        """Of each message: at once, late or never."""
        abilities = seat.member.abilities()
        for parcel in parcels:
            fate = self.below(100)
            if fate < 75:
                seat.inbox.append(parcel)
            elif fate < 90 and abilities.out_of_order and not seat.away:
                self.late.append((seat.name, parcel))
        self.settle(seat)

    def deliver_late(self) -> str | None:
        if not self.late:
            return None
        start = self.below(len(self.late))
        chosen = self.late[start : start + 1 + self.below(10)][::-1]
        self._deliver(chosen)
        return f"{len(chosen)} late messages arrive"

    def _deliver(self, chosen: Sequence[tuple[str, Parcel]]) -> None:
        for item in chosen:
            name, parcel = item
            seat = self.seats.get(name)
            if seat is None or seat.away:
                continue
            self.late.remove(item)
            gone = self.leaves.get(parcel.sender) != parcel.sender_leaf
            if gone and not seat.member.abilities().late_of_removed:
                continue
            if seat.epoch - parcel.epoch <= min(seat.member.abilities().late, KEPT_EPOCHS):
                self.opens_once(seat, parcel)
            elif seat.member.kind in OURS:
                self.refuses_message(seat.member, f"{name} opens what it should forget", parcel.data)

    # ---- keeping and being away

    def reload(self) -> str:
        chosen = self.some(self.present(), 1 + self.below(4))
        for seat in chosen:
            seat.member.reload()
            self.agrees(seat)
            if self.last_message is not None and seat.name in self.opened_by.get(self.last_message.data, ()):
                wrong = f"{seat.name} opens a message again after a restart"
                self.refuses_message(seat.member, wrong, self.last_message.data)
        return f"{', '.join(seat.name for seat in chosen)} restarts"

    def go_away(self) -> str | None:
        [seat] = self.some(self.present(), 1)
        if [seat] == self.ours_present() or len(self.present()) < 3:
            return None
        seat.away = True
        return f"{seat.name} goes away"

    def come_back(self) -> str | None:
        away = [seat for seat in self.seats.values() if seat.away]
        if not away:
            return None
        [seat] = self.some(away, 1)
        missed = len(seat.inbox)
        seat.away = False
        self.settle(seat)
        fate = "is in" if seat.name in self.seats else "finds that it was removed"
        return f"{seat.name} comes back to {missed} things and {fate}"


def commits_nothing_new(seat: Seat) -> bool:
    """Whether the member makes commits of what was proposed alone."""
    return any(seat.member.can_commit(Wish(private=private)) for private in (False, True))
