"""AC844: gate that can't hold, or holds whatever happens."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..evals.case import COMPARED, SLICED, cases_of, name_of, scorers_of
from ..program import Program

RULE = Rule(
    code="AC844",
    name="gate-of-nothing",
    title="gate that says nothing",
    why=(
        "A gate decides whether a release goes out. One that names a slice or a scorer that does not exist, or "
        "gives no bound, decides nothing."
    ),
    bad="""\
# file: evals.yaml
apiVersion: agentc/v1
kind: Eval
metadata: { name: greetings, version: 1.0.0, owner: support }
spec:
  agent: triage
  model: mock
  defaults: { input: { ticket_id: T-1 } }
  scorers: [{ type: status }]
  cases:
    - id: greets
      tags: [polite]
      turns: [{ text: Hello. }]
  gates:
    - { slice: politeness, min: 1 }  # <- AC844
""",
    good="""\
# file: evals.yaml
apiVersion: agentc/v1
kind: Eval
metadata: { name: greetings, version: 1.0.0, owner: support }
spec:
  agent: triage
  model: mock
  defaults: { input: { ticket_id: T-1 } }
  scorers: [{ type: status }]
  cases:
    - id: greets
      tags: [polite]
      turns: [{ text: Hello. }]
  gates:
    - { slice: polite, min: 1 }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Gates without a bound, of a slice without cases, or of a scorer that there is not."""
    for one in program.evals.values():
        cases, problems = cases_of(program, one)
        tags = {tag for case in cases for tag in case.spec.tags}
        names = {name_of(scorer) for case in cases for scorer in scorers_of(one, case)}
        for index, gate in enumerate(one.spec.gates):
            path = ("gates", index)
            if gate.min is None and gate.max is None and gate.baseline is None:
                yield RULE.at(
                    one.span(*path), "the gate has no bound", help="write `min`, `max` or `baseline`"
                )
            if gate.slice is not None and gate.slice not in tags and not problems:
                yield RULE.at(
                    one.span(*path, "slice"),
                    f"no case has the tag `{gate.slice}`",
                    help=did_you_mean(gate.slice, tags),
                )
            if gate.scorer is not None and gate.scorer not in names and not problems:
                yield RULE.at(
                    one.span(*path, "scorer"),
                    f"there is no scorer `{gate.scorer}`",
                    help=did_you_mean(gate.scorer, names),
                )
            if gate.slice is not None and gate.metric not in SLICED:
                yield RULE.at(
                    one.span(*path, "slice", key=True),
                    f"`{gate.metric}` is not known for slices",
                    help=f"gates on slices are of {', '.join(f'`{name}`' for name in sorted(SLICED))}",
                )
            if gate.scorer is not None and gate.metric != "pass_rate":
                yield RULE.at(
                    one.span(*path, "scorer", key=True),
                    f"`scorer` goes with `pass_rate`, not with `{gate.metric}`",
                    help="leave `scorer` out",
                )
            if gate.baseline is not None and gate.metric not in COMPARED:
                yield RULE.at(
                    one.span(*path, "baseline", key=True),
                    f"`{gate.metric}` has no value for each case that could be compared in pairs",
                    help=f"comparisons are of {', '.join(f'`{name}`' for name in sorted(COMPARED))}",
                )
