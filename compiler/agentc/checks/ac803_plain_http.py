"""AC803: plain http to another machine."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..program import Program
from ..stepping import base_urls, is_loopback, url_problem

RULE = Rule(
    code="AC803",
    name="plain-http",
    title="plain http to another machine",
    why=("Without TLS anybody on the way reads the credential and changes the answers."),
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
      variables: { DESK_URL: "http://desk.example.com" }  # <- AC803
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: { env: DESK_TOKEN } }
      private_hosts: ["127.0.0.1:8080"]
  approvers: { leads: [ana@example.com] }
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
  approvers: { leads: [ana@example.com] }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Base URLs with the scheme http whose host is not this machine."""
    for resource, path, text in base_urls(program):
        if text.lower().startswith("http://") and url_problem(text) is None and not is_loopback(text):
            yield RULE.at(resource.span(*path), f"`{text}` is not encrypted", help="use `https://`")
