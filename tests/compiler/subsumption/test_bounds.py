"""Hostile and huge inputs end: with the answer, or with what they would take."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from agentc.subsumption import Escapes, Included, Limits, Undecided, compare, includes

Schema = dict[str, object]

TEXT: Schema = {"type": "string"}


def matching(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


def closed(properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def nested(depth: int, leaf: Schema) -> Schema:
    for _ in range(depth):
        leaf = {"type": "object", "properties": {"a": leaf}, "required": ["a"]}
    return leaf


def choices(names: int, clauses: int, seed: int) -> Schema:
    """Three of the names a clause, each required or forbidden: satisfiability, in its hard form."""
    chance = random.Random(seed)
    every: list[object] = []
    for _ in range(clauses):
        some = [{"required": [f"v{at}"]} for at in chance.sample(range(names), 3)]
        every.append({"anyOf": [one if chance.random() < 0.5 else {"not": one} for one in some]})
    return {"type": "object", "allOf": every}


def union(size: int, most: int) -> Schema:
    branches = [
        closed({"kind": {"const": at}, "n": {"type": "integer", "maximum": most + at}}) for at in range(size)
    ]
    return {"oneOf": branches}


NUMBERED = [f"value-{number}" for number in range(10_000)]

INCLUDED = [
    ("10,000 values, by a pattern", matching("^value-[0-9]+$"), {"enum": NUMBERED}),
    (
        "250 properties",
        closed({f"p{at}": {"maxLength": at + 1} for at in range(250)}),
        closed({f"p{at}": {"maxLength": at} for at in range(250)}),
    ),
    ("a union of 60", union(60, 6), union(60, 5)),
    (
        "a point less in 200 ranges",
        {"anyOf": [{"minimum": at, "maximum": at + 1} for at in range(200)]},
        {"type": "number", "minimum": 0, "maximum": 200},
    ),
    (
        "more items than there are values",
        False,
        {"type": "array", "items": {"enum": list(range(100))}, "uniqueItems": True, "minItems": 101},
    ),
    ("counts of 1,000", matching("^.{1,1000}$"), matching("^.{1,999}$")),
    ("repeats of repeats", matching("^x*y$"), matching("^(x+x+)+y$")),
    (
        "a host name and a longer one",
        matching("^([a-z0-9-]{1,63}\\.){1,8}[a-z]{2,20}$"),
        matching("^([a-z]{1,60}\\.){1,8}[a-z]{2,20}$"),
    ),
    ("contradicting choices", False, choices(40, 300, 3)),
    (
        "a whole that is its own part",
        {"type": "object"},
        {"type": "object", "properties": {"a": {"$ref": "#"}}},
    ),
]
ESCAPING = [
    ("one value more than 10,000", {"enum": NUMBERED}, {"enum": [*NUMBERED, "one more"]}),
    (
        "one object more than 3,000",
        {"enum": [{"i": at} for at in range(3_000)]},
        {
            "type": "object",
            "properties": {"i": {"type": "integer", "minimum": 0}},
            "required": ["i"],
            "additionalProperties": False,
        },
    ),
    ("30 objects deep", nested(30, {"maximum": 5}), nested(30, {"maximum": 6})),
    (
        "the last of 60",
        union(60, 5),
        {
            "oneOf": [
                *union(59, 5)["oneOf"],
                closed({"kind": {"const": 59}, "n": {"type": "integer", "maximum": 65}}),
            ]
        },
    ),  # type: ignore[misc]
    ("choices that can be made", False, choices(60, 200, 1)),
    ("1,000 properties at least", {"maxProperties": 10}, {"type": "object", "minProperties": 1_000}),
    (
        "a number that many don't divide",
        {"multipleOf": 7},
        {
            "type": "integer",
            "multipleOf": 10**9 + 7,
            "not": {"anyOf": [{"multipleOf": prime} for prime in (2, 3, 5, 7, 11, 13)]},
        },
    ),
    ("a long text", {"maxLength": 4_999}, matching("^[a-z]+-[0-9]+$") | {"minLength": 5_000}),
]
UNDECIDED = [
    (
        "a pattern with exponentially many states",
        matching("^(a|b)*b(a|b){30}$"),
        matching("^(a|b)*a(a|b){30}$"),
        "automata",
    ),
    ("counts of counts", matching("^[ab]{1,900}$"), matching("^(a{1,100}b?){1,100}$"), "automata"),
    (
        "deeper than schemas nest",
        nested(120, {"maximum": 5}),
        nested(120, {"maximum": 6}),
        "nests deeper than 80",
    ),
    (
        "deeper than bundles nest",
        nested(500, {"maximum": 5}),
        nested(500, {"maximum": 6}),
        "nested deeper than 400",
    ),
    (
        "a witness of a million items",
        {"type": "array", "maxItems": 10**6},
        {"type": "array", "minItems": 10**6},
        "1,000,001 items",
    ),
    (
        "a witness of a million characters",
        {"type": "string", "maxLength": 10**6},
        {"type": "string", "minLength": 10**6},
        "1,000,001 characters",
    ),
    ("a part that is its own whole", {"type": "object"}, {"allOf": [{"$ref": "#"}]}, "leads back to itself"),
    (
        "500 branches that overlap",
        {"type": "integer"},
        {"oneOf": [{"minimum": at} for at in range(500)]},
        "`oneOf`",
    ),
]


@pytest.mark.parametrize(("wide", "narrow"), [pytest.param(*one[1:], id=one[0]) for one in INCLUDED])
def test_what_is_large_and_included_is_shown_to_be(wide: object, narrow: object) -> None:
    assert includes(wide, narrow) == Included()  # type: ignore[arg-type]


@pytest.mark.parametrize(("wide", "narrow"), [pytest.param(*one[1:], id=one[0]) for one in ESCAPING])
def test_what_is_large_and_escapes_has_a_witness(wide: object, narrow: object) -> None:
    assert isinstance(includes(wide, narrow), Escapes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wide", "narrow", "reason"), [pytest.param(*one[1:], id=one[0]) for one in UNDECIDED]
)
def test_what_would_take_too_long_is_undecided_and_says_why(
    wide: object, narrow: object, reason: str
) -> None:
    found = includes(wide, narrow)  # type: ignore[arg-type]
    assert isinstance(found, Undecided), found
    assert reason in found.reason


def test_the_same_question_has_the_same_answer() -> None:
    hard, easy = choices(40, 170, 2), {"minProperties": 3}
    first = compare(easy, hard)
    assert compare(easy, hard) == first
    assert compare(easy, hard, limits=Limits(steps=-1)) == compare(easy, hard, limits=Limits(steps=-1))


ANSWERS = """
import json, sys
from agentc.subsumption import compare
for line in open(sys.argv[1], encoding="utf-8"):
    pair = json.loads(line)
    if isinstance(pair["old"], dict) and isinstance(pair["new"], dict):
        print(compare(pair["old"], pair["new"]))
