"""The command as people and scripts use it: two accounts and a relay, all by `polynya`."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from polynya import __version__
from polynya.cli import main
from polynya.testing import configure
from tests.bots.documents import ROOT


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PASSPHRASE", "LOG", "RELAY", "NAME"):
        monkeypatch.delenv(f"POLYNYA_{name}", raising=False)
    monkeypatch.setenv("POLYNYA_STORE", str(tmp_path / "default"))


class Relay:
    """`polynya up` beside the test, without an event loop here."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._process: subprocess.Popen[str] | None = None
        self.link = ""
        self._port = "0"

    def start(self) -> None:
        configure(self._data)
        words = ["up", "--print-link", "--data", str(self._data), "--port", self._port, "--local", "off"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "polynya", *words], stdout=subprocess.PIPE, text=True, env=environment()
        )
        assert self._process.stdout is not None
        self.link = self._process.stdout.readline().strip()
        assert self.link.startswith("http")
        self._port = self.link.split("/")[2].rpartition(":")[2]

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), **more}


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    relay = Relay(tmp_path_factory.mktemp("relay") / "data")
    relay.start()
    yield relay
    relay.stop()


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def values(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


class Person:
    """One account at the command line."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def run(self, *words: str, code: int = 0) -> Ran:
        self._capsys.readouterr()
        try:
            got = main([*words[:1], "--store", str(self.folder), *words[1:]] if words[0] != "group" else
                       [*words[:2], "--store", str(self.folder), *words[2:]])  # fmt: skip
        except SystemExit as exit:
            got = int(exit.code or 0)
        captured = self._capsys.readouterr()
        ran = Ran(got, captured.out, captured.err)
        assert ran.code == code, ran
        if code == 1:
            assert re.fullmatch(r"polynya: [^\n]+\n", ran.err), "one line says what is wrong"
        return ran


@pytest.fixture
def anna(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Person:
    return Person(tmp_path / "anna", capsys)


@pytest.fixture
def boris(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Person:
    return Person(tmp_path / "boris", capsys)


@pytest.fixture
def friends(relay: Relay, anna: Person, boris: Person) -> tuple[Person, Person]:
    """Anna and Boris, who have met."""
    anna.run("register", "Anna", relay.link)
    boris.run("register", "Boris", relay.link)
    (link,) = anna.run("invite").lines
    assert "gets your request" in boris.run("accept", link, "--text", "it is me").out
    (request,) = anna.run("requests").lines
    assert re.fullmatch(r"[0-9a-f]{8}  Boris: it is me", request)
    assert "Boris is your contact now" in anna.run("requests", "accept").out
    assert re.fullmatch(r"[0-9a-f]{8}  Anna", boris.run("chats").lines[0])
    return anna, boris


def test_two_people_talk(friends: tuple[Person, Person]) -> None:
    anna, boris = friends
    anna.run("send", "Boris", "hello\x1b[2J\u202e there")
    boris.run("tail", "--once", "--json")
    assert boris.run("chats", "--json").values[0]["unread"] == 1
    got = boris.run("tail", "--once").lines
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d  Anna  Anna: hello\[2J there", got[-1])
    assert boris.run("chats", "--json").values[0]["unread"] == 0
    (value,) = [v for v in boris.run("tail", "--once", "--json").values if v["kind"] == "text"]
    assert value["text"] == "hello\x1b[2J\u202e there"
    assert (value["sender_name"], value["mine"], value["status"]) == ("Anna", False, None)
    boris.run("send", value["chat"][:8], "an answer", "--reply", value["id"][:6])
    answer = [
        v for v in anna.run("tail", "boris", "--once", "--json", "-n", "0").values if v["kind"] == "text"
    ]
    assert [(v["text"], v["reply_to"]) for v in answer] == [("an answer", value["id"])]
    mine = [v for v in anna.run("tail", "--once", "--json").values if v["mine"] and v["kind"] == "text"]
    assert mine[0]["delivered_to"] == mine[0]["read_by"] == [answer[0]["sender"]]


def test_every_field_of_the_documents_is_there_and_no_other(friends: tuple[Person, Person]) -> None:
    anna, _ = friends
    text = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    tables = {
        command: set(
            re.findall(r"^\| `(\w+)`", text.split(f"### `{command}", 1)[1].split("\n#", 1)[0], re.MULTILINE)
        )
        for command in (
            "tail --json`",
            "chats --json`",
            "contacts --json`",
            "requests --json`",
            "whoami --json`",
            "status --json`",
        )
    }
    sent = anna.run("send", "Boris", "x", "--json").values
    assert [set(v) for v in sent] == [tables["tail --json`"]]
    for command in ("chats", "contacts", "whoami", "status"):
        assert set(anna.run(command, "--json").values[0]) == tables[f"{command} --json`"], command
    from polynya.cli.output import request_json
    from polynya.core.views import RequestView

    assert set(request_json(RequestView(b"", b"", "", None, 0, ()))) == tables["requests --json`"]


def test_new_messages_are_shown_once(friends: tuple[Person, Person]) -> None:
    anna, boris = friends
    boris.run("tail", "--new", "--once")
    for number in range(3):
        anna.run("send", "Boris", f"number {number}")
    assert [v["text"] for v in boris.run("tail", "--new", "--once", "--json").values] == [
        "number 0",
        "number 1",
        "number 2",
    ]
    assert boris.run("tail", "--new", "--once").lines == []


def test_text_comes_from_standard_input(
    friends: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    anna, _ = friends
    path = tmp_path / "input"

    def feed(data: bytes) -> None:
        path.write_bytes(data)
        monkeypatch.setattr(sys, "stdin", path.open(encoding="utf-8"))

    feed("two\nlines \u044f\n".encode())
    assert anna.run("send", "Boris", "-", "--json").values[0]["text"] == "two\nlines \u044f"
    feed(b"\xff\xfe")
    assert "--file" in anna.run("send", "Boris", "-", code=1).err
    feed(b"  \n")
    assert "nothing to send" in anna.run("send", "Boris", "-", code=1).err
    assert "nothing to send" in anna.run("send", "Boris", code=1).err


def test_files_go_and_come(friends: tuple[Person, Person], tmp_path: Path) -> None:
    anna, boris = friends
    path = tmp_path / "report.pdf"
    path.write_bytes(os.urandom(100_000))
    anna.run("send", "Boris", "the report", "--file", str(path))
    line = boris.run("tail", "--once").lines[-1]
    found = re.search(r"\[file report\.pdf, 100000 bytes, id ([0-9a-f]{8})\] the report$", line)
    assert found is not None
    (tmp_path / "down").mkdir()
    (target,) = boris.run("download", "Anna", found[1], "--to", str(tmp_path / "down")).lines
    assert Path(target).read_bytes() == path.read_bytes()
    assert "Check its name" in anna.run("send", "Boris", "--file", str(tmp_path / "none"), code=1).err


def test_a_group_by_command(friends: tuple[Person, Person]) -> None:
    anna, boris = friends
    assert "Trip is made" in anna.run("group", "create", "Trip", "Boris").out
    assert any("Trip  2 members" in line for line in boris.run("chats").lines)
    anna.run("group", "rename", "Trip", "Journey")
    anna.run("group", "admin", "Journey", "Boris")
    boris.run("send", "Journey", "hello all")
    anna.run("send", "Journey", "and back")
    (view,) = [v for v in boris.run("chats", "--json").values if v["name"] == "Journey"]
    assert sorted((m["name"], m["admin"]) for m in view["members"]) == [("Anna", True), ("Boris", True)]
    assert "already" in anna.run("group", "move", "Journey", "post-quantum", code=1).err
    anna.run("group", "move", "Journey", "classical")
    boris.run("send", "Journey", "is it lighter?")
    assert any("is it lighter?" in line for line in anna.run("tail", "Journey", "--once").lines)
    (view,) = [v for v in boris.run("chats", "--json").values if v["name"] == "Journey"]
    assert (view["state"], view["post_quantum"]) == ("active", False)
    anna.run("group", "remove", "Journey", "Boris")
    assert any("Journey" in line and "(removed)" in line for line in boris.run("chats").lines)
    notes = [v["system"]["kind"] for v in anna.run("tail", "--json", "--once").values if v["system"]]
    assert {"created", "added", "renamed", "admin", "suite", "removed"} <= set(notes)


def test_the_safety_number_is_the_same_for_both(friends: tuple[Person, Person]) -> None:
    anna, boris = friends
    anna.run("chats")
    assert anna.run("safety", "Boris").lines[:3] == boris.run("safety", "Anna").lines[:3]
    anna.run("safety", "Boris", "--verified")
    assert anna.run("contacts").out.rstrip().endswith("(verified)")


def test_account_commands(relay: Relay, anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYNYA_PASSPHRASE", "first words")
    anna.run("register", "Anna", relay.link)
    assert "identity already" in anna.run("register", "Anna", relay.link, code=1).err
    assert anna.run("whoami").lines[0] == "name         Anna"
    assert anna.run("status").lines == ["relay   connected"]
    assert len(anna.run("invite", "--qr").lines) > 10
    monkeypatch.setenv("POLYNYA_PASSPHRASE", "other words")
    assert "does not open" in anna.run("whoami", code=1).err
    monkeypatch.delenv("POLYNYA_PASSPHRASE")
    assert "POLYNYA_PASSPHRASE" in anna.run("whoami", code=1).err
    monkeypatch.setenv("POLYNYA_PASSPHRASE", "first words")
    anna.run("passphrase", "--remove")
    monkeypatch.delenv("POLYNYA_PASSPHRASE", raising=False)
    assert anna.run("whoami").lines[0] == "name         Anna"


def test_without_the_relay_things_are_kept(tmp_path: Path, anna: Person, boris: Person) -> None:
    relay = Relay(tmp_path / "relay")
    relay.start()
    try:
        anna.run("register", "Anna", relay.link)
        boris.run("register", "Boris", relay.link)
        boris.run("accept", anna.run("invite").lines[0])
        anna.run("requests", "accept", "Boris")
        boris.run("chats")
        relay.stop()
        assert "goes out the next time" in anna.run("send", "Boris", "later", "--timeout", "1", code=1).err
        assert "cannot be reached" in anna.run("status", "--timeout", "1", code=1).err
        ran = anna.run("chats", "--timeout", "1")
        assert "cannot be reached" in ran.err and "Boris" in ran.out
        assert anna.run("chats", "--offline").err == ""
        assert "cannot be reached" in anna.run("invite", "--timeout", "1", code=1).err
        relay.start()
        anna.run("chats")
        assert boris.run("tail", "--once").lines[-1].endswith("Anna: later")
    finally:
        relay.stop()


@pytest.mark.parametrize(
    ("words", "tells"),
    [
        (("chats",), "polynya register"),
        (("send", "Boris", "x"), "polynya register"),
        (("register", "Anna", "hello"), "not a Polynya link"),
        (("register", "Anna", "http://127.0.0.1/p/#r=AAAA"), "link"),
        (("tail", "--once"), "polynya register"),
    ],
)
def test_mistakes_are_told_in_one_line(anna: Person, words: tuple[str, ...], tells: str) -> None:
    assert tells in anna.run(*words, code=1).err
    assert not anna.folder.exists()


def test_an_invite_is_all_that_a_newcomer_needs(relay: Relay, anna: Person, boris: Person) -> None:
    anna.run("register", "Anna", relay.link)
    invite = anna.run("invite").lines[0]
    assert "polynya accept" in boris.run("register", "Boris", invite).lines[-1]
    boris.run("accept", invite)
    assert "Boris" in anna.run("requests").out


def test_links_of_the_other_kind_are_told(relay: Relay, anna: Person) -> None:
    anna.run("register", "Anna", relay.link)
    invite = anna.run("invite").lines[0]
    assert "polynya register" in anna.run("accept", relay.link, code=1).err
    assert "your own invite" in anna.run("accept", invite, code=1).err
    damaged = invite[:-3] + ("AAA" if invite[-3:] != "AAA" else "BBB")
    assert "changed on its way" in anna.run("accept", damaged, code=1).err
    assert "end of this link is missing" in anna.run("accept", invite[:-20], code=1).err


def test_a_link_to_another_relay_is_told(relay: Relay, anna: Person, tmp_path: Path) -> None:
    other = Relay(tmp_path / "other")
    other.start()
    try:
        mixed = relay.link.partition("#")[0] + "#" + other.link.partition("#")[2]
        assert "not the relay of the link" in anna.run("register", "Anna", mixed, code=1).err
    finally:
        other.stop()


@pytest.mark.parametrize(
    "words",
    [
        (), ("nonsense",), ("send",), ("tail", "-n", "x"), ("tail", "-n", "1001"),
        ("chats", "--timeout", "0"), ("requests", "maybe"), ("group",), ("group", "create"),
        ("up", "--no-such"),
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2_and_points_to_help(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(list(words))
    except SystemExit as exit:
        code = int(exit.code or 0)
    assert code == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "--help" in captured.err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for words, expected in ((["--version"], f"polynya {__version__}\n"), (["--help"], "first steps:")):
        with pytest.raises(SystemExit) as exit:
            main(words)
        assert not exit.value.code
        assert expected in capsys.readouterr().out


def test_the_version_is_that_of_the_package() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == __version__


# ---- as a process of its own ----


@contextmanager
def start(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "polynya", words[0], "--store", str(folder), *words[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def test_tail_follows_in_a_pipe_and_ends_on_a_signal(friends: tuple[Person, Person]) -> None:
    anna, boris = friends
    for number in (signal.SIGINT, signal.SIGTERM):
        with start(boris.folder, "tail", "--json", "-n", "0") as tail:
            assert tail.stdout is not None and tail.stderr is not None
            text = f"until {number}"
            anna.run("send", "Boris", text)
            values = (json.loads(line) for line in tail.stdout)
            assert next(v["text"] for v in values if v["text"] == text) == text
            tail.send_signal(number)
            assert tail.wait(30) == 128 + number
            assert tail.stderr.read() == ""
    assert boris.run("tail", "--once", "-n", "1").lines[-1].endswith(text), "the store was closed cleanly"


def test_a_reader_that_goes_away_ends_tail_quietly(friends: tuple[Person, Person]) -> None:
    anna, boris = friends
    for number in range(5):
        anna.run("send", "Boris", f"line {number}")
    with start(boris.folder, "tail") as tail:
        assert tail.stdout is not None and tail.stderr is not None
        tail.stdout.readline()
        tail.stdout.close()
        anna.run("send", "Boris", "nobody reads this")
        assert tail.wait(60) == 141
        assert tail.stderr.read() == ""


# ---- beside a running tail ----


@pytest.fixture
def tailing(friends: tuple[Person, Person]) -> Iterator[tuple[Person, Person, subprocess.Popen[str]]]:
    """Boris reads with `tail` in another process."""
    anna, boris = friends
    anna.run("send", "Boris", "something to show")
    boris.run("chats")
    with start(boris.folder, "tail", "--json") as tail:
        assert tail.stdout is not None
        tail.stdout.readline()
        door = boris.folder / "door"
        for _ in range(1_000):
            if door.exists():
                break
            time.sleep(0.01)
        assert door.stat().st_mode & 0o777 == 0o600
        yield anna, boris, tail


def shown(tail: subprocess.Popen[str], text: str) -> dict[str, Any]:
    """The line of `tail` about this text."""
    assert tail.stdout is not None
    for line in tail.stdout:
        value: dict[str, Any] = json.loads(line)
        if value["text"] == text and value["type"] == "message":
            return value
    raise AssertionError(f"tail ended before {text!r}")


def test_other_commands_work_beside_a_running_tail(
    tailing: tuple[Person, Person, subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, boris, tail = tailing
    assert boris.run("whoami").lines[0] == "name         Boris"
    assert boris.run("send", "Anna", "beside tail", "--json").values[0]["status"] == "sent"
    assert shown(tail, "beside tail")["mine"]
    (tmp_path / "input").write_text("from a pipe \u044f\n", "utf-8")
    monkeypatch.setattr(sys, "stdin", (tmp_path / "input").open(encoding="utf-8"))
    boris.run("send", "Anna", "-")
    assert shown(tail, "from a pipe \u044f")["mine"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.txt").write_text("content")
    boris.run("send", "Anna", "a file", "--file", "here.txt")
    sent = shown(tail, "a file")
    assert boris.run("download", "Anna", sent["id"]).lines == [str(tmp_path / "here (1).txt")]
    assert len(boris.run("invite", "--qr").lines) > 10
    assert any(v["text"] == "a file" for v in boris.run("tail", "--once", "--json").values)
    assert "no such chat" in boris.run("send", "Nobody", "x", code=1).err
    assert "while `polynya tail` runs" in boris.run("passphrase", code=1).err
    anna.run("tail", "--once")
    assert tail.poll() is None


def test_a_second_tail_beside_the_first_ends_by_itself(
    tailing: tuple[Person, Person, subprocess.Popen[str]],
) -> None:
    _, boris, tail = tailing
    with start(boris.folder, "tail", "--json") as second:
        assert shown(second, "something to show")
        boris.run("send", "Anna", "for both")
        assert shown(tail, "for both")
        assert shown(second, "for both")
        second.send_signal(signal.SIGINT)
        assert second.wait(30) == 130
    boris.run("send", "Anna", "for the first")
    assert shown(tail, "for the first")


def test_a_door_that_leads_nowhere_or_talks_nonsense_harms_nobody(
    tailing: tuple[Person, Person, subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, boris, tail = tailing
    for nonsense in (b"", b"\n", b"{}\n", b"[1]\n", b'{"version": 1}\n', b"\xff\n", b"x" * 5_000_000):
        with socket.socket(socket.AF_UNIX) as guest, suppress(BrokenPipeError, ConnectionResetError):
            guest.connect(str(boris.folder / "door"))
            guest.sendall(nonsense)
            guest.shutdown(socket.SHUT_WR)
            assert guest.recv(1000) == b""
    monkeypatch.setattr("polynya.cli.door.__version__", "0.0.1")
    assert "another version" in boris.run("whoami", code=1).err
    monkeypatch.undo()
    assert boris.run("whoami").code == 0
    tail.kill()
    tail.wait()
    assert boris.run("whoami").lines[0] == "name         Boris"


def test_without_a_door_the_holder_of_the_store_is_told(
    tailing: tuple[Person, Person, subprocess.Popen[str]],
) -> None:
    _, boris, tail = tailing
    (boris.folder / "door").unlink()
    err = boris.run("whoami", code=1).err
    assert f"process {tail.pid} (polynya tail)" in err and "Stop it first" in err
