"""Creating a group (RFC 9420 section 11)."""

from __future__ import annotations

from collections.abc import Sequence

from polynya.crypto.random import Random
from polynya.mls import checks, schedule, transcript
from polynya.mls.credential import Credential
from polynya.mls.extensions import DEFAULT_EXTENSIONS, Extension
from polynya.mls.groupcontext import GroupContext
from polynya.mls.leaf import Capabilities, Lifetime, default_capabilities, sign_leaf
from polynya.mls.secrettree import SecretTree
from polynya.mls.state import GroupState
from polynya.mls.suite import Suite
from polynya.mls.tree import RatchetTree


def found(
    suite: Suite,
    group_id: bytes,
    credential: Credential,
    signature_private: bytes,
    *,
    extensions: Sequence[Extension],
    leaf_extensions: Sequence[Extension],
    capabilities: Capabilities | None,
    lifetime: Lifetime,
    random: Random,
) -> GroupState:
    """A group of one at epoch 0. Draws the leaf's encryption key pair, then the epoch secret."""
    if capabilities is None:
        used = [e.type for e in (*extensions, *leaf_extensions) if e.type not in DEFAULT_EXTENSIONS]
        capabilities = default_capabilities(suite, used)
    encryption_private, encryption_key = suite.kem.generate(random)
    leaf = sign_leaf(
        suite,
        signature_private,
        encryption_key=encryption_key,
        credential=credential,
        capabilities=capabilities,
        extensions=leaf_extensions,
        lifetime=lifetime,
    )
    checks.check_leaf_capabilities(leaf, suite)
    checks.check_supported((capabilities,), extensions)
    tree = RatchetTree(suite, [leaf])
    context = GroupContext(suite.id, group_id, 0, tree.tree_hash(), b"", tuple(extensions))
    epoch_secret = random.bytes(suite.secret_size)
    encryption_secret, secrets = schedule.from_epoch_secret(suite, epoch_secret)
    tag = transcript.confirmation_tag(suite, secrets.confirmation_key, b"")
    return GroupState(
        suite,
        context,
        tree,
        0,
        signature_private,
        {0: encryption_private},
        secrets,
        SecretTree.begin(tree.leaf_count, encryption_secret),
        transcript.interim_hash(suite, b"", tag),
        tag,
    )
