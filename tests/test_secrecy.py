"""No secret is shown: not by a repr, not by an error, not by how long a comparison takes."""

from __future__ import annotations

import ast
import collections.abc
import dataclasses
import importlib
import re
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from polynya.mls import Group, KeyPackageBundle, MlsError, PendingCommit, Remove
from tests.mls.parties import NOW, commit_by, group_of, join, key_package
from tests.support.imports import python_modules
from tests.support.seeded import SeededRandom

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "polynya"
LAYERS = ("crypto", "wire", "mls", "core")

# ---- reprs -------------------------------------------------------------------------------------------------

SHOWN = frozenset({
    # Identifiers and hashes that relays see.
    "asked", "blob", "blobs", "card", "conversation", "former", "group", "group_id", "hashes", "head", "id", "ids", "inbox",
    "inboxes", "item", "new_member", "old_topics", "owner", "parent_hash", "psk_id", "record_hash", "reference",
    "slot", "source", "successor", "target", "topic", "topics", "tree_hash", "confirmed_transcript_hash",
    "interim_transcript_hash", "reply_to",
    # Who somebody is, and public keys.
    "adds", "admins", "by", "certificates", "committer", "committer_after", "credential", "delivered", "device_key",
    "encryption_key", "high", "identities", "identity", "init_key", "key_id", "left", "low", "members", "public_key",
    "read", "relay", "sender", "signature_key", "spki", "subjects", "upto", "user",
    # What is sealed, signed or sent as it is.
    "authenticated_data", "body", "ciphertext", "confirmation_tag", "enc", "encrypted_group_info",
    "encrypted_sender_data", "group_info", "kem_output", "key_package", "last_resort", "leaves", "membership_tag",
    "message", "nonce", "package", "packages", "part", "record", "sealed", "signature", "tree", "welcome",
})  # fmt: skip
"""Names of fields whose bytes may be shown. A name that means a secret anywhere is not among them."""

SHOWN_THERE = frozenset({
    "blobs.Body.data",  # an MLS message
    "blobs.Prepared.data",  # the same, sealed
    "_state.Upload.data",  # the same, sealed
    "_state.Asked.invite",  # an id
    "_messages.FileReference.preview",  # a picture, as much content as a text
    "commands.Save.key",  # the name of a row
    "events.Batch.marks",  # ids
    "extensions.Extension.data",
    "protect.SenderData.reuse_guard",
})  # fmt: skip

OWN_REPR = frozenset({"mls.group.Group"})
"""Dataclasses that write their repr themselves; shown below on real ones."""

SECRET = re.compile(
    r"(?:^|_)(?:authenticator|key|keys|link|mac|passphrase|password|private|psk|psks|secret|secrets|seed|tag|token)$"
)
"""How names of secrets and tags end, and those of public keys too."""


def dataclasses_of(layer: str) -> dict[str, type]:
    """All dataclasses of a layer, by dotted name below the package."""
    found = {}
    for path in sorted((PACKAGE / layer).glob("*.py")):
        module = importlib.import_module(f"polynya.{layer}.{path.stem}")
        for name, value in vars(module).items():
            if (
                isinstance(value, type)
                and dataclasses.is_dataclass(value)
                and value.__module__ == module.__name__
            ):
                found[f"{layer}.{path.stem}.{name}"] = value
    return found


class Plain:
    """Stands for a value that shows nothing by itself: if it is a dataclass, it is looked at on its own."""

    def __repr__(self) -> str:
        return "..."


