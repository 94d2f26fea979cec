"""Key packages with which others add us while we are away: kept in stock on the home relay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from polynya.core import work
from polynya.core._state import Me, PackageUse, StoredPackage
from polynya.core.identity import me
from polynya.core.mlsgroup import DAY, PACKAGE_LIFETIME, SUITES, new_key_package, suite_for
from polynya.core.state import CLOCK, ME, OPENED, PACKAGE, SCALAR
from polynya.core.transaction import Transaction
from polynya.crypto.hashes import sha256
from polynya.mls.keypackage import KeyPackageBundle
from polynya.wire.keypackages import seal_key_package
from polynya.wire.labels import owner_id, owner_secret
from polynya.wire.messages import KeyPackagesStored, PutKeyPackages, Request, Response

STOCK = 20
"""One-time key packages of each suite on the relay: as many conversations can add us before we are back."""
KEPT_MAX = 200
"""One-time private keys of a suite kept here: a relay that says it has none left gets no more than ten stocks within 90
days."""
PUT_MAX = 10
"""In one request: 28 KB of X-Wing key packages."""
LAST_RESORT_RENEWED = 30 * DAY
"""A last-resort key package protects nothing that was sent before its private key is destroyed: not kept for long."""


def create(t: Transaction, suite: int, use: PackageUse) -> KeyPackageBundle:
    """A new key package, kept with its private keys; for the stock it is sealed and waits to be put on the relay."""
    own = me(t)
    bundle = new_key_package(own, suite, t.time, use == PackageUse.LAST, t.random)
    encoded = bundle.key_package.encode()
    sealed = None
    if use != PackageUse.SENT:
        owner = owner_id(owner_secret(own.owner_secret, suite))
        sealed = seal_key_package(own.package_key, owner, encoded, t.random)
    t.put(
        PACKAGE,
        sha256(encoded),
        StoredPackage(bundle.encode(), use, t.time + PACKAGE_LIFETIME, suite, sealed),
    )
    return bundle


def bundles(t: Transaction) -> list[KeyPackageBundle]:
    """All that a Welcome may be for."""
    return [KeyPackageBundle.decode(row.bundle) for _, row in _rows(t)]


def _rows(t: Transaction, suite: int | None = None) -> Iterator[tuple[bytes, StoredPackage]]:
    for key in t.keys(PACKAGE):
        row = t.get(PACKAGE, key)
        if row is not None and suite in (None, row.suite):
            yield key, row


def used(t: Transaction, bundle: KeyPackageBundle) -> bool:
    """A Welcome used it: one-time private keys are destroyed. True for the last resort, which stays."""
    key = sha256(bundle.key_package.encode())
    row = t.get(PACKAGE, key)
    if row is not None and row.use == PackageUse.LAST:
        return True
    t.remove(PACKAGE, key)
    item = suite_key(bundle.key_package.cipher_suite)
    t.put(SCALAR, TOLD + item, 0)
    work.wake(t, b"keys", item)
    return False


# ---- the stock on the relay ----

TOLD = b"keys-told"
"""Before a suite's key: whether the relay has said how many it has, since then."""
LEFT = b"keys-left"
"""Before a suite's key: how many one-time key packages the relay has."""


def suite_key(suite: int) -> bytes:
    """Names a suite's stock among work items: 2 bytes."""
    return suite.to_bytes(2, "big")


def offered(t: Transaction) -> bool:
    """Whether whoever gets our reach now finds a key package of the suite of new direct conversations."""
    return (t.get(SCALAR, LEFT + suite_key(suite_for(2))) or 0) > 0


def work_keys(t: Transaction, key: bytes) -> None:
    """Without a key all suites. First asks how many are left (an empty put), which also tells the relay's clock; then
    fills the stock."""
    if not key:
        for suite in SUITES:
            work.wake(t, b"keys", suite_key(suite))
        return
    own = t.get(ME)
    if own is None or not work.may_call(t, own.relay.identity, work.item(b"keys", key)):
        return
    if t.get(CLOCK) is None or not t.get(SCALAR, TOLD + key):
        _put(t, own, key, [], None)
        return
    suite = int.from_bytes(key, "big")
    packages, last = _unsent(t, suite)
    if not packages:
        _fill(t, suite)
        packages, last = _unsent(t, suite)
    if packages or last is not None:
        _put(t, own, key, packages, last)


def _unsent(t: Transaction, suite: int) -> tuple[list[bytes], bytes | None]:
    """Sealed: one-time packages that the relay does not have yet, and the last resort."""
    packages: list[bytes] = []
    last: bytes | None = None
    for _, row in _rows(t, suite):
        if row.sealed is None:
            continue
        if row.use == PackageUse.LAST:
            last = row.sealed
        elif len(packages) < PUT_MAX:
            packages.append(row.sealed)
    return packages, last


def _fill(t: Transaction, suite: int) -> None:
    left = t.get(SCALAR, LEFT + suite_key(suite)) or 0
    if left < STOCK and sum(1 for _ in _rows(t, suite)) < KEPT_MAX:
        for _ in range(min(PUT_MAX, STOCK - left)):
            create(t, suite, PackageUse.STOCK)
    newest = max((row.expires for _, row in _rows(t, suite) if row.use == PackageUse.LAST), default=0)
    if newest < t.time + PACKAGE_LIFETIME - LAST_RESORT_RENEWED:
        create(t, suite, PackageUse.LAST)


def _put(t: Transaction, own: Me, key: bytes, packages: list[bytes], last: bytes | None) -> None:
    secret = owner_secret(own.owner_secret, int.from_bytes(key, "big"))
    work.call(t, own.relay.identity, work.item(b"keys", key), PutKeyPackages(secret, tuple(packages), last))


def answered(t: Transaction, key: bytes, request: Request, response: Response) -> None:
    if work.postponed(t, b"keys", key, response) or not isinstance(request, PutKeyPackages):
        return
    if not isinstance(response, KeyPackagesStored):
        work.count(t, "keys-refused")
        work.pause(t, b"keys", key)
        return
    work.succeeded(t, b"keys", key)
    sent = {*request.packages, *(() if request.last_resort is None else (request.last_resort,))}
    for name, row in list(_rows(t)):
        if row.sealed is not None and row.sealed in sent:
            t.put(PACKAGE, name, replace(row, sealed=None))
    was_offered = offered(t)
    t.put(SCALAR, TOLD + key, 1)
    t.put(SCALAR, LEFT + key, response.count)
    work.wake(t, b"keys", key)
    if not was_offered and offered(t):
        for opened in t.keys(OPENED):
            work.wake(t, b"opened", opened)


def forget_expired(t: Transaction) -> None:
    """Private keys of packages that nobody may use any more."""
    for key, row in list(_rows(t)):
        if row.expires < t.time:
            t.remove(PACKAGE, key)
    work.wake(t, b"keys")
