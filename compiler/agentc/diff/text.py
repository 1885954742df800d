"""A delta for people: the verdict first, then what is widened, then all else."""

from __future__ import annotations

from collections.abc import Iterator

from agentc_runtime.labels import NOTHING_READ, Label

from ..access import Verdict
from ..report.findings import disarmed, visible
from ..report.text import Paint
from .acceptance import Accepted, owners_for
from .values import SEVERITIES, Bump, Change, Delta, Edit, Place, Witness

#: Characters of one line of an account that are shown.
SHOWN = 1000
_STYLE = {"high": "error", "medium": "warning", "low": "frame"}


def as_text(delta: Delta, accepted: Accepted, paint: Paint) -> str:
    """All of it, ending in a line break."""
    lines = [paint(visible(verdict_line(delta, accepted)), "title")]
    widenings = delta.widenings
    if widenings:
        lines += ["", paint("Widened", "title")]
        for change in widenings:
            lines += _change(change, accepted, paint)
    if fewer := [change for change in delta.changes if not change.widens]:
        lines += ["", paint("Narrowed: no longer so", "title")]
        for change in fewer:
            lines += _change(change, accepted, paint)
    if delta.edits:
        lines += ["", paint("Behaviour", "title")]
        for edit in delta.edits:
            lines += _edit(edit)
    if delta.bumps:
        lines += ["", paint("Versions", "title"), *(visible(bump_line(bump)) for bump in delta.bumps)]
    if said := list(acceptance_lines(delta, accepted)):
        lines += ["", paint("Acceptances", "title"), *(f"  {visible(line)}" for line in said)]
    lines += ["", paint("Not compared", "title"), *(f"  {visible(line)}" for line in not_compared(delta))]
    lines += ["", paint("Reproduce", "title"), *(f"  {visible(line)}" for line in reproduction(delta))]
    return disarmed("\n".join(lines) + "\n", "\\x5b")


def verdict_line(delta: Delta, accepted: Accepted) -> str:
    """`widened: 3 widenings (2 high, 1 low), 1 narrowing; main → specs`."""
    widenings = delta.widenings
    fewer = len(delta.changes) - len(widenings)
    counts = [
        f"{number} {name}"
        for name in SEVERITIES
        if (number := sum(change.severity == name for change in widenings))
    ]
    parts = []
    if widenings:
        parts.append(f"{number_of(len(widenings), 'widening')} ({', '.join(counts)})")
    if fewer:
        parts.append(number_of(fewer, "narrowing"))
    if delta.edits:
        parts.append(number_of(len(delta.edits), "change of behaviour", "changes of behaviour"))
    outcome = "narrowed" if fewer else "not widened"
    if widenings:
        outcome = "widened" if accepted.open else "widened, and accepted"
    said = ", ".join(parts) or "no difference"
    return f"{outcome}: {said}; {delta.old.label} → {delta.new.label}"


def number_of(number: int, thing: str, things: str = "") -> str:
    """`1 widening`, `2 widenings`."""
    return f"{number} {thing if number == 1 else things or thing + 's'}"


def _change(change: Change, accepted: Accepted, paint: Paint) -> Iterator[str]:
    head = paint(f"{change.severity}[{change.code}]", _STYLE[change.severity])
    yield f"{head} {visible(change.agent)}: {visible(short(change.subject))} {visible(short(change.what))}"
    yield f"    {visible(where(change))}"
    for line in change.lines:
        yield f"    {visible(short(line))}"
    for line in notes(change, accepted):
        yield f"    {visible(short(line))}"
    if change.witness is not None:
        for line in witness_lines(change.witness, change.subject):
            yield f"    {visible(short(line))}"


def _edit(edit: Edit) -> Iterator[str]:
    place = f"  {edit.at}" if edit.at is not None else ""
    yield visible(f"{edit.agent}: {edit.subject}: {short(edit.what)}{place}")
    for line in edit.lines:
        yield f"    {visible(short(line))}"


def bump_line(bump: Bump) -> str:
    """`triage: 1.0.0 → 1.0.0, and the changes ask for a major version`."""
    made = f"{bump.agent}: {bump.before} → {bump.now}"
    if bump.enough:
        return made
    return f"{made}: AC917, the changes ask for a {bump.asked} version ({bump.at or 'the agent'})"