def marked(kind: Any, mark: str) -> object:
    """A value of a type with `mark` in all bytes that it may hold."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is bytes:
        return mark.encode()
    if origin in (typing.Union, types.UnionType):
        values = [marked(each, mark) for each in arguments]
        return next((value for value in values if mark in repr(value)), values[0])
    if origin is tuple:
        return tuple(marked(each, mark) for each in arguments if each is not Ellipsis)
    if origin in (dict, collections.abc.Mapping):
        return {marked(arguments[0], mark): marked(arguments[1], mark)}
    return Plain()


def shown_fields(cls: Any) -> set[str]:
    """Names of fields whose bytes are in the repr of an instance."""
    made = object.__new__(cls)
    hints = typing.get_type_hints(cls)
    names = [each.name for each in dataclasses.fields(cls)]
    for name in names:
        object.__setattr__(made, name, marked(hints[name], f"<{name}>"))
    text = repr(made)
    return {name for name in names if f"<{name}>" in text}


@pytest.mark.parametrize("layer", LAYERS)
def test_no_repr_shows_a_secret(layer: str) -> None:
    found = dataclasses_of(layer)
    assert found or layer == "crypto"
    shown = {
        f"{name}.{each}"
        for name, cls in found.items()
        if name not in OWN_REPR
        for each in shown_fields(cls)
        if each not in SHOWN and f"{name}.{each}".partition(".")[2] not in SHOWN_THERE
    }
    assert shown == set()


def test_what_may_be_shown_is_named_once_and_is() -> None:
    fields = {
        f"{name}.{each}".partition(".")[2]
        for layer in LAYERS
        for name, cls in dataclasses_of(layer).items()
        if name not in OWN_REPR
        for each in shown_fields(cls)
    }
    assert {place for place in SHOWN_THERE if place not in fields} == set()
    assert SHOWN - {place.rpartition(".")[2] for place in fields} == set()


def shown_texts(cls: Any) -> set[str]:
    """Names of fields of text that are in a repr and called as secrets are."""
    fields = dataclasses.fields(cls)
    return {
        each.name for each in fields if each.repr and "str" in str(each.type) and SECRET.search(each.name)
    }


@pytest.mark.parametrize("layer", LAYERS)
def test_no_repr_shows_a_secret_that_is_text(layer: str) -> None:
    assert {name for name, cls in dataclasses_of(layer).items() if shown_texts(cls)} == set()


def test_a_secret_that_is_shown_would_be_found() -> None:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Leaky:
        first: dict[int, bytes] | None
        second: tuple[bytes, ...]
        third: bytes | int
        passphrase: str | None
        fourth: bytes = dataclasses.field(repr=False)

    Leaky.__annotations__ = {
        "first": dict[int, bytes] | None,
        "second": tuple[bytes, ...],
        "third": bytes | int,
        "passphrase": str | None,
        "fourth": bytes,
    }
    assert shown_fields(Leaky) == {"first", "second", "third"} and shown_texts(Leaky) == {"passphrase"}


def secrets_in(value: object) -> Iterator[bytes]:
    """All bytes of 16 and more in fields that are not shown, and in what those hold."""
    if isinstance(value, bytes):
        if len(value) >= 16:
            yield value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for each in dataclasses.fields(value):
            yield from secrets_in(getattr(value, each.name))
    elif isinstance(value, collections.abc.Mapping):
        for each in value.values():
            yield from secrets_in(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from secrets_in(each)


def held_by(group: Group) -> set[bytes]:
    """The secrets of a member: all private keys, those of the epoch, and those of ratchets."""
    state = group._state
    parts = (state.signature_private, state.private_keys, state.secrets, state.secret_tree, state.update_keys)
    past = tuple((epoch.sender_data_secret, epoch.secret_tree) for epoch in state.past)
    return {*secrets_in((*parts, past, state.resumption))}


def assert_nothing_shown(text: str, secrets: set[bytes]) -> None:
    assert len(secrets) > 10
    for secret in secrets:
        for form in (secret.hex(), repr(secret)[2:-1], str(list(secret)), str(int.from_bytes(secret, "big"))):
            assert form not in text


def busy_groups() -> tuple[list[Group], PendingCommit, KeyPackageBundle, set[bytes]]:
    """Groups with past epochs, skipped keys, Updates and a commit on its way, and all their secrets."""
    random = SeededRandom(1)
    groups = commit_by(group_of(3, random), 1, random)
    for _ in range(3):
        groups[1], message = groups[1].encrypt(b"text", random=random)
    groups[0], _ = groups[0].decrypt(message)
    bundle = key_package("new", random)
    pending = groups[0].commit([Remove(2)], now=NOW, random=random)
    groups[2], _ = groups[2].propose_update(random=random)
    private = {bundle.init_private, bundle.encryption_private, bundle.signature_private}
    return groups, pending, bundle, private.union(held_by(pending.group), *map(held_by, groups))


def test_reprs_of_real_groups_show_nothing() -> None:
    groups, pending, bundle, secrets = busy_groups()
    verified = groups[1].verify_commit(pending.message, now=NOW)
    for value in (*groups, pending, bundle, verified, *(group._state for group in groups)):
        assert_nothing_shown(f"{value!r} {value}", secrets)
    assert repr(groups[0]) == f"Group({groups[0].group_id.hex()}, epoch=2, leaf=0)"


# ---- errors ------------------------------------------------------------------------------------------------

IN_ERRORS = frozenset({
    "255 * hash_.size", "MAX_LEAVES", "MAX_LENGTH", "body.epoch", "context.epoch", "epoch", "expected", "generation",
    "index", "info.signer", "leaf", "leaf.source", "leaf_index", "len(node.encrypted_path_secrets)", "len(path)",
    "len(public_keys)", "maximum", "n", "name", "node", "proposal.removed", "self.generation", "size", "source",
    "state.context.epoch", "step", "suite_id",
    # Codes of RFC 9420's registries, and the texts of CryptoError, which are constants.
    "str(kind)", "str(source)", "str(usage)", "str(error)", "error.rule", "error.detail",
})  # fmt: skip
"""What texts of errors are made of besides constants: numbers that the wire or the caller gave."""


def parts_of_errors(code: str) -> set[str]:
    """All that is not constant in the arguments of errors that are raised."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
            continue
        for argument in (*node.exc.args, *(each.value for each in node.exc.keywords)):
            if isinstance(argument, ast.JoinedStr):
                found |= {ast.unparse(e.value) for e in argument.values if isinstance(e, ast.FormattedValue)}
            elif not isinstance(argument, ast.Constant):
                found.add(ast.unparse(argument))
    return found


