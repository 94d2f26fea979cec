"""The official vectors' checks for the parts that need no tree; each takes one case and raises where it
fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polynya.mls import framing, protect, schedule, transcript, treemath
from polynya.mls.codec import Reader, decode, varint
from polynya.mls.commit import read_commit
from polynya.mls.framing import (
    COMMIT,
    MEMBER,
    PRIVATE_MESSAGE,
    PUBLIC_MESSAGE,
    AuthData,
    AuthenticatedContent,
    Content,
    FramedContent,
    PrivateMessage,
    PublicMessage,
    Sender,
    content_type,
    encode_message,
    read_authenticated_content,
    read_message,
)
from polynya.mls.groupcontext import GroupContext
from polynya.mls.proposal import (
    READERS,
    Add,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    ReInit,
    Remove,
    Update,
    read_proposal,
)
from polynya.mls.psk import ExternalPskId
from polynya.mls.psk import psk_secret as mix_psks
from polynya.mls.secrettree import APPLICATION, HANDSHAKE, SecretTree
from polynya.mls.suite import SUITES
from polynya.mls.tree import RatchetTree
from polynya.mls.welcome import read_group_secrets
from tests.support.seeded import SeededRandom

Case = dict[str, Any]
hx = bytes.fromhex


def tree_math(case: Case) -> None:
    leaves = case["n_leaves"]
    nodes = range(case["n_nodes"])
    assert treemath.width(leaves) == case["n_nodes"]
    assert treemath.root(leaves) == case["root"]
    parents = [n for n in nodes if n % 2]
    below_root = [n for n in nodes if n != case["root"]]
    assert [n for n in nodes if case["left"][n] is not None] == parents
    assert [n for n in nodes if case["parent"][n] is not None] == below_root
    for node in parents:
        assert (treemath.left(node), treemath.right(node)) == (case["left"][node], case["right"][node])
    for node in below_root:
        assert treemath.parent(node) == case["parent"][node]
        assert treemath.sibling(node) == case["sibling"][node]


def deserialization(case: Case) -> None:
    header = hx(case["vlbytes_header"])
    assert decode(Reader.varint, header) == case["length"]
    assert varint(case["length"]) == header


def crypto_basics(case: Case) -> None:
    suite, random = SUITES[case["cipher_suite"]], SeededRandom(1)
    part = case["ref_hash"]
    assert suite.ref_hash(part["label"].encode(), hx(part["value"])) == hx(part["out"])
    part = case["expand_with_label"]
    arguments = hx(part["secret"]), part["label"].encode(), hx(part["context"]), part["length"]
    assert suite.expand_with_label(*arguments) == hx(part["out"])
    part = case["derive_secret"]
    assert suite.derive_secret(hx(part["secret"]), part["label"].encode()) == hx(part["out"])
    part = case["derive_tree_secret"]
    tree_arguments = hx(part["secret"]), part["label"].encode(), part["generation"], part["length"]
    assert suite.derive_tree_secret(*tree_arguments) == hx(part["out"])
    part = case["sign_with_label"]
    public, label, content = hx(part["pub"]), part["label"].encode(), hx(part["content"])
    assert suite.verify_with_label(public, label, content, hx(part["signature"]))
    assert suite.verify_with_label(
        public, label, content, suite.sign_with_label(hx(part["priv"]), label, content)
    )
    part = case["encrypt_with_label"]
    private, public, label, context = (
        hx(part["priv"]),
        hx(part["pub"]),
        part["label"].encode(),
        hx(part["context"]),
    )
    plaintext = hx(part["plaintext"])
    sealed = hx(part["kem_output"]), hx(part["ciphertext"])
    assert suite.decrypt_with_label(private, label, context, *sealed) == plaintext
    sealed = suite.encrypt_with_label(public, label, context, plaintext, random)
    assert suite.decrypt_with_label(private, label, context, *sealed) == plaintext


def key_schedule(case: Case) -> None:
    suite = SUITES[case["cipher_suite"]]
    init_secret = hx(case["initial_init_secret"])
    for number, epoch in enumerate(case["epochs"]):
        context = GroupContext(
            suite.id,
            hx(case["group_id"]),
            number,
            hx(epoch["tree_hash"]),
            hx(epoch["confirmed_transcript_hash"]),
            (),
        )
        assert context.encode() == hx(epoch["group_context"])
        derived = schedule.advance(
            suite, init_secret, hx(epoch["commit_secret"]), hx(epoch["psk_secret"]), context
        )
        secrets = derived.secrets
        assert derived.joiner_secret == hx(epoch["joiner_secret"])
        assert derived.welcome_secret == hx(epoch["welcome_secret"])
        assert derived.encryption_secret == hx(epoch["encryption_secret"])
        for name in (
            "init_secret",
            "sender_data_secret",
            "exporter_secret",
            "epoch_authenticator",
            "external_secret",
            "confirmation_key",
            "membership_key",
            "resumption_psk",
        ):
            assert getattr(secrets, name) == hx(epoch[name]), name
        assert schedule.external_key_pair(suite, secrets.external_secret)[1] == hx(epoch["external_pub"])
        part = epoch["exporter"]
        exported = schedule.export(
            suite, secrets.exporter_secret, part["label"].encode(), hx(part["context"]), part["length"]
        )
        assert exported == hx(part["secret"])
        init_secret = secrets.init_secret


def psk_secret(case: Case) -> None:
    suite = SUITES[case["cipher_suite"]]
    keys = [(ExternalPskId(hx(p["psk_id"]), hx(p["psk_nonce"])), hx(p["psk"])) for p in case["psks"]]
    assert mix_psks(suite, keys) == hx(case["psk_secret"])


def transcript_hashes(case: Case) -> None:
    suite = SUITES[case["cipher_suite"]]
    message = decode(read_authenticated_content, hx(case["authenticated_content"]))
    assert message.encode() == hx(case["authenticated_content"])
    tag = message.auth.confirmation_tag
    assert content_type(message.content.content) == COMMIT and tag is not None
    confirmed = transcript.confirmed_hash(
        suite,
        hx(case["interim_transcript_hash_before"]),
        message.wire_format,
        message.content,
        message.auth.signature,
    )
    assert confirmed == hx(case["confirmed_transcript_hash_after"])
    key = hx(case["confirmation_key"])
    assert transcript.confirmation_is_valid(suite, key, confirmed, tag)
    interim = transcript.interim_hash(suite, confirmed, tag)
    assert interim == hx(case["interim_transcript_hash_after"])


def secret_tree(case: Case) -> None:
    suite = SUITES[case["cipher_suite"]]
    data = case["sender_data"]
    key = protect.sender_data_key(suite, hx(data["sender_data_secret"]), hx(data["ciphertext"]))
    assert key == (hx(data["key"]), hx(data["nonce"]))
    tree = SecretTree.begin(len(case["leaves"]), hx(case["encryption_secret"]))
    for leaf, generations in enumerate(case["leaves"]):
        assert generations
        for kind, name in ((HANDSHAKE, "handshake"), (APPLICATION, "application")):
            for entry in generations:
                taken, tree = tree.take(suite, leaf, kind, entry["generation"])
                assert (taken.key, taken.nonce) == (hx(entry[f"{name}_key"]), hx(entry[f"{name}_nonce"]))


def message_protection(case: Case) -> None:
    suite = SUITES[case["cipher_suite"]]
    context = GroupContext(
        suite.id,
        hx(case["group_id"]),
        case["epoch"],
        hx(case["tree_hash"]),
        hx(case["confirmed_transcript_hash"]),
        (),
    )
    public_key, private_key = hx(case["signature_pub"]), hx(case["signature_priv"])
    sender_data_secret, membership_key = hx(case["sender_data_secret"]), hx(case["membership_key"])
    tree = SecretTree.begin(2, hx(case["encryption_secret"]))

    def open_private(data: bytes) -> AuthenticatedContent:
        message = decode(read_message, data)
        assert isinstance(message, PrivateMessage) and encode_message(message) == data
        _, opened, key = protect.unprotect_private(
            suite, tree, sender_data_secret, message, lambda leaf: public_key if leaf < 2 else None
        )
        protect.check_content_signature(suite, opened, context, key)
        return opened

    def open_public(data: bytes) -> AuthenticatedContent:
        message = decode(read_message, data)
        assert isinstance(message, PublicMessage) and encode_message(message) == data
        opened = protect.unprotect_public(suite, message, context, membership_key)
        protect.check_content_signature(suite, opened, context, public_key)
        return opened

    def sign(wire_format: int, content: Content) -> AuthenticatedContent:
        framed = FramedContent(context.group_id, context.epoch, Sender(MEMBER, 1), b"data", content)
        signature = protect.sign_content(suite, wire_format, framed, context, private_key)
        tag = bytes(suite.secret_size) if content_type(content) == COMMIT else None
        return AuthenticatedContent(wire_format, framed, AuthData(signature, tag))

    contents: dict[str, Content] = {
        "proposal": decode(read_proposal, hx(case["proposal"])),
        "commit": decode(read_commit, hx(case["commit"])),
        "application": hx(case["application"]),
    }
    for name, content in contents.items():
        opened = [open_private(hx(case[f"{name}_priv"]))]
        sealed = protect.protect_private(
            suite, tree, sender_data_secret, sign(PRIVATE_MESSAGE, content), 7, SeededRandom(2)
        )[1]
        opened.append(open_private(encode_message(sealed)))
        if name != "application":
            opened.append(open_public(hx(case[f"{name}_pub"])))
            public = protect.protect_public(suite, sign(PUBLIC_MESSAGE, content), context, membership_key)
            opened.append(open_public(encode_message(public)))
        assert all(message.content.content == content for message in opened)


def messages(case: Case) -> None:
    def whole(data: bytes, kind: int) -> None:
        message = decode(read_message, data)
        assert encode_message(message) == data
        assert int.from_bytes(data[2:4], "big") == kind

    def encoded(data: bytes, read: Callable[[Reader], Any]) -> None:
        assert decode(read, data).encode() == data

    whole(hx(case["mls_welcome"]), framing.WELCOME)
    whole(hx(case["mls_group_info"]), framing.GROUP_INFO)
    whole(hx(case["mls_key_package"]), framing.KEY_PACKAGE)
    for name in ("application", "proposal", "commit"):
        whole(hx(case[f"public_message_{name}"]), PUBLIC_MESSAGE)
    whole(hx(case["private_message"]), PRIVATE_MESSAGE)
    tree = hx(case["ratchet_tree"])
    assert RatchetTree.decode(SUITES[1], tree).encode() == tree
    encoded(hx(case["group_secrets"]), read_group_secrets)
    encoded(hx(case["commit"]), read_commit)
    for name, kind in (
        ("add", Add),
        ("update", Update),
        ("remove", Remove),
        ("pre_shared_key", PreSharedKey),
        ("re_init", ReInit),
        ("external_init", ExternalInit),
        ("group_context_extensions", GroupContextExtensions),
    ):
        encoded(hx(case[f"{name}_proposal"]), READERS[kind.type])
