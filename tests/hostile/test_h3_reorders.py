"""H3: the relay reorders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from polynya.wire import messages as m
from tests.client.people import everybody_sees, sees
from tests.hostile.crowd import crowd, shows, topic_of


async def test_pushes_and_answers_in_any_order_are_read_by_their_numbers(tmp_path: Path) -> None:
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        kept: list[m.Push] = []

        def backwards(who: str, push: m.Push) -> Sequence[m.Push]:
            kept.append(push)
            if len(kept) < 3:
                return ()
            found, kept[:] = kept[::-1], []
            return found

        here.operator.deliver = backwards
        here.operator.change = lambda who, request, response: (
            m.Records(response.entries[::-1], response.head) if isinstance(response, m.Records) else response
        )
        for n in range(6):
            await anna.sent(await anna.send(chat, f"message {n}"))
        await everybody_sees([anna, boris], chat, *(f"message {n}" for n in range(6)))
        here.operator.behave()
        await boris.sent(await boris.send(chat, "answer"))
        await sees(anna, chat, *(f"message {n}" for n in range(6)), "answer")
        assert [client.conversation(chat).problem for client in (anna, boris)] == [None, None]


async def test_two_messages_in_each_others_place_show_when_somebody_writes(tmp_path: Path) -> None:
    """Only Boris is shown the two in the other order."""
    async with crowd(tmp_path) as here:
        chat, (anna, boris, clara) = await here.group("anna", "boris", "clara")
        first = topic_of(boris, chat).seq + 1
        pair: dict[int, m.Entry] = {}

        def swap(who: str, push: m.Push) -> Sequence[m.Push]:
            if who != "boris" or push.source != topic_of(boris, chat).id or push.entry.seq > first + 1:
                return (push,)
            pair[push.entry.seq] = push.entry
            if len(pair) < 2:
                return ()
            swapped = (replace(pair[first + 1], seq=first), replace(pair[first], seq=first + 1))
            return [m.Push(push.source, entry) for entry in swapped]

        here.operator.deliver = swap
        await anna.sent(await anna.send(chat, "yes"))
        await clara.sent(await clara.send(chat, "no"))
        await sees(boris, chat, "no", "yes")
        await sees(anna, chat, "yes", "no")
        await shows(boris, chat, "history-differs")  # by Clara's word that she has read Anna's
        await boris.sent(await boris.send(chat, "as I see it"))
        await shows(anna, chat, "history-differs")
        await shows(clara, chat, "history-differs")
