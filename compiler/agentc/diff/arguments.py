"""What an argument of `agentc diff` is: a bundle, a folder, or a git revision.

A name that may be a path and a revision is refused, not guessed: else a change could add a folder `main`, and
be compared with itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..revisions import RevisionError
from .sides import bundle_side, folder_side, is_bundle, revision_side
from .values import Side

if TYPE_CHECKING:
    from ..revisions import Repository


class Ambiguous(ValueError):
    """An argument that may be two things. The message says how to write either."""


class Unknown(ValueError):
    """An argument that is neither a path nor a revision."""


def read_argument(argument: str, other: str, cache: Path | None) -> Side:
    """The side that an argument stands for. Of a revision the folder is read that `other` is.

    `cache` is a folder for compiled API documents.

    Raises:
        Ambiguous: it is a path, and also the name of a revision.
        Unknown: it is neither.
        SideError: it can't be read.
    """
    if not argument:
        raise Unknown("an empty name is neither a folder nor a revision: is a variable not set?")
    path = Path(argument)
    there = _exists(path)
    if there and is_bundle(path):
        return bundle_side(path)
    commit, why = None, "this is no git repository"
    try:
        repository, folder = _place(other)
    except RevisionError as error:
        repository, folder, why = None, "", str(error)
    if repository is not None and not _is_plainly_a_path(argument):
        commit, folder = _commit(repository, argument, folder)
    if there and commit is not None:
        raise Ambiguous(
            f"`{argument}` is a path and a revision of git: write `./{argument}` for the path, "
            f"or `{commit[:12]}` for the revision"
        )
    if there:
        return folder_side(argument, path, cache)
    if commit is None or repository is None:
        raise Unknown(
            f"`{argument}` is neither a folder nor a revision of git"
            + ("" if repository else f", and {why}")
            + "; a clone without history has no other revisions: fetch the one that is meant"
        )
    return revision_side(argument, repository, commit, folder, cache)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _is_plainly_a_path(argument: str) -> bool:
    return argument.startswith((".", "/"))


def _place(other: str) -> tuple[Repository | None, str]:
    """The repository in which a revision is looked for, and the folder in it: where the other side is."""
    from ..revisions import repository_of

    path = Path(other)
    if _exists(path) and not is_bundle(path):
        found = repository_of(path if path.is_dir() else path.parent)
        if found is not None:
            return found, found.prefix
    found = repository_of(Path())
    return found, "" if found is None else found.prefix


def _commit(repository: Repository, argument: str, folder: str) -> tuple[str | None, str]:
    """`main`, or `main:specs/support` with a folder from the top of the repository."""
    from ..revisions import commit_of

    name, colon, said = argument.partition(":")
    return commit_of(repository, name), said.strip("/") if colon else folder
