"""Clients of a real relay that wants tokens: how they get them, what they spend, and what goes wrong."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from polynya import Client, ClientError
from polynya.client.purse import FULL, GIVEN, JOINS, KEYS_DIFFER, LEFT, NO_TOKENS
from polynya.client.purses import PURSE
from polynya.core.commands import DropRelay
from polynya.paths import backoff
from polynya.relay.backup import make_backup
from polynya.relay.restore import restore_backup
from polynya.relay.store.base import DAY
from polynya.wire import messages as m
from polynya.wire.tokens import encode_spki, sign_token_keys, verify_token_keys
from tests.client.payers import (
    PAYABLE,
    REFILLING,
    Clock,
    Patient,
    crash,
    invited,
    issued,
    kinds,
    look,
    paid_relay,
    purse_of,
    raised,
    refused_tokens,
    shown,
)
from tests.client.people import WAIT, account, conversation_with, meet, sees, until
from tests.hostile.operator import WITHHELD, Decision, Operator
from tests.relay.client import Client as RawClient


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    pause = backoff.pause
    monkeypatch.setattr(
        backoff, "pause", lambda failures, chance, **more: pause(failures, chance, first=50, largest=1_000)
    )


async def eventually(check: Any) -> None:
    async with asyncio.timeout(WAIT):
        while not check():
            await asyncio.sleep(0.02)


async def member(folder: Path, operator: Operator, data: Path) -> Client:
    """Somebody whom the relay's owner invited; open until closed."""
    client = Client(folder)
    await client.__aenter__()
    token = await invited(operator, data)
    client.loop.purses._purse(operator.running.identity).joins.append(token)
    await client.register(folder.name, operator.link)
    await client.settled()
    return client


# ---- newcomers


async def test_a_relay_that_wants_nothing_is_asked_for_nothing(tmp_path: Path) -> None:
    async with paid_relay(tmp_path / "relay", tokens="off") as operator, AsyncExitStack() as stack:
        anna = await stack.enter_async_context(account(tmp_path / "anna", "Anna", operator.link))
        boris = await stack.enter_async_context(account(tmp_path / "boris", "Boris", operator.link))
        chat, _ = await meet(anna, boris)
        await anna.sent(await anna.send(chat, "hello"))
        assert kinds(operator.seen, *REFILLING) == []
        assert shown(operator.seen) == []
        assert await anna.loop.in_store(lambda s: s.own(PURSE, anna.me.relay.identity)) is None


async def test_newcomers_with_the_relays_link_get_tokens_and_pay_with_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with paid_relay(tmp_path / "relay") as operator, AsyncExitStack() as stack:
        anna = await stack.enter_async_context(account(tmp_path / "anna", "Anna", operator.link))
        boris = await stack.enter_async_context(account(tmp_path / "boris", "Boris", operator.link))
        chat, other = await meet(anna, boris)
        await anna.send(chat, "hello")
        await sees(boris, other, "hello")
        for client in (anna, boris):
            purse = purse_of(client)
            assert purse.is_member and not purse.may_invite and purse.free() > 0
        # Over no session: there the relay sees what a device reads.
        asked = [each for each in operator.seen if isinstance(each.request, REFILLING)]
        assert asked and {each.connection for each in asked} == {0}
        assert refused_tokens(operator.seen) == []
        paid = [each.request.token for each in shown(operator.seen) if isinstance(each.request, PAYABLE)]
        assert len(set(paid)) == len(paid), "each token once"
        said = "\n".join(record.getMessage() + (record.exc_text or "") for record in caplog.records)
        secrets = [purse_of(anna).secret or b"", *(token for token in paid if token)]
        assert not any(secret.hex()[:16] in said or repr(secret[4:12])[2:-1] in said for secret in secrets)


