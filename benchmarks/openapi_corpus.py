"""Compile every operation of every OpenAPI document below a path, without a cache.

    python benchmarks/openapi_corpus.py PATH [--json]

PATH is a document or a folder: each `*.json`, `*.yaml` and `*.yml` that says it is OpenAPI or Swagger is
taken, whatever else it holds. Each document has a process of its own, so that one that crashes, hangs or
eats memory is one row of the table. An operation is `compiled`, `diagnosed` (refused with a problem that has
a place) or `crashed` (anything else: an exception, a timeout, a process that died). A document of which
nothing can be read is `refused`. `share` is compiled / operations; memory is the peak of the process in MiB.
Prints one JSON object as its last line; `--json` adds one for each document before it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
import traceback
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

SUFFIXES = (".json", ".yaml", ".yml")
TIMEOUT_SECONDS = 600
MEMORY_BYTES = 6 * 1024**3
SHOWN = 25
_VERSION = rb"""["']?(?:openapi|swagger)["']?\s*:\s*["']?[1-9]"""
_YAML = re.compile(rb"^" + _VERSION, re.MULTILINE)
_JSON = re.compile(_VERSION)
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def documents(path: Path) -> list[Path]:
    """The files below `path` that say they are OpenAPI documents; a file that is named is taken as it is."""
    if path.is_file():
        return [path]
    found = []
    for folder, _, names in os.walk(path, onerror=lambda error: print(error, file=sys.stderr)):
        found += [Path(folder) / name for name in names if name.lower().endswith(SUFFIXES)]
    return sorted(file for file in found if _is_document(file))


def _is_document(file: Path) -> bool:
    try:
        data = file.read_bytes()
    except OSError as error:
        print(f"{file}: {error.strerror}", file=sys.stderr)
        return False
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] != b"{":
        return _YAML.search(start) is not None
    # the key may stand at the end, and below another key it says something else
    return any(_is_at_top(start[: match.start()]) for match in _JSON.finditer(start))


def _is_at_top(before: bytes) -> bool:
    """Whether one bracket alone is open at the end of a text."""
    plain = _STRING.sub(b"", before)
    return plain.count(b"{") + plain.count(b"[") - plain.count(b"}") - plain.count(b"]") == 1


def compile_all(path: Path) -> dict[str, Any]:
    """Every operation of one document: how many compile, and the reasons of the others."""
    from agentc.openapi import Problem, problem_span
    from agentc.openapi.collecting import collect, from_folder
    from agentc.openapi.compile import compile_entry
    from agentc.openapi.document import entries, load_document, with_parts
    from agentc.openapi.layout import Layout
    from agentc.openapi.parts import source_of
    from agentc.source import SourceFile

    start = time.perf_counter()
    file = SourceFile(path.name, path.read_bytes())
    row: dict[str, Any] = {"operations": 0, "compiled": 0, "diagnosed": 0, "crashed": 0, "refused": 0}
    codes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    crashes: list[str] = []

    def diagnose(problem: Problem) -> None:
        codes[problem.code] += 1
        reasons[f"{problem.code} {_general(problem.message)}"] += 1

    document = load_document(file.path, file.data)
    if isinstance(document, Problem):
        span = problem_span(file, document)
        row |= {"refused": 1, "version": "", "problem": f"{span.line}:{span.column}: {document.message}"}
        found, unread = (), ()
    else:
        row["version"] = document.openapi
        layout = Layout(path.name)
        parts = collect(file, layout, document, from_folder(path.parent)).files
        if parts:
            row["files"] = 1 + len(parts)
            document = with_parts(document, replace(layout, known=parts), parts.__getitem__)
        found, unread = entries(document)
    row["operations"] = len(found) + sum(bool(one.names) for one in unread)
    row["diagnosed"] = row["operations"] - len(found)
    for one in unread:
        diagnose(one.problem)
    for entry in found:
        try:
            operation, problems = compile_entry(document, entry)
            if operation is None and not problems:
                raise AssertionError("neither an operation nor a problem")
            if operation is None and row["diagnosed"] < SHOWN:
                # looked up for some: it reads the text again
                problem_span(*source_of(problems[0], file, lambda name: SourceFile(name, parts[name])))
        except Exception as error:  # what is counted here is whatever happens
            row["crashed"] += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            crashes.append(f"{entry.method} {entry.path}: {error!r} at {where.name}:{where.lineno}"[:300])
            continue
        row["compiled" if operation is not None else "diagnosed"] += 1
        if operation is None:
            diagnose(problems[0])
    return row | {
        "codes": dict(codes),
        "reasons": dict(reasons.most_common(SHOWN)),
        "crashes": crashes[:SHOWN],
        "seconds": round(time.perf_counter() - start, 3),
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _general(message: str) -> str:
    """A message without the names in it, so that equal reasons are counted together."""
    return re.sub(r"`[^`]*`", "`…`", message)[:120]


def measured(path: Path) -> dict[str, Any]:
    """What a process of its own says of one document; what it can't say any more is a crash."""
    command = [sys.executable, __file__, "--one", str(path)]
    start = time.perf_counter()
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, preexec_fn=_bound
        )
        return json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError) as error:
        hung = isinstance(error, subprocess.TimeoutExpired)
        reason = "timeout" if hung else (done.stderr.strip().splitlines() or ["no output"])[-1][:300]
        row = dict.fromkeys(("operations", "compiled", "diagnosed", "refused", "mib"), 0)
        seconds = round(time.perf_counter() - start, 3)
        return {**row, "crashed": 1, "version": "?", "crashes": [reason], "seconds": seconds}


