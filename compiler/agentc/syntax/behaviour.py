"""How a service behaves, declared once in the Toolset: the pages of its answers, and how long they keep."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, Strict

from .common import Closed, Duration, NonEmpty, PositiveInt


class PageSizeSpec(Closed):
    """How many items a page is asked to have."""

    argument: NonEmpty
    """The argument that says so; the model no longer sets it."""
    value: PositiveInt
    """Its value."""


class _Pages(Closed):
    items: str = ""
    """The array of items in a page, as a dotted path. Left out: the page is the array."""
    size: PageSizeSpec | None = None
    """How many items a page is asked to have. Left out: as many as the service gives."""
    max_pages: Annotated[int, Strict(), Field(ge=1, le=1000)] = 10
    """The most pages that one call reads."""
    max_items: PositiveInt = 1000
    """The most items that one call gives."""


class LinkHeaderPagesSpec(_Pages):
    """Each page names the next one in its `Link` header, with the relation `next`."""

    style: Literal["link_header"]
    """`link_header`."""


class CursorPagesSpec(_Pages):
    """Each page holds a cursor, which is an argument of the next one."""

    style: Literal["cursor"]
    """`cursor`."""
    argument: NonEmpty
    """The argument that takes the cursor; the model no longer sets it."""
    next: NonEmpty
    """The cursor in a page, as a dotted path. Absent, null or empty: this is the last page."""


class NumberedPagesSpec(_Pages):
    """Pages have numbers. One without items is the last."""

    style: Literal["page"]
    """`page`."""
    argument: NonEmpty
    """The argument that takes the number; the model no longer sets it."""
    first: Annotated[int, Strict(), Field(ge=0, le=1)] = 1
    """The number of the first page."""


class OffsetPagesSpec(_Pages):
    """A page begins after the items of the pages before it. One without items is the last."""

    style: Literal["offset"]
    """`offset`."""
    argument: NonEmpty
    """The argument that takes the number of items to pass over; the model no longer sets it."""


PaginationSpec: TypeAlias = Annotated[
    LinkHeaderPagesSpec | CursorPagesSpec | NumberedPagesSpec | OffsetPagesSpec,
    Field(discriminator="style"),
]


class CacheSpec(Closed):
    """How long the answers of a read are kept inside a run."""

    ttl: Duration
    """How long an answer is given again for the same request; then the service is asked if it still holds."""
    max_entries: Annotated[int, Strict(), Field(ge=1, le=10_000)] = 100
    """The most answers that are kept."""
