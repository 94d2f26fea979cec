"""Messages on the wire (RFC 9420 section 6): structures only; `protect` makes and opens them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from polynya.mls.codec import Reader, opaque, u8, u16, u32, u64
from polynya.mls.commit import Commit, read_commit
from polynya.mls.errors import MalformedError
from polynya.mls.extensions import VERSION_MLS10
from polynya.mls.groupcontext import GroupContext
from polynya.mls.groupinfo import GroupInfo, read_group_info
from polynya.mls.keypackage import KeyPackage, read_key_package
from polynya.mls.proposal import Proposal, encode_proposal, read_proposal
from polynya.mls.welcome import Welcome, read_welcome

APPLICATION = 1
PROPOSAL = 2
COMMIT = 3

MEMBER = 1
EXTERNAL = 2
NEW_MEMBER_PROPOSAL = 3
NEW_MEMBER_COMMIT = 4

PUBLIC_MESSAGE = 1
PRIVATE_MESSAGE = 2
WELCOME = 3
GROUP_INFO = 4
KEY_PACKAGE = 5

WIRE_FORMATS = frozenset((PUBLIC_MESSAGE, PRIVATE_MESSAGE, WELCOME, GROUP_INFO, KEY_PACKAGE))


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent: `index` is a leaf index (member), a place in `external_senders` (external), else 0."""

    type: int
    index: int = 0

    def encode(self) -> bytes:
        return u8(self.type) + (u32(self.index) if self.type in (MEMBER, EXTERNAL) else b"")


def read_sender(reader: Reader) -> Sender:
    kind = reader.u8()
    if kind in (MEMBER, EXTERNAL):
        return Sender(kind, reader.u32())
    if kind in (NEW_MEMBER_PROPOSAL, NEW_MEMBER_COMMIT):
        return Sender(kind)
    raise MalformedError("6-sender-type", str(kind))


Content: TypeAlias = bytes | Proposal | Commit


def content_type(content: Content) -> int:
    if isinstance(content, bytes):
        return APPLICATION
    return COMMIT if isinstance(content, Commit) else PROPOSAL


def encode_content(content: Content) -> bytes:
    """The body after the content type."""
    if isinstance(content, bytes):
        return opaque(content)
    return content.encode() if isinstance(content, Commit) else encode_proposal(content)


def read_content(reader: Reader, kind: int) -> Content:
    if kind == APPLICATION:
        return reader.opaque()
    if kind == PROPOSAL:
        return read_proposal(reader)
    if kind == COMMIT:
        return read_commit(reader)
    raise MalformedError("6-content-type", str(kind))


@dataclass(frozen=True, slots=True)
class FramedContent:
    """Content, who sent it, and for which epoch."""

    group_id: bytes
    epoch: int
    sender: Sender
    authenticated_data: bytes
    content: Content = field(repr=False)

    def encode(self) -> bytes:
        return b"".join(
            (
                opaque(self.group_id),
                u64(self.epoch),
                self.sender.encode(),
                opaque(self.authenticated_data),
                u8(content_type(self.content)),
                encode_content(self.content),
            )
        )


def read_framed_content(reader: Reader) -> FramedContent:
    group_id, epoch, sender, data = reader.opaque(), reader.u64(), read_sender(reader), reader.opaque()
    return FramedContent(group_id, epoch, sender, data, read_content(reader, reader.u8()))


@dataclass(frozen=True, slots=True)
class AuthData:
    """FramedContentAuthData: commits carry a confirmation tag, nothing else does."""

    signature: bytes
    confirmation_tag: bytes | None

    def encode(self) -> bytes:
        tag = b"" if self.confirmation_tag is None else opaque(self.confirmation_tag)
        return opaque(self.signature) + tag


def read_auth(reader: Reader, kind: int) -> AuthData:
    return AuthData(reader.opaque(), reader.opaque() if kind == COMMIT else None)


@dataclass(frozen=True, slots=True)
class AuthenticatedContent:
    """Content with the form in which it travels and its authentication."""

    wire_format: int
    content: FramedContent
    auth: AuthData

    def encode(self) -> bytes:
        return u16(self.wire_format) + self.content.encode() + self.auth.encode()


