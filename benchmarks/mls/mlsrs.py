"""A member that runs mls-rs through the wheel `agentvault-mls-rs-uniffi`: keys, groups and messages live in Rust, and
Python only hands bytes over."""

from __future__ import annotations

from importlib import import_module
from typing import Any

SUITE = 0x0001
KEY_PACKAGE_HEAD = 4
"""Bytes of an MLSMessage before the KeyPackage: version and wire format."""


class MlsRs:
    """Its lifetimes are its own: a year from now. A commit of its own that waits goes when another's is processed."""

    def __init__(self) -> None:
        self._mls: Any = import_module("mls_rs_uniffi")
        self._client: Any = None
        self._group: Any = None

    def start(self, suite: int, identity: bytes, lifetime: tuple[int, int]) -> bytes:
        if suite != SUITE:
            raise ValueError(f"the wheel has no suite {suite:#06x}")
        self.leave()
        keys = self._mls.generate_signature_keypair(self._mls.CipherSuite.CURVE25519_AES128)
        config = self._mls.ClientConfig(
            group_state_storage=_store(self._mls), use_ratchet_tree_extension=True
        )
        self._client = self._mls.Client(identity, keys, config)
        message: bytes = self._client.generate_key_package_message().to_bytes()
        return message[KEY_PACKAGE_HEAD:]

    def join(self, welcome: bytes) -> None:
        self._group = self._client.join_group(None, self._mls.Message.from_bytes(welcome)).group

    def commit(self) -> bytes:
        return bytes(self._group.commit().commit_message.to_bytes())

    def process(self, message: bytes) -> None:
        if not self._received(message).is_commit():
            raise ValueError("not a commit")

    def encrypt(self, data: bytes) -> bytes:
        return bytes(self._group.encrypt_application_message(data).to_bytes())

    def decrypt(self, message: bytes) -> bytes:
        received = self._received(message)
        if not received.is_application_message():
            raise ValueError("not an application message")
        return bytes(received.data)

    def _received(self, message: bytes) -> Any:
        return self._group.process_incoming_message(self._mls.Message.from_bytes(message))

    def exported(self) -> bytes:
        return bytes(self._group.export_secret(b"bench", b"", 32))

    def leave(self) -> None:
        self._client = self._group = None


def _store(module: Any) -> Any:
    """Where mls-rs may look for former epochs: there are none, as nothing is written."""

    class Store(module.GroupStateStorage):  # type: ignore[misc]
        def state(self, group_id: bytes) -> bytes | None:
            return None

        def epoch(self, group_id: bytes, epoch_id: int) -> bytes | None:
            return None

        def write(self, group_id: bytes, group_state: bytes, inserts: list[Any], updates: list[Any]) -> None:
            raise AssertionError("nothing is to be stored")

        def max_epoch_id(self, group_id: bytes) -> int | None:
            return None

    return Store()
