"""Views made from the state."""

from __future__ import annotations

from polynya.core import mlsgroup, roles
from polynya.core._state import (
    Conversation,
    ConversationState,
    InviteState,
    Membership,
    Person,
)
from polynya.core.conversation import is_active, peer
from polynya.core.invites import LINK_VERSION
from polynya.core.state import ASKED, CONVERSATION, GROUP, INVITE, ME, MEMBERSHIP, OPENED, OPERATION, PERSON
from polynya.core.transaction import State
from polynya.core.views import (
    ContactView,
    ConversationView,
    InviteView,
    LastView,
    MemberView,
    MeView,
    OpenedInviteView,
    RequestView,
    SafetyView,
)
from polynya.crypto.hashes import sha512
from polynya.wire import safety as numbers
from polynya.wire.messages import SUITE_X25519, SUITE_XWING, ConversationKind, InviteLink


def fingerprint(identity: bytes) -> tuple[str, ...]:
    """8 groups of 5 digits for one identity, for before there is a conversation to compare."""
    digest = sha512(b"polynya identity 1" + identity)
    return tuple(f"{int.from_bytes(digest[5 * i : 5 * i + 5], 'big') % 100_000:05}" for i in range(8))


def me_view(state: State) -> MeView | None:
    own = state.get(ME, b"")
    if own is None:
        return None
    return MeView(own.identity, own.name, own.relay, own.read_receipts, fingerprint(own.identity))


def name_of(state: State, identity: bytes) -> str:
    own = state.get(ME, b"")
    return own.name if own is not None and own.identity == identity else _person(state, identity).name


# ---- conversations ----


def conversations(state: State) -> tuple[ConversationView, ...]:
    found = [view for key in state.keys(CONVERSATION) if (view := conversation(state, key)) is not None]
    return tuple(sorted(found, key=lambda view: (-view.activity, view.id)))


def conversation(state: State, conversation: bytes) -> ConversationView | None:
    row = state.get(CONVERSATION, conversation)
    present = state.get(MEMBERSHIP, conversation)
    own = state.get(ME, b"")
    if row is None or present is None or own is None:
        return None
    members = _members(state, present, own.identity)
    other = peer(present, own.identity)
    direct = row.kind == ConversationKind.DIRECT
    active = row.state == ConversationState.ACTIVE
    is_member = row.state in MEMBER
    admin = is_member and roles.is_admin(present, own.identity)
    blocked = direct and other is not None and _person(state, other).blocked
    other_suite = SUITE_X25519 if present.suite == SUITE_XWING else SUITE_XWING
    last = row.last
    return ConversationView(
        id=row.id,
        kind=row.kind,
        name=_direct_name(state, row, other) if direct else present.info.name,
        members=members,
        my_role="admin" if admin and not direct else "member" if is_member else "none",
        can_send=is_active(row) and not blocked,
        can_add=active and not direct and roles.may_add(present, own.identity, row.epoch),
        state=_state_name(row),
        last=None
        if last is None
        else LastView(last.id, last.sender, last.kind, last.text, last.time, last.mine, last.status),
        activity=row.activity,
        unread=row.unread,
        problem=row.problem,
        pending_operations=len(state.keys(OPERATION, conversation)),
        relay=row.relay.identity,
        post_quantum=present.suite == SUITE_XWING,
        can_move=active and not direct and admin and mlsgroup.fits(other_suite, len(present.members)),
    )


MEMBER = (
    ConversationState.ACTIVE,
    ConversationState.MOVING,
    ConversationState.LEAVING,
    ConversationState.STUCK,
)


def _state_name(row: Conversation) -> str:
    if row.state == ConversationState.ACTIVE and row.founding:
        return "waiting-first"
    return row.state.name.lower()


def _person(state: State, identity: bytes) -> Person:
    found = state.get(PERSON, identity)
    return found if found is not None else Person(identity, "", False, False, False, False)


def _members(state: State, present: Membership, own: bytes) -> tuple[MemberView, ...]:
    """By leaf, each person once."""
    admins = roles.effective_admins(present)
    direct = present.info.kind == ConversationKind.DIRECT
    views: list[MemberView] = []
    seen: set[bytes] = set()
    own_name = state.get(ME, b"")
    for member in present.members:
        identity = member.identity
        if identity in seen:
            continue
        seen.add(identity)
        me = identity == own
        somebody = _person(state, identity)
        name = own_name.name if me and own_name is not None else somebody.name
        views.append(MemberView(identity, name, not direct and identity in admins, me, somebody.verified))
    return tuple(views)


def _direct_name(state: State, row: Conversation, other: bytes | None) -> str:
    """While the founding commit waits the other is no member yet."""
    if other is not None:
        return _person(state, other).name
    for key in state.keys(OPERATION, row.id):
        operation = state.get(OPERATION, key)
        for candidate in () if operation is None else operation.candidates:
            return _person(state, candidate.identity).name
    return ""


def safety(state: State, conversation: bytes) -> SafetyView | None:
    row = state.get(CONVERSATION, conversation)
    present = state.get(MEMBERSHIP, conversation)
    cell = state.get(GROUP, conversation)
    own = state.get(ME, b"")
    if row is None or present is None or cell is None or own is None:
        return None
    other = peer(present, own.identity)
    if row.kind != ConversationKind.DIRECT or other is None:
        return None
    authenticator = cell.group().epoch_authenticator
    return SafetyView(
        numbers.safety_number(own.identity, other, authenticator),
        numbers.safety_qr(own.identity, other, authenticator),
        _person(state, other).verified,
    )


# ---- people ----


def contacts(state: State) -> tuple[ContactView, ...]:
    found = []
    for key in state.keys(PERSON):
        somebody = state.get(PERSON, key)
        if somebody is not None and (somebody.accepted or somebody.blocked):
            found.append(
                ContactView(
                    somebody.identity,
                    somebody.name,
                    somebody.verified,
                    somebody.blocked,
                    somebody.conversation,
                )
            )
    return tuple(sorted(found, key=lambda view: (view.name, view.identity)))


def requests(state: State) -> tuple[RequestView, ...]:
    found = []
    for key in state.keys(ASKED):
        asked = state.get(ASKED, key)
        if asked is not None:
            safety_groups = fingerprint(asked.identity)
            found.append(
                RequestView(asked.id, asked.identity, asked.name, asked.text, asked.time, safety_groups)
            )
    return tuple(sorted(found, key=lambda view: (view.time, view.id)))


def invites(state: State) -> tuple[InviteView, ...]:
    own = state.get(ME, b"")
    found = []
    for key in state.keys(INVITE):
        invite = state.get(INVITE, key)
        if invite is None or own is None:
            continue
        link = None
        if invite.state == InviteState.READY:
            link = InviteLink(LINK_VERSION, own.relay.identity, invite.card, invite.secret)
        found.append(InviteView(invite.id, link, invite.created, invite.expires, invite.state.name.lower()))
    return tuple(sorted(found, key=lambda view: (-view.created, view.id)))


def opened_invites(state: State) -> tuple[OpenedInviteView, ...]:
    found = []
    for key in state.keys(OPENED):
        opened = state.get(OPENED, key)
        if opened is not None:
            name = None if opened.card is None else opened.card.name
            identity = None if opened.card is None else opened.card.identity
            state_name, relay = opened.state.name.lower(), opened.relay.identity
            found.append(OpenedInviteView(key, name, identity, state_name, opened.problem, relay))
    return tuple(found)
