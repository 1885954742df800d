"""The run of `benchmarks/interpreter.py` in agent frameworks, each as its documentation shows it."""

from __future__ import annotations

import json
import os
from typing import Any

import httpx
from support.figures import CannotMeasureError
from support.turns import KEY, TOOL, Way


def frameworks(url: str, client: httpx.AsyncClient) -> dict[str, Way]:
    """The peers, each as its documentation shows it, on one client each for all runs."""
    os.environ.setdefault("OPENAI_API_KEY", KEY)
    try:
        import agents
        import openai
        import pydantic_ai
        from langgraph.graph import END, START, StateGraph
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider
    except ImportError as error:
        raise CannotMeasureError(f"a peer is not here: pip install 'agentc[bench]' ({error.name})") from error

    async def get_ticket(ticket_id: str) -> str:
        """getTicket"""
        return (await client.get(f"{url}/tickets/{ticket_id}")).text

    get_ticket.__name__ = "desk__get_ticket"
    asked = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)

    model = OpenAIChatModel("fake", provider=OpenAIProvider(base_url=f"{url}/v1", api_key=KEY))
    by_pydantic = pydantic_ai.Agent(model, instructions="Do your work.", tools=[get_ticket])

    async def pydantic_run() -> None:
        assert (await by_pydantic.run("{}")).output == "Done."

    agents.set_tracing_disabled(disabled=True)
    by_openai = agents.Agent(
        name="triage",
        instructions="Do your work.",
        tools=[agents.function_tool(get_ticket, name_override="desk__get_ticket")],
        model=agents.OpenAIChatCompletionsModel(model="fake", openai_client=asked),
    )

    async def openai_run() -> None:
        assert (await agents.Runner.run(by_openai, "{}")).final_output == "Done."

    async def think(state: dict[str, Any]) -> dict[str, Any]:
        said: Any = await asked.chat.completions.create(
            model="fake",
            messages=state["messages"],
            tools=[TOOL],  # type: ignore[list-item]
        )
        message = said.choices[0].message.model_dump(exclude_none=True)
        return {"messages": [*state["messages"], message]}

    async def act(state: dict[str, Any]) -> dict[str, Any]:
        call = state["messages"][-1]["tool_calls"][0]
        answer = await get_ticket(**json.loads(call["function"]["arguments"]))
        told = {"role": "tool", "tool_call_id": call["id"], "content": answer}
        return {"messages": [*state["messages"], told]}

    graph: Any = StateGraph(dict)
    graph.add_node("think", think)
    graph.add_node("act", act)
    graph.add_edge(START, "think")
    graph.add_edge("act", "think")
    graph.add_conditional_edges("think", lambda s: "act" if s["messages"][-1].get("tool_calls") else END)
    compiled = graph.compile()

    async def langgraph_run() -> None:
        done = await compiled.ainvoke({"messages": [{"role": "user", "content": "{}"}]})
        assert done["messages"][-1]["content"] == "Done."

    return {"pydantic_ai": pydantic_run, "openai_agents": openai_run, "langgraph": langgraph_run}