def test_texts_of_errors_are_made_of_numbers_only() -> None:
    modules = python_modules(PACKAGE)
    chosen = {n: m for n, m in modules.items() if n.startswith(("polynya.crypto", "polynya.mls"))}
    assert len(chosen) > 40
    found = {name: parts_of_errors(module.code) for name, module in chosen.items()}
    assert {name: parts - IN_ERRORS for name, parts in found.items() if parts - IN_ERRORS} == {}
    assert set().union(*found.values()) == IN_ERRORS
    assert parts_of_errors("raise E('rule', f'{secret} of {n}')\nraise E(secret)") == {"secret", "n"}


def test_errors_of_real_groups_show_nothing() -> None:
    groups, pending, bundle, secrets = busy_groups()
    random = SeededRandom(2)
    first, second = groups[0], groups[1]
    _, message = second.encrypt(b"text", random=random)
    damaged = bytes((*message[:-1], message[-1] ^ 1))
    stranger = group_of(2, random)[0]
    blob = first.encode()
    attempts: list[Callable[[], object]] = [
        lambda: first.decrypt(damaged),
        lambda: second.decrypt(message),
        lambda: stranger.decrypt(message),
        lambda: first.decrypt(blob),
        lambda: Group.decode(blob[:-1]),
        lambda: Group.decode(blob + b"\x00"),
        lambda: KeyPackageBundle.decode(bundle.encode()[:-1]),
        lambda: PendingCommit.decode(pending.encode()[1:]),
        lambda: stranger.merge_commit(pending),
        lambda: groups[2].apply_commit(groups[2].verify_commit(pending.message, now=NOW)),
        lambda: join(message, bundle),
        lambda: first.export("label", b"", 1 << 20),
        lambda: first.commit([Remove(9)], now=NOW, random=random),
    ]
    for number, attempt in enumerate(attempts):
        with pytest.raises(MlsError) as caught:
            attempt()
        error: BaseException | None = caught.value
        assert error is not None, number
        while error is not None:
            assert_nothing_shown(f"{error} {error!r} {error.args!r} {vars(error)!r}", secrets)
            error = error.__cause__ or error.__context__


def test_layers_that_hold_secrets_write_no_logs() -> None:
    for name, module in python_modules(PACKAGE).items():
        if name.split(".")[1:2] and name.split(".")[1] in LAYERS:
            assert not {"logging", "warnings", "traceback"} & set(module.imports), name


# ---- comparisons -------------------------------------------------------------------------------------------

PLAIN_COMPARISONS = frozenset({
    # Public keys and credentials.
    "mls.checks: key in present",
    "mls.checks: key_package.init_key == key_package.leaf_node.encryption_key",
    "mls.checks: leaf.encryption_key == old.encryption_key",
    "mls.joining: suite.signature_public_key(bundle.signature_private) != bundle.key_package.leaf_node.signature_key",
    "mls.proposals: leaf.signature_key not in clients",
    "mls.treekem: old.encryption_key == new.encryption_key",
    "wire.credential: device.signature_key == signature_key",
    # Ids of pre-shared keys.
    "mls.proposals: proposal.psk.encode() not in psks",
    # Places where a secret may be: node and leaf indices.
    "mls.secrettree: step in self.secrets",
    "mls.treekem: node in private_keys",
    # Names of rows.
    "core.epochs: key[16:] not in members",
    "core.operations: key in skipped",
    "core.reaches: key[16:] == identity",
    "core.transaction: key in rows",
})  # fmt: skip
"""Comparisons of something called a key, tag or secret that is neither, or whose names alone are compared."""


def names_in(node: ast.expr) -> Iterator[str]:
    """What an operand is called: `state.secrets.init_secret` is an init_secret."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Call):
        yield from names_in(node.func)
    elif isinstance(node, ast.Subscript):
        yield from names_in(node.value)
    elif isinstance(node, ast.Tuple | ast.List | ast.BoolOp | ast.BinOp):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from names_in(child)


def plain_comparisons(code: str) -> list[str]:
    """`==`, `!=`, `in` and `not in` with an operand that is called as secrets and tags are."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Compare):
            continue
        operands = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
            names = [*names_in(left), *names_in(right)]
            if isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) and any(
                map(SECRET.search, names)
            ):
                found.append(ast.unparse(node))
    return found


def test_secrets_and_tags_are_compared_in_constant_time() -> None:
    modules = {
        name.removeprefix("polynya."): module
        for name, module in python_modules(PACKAGE).items()
        if name.split(".")[1:2] and name.split(".")[1] in LAYERS
    }
    found = {f"{name}: {each}" for name, module in modules.items() for each in plain_comparisons(module.code)}
    assert found == PLAIN_COMPARISONS
    for code in ("tag == mac(x)", "a.b.init_secret != c", "key in (x, y)", "x == (1, psk or y)"):
        assert plain_comparisons(code) == [code]
    assert plain_comparisons("len(secret) == 32") == [] and plain_comparisons("tag is None") == []
    assert "equal(hmac_digest(key, data, self.hash), tag)" in modules["mls.suite"].code
