"""Cases out of files: the keys of a case, types as the agent takes them, and what is wrong with a row."""

from __future__ import annotations

from typing import Any

import pytest

from agentc.evals.evaluating import dataset_digest

SPEC = """\
  agent: triage
  model: mock
  scorers: [{ type: status }]
  files: [cases.%s]
"""
AGENT = """\
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input:
    schema:
      type: object
      properties:
        ticket_id: { type: string }
        urgent: { type: boolean }
        days: { type: integer }
      required: [ticket_id]
  permissions: [triage]
  limits: { cost_usd: 0.5 }
"""


def found(result: Any) -> list[str]:
    return [f"{d.span.file}:{d.span.line} {d.code} {d.message} ({d.help})" for d in result.diagnostics]


def test_rows_of_csv_are_typed_as_the_agent_takes_them(checked: Any) -> None:
    rows = (
        "id,tags,input.ticket_id,input.urgent,input.days,expected.outcome,expected.amount\n"
        'one,"success, fast",007,true,3,refunded,18.50\n'
        "\n"
        'two,,"T-""8"", or so",,,,\n'
    )
    result = checked(SPEC % "csv", **{"cases.csv": rows, "agent.yaml": AGENT})
    one, two = result.program.cases["triage"].cases
    assert one.input == {"ticket_id": "007", "urgent": True, "days": 3}
    assert one.spec.expected == {"outcome": "refunded", "amount": 18.5}
    assert one.spec.tags == ("success", "fast")
    assert two.input == {"ticket_id": 'T-"8", or so'}
    assert two.spec.expected is None
    assert [case.span.line for case in (one, two)] == [2, 4]
    # nothing answers the model: that is said once for each row
    assert [line.partition(" nothing")[0] for line in found(result)] == [
        "cases.csv:2 AC842", "cases.csv:4 AC842",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("jsonl", "", "evals.yaml:8 AC841 `cases.jsonl` holds no case"),
        ("jsonl", "{\n", "cases.jsonl:1 AC841 this line is no JSON object"),
        ("jsonl", "[1]\n", "cases.jsonl:1 AC841 this line is no JSON object"),
        ("jsonl", '{"id": "a", "id": "b"}\n', "no JSON object: an object has the same key twice"),
        ("jsonl", '\n{"id": "a b"}\n', "cases.jsonl:2 AC841 `id` of the case: does not have the form"),
        ("jsonl", '{"tags": []}\n', "cases.jsonl:1 AC841 the case has no `id`"),
        (
            "jsonl", '{"id": "a", "inputs": {}}\n',
            "cases.jsonl:1 AC841 the case has an unknown key `inputs` (did you mean `input`?)",
        ),
        ("csv", "id,inputs.x\na,1\n", "cases.csv:1 AC841 unknown column `inputs.x` (did you mean `input`?)"),
        ("csv", "id,id\na,b\n", "cases.csv:1 AC841 column `id` is there twice"),
        ("csv", "id,tags\na\n", "cases.csv:2 AC841 this row has 1 cells, and the header has 2"),
        ("csv", 'id\n"a', "AC841 this is no CSV: unexpected end of data"),
        ("csv", "id,input.ticket_id\na,1\na,2\n", "cases.csv:3 AC842 another case is called `a` already"),
        ("txt", "", "evals.yaml:8 AC841 `cases.txt` is no file of cases"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_at_its_line(
    checked: Any, name: str, text: str, expected: str
) -> None:
    result = checked(SPEC % name, **{f"cases.{name}": text})
    assert any(expected in line for line in found(result)), found(result)


def test_a_file_that_is_not_there_is_said_where_it_is_named(checked: Any) -> None:
    lines = found(checked(SPEC % "jsonl"))
    assert lines == ["evals.yaml:8 AC841 the cases in `cases.jsonl` can't be read (is the path right?)"]


def test_a_schema_in_a_row_is_checked_as_one_in_a_spec(checked: Any) -> None:
    row = (
        '{"id": "a", "input": {"ticket_id": "T-1"}, "turns": [{"text": "x"}], '
        '"assert": [{"type": "schema", "schema": {"maximun": 3}}, {"type": "regex", "pattern": "(?=a)b"}]}\n'
    )
    lines = found(checked(SPEC % "jsonl", **{"cases.jsonl": row}))
    assert [line.partition(" (")[0] for line in lines] == [
        "cases.jsonl:1 AC841 `assert.0.schema` of `a`: `maximun` is not a keyword of the JSON Schema subset",
        "cases.jsonl:1 AC841 `assert.1.pattern` of `a`: look-around is not supported",
    ]


def test_the_digest_of_a_dataset_is_of_what_it_says(checked: Any) -> None:
    rows = [f'{{"id": "{name}", "input": {{"ticket_id": "T-1"}}}}\n' for name in "ab"]
    one = checked(SPEC % "jsonl", **{"cases.jsonl": "".join(rows)}).program.cases["triage"].cases
    other = (
        checked(SPEC % "jsonl", **{"cases.jsonl": "\n".join(reversed(rows))}).program.cases["triage"].cases
    )
    assert dataset_digest(one) == dataset_digest(other)
    assert dataset_digest(one) != dataset_digest(one[:1])


BAD = [
    (
        "  scorers: [{ type: exactly }]",
        "evals.yaml:14 AC113 unknown scorer `exactly` (did you mean `exact`?)",
    ),
    ("  scorers: [{ value: 3 }]", "evals.yaml:14 AC112 the scorer has no `type`"),
    ("  scorers: [{ type: tools, caled: [] }]", "evals.yaml:14 AC111"),
    ("  scorers: [{ type: tools }]", "evals.yaml:14 AC843 `tools` asks for nothing"),
    ("  scorers: [{ type: states, end: nowhere }]", "agent `triage` has no state `nowhere`"),
    ("  scorers: [{ type: rubric, criteria: c, model: slow }]", "there is no model `slow`"),
    ("  scorers: [{ type: schema, of: '${input.x}', schema: {} }]", "evals.yaml:14 AC113"),
    (
        "  scorers: [{ type: exact, of: '${output.x}', value: 1 }]",
        "AC843 `${output.x}` is never there: that is",
    ),
    ("  scorers: [{ type: schema, schema: { maximun: 3 } }]", "evals.yaml:14 AC301"),
    ("  scorers: [{ type: regex, pattern: '(?=a)b' }]", "evals.yaml:14 AC303"),
    (
        "  scorers: [{ type: tools, calls: [{ tool: desk.refund, arguments: { amount: { maximun: 3 } } }] }]",
        "AC301",
    ),
    ("  mock: [{ tool: desk.refunds }]", "there is no tool `desk.refunds`"),
    ("  environment: moon", "there is no environment `moon`"),
    ("  gates: [{ metric: pass_rate }]", "the gate has no bound"),
    ("  gates: [{ metric: flaky_rate, max: 0, slice: t }]", "`flaky_rate` is not known for slices"),
    ("  gates: [{ scorer: nothing, min: 1 }]", "there is no scorer `nothing`"),
    ("  gates: [{ metric: tokens, baseline: {} }]", "`tokens` has no value for each case"),
]


@pytest.mark.parametrize(("line", "expected"), BAD)
def test_what_is_wrong_with_an_eval_is_said_at_its_place(checked: Any, line: str, expected: str) -> None:
    text = f"""\
  agent: triage
  model: mock
  cases:
    - id: a
      tags: [t]
      input: {{ ticket_id: T-1 }}
      turns: [{{ text: x }}]
      assert: [{{ type: status }}]

{line}
"""
    assert any(expected in said for said in found(checked(text))), found(checked(text))
