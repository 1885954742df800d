"""Single conditions on texts, judged by the runtime's own validator: it defines what they mean."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from agentc_runtime.violations import compile_shape

from .budget import GaveUpError


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern` is found in `text`.

    Raises:
        GaveUpError: the validator does not compile the pattern.
    """
    return _validator("pattern", pattern)(text)


def matcher(pattern: str) -> Callable[[str], bool]:
    """The test for `pattern`.

    Raises:
        GaveUpError: as `matches`.
    """
    return _validator("pattern", pattern)


def has_format(name: str, text: str) -> bool:
    """Whether `text` is of the format."""
    return _validator("format", name)(text)


@lru_cache(maxsize=1024)
def _validator(keyword: str, value: str) -> Callable[[object], bool]:
    try:
        return compile_shape({keyword: value}).is_valid
    except ValueError as error:
        raise GaveUpError(f"the validator does not take the {keyword} `{value}`") from error
