"""H2: the relay repeats."""

from __future__ import annotations

from pathlib import Path

from polynya.wire import messages as m
from tests.client.people import everybody_sees, sees, texts, until
from tests.hostile.crowd import crowd, eventually, rest, shows, topic_of


async def test_everything_told_three_times_counts_once(tmp_path: Path) -> None:
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        here.operator.deliver = lambda who, push: (push, push, push)
        here.operator.change = lambda who, request, response: (
            m.Records(response.entries * 3, response.head) if isinstance(response, m.Records) else response
        )
        for n in range(3):
            await anna.sent(await anna.send(chat, f"message {n}"))
        await anna.rename(chat, "Renamed")
        await boris.sent(await boris.send(chat, "answer"))
        await here.again("boris")
        await until(boris, lambda: boris.conversation(chat).name == "Renamed")
        await everybody_sees([anna, boris], chat, "message 0", "message 1", "message 2", "answer")
        kinds = [one.system.kind for one in await boris.history(chat, 100) if one.system is not None]
        assert kinds.count("renamed") == 1
        assert [client.conversation(chat).problem for client in (anna, boris)] == [None, None]


async def test_an_old_record_in_a_new_place_is_opened_by_nobody(tmp_path: Path) -> None:
    """Boris is shown Anna's message again behind the log's end: its key is gone, and the place is not empty for long."""
    async with crowd(tmp_path) as here:
        chat, (anna, boris, clara) = await here.group("anna", "boris", "clara")
        before = topic_of(anna, chat).seq
        await anna.sent(await anna.send(chat, "once"))
        await everybody_sees([anna, boris, clara], chat, "once")
        await rest(anna, boris, clara)
        entries = await here.operator.entries(topic_of(boris, chat).id)
        await eventually(lambda: topic_of(boris, chat).seq == entries[-1].seq)
        topic = topic_of(boris, chat)
        again = next(entry for entry in entries if entry.seq > before)
        repeated = m.Entry(topic.seq + 1, here.operator.relay.now(), record=again.record)
        here.operator.push("boris", m.Push(topic.id, repeated))
        await clara.sent(await clara.send(chat, "in the place of the repeated one"))
        await boris.sent(await boris.send(chat, "as I see it"))
        await shows(anna, chat, "history-differs")
        await clara.sent(await clara.send(chat, "and everybody sees"))
        await shows(boris, chat, "history-differs")
        assert (await texts(boris, chat)).count("once") == 1
        await sees(
            anna, chat, "once", "in the place of the repeated one", "as I see it", "and everybody sees"
        )
