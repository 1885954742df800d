"""A run as it happens, in lines that a person reads. What came from outside is escaped and cut."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from agentc_runtime import events
from agentc_runtime.bundle import Position
from agentc_runtime.refusals import Refusal

_WIDTH = 120
#: How far before its end a text may be cut, so that no word or JSON item is torn.
_SEAM = 40
BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"
_SPEC_LINE = re.compile(r"\((?=[^\s()]+:[0-9]+\)$)")


def shown(text: str, width: int = _WIDTH) -> str:
    """Text from outside on one line: control and formatting characters escaped, cut at about `width`.

    What was cut off is counted, in characters.
    """
    kept = text[:width]
    if len(text) > width:
        seam = max(kept.rfind(" "), kept.rfind(","))
        kept = kept[: seam + 1] if seam >= max(1, width - _SEAM) else kept
    escaped = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in kept
    )
    return escaped if len(kept) == len(text) else f"{escaped.rstrip()} … {len(text) - len(kept):,} more"


def paint(text: str, code: str, *, color: bool) -> str:
    """`text` in a terminal's style, or as it is."""
    return f"\x1b[{code}m{text}\x1b[0m" if color else text


def reason_shown(reason: str, prefix: str) -> str:
    """Why a person is asked, its spec line beginning with `prefix` so that it can be opened from here."""
    return _SPEC_LINE.sub(lambda _: f"({prefix}", shown(reason, 240))


class Transcript:
    """Turns events into lines. `write` gets one line at a time, without its end."""

    def __init__(self, write: Callable[[str], None], *, color: bool, prefix: str = "") -> None:
        self._write = write
        self._color = color
        self._prefix = prefix
        # A tool's refusal that fails its state, and then perhaps the run, is shown once.
        self._told: Refusal | None = None

    def __call__(self, event: events.Event) -> None:
        """Write the lines of one event."""
        for line in self._lines(event):
            self._write(line)

    def _paint(self, text: str, code: str) -> str:
        return paint(text, code, color=self._color)

    def _at(self, position: Position | None) -> str:
        return f"{self._prefix}{position.file}:{position.line}" if position else "no spec line"

    def _refused(self, refusal: Refusal, indent: str) -> Iterator[str]:
        self._told = refusal
        yield indent + self._paint(f"✗ refused {refusal.code}: {shown(refusal.message, 240)}", RED)
        yield f"{indent}  {self._paint(self._at(refusal.at), DIM)}"

    def _lines(self, event: events.Event) -> Iterator[str]:
        match event:
            case events.RunStarted():
                how = ", a recorded model answers" if event.replay else ""
                who = f"{event.agent} {event.version}  sha256:{event.bundle[:12]}"
                yield self._paint(f"run {event.run_id}", BOLD) + f"  {who}"
                yield f"  in the environment {event.environment}{how}"
            case events.StateEntered():
                attempt = f"  attempt {event.attempt}" if event.attempt > 1 else ""
                yield self._paint(f"● {event.scope}{event.state}", BOLD) + f"  {event.type}{attempt}"
            case events.ToolRetried():
                yield f"    trying again: {event.refusal.code} {shown(event.refusal.message, 240)}"
            case events.ToolCalled():
                yield f"  → {shown(event.tool, 80)} {shown(event.arguments)}"
            case events.ToolReturned():
                label = self._paint(f"{event.label.trust}, {event.label.sensitivity}", DIM)
                content = "" if event.content == "null" else f"  {shown(event.content)}"
                pages = "" if event.pages == 1 else f"  {event.pages} pages"
                kept = "  read before" if event.cached else ""
                more = "" if event.complete else self._paint("  and there are more", YELLOW)
                yield f"    ← {event.status} {label}{kept}{pages}{more}{content}"
            case events.ToolRefused():
                yield from self._refused(event.refusal, "    ")
            case events.ApprovalDecided(approved=True):
                yield "    " + self._paint(f"approved by {shown(event.by, 80)}", GREEN)
            case events.Retrieved():
                yield f"    ← {event.passages} passages from {shown(event.retriever, 80)}"
            case events.NotUndone():
                text = f"✗ {event.tool} ({event.call_id}) stays as it is: {shown(event.reason, 240)}"
                yield "  " + self._paint(text, RED)
            case events.StateFailed(next=str(following)):
                if event.refusal != self._told:
                    yield from self._refused(event.refusal, "  ")
                yield "  trying again" if event.retry else f"  caught: going to {following}"
            case events.RunEnded():
                yield from self._ended(event)
            case _:
                yield from self._of_models(event)

    def _of_models(self, event: events.Event) -> Iterator[str]:
        match event:
            case events.ModelTurn():
                cost = f"  ${_money(event.cost_usd)}" if event.cost_usd is not None else ""
                tokens = f"{event.usage.input:,} tokens in, {event.usage.output:,} out"
                yield f"  {event.model}  {self._paint(tokens + cost, DIM)}"
                if event.text.strip():
                    yield f"    {shown(event.text.strip())}"
            case events.ModelFailed():
                yield "  " + self._paint(f"✗ {event.model} did not answer: {shown(event.message, 240)}", RED)
                if event.next is not None:
                    yield f"    asking {event.next} instead"
            case events.OutputChecked(valid=False):
                yield "  " + self._paint(f"✗ {event.model}: {shown(event.reason, 240)}", YELLOW)
            case events.ModelRetried():
                yield f"  {event.model} is asked again: {shown(event.message, 240)}"
            case _:
                # Shown elsewhere: a text's piece by the whole turn, a state's end by the next state's line, a
                # question by the approver who asks it, a rejection by the refusal that follows, and a failure
                # that nothing catches by the end of the run.
                return

    def _ended(self, event: events.RunEnded) -> Iterator[str]:
        good = event.status == "succeeded"
        if event.refusal is not None and event.refusal != self._told:
            yield from self._refused(event.refusal, "")
        refused = f" ({event.refused} refused)" if event.refused else ""
        cost = f"  ${_money(event.cost_usd)}" if event.cost_usd is not None else ""
        tokens = event.usage.input + event.usage.output
        mark = self._paint(f"{'✓' if good else '✗'} {event.status}", GREEN if good else RED)
        calls = "1 call" if event.calls == 1 else f"{event.calls} calls"
        yield f"{mark}  {calls}{refused}  {tokens:,} tokens{cost}  {event.seconds:.1f} s"


def _money(amount: str) -> str:
    whole, _, fraction = amount.partition(".")
    return f"{whole}.{(fraction + '000000')[:6]}"


def as_json_line(event: events.Event) -> str:
    """An event as one line of JSON, for `--format json`."""
    return json.dumps(events.as_data(event), ensure_ascii=False)
