"""Key packages with which others add us while we are away: kept in stock on the home relay."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import work
from polynya.core._state import Me, PackageUse, StoredPackage
from polynya.core.identity import me
from polynya.core.mlsgroup import DAY, PACKAGE_LIFETIME, new_key_package
from polynya.core.state import CLOCK, ME, PACKAGE, SCALAR
from polynya.core.transaction import Transaction
from polynya.crypto.hashes import sha256
from polynya.mls.keypackage import KeyPackageBundle
from polynya.wire.keypackages import seal_key_package
from polynya.wire.labels import owner_id
from polynya.wire.messages import KeyPackagesStored, PutKeyPackages, Request, Response

STOCK = 20
"""One-time key packages on the relay: as many groups can add us before we are back."""
KEPT_MAX = 200
"""One-time private keys kept here: a relay that says it has none left gets no more than ten stocks within 90 days."""
PUT_MAX = 10
"""In one request."""
LAST_RESORT_RENEWED = 30 * DAY
"""A last-resort key package protects nothing that was sent before its private key is destroyed: not kept for long."""


def create(t: Transaction, use: PackageUse) -> KeyPackageBundle:
    """A new key package, kept with its private keys; for the stock it is sealed and waits to be put on the relay."""
    own = me(t)
    bundle = new_key_package(own, t.time, use == PackageUse.LAST, t.random)
    encoded = bundle.key_package.encode()
    sealed = None
    if use != PackageUse.SENT:
        sealed = seal_key_package(own.package_key, owner_id(own.owner_secret), encoded, t.random)
    row = StoredPackage(bundle.encode(), use, t.time + PACKAGE_LIFETIME, sealed)
    t.put(PACKAGE, sha256(encoded), row)
    return bundle


def bundles(t: Transaction) -> list[KeyPackageBundle]:
    """All that a Welcome may be for."""
    found = []
    for key in t.keys(PACKAGE):
        row = t.get(PACKAGE, key)
        if row is not None:
            found.append(KeyPackageBundle.decode(row.bundle))
    return found


def used(t: Transaction, bundle: KeyPackageBundle) -> bool:
    """A Welcome used it: one-time private keys are destroyed. True for the last resort, which stays."""
    key = sha256(bundle.key_package.encode())
    row = t.get(PACKAGE, key)
    if row is not None and row.use == PackageUse.LAST:
        return True
    t.remove(PACKAGE, key)
    t.put(SCALAR, b"keys-told", 0)
    work.wake(t, b"keys")
    return False


def _unsent(t: Transaction) -> tuple[list[bytes], bytes | None]:
    """Keys of one-time packages that the relay does not have yet, and of the last resort."""
    packages: list[bytes] = []
    last: bytes | None = None
    for key in t.keys(PACKAGE):
        row = t.get(PACKAGE, key)
        if row is None or row.sealed is None:
            continue
        if row.use == PackageUse.LAST:
            last = key
        elif len(packages) < PUT_MAX:
            packages.append(key)
    return packages, last


def _sealed(t: Transaction, key: bytes) -> bytes:
    row = t.get(PACKAGE, key)
    return b"" if row is None or row.sealed is None else row.sealed


def work_keys(t: Transaction) -> None:
    """First asks how many are left (an empty put), which also tells the relay's clock; then fills the stock."""
    own = t.get(ME)
    if own is None or not work.may_call(t, own.relay.identity, work.item(b"keys")):
        return
    if t.get(CLOCK) is None or not t.get(SCALAR, b"keys-told"):
        _put(t, own, [], None)
        return
    packages, last = _unsent(t)
    if not packages:
        _fill(t)
        packages, last = _unsent(t)
    if packages or last is not None:
        _put(t, own, packages, last)


def _fill(t: Transaction) -> None:
    left = t.get(SCALAR, b"keys-left") or 0
    if left < STOCK and len(t.keys(PACKAGE)) < KEPT_MAX:
        for _ in range(min(PUT_MAX, STOCK - left)):
            create(t, PackageUse.STOCK)
    newest = 0
    for key in t.keys(PACKAGE):
        row = t.get(PACKAGE, key)
        if row is not None and row.use == PackageUse.LAST:
            newest = max(newest, row.expires)
    if newest < t.time + PACKAGE_LIFETIME - LAST_RESORT_RENEWED:
        create(t, PackageUse.LAST)


def _put(t: Transaction, own: Me, packages: list[bytes], last: bytes | None) -> None:
    request = PutKeyPackages(
        own.owner_secret,
        tuple(_sealed(t, key) for key in packages),
        None if last is None else _sealed(t, last),
    )
    work.call(t, own.relay.identity, work.item(b"keys"), request)


def answered(t: Transaction, request: Request, response: Response) -> None:
    if work.postponed(t, b"keys", b"", response) or not isinstance(request, PutKeyPackages):
        return
    if not isinstance(response, KeyPackagesStored):
        work.count(t, "keys-refused")
        work.pause(t, b"keys", b"")
        return
    work.succeeded(t, b"keys")
    sent = {*request.packages, *(() if request.last_resort is None else (request.last_resort,))}
    for key in t.keys(PACKAGE):
        row = t.get(PACKAGE, key)
        if row is not None and row.sealed is not None and row.sealed in sent:
            t.put(PACKAGE, key, replace(row, sealed=None))
    t.put(SCALAR, b"keys-told", 1)
    t.put(SCALAR, b"keys-left", response.count)
    work.wake(t, b"keys")


def forget_expired(t: Transaction) -> None:
    """Private keys of packages that nobody may use any more."""
    for key in t.keys(PACKAGE):
        row = t.get(PACKAGE, key)
        if row is not None and row.expires < t.time:
            t.remove(PACKAGE, key)
    work.wake(t, b"keys")