def not_compared(delta: Delta) -> Iterator[str]:
    """What the comparison says nothing about."""
    yield "what a model makes of texts, and what a service does with a request that stays the same"
    if "bundle" in (delta.old.kind, delta.new.kind):
        yield (
            "assertions, permission tests, rule levels, suppressions and who may approve or accept: "
            "a bundle does not hold them"
        )
    if delta.left_out:
        yield f"agents that the bundle is not of: {', '.join(delta.left_out)}"
    for name in sorted(delta.old.unknown.keys() & delta.new.unknown.keys()):
        if delta.old.unknown[name].files == delta.new.unknown[name].files:
            why = delta.new.unknown[name].why
            yield f"agent {name}, of which no file has changed: {why}"


def reproduction(delta: Delta) -> Iterator[str]:
    """What was compared, so that it can be compared again, and the digest of what was found."""
    for name, side in (("old", delta.old), ("new", delta.new)):
        yield f"{name}    {side.label}, {side.identity}"
    yield f"delta  sha256:{delta.digest}"


def where(change: Change) -> str:
    """Where a change is written: in the new version, or for what is gone in the old one."""
    now, before = change.now, change.before
    if now is None or change.how == "removed":
        return f"was at {before}" if before is not None else "at no known place"
    if before is None or (before.file, before.line) == (now.file, now.line):
        return str(now)
    return f"{now}, was at {before.line if before.file == now.file else before}"


def acceptance_lines(delta: Delta, accepted: Accepted) -> Iterator[str]:
    """Why acceptances do not count, and who may accept what nobody has."""
    for why, at in accepted.problems:
        yield f"AC918: {why} ({at})"
    people = sorted({person for one in accepted.open for person in owners_for(delta.old.owners, one)})
    if people:
        yield f"{' or '.join(people)} may accept: by a line under `accepted` for the delta below"


def notes(change: Change, accepted: Accepted) -> Iterator[str]:
    """What else is to be known of a change."""
    by = accepted.of(change) if change.widens else None
    if by is not None:
        yield f"accepted by {by.by} up to {by.expires}: {by.reason} ({by.at})"
    if change.unclear:
        yield f"not decided, and so counted as wider: {change.unclear}"
    if change.cause:
        place: Place | None = change.now
        file = f"{place.base}{place.file}" if place is not None else "the spec"
        yield f"{file} was not changed: this comes from {', '.join(change.cause)}"


def witness_lines(witness: Witness, subject: str) -> Iterator[str]:
    """The call that shows it, and what becomes of it in each version."""
    name = "" if witness.tool == subject else f"{witness.tool} "
    yield f"call  {name}{witness.arguments} in {witness.state}{_circumstances(witness)}"
    yield f"base  {outcome(witness.less)}"
    yield f"head  {outcome(witness.more)}"


def _circumstances(witness: Witness) -> str:
    said = []
    less, more = witness.read
    if less == more:
        said += [f"after {_label(more)} data was read"] if more != NOTHING_READ else []
    else:
        said.append(f"after data that is {_label(less)} in base and {_label(more)} in head")
    in_run, in_day = witness.made
    said += [f"after {number_of(in_run, 'call')} in the run"] if in_run else []
    said += [f"after {number_of(in_day, 'call')} on the day"] if in_day else []
    return "".join(f", {one}" for one in said)


def _label(label: Label) -> str:
    return f"{label.trust}, {label.sensitivity}"


def outcome(verdict: Verdict) -> str:
    """`denied, AR201: …`, `asks support-leads`, `allowed, and nobody is asked`."""
    at = "".join(f" ({one.file}:{one.line})" for one in verdict.at[:1])
    if verdict.outcome == "refused":
        return f"denied, {verdict.code}: {verdict.message}{at}"
    if verdict.outcome == "asks":
        return f"asks {' or '.join(verdict.by) or 'anybody'}: {'; '.join(verdict.reasons)}{at}"
    return "allowed, and nobody is asked"


def short(text: str) -> str:
    """The text, cut where it is too long to read."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} … {len(text) - SHOWN:,} more"
