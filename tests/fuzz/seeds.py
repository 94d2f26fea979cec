"""The corpus: good messages of all kinds in every scene, each with the way back to where its mutations are read."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace

from polynya.mls import (
    commit,
    extensions,
    groupcontext,
    groupinfo,
    keypackage,
    leaf,
    parts,
    proposal,
    psk,
    restoring,
    welcome,
)
from polynya.mls.codec import Reader, decode, opaque, u16
from polynya.mls.commit import Commit
from polynya.mls.credential import BasicCredential, X509Credential
from polynya.mls.errors import MalformedError
from polynya.mls.extensions import Extension
from polynya.mls.framing import (
    APPLICATION,
    COMMIT,
    EXTERNAL,
    NEW_MEMBER_PROPOSAL,
    PROPOSAL,
    FramedContent,
    PublicMessage,
    Sender,
    encode_content,
    encode_message,
    read_framed_content,
    read_message,
)
from polynya.mls.group import Group, _read_pending
from polynya.mls.leaf import Capabilities
from polynya.mls.proposal import (
    Add,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ReInit,
    Remove,
    Update,
    encode_proposal,
)
from polynya.mls.psk import ExternalPskId, ResumptionPskId
from polynya.mls.secrettree import read_ratchet, read_secrets
from polynya.mls.state import GroupState
from polynya.mls.tree import _read_optional_node
from tests.fuzz import scenes
from tests.fuzz.hostile import Hostile, Seed, as_it_is, group_secrets, read_private_content
from tests.fuzz.mutate import Mutator
from tests.fuzz.scenes import EXTERNAL_SENDER, PSKS, Scene
from tests.mls.parties import EXTENSION, NOW, key_package, lawless

HANDSHAKE = ("receive-proposal", "verify-commit", "apply-commit")
ANY = (*HANDSHAKE, "decrypt", "inspect", "message")


class Corpus:
    """All seeds of a scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.hostile = scene, Hostile(scene)
        # Whoever is hostile goes on where the group was ended.
        self.state: GroupState = replace(scene.groups[scene.hostile]._state, reinit=None)
        self.member = Group(self.state)
        self.random = scene.random
        self.added = key_package("added", self.random, scene.suite)

    def proposals(self) -> Iterator[tuple[str, Proposal]]:
        """One of every type and more."""
        suite, nonce = self.scene.suite, self.random.bytes(32)
        yield "add", Add(self.added.key_package)
        with lawless():
            updated, _ = self.member.propose_update(random=self.random)
        update = updated._state.pending[-1].proposal
        assert isinstance(update, Update)
        yield "update", update
        yield "remove", Remove(self.scene.victim)
        yield "psk", PreSharedKey(ExternalPskId(b"shared", nonce))
        yield (
            "resumption",
            PreSharedKey(ResumptionPskId(1, self.state.context.group_id, self.member.epoch, nonce)),
        )
        yield "reinit", ReInit(b"next", 1, suite.id, (Extension(EXTENSION, b""),))
        yield "external-init", ExternalInit(self.random.bytes(suite.kem.enc_size))
        asked = extensions.RequiredCapabilities((EXTENSION,), (1,), (1,)).extension()
        outside = extensions.ExternalSender(self.random.bytes(32), X509Credential((b"one", b"two")))
        senders = extensions.external_senders_extension([outside, outside])
        yield "extensions", GroupContextExtensions((asked, senders, Extension(EXTENSION, b"x")))

    def commits(self) -> Iterator[tuple[str, bytes]]:
        """MLSMessages with public commits of the hostile member."""
        pending, member = self.state.pending, self.member
        if self.scene.name == "last":
            # Nothing honest comes after the last epoch: these are of an earlier one, and signed for it later.
            member = Group(replace(self.state, context=replace(self.state.context, epoch=7)))

        keys = {
            **PSKS,
            psk.resumption_key(self.state.context.group_id, self.member.epoch): self.member.resumption_psk,
        }

        def made(*by_value: Proposal, path: bool | None = None) -> bytes:
            with lawless():
                return member.commit(
                    by_value, path=path, psks=keys, now=NOW, random=self.random, include_pending=bool(pending)
                ).message

        known = dict(self.proposals())
        yield "empty", made()
        yield "add", made(known["add"])
        yield "add-without-path", made(known["add"], path=False)
        yield "psk-without-path", made(known["psk"], path=False)
        yield "extensions", made(GroupContextExtensions(self.state.context.extensions))
        yield "reinit", made(known["reinit"], path=False)
        gone = [index for index in self.scene.groups if index not in (self.scene.hostile, self.scene.victim)]
        if gone:
            yield "remove", made(Remove(gone[-1]), known["add"])
        yield "all", made(*(value for name, value in known.items() if name != "update"))

    # ---- seeds -----------------------------------------------------------------------------------------------

    def all(self) -> Iterator[Seed]:
        yield from self.packages()
        yield from self.structures()
        yield from self.stored()
        yield from self.joining()
        yield from self.external()
        yield from self.application()
        yield from self.handshakes()

    def packages(self) -> Iterator[Seed]:
        data, private = self.added.key_package.encode(), self.added.signature_private
        odd = replace(
            self.added.key_package,
            extensions=(Extension(0x000A, b""), Extension(EXTENSION, b"e" * 70)),
            encoded=b"",
        ).encode()
        targets = ("verify-key-package", "key-package")

        def sign(data: bytes, _: Mutator) -> bytes:
            return self.hostile.key_package(data, private)

        yield Seed("key package", targets, data, keypackage.read_key_package, as_it_is)
        for name, package in (("signed key package", data), ("odd key package", odd)):
            yield Seed(name, targets, package, keypackage.read_key_package, sign)
        yield Seed("bundle", ("bundle",), self.added.encode(), keypackage._read_bundle, as_it_is)
        message = encode_message(self.added.key_package)
        yield Seed("key package message", ANY, message, read_message, as_it_is)

    def structures(self) -> Iterator[Seed]:
        """Plain encodings for the decoders."""
        state, known = self.state, dict(self.proposals())
        yield Seed(
            "context", ("group-context",), state.context.encode(), groupcontext.read_group_context, as_it_is
        )
        for name, value in known.items():
            yield Seed(
                f"proposal {name}", ("proposal",), encode_proposal(value), proposal.read_proposal, as_it_is
            )
        update, changed = known["update"], known["extensions"]
        assert isinstance(update, Update) and isinstance(changed, GroupContextExtensions)
        yield Seed("leaf", ("leaf",), update.leaf_node.encode(), leaf.read_leaf, as_it_is)
        for name in ("psk", "resumption"):
            found = known[name]
            assert isinstance(found, PreSharedKey)
            yield Seed(f"id of {name}", ("psk",), found.psk.encode(), psk.read_psk_id, as_it_is)
        yield Seed("tree", ("tree",), state.tree.encode(), _read_tree, as_it_is)
        secrets = welcome.GroupSecrets(
            bytes(32), bytes(32), (ExternalPskId(b"shared", bytes(32)),) * 2
        ).encode()
        yield Seed("secrets", ("group-secrets",), secrets, welcome.read_group_secrets, as_it_is)
        required, senders = (e.data for e in changed.extensions[:2])
        yield Seed("asked", ("required-capabilities",), required, _read_u16_lists, as_it_is)
        yield Seed("outside", ("external-senders",), senders, _read_senders, as_it_is)
        yield Seed("key", ("external-pub",), opaque(self.random.bytes(32)), Reader.opaque, as_it_is)

    def stored(self) -> Iterator[Seed]:
        blob = self.scene.group.encode()
        yield Seed("stored group", ("stored-group",), blob, _read_stored, as_it_is)
        if self.scene.name != "last":
            pending = self.member.commit(now=NOW, psks=PSKS, random=self.random).encode()
            yield Seed("stored commit", ("stored-commit",), pending, _read_pending, as_it_is)

    def application(self) -> Iterator[Seed]:
        with lawless():
            quiet = Group(replace(self.state, pending=()))
            _, message = quiet.encrypt(b"text", authenticated_data=b"aad", padding=20, random=self.random)
        yield Seed("application", ANY, message, read_message, as_it_is)
        forge = self.hostile
        body = opaque(b"text of the message")
        yield Seed(
            "sealed application",
            ("decrypt",),
            body,
            Reader.opaque,
            lambda d, m: forge.private(d, APPLICATION, b"aad", m),
        )
        plain = body + opaque(bytes(64)) + bytes(9)
        yield Seed(
            "sealed plaintext",
            ("decrypt",),
            plain,
            read_private_content(APPLICATION),
            lambda d, m: forge.sealed(d, APPLICATION, b"", m),
        )

    def handshakes(self) -> Iterator[Seed]:
        forge = self.hostile
        for name, value in self.proposals():
            content = self.framed(value)
            yield Seed(
                f"signed proposal {name}",
                ("receive-proposal",),
                content,
                read_framed_content,
                lambda d, m: forge.public(d, PROPOSAL, b"", m),
            )
            body = encode_content(value)
            yield Seed(
                f"sealed proposal {name}",
                ("receive-proposal",),
                body,
                proposal.read_proposal,
                lambda d, m: forge.private(d, PROPOSAL, b"", m),
            )
        for name, message in self.commits():
            yield Seed(f"commit {name}", ANY, message, read_message, as_it_is)
            found = decode(read_message, message)
            assert isinstance(found, PublicMessage) and isinstance(found.content.content, Commit)
            tag = found.auth.confirmation_tag or b""
            framed = replace(found.content, epoch=self.state.context.epoch)
            yield Seed(
                f"signed commit {name}",
                ("verify-commit", "apply-commit"),
                framed.encode(),
                read_framed_content,
                lambda d, m, tag=tag: forge.public(d, COMMIT, tag, m),  # type: ignore[misc]
            )
            yield Seed(
                f"sealed commit {name}",
                ("verify-commit", "apply-commit"),
                found.content.content.encode(),
                commit.read_commit,
                lambda d, m: forge.private(d, COMMIT, b"", m),
            )
            if found.content.content.path is not None:
                yield from self.paths(name, framed, tag)
            if name == "empty":
                yield from self.inner(framed, tag)
        yield from self.from_outside()

    def paths(self, name: str, framed: FramedContent, tag: bytes) -> Iterator[Seed]:
        """Path and leaf by themselves: changed leaves are signed anew."""
        forge, found = self.hostile, framed.content
        assert isinstance(found, Commit) and found.path is not None
        whole, nodes = framed.encode(), found.path.encode()
        before = whole[: -len(nodes)]
        rest = nodes[len(found.path.leaf_node.encode()) :]

        def with_leaf(data: bytes, mutator: Mutator) -> bytes:
            signed = forge.leaf(data, self.state.signature_private, self.scene.hostile)
            return forge.public(before + signed + rest, COMMIT, tag, mutator)

        targets = ("verify-commit", "apply-commit")
        yield Seed(
            f"leaf of commit {name}", targets, found.path.leaf_node.encode(), leaf.read_leaf, with_leaf
        )
        yield Seed(
            f"path of commit {name}",
            ("update-path",),
            nodes,
            commit.read_update_path,
            as_it_is,
        )
        yield Seed(f"decoded commit {name}", ("commit",), found.encode(), commit.read_commit, as_it_is)

    def inner(self, framed: FramedContent, tag: bytes) -> Iterator[Seed]:
        """What is inside of extensions of the GroupContext, proposed and committed. `framed`: a commit with a path."""
        forge, found = self.hostile, framed.content
        assert isinstance(found, Commit)
        changed = dict(self.proposals())["extensions"]
        assert isinstance(changed, GroupContextExtensions)
        for extension, read in zip(changed.extensions[:2], (_read_u16_lists, _read_senders), strict=True):

            def proposed(data: bytes, mutator: Mutator, kind: int = extension.type) -> bytes:
                value = GroupContextExtensions((Extension(kind, data),))
                return forge.public(self.framed(value), PROPOSAL, b"", mutator)

            def committed(data: bytes, mutator: Mutator, kind: int = extension.type) -> bytes:
                value = GroupContextExtensions((Extension(kind, data),))
                content = replace(framed, content=Commit((value,), found.path))
                return forge.public(content.encode(), COMMIT, tag, mutator)

            name = f"extension {extension.type}"
            yield Seed(f"proposal by {name}", ("receive-proposal",), extension.data, read, proposed)
            targets = ("verify-commit", "apply-commit")
            yield Seed(f"commit by {name}", targets, extension.data, read, committed)

    def from_outside(self) -> Iterator[Seed]:
        """Proposals of an external sender, and of somebody who proposes to be added."""
        forge = self.hostile
        package, private = self.added.key_package, self.added.signature_private
        for name, value in self.proposals():
            content = self.framed(value, Sender(EXTERNAL, 0))
            yield Seed(
                f"external proposal {name}",
                ("receive-proposal",),
                content,
                read_framed_content,
                lambda d, _: forge.signed_by(EXTERNAL_SENDER, d, None, with_context=False),
            )
        content = self.framed(Add(package), Sender(NEW_MEMBER_PROPOSAL))
        yield Seed(
            "proposal to be added",
            ("receive-proposal",),
            content,
            read_framed_content,
            lambda d, _: forge.signed_by(private, d, None, with_context=False),
        )

    def framed(self, value: Proposal, sender: Sender | None = None) -> bytes:
        context = self.state.context
        by = sender or Sender(1, self.scene.hostile)
        return FramedContent(context.group_id, context.epoch, by, b"aad", value).encode()

    def joining(self) -> Iterator[Seed]:
        """Welcomes for the joiner, whose parts are changed under the encryption and signed anew."""
        forge, suite = self.hostile, self.scene.suite
        joiner_secret = bytes(range(32))
        grown = self.state.tree.edit()
        grown.add(self.scene.joiner.key_package.leaf_node)
        tree = grown.done()
        context = replace(self.state.context, tree_hash=tree.tree_hash())
        info = groupinfo.sign_group_info(
            suite,
            self.state.signature_private,
            context,
            (Extension(extensions.RATCHET_TREE, tree.encode()), Extension(0xF0A2, b"more")),
            bytes(32),
            self.scene.hostile,
        )
        unsigned = forge.confirmed(info.unsigned(), joiner_secret)
        secrets = group_secrets(joiner_secret)
        with_psks = welcome.GroupSecrets(
            joiner_secret, bytes(32), (ExternalPskId(b"shared", bytes(32)),) * 2
        ).encode()

        def with_info(data: bytes, mutator: Mutator) -> bytes:
            made = forge.group_info(forge.confirmed(data, joiner_secret))
            return forge.welcome(made, secrets, joiner_secret, mutator)

        def with_tree(data: bytes, mutator: Mutator) -> bytes:
            return with_info(forge.with_tree(unsigned, data), mutator)

        def with_leaf(index: int) -> Callable[[bytes, Mutator], bytes]:
            def finish(data: bytes, mutator: Mutator) -> bytes:
                signed = forge.leaf(data, self.scene.keys[index], index)
                return with_tree(tree.encode().replace(tree_leaf(index), signed, 1), mutator)

            return finish

        def tree_leaf(index: int) -> bytes:
            found = tree.leaf(index)
            assert found is not None
            return found.encode()

        def with_secrets(data: bytes, mutator: Mutator) -> bytes:
            mixed = forge.mixed(data)
            made = forge.group_info(forge.confirmed(unsigned, joiner_secret, mixed))
            return forge.welcome(made, data, joiner_secret, mutator, mixed)

        targets = ("join",)
        mutator = Mutator(self.random, [b""])
        message = with_secrets(secrets, mutator)
        yield Seed("welcome", ("join", "message"), message, read_message, as_it_is)
        yield Seed("plain welcome", ("welcome",), message[4:], welcome.read_welcome, as_it_is)
        yield Seed("welcome by info", targets, unsigned, _read_unsigned_info, with_info)
        yield Seed("welcome by tree", targets, tree.encode(), _read_tree, with_tree)
        for index in (self.scene.hostile, self.scene.victim):
            yield Seed(
                f"welcome by leaf {index}", targets, tree_leaf(index), leaf.read_leaf, with_leaf(index)
            )
        for name, data in (("secrets", secrets), ("psks", with_psks)):
            yield Seed(f"welcome by {name}", targets, data, welcome.read_group_secrets, with_secrets)

    def external(self) -> Iterator[Seed]:
        """GroupInfos for joining from outside, and the commits that come of it."""
        forge = self.hostile
        message = self.member.group_info(external_pub=True)
        info = decode(read_message, message)
        assert isinstance(info, groupinfo.GroupInfo)
        plain, tree, unsigned = message[4:], self.state.tree.encode(), info.unsigned()

        def wrapped(data: bytes) -> bytes:
            return u16(1) + u16(4) + forge.group_info(data)

        targets = ("join-external",)
        yield Seed("info message", ("join-external", "message", "inspect"), message, read_message, as_it_is)
        yield Seed("plain info", ("group-info",), plain, groupinfo.read_group_info, as_it_is)
        yield Seed("signed info", targets, unsigned, _read_unsigned_info, lambda d, _: wrapped(d))
        yield Seed(
            "info by tree", targets, tree, _read_tree, lambda d, _: wrapped(forge.with_tree(unsigned, d))
        )

        def with_extension(kind: int) -> Callable[[bytes, Mutator], bytes]:
            def finish(data: bytes, _: Mutator) -> bytes:
                others = tuple(e for e in info.extensions if e.type != kind)
                changed = replace(info, extensions=(*others, Extension(kind, data)))
                return wrapped(changed.unsigned())

            return finish

        def with_context(data: bytes, _: Mutator) -> bytes:
            context = replace(
                info.group_context, extensions=(Extension(extensions.REQUIRED_CAPABILITIES, data),)
            )
            return wrapped(replace(info, group_context=context).unsigned())

        key = opaque(forge.external_key())
        yield Seed("info by key", targets, key, Reader.opaque, with_extension(extensions.EXTERNAL_PUB))
        asked = extensions.RequiredCapabilities((EXTENSION,), (1,), (1,)).encode()
        yield Seed("info by asked", targets, asked, _read_u16_lists, with_context)
        if self.scene.name == "last":
            return
        private = self.random.bytes(32)
        pending = Group.join_external(
            message,
            BasicCredential(b"outside"),
            private,
            psks=PSKS,
            psk_ids=(ExternalPskId(b"shared", bytes(32)),),
            capabilities=Capabilities((1,), (self.scene.suite.id,), (EXTENSION,)),
            random=self.random,
        )
        joined = decode(read_message, pending.message)
        assert isinstance(joined, PublicMessage)
        tag = joined.auth.confirmation_tag
        yield Seed("external commit", HANDSHAKE, pending.message, read_message, as_it_is)
        yield Seed(
            "signed external commit",
            ("verify-commit", "apply-commit"),
            joined.content.encode(),
            read_framed_content,
            lambda d, _: forge.signed_by(private, d, tag, with_context=True),
        )


