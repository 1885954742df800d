"""More of what the rules of permissions, flows and workflows find, and what they leave alone.

Each case is laid over the base project of `agentc.checks.base`, as the rules' own examples are, and names
its findings where they stand: `# <- CODE`. A case without a mark has no finding.
"""

import re
from pathlib import Path

import pytest

from agentc.checks.base import PROJECT, example_files
from agentc.diagnostics import Diagnostic
from agentc.driver import check_project

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
      properties: { ticket_id: { type: string }, kind: { enum: [ask, pay] }, amount: { type: integer } }
      required: [ticket_id, kind]
  permissions: [triage]
  limits: { cost_usd: 0.5 }
"""

PERMISSIONS = """\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
"""

TOOLSET = """\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: {sha256:openapi.yaml} }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
"""

ALLOW = "  flows: { untrusted_to_effect: { policy: allow, reason: a test } }\n"

GRANTS = """\
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
"""


def workflow(states: str, start: str = "work") -> str:
    lines = "".join(f"      {line}\n" for line in states.strip("\n").splitlines())
    return f"# file: agent.yaml\n{AGENT}  workflow:\n    start: {start}\n    states:\n{lines}"


def found_in(root: Path, case: str) -> tuple[list[Diagnostic], set[tuple[str, int, str]]]:
    expected = set()
    for name, text in example_files(case).items():
        (root / name).write_text(text)
        for number, line in enumerate(text.splitlines(), 1):
            expected |= {(name, number, code) for code in re.findall(r"# <- (AC\d{3})", line)}
    return list(check_project(root).diagnostics), expected


FROM = """\
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 }, ticket_id: %s }%s
"""

CASES = {
    "an origin that there is not": PERMISSIONS + FROM % ("{ from: [inputs] }", "  # <- AC302"),
    "origins are a list": PERMISSIONS + FROM % ("{ from: input }", "  # <- AC302"),
    "an empty list of origins": PERMISSIONS + FROM % ("{ from: [] }", "  # <- AC302"),
    "an origin named twice": PERMISSIONS + FROM % ("{ from: [input, input] }", "  # <- AC302"),
    "origins beside a schema": PERMISSIONS + FROM % ("{ from: [input], maxLength: 9 }", ""),
    "origins below the top of a limit": PERMISSIONS
    + FROM % ("{ anyOf: [{ from: [input] }] }", "  # <- AC301"),
    "origins in a condition of an approval": PERMISSIONS
    + FROM
    % (
        "{ minLength: 1 }",
        "\n      approval: { by: [leads], when: { ticket_id: { from: [input] } } }  # <- AC301",
    ),
    "an exception with an argument that there is not": PERMISSIONS
    + FROM
    % (
        "{ minLength: 1 }",
        "\n      untrusted_to_effect: { policy: approve, unless: { amont: {} } }  # <- AC403",
    ),
    "an exception that nothing satisfies": PERMISSIONS
    + FROM
    % (
        "{ minLength: 1 }",
        "\n      untrusted_to_effect: { policy: approve, unless: { amount: { type: string } } }  # <- AC404",
    ),
    "a tool that takes another one back is used": TOOLSET
    + """\
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send, undo: cancel }
    cancel: { operation: createRefund, effect: update }
"""
    + PERMISSIONS
    + GRANTS
    + "    - tool: desk.cancel\n"
    + workflow("""
work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }
done: { type: end, output: "${states.work.output}" }
"""),
    "a misspelled tool is one mistake": workflow("""
work: { type: agent, tools: [desk.get_ticket, desk.refnd], next: done }  # <- AC202
done: { type: end, output: "${states.work.output}" }
"""),
    "a misspelled grant is one mistake": PERMISSIONS
    + """\
  grants:
    - tool: desk.get_ticket
    - tool: desk.refnd  # <- AC202
"""
    + workflow("""
work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }
done: { type: end, output: "${states.work.output}" }
"""),
    "an effect whose every argument is bound leaves nothing to choose": PERMISSIONS
    + """\
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      bind: { ticket_id: "${input.ticket_id}", amount: 5, currency: EUR }
""",
    "a grant in two sets is granted twice": PERMISSIONS
    + GRANTS
    + """---
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: more, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket  # <- AC409
"""
    + "# file: agent.yaml\n"
    + AGENT.replace("[triage]", "[triage, more]"),
    "a read that deletes, and a deletion that reads": TOOLSET
    + """\
    get_ticket: { operation: getTicket, effect: delete }  # <- AC410
    refund: { operation: createRefund, effect: send }
