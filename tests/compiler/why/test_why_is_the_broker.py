"""What `why` says of a call is what the broker does with it, and what it says is refused never arrives."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc.access import Judge, accesses
from agentc.predicates import close_unless, close_where, merge_limits, open_when
from agentc.why import Question, explain
from agentc_runtime import bundle as ir
from agentc_runtime import labels, workflow
from agentc_runtime.broker import Broker
from agentc_runtime.calls import ApprovalRequest, Decision, Returned
from agentc_runtime.expressions import Const, Ref
from agentc_runtime.interpret.calling import propose
from agentc_runtime.interpret.context import Run, Services
from agentc_runtime.labels import join
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.secrets import Secrets
from agentc_runtime.template import paths
from agentc_runtime.transport import HttpTransport

LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.sampled_from([{"maximum": 50}, {"minimum": 5}, {"enum": [5, 10]}, {}]),
        "currency": st.sampled_from([{"enum": ["EUR"]}, {"pattern": "[A-Z]{3}"}, {"maxLength": 3}]),
        "note": st.sampled_from([{"maxLength": 5}, {"minLength": 1}]),
    },
)
ORIGINS = st.dictionaries(
    st.sampled_from(["currency", "amount"]), st.sampled_from([("input",), ("spec", "session")]), max_size=1
)
BINDS = st.sampled_from(
    [{}, {"ticket_id": Ref(path=("input", "ticket_id"))}, {"currency": Const(value="EUR")},
     {"ticket_id": Ref(path=("session", "nothing"))}]
)  # fmt: skip
VALUES = {
    "amount": st.one_of(
        st.integers(-5, 60), st.floats(0, 60), st.sampled_from(["5", None, 10**25, True, [1], {"a": 1}])
    ),
    "currency": st.sampled_from(["EUR", "USD", "eur", "EURO", "", "E\nR", None]),
    "note": st.one_of(st.text(max_size=8), st.just("\ud800")),
    "ticket_id": st.sampled_from(["T-1", "T-1", "..", "a/b", "%2e%2e", "", "x\r\ny: z", "\u202eT", None]),
    "extra": st.just(1),
}
HOSTILE = st.sampled_from(
    [
        "",
        "[]",
        "{",
        '{"amount": 1, "amount": 9}',
        '{"amount": NaN}',
        '{"amount": 1} {}',
        '{"amount": 1e999}',
        "null",
    ]
)
FITTING = {
    "amount": st.one_of(st.integers(1, 60), st.floats(0.5, 60), st.just(10)),
    "currency": st.sampled_from(["EUR", "EUR", "USD", "E\nR"]),
    "note": st.text(max_size=8),
}


@st.composite
def calls(draw, grant):
    """A call of a model: most are near the grant, some are anything, some are no JSON."""
    kind = draw(st.sampled_from(["near", "near", "near", "near", "any", "hostile"]))
    if kind == "hostile":
        return "desk.refund", "work", draw(HOSTILE)
    tool = draw(st.sampled_from(["desk.refund"] * 6 + ["desk.get_ticket", "desk.nothing", "DESK.refund"]))
    state = draw(st.sampled_from(["work", "work", "work", "pay", "done"]))
    if kind == "any":
        return tool, state, json.dumps(draw(st.fixed_dictionaries({}, optional=VALUES)))
    if tool == "desk.get_ticket":
        return tool, state, json.dumps({"ticket_id": draw(VALUES["ticket_id"])})
    own = {name: values for name, values in FITTING.items() if name not in grant.bind}
    sure = {"amount": own.pop("amount")}
    if "ticket_id" not in grant.bind:
        sure["ticket_id"] = st.sampled_from(["T-1", "T-2", "EUR"])
    return tool, state, json.dumps(draw(st.fixed_dictionaries(sure, optional=own)))


LABELS = st.builds(
    labels.Label,
    trust=st.sampled_from(["trusted", "typed", "untrusted"]),
    sensitivity=st.sampled_from(["public", "confidential"]),
)


@st.composite
def grants(draw, arguments):
    where, bind, asked = draw(LIMITS), draw(BINDS), draw(LIMITS)
    exceptions = draw(st.one_of(st.none(), LIMITS))
    approval = draw(st.sampled_from(["none", "always", "condition"]))
    when = open_when(asked) if approval == "condition" else None
    closed = close_where(where) if where else None
    return ir.Grant(
        tool="desk.refund",
        permission_set="triage",
        schema=merge_limits(arguments, set(bind), closed),
        where=closed,
        origins=draw(ORIGINS),
        bind=bind,
        approval=None if approval == "none" else ir.Approval(by=("leads",), when=when),
        untrusted_to_effect=draw(st.sampled_from(["deny", "approve", "allow"])),
        unless=None
        if exceptions is None
        else ir.Unless(schema=close_unless(exceptions, where), origins=draw(ORIGINS)),
    )


class Person:
    """Nobody agrees; what they are asked is kept."""

    def __init__(self) -> None:
        self.asked: list[ApprovalRequest] = []

    async def ask(self, request: ApprovalRequest) -> Decision:
        self.asked.append(request)
        return Decision(approved=False, by="ana")


def carried_out(program, source_map, state, tool, arguments, read, given, person):
    """The call, proposed as a run does it, and what the broker made of it."""

    async def call():
        environment = program.environments["local"]
        secrets = Secrets(
            environment, {"DESK_TOKEN": "a-token-of-the-desk", "OPENAI_API_KEY": "a-key-of-a-model"}
        )
        journal = MemoryJournal()
        transport = HttpTransport(environment)
        broker = Broker(program, source_map, "local", transport, journal, secrets, person)
        services = Services(
            program=program, source_map=source_map, environment="local", broker=broker, models=None,
            journal=journal, secrets=secrets, emit=lambda event: None,
        )  # fmt: skip
        run = Run("run-1", services, input=given, session={})
        spec = program.states[state]
        told = paths(spec.instructions) | paths(spec.prompt) if isinstance(spec, workflow.AgentState) else ()
        proposed = propose(run, state, tool, arguments, join(read, run.label_of(told)))
        try:
            return await broker.call(proposed, lambda event: None)
        finally:
            await transport.close()

    return asyncio.run(call())


def test_whatever_why_says_is_what_the_broker_does(agent, service):
    arguments = agent.program.tools["desk.refund"].arguments

    seen = Counter()

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(grants(arguments), st.data(), LABELS, st.sampled_from(["T-1", "10 EUR for T-2", ".."]))
    def law(grant, data, read, ticket):
        tool, state, text = data.draw(calls(grant))
        program = msgspec.structs.replace(
            agent.program, grants={**agent.program.grants, "desk.refund": grant}
        )
        given = {"ticket_id": ticket}
        question = Question(tool, text, state=state, read=read, input=given, session={})
        judge = Judge(program, agent.source_map)
        said = explain(judge, accesses(program), question).answers[0].verdict
        seen[said.outcome, said.code] += 1
        person = Person()
        before = len(service.seen)
        outcome = carried_out(program, agent.source_map, state, tool, text, read, given, person)
        arrived = len(service.seen) - before
        if said.outcome == "allowed":
            assert isinstance(outcome, Returned)
            assert (arrived, person.asked) == (1, [])
        elif said.outcome == "asks":
            assert (arrived, len(person.asked)) == (0, 1)
            assert outcome.code == "AR205"
            assert person.asked[0].by == said.by
        else:
            assert (outcome.code, outcome.message) == (said.code, said.message)
            assert outcome.at in (*said.at, None)
            assert (arrived, person.asked) == (0, [])

    law()
    assert {"allowed", "asks", "refused"} <= {outcome for outcome, _ in seen}
