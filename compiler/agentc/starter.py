"""The project that `agentc init` writes: the base project of the rules' examples, with a name of its own,
and the line in each spec by which an editor finds its schema."""

from __future__ import annotations

import re

from .checks.base import BASE

#: The folder of the schemas that editors use, next to the specs.
SCHEMAS = "schemas"


def starter_files(name: str) -> dict[str, str]:
    """Path → text. `name` is the folder's name; what a resource can't be called by is replaced."""
    project = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:63]
    if not project or not project[0].isalpha():
        project = "agents"
    files = {path: _with_modeline(text) for path, text in BASE.items()}
    files["agentc.yaml"] = files["agentc.yaml"].replace("name: desk,", f"name: {project},", 1)
    return files


def _with_modeline(text: str) -> str:
    """The text with the line that tells editors its schema, if it is a spec."""
    kind = re.search(r"^kind: (\w+)$", text, re.MULTILINE)
    return f"# yaml-language-server: $schema={SCHEMAS}/{kind[1]}.json\n{text}" if kind else text