"""
    + PERMISSIONS
    + GRANTS.replace("get_ticket\n", "get_ticket\n      quota: { per_run: 1 }\n"),
    "a project without an agent has one finding": "# file: agentc.yaml\n"
    + PROJECT.replace("owner: support }", "owner: support }  # <- AC117")
    + "# file: agent.yaml\n# absent\n",
    "a reference of the wrong type is bound": PERMISSIONS
    + GRANTS.replace(
        'bind: { ticket_id: "${input.ticket_id}" }', 'bind: { ticket_id: "${input.amount}" }  # <- AC413'
    )
    + "# file: agent.yaml\n"
    + AGENT,
    "a bound constant that the schema refuses": PERMISSIONS
    + GRANTS.replace("      where: { amount: { maximum: 50 } }\n", "      quota: { per_run: 1 }\n")
    .replace("bind: {", "bind: { amount: much,")
    .replace('id}" }', 'id}" }  # <- AC413'),
    "a toolset without any grant is one finding": """\
# file: spare.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: spare, version: 1.0.0, owner: support }  # <- AC414
spec:
  openapi: { file: openapi.yaml, sha256: {sha256:openapi.yaml} }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
    look: { operation: getTicket, effect: read }
""",
    "text that a stranger wrote crosses into the next state": PERMISSIONS
    + GRANTS
    + ALLOW
    + workflow("""
work: { type: agent, tools: [desk.get_ticket], next: pay }
pay:
  type: agent
  prompt: "Pay for {{ states.work.output }}"
  tools:
    - desk.refund  # <- AC501
  next: done
done: { type: end, output: "${states.pay.output}" }
"""),
    "only an enum crosses into the next state": TOOLSET
    + """\
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send, output: { trust: trusted } }
"""
    + PERMISSIONS
    + GRANTS
    + ALLOW
    + workflow("""
work:
  type: agent
  tools: [desk.get_ticket]
  output: { schema: { type: object, properties: { kind: { enum: [ask, pay] } }, required: [kind] } }
  next: pay
pay:
  type: agent
  prompt: "Pay for {{ states.work.output.kind }}"
  tools: [desk.refund]
  next: done
done: { type: end, output: "${states.pay.output}" }
"""),
    "a value that a stranger wrote becomes an argument": PERMISSIONS
    + GRANTS.replace('      bind: { ticket_id: "${input.ticket_id}" }\n', "")
    + ALLOW
    + workflow("""
work: { type: tool, tool: desk.get_ticket, arguments: { ticket_id: "${input.ticket_id}" }, next: pay }
pay:
  type: tool
  tool: desk.refund  # <- AC501
  arguments: { ticket_id: "${states.work.output.subject}", amount: 5 }
  next: done
  catch: [{ next: failed }]
done: { type: end, output: paid }
failed: { type: end, output: not paid }
"""),
    "an approval that is not always asked is none": PERMISSIONS
    + GRANTS.replace("desk.refund\n", "desk.refund  # <- AC501\n")
    + "      approval: { by: [leads], when: { amount: { minimum: 20 } } }\n"
    + ALLOW,
    "private data leaves by another service": """\
# file: other.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: other, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: {sha256:openapi.yaml} }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    note: { operation: createRefund, effect: create }
"""
    + TOOLSET
    + """\
    get_ticket: { operation: getTicket, effect: read, output: { sensitivity: confidential } }
    refund: { operation: createRefund, effect: create }
"""
    + PERMISSIONS
    + GRANTS
    + "    - tool: other.note  # <- AC502\n"
    + ALLOW,
    "private data stays in its own service": TOOLSET
    + """\
    get_ticket: { operation: getTicket, effect: read, output: { sensitivity: confidential } }
    refund: { operation: createRefund, effect: create }
"""
    + PERMISSIONS
    + GRANTS.replace("desk.refund\n", "desk.refund  # <- AC501\n")
    + ALLOW,
    "a later state sees what an earlier one read": TOOLSET
    + """\
    get_ticket: { operation: getTicket, effect: read, output: { sensitivity: restricted } }
    refund: { operation: createRefund, effect: send }
"""
    + workflow("""
work: { type: tool, tool: desk.get_ticket, arguments: { ticket_id: "${input.ticket_id}" }, next: pay }
pay:
  type: agent
  prompt: "Pay for {{ states.work.output.subject }}"  # <- AC503
  tools: [desk.refund]
  next: done
done: { type: end, output: "${states.pay.output}" }
"""),
    "of two lost states the first is named": workflow("""
work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }
one: { type: model, prompt: one, next: two }  # <- AC601
two: { type: model, prompt: two, next: done }
done: { type: end, output: "${states.work.output}" }
"""),
    "a wrong name is not an unreachable state as well": workflow("""
work: { type: agent, tools: [desk.get_ticket, desk.refund], next: chek }  # <- AC205
check: { type: model, prompt: Is this polite?, next: done }
done: { type: end, output: "${states.work.output}" }
"""),
    "a state that goes to itself": workflow("""
work: { type: agent, tools: [desk.get_ticket, desk.refund], next: work }  # <- AC603
done: { type: end, output: done }
"""),
    "a cycle that an error leaves": workflow("""
work: { type: agent, tools: [desk.get_ticket, desk.refund], next: work, catch: [{ next: done }] }
done: { type: end, output: done }
"""),
    "what failed has no output": workflow("""
work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done, catch: [{ next: failed }] }
done: { type: end, output: "${states.work.output}" }
failed: { type: end, output: "${states.work.output}" }  # <- AC604
"""),
    "a prompt that reads what may not be there": workflow("""
