"""A relay's keys for tokens in the test's hand: signs what it likes, as a relay does."""

from __future__ import annotations

from functools import cached_property

from polynya.client.system import SystemRandom
from polynya.crypto.signature import public_key
from polynya.relay.tokenkeys import TokenKeys, blind_sign
from polynya.wire.messages import IssueTokens, SignedTokenKeys, TokenKey, TokenKind, TokensIssued
from polynya.wire.tokens import VerifiedTokenKeys, begin_token, finish_token, verify_token_keys

RANDOM = SystemRandom()


class Mint:
    """One relay at one time. `seed` is its identity."""

    def __init__(self, now: int, seed: bytes = bytes(range(32))) -> None:
        self.seed = seed
        self.identity = public_key(seed)
        self._keys = TokenKeys(seed)
        self._keys.refresh(now)

    @property
    def signed(self) -> SignedTokenKeys:
        return self._keys.signed

    @cached_property
    def verified(self) -> VerifiedTokenKeys:
        return verify_token_keys(self.identity, self.signed)

    def newest(self, kind: TokenKind) -> TokenKey:
        return self.verified.newest(kind)

    def tokens(
        self, count: int, kind: TokenKind = TokenKind.USE, identity: bytes | None = None
    ) -> list[bytes]:
        key = self.newest(kind)
        issuing = next(each for each in self._keys._keys.values() if each.token_key == key)
        made = []
        for _ in range(count):
            pending = begin_token(identity or self.identity, key, RANDOM)
            made.append(
                finish_token(key, pending, blind_sign(issuing.private, pending.blinding.blinded, RANDOM))
            )
        return made

    def issue(self, request: IssueTokens) -> TokensIssued:
        key = self._keys.find(request.key_id)
        assert key is not None and key.kind == request.kind
        return TokensIssued(tuple(blind_sign(key.private, each, RANDOM) for each in request.blinded))