async def test_a_newcomer_with_an_invite_sends_the_first_message_with_the_cards_tokens(
    tmp_path: Path,
) -> None:
    data = tmp_path / "relay"
    async with paid_relay(data) as operator:
        anna = await member(tmp_path / "anna", operator, data)
        try:
            await eventually(lambda: len(purse_of(anna).joins) == JOINS)
            first = purse_of(anna).joins[0]
            link = await anna.invite()
            # Another may have come in its place meanwhile.
            assert first not in purse_of(anna).joins
            async with Client(tmp_path / "boris", random=Patient()) as boris:
                await boris.register("Boris", link)
                await boris.accept_invite(link, "hello")
                await anna.accept(await until(anna, lambda: next(iter(anna.requests()), None)))
                chat = await until(boris, lambda: conversation_with(boris, anna))
                await boris.sent(await boris.send(chat, "the first message"))
                # No joining, no keys, no signatures until then.
                refills = [
                    e.request for e in operator.seen if isinstance(e.request, m.IssueTokens | m.JoinRelay)
                ]
                assert {request.member_secret for request in refills} == {purse_of(anna).secret}
                purse = purse_of(boris)
                assert purse.secret is None and purse.pending is None and purse.free() >= 4
                assert len(purse.joins) == 1
                assert all(held.shared for held in purse.stock)
                # Then it is filled, by the invited's own membership.
                purse.due = 0
                boris.loop.purses.of(purse.relay).wake()  # type: ignore[union-attr]
                await eventually(lambda: purse.free() >= FULL and len(purse.joins) == JOINS)
                assert purse.may_invite
                joins = [each.request for each in operator.seen if isinstance(each.request, m.JoinRelay)]
                assert [join.token is None for join in joins] == [False, False]
            assert refused_tokens(operator.seen) == []
        finally:
            await anna.close()


async def test_a_card_whose_tokens_somebody_spent_before_is_made_up_for(tmp_path: Path) -> None:
    data = tmp_path / "relay"
    async with paid_relay(data) as operator:
        anna = await member(tmp_path / "anna", operator, data)
        try:
            purse = purse_of(anna)
            give = purse.give
            given: list[bytes] = []

            def note(time: int) -> Any:
                gift = give(time)
                given.extend(gift.tokens or ())
                return gift

            purse.give = note  # type: ignore[method-assign]
            link = await anna.invite()
            thief = RawClient(operator.running.address, operator.running.identity)
            for token in given:
                assert await thief.exchange(m.CreateTopic(os.urandom(32), 30, token)) == m.Done()
            await thief.close()
            assert len(given) == GIVEN
            operator.seen.clear()
            async with Client(tmp_path / "boris") as boris:
                problems = raised(boris)
                await boris.register("Boris", link)
                await boris.accept_invite(link, "hello")
                await until(anna, lambda: next(iter(anna.requests()), None))
                assert problems == []
                assert not any(held.shared for held in purse_of(boris).stock)
            # Three in a row, and what was on its way meanwhile: key packages of two kinds, and an inbox.
            assert 3 <= len(refused_tokens(operator.seen)) <= 5
        finally:
            await anna.close()


async def test_an_invite_of_who_has_few_carries_what_there_is(tmp_path: Path) -> None:
    async with (
        paid_relay(tmp_path / "relay", open_use_tokens_first=16, open_use_tokens_per_day=1) as operator,
        account(tmp_path / "anna", "Anna", operator.link) as anna,
    ):
        await anna.settled()
        before = purse_of(anna).free()
        assert before == 16 - 6
        link = await anna.invite()
        assert purse_of(anna).free() == LEFT - 2
        async with Client(tmp_path / "boris") as boris:
            await boris.register("Boris", link)
            await boris.settled()
            invitation = await boris.accept_invite(link)
            assert invitation.name == "Anna"


# ---- spending


async def test_a_file_of_five_mib_is_paid_for_five_times(tmp_path: Path) -> None:
    data = tmp_path / "relay"
    path = tmp_path / "film.mkv"
    path.write_bytes(os.urandom(5_000_000))
    async with paid_relay(data) as operator:
        anna = await member(tmp_path / "anna", operator, data)
        try:
            async with account(tmp_path / "boris", "Boris", operator.link) as boris:
                chat, _ = await meet(anna, boris)
                operator.seen.clear()
                await anna.sent(await anna.send_file(chat, path))
            paid = [each.request for each in shown(operator.seen) if isinstance(each.request, m.PutBlob)]
            assert [request.offset for request in paid] == [n * 2**20 for n in range(5)]
            assert len({request.token for request in paid}) == 5
            stock = {held.token for held in purse_of(anna).stock}
            assert not stock & {request.token for request in paid}
        finally:
            await anna.close()


