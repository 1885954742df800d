"""`agentc graph`."""

from __future__ import annotations


def test_mermaid_is_written_to_the_terminal(agentc, project):
    outcome = agentc("graph", project)
    assert outcome.code == 0
    assert outcome.out.startswith("flowchart LR\n")
    assert "desk.refund" in outcome.out
    assert outcome.err == ""


def test_a_page_is_written_to_a_file(agentc, project, folder):
    outcome = agentc("graph", project, "--format", "html", "--out", folder / "graph.html")
    assert (outcome.code, outcome.out) == (0, "")
    assert "wrote" in outcome.err
    assert (folder / "graph.html").read_text().startswith("<!doctype html>")


def test_an_agent_that_there_is_not(agentc, project):
    outcome = agentc("graph", project, "--agent", "triag")
    assert outcome.code == 2
    assert "no agent `triag` in this project; did you mean `triage`" in outcome.err


def test_one_svg_is_one_agent(agentc, project, edit):
    second = project / "second.yaml"
    second.write_text((project / "agent.yaml").read_text().replace("name: triage", "name: second"))
    outcome = agentc("graph", project, "--format", "svg")
    assert outcome.code == 2
    assert "say which agent" in outcome.err
    assert agentc("graph", project, "--format", "svg", "--agent", "second").out.startswith("<svg")
    assert agentc("graph", project).out.count("flowchart LR") == 2


def test_a_project_with_errors_is_drawn_and_told(agentc, broken):
    outcome = agentc("graph", broken)
    assert outcome.code == 1
    assert "desk.refund" in outcome.out
    assert "AC204" in outcome.err


def test_a_file_that_can_not_be_written(agentc, project, folder):
    outcome = agentc("graph", project, "--out", folder / "no" / "such" / "graph.mmd")
    assert outcome.code == 2
    assert "can't write" in outcome.err


def test_a_project_without_an_agent(agentc, project):
    (project / "agent.yaml").unlink()
    outcome = agentc("graph", project)
    assert outcome.code == 2
    assert "no agent that can be drawn" in outcome.err