work:
  type: agent
  prompt: "So far: {{ states.work.output }}"  # <- AC604
  tools: [desk.get_ticket, desk.refund]
  next: again
again:
  type: choice
  choices: [{ value: "${states.work.output}", when: { const: more }, next: work }]
  default: done
done: { type: end, output: "${states.work.output}" }
"""),
    "a prompt that makes sure first": workflow("""
work:
  type: agent
  prompt: "{% if states.work.output is defined %}So far: {{ states.work.output }}{% endif %}"
  tools: [desk.get_ticket, desk.refund]
  next: again
again:
  type: choice
  choices: [{ value: "${states.work.output}", when: { const: more }, next: work }]
  default: done
done: { type: end, output: "${states.work.output}" }
"""),
    "branches that take every value of an enum": workflow(
        """
sort:
  type: choice
  choices:
    - { value: "${input.kind}", when: { const: ask }, next: work }
    - { value: "${input.kind}", when: { const: pay }, next: done }
work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }
done: { type: end, output: done }
""",
        "sort",
    ),
    "branches that take every number, of which there may be none": workflow(
        """
sort:  # <- AC605
  type: choice
  choices:
    - { value: "${input.amount}", when: { maximum: 10 }, next: work }
    - { value: "${input.amount}", when: { minimum: 11 }, next: done }
work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }
done: { type: end, output: done }
""",
        "sort",
    ),
    "a catch of the wrong error": workflow("""
work: { type: agent, tools: [desk.get_ticket], next: pay }
pay:  # <- AC606
  type: tool
  tool: desk.refund
  arguments: { amount: 5 }
  next: done
  catch: [{ errors: [timeout], next: done }]
done: { type: end, output: done }
"""),
    "a branch behind one that takes everything": workflow(
        """
sort:
  type: choice
  choices:
    - { value: "${input.kind}", when: {}, next: work }
    - { value: "${input.amount}", when: { minimum: 3 }, next: done }  # <- AC607
  default: done
work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }
done: { type: end, output: done }
""",
        "sort",
    ),
    "branches whose conditions no value satisfies": workflow(
        """
sort:
  type: choice
  choices:
    - { value: "${input.kind}", when: { const: Pay }, next: done }  # <- AC607
    - { value: "${input.kind}", when: { minimum: 3 }, next: done }  # <- AC607
    - { value: "${input.amount}", when: { const: "3" }, next: done }  # <- AC607
    - { value: "${input.amount}", when: { properties: { much: { const: true } } }, next: done }  # <- AC607
    - { value: "${input.amount}", when: { minimum: 3 }, next: done }
  default: work
work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }
done: { type: end, output: done }
""",
        "sort",
    ),
    "a branch whose values are taken one by one": workflow(
        """
sort:
  type: choice
  choices:
    - { value: "${input.kind}", when: { const: pay }, next: done }
    - { value: "${input.kind}", when: { const: ask }, next: work }
    - { value: "${input.kind}", when: { enum: [ask, pay] }, next: done }  # <- AC607
work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }
done: { type: end, output: done }
""",
        "sort",
    ),
    "a retry of the state": workflow("""
work: { type: agent, tools: [desk.get_ticket], next: pay }
pay:
  type: tool
  tool: desk.refund
  arguments: { amount: 5 }
  next: done
  retry: { max_attempts: 2 }  # <- AC609
  catch: [{ next: done }]
done: { type: end, output: done }
"""),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_findings_are_those_that_are_marked(case: str, tmp_path: Path) -> None:
    findings, expected = found_in(tmp_path, case)
    shown = "\n".join(f"{f.span.file}:{f.span.line} {f.code} {f.message}" for f in findings)
    assert {(f.span.file, f.span.line, f.code) for f in findings} == expected, shown
    assert len(findings) == len(expected), shown


def message(findings: list[Diagnostic], code: str) -> str:
    (finding,) = [finding for finding in findings if finding.code == code]
    return "\n".join([finding.message, finding.help or "", *(note.message for note in finding.notes)])


def test_a_missing_output_comes_with_the_path_on_which_it_is_missing(tmp_path: Path) -> None:
    findings, _ = found_in(tmp_path, CASES["what failed has no output"])
    assert "`work` (fails) → `failed`" in message(findings, "AC604")


def test_a_flow_is_told_with_the_state_that_it_came_through(tmp_path: Path) -> None:
    findings, _ = found_in(tmp_path, CASES["text that a stranger wrote crosses into the next state"])
    told = message(findings, "AC501")
    assert "untrusted content of `desk.get_ticket` by way of state `work` can cause `desk.refund`" in told


def test_a_bound_value_is_told_with_what_would_fit(tmp_path: Path) -> None:
    findings, _ = found_in(tmp_path, CASES["a bound constant that the schema refuses"])
    assert '`amount` of `desk.refund` takes the type `number`, and this is `"much"`' in message(
        findings, "AC413"
    )
