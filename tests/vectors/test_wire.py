"""Replays spec/vectors for the wire layer: what must be made, opened and refused, by rule."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from polynya.crypto import signature
from polynya.crypto.kem import DHKEM_X25519, Kem
from polynya.crypto.xwing import XWING
from polynya.wire import (
    card,
    cbor,
    credential,
    exchange,
    files,
    keypackages,
    keys,
    labels,
    links,
    messages,
    ohttp,
    padding,
    record,
    requests,
    safety,
    session,
    tokens,
)
from polynya.wire.errors import WireError
from scripts.codecs.schema import snake
from tests.vectors.recorded import FOLDER, Case, RecordedRandom, as_json, cases

Check = Callable[[Case], None]
RUNNERS: dict[str, Check] = {}


def runner(name: str) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        RUNNERS[name] = check
        return check

    return register


def data(case: Case, name: str) -> bytes:
    return bytes.fromhex(case[name])


def refused(case: Case, action: Callable[[], object]) -> None:
    with pytest.raises(WireError) as caught:
        action()
    assert caught.value.rule == case["rule"]


def made(case: Case, name: str, action: Callable[[RecordedRandom], bytes], random: str = "random") -> None:
    """What `action` makes of the recorded randomness is the case's `name`."""
    recorded = RecordedRandom(case[random])
    assert action(recorded).hex() == case[name]
    recorded.assert_used()


def _all() -> Iterator[Any]:
    for name in RUNNERS:
        for case in cases(name):
            yield pytest.param(name, case, id=f"{name}: {case['name']}")


def test_every_file_has_a_runner() -> None:
    ours = {path.stem for path in FOLDER.glob("*.json")} - {"encapsulations"}
    assert ours == set(RUNNERS)


@runner("cbor")
def _cbor(case: Case) -> None:
    encoded = data(case, "data")
    if case["rule"]:
        refused(case, lambda: cbor.decode(encoded))
    else:
        assert cbor.encode(cbor.decode(encoded)) == encoded


@runner("messages")
def _messages(case: Case) -> None:
    decode = getattr(messages, f"decode_{snake(case['type'])}")
    encode = getattr(messages, f"encode_{snake(case['type'])}")
    encoded = data(case, "data")
    if case["rule"]:
        refused(case, lambda: decode(encoded))
        return
    value = decode(encoded)
    assert as_json(value) == case["value"]
    if "unknown keys" in case["name"]:
        assert as_json(decode(encode(value))) == case["value"]
    elif isinstance(value, messages.Unknown):
        with pytest.raises(WireError, match="message"):
            encode(value)
    else:
        assert encode(value) == encoded


@runner("padding")
def _padding(case: Case) -> None:
    sizes, width = case["sizes"], case["length_size"]
    if case["rule"] == "padding-fit":
        refused(case, lambda: padding.pad(data(case, "data"), sizes, width))
    elif case["rule"]:
        refused(case, lambda: padding.unpad(data(case, "padded"), sizes, width))
    else:
        assert padding.pad(data(case, "data"), sizes, width).hex() == case["padded"]
        assert padding.unpad(data(case, "padded"), sizes, width).hex() == case["data"]


@runner("labels")
def _labels(case: Case) -> None:
    inputs = [bytes.fromhex(text) for text in case["inputs"]]
    suite = [case["suite"]] if "suite" in case else []
    assert getattr(labels, str(case.get("function", case["name"])))(*inputs, *suite).hex() == case["output"]


@runner("receipts")
def _receipts(case: Case) -> None:
    body = messages.decode_receipt_body(data(case, "body"))
    receipt = messages.Receipt(case["position"], data(case, "signature"))
    assert labels.verify_receipt(data(case, "identity"), body, receipt) is (case["rule"] is None)
    if "seed" in case:
        assert labels.sign_receipt(data(case, "seed"), body) == receipt


