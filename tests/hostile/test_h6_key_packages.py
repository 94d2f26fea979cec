"""H6: the relay hands out key packages that it should not."""

from __future__ import annotations

from pathlib import Path

from polynya.wire import messages as m
from tests.client.people import member_of, sees, until
from tests.hostile.crowd import crowd, eventually, owners_of, shows, topic_of


async def test_a_one_time_package_handed_out_twice_leads_nowhere_the_second_time(tmp_path: Path) -> None:
    """Its private key was destroyed at its first use. The second group has a member who never comes: adding anew helps."""
    async with crowd(tmp_path) as here:
        anna, boris = await here.friends("anna", "boris")
        owners = owners_of(boris)
        taken: list[m.KeyPackageTaken] = []

        def replay(who: str, request: m.Request, response: m.Response) -> m.Response:
            if not isinstance(response, m.KeyPackageTaken) or not isinstance(request, m.TakeKeyPackage):
                return response
            assert request.owner in owners
            taken.append(response)
            return taken[0]

        here.operator.change = replay
        first = await anna.create_group("First", [boris.me.identity])
        await member_of(boris, first.id, 2)
        second = await anna.create_group("Second", [boris.me.identity])
        await until(anna, lambda: len(anna.conversation(second).members) == 2)
        await anna.settled()
        assert len(taken) == 2 and taken[0].package != taken[1].package
        message = await anna.sent(await anna.send(second, "are you there?"))
        await eventually(lambda: boris.loop.core.counters().get("welcome-bad"))
        assert {view.name for view in boris.conversations()} == {"Anna", "First"}
        assert (await anna.message(second.id, message.id)).delivered_to == ()
        here.operator.behave()
        await anna.remove(second, boris.me.identity)
        await until(anna, lambda: len(anna.conversation(second).members) == 1)
        await anna.add(second, boris.me.identity)
        await member_of(boris, second.id, 2)
        await anna.sent(await anna.send(second, "now you are"))
        await sees(boris, second.id, "now you are")


class Spent:
    """A rate that no take is within: only the last-resort package is given out."""

    def take(self, owner: bytes, now: float) -> int:
        return 1


async def test_the_last_resort_alone_works_and_its_leaf_is_renewed_at_once(tmp_path: Path) -> None:
    """Nobody sees it; what it costs is limited to what was sent before the renewal."""
    async with crowd(tmp_path) as here:
        anna, boris = await here.friends("anna", "boris")
        here.operator.relay.takes = Spent()  # type: ignore[assignment]
        chat = (await anna.create_group("Lake trip", [boris.me.identity])).id
        await member_of(boris, chat, 2)
        await boris.sent(await boris.send(chat, "here I am"))
        await sees(anna, chat, "here I am")
        slots = [entry.slot for entry in await here.operator.entries(topic_of(anna, chat).id) if entry.slot]
        assert len(slots) == len(set(slots)) == 2, "the adding, and Boris's renewal of his leaf"


async def test_another_owners_package_is_not_taken(tmp_path: Path) -> None:
    async with crowd(tmp_path) as here:
        anna, boris, clara = await here.friends("anna", "boris", "clara")
        of_boris, of_clara = owners_of(boris), owners_of(clara)
        theirs: list[m.KeyPackageTaken] = []

        def foreign(who: str, request: m.Request, response: m.Response) -> m.Response:
            if not isinstance(request, m.TakeKeyPackage) or not isinstance(response, m.KeyPackageTaken):
                return response
            if request.owner in of_clara:
                theirs.append(response)
            return theirs[0] if request.owner in of_boris else response

        here.operator.change = foreign
        await member_of(clara, (await anna.create_group("With Clara", [clara.me.identity])).id, 2)
        group = (await anna.create_group("With Boris", [boris.me.identity])).id
        await shows(anna, group, "bad-key-package")
        assert [member.name for member in anna.conversation(group).members] == ["Anna"]
        here.operator.behave()
        await anna.add(group, boris.me.identity)
        await member_of(boris, group, 2)
        await shows(anna, group, None)
