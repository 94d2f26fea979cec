"""Which conversation an MLS group belongs to: its founding group gave the conversation its id, each ReInit names one more
(protocol.md section 5.7)."""

from __future__ import annotations

from polynya.core.conversation import membership
from polynya.core.state import CONVERSATION, SUCCESSOR
from polynya.core.transaction import Transaction


def link(t: Transaction, group_id: bytes, conversation: bytes) -> None:
    """From now on the group's id leads to the conversation."""
    if group_id != conversation:
        t.put(SUCCESSOR, group_id, conversation)


def conversation_of(t: Transaction, group_id: bytes, former: tuple[bytes, ...] = ()) -> bytes | None:
    """The conversation that has or had this group; else the one of the first of `former` that is known here.

    A conversation's own id comes first: whatever a ReInit names, it never leads away from another conversation.
    """
    for name in (group_id, *former):
        if t.get(CONVERSATION, name) is not None:
            return name
        found = t.get(SUCCESSOR, name)
        if found is not None and t.get(CONVERSATION, found) is not None:
            return found
    return None


def former(t: Transaction, conversation: bytes) -> tuple[bytes, ...]:
    """Ids of the conversation's groups that are over, its own first."""
    present = membership(t, conversation)
    named = (key for key in t.keys(SUCCESSOR) if t.get(SUCCESSOR, key) == conversation)
    return tuple(n for n in (conversation, *named) if n not in (present.group, present.successor))


def forget(t: Transaction, conversation: bytes) -> None:
    """The conversation is deleted here."""
    for key in t.keys(SUCCESSOR):
        if t.get(SUCCESSOR, key) == conversation:
            t.remove(SUCCESSOR, key)
