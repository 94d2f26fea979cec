"""Members of MLS groups in either language behind one interface: an operation's name and plain values."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from polynya.mls.codec import decode
from polynya.mls.credential import BasicCredential
from polynya.mls.errors import MlsError
from polynya.mls.extensions import Extension
from polynya.mls.framing import MEMBER, read_message
from polynya.mls.group import (
    X25519,
    Group,
    KeyPackageBundle,
    PendingCommit,
    decode_key_package,
    make_key_package,
    suite_of,
    verify_key_package,
)
from polynya.mls.leaf import Capabilities, Lifetime
from polynya.mls.proposal import Add, GroupContextExtensions, PreSharedKey, Proposal, Remove
from polynya.mls.psk import ExternalPskId
from polynya.mls.tree import RatchetTree
from scripts.webapp import node_program
from tests.support.seeded import SeededRandom

Values = dict[str, Any]

PEER = Path(__file__).parents[2] / "web" / "tests" / "interop" / "peer.ts"
EXTENSION = 0xF0A1
LIFETIME = Lifetime(1_799_000_000, 1_801_000_000)


class RefusedError(Exception):
    """MLS said no; `rule` and `code` as in MlsError."""

    def __init__(self, rule: str, code: str) -> None:
        super().__init__(f"{rule} ({code})")
        self.rule = rule
        self.code = code


class Language(Protocol):
    """Where members live."""

    def ask(self, member: str, op: str, **values: object) -> Values: ...


DEFAULTS: Values = {
    "suite": 1,
    "tree": None,
    "authenticatedData": "",
    "padding": 0,
    "private": False,
    "adds": [],
    "removes": [],
    "extensions": None,
    "psks": {},
    "pskNonces": {},
    "treeInWelcome": True,
    "path": True,
    "resync": None,
}


class TypeScript:
    """Members in a Node process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(node_program()), "--disable-warning=ExperimentalWarning", str(PEER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, member: str, op: str, **values: object) -> Values:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({**DEFAULTS, **values, "op": op, "member": member}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the peer ended with {self._process.wait(10)}")
        answer = json.loads(line)
        if "error" in answer:
            raise RefusedError(answer["error"]["rule"], answer["error"]["code"])
        assert "ok" in answer, answer
        result: Values = answer["ok"]
        return result

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(10) == 0


@dataclass
class Peer:
    random: SeededRandom
    signature_private: bytes
    group: Group | None = None
    bundle: KeyPackageBundle | None = None
    pending: PendingCommit | None = None


class Python:
    """Members in this process."""

    def __init__(self) -> None:
        self._peers: dict[str, Peer] = {}

    def ask(self, member: str, op: str, **values: object) -> Values:
        given = {**DEFAULTS, **values}
        if op in ("create", "keyPackage", "joinExternal"):
            random = SeededRandom(unhex(given["seed"]))
            self._peers[member] = Peer(random, random.bytes(32))
        try:
            return OPERATIONS[op](self._peers[member], given)
        except MlsError as error:
            raise RefusedError(error.rule, error.code) from None


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)


def _group(peer: Peer) -> Group:
    assert peer.group is not None
    return peer.group


def _capabilities(suite: int) -> Capabilities:
    return Capabilities((1,), (suite,), (EXTENSION,))


def _extensions(given: list[Values] | None) -> tuple[Extension, ...]:
    return tuple(Extension(e["type"], unhex(e["data"])) for e in given or ())


def _psks(given: Values) -> dict[bytes, bytes]:
    return {unhex(name): unhex(key) for name, key in given.items()}


def _described(extensions: tuple[Extension, ...]) -> list[Values]:
    return [{"type": e.type, "data": e.data.hex()} for e in extensions]


def describe(group: Group) -> Values:
    return {
        "epoch": group.epoch,
        "own": group.own_leaf_index,
        "treeHash": group.tree_hash.hex(),
        "tree": group.tree.hex(),
        "transcript": group.confirmed_transcript_hash.hex(),
        "authenticator": group.epoch_authenticator.hex(),
        "resumption": group.resumption_psk.hex(),
        "exported": group.export("interop", b"context", 40).hex(),
        "members": [
            [m.leaf_index, m.credential.identity.hex() if isinstance(m.credential, BasicCredential) else None]
            for m in group.members()
        ],
        "extensions": _described(group.context.extensions),
        "past": list(group.past_epochs),
        "pending": [(p.reference or b"").hex() for p in group.pending_proposals],
    }


def _create(peer: Peer, v: Values) -> Values:
    peer.group = Group.create(
        suite_of(v["suite"]),
        unhex(v["groupId"]),
        BasicCredential(unhex(v["identity"])),
        peer.signature_private,
        extensions=_extensions(v["extensions"]),
        capabilities=_capabilities(v["suite"]),
        lifetime=LIFETIME,
        random=peer.random,
    )
    return describe(peer.group)


def _key_package(peer: Peer, v: Values) -> Values:
    peer.bundle = make_key_package(
        suite_of(v["suite"]),
        BasicCredential(unhex(v["identity"])),
        peer.signature_private,
        lifetime=LIFETIME,
        capabilities=_capabilities(v["suite"]),
        random=peer.random,
    )
    return {"keyPackage": peer.bundle.key_package.encode().hex()}


