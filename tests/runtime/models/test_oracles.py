"""The official SDKs are the oracle: they send what we send, and they read what our fake provider streams.

Differences that are meant, and why they are harmless:
- OpenAI, Anthropic: the SDKs add `x-stainless-*` headers that describe the client.
- Gemini: the SDK writes `parameters_json_schema`, we write `parametersJsonSchema` as the API's reference
  does. The API reads protobuf JSON, which takes both spellings. The SDK adds `x-goog-api-client`.
"""

from __future__ import annotations

import base64
import json
import warnings
from typing import Any

import pytest

from agentc_runtime.models.output_schema import supported
from agentc_runtime.models.types import AssistantMessage, ToolCall, ToolMessage, UserMessage

KEY = "sk-test-0123456789"
QUERY = {
    "type": "object",
    "properties": {"query": {"type": "string"}},
    "required": ["query"],
    "additionalProperties": False,
}
OUTPUT = {
    "type": "object",
    "properties": {"answer": {"type": "string"}, "sure": {"type": "boolean"}},
    "required": ["answer", "sure"],
    "additionalProperties": False,
}
HISTORY = (
    UserMessage(text="What is open?"),
    AssistantMessage(
        text="I look.",
        calls=(
            ToolCall(id="call_1", name="desk_search", arguments='{"query": "open"}'),
            ToolCall(id="call_2", name="desk_search", arguments='{"query": "new"}'),
        ),
    ),
    ToolMessage(call_id="call_1", name="desk_search", content="[1]"),
    ToolMessage(call_id="call_2", name="desk_search", content="down", refused=True),
    AssistantMessage(text="One."),
    UserMessage(text="Sure?"),
)
TURN = {
    "text": "Two tickets are open; I look at both.",
    "thinking": {"text": "I should look at both of them.", "signature": "c2lnbmVk"},
    "calls": [{"name": "desk_search", "arguments": {"query": "öpen ticket"}}, {"name": "desk_search"}],
    "usage": {"input": 100, "output": 20, "cached_input": 40, "reasoning": 5},
}


async def ours(connect: Any, fake: Any, request: Any) -> Any:
    await connect(fake.url).complete(request, lambda _: None)
    return fake.requests[-1]


async def test_openai(serve: Any, connect: Any, request_for: Any, model: Any) -> None:
    import openai

    fake = serve([TURN, TURN])
    with openai.OpenAI(api_key=KEY, base_url=f"{fake.url}/v1", max_retries=0) as client:
        call = {"type": "function", "function": {"name": "desk_search"}}
        chunks = list(
            client.chat.completions.create(
                model="model-1",
                stream=True,
                stream_options={"include_usage": True},
                max_completion_tokens=500,
                temperature=0.2,
                parallel_tool_calls=True,
                tool_choice="auto",
                tools=[
                    {
                        "type": "function",
                        "function": {
                            "name": "desk_search",
                            "description": "Searches.",
                            "parameters": QUERY,
                        },
                    }
                ],
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "output", "schema": OUTPUT, "strict": True},
                },
                messages=[
                    {"role": "system", "content": "You triage."},
                    {"role": "user", "content": "What is open?"},
                    {
                        "role": "assistant",
                        "content": "I look.",
                        "tool_calls": [
                            {
                                **call,
                                "id": f"call_{n}",
                                "function": {"name": "desk_search", "arguments": text},
                            }
                            for n, text in ((1, '{"query": "open"}'), (2, '{"query": "new"}'))
                        ],
                    },
                    {"role": "tool", "tool_call_id": "call_1", "content": "[1]"},
                    {"role": "tool", "tool_call_id": "call_2", "content": "down"},
                    {"role": "assistant", "content": "One."},
                    {"role": "user", "content": "Sure?"},
                ],
            )
        )
    theirs = fake.requests[-1]
    request = request_for(
        "openai",
        fake.url,
        messages=HISTORY,
        output=OUTPUT,
        model=model("openai", fake.url, temperature="0.2"),
    )
    mine = await ours(connect, fake, request)
    assert mine.body == theirs.body
    assert mine.path == theirs.path
    assert mine.headers["authorization"] == theirs.headers["authorization"]
    assert mine.headers["content-type"] == theirs.headers["content-type"]

    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == TURN["text"]
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "tool_calls"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens_details is not None
    assert chunks[-1].usage.completion_tokens_details.reasoning_tokens == 5


