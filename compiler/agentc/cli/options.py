"""Options that several commands share. Imports click only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


def text_or_json(what: str) -> Callable[[F], F]:
    """`--format text|json`; `what` is the sentence of the help."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help=what,
    )
