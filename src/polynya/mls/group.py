"""Groups (RFC 9420): the module that everything above MLS uses.

A `Group` is one member's view of one epoch, and immutable: what changes it gives a new one, what fails leaves
it as it was. Save it before anything made with it leaves the device, else a key could be used twice: all of it
(`group.encode()`, or `group.parts()` as rows of a table) or what is new (`group.changes(former)`).

**Founding and adding**

    credential = BasicCredential(identity)
    bundle = make_key_package(X25519, credential, signature_private, lifetime=..., random=random)
    # save bundle.encode(), publish bundle.key_package.encode()

    group = Group.create(X25519, group_id, credential, signature_private, lifetime=..., random=random)
    key_package = verify_key_package(decode_key_package(data), now)
    pending = group.commit([Add(key_package)], now=now, random=random)
    # save pending.encode(), send pending.message; once it is the epoch's commit:
    group = group.merge_commit(pending)
    # send pending.welcome (and pending.tree, if tree_in_welcome=False)

    joined = Group.join(welcome, [bundle], now=now)           # joined.group; then destroy the bundle

`group_info_extensions` may be a function of the next epoch's group, for what only its exporter knows.

**Messages**

    group, message = group.encrypt(data, padding=..., random=random)
    group, received = group.decrypt(message)                  # received.sender, .data, .authenticated_data

Each message opens once, in any order, in this epoch and in those that `past_epochs` names. Own messages do
not open.

**Commits of others**

    verified = group.verify_commit(message, now=now)          # judge roles on verified.adds, .removes, ...
    group = group.apply_commit(verified)

`verify_commit` makes every check that does not depend on private keys, so all members who hold the same epoch
and pending proposals come to the same verdict, if `now` is the same for all: pass the relay's time of the
record, not the own clock. `apply_commit` raises PathError where this member alone cannot follow (it must be
added again), and RemovedError where it is no longer one.

An own commit is entered by `merge_commit` on the *current* group, which knows what was opened since:
`pending.group` is the next epoch alone, and opens nothing of former ones.

**Errors** are MlsError with `rule`; its subclasses in `errors` tell apart what callers act upon.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from polynya.crypto.random import Random
from polynya.mls import (
    applying,
    checks,
    committing,
    external,
    founding,
    joining,
    messages,
    schedule,
    verifying,
)
from polynya.mls.codec import Reader, decode, opaque, optional, u8, vector
from polynya.mls.committing import NO_CHANGE, LeafChange
from polynya.mls.credential import Credential
from polynya.mls.errors import MalformedError, MlsError
from polynya.mls.extensions import Extension
from polynya.mls.framing import MEMBER, NEW_MEMBER_COMMIT, encode_message
from polynya.mls.groupcontext import GroupContext, read_group_context
from polynya.mls.keypackage import (
    KeyPackage,
    KeyPackageBundle,
    UnverifiedKeyPackage,
    make_key_package,
    read_key_package,
)
from polynya.mls.leaf import Capabilities, Lifetime
from polynya.mls.messages import inspect
from polynya.mls.parts import encode_parts, encode_state, part_changes
from polynya.mls.proposal import Add, Proposal, ReInit, Update
from polynya.mls.proposals import Proposed, read_proposed
from polynya.mls.psk import PskId
from polynya.mls.restoring import decode_parts, decode_state
from polynya.mls.state import GroupState
from polynya.mls.succession import Former, SameClient
from polynya.mls.suite import SUITES, X25519, X_WING, Suite, suite_of
from polynya.mls.views import ApplicationMessage, Member, MessageInfo, ReceivedProposal, VerifiedCommit
from polynya.mls.welcoming import make_group_info, make_welcome

__all__ = [
    "SUITES",
    "X25519",
    "X_WING",
    "ApplicationMessage",
    "Group",
    "Joined",
    "KeyPackageBundle",
    "LeafChange",
    "Member",
    "MessageInfo",
    "PendingCommit",
    "ReceivedProposal",
    "VerifiedCommit",
    "decode_key_package",
    "inspect",
    "make_key_package",
    "suite_of",
    "verify_key_package",
]


def decode_key_package(data: bytes) -> UnverifiedKeyPackage:
    """A KeyPackage (not wrapped in an MLSMessage) from a stranger; raises MlsError."""
    return UnverifiedKeyPackage(decode(read_key_package, data))


def verify_key_package(
    unverified: UnverifiedKeyPackage, now: int, *, max_lifetime: int = checks.MAX_LIFETIME
) -> KeyPackage:
    """Section 10.1, with the lifetime at `now` (ms) and at most `max_lifetime` (seconds) long; raises
    MlsError.

    What its credential means is the caller's to judge.
    """
    key_package = unverified.key_package
    checks.check_key_package(key_package, suite_of(key_package.cipher_suite))
    checks.check_lifetime_span(key_package.leaf_node.lifetime, max_lifetime)
    checks.check_lifetime(key_package.leaf_node, now)
    return key_package


@dataclass(frozen=True, slots=True)
class Group:
    """One member's view of one epoch. Equal if everything is equal, secrets included; its repr shows none."""

    _state: GroupState = field(repr=False)

    def __repr__(self) -> str:
        return f"Group({self.group_id.hex()}, epoch={self.epoch}, leaf={self.own_leaf_index})"

    # ---- beginning ----

    @classmethod
    def create(
        cls,
        suite: Suite,
        group_id: bytes,
        credential: Credential,
        signature_private: bytes,
        *,
        extensions: Sequence[Extension] = (),
        leaf_extensions: Sequence[Extension] = (),
        capabilities: Capabilities | None = None,
        lifetime: Lifetime,
        random: Random,
    ) -> Group:
        """A group of one, at epoch 0. Without `capabilities` the leaf supports the extension types used here."""
        state = founding.found(
            suite,
            group_id,
            credential,
            signature_private,
            extensions=extensions,
            leaf_extensions=leaf_extensions,
            capabilities=capabilities,
            lifetime=lifetime,
            random=random,
        )
        return cls(state)

    @classmethod
    def join(
        cls,
        welcome: bytes,
        bundles: Sequence[KeyPackageBundle],
        *,
        tree: bytes | None = None,
        psks: Mapping[bytes, bytes] | None = None,
        former: Group | None = None,
        same: SameClient = operator.eq,
        max_lifetime: int = checks.MAX_LIFETIME,
        now: int,
    ) -> Joined:
        """By a Welcome for one of `bundles`; `tree` where the Welcome does not hold it. Raises MlsError.

        A group that was re-initialised or branched takes the `former` one; `same` tells whether two
        credentials stand for one client. `max_lifetime` (seconds): as in `verify_key_package`.

        The caller checks that it is not in a group of this id already, and who the members are.
        """
        followed = None if former is None else Former(former._state, same)
        joined = joining.join(welcome, bundles, tree, psks or {}, max_lifetime, followed)
        return Joined(
            cls(joined.state),
            joining.other_extensions(joined.group_info),
            joined.group_info.signer,
            joined.bundle,
            joined.psks,
            joining.expired_leaves(joined.state.tree, now),
        )

    @classmethod
    def join_external(
        cls,
        group_info: bytes,
        credential: Credential,
        signature_private: bytes,
        *,
        tree: bytes | None = None,
        resync: int | None = None,
        psk_ids: Sequence[PskId] = (),
        psks: Mapping[bytes, bytes] | None = None,
        leaf_extensions: Sequence[Extension] = (),
        capabilities: Capabilities | None = None,
        authenticated_data: bytes = b"",
        max_lifetime: int = checks.MAX_LIFETIME,
        random: Random,
    ) -> PendingCommit:
        """By a GroupInfo with an external key (`group_info(external_pub=True)`); raises MlsError.

        `resync`: the leaf index of the own former leaf, which the commit removes. Nothing to merge into: use
        `pending.group` once the commit was accepted.
        """
        message, state, proposals = external.join_external(
            group_info,
            credential,
            signature_private,
            tree=tree,
            resync=resync,
            psk_ids=psk_ids,
            psks=psks or {},
            leaf_extensions=leaf_extensions,
            capabilities=capabilities,
            authenticated_data=authenticated_data,
            max_lifetime=max_lifetime,
            random=random,
        )
        return PendingCommit(encode_message(message), None, cls(state), proposals, None)

    # ---- looking ----

    @property
    def suite(self) -> Suite:
        return self._state.suite

    @property
    def context(self) -> GroupContext:
        return self._state.context

    @property
    def group_id(self) -> bytes:
        return self._state.context.group_id

    @property
    def epoch(self) -> int:
        return self._state.context.epoch

    @property
    def tree_hash(self) -> bytes:
        return self._state.context.tree_hash

    @property
    def confirmed_transcript_hash(self) -> bytes:
        return self._state.context.confirmed_transcript_hash

    @property
    def confirmation_tag(self) -> bytes:
        """That the epoch's secrets and transcript belong together (section 8.1); in every GroupInfo."""
        return self._state.confirmation_tag

    @property
    def epoch_authenticator(self) -> bytes:
        """The same for all members of the epoch, and for nobody else (section 8.7)."""
        return self._state.secrets.epoch_authenticator

    @property
    def resumption_psk(self) -> bytes:
        """The epoch's resumption key (section 8.6): `psks[psk.resumption_key(group_id, epoch)]` in another group."""
        return self._state.secrets.resumption_psk

    @property
    def own_leaf_index(self) -> int:
        return self._state.own_leaf

    @property
    def own_signature_key(self) -> bytes:
        return verifying.member_leaf(self._state.tree, self._state.own_leaf).signature_key

    @property
    def reinit(self) -> ReInit | None:
        """The ReInit that ended this group, if one did: it sends nothing more."""
        return self._state.reinit

    @property
    def tree(self) -> bytes:
        """The content of a `ratchet_tree` extension."""
        return self._state.tree.encode()

    @property
    def past_epochs(self) -> tuple[int, ...]:
        """Former epochs whose messages still open, ascending."""
        return tuple(epoch.context.epoch for epoch in self._state.past)

    @property
    def pending_proposals(self) -> tuple[Proposed, ...]:
        """Received and own proposals of this epoch, in order of arrival."""
        return self._state.pending

    def members(self) -> tuple[Member, ...]:
        """Ascending by leaf index."""
        return tuple(Member.of(index, leaf) for index, leaf in self._state.tree.leaves())

    def member(self, leaf_index: int) -> Member | None:
        leaf = self._state.tree.leaf(leaf_index)
        return None if leaf is None else Member.of(leaf_index, leaf)

    def export(self, label: str | bytes, context: bytes, length: int) -> bytes:
        """MLS-Exporter (section 8.5)."""
        label = label.encode() if isinstance(label, str) else label
        return schedule.export(self.suite, self._state.secrets.exporter_secret, label, context, length)

    def group_info(
        self, *, extensions: Sequence[Extension] = (), external_pub: bool = False, tree: bool = True
    ) -> bytes:
        """An MLSMessage with a signed GroupInfo; with `external_pub` whoever has it can join."""
        info = make_group_info(self._state, extensions, tree=tree, external_pub=external_pub)
        return encode_message(info)

    # ---- messages ----

    def encrypt(
        self, data: bytes, *, authenticated_data: bytes = b"", padding: int = 0, random: Random
    ) -> tuple[Group, bytes]:
        """An application message with `padding` zero bytes inside. Refused while proposals wait (section 12.4)."""
        state = self._state
        verifying.check_open(state)
        if state.pending:
            raise MlsError("12.4-pending-proposals", "a proposal was seen: commit before sending")
        after, _, message = messages.send(
            state, data, authenticated_data, private=True, padding=padding, random=random
        )
        return Group(after), message

    def decrypt(self, message: bytes) -> tuple[Group, ApplicationMessage]:
        """Opens an application message of this or a past epoch, once.

        Raises MlsError, as WrongEpochError where its keys are not there, as ReplayedError where its key was
        used."""
        after, received = messages.receive(self._state, message)
        return Group(after), received

    def forget_epochs_before(self, epoch: int) -> Group:
        """Drops the receive keys of past epochs below `epoch`."""
        kept = tuple(p for p in self._state.past if p.context.epoch >= epoch)
        return Group(replace(self._state, past=kept))

    # ---- proposals ----

    def propose(
        self,
        proposal: Proposal,
        *,
        authenticated_data: bytes = b"",
        private: bool = False,
        random: Random,
    ) -> tuple[Group, bytes]:
        """A proposal message, which waits here too. An own Update is made by `propose_update`."""
        if isinstance(proposal, Update):
            raise MlsError("12.1.2-own-update", "use propose_update, which makes its keys")
        return self._propose(proposal, authenticated_data, private, random)

    def propose_update(
        self,
        *,
        leaf: LeafChange = NO_CHANGE,
        authenticated_data: bytes = b"",
        private: bool = False,
        random: Random,
    ) -> tuple[Group, bytes]:
        """An Update of the own leaf. Draws its encryption key pair. The signature key stays."""
        if leaf.signature_private is not None:
            raise MlsError("12.1.2-signature-key", "a new signature key takes a commit")
        private_key, public_key = self.suite.kem.generate(random)
        update = Update(committing.renew_leaf(self._state, leaf, public_key, None))
        keys = {**self._state.update_keys, public_key: private_key}
        group = Group(replace(self._state, update_keys=keys))
        return group._propose(update, authenticated_data, private, random)

    def _propose(
        self, proposal: Proposal, authenticated_data: bytes, private: bool, random: Random
    ) -> tuple[Group, bytes]:
        verifying.check_open(self._state)
        state, signed, message = messages.send(
            self._state, proposal, authenticated_data, private=private, padding=0, random=random
        )
        proposed = verifying.check_proposal_message(state, signed)
        return Group(replace(state, pending=(*state.pending, proposed))), message

    def receive_proposal(
        self, message: bytes, *, max_lifetime: int = checks.MAX_LIFETIME
    ) -> tuple[Group, ReceivedProposal]:
        """Checks a proposal message of the current epoch and keeps it for a commit; raises MlsError.

        `max_lifetime` as in `verify_commit`. Receiving one twice changes nothing. From then on only commits
        may be sent (section 12.4).
        """
        state = self._state
        verifying.check_open(state)
        secret_tree, opened = verifying.open_handshake(state, message)
        proposed = verifying.check_proposal_message(state, opened, max_lifetime)
        known = any(p.reference == proposed.reference for p in state.pending)
        pending = state.pending if known else (*state.pending, proposed)
        sender = proposed.sender
        received = ReceivedProposal(
            proposed.reference or b"",
            proposed.proposal,
            self.member(sender.index) if sender.type == MEMBER else None,
            opened.content.authenticated_data,
        )
        return Group(replace(state, pending=pending, secret_tree=secret_tree)), received

    # ---- commits ----

    def commit(
        self,
        proposals: Sequence[Proposal] = (),
        *,
        include_pending: bool = True,
        authenticated_data: bytes = b"",
        private: bool = False,
        group_info_extensions: Sequence[Extension] | Callable[[Group], Sequence[Extension]] = (),
        tree_in_welcome: bool = True,
        path: bool | None = None,
        psks: Mapping[bytes, bytes] | None = None,
        leaf: LeafChange = NO_CHANGE,
        now: int,
        random: Random,
    ) -> PendingCommit:
        """A commit of pending proposals and `proposals`, in that order, with a path unless `path=False`.

        This group stays as it is: see `merge_commit`. A `private` commit spends a key of this epoch that this
        group does not count, so it must not be made twice from one state. Raises MlsError where the list is
        not valid."""
        made = committing.make_commit(
            self._state,
            committing.choose(self._state, proposals, include_pending=include_pending, now=now),
            path=path,
            change=leaf,
            authenticated_data=authenticated_data,
            private=private,
            psks=psks or {},
            now=now,
            random=random,
        )
        after = Group(made.state)
        extensions = (
            group_info_extensions(after) if callable(group_info_extensions) else group_info_extensions
        )
        welcome = make_welcome(made, extensions, tree=tree_in_welcome, random=random)
        return PendingCommit(
            encode_message(made.message),
            None if welcome is None else encode_message(welcome),
            after,
            made.proposals,
            self.context,
        )

    def merge_commit(self, pending: PendingCommit, *, keep_past: bool = True) -> Group:
        """The next epoch by an own commit, with what this group opened since the commit was made.

        Without `keep_past` no message of this or a former epoch opens any more. Raises MlsError if the commit was
        made in another epoch than this one.
        """
        state, after = self._state, pending.group._state
        if pending.before != state.context:
            raise MlsError("12.4.2-other-epoch", "the commit was made in another epoch")
        past = (*state.past, state.archive()) if keep_past else ()
        return Group(replace(after, past=past))

    def verify_commit(
        self, message: bytes, *, max_lifetime: int = checks.MAX_LIFETIME, now: int
    ) -> VerifiedCommit:
        """Everything that any member can check; see the module's text on `now` (ms). Raises MlsError.

        `max_lifetime` (seconds): of key packages that the commit adds; the same for all members."""
        state = self._state
        verifying.check_open(state)
        _, opened = verifying.open_handshake(state, message)
        checked = verifying.check_commit_message(state, opened, now, max_lifetime)
        removes = (Member.of(i, verifying.member_leaf(state.tree, i)) for i in checked.applied.removed)
        adds = (p.proposal.key_package for p in checked.proposals if isinstance(p.proposal, Add))
        return VerifiedCommit(
            checked.committer_leaf,
            Member.of(checked.committer_leaf, checked.committer),
            checked.proposals,
            tuple(adds),
            checked.applied.added,
            tuple(removes),
            checked.applied.extensions,
            opened.content.authenticated_data,
            opened.content.sender.type == NEW_MEMBER_COMMIT,
            checked,
        )

    def apply_commit(
        self,
        verified: VerifiedCommit,
        *,
        psks: Mapping[bytes, bytes] | None = None,
        keep_past: bool = True,
    ) -> Group:
        """The next epoch by another's commit; raises RemovedError, PathError or MlsError. `keep_past`: as above."""
        return Group(applying.apply_commit(self._state, verified.checked, psks or {}, keep_past=keep_past))

    # ---- storage ----

    def parts(self) -> dict[bytes, bytes]:
        """All to be stored, by name, ascending, with private keys inside. What names mean is this library's affair."""
        return encode_parts(self._state)

    def changes(self, since: Group) -> dict[bytes, bytes | None]:
        """What makes `since.parts()` the parts of this group, ascending by name; None: the part is gone.

        What both groups share is not encoded: a message costs the same however many members have spoken."""
        return part_changes(self._state, since._state)

    @classmethod
    def from_parts(cls, parts: Mapping[bytes, bytes]) -> Group:
        """Raises MlsError."""
        return cls(decode_parts(parts))

    def encode(self) -> bytes:
        """All parts as one blob."""
        return encode_state(self._state)

    @classmethod
    def decode(cls, data: bytes) -> Group:
        """Raises MlsError."""
        return cls(decode_state(data))


