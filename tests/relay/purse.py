"""A member of a relay as the wire has it: joins, is issued tokens, and spends them."""

from __future__ import annotations

import os
from dataclasses import dataclass

from polynya.crypto.blindrsa import Blinding
from polynya.crypto.random import Random
from polynya.wire.messages import (
    GetTokenKeys,
    IssueTokens,
    Response,
    SignedTokenKeys,
    TokenKey,
    TokenKind,
    TokensIssued,
)
from polynya.wire.tokens import (
    PendingToken,
    VerifiedTokenKeys,
    begin_token,
    finish_token,
    key_id,
    verify_token_keys,
)
from tests.relay.client import RANDOM, Client, expect


@dataclass(frozen=True)
class Pending:
    """A request for tokens and what its answer is finished with."""

    key: TokenKey
    request: IssueTokens
    tokens: tuple[PendingToken, ...]

    def finish(self, response: Response) -> list[bytes]:
        signatures = expect(TokensIssued, response).signatures
        return [
            finish_token(self.key, pending, signature)
            for pending, signature in zip(self.tokens, signatures, strict=True)
        ]

    @property
    def blindings(self) -> list[Blinding]:
        return [pending.blinding for pending in self.tokens]


class Purse:
    """One member secret at one relay."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.secret = os.urandom(32)

    async def keys(self) -> VerifiedTokenKeys:
        signed = expect(SignedTokenKeys, await self.client.exchange(GetTokenKeys()))
        return verify_token_keys(self.client.identity, signed)

    async def begin(
        self,
        count: int,
        kind: TokenKind = TokenKind.USE,
        random: Random = RANDOM,
        key: TokenKey | None = None,
    ) -> Pending:
        """With the newest key unless `key` says otherwise."""
        key = key or (await self.keys()).newest(kind)
        tokens = tuple(begin_token(self.client.identity, key, random) for _ in range(count))
        blinded = tuple(pending.blinding.blinded for pending in tokens)
        return Pending(key, IssueTokens(self.secret, kind, key_id(key.spki), blinded), tokens)

    async def tokens(self, count: int, kind: TokenKind = TokenKind.USE) -> list[bytes]:
        """Of as many requests as that takes."""
        tokens: list[bytes] = []
        while len(tokens) < count:
            pending = await self.begin(min(64, count - len(tokens)), kind)
            tokens += pending.finish(await self.client.exchange(pending.request))
        return tokens
