"""Vectors of what is stored sealed: records, contact requests, ephemeral messages, files, key packages,
cards."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from polynya.crypto import signature
from polynya.crypto.hpke import seal_once
from polynya.crypto.xwing import XWING
from polynya.wire import card, files, keypackages, labels, record, sealing
from polynya.wire.messages import (
    RECORD_STEPS,
    Card,
    CardBody,
    EphemeralMessage,
    InBlob,
    Inline,
    RecordBody,
    Typing,
    WelcomeMessage,
    encode_card,
    encode_card_body,
    encode_ephemeral_message,
    encode_inbox_message,
    encode_record_body,
)
from polynya.wire.padding import pad
from scripts.vectors.source import Case, Recorder, flipped, secret

New = Callable[[str], Recorder]


def record_cases(new: New) -> Iterator[Case]:
    key, place = secret("record key"), secret("topic")
    bodies: dict[str, RecordBody] = {
        "empty": Inline(b""),
        "short": Inline(secret("body", 400)),
        "fills the first step": Inline(secret("body", 475)),
        "needs the second step": Inline(secret("body", 476)),
        "longest": Inline(secret("body", record.INLINE_MAX)),
        "in a blob": InBlob(secret("blob"), secret("file key"), 100_000),
    }
    base = {"key": key.hex(), "place": place.hex()}
    for name, body in bodies.items():
        random = new(f"record {name}")
        sealed = record.seal_record(key, place, body, random)
        plain = encode_record_body(body).hex()
        yield {
            "name": name,
            **base,
            "random": random.record(),
            "body": plain,
            "record": sealed.hex(),
            "rule": None,
        }
    good = record.seal_record(key, place, bodies["short"], new("record"))
    encoded = encode_record_body(bodies["short"])
    sizes = [step - sealing.OVERHEAD for step in RECORD_STEPS]

    def sealed_plaintext(plaintext: bytes) -> bytes:
        return sealing.seal(key, place, plaintext, new("record wrong"))

    def ends_in_one(size: int) -> bytes:
        return pad(encoded, [size], 2)[:-1] + b"\x01"

    wrong = {
        "nothing": (b"", "record-size"),
        "a byte more": (good + b"\x00", "record-size"),
        "a byte less": (good[:-1], "record-size"),
        "bit of the nonce": (flipped(good, 3), "record-open"),
        "bit of the body": (flipped(good, 100), "record-open"),
        "bit of the tag": (flipped(good, -1), "record-open"),
        "another place": (record.seal_record(key, secret("x"), bodies["short"], new("r")), "record-open"),
        "another key": (record.seal_record(secret("x"), place, bodies["short"], new("r")), "record-open"),
        "padding not zero": (sealed_plaintext(ends_in_one(sizes[0])), "padding-zeros"),
        "a larger step": (sealed_plaintext(pad(encoded, [sizes[1]], 2)), "padding-step"),
        "length beyond the end": (sealed_plaintext(b"\xff\xff" + bytes(sizes[0] - 2)), "padding-length"),
        "no record body": (sealed_plaintext(pad(b"\xa0", [sizes[0]], 2)), "message"),
        "body with trailing bytes": (
            sealed_plaintext(pad(encoded + b"\x00", [sizes[0]], 2)),
            "cbor-trailing",
        ),
    }
    for name, (data, rule) in wrong.items():
        yield {"name": name, **base, "record": data.hex(), "rule": rule}


def contact_request_cases(new: New) -> Iterator[Case]:
    private, public = XWING.generate(new("invite key"))
    card_id, inbox = secret("card"), secret("inbox")
    base = {
        "private_key": private.hex(),
        "public_key": public.hex(),
        "card": card_id.hex(),
        "inbox": inbox.hex(),
    }
    messages = {
        "small": WelcomeMessage(b"small", (), None),
        "longest": WelcomeMessage(secret("welcome", record.REQUEST_INLINE_MAX - 10), (), None),
    }
    for name, message in messages.items():
        random = new(f"contact request {name}")
        sealed = record.seal_contact_request(public, card_id, inbox, message, random)
        encoded = encode_inbox_message(message).hex()
        yield {
            "name": name,
            **base,
            "random": random.record(),
            "message": encoded,
            "record": sealed.hex(),
            "rule": None,
        }
    message = messages["small"]
    good = record.seal_contact_request(public, card_id, inbox, message, new("contact request"))

    def sealed_body(body: bytes) -> bytes:
        info = b"polynya contact request 1" + card_id
        padded = pad(body, [2048 - record.REQUEST_OVERHEAD], 2)
        return b"".join(seal_once(XWING, 1, 2, public, info, inbox, padded, new("contact request wrong")))

    elsewhere = encode_record_body(InBlob(secret("blob"), secret("file key"), 5))
    other_card = record.seal_contact_request(public, secret("x"), inbox, message, new("c"))
    other_inbox = record.seal_contact_request(public, card_id, secret("x"), message, new("c"))
    wrong = {
        "too short for an encapsulation": (good[:1024], "contact-request-size"),
        "no step": (good[:-1], "contact-request-size"),
        "bit of the ML-KEM ciphertext": (flipped(good, 7), "contact-request-open"),
        "bit of the X25519 key": (flipped(good, 1100), "contact-request-open"),
        "bit of the tag": (flipped(good, -1), "contact-request-open"),
        "another card": (other_card, "contact-request-open"),
        "another inbox": (other_inbox, "contact-request-open"),
        "body in a blob": (sealed_body(elsewhere), "contact-request-inline"),
        "no inbox message": (sealed_body(encode_record_body(Inline(b"\x80"))), "message"),
    }
    for name, (data, rule) in wrong.items():
        yield {"name": name, **base, "record": data.hex(), "rule": rule}


def ephemeral_cases(new: New) -> Iterator[Case]:
    key, topic = secret("ephemeral key"), secret("topic")
    base = {"key": key.hex(), "topic": topic.hex()}
    message = EphemeralMessage(7, 1_700_000_000_000, Typing(True))
    random = new("ephemeral")
    good = record.seal_ephemeral(key, topic, message, random)
    encoded = encode_ephemeral_message(message).hex()
    yield {
        "name": "typing",
        **base,
        "random": random.record(),
        "message": encoded,
        "body": good.hex(),
        "rule": None,
    }
    unsealed = sealing.seal(key, topic, b"\xa0", new("ephemeral wrong"))
    wrong = {
        "nothing": (b"", "ephemeral-open"),
        "bit of the body": (flipped(good, 20), "ephemeral-open"),
        "another topic": (record.seal_ephemeral(key, secret("x"), message, new("e")), "ephemeral-open"),
        "no ephemeral message": (unsealed, "message"),
    }
    for name, (data, rule) in wrong.items():
        yield {"name": name, **base, "body": data.hex(), "rule": rule}


def pattern(size: int) -> bytes:
    """What the files of the vectors hold: byte i is (7 i + 3) mod 256."""
    return bytes((7 * i + 3) & 255 for i in range(256)) * (size // 256) + bytes(
        (7 * i + 3) & 255 for i in range(size % 256)
    )


def file_cases() -> Iterator[Case]:
    """Files of a pattern. A wrong blob is the right one, cut or lengthened with zeros to `length`, then
    written over by `edits`: at `at`, the bytes `hex`, or the file's chunk `chunk` as it was sealed (`last`:
    sealed as the last)."""
    for size in (0, 1, 1000, 65_519, 65_520, 65_521, 131_040, 300_000):
        key = secret(f"file {size}")
        blob = b"".join(files.seal_file(key, size, [pattern(size)]))
        yield {
            "name": f"{size} bytes",
            "key": key.hex(),
            "size": size,
            "sealed_size": files.sealed_size(size),
            "blob_size": len(blob),
            "blob_sha256": hashlib.sha256(blob).hexdigest(),
            "rule": None,
        }
    sizes = [0, 1008, 1009, 16_368, 16_369, 65_520, 1 << 20, 50_000_000, 104_832_000]
    for size in sizes:
        yield {
            "name": f"length of {size} bytes",
            "size": size,
            "blob_size": files.blob_size(size),
            "rule": None,
        }
    yield {"name": "larger than any", "size": 104_832_001, "blob_size": None, "rule": "file-size"}
    size = 131_041
    key = secret(f"file {size}")
    blob = b"".join(files.seal_file(key, size, [pattern(size)]))
    chunk, end = files.SEALED_CHUNK, files.sealed_size(size)
    wrong: list[tuple[str, str, int, list[Case]]] = [
        ("bit of the first chunk", "file-open", len(blob), [_byte(5, blob[5] ^ 1)]),
        ("bit of the last chunk", "file-open", len(blob), [_byte(2 * chunk, blob[2 * chunk] ^ 1)]),
        ("chunks exchanged", "file-open", len(blob), [{"at": 0, "chunk": 1}, {"at": chunk, "chunk": 0}]),
        ("false end", "file-open", len(blob), [{"at": chunk, "chunk": 1, "last": True}]),
        ("padding not zero", "file-padding", len(blob), [_byte(len(blob) - 1, 1)]),
        ("padding not zero at its start", "file-padding", len(blob), [_byte(end, 1)]),
        ("cut in the padding", "file-size", len(blob) - 1, []),
        ("cut in a chunk", "file-size", 70_000, []),
        ("cut after a chunk", "file-size", chunk, []),
        ("nothing", "file-size", 0, []),
        ("longer", "file-size", len(blob) + 1, []),
    ]
    for name, rule, length, edits in wrong:
        yield {"name": name, "key": key.hex(), "size": size, "length": length, "edits": edits, "rule": rule}


def _byte(at: int, value: int) -> Case:
    return {"at": at, "hex": f"{value:02x}"}


def key_package_cases(new: New) -> Iterator[Case]:
    key, owner, package = secret("package key"), labels.owner_id(secret("owner")), secret("key package", 300)
    base = {"key": key.hex(), "owner": owner.hex()}
    random = new("key package")
    good = keypackages.seal_key_package(key, owner, package, random)
    yield {
        "name": "one",
        **base,
        "random": random.record(),
        "key_package": package.hex(),
        "sealed": good.hex(),
        "rule": None,
    }
    wrong = {
        "nothing": b"",
        "bit of the nonce": flipped(good, 0),
        "bit of the tag": flipped(good, -1),
        "another owner": keypackages.seal_key_package(key, secret("x"), package, new("k")),
        "another key": keypackages.seal_key_package(secret("x"), owner, package, new("k")),
    }
    for name, data in wrong.items():
        yield {"name": name, **base, "sealed": data.hex(), "rule": "key-package-open"}


def card_cases(new: New) -> Iterator[Case]:
    seed, invite = secret("identity"), secret("invite", 16)
    body = CardBody(
        signature.public_key(seed), "Ada", secret("inbox"), secret("public key", 1216), 1_700_000_000_000
    )
    good_card = card.sign_card(seed, body)
    random = new("card")
    card_id, blob = card.seal_card(invite, good_card, random)
    base = {"secret": invite.hex(), "now": 1_700_000_000_000}
    made = {"seed": seed.hex(), "body": good_card.body.hex(), "random": random.record(), "id": card_id.hex()}
    yield {"name": "at its last moment", **base, **made, "blob": blob.hex(), "rule": None}

    def sealed(plaintext: bytes) -> tuple[bytes, bytes]:
        data = sealing.seal(labels.card_key(invite), card.AAD, plaintext, new("card wrong"))
        return labels.blob_id(data), data

    foreign = replace(body, identity=signature.public_key(secret("another identity")))
    keys = signature.sign(seed, labels.signed_bytes("keys", good_card.body))
    turned = flipped(blob, 50)
    wrong = {
        "another blob": ((card_id, turned), "card-id"),
        "bit of the blob": ((labels.blob_id(turned), turned), "card-open"),
        "another secret": (card.seal_card(secret("x", 16), good_card, new("c")), "card-open"),
        "no card": (sealed(b"\xa0"), "message"),
        "bit of the signature": (
            sealed(encode_card(Card(good_card.body, flipped(good_card.signature, 9)))),
            "card-signature",
        ),
        "another identity": (
            sealed(encode_card(Card(encode_card_body(foreign), good_card.signature))),
            "card-signature",
        ),
        "another label": (sealed(encode_card(Card(good_card.body, keys))), "card-signature"),
        "body with trailing bytes": (
            sealed(encode_card(Card(good_card.body + b"\x00", good_card.signature))),
            "cbor-trailing",
        ),
    }
    for name, ((blob_id, data), rule) in wrong.items():
        yield {"name": name, **base, "id": blob_id.hex(), "blob": data.hex(), "rule": rule}
    late = {**base, "now": 1_700_000_000_001}
    yield {"name": "a moment later", **late, "id": card_id.hex(), "blob": blob.hex(), "rule": "card-expired"}
