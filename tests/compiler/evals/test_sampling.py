"""Which runs of production become cases: some of each failure mode, always the same for a seed."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agentc.cli import invoke
from agentc.evals.sampling import modes_of, sample
from agentc_runtime.calls import Claim, Returned
from agentc_runtime.durable.feedback import give_feedback
from agentc_runtime.durable.ledgers import open_ledger
from agentc_runtime.history import PastCall, PastRefusal, PastRun
from agentc_runtime.labels import Label
from agentc_runtime.refusals import Refusal
from agentc_runtime.said import Said

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_run(name: str, seconds: float = 1, **fields: Any) -> PastRun:
    base: dict[str, Any] = {
        "run_id": name, "agent": "triage", "version": "1.0.0", "bundle": "b" * 64, "environment": "local",
        "input": {"ticket_id": name}, "session": {}, "started": NOON.isoformat(), "calls": (),
        "status": "succeeded", "ended": (NOON + timedelta(seconds=seconds)).isoformat(),
        "output": {"outcome": "refunded", "summary": f"we did it in {name}"},
    }  # fmt: skip
    return PastRun(**{**base, **fields})


def refused(code: str) -> tuple[PastRefusal, ...]:
    return (PastRefusal(tool="desk.refund", code=code, state="main"),)


@pytest.mark.parametrize(
    ("fields", "modes"),
    [
        ({}, ()),
        ({"refused": refused("AR201")}, ("refused-ar201",)),
        ({"refused": refused("AR205")}, ("rejected",)),
        ({"refused": refused("AR202")}, ("guarded",)),
        ({"status": "failed", "refusal": "AR502"}, ("failed-ar502",)),
        ({"status": "failed", "refusal": "AR206"}, ("rejected", "failed-ar206")),
        ({"calls": (PastCall(tool="desk.read", arguments={}, code="AR404"),)}, ("tool-ar404",)),
        ({"said": (Said(thumb="up"), Said(thumb="down"))}, ("thumb-down",)),
        ({"said": (Said(correction={"outcome": "x"}),)}, ("corrected",)),
        ({"said": (Said(thumb="up", labels=("nice",)),)}, ()),
    ],
)
def test_the_modes_of_a_run(fields: dict[str, Any], modes: tuple[str, ...]) -> None:
    assert modes_of([a_run("r", **fields)]) == {"r": modes}


def test_runs_that_are_under_way_have_none() -> None:
    assert modes_of([a_run("r", ended="", status="")]) == {}


def test_the_same_to_do_that_ended_otherwise_is_flaky() -> None:
    same = {"input": {"ticket_id": "T-1"}}
    other = {"outcome": "escalated", "summary": "over to a person"}
    told = modes_of([a_run("a", **same), a_run("b", **same), a_run("c", output=other, **same), a_run("d")])
    assert told == {"a": ("flaky",), "b": ("flaky",), "c": ("flaky",), "d": ()}


def test_the_slowest_and_most_expensive_twentieth() -> None:
    runs = [a_run(f"r{number:02}", seconds=number, tokens=100 - number) for number in range(40)]
    told = {run: modes for run, modes in modes_of(runs).items() if modes}
    assert told == {"r38": ("slow",), "r39": ("slow",), "r00": ("expensive",), "r01": ("expensive",)}
    assert not any(modes_of(runs[:10]).values()), "few runs have no tail"


def many() -> list[PastRun]:
    bad = [a_run(f"bad-{number}", refused=refused("AR201")) for number in range(10)]
    worse = [a_run(f"worse-{number}", status="failed", refusal="AR501") for number in range(2)]
    return [*bad, *worse, *(a_run(f"good-{number}") for number in range(50))]


def test_each_mode_has_its_share_and_successes_theirs() -> None:
    found = sample(many(), each=3, successes=0.5, seed=1)
    assert found.found == {"failed-ar501": 2, "refused-ar201": 10, "success": 50}
    counts = [one.mode for one in found.picked]
    assert {mode: counts.count(mode) for mode in counts} == {
        "failed-ar501": 2, "refused-ar201": 3, "success": 5,
    }  # fmt: skip
    assert sample(many()[::-1], each=3, successes=0.5, seed=1).picked == found.picked, "in whatever order"
    assert sample(many(), each=3, successes=0.5, seed=2).picked != found.picked
    assert not [one for one in sample(many(), each=3, successes=0, seed=1).picked if one.mode == "success"]


def test_what_is_a_case_already_is_passed_over() -> None:
    first = sample(many(), each=3, successes=0, seed=1)
    known = {one.run.run_id for one in first.picked}
    again = sample(many(), each=3, successes=0, seed=1, known=known)
    assert {one.mode for one in again.picked} == {"refused-ar201"}
    assert not known & {one.run.run_id for one in again.picked}


def test_a_run_that_fits_several_modes_counts_for_each() -> None:
    both = a_run("both", refused=refused("AR201"), said=(Said(thumb="down"),))
    found = sample([both, a_run("other", refused=refused("AR201"))], each=1, successes=0, seed=0)
    assert [(one.run.run_id, one.mode) for one in found.picked] == [("both", "thumb-down")]


def test_only_the_modes_that_are_asked_for() -> None:
    found = sample(many(), each=3, successes=0, seed=1, wanted=("failed",))
    assert {one.mode for one in found.picked} == {"failed-ar501"}


# --- the command, over a store with what people said -----------------------------------------------------


@pytest.fixture
def agentc(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    monkeypatch.setenv("AGENTC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["agentc", *map(str, arguments)])
        capsys.readouterr()
        code = invoke()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Five runs: refused, with confidential data, good, and two that somebody spoke of."""
    path = tmp_path / "runs.db"
    ledger = open_ledger(str(path))
    secret, plain = Label(sensitivity="confidential"), Label(sensitivity="internal")
    for name, label, keep in (
        ("r-refused", plain, True), ("r-private", secret, True), ("r-good", plain, True),
        ("r-down", plain, False), ("r-corrected", plain, True),
    ):  # fmt: skip
        ledger.start_run(
            name, agent="triage", version="1.0.0", bundle="b" * 64, environment="local",
            input={"ticket_id": name}, session={"customer_id": "C-1", "keep": keep},
        )  # fmt: skip
        ledger.claim(
            Claim(
                run_id=name, call_id="c", agent="triage", tool="desk.get_ticket", effect="read",
                arguments={}, request_digest="0" * 64, idempotency_key=None, per_run=None, per_day=None,
            )
        )  # fmt: skip
        ledger.settle(name, "c", Returned(status=200, value={"id": "T"}, label=label, seconds=0.1))
        if name in ("r-refused", "r-private"):
            refusal = {"code": "AR201", "message": "too much"}
            payload = {"call_id": "d", "state": "main", "tool": "desk.refund", "refusal": refusal}
            ledger.record(name, "refused", payload)
        failed = Refusal(code="AR501", message="out of turns") if name == "r-down" else None
        ledger.end_run(
            name, "failed" if failed else "succeeded", output={"outcome": "refunded"}, refusal=failed
        )
    give_feedback(ledger, "r-down", Said(thumb="down", comment="ask mia@customer.example"), by="ana")
    right = {"outcome": "escalated", "summary": "Call +1 202-555-0143."}
    give_feedback(ledger, "r-corrected", Said(correction=right, labels=("wrong-outcome",)), by="ana")
    give_feedback(ledger, "r-good", Said(thumb="up"), by="ana")
    ledger.close()
    return path


