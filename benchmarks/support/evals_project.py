"""An agent with one model turn, its cases, and the same answers for its peers: no network is asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LABELS = ("billing", "delivery", "returns", "account")
SCHEMA = {
    "type": "object",
    "properties": {"label": {"enum": list(LABELS)}, "text": {"type": "string", "minLength": 1}},
    "required": ["label", "text"],
    "additionalProperties": False,
}

PROJECT = """\
apiVersion: agentc/v1
kind: Project
metadata: {{ name: sorting, version: 1.0.0, owner: support }}
spec:
  models:
    fast:
      provider: openai
      model: gpt-5-mini
      base_url: {url}/v1
      prices: {{ input: 0.25, output: 2 }}
  environments:
    local: {{ private_hosts: ["{host}"] }}
"""
AGENT = """\
apiVersion: agentc/v1
kind: Agent
metadata: { name: sorter, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Say what a message is about, and answer it in a sentence.
  input: { schema: { type: object, properties: { message: { type: string } }, required: [message] } }
  output:
    schema:
      type: object
      properties:
        label: { enum: [billing, delivery, returns, account] }
        text: { type: string, minLength: 1 }
      required: [label, text]
  permissions: []
  limits: { cost_usd: 0.5 }
  workflow:
    start: answer
    states:
      answer:
        type: model
        prompt: "{{ input.message }}"
        output:
          schema:
            type: object
            properties:
              label: { enum: [billing, delivery, returns, account] }
              text: { type: string, minLength: 1 }
            required: [label, text]
        next: done
      done: { type: end, output: "${states.answer.output}" }
"""
EVAL = """\
apiVersion: agentc/v1
kind: Eval
metadata: { name: sorting, version: 1.0.0, owner: support }
spec:
  agent: sorter
  model: recorded
  tools: mock
  files: [cases.jsonl]
  scorers:
    - { type: exact }
    - { type: contains, of: "${output.text}", all: [order] }
    - { type: regex, of: "${output.text}", pattern: ".*order [0-9]+.*" }
    - type: schema
      schema:
        type: object
        properties:
          label: { enum: [billing, delivery, returns, account] }
          text: { type: string, minLength: 1 }
        required: [label, text]
    - type: similarity
      of: "${output.text}"
      value: I have looked at order 1 and it is on its way.
      method: edits
      threshold: 0.5
  gates: [{ min: 1 }]
"""


def message(number: int) -> str:
    """What a customer writes."""
    return f"Where is order {number}? I have waited for {number % 9 + 1} days."


def answer(number: int) -> dict[str, str]:
    """What the model says to it."""
    return {
        "label": LABELS[number % 4],
        "text": f"I have looked at order {number} and it is on its way to you.",
    }


def files(cases: int, url: str) -> Mapping[str, str]:
    """The project of agentc."""
    rows = "".join(
        json.dumps({"id": f"c{n}", "input": {"message": message(n)}, "expected": answer(n)}) + "\n"
        for n in range(cases)
    )
    host = url.removeprefix("http://")
    return {
        "agentc.yaml": PROJECT.format(url=url, host=host),
        "agent.yaml": AGENT,
        "evals.yaml": EVAL,
        "cases.jsonl": rows,
    }


def peers_data(folder: Path, cases: int) -> Path:
    """The same as one file for the peers: message, the recorded answer, what is expected."""
    rows = [
        {"id": n, "message": message(n), "recorded": json.dumps(answer(n)), "expected": answer(n)}
        for n in range(cases)
    ]
    path = folder / "answers.json"
    path.write_text(json.dumps({"schema": SCHEMA, "rows": rows}), encoding="utf-8")
    return path


class Provider:
    """The model while it is recorded, in the wire format of OpenAI."""

    def __init__(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or the body waits for an acknowledgement of the head

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                number = int(body["messages"][-1]["content"].split("order ")[1].split("?")[0])
                head = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
                delta = {"role": "assistant", "content": json.dumps(answer(number))}
                usage = {"prompt_tokens": 60, "completion_tokens": 20, "total_tokens": 80}
                events = (
                    {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
                    {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
                    {**head, "choices": [], "usage": usage},
                )
                data = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Provider:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