def _bound() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def main() -> int:
    """Measure, and print the table, the reasons and the sums."""
    parser = argparse.ArgumentParser(description="compile every operation of every OpenAPI document")
    parser.add_argument("path", type=Path)
    parser.add_argument("--json", action="store_true", help="print a JSON object for each document as well")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(compile_all(options.path)))
        return 0
    if not options.path.exists():
        print(f"{options.path} is not there: give a document or a folder", file=sys.stderr)
        return 2
    files = documents(options.path)
    base = options.path if options.path.is_dir() else options.path.parent
    columns = ("operations", "compiled", "diagnosed", "crashed", "seconds", "mib")
    width = max([8, *(len(str(file.relative_to(base))) for file in files)])
    print(f"{'document':{width}} version {' '.join(f'{name:>10}' for name in columns)}")
    rows = []
    for file in files:
        name = str(file.relative_to(base))
        row = {"document": name, **measured(file)}
        rows.append(row)
        figures = " ".join(f"{row[column]:>10}" for column in columns)
        codes = " ".join(f"{code}:{count}" for code, count in row.get("codes", {}).items())
        rest = codes or row.get("problem", "") or "; ".join(row.get("crashes", [])[:1])
        print(f"{name:{width}} {row['version'][:7]:7} {figures} {rest}".rstrip(), flush=True)
    codes, reasons = Counter[str](), Counter[str]()
    for row in rows:
        codes.update(row.get("codes", {}))
        reasons.update(row.get("reasons", {}))
    print("\nwhy operations do not compile:")
    for reason, count in reasons.most_common(SHOWN):
        print(f"{count:>8}  {reason}")
    if options.json:
        for row in rows:
            print(json.dumps(row))
    sums = {name: sum(row[name] for row in rows) for name in (*columns[:4], "refused")}
    report = {
        "name": "openapi_corpus",
        "documents": len(rows),
        **sums,
        "share": round(sums["compiled"] / sums["operations"], 5) if sums["operations"] else None,
        "codes": dict(codes),
        "seconds": round(sum(row["seconds"] for row in rows), 1),
        "peak_mib": max((row["mib"] for row in rows), default=0),
    }
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
