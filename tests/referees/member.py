"""One member of an MLS group, whatever code it runs: what it can do, and what it sees of an epoch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from polynya.mls.codec import Reader, decode, u16
from polynya.mls.extensions import Extension
from polynya.mls.framing import KEY_PACKAGE, read_message
from polynya.mls.groupinfo import GroupInfo
from polynya.mls.suite import Suite

View = dict[str, Any]
"""An epoch as one member sees it, of these names: `epoch`, `context` (GroupContext), `tree` (the content of a
ratchet_tree extension), `treeHash`, `transcript`, `tag` (confirmation tag), `external` (external_pub),
`authenticator`, `exported` (EXPORT_SIZE bytes). Not every member tells all; what two tell must be equal."""

EXPORT_LABEL = "soak"
EXPORT_CONTEXT = b"referees"
EXPORT_SIZE = 40

EXTENSION = 0xF0A1
PSK_ID = b"soak"
PSKS = {PSK_ID: b"what all members of a group know"}


class RefusedError(Exception):
    """The member's MLS said no."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a member can take part in. Handshakes are "public" or "private" messages; external commits are always
    public, and everybody reads them."""

    sends: frozenset[str] = frozenset({"public", "private"})
    """Formats of its own handshakes."""
    reads: frozenset[str] = frozenset({"public", "private"})
    """Formats of others' handshakes."""
    proposes: frozenset[str] = frozenset()
    """Of "add", "remove" and "update": the proposals that it sends."""
    keeps_proposals: bool = True
    """It follows commits that name proposals by reference."""
    settles: bool = True
    """Of proposals that cannot stand together it commits some."""
    welcomes_all: bool = True
    """With a commit it gives out Welcomes also for Adds that others proposed."""
    talks: bool = True
    """It sends application messages."""
    listens: bool = True
    """It shows what is in those that it opens."""
    waits: bool = True
    """It opens messages between its commit and the merge of it."""
    out_of_order: bool = True
    """Messages of one sender need not come in order."""
    late: int = 0
    """Former epochs whose messages still open."""
    late_of_removed: bool = True
    """They open though their sender was removed since."""
    admits: bool = True
    """It gives out a GroupInfo for others to enter by."""
    enters: bool = True
    """It enters by a GroupInfo."""
    returns: bool = True
    """It enters in place of its former leaf."""
    follows_moves: bool = True
    """It follows whoever returns to another leaf than the former."""
    tree_apart: bool = True
    """It joins by a Welcome without the tree."""
    resumes: bool = True
    """It keeps resumption keys of a few former epochs of the group."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a commit is to do besides what was proposed: `adds` are encoded KeyPackages, `removes` leaves.

    `extensions`: the GroupContext's extensions anew; `psk`: the nonce for mixing in PSK_ID, or, with `resumed`,
    that epoch's resumption key."""

    adds: tuple[bytes, ...] = ()
    removes: tuple[int, ...] = ()
    private: bool = False
    path: bool = True
    tree_apart: bool = False
    extensions: tuple[Extension, ...] | None = None
    psk: bytes | None = None
    resumed: int | None = None

    def plain(self) -> bool:
        """Nothing that only our own members can be asked for."""
        return self.path and not self.tree_apart and self.extensions is None and self.psk is None


@dataclass(frozen=True, slots=True)
class Made:
    """A commit that nobody has accepted yet; one Welcome for all that it adds, or one for each."""

    message: bytes
    welcomes: tuple[bytes, ...] = ()
    tree: bytes | None = None

    def welcome_for(self, position: int) -> bytes:
        return self.welcomes[position if len(self.welcomes) > 1 else 0]


@dataclass(frozen=True, slots=True)
class Opened:
    """An application message: None where the member does not tell."""

    data: bytes | None
    sender: int | None
    identity: bytes | None = None


class Member(ABC):
    """Methods raise RefusedError where MLS does not allow what was asked; the member is as before then."""

    kind: str
    identity: bytes

    @abstractmethod
    def abilities(self) -> Abilities: ...

    @abstractmethod
    def can_commit(self, wish: Wish) -> bool: ...

    # ---- beginning

    @abstractmethod
    def found(self, group_id: bytes) -> None:
        """A group of one; under an id of its own where the member takes none."""

    @abstractmethod
    def key_package(self) -> bytes:
        """An encoded KeyPackage, not wrapped."""

    @abstractmethod
    def join(self, welcome: bytes, tree: bytes | None) -> None: ...

    def enter(self, group_info: bytes, former_leaf: int | None) -> bytes:
        """The external commit, after which this is a member."""
        raise NotImplementedError

    def successor(self) -> Member:
        """Somebody of the same identity with nothing of this one's group state, to enter in its place."""
        raise NotImplementedError

    # ---- handshakes

    def propose_add(self, key_package: bytes, *, private: bool) -> bytes:
        raise NotImplementedError

    def propose_remove(self, leaf: int, *, private: bool) -> bytes:
        raise NotImplementedError

    def propose_update(self, *, private: bool) -> bytes:
        raise NotImplementedError

    @abstractmethod
    def receive_proposal(self, message: bytes) -> None: ...

    @abstractmethod
    def commit(self, wish: Wish) -> Made:
        """With every proposal received; followed by `merge` or `clear`."""

    @abstractmethod
    def merge(self) -> None: ...

    @abstractmethod
    def clear(self) -> None: ...

    @abstractmethod
    def apply(self, message: bytes) -> bool:
        """Another's commit; False where it removes this member."""

    # ---- messages

    def encrypt(self, data: bytes) -> bytes:
        raise NotImplementedError

    @abstractmethod
    def decrypt(self, message: bytes) -> Opened: ...

    # ---- looking and keeping

    @abstractmethod
    def view(self) -> View: ...

    def group_info(self) -> bytes:
        raise NotImplementedError

    @abstractmethod
    def reload(self) -> None:
        """Saves everything and goes on from what was saved."""

    def forget_before(self, epoch: int) -> None:  # noqa: B027  referees keep what they keep
        """Drops what opens messages of former epochs below this one, where the member can."""

    @abstractmethod
    def close(self) -> None: ...


def wrapped(key_package: bytes) -> bytes:
    """The MLSMessage with an encoded KeyPackage."""
    return u16(1) + u16(KEY_PACKAGE) + key_package


def unwrapped(message: bytes) -> bytes:
    header = u16(1) + u16(KEY_PACKAGE)
    assert message.startswith(header)
    return message.removeprefix(header)


RATCHET_TREE, EXTERNAL_PUB = 0x0002, 0x0004


def view_of_group_info(message: bytes) -> View:
    """What an MLSMessage with a GroupInfo, its tree and its external key tells of an epoch."""
    info = decode(read_message, message)
    assert isinstance(info, GroupInfo)
    extensions = {e.type: e.data for e in info.extensions}
    context = info.group_context
    return {
        "epoch": context.epoch,
        "context": context.encode(),
        "treeHash": context.tree_hash,
        "transcript": context.confirmed_transcript_hash,
        "tag": info.confirmation_tag,
        "tree": extensions[RATCHET_TREE],
        "external": decode(Reader.opaque, extensions[EXTERNAL_PUB]),
    }


def exported_by(suite: Suite, exporter_secret: bytes) -> bytes:
    """MLS-Exporter for a view (RFC 9420 section 8.5), from the exporter secret itself."""
    secret = suite.derive_secret(exporter_secret, EXPORT_LABEL.encode())
    return suite.expand_with_label(secret, b"exported", suite.digest(EXPORT_CONTEXT), EXPORT_SIZE)
