"""AC312: a `default` or an example that its own schema refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..diagnostics import Diagnostic, Rule
from ..predicates import check_schema, close_schema
from ..program import Program
from ..resources import Step
from ..schema_places import schema_places
from ..source import Node, span_at, to_data

RULE = Rule(
    code="AC312",
    name="unfit-example",
    title="example or default that its schema refuses",
    why=(
        "Models and people copy examples. One that the schema refuses teaches a call that is refused, or "
        "shows that the schema is not what its author meant."
    ),
    bad="""\
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
        ticket_id: { type: string, pattern: "T-[0-9]+", examples: ["1001"] }  # <- AC312
      required: [ticket_id]
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
    good="""\
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
        ticket_id: { type: string, pattern: "T-[0-9]+", examples: ["T-1001"] }
      required: [ticket_id]
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
)

_MAPS = ("properties", "$defs")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "not")


def check(program: Program) -> Iterator[Diagnostic]:
    """Every `default` and every item of `examples` of the schemas that authors write."""
    for resource in program.resources:
        for place in schema_places(resource):
            node = resource.at(*place.path)
            if node is not None and not check_schema(
                node, references=place.references, origins=place.origins
            ):
                yield from _unfit(node)


def _unfit(node: Node) -> Iterator[Diagnostic]:
    written = to_data(node)
    if not isinstance(written, dict):
        return
    told = list(_told(written, ()))
    if not told:
        return
    # Imported here: most projects write no examples, and the error tree is what it is wanted for.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    closed = close_schema(written)
    for path, value in told:
        schema = _at(closed, path[:-2] if isinstance(path[-1], int) else path[:-1])
        if not isinstance(schema, Mapping):
            continue
        checked = {**schema, "$defs": closed["$defs"]} if "$defs" in closed else schema
        validator = Draft202012Validator(checked, format_checker=Draft202012Validator.FORMAT_CHECKER)
        error = best_match(validator.iter_errors(value))
        if error is not None:
            where = f"`{error.json_path}`: " if error.absolute_path else ""
            yield RULE.at(
                span_at(node, path),
                f"the schema here refuses this value: {where}it breaks `{error.validator}`",
                help="correct the value or the schema",
            )


def _told(schema: object, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], object]]:
    """The path and value of each `default` and example, at any depth."""
    if not isinstance(schema, Mapping):
        return
    if "default" in schema:
        yield (*path, "default"), schema["default"]
    examples = schema.get("examples")
    for index, value in enumerate(examples if isinstance(examples, list) else ()):
        yield (*path, "examples", index), value
    for keyword in _MAPS:
        parts = schema.get(keyword)
        for name, part in parts.items() if isinstance(parts, Mapping) else ():
            yield from _told(part, (*path, keyword, name))
    for keyword in _LISTS:
        parts = schema.get(keyword)
        for index, part in enumerate(parts if isinstance(parts, list) else ()):
            yield from _told(part, (*path, keyword, index))
    for keyword in _SINGLE:
        yield from _told(schema.get(keyword), (*path, keyword))


def _at(schema: object, path: tuple[Step, ...]) -> object:
    for step in path:
        if isinstance(schema, Mapping) and isinstance(step, str):
            schema = schema.get(step)
        elif isinstance(schema, list) and isinstance(step, int) and step < len(schema):
            schema = schema[step]
        else:
            return None
    return schema
