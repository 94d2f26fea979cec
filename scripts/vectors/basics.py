"""Vectors of padding, labels, links and safety numbers."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from polynya.crypto import signature
from polynya.crypto.hashes import sha256
from polynya.wire import cbor, labels, links, safety
from polynya.wire.messages import (
    RECORD_STEPS,
    RESPONSE_STEPS,
    SUITE_X25519,
    SUITE_XWING,
    InviteLink,
    Receipt,
    ReceiptBody,
    RelayLink,
    encode_receipt_body,
)
from polynya.wire.padding import pad
from scripts.vectors.source import Case, flipped, secret


def padding_cases() -> Iterator[Case]:
    records = [step - 28 for step in RECORD_STEPS]
    for sizes, width in ((list(RESPONSE_STEPS), 4), (records, 2)):
        base = {"sizes": sizes, "length_size": width}
        for n in (0, 1, sizes[0] - width, sizes[0] - width + 1, sizes[2] - width):
            data = secret(f"padding {n}", n)
            padded = pad(data, sizes, width)
            yield {
                "name": f"u{8 * width}: {n} bytes",
                **base,
                "data": data.hex(),
                "padded": padded.hex(),
                "rule": None,
            }
        too_long = {
            "sizes": sizes[:2],
            "length_size": width,
            "data": "00" * (sizes[1] - width + 1),
            "padded": None,
        }
        yield {"name": f"u{8 * width}: too long", **too_long, "rule": "padding-fit"}
        good = pad(b"hello", sizes, width)
        wrong = {
            "nothing": (b"", "padding-length"),
            "length beyond the end": (
                (sizes[0]).to_bytes(width, "big") + bytes(sizes[0] - width),
                "padding-length",
            ),
            "a larger step": (good + bytes(sizes[1] - sizes[0]), "padding-step"),
            "no step": (good[:-1], "padding-step"),
            "last byte not zero": (good[:-1] + b"\x01", "padding-zeros"),
            "first byte of padding not zero": (
                good[: width + 5] + b"\x01" + good[width + 6 :],
                "padding-zeros",
            ),
        }
        for name, (padded, rule) in wrong.items():
            yield {"name": f"u{8 * width}: {name}", **base, "padded": padded.hex(), "rule": rule}


def label_cases() -> Iterator[Case]:
    topic_secret, other = secret("topic secret"), secret("record")
    functions = {
        "write_secret": [topic_secret],
        "record_key": [topic_secret],
        "card_key": [secret("invite", 16)],
        "topic_id": [labels.write_secret(topic_secret)],
        "inbox_id": [other],
        "owner_id": [other],
        "blob_id": [other],
        "record_hash": [other],
        "chain_head": [labels.topic_id(other), labels.record_hash(other)],
    }
    for name, inputs in functions.items():
        output: bytes = getattr(labels, name)(*inputs)
        yield {"name": name, "inputs": [data.hex() for data in inputs], "output": output.hex(), "rule": None}
    for suite in (SUITE_X25519, SUITE_XWING):
        output = labels.owner_secret(other, suite)
        made = {"inputs": [other.hex()], "suite": suite}
        yield {
            "name": f"owner_secret {suite}",
            "function": "owner_secret",
            **made,
            "output": output.hex(),
            "rule": None,
        }


def receipt_cases() -> Iterator[Case]:
    seed = secret("relay identity")
    identity = signature.public_key(seed)
    body = ReceiptBody(secret("topic"), secret("slot", 16), 3, 41, secret("record hash"))
    blobs = ReceiptBody(secret("topic"), secret("slot", 16), 0, 1, secret("record hash"), (secret("blob"),))
    for name, one in (("plain", body), ("with blobs", blobs)):
        yield {
            "name": name,
            "seed": seed.hex(),
            **_receipt(identity, one, labels.sign_receipt(seed, one)),
            "rule": None,
        }
    receipt = labels.sign_receipt(seed, body)
    late = ReceiptBody(body.topic, body.slot, 3, 42, body.record_hash)
    bad = "receipt"
    yield {"name": "another seq", **_receipt(identity, late, receipt), "rule": bad}
    yield {"name": "another position", **_receipt(identity, body, Receipt(4, receipt.signature)), "rule": bad}
    yield {
        "name": "bit of the signature",
        **_receipt(identity, body, Receipt(3, flipped(receipt.signature, 5))),
        "rule": bad,
    }
    yield {"name": "another relay", **_receipt(secret("relay"), body, receipt), "rule": bad}
    keys = signature.sign(seed, labels.signed_bytes("keys", encode_receipt_body(body)))
    yield {"name": "another label", **_receipt(identity, body, Receipt(3, keys)), "rule": bad}


def _receipt(identity: bytes, body: ReceiptBody, receipt: Receipt) -> Case:
    return {
        "identity": identity.hex(),
        "body": encode_receipt_body(body).hex(),
        "position": receipt.position,
        "signature": receipt.signature.hex(),
    }


ADDRESS = "https://relay.example:8443/Zf3kQ9vYx2LrT7Hn"


def link_cases() -> Iterator[Case]:
    identity, secret16 = secret("relay identity"), secret("invite", 16)
    invite = InviteLink(1, identity, secret("card"), secret16)
    elsewhere = InviteLink(1, identity, secret("card"), secret16, "http://192.0.2.7/p")
    relay = RelayLink(1, identity)
    text = links.build_invite_link(ADDRESS, invite)
    far = links.build_invite_link("https://app.example", elsewhere)
    own = links.build_relay_link(ADDRESS, relay)
    fragment = text.split("#")[1]
    for name, link in (("invite", text), ("relay", own)):
        yield {"name": name, "text": link, "build": True, **_link(link), "rule": None}
    yield {
        "name": "url of its own",
        "text": far,
        "build": True,
        "app": "https://app.example",
        **_link(far),
        "rule": None,
    }
    pasted = {
        "fragment": (f"#{fragment}", ADDRESS),
        "fragment without #": (fragment, ADDRESS + "/"),
        "slashes before #": (text.replace("/#", "//#"), None),
        "among words": (f"Hello! Join me here: {text} - see you.", None),
        "in brackets and at a sentence's end": (f"({text}).", None),
        "broken into lines": (text[:60] + "\r\n" + text[60:120] + "\n " + text[120:], None),
        "escaped hash": (text.replace("#", "%23"), None),
        "soft hyphens and zero-width spaces": ("\u200b" + text[:70] + "\u00ad" + text[70:] + "\ufeff", None),
        "padded base64": (text + "==", None),
    }
    for name, (variant, base) in pasted.items():
        yield {"name": name, "text": variant, **({"base": base} if base else {}), **_link(text), "rule": None}
    yield from _bad_links(text, fragment, invite)


def _bad_links(text: str, fragment: str, invite: InviteLink) -> Iterator[Case]:
    payload = fragment[2:]
    data = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    newer: dict[int, int | bytes] = {1: 2, 2: invite.relay, 9: b"later"}
    bad = {
        "link-foreign": [
            "",
            "hello",
            "https://example.org/",
            "https://example.org/#top",
            "tg://join?invite=x",
            text.split("#")[0],
            text.replace("#i=", "#x="),
        ],
        "link-truncated": [text[:cut] for cut in (-1, -2, -3, -4, -5, -6, -7, -20)]
        + [text.split("=")[0] + "="],
        "link-damaged": [text.replace("#i=", "#r="), text.lower(), text[:-8] + "*" + text[-7:]]
        + [f"{ADDRESS}/#i={_base64(flipped(data, at))}" for at in (9, 40, -1)]
        + [_with_check(cbor.encode({1: 1, 2: b"short"})), _with_check(b"\xff" + data)],
        "link-version": [_with_check(cbor.encode(newer)), _with_check(cbor.encode({1: 9}))],
        "link-address": [
            f"#{fragment}",
            text.replace("https://", "https://user@"),
            text.replace("/#", "/?q=1#"),
        ],
    }
    for rule, texts in bad.items():
        for number, variant in enumerate(texts):
            yield {"name": f"{rule} {number}", "text": variant, "rule": rule}


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _with_check(data: bytes) -> str:
    return f"{ADDRESS}/#i={_base64(data + sha256(b'polynya link 1' + data)[:4])}"


def _link(text: str) -> Case:
    opened = links.parse_link(text)
    link = opened.link
    value = {"version": link.version, "relay": "0x" + link.relay.hex()}
    if isinstance(link, InviteLink):
        value |= {"card": "0x" + link.card.hex(), "secret": "0x" + link.secret.hex()}
    if link.url is not None:
        value["url"] = link.url
    kind = "invite" if isinstance(link, InviteLink) else "relay"
    return {"kind": kind, "url": opened.address.url, "link": value}


def safety_cases() -> Iterator[Case]:
    one, other = secret("one"), secret("other")
    for name, pair in (
        ("two people", (one, other)),
        ("the other way round", (other, one)),
        ("with oneself", (one, one)),
    ):
        authenticator = secret(f"authenticator of {name}")
        yield {
            "name": name,
            "one": pair[0].hex(),
            "other": pair[1].hex(),
            "epoch_authenticator": authenticator.hex(),
            "groups": list(safety.safety_number(*pair, authenticator)),
            "qr": safety.safety_qr(*pair, authenticator),
            "rule": None,
        }
    good = safety.safety_qr(one, other, secret("authenticator"))
    swapped = safety.QR_PREFIX + _base64(max(one, other) + min(one, other) + secret("authenticator"))
    short = safety.QR_PREFIX + _base64(one + other)
    wrong = [
        good[:-1],
        good + "=",
        good + "A",
        good.replace("-1:", "-2:"),
        swapped,
        short,
        ADDRESS,
        "",
        good[:-1] + "*",
    ]
    for number, text in enumerate(wrong):
        yield {"name": f"qr {number}", "qr": text, "rule": "safety-qr"}
