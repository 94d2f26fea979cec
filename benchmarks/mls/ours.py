"""A member that runs `polynya.mls`."""

from __future__ import annotations

from polynya.client.system import SystemRandom, now
from polynya.mls.credential import BasicCredential
from polynya.mls.group import Group, KeyPackageBundle, make_key_package, suite_of
from polynya.mls.leaf import Lifetime

KEPT_EPOCHS = 3


class Ours:
    def __init__(self) -> None:
        self._random = SystemRandom()
        self._bundle: KeyPackageBundle | None = None
        self._group: Group | None = None

    @property
    def _present(self) -> Group:
        if self._group is None:
            raise ValueError("not in a group")
        return self._group

    def start(self, suite: int, identity: bytes, lifetime: tuple[int, int]) -> bytes:
        self.leave()
        self._bundle = make_key_package(
            suite_of(suite),
            BasicCredential(identity),
            self._random.bytes(32),
            lifetime=Lifetime(*lifetime),
            random=self._random,
        )
        return self._bundle.key_package.encode()

    def join(self, welcome: bytes) -> None:
        if self._bundle is None:
            raise ValueError("not started")
        self._group = Group.join(welcome, [self._bundle], now=now()).group

    def commit(self) -> bytes:
        return self._present.commit(now=now(), random=self._random).message

    def process(self, message: bytes) -> None:
        group = self._present
        after = group.apply_commit(group.verify_commit(message, now=now()))
        self._group = after.forget_epochs_before(after.epoch - KEPT_EPOCHS)

    def encrypt(self, data: bytes) -> bytes:
        self._group, message = self._present.encrypt(data, random=self._random)
        return message

    def decrypt(self, message: bytes) -> bytes:
        self._group, opened = self._present.decrypt(message)
        return opened.data

    def exported(self) -> bytes:
        return self._present.export("bench", b"", 32)

    def leave(self) -> None:
        self._bundle = self._group = None