def rows(file: Path) -> dict[str, Any]:
    return {row["id"]: row for row in map(json.loads, file.read_text().splitlines())}


def test_a_sample_of_a_store(agentc: Callable[..., Any], store: Path, tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    ask = ("dataset", "sample", file, "--store", store)
    told = (
        "thumb-down       1 of 1\ncorrected        1 of 1\nfailed-ar501     1 of 1\n"
        "refused-ar201    1 of 1\nsuccess          1 of 1\n"
        "left out 1 run that read more than internal data: --consent says why they may be kept\n"
    )
    assert agentc(*ask, "--dry-run") == (0, f"{told}4 cases would be added to `{file}`\n", "")
    assert not file.exists()
    assert agentc(*ask) == (
        0, f"{told}added 4 cases to `{file}`; they wait for `agentc dataset accept`\n", "",
    )  # fmt: skip
    made = rows(file)
    assert set(made) == {"run-r-refused", "run-r-good", "run-r-down", "run-r-corrected"}
    assert made["run-r-down"]["tags"] == ["production", "thumb-down", "failed-ar501"]
    assert made["run-r-down"]["origin"]["labels"]["comments"] == ["ask person@example.com"]
    assert made["run-r-corrected"]["expected"] == {"outcome": "escalated", "summary": "Call [phone]."}
    assert made["run-r-corrected"]["tags"] == ["production", "corrected", "wrong-outcome"]
    assert made["run-r-refused"]["tags"] == ["production", "refused-ar201"]
    assert made["run-r-good"]["tags"] == ["production", "success", "thumb-up"]
    # what is there is passed over; with a reason the private one may be kept
    again = json.loads(agentc(*ask, "--consent", "DPA 7", "--format", "json")[1])
    assert [case["run"] for case in again["cases"]] == ["r-private"]
    assert rows(file)["run-r-private"]["origin"]["consent"] == "DPA 7"
    assert agentc("dataset", "list", file, "--waiting")[1].count("waits ") == 5


def test_what_was_spoken_of_goes_into_the_queue(
    agentc: Callable[..., Any], store: Path, tmp_path: Path
) -> None:
    file = tmp_path / "cases.jsonl"
    code, out, _ = agentc("dataset", "add", file, "--feedback", "--store", store)
    assert (code, out) == (0, f"added 2 cases to `{file}`; they wait for `agentc dataset accept`\n")
    assert set(rows(file)) == {"run-r-down", "run-r-corrected"}
    assert agentc("dataset", "add", file, "--feedback", "--store", store)[1].startswith("added 0 cases")


def test_who_does_not_want_it_is_left_out(agentc: Callable[..., Any], store: Path, tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    ask = ("dataset", "sample", file, "--store", store, "--where", "session.keep=true", "--consent", "DPA 7")
    assert agentc(*ask)[0] == 0
    assert "run-r-down" not in rows(file)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--mode", "refusd"), "no failure mode `refusd`; did you mean `refused`?"),
        (("--since", "yesterday"), "`yesterday` is no day such as 2026-11-01"),
        (("--where", "keep"), "is not like session.customer_id=C-17"),
        (("--store", "none.db"), "none.db"),
    ],
)
def test_what_can_not_be_sampled(
    agentc: Callable[..., Any], store: Path, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    code, _, err = agentc("dataset", "sample", tmp_path / "x.jsonl", "--store", store, *arguments)
    assert code == 2
    assert told in err


def test_runs_of_several_agents_are_told_apart(
    agentc: Callable[..., Any], store: Path, tmp_path: Path
) -> None:
    both = shutil.copy(store, tmp_path / "both.db")
    ledger = open_ledger(str(both))
    ledger.start_run(
        "r-other", agent="other", version="1.0.0", bundle="c" * 64, environment="local", input={}, session={}
    )
    ledger.end_run("r-other", "succeeded", output={}, refusal=None)
    ledger.close()
    ask = ("dataset", "sample", tmp_path / "x.jsonl", "--store", both)
    assert "has runs of `other`, `triage`: say --agent" in agentc(*ask)[2]
    assert "success          1 of 1" in agentc(*ask, "--agent", "other")[1]


def test_one_of_add_run_and_feedback(agentc: Callable[..., Any], store: Path, tmp_path: Path) -> None:
    assert agentc("dataset", "add", tmp_path / "x.jsonl", "--store", store)[0] == 2