@runner("links")
def _links(case: Case) -> None:
    if case["rule"]:
        refused(case, lambda: links.parse_link(case["text"]))
        return
    opened = links.parse_link(case["text"], case.get("base"))
    kind = "invite" if isinstance(opened, links.OpenedInviteLink) else "relay"
    assert (kind, opened.address.url, as_json(opened.link)) == (case["kind"], case["url"], case["link"])
    assert opened.address.identity == opened.link.relay
    if case.get("build"):
        app = case.get("app", opened.address.url)
        link = opened.link
        if isinstance(link, messages.InviteLink):
            assert links.build_invite_link(app, link) == case["text"]
        else:
            assert links.build_relay_link(app, link) == case["text"]


@runner("safety")
def _safety(case: Case) -> None:
    if case["rule"]:
        refused(case, lambda: safety.parse_safety_qr(case["qr"]))
        return
    one, other, authenticator = (data(case, name) for name in ("one", "other", "epoch_authenticator"))
    assert list(safety.safety_number(one, other, authenticator)) == case["groups"]
    assert safety.safety_qr(one, other, authenticator) == case["qr"]
    code = safety.parse_safety_qr(case["qr"])
    assert (code.low, code.high) == (min(one, other), max(one, other))
    assert code.epoch_authenticator == authenticator


@runner("records")
def _records(case: Case) -> None:
    key, place, sealed = data(case, "key"), data(case, "place"), data(case, "record")
    if case["rule"]:
        refused(case, lambda: record.open_record(key, place, sealed))
        return
    body = messages.decode_record_body(data(case, "body"))
    made(case, "record", lambda random: record.seal_record(key, place, body, random))
    assert record.open_record(key, place, sealed) == body


@runner("contact-requests")
def _contact_requests(case: Case) -> None:
    private, card_id, inbox = data(case, "private_key"), data(case, "card"), data(case, "inbox")
    if case["rule"]:
        refused(case, lambda: record.open_contact_request(private, card_id, inbox, data(case, "record")))
        return
    public = data(case, "public_key")
    message = messages.decode_inbox_message(data(case, "message"))
    made(case, "record", lambda random: record.seal_contact_request(public, card_id, inbox, message, random))
    assert record.open_contact_request(private, card_id, inbox, data(case, "record")) == message


@runner("ephemeral")
def _ephemeral(case: Case) -> None:
    key, topic, body = data(case, "key"), data(case, "topic"), data(case, "body")
    if case["rule"]:
        refused(case, lambda: record.open_ephemeral(key, topic, body))
        return
    message = messages.decode_ephemeral_message(data(case, "message"))
    made(case, "body", lambda random: record.seal_ephemeral(key, topic, message, random))
    assert record.open_ephemeral(key, topic, body) == message


def _pattern(size: int) -> bytes:
    return bytes((7 * i + 3) & 255 for i in range(size))


def _wrong_blob(case: Case, key: bytes) -> bytes:
    content = _pattern(case["size"])
    blob = bytearray(b"".join(files.seal_file(key, case["size"], [content])))
    right = bytes(blob)
    blob = blob[: case["length"]] + bytes(max(0, case["length"] - len(blob)))
    for edit in case["edits"]:
        if "hex" in edit:
            new = bytes.fromhex(edit["hex"])
        elif edit.get("last"):
            at = edit["chunk"] * files.CHUNK
            new = files.seal_chunk(key, edit["chunk"], True, content[at : at + files.CHUNK])
        else:
            at = edit["chunk"] * files.SEALED_CHUNK
            new = right[at : at + files.SEALED_CHUNK]
        blob[edit["at"] : edit["at"] + len(new)] = new
    return bytes(blob)


@runner("files")
def _files(case: Case) -> None:
    size = case["size"]
    if "key" not in case:
        if case["rule"]:
            refused(case, lambda: files.blob_size(size))
        else:
            assert files.blob_size(size) == case["blob_size"]
        return
    key = data(case, "key")
    if case["rule"]:
        blob = _wrong_blob(case, key)
        refused(case, lambda: list(files.open_file(key, size, [blob])))
        pieces = [blob[i : i + 10_007] for i in range(0, len(blob), 10_007)]
        refused(case, lambda: list(files.open_file(key, size, pieces)))
        return
    content = _pattern(size)
    pieces = [content[i : i + 9_973] for i in range(0, size, 9_973)]
    blob = b"".join(files.seal_file(key, size, pieces))
    assert (len(blob), files.sealed_size(size)) == (case["blob_size"], case["sealed_size"])
    assert hashlib.sha256(blob).hexdigest() == case["blob_sha256"]
    pieces = [blob[i : i + 10_007] for i in range(0, len(blob), 10_007)]
    assert b"".join(files.open_file(key, size, pieces)) == content


