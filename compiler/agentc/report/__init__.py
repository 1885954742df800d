"""Findings for people and machines: one module a format, each a pure function of findings and sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from ..diagnostics import Rule
from .findings import Report

Format: TypeAlias = Literal["text", "json", "sarif", "github", "junit"]


def render(
    name: Format,
    reports: Sequence[Report],
    *,
    color: bool = False,
    rules: Callable[[], Mapping[str, Rule]] = dict,
) -> str:
    """The findings of some projects in one format, ending in a line break if there is anything to say.

    `color` is for `text` only. `rules` gives every rule by its code; it is called for `sarif` only, since it
    may have to import them all.
    """
    if name == "text":
        from . import text

        return text.render(reports, color=color)
    if name == "json":
        from . import json_

        return json_.render(reports)
    if name == "sarif":
        from . import sarif

        return sarif.render(reports, rules())
    if name == "github":
        from . import github

        return github.render(reports)
    from . import junit

    return junit.render(reports)
