"""Members that run OpenMLS through the wheel `gbp-stack`.

It adds and removes one member at a time and follows commits, with handshakes as private messages only. Proposals
it reads and forgets, so that a commit which names one by reference is lost on it.
It sends no application messages and does not show what is in those that it opens; it tells that they opened.
What it sees of an epoch is read from the state that it saves, where OpenMLS keeps values as JSON.
"""

from __future__ import annotations

import json
from typing import Any

from polynya.mls.suite import X25519
from tests.referees.member import (
    Abilities,
    Made,
    Member,
    Opened,
    RefusedError,
    View,
    Wish,
    exported_by,
)

ABILITIES = Abilities(
    sends=frozenset({"private"}),
    reads=frozenset({"private"}),
    keeps_proposals=False,
    talks=False,
    listens=False,
    waits=False,
    out_of_order=False,
    late=0,
    admits=False,
    enters=False,
    returns=False,
    follows_moves=False,
    tree_apart=False,
    resumes=False,
)


class OpenMlsMember(Member):
    kind = "openmls"

    def __init__(self, module: Any, identity: bytes) -> None:
        """`module`: gbp_stack; `identity` is UTF-8."""
        self.identity = identity
        self._mls = module
        self._context = module.MlsContext.create(identity.decode())

    def abilities(self) -> Abilities:
        return ABILITIES

    def can_commit(self, wish: Wish) -> bool:
        """The wheel takes the number of members for the number of leaves, and removes none further right."""
        one = len(wish.adds) + len(wish.removes) == 1
        return wish.plain() and wish.private and one and all(leaf < self._size() for leaf in wish.removes)

    def _size(self) -> int:
        """The number of members."""
        return sum(leaf["node"] is not None for leaf in self._kept("Tree")["tree"]["leaf_nodes"])

    # ---- beginning

    def found(self, group_id: bytes) -> None:
        """It was born with a group of one, whose id is its own choice."""

    def key_package(self) -> bytes:
        return bytes(self._context.export_key_package())

    def join(self, welcome: bytes, tree: bytes | None) -> None:
        assert tree is None
        self._asked(self._context.accept_welcome, welcome)

    # ---- handshakes

    def receive_proposal(self, message: bytes) -> None:
        assert self._asked(self._context.process_message, message) == "proposal"

    def commit(self, wish: Wish) -> Made:
        if wish.adds:
            message, welcome = self._asked(self._context.invite_full, wish.adds[0])
            return Made(bytes(message), (bytes(welcome),))
        return Made(bytes(self._asked(self._context.remove_member, wish.removes[0])))

    def merge(self) -> None:
        self._asked(self._context.finalize_commit)

    def clear(self) -> None:
        self._asked(self._context.clear_pending_commit)

    def apply(self, message: bytes) -> bool:
        assert self._asked(self._context.process_message, message) == "commit"
        self._asked(self._context.finalize_commit)
        return bool(self._kept("GroupState") != "Inactive")

    def _asked(self, function: Any, *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except OSError as error:
            raise RefusedError(str(error)) from error

    # ---- messages

    def decrypt(self, message: bytes) -> Opened:
        assert self._asked(self._context.process_message, message) == "application"
        return Opened(None, None)

    # ---- looking and keeping

    def view(self) -> View:
        secrets, context = self._kept("EpochSecrets"), self._kept("GroupContext")
        return {
            "epoch": self._context.epoch,
            "treeHash": bytes(context["tree_hash"]["vec"]),
            "transcript": bytes(context["confirmed_transcript_hash"]["vec"]),
            "tag": bytes(self._kept("ConfirmationTag")["mac_value"]["vec"]),
            "authenticator": _secret(secrets["epoch_authenticator"]),
            "exported": exported_by(X25519, _secret(secrets["exporter_secret"])),
        }

    def _kept(self, label: str) -> Any:
        """The value that OpenMLS stores for this group under `label`."""
        group_id = json.dumps(list(self._context.group_id), separators=(",", ":")).encode()
        for key, value in read_state(self._context.export_state()).items():
            if key.startswith(label.encode() + b"{") and group_id in key:
                return json.loads(value)
        raise AssertionError(f"OpenMLS keeps no {label}")

    def reload(self) -> None:
        state = self._context.export_state()
        self._context.close()
        self._context = self._mls.MlsContext.restore_state(state, self.identity.decode())

    def close(self) -> None:
        self._context.close()


def _secret(value: Any) -> bytes:
    return bytes(value["secret"]["value"]["vec"])


def read_state(blob: bytes) -> dict[bytes, bytes]:
    """Keys and values: their number in 32 bits (little-endian, as all), then each with its size before it."""

    def number(at: int) -> int:
        return int.from_bytes(blob[at : at + 4], "little")

    pairs: dict[bytes, bytes] = {}
    count, at = number(4), 8
    for _ in range(count):
        key_end = at + 4 + number(at)
        value_end = key_end + 4 + number(key_end)
        pairs[blob[at + 4 : key_end]] = blob[key_end + 4 : value_end]
        at = value_end
    return pairs
