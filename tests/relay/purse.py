"""A member of a relay as the wire has it: is issued tokens and finishes them; and tokens that a relay's owner makes."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path

from polynya.crypto.blindrsa import Blinding
from polynya.crypto.random import Random
from polynya.relay.folder import IDENTITY_FILE
from polynya.relay.tokenkeys import PrivateKey, blind_sign, derive_key
from polynya.wire.messages import (
    TOKEN_KEY_PERIOD,
    TOKENS_ISSUED,
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
            pending = await self.begin(min(TOKENS_ISSUED, count - len(tokens)), kind)
            tokens += pending.finish(await self.client.exchange(pending.request))
        return tokens


async def invitation(client: Client, data: Path) -> bytes:
    """A token for joining, made as the owner of the relay whose data is in `data` can: with its identity alone."""
    key = (await Purse(client).keys()).newest(TokenKind.JOIN)
    pending = begin_token(client.identity, key, RANDOM)
    private = _private_key((data / IDENTITY_FILE).read_bytes(), client.clock() // TOKEN_KEY_PERIOD)
    return finish_token(key, pending, blind_sign(private, pending.blinding.blinded, RANDOM))


@functools.cache
def _private_key(seed: bytes, period: int) -> PrivateKey:
    return derive_key(seed, TokenKind.JOIN, period * TOKEN_KEY_PERIOD)
