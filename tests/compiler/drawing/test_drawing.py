"""Pictures: what is drawn, that spec text stays text, and that the same specs give the same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from syrupy.assertion import SnapshotAssertion

from agentc.checks.base import example_files
from agentc.drawing import Picture, as_html, as_mermaid, as_svg
from agentc.drawing.project import picture_of
from agentc.driver import check_project

ALLOW = """\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
  flows: { untrusted_to_effect: { policy: allow, reason: a test } }
"""
PRIVATE = """\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: {sha256:openapi.yaml} }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read, output: { sensitivity: restricted } }
    refund: { operation: createRefund, effect: send, destinations: [ticket_id] }
"""


@pytest.fixture
def draw(tmp_path: Path) -> Callable[[str], Picture]:
    """The picture of the base project of the rules with these files laid over it."""

    def make(files: str = "") -> Picture:
        for name, text in example_files(files).items():
            (tmp_path / name).write_text(text)
        result = check_project(tmp_path)
        return picture_of(result.program, result.program.agents["triage"], result.diagnostics)

    return make


def test_mermaid(draw, snapshot: SnapshotAssertion):
    assert as_mermaid(draw()) == snapshot


def test_svg(draw, snapshot: SnapshotAssertion):
    assert as_svg(draw()) == snapshot


def test_what_breaks_a_rule_is_red(draw):
    picture = draw(ALLOW)
    assert [(arrow.source, arrow.target, arrow.broken) for arrow in picture.arrows if arrow.broken] == [
        ("state:main", "tool:desk.refund", "AC501")
    ]
    assert 'class="arrow call broken"' in as_svg(picture)
    assert "linkStyle" in as_mermaid(picture)
    assert "AC501" in as_html([picture])


def test_the_worse_of_two_rules_is_shown(draw):
    picture = draw(ALLOW + PRIVATE)
    broken = {arrow.target: arrow.broken for arrow in picture.arrows if arrow.broken}
    assert broken == {"tool:desk.refund": "AC502", "place:https://api.openai.com/v1": "AC503"}


def test_a_project_without_broken_flows_has_no_red(draw):
    picture = draw()
    assert picture.findings == ()
    assert not any(arrow.broken for arrow in picture.arrows)
    assert 'class="arrow call broken"' not in as_html([picture])


HOSTILE = """\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata:
  name: triage
  version: 1.0.0
  owner: support
  description: "</title><script>alert(1)</script> \\"]; click n0 href \\"javascript:a()\\" %%{init: {}}%%"
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast:
      provider: openai
      base_url: 'https://x.example/"]-->n9["<img src=x onerror=alert(1)>'
      model: gpt-5-mini
      secret: openai_api_key
      max_sensitivity: confidential
  environments:
    local:
      variables: { DESK_URL: 'http://127.0.0.1:8080/"<b>' }
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: { env: DESK_TOKEN } }
      private_hosts: ["127.0.0.1:8080"]
  approvers: { leads: [ana@example.com] }
"""


def test_what_specs_say_is_text_in_each_format(draw):
    picture = draw(HOSTILE)
    for page in (as_svg(picture), as_html([picture])):
        assert "<script" not in page
        assert "<img" not in page
        assert "<b>" not in page
    ElementTree.fromstring(as_svg(picture))
    lines = as_mermaid(picture).splitlines()
    assert not any(re.match(r"\s*(click|%%)", line) for line in lines)
    assert all(line.count('"') in (0, 2) for line in lines), "no label ends before its quotes"
    assert len(lines) == len(as_mermaid(draw()).splitlines())


def test_the_page_needs_nothing_from_elsewhere(draw):
    page = as_html([draw()])
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=|@import|url\((?!#)", page)


def test_the_same_specs_give_the_same_bytes(draw):
    assert [as_html([draw()]), as_svg(draw()), as_mermaid(draw())] == [
        as_html([draw()]), as_svg(draw()), as_mermaid(draw())
    ]  # fmt: skip
