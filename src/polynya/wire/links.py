"""Invite and relay links (protocol.md section 7): parse what people paste, build what they send on."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from polynya.crypto.hashes import sha256
from polynya.wire import cbor
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    PROTOCOL_VERSION,
    InviteLink,
    RelayAddress,
    RelayLink,
    decode_invite_link,
    decode_relay_link,
    encode_invite_link,
    encode_relay_link,
)

CHECK_SIZE = 4
"""Bytes of the check: 1 damaged link in 2^32 passes."""
ADDRESS_MAX = 256

_ADDRESS = re.compile(
    r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*\Z"
)
_LINK = re.compile(r"(?:(https?://[^#]*?)/*)?(?:#|\A)([ir])=(.*)\Z")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
PASTED_MAX = 8192
"""Characters; the longest link has some 700."""
_AROUND = "<>()[]{}\"'`.,;:!?\u00ab\u00bb\u201c\u201d\u2018\u2019"

MESSAGES = {
    "link-foreign": "This is not a Polynya link. Copy the whole link from the message you were sent.",
    "link-truncated": "The end of this link is missing. Copy it again, as a whole, or ask for it again.",
    "link-damaged": "This link was changed on its way. Ask for it again, best as a QR code.",
    "link-version": "This link was made by a newer Polynya. Update Polynya, then open the link again.",
    "link-address": "This link does not say where its relay is. Ask for the whole link, beginning with http.",
}


class LinkError(WireError):
    """A link that cannot be used; `code` and `rule` are the same, `str(error)` tells the person what to
    do."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.code = rule
        self.args = (MESSAGES[rule],)


@dataclass(frozen=True, slots=True)
class OpenedInviteLink:
    """An invite's link; nothing that it names has been asked yet."""

    address: RelayAddress
    link: InviteLink


@dataclass(frozen=True, slots=True)
class OpenedRelayLink:
    """A relay's own link."""

    address: RelayAddress
    link: RelayLink


def parse_link(text: str, base: str | None = None) -> OpenedInviteLink | OpenedRelayLink:
    """The link in what a person pasted: a whole link, or only its fragment with `base`, the address of the
    app.

    A link is found among other words, and where mail or chat broke it into lines or put punctuation around
    it. Raises LinkError.
    """
    words = _INVISIBLE.sub("", text[:PASTED_MAX]).split()
    problem = LinkError("link-foreign")
    for candidate in ("".join(words), *words):
        try:
            return _parse(candidate.strip(_AROUND), base)
        except LinkError as error:
            if error.rule != "link-foreign":
                problem = error
    raise problem


def _parse(text: str, base: str | None) -> OpenedInviteLink | OpenedRelayLink:
    found = _LINK.search(text if "#" in text else text.replace("%23", "#"))
    if found is None:
        raise LinkError("link-foreign")
    before, kind, payload = found.groups()
    data = _checked(payload.rstrip("="))
    try:
        link = decode_invite_link(data) if kind == "i" else decode_relay_link(data)
    except WireError:
        raise LinkError(_version_or_damage(data)) from None
    if link.version > PROTOCOL_VERSION:
        raise LinkError("link-version")
    url = link.url if link.url is not None else before if before is not None else base
    if url is None or not is_address(url := url.rstrip("/")):
        raise LinkError("link-address")
    address = RelayAddress(url, link.relay)
    return OpenedInviteLink(address, link) if isinstance(link, InviteLink) else OpenedRelayLink(address, link)


def build_invite_link(address: str, link: InviteLink) -> str:
    """`address`: where the app is, which is the relay's address unless `link.url` is there."""
    return _build(address, "i", encode_invite_link(link))


def build_relay_link(address: str, link: RelayLink) -> str:
    """As `build_invite_link`."""
    return _build(address, "r", encode_relay_link(link))


def is_address(url: str) -> bool:
    """Whether `url` is a relay's address: http(s)://host[:port]/path without user, query, fragment or last
    slash."""
    return len(url) <= ADDRESS_MAX and _ADDRESS.match(url) is not None


def _build(address: str, kind: str, data: bytes) -> str:
    if not is_address(address):
        raise LinkError("link-address")
    payload = base64.urlsafe_b64encode(data + _check(data)).decode().rstrip("=")
    return f"{address}/#{kind}={payload}"


def _check(data: bytes) -> bytes:
    return sha256(b"polynya link 1" + data)[:CHECK_SIZE]


def _checked(payload: str) -> bytes:
    """What the check covers; raises LinkError `link-truncated` or `link-damaged`."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", payload):
        raise LinkError("link-damaged")
    whole = payload[: len(payload) - (len(payload) % 4 == 1)]
    data = base64.urlsafe_b64decode(whole + "=" * (-len(whole) % 4))
    if base64.urlsafe_b64encode(data).decode().rstrip("=") == payload:
        body, check = data[:-CHECK_SIZE], data[-CHECK_SIZE:]
        if body and check == _check(body):
            return body
    raise LinkError("link-truncated" if _is_cut(data) else "link-damaged")


def _is_cut(data: bytes) -> bool:
    """Whether the end is missing: of the value, or of the check behind it."""
    for missing in range(CHECK_SIZE):
        try:
            cbor.decode(data[: len(data) - missing])
            return True
        except WireError as error:
            if error.rule != "cbor-trailing":
                return error.rule == "cbor-truncated"
    return False


def _version_or_damage(data: bytes) -> str:
    """A link whose check is right and whose form is unknown: made by a newer version, or by something
    else."""
    try:
        value = cbor.decode(data)
    except WireError:
        return "link-damaged"
    version = value.get(1) if isinstance(value, dict) else None
    return "link-version" if isinstance(version, int) and version > PROTOCOL_VERSION else "link-damaged"
