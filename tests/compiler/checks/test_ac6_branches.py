"""Flows, types and hostile shapes of workflows inside states: what is found, and that it always ends.

Each case is laid over the base project of `agentc.checks.base` and names its findings where they stand:
`# <- CODE`. A case without a mark has no finding.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agentc.checks.base import example_files
from agentc.diagnostics import Diagnostic
from agentc.driver import check_project
from agentc.flow import sources
from agentc.lower import lower

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
      properties: { ticket_id: { type: string }, ids: { type: array, items: { type: string } } }
      required: [ticket_id, ids]
  permissions: [triage]
  limits: { cost_usd: 0.5 }
"""
ALLOWED = """\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
  flows: { untrusted_to_effect: { policy: allow, reason: a test } }
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send, output: { trust: trusted } }
"""


def project(states: str, *more: str, start: str = "work", agent: str = AGENT) -> str:
    lines = "".join(f"      {line}\n" for line in states.strip("\n").splitlines())
    head = f"# file: agent.yaml\n{agent}  workflow:\n    start: {start}\n    states:\n{lines}"
    return "".join([head, *more])


def found_in(root: Path, case: str) -> tuple[list[Diagnostic], set[tuple[str, int, str]]]:
    expected = set()
    for name, text in example_files(case).items():
        (root / name).write_text(text)
        for number, line in enumerate(text.splitlines(), 1):
            expected |= {(name, number, code) for code in re.findall(r"# <- (AC\d{3})", line)}
    return list(check_project(root).diagnostics), expected


