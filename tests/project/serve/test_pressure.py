"""More than the service takes: it says so at once, and is there for those that it took, and for others."""

import asyncio
import time

import httpx

RUN = {"agent": "triage", "input": {"ticket_id": "T-1001"}, "session": {"customer_id": "C-17"}}


def all_at_once(service, name, count):
    """What the service answers to `count` requests for runs that are sent together."""

    async def send():
        headers = {"authorization": f"Bearer {service.keys[name]}"}
        limits = httpx.Limits(max_connections=count)
        async with httpx.AsyncClient(
            base_url=service.url, headers=headers, limits=limits, timeout=30, trust_env=False
        ) as client:
            return await asyncio.gather(*(client.post("/v1/runs", json=RUN) for _ in range(count)))

    return asyncio.run(send())


def test_no_more_runs_are_taken_than_may_wait(serve, talker, monkeypatch):
    quick = talker.next_turn

    def slowly(seen):
        time.sleep(0.3)
        return quick(seen)

    monkeypatch.setattr(talker, "next_turn", slowly)
    service = serve(more="  limits: { runs: 2, waiting: 2 }\n")
    got = all_at_once(service, "ana", 30)
    taken = [one.json()["run_id"] for one in got if one.status_code == 202]
    refused = [one for one in got if one.status_code != 202]
    assert len(taken) == 4
    assert {(one.status_code, one.headers["retry-after"]) for one in refused} == {(503, "5")}
    assert refused[0].json()["detail"] == "too many runs wait for their turn"
    with service.client("ana") as ana:
        assert len(ana.get("/v1/runs").json()["runs"]) == 4, "what was refused is no run"
        monkeypatch.undo()
        for run_id in taken:
            while ana.get(f"/v1/runs/{run_id}").json()["status"] == "running":
                time.sleep(0.02)
        assert ana.post("/v1/runs", json=RUN).status_code == 202


def test_who_asks_too_often_waits_and_others_do_not(serve):
    service = serve(more="  limits: { requests_per_minute: 20 }\n")
    with service.client("ana") as ana, service.client("ben") as ben:
        codes = [ana.get("/v1/agents").status_code for _ in range(25)]
        assert codes[:20] == [200] * 20
        assert set(codes[20:]) == {429}
        refused = ana.post("/v1/runs", json=RUN)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
        assert ben.get("/v1/agents").status_code == 200
