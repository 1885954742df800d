"""What a Toolset says of a service's behaviour, in the bundle: pages of answers, and how long they keep."""

from __future__ import annotations

from typing import Final, Literal

from .expressions import Record

#: The most pages that a bundle may ask for in one call.
MAX_PAGES: Final = 1000


class Pagination(Record, frozen=True, kw_only=True):
    """The pages of one call. The runtime sets `argument` and `size_argument`; the tool's schema lacks them.

    `items` is the dotted path of a page's array, empty when the page is the array. `link_header` follows
    `rel="next"`; `cursor` puts what stands at `next` into `argument`; `page` counts from `first`; `offset`
    counts the items so far. The call ends at `max_pages` or `max_items`, whichever comes first.
    """

    style: Literal["link_header", "cursor", "page", "offset"]
    argument: str | None = None
    items: str = ""
    next: str = ""
    first: int = 0
    size_argument: str | None = None
    size: int = 0
    max_pages: int = 10
    max_items: int = 1000


class Cache(Record, frozen=True, kw_only=True):
    """How long the answers of a read are kept, in milliseconds, and how many of them."""

    ttl_ms: int
    max_entries: int = 100
