"""Members that run mls-rs through the wheel `rine-mls`.

It joins from outside and lets others in, but shows no exporter: its GroupInfo tells what it sees of an epoch. It
has no proposals of its own; those of others it takes in where it expects a commit, and says so by an error. Its
commits take effect at once, so an unaccepted one is undone by loading what was saved before.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.referees.member import (
    Abilities,
    Made,
    Member,
    Opened,
    RefusedError,
    View,
    Wish,
    unwrapped,
    view_of_group_info,
    wrapped,
)

ABILITIES = Abilities(
    sends=frozenset({"public"}),
    settles=False,
    welcomes_all=False,
    waits=False,
    late=3,
    late_of_removed=False,
    tree_apart=False,
)


class RineMember(Member):
    kind = "rine"

    def __init__(self, module: Any, suite_id: int, folder: Path, seed: bytes) -> None:
        """`module`: rine_mls. `folder` is created and belongs to this member; `seed` is 32 bytes."""
        self._mls = module
        self._suite_id = suite_id
        self._folder = folder
        self._seed = seed
        self._client = module.MlsClient(str(folder), seed, suite_id)
        self.identity = bytes(self._client.public_key())
        self._group: Any = None
        self._key_package = b""
        self._group_id = b""

    def abilities(self) -> Abilities:
        return ABILITIES

    def can_commit(self, wish: Wish) -> bool:
        """Additions, or one removal; with nothing of its own it makes no commit at all."""
        one_kind = bool(wish.adds) != bool(wish.removes)
        return wish.plain() and not wish.private and one_kind and len(wish.removes) <= 1

    # ---- beginning

    def found(self, group_id: bytes) -> None:
        self._began(self._client.create_group(group_id))

    def prepare(self) -> None:
        """Makes the key package now that will be asked for later."""
        self._key_package = unwrapped(bytes(self._client.generate_key_package()))

    def key_package(self) -> bytes:
        if not self._key_package:
            self.prepare()
        return self._key_package

    def join(self, welcome: bytes, tree: bytes | None) -> None:
        assert tree is None
        self._began(self._asked(self._client.join_from_welcome, welcome))

    def enter(self, group_info: bytes, former_leaf: int | None) -> bytes:
        if former_leaf is None:
            group = self._asked(self._client.join_by_external_commit, group_info)
        else:
            group = self._asked(self._client.resync_by_external_commit, group_info, former_leaf)
        self._began(group)
        return bytes(group.last_commit().commit)

    def _began(self, group: Any) -> None:
        self._group, self._group_id = group, bytes(group.group_id())
        group.save()

    def successor(self) -> RineMember:
        folder = self._folder.with_name(self._folder.name + "+")
        return RineMember(self._mls, self._suite_id, folder, self._seed)

    # ---- handshakes

    def receive_proposal(self, message: bytes) -> None:
        try:
            self._group.apply_commit(message)
        except self._mls.UnexpectedMessageError:
            return
        except self._mls.RineMlsError as error:
            raise RefusedError(str(error)) from error
        raise AssertionError("a proposal was taken for a commit")

    def commit(self, wish: Wish) -> Made:
        self._group.save()
        if wish.adds:
            made = self._asked(self._group.add_members, [wrapped(package) for package in wish.adds])
        else:
            made = self._asked(self._group.remove_member, wish.removes[0])
        return Made(bytes(made.commit), tuple(bytes(welcome) for welcome in made.welcomes))

    def merge(self) -> None:
        self._group.save()

    def clear(self) -> None:
        self._group = self._client.load_group(self._group_id)

    def apply(self, message: bytes) -> bool:
        self._asked(self._group.apply_commit, message)
        return bool(self._group.is_active())

    def _asked(self, function: Any, *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except self._mls.RineMlsError as error:
            raise RefusedError(f"{error.code}: {error}") from error

    # ---- messages

    def encrypt(self, data: bytes) -> bytes:
        payload = bytes(self._asked(self._group.encrypt_application_message, data))
        assert payload[0] == self._mls.APP_MESSAGE_TAG
        return payload[1:]

    def decrypt(self, message: bytes) -> Opened:
        tagged = bytes([self._mls.APP_MESSAGE_TAG]) + message
        opened = self._asked(self._group.decrypt_application_message, tagged)
        return Opened(bytes(opened.envelope), opened.sender_index)

    # ---- looking and keeping

    def view(self) -> View:
        return view_of_group_info(self.group_info())

    def group_info(self) -> bytes:
        return bytes(self._group.group_info())

    def reload(self) -> None:
        self._group.save()
        self._group = self._client.load_group(self._group_id)

    def close(self) -> None:
        self._group = self._client = None
        shutil.rmtree(self._folder, ignore_errors=True)