def _join(peer: Peer, v: Values) -> Values:
    assert peer.bundle is not None
    bundle = KeyPackageBundle.decode(peer.bundle.encode())
    tree = None if v["tree"] is None else unhex(v["tree"])
    joined = Group.join(unhex(v["message"]), [bundle], tree=tree, psks=_psks(v["psks"]), now=v["now"])
    peer.group = joined.group
    info = _described(joined.group_info_extensions)
    return {**describe(peer.group), "info": info, "signer": joined.signer_leaf_index}


def _join_external(peer: Peer, v: Values) -> Values:
    pending = Group.join_external(
        unhex(v["message"]),
        BasicCredential(unhex(v["identity"])),
        peer.signature_private,
        tree=None if v["tree"] is None else unhex(v["tree"]),
        resync=v["resync"],
        capabilities=_capabilities(v["suite"]),
        random=peer.random,
    )
    peer.group = pending.group
    return {**describe(peer.group), "message": pending.message.hex()}


def _group_info(peer: Peer, v: Values) -> Values:
    return {"message": _group(peer).group_info(external_pub=True).hex()}


def _encrypt(peer: Peer, v: Values) -> Values:
    peer.group, message = _group(peer).encrypt(
        unhex(v["data"]),
        authenticated_data=unhex(v["authenticatedData"]),
        padding=v["padding"],
        random=peer.random,
    )
    return {"message": message.hex()}


def _decrypt(peer: Peer, v: Values) -> Values:
    peer.group, opened = _group(peer).decrypt(unhex(v["message"]))
    return {
        "sender": opened.sender_leaf_index,
        "epoch": opened.epoch,
        "data": opened.data.hex(),
        "authenticatedData": opened.authenticated_data.hex(),
    }


def _propose_update(peer: Peer, v: Values) -> Values:
    peer.group, message = _group(peer).propose_update(private=v["private"], random=peer.random)
    return {"message": message.hex()}


def _propose_remove(peer: Peer, v: Values) -> Values:
    proposal = Remove(v["leaf"])
    peer.group, message = _group(peer).propose(proposal, private=v["private"], random=peer.random)
    return {"message": message.hex()}


def _receive_proposal(peer: Peer, v: Values) -> Values:
    peer.group, received = _group(peer).receive_proposal(unhex(v["message"]))
    proposer = None if received.member is None else received.member.leaf_index
    return {"reference": received.reference.hex(), "proposer": proposer}


def _commit(peer: Peer, v: Values) -> Values:
    proposals: list[Proposal] = [Remove(leaf) for leaf in v["removes"]]
    proposals += [Add(verify_key_package(decode_key_package(unhex(d)), v["now"])) for d in v["adds"]]
    for name, nonce in v["pskNonces"].items():
        proposals.append(PreSharedKey(ExternalPskId(unhex(name), unhex(nonce))))
    if v["extensions"] is not None:
        proposals.append(GroupContextExtensions(_extensions(v["extensions"])))
    pending = _group(peer).commit(
        proposals,
        authenticated_data=unhex(v["authenticatedData"]),
        private=v["private"],
        group_info_extensions=lambda after: (Extension(0xF0A2, after.export("info", b"", 16)),),
        tree_in_welcome=v["treeInWelcome"],
        path=v["path"],
        psks=_psks(v["psks"]),
        now=v["now"],
        random=peer.random,
    )
    peer.pending = PendingCommit.decode(pending.encode())
    welcome = None if pending.welcome is None else pending.welcome.hex()
    return {"message": pending.message.hex(), "welcome": welcome, "tree": pending.tree.hex()}


def _merge(peer: Peer, v: Values) -> Values:
    assert peer.pending is not None
    peer.group, peer.pending = _group(peer).merge_commit(peer.pending), None
    return describe(_group(peer))


def _apply(peer: Peer, v: Values) -> Values:
    verified = _group(peer).verify_commit(unhex(v["message"]), now=v["now"])
    peer.group = _group(peer).apply_commit(verified, psks=_psks(v["psks"]))
    assert verified.is_external or verified.checked.message.content.sender.type == MEMBER
    return {
        **describe(peer.group),
        "committer": verified.committer_leaf_index,
        "external": verified.is_external,
        "added": list(verified.added_leaves),
        "removed": [m.leaf_index for m in verified.removes],
        "authenticatedData": verified.authenticated_data.hex(),
    }


def _verify(peer: Peer, v: Values) -> Values:
    verified = _group(peer).verify_commit(unhex(v["message"]), now=v["now"])
    return {"committer": verified.committer_leaf_index}


def _decode(peer: Peer, v: Values) -> Values:
    data = unhex(v["message"])
    if v["kind"] == "message":
        decode(read_message, data)
    elif v["kind"] == "keyPackage":
        decode_key_package(data)
    else:
        RatchetTree.decode(X25519, data)
    return {}


def _forget(peer: Peer, v: Values) -> Values:
    peer.group = _group(peer).forget_epochs_before(v["epoch"])
    return {}


def _reload(peer: Peer, v: Values) -> Values:
    peer.group = Group.decode(_group(peer).encode())
    return describe(peer.group)


OPERATIONS: dict[str, Callable[[Peer, Values], Values]] = {
    "create": _create,
    "keyPackage": _key_package,
    "join": _join,
    "joinExternal": _join_external,
    "groupInfo": _group_info,
    "encrypt": _encrypt,
    "decrypt": _decrypt,
    "proposeUpdate": _propose_update,
    "proposeRemove": _propose_remove,
    "receiveProposal": _receive_proposal,
    "commit": _commit,
    "merge": _merge,
    "apply": _apply,
    "verify": _verify,
    "decode": _decode,
    "forget": _forget,
    "reload": _reload,
}
