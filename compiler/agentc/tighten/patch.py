"""Changed files as a unified diff that `git apply` and `patch -p1` take."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff

from ..source import SourceFile

_NO_END = "\\ No newline at end of file\n"


def patch(before: Mapping[str, SourceFile], after: Mapping[str, SourceFile], prefix: str) -> str:
    """The differences, file by file. `prefix` is put before each path."""
    pieces: list[str] = []
    for path, changed in sorted(after.items()):
        lines = unified_diff(_lines(before[path]), _lines(changed), f"a/{prefix}{path}", f"b/{prefix}{path}")
        pieces += [line if line.endswith("\n") else f"{line}\n{_NO_END}" for line in lines]
    return "".join(pieces)


def _lines(file: SourceFile) -> list[str]:
    """The lines as git counts them: a carriage return is part of its line."""
    return [line + "\n" for line in file.data.decode().split("\n")[:-1]] + _rest(file)


def _rest(file: SourceFile) -> list[str]:
    last = file.data.decode().split("\n")[-1]
    return [last] if last else []
