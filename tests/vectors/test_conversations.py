"""Recorded lives of devices lead to the same commands again."""

from __future__ import annotations

import pytest

from polynya.core import commands as c
from polynya.core import events as e
from polynya.core.core import Core
from polynya.core.errors import CoreError
from tests.vectors import conversations
from tests.vectors.recorded import Case, RecordedRandom


@pytest.mark.parametrize("name", [path.stem for path in conversations.files()])
def test_conversation(name: str) -> None:
    for life in conversations.lives(name):
        _live(life)


def test_every_scenario_is_recorded() -> None:
    assert [path.stem for path in conversations.files()] == sorted(conversations.SCENARIOS)


def _live(life: Case) -> None:
    core = Core()
    rows: dict[tuple[str, bytes], bytes] = {}
    assert life["steps"]
    for place, step in enumerate(life["steps"]):
        if "reload" in step:
            core = Core.load([(table, key, value) for (table, key), value in rows.items()])
            continue
        where = (life["name"], place, step.get("event", {}).get("type"))
        random = RecordedRandom(step["random"])
        try:
            if "event" in step:
                event = conversations.from_json(e.Event, step["event"])
                commands = core.handle(event, step["now"], random)
            else:
                commands = core.start(step["now"], random)
        except CoreError as error:
            assert (where, error.code) == (where, step.get("error"))
            continue
        random.assert_used()
        assert (where, conversations.of_commands(commands)) == (where, step.get("commands"))
        for command in commands:
            if isinstance(command, c.Save):
                if command.value is None:
                    rows.pop((command.table, command.key), None)
                else:
                    rows[command.table, command.key] = command.value
