"""Requests that are made to break a server, or to be understood otherwise by a proxy in front of it."""

from __future__ import annotations

import json

INJECTED = {"agent": "triage", "input": {"ticket_id": "T-1002"}, "session": {"customer_id": "C-17"}}


def run_with(text: str) -> bytes:
    return ('{"agent": "triage", "input": {"ticket_id": ' + text + "}}").encode("utf-8", "surrogatepass")


BODIES = {
    "two equal keys": (b'{"agent": "x", "agent": "triage"}', 400, "the same key twice"),
    "not a number": (run_with("NaN"), 400, "NaN and Infinity are not JSON"),
    "a number without end": (run_with("1e999"), 400, "a number is too large"),
    "an integer that others round": (run_with("9" * 30), 400, "more than 64 bits"),
    "an integer with a million digits": (run_with("9" * 1_000_000), 400, "more than 64 bits"),
    "half of a character": (run_with('"\\ud800"'), 400, "half of a surrogate pair"),
    "half of a character, as bytes": (run_with('"\ud800"'), 400, "not UTF-8"),
    "no UTF-8": (b'{"agent": "\xff"}', 400, "not UTF-8"),
    "UTF-16": (json.dumps(INJECTED).encode("utf-16"), 400, "not UTF-8"),
    "deep": (run_with("[" * 50_000 + "]" * 50_000), 400, "nested deeper than 64"),
    "deep and open": (b"[" * 500_000, 400, "the body is not read"),
    "two values": (b"{} {}", 400, "more than one JSON value"),
    "no value": (b" ", 400, "a value is missing"),
    "nothing": (b"", 422, "Field required"),
    "a list": (b"[]", 422, "valid dictionary"),
    "an unknown key": (b'{"agent": "triage", "tenant": "other"}', 422, "`body.tenant`"),
    "NUL": (run_with('"a\\u0000b"'), 422, "does not fit its schema"),
    "an id with NUL": (b'{"agent": "triage", "session_id": "s-\\u0000"}', 422, "`body.session_id`"),
    "too much": (b"x" * 1_048_577, 413, "1048576 bytes at most"),
}


def test_bodies(service):
    with service.client("ana") as ana:
        for name, (body, status, why) in BODIES.items():
            answer = ana.post("/v1/runs", content=body, headers={"content-type": "application/json"})
            assert (answer.status_code, why in answer.json()["detail"]) == (status, True), (name, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert len(answer.content) < 2000
        assert ana.get("/v1/runs").json() == {"runs": []}


VALUES = (
    ("/v1/runs", {"limit": "9" * 30}),
    ("/v1/runs", {"limit": "1e3"}),
    ("/v1/runs", {"agent": "a\0"}),
    ("/v1/runs", {"before": "\u202e"}),
    ("/v1/audit", {"after": str(2**63)}),
    ("/v1/audit", {"kind": "a\0"}),
    ("/v1/audit/verify", {"head": "0" * 65}),
    ("/v1/approvals", {"status": ["pending", "nonsense"]}),
    ("/v1/runs/a%00b", {}),
    ("/v1/runs/..%2f..%2fetc", {}),
    ("/v1/approvals/0123456789ABCDEF", {}),
)


def test_values(service):
    with service.client("zoe") as zoe:
        for path, query in VALUES:
            answer = zoe.get(path, params=query or None)
            assert answer.status_code in {404, 422}, (path, query, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
        number = {"last-event-id": str(10**30)}
        assert zoe.get("/v1/runs/x/events", headers=number).status_code == 422


def test_all_methods_of_a_path_are_named(service):
    with service.client("zoe") as zoe:
        answer = zoe.put("/v1/sessions/s-0")
        assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET")
        assert zoe.put("/nowhere").status_code == 404
