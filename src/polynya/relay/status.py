"""How the relay is: figures of now, and what is wrong with what to do about it. Nothing about people."""

from __future__ import annotations

import importlib.metadata
import resource
import time
from dataclasses import dataclass, field
from typing import Any

from polynya.relay.admission import FORWARDED, Admission
from polynya.relay.history import FEW, FEW_SESSIONS, History, Point
from polynya.relay.relay import Relay
from polynya.relay.store.base import Statistics, StoreError
from polynya.relay.tls import Tls

DAY = 86_400
SOON = 14 * DAY
"""Seconds before its end at which a certificate that nobody renews is a problem."""
SLOW = 500.0
"""ms: 99 of 100 records should be on disk within this."""
BUSY = 80.0
"""Percent of a core: the loop has one, and answers late when that is full."""
NEARLY = 0.8
"""Share of the open files that are allowed at which that is a problem."""
FILES_BESIDE = 448
"""File handles that no connection takes: database and its log (~10), listeners, files that are read or written by threads
(two each, 32 threads at most), connections of the status page, those that were told to go, and door.KEPT (256)."""


@dataclass(frozen=True, slots=True)
class Problem:
    what: str
    do: str


@dataclass(frozen=True, slots=True)
class Status:
    """Times in seconds, sizes in bytes; counts as coarse as in `history`."""

    version: str
    uptime: float
    recent: Point
    reserve: int
    """bytes that files leave free on the disk"""
    certificate: dict[str, Any] | None
    """names, seconds_left, obtained (by the relay itself), problem, next_try (seconds); None without TLS here"""
    problems: list[Problem] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For /status; the same names."""
        point = {name: getattr(self.recent, name) for name in Point.__slots__}
        return {
            "version": self.version,
            "uptime": round(self.uptime),
            "recent": point,
            "few": FEW,
            "few_sessions": FEW_SESSIONS,
            "reserve": self.reserve,
            "certificate": self.certificate,
            "problems": [{"what": problem.what, "do": problem.do} for problem in self.problems],
        }


@dataclass(slots=True)
class Watch:
    """What the local server tells of."""

    relay: Relay
    tls: Tls
    admission: Admission
    history: History
    has_app: bool
    started: float = field(default_factory=time.monotonic)

    async def status(self) -> Status:
        """Reads the store's sizes; a store that fails is a problem in it."""
        try:
            statistics = await self.relay.store.statistics()
        except StoreError as error:
            failed = Problem(
                f"The database cannot be read ({error.problem.value}).",
                "Look at the disk and the log; `polynya relay check` says whether data is damaged.",
            )
            return self._status(Statistics(0, 0, 0, 0, 0), [failed])
        return self._status(statistics, [*self._disk(statistics)])

    def _status(self, statistics: Statistics, problems: list[Problem]) -> Status:
        recent = self.history.recent(statistics)
        problems += [*self._certificate_problems(), *self._load(recent), *self._set_up()]
        return Status(
            importlib.metadata.version("polynya"),
            time.monotonic() - self.started,
            recent,
            self.relay.limits.disk_reserve,
            self._certificate(),
            problems,
        )

    def seconds_left(self) -> float:
        """How long the certificate holds; 0 where there is none, or it is over."""
        certificate = self.tls.certificate
        return 0.0 if certificate is None else max(0.0, (certificate.ends - self.relay.now()) / 1000)

    def _certificate(self) -> dict[str, Any] | None:
        if self.tls.context is None:
            return None
        certificate, renewals = self.tls.certificate, self.tls.renewals
        names = self.tls.names if certificate is None else sorted(certificate.names)
        told: dict[str, Any] = {
            "names": list(names),
            "seconds_left": round(self.seconds_left()),
            "obtained": renewals is not None,
            "problem": "" if renewals is None else renewals.problem,
        }
        if renewals is not None:
            told["next_try"] = max(0, round((renewals.next_try - self.relay.now()) / 1000))
        return told

    def _certificate_problems(self) -> list[Problem]:
        if self.tls.context is None:
            return []
        left, renewals = self.seconds_left(), self.tls.renewals
        if renewals is not None and renewals.problem:
            what = (
                "There is no certificate: nobody can connect."
                if left <= 0
                else "The certificate could not be renewed."
            )
            return [Problem(what, renewals.problem)]
        if left <= 0 and renewals is not None:
            return [Problem("There is no certificate yet.", "It is being asked for: wait a minute.")]
        if left <= 0:
            return [
                Problem(
                    "The certificate is over: nobody can connect.", "Put a new one into its files and reload."
                )
            ]
        if renewals is None and left < SOON:
            days = int(left // DAY)
            return [
                Problem(
                    f"The certificate is over in {days} days.", "Put a new one into its files and reload."
                )
            ]
        return []

    def _disk(self, statistics: Statistics) -> list[Problem]:
        reserve = self.relay.limits.disk_reserve
        if statistics.free_bytes < reserve:
            what = "The disk is nearly full: new files are refused, and records when it is full."
        elif statistics.free_bytes < 2 * reserve:
            what = "The disk fills up."
        else:
            return []
        return [Problem(what, "Make space on the data folder's disk, or move the folder to a larger one.")]

    def _load(self, recent: Point) -> list[Problem]:
        problems = []
        if recent.most is not None and recent.most > SLOW:
            problems.append(
                Problem(
                    f"Records take up to {recent.most:.0f} ms to be on disk.",
                    "The disk is slow or shared: see what else writes to it, or use a faster one.",
                )
            )
        if recent.processor >= BUSY:
            problems.append(
                Problem(
                    "The processor is the limit.",
                    "Use a machine with a faster core, or share people among two relays.",
                )
            )
        if self.admission.is_full():
            problems.append(
                Problem(
                    "Connections are turned away: there are as many as the limit allows.",
                    "Raise `connections` in relay.toml's [limits] if memory allows, and reload.",
                )
            )
        return problems

    def _set_up(self) -> list[Problem]:
        problems = []
        if self.admission.has_unnamed():
            problems.append(
                Problem(
                    f"The web server in front does not say {FORWARDED}: all people count as one address.",
                    "Compare its settings with those that `polynya relay proxy nginx` prints.",
                )
            )
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if files != resource.RLIM_INFINITY and self.relay.metrics.connections > NEARLY * (
            files - FILES_BESIDE
        ):
            wanted = self.relay.limits.connections + FILES_BESIDE
            problems.append(
                Problem(
                    f"Open files run out: {files} are allowed, and each connection is one.",
                    f"Set LimitNOFILE={wanted} in the service, and restart it.",
                )
            )
        if not self.has_app:
            problems.append(
                Problem(
                    "The web app is not in this installation: links open nothing in a browser.",
                    "Build it with `make up`, or install a release.",
                )
            )
        return problems
