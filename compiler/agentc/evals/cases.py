"""The cases of an eval, from its spec and its files, each with its place, and what is wrong with rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from agentc_runtime import strictjson

from ..diagnostics import Span, did_you_mean
from ..phrasing import rephrase
from ..program import Agent
from ..resources import Resource
from ..schematypes import type_at
from ..source import SourceFile
from ..syntax.eval import EvalCaseSpec, EvalSpec
from .case import Case, CaseSet, Problem

#: Cases of one eval.
MAX_CASES: Final = 100_000
_COLUMNS: Final = ("id", "description", "tags", "input", "session", "expected", "approve", "assert", "origin")
_PLAIN: Final = frozenset({"id", "description", "tags"})


def read_cases(
    agents: Mapping[str, Agent], files: Mapping[str, SourceFile], one: Resource[EvalSpec]
) -> CaseSet:
    """The cases in order, those of the spec first, and what is wrong with its files."""
    cases = [
        _case(one.spec, case, one.span("cases", index, "id"), index)
        for index, case in enumerate(one.spec.cases)
    ]
    problems: list[Problem] = []
    agent = agents.get(one.spec.agent)
    for index, path in enumerate(one.spec.files):
        at = one.span("files", index)
        file = files.get(path)
        if file is None:
            problems.append(Problem(at, f"the cases in `{path}` can't be read", "is the path right?"))
        elif not path.endswith((".jsonl", ".csv")):
            problems.append(Problem(at, f"`{path}` is no file of cases", "it ends in `.jsonl` or `.csv`"))
        else:
            rows = _jsonl(file) if path.endswith(".jsonl") else _csv(file, agent)
            before = len(cases), len(problems)
            for row in _validated(list(rows)):
                if isinstance(row, Problem):
                    problems.append(row)
                else:
                    cases.append(_case(one.spec, row[1], row[0], None))
            if before == (len(cases), len(problems)):
                problems.append(Problem(at, f"`{path}` holds no case"))
    if len(cases) > MAX_CASES:
        problems.append(Problem(one.span("files"), f"the eval has more than {MAX_CASES:,} cases"))
        del cases[MAX_CASES:]
    return CaseSet(tuple(cases), tuple(problems))


def _case(spec: EvalSpec, case: EvalCaseSpec, span: Span, index: int | None) -> Case:
    shared = spec.defaults
    return Case(case, {**shared.input, **case.input}, {**shared.session, **case.session}, span, index)


def _line(file: SourceFile, number: int) -> Span:
    lines = file.lines
    width = len(lines[number - 1]) if 1 <= number <= len(lines) else 1
    return Span(file.path, number, 1, number, max(2, width + 1))


def _jsonl(file: SourceFile) -> Iterator[tuple[Span, object] | Problem]:
    for number, line in enumerate(file.lines, 1):
        if not line.strip():
            continue
        span = _line(file, number)
        try:
            value = strictjson.parse(line)
        except strictjson.StrictJsonError as error:
            yield Problem(span, f"this line is no JSON object: {error}", "write one case a line")
            continue
        if isinstance(value, dict):
            yield span, value
        else:
            yield Problem(span, "this line is no JSON object", "write one case a line")


def _validated(
    rows: Sequence[tuple[Span, object] | Problem],
) -> Iterator[tuple[Span, EvalCaseSpec] | Problem]:
    """The rows as cases, in order, and what is wrong with the others.

    They are validated as the cases of an eval, all at once: its model is built already.
    """
    values = [(at, row[1]) for at, row in enumerate(rows) if not isinstance(row, Problem)]
    wrong: dict[int, list[Problem]] = {}
    cases: dict[int, EvalCaseSpec] = {}
    while values:
        try:
            spec = EvalSpec.model_validate({"agent": "any", "cases": [value for _, value in values]})
        except ValidationError as error:
            for issue in error.errors(include_url=False, include_input=False):
                at = values[int(issue["loc"][1])][0]
                span = rows[at][0]
                assert isinstance(span, Span)
                wrong.setdefault(at, []).append(_problem(span, issue))
            values = [(at, value) for at, value in values if at not in wrong]
            continue
        cases = {at: case for (at, _), case in zip(values, spec.cases, strict=True)}
        break
    for at, row in enumerate(rows):
        if isinstance(row, Problem):
            yield row
        elif at in cases:
            yield row[0], cases[at]
        else:
            yield from wrong[at][:5]


def _problem(span: Span, issue: ErrorDetails) -> Problem:
    loc = issue["loc"][2:]
    where = ".".join(str(step) for step in loc)
    if issue["type"] == "extra_forbidden":
        keys = [field.alias or name for name, field in EvalCaseSpec.model_fields.items()]
        help_ = did_you_mean(str(loc[-1]), keys) if len(loc) == 1 else None
        return Problem(span, f"the case has an unknown key `{where}`", help_)
    if issue["type"] == "missing":
        return Problem(span, f"the case has no `{where}`", f"add `{where}`")
    text, help_ = rephrase(issue["type"], issue.get("ctx", {}), issue["msg"])
    return Problem(span, f"`{where}` of the case: {text}", help_)


def _csv(file: SourceFile, agent: Agent | None) -> Iterator[tuple[Span, object] | Problem]:
    reader = csv.reader(io.StringIO(file.text, newline=""), strict=True)
    try:
        header = next(reader, [])
        names = [name.strip() for name in header]
        for name in names:
            if name.partition(".")[0] not in _COLUMNS:
                said = did_you_mean(name.partition(".")[0], _COLUMNS)
                yield Problem(_line(file, 1), f"unknown column `{name}`", said)
                return
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            yield Problem(_line(file, 1), f"column `{twice}` is there twice")
            return
        begun = reader.line_num + 1
        for cells in reader:
            span, begun = _line(file, begun), reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                said = f"this row has {len(cells)} cells, and the header has {len(names)}"
                yield Problem(span, said, "put cells that hold a comma into quotes")
                continue
            made = _row(dict(zip(names, cells, strict=True)), agent)
            yield Problem(span, made) if isinstance(made, str) else (span, made)
    except csv.Error as error:
        yield Problem(_line(file, max(1, reader.line_num)), f"this is no CSV: {error}")


def _row(cells: Mapping[str, str], agent: Agent | None) -> dict[str, object] | str:
    """The case that a row says, or why it says none. An empty cell says nothing."""
    made: dict[str, object] = {}
    for name, cell in cells.items():
        if not cell.strip():
            continue
        value = _cell(name, cell, agent)
        *parents, last = name.split(".")
        into = made
        for parent in parents:
            below = into.setdefault(parent, {})
            if not isinstance(below, dict):
                return f"column `{name}` stands below one that is no object"
            into = below
        into[last] = value
    return made


def _cell(name: str, cell: str, agent: Agent | None) -> object:
    """A cell's value: text where the agent takes text, else JSON where it is some, else text."""
    root, _, rest = name.partition(".")
    if root == "tags":
        return [tag for tag in cell.replace(",", " ").split() if tag]
    if name in _PLAIN:
        return cell.strip()
    if root in ("input", "session") and rest and agent is not None:
        data = agent.spec.input if root == "input" else agent.spec.session
        wanted = type_at(dict(data.schema_), rest.split(".")) if data is not None else None
        if wanted is not None and (wanted.get("type") == "string" or _all_text(wanted.get("enum"))):
            return cell
    try:
        value: object = json.loads(cell)
    except ValueError:
        return cell
    return value


def _all_text(options: object) -> bool:
    return isinstance(options, list) and all(isinstance(option, str) for option in options)
