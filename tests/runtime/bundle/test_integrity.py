"""A program that contradicts itself is refused, however well its bytes are digested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from agentc_runtime import bundle as ir
from agentc_runtime import expressions, workflow
from agentc_runtime.behaviour import Cache, Pagination
from agentc_runtime.environments import Endpoint, Environment, Secret, Vault, VaultField
from agentc_runtime.integrity import problems
from agentc_runtime.verify import BundleError, load_bundle

Change = Callable[[ir.Program], ir.Program]


def state(name: str, /, **changes: Any) -> Change:
    return lambda program: replace(
        program, states={**program.states, name: replace(program.states[name], **changes)}
    )


def tool(name: str, /, **changes: Any) -> Change:
    return lambda program: replace(
        program, tools={**program.tools, name: replace(program.tools[name], **changes)}
    )


def request(**changes: Any) -> Change:
    return lambda program: tool("desk.find", request=replace(program.tools["desk.find"].request, **changes))(
        program
    )


def model(**changes: Any) -> Change:
    return lambda program: replace(program, models={"fast": replace(program.models["fast"], **changes)})


def top(**changes: Any) -> Change:
    return lambda program: replace(program, **changes)


def without(part: str, name: str) -> Change:
    return lambda program: replace(
        program, **{part: {key: value for key, value in getattr(program, part).items() if key != name}}
    )


def environment(**changes: Any) -> Change:
    return lambda program: replace(
        program, environments={"local": replace(program.environments["local"], **changes)}
    )


def more(**states: workflow.State) -> Change:
    return lambda program: replace(program, states={**program.states, **states})


ENDS = {name: workflow.EndState(output=expressions.Const(value=1)) for name in ("one", "two")}
HAND = workflow.HandoffState(
    agent="helper", input=expressions.Const(value={}), session=expressions.Const(value={}), next="done"
)


def branches(named: dict[str, str], **changes: Any) -> Change:
    """The program, beginning with these branches, and states `one`, `two` and `act` to be in them."""
    both = workflow.ParallelState(branches=named, output={}, next="look")
    act = workflow.ToolState(tool="desk.find", arguments={}, next="one")

    def change(program: ir.Program) -> ir.Program:
        tools = {**program.tools, "desk.find": replace(program.tools["desk.find"], effect="send")}
        changed = more(both=replace(both, **changes), act=act, **ENDS)(program)
        return replace(changed, start="both", tools=tools)

    return change


def each(**changes: Any) -> Change:
    both = workflow.MapState(
        over=expressions.Ref(path=("input",)), item={}, start="one", output={}, next="look"
    )
    return lambda program: replace(more(both=replace(both, **changes), **ENDS)(program), start="both")


def deep(levels: int) -> Change:
    """Branches in branches."""
    inside = {
        f"level{number}": workflow.ParallelState(
            branches={"a": f"level{number + 1}"}, output={}, next=f"end{number}"
        )
        for number in range(levels)
    }
    ends = {f"end{number}": ENDS["one"] for number in range(levels)}
    last = {f"level{levels}": ENDS["one"]}
    return lambda program: replace(more(**inside, **ends, **last)(program), start="level0")


IN_VAULT = Secret(vault=VaultField(path="a", field="b"))
VAULT = Vault(address="https://vault.example", token="token")
CASES: list[tuple[Change, str]] = [
    (top(start="nowhere"), "`start` is `nowhere`, which is no state"),
    (top(states={}), "`start` is `look`, which is no state"),
    (state("look", next="gone"), "state `look` goes on to `gone`, which is no state"),
    (state("sum", next="gone"), "state `sum` goes on to `gone`"),
    (state("read", next="gone"), "state `read` goes on to `gone`"),
    (state("look", catch=(workflow.Catch(errors=("any",), next="gone"),)), "state `look` goes on to `gone`"),
    (state("pick", default="gone"), "state `pick` goes on to `gone`"),
    (
        state("pick", choices=(workflow.Choice(on=expressions.Ref(path=("input",)), when={}, next="gone"),)),
        "state `pick` goes on to `gone`",
    ),
    (branches({}), "state `both` has no branches, or more than 100"),
    (branches({"a": "gone"}), "state `both` goes on to `gone`, which is no state"),
    (branches({"a": "one", "b": "two"}, wait=3), "state `both` waits for 3 of 2 branches"),
    (branches({"a": "one", "b": "one"}), "state `one` is part of two workflows"),
    (branches({"a": "both"}), "state `both` is part of two workflows"),
    (branches({"a": "look"}), "state `look` is part of two workflows"),
    (
        branches({"a": "act", "b": "two"}, wait="any"),
        "cancels branches, and state `act` in",
    ),
    (deep(9), "lies deeper than 8 in others"),
    (each(concurrency=0), "state `both` has no `concurrency` from 1 to 100, or takes no items"),
    (each(max_items=0), "or takes no items"),
    (more(hand=HAND), "state `hand` hands off to the agent `helper`, which is not in `agents`"),
    (top(undoing=("desk.gone",)), "the tool `desk.gone` undoes, and is not granted"),
    (
        lambda program: replace(program, agents={"helper": program}),
        "agent `helper` calls itself `triage`",
    ),
    (
        lambda program: replace(program, agents={"triage": replace(program, environments={})}),
        "agent `triage` lacks an environment of the agent that hands off to it",
    ),
    (
        lambda program: replace(program, agents={"triage": replace(program, start="gone")}),
        "agent `triage`: `start` is `gone`, which is no state",
    ),
    (state("look", tools=("desk.find", "desk.refund")), "tool `desk.refund`, which is not granted"),
    (state("read", tool="desk.refund"), "state `read` uses the tool `desk.refund`, which is not granted"),
    (state("look", models=()), "state `look` has no model"),
    (state("sum", models=("slow",)), "state `sum` uses the model `slow`, which is not in `models`"),
    (without("grants", "desk.read"), "state `read` uses the tool `desk.read`, which is not granted"),
    (without("tools", "desk.read"), "the tool `desk.read` is granted and is not in `tools`"),
    (without("models", "fast"), "uses the model `fast`"),
    (
        lambda program: replace(
            program,
            grants={**program.grants, "desk.find": replace(program.grants["desk.find"], tool="desk.read")},
        ),
        "the grant of `desk.find` is for the tool `desk.read`",
    ),
    (tool("desk.find", name="desk.read"), "tool `desk.find` calls itself `desk.read`"),
    (tool("desk.find", model_name="desk__read"), "have the same model name `desk__read`"),
    (tool("desk.find", model_name="desk.find"), "has the model name 'desk.find'"),
    (tool("desk.find", model_name="find\n"), "has the model name 'find\\n'"),
    (tool("desk.find", model_name=""), "has the model name ''"),
    (tool("desk.find", model_name="a" * 65), "is not 1 to 64 of"),
    (request(endpoint=Endpoint()), "endpoint of tool `desk.find` needs either `url` or `variable`"),
    (request(endpoint=Endpoint(url="https://a", variable="HELPDESK_URL")), "needs either"),
    (request(endpoint=Endpoint(variable="OTHER")), "is `OTHER`, which the environment `local` lacks"),
    (request(path=((ir.PathPart(),),)), "a path part of tool `desk.find` needs either"),
    (
        request(path=((ir.PathPart(literal="a", param=ir.Param(argument="a", name="a")),),)),
        "a path part of tool `desk.find` needs either",
    ),
    (request(body=ir.Body(content_type="application/json")), "the body of tool `desk.find` needs either"),
    (
        request(body=ir.Body(content_type="application/json", argument="a", fields={})),
        "the body of tool `desk.find` needs either",
    ),
    (tool("desk.find", effect="send", pagination=Pagination(style="link_header")), "has pages, and is no"),
    (tool("desk.find", pagination=Pagination(style="link_header", max_pages=1001)), "have no bound"),
    (tool("desk.find", pagination=Pagination(style="link_header", max_items=0)), "have no bound"),
    (tool("desk.find", pagination=Pagination(style="page")), "do not say how the next one is found"),
    (tool("desk.find", pagination=Pagination(style="cursor", argument="a")), "do not say how the next one"),
    (tool("desk.find", effect="send", cache=Cache(ttl_ms=1)), "keeps answers, and is no `read`"),
    (tool("desk.find", cache=Cache(ttl_ms=1, max_entries=0)), "keeps answers, and is no `read`"),
    (
        lambda program: tool("desk.find", pagination=Pagination(style="page", argument="id"))(
            request(path=((ir.PathPart(param=ir.Param(argument="id", name="id", style="simple")),),))(program)
        ),
        "the pages of tool `desk.find` would change its path",
    ),
    (model(alias="slow"), "model `fast` calls itself `slow`"),
    (model(endpoint=Endpoint()), "endpoint of model `fast` needs either `url` or `variable`"),
    (
        model(endpoint=Endpoint(variable="MODEL_URL")),
        "is `MODEL_URL`, which the environment",
    ),
    (top(default_environment="staging"), "`default_environment` is `staging`, which is no environment"),
    (top(environments={}), "`default_environment` is `local`, which is no environment"),
    (environment(secrets={"a": IN_VAULT}), "environment `local` has secrets in Vault, and no `vault`"),
    (environment(vault=VAULT), "the token of the Vault of environment `local` is no secret"),
    (environment(vault=VAULT, secrets={"token": IN_VAULT}), "is no secret in a variable or a file"),
]


def test_the_whole_program_has_no_problem(program: ir.Program) -> None:
    assert list(problems(program)) == []


@pytest.mark.parametrize(("change", "message"), CASES, ids=[message for _, message in CASES])
def test_contradictions_are_refused(
    program: ir.Program, pack: Callable[..., dict[str, bytes]], change: Change, message: str
) -> None:
    changed = change(program)
    assert any(message in problem for problem in problems(changed))
    with pytest.raises(BundleError) as caught:
        load_bundle(pack(changed))
    assert caught.value.path == "program.json"
    assert caught.value.message.endswith("correct the specs and build the bundle again")
    assert str(caught.value).isprintable()


def test_one_environment_that_lacks_a_variable_is_enough(program: ir.Program) -> None:
    changed = replace(program, environments={**program.environments, "staging": Environment()})
    assert "which the environment `staging` lacks" in "\n".join(problems(changed))
