"""Members that run mls-rs through the wheel `agentvault-mls-rs-uniffi`.

It has no external joins, no Updates of its own, no commit that both adds and removes, and sends its handshakes
as public messages. Removals name a signing identity: one is made here from the leaf's credential and key.
"""

from __future__ import annotations

from typing import Any

from polynya.mls.credential import BasicCredential
from polynya.mls.suite import X25519
from polynya.mls.tree import RatchetTree
from tests.referees.member import (
    EXPORT_CONTEXT,
    EXPORT_LABEL,
    EXPORT_SIZE,
    Abilities,
    Made,
    Member,
    Opened,
    RefusedError,
    View,
    Wish,
    unwrapped,
    wrapped,
)

ABILITIES = Abilities(
    sends=frozenset({"public"}),
    proposes=frozenset({"add", "remove"}),
    settles=False,
    late=3,
    late_of_removed=False,
    admits=False,
    enters=False,
    returns=False,
)


class MlsRsMember(Member):
    kind = "mls-rs"

    def __init__(self, module: Any, identity: bytes) -> None:
        """`module`: mls_rs_uniffi."""
        self.identity = identity
        self._mls = module
        keys = module.generate_signature_keypair(module.CipherSuite.CURVE25519_AES128)
        self._store = _store(module)
        self._client = self._client_of(identity, keys, self._store)
        self._group: Any = None
        self._key_package = b""
        self._commit: bytes | None = None

    def _client_of(self, identity: bytes, keys: Any, store: Any) -> Any:
        config = self._mls.ClientConfig(group_state_storage=store, use_ratchet_tree_extension=True)
        return self._mls.Client(identity, keys, config)

    def abilities(self) -> Abilities:
        return ABILITIES

    def can_commit(self, wish: Wish) -> bool:
        return wish.plain() and not wish.private and not (wish.adds and wish.removes)

    # ---- beginning

    def found(self, group_id: bytes) -> None:
        self._group = self._client.create_group(group_id)

    def prepare(self) -> None:
        """Makes the key package now that will be asked for later."""
        self._key_package = unwrapped(self._client.generate_key_package_message().to_bytes())

    def key_package(self) -> bytes:
        if not self._key_package:
            self.prepare()
        return self._key_package

    def join(self, welcome: bytes, tree: bytes | None) -> None:
        ratchet_tree = None if tree is None else self._mls.RatchetTree(bytes=tree)
        try:
            self._group = self._client.join_group(ratchet_tree, self._message(welcome)).group
        except self._mls.Error as error:
            raise RefusedError(str(error)) from error

    # ---- handshakes

    def propose_add(self, key_package: bytes, *, private: bool) -> bytes:
        assert not private
        [message] = self._group.propose_add_members([self._message(wrapped(key_package))])
        return bytes(message.to_bytes())

    def propose_remove(self, leaf: int, *, private: bool) -> bytes:
        assert not private
        [message] = self._group.propose_remove_members([self._signing_identity(leaf)])
        return bytes(message.to_bytes())

    def receive_proposal(self, message: bytes) -> None:
        assert self._process(message).is_received_proposal()

    def commit(self, wish: Wish) -> Made:
        try:
            if wish.adds:
                packages = [self._message(wrapped(key_package)) for key_package in wish.adds]
                made = self._group.add_members(packages)
            elif wish.removes:
                made = self._group.remove_members([self._signing_identity(leaf) for leaf in wish.removes])
            else:
                made = self._group.commit()
        except self._mls.Error as error:
            raise RefusedError(str(error)) from error
        self._commit = bytes(made.commit_message.to_bytes())
        welcome = made.welcome_message
        return Made(self._commit, () if welcome is None else (bytes(welcome.to_bytes()),))

    def _signing_identity(self, leaf: int) -> Any:
        found = RatchetTree.decode(X25519, bytes(self._group.export_tree().bytes)).leaf(leaf)
        assert found is not None and isinstance(found.credential, BasicCredential)
        keys = self._mls.SignatureKeypair(
            cipher_suite=self._mls.CipherSuite.CURVE25519_AES128,
            public_key=self._mls.SignaturePublicKey(bytes=found.signature_key),
            secret_key=self._mls.SignatureSecretKey(bytes=bytes(64)),
        )
        return self._client_of(found.credential.identity, keys, _store(self._mls)).signing_identity()

    def merge(self) -> None:
        """mls-rs takes its own commit back from the outside."""
        assert self._commit is not None
        assert self._process(self._commit).is_commit()
        self._commit = None
        self._group.write_to_storage()

    def clear(self) -> None:
        """The commit that won replaces the pending one."""
        self._commit = None

    def apply(self, message: bytes) -> bool:
        received = self._process(message)
        assert received.is_commit()
        self._group.write_to_storage()
        return not received.effect.is_removed()

    def _process(self, message: bytes) -> Any:
        try:
            return self._group.process_incoming_message(self._message(message))
        except self._mls.Error as error:
            raise RefusedError(str(error)) from error

    def _message(self, data: bytes) -> Any:
        return self._mls.Message.from_bytes(data)

    # ---- messages

    def encrypt(self, data: bytes) -> bytes:
        return bytes(self._group.encrypt_application_message(data).to_bytes())

    def decrypt(self, message: bytes) -> Opened:
        received = self._process(message)
        assert received.is_application_message()
        return Opened(bytes(received.data), None)

    # ---- looking and keeping

    def view(self) -> View:
        exported = self._group.export_secret(EXPORT_LABEL.encode(), EXPORT_CONTEXT, EXPORT_SIZE)
        return {"tree": bytes(self._group.export_tree().bytes), "exported": bytes(exported)}

    def reload(self) -> None:
        self._group.write_to_storage()
        [group_id] = self._store.states
        self._group = self._client.load_group(group_id)

    def close(self) -> None:
        self._group = self._client = None


def _store(module: Any) -> Any:
    """A place for mls-rs to keep groups and former epochs in."""

    class Store(module.GroupStateStorage):  # type: ignore[misc]
        def __init__(self) -> None:
            self.states: dict[bytes, bytes] = {}
            self.epochs: dict[tuple[bytes, int], bytes] = {}

        def state(self, group_id: bytes) -> bytes | None:
            return self.states.get(group_id)

        def epoch(self, group_id: bytes, epoch_id: int) -> bytes | None:
            return self.epochs.get((group_id, epoch_id))

        def write(self, group_id: bytes, group_state: bytes, inserts: list[Any], updates: list[Any]) -> None:
            self.states[group_id] = group_state
            for record in (*inserts, *updates):
                self.epochs[group_id, record.id] = record.data

        def max_epoch_id(self, group_id: bytes) -> int | None:
            return max((epoch for group, epoch in self.epochs if group == group_id), default=None)

    return Store()
