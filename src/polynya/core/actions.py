"""What the person does. Each may raise CoreError; then nothing has changed."""

from __future__ import annotations

from polynya.core import (
    contacts,
    ending,
    ephemeral,
    founding,
    identity,
    invites,
    leave,
    mlsgroup,
    operations,
    outbox,
    profiles,
    receipts,
    roles,
)
from polynya.core import events as e
from polynya.core._state import Conversation, ConversationState, OperationKind
from polynya.core.commands import MessageChanged
from polynya.core.conversation import (
    is_blocked_direct,
    membership,
    need,
    need_active,
    peer,
    show,
    update_own_preview,
)
from polynya.core.errors import CoreError
from polynya.core.history import Deleted, Edited, Reacted, StoredMessage
from polynya.core.transaction import Transaction
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    Content,
    ConversationKind,
    Delete,
    Edit,
    FileReference,
    Reaction,
    Text,
    encode_content,
)

ADMINS_MAX = 64
"""As ConversationInfo holds."""


def act(t: Transaction, action: e.SingleAction) -> None:
    match action:
        case e.CreateIdentity():
            identity.create(t, action.name, action.relay)
        case e.SetName():
            profiles.set_name(t, action.name)
        case e.SetSettings():
            identity.set_settings(t, action.read_receipts)
        case e.CreateInvite():
            invites.create(t, action)
        case e.RevokeInvite():
            invites.revoke(t, action.id)
        case e.UseInvite():
            contacts.use_invite(t, action.link, action.relay)
        case e.SendContactRequest():
            contacts.send_request(t, action.id, action.text)
        case e.AcceptRequest():
            contacts.accept(t, action.id)
        case e.DeclineRequest():
            contacts.decline(t, action.id)
        case e.BlockRequest():
            contacts.block_request(t, action.id)
        case e.BlockContact():
            contacts.set_blocked(t, action.identity, True)
        case e.UnblockContact():
            contacts.set_blocked(t, action.identity, False)
        case e.MarkVerified():
            contacts.mark_verified(t, action.identity, action.verified)
        case e.CreateGroup():
            founding.create_group(t, action.name, action.members)
        case e.AddMembers():
            _add_members(t, action)
        case e.RemoveMember():
            _remove_member(t, action)
        case e.Leave():
            leave.leave(t, action.conversation)
        case e.Rename():
            _rename(t, action)
        case e.SetAdmin():
            _set_admin(t, action)
        case e.MoveSuite():
            _move_suite(t, action)
        case e.SendContent():
            send(t, action.conversation, action.content, action.id)
        case e.MarkRead():
            receipts.mark_read(t, action.conversation, action.upto)
        case e.SetTyping():
            ephemeral.set_typing(t, action.conversation, action.active)
        case e.DeleteConversation():
            _delete(t, action.conversation)


def _need_group(t: Transaction, conversation: bytes) -> Conversation:
    found = need_active(t, conversation)
    if found.kind != ConversationKind.GROUP:
        raise CoreError("not-group")
    return found


def _need_admin(t: Transaction, conversation: bytes) -> Conversation:
    found = _need_group(t, conversation)
    if not roles.is_admin(membership(t, conversation), identity.me(t).identity):
        raise CoreError("not-admin")
    return found


def _is_member(t: Transaction, conversation: bytes, somebody: bytes) -> bool:
    return any(member.identity == somebody for member in membership(t, conversation).members)


def _add_members(t: Transaction, action: e.AddMembers) -> None:
    found = _need_group(t, action.conversation)
    present = membership(t, found.id)
    if not roles.may_add(present, identity.me(t).identity, found.epoch):
        raise CoreError("not-admin")
    new = tuple(i for i in action.identities if not _is_member(t, found.id, i))
    if not new:
        raise CoreError("already-member")
    if len(present.members) + len(new) > founding.GROUP_MEMBERS_MAX:
        raise CoreError("too-many")
    operations.add(t, found.id, OperationKind.ADD, candidates=founding.contacts(t, new))
    operations.tried_again(t, found.id)


