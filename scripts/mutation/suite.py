"""The Python tests, run by a pytest that notes which sites matter to which test, or that switches sites off.

Started as a program of its own: `python -m scripts.mutation.suite record FILE TESTS...` writes the record;
`python -m scripts.mutation.suite serve TESTS...` collects the tests once, then reads tasks from its input, a JSON line
each (`site`, `tests`, `seconds`), and answers each with a line: the name of the test that failed, "time" where none
came to an end, or null where all passed. Each task runs in a process forked from the collected tests, so that nothing
of it stays.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from scripts.mutation import hook, switch

SURVIVED, KILLED = 0, 1


class _Recorder:
    """Runs everything; for each test its seconds and the sites that mattered."""

    def __init__(self) -> None:
        self.tests: dict[str, dict[str, Any]] = {}
        self.failed: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for index, item in enumerate(session.items):
            after = session.items[index + 1] if index + 1 < len(session.items) else None
            switch.seen = set()
            begun = time.perf_counter()
            reports = runtestprotocol(item, log=False, nextitem=after)
            seconds = time.perf_counter() - begun
            if any(report.failed for report in reports):
                self.failed.append(item.nodeid)
            elif switch.seen:
                self.tests[item.nodeid] = {"seconds": round(seconds, 3), "sites": sorted(switch.seen)}
        return True


class _Server:
    """Runs the tests of one task after another, each time in a fork."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        say({"ready": len(items)})
        for line in iter(_read_line, ""):
            task = json.loads(line)
            chosen = [items[name] for name in task["tests"] if name in items]
            say({"site": task["site"], "killed": _try(task["site"], chosen, task["seconds"])})
        return True


def _try(site: str, items: list[pytest.Item], seconds: float) -> str | None:
    """The first of the tests that fails without the site, or None."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        switch.active = site
        code = SURVIVED
        try:
            for index, item in enumerate(items):
                after = items[index + 1] if index + 1 < len(items) else None
                if any(report.failed for report in runtestprotocol(item, log=False, nextitem=after)):
                    os.write(write, item.nodeid.encode())
                    code = KILLED
                    break
        except BaseException as error:  # the check's absence broke the runner itself
            os.write(write, f"{type(error).__name__}".encode())
            code = KILLED
        os._exit(code)
    os.close(write)
    ended = bool(select.select([read], [], [], seconds)[0])
    name = os.read(read, 4096).decode() if ended else "time"
    os.close(read)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return name or None


_answers = -1


def say(answer: dict[str, Any]) -> None:
    os.write(_answers, (json.dumps(answer) + "\n").encode())


def _read_line() -> str:
    """One line of the task input, which pytest's capturing must not swallow."""
    data = b""
    while not data.endswith(b"\n"):
        part = os.read(_tasks, 1)
        if not part:
            return ""
        data += part
    return data.decode()


_tasks = -1


def _settle_hypothesis() -> None:
    """The same examples each time, and none remembered."""
    from hypothesis import settings

    settings.register_profile("mutation", database=None, derandomize=True)
    settings.load_profile("mutation")


def main(arguments: list[str]) -> int:
    global _answers, _tasks
    word, *rest = arguments
    _tasks, _answers = os.dup(0), os.dup(1)
    hook.install()
    _settle_hypothesis()
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"]
    if word == "serve":
        return int(pytest.main([*options, *rest], plugins=[_Server()]))
    recorder = _Recorder()
    target, *tests = rest
    code = int(pytest.main([*options, *tests], plugins=[recorder]))
    Path(target).write_text(json.dumps({"tests": recorder.tests, "failed": recorder.failed}))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
