"""Passages for `retrieve` states: what the deployer registers under the names that a bundle asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a document. `source` says where it stands, and more `score` is nearer to the query."""

    text: str
    source: str = ""
    score: float | None = None


class RetrieverError(Exception):
    """A retriever that can't answer now. The message is one line, and ends in the run's refusal."""


class Retriever(Protocol):
    """Finds passages. It only reads: what it is asked may have been written by a model."""

    async def retrieve(self, query: str, *, top: int) -> Sequence[Passage]:
        """The `top` passages that are nearest to the query, the nearest first; fewer if there are no more.

        Raises:
            RetrieverError: it can't answer; the state fails with the class `tool_error`.
        """