"""


def test_another_process_gives_the_same_witnesses(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    every = (Path(__file__).parent / "pairs.jsonl").read_text("utf-8").splitlines(keepends=True)
    pairs.write_text("".join(every[::3]), "utf-8")
    said = [
        subprocess.run(
            [sys.executable, "-c", ANSWERS, str(pairs)],
            capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert said[0].count("Escapes") > 20
    assert said[0] == said[1]


def test_steps_bound_the_search_with_z3_as_well() -> None:
    limits = Limits(steps=10, steps_with_solver=20)
    assert includes(False, choices(40, 170, 2), limits=limits) == Undecided(
        "it takes more than 10 steps; it takes more than 20 steps"
    )
    limits = Limits(steps=10, solver_rounds=1)
    small = [{"properties": {"n": {"maximum": bound}}} for bound in range(5)]
    unfit: Schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 5}},
        "required": ["n"],
    }
    assert includes(False, {**unfit, "anyOf": small}, limits=limits) == Undecided(
        "it takes more than 10 steps; z3 proposes more than may be tried"
    )
    limits = Limits(steps=10, solver_steps=100)
    assert includes(False, {**unfit, "anyOf": small}, limits=limits) == Undecided(
        "it takes more than 10 steps; z3 takes more steps than it may"
    )


WITHOUT_Z3 = """
import sys
sys.modules["z3"] = None  # as if it were not installed
from agentc.subsumption import Limits, includes
print(includes({"maximum": 5}, {"type": "integer", "maximum": 4}))
print(includes({"maximum": 5}, {"type": "integer", "maximum": 4}, limits=Limits(steps=3)))
"""


def test_without_z3_easy_questions_are_decided_and_others_say_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_Z3], capture_output=True, text=True, check=False)
    easy, hard = done.stdout.splitlines()
    assert easy == "Included()", done.stderr
    assert "more than 3 steps; z3, which might decide it, is not installed" in hard
    assert "pip install 'agentc[solver]'" in hard


def test_z3_is_imported_for_hard_questions_only() -> None:
    script = (
        "import sys; from agentc.subsumption import compare; "
        "compare({'maximum': 5}, {'enum': [1, 'a']}); print('z3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
