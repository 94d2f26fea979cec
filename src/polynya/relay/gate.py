"""Cuts the bytes of one connection into requests, so that each head is judged before a parser sees it."""

from __future__ import annotations

from polynya.relay.heads import Head, Refusal, end_of, judge, judge_start

CHUNKED = -1


class Gate:
    """Holds a head until it is whole (heads.MOST bytes at most, and one read); all else goes through at once."""

    __slots__ = ("_body", "_held", "_searched", "is_bare", "is_over")

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0
        self._body = 0
        self.is_bare = False
        """whether the last request was of HTTP/0.9"""
        self.is_over = False
        """whether no further request is taken"""

    @property
    def is_waiting(self) -> bool:
        """Whether a head has begun and not come to its end."""
        return bool(self._held) and not self._body and not self.is_over

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
        if self._searched == 0 and self._held[0] in b"\r\n":
            del self._held[: len(self._held) - len(self._held.lstrip(b"\r\n"))]
        end = end_of(self._held, self._searched)
        if end < 0:
            judged = judge_start(self._held) if self._held else None
            self._searched = len(self._held)
        else:
            judged = judge(bytes(self._held[:end]))
            del self._held[:end]
            self._searched = 0
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
