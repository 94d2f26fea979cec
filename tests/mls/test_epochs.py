"""The end of the epochs: whoever founds a group says where they begin."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.mls import protect
from polynya.mls.codec import decode
from polynya.mls.credential import BasicCredential
from polynya.mls.described import read_group_info
from polynya.mls.framing import (
    PUBLIC_MESSAGE,
    AuthenticatedContent,
    PublicMessage,
    encode_message,
    read_message,
)
from polynya.mls.group import Group, inspect
from polynya.mls.groupcontext import LAST_EPOCH
from polynya.mls.proposal import Add
from tests.mls.parties import (
    NOW,
    capabilities,
    follow,
    forge,
    found,
    in_agreement,
    join,
    key_package,
    refuses,
)
from tests.support.seeded import SeededRandom


def late_group(random: SeededRandom, epoch: int) -> list[Group]:
    """Two members in `epoch` + 1, by a founder who began so late."""
    founder = found(random)
    context = replace(founder.context, epoch=epoch)
    bundle = key_package("1", random)
    late = Group(replace(founder._state, context=context))
    pending = late.commit([Add(bundle.key_package)], now=NOW, random=random)
    return [late.merge_commit(pending), join(pending.welcome, bundle).group]


def test_the_last_epoch_is_the_last() -> None:
    random = SeededRandom(1)
    groups = late_group(random, LAST_EPOCH - 2)
    pending = groups[0].commit(now=NOW, random=random)
    groups = [groups[0].merge_commit(pending), follow(groups[1], pending.message)]
    assert in_agreement(groups) and groups[1].epoch == LAST_EPOCH
    refuses("8.1-last-epoch", lambda: groups[0].commit(now=NOW, random=random))
    refuses("8.1-last-epoch", lambda: forge(groups[0], [], random))
    info = groups[0].group_info(external_pub=True)
    refuses(
        "8.1-last-epoch",
        lambda: Group.join_external(
            info, BasicCredential(b"x"), random.bytes(32), capabilities=capabilities(), random=random
        ),
    )


def test_nobody_is_led_back_to_the_first_epoch() -> None:
    """A commit of the last epoch by somebody whose arithmetic has no end."""
    random = SeededRandom(2)
    early, late = late_group(random, 4), late_group(SeededRandom(2), LAST_EPOCH - 1)
    made = early[0].commit(now=NOW, random=random).message
    assert late[1].epoch == LAST_EPOCH
    refuses("12.4.2-epoch", lambda: late[1].verify_commit(made, now=NOW))
    hostile = Group(replace(late[0]._state, context=replace(late[0].context, epoch=4)))
    with_path = forge(hostile, [], random)
    refuses("8.1-last-epoch", lambda: late[1].verify_commit(resigned(with_path, late[0]), now=NOW))


@pytest.mark.parametrize("epoch", [LAST_EPOCH + 1, (1 << 64) - 1])
def test_an_epoch_that_a_browser_cannot_tell_from_another_is_in_no_group(epoch: int) -> None:
    random = SeededRandom(3)
    founder = found(random)
    late = Group(replace(founder._state, context=replace(founder.context, epoch=epoch)))
    info = late.group_info(external_pub=True)
    message = late.encrypt(b"text", random=random)[1]
    outside = BasicCredential(b"x")
    refuses(
        "8.1-last-epoch",
        lambda: Group.join_external(
            info, outside, random.bytes(32), capabilities=capabilities(), random=random
        ),
    )
    refuses("8.1-last-epoch", lambda: read_group_info(info))
    refuses("8.1-last-epoch", lambda: Group.from_parts(late.parts()))
    refuses("8.1-last-epoch", lambda: inspect(message))
    refuses("8.1-last-epoch", lambda: inspect(resigned(founder.commit(now=NOW, random=random).message, late)))


def test_the_last_epoch_can_be_stored_and_told() -> None:
    random = SeededRandom(4)
    group = late_group(random, LAST_EPOCH - 1)[1]
    assert Group.from_parts(group.parts()).epoch == LAST_EPOCH
    assert inspect(group.encrypt(b"text", random=random)[1]).epoch == LAST_EPOCH


def resigned(message: bytes, group: Group) -> bytes:
    """A public commit with the epoch of `group`, signed and tagged by its member."""
    body = decode(read_message, message)
    assert isinstance(body, PublicMessage)
    state = group._state
    content = replace(body.content, epoch=group.epoch)
    key = state.signature_private
    signature = protect.sign_content(state.suite, PUBLIC_MESSAGE, content, state.context, key)
    signed = AuthenticatedContent(PUBLIC_MESSAGE, content, replace(body.auth, signature=signature))
    return encode_message(
        protect.protect_public(state.suite, signed, state.context, state.secrets.membership_key)
    )
