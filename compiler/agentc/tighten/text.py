"""What is proposed, as text and as data."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agentc_runtime.quoting import shown as shown_value

from ..diagnostics import Span
from ..report.findings import visible
from .changes import Change, Kept, limit_in_words
from .proposal import Proposal

#: Places as they are shown.
Shown = Callable[[str], str]
_PERIODS = {"per_run": "a run", "per_day": "a day"}
#: Digits of a digest that are shown.
_DIGITS = 12


def as_text(proposal: Proposal, shown: Shown) -> Iterator[str]:
    """Line by line: what was looked at, what is proposed and why, and what stays and why."""
    yield from map(visible, _evidence(proposal))
    tool = ""
    for change in proposal.changes:
        if change.tool != tool:
            tool = change.tool
            yield ""
            yield visible(f"{tool}")
        yield visible(f"  {_what(change)}  {_place(change.span, shown)}")
        yield visible(f"      {change.because}")
        if change.witness is not None:
            yield visible(f"      refused from then on, for example: {shown_value(change.witness)}")
    if not proposal.changes:
        yield "nothing to propose: the grants are as narrow as what was recorded, as far as that can be told"
    if proposal.kept:
        yield ""
        yield "stays as it is:"
        yield from (visible(f"  {one.tool}  {one.what}: {one.why}") for one in proposal.kept)


def as_data(proposal: Proposal, shown: Shown, patch: str, *, written: bool) -> dict[str, object]:
    """The same for scripts, and the patch."""
    evidence = proposal.evidence
    return {
        "agent": proposal.agent,
        "version": proposal.version,
        "bundle": proposal.digest,
        "at_least": proposal.at_least,
        "runs": len(evidence.runs),
        "calls": len(evidence.calls),
        "refused": evidence.refused,
        "refused_again": len(evidence.refusals),
        "left_out": {
            "other_bundles": [{"bundle": digest, "runs": runs} for digest, runs in evidence.others.items()],
            "refused_by_now": [
                {"tool": tool, "rule": code, "calls": calls}
                for (tool, code), calls in evidence.outside.items()
            ],
        },
        "proposed": [_change_data(change, shown) for change in proposal.changes],
        "kept": [{"tool": one.tool, "what": one.what, "why": one.why} for one in proposal.kept],
        "patch": patch,
        "written": written,
    }


def _evidence(proposal: Proposal) -> Iterator[str]:
    evidence = proposal.evidence
    yield (
        f"{proposal.agent} {proposal.version}  sha256:{proposal.digest[:_DIGITS]}: "
        f"{_count(len(evidence.calls), 'call')} in {_count(len(evidence.runs), 'run')}"
    )
    for digest, runs in evidence.others.items():
        yield f"  left out: {_count(runs, 'run')} of another bundle, sha256:{digest[:_DIGITS]} (--any-bundle)"
    for (tool, code), calls in evidence.outside.items():
        yield f"  left out: {_count(calls, 'call')} of {tool}, which the specs refuse by now ({code})"
    if evidence.refused:
        again = len(evidence.refusals)
        judged = f"; {again} of them, whose arguments were kept, judged again" if again else ""
        verb = "was" if evidence.refused == 1 else "were"
        yield f"  {_count(evidence.refused, 'call')} {verb} refused and would be{judged}"


def _what(change: Change) -> str:
    if change.kind == "grant":
        return "no longer granted"
    if change.kind == "quota":
        was = f", was {change.was}" if change.was else ""
        return f"at most {change.count} {_PERIODS[change.name]}{was}"
    was = f", was {change.was}" if change.was else ""
    return f"{change.name} is {limit_in_words(change.limit)}{was}"


def _place(span: Span, shown: Shown) -> str:
    return f"{shown(span.file)}:{span.line}"


def _change_data(change: Change, shown: Shown) -> dict[str, object]:
    return {
        "tool": change.tool,
        "kind": change.kind,
        "file": shown(change.span.file),
        "line": change.span.line,
        "name": change.name,
        "limit": dict(change.limit) if change.kind == "argument" else None,
        "count": change.count if change.kind == "quota" else None,
        "words": _what(change),
        "because": change.because,
        "witness": change.witness,
    }


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


__all__ = ["Kept", "as_data", "as_text"]
