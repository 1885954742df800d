"""Tools in OpenAI's strict mode: what the mode takes, and arguments that come back as they were meant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc_runtime.models.strict import MAX_DEPTH, MAX_VALUES, restored, strict
from agentc_runtime.models.types import AssistantMessage, ModelResponse, ToolCall, ToolDefinition, Usage
from agentc_runtime.violations import compile_shape

STRING = {"type": "string"}


def closed(required: Any = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def back(schema: Any, value: Any) -> Any:
    """What the broker gets when the model has written `value`."""
    tool = ToolDefinition(name="t", description="", parameters=schema)
    text = value if isinstance(value, str) else json.dumps(value)
    call = ToolCall(id="1", name="t", arguments=text)
    message = AssistantMessage(text="", calls=(call,))
    given = ModelResponse(
        message=message, finish_reason="tool_calls", usage=Usage(), response_id="", response_model=""
    )
    (found,) = restored(given, (tool,)).message.calls
    return found.arguments if isinstance(value, str) else json.loads(found.arguments)


def test_what_is_optional_may_be_null_and_null_comes_back_as_nothing() -> None:
    schema = closed(["a"], a=STRING, b={"type": "integer"}, c=closed(d={"enum": [1, 2]}))
    assert strict(schema) == closed(
        ["a", "b", "c"],
        a=STRING,
        b={"type": ["integer", "null"]},
        c={**closed(["d"], d={"anyOf": [{"enum": [1, 2]}, {"type": "null"}]}), "type": ["object", "null"]},
    )
    assert back(schema, {"a": "x", "b": None, "c": None}) == {"a": "x"}
    assert back(schema, {"a": "x", "b": 5, "c": {"d": None}}) == {"a": "x", "b": 5, "c": {}}


def test_null_that_is_meant_stays() -> None:
    schema = closed(["a"], a={"type": ["string", "null"]}, b={"type": "array", "items": {"type": ["null"]}})
    assert back(schema, {"a": None, "b": [None]}) == {"a": None, "b": [None]}


def test_what_the_mode_does_not_hold_is_said_in_words() -> None:
    found = strict(closed(["a"], a={"type": "string", "minLength": 2, "format": "uri", "description": "A."}))
    assert found is not None
    assert found["properties"]["a"] == {"type": "string", "description": 'A. (minLength: 2, format: "uri")'}


def test_references_and_alternatives_are_followed() -> None:
    tree = closed(
        ["name"], name=STRING, left={"$ref": "#/$defs/T"}, size={"oneOf": [{"type": "integer"}, STRING]}
    )
    schema = {**closed(["tree"], tree={"$ref": "#/$defs/T", "description": "gone"}), "$defs": {"T": tree}}
    found = strict(schema)
    assert found is not None
    assert found["properties"]["tree"] == {"$ref": "#/$defs/T"}
    assert found["$defs"]["T"]["properties"]["left"] == {"anyOf": [{"$ref": "#/$defs/T"}, {"type": "null"}]}
    value = {"tree": {"name": "a", "left": {"name": "b", "left": None, "size": None}, "size": 5}}
    assert compile_shape(found).is_valid(value)
    assert back(schema, value) == {"tree": {"name": "a", "left": {"name": "b"}, "size": 5}}


def deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = STRING
    for _ in range(levels):
        found = closed(["a"], a=found)
    return found


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {**closed(), "additionalProperties": STRING},
        closed(a={"type": ["string", "null"]}),
        closed(a={"anyOf": [STRING, {"enum": [None]}]}),
        closed(["a"], a={}),
        closed(["a"], a={"type": "array"}),
        closed(["a"], a={"allOf": [STRING]}),
        closed(["a"], a={"not": STRING}),
        closed(["a"], a={"type": ["object", "string"]}),
        closed(["a"], a={"type": "string", "enum": [str(number) for number in range(MAX_VALUES + 1)]}),
        closed(["a"], a={"type": "string", "const": "x" * 200_000}),
        closed(["b"], a=STRING),
        deep(MAX_DEPTH + 1),
        {**closed(), "anyOf": [closed()]},
    ],
)
def test_what_the_mode_has_no_form_for_is_offered_as_it_is(schema: Any) -> None:
    assert strict(schema) is None
    assert back(schema, {"a": None}) == {"a": None}


def test_arguments_that_can_not_be_read_are_left_to_the_broker() -> None:
    schema = closed(a=STRING)
    for text in ('{"a": null, "a": 1}', "{", "null", "[]"):
        assert back(schema, text) == text


SCHEMAS = st.recursive(
    st.sampled_from([STRING, {"type": "integer", "minimum": 0}, {"type": "boolean"}, {"enum": ["a", 1]}]),
    lambda inner: (
        st.builds(lambda items: {"type": "array", "items": items}, inner)
        | st.builds(
            lambda properties, needed: closed(sorted(needed & properties.keys()), **properties),
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            st.sets(st.sampled_from("abc")),
        )
    ),
    max_leaves=6,
)


def value_of(schema: Any, draw: Any, *, filled: bool) -> Any:
    """A value of a schema; with `filled`, what is left out is null. The same draws give the same value."""
    if "enum" in schema:
        return draw.choice(schema["enum"])
    if schema["type"] == "object":
        made = {}
        for name, part in schema["properties"].items():
            given = name in schema["required"] or draw.random() < 0.5
            if given:
                made[name] = value_of(part, draw, filled=filled)
            elif filled:
                made[name] = None
        return made
    if schema["type"] == "array":
        return [value_of(schema["items"], draw, filled=filled) for _ in range(draw.randint(0, 2))]
    return {"string": "x", "integer": 3, "boolean": True}[schema["type"]]


@given(SCHEMAS, st.integers(0, 10_000))
def test_law_a_value_is_read_back_from_its_strict_form(inner: Any, seed: int) -> None:
    from random import Random

    schema = closed(["x"], x=inner, y=inner)
    written = value_of(schema, Random(seed), filled=True)
    meant = value_of(schema, Random(seed), filled=False)
    form = strict(schema)
    assert form is not None
    assert compile_shape(form).is_valid(written)
    assert back(schema, written) == meant


async def test_only_who_asks_for_it_gets_the_strict_form(
    serve: Any, connect: Any, request_for: Any, model: Any
) -> None:
    schema = closed(["query"], query=STRING, limit={"type": "integer"})
    turn = {"calls": [{"name": "desk_search", "arguments": {"query": "a", "limit": None}}]}
    fake = serve([turn, turn])
    tool = ToolDefinition(name="desk_search", description="Searches.", parameters=schema)
    for asked in (True, False):
        request = request_for(
            "openai", fake.url, tools=(tool,), model=model("openai", fake.url, strict_tools=asked)
        )
        response = await connect(fake.url).complete(request, lambda _: None)
        sent = fake.requests[-1].body["tools"][0]["function"]
        assert sent.get("strict") is (True if asked else None)
        assert sent["parameters"] == (strict(schema) if asked else schema)
        (call,) = response.message.calls
        assert json.loads(call.arguments) == ({"query": "a"} if asked else {"query": "a", "limit": None})
