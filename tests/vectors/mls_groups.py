"""The official vectors' checks for trees and whole groups; each takes one case and raises where it fails."""

from __future__ import annotations

from typing import Any

from polynya.mls import checks, proposals, schedule, transcript, treekem, treemath
from polynya.mls.codec import decode
from polynya.mls.commit import read_update_path
from polynya.mls.framing import MEMBER, Sender, encode_message, read_message
from polynya.mls.group import Group, KeyPackageBundle
from polynya.mls.groupcontext import GroupContext
from polynya.mls.keypackage import KeyPackage
from polynya.mls.leaf import sign_leaf
from polynya.mls.proposal import read_proposal
from polynya.mls.proposals import Proposed
from polynya.mls.suite import SUITES, Suite
from polynya.mls.tree import RatchetTree
from polynya.mls.welcome import Welcome, open_group_info, open_group_secrets
from tests.support.seeded import SeededRandom

Case = dict[str, Any]
hx = bytes.fromhex

FOR_EVER = 2**64
"""Seconds: the leaves of some vectors never run out."""


def tree_operations(case: Case) -> None:
    suite = SUITES[case["cipher_suite"]]
    before = RatchetTree.decode(suite, hx(case["tree_before"]))
    assert before.tree_hash() == hx(case["tree_hash_before"])
    proposal = decode(read_proposal, hx(case["proposal"]))
    applied = proposals.apply([Proposed(proposal, Sender(MEMBER, case["proposal_sender"]))], before, ())
    assert applied.tree.encode() == hx(case["tree_after"])
    assert applied.tree.tree_hash() == hx(case["tree_hash_after"])
    assert before.encode() == hx(case["tree_before"])


def tree_validation(case: Case) -> None:
    suite = SUITES[case["cipher_suite"]]
    tree = RatchetTree.decode(suite, hx(case["tree"]))
    assert tree.encode() == hx(case["tree"])
    assert len(case["resolutions"]) == len(case["tree_hashes"]) == len(tree.nodes)
    for node in range(len(tree.nodes)):
        assert tree.resolution(node) == case["resolutions"][node]
        assert tree.hash_of(node) == hx(case["tree_hashes"][node])
    checks.check_tree(tree, hx(case["group_id"]), (), FOR_EVER)


def treekem_case(case: Case) -> None:
    suite = SUITES[case["cipher_suite"]]
    tree = RatchetTree.decode(suite, hx(case["ratchet_tree"]))
    checks.check_tree(tree, hx(case["group_id"]), (), FOR_EVER)
    members: dict[int, dict[int, bytes]] = {}
    for private in case["leaves_private"]:
        keys = {2 * private["index"]: hx(private["encryption_priv"])}
        for entry in private["path_secrets"]:
            keys[entry["node"]], public = treekem.node_key_pair(suite, hx(entry["path_secret"]))
            node = tree.nodes[entry["node"]]
            assert node is not None and node.encryption_key == public
        members[private["index"]] = keys
    signature_keys = {p["index"]: hx(p["signature_priv"]) for p in case["leaves_private"]}
    for update in case["update_paths"]:
        _official_path(suite, case, tree, members, update)
        _own_path(suite, case, tree, members, update["sender"], signature_keys[update["sender"]])


def _context(suite: Suite, case: Case, tree_hash: bytes) -> GroupContext:
    confirmed = hx(case["confirmed_transcript_hash"])
    return GroupContext(suite.id, hx(case["group_id"]), case["epoch"], tree_hash, confirmed, ())


def _official_path(
    suite: Suite, case: Case, tree: RatchetTree, members: dict[int, dict[int, bytes]], update: Case
) -> None:
    sender, path = update["sender"], decode(read_update_path, hx(update["update_path"]))
    merged, parent_hash = treekem.merge_path(tree, sender, path, ())
    checks.check_leaf_parent_hash(path.leaf_node, parent_hash)
    checks.check_commit_leaf(path.leaf_node, suite, hx(case["group_id"]), sender)
    assert merged.tree_hash() == hx(update["tree_hash_after"])
    checks.check_tree(merged, hx(case["group_id"]), (), FOR_EVER)
    context = _context(suite, case, merged.tree_hash()).encode()
    for index, keys in members.items():
        if index != sender:
            opened = treekem.open_path(tree, sender, index, keys, path, context, ())
            assert opened.path_secret == hx(update["path_secrets"][index])
            assert opened.commit_secret == hx(update["commit_secret"])


