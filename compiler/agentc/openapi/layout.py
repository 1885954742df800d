"""How the files of a document are called, and which file a reference leads to.

A reference inside of another file is read relative to that file (OpenAPI 3.1.1, section 4.6), or to the `$id`
around it (JSON Schema 2020-12, section 8.2.1).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urljoin

from .anchors import ABSOLUTE
from .problem import Pointer, parse_reference

SUFFIXES: Final = (".json", ".yaml", ".yml")
_REFUSED: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\\:?*\"<>|]")


class Target(NamedTuple):
    """Where a reference leads: the key of a file, the fragment, and the place in the file that it is of."""

    path: str
    fragment: str
    at: Pointer = ()


@dataclass(frozen=True)
class Layout:
    """How the files of a document are called: by their path from the main one's folder, or by their URL.

    `main` is the main file's name, `base` the URL that it came from, if it did, and `known` are the keys of
    the other files, as far as they are known. `names` says where schemas are that are called by their `$id`:
    `key#pointer`.
    """

    main: str
    base: str | None = None
    known: Container[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def target(self, reference: str, holder: str, base: str = "") -> Target | str:
        """The file that `reference` in the file `holder` leads to, or why that file is not read.

        Paths never lead out of the main document's folder. If it came from a URL, what is outside of its
        folder has a URL as well, and is called by that. `base` is the `$id` around the reference.
        """
        said, _, fragment = reference.partition("#")
        if not said:
            return Target(holder, fragment)
        if (name := named(said, base)) is not None:
            if name in self.names:
                key, _, pointer = self.names[name].rpartition("#")
                return Target(key, fragment, parse_reference(f"#{pointer}", ()))
            if base:
                return self._at_url(name, fragment)
        path = unquote(said)
        if ABSOLUTE.match(path) or path.startswith("//") or is_url(holder):
            return self._by_url(said, fragment, holder)
        found = self._by_path(path, holder)
        if isinstance(found, str) and self.base is not None:
            return self._by_url(said, fragment, holder)
        return found if isinstance(found, str) else Target("/".join(found), fragment)

    def secure(self, holder: str) -> bool:
        """Whether a file came over https: then what it refers to has to as well."""
        at = holder if is_url(holder) else self.base
        return at is not None and at.startswith("https:")

    def _by_url(self, written: str, fragment: str, holder: str) -> Target | str:
        at = holder if is_url(holder) else None
        if at is None and self.base is not None:
            at = self.base if holder == self.main else urljoin(self.base, quote(holder))
        if at is None and not ABSOLUTE.match(written):
            return "it names a host without a scheme"
        try:
            url = urljoin(at or "", written)
        except ValueError:
            return "it is not a URL that can be read"
        return self._at_url(url, fragment)

    def _at_url(self, url: str, fragment: str) -> Target | str:
        if not is_url(url):
            return "only `http` and `https` URLs are followed"
        return Target(self.main if url == self.base else url, fragment)

    def _by_path(self, path: str, holder: str) -> list[str] | str:
        if path.startswith("/"):
            return "an absolute path is not followed"
        if _REFUSED.search(path):
            return "its path has a character that not every system knows"
        steps = posixpath.normpath(posixpath.join(posixpath.dirname(holder), path)).split("/")
        if steps[0] == "..":
            return "it leads out of the document's folder"
        if any(step.startswith(".") for step in steps):
            return "hidden files are not read"
        name = steps[-1].lower()
        if not name.endswith(SUFFIXES) or name.endswith(".lock.yaml") or name == "agentc.yaml":
            return (
                "a part of a document is a `.json`, `.yaml` or `.yml` file, and neither a lock nor a project"
            )
        return steps


def is_url(key: str) -> bool:
    """Whether a file of a document is called by a URL, and not by a path."""
    return key.lower().startswith(("http://", "https://"))


def named(said: str, base: str) -> str | None:
    """The absolute URI that a reference says, if it is one, or the `$id` around it makes it one."""
    try:
        whole = urljoin(base, said)
    except ValueError:
        return None
    return whole if ABSOLUTE.match(whole) else None
