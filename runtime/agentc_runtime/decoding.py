"""Compressed bodies in bounded pieces: a bomb is refused before it has expanded past the bound."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from .refusals import Refusal, RefusedError

#: What requests say they accept, and all that is read.
ACCEPTED: Final = "gzip, deflate"
_CODINGS: Final = frozenset({"gzip", "x-gzip", "deflate"})
_PIECE: Final = 65_536
#: Compressed bytes that may come on top of the bound: headers of formats, empty blocks.
_OVERHEAD: Final = 65_536


class Decoder:
    """Turns a body's bytes as sent into the body, and counts both.

    Raises:
        RefusedError: AR402 the content coding is not read.
    """

    def __init__(self, coding: str, limit: int) -> None:
        coding = coding.strip().lower()
        if coding not in ("", "identity") and coding not in _CODINGS:
            message = "the answer is in a content coding that was not asked for"
            raise RefusedError(Refusal(code="AR402", message=message, value=coding[:100]))
        self._compressed = coding in _CODINGS
        self._limit = limit
        self._read = 0
        self._given = 0
        if self._compressed:
            self._inflater = _inflater()
        self._started = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The decoded pieces of the next bytes, up to the bound if they pass it.

        Raises:
            RefusedError: AR401 past the bound, AR406 not the format that it claims to be.
        """
        if not self._compressed:
            yield from self._bounded(data)
            return
        self._read += len(data)
        if self._read > self._limit + _OVERHEAD:
            raise self._too_large()
        while data:
            if self._inflater.eof:
                self._inflater = _inflater()
            self._started = True
            try:
                piece = self._inflater.decompress(data, _PIECE)
            except zlib.error as error:
                raise _broken("is not the compressed data that it claims to be") from error
            data = self._inflater.unconsumed_tail or self._inflater.unused_data
            yield from self._bounded(piece)

    def finish(self) -> None:
        """Say that the body has ended.

        Raises:
            RefusedError: AR406 compressed data ended early.
        """
        if self._started and not self._inflater.eof:
            raise _broken("ended in the middle of its compressed data")

    def _bounded(self, piece: bytes) -> Iterator[bytes]:
        room = self._limit - self._given
        self._given += len(piece)
        if piece and room > 0:
            yield piece[:room]
        if len(piece) > room:
            raise self._too_large()

    def _too_large(self) -> RefusedError:
        message = f"the answer is larger than {self._limit} bytes"
        return RefusedError(Refusal(code="AR401", message=message, value=self._limit))


def _inflater() -> zlib._Decompress:
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: gzip or zlib, as its header says


def _broken(what: str) -> RefusedError:
    return RefusedError(Refusal(code="AR406", message=f"the answer {what}"))
