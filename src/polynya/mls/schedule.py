"""The key schedule (RFC 9420 sections 8, 8.3, 8.5 to 8.7)."""

from __future__ import annotations

from dataclasses import dataclass, field

from polynya.crypto.random import Random
from polynya.mls.codec import Reader, opaque
from polynya.mls.groupcontext import GroupContext
from polynya.mls.suite import Suite

EXTERNAL_INIT_LABEL = b"MLS 1.0 external init secret"


@dataclass(frozen=True, slots=True)
class EpochSecrets:
    """What an epoch keeps. The epoch secret, joiner secret and
    encryption secret are consumed in deriving it."""

    sender_data_secret: bytes = field(repr=False)
    exporter_secret: bytes = field(repr=False)
    external_secret: bytes = field(repr=False)
    confirmation_key: bytes = field(repr=False)
    membership_key: bytes = field(repr=False)
    resumption_psk: bytes = field(repr=False)
    epoch_authenticator: bytes = field(repr=False)
    init_secret: bytes = field(repr=False)

    def encode(self) -> bytes:
        return b"".join(
            opaque(secret)
            for secret in (
                self.sender_data_secret,
                self.exporter_secret,
                self.external_secret,
                self.confirmation_key,
                self.membership_key,
                self.resumption_psk,
                self.epoch_authenticator,
                self.init_secret,
            )
        )


def read_epoch_secrets(reader: Reader) -> EpochSecrets:
    return EpochSecrets(*(reader.opaque() for _ in range(8)))


@dataclass(frozen=True, slots=True)
class Derived:
    """An epoch's secrets with those that are used once while the epoch begins."""

    joiner_secret: bytes = field(repr=False)
    welcome_secret: bytes = field(repr=False)
    encryption_secret: bytes = field(repr=False)
    secrets: EpochSecrets = field(repr=False)


def advance(
    suite: Suite, init_secret: bytes, commit_secret: bytes, psk_secret: bytes, context: GroupContext
) -> Derived:
    """The epoch that `context` describes, from the former one's init secret."""
    extracted = suite.extract(init_secret, commit_secret)
    joiner_secret = suite.expand_with_label(extracted, b"joiner", context.encode(), suite.secret_size)
    return from_joiner(suite, joiner_secret, psk_secret, context)


def welcome_secret(suite: Suite, joiner_secret: bytes, psk_secret: bytes) -> bytes:
    """Needed before the GroupContext is known: it opens the GroupInfo that holds it."""
    return suite.derive_secret(suite.extract(joiner_secret, psk_secret), b"welcome")


def from_joiner(suite: Suite, joiner_secret: bytes, psk_secret: bytes, context: GroupContext) -> Derived:
    """The epoch that `context` describes, from a Welcome's joiner secret."""
    extracted = suite.extract(joiner_secret, psk_secret)
    epoch_secret = suite.expand_with_label(extracted, b"epoch", context.encode(), suite.secret_size)
    encryption_secret, secrets = from_epoch_secret(suite, epoch_secret)
    return Derived(joiner_secret, suite.derive_secret(extracted, b"welcome"), encryption_secret, secrets)


def from_epoch_secret(suite: Suite, epoch_secret: bytes) -> tuple[bytes, EpochSecrets]:
    """(encryption secret, what the epoch keeps)."""
    labels = (
        b"sender data",
        b"exporter",
        b"external",
        b"confirm",
        b"membership",
        b"resumption",
        b"authentication",
        b"init",
    )
    secrets = EpochSecrets(*(suite.derive_secret(epoch_secret, label) for label in labels))
    return suite.derive_secret(epoch_secret, b"encryption"), secrets


def export(suite: Suite, exporter_secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """MLS-Exporter (section 8.5)."""
    secret = suite.derive_secret(exporter_secret, label)
    return suite.expand_with_label(secret, b"exported", suite.digest(context), length)


def external_key_pair(suite: Suite, external_secret: bytes) -> tuple[bytes, bytes]:
    """(external_priv, external_pub)."""
    return suite.derive_key_pair(external_secret)


def external_init(suite: Suite, external_pub: bytes, random: Random) -> tuple[bytes, bytes]:
    """(kem_output, init_secret) by an external joiner (section 8.3)."""
    return suite.encapsulate_export(external_pub, EXTERNAL_INIT_LABEL, random)


def external_init_secret(suite: Suite, external_secret: bytes, kem_output: bytes) -> bytes:
    """The init secret that an external joiner made, for members."""
    private_key, _ = external_key_pair(suite, external_secret)
    return suite.decapsulate_export(private_key, kem_output, EXTERNAL_INIT_LABEL)