@runner("key-packages")
def _key_packages(case: Case) -> None:
    key, owner = data(case, "key"), data(case, "owner")
    if case["rule"]:
        refused(case, lambda: keypackages.open_key_package(key, owner, data(case, "sealed")))
        return
    package = data(case, "key_package")
    made(case, "sealed", lambda random: keypackages.seal_key_package(key, owner, package, random))
    assert keypackages.open_key_package(key, owner, data(case, "sealed")) == package


@runner("cards")
def _cards(case: Case) -> None:
    secret, card_id, blob = data(case, "secret"), data(case, "id"), data(case, "blob")

    def opened() -> card.VerifiedCard:
        return card.verify_card(card.open_card(secret, card_id, blob), case["now"])

    if case["rule"]:
        refused(case, opened)
        return
    body = messages.decode_card_body(data(case, "body"))
    signed = card.sign_card(data(case, "seed"), body)
    made(case, "blob", lambda random: card.seal_card(secret, signed, random)[1])
    assert opened() == card.VerifiedCard(
        card_id, body.identity, body.name, body.inbox, body.public_key, body.expires
    )


@runner("key-configs")
def _key_configs(case: Case) -> None:
    identity, encoded = data(case, "identity"), data(case, "data")
    if case["rule"]:
        refused(case, lambda: keys.verify_key_configs(identity, encoded, case["told"]))
        return
    verified = keys.verify_key_configs(identity, encoded, case["told"])
    assert verified.newest.id == case["newest"]
    if "seed" in case:
        assert keys.sign_key_configs(data(case, "seed"), verified.configs) == encoded


@runner("tokens")
def _tokens(case: Case) -> None:
    TOKENS[case["kind"]](case)


def _token_of(case: Case) -> None:
    key = messages.decode_token_key(data(case, "key"))
    random = RecordedRandom(case["random"])
    pending = tokens.begin_token(data(case, "identity"), key, random)
    random.assert_used()
    assert pending.blinding.blinded == data(case, "blinded")
    if case["rule"]:
        refused(case, lambda: tokens.finish_token(key, pending, data(case, "blind_signature")))
        return
    assert tokens.finish_token(key, pending, data(case, "blind_signature")) == data(case, "token")


def _spki(case: Case) -> None:
    spki = data(case, "spki")
    if case["rule"]:
        refused(case, lambda: tokens.decode_spki(spki))
        return
    key = tokens.decode_spki(spki)
    assert key.n.to_bytes(256, "big") == data(case, "n")
    assert tokens.encode_spki(key.n) == spki
    assert tokens.key_id(spki) == data(case, "key_id")


def _token_verify(case: Case) -> None:
    if case["rule"] == "token":
        refused(case, lambda: tokens.parse_token(data(case, "token")))
        return
    token, kind = tokens.parse_token(data(case, "token")), messages.TokenKind(case["token_kind"])
    key = tokens.decode_spki(data(case, "spki"))
    assert tokens.verify_token(data(case, "identity"), kind, key, token) == (case["rule"] is None)


def _token_keys(case: Case) -> None:
    signed = messages.decode_signed_token_keys(data(case, "signed"))
    seen = [messages.decode_token_key(bytes.fromhex(key)) for key in case["seen"]]
    if case["rule"]:
        refused(case, lambda: tokens.verify_token_keys(data(case, "identity"), signed, seen))
        return
    verified = tokens.verify_token_keys(data(case, "identity"), signed, seen)
    assert tokens.key_id(verified.newest(messages.TokenKind.USE).spki) == data(case, "newest")
    assert tokens.sign_token_keys(data(case, "seed"), verified.keys) == signed


def _period(case: Case) -> None:
    signed = messages.decode_signed_token_keys(data(case, "signed"))
    verified = tokens.verify_token_keys(data(case, "identity"), signed)
    if case["rule"]:
        refused(case, lambda: tokens.check_period(verified, case["time"]))
    else:
        tokens.check_period(verified, case["time"])


