"""Members of a real relay: who becomes one, and who is issued how many tokens."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from polynya.relay.limits import Limits
from polynya.relay.store.base import DAY
from polynya.wire.messages import (
    TOKEN_KEY_PERIOD,
    CreateTopic,
    Done,
    IssueTokens,
    JoinRelay,
    Refused,
    TokenKind,
    TokensIssued,
)
from tests.relay.client import expect, refused
from tests.relay.purse import Purse
from tests.relay.tokenworld import Clock, World, world


async def test_who_is_no_member_is_issued_nothing(relay: World) -> None:
    stranger = Purse(relay.client)
    pending = await stranger.begin(1)
    assert refused(await relay.ask(pending.request)) == "NO_MEMBER"


async def test_joining_again_changes_and_spends_nothing(relay: World) -> None:
    member = await relay.member()
    (join,) = await member.tokens(1, TokenKind.JOIN)
    before = await member.tokens(512)
    assert len(set(before)) == 512
    expect(Done, await relay.ask(JoinRelay(member.secret)))
    expect(Done, await relay.ask(JoinRelay(member.secret, join)))
    expect(Done, await relay.ask(JoinRelay(member.secret, os.urandom(354))))
    assert relay.spent(TokenKind.JOIN) == 1, "its own"
    assert refused(await relay.ask((await member.begin(1)).request)) == "TOO_MANY"
    friend = await relay.member(join)
    assert relay.spent(TokenKind.JOIN) == 2
    assert len(await friend.tokens(3)) == 3
    expect(Done, await relay.ask(JoinRelay(friend.secret, join)))
    assert refused(await relay.ask(JoinRelay(os.urandom(32), join))) == "TOKEN"


async def test_who_comes_too_late_on_a_day_is_told_when_the_next_begins(tmp_path: Path) -> None:
    clock = Clock()
    async with world(tmp_path / "data", clock, members_per_day=3, joins_per_day=1) as relay:

        async def wait_for(token: bytes | None) -> int | None:
            response = expect(Refused, await relay.ask(JoinRelay(os.urandom(32), token)))
            assert response.code.name == "TOO_MANY"
            return response.retry_after

        await relay.stranger()
        assert await wait_for(None) == DAY - 5_000
        # Whoever has a token joins, up to the bound of all.
        first = await relay.member()
        joins = await first.tokens(3, TokenKind.JOIN)
        await relay.member(joins[0])
        assert await wait_for(joins[1]) == DAY - 5_000
        expect(Done, await relay.ask(JoinRelay(first.secret)))
        clock.now += DAY
        # What was refused has spent nothing.
        await relay.member(joins[1])


async def test_who_asks_for_more_than_is_saved_is_told_when_it_will_be(tmp_path: Path) -> None:
    small: dict[str, Any] = {
        "use_tokens_first": 5,
        "use_tokens_per_day": 2,
        "use_tokens_saved": 6,
        "join_tokens_first": 1,
        "join_tokens_per_day": 0,
        "join_tokens_saved": 1,
    }
    clock = Clock()
    async with world(tmp_path / "data", clock, **small) as relay:
        member = await relay.member()

        async def wait_for(count: int, kind: TokenKind = TokenKind.USE) -> int | None:
            response = expect(Refused, await relay.ask((await member.begin(count, kind)).request))
            assert response.code.name == "TOO_MANY"
            return response.retry_after

        assert len(await member.tokens(3)) == 3
        assert await wait_for(3) == DAY - 5_000
        assert refused(await relay.ask((await member.begin(7)).request)) == "TOO_LARGE"
        assert len(await member.tokens(1, TokenKind.JOIN)) == 1
        assert await wait_for(1, TokenKind.JOIN) is None, "never again"
        clock.now += DAY
        assert len(await member.tokens(4)) == 4


async def test_who_came_by_the_link_alone_has_little_and_invites_nobody(tmp_path: Path) -> None:
    clock = Clock()
    small: dict[str, Any] = {
        "open_use_tokens_first": 4,
        "open_use_tokens_per_day": 2,
        "open_use_tokens_saved": 5,
    }
    async with world(tmp_path / "data", clock, **small) as relay:
        await relay.member()
        stranger = await relay.stranger()
        for count in (1, 64):
            pending = await stranger.begin(count, TokenKind.JOIN)
            assert refused(await relay.ask(pending.request)) == "TOO_LARGE"
        assert len(await stranger.tokens(4)) == 4
        assert refused(await relay.ask((await stranger.begin(1)).request)) == "TOO_MANY"
    async with world(tmp_path / "data", clock, **small) as relay:
        stranger.client = relay.client
        clock.now += 30 * DAY
        relay.client.config = None
        relay.running.relay.refresh_keys()
        assert refused(await relay.ask((await stranger.begin(6)).request)) == "TOO_LARGE"
        assert len(await stranger.tokens(5)) == 5
        assert refused(await relay.ask((await stranger.begin(1, TokenKind.JOIN)).request)) == "TOO_LARGE"


async def test_a_closed_relay_takes_those_with_a_token(tmp_path: Path) -> None:
    clock = Clock()
    async with world(tmp_path / "data", clock) as relay:
        (join,) = await (await relay.member()).tokens(1, TokenKind.JOIN)
    async with world(tmp_path / "data", clock, joins_per_day=0) as relay:
        assert refused(await relay.ask(JoinRelay(os.urandom(32)))) == "TOKEN"
        await relay.member(join)
    assert Limits(joins_per_day=0).open_bytes_per_day == 0


async def test_the_same_request_gives_the_same_signatures_and_counts_once(tmp_path: Path) -> None:
    clock = Clock()
    async with world(tmp_path / "data", clock, use_tokens_first=4, use_tokens_per_day=0) as relay:
        member = await relay.member()
        pending = await member.begin(3)
        first = expect(TokensIssued, await relay.ask(pending.request))
        assert await relay.ask(pending.request) == first
        # One of another kind between does not make it another one.
        await member.tokens(2, TokenKind.JOIN)
    async with world(tmp_path / "data", clock, use_tokens_first=4, use_tokens_per_day=0) as relay:
        member.client = relay.client
        assert await relay.ask(pending.request) == first
        clock.now += TOKEN_KEY_PERIOD
        relay.client.config = None
        relay.running.relay.refresh_keys()
        assert await relay.ask(pending.request) == first, "a newer key changes nothing"
        (token, *_) = pending.finish(first)
        expect(Done, await relay.ask(CreateTopic(os.urandom(32), 30, token)))
        shorter = replace(pending.request, blinded=pending.request.blinded[:2])
        assert refused(await relay.ask(shorter)) == "TOKEN_KEY"
        assert len(await member.tokens(1)) == 1
        assert refused(await relay.ask((await member.begin(1)).request)) == "TOO_MANY"


async def test_what_cannot_be_signed_is_refused_and_not_counted(tmp_path: Path) -> None:
    async with world(tmp_path / "data", use_tokens_first=2) as relay:
        member = await relay.member()
        pending = await member.begin(1)
        (good,) = pending.request.blinded
        for wrong in (bytes(256), b"\xff" * 256):
            bad = replace(pending.request, blinded=(good, wrong))
            assert refused(await relay.ask(bad)) == "BAD_REQUEST"
        assert expect(TokensIssued, await relay.ask(replace(pending.request, blinded=()))).signatures == ()
        assert len(await member.tokens(2)) == 2


async def test_requests_and_signatures_have_their_pace(tmp_path: Path) -> None:
    slow: dict[str, Any] = {
        "signatures_per_second": 0.01,
        "signatures_burst": 5,
        "issues_per_second": 0.01,
        "issues_burst": 4,
    }
    async with world(tmp_path / "data", **slow) as relay:
        member, other = await relay.member(), await relay.member()
        assert len(await member.tokens(3)) == 3
        pending = await other.begin(3)
        response = expect(Refused, await relay.ask(pending.request))
        assert response.code.name == "TOO_MANY"
        assert 0 < (response.retry_after or 0) <= 100_000
        # A stranger uses up nobody's pace.
        for _ in range(3):
            assert refused(await relay.ask((await Purse(relay.client).begin(64)).request)) == "NO_MEMBER"
        assert len(await other.tokens(2)) == 2
        for _ in range(2):
            await relay.ask(pending.request)
        response = expect(Refused, await relay.ask(replace(pending.request, blinded=())))
        assert response.code.name == "TOO_MANY"
        expect(
            TokensIssued,
            await relay.ask(IssueTokens(member.secret, TokenKind.USE, pending.request.key_id, ())),
        )
