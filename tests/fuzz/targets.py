"""What hostile bytes are given to, in Python. Each target gives bytes that another implementation must give too."""

from __future__ import annotations

import hashlib
import resource
import signal
import struct
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from polynya.mls import (
    commit,
    extensions,
    groupcontext,
    groupinfo,
    keypackage,
    leaf,
    proposal,
    psk,
    welcome,
)
from polynya.mls.codec import Reader, decode, opaque, u32
from polynya.mls.credential import BasicCredential
from polynya.mls.errors import MlsError
from polynya.mls.framing import encode_message, read_message
from polynya.mls.group import (
    X25519,
    Group,
    KeyPackageBundle,
    PendingCommit,
    decode_key_package,
    inspect,
    verify_key_package,
)
from polynya.mls.leaf import Capabilities
from polynya.mls.tree import RatchetTree
from tests.fuzz import scenes
from tests.fuzz.scenes import PSKS, Scene
from tests.mls.parties import EXTENSION, NOW
from tests.support.seeded import SeededRandom

SECONDS = 1.0
"""Of processor time for each 4 KB of input begun: a hundred times what the dearest honest message takes."""
MEGABYTES = 100
"""At most allocated at once while 4 KB are dealt with."""
RECORD = 4096
HANGS = 20.0
"""Seconds after which an attempt is broken off: the dearest input of 64 KB may take 16."""
MOST_MEMORY = 4 << 30
"""Bytes of address space: 16 records of 100 MB, and the interpreter."""


class FaultError(Exception):
    """What no input may bring about: another error than MlsError, another encoding, a changed state, a cost."""


@dataclass(frozen=True, slots=True)
class Target:
    """`run(scene, data)` gives what was made of the data; raises MlsError. `shared`: both languages have it."""

    name: str
    run: Callable[[Scene, bytes], bytes]
    stateful: bool = False
    shared: bool = True


def _reading(
    read: Callable[[Reader], Any], encode: Callable[[Any], bytes] | None = None
) -> Callable[..., bytes]:
    def run(_: Scene, data: bytes) -> bytes:
        value = decode(read, data)
        encoded = value.encode() if encode is None else encode(value)
        return canonical(data, encoded)

    return run


def canonical(data: bytes, encoded: bytes) -> bytes:
    """What was accepted is the one encoding of its value."""
    if encoded != data:
        raise FaultError(f"encodes to {encoded.hex()}")
    return encoded


def _tree(_: Scene, data: bytes) -> bytes:
    tree = RatchetTree.decode(X25519, data)
    return canonical(data, tree.encode()) + tree.tree_hash()


def _extension(kind: int, read: Callable[..., object]) -> Callable[[Scene, bytes], bytes]:
    def run(_: Scene, data: bytes) -> bytes:
        read([extensions.Extension(kind, data)])
        return data

    return run


def _look(_: Scene, data: bytes) -> bytes:
    info = inspect(data)
    return opaque(info.group_id) + struct.pack(">QB?", info.epoch, info.content_type, info.is_private)


def _key_package(_: Scene, data: bytes) -> bytes:
    return canonical(data, verify_key_package(decode_key_package(data), NOW).encode())


def describe(group: Group) -> bytes:
    """What all members of an epoch have in common, and the own place."""
    shared = group.context.encode() + group.tree_hash + group.epoch_authenticator + group.resumption_psk
    return shared + u32(group.own_leaf_index) + group.export("fuzz", b"", 16)


def _message(scene: Scene, data: bytes) -> bytes:
    group, opened = scene.group.decrypt(data)
    _remembers(data, group, scene.group)
    return u32(opened.sender_leaf_index) + opaque(opened.data) + opaque(opened.authenticated_data)


def _proposal(scene: Scene, data: bytes) -> bytes:
    group, received = scene.group.receive_proposal(data)
    _remembers(data, group, scene.group)
    pending = u32(len(group.pending_proposals))
    return pending + opaque(received.reference) + opaque(received.authenticated_data)


def _commit(scene: Scene, data: bytes) -> bytes:
    verified = scene.group.verify_commit(data, now=NOW)
    group = scene.group.apply_commit(verified, psks=PSKS)
    _remembers(data, group, scene.group)
    places = [
        verified.committer_leaf_index,
        *verified.added_leaves,
        *(m.leaf_index for m in verified.removes),
    ]
    return b"".join(map(u32, places)) + opaque(verified.authenticated_data) + describe(group)


def _verify(scene: Scene, data: bytes) -> bytes:
    verified = scene.group.verify_commit(data, now=NOW)
    return u32(verified.committer_leaf_index) + verified.checked.tree.tree_hash()


def _join(scene: Scene, data: bytes) -> bytes:
    joined = Group.join(data, [scene.joiner], psks=PSKS, now=NOW)
    _remembers(data, joined.group)
    ids = b"".join(p.encode() for p in joined.psks)
    places = b"".join(map(u32, (joined.signer_leaf_index, *joined.expired)))
    kept = extensions.encode_extensions(joined.group_info_extensions)
    return places + ids + kept + describe(joined.group)


