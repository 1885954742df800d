"""AC216: pagination names what the operation does not have."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..openapi import CompiledOperation
from ..pages import page_arguments
from ..program import Program, SchemaData, Tool
from ..schematypes import properties_of, type_at, types_of
from ..syntax.behaviour import CursorPagesSpec, PaginationSpec

RULE = Rule(
    code="AC216",
    name="unknown-page-name",
    title="pagination names what the operation does not have",
    why=(
        "The runtime sets the arguments of a page and reads its fields. Under a wrong name every page "
        "would be the first one, or the first page would pass for the whole list."
    ),
    bad="""\
# file: openapi.yaml
openapi: 3.1.0
info: { title: Desk, version: 1.0.0 }
paths:
  /tickets/{ticket_id}:
    get:
      operationId: getTicket
      summary: Read the messages of a ticket
      security: [{ bearerAuth: [] }]
      parameters:
        - { name: ticket_id, in: path, required: true, schema: { type: string } }
        - { name: page, in: query, schema: { type: integer } }
      responses: { "200": { description: ok } }
  /refunds:
    post:
      operationId: createRefund
      summary: Pay money back
      security: [{ bearerAuth: [] }]
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              properties: { ticket_id: { type: string }, amount: { type: number } }
              required: [ticket_id, amount]
      responses: { "201": { description: ok } }
components:
  securitySchemes:
    bearerAuth: { type: http, scheme: bearer }
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket:
      operation: getTicket
      effect: read
      pagination: { style: page, argument: pages }  # <- AC216
    refund: { operation: createRefund, effect: send }
""",
    good="""\
# file: openapi.yaml
openapi: 3.1.0
info: { title: Desk, version: 1.0.0 }
paths:
  /tickets/{ticket_id}:
    get:
      operationId: getTicket
      summary: Read the messages of a ticket
      security: [{ bearerAuth: [] }]
      parameters:
        - { name: ticket_id, in: path, required: true, schema: { type: string } }
        - { name: page, in: query, schema: { type: integer } }
      responses: { "200": { description: ok } }
  /refunds:
    post:
      operationId: createRefund
      summary: Pay money back
      security: [{ bearerAuth: [] }]
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              properties: { ticket_id: { type: string }, amount: { type: number } }
              required: [ticket_id, amount]
      responses: { "201": { description: ok } }
components:
  securitySchemes:
    bearerAuth: { type: http, scheme: bearer }
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket:
      operation: getTicket
      effect: read
      pagination: { style: page, argument: page }
    refund: { operation: createRefund, effect: send }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Arguments that the operation does not take outside its path, and fields that no page has."""
    for toolset in program.toolsets.values():
        for tool in toolset.tools.values():
            spec = tool.spec.pagination
            whole = toolset.document.operations.get(tool.spec.operation) if toolset.document else None
            if spec is not None and whole is not None and tool.spec.effect == "read":
                yield from _arguments(tool, spec, whole)
                yield from _fields(tool, spec, whole)


def _arguments(tool: Tool, spec: PaginationSpec, whole: CompiledOperation) -> Iterator[Diagnostic]:
    known = properties_of(whole.arguments)
    in_path = {part.param.argument for segment in whole.segments for part in segment if part.param}
    for name, place in page_arguments(spec):
        span = tool.span("pagination", *place)
        if name in in_path:
            message = f"argument `{name}` of `{whole.operation_id}` stands in the path, which no page changes"
            yield RULE.at(span, message, help="name an argument of the query, the headers or the body")
        elif name not in known:
            message = f"`{whole.operation_id}` has no argument `{name}`"
            yield RULE.at(span, message, help=did_you_mean(name, known - in_path))


def _fields(tool: Tool, spec: PaginationSpec, whole: CompiledOperation) -> Iterator[Diagnostic]:
    if whole.response is None:
        return
    items = _declared(whole.response, spec.items)
    if items is None or "array" not in types_of(items):
        span = tool.span("pagination", "items") if spec.items else tool.span("pagination", key=True)
        what = f"no array at `{spec.items}`" if spec.items else "fields, and is no array"
        message = f"the answer of `{whole.operation_id}` has {what}"
        yield RULE.at(span, message, help="set `items` to the dotted path of the array of a page")
    if isinstance(spec, CursorPagesSpec) and _declared(whole.response, spec.next) is None:
        message = f"the answer of `{whole.operation_id}` has no `{spec.next}`"
        help_ = did_you_mean(spec.next, properties_of(whole.response))
        yield RULE.at(tool.span("pagination", "next"), message, help=help_)


def _declared(schema: SchemaData, path: str) -> SchemaData | None:
    """What stands at `path`, where an object that names its fields has no others.

    OpenAPI objects are open unless they say otherwise, so any name might be there. One that nobody has
    written down is a slip here: it would make the first page look like the whole list.
    """
    for step in path.split(".") if path else ():
        named = properties_of(schema)
        below = type_at(schema, (step,))
        if below is None or (named and step not in named):
            return None
        schema = below
    return schema
