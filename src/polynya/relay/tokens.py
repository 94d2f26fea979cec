"""What the relay does with tokens: shows its keys, makes members, issues to them, and judges what pays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from polynya.crypto.hashes import sha256
from polynya.crypto.random import Random
from polynya.relay.limits import Limits
from polynya.relay.rates import Rate
from polynya.relay.store.base import FREE, Allowance, Budget, Joins, Payment, Store
from polynya.relay.tokenkeys import IssuingKey, TokenKeys, blind_sign
from polynya.wire.errors import WireError
from polynya.wire.messages import IssueTokens, JoinRelay, RefusalCode, SignedTokenKeys, TokenKind
from polynya.wire.tokens import member_id, parse_token, verify_token

T = TypeVar("T")
REQUEST_HASH_SIZE = 16


class TokenRefusal(Exception):
    """Why no tokens are issued."""

    def __init__(self, code: RefusalCode, wait: int | None = None) -> None:
        super().__init__(code.name)
        self.code = code
        self.wait = wait


class Tokens:
    """Belongs to one event loop; keys are made and used in a thread of its own. `is_required`: whether room on the relay is
    paid for."""

    def __init__(
        self,
        seed: bytes,
        identity: bytes,
        is_required: bool,
        store: Store,
        random: Random,
        now: Callable[[], int],
    ) -> None:
        self.is_required = is_required
        self._identity = identity
        self._store = store
        self._random = random
        self._now = now
        self._keys = TokenKeys(seed)
        self._refreshing = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "tokens")

    async def keys(self) -> SignedTokenKeys:
        return (await self._current()).signed

    async def payment(self, token: bytes | None, *what: bytes) -> Payment | None:
        """What pays for a request for room: `what` says for what. None where nothing does."""
        if not self.is_required:
            return FREE
        return await self._verified(token, TokenKind.USE, what)

    async def join(self, request: JoinRelay, limits: Limits) -> None:
        """Raises StoreError."""
        member = member_id(request.member_secret)
        payment = await self._verified(request.token, TokenKind.JOIN, (b"member", member))
        # A token that is worth nothing is told so, unless its holder is a member already.
        open_joins = limits.joins_per_day if request.token is None else 0
        per_day = Joins(limits.members_per_day, open_joins)
        await self._store.join(member, payment, per_day, _budgets(limits), self._now())

    async def issue(self, request: IssueTokens, limits: Limits, signatures: Rate) -> tuple[bytes, ...]:
        """Blind signatures; `signatures` is how fast all members together get them. Raises StoreError, TokenRefusal."""
        keys = await self._current()
        key = keys.find(request.key_id)
        if key is None or key.kind != request.kind:
            raise TokenRefusal(RefusalCode.TOKEN_KEY)
        if not all(0 < int.from_bytes(blinded, "big") < key.private.public.n for blinded in request.blinded):
            raise TokenRefusal(RefusalCode.BAD_REQUEST)
        count = len(request.blinded)
        drawn = await self._store.draw(
            member_id(request.member_secret),
            request.kind,
            count,
            _hash(request.key_id, *request.blinded),
            keys.is_newest(key),
            _budgets(limits)[request.kind],
            self._now(),
        )
        if not drawn:
            raise TokenRefusal(RefusalCode.TOKEN_KEY)
        # Counted first: the same request asked again, after this refusal or after a crash, is not counted again.
        wait = signatures.take(time.monotonic(), count)
        if wait:
            raise TokenRefusal(RefusalCode.TOO_MANY, wait)
        return await self._run(lambda: self._sign(key, request.blinded))

    def _sign(self, key: IssuingKey, blinded: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return tuple(blind_sign(key.private, one, self._random) for one in blinded)

    async def _verified(
        self, token: bytes | None, kind: TokenKind, what: tuple[bytes, ...]
    ) -> Payment | None:
        """None for a token that is missing, of another form, relay, kind or key, or whose signature is wrong."""
        if token is None:
            return None
        try:
            parts = parse_token(token)
        except WireError:
            return None
        key = (await self._current()).find(parts.key_id)
        if key is None or key.kind != kind:
            return None
        if not verify_token(self._identity, kind, key.private.public, parts):
            return None
        return Payment(key.number, parts.nonce, _hash(*what))

    async def _current(self) -> TokenKeys:
        """With the keys of now."""
        if not self._keys.is_ready(self._now()):
            async with self._refreshing:
                await self._run(lambda: self._keys.refresh(self._now()))
        return self._keys

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        self._thread.shutdown()


def _budgets(limits: Limits) -> dict[TokenKind, Budget]:
    return {
        TokenKind.USE: Budget(
            Allowance(limits.use_tokens_first, limits.use_tokens_per_day, limits.use_tokens_saved),
            Allowance(
                limits.open_use_tokens_first, limits.open_use_tokens_per_day, limits.open_use_tokens_saved
            ),
        ),
        TokenKind.JOIN: Budget(
            Allowance(limits.join_tokens_first, limits.join_tokens_per_day, limits.join_tokens_saved),
            Allowance(0, 0, 0),
        ),
    }


def _hash(*parts: bytes) -> bytes:
    """Of a request, its parts told apart by their lengths."""
    joined = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return sha256(b"polynya token request 1" + joined)[:REQUEST_HASH_SIZE]
