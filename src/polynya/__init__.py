"""A messenger for people whose messenger has been blocked: SDK for Python.

    async with polynya.Client("~/.local/share/polynya/anna") as client: ...

Names are loaded when they are first used, so that importing one part does not load the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from polynya.client import Client as Client
    from polynya.client.appevents import ClientEvent as ClientEvent
    from polynya.client.appevents import ContactAccepted as ContactAccepted
    from polynya.client.appevents import ContactsChanged as ContactsChanged
    from polynya.client.appevents import ConversationChanged as ConversationChanged
    from polynya.client.appevents import EventsLost as EventsLost
    from polynya.client.appevents import InvitesChanged as InvitesChanged
    from polynya.client.appevents import LinkChanged as LinkChanged
    from polynya.client.appevents import MeChanged as MeChanged
    from polynya.client.appevents import MessageChanged as MessageChanged
    from polynya.client.appevents import MessageReceived as MessageReceived
    from polynya.client.appevents import MessageSent as MessageSent
    from polynya.client.appevents import ProblemRaised as ProblemRaised
    from polynya.client.appevents import RequestReceived as RequestReceived
    from polynya.client.appevents import RequestsChanged as RequestsChanged
    from polynya.client.appevents import TypingChanged as TypingChanged
    from polynya.client.errors import ClientError as ClientError
    from polynya.client.errors import StoreError as StoreError
    from polynya.client.link import LinkState as LinkState
    from polynya.client.values import File as File
    from polynya.client.values import Invitation as Invitation
    from polynya.client.values import Message as Message
    from polynya.client.values import Reaction as Reaction
    from polynya.client.values import SystemNote as SystemNote
    from polynya.core.errors import CoreError as CoreError
    from polynya.core.views import ContactView as ContactView
    from polynya.core.views import ConversationView as ConversationView
    from polynya.core.views import InviteView as InviteView
    from polynya.core.views import MeView as MeView
    from polynya.core.views import RequestView as RequestView
    from polynya.core.views import SafetyView as SafetyView
    from polynya.errors import PolynyaError as PolynyaError
    from polynya.wire.links import LinkError as LinkError

_HOMES = {
    "polynya.client": ("Client",),
    "polynya.client.appevents": (
        "ClientEvent",
        "ContactAccepted",
        "ContactsChanged",
        "ConversationChanged",
        "EventsLost",
        "InvitesChanged",
        "LinkChanged",
        "MeChanged",
        "MessageChanged",
        "MessageReceived",
        "MessageSent",
        "ProblemRaised",
        "RequestReceived",
        "RequestsChanged",
        "TypingChanged",
    ),
    "polynya.client.errors": ("ClientError", "StoreError"),
    "polynya.client.link": ("LinkState",),
    "polynya.client.values": ("File", "Invitation", "Message", "Reaction", "SystemNote"),
    "polynya.core.errors": ("CoreError",),
    "polynya.core.views": (
        "ContactView",
        "ConversationView",
        "InviteView",
        "MeView",
        "RequestView",
        "SafetyView",
    ),
    "polynya.errors": ("PolynyaError",),
    "polynya.wire.links": ("LinkError",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'polynya' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