async def test_anthropic(serve: Any, connect: Any, request_for: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anthropic

    fake = serve([TURN, TURN, TURN, {"text": "ok"}, {"text": "ok"}])
    tools: Any = [{"name": "desk_search", "description": "Searches.", "input_schema": QUERY}]
    given: Any = {
        "model": "model-1",
        "max_tokens": 500,
        "system": "You triage.",
        "tools": tools,
        "tool_choice": {"type": "auto"},
    }
    asked: Any = {"role": "user", "content": "What is open?"}
    history: Any = [
        asked,
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "call_1", "name": "desk_search", "input": {"query": "open"}},
                {"type": "tool_use", "id": "call_2", "name": "desk_search", "input": {"query": "new"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "[1]"},
                {"type": "tool_result", "tool_use_id": "call_2", "content": "down", "is_error": True},
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "One."}]},
        {"role": "user", "content": "Sure?"},
    ]
    with anthropic.Anthropic(api_key=KEY, base_url=fake.url, max_retries=0) as client:
        output: Any = {"format": {"type": "json_schema", "schema": OUTPUT}}
        with client.messages.stream(**given, messages=history, output_config=output) as stream:
            message = stream.get_final_message()
        theirs = fake.requests[-1]
        request = request_for("anthropic", fake.url, messages=HISTORY, output=OUTPUT)
        mine = await ours(connect, fake, request)
        assert mine.body == theirs.body
        assert mine.path == theirs.path
        for name in ("anthropic-version", "authorization", "content-type"):
            assert mine.headers[name] == theirs.headers[name]

        assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
        assert message.content[2].input == {"query": "öpen ticket"}
        assert message.stop_reason == "tool_use"
        assert message.usage.cache_read_input_tokens == 40
        assert message.usage.output_tokens_details is not None
        assert message.usage.output_tokens_details.thinking_tokens == 5

        # What the model thought goes back as the SDK sends it back.
        first = await connect(fake.url).complete(request_for("anthropic", fake.url), lambda _: None)
        said: Any = {
            "role": "assistant",
            "content": [block.model_dump(exclude_none=True) for block in message.content],
        }
        for block in said["content"]:
            block.pop("parsed_output", None)
        for index, block in enumerate(said["content"][2:]):
            block["id"] = first.message.calls[index].id
        results = [ToolMessage(call_id=call.id, name=call.name, content="[]") for call in first.message.calls]
        answers: Any = {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": each.call_id, "content": "[]"} for each in results
            ],
        }
        with client.messages.stream(**given, messages=[asked, said, answers]) as stream:
            stream.get_final_message()
        theirs = fake.requests[-1]
        again = request_for(
            "anthropic", fake.url, messages=(UserMessage(text="What is open?"), first.message, *results)
        )
        assert (await ours(connect, fake, again)).body == theirs.body


def test_anthropic_sets_a_temperature_in_the_last_version_that_has_one(request_for: Any, model: Any) -> None:
    from agentc_runtime.models import anthropic as adapter

    url = "http://127.0.0.1:1"
    request = request_for("anthropic", url, model=model("anthropic", url, temperature="0.2"))
    wire = adapter.build(request, url, None)
    assert json.loads(wire.body)["temperature"] == 0.2
    assert wire.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in wire.headers


