"""Runners of tests, several at once: each takes a task after the other over its standard input."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.mutation.board import Record, Verdict

AT_ONCE = 2
"""Runners: one for each core of the smallest machine that this is run on."""
FIRST = 5
"""Tests of the first task for a site; the rest only run where none of these fails, which is seldom."""
SHORTEST = 20.0
"""Seconds that a task has at least; without its check a loop may not end."""
SLOWER = 8
"""A task may take this many times what its tests took."""
GRACE = 10.0
"""Seconds after which a runner is stopped that does not end a task by itself."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A program that says `{"ready": ...}` and then answers tasks; see `suite`."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


class RunnerEnded(RuntimeError):
    """A runner of tests stopped answering."""


class _Process:
    """A running runner; one that has to be stopped in the middle of a task is started anew by the next."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._process: subprocess.Popen[str] | None = None
        self._late = False

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [*self._runner.command],
                cwd=self._runner.folder,
                env=dict(self._runner.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
            self._answer(self._process, "ready")
        return self._process

    def ask(self, site: str, tests: list[str], seconds: float) -> str | None:
        """The test that failed, "time" where they do not end, None where all pass; raises RunnerEnded."""
        process = self._started()
        self._late = False
        # The runner itself stops what it can; this is for loops that it cannot get out of.
        timer = threading.Timer(seconds + GRACE, self._give_up)
        timer.start()
        try:
            if process.stdin is None:
                raise RunnerEnded("no pipe")
            process.stdin.write(json.dumps({"site": site, "tests": tests, "seconds": seconds}) + "\n")
            process.stdin.flush()
            return self._answer(process, "killed")
        except (RunnerEnded, OSError):
            if not self._late:
                raise
            self.stop()
            return "time"
        finally:
            timer.cancel()

    def _answer(self, process: subprocess.Popen[str], key: str) -> str | None:
        """The value of the next answer with this key; other output is passed over."""
        for line in process.stdout or ():
            if line.startswith("{"):
                answer = json.loads(line)
                if key in answer:
                    value: str | None = answer[key]
                    return value
        raise RunnerEnded("the runner of tests has ended")

    def _give_up(self) -> None:
        self._late = True
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _judge(process: _Process, site: str, tests: list[str], record: Record) -> Verdict:
    for part in (tests[:FIRST], tests[FIRST:]):
        if part:
            seconds = max(SHORTEST, SLOWER * record.seconds(part))
            killed = process.ask(site, part, seconds)
            if killed is not None:
                return Verdict(site, killed, len(tests))
    return Verdict(site, None, len(tests))


def judge_all(
    runner: Runner,
    tasks: Iterable[tuple[str, list[str]]],
    record: Record,
    done: Callable[[Verdict], None],
    at_once: int = AT_ONCE,
) -> None:
    """Calls `done` with the verdict on each (site, tests); raises RunnerEnded where a runner breaks."""
    waiting: queue.SimpleQueue[tuple[str, list[str]]] = queue.SimpleQueue()
    total = 0
    for site, tests in tasks:
        if tests:
            waiting.put((site, tests))
            total += 1
        else:
            done(Verdict(site, None, 0))
    lock = threading.Lock()
    broken: list[Exception] = []

    def work() -> None:
        process = _Process(runner)
        try:
            while not broken:
                site, tests = waiting.get_nowait()
                verdict = _judge(process, site, tests, record)
                with lock:
                    done(verdict)
        except queue.Empty:
            pass
        except (RunnerEnded, OSError) as error:
            broken.append(error)
        finally:
            process.stop()

    threads = [threading.Thread(target=work) for _ in range(min(at_once, total))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise RunnerEnded(str(broken[0]))
