"""What a run has told, as people read it: an entry for each state, turn, call and question, with its outcome.

Pure: from events to entries. What belongs together, such as a call and its answer, is one entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias

import msgspec

from agentc_runtime import events
from agentc_runtime.labels import Label
from agentc_runtime.models.types import Usage
from agentc_runtime.refusals import Refusal

from ..tables import StoredEvent

Tone: TypeAlias = Literal["plain", "live", "good", "warn", "bad"]
Kind: TypeAlias = Literal["run", "state", "model", "tool", "approval", "other"]
_EVENT: Final = msgspec.json.Decoder(events.Event)


@dataclass(frozen=True)
class Entry:
    """A line of the timeline.

    `number` is that of its first event; `after` the seconds since the run began; `bodies` are texts with what
    they are; `label` is of what came in, or of what went out when nothing did.
    """

    number: int
    kind: Kind
    title: str
    after: float
    scope: str = ""
    tone: Tone = "plain"
    outcome: str = ""
    detail: str = ""
    refusal: Refusal | None = None
    label: Label | None = None
    cost: str | None = None
    tokens: int | None = None
    seconds: float | None = None
    bodies: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Timeline:
    """The entries of a run, and what they come to. `last` is the number of the last event that is in them."""

    entries: tuple[Entry, ...] = ()
    last: int = 0
    cost: str | None = None
    tokens: int = 0
    calls: int = 0
    refused: int = 0


def timeline(stored: Iterable[StoredEvent]) -> Timeline:
    """The timeline of these events, which are in order."""
    folded = _Folding()
    for event in stored:
        folded.add(event)
    return folded.result()


class _Folding:
    def __init__(self) -> None:
        self._entries: list[Entry] = []
        #: Where the entry of what is still going on stands, by what an event says of it.
        self._open: dict[tuple[str, ...], int] = {}
        self._began: datetime | None = None
        self._last = self._tokens = self._calls = self._refused = 0
        self._cost: Decimal | None = None

    def result(self) -> Timeline:
        cost = None if self._cost is None else str(self._cost)
        return Timeline(tuple(self._entries), self._last, cost, self._tokens, self._calls, self._refused)

    def add(self, stored: StoredEvent) -> None:
        time = datetime.fromisoformat(stored.time)
        self._began = self._began or time
        self._last = stored.number
        after = (time - self._began).total_seconds()
        try:
            event = _EVENT.decode(stored.event)
        except msgspec.DecodeError:
            # of a process with another version
            self._put(Entry(stored.number, "other", "An event that this version can't read", after))
            return
        fresh = Entry(stored.number, "other", "", after, event.scope)
        if not (self._of_run(event, fresh) or self._of_model(event, fresh)):
            self._of_tool(event, fresh)

    def _of_run(self, event: events.Event, fresh: Entry) -> bool:
        match event:
            case events.RunStarted():
                by = event.placement
                why = "" if by is None else f"chosen by channel {by.channel}, pointer {by.sequence}, {by.arm}"
                title = "Run taken up again" if self._entries else "Run began"
                self._put(replace(fresh, kind="run", title=title, detail=why))
            case events.StateEntered():
                again = f"attempt {event.attempt}" if event.attempt > 1 else ""
                entry = replace(fresh, kind="state", title=event.state, detail=event.type, outcome=again)
                self._begin(("state", event.scope, event.state), replace(entry, tone="live"))
            case events.StateEnded():
                going = f"→ {event.next}" if event.next else "ended"
                self._finish(("state", event.scope, event.state), fresh, outcome=going, tone="plain")
            case events.StateFailed():
                going = "tried again" if event.retry else f"→ {event.next}" if event.next else "failed"
                key = ("state", event.scope, event.state)
                self._finish(key, fresh, outcome=going, tone="bad", refusal=event.refusal)
            case events.RunParked():
                tone: Tone = "warn" if event.status == "waiting" else "bad"
                self._interrupt()
                title = "Run waits" if event.status == "waiting" else "Run stopped"
                self._put(replace(fresh, kind="run", title=title, detail=event.why, tone=tone))
            case events.RunEnded():
                self._ended(event, fresh)
            case _:
                return False
        return True

    def _interrupt(self) -> None:
        """What a run was at when it stopped is told again once it goes on."""
        for key in [key for key in self._open if key[0] != "state"]:
            at = self._open.pop(key)
            if key[0] != "approval":
                self._entries[at] = replace(self._entries[at], tone="plain", outcome="waits")

    def _ended(self, event: events.RunEnded, fresh: Entry) -> None:
        self._open.clear()
        good = event.status == "succeeded"
        tone: Tone = "good" if good else "plain" if event.status == "cancelled" else "bad"
        bodies = (("output", _text(event.output)),) if event.output is not None else ()
        self._put(
            replace(
                fresh,
                kind="run",
                title=f"Run {event.status}",
                tone=tone,
                refusal=event.refusal,
                bodies=bodies,
            )
        )

    def _of_model(self, event: events.Event, fresh: Entry) -> bool:
        match event:
            case events.ModelAsked():
                entry = replace(fresh, kind="model", title=event.model, label=event.label, tone="live")
                self._begin(("model", event.scope, event.state), entry)
            case events.ModelText():
                pass
            case events.ModelTurn():
                self._tokens += event.usage.input + event.usage.output
                if event.cost_usd is not None:
                    self._cost = (self._cost or Decimal(0)) + Decimal(event.cost_usd)
                wanted = (
                    f"asked for {event.calls} call{'s' * (event.calls != 1)}" if event.calls else "answered"
                )
                kept = " from what was kept" if event.remembered else ""
                self._finish(
                    ("model", event.scope, event.state),
                    fresh,
                    title=event.model,
                    kind="model",
                    outcome=wanted + kept,
                    tone="plain",
                    cost=event.cost_usd,
                    tokens=_sum(event.usage),
                    seconds=event.seconds,
                    bodies=(("text", event.text),) if event.text else (),
                )
            case events.ModelRetried():
                key = ("model", event.scope, event.state)
                self._change(key, fresh, outcome="tried again", detail=event.message)
            case events.ModelFailed():
                going = f"failed, {event.next} is asked" if event.next else "failed"
                key = ("model", event.scope, event.state)
                self._finish(
                    key, fresh, title=event.model, kind="model", outcome=going, detail=event.message,
                    tone="bad", seconds=event.seconds,
                )  # fmt: skip
            case events.OutputChecked():
                if not event.valid:
                    title = "Answer does not fit its schema"
                    self._put(replace(fresh, title=title, detail=event.reason, tone="bad"))
            case _:
                return False
        return True

    def _of_tool(self, event: events.Event, fresh: Entry) -> None:
        match event:
            case events.ToolCalled():
                entry = replace(fresh, kind="tool", title=event.tool, tone="live", label=event.label)
                bodies = (("arguments", event.arguments),)
                self._begin(("tool", event.scope, event.call_id), replace(entry, bodies=bodies))
            case events.ToolRetried():
                key = ("tool", event.scope, event.call_id)
                self._change(
                    key, fresh, outcome=f"attempt {event.attempt} failed", detail=event.refusal.message
                )
            case events.ToolReturned():
                self._calls += 1
                more = f", {event.pages} pages" if event.pages > 1 else ""
                more += "" if event.complete else ", there are more"
                more += ", read before" if event.cached else ""
                self._finish(
                    ("tool", event.scope, event.call_id),
                    replace(fresh, kind="tool", title=event.tool),
                    outcome=f"returned {event.status}{more}",
                    detail="",
                    tone="good",
                    label=event.label,
                    seconds=event.seconds,
                    more=(("answer", event.content),),
                )
            case events.ToolRefused():
                self._refused += 1
                self._finish(
                    ("tool", event.scope, event.call_id),
                    replace(fresh, kind="tool", title=event.tool),
                    outcome="refused",
                    detail="",
                    tone="bad",
                    refusal=event.refusal,
                    label=event.label,
                )
            case events.ApprovalAsked():
                what = event.tool or event.state
                bodies = (("request" if event.tool else "question", event.preview),)
                entry = replace(fresh, kind="approval", title=f"Approval of {what}", tone="warn")
                entry = replace(entry, outcome="asked", detail="; ".join(event.reasons), bodies=bodies)
                self._begin(("approval", event.scope, event.call_id), entry)
            case events.ApprovalDecided():
                said: Tone = "good" if event.approved else "bad"
                outcome = f"{'approved' if event.approved else 'rejected'} by {event.by}"
                entry = replace(fresh, kind="approval", title=f"Approval of {event.tool}")
                self._finish(("approval", event.scope, event.call_id), entry, outcome=outcome, tone=said)
            case events.Retrieved():
                title, many = f"Retriever {event.retriever}", f"{event.passages} passages"
                self._put(replace(fresh, title=title, outcome=many))
            case events.NotUndone():
                title = f"{event.tool} was not undone"
                self._put(replace(fresh, title=title, detail=event.reason, tone="bad"))

    def _put(self, entry: Entry) -> None:
        self._entries.append(entry)

    def _begin(self, key: tuple[str, ...], entry: Entry) -> None:
        self._open[key] = len(self._entries)
        self._put(entry)

    def _change(self, key: tuple[str, ...], fresh: Entry, **changes: object) -> None:
        """Say something more of what goes on, whose beginning may be missing."""
        if key not in self._open:
            self._begin(key, fresh)
        at = self._open[key]
        self._entries[at] = replace(self._entries[at], **changes)  # type: ignore[arg-type]

    def _finish(
        self,
        key: tuple[str, ...],
        fresh: Entry,
        *,
        more: tuple[tuple[str, str], ...] = (),
        **changes: object,
    ) -> None:
        title = fresh.title or str(key[2])
        self._change(key, replace(fresh, title=title), **changes)
        at = self._open.pop(key)
        self._entries[at] = replace(self._entries[at], bodies=(*self._entries[at].bodies, *more))


def _sum(usage: Usage) -> int:
    return usage.input + usage.output


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
