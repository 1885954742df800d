"""Where a document came from, as its lock remembers it: so that a newer one is found without being told."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from .layout import is_url
from .problem import ImportProblem

#: Names of query parameters whose values may be credentials: these are not written into a repository.
_CREDENTIAL: Final = re.compile(r"token|secret|passw|key|sig|auth|credential|session|code", re.IGNORECASE)


def remembered(source: str, project: Path) -> str | None:
    """What a lock in `project` says of a source; `None` if that would be of no use to others, or a leak.

    A URL is remembered without its fragment, unless it may hold a credential; a path relative to the project
    if it is in the same repository.
    """
    if is_url(source):
        parts = urlsplit(source)
        if "@" in parts.netloc or any(_CREDENTIAL.search(name) for name, _ in parse_qsl(parts.query)):
            return None
        return urlunsplit(parts._replace(fragment=""))
    real = Path(os.path.realpath(source))
    if not real.is_relative_to(_repository(project)):
        return None
    return Path(os.path.relpath(real, os.path.realpath(project))).as_posix()


def recalled(source: str, project: Path) -> str:
    """The path or URL that a lock in `project` remembers as `source`.

    Raises:
        ImportProblem: it is a path that leads out of the repository.
    """
    if is_url(source):
        return source
    path = project / source
    if os.path.isabs(source) or not Path(os.path.realpath(path)).is_relative_to(_repository(project)):
        raise ImportProblem(
            f"the lock remembers `{source[:120]}`, which is outside of the repository",
            "name the document's path or URL on the command line",
        )
    return str(path)


def _repository(project: Path) -> Path:
    """The root of the repository that holds a project; of one in none, the project itself."""
    root = Path(os.path.realpath(project))
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
