"""Options that several commands share. Imports click only."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from . import InputError

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


def option_text(text: str, option: str) -> str:
    """The text of an option: written out, `@FILE`, or `-` for standard input.

    Raises:
        InputError: it can't be read.
    """
    try:
        if text == "-":
            return sys.stdin.read()
        return Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
    except OSError as error:
        raise InputError(f"{option}: can't read `{text[1:]}`: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{option}: `{text[1:] or 'standard input'}` is not UTF-8") from error


def json_value(text: str, option: str) -> object:
    """The JSON value of an option, which is written as for `option_text`.

    Raises:
        InputError: it can't be read, or is no JSON.
    """
    import json

    try:
        value: object = json.loads(option_text(text, option))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{option} is not JSON: {error}") from error
    return value


def is_colored() -> bool:
    """Whether standard output is a terminal, and nobody has asked for no colour."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def watched(command: F) -> F:
    """The options that say who watches a run besides its transcript."""
    for option in (
        click.option(
            "--capture-content",
            type=click.Choice(["public", "internal", "confidential", "restricted"]),
            help="Put content of up to this sensitivity into traces and log records; by default none.",
        ),
        click.option(
            "--otel/--no-otel",
            default=None,
            help="OpenTelemetry: by default if a variable OTEL_* names an endpoint or an exporter.",
        ),
        click.option(
            "--log-format",
            type=click.Choice(["none", "json"]),
            default="none",
            show_default=True,
            help="json: log records, one a line, to standard error in place of a transcript.",
        ),
    ):
        command = option(command)
    return command
