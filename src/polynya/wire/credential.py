"""Devices of a person: credentials and device lists (protocol.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass

from polynya.crypto.signature import public_key, sign, verify
from polynya.wire.errors import WireError
from polynya.wire.labels import signed_bytes
from polynya.wire.messages import (
    DeviceCredential,
    DeviceEntry,
    DeviceList,
    DeviceListBody,
    decode_device_credential,
    decode_device_list_body,
    encode_device_credential,
    encode_device_list_body,
)


@dataclass(frozen=True, slots=True)
class VerifiedDevice:
    """A device whose credential the person's identity key signed."""

    identity: bytes
    signature_key: bytes
    list_number: int


@dataclass(frozen=True, slots=True)
class VerifiedDeviceList:
    """A device list that the person's identity key signed."""

    identity: bytes
    number: int
    devices: tuple[DeviceEntry, ...]
    body: bytes
    """As signed."""

    def names(self, signature_key: bytes) -> bool:
        return any(device.signature_key == signature_key for device in self.devices)


def _device_bytes(signature_key: bytes, list_number: int) -> bytes:
    return signed_bytes("device", signature_key + list_number.to_bytes(8, "big"))


def make_device_credential(identity_seed: bytes, signature_key: bytes, list_number: int) -> bytes:
    """The encoded DeviceCredential that a leaf's basic credential holds."""
    signature = sign(identity_seed, _device_bytes(signature_key, list_number))
    return encode_device_credential(DeviceCredential(public_key(identity_seed), list_number, signature))


def verify_device_credential(data: bytes, signature_key: bytes) -> VerifiedDevice:
    """Whether a leaf with this credential and signature key is accepted.

    Raises WireError `credential-signature`, a `cbor-` rule, or `message`.
    """
    credential = decode_device_credential(data)
    message = _device_bytes(signature_key, credential.list_number)
    if not verify(credential.identity, message, credential.signature):
        raise WireError("credential-signature")
    return VerifiedDevice(credential.identity, signature_key, credential.list_number)


def sign_device_list(identity_seed: bytes, body: DeviceListBody) -> DeviceList:
    encoded = encode_device_list_body(body)
    return DeviceList(encoded, sign(identity_seed, signed_bytes("device list", encoded)))


def verify_device_list(identity: bytes, signed: DeviceList) -> VerifiedDeviceList:
    """Raises WireError `device-list-signature`, `device-list-doubled` (a device twice), a `cbor-` rule, or
    `message`."""
    if not verify(identity, signed_bytes("device list", signed.body), signed.signature):
        raise WireError("device-list-signature")
    body = decode_device_list_body(signed.body)
    if len({device.signature_key for device in body.devices}) != len(body.devices):
        raise WireError("device-list-doubled")
    return VerifiedDeviceList(identity, body.number, body.devices, signed.body)


def check_device_list_follows(known: VerifiedDeviceList, new: VerifiedDeviceList) -> None:
    """Raises WireError `device-list-identity` (another person's), `device-list-number` (an older list) or
    `device-list-conflict` (the same number with other content)."""
    if known.identity != new.identity:
        raise WireError("device-list-identity")
    if new.number < known.number:
        raise WireError("device-list-number")
    if new.number == known.number and new.body != known.body:
        raise WireError("device-list-conflict")
