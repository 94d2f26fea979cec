"""How messages change: pure, by order, whatever comes first."""

from __future__ import annotations

import itertools
from dataclasses import replace

from polynya.core.history import (
    Amendment,
    Deleted,
    Edited,
    Ordered,
    Reacted,
    ReceiptSeen,
    StatusChanged,
    StoredMessage,
    SystemContent,
    apply,
    may_amend,
)
from polynya.wire.messages import FileReference, Text

ANNA, BORIS = b"a" * 32, b"b" * 32


def message(mine: bool = False) -> StoredMessage:
    return StoredMessage(bytes(16), b"m" * 16, ANNA, mine, 5, 6, 7, Text("text"), None)


def after(start: StoredMessage, *amendments: Amendment) -> StoredMessage:
    for amendment in amendments:
        start = apply(start, amendment) or start
    return start


def test_only_the_sender_edits_and_deletes() -> None:
    assert apply(message(), Edited(BORIS, "other", 9)) is None
    assert apply(message(), Deleted(BORIS)) is None
    assert after(message(), Edited(ANNA, "new", 9)).content == Text("new")
    assert after(message(), Deleted(ANNA)).deleted
    system = replace(message(), content=SystemContent("left", (ANNA,)))
    assert not may_amend(system, ANNA)
    assert apply(system, Deleted(ANNA)) is None
    assert apply(system, Reacted(BORIS, "x", 9)) is None


def test_the_latest_edit_in_log_order_counts_whatever_comes_first() -> None:
    edits = [Edited(ANNA, "one", 10), Edited(ANNA, "two", 20), Edited(ANNA, "three", 30)]
    for order in itertools.permutations(edits):
        assert after(message(), *order).content == Text("three")


def test_the_latest_reaction_in_log_order_counts_whatever_comes_first() -> None:
    reactions = [
        Reacted(BORIS, "x", 10),
        Reacted(BORIS, "", 20),
        Reacted(BORIS, "y", 30),
        Reacted(ANNA, "z", 15),
    ]
    for order in itertools.permutations(reactions):
        found = after(message(), *order).reactions
        assert [(r.identity, r.emoji) for r in found] == [(ANNA, "z"), (BORIS, "y")]


def test_our_own_waits_above_all_until_it_has_its_place() -> None:
    shown = after(message(), Reacted(BORIS, "mine", None), Reacted(BORIS, "older", 10))
    assert [r.emoji for r in shown.reactions] == ["mine"]
    shown = after(shown, Reacted(BORIS, "mine", 20), Reacted(BORIS, "older", 10), Reacted(BORIS, "newer", 30))
    assert [r.emoji for r in shown.reactions] == ["newer"]
    edited = after(message(), Edited(ANNA, "mine", None), Edited(ANNA, "older", 10), Edited(ANNA, "mine", 20))
    assert (edited.content, edited.edited) == (Text("mine"), 20)


def test_deleted_stays_deleted() -> None:
    gone = after(message(), Deleted(ANNA))
    assert apply(gone, Edited(ANNA, "back", 99)) is None
    assert apply(gone, Reacted(BORIS, "x", 99)) is None
    assert (gone.content, gone.order) == (Text(""), 7)


def test_first_place_counts() -> None:
    assert after(message(), Ordered(5, 50)).order == 5
    assert apply(message(), Ordered(9, 50)) is None
    assert after(replace(message(), order=None, time=None), Ordered(9, 50)).time == 50


def test_captions_and_receipts() -> None:
    file = FileReference(bytes(32), bytes(32), 1, "n", "t")
    shown = after(replace(message(), content=file), Edited(ANNA, "caption", 9))
    assert shown.content == replace(file, caption="caption")
    mine = message(mine=True)
    assert after(mine, ReceiptSeen(BORIS, "read")).delivered == (BORIS,)
    assert after(mine, ReceiptSeen(BORIS, "delivered")).read == ()
    assert apply(mine, ReceiptSeen(ANNA, "read")) is None
    assert apply(message(), ReceiptSeen(BORIS, "read")) is None
    assert after(mine, StatusChanged("failed")).status == "failed"
