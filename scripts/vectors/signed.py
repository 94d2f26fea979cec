"""Vectors of what is signed: key configurations, devices, and members' wishes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from polynya.crypto import signature
from polynya.wire import credential, keys, labels, requests
from polynya.wire.messages import (
    SUITE_X25519,
    SUITE_XWING,
    ContactRequest,
    ContactRequestBody,
    DeviceCredential,
    DeviceEntry,
    DeviceList,
    DeviceListBody,
    KeyConfig,
    Moved,
    MovedBody,
    PackageOwner,
    Reach,
    ReAddBody,
    ReAddRequest,
    RelayAddress,
    SignedKeyConfigs,
    decode_signed_key_configs,
    encode_contact_request,
    encode_device_credential,
    encode_device_list,
    encode_leave_proof,
    encode_moved,
    encode_re_add_request,
    encode_signed_key_configs,
)
from scripts.vectors.source import Case, flipped, secret


def _config(number: int, start: int, kem: int = 0x647A, size: int = 1216) -> KeyConfig:
    return KeyConfig(number, kem, secret(f"config {number}", size), start, start + 100)


def key_config_cases() -> Iterator[Case]:
    seed = secret("relay identity")
    base = {"identity": signature.public_key(seed).hex(), "told": 0}
    good = [_config(7, 1000), _config(8, 2000), _config(9, 3000, 0x0020, 32)]
    data = keys.sign_key_configs(seed, good)
    signed = decode_signed_key_configs(data)
    made = {"seed": seed.hex(), "body": signed.body.hex()}
    yield {"name": "the newest that is X-Wing", **base, **made, "data": data.hex(), "newest": 8, "rule": None}
    last = {**base, "told": 2100}
    yield {"name": "told its last moment", **last, "data": data.hex(), "newest": 8, "rule": None}
    yield {"name": "told a moment later", **base, "told": 2101, "data": data.hex(), "rule": "keys-expired"}
    other = signature.sign(seed, labels.signed_bytes("receipt", signed.body))
    wrong = {
        "bit of the signature": (
            SignedKeyConfigs(signed.body, flipped(signed.signature, 1)),
            "keys-signature",
        ),
        "bit of the body": (SignedKeyConfigs(flipped(signed.body, 200), signed.signature), "keys-signature"),
        "another label": (SignedKeyConfigs(signed.body, other), "keys-signature"),
        "signature of zeros": (SignedKeyConfigs(signed.body, bytes(64)), "keys-signature"),
    }
    for name, (bad, rule) in wrong.items():
        yield {"name": name, **base, "data": encode_signed_key_configs(bad).hex(), "rule": rule}
    lists = {
        "an id twice": ([_config(7, 1), _config(7, 2)], "keys-doubled"),
        "none": ([], "keys-none"),
        "no X-Wing": ([_config(7, 1, 0x0020, 32)], "keys-none"),
        "X-Wing of another size": ([_config(7, 1, 0x647A, 1215)], "keys-none"),
    }
    for name, (configs, rule) in lists.items():
        yield {"name": name, **base, "data": keys.sign_key_configs(seed, configs).hex(), "rule": rule}
    yield {"name": "trailing byte", **base, "data": data.hex() + "00", "rule": "cbor-trailing"}


def credential_cases() -> Iterator[Case]:
    seed, device = secret("identity"), signature.public_key(secret("device"))
    data = credential.make_device_credential(seed, device, 3)
    base = {"signature_key": device.hex()}
    identity = signature.public_key(seed)
    good = {"seed": seed.hex(), "identity": identity.hex(), "list_number": 3, "data": data.hex()}
    yield {"name": "accepted", **base, **good, "rule": None}
    signed = data[-64:]
    other_label = signature.sign(seed, labels.signed_bytes("device list", device + bytes(7) + b"\x03"))
    wrong = {
        "another list number": DeviceCredential(identity, 4, signed),
        "another identity": DeviceCredential(signature.public_key(secret("x")), 3, signed),
        "bit of the signature": DeviceCredential(identity, 3, flipped(signed, 63)),
        "signature of zeros": DeviceCredential(identity, 3, bytes(64)),
        "identity of small order": DeviceCredential(b"\x01" + bytes(31), 3, b"\x01" + bytes(63)),
        "another label": DeviceCredential(identity, 3, other_label),
    }
    for name, bad in wrong.items():
        encoded = encode_device_credential(bad).hex()
        yield {"name": name, **base, "data": encoded, "rule": "credential-signature"}
    moved = {"signature_key": signature.public_key(secret("x")).hex(), "data": data.hex()}
    yield {"name": "another leaf's key", **moved, "rule": "credential-signature"}
    yield {"name": "nothing", **base, "data": "", "rule": "cbor-truncated"}
    yield {"name": "an identity only", **base, "data": "5820" + identity.hex(), "rule": "message"}


def device_list_cases() -> Iterator[Case]:
    seed = secret("identity")
    identity = signature.public_key(seed)
    one, two = DeviceEntry(secret("device 1"), 1000), DeviceEntry(secret("device 2"), 2000)
    first = credential.sign_device_list(seed, DeviceListBody(4, (one, two)))
    later = credential.sign_device_list(seed, DeviceListBody(5, (two,)))
    other = credential.sign_device_list(seed, DeviceListBody(4, (one,)))
    doubled = credential.sign_device_list(seed, DeviceListBody(4, (one, one)))
    base = {"identity": identity.hex()}

    def case(name: str, signed: DeviceList, rule: str | None, known: DeviceList | None = None) -> Case:
        extra = {"known": encode_device_list(known).hex()} if known else {}
        return {"name": name, **base, **extra, "list": encode_device_list(signed).hex(), "rule": rule}

    yield {**case("two devices", first, None), "seed": seed.hex(), "body": first.body.hex(), "number": 4}
    yield {**case("a later list", later, None, first), "number": 5}
    yield {**case("the same list", first, None, first), "number": 4}
    yield case("an older list", first, "device-list-number", later)
    yield case("another list of that number", other, "device-list-conflict", first)
    yield case("a device twice", doubled, "device-list-doubled")
    yield case(
        "bit of the signature", replace(first, signature=flipped(first.signature, 0)), "device-list-signature"
    )
    yield case("another body", replace(first, body=later.body), "device-list-signature")
    strange = {"identity": signature.public_key(secret("x")).hex()}
    yield {**case("another person's", first, "device-list-signature"), **strange}


def request_cases() -> Iterator[Case]:
    """Contact requests, re-add requests, leave proofs and where a group goes on; `kind` says which."""
    seed = secret("identity")
    identity = signature.public_key(seed)
    devices = credential.sign_device_list(seed, DeviceListBody(1, (DeviceEntry(secret("device 1"), 1000),)))
    relay = RelayAddress("https://relay.example/p", secret("relay identity"))
    owners = (PackageOwner(SUITE_XWING, secret("owner")), PackageOwner(SUITE_X25519, secret("another owner")))
    reach = Reach(relay, secret("inbox"), secret("inbox key"), owners, secret("package key"))
    card, package = secret("card"), secret("key package", 300)
    body = ContactRequestBody(card, identity, "Ada", devices, reach, "It is me")
    good = requests.sign_contact_request(seed, body)
    base = {"kind": "contact", "card": card.hex()}
    made = {"seed": seed.hex(), "body": good.body.hex()}
    yield {"name": "contact", **base, **made, "data": encode_contact_request(good).hex(), "rule": None}
    stranger = secret("x")
    foreign = requests.sign_contact_request(stranger, replace(body, identity=signature.public_key(stranger)))
    leave = signature.sign(seed, labels.signed_bytes("re-add", good.body))
    bad_list = replace(body, devices=replace(devices, signature=flipped(devices.signature, 3)))
    wrong = {
        "bit of the signature": (
            replace(good, signature=flipped(good.signature, 3)),
            "contact-request-signature",
        ),
        "another's signature": (ContactRequest(good.body, foreign.signature), "contact-request-signature"),
        "another label": (ContactRequest(good.body, leave), "contact-request-signature"),
        "another card": (
            requests.sign_contact_request(seed, replace(body, card=secret("y"))),
            "contact-request-card",
        ),
        "another's device list": (foreign, "device-list-signature"),
        "bit of the device list": (requests.sign_contact_request(seed, bad_list), "device-list-signature"),
    }
    for name, (request, rule) in wrong.items():
        yield {
            "name": f"contact: {name}",
            **base,
            "data": encode_contact_request(request).hex(),
            "rule": rule,
        }
    yield from _re_add_cases(seed, identity, package)
    yield from _moved_cases(seed, identity)
    yield from _leave_cases(seed, identity)


def _re_add_cases(seed: bytes, identity: bytes, package: bytes) -> Iterator[Case]:
    body = ReAddBody(secret("group", 16), identity, 12, package, 1_700_000_000_000)
    good = requests.sign_re_add_request(seed, body)
    base = {"kind": "re-add"}
    made = {"seed": seed.hex(), "body": good.body.hex()}
    yield {"name": "re-add", **base, **made, "data": encode_re_add_request(good).hex(), "rule": None}
    turned = ReAddRequest(good.body, flipped(good.signature, 40))
    yield {
        "name": "re-add: bit of the signature",
        **base,
        "data": encode_re_add_request(turned).hex(),
        "rule": "re-add-signature",
    }
    later = requests.sign_re_add_request(seed, replace(body, epoch=13))
    moved = ReAddRequest(later.body, good.signature)
    yield {
        "name": "re-add: another epoch",
        **base,
        "data": encode_re_add_request(moved).hex(),
        "rule": "re-add-signature",
    }


def _moved_cases(seed: bytes, identity: bytes) -> Iterator[Case]:
    body = MovedBody(secret("group", 16), 12, identity, b"a GroupInfo", b"a Welcome")
    good = requests.sign_moved(seed, body)
    base = {"kind": "moved"}
    made = {"seed": seed.hex(), "body": good.body.hex()}
    yield {"name": "moved", **base, **made, "data": encode_moved(good).hex(), "rule": None}
    alone = requests.sign_moved(seed, replace(body, welcome=None))
    made = {"seed": seed.hex(), "body": alone.body.hex()}
    yield {"name": "moved: alone", **base, **made, "data": encode_moved(alone).hex(), "rule": None}
    stranger = requests.sign_moved(secret("x"), body)
    other_label = signature.sign(seed, labels.signed_bytes("re-add", good.body))
    wrong = {
        "bit of the signature": Moved(good.body, flipped(good.signature, 40)),
        "another's signature": stranger,
        "another label": Moved(good.body, other_label),
        "another Welcome": Moved(
            requests.sign_moved(seed, replace(body, welcome=b"a welcome")).body, good.signature
        ),
    }
    for name, bad in wrong.items():
        yield {
            "name": f"moved: {name}",
            **base,
            "data": encode_moved(bad).hex(),
            "rule": "moved-signature",
        }


def _leave_cases(seed: bytes, identity: bytes) -> Iterator[Case]:
    group = secret("group", 16)
    leaf = requests.leaf_hash(b"leaf node")
    leaves = (requests.leaf_hash(b"leaf node of another device"), leaf)
    good = requests.sign_leave_proof(seed, group, leaves)
    base = {"kind": "leave", "group": group.hex(), "leaf": leaf.hex()}
    yield {"name": "leave", **base, "seed": seed.hex(), "data": encode_leave_proof(good).hex(), "rule": None}
    other = requests.sign_leave_proof(seed, secret("another group", 16), leaves)
    former = requests.sign_leave_proof(seed, group, leaves[:1])
    wrong = {
        "another group": other,
        "another identity": replace(good, identity=signature.public_key(secret("x"))),
        "signature of zeros": replace(good, signature=bytes(64)),
        "another leaf": former,
        "a leaf that was not signed": replace(former, leaves=leaves),
        "no leaf": requests.sign_leave_proof(seed, group, ()),
    }
    for name, bad in wrong.items():
        yield {"name": f"leave: {name}", **base, "data": encode_leave_proof(bad).hex(), "rule": "leave"}
