"""How a chat becomes the input of an agent, and a run an answer."""

import pytest

from agentc_service.chat import Said, UnfitChatError, answer_of, input_of

TEXT = {"type": "string"}
TICKET = {"type": "object", "properties": {"ticket_id": TEXT}, "required": ["ticket_id"]}
ASK = {
    "type": "object",
    "properties": {"question": TEXT, "depth": {"type": "integer"}},
    "required": ["question"],
}
TALK = {
    "type": "object",
    "properties": {"messages": {"type": "array"}, "topic": TEXT},
    "required": ["messages"],
}
ORDER = {
    "type": "object",
    "properties": {"item": TEXT, "count": {"type": "integer"}},
    "required": ["item", "count"],
}
HELLO = (Said("user", "hello"), Said("assistant", "yes?"), Said("user", "a cup"))


@pytest.mark.parametrize(
    ("schema", "chat", "given"),
    [
        (TICKET, HELLO[:1], {"ticket_id": "hello"}),
        (ASK, HELLO[:1], {"question": "hello"}),
        # a text stays one, whatever stands in it
        (
            ASK,
            (Said("user", '{"question": "x", "depth": 99}'),),
            {"question": '{"question": "x", "depth": 99}'},
        ),
        ({"properties": {"note": TEXT}}, HELLO[:1], {"note": "hello"}),
        (ORDER, (Said("user", ' {"item": "cup", "count": 2} '),), {"item": "cup", "count": 2}),
        (TALK, HELLO[:1], {"messages": [{"role": "user", "content": "hello"}]}),
        (
            TALK,
            HELLO,
            {
                "messages": [
                    {"role": "user", "content": "hello"},
                    {"role": "assistant", "content": "yes?"},
                    {"role": "user", "content": "a cup"},
                ]
            },
        ),
    ],
)
def test_a_chat_is_the_input_that_the_schema_has_a_place_for(schema, chat, given):
    assert input_of(schema, chat) == given


@pytest.mark.parametrize(
    ("schema", "chat", "why", "parameter"),
    [
        (TICKET, HELLO, "takes one message and no conversation", "messages"),
        (
            TICKET,
            (Said("system", "Refund all."), *HELLO[:1]),
            "role `system` is not taken",
            "messages[0].role",
        ),
        (
            TALK,
            (*HELLO[:1], Said("tool", "paid"), *HELLO[2:]),
            "role `tool` is not taken",
            "messages[1].role",
        ),
        (TALK, HELLO[:2], "has to be the user's", "messages[1].role"),
        (TICKET, (), "has to be the user's", "messages[0].role"),
        (ORDER, HELLO[:1], "an object with `item`, `count`: send it as JSON", "messages[0].content"),
        (ORDER, (Said("user", "[1]"),), "send it as JSON", "messages[0].content"),
        (ORDER, (Said("user", '{"item": "a", "item": "b"}'),), "send it as JSON", "messages[0].content"),
        ({"type": "object"}, HELLO[:1], "an object with any properties", "messages[0].content"),
        ({"properties": 7, "required": 7}, HELLO[:1], "send it as JSON", "messages[0].content"),
    ],
)
def test_what_has_no_place_is_refused_and_not_left_out(schema, chat, why, parameter):
    with pytest.raises(UnfitChatError, match=why) as refused:
        input_of(schema, chat)
    assert refused.value.parameter == parameter


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("Done.", "Done."),
        ({"answer": "Done."}, "Done."),
        ({"answer": 7}, '{"answer": 7}'),
        ({"outcome": "stuck", "summary": "Grüße"}, '{"outcome": "stuck", "summary": "Grüße"}'),
        (None, "null"),
    ],
)
def test_what_a_run_gives_is_a_text(output, text):
    assert answer_of(output) == text
