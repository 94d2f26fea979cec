"""All purses of a device: read from the store, written with the steps of the core, and given to the links that pay."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from polynya.client.paying import Paying
from polynya.client.purse import Purse
from polynya.client.purserow import decode_purse, encode_purse
from polynya.client.refill import Refusal
from polynya.client.storage import OWN
from polynya.core.commands import Command, DropRelay, Notify, ProblemRaised, Save, TokensReceived
from polynya.core.core import Core
from polynya.crypto.random import Random

PURSE = OWN + "purse"
"""By relay identity."""
USED = ("opening", "opened", "requesting", "requested")
"""States of somebody's invite in which the tokens that its card brought will be needed."""


class Purses:
    """`write` makes rows durable (raises StoreError); `told` brings an event to the app."""

    def __init__(
        self,
        *,
        random: Random,
        clock: Callable[[], int],
        write: Callable[[list[Save]], Awaitable[None]],
        told: Callable[[ProblemRaised], None],
        core: Callable[[], Core | None],
    ) -> None:
        self._random = random
        self._clock = clock
        self._write = write
        self._told = told
        self._core = core
        self._purses: dict[bytes, Purse] = {}
        self._payings: dict[bytes, Paying] = {}
        self._written: dict[bytes, int] = {}
        self._refusals: dict[bytes, Refusal] = {}

    def load(self, rows: Mapping[bytes, bytes]) -> None:
        """As the store has them; what was only in memory is gone."""
        self._purses = {relay: decode_purse(relay, row) for relay, row in rows.items()}
        self._payings.clear()
        self._written.clear()

    def _purse(self, relay: bytes) -> Purse:
        return self._purses.setdefault(relay, Purse(relay))

    def paying(self, relay: bytes) -> Paying:
        """For a new link to this relay."""
        made = Paying(
            self._purse(relay),
            random=self._random,
            clock=self._clock,
            save=self._save,
            told=self._tell,
            is_card_coming=lambda relay: self._is_used(relay, ("opening",)),
        )
        self._payings[relay] = made
        return made

    def of(self, relay: bytes) -> Paying | None:
        """What pays on the link to this relay."""
        return self._payings.get(relay)

    def refusal(self, relay: bytes) -> Refusal | None:
        """What stands against paying this relay, as the app was told."""
        return self._refusals.get(relay)

    def is_left(self, relay: bytes) -> bool:
        """Whether there are tokens that this relay can be paid with."""
        return self._purse(relay).free() > 0

    def _is_used(self, relay: bytes, states: tuple[str, ...]) -> bool:
        core = self._core()
        invites = () if core is None else core.opened_invites()
        return any(invite.relay == relay and invite.state in states for invite in invites)

    # ---- keeping ----

    def changes(self, commands: Iterable[Command], time: int) -> list[Save]:
        """Takes what a step brings or ends, and gives the rows that are to be written with it; then `written`."""
        gone: list[Save] = []
        for command in commands:
            if isinstance(command, Notify) and isinstance(command.event, TokensReceived):
                event = command.event
                self._purse(event.relay).receive(event.tokens, event.join, event.token_keys, time)
            elif isinstance(command, DropRelay) and not self._is_used(command.identity, USED):
                if self._purses.pop(command.identity, None) is not None:
                    gone.append(Save(PURSE, command.identity, None))
                self._written.pop(command.identity, None)
                self._refusals.pop(command.identity, None)
        return gone + [_row(purse) for purse in self._purses.values() if self._is_new(purse)]

    def _is_new(self, purse: Purse) -> bool:
        return purse.version > self._written.get(purse.relay, 0)

    def versions(self) -> dict[bytes, int]:
        """To be given to `written` when the rows that were made of them are on disk."""
        return {relay: purse.version for relay, purse in self._purses.items()}

    def written(self, versions: Mapping[bytes, int]) -> None:
        for relay, version in versions.items():
            self._written[relay] = max(version, self._written.get(relay, 0))

    def done(self, commands: Iterable[Command]) -> None:
        """The step is on disk: links may use what it brought."""
        for command in commands:
            if isinstance(command, Notify) and isinstance(command.event, TokensReceived):
                paying = self._payings.get(command.event.relay)
                if paying is not None:
                    paying.tokens_came()

    async def _save(self, purse: Purse) -> None:
        if self._purses.get(purse.relay) is not purse or not self._is_new(purse):
            return
        version = purse.version
        await self._write([_row(purse)])
        self.written({purse.relay: version})

    def _tell(self, relay: bytes, refusal: Refusal | None) -> None:
        before = self._refusals.pop(relay, None)
        if refusal is not None:
            self._refusals[relay] = refusal
            if before is None or before.code != refusal.code:
                self._told(ProblemRaised(None, refusal.code))


def _row(purse: Purse) -> Save:
    return Save(PURSE, purse.relay, encode_purse(purse))
