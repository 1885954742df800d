"""The recording of an eval: the exchanges of each case, in one file of lines that a diff shows well.

Large parts that several requests share, such as the definitions of tools, stand in the file once.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from agentc_runtime.cassette import Cassette, Entry, RecordedResponse
from agentc_runtime.recorded import CassetteError, RecordedRequest

FORMAT: Final = "agentc.eval-recording/1"
MAX_FILE: Final = 256 * 1024 * 1024
#: Characters of JSON from which on a part stands on a line of its own.
_LARGE: Final = 160
_PART: Final = "$part"

Side: TypeAlias = Literal["model", "tools"]
Key: TypeAlias = tuple[str, int]


@dataclass
class Recording:
    """Exchanges by case and repeat. A repeat that was not recorded is answered as the first one was."""

    entries: dict[Key, dict[Side, tuple[Entry, ...]]] = field(default_factory=dict)
    changed: bool = False

    def cassette(self, case: str, repeat: int, side: Side) -> Cassette | None:
        """What was recorded of one run, `None` if it was not."""
        found = self.entries.get((case, repeat)) or self.entries.get((case, 0))
        return None if found is None or side not in found else Cassette(entries=found[side])

    def digest(self, case: str, repeat: int) -> str:
        """Changes when what answers a run does."""
        found = self.entries.get((case, repeat)) or self.entries.get((case, 0)) or {}
        stamp = hashlib.sha256()
        for side, entries in sorted(found.items()):
            for entry in entries:
                stamp.update(f"{side}{entry.request.digest}{entry.response.status}".encode())
                stamp.update(entry.response.content())
        return stamp.hexdigest()

    def put(self, case: str, repeat: int, sides: Mapping[Side, tuple[Entry, ...]]) -> None:
        """Keep what was recorded of one run, in place of what was there."""
        self.changed = True
        self.entries[case, repeat] = {**self.entries.get((case, repeat), {}), **sides}

    def keep(self, cases: Iterable[str]) -> None:
        """Forget the runs of cases that are no more."""
        known = set(cases)
        self.entries = {key: value for key, value in self.entries.items() if key[0] in known}


def load(path: Path) -> Recording:
    """Read a file that `save` wrote.

    Raises:
        CassetteError: it is missing, unreadable, too large, malformed, or of another version.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise CassetteError(f"recording `{path}` is larger than {MAX_FILE} bytes")
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise CassetteError(f"recording `{path}` can't be read: {reason}; record with `--record`") from error
    found: dict[Key, dict[Side, list[Entry]]] = {}
    parts: dict[str, object] = {}
    number = 1
    try:
        if _HEADER.decode(lines[0]).format != FORMAT:
            raise CassetteError(f"recording `{path}` does not have the format `{FORMAT}`; record it again")
        for line in lines[1:]:
            number += 1
            if not line:
                continue
            row = _ROW.decode(line)
            if isinstance(row, _Part):
                parts[row.part] = _whole(row.value, parts)
                continue
            request = msgspec.structs.replace(row.request, body=_whole(row.request.body, parts))
            row.response.content()
            sides = found.setdefault((row.case, row.repeat), {})
            sides.setdefault(row.side, []).append(Entry(request=request, response=row.response))
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError, KeyError) as error:
        raise CassetteError(f"recording `{path}` is malformed in line {number}: {error}") from error
    return Recording(
        {key: {side: tuple(rows) for side, rows in sides.items()} for key, sides in found.items()}
    )


def save(recording: Recording, path: Path, *, eval_name: str, agent: str) -> None:
    """Write the file, whole or not at all.

    Raises:
        CassetteError: it can't be written.
    """
    head = {"format": FORMAT, "eval": eval_name, "agent": agent}
    text = "".join(f"{_json(row)}\n" for row in (head, *_rows(recording)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = (error.strerror or "not writable").lower()
        raise CassetteError(f"recording `{path}` can't be written: {reason}") from error


class _Header(msgspec.Struct):
    format: str
    eval: str = ""
    agent: str = ""


class _Part(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="row", tag="part", forbid_unknown_fields=True
):
    part: str
    value: object


class _Exchange(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="row", tag="exchange", forbid_unknown_fields=True
):
    case: str
    repeat: int
    side: Side
    request: RecordedRequest
    response: RecordedResponse


_HEADER: Final = msgspec.json.Decoder(_Header)
_ROW: Final = msgspec.json.Decoder(_Part | _Exchange)


def _rows(recording: Recording) -> Iterator[object]:
    known: set[str] = set()
    for (case, repeat), sides in sorted(recording.entries.items()):
        for side, entries in sorted(sides.items()):
            for entry in entries:
                new: list[_Part] = []
                body = _shared(entry.request.body, new)
                for part in new:
                    if part.part not in known:
                        known.add(part.part)
                        yield part
                request = msgspec.structs.replace(entry.request, body=body)
                yield _Exchange(case=case, repeat=repeat, side=side, request=request, response=entry.response)


def _shared(value: object, new: list[_Part]) -> object:
    """The value with its large parts named; what is named goes to `new`, inner parts first."""
    kept: object = value
    if isinstance(value, dict):
        kept = {key: _shared(item, new) for key, item in value.items()}
        if _PART in value:
            kept = {_PART: None, "value": kept}
    elif isinstance(value, list):
        kept = [_shared(item, new) for item in value]
    text = _json(kept)
    if len(text) < _LARGE:
        return kept
    name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    new.append(_Part(part=name, value=kept))
    return {_PART: name}


def _whole(value: object, parts: Mapping[str, object]) -> object:
    if isinstance(value, list):
        return [_whole(item, parts) for item in value]
    if not isinstance(value, dict):
        return value
    if _PART not in value:
        return {key: _whole(item, parts) for key, item in value.items()}
    if value[_PART] is not None:
        return parts[str(value[_PART])]
    return {key: _whole(item, parts) for key, item in value["value"].items()}


def _json(value: object) -> str:
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
