"""The state of one conversation: its rows, what it shows, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from polynya.core import work
from polynya.core._state import Conversation, ConversationState, Membership, Preview
from polynya.core.commands import ConversationChanged, MessageAdded, ProblemRaised
from polynya.core.errors import CoreError
from polynya.core.groupcell import GroupCell
from polynya.core.history import StoredMessage, SystemContent
from polynya.core.identity import me
from polynya.core.state import CONVERSATION, GROUP, MEMBERSHIP, PERSON, number
from polynya.core.transaction import Transaction
from polynya.crypto.hashes import sha256
from polynya.mls.group import Group
from polynya.wire.messages import ConversationKind, FileReference, Text

NOBODY = bytes(32)
"""Sender of system messages without an author."""
PREVIEW_LENGTH = 200
"""Characters."""
READING = (
    ConversationState.ACTIVE,
    ConversationState.MOVING,
    ConversationState.LEAVING,
    ConversationState.CLOSED,
)
"""States in which the log is followed."""


def need(t: Transaction, conversation: bytes) -> Conversation:
    """Raises CoreError `unknown-conversation`."""
    found = t.get(CONVERSATION, conversation)
    if found is None:
        raise CoreError("unknown-conversation")
    return found


def is_active(conversation: Conversation) -> bool:
    """Whether we take part and do not wish to leave; while it is moving what we do waits."""
    if conversation.state == ConversationState.MOVING:
        return conversation.since is None
    return conversation.state == ConversationState.ACTIVE


def need_active(t: Transaction, conversation: bytes) -> Conversation:
    """Raises CoreError `unknown-conversation` or `not-active`."""
    found = need(t, conversation)
    if not is_active(found):
        raise CoreError("not-active")
    return found


def save(t: Transaction, changed: Conversation) -> Conversation:
    t.put(CONVERSATION, changed.id, changed)
    t.notify(ConversationChanged(changed.id))
    return changed


def quiet(t: Transaction, changed: Conversation) -> Conversation:
    """Saves what no view shows."""
    t.put(CONVERSATION, changed.id, changed)
    return changed


def membership(t: Transaction, conversation: bytes) -> Membership:
    found = t.get(MEMBERSHIP, conversation)
    if found is None:
        raise CoreError("unknown-conversation")
    return found


def has_group(t: Transaction, conversation: bytes) -> bool:
    return t.get(GROUP, conversation) is not None


def group(t: Transaction, conversation: bytes) -> Group:
    """The MLS group in force (with a key of FORMER: an ended one); raises CoreError `not-active`."""
    cell = t.get(GROUP, conversation)
    if cell is None:
        raise CoreError("not-active")
    return cell.group()


def put_group(t: Transaction, conversation: bytes, changed: Group) -> None:
    t.put(GROUP, conversation, GroupCell(changed))


def next_number(t: Transaction, conversation: bytes) -> bytes:
    """The key of a new outbox item or operation: conversation || number."""
    found = need(t, conversation)
    quiet(t, replace(found, number=found.number + 1))
    return conversation + number(found.number)


def peer(membership: Membership, own: bytes) -> bytes | None:
    """The other person of a direct conversation."""
    others = [member.identity for member in membership.members if member.identity != own]
    return others[0] if others else None


def identities(membership: Membership) -> list[bytes]:
    """Members by leaf, each person once."""
    return list(dict.fromkeys(member.identity for member in membership.members))


def not_in(some: Iterable[bytes], others: Iterable[bytes]) -> tuple[bytes, ...]:
    """Those of `some` that are not among `others`, in their order."""
    known = frozenset(others)
    return tuple(each for each in some if each not in known)


def is_blocked_direct(t: Transaction, conversation: Conversation, sender: bytes) -> bool:
    """What a blocked person writes to us alone is not shown."""
    somebody = t.get(PERSON, sender)
    return conversation.kind == ConversationKind.DIRECT and somebody is not None and somebody.blocked


# ---- what is shown ----


def content_kind(message: StoredMessage) -> str:
    if isinstance(message.content, Text):
        return "text"
    if isinstance(message.content, FileReference):
        return "file"
    known = isinstance(message.content, SystemContent) and message.content.kind != "unknown"
    return "system" if known else "unknown"


def _preview_text(message: StoredMessage) -> str:
    content = message.content
    if isinstance(content, Text):
        text = content.text
    elif isinstance(content, FileReference):
        text = content.caption or content.name
    elif isinstance(content, SystemContent):
        text = content.kind
    else:
        text = ""
    return text[:PREVIEW_LENGTH]


def show(t: Transaction, message: StoredMessage) -> None:
    """Appends to the history and lets the list of conversations show it."""
    t.append(message)
    set_last(t, message)
    t.notify(MessageAdded(message.conversation, message.id))


def set_last(t: Transaction, message: StoredMessage) -> None:
    """What the list of conversations shows of this one."""
    time = message.sent if message.time is None else message.time
    last = Preview(
        id=message.id,
        sender=message.sender,
        kind=content_kind(message),
        text=_preview_text(message),
        time=time,
        mine=message.mine,
        status=message.status,
    )
    found = need(t, message.conversation)
    save(t, replace(found, last=last, activity=max(found.activity, time)))


def show_system(
    t: Transaction,
    conversation: bytes,
    source: bytes,
    by: bytes,
    content: SystemContent,
    time: int,
    order: int,
) -> None:
    """A system message; its id comes from `source` (a record hash) and its content, so that it is there once."""
    label = content.kind.encode() + b"".join(content.subjects)
    own = t.get(CONVERSATION, conversation)
    if own is None:
        return
    message = StoredMessage(
        conversation=conversation,
        id=sha256(source + label)[:16],
        sender=by,
        mine=by == me(t).identity,
        sent=time,
        time=time,
        order=order,
        content=content,
        status=None,
    )
    show(t, message)


def update_preview(
    t: Transaction, conversation: bytes, message_id: bytes, text: str | None = None, status: str | None = None
) -> None:
    """The newest message changed."""
    found = t.get(CONVERSATION, conversation)
    if found is None or found.last is None or found.last.id != message_id:
        return
    last = found.last
    if text is not None:
        last = replace(last, text=text[:PREVIEW_LENGTH])
    if status is not None:
        last = replace(last, status=status)
    save(t, replace(found, last=last))


def update_own_preview(t: Transaction, conversation: bytes, message_id: bytes, text: str) -> None:
    """The newest message changed by our hand, if it is ours."""
    found = t.get(CONVERSATION, conversation)
    if found is not None and found.last is not None and found.last.mine:
        update_preview(t, conversation, message_id, text)


GRAVER = ("relay-fraud", "relay-lost-history", "stuck")
"""Than a history that differs."""


def stays_said(problem: str | None, code: str | None) -> bool:
    """That the relay shows different histories nothing takes back: neither a lesser problem nor the end of one."""
    return problem == "history-differs" and code not in GRAVER


def set_problem(t: Transaction, conversation: bytes, code: str | None) -> None:
    """Shows a problem until it is replaced, once."""
    found = t.get(CONVERSATION, conversation)
    if found is None or found.problem == code or stays_said(found.problem, code):
        return
    save(t, replace(found, problem=code))
    if code is not None:
        work.count(t, code)
        t.notify(ProblemRaised(conversation, code))
