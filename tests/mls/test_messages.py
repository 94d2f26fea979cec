"""Application messages: once, in any order, late, and from nobody but their sender."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.mls import checks, messages, protect, secrettree
from polynya.mls.codec import decode
from polynya.mls.errors import MalformedError, MlsError, ReplayedError, WrongEpochError
from polynya.mls.framing import PrivateMessage, encode_message, read_message
from polynya.mls.group import X25519, Group, inspect
from polynya.mls.proposal import Remove
from polynya.mls.secrettree import APPLICATION, HANDSHAKE, MAX_AHEAD, MAX_GENERATION, MAX_SKIPPED, SecretTree
from tests.mls.parties import advance, commit_by, group_of, refuses, unchecked
from tests.support.seeded import SeededRandom


def send(group: Group, count: int, random: SeededRandom) -> tuple[Group, list[bytes]]:
    sent = []
    for number in range(count):
        group, message = group.encrypt(str(number).encode(), random=random)
        sent.append(message)
    return group, sent


def test_out_of_order_and_exactly_once() -> None:
    random = SeededRandom(1)
    groups = group_of(3, random)
    _, sent = send(groups[0], 12, random)
    order = [5, 0, 11, 3, 1, 2, 4, 10, 6, 7, 9, 8]
    receiver = groups[1]
    for number in order:
        receiver, received = receiver.decrypt(sent[number])
        assert received.data == str(number).encode()
        if number == 3:
            receiver = Group.decode(receiver.encode())
    for message in sent:
        with pytest.raises(ReplayedError) as caught:
            receiver.decrypt(message)
        assert caught.value.rule == "9.2-consumed"
    _, again = groups[2].decrypt(sent[0])  # others open it for themselves
    assert again.data == b"0"


def test_a_spent_key_is_gone_from_the_state() -> None:
    random = SeededRandom(2)
    groups = group_of(2, random)
    tree = groups[1]._state.secret_tree
    key, _ = tree.take(X25519, 0, APPLICATION, 0)
    leaf_secrets = [*tree.secrets.values()]
    _, sent = send(groups[0], 3, random)
    after, _ = groups[1].decrypt(sent[2])
    blob = after.encode()
    for secret in leaf_secrets:  # the tree's root is consumed with the first key below it
        assert secret in groups[1].encode() and secret not in blob
    assert key.key in blob  # skipped: it may still come
    after, _ = after.decrypt(sent[0])
    assert key.key not in after.encode() and key.nonce not in after.encode()


def test_sending_spends_the_key_before_the_message_leaves() -> None:
    random = SeededRandom(3)
    groups = group_of(2, random)
    key, _ = groups[0]._state.secret_tree.take(X25519, 0, APPLICATION, 0)
    after, _ = groups[0].encrypt(b"text", random=random)
    assert key.key not in after.encode()
    _, first = after.encrypt(b"a", random=random)
    _, second = groups[0].encrypt(b"a", random=random)
    assert first != second


def test_own_messages_do_not_open() -> None:
    random = SeededRandom(4)
    groups = group_of(2, random)
    group, message = groups[0].encrypt(b"text", random=random)
    with pytest.raises(ReplayedError):
        group.decrypt(message)
    refuses("6.3.2-own-message", lambda: groups[0].decrypt(message))
    with unchecked(messages, "check_not_own"):
        assert groups[0].decrypt(message)[1].data == b"text"


def test_late_messages_of_past_epochs_open_with_the_sender_of_that_epoch() -> None:
    random = SeededRandom(5)
    groups = group_of(4, random)
    groups[3], late = groups[3].encrypt(b"late", random=random)
    groups[2], later = groups[2].encrypt(b"later", random=random)
    then = groups[1].member(3)
    groups[0], opened_before = groups[0].encrypt(b"in time", random=random)
    groups[1], _ = groups[1].decrypt(opened_before)
    after = advance(groups[:3], 0, groups[0].commit([Remove(3)], now=1_800_000_000_000, random=random))
    after = commit_by(after, 1, random)
    receiver = Group.decode(after[1].encode())
    assert receiver.past_epochs == (1, 2)
    assert receiver.member(3) is None
    receiver, received = receiver.decrypt(late)
    assert (received.data, received.epoch, received.sender) == (b"late", 1, then)
    with pytest.raises(ReplayedError):
        receiver.decrypt(late)
    with pytest.raises(ReplayedError):
        receiver.decrypt(opened_before)
    receiver = Group.decode(receiver.encode())
    receiver = receiver.forget_epochs_before(2)
    assert receiver.past_epochs == (2,)
    with pytest.raises(WrongEpochError) as caught:
        receiver.decrypt(later)
    assert caught.value.rule == "6-epoch-unknown"


def test_past_epochs_hold_nothing_that_sends() -> None:
    random = SeededRandom(6)
    groups = group_of(2, random)
    state = groups[0]._state
    own, _ = state.secret_tree.take(X25519, 0, APPLICATION, 0)
    after = commit_by(groups, 1, random)
    past = after[0]._state.past[-1]
    assert not [place for place in past.secret_tree.ratchets if place[0] == 0 or place[1] == HANDSHAKE]
    with pytest.raises(ReplayedError) as caught:
        past.secret_tree.take(X25519, 0, APPLICATION, 0)
    assert caught.value.rule == "9.2-dropped"
    assert own.key not in after[0].encode()
    for secret in (state.secrets.init_secret, state.secrets.membership_key, state.secrets.exporter_secret):
        assert secret in groups[0].encode() and secret not in after[0].encode()


def test_without_past_nothing_late_opens() -> None:
    random = SeededRandom(7)
    groups = group_of(2, random)
    groups[0], late = groups[0].encrypt(b"late", random=random)
    pending = groups[0].commit(now=1_800_000_000_000, random=random)
    verified = groups[1].verify_commit(pending.message, now=1_800_000_000_000)
    after = groups[1].apply_commit(verified, keep_past=False)
    assert after.past_epochs == ()
    assert 1 not in groups[0].merge_commit(pending, keep_past=False).past_epochs
    with pytest.raises(WrongEpochError):
        after.decrypt(late)


def test_merging_an_own_commit_keeps_what_was_opened_since() -> None:
    random = SeededRandom(8)
    groups = group_of(2, random)
    pending = groups[0].commit(now=1_800_000_000_000, random=random)
    groups[1], message = groups[1].encrypt(b"meanwhile", random=random)
    groups[0], _ = groups[0].decrypt(message)
    merged = groups[0].merge_commit(pending)
    with pytest.raises(ReplayedError):
        merged.decrypt(message)
    refuses("6-epoch-unknown", lambda: pending.group.decrypt(message))  # why merge_commit is the way


def test_messages_of_strangers_and_unknown_epochs() -> None:
    random = SeededRandom(9)
    groups, others = group_of(2, random), group_of(2, random)
    _, message = others[0].encrypt(b"text", random=random)
    refuses("6-group-id", lambda: groups[0].decrypt(message))
    ahead = commit_by(groups, 0, random)
    _, early = ahead[0].encrypt(b"text", random=random)
    with pytest.raises(WrongEpochError):
        groups[1].decrypt(early)
    info = inspect(early)
    assert (info.group_id, info.epoch, info.content_type, info.is_private) == (groups[0].group_id, 2, 1, True)
    commit = inspect(groups[0].commit(now=1_800_000_000_000, random=random).message)
    assert (commit.epoch, commit.content_type, commit.is_private) == (1, 3, False)
    refuses("6-not-a-group-message", lambda: inspect(groups[0].group_info()))


# ---- what a member can forge
# ----------------------------------------------------------------------------------


def test_one_member_cannot_write_in_the_name_of_another() -> None:
    """Every member can derive every key; the signature is what tells them apart."""
    random = SeededRandom(10)
    groups = group_of(3, random)
    thief = Group(replace(groups[0]._state, own_leaf=2))
    _, message = thief.encrypt(b"in the name of 2", random=random)
    before = groups[1].encode()
    refuses("6.1-signature", lambda: groups[1].decrypt(message))
    assert groups[1].encode() == before
    groups[2], honest = groups[2].encrypt(b"from 2", random=random)  # same generation: still opens
    assert groups[1].decrypt(honest)[1].data == b"from 2"
    with unchecked(protect, "check_content_signature"):
        assert groups[1].decrypt(message)[1].sender_leaf_index == 2


def test_blank_senders_are_refused() -> None:
    random = SeededRandom(11)
    groups = group_of(3, random)
    thief = Group(replace(groups[0]._state, own_leaf=3))
    _, message = thief.encrypt(b"from nobody", random=random)
    refuses("6.3.2-blank-sender", lambda: groups[1].decrypt(message))
    far = Group(replace(groups[0]._state, own_leaf=0))
    honest = protect.SenderData.encode
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protect.SenderData, "encode", lambda self: honest(replace(self, leaf_index=2**32 - 1)))
        _, message = far.encrypt(b"from outside the tree", random=random)
    refuses("6.3.2-blank-sender", lambda: groups[1].decrypt(message))


def test_padding_must_be_zeros() -> None:
    random = SeededRandom(12)
    groups = group_of(2, random)
    _, padded = groups[0].encrypt(b"text", padding=100, random=random)
    _, bare = groups[0].encrypt(b"text", random=random)
    assert len(padded) == len(bare) + 100
    assert groups[1].decrypt(padded)[1].data == b"text"
    suite, seal = X25519, X25519.aead.seal

    def dirty(key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        return seal(key, nonce, aad, plaintext[:-1] + b"\x01" if plaintext.endswith(b"\x00") else plaintext)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(suite), "seal", lambda self, *a: dirty(*a))
        _, message = groups[0].encrypt(b"text", padding=3, random=random)
    with pytest.raises(MalformedError) as caught:
        groups[1].decrypt(message)
    assert caught.value.rule == "6.3.1-padding"
    with unchecked(protect, "check_padding"):
        assert groups[1].decrypt(message)[1].data == b"text"


@pytest.mark.parametrize("field", ["authenticated_data", "encrypted_sender_data", "ciphertext"])
def test_changed_messages_do_not_open(field: str) -> None:
    random = SeededRandom(13)
    groups = group_of(2, random)
    _, message = groups[0].encrypt(b"text", authenticated_data=b"header", random=random)
    body = decode(read_message, message)
    assert isinstance(body, PrivateMessage)
    value: bytes = getattr(body, field)
    for changed in (value[:-1], bytes((value[0] ^ 1,)) + value[1:], b""):
        forged = encode_message(replace(body, **{field: changed}))  # type: ignore[arg-type]
        refuses("6.3-decrypt", lambda forged=forged: groups[1].decrypt(forged))  # type: ignore[misc]
    shown = encode_message(replace(body, content_type=2))
    refuses("6-not-application", lambda: groups[1].decrypt(shown))
    refuses("6.3-decrypt", lambda: groups[1].receive_proposal(shown))


def test_only_members_encrypt() -> None:
    random = SeededRandom(14)
    groups = group_of(2, random)
    state = groups[0]._state
    from polynya.mls.framing import AuthData, AuthenticatedContent, FramedContent, Sender, content_tbs

    content = FramedContent(state.context.group_id, 1, Sender(4), b"", b"text")
    outside = AuthenticatedContent(2, content, AuthData(b"", None))
    refuses(
        "6.3.2-sender",
        lambda: protect.protect_private(
            X25519, state.secret_tree, state.secrets.sender_data_secret, outside, 0, random
        ),
    )
    refuses("6.1-context", lambda: content_tbs(2, content, None))


# ---- the ratchets' limits
# -----------------------------------------------------------------------------------------


def test_a_ratchet_does_not_run_ahead_without_end() -> None:
    tree = SecretTree.begin(2, bytes(32))
    key, after = tree.take(X25519, 1, APPLICATION, MAX_AHEAD)
    assert len(key.key) == 16
    with pytest.raises(ReplayedError) as caught:
        tree.take(X25519, 1, APPLICATION, MAX_AHEAD + 1)
    assert caught.value.rule == "9.1-too-far-ahead"
    with pytest.raises(ReplayedError):
        tree.take(X25519, 1, APPLICATION, MAX_GENERATION)
    # Of those skipped the latest are kept.
    for generation in (MAX_AHEAD - 1, MAX_AHEAD - MAX_SKIPPED):
        assert after.take(X25519, 1, APPLICATION, generation)
    for generation in (0, MAX_AHEAD - MAX_SKIPPED - 1):
        with pytest.raises(ReplayedError):
            after.take(X25519, 1, APPLICATION, generation)
    assert len(after.ratchets[1, APPLICATION].skipped) == MAX_SKIPPED


def test_a_ratchet_ends_at_the_last_generation() -> None:
    last = secrettree.Ratchet(bytes(32), MAX_GENERATION)
    _, ended = last.step(X25519)
    with pytest.raises(ReplayedError) as caught:
        ended.step(X25519)
    assert caught.value.rule == "9.1-exhausted"
    assert decode(secrettree.read_ratchet, ended.encode()) == ended


def test_the_tree_is_made_as_far_as_it_is_needed() -> None:
    tree = SecretTree.begin(1024, bytes(32))
    _, _, after = tree.next(X25519, 700, APPLICATION)
    assert len(after.secrets) == 10 and len(after.ratchets) == 2
    assert len(tree.secrets) == 1


def test_secrets_do_not_show_in_repr() -> None:
    random = SeededRandom(15)
    groups = group_of(2, random)
    pending = groups[0].commit(now=1_800_000_000_000, random=random)
    shown = repr((groups, pending, groups[0]._state, groups[0]._state.secret_tree, groups[0]._state.secrets))
    state = groups[0]._state
    secrets = [
        state.signature_private,
        *state.private_keys.values(),
        *state.secret_tree.secrets.values(),
        state.secrets.init_secret,
        state.secrets.exporter_secret,
        state.secrets.epoch_authenticator,
        pending.group._state.signature_private,
        *pending.group._state.private_keys.values(),
    ]
    for secret in secrets:
        assert repr(secret)[2:-1] not in shown and secret.hex() not in shown


def test_mls_errors_name_their_rule() -> None:
    error = MlsError("1.2-rule", "detail")
    assert (error.code, error.rule, str(error)) == ("mls", "1.2-rule", "1.2-rule: detail")
    assert checks.MAX_LIFETIME == 31_622_400
