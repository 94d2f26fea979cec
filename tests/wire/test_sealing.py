"""Properties of sealing: what was sealed opens, and with any bit changed it does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polynya.crypto import signature
from polynya.crypto.xwing import XWING
from polynya.wire import (
    credential,
    exchange,
    files,
    keypackages,
    links,
    padding,
    record,
    sealing,
    session,
)
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    FILE_MAX,
    KEY_PACKAGE_MAX,
    Answer,
    Call,
    DeviceListBody,
    Done,
    Entry,
    Exchange,
    Inline,
    InviteLink,
    KeyConfig,
    Ping,
    Publish,
    Push,
    RelayLink,
    Reply,
    WelcomeMessage,
)
from tests.support.seeded import SeededRandom

KEY, PLACE = b"k" * 32, b"p" * 32


def flipped(data: bytes, bit: int) -> bytes:
    bit %= 8 * len(data)
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(st.binary(max_size=record.INLINE_MAX), st.integers(0, 2**40), st.integers(0, 2**20))
@settings(deadline=None)
def test_records_open_and_no_bit_can_change(body: bytes, seed: int, bit: int) -> None:
    sealed = record.seal_record(KEY, PLACE, Inline(body), SeededRandom(seed))
    assert record.open_record(KEY, PLACE, sealed) == Inline(body)
    with pytest.raises(WireError, match="record-open"):
        record.open_record(KEY, PLACE, flipped(sealed, bit))


def test_a_body_over_the_inline_limit_does_not_fit() -> None:
    with pytest.raises(WireError, match="padding-fit"):
        record.seal_record(KEY, PLACE, Inline(bytes(record.INLINE_MAX + 1)), SeededRandom(1))


@given(st.binary(max_size=3000))
def test_padding_round_trips(data: bytes) -> None:
    assert padding.unpad(padding.pad(data)) == data


@given(st.binary(max_size=300))
def test_any_bytes_unpad_to_what_pads_back(data: bytes) -> None:
    try:
        inner = padding.unpad(data, [8, 64, 256], 2)
    except WireError:
        return
    assert padding.pad(inner, [8, 64, 256], 2) == data


def test_contact_requests_refuse_an_invalid_key_and_a_large_body() -> None:
    random = SeededRandom(2)
    with pytest.raises(WireError, match="contact-request-key"):
        record.seal_contact_request(bytes(1216), PLACE, PLACE, WelcomeMessage(b"", ()), random)
    _, public = XWING.generate(random)
    large = WelcomeMessage(bytes(record.REQUEST_INLINE_MAX), ())
    with pytest.raises(WireError, match="padding-fit"):
        record.seal_contact_request(public, PLACE, PLACE, large, random)


def test_a_key_package_that_the_relay_would_not_store_is_refused() -> None:
    largest = bytes(KEY_PACKAGE_MAX - sealing.OVERHEAD)
    assert len(keypackages.seal_key_package(KEY, PLACE, largest, SeededRandom(1))) == KEY_PACKAGE_MAX
    with pytest.raises(WireError, match="key-package-size"):
        keypackages.seal_key_package(KEY, PLACE, largest + b"x", SeededRandom(1))


def test_a_device_list_follows_one_of_the_same_person_only() -> None:
    lists = []
    for seed in (b"a" * 32, b"b" * 32):
        signed = credential.sign_device_list(seed, DeviceListBody(1, ()))
        lists.append(credential.verify_device_list(signature.public_key(seed), signed))
    with pytest.raises(WireError, match="device-list-identity"):
        credential.check_device_list_follows(*lists)


@given(st.integers(0, 2**20))
@settings(max_examples=30, deadline=None)
def test_no_bit_of_a_contact_request_can_change(bit: int) -> None:
    random = SeededRandom(3)
    private, public = XWING.generate(random)
    sealed = record.seal_contact_request(public, KEY, PLACE, WelcomeMessage(b"hello", ()), random)
    assert record.open_contact_request(private, KEY, PLACE, sealed) == WelcomeMessage(b"hello", ())
    with pytest.raises(WireError, match="contact-request-open"):
        record.open_contact_request(private, KEY, PLACE, flipped(sealed, bit))


@given(
    st.integers(0, 200_000),
    st.lists(st.integers(1, 80_000), max_size=6),
    st.integers(0, 2**32),
)
@settings(max_examples=30, deadline=None)
def test_files_in_any_pieces(size: int, cuts: list[int], bit: int) -> None:
    content = SeededRandom(size).bytes(size)
    blob = b"".join(files.seal_file(KEY, size, _cut(content, cuts)))
    assert len(blob) == files.blob_size(size)
    assert b"".join(files.open_file(KEY, size, _cut(blob, cuts[::-1]))) == content
    with pytest.raises(WireError, match=r"file-open|file-padding"):
        list(files.open_file(KEY, size, _cut(flipped(blob, bit), cuts)))


def _cut(data: bytes, lengths: list[int]) -> list[bytes]:
    pieces = []
    for n in lengths:
        pieces.append(data[:n])
        data = data[n:]
    return [*pieces, data]


@given(st.integers(0, FILE_MAX))
def test_file_sizes_show_in_steps_of_six_percent(size: int) -> None:
    sealed, blob = files.sealed_size(size), files.blob_size(size)
    assert sealed <= blob <= 104_857_600
    assert blob - sealed < max(1024, sealed / 16)


@pytest.mark.parametrize("wrong", [[b"12"], [b"1234"], []])
def test_sealing_a_file_of_another_length_fails(wrong: list[bytes]) -> None:
    with pytest.raises(WireError, match="file-size"):
        list(files.seal_file(KEY, 3, wrong))


@given(st.integers(0, 2**40), st.integers(0, 2**20))
@settings(max_examples=25, deadline=None)
def test_no_bit_of_an_exchange_can_change(seed: int, bit: int) -> None:
    random = SeededRandom(seed)
    private, public = XWING.generate(random)
    config, keys = KeyConfig(5, XWING.id, public, 0, 1), {5: XWING.load(private)}
    wanted, answer = Exchange(1, 2, Publish(b"w" * 32, b"r" * 512)), Answer(3, Done())
    request, opener = exchange.seal_request(config, wanted, random)
    opened, sealer, _ = exchange.open_request(keys, request)
    response = sealer.seal(answer, random)
    assert (opened, opener.open(response)) == (wanted, answer)
    with pytest.raises(WireError, match="exchange-"):
        exchange.open_request(keys, flipped(request, bit))
    with pytest.raises(WireError, match="response-open"):
        opener.open(flipped(response, bit))


def sessions(seed: int) -> tuple[session.ClientSession, session.RelaySession]:
    random = SeededRandom(seed)
    private, public = XWING.generate(random)
    hello, handshake = session.start_session(KeyConfig(5, XWING.id, public, 0, 1), 7, random)
    opened = session.open_hello({5: XWING.load(private)}, hello)
    accept, relay_side = opened.accept(random)
    return handshake.finish(accept), relay_side


@given(st.integers(0, 2**40), st.integers(0, 2**20))
@settings(max_examples=25, deadline=None)
def test_a_wrong_frame_ends_a_session(seed: int, bit: int) -> None:
    client, relay_side = sessions(seed)
    for number in range(3):
        assert relay_side.open(client.seal(Call(number, Ping()))) == Call(number, Ping())
    push = Push(PLACE, Entry(1, 2, b"r" * 512))
    assert client.open(relay_side.seal_padded(session.pad_relay_frame(push))) == push
    with pytest.raises(WireError, match="session-frame"):
        client.open(flipped(relay_side.seal(Reply(0, 1, Done())), bit))
    for action in (lambda: client.seal(Call(9, Ping())), lambda: client.open(relay_side.seal(push))):
        with pytest.raises(WireError, match="session-ended"):
            action()


def test_a_session_that_rested_goes_on_with_the_same_keys() -> None:
    client, relay_side = sessions(4)
    for number in range(4):
        assert relay_side.open(client.seal(Call(number, Ping()))) == Call(number, Ping())
        assert client.open(relay_side.seal(Reply(number, 1, Done()))) == Reply(number, 1, Done())
        relay_side.rest()
    relay_side.end()
    relay_side.rest()
    for action in (
        lambda: relay_side.seal(Reply(9, 1, Done())),
        lambda: relay_side.open(client.seal(Call(9, Ping()))),
    ):
        with pytest.raises(WireError, match="session-ended"):
            action()
    assert relay_side._in._key == relay_side._out._key == b""


def test_a_frame_that_opens_to_no_message_ends_a_session() -> None:
    client, relay_side = sessions(1)
    wrong = client._out.seal(padding.pad(b"\xa0"))
    with pytest.raises(WireError, match="message"):
        relay_side.open(wrong)
    with pytest.raises(WireError, match="session-ended"):
        relay_side.open(client.seal(Call(1, Ping())))


def test_a_session_ends_at_its_last_counter() -> None:
    client, relay_side = sessions(2)
    client._out._counter = relay_side._in._counter = session.COUNTER_END - 1
    assert relay_side.open(client.seal(Call(1, Ping()))) == Call(1, Ping())
    with pytest.raises(WireError, match="session-ended"):
        client.seal(Call(2, Ping()))


def test_what_waits_for_an_answer_shows_no_secret() -> None:
    random = SeededRandom(3)
    _, public = XWING.generate(random)
    _, opener = exchange.seal_request(KeyConfig(5, XWING.id, public, 0, 1), Exchange(1, 2, Ping()), random)
    assert repr(opener) == "ResponseOpener()"


@given(
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=16, max_size=16),
    st.none() | st.just("https://other.example:444/p/q"),
    st.integers(0, 5000),
    st.sampled_from("abcXYZ019-_"),
)
def test_links_survive_pasting_and_not_changing(
    identity: bytes, secret: bytes, url: str | None, at: int, letter: str
) -> None:
    address = "https://relay.example/secret-path"
    for link, text in (
        (invite := InviteLink(1, identity, identity, secret, url), links.build_invite_link(address, invite)),
        (own := RelayLink(1, identity, url), links.build_relay_link(address, own)),
    ):
        opened = links.parse_link(f"Join: <{text}>.\n")
        assert opened.link == link
        assert opened.address.url == (url or address)
        start = text.index("=") + 1
        place = start + at % (len(text) - start)
        if text[place] != letter:
            with pytest.raises(links.LinkError) as caught:
                links.parse_link(text[:place] + letter + text[place + 1 :])
            assert caught.value.rule in ("link-damaged", "link-truncated")
        with pytest.raises(links.LinkError, match="end of this link is missing"):
            links.parse_link(text[:place])


@given(st.text(max_size=200))
def test_any_text_is_a_link_or_a_link_error(text: str) -> None:
    with pytest.raises(links.LinkError) as caught:
        links.parse_link(text)
    assert caught.value.code == caught.value.rule
    assert str(caught.value) == links.MESSAGES[caught.value.rule]
