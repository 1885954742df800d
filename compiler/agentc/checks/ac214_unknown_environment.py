"""AC214: default environment does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Program

RULE = Rule(
    code="AC214",
    name="unknown-environment",
    title="default environment does not exist",
    why=(
        "`agentc run` without `--env` uses the default environment. With several environments "
        "and no default it would have to guess."
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
  default_environment: loacl  # <- AC214
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
  default_environment: local
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """A default environment that does not exist, or is needed and not there."""
    if program.project is None:
        return
    spec = program.project.spec
    if spec.default_environment is not None:
        if spec.default_environment not in spec.environments:
            yield RULE.at(
                program.project.span("default_environment"),
                f"unknown environment `{spec.default_environment}`",
                help=did_you_mean(spec.default_environment, spec.environments),
            )
    elif program.agents and len(spec.environments) != 1:
        span = (
            program.project.span("environments", key=True)
            if spec.environments
            else program.project.name_span()
        )
        count = "several environments" if spec.environments else "no environment"
        yield RULE.at(
            span,
            f"the project has {count} and no `default_environment`",
            help="add `default_environment:` with the name of one"
            if spec.environments
            else "add `environments:` with a place to run, such as `local: {}`",
        )
