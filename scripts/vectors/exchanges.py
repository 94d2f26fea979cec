"""Vectors of the sealed exchange and session, and RFC 9458's own example."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from polynya.crypto.hpke import setup_sender
from polynya.crypto.xwing import XWING
from polynya.wire import exchange, session
from polynya.wire.exchange import REQUEST_LABEL, RESPONSE_LABEL
from polynya.wire.messages import (
    RESPONSE_STEPS,
    Answer,
    BlobPart,
    Call,
    Done,
    EphemeralPush,
    Exchange,
    KeyConfig,
    Ping,
    Publish,
    Published,
    PutBlob,
    RefusalCode,
    Refused,
    RelayFrame,
    Reply,
    SessionAccept,
    SessionHello,
    Subscribe,
    decode_session_accept,
    encode_answer,
    encode_client_frame,
    encode_exchange,
    encode_relay_frame,
    encode_session_accept,
    encode_session_hello,
)
from polynya.wire.ohttp import SUITE, response_secret, seal_response
from polynya.wire.padding import pad
from polynya.wire.session import SESSION_LABEL
from scripts.vectors.source import Case, Recorder, flipped, secret

New = Callable[[str], Recorder]
KEY_ID = 7
NOW = 1_700_000_000_000


def _key(new: New) -> tuple[bytes, KeyConfig, Case]:
    private, public = XWING.generate(new("relay key"))
    return (
        private,
        KeyConfig(KEY_ID, XWING.id, public, 0, NOW),
        {"private_key": private.hex(), "key_id": KEY_ID},
    )


def exchange_cases(new: New) -> Iterator[Case]:
    """Requests with their responses (valid), requests that the relay refuses, responses that the client
    refuses."""
    private, config, key = _key(new)
    keys = {KEY_ID: XWING.load(private)}
    base = {**key, "public_key": config.public_key.hex()}
    publish = Publish(secret("write secret"), secret("record", 512), secret("slot", 16))
    pairs: dict[str, tuple[Exchange, Answer]] = {
        "ping": (Exchange(1, NOW, Ping()), Answer(NOW + 1, Done())),
        "publish": (Exchange(1, NOW, publish), Answer(NOW + 1, Published(41, NOW + 1))),
        "refusal": (Exchange(1, 0, Ping()), Answer(NOW, Refused(RefusalCode.CLOCK))),
        "blob part": (
            Exchange(1, NOW, PutBlob(secret("blob"), 70_000, 0, secret("part", 300))),
            Answer(NOW, BlobPart(70_000, secret("part", 1000))),
        ),
    }
    for name, (plain, answer) in pairs.items():
        random, relay_random = new(f"exchange {name}"), new(f"exchange {name} relay")
        request, _ = exchange.seal_request(config, plain, random)
        _, sealer, enc = exchange.open_request(keys, request)
        response = sealer.seal(answer, relay_random)
        yield {
            "name": name,
            **base,
            "random": random.record(),
            "exchange": encode_exchange(plain).hex(),
            "request": request.hex(),
            "enc": enc.hex(),
            "relay_random": relay_random.record(),
            "answer": encode_answer(answer).hex(),
            "response": response.hex(),
            "rule": None,
        }
    yield from _bad_requests(new, key, config)
    yield from _bad_responses(new, base, config)


def _sealed(new: New, config: KeyConfig, label: bytes, plaintext: bytes) -> bytes:
    header = SUITE.header(config.id)
    info = label + b"\x00" + header
    enc, context = setup_sender(XWING, 1, 1, config.public_key, info, new("exchange wrong"))
    return header + enc + context.seal(b"", plaintext)


def _bad_requests(new: New, key: Case, config: KeyConfig) -> Iterator[Case]:
    encoded = encode_exchange(Exchange(1, NOW, Ping()))
    good = _sealed(new, config, REQUEST_LABEL, pad(encoded))

    def sealed(plaintext: bytes) -> bytes:
        return _sealed(new, config, REQUEST_LABEL, plaintext)

    unknown = encoded.replace(b"\x82\x10\xa0", b"\x82\x11\xa0")
    wrong = {
        "nothing": (b"", "exchange-header"),
        "a header only": (good[:7], "exchange-header"),
        "another KEM": (good[:2] + b"\x21" + good[3:], "exchange-header"),
        "another KDF": (flipped(good, 4), "exchange-header"),
        "another AEAD": (flipped(good, 6), "exchange-header"),
        "unknown key": (b"\x09" + good[1:], "exchange-key"),
        "no ciphertext": (good[: 7 + 1120], "exchange-open"),
        "bit of the ML-KEM ciphertext": (flipped(good, 8), "exchange-open"),
        "bit of the X25519 key": (flipped(good, 1110), "exchange-open"),
        "bit of the tag": (flipped(good, -1), "exchange-open"),
        "cut": (good[:-1], "exchange-open"),
        "a session's label": (_sealed(new, config, SESSION_LABEL, pad(encoded)), "exchange-open"),
        "no padding": (sealed(encoded), "padding-length"),
        "a larger step": (sealed(pad(encoded, [RESPONSE_STEPS[1]])), "padding-step"),
        "padding not zero": (sealed(pad(encoded)[:-1] + b"\x01"), "padding-zeros"),
        "trailing byte": (sealed(pad(encoded + b"\x00")), "cbor-trailing"),
        "unknown verb": (sealed(pad(unknown)), "message"),
        "an answer": (sealed(pad(encode_answer(Answer(NOW, Done())))), "message"),
    }
    for name, (data, rule) in wrong.items():
        yield {"name": name, **key, "request": data.hex(), "rule": rule}


def _bad_responses(new: New, base: Case, config: KeyConfig) -> Iterator[Case]:
    plain = Exchange(1, NOW, Ping())
    encoded = encode_answer(Answer(NOW, Done()))

    def respond(plaintext: bytes, label: bytes = RESPONSE_LABEL) -> bytes:
        header = SUITE.header(config.id)
        info = REQUEST_LABEL + b"\x00" + header
        enc, context = setup_sender(XWING, 1, 1, config.public_key, info, new("exchange client"))
        return seal_response(
            SUITE, response_secret(SUITE, context, label), enc, plaintext, new("exchange relay")
        )

    good = respond(pad(encoded))
    wrong = {
        "nothing": (b"", "response-open"),
        "a nonce only": (good[:16], "response-open"),
        "bit of the nonce": (flipped(good, 0), "response-open"),
        "bit of the tag": (flipped(good, -1), "response-open"),
        "another label": (respond(pad(encoded), REQUEST_LABEL), "response-open"),
        "a larger step": (respond(pad(encoded, [RESPONSE_STEPS[2]])), "padding-step"),
        "padding not zero": (respond(pad(encoded)[:-1] + b"\x01"), "padding-zeros"),
        "trailing byte": (respond(pad(encoded + b"\x00")), "cbor-trailing"),
        "an exchange": (respond(pad(encode_exchange(plain))), "message"),
    }
    for name, (data, rule) in wrong.items():
        random = new("exchange client")
        exchange.seal_request(config, plain, random)
        drawn = {"random": random.record(), "exchange": encode_exchange(plain).hex()}
        yield {"name": f"response: {name}", **base, **drawn, "response": data.hex(), "rule": rule}


def session_cases(new: New) -> Iterator[Case]:
    """Whole sessions: `frames` in order, each from the client or the relay. A wrong case says what the side
    that receives it refuses, and where (`at`: hello, accept or frames, of which the last is the wrong
    one)."""
    private, config, key = _key(new)
    keys = {KEY_ID: XWING.load(private)}
    base = {**key, "public_key": config.public_key.hex(), "time": NOW}
    random, relay_random = new("session client"), new("session relay")
    hello, handshake = session.start_session(config, NOW, random)
    opened = session.open_hello(keys, hello)
    accept, relay = opened.accept(relay_random)
    client = handshake.finish(accept)
    calls = [
        Call(0, Ping()),
        Call(1, Subscribe((secret("topic"),), ())),
        Call(2, PutBlob(secret("b"), 9, 0, b"123456789")),
    ]
    replies: list[RelayFrame] = [
        Reply(0, NOW, Done()),
        EphemeralPush(secret("topic"), secret("hint", 60)),
        Reply(2, NOW, Done()),
    ]
    frames: list[Case] = []
    sealed: list[bytes] = []
    for call, reply in zip(calls, replies, strict=True):
        sealed += [client.seal(call), relay.seal(reply)]
        frames.append(
            {"from": "client", "plain": encode_client_frame(call).hex(), "sealed": sealed[-2].hex()}
        )
        frames.append({"from": "relay", "plain": encode_relay_frame(reply).hex(), "sealed": sealed[-1].hex()})
    started = {**base, "random": random.record(), "relay_random": relay_random.record()}
    whole = {**started, "hello": hello.hex(), "enc": opened.enc.hex(), "accept": accept.hex()}
    yield {"name": "three calls", **whole, "frames": frames, "rule": None}

    def after(*others: Case) -> Case:
        return {**whole, "at": "frames", "frames": list(others)}

    def frame(side: str, data: bytes) -> Case:
        return {"from": side, "sealed": data.hex()}

    first = frames[0]
    wrong_frames = {
        "bit of the first frame": [frame("client", flipped(sealed[0], 40))],
        "bit of a relay's frame": [first, frame("relay", flipped(sealed[1], -1))],
        "replayed": [first, frame("client", sealed[0])],
        "one left out": [first, frame("client", sealed[4])],
        "sent back": [first, frame("relay", sealed[0])],
        "nothing": [frame("client", b"")],
    }
    for name, others in wrong_frames.items():
        yield {"name": name, **after(*others), "rule": "session-frame"}
    ended = [frame("client", flipped(sealed[0], 0)), frame("client", sealed[0])]
    yield {"name": "right frame after a wrong one", **after(*ended), "rule": "session-ended"}
    yield from _bad_hellos(new, key, config, hello)
    yield from _bad_accepts({**started, "hello": hello.hex(), "at": "accept"}, accept)
    yield _other_accept(whole, sealed[1])


def _bad_hellos(new: New, key: Case, config: KeyConfig, hello: bytes) -> Iterator[Case]:
    _, public = XWING.generate(new("session client"))
    encoded = encode_session_hello(SessionHello(1, NOW, public))
    weak = encode_session_hello(SessionHello(1, NOW, public[:1184] + bytes(32)))

    def sealed(plaintext: bytes, label: bytes = SESSION_LABEL) -> bytes:
        return _sealed(new, config, label, plaintext)

    wrong = {
        "hello: bit of the encapsulation": (flipped(hello, 300), "exchange-open"),
        "hello: an exchange's label": (sealed(pad(encoded), REQUEST_LABEL), "exchange-open"),
        "hello: an exchange": (sealed(pad(encode_exchange(Exchange(1, NOW, Ping())))), "message"),
        "hello: unknown key": (b"\x08" + hello[1:], "exchange-key"),
        "hello: no padding": (sealed(encoded), "padding-length"),
    }
    for name, (data, rule) in wrong.items():
        yield {"name": name, **key, "at": "hello", "hello": data.hex(), "rule": rule}
    relay_random = new("session weak key")
    XWING.encapsulate(public, relay_random)
    drawn = {"relay_random": relay_random.record()}
    data = sealed(pad(weak))
    yield {
        "name": "hello: weak key",
        **key,
        "at": "hello",
        **drawn,
        "hello": data.hex(),
        "rule": "session-hello",
    }


def _bad_accepts(base: Case, accept: bytes) -> Iterator[Case]:
    enc = decode_session_accept(accept).enc
    wrong = {
        "accept: nothing": (b"", "cbor-truncated"),
        "accept: trailing byte": (accept + b"\x00", "cbor-trailing"),
        "accept: short encapsulation": (b"\xa1\x01\x41\x00", "message"),
        "accept: weak key": (encode_session_accept(SessionAccept(enc[:1088] + bytes(32))), "session-accept"),
    }
    for name, (data, rule) in wrong.items():
        yield {"name": name, **base, "accept": data.hex(), "rule": rule}


def _other_accept(whole: Case, reply: bytes) -> Case:
    """A relay's frame that was changed on its way: the sides go on with different keys, so the next frame
    fails."""
    turned = flipped(bytes.fromhex(whole["accept"]), 500).hex()
    frames = [{"from": "relay", "sealed": reply.hex()}]
    name = "accept: bit of the encapsulation"
    return {
        "name": name,
        **whole,
        "at": "frames",
        "accept": turned,
        "frames": frames,
        "rule": "session-frame",
    }


RFC9458 = {
    "source": "RFC 9458, Appendix A",
    "cases": [
        {
            "name": "the RFC's example",
            "kem": 32,
            "key_id": 1,
            "private_key": "3c168975674b2fa8e465970b79c8dcf09f1c741626480bd4c6162fc5b6a98e1a",
            "public_key": "31e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e798155",
            "request_label": "message/bhttp request",
            "response_label": "message/bhttp response",
            "request_plaintext": "00034745540568747470730b6578616d706c652e636f6d012f",
            "request": "010020000100014b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad1"
            "9dec96c208b4726374e469135906992e1268c594d2a10c695d858c40a026e796"
            "5e7d86b83dd440b2c0185204b4d63525",
            "exported_secret": "62d87a6ba569ee81014c2641f52bea36",
            "response_nonce": "c789e7151fcba46158ca84b04464910d",
            "response_plaintext": "0140c8",
            "response": "c789e7151fcba46158ca84b04464910d86f9013e404feea014e7be4a441f234f857fbd",
            "rule": None,
        }
    ],
}
