"""The pages of one call, folded into one answer: each page asked for like a call, all within one bound."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from .answer import Answer
from .behaviour import Pagination
from .bundle import Tool
from .links import LinkError, follow, next_link
from .quoting import clipped
from .refusals import Refusal, RefusedError
from .request import first_page
from .response import project
from .sending import Clocks, Retried, Sender
from .values import ABSENT
from .wire import HttpRequest

#: Characters of a cursor.
MAX_CURSOR: Final = 4096

#: The request of a page, from the arguments that the runtime sets for it.
Build = Callable[[Mapping[str, object]], HttpRequest]
#: Told of each page before it is asked for: its number, from 1, and its request.
Record = Callable[[int, HttpRequest], Awaitable[None]]


async def all_pages(
    sender: Sender,
    clocks: Clocks,
    tool: Tool,
    plan: Pagination,
    request: HttpRequest,
    build: Build,
    record: Record,
    on_retry: Retried,
) -> Answer | Refusal:
    """One answer with the items of all pages, in the shape of the last page.

    `request` is that of the first page, for which leave was taken. Size and time of the tool are for all
    pages together; its rate counts each page.
    """
    whole = msgspec.structs.replace(tool, fields=())
    walk = _Walk(tool, plan, request, build)
    deadline = clocks.monotonic() + tool.timeout_ms / 1000
    left = tool.max_response_bytes
    number = 1
    while True:
        await record(number, request)
        answer = await sender.carry_out(whole, request, False, on_retry)
        if isinstance(answer, Refusal):
            return answer
        left -= answer.size
        try:
            following = walk.take(number, answer)
        except RefusedError as error:
            return error.refusal
        if following is None:
            return walk.folded(answer, number)
        milliseconds = int((deadline - clocks.monotonic()) * 1000)
        if milliseconds <= 0:
            message = f"the pages of `{tool.name}` did not come within {tool.timeout_ms} ms"
            return Refusal(code="AR405", message=message, value=tool.timeout_ms)
        if left <= 0:
            message = f"the pages of `{tool.name}` are more than {tool.max_response_bytes} bytes"
            return Refusal(code="AR401", message=message, value=tool.max_response_bytes)
        if (held := sender.admit(tool)) is not None:
            return held
        number += 1
        request = msgspec.structs.replace(following, max_response_bytes=left, timeout_ms=milliseconds)


class _Walk:
    """From page to page: what has been gathered, and where it went."""

    def __init__(self, tool: Tool, plan: Pagination, request: HttpRequest, build: Build) -> None:
        self._tool = tool
        self._plan = plan
        self._first = request
        self._build = build
        self._items: list[object] = []
        self._seen: set[str] = {request.url}
        self._complete = True
        self._cached = False

    def take(self, number: int, answer: Answer) -> HttpRequest | None:
        """Keep a page's items; the request of the next page, or `None` when this was the last to be read.

        Raises:
            RefusedError: AR305 the next page is off the plan, AR304 its cursor can't be carried, AR403 the
                page has no array where its items should be.
        """
        plan, items = self._plan, self._page_items(answer.value)
        self._items += items
        self._cached = self._cached or answer.cached
        following = self._following(number, answer, bool(items))
        if following is None:
            self._complete = len(self._items) <= plan.max_items
            return None
        if number >= plan.max_pages or len(self._items) >= plan.max_items:
            self._complete = False
            return None
        return following

    def folded(self, last: Answer, pages: int) -> Answer:
        """The answer of the whole call."""
        items = self._items[: self._plan.max_items]
        value = _put(last.value, self._plan.items.split(".") if self._plan.items else [], items)
        if self._tool.fields:
            value = project(value, self._tool.fields)
        return replace(last, value=value, pages=pages, complete=self._complete, cached=self._cached)

    def _page_items(self, page: object) -> list[object]:
        found = None if page is None else _at(page, self._plan.items)
        if found is None:
            return []  # no content, or an empty list as some services write it
        if not isinstance(found, list):
            where = f"at `{self._plan.items}`" if self._plan.items else "as its answer"
            message = f"a page of `{self._tool.name}` has no array {where}"
            raise RefusedError(Refusal(code="AR403", message=message))
        return found

    def _following(self, number: int, answer: Answer, some: bool) -> HttpRequest | None:
        plan, argument = self._plan, self._plan.argument
        if plan.style == "link_header":
            return self._linked(answer.headers.get("link", ""))
        if argument is None:
            return None
        if plan.style == "cursor":
            cursor = _at(answer.value, plan.next)
            if cursor is ABSENT or cursor is None or cursor is False or cursor == "":
                return None
            if isinstance(cursor, bool) or not isinstance(cursor, str | int) or len(str(cursor)) > MAX_CURSOR:
                raise self._off("its cursor is neither a short text nor an integer", cursor)
            if f"cursor {cursor}" in self._seen:
                raise self._off("the service gave the same cursor twice", cursor)
            self._seen.add(f"cursor {cursor}")
            return self._build({**first_page(self._tool), argument: cursor})
        if not some:
            return None  # a short page may be the service's own bound, an empty one is the end
        value = plan.first + (number if plan.style == "page" else len(self._items))
        return self._build({**first_page(self._tool), argument: value})

    def _linked(self, header: str) -> HttpRequest | None:
        try:
            target = next_link(header)
            if target is None:
                return None
            declared = [param.name for param in self._tool.request.query]
            url = follow(self._first.url, target, declared)
        except LinkError as error:
            raise self._off(f"its link {error}", header) from error
        if url in self._seen:
            raise self._off("its link leads to a page that was read already", header)
        self._seen.add(url)
        return msgspec.structs.replace(self._first, url=url)

    def _off(self, problem: str, value: object) -> RefusedError:
        message = f"the next page of `{self._tool.name}` is not asked for: {problem}"
        return RefusedError(Refusal(code="AR305", message=message, value={"untrusted_next": clipped(value)}))


def _at(value: object, path: str) -> object:
    for step in path.split(".") if path else ():
        value = value.get(step, ABSENT) if isinstance(value, Mapping) else ABSENT
    return value


def _put(value: object, path: list[str], items: list[object]) -> object:
    if not path:
        return items
    fields = dict(value) if isinstance(value, Mapping) else {}
    return {**fields, path[0]: _put(fields.get(path[0]), path[1:], items)}
