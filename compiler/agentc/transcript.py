"""A run as it happens, in lines that a person reads. What came from outside is escaped and cut."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from agentc_runtime import events
from agentc_runtime.bundle import Label, Position
from agentc_runtime.refusals import Refusal

_WIDTH = 160
_BOLD, _DIM, _RED, _GREEN, _YELLOW, _RESET = "1", "2", "31", "32", "33", "0"


def shown(text: str, width: int = _WIDTH) -> str:
    """Text from outside on one line: control and formatting characters escaped, cut at `width`."""
    escaped = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text[: width * 2]
    )
    return escaped if len(escaped) <= width and len(text) <= width * 2 else escaped[:width] + "…"


class Transcript:
    """Turns events into lines. `write` gets one line at a time, without its end."""

    def __init__(self, write: Callable[[str], None], *, color: bool, prefix: str = "") -> None:
        self._write = write
        self._color = color
        self._prefix = prefix

    def __call__(self, event: events.Event) -> None:
        """Write the lines of one event."""
        for line in self._lines(event):
            self._write(line)

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[{_RESET}m" if self._color else text

    def _at(self, position: Position | None) -> str:
        return f"{self._prefix}{position.file}:{position.line}" if position else "no spec line"

    def _refused(self, refusal: Refusal, indent: str) -> Iterator[str]:
        yield indent + self._paint(f"✗ refused {refusal.code}: {shown(refusal.message, 240)}", _RED)
        yield f"{indent}  {self._paint(self._at(refusal.at), _DIM)}"

    def _lines(self, event: events.Event) -> Iterator[str]:
        match event:
            case events.RunStarted():
                how = ", models replayed" if event.replay else ""
                who = f"{event.agent} {event.version}  sha256:{event.bundle[:12]}"
                yield self._paint(f"run {event.run_id}", _BOLD) + f"  {who}  in {event.environment}{how}"
            case events.StateEntered():
                attempt = f"  attempt {event.attempt}" if event.attempt > 1 else ""
                yield self._paint(f"● {event.state}", _BOLD) + f"  {event.type}{attempt}"
            case events.ModelTurn():
                cost = f"  ${_money(event.cost_usd)}" if event.cost_usd is not None else ""
                tokens = f"{event.usage.input} + {event.usage.output} tokens"
                yield f"  {event.model}  {self._paint(tokens + cost, _DIM)}"
                if event.text.strip():
                    yield f"    {shown(event.text.strip())}"
            case events.ToolCalled():
                yield f"  → {shown(event.tool, 80)} {shown(event.arguments)}"
            case events.ToolReturned():
                yield f"    ← {event.status} {shown(event.content)}"
                yield f"      {self._paint(_label(event.label), _DIM)}"
            case events.ToolRefused():
                yield from self._refused(event.refusal, "    ")
            case events.ApprovalAsked():
                yield "    " + self._paint("? needs approval", _YELLOW)
                yield from (f"      {shown(reason, 240)}" for reason in event.reasons)
            case events.ApprovalDecided():
                word = "approved" if event.approved else "rejected"
                code = _GREEN if event.approved else _RED
                yield "    " + self._paint(f"{word} by {shown(event.by, 80)}", code)
            case events.StateFailed():
                yield from self._refused(event.refusal, "  ")
                if event.retry:
                    yield "  trying again"
                elif event.next is not None:
                    yield f"  caught: going to {event.next}"
            case events.RunEnded():
                yield from self._ended(event)
            case events.StateEnded() | events.ModelText():
                # The next state's line says where the run goes, and the turn's line has the whole text.
                return

    def _ended(self, event: events.RunEnded) -> Iterator[str]:
        good = event.status == "succeeded"
        if event.refusal is not None:
            yield from self._refused(event.refusal, "")
        refused = f" ({event.refused} refused)" if event.refused else ""
        cost = f"  ${_money(event.cost_usd)}" if event.cost_usd is not None else ""
        tokens = event.usage.input + event.usage.output
        mark = self._paint(f"{'✓' if good else '✗'} {event.status}", _GREEN if good else _RED)
        yield f"{mark}  {event.calls} calls{refused}  {tokens:,} tokens{cost}  {event.seconds:.1f} s"


def _label(label: Label) -> str:
    return f"{label.trust}, {label.sensitivity}"


def _money(amount: str) -> str:
    whole, _, fraction = amount.partition(".")
    return f"{whole}.{(fraction + '000000')[:6]}"


def as_json_line(event: events.Event) -> str:
    """An event as one line of JSON, for `--format json`."""
    import msgspec

    return json.dumps(msgspec.to_builtins(event), ensure_ascii=False)
