"""Application and proposal messages of a group: sending and opening (RFC 9420 sections 6 and 15)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from polynya.crypto.random import Random
from polynya.mls import protect
from polynya.mls.codec import decode
from polynya.mls.errors import MlsError, WrongEpochError
from polynya.mls.framing import (
    APPLICATION,
    MEMBER,
    PRIVATE_MESSAGE,
    PUBLIC_MESSAGE,
    AuthData,
    AuthenticatedContent,
    Content,
    FramedContent,
    PrivateMessage,
    PublicMessage,
    Sender,
    content_type,
    encode_message,
    read_message,
    read_private_message,
    split_message,
)
from polynya.mls.groupcontext import GroupContext, check_epoch
from polynya.mls.leaf import LeafNode
from polynya.mls.secrettree import SecretTree
from polynya.mls.state import GroupState
from polynya.mls.views import ApplicationMessage, Member, MessageInfo


def inspect(message: bytes) -> MessageInfo:
    """Group, epoch and kind of a public or private message, before anything is verified; raises MlsError."""
    body = decode(read_message, message)
    if isinstance(body, PublicMessage):
        content = body.content
        check_epoch(content.epoch)
        return MessageInfo(content.group_id, content.epoch, content_type(content.content), False)
    if isinstance(body, PrivateMessage):
        check_epoch(body.epoch)
        return MessageInfo(body.group_id, body.epoch, body.content_type, True)
    raise MlsError("6-not-a-group-message")


def send(
    state: GroupState,
    content: Content,
    authenticated_data: bytes,
    *,
    private: bool,
    padding: int,
    random: Random,
) -> tuple[GroupState, AuthenticatedContent, bytes]:
    """Signs and frames application data or a proposal: (state after, content, MLSMessage)."""
    suite, context = state.suite, state.context
    framed = FramedContent(
        context.group_id, context.epoch, Sender(MEMBER, state.own_leaf), authenticated_data, content
    )
    wire_format = PRIVATE_MESSAGE if private else PUBLIC_MESSAGE
    signature = protect.sign_content(suite, wire_format, framed, context, state.signature_private)
    signed = AuthenticatedContent(wire_format, framed, AuthData(signature, None))
    if not private:
        public = protect.protect_public(suite, signed, context, state.secrets.membership_key)
        return state, signed, encode_message(public)
    secret_tree, message = protect.protect_private(
        suite, state.secret_tree, state.secrets.sender_data_secret, signed, padding, random
    )
    return replace(state, secret_tree=secret_tree), signed, encode_message(message)


def receive(state: GroupState, message: bytes) -> tuple[GroupState, ApplicationMessage]:
    """Opens an application message of this or a past epoch: the state without its key, and the message."""
    wire_format, encoded = split_message(message)
    if wire_format != PRIVATE_MESSAGE:
        raise MlsError("6-not-application")
    body = decode(read_private_message, encoded)
    if body.content_type != APPLICATION:
        raise MlsError("6-not-application")
    context = state.context
    if body.group_id != context.group_id:
        raise MlsError("6-group-id")
    if body.epoch == context.epoch:
        tree, received = _open(
            state,
            body,
            context,
            state.tree.leaf,
            state.secrets.sender_data_secret,
            state.secret_tree,
        )
        return replace(state, secret_tree=tree), received
    for place, epoch in enumerate(state.past):
        if epoch.context.epoch == body.epoch:
            tree, received = _open(
                state, body, epoch.context, epoch.leaf, epoch.sender_data_secret, epoch.secret_tree
            )
            past = list(state.past)
            past[place] = replace(epoch, secret_tree=tree)
            return replace(state, past=tuple(past)), received
    raise WrongEpochError("6-epoch-unknown", f"{body.epoch}, while the group is in {context.epoch}")


def _open(
    state: GroupState,
    body: PrivateMessage,
    context: GroupContext,
    leaf_at: Callable[[int], LeafNode | None],
    sender_data_secret: bytes,
    secret_tree: SecretTree,
) -> tuple[SecretTree, ApplicationMessage]:
    tree, opened, leaf = protect.unprotect_private(
        state.suite, secret_tree, sender_data_secret, body, leaf_at
    )
    sender = opened.content.sender.index
    # `receive` lets only application data come here, and its content decodes to bytes.
    data = cast("bytes", opened.content.content)
    check_not_own(state, sender)
    protect.check_content_signature(state.suite, opened, context, leaf.signature_key)
    member = Member.of(sender, leaf)
    return tree, ApplicationMessage(sender, member, body.epoch, data, body.authenticated_data)


def check_not_own(state: GroupState, sender: int) -> None:
    """Own messages are known already; opening one would step the ratchet that is for sending."""
    if sender == state.own_leaf:
        raise MlsError("6.3.2-own-message")