#: A branch that reads a ticket, and one that knows nothing.
BOTH = """
work:
  type: parallel
  branches:
    reads:
      start: look
      states:
        look: { type: agent, tools: [desk.get_ticket], next: seen%s }
        seen: { type: end, output: "${states.look.output}" }
    guesses:
      start: guess
      states:
        guess: { type: model, prompt: Guess., next: guessed }
        guessed: { type: end, output: "${states.guess.output}" }
  next: pay
pay: { type: agent, tools: [desk.refund], prompt: "{{ states.work.output.%s }}", next: done }%s
done: { type: end, output: "${states.pay.output}" }
"""
COUNT = ", output: { schema: { type: object, properties: { n: { type: integer } }, required: [n] } }"
EACH = """
work:
  type: map
  over: ${input.ids}
  start: look
  states:
    look:
      type: tool
      tool: desk.get_ticket
      arguments: { ticket_id: "${states.work.item}" }
      next: seen
    seen: { type: end, output: "${states.look.output.%s}" }
  next: pay
pay: { type: agent, tools: [desk.refund], prompt: "{{ states.work.output.results | json }}", next: done }%s
done: { type: end, output: "${states.pay.output}" }
"""
LIST = """
work: { type: agent, tools: [desk.get_ticket], next: all%s }
all:
  type: map
  over: ${states.work.output.notes}
  start: pay
  states:
    pay: { type: agent, tools: [desk.refund], prompt: "{{ states.all.item }}", next: paid }%s
    paid: { type: end, output: "${states.pay.output}" }
  next: done
done: { type: end, output: sent }
"""
NOTES = (
    ", output: { schema: { type: object, properties: { notes: { type: array, items: %s } }, "
    "required: [notes] } }"
)
LOOK = """
work: { type: retrieve, retriever: handbook, query: "${input.ticket_id}"%s, next: pay }
pay: { type: agent, tools: [desk.refund], prompt: "{{ states.work.output.passages | json }}", next: done }%s
done: { type: agent, tools: [desk.get_ticket], next: over }
over: { type: end, output: "${states.done.output}" }
"""
CHECK = """
work: { type: agent, tools: [desk.get_ticket], next: check }
check: { type: verify, value: "${states.work.output}", schema: %s, next: pay, catch: [{ next: over }] }
pay: { type: agent, tools: [desk.refund], prompt: "{{ states.check.output }}", next: over }%s
over: { type: end, output: done }
"""
HAND = """
work: { type: handoff, agent: reader, input: { ticket_id: "${input.ticket_id}" }, next: pay }
pay: { type: agent, tools: [desk.refund], prompt: "{{ states.work.output }}", next: done }%s
done: { type: end, output: "${states.pay.output}" }
"""
READER = """\
---
apiVersion: agentc/v1
kind: Agent
metadata: { name: reader, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Read.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
%s  permissions: [reading]
  limits: { cost_usd: 0.5 }
# file: reading.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: reading, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
"""
NUMBER = "  output: { schema: { type: object, properties: { n: { type: integer } }, required: [n] } }\n"
MARK = "  # <- AC501"
CASES = {
    "what a branch read reaches the effect after it": project(BOTH % ("", "reads", MARK), ALLOWED),
    "all branches are one output": project(BOTH % ("", "guesses", MARK), ALLOWED),
    "only a number crosses": project(BOTH % (COUNT, "reads.n", ""), ALLOWED),
    "what a map read reaches the effect after it": project(EACH % ("subject", MARK), ALLOWED),
    "only numbers leave the map": project(EACH % ("priority", ""), ALLOWED),
    "an item of an untrusted list is untrusted": project(LIST % (NOTES % "{ type: string }", MARK), ALLOWED),
    "an item that is a number is typed": project(LIST % (NOTES % "{ type: integer }", ""), ALLOWED),
    "passages are what their label says": project(LOOK % ("", MARK), ALLOWED),
    "trusted passages": project(LOOK % (", output: { trust: trusted }", ""), ALLOWED),
    "a verified text is still a text": project(CHECK % ("{ type: string, maxLength: 99 }", MARK), ALLOWED),
    "a verified value of a closed kind": project(CHECK % ("{ enum: [a, b] }", ""), ALLOWED),
    "what another agent read comes back": project(HAND % MARK, READER % "", ALLOWED),
    "only a number comes back": project(HAND % "", READER % NUMBER, ALLOWED),
    "an agent that is not granted to its caller": project(
        HAND.replace("next: pay }", "next: pay }  # <- AC640", 1) % "",
        READER % NUMBER,
        ALLOWED.replace("    - tool: desk.get_ticket\n", ""),
    ),
    "a caller's binding is not another agent's of the same words": project(
        HAND.replace(
            '"${input.ticket_id}" }, next: pay }', '"${states.guess.output}" }, next: pay }  # <- AC640'
        ).replace("\nwork:", "\nguess: { type: model, prompt: Guess., next: work }\nwork:")
        % "",
        (READER % NUMBER) + '      bind: { ticket_id: "${input.ticket_id}" }\n',
        ALLOWED.replace(
            "    - tool: desk.get_ticket\n",
            '    - tool: desk.get_ticket\n      bind: { ticket_id: "${input.ticket_id}" }\n',
        ),
        start="guess",
    ),
    "a caller's binding that is handed on": project(
        HAND % "",
        (READER % NUMBER) + '      bind: { ticket_id: "${input.ticket_id}" }\n',
        ALLOWED.replace(
            "    - tool: desk.get_ticket\n",
            '    - tool: desk.get_ticket\n      bind: { ticket_id: "${input.ticket_id}" }\n',
        ),
    ),
    "a branch reads what was there before": project(
        """
first: { type: model, prompt: Guess., next: work }
work:
  type: parallel
  branches:
    one:
      start: a
      states:
        a: { type: model, prompt: "{{ states.first.output }}", next: a_end }
        a_end: { type: end, output: "${states.a.output}" }
    two:
      start: b
      states:
        b:
          type: agent
          tools: [desk.get_ticket, desk.refund]
          prompt: "{{ states.a.output }}"  # <- AC604
          next: b_end
        b_end: { type: end, output: "${states.b.output}" }
  next: done
done: { type: end, output: "${states.work.output.one}" }
""",
        start="first",
    ),
    "a branch without an end": project(
        """
work:
  type: map
  over: ${input.ids}
  start: a
  states:  # <- AC602
    a: { type: agent, tools: [desk.get_ticket, desk.refund], next: a }  # <- AC603
  next: done
done: { type: end, output: sent }
"""
    ),
    "a wrong key in a branch is found where it stands": project(
        """
work:
  type: parallel
  branches:
    one:
      start: a
      states:
        a: { type: model, promt: Guess., next: a_end }  # <- AC111
        a_end: { type: end, output: "${states.a.output}" }
    two:
      start: b
      states:
        b: { type: agnet, next: b_end }  # <- AC113
  next: done
  wait: some  # <- AC113
done: { type: end, output: sent }
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, tmp_path: Path) -> None:
    found, expected = found_in(tmp_path, CASES[name])
    assert {(one.span.file, one.span.line, one.code) for one in found} == expected, [
        f"{one.span.file}:{one.span.line} {one.code} {one.message}" for one in found
    ]


HOSTILE = {
    "a map over its own item": """
work:
  type: map
  over: ${states.work.item}
  start: a
  states: { a: { type: end, output: 1 } }
  next: done
done: { type: end, output: sent }
""",
    "maps over each other's items": """
work:
  type: map
  over: ${states.inner.item}
  start: inner
  states:
    inner:
      type: map
      over: ${states.work.item}
      start: a
      states: { a: { type: end, output: 1 } }
      next: b
    b: { type: end, output: "${states.inner.output}" }
  next: done
done: { type: end, output: sent }
""",
    "a branch that gives what it gave before": """
work:
  type: parallel
  branches:
    one: { start: a, states: { a: { type: end, output: { before: "${states.work.output}" } } } }
    two:
      start: b
      states: { b: { type: end, output: ["${states.work.output}", "${states.work.output}"] } }
  next: again
again:
  type: choice
  choices: [{ value: "${input.ticket_id}", when: { const: x }, next: done }]
  default: work
done: { type: end, output: sent }
""",
    "a branch that begins with the state around it": """
work:
  type: map
  over: ${input.ids}
  start: work
  states: { a: { type: end, output: 1 } }
  next: done
done: { type: end, output: sent }
""",
    "verification of itself": """
work: { type: verify, value: "${states.work.output}", schema: { type: string }, next: done }
done: { type: end, output: sent }
""",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_goes_round_ends_with_findings(name: str, tmp_path: Path) -> None:
    found, _ = found_in(tmp_path, project(HOSTILE[name]))
    assert any(one.level == "error" for one in found)


def agents(names: list[str], handed: dict[str, list[str]]) -> str:
    """Agents that hand off to each other, one after the other."""
    documents = []
    for name in names:
        states = [
            f"      s{index}: {{ type: handoff, agent: {other}, next: s{index + 1} }}\n"
            for index, other in enumerate(handed[name])
        ]
        last = f"      s{len(states)}: {{ type: end, output: sent }}\n"
        documents.append(
            "apiVersion: agentc/v1\nkind: Agent\n"
            f"metadata: {{ name: {name}, version: 1.0.0, owner: support }}\n"
            "spec:\n  model: fast\n  instructions: Go on.\n"
            "  input: { schema: { type: object, properties: {} } }\n"
            "  limits: { cost_usd: 0.5 }\n"
            f"  workflow:\n    start: s0\n    states:\n{''.join(states)}{last}"
        )
    return "# file: agent.yaml\n" + "---\n".join(documents) + "# file: permissions.yaml\n# absent\n"


def test_agents_that_lead_back_are_found_and_none_is_lost(tmp_path: Path) -> None:
    names = ["a", "b", "c"]
    found, _ = found_in(tmp_path, agents(names, {"a": ["b"], "b": ["c"], "c": ["a"]}))
    assert [one.code for one in found if one.level == "error"] == ["AC642"] * 3


def test_every_agent_handing_off_to_every_later_one_ends(tmp_path: Path) -> None:
    """The attack: sixteen agents whose copies in each other would be many thousands."""
    names = [f"agent{number}" for number in range(16)]
    found, _ = found_in(tmp_path, agents(names, {name: names[at + 1 :] for at, name in enumerate(names)}))
    assert {one.code for one in found if one.level == "error"} == {"AC642"}
    program = check_project(tmp_path).program
    lowered, _ = lower(program, program.agents["agent15"])
    assert lowered.agents == {}


def test_a_branch_reads_no_more_than_its_agent_could_without_it(tmp_path: Path) -> None:
    found_in(tmp_path, CASES["what a branch read reaches the effect after it"])
    read = sources(check_project(tmp_path).program.agents["triage"])
    assert [str(source) for source in read["pay"] if source.origin.untrusted] == [
        "`desk.get_ticket` by way of states `look` and `work`"
    ]
