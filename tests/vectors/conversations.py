"""Lives of devices as vectors: what happened to each core, what it drew and what it asked for, step by step.

They are taken from tests of the core, hostile ones among them, and lived again by both languages. Written by
`python -m tests.vectors.conversations`; encapsulations are kept, so that the files come out the same each time.
"""

from __future__ import annotations

import builtins
import hashlib
import json
import types
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from polynya.core import commands as c
from polynya.core import events as e
from polynya.core.core import Core
from polynya.core.errors import CoreError
from polynya.core.history import Amendment, SystemContent
from polynya.crypto.random import Random
from polynya.wire.messages import SUITE_XWING
from tests.core import (
    test_contacts,
    test_contents,
    test_direct,
    test_groups,
    test_hostile_relay,
    test_move,
    test_move_hostile,
    test_move_recovery,
    test_network,
    test_races,
    test_readd,
    test_withheld,
)
from tests.support.world import Party
from tests.vectors import recorded
from tests.vectors.recorded import Case

FOLDER = recorded.FOLDER / "conversations"


def moving(scenario: Callable[..., None], *arguments: object) -> None:
    """Lives one in which a group moves from X-Wing, so that no limit is made small for it."""
    with pytest.MonkeyPatch.context() as patch:
        scenario(*arguments, patch)


SCENARIOS: dict[str, Callable[[], None]] = {
    "agree-to-meet-twice": lambda: test_contacts.test_two_invites_in_flight(0),
    "bent-successors": lambda: moving(test_move_hostile.test_bent_successors_are_skipped_by_all),
    "blocked": test_contacts.test_a_blocked_contact,
    "burned-slot": test_races.test_a_burned_slot_stops_nobody,
    "commits-without-right": test_races.test_commits_without_the_right_are_skipped_by_all,
    "direct": test_direct.test_two_people_talk,
    "dropped-messages": test_contents.test_messages_with_authenticated_data_or_malformed_ones_are_dropped,
    "edits-by-others": test_contents.test_edits_and_deletions_by_others_change_nothing,
    "expired-invite": test_contacts.test_expiry,
    "foreign-key-package": test_hostile_relay.test_a_contact_who_hands_out_a_foreign_key_package,
    "foreign-leaf": test_races.test_a_leaf_that_nobody_signed_is_not_let_in,
    "forked-commits": test_withheld.test_two_histories_with_as_many_epochs_show_by_their_keys,
    "forked-history": test_hostile_relay.test_a_forked_history_shows,
    "former-topic": test_network.test_a_late_message_of_the_former_topic_is_read_once_by_all,
    "group-added": test_groups.test_added_member_reads_from_then_on,
    "group-left": test_groups.test_leaving,
    "group-moved": lambda: moving(test_move.test_a_group_moves_and_nothing_is_lost, 3, SUITE_XWING),
    "group-named": test_groups.test_rename_and_admins,
    "group-removed": test_groups.test_removed_member_reads_no_further,
    "hidden-commit": test_withheld.test_a_commit_hidden_behind_junk_shows_with_the_first_message_after_it,
    "large-bodies": test_contents.test_bodies_too_large_for_a_record,
    "left-direct": test_groups.test_leaving_a_direct_conversation,
    "lost-answer": test_network.test_lost_answer_then_another_epoch,
    "lost-disk": test_network.test_a_relay_that_lost_its_disk,
    "move-missed": lambda: moving(test_move_recovery.test_removed_and_added_again_across_the_move_while_away),
    "move-taken-over": lambda: moving(test_move.test_the_only_admin_dies_after_the_reinit),
    "newer-content": test_contents.test_content_of_a_newer_version_is_shown_as_unknown,
    "one-id-once": test_contents.test_one_id_counts_once,
    "polling": test_network.test_polling_without_a_session,
    "race": lambda: test_races.test_two_admins_commit_at_once(1),
    "reactions": test_contents.test_reactions,
    "receipts-kept": test_contents.test_receipts_survive_a_crash_while_they_are_gathered,
    "removed-and-added": test_readd.test_removed_and_added_again_while_away,
    "removed-writes-on": test_groups.test_what_a_removed_member_still_writes_is_nobodys_message,
    "stolen-group": test_readd.test_a_contact_cannot_replace_a_conversation_by_a_group_of_its_own,
    "tampered-card": test_contacts.test_a_tampered_card,
    "two-receipts": test_hostile_relay.test_two_receipts_for_one_position_stop_the_conversation,
    "two-relays": test_network.test_two_relays,
    "typing": test_contents.test_typing,
    "unsigned-receipt": test_hostile_relay.test_a_commit_without_a_valid_receipt_waits_and_is_told_of,
    "withheld-entries": test_withheld.test_withheld_entries_are_told_of_after_ten_minutes_and_come_later,
    "withheld-position": test_hostile_relay.test_a_withheld_position_is_waited_for,
}

