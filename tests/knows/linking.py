"""What an operator can make of everything that a relay sees: who reads what, who belongs together, who invited whom.

Input are the requests as they arrived, with the connection that each came over, its time and its size, and nothing else:
no network address, as behind a bridge. Each function is a guess; a test holds it against what is true.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from polynya.wire import labels
from polynya.wire import messages as m
from tests.hostile.operator import Seen


def topics_read(seen: Sequence[Seen]) -> dict[int, set[bytes]]:
    """By connection: topics that it subscribed to."""
    found: dict[int, set[bytes]] = {}
    for each in seen:
        if isinstance(each.request, m.Subscribe) and each.connection:
            found.setdefault(each.connection, set()).update(each.request.topics)
    return found


def inboxes_read(seen: Sequence[Seen]) -> dict[int, set[bytes]]:
    found: dict[int, set[bytes]] = {}
    for each in seen:
        if isinstance(each.request, m.Subscribe) and each.connection:
            inboxes = {labels.inbox_id(secret) for secret in each.request.inboxes}
            found.setdefault(each.connection, set()).update(inboxes)
    return found


def owners_filled(seen: Sequence[Seen]) -> dict[bytes, int]:
    """Owner of key packages -> the connection that fills its stock."""
    return {
        labels.owner_id(each.request.owner_secret): each.connection
        for each in seen
        if isinstance(each.request, m.PutKeyPackages) and each.connection
    }


def same_people(seen: Sequence[Seen]) -> list[set[int]]:
    """Connections of one device: one inbox has one reader, and one stock one owner."""
    groups: list[tuple[set[int], set[bytes]]] = []
    capabilities = inboxes_read(seen)
    for each in seen:
        if isinstance(each.request, m.PutKeyPackages) and each.connection:
            owner = labels.owner_id(each.request.owner_secret)
            capabilities.setdefault(each.connection, set()).add(owner)
    for connection, mine in sorted(capabilities.items()):
        joined = [group for group in groups if group[1] & mine]
        merged = ({connection}.union(*(g[0] for g in joined)), mine.union(*(g[1] for g in joined)))
        groups = [group for group in groups if group not in joined] + [merged]
    return [connections for connections, _ in groups]


def members(seen: Sequence[Seen]) -> dict[bytes, set[int]]:
    """Topic -> who reads it; a person is named by their first connection."""
    person = {c: min(group) for group in same_people(seen) for c in group}
    found: dict[bytes, set[int]] = {}
    for connection, topics in topics_read(seen).items():
        for topic in topics:
            found.setdefault(topic, set()).add(person.get(connection, connection))
    return found


def acquainted(seen: Sequence[Seen]) -> set[frozenset[int]]:
    """Pairs of people who share a topic of two."""
    return {
        frozenset(pair)
        for topic in members(seen).values()
        if len(topic) == 2
        for pair in combinations(topic, 2)
    }


def invited(seen: Sequence[Seen]) -> set[tuple[int, int]]:
    """(inviter, invited): who dropped into an inbox whose reader then took key packages of whom fills that stock."""
    person = {c: min(group) for group in same_people(seen) for c in group}
    reader = {inbox: c for c, inboxes in inboxes_read(seen).items() for inbox in inboxes}
    owner = owners_filled(seen)
    drops: dict[int, set[int]] = {}
    found: set[tuple[int, int]] = set()
    for each in seen:
        if isinstance(each.request, m.Drop) and each.request.inbox in reader and each.connection:
            drops.setdefault(reader[each.request.inbox], set()).add(each.connection)
        elif isinstance(each.request, m.TakeKeyPackage) and each.request.owner in owner:
            taken = owner[each.request.owner]
            if taken in drops.get(each.connection, ()):
                found.add((person[each.connection], person[taken]))
    return found


def writers(seen: Sequence[Seen]) -> dict[bytes, int]:
    """Record hash -> the connection that published it."""
    return {
        labels.record_hash(each.request.record): each.connection
        for each in seen
        if isinstance(each.request, m.Publish) and each.connection
    }


def sizes(seen: Sequence[Seen]) -> dict[int, int]:
    """Size of a record -> how many of it."""
    found: dict[int, int] = {}
    for each in seen:
        if isinstance(each.request, m.Publish):
            found[len(each.request.record)] = found.get(len(each.request.record), 0) + 1
    return dict(sorted(found.items()))


MOMENT = 10_000
"""ms between a commit and the topic that it leads to."""


def removed(seen: Sequence[Seen]) -> set[tuple[bytes, int]]:
    """(former topic, who was removed): who published into a slot creates a topic at once, and all but one read it."""
    person = {c: min(group) for group in same_people(seen) for c in group}
    readers = members(seen)
    commits: list[tuple[int, int, bytes]] = []
    made: set[bytes] = set()
    found: set[tuple[bytes, int]] = set()
    for each in seen:
        if isinstance(each.request, m.Publish) and each.request.slot:
            commits.append((each.time, each.connection, labels.topic_id(each.request.write_secret)))
        elif isinstance(each.request, m.CreateTopic):
            topic = labels.topic_id(each.request.write_secret)
            if topic in made:
                continue
            made.add(topic)
            for time, connection, former in commits:
                gone = readers.get(former, set()) - readers.get(topic, set())
                near = each.time - time <= MOMENT and person.get(connection) == person.get(each.connection)
                if near and len(gone) == 1 and readers.get(topic, set()) < readers[former]:
                    found.add((former, min(gone)))
    return found


def added(seen: Sequence[Seen]) -> dict[int, int]:
    """Person -> how many key packages of theirs were taken: how often somebody added them."""
    person = {c: min(group) for group in same_people(seen) for c in group}
    owner = owners_filled(seen)
    found: dict[int, int] = {}
    for each in seen:
        if isinstance(each.request, m.TakeKeyPackage) and each.request.owner in owner:
            whom = person[owner[each.request.owner]]
            found[whom] = found.get(whom, 0) + 1
    return found


# ---- tokens

PAID = (m.CreateTopic, m.CreateInbox, m.PutKeyPackages, m.PutBlob)


def asking(seen: Sequence[Seen]) -> dict[bytes, list[int]]:
    """Member secret -> when it asked for anything."""
    found: dict[bytes, list[int]] = {}
    for each in seen:
        if isinstance(each.request, m.JoinRelay | m.IssueTokens):
            found.setdefault(each.request.member_secret, []).append(each.time)
    return found


def became(seen: Sequence[Seen]) -> dict[bytes, int]:
    """Member secret -> the person who was last refused for want of a token before it was first seen: who is in need
    becomes a member at once."""
    person = {c: min(group) for group in same_people(seen) for c in group}
    found: dict[bytes, int] = {}
    last = 0
    for each in seen:
        if isinstance(each.request, PAID) and each.response == m.Refused(m.RefusalCode.TOKEN):
            last = each.connection
        elif isinstance(each.request, m.JoinRelay) and last:
            found.setdefault(each.request.member_secret, person.get(last, last))
    return found


def spent(seen: Sequence[Seen]) -> list[bytes]:
    """Tokens that paid, in order."""
    return [
        each.request.token
        for each in seen
        if isinstance(each.request, PAID)
        and each.request.token is not None
        and not isinstance(each.response, m.Refused)
    ]


def signed(seen: Sequence[Seen]) -> list[tuple[bytes, bytes]]:
    """(blinded message, signature) of kind use, in order."""
    found: dict[bytes, bytes] = {}
    for each in seen:
        if (
            isinstance(each.request, m.IssueTokens)
            and each.request.kind == m.TokenKind.USE
            and isinstance(each.response, m.TokensIssued)
        ):
            found |= dict(zip(each.request.blinded, each.response.signatures, strict=True))
    return list(found.items())