def _remove_member(t: Transaction, action: e.RemoveMember) -> None:
    found = _need_admin(t, action.conversation)
    if action.identity == identity.me(t).identity:
        leave.leave(t, found.id)
        return
    if not _is_member(t, found.id, action.identity):
        raise CoreError("not-member")
    operations.add(t, found.id, OperationKind.REMOVE, identities=(action.identity,))


def _rename(t: Transaction, action: e.Rename) -> None:
    found = _need_admin(t, action.conversation)
    operations.add(t, found.id, OperationKind.RENAME, name=identity.check_name(action.name))


def _set_admin(t: Transaction, action: e.SetAdmin) -> None:
    found = _need_admin(t, action.conversation)
    if not _is_member(t, found.id, action.identity):
        raise CoreError("not-member")
    if action.admin and len(membership(t, found.id).info.admins) >= ADMINS_MAX:
        raise CoreError("too-many")
    kind = OperationKind.ADMIN if action.admin else OperationKind.UNADMIN
    operations.add(t, found.id, kind, identities=(action.identity,))


def _move_suite(t: Transaction, action: e.MoveSuite) -> None:
    found = _need_admin(t, action.conversation)
    present = membership(t, found.id)
    if found.state == ConversationState.MOVING:
        raise CoreError("moving")
    if action.suite not in mlsgroup.SUITES:
        raise CoreError("suite-unknown")
    if action.suite == present.suite:
        raise CoreError("suite-in-force")
    if not mlsgroup.fits(action.suite, len(present.members)):
        raise CoreError("too-many-for-suite")
    operations.add(t, found.id, OperationKind.MOVE, suite=action.suite)


MEMBER = (ConversationState.ACTIVE, ConversationState.MOVING, ConversationState.LEAVING)
"""States in which others count on us."""


def _delete(t: Transaction, conversation: bytes) -> None:
    found = need(t, conversation)
    if found.state in MEMBER:
        raise CoreError("leave-first")
    ending.end(t, conversation, ConversationState.LEFT)
    ending.delete(t, conversation)


# ---- messages ----


def check_content(content: Content) -> None:
    """Raises CoreError `bad-content`."""
    if isinstance(content, (Text, Edit)) and not content.text.strip():
        raise CoreError("bad-content")
    if not isinstance(content, (Text, FileReference, Reaction, Edit, Delete)):
        raise CoreError("bad-content")
    try:
        encode_content(content)
    except (WireError, UnicodeEncodeError):
        raise CoreError("bad-content") from None


def send(t: Transaction, conversation: bytes, content: Content, message_id: bytes | None) -> None:
    """Shown at once; sent when its turn comes."""
    found = need_active(t, conversation)
    check_content(content)
    if message_id is not None and len(message_id) != 16:
        raise CoreError("bad-content")
    own = identity.me(t).identity
    other = peer(membership(t, conversation), own)
    if other is not None and is_blocked_direct(t, found, other):
        raise CoreError("blocked")
    message_id = outbox.queue(t, conversation, content, message_id)
    if isinstance(content, (Text, FileReference)):
        message = StoredMessage(
            conversation=conversation,
            id=message_id,
            sender=own,
            mine=True,
            sent=t.time,
            time=None,
            order=None,
            content=content,
            status="waiting",
        )
        show(t, message)
        return
    if isinstance(content, Edit):
        t.amend(conversation, content.target, Edited(own, content.text, None))
        update_own_preview(t, conversation, content.target, content.text)
    elif isinstance(content, Delete):
        t.amend(conversation, content.target, Deleted(own))
        update_own_preview(t, conversation, content.target, "")
    elif isinstance(content, Reaction):
        t.amend(conversation, content.target, Reacted(own, content.emoji, None))
    if isinstance(content, (Edit, Delete, Reaction)):
        t.notify(MessageChanged(conversation, content.target))
