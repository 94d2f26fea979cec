"""Members that run our TypeScript, in one Node process."""

from __future__ import annotations

from typing import Any

from polynya.mls.suite import Suite
from tests.interop.peers import RefusedError as PeerRefusedError
from tests.interop.peers import TypeScript
from tests.referees.member import (
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
from tests.referees.python import OURS, lifetime

Values = dict[str, Any]


class TypeScriptMember(Member):
    kind = "typescript"

    def __init__(self, node: TypeScript, name: str, suite: Suite, identity: bytes, now: int) -> None:
        self.identity = identity
        self._node = node
        self._name = name
        self._suite = suite
        self._now = now

    def _ask(self, op: str, **values: object) -> Values:
        try:
            return self._node.ask(
                self._name,
                op,
                suite=self._suite.id,
                now=self._now,
                psks={name.hex(): key.hex() for name, key in PSKS.items()},
                **values,
            )
        except PeerRefusedError as error:
            raise RefusedError(str(error)) from error

    def _born(self, op: str, **values: object) -> Values:
        valid = lifetime(self._now)
        return self._ask(
            op,
            seed=self._name.encode().hex(),
            identity=self.identity.hex(),
            lifetime=[valid.not_before, valid.not_after],
            **values,
        )

    def abilities(self) -> Abilities:
        return OURS

    def can_commit(self, wish: Wish) -> bool:
        return True

    # ---- beginning

    def found(self, group_id: bytes) -> None:
        self._born("create", groupId=group_id.hex())

    def key_package(self) -> bytes:
        return bytes.fromhex(self._born("keyPackage")["keyPackage"])

    def join(self, welcome: bytes, tree: bytes | None) -> None:
        self._ask("join", message=welcome.hex(), tree=None if tree is None else tree.hex())

    def enter(self, group_info: bytes, former_leaf: int | None) -> bytes:
        made = self._born("joinExternal", message=group_info.hex(), resync=former_leaf)
        return bytes.fromhex(made["message"])

    def successor(self) -> TypeScriptMember:
        return TypeScriptMember(self._node, self._name + "+", self._suite, self.identity, self._now)

    # ---- handshakes

    def propose_add(self, key_package: bytes, *, private: bool) -> bytes:
        return self._message("proposeAdd", adds=[key_package.hex()], private=private)

    def propose_remove(self, leaf: int, *, private: bool) -> bytes:
        return self._message("proposeRemove", leaf=leaf, private=private)

    def propose_update(self, *, private: bool) -> bytes:
        return self._message("proposeUpdate", private=private)

    def _message(self, op: str, **values: object) -> bytes:
        return bytes.fromhex(self._ask(op, **values)["message"])

    def receive_proposal(self, message: bytes) -> None:
        self._ask("receiveProposal", message=message.hex())

    def commit(self, wish: Wish) -> Made:
        extensions = None
        if wish.extensions is not None:
            extensions = [{"type": e.type, "data": e.data.hex()} for e in wish.extensions]
        made = self._ask(
            "commit",
            adds=[key_package.hex() for key_package in wish.adds],
            removes=list(wish.removes),
            private=wish.private,
            path=wish.path,
            treeInWelcome=not wish.tree_apart,
            extensions=extensions,
            pskNonces={} if wish.psk is None else {PSK_ID.hex(): wish.psk.hex()},
        )
        welcomes = () if made["welcome"] is None else (bytes.fromhex(made["welcome"]),)
        tree = bytes.fromhex(made["tree"]) if wish.tree_apart else None
        return Made(bytes.fromhex(made["message"]), welcomes, tree)

    def merge(self) -> None:
        self._ask("merge")

    def clear(self) -> None:
        self._ask("clear")

    def apply(self, message: bytes) -> bool:
        try:
            self._ask("apply", message=message.hex())
        except RefusedError as error:
            cause = error.__cause__
            if isinstance(cause, PeerRefusedError) and cause.code == "removed":
                return False
            raise
        return True

    # ---- messages

    def encrypt(self, data: bytes) -> bytes:
        return self._message("encrypt", data=data.hex(), padding=len(data) % 17)

    def decrypt(self, message: bytes) -> Opened:
        opened = self._ask("decrypt", message=message.hex())
        return Opened(bytes.fromhex(opened["data"]), opened["sender"])

    # ---- looking and keeping

    def view(self) -> View:
        told = self._ask("look")
        seen = view_of_group_info(self.group_info())
        assert (told["epoch"], told["treeHash"]) == (seen["epoch"], seen["treeHash"].hex())
        return {
            **seen,
            "authenticator": bytes.fromhex(told["authenticator"]),
            "exported": bytes.fromhex(told["exported"]),
        }

    def group_info(self) -> bytes:
        return self._message("groupInfo")

    def reload(self) -> None:
        self._ask("reload")

    def forget_before(self, epoch: int) -> None:
        self._ask("forget", epoch=epoch)

    def close(self) -> None:
        self._ask("drop")