async def test_a_token_is_out_of_the_store_before_anybody_goes_on_from_the_answer(tmp_path: Path) -> None:
    """For files as for what the core asks."""
    data = tmp_path / "relay"
    path = tmp_path / "picture.jpg"
    path.write_bytes(os.urandom(3_000))
    async with paid_relay(data) as operator:
        anna = await member(tmp_path / "anna", operator, data)
        try:
            async with account(tmp_path / "boris", "Boris", operator.link) as boris:
                chat, _ = await meet(anna, boris)
                await anna.send_file(chat, path)
                await anna.settled()
            row = await anna.loop.in_store(lambda s: s.own(PURSE, anna.me.relay.identity))
            assert row is not None
            used = {e.request.token for e in shown(operator.seen) if isinstance(e.request, PAYABLE)}
            assert len(used) > 8
            assert not any(token in row for token in used if token)
            assert all(held.token in row for held in purse_of(anna).stock)
        finally:
            await anna.close()


@pytest.mark.parametrize("point", [REFILLING, PAYABLE], ids=["refill", "request"])
async def test_after_a_crash_at_any_point_nothing_is_lost_twice(
    tmp_path: Path, point: tuple[type, ...]
) -> None:
    """The relay has done request number n and its answer is lost with the device's power. One newcomer for each n."""
    data = tmp_path / "relay"
    async with paid_relay(data, joins_per_day=100) as operator:
        for number in range(20):
            operator.seen.clear()
            count = 0
            crashing = asyncio.Event()

            def decide(
                who: str, request: m.Request, number: int = number, crashing: asyncio.Event = crashing
            ) -> Decision:
                nonlocal count
                pays = isinstance(request, PAYABLE) and request.token is not None
                if isinstance(request, point) and (pays or point is REFILLING):
                    count += 1
                    if count == number + 1:
                        crashing.set()
                        return WITHHELD
                return None

            operator.decide = decide
            folder = tmp_path / f"anna {number}"
            client = Client(folder)
            await client.__aenter__()
            await client.register("Anna", operator.link)
            done = asyncio.ensure_future(_settled(client))
            await asyncio.wait({done, asyncio.ensure_future(crashing.wait())}, return_when="FIRST_COMPLETED")
            if not crashing.is_set():
                await client.close()
                assert number >= 4, "there were fewer points than there are"
                break
            done.cancel()
            await crash(client)
            operator.release()
            operator.behave()
            async with Client(folder) as again:
                await _settled(again)
                purse = purse_of(again)
                used = {e.request.token for e in shown(operator.seen) if isinstance(e.request, PAYABLE)}
                # Two requests may be on their way at once, of key packages of two kinds.
                refused = [e.request.token for e in refused_tokens(operator.seen)]  # type: ignore[union-attr]
                assert len(set(refused)) == len(refused) <= 2
                joined = {
                    e.request.member_secret for e in operator.seen if isinstance(e.request, m.JoinRelay)
                }
                assert len(joined) == 1
                stock = {held.token for held in purse.stock}
                pending = () if purse.pending is None else purse.pending.tokens
                coming = {token.blinding.blinded for token in pending} & issued(operator.seen)
                assert len(used) + len(stock) + len(coming) == len(issued(operator.seen)), number
                assert not stock & used
        else:
            pytest.fail("there are more points than this test goes through")


async def _settled(client: Client) -> None:
    """With its key packages on the relay, and something left in its purse."""
    await client.settled(WAIT)
    await eventually(lambda: purse_of(client).free() > 0)


async def test_requests_that_wait_for_tokens_fail_with_the_connection_and_are_made_anew(
    tmp_path: Path,
) -> None:
    async with paid_relay(tmp_path / "relay") as operator:
        operator.decide = lambda who, request: WITHHELD if isinstance(request, m.IssueTokens) else None
        async with Client(tmp_path / "anna") as anna:
            await anna.register("Anna", operator.link)
            link = await until(anna, lambda: anna.loop.links.get(anna.me.relay.identity))
            await eventually(lambda: link.has_unpaid() and operator.held)
            operator.hang_up("")
            await eventually(lambda: not link.has_unpaid())
            await eventually(link.has_unpaid)
            operator.behave()
            operator.release()
            await anna.settled(WAIT)
            assert not link.has_unpaid() and purse_of(anna).free() > 0


# ---- what stands against paying


