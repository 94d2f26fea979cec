"""Bytes from anybody: every refusal is an MlsError, nothing hangs, and what decodes encodes to the same
bytes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polynya.mls import commit, groupcontext, groupinfo, keypackage, leaf, proposal, psk, welcome
from polynya.mls.codec import Reader, decode
from polynya.mls.errors import MlsError
from polynya.mls.extensions import Extension, external_pub, external_senders, required_capabilities
from polynya.mls.framing import encode_message, read_authenticated_content, read_message
from polynya.mls.group import X25519, Group, KeyPackageBundle, PendingCommit, decode_key_package, inspect
from polynya.mls.proposal import Add, Remove, encode_proposal
from polynya.mls.tree import RatchetTree
from tests.mls.parties import NOW, commit_by, group_of, key_package, refuses
from tests.support.seeded import SeededRandom

READERS: list[Callable[[Reader], Any]] = [
    leaf.read_leaf,
    leaf.read_capabilities,
    keypackage.read_key_package,
    commit.read_commit,
    commit.read_update_path,
    groupcontext.read_group_context,
    groupinfo.read_group_info,
    welcome.read_welcome,
    welcome.read_group_secrets,
    psk.read_psk_id,
    read_authenticated_content,
]


class Samples:
    """A group and good messages for its second member."""

    def __init__(self) -> None:
        random = SeededRandom(1)
        self.bundle = key_package("new", random)
        groups = commit_by(group_of(4, random), 2, random)
        self.receiver = groups[1]
        _, application = groups[0].encrypt(b"text", padding=20, random=random)
        _, proposed = groups[0].propose(Remove(3), random=random)
        _, private = groups[0].propose(Remove(3), private=True, random=random)
        pending = groups[0].commit([Add(self.bundle.key_package), Remove(3)], now=NOW, random=random)
        hidden = groups[0].commit([Remove(3)], private=True, now=NOW, random=random)
        assert pending.welcome is not None
        self.welcome = pending.welcome
        self.info = groups[0].group_info(external_pub=True)
        self.messages = [
            application,
            proposed,
            private,
            pending.message,
            hidden.message,
            self.welcome,
            self.info,
        ]
        self.blob, self.pending, self.tree = groups[1].encode(), pending.encode(), pending.tree


@functools.cache
def samples() -> Samples:
    return Samples()


def only_mls_errors(action: Callable[[], object]) -> object:
    try:
        return action()
    except MlsError:
        return None


@st.composite
def mutated(draw: st.DrawFn, pick: Callable[[Samples], list[bytes]]) -> bytes:
    """A good message with bytes changed, cut out, put in or cut off."""
    data = bytearray(draw(st.sampled_from(pick(samples()))))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(("change", "cut", "insert", "end")))
        if kind == "change" and data:
            data[place] = draw(st.integers(0, 255))
        elif kind == "cut":
            del data[place : place + draw(st.integers(1, 8))]
        elif kind == "insert":
            data[place:place] = draw(st.binary(min_size=1, max_size=8))
        else:
            del data[place:]
    return bytes(data)


FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@FUZZ
@given(st.binary(max_size=300), st.sampled_from(READERS))
def test_structures_decode_canonically_or_not_at_all(data: bytes, read: Callable[[Reader], Any]) -> None:
    value = only_mls_errors(lambda: decode(read, data))
    assert value is None or value.encode() == data  # type: ignore[attr-defined]


@FUZZ
@given(mutated(lambda s: s.messages))
def test_messages_decode_canonically_or_not_at_all(data: bytes) -> None:
    message = only_mls_errors(lambda: decode(read_message, data))
    assert message is None or encode_message(message) == data  # type: ignore[arg-type]
    only_mls_errors(lambda: inspect(data))


@FUZZ
@given(mutated(lambda s: s.messages[:5]) | st.binary(max_size=200))
def test_a_group_refuses_changed_messages(data: bytes) -> None:
    receiver = samples().receiver
    if data in samples().messages:
        return
    assert only_mls_errors(lambda: receiver.decrypt(data)) is None
    assert only_mls_errors(lambda: receiver.receive_proposal(data)) is None
    assert only_mls_errors(lambda: receiver.verify_commit(data, now=NOW)) is None
    assert receiver.encode() == samples().blob


@FUZZ
@given(mutated(lambda s: [s.welcome]), mutated(lambda s: [s.tree]))
def test_a_joiner_refuses_changed_welcomes_and_trees(data: bytes, tree: bytes) -> None:
    if data != samples().welcome:
        assert only_mls_errors(lambda: Group.join(data, [samples().bundle], now=NOW)) is None
    value = only_mls_errors(lambda: RatchetTree.decode(X25519, tree))
    assert value is None or (isinstance(value, RatchetTree) and value.encode() == tree)


@FUZZ
@given(mutated(lambda s: [s.blob]), mutated(lambda s: [s.pending]), mutated(lambda s: [s.bundle.encode()]))
def test_damaged_storage_is_refused_or_harmless(blob: bytes, pending: bytes, bundle: bytes) -> None:
    for value in (
        only_mls_errors(lambda: Group.decode(blob)),
        only_mls_errors(lambda: PendingCommit.decode(pending)),
        only_mls_errors(lambda: KeyPackageBundle.decode(bundle)),
    ):
        assert value is None or isinstance(value, Group | PendingCommit | KeyPackageBundle)


@FUZZ
@given(mutated(lambda s: [s.bundle.key_package.encode()]))
def test_key_packages_decode_canonically_or_not_at_all(data: bytes) -> None:
    value = only_mls_errors(lambda: decode_key_package(data))
    assert value is None or value.key_package.encode() == data  # type: ignore[attr-defined]


@FUZZ
@given(st.integers(0, 9), st.binary(max_size=120))
def test_proposals_decode_canonically_or_not_at_all(kind: int, data: bytes) -> None:
    whole = kind.to_bytes(2, "big") + data
    value = only_mls_errors(lambda: decode(proposal.read_proposal, whole))
    assert value is None or encode_proposal(value) == whole  # type: ignore[arg-type]


@FUZZ
@given(st.integers(3, 5), st.binary(max_size=60))
def test_extensions_are_read_or_refused(kind: int, data: bytes) -> None:
    for read in (required_capabilities, external_senders, external_pub):
        only_mls_errors(lambda read=read: read([Extension(kind, data)]))  # type: ignore[misc]


def join_with(data: bytes) -> object:
    return Group.join(data, [samples().bundle], now=NOW)


def test_unknown_kinds_are_refused() -> None:
    for data, rule in (
        ("0002", "6-version"),
        ("00010006", "6-wire-format"),
        ("00010000", "6-wire-format"),
        ("000100010000000000000000000005", "6-sender-type"),
        ("0001000100000000000000000001000000000004", "6-content-type"),
        ("0001000200000000000000000000", "6-content-type"),
    ):
        try:
            decode(read_message, bytes.fromhex(data))
        except MlsError as error:
            assert error.rule == rule, data
        else:
            raise AssertionError(data)
    for whole in (b"\0\1\0\6", b"\0\1\0\0text"):
        for use in (inspect, samples().receiver.decrypt, join_with):
            refuses("6-wire-format", lambda use=use, whole=whole: use(whole))  # type: ignore[misc]
    package = bytearray(samples().bundle.key_package.encode())
    package[1] = 2
    for read, encoded, rule in (
        (read_message, b"\x00\x01\x00\x05" + bytes(package), "10-version"),
        (proposal.read_proposal, b"\x00\x08", "12.1-proposal-type"),
        (commit.read_commit, b"\x01\x03", "12.4-proposal-or-ref"),
        (groupcontext.read_group_context, b"\x00\x02", "8.1-version"),
        (leaf.read_leaf, bytes.fromhex("0000000100000000000004"), "7.2-source"),
        (leaf.read_leaf, bytes.fromhex("00000003"), "5.3-credential-type"),
        (proposal.read_proposal, bytes.fromhex("000706f00100f00100"), "13.4-repeated-extension"),
    ):
        try:
            decode(read, encoded)
        except MlsError as error:
            assert error.rule == rule, encoded
        else:
            raise AssertionError(rule)