def _member(case: Case) -> None:
    assert tokens.member_id(data(case, "secret")) == data(case, "id")


def _challenge(case: Case) -> None:
    kind = messages.TokenKind(case["token_kind"])
    assert tokens.challenge_digest(data(case, "identity"), kind) == data(case, "digest")


TOKENS: dict[str, Check] = {
    "member": _member,
    "challenge": _challenge,
    "spki": _spki,
    "token": _token_of,
    "verify": _token_verify,
    "keys": _token_keys,
    "period": _period,
}


@runner("credentials")
def _credentials(case: Case) -> None:
    encoded, signature_key = data(case, "data"), data(case, "signature_key")
    if case["rule"]:
        refused(case, lambda: credential.verify_device_credential(encoded, signature_key))
        return
    number = case["list_number"]
    assert credential.make_device_credential(data(case, "seed"), signature_key, number) == encoded
    device = credential.verify_device_credential(encoded, signature_key)
    assert device == credential.VerifiedDevice(data(case, "identity"), signature_key, number)


@runner("device-lists")
def _device_lists(case: Case) -> None:
    identity = data(case, "identity")

    def verified() -> credential.VerifiedDeviceList:
        new = credential.verify_device_list(identity, messages.decode_device_list(data(case, "list")))
        if "known" in case:
            known = messages.decode_device_list(data(case, "known"))
            credential.check_device_list_follows(credential.verify_device_list(identity, known), new)
        return new

    if case["rule"]:
        refused(case, verified)
        return
    devices = verified()
    assert devices.number == case["number"]
    assert all(devices.names(device.signature_key) for device in devices.devices)
    assert not devices.names(identity)
    if "seed" in case:
        body = messages.decode_device_list_body(data(case, "body"))
        encoded = messages.encode_device_list(credential.sign_device_list(data(case, "seed"), body))
        assert encoded == data(case, "list")


@runner("requests")
def _requests(case: Case) -> None:
    encoded = data(case, "data")
    if case["kind"] == "leave":
        proof = messages.decode_leave_proof(encoded)
        assert requests.verify_leave_proof(data(case, "group"), data(case, "leaf"), proof) is (
            case["rule"] is None
        )
        if "seed" in case:
            assert requests.sign_leave_proof(data(case, "seed"), data(case, "group"), proof.leaves) == proof
        return
    if case["kind"] == "re-add":
        wish = messages.decode_re_add_request(encoded)
        if case["rule"]:
            refused(case, lambda: requests.verify_re_add_request(wish))
            return
        body = messages.decode_re_add_body(data(case, "body"))
        assert requests.sign_re_add_request(data(case, "seed"), body) == wish
        assert as_json(requests.verify_re_add_request(wish)) == as_json(body)
        return
    if case["kind"] == "moved":
        moved = messages.decode_moved(encoded)
        if case["rule"]:
            refused(case, lambda: requests.verify_moved(moved))
            return
        named = messages.decode_moved_body(data(case, "body"))
        assert requests.sign_moved(data(case, "seed"), named) == moved
        assert as_json(requests.verify_moved(moved)) == as_json(named)
        return
    request = messages.decode_contact_request(encoded)
    if case["rule"]:
        refused(case, lambda: requests.verify_contact_request(data(case, "card"), request))
        return
    wanted = messages.decode_contact_request_body(data(case, "body"))
    assert requests.sign_contact_request(data(case, "seed"), wanted) == request
    verified = requests.verify_contact_request(data(case, "card"), request)
    assert (verified.identity, verified.name, verified.text) == (wanted.identity, wanted.name, wanted.text)
    assert verified.reach == wanted.reach
    assert verified.devices.body == wanted.devices.body


def _config(case: Case) -> messages.KeyConfig:
    return messages.KeyConfig(case["key_id"], XWING.id, data(case, "public_key"), 0, 0)


