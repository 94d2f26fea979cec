"""docs/sdk.md: its program runs as it stands, and every call that it names is there."""

from __future__ import annotations

import asyncio
import importlib.util
import re
from pathlib import Path

import pytest

import polynya
from polynya.testing import Friend, LocalRelay
from tests.bots.documents import ROOT, python_blocks
from tests.client.people import until

TEXT = (ROOT / "docs" / "sdk.md").read_text("utf-8")


async def test_the_program_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = python_blocks(TEXT)
    (tmp_path / "hello.py").write_text(code, "utf-8")
    spec = importlib.util.spec_from_file_location("hello", tmp_path / "hello.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    async with LocalRelay(tmp_path / "relay") as relay, Friend("Boris", relay.link) as boris:
        invite = await boris.client.invite()
        events = boris.client.events()
        program = asyncio.create_task(module.main(tmp_path / "anna", relay.link, invite))
        request = await until(boris.client, lambda: boris.client.requests())
        assert request[0].text == "It is me, Anna"
        await boris.client.accept(request[0])
        async with asyncio.timeout(60):
            async for event in events:
                if isinstance(event, polynya.MessageReceived):
                    await boris.client.send(event.message.conversation, "welcome")
                    break
            await program
    assert capsys.readouterr().out == "Boris gets my request\nBoris: welcome\n"


def test_every_call_that_is_named_exists() -> None:
    table = TEXT.partition("## What each call does")[2].partition("## Events")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)", row)}
    assert len(named) > 35
    assert {name for name in named if not hasattr(polynya.Client, name)} == set()
    public = {name for name in vars(polynya.Client) if not name.startswith("_")}
    mentioned = set(re.findall(r"\w+", TEXT))
    assert public - mentioned - {"loop", "keep", "message"} == set()


def test_every_event_is_named_and_exported() -> None:
    from polynya.client import appevents

    events = {each.__name__ for each in appevents.ClientEvent.__args__}
    section = TEXT.partition("## Events")[2].partition("## Errors")[0]
    assert {name for name in events if f"`{name}`" not in section or not hasattr(polynya, name)} == set()


def test_public_names_are_what_they_say() -> None:
    for name in polynya.__all__:
        assert getattr(polynya, name) is not None
        assert name in dir(polynya)
    with pytest.raises(AttributeError):
        polynya.nonsense  # noqa: B018
