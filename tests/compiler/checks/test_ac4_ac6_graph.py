"""Graphs of workflows against the plain definitions of what they claim."""

from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from agentc.graph import Edge, Graph, components, endless_cycles, path_without, show_path

NAMES = "abcdef"


def graph_of(edges: list[tuple[str, str, str]], ends: str = "f") -> Graph:
    return Graph(
        start="a",
        edges={n: tuple(Edge(n, t, k, ()) for s, t, k in edges if s == n and n not in ends) for n in NAMES},
        ends=frozenset(ends),
        complete=True,
    )


graphs = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(["next", "catch", "choice"])),
    max_size=14,
).map(graph_of)


def leads(graph: Graph, source: str, target: str) -> bool:
    """Whether there is a path of at least one edge, by powers of the adjacency relation."""
    pairs = {(name, edge.target) for name in graph.edges for edge in graph.edges[name]}
    for _ in NAMES:
        pairs |= {(a, d) for (a, b), (c, d) in product(pairs, pairs) if b == c}
    return (source, target) in pairs


@given(graphs)
def test_reached_and_ending_are_what_paths_say(graph: Graph) -> None:
    assert graph.reached == {name for name in NAMES if name == "a" or leads(graph, "a", name)}
    assert graph.ending == {name for name in NAMES if name == "f" or leads(graph, name, "f")}


@given(graphs)
def test_components_hold_the_states_that_lead_to_each_other(graph: Graph) -> None:
    groups = components(graph, frozenset(NAMES))
    assert sorted(name for group in groups for name in group) == sorted(NAMES)
    group_of = {name: group for group in groups for name in group}
    for one, other in product(NAMES, NAMES):
        together = one == other or (leads(graph, one, other) and leads(graph, other, one))
        assert (group_of[one] == group_of[other]) == together


@given(graphs, st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_a_path_without_a_state_is_a_path_on_which_it_never_succeeds(
    graph: Graph, here: str, missing: str
) -> None:
    kept = {
        name: tuple(e for e in edges if not (e.source == missing and e.kind == "next"))
        for name, edges in graph.edges.items()
    }
    without = Graph(graph.start, kept, graph.ends, complete=True)
    path = path_without(graph, here, missing)
    assert (path is not None) == (here in without.reached)
    if path:
        assert path[0].source == "a"
        assert path[-1].target == here
        assert all(first.target == second.source for first, second in pairwise(path))
        assert not any(edge.source == missing and edge.kind == "next" for edge in path)


@given(graphs)
def test_nothing_leads_out_of_an_endless_cycle(graph: Graph) -> None:
    stuck = {name for group in endless_cycles(graph) for name in group}
    assert stuck <= graph.reached
    for name in stuck:
        assert {edge.target for edge in graph.edges[name]} <= stuck
        assert not leads(graph, name, "f")


def test_a_path_is_shown_with_its_failures() -> None:
    graph = graph_of([("a", "b", "next"), ("b", "f", "catch")])
    path = path_without(graph, "f", "b")
    assert path is not None
    assert show_path(graph, path) == "`a` → `b` (fails) → `f`"
    assert show_path(graph, ()) == "`a`"


def test_a_thousand_states_in_a_row_are_no_recursion() -> None:
    names = [f"s{index}" for index in range(20_000)]
    edges = {name: (Edge(name, following, "next", ()),) for name, following in pairwise(names)}
    graph = Graph("s0", {**edges, names[-1]: ()}, frozenset({names[-1]}), complete=True)
    assert len(components(graph, frozenset(names))) == len(names)
    assert path_without(graph, names[-1], names[5]) is None
    assert endless_cycles(graph) == []