SCHEMAS = [
    OUTPUT,
    {"type": "integer", "minimum": 1, "maximum": 10, "description": "A number"},
    {"type": "string", "minLength": 3, "format": "date-time", "title": "When"},
    {"type": "string", "format": "regex"},
    {"type": "array", "items": {"type": "string", "maxLength": 5}, "minItems": 1},
    {"type": "array", "items": {"type": "number"}, "minItems": 2},
    {"type": "object", "properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "string", "const": "z"}}},
    {"oneOf": [{"type": "string"}, {"type": "null"}], "description": "maybe"},
    {"anyOf": [{"type": "integer", "multipleOf": 2}, {"type": "null"}]},
    {
        "allOf": [{"$ref": "#/$defs/a"}],
        "$defs": {"a": {"type": "object", "properties": {}, "minProperties": 1}},
    },
    {"$ref": "#/$defs/a", "$defs": {"a": {"type": "boolean"}}},
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_anthropic_takes_a_part_of_json_schema(schema: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anthropic
    assert supported(schema) == anthropic.transform_schema(schema)


def test_a_list_of_types_becomes_a_union() -> None:
    schema: Any = {"type": ["string", "null"], "maxLength": 3}
    assert supported(schema) == {
        "anyOf": [
            {"type": "string", "description": "{maxLength: 3}"},
            {"type": "null", "description": "{maxLength: 3}"},
        ]
    }


async def test_gemini(serve: Any, connect: Any, request_for: Any, model: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from google import genai
        from google.genai import types

    fake = serve([TURN, TURN])
    calls = [("call_1", "open"), ("call_2", "new")]
    answers: list[tuple[str, dict[str, Any]]] = [("call_1", {"output": "[1]"}), ("call_2", {"error": "down"})]
    declaration = types.FunctionDeclaration(
        name="desk_search", description="Searches.", parameters_json_schema=QUERY
    )
    said = [types.Part(text="I look.")]
    for index, (identity, query) in enumerate(calls):
        call = types.FunctionCall(id=identity, name="desk_search", args={"query": query})
        said.append(types.Part(function_call=call))
        if index == 0:
            # base64 of these bytes is the mark that the API documents for calls without a signature
            mark = base64.urlsafe_b64decode("skip_thought_signature_validator")
            said[-1] = types.Part(function_call=call, thought_signature=mark)
    returned = [
        types.Part(function_response=types.FunctionResponse(id=identity, name="desk_search", response=answer))
        for identity, answer in answers
    ]
    contents: Any = [
        types.Content(role="user", parts=[types.Part(text="What is open?")]),
        types.Content(role="model", parts=said),
        types.Content(role="user", parts=returned),
        types.Content(role="model", parts=[types.Part(text="One.")]),
        types.Content(role="user", parts=[types.Part(text="Sure?")]),
    ]
    with genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=fake.url)) as client:
        chunks = list(
            client.models.generate_content_stream(
                model="model-1",
                contents=contents,
                config=types.GenerateContentConfig(
                    system_instruction="You triage.",
                    max_output_tokens=500,
                    temperature=0.2,
                    tools=[types.Tool(function_declarations=[declaration])],
                    response_mime_type="application/json",
                    response_json_schema=OUTPUT,
                    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
                ),
            )
        )
    theirs = fake.requests[-1]
    request = request_for(
        "gemini",
        fake.url,
        messages=HISTORY,
        output=OUTPUT,
        model=model("gemini", fake.url, temperature="0.2"),
    )
    mine = await ours(connect, fake, request)
    declared = theirs.body["tools"][0]["functionDeclarations"][0]
    declared["parametersJsonSchema"] = declared.pop("parameters_json_schema", QUERY)
    assert mine.body == theirs.body
    assert mine.path == theirs.path
    for name in ("x-goog-api-key", "content-type"):
        assert mine.headers[name] == theirs.headers[name]

    parts = [
        part
        for chunk in chunks
        for candidate in chunk.candidates or ()
        for part in (candidate.content.parts if candidate.content else None) or ()
    ]
    assert "".join(part.text or "" for part in parts if not part.thought) == TURN["text"]
    called = [part.function_call for part in parts if part.function_call]
    assert [call.args for call in called] == [{"query": "öpen ticket"}, {}]
    assert chunks[-1].usage_metadata is not None
    assert chunks[-1].usage_metadata.thoughts_token_count == 5


async def test_anthropic_with_a_prompt_cache(serve: Any, connect: Any, request_for: Any, model: Any) -> None:
    """The marks stand where the official client lets one put them, and the usage says what was written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anthropic

    fake = serve([TURN, {"text": "ok", "usage": {"input": 100, "cached_input": 10, "cache_write": 60}}])
    keep: Any = {"type": "ephemeral"}
    asked: Any = [{"type": "text", "text": "What is open?", "cache_control": keep}]
    client = anthropic.Anthropic(auth_token=KEY, base_url=fake.url, max_retries=0)
    with (
        client,
        client.messages.stream(
            model="model-1",
            max_tokens=500,
            system=[{"type": "text", "text": "You triage.", "cache_control": keep}],
            messages=[{"role": "user", "content": asked}],
            tools=[{"name": "desk_search", "description": "Searches.", "input_schema": QUERY}],
            tool_choice={"type": "auto"},
        ) as stream,
    ):
        stream.get_final_message()
    cached = model("anthropic", fake.url, prompt_cache=True)
    response = await connect(fake.url).complete(
        request_for("anthropic", fake.url, model=cached), lambda _: None
    )
    theirs, mine = fake.requests
    assert mine.body == theirs.body
    usage = response.usage
    assert (usage.input, usage.cached_input, usage.cache_write) == (100, 10, 60)


async def test_the_mark_of_a_prompt_cache_moves_on_with_the_conversation(
    serve: Any, connect: Any, request_for: Any, model: Any
) -> None:
    fake = serve([{"text": "ok"}])
    cached = model("anthropic", fake.url, prompt_cache=True)
    until_results = HISTORY[: next(i for i, m in enumerate(HISTORY) if isinstance(m, ToolMessage)) + 2]
    await ours(connect, fake, request_for("anthropic", fake.url, messages=until_results, model=cached))
    *before, last = fake.requests[-1].body["messages"]
    assert "cache_control" not in str(before)
    assert [block.get("cache_control") for block in last["content"]] == [None, {"type": "ephemeral"}]
