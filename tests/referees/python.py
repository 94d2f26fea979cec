"""Members that run our Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from polynya.mls.credential import BasicCredential
from polynya.mls.errors import MlsError, RemovedError
from polynya.mls.group import (
    Group,
    KeyPackageBundle,
    PendingCommit,
    VerifiedCommit,
    decode_key_package,
    make_key_package,
    verify_key_package,
)
from polynya.mls.leaf import Lifetime, default_capabilities
from polynya.mls.proposal import Add, GroupContextExtensions, PreSharedKey, Proposal, Remove
from polynya.mls.psk import APPLICATION, ExternalPskId, PskId, ResumptionPskId
from polynya.mls.suite import Suite
from tests.referees.member import (
    EXPORT_CONTEXT,
    EXPORT_LABEL,
    EXPORT_SIZE,
    EXTENSION,
    PSK_ID,
    PSKS,
    Abilities,
    Made,
    Member,
    Opened,
    RefusedError,
    View,
    Wish,
    view_of_group_info,
)
from tests.support.seeded import SeededRandom

DAY = 24 * 60 * 60
KEPT_EPOCHS = 3
OURS = Abilities(proposes=frozenset({"add", "remove", "update"}), late=KEPT_EPOCHS)


def lifetime(now: int) -> Lifetime:
    """Valid a day before and a month after `now` (ms)."""
    return Lifetime(now // 1000 - DAY, now // 1000 + 30 * DAY)


@contextmanager
def refusing() -> Iterator[None]:
    """Inside, what MLS refuses is a RefusedError."""
    try:
        yield
    except MlsError as error:
        raise RefusedError(str(error)) from error


class PythonMember(Member):
    kind = "python"

    def __init__(self, suite: Suite, identity: bytes, seed: bytes, now: int) -> None:
        self.identity = identity
        self.group: Group | None = None
        self._stored: tuple[Group, dict[bytes, bytes]] | None = None
        self.removing: VerifiedCommit | None = None
        """The commit that removed this member."""
        self._suite = suite
        self._seed = seed
        self._now = now
        self._random = SeededRandom(seed)
        self._signature_private = self._random.bytes(32)
        self._bundle: KeyPackageBundle | None = None
        self._pending: PendingCommit | None = None

    def abilities(self) -> Abilities:
        return OURS

    def can_commit(self, wish: Wish) -> bool:
        return True

    @property
    def _member(self) -> Group:
        assert self.group is not None
        return self.group

    # ---- beginning

    def found(self, group_id: bytes) -> None:
        self.group = Group.create(
            self._suite,
            group_id,
            BasicCredential(self.identity),
            self._signature_private,
            capabilities=default_capabilities(self._suite, [EXTENSION]),
            lifetime=lifetime(self._now),
            random=self._random,
        )

    def key_package(self) -> bytes:
        self._bundle = make_key_package(
            self._suite,
            BasicCredential(self.identity),
            self._signature_private,
            capabilities=default_capabilities(self._suite, [EXTENSION]),
            lifetime=lifetime(self._now),
            random=self._random,
        )
        return self._bundle.key_package.encode()

    def join(self, welcome: bytes, tree: bytes | None) -> None:
        assert self._bundle is not None
        bundle = KeyPackageBundle.decode(self._bundle.encode())
        with refusing():
            self.group = Group.join(welcome, [bundle], tree=tree, psks=PSKS, now=self._now).group

    def enter(self, group_info: bytes, former_leaf: int | None) -> bytes:
        with refusing():
            pending = Group.join_external(
                group_info,
                BasicCredential(self.identity),
                self._signature_private,
                resync=former_leaf,
                capabilities=default_capabilities(self._suite, [EXTENSION]),
                random=self._random,
            )
        self.group = pending.group
        return pending.message

    def successor(self) -> PythonMember:
        return PythonMember(self._suite, self.identity, self._seed + b"+", self._now)

    # ---- handshakes

    def propose_add(self, key_package: bytes, *, private: bool) -> bytes:
        return self._propose(self._add(key_package), private=private)

    def propose_remove(self, leaf: int, *, private: bool) -> bytes:
        return self._propose(Remove(leaf), private=private)

    def propose_update(self, *, private: bool) -> bytes:
        with refusing():
            self.group, message = self._member.propose_update(private=private, random=self._random)
        return message

    def _propose(self, proposal: Proposal, *, private: bool) -> bytes:
        with refusing():
            self.group, message = self._member.propose(proposal, private=private, random=self._random)
        return message

    def _add(self, key_package: bytes) -> Add:
        return Add(verify_key_package(decode_key_package(key_package), self._now))

    def _psk_id(self, nonce: bytes, epoch: int | None) -> PskId:
        if epoch is None:
            return ExternalPskId(PSK_ID, nonce)
        return ResumptionPskId(APPLICATION, self._member.group_id, epoch, nonce)

    def receive_proposal(self, message: bytes) -> None:
        with refusing():
            self.group, _ = self._member.receive_proposal(message)

    def commit(self, wish: Wish) -> Made:
        proposals: list[Proposal] = [Remove(leaf) for leaf in wish.removes]
        proposals += map(self._add, wish.adds)
        if wish.psk is not None:
            proposals.append(PreSharedKey(self._psk_id(wish.psk, wish.resumed)))
        if wish.extensions is not None:
            proposals.append(GroupContextExtensions(wish.extensions))
        with refusing():
            pending = self._member.commit(
                proposals,
                private=wish.private,
                path=wish.path,
                tree_in_welcome=not wish.tree_apart,
                psks=PSKS,
                now=self._now,
                random=self._random,
            )
        self._pending = pending
        welcomes = () if pending.welcome is None else (pending.welcome,)
        return Made(pending.message, welcomes, pending.tree if wish.tree_apart else None)

    def merge(self) -> None:
        assert self._pending is not None
        self.group, self._pending = self._member.merge_commit(self._pending), None

    def clear(self) -> None:
        assert self._pending is not None
        self._pending = None

    def apply(self, message: bytes) -> bool:
        with refusing():
            verified = self._member.verify_commit(message, now=self._now)
        try:
            self.group = self._member.apply_commit(verified, psks=PSKS)
        except RemovedError:
            self.removing = verified
            return False
        except MlsError as error:
            raise RefusedError(str(error)) from error
        return True

    # ---- messages

    def encrypt(self, data: bytes) -> bytes:
        padding = self._random.below(40)
        with refusing():
            self.group, message = self._member.encrypt(data, padding=padding, random=self._random)
        return message

    def decrypt(self, message: bytes) -> Opened:
        with refusing():
            self.group, opened = self._member.decrypt(message)
        credential = opened.sender.credential
        assert isinstance(credential, BasicCredential)
        return Opened(opened.data, opened.sender_leaf_index, credential.identity)

    # ---- looking and keeping

    def view(self) -> View:
        group = self._member
        seen = view_of_group_info(self.group_info())
        assert (group.epoch, group.tree, group.context.encode()) == (
            seen["epoch"],
            seen["tree"],
            seen["context"],
        )
        return {
            **seen,
            "authenticator": group.epoch_authenticator,
            "exported": group.export(EXPORT_LABEL, EXPORT_CONTEXT, EXPORT_SIZE),
        }

    def group_info(self) -> bytes:
        return self._member.group_info(external_pub=True)

    def reload(self) -> None:
        """From rows, of which those are written that changed since the last time."""
        rows = self._member.parts() if self._stored is None else dict(self._stored[1])
        if self._stored is not None:
            changes = self._member.changes(self._stored[0])
            rows |= {name: value for name, value in changes.items() if value is not None}
            for name in (name for name, value in changes.items() if value is None):
                del rows[name]
        self.group = Group.from_parts(rows)
        self._stored = self.group, rows
        if self._pending is not None:
            self._pending = PendingCommit.decode(self._pending.encode())

    def forget_before(self, epoch: int) -> None:
        self.group = self._member.forget_epochs_before(epoch)

    def close(self) -> None:
        self.group = None
