"""The common part of a promptfoo configuration as an eval: cases, and assertions that mean the same here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from ..parse import parse_documents
from ..source import SourceFile, to_data

_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9]+")


class PromptfooError(Exception):
    """A file that is no configuration: one line that says why."""


@dataclass(frozen=True)
class Imported:
    """The eval as YAML, how many cases and assertions it has, and what was left out with the reason."""

    text: str
    cases: int
    scorers: int
    left_out: tuple[str, ...]


def import_promptfoo(
    path: Path, *, name: str, agent: str, owner: str, of: str, judge: str | None
) -> Imported:
    """Read a configuration in YAML or JSON. `of` is what assertions look at, `judge` the model of rubrics.

    Raises:
        PromptfooError: it can't be read, or has no tests.
    """
    config = _read(path)
    tests = config.get("tests")
    if not isinstance(tests, list) or not tests:
        raise PromptfooError(f"`{path}` has no list of `tests` (tests in files and in code are not read)")
    left: list[str] = []
    shared = config.get("defaultTest")
    default: Mapping[str, object] = shared if isinstance(shared, dict) else {}
    scorers = list(_scorers(default.get("assert"), of, judge, "defaultTest", left))
    cases: list[dict[str, object]] = []
    names: set[str] = set()
    count = len(scorers)
    for number, test in enumerate(tests, 1):
        if not isinstance(test, dict):
            left.append(f"test {number}: {test!r:.60} is no test")
            continue
        case, own = _case(test, number, default, of, judge, left, names)
        count += own
        cases.append(case)
    for key in sorted(config.keys() - {"tests", "defaultTest", "description"}):
        left.append(f"`{key}`: the agent has its own")
    spec: dict[str, object] = {
        "agent": agent,
        "model": "recorded",
        "tools": "mock",
        **({"scorers": scorers} if scorers else {}),
        "cases": cases,
    }
    document = {
        "apiVersion": "agentc/v1",
        "kind": "Eval",
        "metadata": {
            "name": name,
            "version": "1.0.0",
            "owner": owner,
            "description": str(config.get("description") or f"Out of {path.name}."),
        },
        "spec": spec,
    }
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return Imported(text, len(cases), count, tuple(left))


def _read(path: Path) -> dict[str, object]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PromptfooError(f"`{path}` can't be read: {(error.strerror or 'unreadable').lower()}") from error
    if path.suffix not in (".yaml", ".yml", ".json"):
        raise PromptfooError(f"`{path}` is no `.yaml` and no `.json`: configurations in code are not read")
    documents, found = parse_documents(SourceFile(path.name, data))
    wrong = [one for one in found if one.code != "AC109"]  # `yes` is read as it is everywhere here
    if wrong:
        at = wrong[0].span
        raise PromptfooError(f"`{path}` line {at.line}: {wrong[0].message}")
    value = to_data(documents[0].root) if len(documents) == 1 else None
    if not isinstance(value, dict):
        raise PromptfooError(f"`{path}` is no configuration of promptfoo: it is no map")
    return value


class _Dumper(yaml.SafeDumper):
    """Writes what this compiler reads: no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _case(
    test: Mapping[str, object],
    number: int,
    default: Mapping[str, object],
    of: str,
    judge: str | None,
    left: list[str],
    names: set[str],
) -> tuple[dict[str, object], int]:
    said = str(test.get("description") or f"test {number}")
    name = _NOT_IN_IDS.sub("-", said.lower()).strip("-")[:80] or f"test-{number}"
    while name in names:
        name = f"{name}-{number}"
    names.add(name)
    shared, own = default.get("vars"), test.get("vars")
    values = {**(shared if isinstance(shared, dict) else {}), **(own if isinstance(own, dict) else {})}
    found = list(_scorers(test.get("assert"), of, judge, f"test {number}", left))
    for key in sorted(test.keys() - {"description", "vars", "assert"}):
        left.append(f"test {number}: `{key}`")
    case: dict[str, object] = {"id": name, "origin": {"source": "import", "accepted_by": "promptfoo"}}
    if test.get("description"):
        case["description"] = said
    return {**case, "input": values, **({"assert": found} if found else {})}, len(found)


def _scorers(
    asserts: object, of: str, judge: str | None, where: str, left: list[str]
) -> Iterator[dict[str, object]]:
    for one in asserts if isinstance(asserts, list) else ():
        made = _scorer(one, judge) if isinstance(one, dict) else "it is no assertion"
        if isinstance(made, str):
            kind = one.get("type") if isinstance(one, dict) else one
            left.append(f"{where}: assertion `{kind}`: {made}")
        else:
            yield made if made["type"] in ("cost", "latency") else {**made, "of": of}


def _scorer(one: Mapping[str, object], judge: str | None) -> dict[str, object] | str:  # noqa: PLR0911
    kind, value, threshold = str(one.get("type")), one.get("value"), one.get("threshold")
    negated = kind.startswith("not-")
    plain = kind.removeprefix("not-")
    texts = [str(text) for text in value] if isinstance(value, list) else [str(value)]
    if any(text.startswith("file://") or "{{" in text for text in texts):
        return "its value is a file or a template"
    folded = plain.startswith("i") and plain.removeprefix("i").startswith("contains")
    match plain.removeprefix("i") if folded else plain:
        case "equals" if not negated:
            return {"type": "exact", "value": _data(value)}
        case "contains" | "contains-all" if not negated:
            return {"type": "contains", "all": texts, "ignore_case": folded}
        case "contains" | "contains-any" if negated:
            return {"type": "contains", "none": texts, "ignore_case": folded}
        case "contains-any":
            return {"type": "contains", "any": texts, "ignore_case": folded}
        case "starts-with" if not negated:
            return {"type": "regex", "pattern": f"{re.escape(texts[0])}[\\s\\S]*"}
        case "regex" if not negated:
            return {"type": "regex", "pattern": f"[\\s\\S]*(?:{texts[0]})[\\s\\S]*"}
        case "is-json" if not negated:
            return {"type": "schema", "schema": value if isinstance(value, dict) else {}}
        case "cost" if isinstance(threshold, int | float):
            return {"type": "cost", "max_usd": threshold}
        case "latency" if isinstance(threshold, int | float):
            return {"type": "latency", "max": f"{max(1, int(threshold))}ms"}
        case "llm-rubric" | "model-graded-closedqa" if not negated:
            if judge is None:
                return "say with --judge which model grades"
            return {"type": "rubric", "criteria": texts[0], "model": judge}
        case _:
            return "nothing here means the same"


def _data(value: object) -> object:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
