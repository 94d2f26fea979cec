"""A device's tokens of one relay (protocol.md section 2.9): what it has, which request is to be paid with which, and what
an answer says of that. No I/O: `now` is the device's clock, `time` the relay's as well as it is known, both in ms.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeGuard

from polynya.core.work import AGAIN_LATER
from polynya.crypto.random import Random
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    CreateInbox,
    CreateTopic,
    PutBlob,
    PutKeyPackages,
    RefusalCode,
    Refused,
    Request,
    Response,
    SignedTokenKeys,
    TokenKey,
    TokenKind,
)
from polynya.wire.tokens import (
    PendingToken,
    VerifiedTokenKeys,
    challenge_digest,
    check_period,
    decode_spki,
    key_id,
    parse_token,
    verify_token,
    verify_token_keys,
)

MIB = 2**20
SCARCE = 4
"""Tokens of kind use below which more are asked for at once; a meeting of two people takes about as many."""
LOW = 32
"""Below which more are asked for, at a moment that is drawn: a first day of founding groups."""
FULL = 96
"""Up to which: a file of 90 MiB."""
JOINS = 4
"""Tokens of kind join that are kept: each invites one person."""
GIVEN = 16
"""Tokens of kind use in an invite, at most: as the card holds, twice what a newcomer spends until the first message."""
LEFT = 8
"""That an invite leaves its maker: to make it and to meet the invited."""
SPREAD = 600_000
"""ms within which the moment is drawn at which a stock that is low is filled."""
REFUSED_MOST = 3
"""Tokens refused in a row, after which the keys are looked at before another is shown; and that one request shows in vain
before it is given up for long, one after that look aside."""
KEYS_KEPT = 365 * 86_400_000
"""ms after its end for which a key that was seen is compared with."""
KEYS_MOST = 64
"""Keys kept: honest relays have 28 in 14 months. Who shows more would have former ones forgotten."""

NO_TOKENS, KEYS_DIFFER = "no-tokens", "token-keys-differ"
PROBLEMS = (NO_TOKENS, KEYS_DIFFER)
"""Codes of what may go wrong with paying; apps turn them into plain words."""

Payable: TypeAlias = CreateTopic | CreateInbox | PutKeyPackages | PutBlob


class Verdict(enum.Enum):
    """What becomes of an answer."""

    HAND_ON = enum.auto()
    AGAIN = enum.auto()
    """the request goes once more, with another token; whoever asked is not told"""
    NONE_IS_TAKEN = enum.auto()
    """token after token was refused: whoever asked tries again much later"""


@dataclass(frozen=True, slots=True)
class Held:
    """A token for use."""

    token: bytes = field(repr=False)
    shared: bool
    """It came in a card: its inviter had it too."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A request for tokens that has no answer yet: repeated as it is until it has one."""

    key: TokenKey
    tokens: tuple[PendingToken, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Gift:
    """What an invite's card carries."""

    tokens: tuple[bytes, ...] | None = field(repr=False)
    join: bytes | None = field(repr=False)
    token_keys: SignedTokenKeys | None


def subject(request: Request) -> bytes | None:
    """What a payable request is about; None: there is nothing to pay for."""
    if isinstance(request, CreateTopic):
        return b"topic" + request.write_secret
    if isinstance(request, CreateInbox):
        return b"inbox" + request.read_secret
    if isinstance(request, PutKeyPackages):
        return b"packages" + request.owner_secret
    if isinstance(request, PutBlob) and request.part:
        number = (request.offset + len(request.part) - 1) // MIB
        return b"blob" + request.id + number.to_bytes(4, "big") if number * MIB >= request.offset else None
    return None


def _is_payable(request: Request) -> TypeGuard[Payable]:
    return subject(request) is not None


def _only_asks(request: Payable) -> bool:
    """How many key packages are left: costs something only where the relay has none of the owner at all."""
    return isinstance(request, PutKeyPackages) and not request.packages and request.last_resort is None


class Purse:
    """Tokens of one relay. `version` changes with everything that is to be kept."""

    def __init__(self, relay: bytes) -> None:
        self.relay = relay
        self.version = 0
        self.is_wanted = False
        """Whether the relay has ever refused a request for want of a token."""
        self.keys_differ = False
        """Whether the relay has shown two keys in one place: it is asked for nothing more."""
        self.secret: bytes | None = None
        """member secret"""
        self.is_member = False
        self.may_invite = True
        """Whether the relay may give tokens of kind join to this member."""
        self.stock: list[Held] = []
        self.joins: list[bytes] = []
        self.seen: tuple[TokenKey, ...] = ()
        self.signed: SignedTokenKeys | None = None
        """the newest list"""
        self.pending: Pending | None = None
        self.due: int | None = None
        """when a stock that is low is to be filled"""
        self._reserved: dict[bytes, Held] = {}
        self._refused: dict[bytes, int] = {}
        """how many tokens each request has shown in vain"""
        self._refused_in_row = 0
        self._must_pay: set[bytes] = set()
        self.is_in_doubt = False
        """Whether so many tokens were refused that the keys are to be looked at before another is tried."""

    def changed(self) -> None:
        self.version += 1

    # ---- paying ----

    def free(self) -> int:
        """Tokens that no request has been given."""
        return len(self.stock) - len(self._reserved)

    def dress(self, request: Request, time: int) -> Request | None:
        """The request as it is sent, with a token where it needs one; None: it waits for more."""
        what = subject(request)
        if not self.is_wanted or what is None or not _is_payable(request):
            return request
        if _only_asks(request) and what not in self._must_pay:
            return request
        if self.is_in_doubt and not self.keys_differ:
            return None
        held = self._reserved.get(what) or self._next(time)
        if held is None:
            return None
        self._reserved[what] = held
        return replace(request, token=held.token)

    def _next(self, time: int) -> Held | None:
        self._forget_over(time)
        taken = set(self._reserved.values())
        return next((held for held in self.stock if held not in taken), None)

    def judge(self, sent: Request, response: Response) -> Verdict:
        """What to do with the answer to a request that `dress` gave."""
        what = subject(sent)
        if what is None or not _is_payable(sent):
            return Verdict.HAND_ON
        refusal = response.code if isinstance(response, Refused) else None
        if refusal == RefusalCode.TOKEN:
            return self._refuse(what, sent.token)
        if refusal in AGAIN_LATER:
            return Verdict.HAND_ON
        self._drop(what, sent.token)
        self._refused.pop(what, None)
        self._refused_in_row = 0
        self._must_pay.discard(what)
        return Verdict.HAND_ON

    def _refuse(self, what: bytes, token: bytes | None) -> Verdict:
        if token is None:
            if not self.is_wanted:
                self.is_wanted = True
                self.changed()
            self._must_pay.add(what)
            return Verdict.AGAIN
        self._drop(what, token)
        self._refused[what] = count = self._refused.get(what, 0) + 1
        self._refused_in_row += 1
        if self._refused_in_row == REFUSED_MOST:
            self.is_in_doubt = True
        if count <= REFUSED_MOST:
            return Verdict.AGAIN
        del self._refused[what]
        return Verdict.NONE_IS_TAKEN

    def _drop(self, what: bytes, token: bytes | None) -> None:
        """The token was shown and is of no more use; another request must never show it."""
        if token is None:
            return
        held = self._reserved.get(what)
        if held is not None and held.token == token:
            del self._reserved[what]
        self.stock = [each for each in self.stock if each.token != token]
        self.changed()

    def _keep(self, kept: Iterable[Held]) -> None:
        kept = list(kept)
        if len(kept) != len(self.stock):
            self.stock = kept
            self._reserved = {what: held for what, held in self._reserved.items() if held in kept}
            self.changed()

    def _forget_over(self, time: int) -> None:
        """Tokens of keys that are over."""
        over = {key_id(key.spki) for key in self.seen if key.not_after <= time}
        self._keep(held for held in self.stock if parse_token(held.token).key_id not in over)
        joins = [join for join in self.joins if parse_token(join).key_id not in over]
        if joins != self.joins:
            self.joins = joins
            self.changed()

    def settle_doubt(self, keys: VerifiedTokenKeys) -> None:
        """After too many refusals: what is not of these keys goes, and what somebody else had in hand."""
        if not self.is_in_doubt:
            return
        self.is_in_doubt = False
        self._refused_in_row = 0
        good = {key_id(key.spki) for key in keys.keys}
        self._keep(held for held in self.stock if not held.shared and parse_token(held.token).key_id in good)

    # ---- filling ----

    def add(self, kind: TokenKind, tokens: Iterable[bytes]) -> None:
        """Tokens that the relay has just issued."""
        if kind == TokenKind.USE:
            self.stock += [Held(token, False) for token in tokens]
            if self.free() >= LOW:
                self.due = None
        else:
            self.joins += tokens
        self.changed()

    def drop_join(self, token: bytes) -> None:
        """It was shown."""
        self.joins = [join for join in self.joins if join != token]
        self.changed()

    def due_at(self, now: int, random: Random) -> int:
        """When a stock that is low is filled. Draws 4 bytes where that is not decided yet."""
        if self.due is None or self.due > now + SPREAD:
            self.due = now + int.from_bytes(random.bytes(4), "big") * SPREAD // 2**32
            self.changed()
        return self.due

    def learn_keys(self, signed: SignedTokenKeys, time: int, *, is_answer: bool) -> VerifiedTokenKeys:
        """Takes a list of keys: the relay's answer, or from a card. Raises WireError; `token-keys-differ` is noted for
        ever."""
        try:
            verified = verify_token_keys(self.relay, signed, self.seen)
            if is_answer:
                check_period(verified, time)
            kept = {(key.kind, key.not_before): key for key in (*self.seen, *verified.keys)}
            seen = tuple(key for key in kept.values() if key.not_after + KEYS_KEPT > time)
            if len(seen) > KEYS_MOST:
                raise WireError(KEYS_DIFFER)
        except WireError as error:
            if error.rule == KEYS_DIFFER:
                self.keys_differ = True
                self.changed()
            raise
        newest = None if self.signed is None else verify_token_keys(self.relay, self.signed)
        if newest is None or _begins(newest) <= _begins(verified):
            self.signed = signed
        self.seen = seen
        self.changed()
        return verified

    # ---- invites ----

    def is_enough_to_give(self) -> bool:
        own = sum(not held.shared for held in self.stock)
        return min(self.free(), own) >= GIVEN + LEFT and (bool(self.joins) or not self.may_invite)

    def give(self, time: int) -> Gift:
        """Takes out what the card of an invite carries."""
        self._forget_over(time)
        count = max(0, min(GIVEN, self.free() - LEFT))
        taken = set(self._reserved.values())
        given = [held for held in self.stock if held not in taken and not held.shared][:count]
        self._keep(held for held in self.stock if held not in given)
        join = self.joins.pop(0) if self.joins else None
        self.changed()
        return Gift(tuple(held.token for held in given) or None, join, self.signed)

    def take_back(self, gift: Gift) -> None:
        """The invite was not made."""
        self.stock += [Held(token, False) for token in gift.tokens or ()]
        self.joins += [] if gift.join is None else [gift.join]
        self.changed()

    def receive(
        self, tokens: Iterable[bytes], join: bytes | None, keys: SignedTokenKeys | None, time: int
    ) -> None:
        """What somebody's card carries: only what this relay takes, as far as that can be seen, is kept."""
        if keys is not None:
            with contextlib.suppress(WireError):  # an inviter's mistake, or noted
                self.learn_keys(keys, time, is_answer=False)
        known = {held.token for held in self.stock} | set(self.joins)
        good = [token for token in tokens if token not in known and self._is_good(TokenKind.USE, token, time)]
        if good:
            self.stock += [Held(token, True) for token in good]
            self.changed()
        if join is not None and join not in known and self._is_good(TokenKind.JOIN, join, time):
            self.joins.append(join)
            self.changed()

    def _is_good(self, kind: TokenKind, token: bytes, time: int) -> bool:
        """Whether it is of this relay and kind and, where keys are known, of one that is not over."""
        try:
            parts = parse_token(token)
        except WireError:
            return False
        if parts.challenge_digest != challenge_digest(self.relay, kind):
            return False
        keys = [key for key in self.seen if key.kind == kind and key_id(key.spki) == parts.key_id]
        if not keys:
            return not self.seen
        return keys[0].not_after > time and verify_token(self.relay, kind, decode_spki(keys[0].spki), parts)


def _begins(keys: VerifiedTokenKeys) -> int:
    return keys.newest(TokenKind.USE).not_before