POOLED = 40
"""Byte strings that are longer stand once in the file's `pool`, and as "0x#" and their place there elsewhere."""

HASHED = 256
"""Byte strings in commands that are longer stand as "0x=" and their SHA-256."""

_TAGGED = {
    kind.__name__
    for union in (c.Command, c.AppEvent, e.Event, Amendment)
    for kind in (typing.get_args(union) or (union,))
} | {"Push", "EphemeralPush"}


def as_json(value: object) -> Any:
    """As `recorded.as_json`, for everything that goes into a core or comes out of it."""
    if isinstance(value, (tuple, list)):
        return [as_json(item) for item in value]
    if isinstance(value, bytes) or not hasattr(value, "__dataclass_fields__"):
        return recorded.as_json(value)
    content = recorded.as_json(value)
    found = {"type": content["type"]} if "type" in content else {}
    name = type(value).__name__
    if name in _TAGGED:
        found = {"type": name}
    if isinstance(value, SystemContent):
        found = {"type": "System"}
    for field in value.__dataclass_fields__:
        member = getattr(value, field)
        if member is not None:
            found[field] = as_json(member)
    return found


def of_commands(commands: tuple[c.Command, ...]) -> list[Any]:
    """Without Save: how a language keeps its rows is its own affair. Long byte strings stand as their hash."""
    return [_hashed(as_json(command)) for command in commands if not isinstance(command, c.Save)]


