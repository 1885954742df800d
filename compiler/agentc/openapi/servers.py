"""Base URLs of a document's `servers`. A relative one says nothing about where the service is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agentc_runtime.urls import UrlError, parse_base

from .problem import Pointer, Problem, ProblemError

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Servers(NamedTuple):
    """The absolute `http` and `https` URLs, in order and once each, and why other servers are none."""

    usable: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_servers(servers: object, pointer: Pointer = ("servers",)) -> Servers:
    """What the list at `pointer` says. Variables take their defaults.

    Source: OpenAPI 3.1.1, sections 4.8.5 and 4.8.6, Server Object and Server Variable Object.
    """
    found: dict[str, None] = {}
    problems: list[Problem] = []
    for index, server in enumerate(servers if isinstance(servers, list) else ()):
        try:
            found[_usable(server, (*pointer, str(index)))] = None
        except ProblemError as error:
            problems.append(error.problem)
    return Servers(tuple(found), tuple(problems))


def own_servers(
    root: Mapping[str, object],
    item: tuple[Mapping[str, object], Pointer],
    operation: tuple[Mapping[str, object], Pointer],
) -> tuple[Servers, Problem | None]:
    """The servers of an operation: its own, else those of its path, else the document's.

    The problem has the place of those that take the place of the document's and say something else.
    """
    general = root.get("servers")
    for holder, at in (operation, item):
        own = holder.get("servers")
        if own:
            place = (*at, "servers")
            other = list(_written(own)) != (list(_written(general)) or ["/"])
            return read_servers(own, place), Problem("AC725", "said here", place) if other else None
    return read_servers(general), None


def _written(servers: object) -> Iterator[str]:
    """The URLs as they are written, with the defaults of their variables."""
    for server in servers if isinstance(servers, list) else ():
        if isinstance(server, dict) and isinstance(url := server.get("url"), str):
            yield _filled(url, dict(_defaults(server))).rstrip("/")


def _usable(server: object, at: Pointer) -> str:
    """The URL of one server.

    Raises:
        ProblemError: AC707 why it can't be used as it stands.
    """
    url = server.get("url") if isinstance(server, dict) else None
    if not isinstance(server, dict) or not isinstance(url, str):
        raise ProblemError(Problem("AC707", "a server needs a `url`", at))
    at = (*at, "url")
    shown = f"`{url[:120]}`"
    values = dict(_defaults(server))
    for name in _VARIABLE.findall(url):
        place = (*at[:-1], "variables", name)
        if name not in values:
            raise ProblemError(Problem("AC707", f"{shown} has no default for `{name[:80]}`", place))
        variable = _variables(server)[name]
        known = variable.get("enum") if isinstance(variable, dict) else None
        if isinstance(known, list) and known and values[name] not in map(_text, known):
            message = f"the default `{values[name][:80]}` of `{name[:80]}` is none of its values"
            raise ProblemError(Problem("AC707", message, place))
    filled = _filled(url, values)
    if not _ABSOLUTE.match(filled):
        message = f"{shown} is relative to where the document is served"
        raise ProblemError(Problem("AC707", message, at))
    try:
        parse_base(filled)
    except UrlError as error:
        raise ProblemError(Problem("AC707", f"`{filled[:120]}` {error}", at)) from error
    return filled.rstrip("/")


def _filled(url: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), url)


def _variables(server: Mapping[str, object]) -> Mapping[str, object]:
    variables = server.get("variables")
    return variables if isinstance(variables, dict) else {}


def _defaults(server: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, variable in _variables(server).items():
        default = _text(variable.get("default")) if isinstance(variable, dict) else None
        if default is not None:
            yield name, default


def _text(value: object) -> str | None:
    """The value of a variable. One that is a number, such as a port in YAML without quotes, has one text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None
