"""The main job, as people do it: browsers, a command line and the relay on hosts of their own, over HTTPS."""

from __future__ import annotations

import pytest

from tests.browser.person import Person
from tests.browser.world import World

DAY = 86_400_000
pytestmark = [pytest.mark.browser, pytest.mark.netns]


def founder(here: World, name: str = "Anna") -> Person:
    """Somebody who has opened the link that the relay printed."""
    person = here.person(name)
    person.open(here.relay.link)
    person.register()
    person.see("Nobody here yet")
    return person


def test_two_people_meet_by_a_link_and_chat(here: World) -> None:
    anna, boris = founder(here), here.person("Boris")
    here.meet(anna, boris)
    anna.write("Hello Boris")
    boris.reads("Hello Boris")
    boris.write("Hello Anna")
    anna.reads("Hello Anna")
    anna.status("Hello Boris", "Delivered", "Read")
    boris.status("Hello Anna", "Delivered", "Read")


def test_a_group_of_five_with_two_at_command_lines_and_one_removed(here: World) -> None:
    anna, boris, clara = founder(here), here.person("Boris"), here.person("Clara")
    for friend in (boris, clara):
        here.meet(anna, friend)
    typists = [here.typist("Dora"), here.typist("Emil")]
    for typist in typists:
        typist.register(here.relay.link)
        typist.run("accept", anna.invite())
        anna.accept(typist.name)
    anna.create_group("Trip", ["Boris", "Clara", "Dora", "Emil"])
    anna.write("Who brings a map?")
    for person in (boris, clara):
        person.enter("Trip")
        person.reads("Who brings a map?")
    for typist in typists:
        typist.reads("Trip", "Who brings a map?")
        typist.run("send", "Trip", f"{typist.name} brings one")
        for person in (anna, boris, clara):
            person.reads(f"{typist.name} brings one")

    anna.remove("Trip", "Clara")
    anna.enter("Trip")
    anna.write("Clara is out")
    boris.reads("Clara is out")
    for typist in typists:
        typist.reads("Trip", "Clara is out")
    clara.see("You were removed from this group")
    assert "Clara is out" not in clara.texts()


def test_a_group_moves_to_lighter_encryption_and_back(here: World) -> None:
    """From a browser and from a command line; each follows the other."""
    anna, boris, dora = founder(here), here.person("Boris"), here.typist("Dora")
    here.meet(anna, boris)
    dora.register(here.relay.link)
    dora.run("accept", anna.invite())
    anna.accept("Dora")
    anna.create_group("Trip", ["Boris", "Dora"])
    anna.write("Before")
    boris.enter("Trip")
    boris.reads("Before")
    dora.reads("Trip", "Before")
    anna.move("Trip", "lighter")
    for person in (anna, boris):
        person.see("From here on this chat has standard encryption")
    boris.write("After")
    anna.reads("After")
    dora.reads("Trip", "After")

    dora.run("group", "create", "Choir", "Anna")
    anna.enter("Choir")
    dora.run("group", "move", "Choir", "classical")
    dora.run("send", "Choir", "From the terminal")
    anna.see("From here on this chat has standard encryption")
    anna.reads("From the terminal")
    anna.write("From the browser")
    dora.reads("Choir", "From the browser")
    dora.run("group", "move", "Choir", "post-quantum")
    dora.run("send", "Choir", "And back")
    anna.see("From here on this chat is protected against quantum computers")
    anna.reads("And back")


def test_what_is_written_offline_arrives_after_the_return(here: World) -> None:
    anna, boris = founder(here), here.person("Boris")
    here.meet(anna, boris)
    here.host(boris).unplug()
    boris.write("Written in a tunnel")
    boris.status("Written in a tunnel", "Waiting to be sent")
    anna.write("Where are you?")
    here.host(boris).plug()
    anna.reads("Written in a tunnel")
    boris.reads("Where are you?")


def test_a_killed_relay_loses_nothing(here: World) -> None:
    anna, boris = founder(here), here.person("Boris")
    here.meet(anna, boris)
    for number in range(5):
        anna.write(f"before {number}")
    anna.status("before 4", "Sent", "Delivered", "Read")
    here.relay.kill()
    anna.write("while it is dead")
    boris.write("so do I")
    here.relay.start()
    for number in range(5):
        boris.reads(f"before {number}")
    boris.reads("while it is dead")
    anna.reads("so do I")


def test_the_app_opens_with_the_relay_dead_and_shows_what_it_has(here: World) -> None:
    anna, boris = founder(here), here.person("Boris")
    here.meet(anna, boris)
    anna.write("Keep this")
    boris.reads("Keep this")
    boris.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    boris.close()
    here.relay.kill()
    boris.open(here.relay.address)
    boris.enter("Anna")
    boris.reads("Keep this")
    boris.write("For later")
    boris.status("For later", "Waiting to be sent")
    here.relay.start()
    anna.reads("For later")


def test_a_second_tab_takes_over_and_the_first_lets_go(here: World) -> None:
    anna, boris = founder(here), here.person("Boris")
    here.meet(anna, boris)
    first = boris.page
    boris.open(here.relay.address)
    boris.see("Polynya is open in another tab")
    boris.press("Use it here")
    boris.enter("Anna")
    boris.write("From the second tab")
    anna.reads("From the second tab")
    second, boris.page = boris.page, first
    boris.see("Polynya is open in another tab")
    boris.page = second
    anna.write("Once only")
    boris.reads("Once only")


def test_a_clock_that_is_days_wrong_does_not_matter(here: World) -> None:
    anna, boris = founder(here), here.person("Boris", shift=-3 * DAY)
    here.meet(anna, boris)
    boris.write("What day is it?")
    anna.reads("What day is it?")
    anna.write("Not yours")
    boris.reads("Not yours")


def test_lost_browser_storage_is_a_new_beginning_and_no_crash(here: World) -> None:
    anna, boris = founder(here), here.person("Boris")
    here.meet(anna, boris)
    boris.close()
    boris.lose_storage()
    boris.open(here.relay.link)
    boris.register()
    boris.see("Nobody here yet")
    boris.close()
    anna.write("Are you there?")
    anna.status("Are you there?", "Sent")


def test_a_full_disk_at_the_relay_delays_and_loses_nothing(here: World) -> None:
    with here.relay_on_small_disk() as disk:
        anna, boris = founder(here), here.person("Boris")
        here.meet(anna, boris)
        anna.write("While there is room")
        boris.reads("While there is room")
        disk.fill()
        anna.write("There is none")
        anna.status("There is none", "Waiting to be sent")
        disk.free()
        boris.reads("There is none")
        anna.status("There is none", "Sent", "Delivered", "Read")
        anna.close()
        boris.close()
