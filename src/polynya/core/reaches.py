"""Where we can be reached: inboxes of ours, made and deleted; and where others can."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import work
from polynya.core._state import Inbox, InboxPurpose
from polynya.core.conversation import membership, need, quiet
from polynya.core.identity import me
from polynya.core.mlsgroup import SUITES
from polynya.core.state import INBOX, PERSON, REACH, SOURCE
from polynya.core.transaction import Transaction
from polynya.wire.labels import inbox_id, owner_id, owner_secret
from polynya.wire.messages import PackageOwner, Reach


def create(t: Transaction, purpose: InboxPurpose, owner: bytes) -> Inbox:
    """A new inbox on the home relay. Draws its read secret, then (not for an invite's) its key, 32 bytes each."""
    read_secret = t.random.bytes(32)
    inbox_key = None if purpose == InboxPurpose.INVITE else t.random.bytes(32)
    inbox = Inbox(
        id=inbox_id(read_secret),
        relay=me(t).relay,
        read_secret=read_secret,
        purpose=purpose,
        owner=owner,
        created=False,
        closing=False,
        seq=0,
        trimmed=0,
        inbox_key=inbox_key,
    )
    t.put(INBOX, inbox.id, inbox)
    work.wake(t, b"inbox", inbox.id)
    return inbox


def close(t: Transaction, inbox: bytes | None) -> None:
    """Deletes an inbox on the relay, then here."""
    found = None if inbox is None else t.get(INBOX, inbox)
    if found is not None and not found.closing:
        t.put(INBOX, found.id, replace(found, closing=True))
        t.remove(SOURCE, found.id)
        work.wake(t, b"inbox", found.id)


def of_inbox(t: Transaction, inbox: Inbox) -> Reach:
    """What others need to reach us there."""
    own = me(t)
    owners = tuple(PackageOwner(suite, owner_id(owner_secret(own.owner_secret, suite))) for suite in SUITES)
    return Reach(inbox.relay, inbox.id, inbox.inbox_key or b"", owners, own.package_key)


def owner_of(reach: Reach, suite: int) -> bytes | None:
    """Whose key packages of this suite bring them in; None where they offer none."""
    return next((owner.owner for owner in reach.owners if owner.suite == suite), None)


def own(t: Transaction, conversation: bytes) -> Reach:
    """Our reach in this conversation; the first time its inbox is made."""
    found = need(t, conversation)
    inbox = None if found.inbox is None else t.get(INBOX, found.inbox)
    if inbox is None or inbox.closing:
        inbox = create(t, InboxPurpose.CONVERSATION, conversation)
        quiet(t, replace(found, inbox=inbox.id))
    return of_inbox(t, inbox)


def of(t: Transaction, identity: bytes, conversation: bytes | None = None) -> Reach | None:
    """How to reach somebody: by this conversation, else by the direct one, the request, or any other."""
    somebody = t.get(PERSON, identity)
    places = [conversation, None if somebody is None else somebody.conversation]
    for place in places:
        if place is not None:
            reach = t.get(REACH, place + identity)
            if reach is not None:
                return reach
    if somebody is not None and somebody.reach is not None:
        return somebody.reach
    for key in t.keys(REACH):
        if key[16:] == identity:
            return t.get(REACH, key)
    return None


def learn(t: Transaction, conversation: bytes, identity: bytes, reach: Reach) -> None:
    if identity != me(t).identity:
        t.put(REACH, conversation + identity, reach)


def forget(t: Transaction, conversation: bytes) -> None:
    """Those learnt in a conversation that is over."""
    for member in membership(t, conversation).members:
        t.remove(REACH, conversation + member.identity)
