"""Base URLs of a document's `servers`. A relative one says nothing about where the service is."""

from __future__ import annotations

import re

from agentc_runtime.urls import UrlError, parse_base

_VARIABLE = re.compile(r"\{([^{}]*)\}")


def usable_servers(servers: object) -> tuple[str, ...]:
    """The absolute `http` and `https` URLs, in order and once each; variables take their defaults."""
    found: dict[str, None] = {}
    for server in servers if isinstance(servers, list) else ():
        url = _filled(server)
        if url is None:
            continue
        try:
            parse_base(url)
        except UrlError:
            continue
        found[url.rstrip("/")] = None
    return tuple(found)


def _filled(server: object) -> str | None:
    if not isinstance(server, dict) or not isinstance(url := server.get("url"), str):
        return None
    variables = server.get("variables")
    values: dict[str, str] = {}
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        if isinstance(variable, dict) and isinstance(variable.get("default"), str):
            values[name] = variable["default"]
    filled = _VARIABLE.sub(lambda found: values.get(found[1], found[0]), url)
    return None if "{" in filled else filled
