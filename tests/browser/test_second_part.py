"""The second part of the app does not come: a first message goes without it, and nothing is lost until it is there."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route

from tests.browser.test_chat import founder
from tests.browser.world import World

pytestmark = [pytest.mark.browser, pytest.mark.netns]


def test_a_first_message_goes_while_the_rest_of_the_app_cannot_be_had(here: World) -> None:
    anna, boris = founder(here), here.person("Boris")
    failed: list[str] = []
    brought: list[str] = []
    blocked = True

    def fetch(route: Route) -> None:
        (failed if blocked else brought).append(route.request.url)
        if blocked:
            route.abort()
        else:
            route.continue_()

    link = anna.invite()
    boris.open("about:blank")
    # The service worker would fetch it in the page's place.
    boris.context.route("**/sw.js", lambda route: route.abort())
    boris.context.route("**/assets/acts-*", fetch)
    boris.page.goto(link)
    boris.register()
    boris.ask("It is me, Boris")
    anna.accept("Boris")
    boris.see("Write the first message")
    boris.write("Without the rest")
    anna.reads("Without the rest")
    assert failed and not brought
    blocked = False
    boris.page.evaluate("dispatchEvent(new Event('online'))")
    anna.write("Now with it")
    boris.reads("Now with it")
    boris.status("Without the rest", "Sent", "Delivered", "Read")
    # A browser asks once for an address that has failed: each attempt was for another one.
    assert len(brought) == 1
    assert len({*failed, *brought}) == len(failed) + 1
