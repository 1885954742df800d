"""Names that cross a border: what a tool is called when a model is told of it."""

from __future__ import annotations


def model_name(tool: str) -> str:
    """The tool's name inside every provider's limits: `[A-Za-z0-9_-]`, at most 64 characters.

    `toolset.tool` becomes `toolset__tool`; a longer name is cut and ends with a digest of the whole name.
    """
    import hashlib

    name = tool.replace(".", "__", 1)
    if len(name) <= 64:
        return name
    return f"{name[:55]}_{hashlib.sha256(tool.encode()).hexdigest()[:8]}"
