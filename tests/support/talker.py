"""A model of the support project for many runs at a time: it answers by what is in the conversation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fake_provider import FakeProvider, Seen

SCRIPTS = Path(__file__).parent / "scripts"


class Talker(FakeProvider):
    """Says what `scripts/triage.json` says about T-1001, and `scripts/triage-injected.json` about T-1002."""

    def __init__(self, port: int = 0) -> None:
        super().__init__([], port)
        self._plain, self._injected = (
            json.loads((SCRIPTS / f"{name}.json").read_text())["turns"]
            for name in ("triage", "triage-injected")
        )

    def next_turn(self, seen: Seen) -> tuple[int, dict[str, Any]]:
        """The number of the request, and the turn that comes after those of the conversation."""
        self.requests.append(seen)
        messages = seen.body["messages"]
        said = sum(message["role"] == "assistant" for message in messages)
        text = json.dumps(messages)
        if "Write the reply" in text:
            return len(self.requests), self._plain[-1]
        turns = self._injected if "T-1002" in text else self._plain
        return len(self.requests), turns[said]
