"""AC918: an acceptance, or an owner, that can never count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from ..diagnostics import Diagnostic, Rule, did_you_mean, is_about_change
from ..program import Program
from ..resources import Resource
from ..syntax.acceptances import AcceptanceSetSpec

RULE = Rule(
    code="AC918",
    name="acceptance-of-nobody",
    title="an acceptance, or an owner, that can never count",
    why=(
        "An AcceptanceSet says who may accept that a change lets agents do more. Of the entries that match the last "
        "one counts, so one with a misspelt name would leave the decision to others than it was meant for. The same "
        "holds for a person in no group, and for a day that there is not."
    ),
    bad="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast: { provider: openai, model: gpt-5-mini, secret: openai_api_key, prices: { input: 0.25, output: 2 } }
  environments:
    local:
      variables: { DESK_URL: "http://127.0.0.1:8080" }
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: { env: DESK_TOKEN } }
      private_hosts: ["127.0.0.1:8080"]
  approvers: { security: [ana@example.com] }
# file: acceptances.yaml
apiVersion: agentc/v1
kind: AcceptanceSet
metadata: { name: accepted, version: 1.0.0, owner: security }
spec:
  owners:
    - { by: [securty] }  # <- AC918
    - { agents: [triag], by: [security] }  # <- AC918
    - { rules: [AC401], by: [security] }  # <- AC918
  accepted:
    - delta: sha256:5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9
      by: eve@example.com  # <- AC918
      reason: I say so.
      expires: "2027-02-30"  # <- AC918
""",
    good="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast: { provider: openai, model: gpt-5-mini, secret: openai_api_key, prices: { input: 0.25, output: 2 } }
  environments:
    local:
      variables: { DESK_URL: "http://127.0.0.1:8080" }
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: { env: DESK_TOKEN } }
      private_hosts: ["127.0.0.1:8080"]
  approvers: { security: [ana@example.com] }
# file: acceptances.yaml
apiVersion: agentc/v1
kind: AcceptanceSet
metadata: { name: accepted, version: 1.0.0, owner: security }
spec:
  owners:
    - { by: [security] }
    - { agents: [triage], rules: [AC903], by: [security] }
  accepted:
    - delta: sha256:5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9
      by: ana@example.com
      reason: Refunds up to 80 were agreed on with finance.
      expires: "2027-02-28"
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Names in acceptance sets that nothing has, and days that there are not."""
    if program.project is None:
        return
    groups = program.project.spec.approvers
    people = {person for members in groups.values() for person in members}
    for accepted in program.acceptance_sets.values():
        yield from _owners(program, accepted, groups)
        for index, one in enumerate(accepted.spec.accepted):
            if one.by not in people:
                yield RULE.at(
                    accepted.span("accepted", index, "by"),
                    f"`{one.by}` is in no approver group of the project",
                    help=did_you_mean(one.by, people) or "add them to a group of the project's `approvers`",
                )
            if day_of(one.expires) is None:
                yield RULE.at(
                    accepted.span("accepted", index, "expires"),
                    f"there is no day `{one.expires}`",
                    help="write year, month and day, such as `2027-02-28`",
                )


def _owners(
    program: Program, accepted: Resource[AcceptanceSetSpec], groups: Iterable[str]
) -> Iterator[Diagnostic]:
    known = {"by": ("approver group", list(groups)), "agents": ("agent", list(program.agents))}
    for index, owner in enumerate(accepted.spec.owners):
        for key, (thing, names) in known.items():
            for place, name in enumerate(getattr(owner, key)):
                hidden = key == "agents" and program.broken.hides("Agent", name)
                if name not in names and not hidden:
                    yield RULE.at(
                        accepted.span("owners", index, key, place),
                        f"the project has no {thing} `{name}`",
                        help=did_you_mean(name, names) or f"name {thing}s that the project has",
                    )
        for place, code in enumerate(owner.rules):
            if not is_about_change(code):
                yield RULE.at(
                    accepted.span("owners", index, "rules", place),
                    f"{code} is no rule about a change",
                    help="name rules of AC901 to AC919: `agentc explain` lists them",
                )


def day_of(text: str) -> date | None:
    """The day that `YYYY-MM-DD` says; `None` if there is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
