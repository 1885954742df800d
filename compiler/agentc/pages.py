"""Tools whose answers come in pages: the arguments that the runtime sets, and the plan in the bundle."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from agentc_runtime.behaviour import Cache, Pagination
from agentc_runtime.expressions import Schema

from .openapi import CompiledOperation
from .resources import Step
from .syntax.behaviour import (
    CacheSpec,
    CursorPagesSpec,
    LinkHeaderPagesSpec,
    NumberedPagesSpec,
    PaginationSpec,
)
from .syntax.common import milliseconds


def page_arguments(spec: PaginationSpec) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """The arguments that the runtime sets, each with its place under `pagination`."""
    if not isinstance(spec, LinkHeaderPagesSpec):
        yield spec.argument, ("argument",)
    if spec.size is not None:
        yield spec.size.argument, ("size", "argument")


def without_page_arguments(operation: CompiledOperation, spec: PaginationSpec) -> CompiledOperation:
    """The operation as everybody but the runtime sees it: nobody grants, binds or limits its pages."""
    hidden = {name for name, _ in page_arguments(spec)}
    arguments: Schema = dict(operation.arguments)
    properties, required = arguments.get("properties"), arguments.get("required")
    if isinstance(properties, dict):
        arguments["properties"] = {name: part for name, part in properties.items() if name not in hidden}
    if isinstance(required, list):
        arguments["required"] = [name for name in required if name not in hidden]
        if not arguments["required"]:
            del arguments["required"]
    return msgspec.structs.replace(operation, arguments=arguments)


def lower_pagination(spec: PaginationSpec) -> Pagination:
    """The plan of the pages."""
    size = spec.size
    return Pagination(
        style=spec.style,
        argument=None if isinstance(spec, LinkHeaderPagesSpec) else spec.argument,
        items=spec.items,
        next=spec.next if isinstance(spec, CursorPagesSpec) else "",
        first=spec.first if isinstance(spec, NumberedPagesSpec) else 0,
        size_argument=size.argument if size else None,
        size=size.value if size else 0,
        max_pages=spec.max_pages,
        max_items=spec.max_items,
    )


def lower_cache(spec: CacheSpec) -> Cache:
    """How long answers are kept."""
    return Cache(ttl_ms=milliseconds(spec.ttl), max_entries=spec.max_entries)
