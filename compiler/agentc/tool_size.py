"""How much of a model's context a tool's definition takes: an estimate, and the same one everywhere.

It is the UTF-8 bytes of the definition as compact JSON (name, description, parameters), by four. No tokenizer
is asked: each model has its own, some are not published, and none is needed to tell 200 from 20,000.
"""

from __future__ import annotations

from typing import Final

import msgspec

from agentc_runtime.expressions import Schema

BYTES_PER_TOKEN: Final = 4
#: The tokens that a state's tools may take when the project does not say how many the model reads.
DEFAULT_BOUND: Final = 20_000
#: The part of a model's context that a state's tools may take: one in so many.
SHARE: Final = 4


def definition_tokens(name: str, description: str, parameters: Schema) -> int:
    """About how many tokens a model reads for one tool, on each of its turns."""
    written = msgspec.json.encode({"name": name, "description": description, "parameters": parameters})
    return -(-len(written) // BYTES_PER_TOKEN)


def bound_for(context_tokens: int | None) -> int:
    """The tokens that the tools of one state should stay within."""
    return DEFAULT_BOUND if context_tokens is None else context_tokens // SHARE