def _read_tree(reader: Reader) -> object:
    return reader.vector(_read_optional_node)


def _read_stored(reader: Reader) -> object:
    """A blob of parts, each looked into."""
    return reader.vector(_read_part)


def _read_part(reader: Reader) -> object:
    read = _PARTS.get(reader.opaque()[:1])
    if read is None:
        raise MalformedError("state-name")
    reader.varint()
    return read(reader)


_PARTS: dict[bytes, Callable[[Reader], object]] = {
    parts.HEAD: restoring.read_head,
    parts.TREE: _read_tree,
    parts.PAST: restoring.read_past,
    parts.SECRETS: read_secrets,
    parts.RATCHET: read_ratchet,
}


def _read_u16_lists(reader: Reader) -> object:
    return [reader.u16s() for _ in range(3)]


def _read_senders(reader: Reader) -> object:
    return reader.vector(lambda r: (r.opaque(), r.u16(), r.opaque()))


def _read_unsigned_info(reader: Reader) -> object:
    return (
        groupcontext.read_group_context(reader),
        extensions.read_extensions(reader),
        reader.opaque(),
        reader.u32(),
    )


@functools.cache
def corpus(number: int) -> tuple[Seed, ...]:
    """All seeds of the scene of that number, each well-formed."""
    seeds = tuple(seed.with_shape() for seed in Corpus(scenes.scene(number)).all())
    if not seeds:
        raise ValueError("a scene without seeds")
    return seeds


@functools.cache
def pool() -> tuple[bytes, ...]:
    """Contents of vectors and items of lists from all seeds, each once, in a fixed order."""
    found: dict[bytes, None] = {}
    for number in range(len(scenes.NAMES)):
        for seed in corpus(number):
            assert seed.shape is not None
            for span in seed.shape.vectors:
                for start, end in ((span.body, span.end), *span.items):
                    if end - start <= 2048:
                        found.setdefault(seed.data[start:end])
    return tuple(found)
