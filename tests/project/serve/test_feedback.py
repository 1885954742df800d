"""What callers say of their runs, over HTTP, until the run's data is erased."""

from __future__ import annotations

RUN = {"agent": "triage", "input": {"ticket_id": "T-1003"}, "session": {"customer_id": "C-17"}}
SAID = {
    "thumb": "down",
    "correction": {"outcome": "escalated", "summary": "A person takes over."},
    "labels": ["wrong-outcome"],
    "comment": "This was urgent.",
}


def begun(service):
    with service.client("ana") as ana:
        return ana.post("/v1/runs", json=RUN, params={"wait": 20}).json()["run_id"]


def test_it_is_given_once_replaced_listed_and_erased_with_the_run(service, agentc):
    run_id = begun(service)
    path = f"/v1/runs/{run_id}/feedback"
    with service.client("ana") as ana, service.client("ops") as ops:
        given = ana.put(path, json=SAID)
        assert (given.status_code, given.json()) == (
            200,
            {**SAID, "run_id": run_id, "agent": "triage", "by": "ana", "time": given.json()["time"]},
        )
        assert ana.put(path, json=SAID).json() == given.json()
        assert ops.put(path, json={"thumb": "up"}).status_code == 200
        assert [one["by"] for one in ana.get(path).json()["feedback"]] == ["ana"]
        assert [one["by"] for one in ops.get(path).json()["feedback"]] == ["ana", "ops"]
        told = ops.get("/v1/feedback", params={"thumb": "down", "agent": "triage"}).json()["feedback"]
        assert [(one["by"], one["labels"]) for one in told] == [("ana", ["wrong-outcome"])]
        assert ops.get("/v1/feedback", params={"before": run_id}).json() == {"feedback": []}

        # the command line, for whoever looks after the store
        store = service.folder / ".agentc" / "service.db"
        correction = ("--correction", '{"outcome": 7}')
        wrong = agentc("runs", "feedback", run_id, "--store", store, *correction, code=2)
        assert "--correction: the correction is no output of agent `triage`" in wrong.stderr
        listed = agentc("runs", "feedback", "--store", store)
        assert f"{run_id}  ↓  ana" in listed.stdout
        erased = agentc(
            "runs", "erase", "--store", store, "--where", "session.customer_id=C-17", "--reason", "asked to"
        )
        assert "erased" in erased.stdout
        assert ops.get("/v1/feedback").json() == {"feedback": []}
        gone = ana.put(path, json=SAID)
        assert (gone.status_code, gone.json()["detail"]) == (
            404, f"nothing is kept of run `{run_id}` any more",
        )  # fmt: skip


REFUSED = (
    ({}, "say something"),
    ({"labels": [], "comment": ""}, "say something"),
    ({"thumb": "sideways"}, "thumb"),
    ({"labels": ["Not A Tag"]}, "labels"),
    ({"labels": ["a"] * 21}, "labels"),
    ({"comment": "x" * 4001}, "comment"),
    ({"comment": "a\0b"}, "comment"),
    ({"thumb": "up", "by": "ops"}, "by"),
    (
        {"correction": {"outcome": "paid", "summary": "x"}},
        "the correction is no output of agent `triage`: at `outcome`",
    ),
)


def test_what_says_nothing_or_is_not_ones_own_to_say_is_refused(shared):
    path = f"/v1/runs/{begun(shared)}/feedback"
    for name, status in (("ben", 404), ("zoe", 404), ("lee", 403), ("eve", 403)):
        with shared.client(name) as client:
            assert client.put(path, json={"thumb": "up"}).status_code == status, name
    with shared.client("ana") as ana:
        for body, told in REFUSED:
            got = ana.put(path, json=body)
            assert got.status_code == 422, body
            assert told in got.json()["detail"]
        assert ana.get(path).json() == {"feedback": []}
