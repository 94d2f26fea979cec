"""The relay's key configurations (protocol.md section 2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polynya.crypto.signature import sign, verify
from polynya.crypto.xwing import XWING
from polynya.wire.errors import WireError
from polynya.wire.labels import signed_bytes
from polynya.wire.messages import (
    KeyConfig,
    KeyConfigList,
    SignedKeyConfigs,
    decode_key_config_list,
    decode_signed_key_configs,
    encode_key_config_list,
    encode_signed_key_configs,
)


@dataclass(frozen=True, slots=True)
class VerifiedKeyConfigs:
    """A list that the relay's identity signed."""

    configs: tuple[KeyConfig, ...]

    @property
    def newest(self) -> KeyConfig:
        """The configuration to use: of the X-Wing ones, that with the latest `not_before`."""
        usable = [config for config in self.configs if _usable(config)]
        return max(usable, key=lambda config: config.not_before)


def sign_key_configs(relay_seed: bytes, configs: Sequence[KeyConfig]) -> bytes:
    """An encoded SignedKeyConfigs; raises WireError `message` over a limit."""
    body = encode_key_config_list(KeyConfigList(tuple(configs)))
    return encode_signed_key_configs(SignedKeyConfigs(body, sign(relay_seed, signed_bytes("keys", body))))


def verify_key_configs(relay_identity: bytes, data: bytes, told: int = 0) -> VerifiedKeyConfigs:
    """The list in an encoded SignedKeyConfigs; `told` is the latest time (ms) in an authenticated answer of
    this relay.

    Raises WireError `keys-signature`, `keys-doubled` (an id twice), `keys-none` (no X-Wing key),
    `keys-expired` (all ended before `told`: an old list), a `cbor-` rule, or `message`.
    """
    signed = decode_signed_key_configs(data)
    if not verify(relay_identity, signed_bytes("keys", signed.body), signed.signature):
        raise WireError("keys-signature")
    configs = decode_key_config_list(signed.body).configs
    if len({config.id for config in configs}) != len(configs):
        raise WireError("keys-doubled")
    if not any(_usable(config) for config in configs):
        raise WireError("keys-none")
    verified = VerifiedKeyConfigs(configs)
    if verified.newest.not_after < told:
        raise WireError("keys-expired")
    return verified


def _usable(config: KeyConfig) -> bool:
    return config.kem == XWING.id and len(config.public_key) == XWING.public_key_size