def _external(scene: Scene, data: bytes) -> bytes:
    pending = Group.join_external(
        data,
        BasicCredential(b"from outside"),
        bytes(31) + b"\x07",
        capabilities=Capabilities((1,), (1, 0xF001), (EXTENSION,)),
        random=SeededRandom(7),
    )
    _remembers(data, pending.group)
    # X-Wing's encapsulations are real: nothing that follows them can be told beforehand.
    same = pending.message if pending.group.suite is X25519 else b""
    return same + u32(pending.group.own_leaf_index)


STORED = 8
"""One state in so many is stored: that takes longer than all else. By the last byte, which in most is of a tag."""


def _remembers(data: bytes, group: Group, since: Group | None = None) -> None:
    """A state that hostile bytes led to is stored and found again, as are its changes `since` another."""
    if data[-1] % STORED:
        return
    blob, parts = group.encode(), group.parts()
    if Group.decode(blob).encode() != blob or Group.from_parts(parts) != group:
        raise FaultError("the state that follows is not found again")
    if since is not None:
        rows: dict[bytes, bytes | None] = {**since.parts(), **group.changes(since)}
        if {name: value for name, value in rows.items() if value is not None} != parts:
            raise FaultError("the changes do not lead to the state that follows")


def _stored(scene: Scene, data: bytes) -> bytes:
    """A damaged group is refused, or used without anything but MlsError."""
    group = Group.decode(data)
    blob = canonical(data, group.encode())
    for kind, message in scene.steps[-3:]:
        try:
            if kind == "message":
                group.decrypt(message)
            else:
                group.verify_commit(message, now=NOW)
        except MlsError:
            continue
    uses: tuple[Callable[[], object], ...] = (
        lambda: group.encrypt(b"", random=SeededRandom(1)),
        lambda: group.commit(now=NOW, random=SeededRandom(1)),
        lambda: group.group_info(external_pub=True),
    )
    for use in uses:
        try:
            use()
        except MlsError:
            continue
    return blob


def _pending(_: Scene, data: bytes) -> bytes:
    return canonical(data, PendingCommit.decode(data).encode())


def _bundle(_: Scene, data: bytes) -> bytes:
    return canonical(data, KeyPackageBundle.decode(data).encode())


TARGETS: tuple[Target, ...] = (
    Target("message", _reading(read_message, encode_message)),
    Target("key-package", _reading(keypackage.read_key_package)),
    Target("leaf", _reading(leaf.read_leaf)),
    Target("tree", _tree),
    Target("group-context", _reading(groupcontext.read_group_context)),
    Target("group-info", _reading(groupinfo.read_group_info)),
    Target("welcome", _reading(welcome.read_welcome)),
    Target("group-secrets", _reading(welcome.read_group_secrets)),
    Target("commit", _reading(commit.read_commit)),
    Target("update-path", _reading(commit.read_update_path)),
    Target("proposal", _reading(proposal.read_proposal, proposal.encode_proposal)),
    Target("psk", _reading(psk.read_psk_id)),
    Target("required-capabilities", _extension(3, extensions.required_capabilities)),
    Target("external-pub", _extension(4, extensions.external_pub)),
    Target("external-senders", _extension(5, extensions.external_senders)),
    Target("bundle", _bundle),
    Target("inspect", _look),
    Target("verify-key-package", _key_package),
    Target("decrypt", _message, stateful=True),
    Target("receive-proposal", _proposal, stateful=True),
    Target("verify-commit", _verify, stateful=True),
    Target("apply-commit", _commit, stateful=True),
    Target("join", _join),
    Target("join-external", _external),
    Target("stored-group", _stored, shared=False),
    Target("stored-commit", _pending, shared=False),
)
BY_NAME = {target.name: target for target in TARGETS}


@dataclass(frozen=True, slots=True)
class Input:
    """Bytes for a target in a scene, by its number."""

    target: str
    scene: int
    data: bytes

    def command(self) -> str:
        """How to run just this."""
        where = f"--target {self.target} --scene {scenes.NAMES[self.scene]}"
        return f"python -m scripts.fuzz {where} --input {self.data.hex() or '-'}"


@contextmanager
def bounded() -> Iterator[None]:
    """Inside, what would take the machine's memory or never end is a fault like others."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGVTALRM, _interrupt)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, before[1]))
    signal.setitimer(signal.ITIMER_VIRTUAL, HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.signal(signal.SIGVTALRM, handler)


def _interrupt(*_: object) -> None:
    raise FaultError(f"not done after {HANGS} s")


def verdict(given: Input, *, measured: bool = False) -> str:
    """`accepted <digest>`, `refused <code> <rule>`, or `fault <what>`. `measured`: its memory too."""
    target, scene = BY_NAME[given.target], scenes.scene(given.scene)
    if measured:
        tracemalloc.start()
    started = time.process_time()
    try:
        with bounded():
            made = target.run(scene, given.data)
        result = "accepted " + hashlib.sha256(made).hexdigest()[:16]
    except MlsError as error:
        result = f"refused {error.code} {error.rule}"
    except Exception as error:  # every other error is what this looks for
        result = f"fault {type(error).__name__}: {error}"
    records = 1 + len(given.data) // (RECORD + 1)
    seconds = time.process_time() - started
    if measured:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        if peak > records * MEGABYTES << 20:
            return f"fault {peak >> 20} MB for {len(given.data)} bytes"
    elif seconds > records * SECONDS:
        return f"fault {seconds:.1f} s for {len(given.data)} bytes"
    return result