async def test_a_budget_that_is_used_up_is_told_and_made_up_for_the_next_day(tmp_path: Path) -> None:
    clock = Clock()
    small: dict[str, Any] = {
        "open_use_tokens_first": 8,
        "open_use_tokens_per_day": 8,
        "open_use_tokens_saved": 16,
    }
    path = tmp_path / "film.mkv"
    path.write_bytes(os.urandom(5_000_000))
    async with (
        paid_relay(tmp_path / "relay", clock=clock, **small) as operator,
        Client(tmp_path / "anna", clock=clock) as anna,
        Client(tmp_path / "boris", clock=clock) as boris,
    ):
        problems = raised(anna)
        await anna.register("Anna", operator.link)
        await anna.settled()
        assert problems == []
        link = await anna.invite()
        with pytest.raises(ClientError) as told:
            await anna.invite()
        assert (told.value.code, problems) == (NO_TOKENS, [NO_TOKENS])
        assert "tried again" in str(told.value)
        assert purse_of(anna).free() == 0
        asked = len(operator.seen)
        look(anna)
        await anna.settled()
        assert kinds(operator.seen[asked:], m.IssueTokens) == [], "not before the relay said"
        clock.shift += DAY
        operator.relay.refresh_keys()
        look(anna)
        await until(anna, lambda: all(invite.link for invite in anna.invites()))
        assert anna.loop.purses.refusal(anna.me.relay.identity) is None
        await boris.register("Boris", link)
        await boris.accept_invite(link, "hello")
        view = await anna.accept(await until(anna, lambda: next(iter(anna.requests()), None)))
        await until(anna, lambda: anna.conversation(view).state == "active")
        # A file is told at once that there is nothing to pay it with, and goes on the day after.
        with pytest.raises(ClientError) as late:
            await anna.send_file(view, path)
        assert late.value.code == NO_TOKENS
        for _ in range(3):
            clock.shift += DAY
            operator.relay.refresh_keys()
        look(anna)
        assert (await anna.send_file(view, path)).file is not None


async def test_a_relay_that_marks_people_is_asked_for_nothing_more(tmp_path: Path) -> None:
    spki = encode_spki(int.from_bytes(b"\xc1" + bytes(254) + b"\x01", "big"))
    async with (
        paid_relay(tmp_path / "relay") as operator,
        account(tmp_path / "anna", "Anna", operator.link) as anna,
    ):
        await anna.settled()

        def mark(who: str, request: m.Request, response: m.Response) -> m.Response:
            if not isinstance(response, m.SignedTokenKeys):
                return response
            keys = verify_token_keys(operator.running.identity, response).keys
            return sign_token_keys(operator.seed, [replace(key, spki=spki) for key in keys])

        operator.change = mark
        problems = raised(anna)
        purse = purse_of(anna)
        await eventually(lambda: not purse.may_invite and purse.pending is None)
        del purse.stock[3:]
        operator.seen.clear()
        look(anna)
        await eventually(lambda: problems)
        assert problems == [KEYS_DIFFER]
        assert kinds(operator.seen, *REFILLING) == ["GetTokenKeys"]
        # What is there is used; then the person is told.
        await anna.invite()
        assert purse.free() == 1
        with pytest.raises(ClientError) as told:
            await anna.invite()
        assert told.value.code == KEYS_DIFFER
        assert kinds(operator.seen, *REFILLING) == ["GetTokenKeys"]


async def test_a_relay_that_takes_no_token_at_all_is_left_for_an_hour(tmp_path: Path) -> None:
    async with paid_relay(tmp_path / "relay") as operator, Client(tmp_path / "anna") as anna:
        operator.decide = lambda who, request: (
            m.Refused(m.RefusalCode.TOKEN) if isinstance(request, m.CreateInbox) else None
        )
        await anna.register("Anna", operator.link)
        await anna.settled()
        problems = raised(anna)
        operator.seen.clear()
        with pytest.raises(ClientError) as told:
            await anna.invite()
        assert (told.value.code, problems) == (NO_TOKENS, [NO_TOKENS])
        tried = [each for each in refused_tokens(operator.seen) if isinstance(each.request, m.CreateInbox)]
        assert len(tried) == 4
        operator.behave()
        look(anna)
        await anna.settled()
        assert kinds(operator.seen, m.CreateInbox) == ["CreateInbox"] * 4


# ---- relays that change


