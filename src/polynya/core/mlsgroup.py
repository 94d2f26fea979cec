"""How conversations use MLS: leaves, the group's extensions, secrets of an epoch."""

from __future__ import annotations

from collections.abc import Sequence

from polynya.core._state import Me, MemberLeaf, Membership
from polynya.core.identity import accepted_leaf
from polynya.crypto.random import Random
from polynya.mls.credential import BasicCredential
from polynya.mls.extensions import VERSION_MLS10, Extension, find
from polynya.mls.group import Group, Member, make_key_package
from polynya.mls.keypackage import LAST_RESORT, KeyPackageBundle
from polynya.mls.leaf import Capabilities, Lifetime
from polynya.mls.suite import suite_of
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    EXTENSION_CONVERSATION,
    EXTENSION_TOPIC,
    SUITE_X25519,
    SUITE_XWING,
    XWING_MEMBERS_MAX,
    ConversationInfo,
    JoinInfo,
    decode_conversation_info,
    decode_join_info,
    encode_conversation_info,
    encode_join_info,
)

SUITES = (SUITE_XWING, SUITE_X25519)
"""Of which a device offers key packages."""

CAPABILITIES = Capabilities((VERSION_MLS10,), SUITES, (LAST_RESORT, EXTENSION_CONVERSATION, EXTENSION_TOPIC))

DAY = 86_400_000
"""ms"""
PACKAGE_LIFETIME = 90 * DAY
"""As long as a leaf may be silent."""
CLOCK_SLACK = DAY
"""How far clocks may differ before a new key package looks not yet valid."""
FOUNDER_LIFETIME = 3650 * DAY
"""A founder's first leaf: nobody judges it by time, as it never was offered to anybody."""


def lifetime(now: int, length: int) -> Lifetime:
    """From a little before `now` (ms) for `length` ms, in MLS's seconds."""
    return Lifetime(max(0, now - CLOCK_SLACK) // 1000, (now + length) // 1000)


def suite_for(members: int) -> int:
    """The suite of a new conversation made for so many."""
    return SUITE_XWING if fits(SUITE_XWING, members) else SUITE_X25519


def fits(suite: int, members: int) -> bool:
    """Whether a group of so many may have the suite."""
    return suite != SUITE_XWING or members <= XWING_MEMBERS_MAX


def new_key_package(me: Me, suite: int, now: int, last_resort: bool, random: Random) -> KeyPackageBundle:
    return make_key_package(
        suite_of(suite),
        BasicCredential(me.credential),
        me.device_secret,
        lifetime=lifetime(now, PACKAGE_LIFETIME),
        capabilities=CAPABILITIES,
        last_resort=last_resort,
        random=random,
    )


def new_group(me: Me, suite: int, group_id: bytes, info: ConversationInfo, now: int, random: Random) -> Group:
    return Group.create(
        suite_of(suite),
        group_id,
        BasicCredential(me.credential),
        me.device_secret,
        extensions=(info_extension(info),),
        capabilities=CAPABILITIES,
        lifetime=lifetime(now, FOUNDER_LIFETIME),
        random=random,
    )


# ---- extensions ----


def info_extension(info: ConversationInfo) -> Extension:
    return Extension(EXTENSION_CONVERSATION, encode_conversation_info(info))


def read_info(extensions: Sequence[Extension]) -> ConversationInfo | None:
    """The one ConversationInfo; None where it is missing, malformed, or not alone."""
    if len(extensions) != 1 or extensions[0].type != EXTENSION_CONVERSATION:
        return None
    try:
        return decode_conversation_info(extensions[0].data)
    except WireError:
        return None


def join_extension(join: JoinInfo) -> Extension:
    return Extension(EXTENSION_TOPIC, encode_join_info(join))


def read_join(extensions: Sequence[Extension]) -> JoinInfo | None:
    """Raises WireError for a malformed one; None where there is none (the joiner starts a new topic)."""
    data = find(extensions, EXTENSION_TOPIC)
    return None if data is None else decode_join_info(data)


# ---- an epoch ----


def topic_secret(group: Group) -> bytes:
    return group.export("polynya topic", b"", 32)


def slot(group: Group) -> bytes:
    return group.export("polynya slot", b"", 16)


def ephemeral_key(group: Group) -> bytes:
    return group.export("polynya ephemeral", b"", 32)


def read_membership(group: Group) -> Membership | None:
    """Who is in the group and what it is; None where a leaf is not accepted or the ConversationInfo is not in order."""
    info = read_info(group.context.extensions)
    members = read_members(group.members())
    if info is None or members is None:
        return None
    return Membership(info, group.own_leaf_index, group.suite.id, members, group.group_id)


def read_members(members: Sequence[Member]) -> tuple[MemberLeaf, ...] | None:
    """None where a leaf is not accepted."""
    found = []
    for member in members:
        device = accepted_leaf(member.credential, member.signature_key)
        if device is None:
            return None
        found.append(MemberLeaf(member.leaf_index, device.identity, member.signature_key))
    return tuple(found)
