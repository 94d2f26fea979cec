"""Our own name and reach, told to the members of our conversations."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import outbox, reaches
from polynya.core.commands import MeChanged
from polynya.core.conversation import is_active
from polynya.core.identity import check_name, me
from polynya.core.state import CONVERSATION, ME, OUTBOX
from polynya.core.transaction import Transaction
from polynya.wire.messages import Profile, decode_content


def tell(t: Transaction, conversation: bytes) -> None:
    """Queues a Profile with our reach in this conversation, in place of one that still waits."""
    for key in t.keys(OUTBOX, conversation):
        outgoing = t.get(OUTBOX, key)
        if outgoing is not None and isinstance(decode_content(outgoing.content), Profile):
            outbox.fail(t, key)
    outbox.queue(t, conversation, Profile(me(t).name, reaches.own(t, conversation)))


def set_name(t: Transaction, name: str) -> None:
    own = replace(me(t), name=check_name(name))
    t.put(ME, b"", own)
    t.notify(MeChanged())
    for conversation in t.keys(CONVERSATION):
        found = t.get(CONVERSATION, conversation)
        if found is not None and is_active(found):
            tell(t, conversation)
