"""Pairs of schemas, old and new, and what the new one is to the old one; each witness is judged again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentc.subsumption import Answer, Comparison, Escapes, Limits, compare
from agentc_runtime.violations import compile_shape

Schema = dict[str, object]

PAIRS = [json.loads(line) for line in (Path(__file__).parent / "pairs.jsonl").read_text("utf-8").splitlines()]
OPPOSITE = {"wider": "narrower", "narrower": "wider"}
each_pair = pytest.mark.parametrize(
    ("old", "new", "relation"),
    [pytest.param(pair["old"], pair["new"], pair["is"], id=pair["claim"]) for pair in PAIRS],
)


def as_schema(schema: object) -> Schema:
    return schema if isinstance(schema, dict) else {} if schema else {"not": {}}


def witnesses(found: Comparison, old: Schema, new: Schema) -> Iterator[tuple[object, Schema, Schema]]:
    """Each witness, with the schema that must accept it and the one that must not."""
    answers: list[tuple[Answer, Schema, Schema]] = [(found.gained, new, old), (found.lost, old, new)]
    for answer, accepts, refuses in answers:
        if isinstance(answer, Escapes):
            yield answer.witness, accepts, refuses


def test_there_are_many_pairs_and_each_claim_is_another() -> None:
    assert len(PAIRS) > 100
    assert len({pair["claim"] for pair in PAIRS}) == len(PAIRS)


@each_pair
def test_the_new_schema_is_this_to_the_old_one(old: object, new: object, relation: str) -> None:
    first, second = as_schema(old), as_schema(new)
    found = compare(first, second)
    assert found.relation == relation, found
    for witness, accepts, refuses in witnesses(found, first, second):
        assert compile_shape(accepts).is_valid(witness)
        assert not compile_shape(refuses).is_valid(witness)


@each_pair
def test_z3_from_the_first_step_comes_to_the_same(old: object, new: object, relation: str) -> None:
    found = compare(as_schema(old), as_schema(new), limits=Limits(steps=-1))
    assert found.relation == relation, found


@each_pair
def test_the_old_schema_is_the_opposite_to_the_new_one(old: object, new: object, relation: str) -> None:
    assert compare(as_schema(new), as_schema(old)).relation == OPPOSITE.get(relation, relation)