@runner("exchanges")
def _exchanges(case: Case) -> None:
    relay_keys = {case["key_id"]: XWING.load(data(case, "private_key"))}
    if "exchange" not in case:
        refused(case, lambda: exchange.open_request(relay_keys, data(case, "request")))
        return
    random = RecordedRandom(case["random"])
    wanted = messages.decode_exchange(data(case, "exchange"))
    request, opener = exchange.seal_request(_config(case), wanted, random)
    random.assert_used()
    if case["rule"]:
        refused(case, lambda: opener.open(data(case, "response")))
        return
    assert request.hex() == case["request"]
    opened, sealer, enc = exchange.open_request(relay_keys, request)
    assert (opened, enc) == (wanted, data(case, "enc"))
    answer = messages.decode_answer(data(case, "answer"))
    made(case, "response", lambda drawn: sealer.seal(answer, drawn), "relay_random")
    assert opener.open(data(case, "response")) == answer


@runner("sessions")
def _sessions(case: Case) -> None:
    relay_keys = {case["key_id"]: XWING.load(data(case, "private_key"))}
    if case.get("at") == "hello":

        def accepted() -> object:
            opened = session.open_hello(relay_keys, data(case, "hello"))
            return opened.accept(RecordedRandom(case["relay_random"]))

        refused(case, accepted)
        return
    random = RecordedRandom(case["random"])
    hello, handshake = session.start_session(_config(case), case["time"], random)
    random.assert_used()
    assert hello.hex() == case["hello"]
    if case.get("at") == "accept":
        refused(case, lambda: handshake.finish(data(case, "accept")))
        return
    opened = session.open_hello(relay_keys, hello)
    assert (opened.hello.time, opened.enc.hex()) == (case["time"], case["enc"])
    relay_random = RecordedRandom(case["relay_random"])
    accept, relay = opened.accept(relay_random)
    relay_random.assert_used()
    assert (accept.hex() == case["accept"]) is (not case["name"].startswith("accept"))
    _play(case, handshake.finish(data(case, "accept")), relay)


def _play(case: Case, client: session.ClientSession, relay: session.RelaySession) -> None:
    frames = case["frames"]
    for number, frame in enumerate(frames):
        sealed, plain = data(frame, "sealed"), frame.get("plain")
        receive: Callable[[bytes], object] = client.open if frame["from"] == "relay" else relay.open
        if plain is None and number == len(frames) - 1:
            refused(case, partial(receive, sealed))
        elif plain is None:
            with pytest.raises(WireError):
                receive(sealed)
        elif frame["from"] == "client":
            call = messages.decode_client_frame(bytes.fromhex(plain))
            assert client.seal(call) == sealed
            assert relay.open(sealed) == call
        else:
            reply = messages.decode_relay_frame(bytes.fromhex(plain))
            assert relay.seal(reply) == sealed
            assert client.open(sealed) == reply


@runner("rfc9458")
def _rfc9458(case: Case) -> None:
    kems: dict[int, Kem] = {kem.id: kem for kem in (DHKEM_X25519, XWING)}
    suite = ohttp.Suite(kems[case["kem"]])
    private, request = data(case, "private_key"), data(case, "request")
    assert suite.kem.public_key(private) == data(case, "public_key")
    assert request[: ohttp.HEADER_SIZE] == suite.header(case["key_id"])
    enc, sealed, context = ohttp.open_setup(suite, private, case["request_label"].encode(), request)
    assert context.open(b"", sealed).hex() == case["request_plaintext"]
    secret = ohttp.response_secret(suite, context, case["response_label"].encode())
    assert secret.hex() == case["exported_secret"]
    random = RecordedRandom({"bytes": case["response_nonce"], "encapsulations": []})
    plaintext = data(case, "response_plaintext")
    assert ohttp.seal_response(suite, secret, enc, plaintext, random).hex() == case["response"]
    assert ohttp.open_response(suite, secret, enc, data(case, "response")) == plaintext


@pytest.mark.parametrize(("name", "case"), list(_all()))
def test_vector(name: str, case: Case) -> None:
    RUNNERS[name](case)


def test_identities_of_the_vectors_are_real_keys() -> None:
    """Or the cases with wrong signatures would be refused for another reason than theirs."""
    for name in ("receipts", "credentials", "device-lists"):
        case = next(case for case in cases(name) if "seed" in case)
        assert signature.public_key(data(case, "seed")) == data(case, "identity")
