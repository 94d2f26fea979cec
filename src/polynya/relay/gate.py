"""Cuts the bytes of one connection into requests, so that each head is judged before a parser sees it."""

from __future__ import annotations

from polynya.relay.heads import Head, Progress, Refusal, judge, judge_plain

CHUNKED = -1


class Gate:
    """Holds a head until it is whole (heads.MOST bytes at most, and one read); all else goes through at once."""

    __slots__ = ("_body", "_held", "_progress", "is_bare", "is_over")

    def __init__(self) -> None:
        self._held = bytearray()
        self._progress = Progress()
        self._body = 0
        self.is_bare = False
        """whether the last request was of HTTP/0.9"""
        self.is_over = False
        """whether no further request is taken"""

    @property
    def is_waiting(self) -> bool:
        """Whether a head has begun and not come to its end."""
        return bool(self._held) and not self._body and not self.is_over

    def know(self, progress: Progress) -> None:
        """What was found of a head that is fed next."""
        self._progress = progress

    def feed(self, data: bytes) -> None:
        if not self.is_over:
            self._held += data

    def take_rest(self) -> bytes:
        """What came behind the last request."""
        rest, self._held = bytes(self._held), bytearray()
        return rest

    def next(self) -> bytes | Refusal | None:
        """A head, or a piece of a body; None: there is no more for now."""
        if not self._held or self.is_over:
            return None
        if self._body:
            return self._next_of_body()
        judged = self._judge()
        if isinstance(judged, Head):
            self._body = judged.body
            self.is_bare = judged.is_bare
            if judged.is_bare:
                self._finish()
            return judged.data
        if judged is not None:
            self.is_bare = judged.is_bare
            self._finish()
        return judged

    def _judge(self) -> Head | Refusal | None:
        held = self._held
        if self._progress.is_fresh:
            if held[0] in b"\r\n":
                del held[: len(held) - len(held.lstrip(b"\r\n"))]
            plain = judge_plain(held)
            if plain is not None:
                end, head = plain
                del held[:end]
                # Of this head's line a part may have been searched.
                self._progress = Progress()
                return head
        judged = self._progress.advance(held) if held else None
        if not isinstance(judged, int):
            return judged
        head_ = bytes(held[:judged])
        del held[:judged]
        self._progress = Progress()
        return judge(head_)

    def _finish(self) -> None:
        self.is_over = True
        self._held = bytearray()

    def _next_of_body(self) -> bytes:
        if self._body == CHUNKED:
            # Where these end only the parser knows, and the heads behind them are its own.
            return self.take_rest()
        piece = bytes(self._held[: self._body])
        del self._held[: len(piece)]
        self._body -= len(piece)
        return piece
