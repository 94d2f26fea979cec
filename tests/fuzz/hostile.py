"""A member who signs, seals and tags whatever bytes it likes, so that what is wrong with them is found behind the
signature, the membership tag and the encryption."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from polynya.mls import protect, schedule, secrettree, transcript
from polynya.mls.codec import Reader, decode, opaque, u16, u32
from polynya.mls.commit import HpkeCiphertext
from polynya.mls.errors import MlsError
from polynya.mls.extensions import RATCHET_TREE, Extension, encode_extensions, read_extensions
from polynya.mls.framing import (
    APPLICATION,
    COMMIT,
    PRIVATE_MESSAGE,
    PUBLIC_MESSAGE,
    PrivateMessage,
    encode_message,
    read_auth,
    read_content,
)
from polynya.mls.groupcontext import GroupContext, read_group_context
from polynya.mls.keypackage import KeyPackage, read_key_package
from polynya.mls.leaf import KEY_PACKAGE as FROM_KEY_PACKAGE
from polynya.mls.leaf import LeafNode, read_leaf
from polynya.mls.psk import collect, psk_secret
from polynya.mls.secrettree import MessageKey
from polynya.mls.state import GroupState
from polynya.mls.tree import RatchetTree
from polynya.mls.welcome import EncryptedGroupSecrets, GroupSecrets, Welcome, read_group_secrets
from tests.fuzz.mutate import Mutator
from tests.fuzz.scenes import PSKS, Scene
from tests.fuzz.shape import Shape, trace

AHEAD = (1, 1, 1, 2, 2, 2, 255, 256, 257, 999, 1000, 1001)
"""Generations that a message may be ahead: the last but one costs a receiver 3,000 HMACs, as much as is allowed."""

Finish = Callable[[bytes, Mutator], bytes]


@dataclass(frozen=True, slots=True)
class Seed:
    """Good bytes. What becomes of them by mutation, `finish` makes into an input for one of `targets`."""

    name: str
    targets: tuple[str, ...]
    data: bytes
    read: Callable[[Reader], Any]
    finish: Finish
    shape: Shape | None = None

    def with_shape(self) -> Seed:
        """Also shows that the seed is what its reader reads: a seed that is not would fuzz nothing."""
        shape = trace(self.read, self.data)
        if shape is None:
            raise ValueError(f"seed {self.name} is not well-formed")
        return replace(self, shape=shape)


def as_it_is(data: bytes, _: Mutator) -> bytes:
    return data


def read_private_content(kind: int) -> Callable[[Reader], Any]:
    """PrivateMessageContent with its signature and zeros to the end."""

    def read(reader: Reader) -> Any:
        content = read_content(reader, kind), read_auth(reader, kind)
        reader.take(reader.end - reader.pos)
        return content

    return read


class Hostile:
    """The hostile member of a scene, with every key that it has."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.state: GroupState = scene.groups[scene.hostile]._state
        self.suite = scene.suite
        self.context = self.state.context.encode()
        self.key = lru_cache(maxsize=64)(self._key)

    # ---- public messages -------------------------------------------------------------------------------------

    def public(self, content: bytes, kind: int, tag: bytes, mutator: Mutator) -> bytes:
        """A member's message around an encoded FramedContent, whatever is in it."""
        tbs = u16(1) + u16(PUBLIC_MESSAGE) + content + self.context
        signature = self.suite.sign_with_label(self.state.signature_private, b"FramedContentTBS", tbs)
        auth = opaque(signature) + (opaque(tag) if kind == COMMIT else b"")
        if mutator.chance(3):
            auth = mutator.blind(auth)
        return self.tagged(content, auth)

    def tagged(self, content: bytes, auth: bytes) -> bytes:
        """The membership tag over content and authentication as they are."""
        tbs = u16(1) + u16(PUBLIC_MESSAGE) + content + self.context
        mac = self.suite.mac(self.state.secrets.membership_key, tbs + auth)
        return u16(1) + u16(PUBLIC_MESSAGE) + content + auth + opaque(mac)

    def signed_by(self, private: bytes, content: bytes, tag: bytes | None, *, with_context: bool) -> bytes:
        """A message from outside the group, which carries no membership tag."""
        tbs = u16(1) + u16(PUBLIC_MESSAGE) + content + (self.context if with_context else b"")
        signature = self.suite.sign_with_label(private, b"FramedContentTBS", tbs)
        end = b"" if tag is None else opaque(tag)
        return u16(1) + u16(PUBLIC_MESSAGE) + content + opaque(signature) + end

    # ---- private messages ------------------------------------------------------------------------------------

    def _key(self, kind: int, generation: int) -> MessageKey:
        tree = self.state.secret_tree
        return tree.take(self.suite, self.scene.hostile, kind, generation)[0]

    def first(self, kind: int) -> int:
        """The generation that this member's next message would have."""
        return self.state.secret_tree.next(self.suite, self.scene.hostile, kind)[0]

    def private(self, body: bytes, kind: int, authenticated_data: bytes, mutator: Mutator) -> bytes:
        """The body of a message (content, then zeros) signed anew, and sealed under the right key or another."""
        group_id, epoch = self.state.context.group_id, self.state.context.epoch
        content = b"".join(
            (
                opaque(group_id),
                epoch.to_bytes(8, "big"),
                b"\x01",
                u32(self.scene.hostile),
                opaque(authenticated_data),
            )
        )
        tbs = u16(1) + u16(PRIVATE_MESSAGE) + content + bytes((kind,)) + body + self.context
        signature = self.suite.sign_with_label(self.state.signature_private, b"FramedContentTBS", tbs)
        tag = opaque(bytes(32)) if kind == COMMIT else b""
        plaintext = body + opaque(signature) + tag + bytes(mutator.random.below(30))
        return self.sealed(plaintext, kind, authenticated_data, mutator)

    def sealed(self, plaintext: bytes, kind: int, authenticated_data: bytes, mutator: Mutator) -> bytes:
        """Any plaintext under this member's key; the sender data too may be wrong."""
        ratchet = secrettree.APPLICATION if kind == APPLICATION else secrettree.HANDSHAKE
        generation = self.first(ratchet)
        generation += mutator.one(AHEAD) if mutator.chance(10) else 0
        known = min(generation, self.first(ratchet) + 1000)
        return self.wrapped(
            plaintext, kind, authenticated_data, self.key(ratchet, known), generation, mutator
        )

    def wrapped(
        self,
        plaintext: bytes,
        kind: int,
        authenticated_data: bytes,
        key: MessageKey,
        generation: int,
        mutator: Mutator,
    ) -> bytes:
        """The PrivateMessage with its sender data."""
        group_id, epoch = self.state.context.group_id, self.state.context.epoch
        guard = mutator.random.bytes(protect.REUSE_GUARD_SIZE)
        head = protect._sender_data_aad(group_id, epoch, kind)
        aad = head + opaque(authenticated_data)
        ciphertext = self.suite.seal(key.key, protect._guarded(key.nonce, guard), aad, plaintext)
        leaf = self.scene.hostile
        if mutator.chance(6):
            leaf = mutator.one((0, 1, self.scene.victim, 7, 8, 1 << 20, (1 << 31) - 1, (1 << 32) - 1))
        if mutator.chance(6):
            generation = mutator.one((0, (1 << 31), (1 << 32) - 1, (1 << 32) - 2))
        sender = u32(leaf) + u32(generation) + guard
        if mutator.chance(3):
            sender = mutator.blind(sender)
        data_key, nonce = protect.sender_data_key(
            self.suite, self.state.secrets.sender_data_secret, ciphertext
        )
        data = self.suite.seal(data_key, nonce, head, sender)
        return encode_message(PrivateMessage(group_id, epoch, kind, authenticated_data, data, ciphertext))

    # ---- key packages and leaves -----------------------------------------------------------------------------

    def leaf(self, data: bytes, private: bytes, leaf_index: int) -> bytes:
        """A leaf signed anew, if it is still one."""
        try:
            leaf: LeafNode = decode(read_leaf, data)
        except MlsError:
            return data
        unsigned = data[: len(data) - len(opaque(leaf.signature))]
        place = (
            b"" if leaf.source == FROM_KEY_PACKAGE else opaque(self.state.context.group_id) + u32(leaf_index)
        )
        return unsigned + opaque(self.suite.sign_with_label(private, b"LeafNodeTBS", unsigned + place))

    def key_package(self, data: bytes, private: bytes) -> bytes:
        """A key package whose leaf and whole are signed anew, if it is still one."""
        try:
            found: KeyPackage = decode(read_key_package, data)
        except MlsError:
            return data
        leaf = self.leaf(found.leaf_node.encoded, private, 0)
        head = u16(found.version) + u16(found.cipher_suite) + opaque(found.init_key)
        unsigned = head + leaf + encode_extensions(found.extensions)
        return unsigned + opaque(self.suite.sign_with_label(private, b"KeyPackageTBS", unsigned))

    # ---- GroupInfos and Welcomes -----------------------------------------------------------------------------

    def group_info(self, unsigned: bytes) -> bytes:
        """A GroupInfo (not in an MLSMessage) signed by this member."""
        signature = self.suite.sign_with_label(self.state.signature_private, b"GroupInfoTBS", unsigned)
        return unsigned + opaque(signature)

    def external_key(self) -> bytes:
        """The group's, to which joiners encapsulate."""
        return schedule.external_key_pair(self.suite, self.state.secrets.external_secret)[1]

    def with_tree(self, unsigned: bytes, tree: bytes) -> bytes:
        """An unsigned GroupInfo with another tree, whose hash it names if it has one."""
        reader = Reader(unsigned)
        context, extensions = read_group_context(reader), read_extensions(reader)
        rest = unsigned[reader.pos :]
        with suppress(MlsError):
            context = replace(context, tree_hash=RatchetTree.decode(self.suite, tree).tree_hash())
        others = [e for e in extensions if e.type != RATCHET_TREE]
        return context.encode() + encode_extensions([Extension(RATCHET_TREE, tree), *others]) + rest

    def mixed(self, secrets: bytes) -> bytes:
        """The PSK secret that a joiner with these GroupSecrets comes to; zeros where it comes to none."""
        try:
            ids = decode(read_group_secrets, secrets).psks
            return psk_secret(self.suite, collect(ids, PSKS, {}))
        except MlsError:
            return bytes(self.suite.secret_size)

    def confirmed(self, unsigned: bytes, joiner_secret: bytes, mixed: bytes = bytes(32)) -> bytes:
        """An unsigned GroupInfo with the confirmation tag that a joiner with this secret comes to."""
        reader = Reader(unsigned)
        try:
            context: GroupContext = read_group_context(reader)
            extensions = read_extensions(reader)
            reader.opaque()
            signer = reader.u32()
        except MlsError:
            return unsigned
        derived = schedule.from_joiner(self.suite, joiner_secret, mixed, context)
        tag = transcript.confirmation_tag(
            self.suite, derived.secrets.confirmation_key, context.confirmed_transcript_hash
        )
        return context.encode() + encode_extensions(extensions) + opaque(tag) + u32(signer)

    def welcome(
        self, info: bytes, secrets: bytes, joiner_secret: bytes, mutator: Mutator, mixed: bytes = bytes(32)
    ) -> bytes:
        """A Welcome for the scene's joiner, of any bytes as GroupInfo and GroupSecrets."""
        suite, package = self.suite, self.scene.joiner.key_package
        welcome_secret = schedule.welcome_secret(suite, joiner_secret, mixed)
        key = suite.expand_with_label(welcome_secret, b"key", b"", suite.aead.key_size)
        nonce = suite.expand_with_label(welcome_secret, b"nonce", b"", suite.aead.nonce_size)
        encrypted = suite.seal(key, nonce, b"", info)
        sealed = suite.encrypt_with_label(package.init_key, b"Welcome", encrypted, secrets, mutator.random)
        entry = EncryptedGroupSecrets(suite.key_package_ref(package.encode()), HpkeCiphertext(*sealed))
        return encode_message(Welcome(suite.id, (entry,), encrypted))


def group_secrets(joiner_secret: bytes) -> bytes:
    return GroupSecrets(joiner_secret, None, ()).encode()
