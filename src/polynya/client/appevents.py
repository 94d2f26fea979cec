"""What a running client tells programs, in past tense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from polynya.client.link import LinkState
from polynya.client.values import Message
from polynya.core.views import ConversationView, RequestView


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """Somebody else's message is in the history."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageSent:
    """One of our own is in the history; it may still wait for the relay."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """Edited, deleted, reacted to, delivered, read, or its status changed."""

    message: Message


@dataclass(frozen=True, slots=True)
class ConversationChanged:
    """New, renamed, other members, another state. None where it was deleted here."""

    id: bytes
    conversation: ConversationView | None


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """Somebody who has our invite wants to talk."""

    request: RequestView


@dataclass(frozen=True, slots=True)
class RequestsChanged:
    pass


@dataclass(frozen=True, slots=True)
class ContactsChanged:
    pass


@dataclass(frozen=True, slots=True)
class ContactAccepted:
    """Somebody whose invite we used has accepted us."""

    conversation: ConversationView


@dataclass(frozen=True, slots=True)
class InvitesChanged:
    pass


@dataclass(frozen=True, slots=True)
class TypingChanged:
    conversation: bytes
    identity: bytes
    active: bool


@dataclass(frozen=True, slots=True)
class MeChanged:
    """Own name or settings."""


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The relay is reached in another way than before, or not at all."""

    relay: bytes
    state: LinkState


@dataclass(frozen=True, slots=True)
class ProblemRaised:
    """Something is wrong that a person should know; `code` is stable."""

    code: str
    conversation: bytes | None = None


@dataclass(frozen=True, slots=True)
class EventsLost:
    """The program was slower than the events; the history holds everything."""


ClientEvent: TypeAlias = (
    MessageReceived
    | MessageSent
    | MessageChanged
    | ConversationChanged
    | RequestReceived
    | RequestsChanged
    | ContactsChanged
    | ContactAccepted
    | InvitesChanged
    | TypingChanged
    | MeChanged
    | LinkChanged
    | ProblemRaised
    | EventsLost
)
