"""A removed member who keeps every key and tries all of them, with our own code turned against its checks."""

from __future__ import annotations

from collections.abc import Iterator

from polynya.mls import applying, schedule, transcript, treekem
from polynya.mls.commit import UpdatePath
from polynya.mls.errors import MlsError
from polynya.mls.group import Group, VerifiedCommit
from polynya.mls.psk import psk_secret
from polynya.mls.suite import Suite
from polynya.mls.tree import RatchetTree
from tests.referees.member import PSKS


def follows_anyway(group: Group, removing: VerifiedCommit) -> bool:
    """Whether a member at the epoch of `group` can compute the epoch that begins with its own removal."""
    state, checked = group._state, removing.checked
    suite = state.suite
    init_secrets = [state.secrets.init_secret]
    if checked.applied.external_init is not None:
        kem_output = checked.applied.external_init.kem_output
        secret = schedule.external_init_secret(suite, state.secrets.external_secret, kem_output)
        init_secrets.append(secret)
    keys = (*state.private_keys.values(), *state.update_keys.values())
    commit_secrets = [bytes(suite.secret_size)]
    if checked.commit.path is not None:
        commit_secrets += _opened(suite, checked.commit.path, keys, checked.provisional.encode())
    mixed = psk_secret(suite, applying.find_psks(state, checked.applied.psks, PSKS))
    context = applying.confirmed_context(
        suite, state.interim_transcript_hash, checked.provisional, checked.message
    )
    tag = checked.message.auth.confirmation_tag or b""
    return any(
        transcript.confirmation_is_valid(
            suite,
            schedule.advance(suite, init, commit, mixed, context).secrets.confirmation_key,
            context.confirmed_transcript_hash,
            tag,
        )
        for init in init_secrets
        for commit in commit_secrets
    )


def _opened(suite: Suite, path: UpdatePath, keys: tuple[bytes, ...], context: bytes) -> Iterator[bytes]:
    """The commit secrets that come from any ciphertext of the path which any of the keys opens."""
    for position, node in enumerate(path.nodes):
        for sealed in node.encrypted_path_secrets:
            for key in keys:
                try:
                    secret = suite.decrypt_with_label(
                        key, treekem.LABEL, context, sealed.kem_output, sealed.ciphertext
                    )
                except MlsError:
                    continue
                for _ in path.nodes[position:]:
                    secret = treekem.next_path_secret(suite, secret)
                yield secret


def public_keys_held(group: Group) -> frozenset[bytes]:
    """Public keys of the tree whose private keys the member holds."""
    state = group._state
    held = (*state.private_keys.values(), *state.update_keys.values())
    return frozenset(state.suite.kem.public_key(key) for key in held)


def keys_still_used(held: frozenset[bytes], suite: Suite, tree: bytes) -> frozenset[bytes]:
    """Those of the keys to which later path secrets would be encrypted."""
    return held & RatchetTree.decode(suite, tree).encryption_keys().keys()
