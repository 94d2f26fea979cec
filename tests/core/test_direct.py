"""Two people: invite, request, accept, talk."""

from __future__ import annotations

from tests.support.world import World


def test_two_people_talk() -> None:
    world = World()
    anna, boris = world.people("anna", "boris")
    world.settle()
    chat = world.befriend(anna, boris)
    anna.say(chat, "hello")
    boris.say(chat, "hi")
    world.settle()
    assert sorted(anna.texts(chat)) == ["hello", "hi"]
    assert anna.texts(chat) == boris.texts(chat)
    assert [v.status for v in anna.messages(chat) if v.mine] == ["sent"]
