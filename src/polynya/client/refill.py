"""How a purse is filled: which request to its relay comes next, and what each answer leads to. No I/O: `now` is the
device's clock, `time` the relay's as well as it is known, both in ms.

A round goes through GetTokenKeys, JoinRelay where the device is no member, and IssueTokens until the purse is full or the
relay gives no more; it may be broken off anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from polynya.client.purse import (
    FULL,
    JOINS,
    KEYS_DIFFER,
    LOW,
    NO_TOKENS,
    SCARCE,
    Pending,
    Purse,
)
from polynya.crypto.errors import CryptoError
from polynya.crypto.random import Random
from polynya.paths import backoff
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    TOKENS_ISSUED,
    Done,
    GetTokenKeys,
    IssueTokens,
    JoinRelay,
    RefusalCode,
    Refused,
    Request,
    Response,
    SignedTokenKeys,
    TokenKind,
    TokensIssued,
)
from polynya.wire.tokens import VerifiedTokenKeys, begin_token, finish_token, key_id

PASSING = 60_000
"""ms: a relay that says "too many" for so long is busy; for longer, the member or the day has had enough."""
HOUR = 3_600_000
"""ms after which a relay that has not said when is asked again."""
FAILURES = 3
"""Rounds in a row that failed, after which requests wait no longer."""
TURNS = 24
"""Requests of one round: a full one has eight, with every refusal that may be among them twenty."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there are no tokens, for longer than a request should wait."""

    code: str
    until: int
    """ms, the device's clock"""

    def when(self, now: int) -> str:
        """In words, when it is tried again; nothing where it is not."""
        if self.code == KEYS_DIFFER:
            return ""
        hours = -(-max(0, self.until - now) // HOUR)
        return f"it is tried again in {hours} hours" if hours > 1 else "it is tried again within an hour"


class Refill:
    """Fills one purse."""

    def __init__(self, purse: Purse) -> None:
        self._purse = purse
        self._keys: VerifiedTokenKeys | None = None
        self._kind = TokenKind.USE
        self._count = TOKENS_ISSUED
        self._is_filling = False
        self._turns = 0
        self._joined = False
        """whether it has become a member in this round"""
        self._joins_over = False
        """whether this round asks for no tokens of kind join any more"""
        self._is_over = True
        self._failures = 0
        self._rest = _Rest()
        """in which nothing is asked"""
        self._sated = _Rest()
        """in which the relay has no more tokens than those that are here"""
        self._refusal: Refusal | None = None

    # ---- when ----

    def begins_at(self, now: int, is_urgent: bool, random: Random) -> int | None:
        """When the next round begins; None: not before something happens. `is_urgent`: something waits for tokens."""
        purse = self._purse
        if purse.keys_differ or not purse.is_wanted:
            return None
        rest = self._rest.until(now)
        if is_urgent or purse.is_in_doubt or purse.free() < SCARCE:
            return max(now, rest)
        if purse.free() >= LOW:
            purse.due = None
            return None
        return max(purse.due_at(now, random), rest, self._sated.until(now))

    def refusal(self, now: int) -> Refusal | None:
        """What requests that wait for tokens are told; None: they go on waiting."""
        if self._purse.keys_differ:
            return Refusal(KEYS_DIFFER, now + HOUR)
        if self._refusal is not None and self._rest.until(now) <= now:
            self._refusal = None
        return self._refusal

    def try_now(self) -> None:
        """The person asks, or the network has changed: pauses after failures end."""
        if self._refusal is None or self._failures:
            self._rest, self._failures, self._refusal = _Rest(), 0, None

    # ---- a round ----

    def begin(self) -> None:
        self._keys, self._kind, self._count, self._turns = None, TokenKind.USE, TOKENS_ISSUED, 0
        self._joined = self._joins_over = self._is_over = False
        self._is_filling = self._purse.free() < LOW

    def fill(self) -> None:
        """The round fills the purse though it is not low: tokens are to be given away."""
        self._is_filling = True

    def step(self, now: int, random: Random) -> Request | None:
        """The next request, to be sent when the purse is on disk; None: the round is over."""
        purse = self._purse
        self._turns += 1
        if self._turns > TURNS:
            self.failed(now, random)
        if self._is_over:
            return None
        if self._keys is None:
            return GetTokenKeys()
        if purse.pending is None and not self._begin_tokens(self._keys, random):
            return None
        if purse.secret is None:
            purse.secret = random.bytes(32)
            purse.changed()
        if not purse.is_member:
            return JoinRelay(purse.secret, purse.joins[0] if purse.joins else None)
        assert purse.pending is not None  # noqa: S101 - begun above
        pending = purse.pending
        blinded = tuple(token.blinding.blinded for token in pending.tokens)
        return IssueTokens(purse.secret, pending.key.kind, key_id(pending.key.spki), blinded)

    def _begin_tokens(self, keys: VerifiedTokenKeys, random: Random) -> bool:
        """Draws those that are asked for next; False: there are enough."""
        purse = self._purse
        wanted = FULL - purse.free() if self._is_filling else 0
        if self._kind == TokenKind.USE and wanted <= 0:
            self._kind, self._count = TokenKind.JOIN, TOKENS_ISSUED
        if self._kind == TokenKind.JOIN:
            wanted = JOINS - len(purse.joins)
            if not self._is_filling or not purse.may_invite or self._joins_over:
                return False
        if wanted <= 0:
            return False
        key = keys.newest(self._kind)
        count = min(wanted, self._count)
        purse.pending = Pending(key, tuple(begin_token(purse.relay, key, random) for _ in range(count)))
        purse.changed()
        return True

    def answered(self, request: Request, response: Response, now: int, time: int, random: Random) -> None:
        """Takes the answer to what `step` gave."""
        try:
            if isinstance(request, GetTokenKeys):
                self._answered_keys(response, now, time, random)
            elif isinstance(request, JoinRelay):
                self._answered_join(request, response, now, random)
            else:
                self._answered_tokens(response, now, random)
        except (WireError, CryptoError) as error:
            if isinstance(error, WireError) and error.rule == KEYS_DIFFER:
                self._is_over = True
            else:
                self.failed(now, random)

    def failed(self, now: int, random: Random) -> None:
        """There was no answer, or one that makes no sense: the round ends, and the next comes after a growing pause."""
        self._failures += 1
        self._is_over = True
        pause = backoff.pause(self._failures, int.from_bytes(random.bytes(2), "big"))
        self._rest = _Rest(now, now + pause)
        if self._failures >= FAILURES:
            self._refusal = Refusal(NO_TOKENS, now + pause)

    def _answered_keys(self, response: Response, now: int, time: int, random: Random) -> None:
        if not isinstance(response, SignedTokenKeys):
            self._put_off(response, now, random)
            return
        self._keys = self._purse.learn_keys(response, time, is_answer=True)
        self._purse.settle_doubt(self._keys)
        self._is_filling = self._is_filling or self._purse.free() < LOW

    def _answered_join(self, request: JoinRelay, response: Response, now: int, random: Random) -> None:
        if isinstance(response, Done):
            self._joined = self._purse.is_member = True
            if request.token is not None:
                self._purse.drop_join(request.token)
                self._purse.may_invite = True
            self._purse.changed()
        elif _code(response) == RefusalCode.TOKEN and request.token is not None:
            self._purse.drop_join(request.token)
        elif _code(response) == RefusalCode.TOKEN:
            self._lasts(NO_TOKENS, now, HOUR)
        elif _code(response) == RefusalCode.TOO_MANY:
            self._wait(response, now)
        else:
            self._put_off(response, now, random)

    def _answered_tokens(self, response: Response, now: int, random: Random) -> None:
        purse, pending, code = self._purse, self._purse.pending, _code(response)
        assert pending is not None  # noqa: S101 - what was asked for
        if isinstance(response, TokensIssued):
            self._take_out()
            signatures = zip(pending.tokens, response.signatures, strict=False)
            tokens = [finish_token(pending.key, token, signature) for token, signature in signatures]
            if len(tokens) != len(pending.tokens) or len(response.signatures) != len(tokens):
                raise WireError("token-signature")
            purse.add(pending.key.kind, tokens)
            self._failures, self._refusal = 0, None
        elif code == RefusalCode.NO_MEMBER and not self._joined:
            purse.is_member = False
            purse.changed()
        elif code == RefusalCode.TOKEN_KEY:
            self._take_out()
            self._keys = None
        elif code == RefusalCode.TOO_MANY and _is_passing(response):
            self._wait(response, now)
        elif code in (RefusalCode.TOO_MANY, RefusalCode.TOO_LARGE):
            self._take_out()
            self._ask_for_fewer(pending, response, now)
        else:
            if code is not None and code not in (RefusalCode.INTERNAL, RefusalCode.FULL):
                self._take_out()
            self._put_off(response, now, random)

    def _take_out(self) -> None:
        """The request for tokens has its answer."""
        self._purse.pending = None
        self._purse.changed()

    def _ask_for_fewer(self, refused: Pending, response: Response, now: int) -> None:
        """The member has saved up less than that; how much it does not learn."""
        count, wait = len(refused.tokens), _wait_of(response)
        if refused.key.kind == TokenKind.JOIN:
            self._joins_over = count == 1
            if _code(response) == RefusalCode.TOO_LARGE and count == 1:
                self._purse.may_invite = False
                self._purse.changed()
        elif count == 1:
            self._lasts(NO_TOKENS, now, wait)
            return
        elif self._purse.free() >= SCARCE:
            self._sated = _Rest(now, now + wait)
            self._purse.due = None
            self._kind, self._count = TokenKind.JOIN, TOKENS_ISSUED
            return
        self._count = max(1, count // 2)

    def _wait(self, response: Response, now: int) -> None:
        """What is on its way is asked again then."""
        if _is_passing(response):
            self._is_over = True
            self._rest = _Rest(now, now + _wait_of(response))
        else:
            self._lasts(NO_TOKENS, now, _wait_of(response))

    def _put_off(self, response: Response, now: int, random: Random) -> None:
        """A refusal that says nothing of tokens, or no answer to what was asked."""
        if _code(response) == RefusalCode.TOO_MANY:
            self._wait(response, now)
        else:
            self.failed(now, random)

    def _lasts(self, code: str, now: int, wait: int) -> None:
        self._is_over = True
        self._rest = _Rest(now, now + wait)
        self._refusal = Refusal(code, now + wait)


class _Rest:
    """A time in which nothing is done; a clock that was set back ends it."""

    def __init__(self, begins: int = 0, ends: int = 0) -> None:
        self._begins = begins
        self._ends = ends

    def until(self, now: int) -> int:
        """`now` or before where it is over."""
        return self._ends if self._begins <= now else now


def _code(response: Response) -> RefusalCode | None:
    return response.code if isinstance(response, Refused) else None


def _wait_of(response: Response) -> int:
    wait = response.retry_after if isinstance(response, Refused) else None
    return HOUR if wait is None else wait


def _is_passing(response: Response) -> bool:
    return _wait_of(response) <= PASSING