def _own_path(
    suite: Suite,
    case: Case,
    tree: RatchetTree,
    members: dict[int, dict[int, bytes]],
    sender: int,
    signature_private: bytes,
) -> None:
    old = tree.leaf(sender)
    assert old is not None
    made = treekem.make_path(
        tree,
        sender,
        lambda key, parent_hash: sign_leaf(
            suite,
            signature_private,
            encryption_key=key,
            credential=old.credential,
            capabilities=old.capabilities,
            extensions=old.extensions,
            parent_hash=parent_hash,
            group_id=hx(case["group_id"]),
            leaf_index=sender,
        ),
        lambda tree_hash: _context(suite, case, tree_hash),
        (),
        SeededRandom(3),
    )
    merged, parent_hash = treekem.merge_path(tree, sender, made.path, ())
    checks.check_leaf_parent_hash(made.path.leaf_node, parent_hash)
    assert merged.encode() == made.tree.encode()
    checks.check_tree(merged, hx(case["group_id"]), (), FOR_EVER)
    for index, keys in members.items():
        if index != sender:
            opened = treekem.open_path(tree, sender, index, keys, made.path, made.context.encode(), ())
            ancestor = treemath.common_ancestor(2 * index, 2 * sender)
            assert opened.path_secret == made.path_secrets[ancestor]
            assert opened.commit_secret == made.commit_secret


def _key_package(data: str) -> KeyPackage:
    message = decode(read_message, hx(data))
    assert isinstance(message, KeyPackage)
    return message


def welcome(case: Case) -> None:
    suite = SUITES[case["cipher_suite"]]
    key_package = _key_package(case["key_package"])
    message = decode(read_message, hx(case["welcome"]))
    assert isinstance(message, Welcome) and encode_message(message) == hx(case["welcome"])
    reference = suite.key_package_ref(key_package.encode())
    entry = next(e for e in message.secrets if e.new_member == reference)
    secrets = open_group_secrets(suite, hx(case["init_priv"]), entry.secrets, message.encrypted_group_info)
    mixed = bytes(suite.secret_size)
    key = schedule.welcome_secret(suite, secrets.joiner_secret, mixed)
    info = open_group_info(suite, key, message.encrypted_group_info)
    assert info.signature_is_valid(suite, hx(case["signer_pub"]))
    derived = schedule.from_joiner(suite, secrets.joiner_secret, mixed, info.group_context)
    assert transcript.confirmation_is_valid(
        suite,
        derived.secrets.confirmation_key,
        info.group_context.confirmed_transcript_hash,
        info.confirmation_tag,
    )


def passive_client(case: Case) -> None:
    key_package = _key_package(case["key_package"])
    lifetime = key_package.leaf_node.lifetime
    assert lifetime is not None
    now = (lifetime.not_before + 1) * 1000
    bundle = KeyPackageBundle(
        key_package, hx(case["init_priv"]), hx(case["encryption_priv"]), hx(case["signature_priv"])
    )
    psks = {hx(p["psk_id"]): hx(p["psk"]) for p in case["external_psks"]}
    tree = None if case["ratchet_tree"] is None else hx(case["ratchet_tree"])
    joined = Group.join(hx(case["welcome"]), [bundle], tree=tree, psks=psks, max_lifetime=FOR_EVER, now=now)
    group = _reloaded(joined.group)
    assert group.epoch_authenticator == hx(case["initial_epoch_authenticator"])
    for epoch in case["epochs"]:
        for proposal in epoch["proposals"]:
            group, _ = group.receive_proposal(hx(proposal), max_lifetime=FOR_EVER)
        group = _reloaded(group)
        verified = group.verify_commit(hx(epoch["commit"]), max_lifetime=FOR_EVER, now=now)
        group = group.apply_commit(verified, psks=psks)
        assert group.epoch_authenticator == hx(epoch["epoch_authenticator"])
        group = _reloaded(group)


def _reloaded(group: Group) -> Group:
    """The group as storage gives it back."""
    again = Group.decode(group.encode())
    assert again.encode() == group.encode()
    return again
