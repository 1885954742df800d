"""A project with many grants, and the assertions and permission tests that are about them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

HEAD = (
    "apiVersion: agentc/v1\nkind: {kind}\nmetadata: {{ name: {name}, version: 1.0.0, owner: bench }}\nspec:\n"
)
PROJECT = """\
  models:
    fast:
      provider: openai
      model: gpt-5-mini
      secret: openai_api_key
      prices: { input: 0.25, output: 2 }
      max_sensitivity: confidential
  environments:
    local:
      variables: { SERVICE_URL: "https://service.example.com" }
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, service_token: { env: SERVICE_TOKEN } }
  approvers:
    leads: [ana@example.com]
"""


def estate(agents: int, grants: int, assertions: int, cases: int) -> tuple[dict[str, str], dict[str, str]]:
    """The files of a project with so many agents and grants, and the files of its assertions and cases."""
    each = grants // agents
    document = json.dumps(_document(each))
    files = {
        "agentc.yaml": HEAD.format(kind="Project", name="bench") + PROJECT,
        "openapi.json": document,
        "toolset.yaml": HEAD.format(kind="Toolset", name="service")
        + _toolset(each, hashlib.sha256(document.encode()).hexdigest()),
    }
    for number in range(agents):
        name = f"agent-{number}"
        files[f"permissions/{name}.yaml"] = HEAD.format(kind="PermissionSet", name=name) + _grants(
            each, number
        )
        files[f"agents/{name}.yaml"] = HEAD.format(kind="Agent", name=name) + _agent(name)
    checks = {
        "assertions.yaml": HEAD.format(kind="AssertionSet", name="bench") + _assertions(assertions, each)
    }
    for number in range(agents):
        name = f"agent-{number}"
        text = HEAD.format(kind="PermissionTest", name=name) + _cases(name, each, cases // agents)
        checks[f"tests/{name}.yaml"] = text
    return files, checks


def _document(operations: int) -> Mapping[str, object]:
    body = {
        "type": "object",
        "properties": {
            "account": {"type": "string", "pattern": "^[A-Z]{2}[0-9]{4,12}$"},
            "amount": {"type": "number", "minimum": 0},
            "currency": {"type": "string", "enum": ["EUR", "USD", "GBP"]},
            "note": {"type": "string", "maxLength": 140},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 5},
        },
        "required": ["account", "amount"],
    }
    paths = {
        f"/transfers{number}": {
            "post": {
                "operationId": f"transfer{number}",
                "summary": f"Make transfer {number}",
                "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
                "responses": {"201": {"description": "done"}},
            }
        }
        for number in range(operations)
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Service", "version": "1.0.0"},
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }


def _toolset(operations: int, digest: str) -> str:
    tools = "".join(
        f"    tool{number}: {{ operation: transfer{number}, effect: send, output: {{ trust: trusted }} }}\n"
        for number in range(operations)
    )
    return (
        f"  openapi: {{ file: openapi.json, sha256: {digest} }}\n"
        "  server: ${env.SERVICE_URL}\n"
        f"  auth: {{ scheme: bearer, secret: service_token }}\n  tools:\n{tools}"
    )


def _grants(each: int, agent: int) -> str:
    return "  grants:\n" + "".join(
        f"    - tool: service.tool{number}\n"
        f"      where: {{ amount: {{ maximum: {50 + agent} }}, currency: {{ enum: [EUR, USD] }}, "
        "note: { maxLength: 100 } }\n"
        '      bind: { account: "${session.account}" }\n'
        "      approval: { by: [leads], when: { amount: { exclusiveMinimum: 20 } } }\n"
        "      quota: { per_run: 3 }\n"
        for number in range(each)
    )


def _agent(name: str) -> str:
    return f"""\
  model: fast
  instructions: Pay what is due.
  input: {{ schema: {{ type: object, properties: {{ due: {{ type: number }} }}, required: [due] }} }}
  session:
    schema:
      type: object
      properties: {{ account: {{ type: string, pattern: "[A-Z]{{2}}[0-9]{{4,12}}" }} }}
      required: [account]
  permissions: [{name}]
  limits: {{ cost_usd: 0.5 }}
"""


def _assertions(count: int, each: int) -> str:
    """A tenth each of operations, hosts and flows; the rest are about calls."""
    tenth = max(1, count // 10)
    operations = "".join(
        f"      - {{ method: DELETE, effect: delete, reason: '{n}' }}\n" for n in range(tenth)
    )
    hosts = "".join(
        f"      - {{ outside: ['https://*.example.com', 'https://api.openai.com'], reason: '{n}' }}\n"
        for n in range(tenth)
    )
    flows = "".join(
        f"      - {{ trust: untrusted, effects: [send], unasked: true, reason: '{n}' }}\n"
        for n in range(tenth)
    )
    calls = "".join(
        f"      - {{ tool: service.tool{n % each}, when: {{ amount: {{ exclusiveMinimum: {20 + n} }} }}, "
        "unasked: true }\n"
        for n in range(count - 3 * tenth)
    )
    return f"  never:\n    operations:\n{operations}    hosts:\n{hosts}    calls:\n{calls}    flows:\n{flows}"


def _cases(name: str, each: int, count: int) -> str:
    kinds = (
        ("{ amount: 20, currency: EUR, note: x }", "", "allowed"),
        ("{ amount: 21, currency: EUR, note: x }", "", "{ outcome: asks, by: [leads] }"),
        ("{ amount: 500, currency: EUR, note: x }", "", "{ outcome: refused, rule: AR201 }"),
        ("{ amount: 5, currency: GBP, note: x }", "", "refused"),
        ("{ amount: 5, currency: EUR, note: x }", "read: { trust: untrusted }, ", "asks"),
    )
    lines = []
    for number in range(count):
        arguments, read, expect = kinds[number % len(kinds)]
        tool = f"service.tool{number // len(kinds) % each}"
        lines.append(
            f"    - {{ name: case {number}, tool: {tool}, arguments: {arguments}, {read}expect: {expect} }}\n"
        )
    head = f"  agent: {name}\n  input: {{ due: 5 }}\n  session: {{ account: DE12345678 }}\n  cases:\n"
    return head + "".join(lines)