@dataclass(frozen=True, slots=True)
class Joined:
    """What a Welcome gave. `group_info_extensions` are without the tree; `expired` are leaves whose key
    package had run out at the time of joining; `psks` those that were mixed in."""

    group: Group
    group_info_extensions: tuple[Extension, ...]
    signer_leaf_index: int
    bundle: KeyPackageBundle
    psks: tuple[PskId, ...]
    expired: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PendingCommit:
    """An own commit that nobody has accepted yet. `message` and `welcome` are MLSMessages; `before` is the
    GroupContext that it ends (None: external join)."""

    message: bytes
    welcome: bytes | None
    group: Group
    proposals: tuple[Proposed, ...]
    before: GroupContext | None

    @property
    def tree(self) -> bytes:
        """For joiners where the Welcome does not hold it."""
        return self.group.tree

    def encode(self) -> bytes:
        """One blob, with private keys inside."""
        return b"".join(
            (
                u8(1),
                opaque(self.message),
                optional(None if self.welcome is None else opaque(self.welcome)),
                opaque(self.group.encode()),
                vector(p.encode() for p in self.proposals),
                optional(None if self.before is None else self.before.encode()),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> PendingCommit:
        """Raises MlsError."""
        return decode(_read_pending, data)


def _read_pending(reader: Reader) -> PendingCommit:
    if reader.u8() != 1:
        raise MalformedError("state-version")
    message, welcome = reader.opaque(), reader.optional(Reader.opaque)
    group = Group.decode(reader.opaque())
    proposals, before = reader.vector(read_proposed), reader.optional(read_group_context)
    return PendingCommit(message, welcome, group, proposals, before)
