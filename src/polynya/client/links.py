"""Links as people paste them, and the carriers to the relay that a link names."""

from __future__ import annotations

from collections.abc import Mapping

from polynya.carriers.base import Carrier
from polynya.carriers.https import HttpsCarrier
from polynya.carriers.websocket import WebSocketCarrier
from polynya.client.errors import ClientError
from polynya.wire.links import OpenedInviteLink, OpenedRelayLink, build_invite_link, parse_link
from polynya.wire.messages import InviteLink, RelayAddress


def direct_carriers(address: RelayAddress) -> Mapping[str, Carrier]:
    """Straight to the relay: a WebSocket, and single requests where that fails."""
    return {"websocket": WebSocketCarrier(address.url), "https": HttpsCarrier(address.url)}


def home_link(text: str) -> OpenedRelayLink | OpenedInviteLink:
    """A link that says where a new identity can be at home: a relay's own, or the invite of somebody who uses a relay.
    Raises LinkError."""
    return parse_link(text)


def invite_link(text: str) -> OpenedInviteLink:
    """Of a person's invite; raises LinkError or ClientError."""
    opened = parse_link(text)
    if not isinstance(opened, OpenedInviteLink):
        raise ClientError("not-invite-link")
    return opened


def invite_text(url: str, link: InviteLink) -> str:
    """What to hand on."""
    return build_invite_link(url, link)


def invite_problem(code: str | None) -> ClientError:
    """Why an opened invite leads nowhere."""
    return ClientError(
        code if code in ("invite-used", "invite-expired", "invite-own", "invite-tampered") else "invite-gone"
    )
