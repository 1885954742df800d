"""Datasets: files of cases that grow out of runs and specs, and that people look at before they count."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentc_runtime.strictjson import StrictJsonError, parse

if TYPE_CHECKING:
    from agentc_runtime.history import PastRun


_ORDER: Final = ("public", "internal", "confidential", "restricted")
_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9._-]+")
#: What stands for personal data that was taken out. An email address stays one, so that schemas still fit.
_PLACEHOLDERS: Final = {"email": "person@example.com", "phone": "[phone]", "iban": "[iban]", "card": "[card]"}

Row = dict[str, object]


class DatasetError(Exception):
    """A file that is no dataset, or a run that can't be added: one line that says why."""


@dataclass(frozen=True)
class Added:
    """A case that was made, and what was taken out of it, by kind."""

    row: Row
    redacted: Mapping[str, int]


def read_rows(path: Path) -> list[Row]:
    """The rows of a dataset; none when there is no file yet.

    Raises:
        DatasetError: it can't be read, or a line is no JSON object with an `id`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"`{path}` can't be read as text") from error
    rows: list[Row] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = parse(line)
        except StrictJsonError as error:
            raise DatasetError(f"`{path}` line {number}: {error}") from error
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            raise DatasetError(f"`{path}` line {number} is no case: it has no `id`")
        rows.append(row)
    return rows


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write a dataset, whole or not at all.

    Raises:
        DatasetError: it can't be written.
    """
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        said = (error.strerror or "not writable").lower()
        raise DatasetError(f"`{path}` can't be written: {said}") from error


def digest(rows: Iterable[Row]) -> str:
    """The identity of a dataset: its cases, in whatever order."""
    lines = sorted(json.dumps(row, sort_keys=True) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def same_task(one: Row, other: Row) -> bool:
    """Whether two cases give the agent the same to do."""
    keys = ("input", "session", "mock", "turns", "approve")
    return all(one.get(key) == other.get(key) for key in keys)


def case_of_run(run: PastRun, *, tags: Sequence[str], consent: str | None, added: str, region: str) -> Added:
    """The case that repeats a run: its input and session, and what tools answered, without personal data.

    Raises:
        DatasetError: it read data that is more than internal, and nobody says why that may be kept; or its
            input was not kept.
    """
    if run.input is None:
        raise DatasetError(f"run `{run.run_id}` has no input in this store: it can't be repeated")
    most = sensitivity(run)
    if most not in ("public", "internal") and consent is None:
        raise DatasetError(f"run `{run.run_id}` read {most} data: say with --consent why it may be kept")
    redaction = _Redaction(region)
    mock: list[object] = []
    for call in run.calls:
        if call.answer is not None:
            mock.append(
                {"tool": call.tool, "complete": True, "body": redaction.of(call.answer.value), "times": 1}
            )
    refused = sorted({refusal.code.lower() for refusal in run.refused})
    origin: Row = {"source": "production", "run": run.run_id, "added": added}
    if re.fullmatch(r"[0-9a-f]{64}", run.bundle):
        origin["bundle"] = run.bundle
    if consent is not None:
        origin["consent"] = consent
    labels: Row = {"sensitivity": most, "tools": sorted({call.tool for call in run.calls})}
    thumbs = [said.thumb for said in run.said if said.thumb is not None]
    if thumbs:
        labels["thumbs"] = {"up": thumbs.count("up"), "down": thumbs.count("down")}
    comments = [redaction.of(said.comment) for said in run.said if said.comment]
    if comments:
        labels["comments"] = comments
    origin["labels"] = labels
    spoken = [label for said in run.said for label in said.labels]
    spoken += [f"thumb-{thumb}" for thumb in thumbs]
    corrections = [said.correction for said in run.said if said.correction is not None]
    approved = sorted({call.tool for call in run.calls if call.answer is not None and call.answer.approved})
    row: Row = {
        "id": _NOT_IN_IDS.sub("-", f"run-{run.run_id}")[:100],
        "tags": list(dict.fromkeys(["production", *tags, *spoken, *(f"refused-{code}" for code in refused)])),
        "input": redaction.of(run.input),
        "session": redaction.of(run.session) or {},
        "approve": approved or "none",
        "mock": mock,
        "origin": origin,
    }
    if corrections:
        row["expected"] = redaction.of(corrections[-1])
    return Added(row, dict(redaction.counts))


def sensitivity(run: PastRun) -> str:
    """The most sensitive of what a run has read."""
    labels = [call.answer.label for call in run.calls if call.answer is not None]
    return _ORDER[max((_ORDER.index(label.sensitivity) for label in labels), default=0)]


def run_of(row: Row) -> str | None:
    """The run that a case was made of."""
    origin = row.get("origin")
    run = origin.get("run") if isinstance(origin, dict) else None
    return run if isinstance(run, str) else None


class _Redaction:
    def __init__(self, region: str) -> None:
        self._region = region
        self.counts: dict[str, int] = {}

    def of(self, value: object) -> object:
        """The value without personal data."""
        if isinstance(value, dict):
            return {key: self.of(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.of(item) for item in value]
        if not isinstance(value, str):
            return value
        from .scorers.leakage import personal_data

        for kind, placeholder in _PLACEHOLDERS.items():
            for found in set(personal_data(kind, value, self._region)):
                value = value.replace(found, placeholder)
                self.counts[kind] = self.counts.get(kind, 0) + 1
        return value


def accepted(row: Row, *, by: str, expected: object, labels: Mapping[str, object]) -> Row:
    """The case as a person has accepted it, with what they say should come out."""
    origin = row.get("origin")
    kept = dict(origin) if isinstance(origin, dict) else {}
    known = kept.get("labels")
    said = {**(known if isinstance(known, dict) else {}), **labels}
    kept |= {"accepted_by": by} | ({"labels": said} if said else {})
    return {**row, **({} if expected is None else {"expected": expected}), "origin": kept}


def is_waiting(row: Row) -> bool:
    """Whether nobody has accepted the case yet."""
    origin = row.get("origin")
    if not isinstance(origin, dict) or origin.get("source", "person") == "person":
        return False
    return origin.get("accepted_by") is None