def read_authenticated_content(reader: Reader) -> AuthenticatedContent:
    wire_format, content = reader.u16(), read_framed_content(reader)
    return AuthenticatedContent(wire_format, content, read_auth(reader, content_type(content.content)))


def content_tbs(wire_format: int, content: FramedContent, context: GroupContext | None) -> bytes:
    """FramedContentTBS: members and external joiners sign the GroupContext too."""
    head = u16(VERSION_MLS10) + u16(wire_format) + content.encode()
    if content.sender.type not in (MEMBER, NEW_MEMBER_COMMIT):
        return head
    if context is None:
        raise MalformedError("6.1-context")
    return head + context.encode()


@dataclass(frozen=True, slots=True)
class PublicMessage:
    """A message that is signed, and not encrypted."""

    content: FramedContent
    auth: AuthData
    membership_tag: bytes | None

    def encode(self) -> bytes:
        tag = b"" if self.membership_tag is None else opaque(self.membership_tag)
        return self.content.encode() + self.auth.encode() + tag


def read_public_message(reader: Reader) -> PublicMessage:
    content = read_framed_content(reader)
    auth = read_auth(reader, content_type(content.content))
    return PublicMessage(content, auth, reader.opaque() if content.sender.type == MEMBER else None)


@dataclass(frozen=True, slots=True)
class PrivateMessage:
    """A message that is signed and encrypted."""

    group_id: bytes
    epoch: int
    content_type: int
    authenticated_data: bytes
    encrypted_sender_data: bytes
    ciphertext: bytes

    def encode(self) -> bytes:
        return b"".join(
            (
                opaque(self.group_id),
                u64(self.epoch),
                u8(self.content_type),
                opaque(self.authenticated_data),
                opaque(self.encrypted_sender_data),
                opaque(self.ciphertext),
            )
        )


def read_private_message(reader: Reader) -> PrivateMessage:
    group_id, epoch, kind = reader.opaque(), reader.u64(), reader.u8()
    if kind not in (APPLICATION, PROPOSAL, COMMIT):
        raise MalformedError("6-content-type", str(kind))
    return PrivateMessage(group_id, epoch, kind, reader.opaque(), reader.opaque(), reader.opaque())


MessageBody: TypeAlias = PublicMessage | PrivateMessage | Welcome | GroupInfo | KeyPackage


def _wire_format(body: MessageBody) -> int:
    match body:
        case PublicMessage():
            return PUBLIC_MESSAGE
        case PrivateMessage():
            return PRIVATE_MESSAGE
        case Welcome():
            return WELCOME
        case GroupInfo():
            return GROUP_INFO
        case KeyPackage():
            return KEY_PACKAGE


def encode_message(body: MessageBody) -> bytes:
    """An MLSMessage."""
    return u16(VERSION_MLS10) + u16(_wire_format(body)) + body.encode()


def split_message(data: bytes) -> tuple[int, bytes]:
    """(wire format, encoded body) of an MLSMessage, whose body nobody has read; raises MalformedError."""
    reader = Reader(data)
    if reader.u16() != VERSION_MLS10:
        raise MalformedError("6-version")
    kind = reader.u16()
    if kind not in WIRE_FORMATS:
        raise MalformedError("6-wire-format", str(kind))
    return kind, data[reader.pos :]


def read_message(reader: Reader) -> MessageBody:
    """An MLSMessage of version MLS 1.0."""
    if reader.u16() != VERSION_MLS10:
        raise MalformedError("6-version")
    kind = reader.u16()
    if kind == PUBLIC_MESSAGE:
        return read_public_message(reader)
    if kind == PRIVATE_MESSAGE:
        return read_private_message(reader)
    if kind == WELCOME:
        return read_welcome(reader)
    if kind == GROUP_INFO:
        return read_group_info(reader)
    if kind == KEY_PACKAGE:
        key_package = read_key_package(reader)
        if key_package.version != VERSION_MLS10:
            raise MalformedError("10-version")
        return key_package
    raise MalformedError("6-wire-format", str(kind))
