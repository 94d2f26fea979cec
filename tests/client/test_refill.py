"""Filling a purse: which request comes next, when, and what each answer of a relay leads to. The relay's part is a budget
and real signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from polynya.client.purse import FULL, JOINS, KEYS_DIFFER, LOW, NO_TOKENS, SCARCE, SPREAD, Purse
from polynya.client.purserow import decode_purse, encode_purse
from polynya.client.refill import FAILURES, HOUR, Refill
from polynya.wire.messages import (
    TOKEN_KEY_PERIOD,
    Done,
    GetTokenKeys,
    IssueTokens,
    JoinRelay,
    RefusalCode,
    Refused,
    Request,
    Response,
    TokenKind,
    TokensIssued,
)
from polynya.wire.tokens import encode_spki, parse_token, sign_token_keys
from tests.client.mint import RANDOM, Mint

TIME = 740 * TOKEN_KEY_PERIOD + 5_000
DAY = 86_400_000


@pytest.fixture(scope="module")
def mint() -> Mint:
    return Mint(TIME)


def refused(code: RefusalCode, retry_after: int | None = None) -> Refused:
    return Refused(code, retry_after)


@dataclass
class Relay:
    """Answers by budgets, as the real one does."""

    mint: Mint
    use: int = 512
    join: int = 8
    saved: int = 1_024
    joins_today: int = 20
    members: dict[bytes, bool] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    instead: Callable[[Request], Response | None] = lambda request: None
    """answers in its place, where it does"""

    def answer(self, request: Request) -> Response:
        self.asked.append(request)
        other = self.instead(request)
        if other is not None:
            return other
        if isinstance(request, GetTokenKeys):
            return self.mint.signed
        if isinstance(request, JoinRelay):
            if request.member_secret in self.members:
                return Done()
            if request.token is None and self.joins_today == 0:
                return refused(RefusalCode.TOO_MANY, DAY)
            self.members[request.member_secret] = request.token is not None
            return Done()
        assert isinstance(request, IssueTokens)
        if request.member_secret not in self.members:
            return refused(RefusalCode.NO_MEMBER)
        budget = "use" if request.kind == TokenKind.USE else "join"
        left, count = getattr(self, budget), len(request.blinded)
        if count > max(left, self.saved if budget == "use" else 16):
            return refused(RefusalCode.TOO_LARGE)
        if count > left:
            return refused(RefusalCode.TOO_MANY, DAY)
        setattr(self, budget, left - count)
        return self.mint.issue(request)

    def kinds(self) -> list[str]:
        return [type(request).__name__ for request in self.asked]

    def counts(self, kind: TokenKind = TokenKind.USE) -> list[int]:
        return [len(r.blinded) for r in self.asked if isinstance(r, IssueTokens) and r.kind == kind]


def wanting(mint: Mint) -> tuple[Purse, Refill]:
    purse = Purse(mint.identity)
    purse.is_wanted = True
    return purse, Refill(purse)


def run(refill: Refill, relay: Relay, now: int = TIME) -> None:
    """One round."""
    refill.begin()
    while (request := refill.step(now, RANDOM)) is not None:
        refill.answered(request, relay.answer(request), now, now, RANDOM)


# ---- when


def test_nothing_is_asked_of_a_relay_that_wants_nothing(mint: Mint) -> None:
    purse = Purse(mint.identity)
    assert Refill(purse).begins_at(TIME, True, RANDOM) is None


def test_a_scarce_stock_is_filled_at_once_and_a_low_one_at_a_drawn_moment(mint: Mint) -> None:
    purse, refill = wanting(mint)
    purse.add(TokenKind.USE, mint.tokens(SCARCE - 1))
    assert refill.begins_at(TIME, False, RANDOM) == TIME
    purse.add(TokenKind.USE, mint.tokens(1))
    due = refill.begins_at(TIME, False, RANDOM)
    assert due is not None and TIME <= due < TIME + SPREAD
    assert refill.begins_at(TIME + 1, False, RANDOM) == max(due, TIME + 1) or due == TIME
    assert refill.begins_at(TIME, True, RANDOM) == TIME, "something waits"
    purse.add(TokenKind.USE, mint.tokens(LOW - SCARCE))
    assert refill.begins_at(TIME, False, RANDOM) is None
    purse.is_in_doubt = True
    assert refill.begins_at(TIME, False, RANDOM) == TIME


# ---- a round


def test_a_newcomer_fetches_keys_joins_and_fills_both_stocks(mint: Mint) -> None:
    purse, refill = wanting(mint)
    relay = Relay(mint)
    run(refill, relay)
    assert relay.kinds()[:2] == ["GetTokenKeys", "JoinRelay"]
    assert (relay.counts(), relay.counts(TokenKind.JOIN)) == ([64, 32], [JOINS])
    assert (purse.free(), len(purse.joins), purse.pending, purse.due) == (FULL, JOINS, None, None)
    assert not any(held.shared for held in purse.stock)
    assert len({held.token for held in purse.stock}) == FULL
    assert list(relay.members.values()) == [False]
    assert refill.begins_at(TIME, False, RANDOM) is None
    # A member asks for keys and tokens only, and for as many as are lacking.
    purse.stock = purse.stock[: LOW - 1]
    relay.asked.clear()
    run(refill, relay)
    assert relay.kinds() == ["GetTokenKeys", "IssueTokens", "IssueTokens"]
    assert relay.counts() == [64, 1]


def test_who_has_a_token_to_join_joins_with_it(mint: Mint) -> None:
    purse, refill = wanting(mint)
    purse.joins = mint.tokens(2, TokenKind.JOIN)
    first, second = purse.joins
    relay = Relay(mint, joins_today=0)
    run(refill, relay)
    assert list(relay.members.values()) == [True]
    assert first not in purse.joins and second in purse.joins


def test_a_join_token_that_is_spent_gives_way_to_the_next_and_then_to_none(mint: Mint) -> None:
    purse, refill = wanting(mint)
    purse.joins = mint.tokens(2, TokenKind.JOIN)
    relay = Relay(mint)
    shown: list[bytes | None] = []

    def spent(request: Request) -> Response | None:
        if isinstance(request, JoinRelay):
            shown.append(request.token)
            if request.token is not None:
                return refused(RefusalCode.TOKEN)
        return None

    relay.instead = spent
    joins = list(purse.joins)
    run(refill, relay)
    assert shown == [*joins, None]
    assert purse.is_member and purse.free() == FULL


@pytest.mark.parametrize(
    ("closed", "wait", "words"),
    [
        (refused(RefusalCode.TOO_MANY, 7 * HOUR), 7 * HOUR, "it is tried again in 7 hours"),
        (refused(RefusalCode.TOKEN), HOUR, "it is tried again within an hour"),
    ],
)
def test_a_relay_that_takes_nobody_more_today_is_told_of_and_asked_tomorrow(
    mint: Mint, closed: Refused, wait: int, words: str
) -> None:
    purse, refill = wanting(mint)
    relay = Relay(mint, instead=lambda r: closed if isinstance(r, JoinRelay) else None)
    run(refill, relay)
    refusal = refill.refusal(TIME)
    assert refusal is not None and (refusal.code, refusal.until) == (NO_TOKENS, TIME + wait)
    assert refusal.when(TIME) == words
    assert refill.begins_at(TIME, True, RANDOM) == TIME + wait
    assert refill.refusal(TIME + wait) is None
    relay.instead = lambda request: None
    run(refill, relay, TIME + wait)
    assert purse.free() == FULL


def test_a_member_with_less_saved_up_gets_what_there_is(mint: Mint) -> None:
    purse, refill = wanting(mint)

    def none_to_join(request: Request) -> Response | None:
        is_join = isinstance(request, IssueTokens) and request.kind == TokenKind.JOIN
        return refused(RefusalCode.TOO_LARGE) if is_join else None

    relay = Relay(mint, use=32, saved=64, instead=none_to_join)
    run(refill, relay)
    assert relay.counts() == [64, 32, 32]
    assert (purse.free(), purse.may_invite, refill.refusal(TIME)) == (32, False, None)
    # Topping up waits for the relay's day; a stock that is used up asks, however little there is.
    purse.stock = purse.stock[:10]
    at = refill.begins_at(TIME + SPREAD, False, RANDOM)
    assert at is not None and at >= TIME + DAY
    purse.stock = []
    relay.use = 3
    relay.asked.clear()
    run(refill, relay)
    assert purse.free() == 3
    assert relay.kinds().count("IssueTokens") <= 10
    # Used up for certain: it is told, and asked again when the relay said.
    refusal = refill.refusal(TIME)
    assert refusal is not None and refusal.until == TIME + DAY
    assert refill.begins_at(TIME, True, RANDOM) == TIME + DAY


def test_a_relay_that_is_busy_is_asked_the_same_again(mint: Mint) -> None:
    purse, refill = wanting(mint)
    relay = Relay(mint)
    busy = [refused(RefusalCode.TOO_MANY, 3_000)]
    relay.instead = lambda r: busy.pop() if isinstance(r, IssueTokens) and busy else None
    run(refill, relay)
    assert purse.pending is not None and refill.refusal(TIME) is None
    assert refill.begins_at(TIME, True, RANDOM) == TIME + 3_000
    run(refill, relay, TIME + 3_000)
    issued = [request for request in relay.asked if isinstance(request, IssueTokens)]
    assert issued[0] == issued[1]
    assert purse.free() == FULL


@pytest.mark.parametrize("lost", range(6))
def test_broken_off_anywhere_it_goes_on_with_the_same_requests(mint: Mint, lost: int) -> None:
    """The answer to request number `lost` never comes, and the device starts anew from what is on its disk."""
    purse, refill = wanting(mint)
    relay = Relay(mint)
    refill.begin()
    row = encode_purse(purse)
    for number in range(lost + 1):
        request = refill.step(TIME, RANDOM)
        row = encode_purse(purse)
        if request is None:
            break
        response = relay.answer(request)
        if number < lost:
            refill.answered(request, response, TIME, TIME, RANDOM)
    sent = [r for r in relay.asked if isinstance(r, IssueTokens)]
    again = decode_purse(mint.identity, row)
    before, relay_before = len(again.stock), relay.use
    assert before <= FULL
    relay.asked.clear()
    remembered = {s.blinded: relay.mint.issue(s) for s in sent}
    # What was counted is not counted again.
    relay.instead = lambda r: remembered.get(r.blinded) if isinstance(r, IssueTokens) else None
    run(Refill(again), relay)
    assert again.free() == FULL and len({held.token for held in again.stock}) == FULL
    assert len(relay.members) == 1, "the member secret is the same"
    issued = 512 - relay.use
    assert issued == FULL, f"{issued - FULL} tokens were lost ({relay_before})"


def test_whoever_is_forgotten_joins_again_and_keeps_the_request(mint: Mint) -> None:
    purse, refill = wanting(mint)
    relay = Relay(mint)
    run(refill, relay)
    relay.members.clear()
    relay.asked.clear()
    purse.stock, purse.joins = [], []
    run(refill, relay)
    assert relay.kinds()[:4] == ["GetTokenKeys", "IssueTokens", "JoinRelay", "IssueTokens"]
    assert relay.asked[1] == relay.asked[3]
    assert purse.free() == FULL


def test_a_relay_that_knows_nobody_is_not_asked_for_ever(mint: Mint) -> None:
    purse, refill = wanting(mint)
    relay = Relay(
        mint, instead=lambda r: refused(RefusalCode.NO_MEMBER) if isinstance(r, IssueTokens) else None
    )
    run(refill, relay)
    assert purse.free() == 0
    at = refill.begins_at(TIME, True, RANDOM)
    assert at is not None and at > TIME


def test_another_key_for_issuing_begins_anew_with_it(mint: Mint) -> None:
    purse, refill = wanting(mint)
    relay = Relay(mint)
    refill.begin()
    while not isinstance(request := refill.step(TIME, RANDOM), IssueTokens):
        assert request is not None
        refill.answered(request, relay.answer(request), TIME, TIME, RANDOM)
    newer = Mint(TIME + TOKEN_KEY_PERIOD)
    relay.mint = newer
    refill.answered(request, refused(RefusalCode.TOKEN_KEY), TIME, TIME, RANDOM)
    assert purse.pending is None
    while (following := refill.step(TIME, RANDOM)) is not None:
        refill.answered(following, relay.answer(following), TIME, TIME + TOKEN_KEY_PERIOD, RANDOM)
    new = {parse_token(held.token).key_id for held in purse.stock}
    assert purse.free() == FULL and len(new) == 1
    assert purse.signed == newer.signed


def test_keys_that_differ_end_all_asking_and_what_is_there_is_used(mint: Mint) -> None:
    purse, refill = wanting(mint)
    relay = Relay(mint)
    run(refill, relay)
    purse.stock = purse.stock[:2]
    spki = encode_spki(int.from_bytes(b"\xc1" + bytes(254) + b"\x01", "big"))
    marked = sign_token_keys(mint.seed, [replace(key, spki=spki) for key in mint.verified.keys])
    relay.instead = lambda r: marked if isinstance(r, GetTokenKeys) else None
    relay.asked.clear()
    run(refill, relay)
    assert relay.counts() == []
    assert purse.keys_differ and purse.free() == 2
    assert refill.begins_at(TIME + DAY, True, RANDOM) is None
    refusal = refill.refusal(TIME)
    assert refusal is not None and refusal.code == KEYS_DIFFER


@pytest.mark.parametrize(
    "nonsense",
    [
        Done(),
        refused(RefusalCode.BAD_REQUEST),
        refused(RefusalCode.INTERNAL),
        TokensIssued(()),
        TokensIssued((bytes(256),) * 64),
    ],
)
def test_nonsense_is_asked_again_after_growing_pauses(mint: Mint, nonsense: Response) -> None:
    purse, refill = wanting(mint)
    relay = Relay(mint)
    relay.instead = lambda r: nonsense if isinstance(r, IssueTokens) else None
    now, pauses = TIME, []
    for number in range(FAILURES + 3):
        assert (refill.refusal(now) is not None) is False
        run(refill, relay, now)
        assert (refill.refusal(now) is not None) == (number + 1 >= FAILURES)
        at = refill.begins_at(now, True, RANDOM)
        assert at is not None and at > now
        pauses.append(at - now)
        now = at
    assert pauses == sorted(pauses) and pauses[-1] > 10_000
    assert purse.free() == 0
    refill.try_now()
    assert refill.begins_at(now, True, RANDOM) == now
    relay.instead = lambda request: None
    run(refill, relay, now)
    assert purse.free() == FULL


def test_signatures_of_something_else_are_no_tokens(mint: Mint) -> None:
    purse, refill = wanting(mint)

    def one_wrong(request: Request) -> Response | None:
        if not isinstance(request, IssueTokens):
            return None
        _, *rest = mint.issue(request).signatures
        return TokensIssued((rest[0], *rest))

    run(refill, Relay(mint, instead=one_wrong))
    assert (purse.free(), purse.pending) == (0, None)
