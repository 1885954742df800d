"""Requests that are made to break a server, or to be understood otherwise by a proxy in front of it."""

from __future__ import annotations

import json
import socket

import pytest

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
    "nothing": (b"", 422, "takes a JSON object"),
    "a list": (b"[]", 422, "takes a JSON object"),
    "an unknown key": (b'{"agent": "triage", "tenant": "other"}', 422, "`body.tenant`"),
    "NUL": (run_with('"a\\u0000b"'), 422, "does not fit its schema"),
    "an id with NUL": (b'{"agent": "triage", "session_id": "s-\\u0000"}', 422, "`body.session_id`"),
    "too much": (b"x" * 1_048_577, 413, "1048576 bytes at most"),
}


@pytest.fixture
def service(shared):
    return shared


def test_bodies_and_values(service):
    with service.client("ana") as ana:
        for name, (body, status, why) in BODIES.items():
            answer = ana.post("/v1/runs", content=body, headers={"content-type": "application/json"})
            assert (answer.status_code, why in answer.json()["detail"]) == (status, True), (name, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert len(answer.content) < 2000
        assert ana.get("/v1/runs").json() == {"runs": []}
    values(service)


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


def values(service):
    """Parts of addresses and headers that are refused or not found, never an error of the server."""
    with service.client("zoe") as zoe:
        for path, query in VALUES:
            answer = zoe.get(path, params=query or None)
            assert answer.status_code in {404, 422}, (path, query, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
        number = {"last-event-id": str(10**30)}
        assert zoe.get("/v1/runs/x/events", headers=number).status_code == 422
        answer = zoe.put("/v1/sessions/s-0")
        assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET")
        assert zoe.put("/nowhere").status_code == 404


HEAD = (
    "POST /v1/runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
)
CHUNKED = "Transfer-Encoding: chunked\r\n"
#: A second request, in what two readers disagree whether it is body.
SECOND = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
#: Read by one server as one request and by another one as two (RFC 9112, section 11.2).
SMUGGLED = {
    "both lengths": HEAD + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "two lengths": HEAD + f"Content-Length: 0\r\nContent-Length: {len(SECOND)}\r\n\r\n" + SECOND,
    "a list of lengths": HEAD + f"Content-Length: 0, {len(SECOND)}\r\n\r\n" + SECOND,
    "a signed length": HEAD + "Content-Length: +0\r\n\r\n" + SECOND,
    "a negative length": HEAD + "Content-Length: -1\r\n\r\n" + SECOND,
    "another coding": HEAD + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SECOND,
    "two codings": HEAD + CHUNKED + "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SECOND,
    "a space before the colon": HEAD + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "a bare line feed in a name": HEAD + "X\n: 1\r\n\r\n" + SECOND,
    "NUL in a value": HEAD + "X: a\0b\r\n\r\n" + SECOND,
    "a chunk without a number": HEAD + CHUNKED + "\r\nxyz\r\n{}\r\n0\r\n\r\n" + SECOND,
    "a chunk longer than it says": HEAD + CHUNKED + "\r\n1\r\n{}\r\n0\r\n\r\n" + SECOND,
    "a chunk with a sign": HEAD + CHUNKED + "\r\n-1\r\n{}\r\n0\r\n\r\n" + SECOND,
    "a head without end": HEAD + "".join(f"X-{number}: {'x' * 1000}\r\n" for number in range(200)) + "\r\n",
    "a target without end": f"GET /{'x' * 200_000} HTTP/1.1\r\nHost: x\r\n\r\n" + SECOND,
    "no host": "GET /healthz HTTP/1.1\r\n\r\n" + SECOND,
    "no HTTP": "hello\r\n\r\n" + SECOND,
}


def test_requests_that_can_be_read_as_two(service):
    for name, text in SMUGGLED.items():
        answers = exchanged(service, text.replace("{key}", service.keys["ana"]))
        statuses = [line.split()[1] for line in answers.splitlines() if line.startswith("HTTP/1.1")]
        # one answer at most, and the connection is over: nothing that follows is read as a request
        assert statuses in ([], ["400"], ["413"], ["431"]), (name, answers)
        assert "Traceback" not in answers
    with service.client() as anybody:
        assert anybody.get("/healthz").status_code == 200
    # a body of chunks has the limit of others
    head = HEAD.replace("{key}", service.keys["ana"]) + "Transfer-Encoding: chunked\r\n\r\n"
    chunk = f"10000\r\n{'x' * 65536}\r\n"
    answers = exchanged(service, head + chunk * 17 + "0\r\n\r\n")
    assert answers.startswith("HTTP/1.1 413"), answers[:200]


def exchanged(service, text):
    """All that is answered to these bytes until the server ends the connection."""
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        answers = b""
        try:
            connection.sendall(text.encode("latin-1"))
            while more := connection.recv(65536):
                answers += more
        except ConnectionError:
            pass
    return answers.decode()
