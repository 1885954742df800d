"""Whatever was granted and recorded: nothing is gained, every recorded call still goes through, what was
tightened is tight, and nobody's comments are lost, but with the item that they stand beside."""

from __future__ import annotations

import json
import re
from collections import Counter

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from agentc.access import Told, gains, moment
from agentc.checks.base import BASE
from agentc.driver import check_loaded
from agentc.lowered import lower_agents
from agentc.source import SourceFile, SourceSet
from agentc.tighten import Project, tighten
from agentc_runtime.history import PastCall, PastRun

DIGEST = "d" * 64
AMOUNTS = [1, 5, 7.5, 20, 50, 51, -3, 1e21, 1e-7]
CURRENCIES = ["EUR", "USD", "yes", "1", "€", 'a"b', "EURO", "#", ""]
TICKETS = ["T-1", "T-22", "T-333", "X", "T-1 and more"]
LIMITS = {
    "amount": st.sampled_from(
        ["{ maximum: 50 }", "{ minimum: -5, maximum: 1e3 }", "\n          maximum: 50 # at most", "{}"]
    ),
    "currency": st.sampled_from(
        [
            "{ enum: [EUR, USD, CHF] }",
            "\n          enum: # these\n          - EUR\n          - USD # dollars\n          - yes-no",
            "{ maxLength: 5 }",
            '{ pattern: "[A-Z]{3}" }',
            "{ anyOf: [{ const: EUR }, { pattern: '.*' }] }",
        ]
    ),
    "ticket_id": st.sampled_from(
        [
            "{ from: [input, session, trusted] }",
            '{ pattern: "T-.*" }',
            "\n          { maxLength: 20 } # short",
        ]
    ),
}
REST = st.fixed_dictionaries(
    {},
    optional={
        "quota": st.sampled_from(["{ per_run: 5 }", "{ per_day: 9 } # a day", "\n        per_run: 9"]),
        "approval": st.just("{ by: [leads], when: { amount: { minimum: 20 } } }"),
        "untrusted_to_effect": st.sampled_from(
            ["deny", "{ policy: approve, unless: { amount: { maximum: 5 } } }"]
        ),
    },
)
CALLS = st.fixed_dictionaries(
    {"ticket_id": st.sampled_from(TICKETS), "amount": st.sampled_from(AMOUNTS)},
    optional={"currency": st.sampled_from(CURRENCIES)},
)


@st.composite
def permissions(draw):
    where = draw(st.fixed_dictionaries({}, optional=LIMITS))
    rest = draw(REST)
    lines = ["    # Money.", "    - tool: desk.refund # pays"]
    if where:
        lines += ["      where: # limits", *(f"        {name}: {limit}" for name, limit in where.items())]
    lines += [f"      {key}: {value}" for key, value in rest.items()]
    read = draw(
        st.sampled_from(["    - tool: desk.get_ticket\n", "    - { tool: desk.get_ticket } # read\n"])
    )
    both = ["\n".join(lines) + "\n", read]
    head = BASE["permissions.yaml"].partition("    - tool")[0]
    text = head + "".join(draw(st.permutations(both)))
    text = text if draw(st.booleans()) else text.removesuffix("\n")
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def test_tightening_never_widens(tmp_path):
    counts: Counter[str] = Counter()
    (tmp_path / "openapi.yaml").write_text(BASE["openapi.yaml"])

    def load(files):
        sources = SourceSet(tmp_path, files)
        result = check_loaded(sources, ())
        assume(result.ok)
        return Project(sources, (), result, lower_agents(result.program)["triage"], None)

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        permissions(),
        st.lists(st.lists(CALLS, max_size=3), min_size=2, max_size=5),
        st.lists(CALLS, min_size=5, max_size=20),
        st.booleans(),
    )
    def law(text, made, probes, any_reads):
        base = {**BASE, "permissions.yaml": text}
        files = {
            path: SourceFile(path, body.encode()) for path, body in base.items() if path != "openapi.yaml"
        }
        before = load(files)
        runs = [run(number, calls, any_reads) for number, calls in enumerate(made)]
        found = tighten(before, DIGEST, runs, at_least=2)
        counts["changed" if found.changes else "same"] += 1
        after = load({**files, **found.files})
        old, new = before.lowered, after.lowered
        # Nothing is gained, and what is refused stays refused.
        assert new.accesses.keys() <= old.accesses.keys()
        for name, access in new.accesses.items():
            assert [*gains(old.accesses[name], access, new.program)] == []
        for call in probes:
            for told in (Told(input={"ticket_id": "T-1"}), Told(input={"ticket_id": "T-22"}, trusted=["X"])):
                if verdict(old, call, told) == "refused":
                    assert verdict(new, call, told) == "refused"
        # What was recorded, and was possible, still is.
        for seen in found.evidence.calls:
            for replayed in seen.replays:
                now = new.judge.policy.decide(replayed.call)
                assert type(now).__name__ == "Allowed" or replayed.before.outcome == "refused"
        # What was tightened is tight.
        again = tighten(after, "e" * 64, runs, at_least=2, any_bundle=True)
        assert again.changes == ()
        # Comments, and all bytes of other lines, are as they were.
        for path, file in found.files.items():
            was, now_ = (one.data.decode().splitlines() for one in (files[path], file))
            gone = Counter(was) - Counter(now_)
            dropped = {one.tool for one in found.changes if one.kind == "grant"}
            if not dropped:
                gone_with_their_item = re.compile(r" *- \S+ #")
                comments = Counter(
                    line.partition("#")[2]
                    for line in gone
                    if "#" in line and not gone_with_their_item.match(line)
                )
                assert not comments - Counter(line.partition("#")[2] for line in now_ if "#" in line)
            assert all("\r\n" in text or "\r" not in line for line in now_)

    law()
    assert counts["changed"] > 10


def run(number, calls, reads):
    past = [
        PastCall(tool="desk.refund", day="2026-03-01", arguments=call, claimed="2026-03-01T12:00:01Z")
        for call in calls
    ]
    if reads:
        read = PastCall(
            tool="desk.get_ticket",
            day="2026-03-01",
            arguments={"ticket_id": "T-1"},
            claimed="2026-03-01T12:00:00Z",
        )
        past.insert(0, read)
    return PastRun(
        run_id=f"run-{number}", agent="triage", version="1.0.0", bundle=DIGEST, environment="local",
        input={"ticket_id": "T-1"}, session={}, started="2026-03-01T12:00:00Z",
        calls=tuple(past), steps=(), refused=(),
    )  # fmt: skip


def verdict(lowered, call, told):
    if "desk.refund" not in lowered.accesses:
        return "refused"
    at = moment(lowered.program, "main", "desk.refund", told)
    return lowered.judge.verdict("main", "desk.refund", json.dumps(call), at).outcome
