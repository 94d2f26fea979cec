"""Keeps a certificate of an ACME authority: the first, and each renewal while the relay goes on."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from polynya.crypto.random import Random
from polynya.relay.authority import CertificateError, Challenge, Task, account_file, obtain, renewal
from polynya.relay.certificates import CERTIFICATE, Certificate, load, read_certificate
from polynya.relay.challenges import Challenges
from polynya.relay.errors import DataError
from polynya.relay.files import write_private

logger = logging.getLogger("polynya.relay")

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
LOOK = HOUR
"""ms after which the clock is looked at again at the latest: it may jump, and machines sleep."""
ARI_LEAST, ARI_MOST = HOUR, DAY
"""ms between two questions when to renew, whatever the authority says (RFC 9773 section 4.3)."""
UNREACHED = (MINUTE, HOUR)
"""ms from the first failure to the longest pause, doubling, where the authority was not reached."""
REFUSED = (10 * MINUTE, 12 * HOUR)
"""The same where it refused. Let's Encrypt counts five failed validations of a name an hour, of which an attempt
can make two."""


class Renewals:
    """`names` are host names or addresses. Times are ms of `now`, which may be another clock in tests."""

    def __init__(
        self,
        task: Task,
        folder: Path,
        context: ssl.SSLContext,
        challenges: Challenges,
        random: Random,
        now: Callable[[], int],
    ) -> None:
        self._task = task
        self._folder = folder
        self._context = context
        self._challenges = challenges
        self._random = random
        self._now = now
        self._woken = asyncio.Event()
        self._stepping = asyncio.Lock()
        self._failures = 0
        self._spread = 0
        self._ari_at = 0
        self._ari_next = 0
        self._obtained = 0
        """when the last certificate came, ms; 0: it was there at the start"""
        self.certificate: Certificate | None = None
        self.problem = ""
        """what the last attempt ran into, in words; empty when all is well"""
        self.next_try = 0
        self.tried = asyncio.Event()
        """set once there is a certificate, or the first attempt has failed"""
        self.on_change: Callable[[], None] = _nothing
        """called when `certificate` or `problem` has changed"""

    def open(self) -> None:
        """Takes up the certificate that is on disk, where it holds for the names and is not over. Raises DataError
        where the folder cannot be used."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"The folder {self._folder} cannot be made ({error.strerror}).") from None
        path = self._folder / CERTIFICATE
        if not path.exists():
            return
        try:
            found = load(self._context, path)
        except (OSError, ValueError):
            logger.error("%s is damaged: a new certificate is asked for", path)
            return
        if found.covers(self._task.names) and found.ends > self._now():
            self._take(found)

    async def run(self) -> None:
        """For ever."""
        while True:
            before = self._now()
            pause = min(max(self.next_try - before, 0), LOOK)
            try:
                async with asyncio.timeout(pause / 1000):
                    await self._woken.wait()
                is_due = True
            except TimeoutError:
                # A clock that goes back has planned by a time that may be years away.
                is_due = self._now() >= self.next_try or self._now() < before - MINUTE
            self._woken.clear()
            if not is_due:
                continue
            try:
                await self.step()
            except Exception as error:
                # Whatever it is, the certificate must not run out because nobody tries any more.
                logger.error("renewing the certificate failed: %s", type(error).__name__)
                self.problem = f"The relay itself failed at it ({type(error).__name__}). Its log says when."
                self.next_try = self._now() + HOUR
                self.tried.set()
                self.on_change()

    def wake(self) -> None:
        """Looks now whether there is something to do, and tries again what failed."""
        self._woken.set()

    async def step(self) -> None:
        """Renews if it is time, or plans when; one step at a time, so that no two ask for the same certificate."""
        async with self._stepping:
            await self._step()

    async def _step(self) -> None:
        now = self._now()
        self._obtained, self._ari_next = min(self._obtained, now), min(self._ari_next, now + ARI_MOST)
        certificate = self.certificate
        if certificate is not None:
            if self._failures == 0:
                await self._ask_authority(certificate)
            due = self._due(certificate)
            if now < due:
                self.next_try = min(due, max(self._ari_next, now + MINUTE))
                return
        await self._attempt()

    def _due(self, certificate: Certificate) -> int:
        """When to renew: as the authority says, but not in the last tenth; else at two thirds of the lifetime, or a
        little later, as not all relays of a day should come at once. Never twice a day: an authority that wants
        every certificate renewed, or a clock that is years ahead, would have the relay ask without end."""
        due = certificate.begins + certificate.lifetime * 2 // 3 + self._spread
        if self._ari_at:
            due = min(self._ari_at, certificate.ends - certificate.lifetime // 10)
        return max(due, self._obtained + min(DAY, certificate.lifetime // 4))

    async def _ask_authority(self, certificate: Certificate) -> None:
        if self._now() < self._ari_next:
            return
        task = Task(self._task.directory, self._task.ca, "", certificate=certificate.chain)
        try:
            answer = await renewal(task)
        except CertificateError:
            # Nothing depends on it: without an answer the lifetime tells.
            self._ari_at, self._ari_next = 0, self._now() + 6 * HOUR
            return
        self._ari_at = answer.at
        self._ari_next = self._now() + min(max(answer.ask_again, ARI_LEAST), ARI_MOST)

    async def _attempt(self) -> None:
        names = ", ".join(self._task.names)
        logger.info("asking %s for a certificate for %s", self._task.directory, names)
        try:
            taken = await self._obtain()
        except CertificateError as error:
            self._failures += 1
            self.problem = str(error)
            self.tried.set()
            self.on_change()
            first, longest = REFUSED if error.was_refused else UNREACHED
            pause = min(first << min(self._failures - 1, 16), longest)
            pause = max(pause + self._draw(pause // 10), error.retry_after * 1000)
            self.next_try = self._now() + pause
            logger.error("%s The next attempt is in %d minutes.", error, -(-pause // MINUTE))
        else:
            self._take(taken)
            self._obtained = self._now()
            logger.info("there is a new certificate for %s", names)

    async def _obtain(self) -> Certificate:
        try:
            task = replace(self._task, challenges=self._challenges.kinds)
            pem = await obtain(task, self._prepare)
        finally:
            self._challenges.clear()
        path = self._folder / CERTIFICATE
        try:
            if not read_certificate(pem).covers(self._task.names):
                raise CertificateError("The certificate that came is for other names.", was_refused=True)
            write_private(path, pem)
            return load(self._context, path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise CertificateError(f"The new certificate could not be kept in {path} ({reason}).") from None

    async def _prepare(self, challenge: Challenge) -> None:
        try:
            await self._challenges.prepare(challenge)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise CertificateError(f"The validation could not be prepared ({reason}).") from None

    def _take(self, certificate: Certificate) -> None:
        self.certificate = certificate
        self.problem = ""
        self.tried.set()
        self.on_change()
        self._failures = 0
        self._ari_at = self._ari_next = 0
        self._spread = self._draw(certificate.lifetime // 60)
        self.next_try = self._now()

    def _draw(self, below: int) -> int:
        return int.from_bytes(self._random.bytes(8), "big") % max(1, below)


def _nothing() -> None: ...


def make_task(directory: str, ca: Path | None, folder: Path, names: tuple[str, ...], profile: str) -> Task:
    """The task that `Renewals` repeats."""
    root = "" if ca is None else str(ca)
    return Task(directory, root, str(account_file(folder)), names, profile=profile)
