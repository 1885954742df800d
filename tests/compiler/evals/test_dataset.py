"""Cases out of runs and specs, and the queue in which they wait for a person."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentc.cli import invoke
from agentc.driver import check_project
from agentc.pipeline import bundle_files
from agentc_runtime.run import run_bundle
from agentc_runtime.store import Store
from agentc_runtime.verify import load_bundle

ROOT = Path(__file__).parents[3]
Run = Callable[..., Any]


@pytest.fixture
def agentc(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("AGENTC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["agentc", *map(str, arguments)])
        capsys.readouterr()
        code = invoke()
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return code, said.out, said.err

    return run


@pytest.fixture
def support(tmp_path: Path) -> Path:
    """The support project, and the store of a run of it that read a ticket."""
    from agentc.evals.case import cases_of
    from agentc.evals.making_up import MadeUp
    from agentc.evals.mocking import MockTools
    from agentc.evals.observing import Observer
    from agentc.evals.recording import load
    from agentc.evals.running import Plan, Runner
    from agentc.evals.scoring import Scoring
    from agentc_runtime.cassette import ReplayTransport

    project = tmp_path / "support"
    shutil.copytree(ROOT / "specs" / "support", project)
    result = check_project(project)
    one = result.program.evals["triage"]
    case = next(case for case in cases_of(result.program, one).cases if case.id == "broken-cup")
    bundle = load_bundle(bundle_files(result, result.program.agents["triage"]))
    recording = load(project / "recordings/evals/triage.jsonl")
    plan = Plan(one, bundle, "local", "recorded", "mock", recording, MadeUp(result.program, 0))
    runner = Runner(plan, Scoring(one, bundle.program, ()))
    observer = Observer(bundle.program, "all")
    cassette = recording.cassette("broken-cup", 0, "model")
    assert cassette is not None

    async def run() -> None:
        with Store(tmp_path / "runs.db") as store:
            claim = store.claim

            def claimed(made: Any) -> Any:
                from agentc.evals.current import CLAIMED

                CLAIMED.set((made.tool, made.arguments))
                return claim(made)

            store.claim = claimed  # type: ignore[method-assign]
            await run_bundle(
                bundle,
                input=dict(case.input), session=dict(case.session), environment="local",
                transport=MockTools(bundle.program, (*case.spec.mock, *one.spec.mock), plan.make_up, 0),
                model_transport=ReplayTransport(cassette), journal=store, log=store,
                approver=observer, secrets=runner.secrets, emit=observer, run_id="20260105T090000Z-abc",
            )  # fmt: skip

    asyncio.run(run())
    return project


def test_a_run_becomes_a_case_that_waits_and_then_counts(agentc: Run, support: Path, tmp_path: Path) -> None:
    file = support / "evals" / "production.jsonl"
    add = ("dataset", "add", file, "--run", "20260105", "--store", tmp_path / "runs.db")
    code, _, err = agentc(*add)
    assert (code, err) == (
        2,
        "error: run `20260105T090000Z-abc` read confidential data: say with --consent why it may be kept\n",
    )
    code, out, err = agentc(*add, "--tag", "wrong-refund", "--consent", "support agreement, section 7")
    assert code == 0, err
    assert "taken out: 2 email; it waits for `agentc dataset accept`" in out
    text = file.read_text()
    assert "mia@customer.example" not in text
    row = json.loads(text)
    assert row["tags"] == ["production", "wrong-refund"]
    assert row["origin"]["run"] == "20260105T090000Z-abc"
    assert row["origin"]["consent"] == "support agreement, section 7"
    assert row["origin"]["labels"]["sensitivity"] == "confidential"
    assert [answer["tool"] for answer in row["mock"]] == [
        "helpdesk.get_ticket", "helpdesk.refund", "helpdesk.reply",
    ]  # fmt: skip

    # the same again is not added
    code, _, err = agentc(*add, "--consent", "x")
    assert code == 1
    assert "has the same to do: nothing was added" in err

    # it is a case of the project: it runs, and does not count until somebody has looked at it
    spec = support / "evals" / "production.yaml"
    spec.write_text(
        "apiVersion: agentc/v1\nkind: Eval\nmetadata: { name: production, version: 1.0.0, owner: qa }\n"
        "spec:\n  agent: triage\n  model: recorded\n  scorers: [{ type: status }]\n"
        "  files: [evals/production.jsonl]\n  gates: [{ metric: violations, max: 0 }]\n"
    )
    report = json.loads(agentc("eval", support, "--eval", "production", "--format", "json")[1])
    assert report["summary"]["waiting"] == [row["id"]]
    assert report["summary"]["cases"] == 0
    out = agentc("dataset", "list", file, "--waiting")[1]
    assert out.startswith(f"waits  {row['id']}  production wrong-refund\n1 case, 1 waiting, sha256:")

    accept = ("dataset", "accept", file, row["id"], "--by", "ana", "--expected", '{"outcome": "refunded"}')
    assert agentc(*accept, "--label", "thumb=down")[0] == 0
    row = json.loads(file.read_text())
    assert row["expected"] == {"outcome": "refunded"}
    assert row["origin"]["accepted_by"] == "ana"
    assert row["origin"]["labels"]["thumb"] == "down"
    report = json.loads(agentc("eval", support, "--eval", "production", "--format", "json")[1])
    assert report["summary"]["cases"] == 1
    assert "0 waiting" in agentc("dataset", "list", file)[1]


def test_synthetic_cases_come_from_the_permissions(agentc: Run, project: Any, tmp_path: Path) -> None:
    root = project(
        "  agent: triage\n  model: mock\n  tools: mock\n  defaults: { approve: none }\n"
        "  scorers: [{ type: status, required: false }]\n  files: [synthetic.jsonl]\n"
        "  gates: [{ metric: violations, max: 0 }]\n"
    )
    file = root / "synthetic.jsonl"
    (root / "evals.yaml").rename(tmp_path / "evals.yaml")
    code, out, _ = agentc("dataset", "synthesize", file, "--project", root)
    assert code == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert out == f"made {len(rows)} cases in `{file}`; they wait for `agentc dataset accept`\n"
    tags = {tag for row in rows for tag in row["tags"]}
    assert tags >= {"limit", "bound", "inside", "ungranted"}
    assert {row["origin"]["source"] for row in rows} == {"synthetic"}
    assert agentc("dataset", "synthesize", file, "--project", root)[1].startswith("made 0 cases")
    (tmp_path / "evals.yaml").rename(root / "evals.yaml")
    report = json.loads(agentc("eval", root, "--format", "json")[1])
    assert len(report["summary"]["waiting"]) == len(rows)
    assert [case["reasons"] for case in report["cases"] if case["passed"] < 1] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "line 1"), ("[]", "is no case: it has no `id`"), ('{"id": 3}', "is no case"), ("\xff", "line 1")],
)
def test_a_file_that_is_no_dataset_is_said(agentc: Run, tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(text)
    code, _, err = agentc("dataset", "list", file)
    assert code == 2
    assert told in err
    assert agentc("dataset", "list", tmp_path / "gone.jsonl")[0] == 2
    assert agentc("dataset", "accept", tmp_path / "gone.jsonl", "x", "--by", "me")[0] == 2


PROMPTFOO = """\
description: Tickets
prompts: ["{{message}}"]
providers: [openai:gpt-5-mini]
defaultTest:
  assert: [{ type: latency, threshold: 3000 }]
