"""Who we are, and who others are: the identity of this device's person, accepted leaves, device lists."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import work
from polynya.core._state import Me, Person
from polynya.core.commands import ContactsChanged, IdentityCreated, MeChanged
from polynya.core.errors import CoreError
from polynya.core.state import ME, PERSON
from polynya.core.transaction import Transaction
from polynya.crypto import signature
from polynya.mls.credential import BasicCredential, Credential
from polynya.mls.errors import MlsError
from polynya.mls.group import decode_key_package, verify_key_package
from polynya.mls.keypackage import KeyPackage
from polynya.wire.credential import (
    VerifiedDevice,
    VerifiedDeviceList,
    check_device_list_follows,
    make_device_credential,
    sign_device_list,
    verify_device_credential,
    verify_device_list,
)
from polynya.wire.errors import WireError
from polynya.wire.messages import DeviceEntry, DeviceList, DeviceListBody, RelayAddress

NAME_MAX = 128
JOINERS = "\u200c\u200d"
"""Letters' neighbours in Persian and in emoji; no other invisible character belongs in a name."""


def check_name(name: str) -> str:
    """Without blanks at its ends; raises CoreError `bad-name`."""
    name = name.strip()
    visible = all(c.isprintable() or c in JOINERS for c in name) and any(c not in JOINERS for c in name)
    if not 0 < len(name.encode("utf-8", "surrogatepass")) <= NAME_MAX or not visible:
        raise CoreError("bad-name")
    return name


def create(t: Transaction, name: str, relay: RelayAddress) -> None:
    """Draws: identity seed, device seed, owner secret, package key (32 bytes each)."""
    if t.get(ME) is not None:
        raise CoreError("identity-exists")
    name = check_name(name)
    identity_secret = signature.generate(t.random)
    device_secret = signature.generate(t.random)
    owner_secret = t.random.bytes(32)
    package_key = t.random.bytes(32)
    identity = signature.public_key(identity_secret)
    device_key = signature.public_key(device_secret)
    number = 1
    devices = sign_device_list(identity_secret, DeviceListBody(number, (DeviceEntry(device_key, t.time),)))
    credential = make_device_credential(identity_secret, device_key, number)
    t.put(
        ME,
        b"",
        Me(
            identity_secret=identity_secret,
            identity=identity,
            name=name,
            device_secret=device_secret,
            device_key=device_key,
            credential=credential,
            devices=devices,
            list_number=number,
            relay=relay,
            owner_secret=owner_secret,
            package_key=package_key,
            read_receipts=True,
        ),
    )
    work.wake(t, b"keys")
    t.notify(IdentityCreated(identity))


def me(t: Transaction) -> Me:
    """Raises CoreError `no-identity`."""
    found = t.get(ME)
    if found is None:
        raise CoreError("no-identity")
    return found


def set_settings(t: Transaction, read_receipts: bool) -> None:
    t.put(ME, b"", replace(me(t), read_receipts=read_receipts))
    t.notify(MeChanged())


# ---- leaves ----


def accepted_leaf(credential: Credential, signature_key: bytes) -> VerifiedDevice | None:
    """The device of a leaf whose credential its person's identity key signed; None: the leaf is not accepted."""
    if not isinstance(credential, BasicCredential):
        return None
    try:
        return verify_device_credential(credential.identity, signature_key)
    except WireError:
        return None


def accepted_key_package(
    data: bytes, suite: int, identity: bytes, devices: VerifiedDeviceList | None, now: int
) -> KeyPackage | None:
    """A key package of the suite that brings in a leaf of `identity`, of a device in its list as far as that is known.

    None where it must not be used. `now`: ms, for its lifetime.
    """
    try:
        package = verify_key_package(decode_key_package(data), now)
    except MlsError:
        return None
    if package.cipher_suite != suite:
        return None
    leaf = package.leaf_node
    device = accepted_leaf(leaf.credential, leaf.signature_key)
    if device is None or device.identity != identity:
        return None
    if devices is not None and not devices.names(leaf.signature_key):
        return None
    return package


# ---- others ----


def person(t: Transaction, identity: bytes) -> Person:
    """What is known of somebody; an empty name where nothing is."""
    found = t.get(PERSON, identity)
    return found if found is not None else Person(identity, "", False, False, False, False)


def save_person(t: Transaction, changed: Person) -> None:
    if t.get(PERSON, changed.identity) != changed:
        t.put(PERSON, changed.identity, changed)
        t.notify(ContactsChanged())


def name_of(t: Transaction, identity: bytes) -> str:
    own = t.get(ME)
    if own is not None and own.identity == identity:
        return own.name
    return person(t, identity).name


def known_devices(somebody: Person) -> VerifiedDeviceList | None:
    """Their device list; what is saved was verified."""
    if somebody.devices is None:
        return None
    return verify_device_list(somebody.identity, somebody.devices)


def newer_device_list(known: VerifiedDeviceList | None, new: VerifiedDeviceList) -> bool:
    """A list is refused when its number is lower than one seen, or equal with other content."""
    if known is None:
        return True
    try:
        check_device_list_follows(known, new)
    except WireError:
        return False
    return True


def learn_devices(t: Transaction, identity: bytes, signed: DeviceList) -> bool:
    """Keeps a person's device list; False where it is not theirs or not newer."""
    somebody = person(t, identity)
    try:
        new = verify_device_list(identity, signed)
    except WireError:
        work.count(t, "device-list-bad")
        return False
    if not newer_device_list(known_devices(somebody), new):
        work.count(t, "device-list-old")
        return False
    save_person(t, replace(somebody, devices=signed))
    return True
