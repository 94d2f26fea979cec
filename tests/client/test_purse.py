"""The purse: which request shows which token, what an answer makes of it, what a card brings, and what is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.client.purse import (
    FULL,
    GIVEN,
    KEYS_MOST,
    LEFT,
    MIB,
    REFUSED_MOST,
    SPREAD,
    Held,
    Pending,
    Purse,
    Verdict,
    subject,
)
from polynya.client.purserow import decode_purse, encode_purse
from polynya.wire import cbor
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    TOKEN_KEY_LIFETIME,
    TOKEN_KEY_PERIOD,
    BlobState,
    CreateInbox,
    CreateTopic,
    Done,
    Fetch,
    PutBlob,
    PutKeyPackages,
    RefusalCode,
    Refused,
    Request,
    Response,
    SignedTokenKeys,
    TokenKind,
)
from polynya.wire.tokens import begin_token, encode_spki, key_id, sign_token_keys
from tests.client.mint import RANDOM, Mint
from tests.support.seeded import SeededRandom

TIME = 740 * TOKEN_KEY_PERIOD + 5_000
TOKEN = Refused(RefusalCode.TOKEN)


@pytest.fixture(scope="module")
def mint() -> Mint:
    return Mint(TIME)


@pytest.fixture(scope="module")
def tokens(mint: Mint) -> list[bytes]:
    return mint.tokens(40)


def purse_with(mint: Mint, tokens: list[bytes], *, shared: bool = False) -> Purse:
    """Of a relay that wants tokens."""
    purse = Purse(mint.identity)
    purse.learn_keys(mint.signed, TIME, is_answer=True)
    purse.is_wanted = True
    purse.stock = [Held(token, shared) for token in tokens]
    return purse


def topic(number: int) -> CreateTopic:
    return CreateTopic(number.to_bytes(32, "big"), 30)


def paid(purse: Purse, request: Request) -> tuple[Request, bytes]:
    """As it is sent, and the token in it."""
    sent = purse.dress(request, TIME)
    assert isinstance(sent, CreateTopic | CreateInbox | PutKeyPackages | PutBlob)
    assert sent.token is not None
    assert replace(sent, token=None) == request
    return sent, sent.token


# ---- which request is paid for


def test_a_relay_is_shown_nothing_until_it_refuses_for_want_of_a_token(
    mint: Mint, tokens: list[bytes]
) -> None:
    purse = purse_with(mint, tokens)
    purse.is_wanted = False
    assert purse.dress(topic(1), TIME) == topic(1)
    assert purse.judge(topic(1), Done()) is Verdict.HAND_ON
    assert (purse.is_wanted, purse.free()) == (False, 40)
    assert purse.judge(topic(2), TOKEN) is Verdict.AGAIN
    assert decode_purse(mint.identity, encode_purse(purse)).is_wanted
    assert paid(purse, topic(2))[1] == tokens[0]
    # What costs nothing never shows one.
    assert purse.dress(Fetch(bytes(32), 0, 1), TIME) == Fetch(bytes(32), 0, 1)


def test_each_request_has_a_token_of_its_own_until_it_is_answered(mint: Mint, tokens: list[bytes]) -> None:
    purse = purse_with(mint, tokens)
    first, one = paid(purse, topic(1))
    _, two = paid(purse, CreateInbox(bytes(32)))
    assert (one, two) == (tokens[0], tokens[1])
    # Whatever leaves it unspent, and a broken connection, leave it that request's.
    for code in (
        RefusalCode.TOO_MANY,
        RefusalCode.FULL,
        RefusalCode.INTERNAL,
        RefusalCode.CLOCK,
        RefusalCode.REPEATED,
        RefusalCode.SESSION_ONLY,
    ):
        assert purse.judge(first, Refused(code)) is Verdict.HAND_ON
        assert paid(purse, topic(1))[1] == one
        assert paid(purse, topic(2))[1] == tokens[2]
    # Any other answer: it was shown, and no other request shows it.
    answers: list[Response] = [
        Done(),
        BlobState(1),
        Refused(RefusalCode.EXISTS),
        Refused(RefusalCode.BAD_REQUEST),
    ]
    for number, answer in enumerate(answers, 10):
        sent, token = paid(purse, topic(number))
        assert purse.judge(sent, answer) is Verdict.HAND_ON
        assert token not in {held.token for held in purse.stock}
        assert paid(purse, topic(number))[1] != token


def test_a_stock_that_is_used_up_lets_requests_wait(mint: Mint, tokens: list[bytes]) -> None:
    purse = purse_with(mint, tokens[:1])
    paid(purse, topic(1))
    assert purse.dress(topic(2), TIME) is None
    assert purse.free() == 0
    purse.add(TokenKind.USE, tokens[1:2])
    assert paid(purse, topic(2))[1] == tokens[1]


@pytest.mark.parametrize(
    ("offset", "length", "number"),
    [
        (0, 65_536, 0),
        (0, 1, 0),
        (0, 0, None),
        (65_536, 65_536, None),
        (MIB - 65_536, 65_536, None),
        (MIB - 65_535, 65_536, 1),
        (MIB, 65_536, 1),
        (MIB, 0, None),
        (MIB + 1, 10, None),
        (3 * MIB - 1, 2, 3),
    ],
)
def test_a_part_is_paid_for_where_a_mib_begins(offset: int, length: int, number: int | None) -> None:
    what = subject(PutBlob(b"b" * 32, 5 * MIB, offset, bytes(length)))
    assert what == (None if number is None else b"blob" + b"b" * 32 + number.to_bytes(4, "big"))


def test_asking_how_many_key_packages_are_left_shows_a_token_only_where_it_must(
    mint: Mint, tokens: list[bytes]
) -> None:
    purse = purse_with(mint, tokens)
    asks = PutKeyPackages(bytes(32), ())
    assert purse.dress(asks, TIME) == asks
    assert purse.judge(asks, TOKEN) is Verdict.AGAIN
    sent, _ = paid(purse, asks)
    assert purse.judge(sent, Done()) is Verdict.HAND_ON
    assert purse.dress(asks, TIME) == asks
    paid(purse, PutKeyPackages(bytes(32), (b"package",)))
    paid(purse, PutKeyPackages(bytes(31) + b"x", (), b"last resort"))


def test_tokens_of_a_key_that_is_over_are_not_shown(mint: Mint, tokens: list[bytes]) -> None:
    purse = purse_with(mint, tokens[:3])
    purse.joins = mint.tokens(1, TokenKind.JOIN)
    over = mint.newest(TokenKind.USE).not_after
    assert isinstance(purse.dress(topic(1), over - 1), CreateTopic)
    assert purse.dress(topic(2), over) is None
    assert (purse.free(), purse.stock, purse.joins) == (0, [], [])


# ---- tokens that are refused


def test_refused_tokens_go_one_by_one_and_after_three_the_keys_are_looked_at(
    mint: Mint, tokens: list[bytes]
) -> None:
    purse = purse_with(mint, tokens)
    for count in range(1, REFUSED_MOST + 1):
        assert not purse.is_in_doubt
        sent, _ = paid(purse, topic(1))
        assert purse.judge(sent, TOKEN) is Verdict.AGAIN
        assert purse.free() == 40 - count
    assert purse.is_in_doubt
    assert purse.dress(topic(1), TIME) is None, "it waits for the keys"
    assert purse.dress(topic(2), TIME) is None, "so do others"
    assert purse.dress(Fetch(bytes(32), 0, 1), TIME) is not None
    purse.settle_doubt(mint.verified)
    sent, token = paid(purse, topic(1))
    assert token == tokens[3]
    assert purse.judge(sent, TOKEN) is Verdict.NONE_IS_TAKEN
    assert purse.free() == 36
    # Much later it begins anew.
    sent, _ = paid(purse, topic(1))
    assert purse.judge(sent, TOKEN) is Verdict.AGAIN
    assert not purse.is_in_doubt


def test_refusals_of_different_requests_count_together(mint: Mint, tokens: list[bytes]) -> None:
    purse = purse_with(mint, tokens, shared=True)
    sent = [paid(purse, topic(number))[0] for number in range(5)]
    for each in sent[:3]:
        assert purse.judge(each, TOKEN) is Verdict.AGAIN
    assert purse.is_in_doubt
    for each in sent[3:]:
        assert purse.judge(each, TOKEN) is Verdict.AGAIN, "they were on their way"
    purse.settle_doubt(mint.verified)
    assert (purse.stock, purse.is_in_doubt) == ([], False)


def test_a_token_that_is_taken_ends_the_count(mint: Mint, tokens: list[bytes]) -> None:
    purse = purse_with(mint, tokens)
    for _ in range(6):
        for answer in (TOKEN, TOKEN, Done()):
            purse.judge(paid(purse, topic(1))[0], answer)
    assert not purse.is_in_doubt
    assert purse.free() == 40 - 18


def test_after_a_doubt_foreign_keys_and_shared_tokens_are_gone(mint: Mint, tokens: list[bytes]) -> None:
    other = Mint(TIME, b"o" * 32)
    purse = purse_with(mint, tokens[:2])
    purse.stock += [Held(token, True) for token in tokens[2:6]]
    purse.stock += [Held(token, False) for token in other.tokens(2)]
    purse.settle_doubt(mint.verified)
    assert len(purse.stock) == 8, "without a doubt nothing goes"
    purse.is_in_doubt = True
    purse.settle_doubt(mint.verified)
    assert [held.token for held in purse.stock] == tokens[:2]


# ---- cards


def test_what_a_card_brings_is_kept_where_it_is_of_this_relay(mint: Mint, tokens: list[bytes]) -> None:
    other = Mint(TIME, b"o" * 32)
    (join,) = mint.tokens(1, TokenKind.JOIN)
    flipped = tokens[1][:-1] + bytes([tokens[1][-1] ^ 1])
    foreign_words = mint.tokens(1, identity=other.identity)[0]
    bad = [tokens[1][:-1], b"", join, *other.tokens(1), flipped, foreign_words, b"\0\1" + tokens[2][2:]]
    purse = Purse(mint.identity)
    purse.receive([*bad, tokens[0]], tokens[3], mint.signed, TIME)
    assert [held.token for held in purse.stock] == [tokens[0]]
    assert purse.joins == []
    purse.receive([tokens[0], tokens[1]], join, None, TIME)
    assert [held.token for held in purse.stock] == tokens[:2]
    assert purse.joins == [join]
    assert all(held.shared for held in purse.stock)
    purse.receive(tokens[:2], join, mint.signed, TIME)
    assert (len(purse.stock), len(purse.joins)) == (2, 1), "once"
    # Where no key is known only the words can be looked at.
    without = Purse(mint.identity)
    without.receive([*bad, tokens[0]], join, None, TIME)
    assert [held.token for held in without.stock] == [flipped, tokens[0]]
    late = Purse(mint.identity)
    late.receive(tokens[:2], join, mint.signed, mint.newest(TokenKind.USE).not_after)
    assert (late.stock, late.joins) == ([], [])


def test_a_card_whose_keys_are_forged_brings_its_tokens_and_no_keys(mint: Mint, tokens: list[bytes]) -> None:
    purse = Purse(mint.identity)
    forged = sign_token_keys(b"f" * 32, mint.verified.keys)
    purse.receive(tokens[:2], None, forged, TIME)
    purse.receive([], None, SignedTokenKeys(b"junk", bytes(64)), TIME)
    assert (len(purse.stock), purse.seen, purse.signed, purse.keys_differ) == (2, (), None, False)


def test_keys_that_differ_are_noted_for_ever_whoever_shows_them(mint: Mint, tokens: list[bytes]) -> None:
    marked = [
        replace(key, spki=encode_spki(int.from_bytes(b"\xc1" + bytes(254) + b"\x01", "big")))
        for key in mint.verified.keys
    ]
    purse = purse_with(mint, tokens)
    purse.receive([], None, sign_token_keys(mint.seed, marked), TIME)
    assert purse.keys_differ
    assert decode_purse(mint.identity, encode_purse(purse)).keys_differ
    assert purse.signed == mint.signed and set(purse.seen) == set(mint.verified.keys)
    with pytest.raises(WireError, match="token-keys-differ"):
        purse.learn_keys(sign_token_keys(mint.seed, marked), TIME, is_answer=True)
    paid(purse, topic(1))


def test_keys_are_remembered_until_a_year_after_their_end_and_not_without_end(mint: Mint) -> None:
    purse = purse_with(mint, [])
    key = mint.newest(TokenKind.USE)

    def later(period: int) -> SignedTokenKeys:
        begin = key.not_before + period * TOKEN_KEY_PERIOD
        return sign_token_keys(
            mint.seed,
            [
                replace(each, not_before=begin, not_after=begin + TOKEN_KEY_LIFETIME)
                for each in mint.verified.keys[:2]
            ],
        )

    purse.learn_keys(later(13), TIME + 13 * TOKEN_KEY_PERIOD, is_answer=True)
    assert len(purse.seen) == 6
    assert purse.signed == later(13)
    purse.learn_keys(mint.signed, TIME + 13 * TOKEN_KEY_PERIOD, is_answer=False)
    assert purse.signed == later(13), "the newest list stays"
    purse.learn_keys(later(20), TIME + 20 * TOKEN_KEY_PERIOD, is_answer=True)
    assert len({*purse.seen}) == 4, "those of the beginning are forgotten"
    with pytest.raises(WireError, match="token-keys-differ"):
        for period in range(100, 100 + KEYS_MOST):
            purse.learn_keys(later(period), TIME + 20 * TOKEN_KEY_PERIOD, is_answer=False)
    assert purse.keys_differ


def test_a_relay_cannot_give_somebody_a_period_of_its_own(mint: Mint) -> None:
    """Which nobody else would ever have a key of to compare with."""
    purse = Purse(mint.identity)
    begin, day = mint.newest(TokenKind.USE).not_before, 86_400_000
    end = begin + TOKEN_KEY_PERIOD
    for time in (begin - day - 1, end + day, begin - 5 * TOKEN_KEY_PERIOD, begin + 5 * TOKEN_KEY_PERIOD):
        with pytest.raises(WireError, match="token-keys-period"):
            purse.learn_keys(mint.signed, time, is_answer=True)
    assert not purse.seen and purse.signed is None and not purse.keys_differ
    for time in (begin - day, begin, end, end + day - 1):
        purse.learn_keys(mint.signed, time, is_answer=True)


# ---- invites


def test_an_invite_takes_sixteen_and_leaves_eight(mint: Mint, tokens: list[bytes]) -> None:
    purse = purse_with(mint, tokens)
    purse.joins = mint.tokens(2, TokenKind.JOIN)
    joins = list(purse.joins)
    assert purse.is_enough_to_give()
    _, reserved = paid(purse, topic(1))
    gift = purse.give(TIME)
    assert gift.tokens == tuple(tokens[1 : 1 + GIVEN])
    assert (gift.join, gift.token_keys) == (joins[0], mint.signed)
    assert paid(purse, topic(1))[1] == reserved
    assert not purse.is_enough_to_give()
    second = purse.give(TIME)
    assert second.tokens is not None
    assert (len(second.tokens), purse.free()) == (40 - 1 - GIVEN - LEFT, LEFT)
    third = purse.give(TIME)
    assert (third.tokens, third.join, purse.free()) == (None, None, LEFT)
    purse.take_back(second)
    purse.take_back(gift)
    assert (purse.free(), sorted(purse.joins)) == (39, sorted(joins))


def test_tokens_that_an_inviter_had_are_not_given_on(mint: Mint, tokens: list[bytes]) -> None:
    purse = purse_with(mint, tokens, shared=True)
    purse.add(TokenKind.USE, mint.tokens(2))
    assert not purse.is_enough_to_give()
    gift = purse.give(TIME)
    assert gift.tokens is not None and not set(gift.tokens) & set(tokens) and len(gift.tokens) == 2


# ---- the moment to fill


def test_the_moment_to_fill_is_drawn_once_and_kept(mint: Mint) -> None:
    purse = purse_with(mint, [])
    random = SeededRandom(1)
    due = purse.due_at(TIME, random)
    assert TIME <= due < TIME + SPREAD
    assert purse.due_at(TIME + 1, random) == due
    assert decode_purse(mint.identity, encode_purse(purse)).due_at(TIME + SPREAD, random) == due
    # A clock that was set back by more than that.
    assert purse.due_at(TIME - SPREAD, random) < TIME
    drawn = {Purse(bytes(32)).due_at(0, SeededRandom(seed)) for seed in range(200)}
    assert min(drawn) < SPREAD // 10 and max(drawn) > SPREAD * 9 // 10


# ---- the row


def test_everything_that_must_survive_is_in_the_row(mint: Mint, tokens: list[bytes]) -> None:
    purse = purse_with(mint, tokens[:5])
    purse.receive(tokens[5:7], None, None, TIME)
    purse.joins = mint.tokens(1, TokenKind.JOIN)
    purse.secret, purse.is_member, purse.may_invite, purse.due = b"s" * 32, True, False, 77
    key = mint.newest(TokenKind.USE)
    purse.pending = Pending(key, tuple(begin_token(mint.identity, key, RANDOM) for _ in range(3)))
    again = decode_purse(mint.identity, encode_purse(purse))
    kept = (
        "relay",
        "is_wanted",
        "keys_differ",
        "secret",
        "is_member",
        "may_invite",
        "stock",
        "joins",
        "seen",
        "signed",
        "pending",
        "due",
    )
    assert {name: getattr(again, name) for name in kept} == {name: getattr(purse, name) for name in kept}
    assert encode_purse(again) == encode_purse(purse)
    empty = Purse(mint.identity)
    assert encode_purse(decode_purse(mint.identity, encode_purse(empty))) == encode_purse(empty)


@pytest.mark.parametrize("row", [None, b"", b"junk", cbor.encode([]), cbor.encode([[True], b"", 3])])
def test_a_row_that_cannot_be_read_is_an_empty_purse(mint: Mint, row: bytes | None) -> None:
    purse = decode_purse(mint.identity, row)
    assert (purse.stock, purse.secret, purse.is_wanted) == ([], None, False)


def test_no_repr_shows_a_token(mint: Mint, tokens: list[bytes]) -> None:
    purse = purse_with(mint, tokens[: GIVEN + LEFT])
    purse.joins = mint.tokens(1, TokenKind.JOIN)
    key = mint.newest(TokenKind.USE)
    purse.pending = Pending(key, (begin_token(mint.identity, key, RANDOM),))
    held, pending, sent = purse.stock[0], purse.pending, paid(purse, topic(1))[0]
    shown = repr(purse) + repr(held) + repr(pending) + repr(purse.give(TIME)) + repr(sent)
    assert (
        repr(tokens[0][2:10])[2:-1] not in shown and repr(pending.tokens[0].signed[2:10])[2:-1] not in shown
    )
    assert FULL > GIVEN + LEFT and key_id(key.spki)