async def test_a_relay_that_begins_to_want_tokens_and_ends_it(tmp_path: Path) -> None:
    async with paid_relay(tmp_path / "relay", tokens="off") as operator, AsyncExitStack() as stack:
        anna = await stack.enter_async_context(account(tmp_path / "anna", "Anna", operator.link))
        boris = await stack.enter_async_context(account(tmp_path / "boris", "Boris", operator.link))
        clara = await stack.enter_async_context(account(tmp_path / "clara", "Clara", operator.link))
        await meet(anna, boris)
        assert kinds(operator.seen, *REFILLING) == []
        operator.relay.tokens.is_required = True
        chat, _ = await meet(anna, clara)
        assert kinds(operator.seen, m.JoinRelay)
        await anna.sent(await anna.send(chat, "paid"))
        operator.relay.tokens.is_required = False
        chat, _ = await meet(boris, clara)
        await clara.send(chat, "free")
        await sees(boris, chat, "free")
        assert refused_tokens(operator.seen) == []


async def test_a_relay_that_came_back_from_a_backup_knows_its_members_again(tmp_path: Path) -> None:
    data, backup, again = tmp_path / "data", tmp_path / "backup", tmp_path / "again"
    async with AsyncExitStack() as stack:
        async with paid_relay(data, tokens="off") as operator:
            port = operator.running.port
            anna = await stack.enter_async_context(account(tmp_path / "anna", "Anna", operator.link))
            boris = await stack.enter_async_context(account(tmp_path / "boris", "Boris", operator.link))
            for client in (anna, boris):
                await client.settled()
            make_backup(data, backup, operator.relay.now())
            operator.relay.tokens.is_required = True
            for client in (anna, boris):
                await client.invite()
        restore_backup(backup, again, anna.loop.now())
        async with paid_relay(again, port=port) as operator:
            # Both joined after the backup: the relay knows no member, and that none of their tokens is spent.
            for client in (anna, boris):
                del purse_of(client).stock[2:]
                client.retry_now()
            await meet(anna, boris)
            asked = [each for each in operator.seen if isinstance(each.request, REFILLING)]
            told = [each.response for each in asked if isinstance(each.request, m.IssueTokens)]
            assert m.Refused(m.RefusalCode.NO_MEMBER) in told
            for client in (anna, boris):
                assert purse_of(client).is_member and not purse_of(client).keys_differ


async def test_a_relay_that_is_let_go_of_takes_its_tokens_along(tmp_path: Path) -> None:
    async with (
        paid_relay(tmp_path / "relay") as operator,
        account(tmp_path / "anna", "Anna", operator.link) as anna,
    ):
        await anna.settled()
        home = anna.me.relay.identity
        purses = anna.loop.purses
        old = purses._purse(home)
        (save,) = [each for each in purses.changes([DropRelay(home)], anna.loop.now()) if each.key == home]
        assert save.value is None
        assert purses._purse(home).stock == []
        # What is still under way writes nothing back.
        old.changed()
        await purses._save(old)
        assert purses._purse(home) is not old


async def test_tokens_of_a_card_are_kept_while_its_relay_is_not_connected(tmp_path: Path) -> None:
    """Between opening an invite of another relay and asking for contact nothing needs that relay."""
    other = tmp_path / "other"
    async with paid_relay(tmp_path / "relay") as operator, paid_relay(other) as theirs:
        anna = await member(tmp_path / "anna", theirs, other)
        try:
            async with account(tmp_path / "boris", "Boris", operator.link) as boris:
                invitation = await boris.open_invite(await anna.invite())
                relay = theirs.running.identity
                await until(boris, lambda: relay not in boris.loop.links)
                assert len(purse_of(boris, relay).stock) == GIVEN
                row = await boris.loop.in_store(lambda s: s.own(PURSE, relay))
                assert row is not None and purse_of(boris, relay).stock[0].token in row
                await boris.request_contact(invitation, "hello")
                await anna.accept(await until(anna, lambda: next(iter(anna.requests()), None)))
                chat = await until(boris, lambda: conversation_with(boris, anna))
                await boris.send(chat, "x" * 6_000)  # in a blob, on the other relay
                await sees(anna, conversation_with(anna, boris), "x" * 6_000)  # type: ignore[arg-type]
            assert refused_tokens(theirs.seen) == []
        finally:
            await anna.close()