def _hashed(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("0x") and len(value) > 2 + 2 * HASHED:
        return "0x=" + hashlib.sha256(bytes.fromhex(value[2:])).hexdigest()
    if isinstance(value, list):
        return [_hashed(item) for item in value]
    if isinstance(value, dict):
        return {key: _hashed(item) for key, item in value.items()}
    return value


# ---- recording ----


class Pool:
    """Encapsulations that were made once, by public key."""

    def __init__(self) -> None:
        self._known: dict[str, list[Case]] = {}
        for path in sorted(FOLDER.glob("*.json")):
            for life in lives(path.stem):
                for step in life["steps"]:
                    for made in step.get("random", {}).get("encapsulations", []):
                        self._known.setdefault(made["key"], []).append(made)

    def of(self, public_key: bytes, random: Random) -> Case:
        key = hashlib.sha256(public_key).hexdigest()
        if self._known.get(key):
            return self._known[key].pop(0)
        shared, ciphertext = random.encapsulate(public_key)
        return {"key": key, "shared_secret": shared.hex(), "ciphertext": ciphertext.hex()}


class Drawing:
    """A Random that remembers what it gave."""

    def __init__(self, random: Random, pool: Pool) -> None:
        self._random = random
        self._pool = pool
        self._bytes = b""
        self._encapsulations: list[Case] = []

    def bytes(self, n: int) -> builtins.bytes:
        drawn = self._random.bytes(n)
        self._bytes += drawn
        return drawn

    def encapsulate(self, public_key: builtins.bytes) -> tuple[builtins.bytes, builtins.bytes]:
        made = self._pool.of(public_key, self._random)
        self._encapsulations.append(made)
        return bytes.fromhex(made["shared_secret"]), bytes.fromhex(made["ciphertext"])

    def record(self) -> Case:
        return {"bytes": self._bytes.hex(), "encapsulations": self._encapsulations}


class Recorder:
    """Every step of every core, by party."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lives: dict[str, list[Case]] = {}

    def step(self, party: Party, event: e.Event | None, core: Core) -> tuple[c.Command, ...]:
        now = party.now()
        random = Drawing(party.random, self._pool)
        step: Case = {"now": now} if event is None else {"now": now, "event": as_json(event)}
        self._lives.setdefault(party.name, []).append(step)
        try:
            commands = core.start(now, random) if event is None else core.handle(event, now, random)
            step["commands"] = of_commands(commands)
            return commands
        except CoreError as error:
            step["error"] = error.code
            raise
        finally:
            step["random"] = random.record()

    def reload(self, party: Party) -> None:
        self._lives[party.name].append({"reload": True})

    def cases(self) -> list[Case]:
        return [{"name": name, "steps": steps} for name, steps in sorted(self._lives.items())]


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """While it lasts, every Party of a test world is recorded."""
    crash = Party.crash

    def recorded_start(party: Party) -> None:
        party.wanted = {}
        party.timer = None
        party._perform(recorder.step(party, None, party.core), None)

    def recorded_handle(party: Party, event: e.Event) -> tuple[c.Command, ...]:
        party.steps += 1
        commands = recorder.step(party, event, party.core)
        party._perform(commands, party.crash_at.get(party.steps))
        return commands

    def recorded_crash(party: Party) -> None:
        recorder.reload(party)
        crash(party)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Party, "_start", recorded_start)
        patch.setattr(Party, "handle", recorded_handle)
        patch.setattr(Party, "crash", recorded_crash)
        yield


def _pooled(value: Any, places: dict[str, int]) -> Any:
    if (
        isinstance(value, str)
        and value.startswith("0x")
        and value[2:3] != "="
        and len(value) > 2 + 2 * POOLED
    ):
        return f"0x#{places.setdefault(value[2:], len(places))}"
    if isinstance(value, list):
        return [_pooled(item, places) for item in value]
    if isinstance(value, dict):
        return {key: _pooled(item, places) for key, item in value.items()}
    return value


def text(cases: list[Case]) -> str:
    """A step on a line."""
    places: dict[str, int] = {}
    cases = [_pooled(case, places) for case in cases]
    lines = [f'{{"count": {len(cases)}, "cases": [']
    for case in cases:
        steps = ",\n".join(json.dumps(step, ensure_ascii=False) for step in case["steps"])
        comma = "" if case is cases[-1] else ","
        lines.append(f'{{"name": {json.dumps(case["name"])}, "steps": [\n{steps}\n]}}{comma}')
    pool = ",\n".join(json.dumps(entry) for entry in places)
    lines.append(f'], "pool": [\n{pool}\n]}}')
    return "\n".join(lines) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    pool = Pool()
    for name, scenario in SCENARIOS.items():
        recorder = Recorder(pool)
        with recording(recorder):
            scenario()
        (FOLDER / f"{name}.json").write_text(text(recorder.cases()), "utf-8")


# ---- reading ----


def lives(name: str) -> list[Case]:
    """All lives of a file; fails if the file holds another number of them than it says, or none."""
    content = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    pool = content["pool"]

    def filled(value: Any) -> Any:
        if isinstance(value, str) and value.startswith("0x#"):
            return "0x" + pool[int(value[3:])]
        if isinstance(value, list):
            return [filled(item) for item in value]
        if isinstance(value, dict):
            return {key: filled(item) for key, item in value.items()}
        return value

    found: list[Case] = [filled(case) for case in content["cases"]]
    assert len(found) == content["count"] > 0
    return found


def files() -> list[Path]:
    return sorted(FOLDER.glob("*.json"))


def from_json(kind: Any, value: Any) -> Any:
    """The value of this type that stands in a vector."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(kind) if member is not type(None)]
        if value is None:
            return None
        if len(members) > 1:
            members = [member for member in members if member.__name__ == value["type"]]
        return from_json(members[0], value)
    if typing.get_origin(kind) is tuple:
        of = typing.get_args(kind)
        inner = [of[0]] * len(value) if of[-1] is Ellipsis else of
        return tuple(from_json(one, item) for one, item in zip(inner, value, strict=True))
    if kind is bytes:
        return bytes.fromhex(value[2:])
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return kind(value)
    if hasattr(kind, "__dataclass_fields__"):
        hints = typing.get_type_hints(kind)
        return kind(**{name: from_json(hints[name], value[name]) for name in hints if name in value})
    return value


if __name__ == "__main__":
    main()
