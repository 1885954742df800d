"""Whether one schema is inside another: pairs of schemas, against jsonsubschema and against z3 at once.

    python benchmarks/subsumption.py [--pairs N] [--repeats N] [--seconds N]

The pairs are those of the tests, each asked both ways, so that the right answer is known. agentc answers as
it does for a user; with z3 from the first step, without the structural search; and both validators of a pair
are compiled, which is the least that a look at two schemas takes. `jsonsubschema` runs in a process of its
own, which is ended after `--seconds` for one question. `ratio` is agentc's median against jsonsubschema's,
over the questions that jsonsubschema answers rightly. Of wrong answers, `included` where a value escapes is
the dangerous kind.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import time
from collections import Counter
from importlib.util import find_spec
from multiprocessing.connection import Connection
from typing import NamedTuple

from support.figures import ROOT, CannotMeasureError, finish, interleaved, main

from agentc.subsumption import Escapes, Included, Limits, includes
from agentc_runtime.violations import compile_shape

PAIRS = ROOT / "tests" / "compiler" / "subsumption" / "pairs.jsonl"
Z3_AT_ONCE = Limits(steps=-1)


class Question(NamedTuple):
    """Whether `narrow` is inside `wide`, and whether it is."""

    wide: dict[str, object]
    narrow: dict[str, object]
    included: bool


def questions(most: int) -> list[Question]:
    """Two for each pair of the tests."""
    asked: list[Question] = []
    for line in PAIRS.read_text(encoding="utf-8").splitlines()[:most]:
        pair = json.loads(line)
        old, new = (
            one if isinstance(one, dict) else {} if one else {"not": {}} for one in (pair["old"], pair["new"])
        )
        asked.append(Question(old, new, pair["is"] in ("equal", "narrower")))
        asked.append(Question(new, old, pair["is"] in ("equal", "wider")))
    return asked


def ours(question: Question, repeats: int) -> dict[str, float]:
    """Milliseconds: agentc, agentc with z3 at once, and compiling both validators."""
    wide, narrow, _ = question
    taken = interleaved(
        {
            "agentc": lambda: includes(wide, narrow),
            "z3": lambda: includes(wide, narrow, limits=Z3_AT_ONCE),
            "compile": lambda: (compile_shape(wide), compile_shape(narrow)),
        },
        repeats,
    )
    return {name: statistics.median(values) for name, values in taken.items()}


def peer(pipe: Connection) -> None:
    """Answers questions of `jsonsubschema` that come through `pipe`, each with the seconds that it took."""
    from jsonsubschema import isSubschema

    pipe.send("ready")
    while True:
        narrow, wide = pipe.recv()
        start = time.perf_counter()
        try:
            answer: object = isSubschema(narrow, wide)
        except Exception as error:  # whatever it raises is what is counted
            answer = type(error).__name__
        pipe.send((answer, time.perf_counter() - start))


class Peer:
    """A process that can be ended."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=peer, args=(other,), daemon=True)
        self._process.start()
        other.close()
        self._pipe.recv()

    def ask(self, question: Question, seconds: float) -> tuple[object, float]:
        """Its answer, or what became of it, and the milliseconds that it took."""
        self._pipe.send((question.narrow, question.wide))
        if not self._pipe.poll(seconds):
            self.end()
            self._start()
            return "timeout", seconds * 1e3
        answer, took = self._pipe.recv()
        return answer, took * 1e3

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of them are."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def measure() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10_000, help="pairs at most")
    parser.add_argument("--repeats", type=int, default=3, help="times that agentc is asked each question")
    parser.add_argument(
        "--seconds", type=float, default=2, help="what jsonsubschema may take for one question"
    )
    options = parser.parse_args()
    if find_spec("jsonsubschema") is None:
        raise CannotMeasureError("no `jsonsubschema` here: pip install 'agentc[bench]'")
    asked = questions(options.pairs)
    other = Peer()
    figures: dict[str, list[float]] = {"agentc": [], "z3": [], "compile": []}
    shared: dict[str, list[float]] = {"agentc": [], "jsonsubschema": []}
    counts: Counter[str] = Counter()
    for question in asked:
        found = includes(question.wide, question.narrow)
        right = Included if question.included else Escapes
        counts["agentc_wrong"] += not isinstance(found, right)
        taken = ours(question, max(1, options.repeats))
        for name, value in taken.items():
            figures[name].append(value)
        answer, took = other.ask(question, options.seconds)
        if answer == question.included:
            shared["agentc"].append(taken["agentc"])
            shared["jsonsubschema"].append(took)
        elif isinstance(answer, str):
            counts["jsonsubschema_timeouts" if answer == "timeout" else "jsonsubschema_raised"] += 1
        else:
            counts["jsonsubschema_wrong_included" if answer else "jsonsubschema_wrong_not_included"] += 1
    other.end()
    report: dict[str, float | int] = {}
    for name, values in figures.items():
        report |= {f"{name}_p50_ms": quantile(values, 0.5), f"{name}_p95_ms": quantile(values, 0.95)}
    theirs = shared["jsonsubschema"]
    report["jsonsubschema_p50_ms"], report["jsonsubschema_p95_ms"] = (
        quantile(theirs, 0.5),
        quantile(theirs, 0.95),
    )
    for name in ("agentc_wrong", "jsonsubschema_wrong_included", "jsonsubschema_wrong_not_included"):
        report[name] = counts[name]
    for name in ("jsonsubschema_raised", "jsonsubschema_timeouts"):
        report[name] = counts[name]
    finish(
        "subsumption",
        "jsonsubschema",
        quantile(shared["agentc"], 0.5) / quantile(theirs, 0.5),
        "0.5x, and none wrong",
        {**report, "z3_ratio": report["agentc_p50_ms"] / report["z3_p50_ms"], "questions": len(asked)},
    )


if __name__ == "__main__":
    raise SystemExit(main(measure))