tests:
  - description: A broken cup
    vars: { ticket_id: T-1 }
    assert:
      - { type: contains, value: refund }
      - { type: not-icontains, value: sorry }
      - { type: regex, value: "R-[0-9]+" }
      - { type: is-json, value: { type: object, properties: { id: { type: string } } } }
      - { type: javascript, value: "output.length > 3" }
  - vars: { ticket_id: T-2 }
    assert: [{ type: equals, value: hello }, { type: llm-rubric, value: Is polite. }]
"""


def test_promptfoo_is_imported_as_far_as_it_means_the_same(agentc: Run, project: Any, tmp_path: Path) -> None:
    config = tmp_path / "promptfooconfig.yaml"
    config.write_text(PROMPTFOO)
    root = project("")
    code, out, err = agentc("import", "promptfoo", config, "--agent", "triage", "--out", root / "evals.yaml")
    assert code == 1
    assert out == f"wrote 2 cases with 6 scorers to `{root / 'evals.yaml'}`\n"
    assert err.splitlines() == [
        "left out: test 1: assertion `javascript`: nothing here means the same",
        "left out: test 2: assertion `llm-rubric`: say with --judge which model grades",
        "left out: `prompts`: the agent has its own",
        "left out: `providers`: the agent has its own",
    ]
    result = check_project(root)
    assert result.ok, [one.message for one in result.diagnostics]
    one, two = result.program.cases["imported"].cases
    assert (one.id, one.input) == ("a-broken-cup", {"ticket_id": "T-1"})
    assert [scorer.type for scorer in one.spec.assert_] == ["contains", "contains", "regex", "schema"]
    assert two.id == "test-2"
    assert one.counts


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("x.yaml", "a: [", "line 1"),
        ("x.yaml", "tests: cases.csv", "has no list of `tests`"),
        ("x.yaml", "- 1", "it is no map"),
        ("x.js", "module.exports = {}", "configurations in code are not read"),
        ("x.json", "{", "line 1"),
        ("x.yaml", "[" * 100_000, "line 1"),
    ],
)
def test_what_is_no_promptfoo_configuration_is_said(
    agentc: Run, tmp_path: Path, name: str, text: str, told: str
) -> None:
    (tmp_path / name).write_text(text)
    code, _, err = agentc("import", "promptfoo", tmp_path / name, "--agent", "triage")
    assert code == 2
    assert told in err


def test_production_that_does_worse_is_told_from_chance(agentc: Run, project: Any, tmp_path: Path) -> None:
    def report(name: str, bad: int, total: int) -> Path:
        cases = "".join(
            f"    - {{ id: c{number}, turns: [{{ text: {'bad' if number < bad else 'good'} }}] }}\n"
            for number in range(total)
        )
        root = project(
            "  agent: triage\n  model: mock\n  defaults: { input: { ticket_id: T-1 } }\n"
            f"  scorers: [{{ type: contains, name: is-good, all: [good] }}]\n  cases:\n{cases}"
        )
        path = tmp_path / f"{name}.json"
        assert agentc("eval", root, "--evidence", path)[0] == (1 if bad else 0)
        return path

    golden = report("golden", 0, 20)
    same, worse = report("same", 1, 20), report("worse", 8, 20)
    code, out, _ = agentc("dataset", "drift", golden, same)
    assert code == 0
    assert "✓ scorer is-good: 100.0% of 20, in production 95.0% of 20 (p = 1)" in out
    code, out, _ = agentc("dataset", "drift", golden, worse)
    assert code == 1
    assert "✗ scorer is-good: 100.0% of 20, in production 60.0% of 20 (p = 0.00328)" in out
    assert json.loads(agentc("dataset", "drift", golden, worse, "--format", "json")[1])["drifted"] is True
    assert agentc("dataset", "drift", worse, golden)[0] == 0
