"""The project that `agentc init` writes: the base project of the rules' examples, with a name of its own."""

from __future__ import annotations

import re

from .checks.base import BASE


def starter_files(name: str) -> dict[str, str]:
    """Path → text. `name` is the folder's name; what a resource can't be called by is replaced."""
    project = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:63]
    if not project or not project[0].isalpha():
        project = "agents"
    files = dict(BASE)
    files["agentc.yaml"] = files["agentc.yaml"].replace("name: desk,", f"name: {project},", 1)
    return files
