"""Prompts and `${…}` expressions of an agent, compiled, with what is wrong with them at its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from agentc_runtime.expressions import Filter, Ref, Slot

from .checks import (
    ac110_unreadable_file,
    ac212_invalid_reference,
    ac304_template_syntax,
    ac305_template_construct,
    ac306_undeclared_template_variable,
    ac310_value_in_text,
)
from .diagnostics import Span
from .program import BoundExpr, CompiledText, SchemaData
from .references import compile_expr
from .resources import Resource, Step
from .source import Node, Scalar, SourceFile
from .syntax.agent import AgentSpec
from .syntax.common import PromptFile
from .syntax.workflow import (
    AgentStateSpec,
    ApprovalStateSpec,
    ChoiceStateSpec,
    EndStateSpec,
    HandoffStateSpec,
    MapStateSpec,
    ModelStateSpec,
    RetrieveStateSpec,
    StateSpec,
    ToolStateSpec,
    VerifyStateSpec,
)
from .templates import TemplateProblem, compile_template

_RULES = {
    rule.code: rule
    for rule in (
        ac304_template_syntax.RULE,
        ac305_template_construct.RULE,
        ac306_undeclared_template_variable.RULE,
        ac310_value_in_text.RULE,
    )
}

#: Reads a prompt file by its path; in words why not, when it can't.
Fetch = Callable[[str], SourceFile | str]

#: What an `agent` state is asked when it has no `prompt`: the input as JSON.
_INPUT_AS_JSON = (Slot(path=("input",), filters=(Filter(name="json"),)),)


def compile_bound(node: Node) -> BoundExpr:
    """The expression of a YAML value, with its problems as findings of AC212."""
    compiled = compile_expr(node)
    problems = [
        ac212_invalid_reference.report(span, problem.message, problem.help)
        for problem, span in compiled.problems
    ]
    return BoundExpr(compiled.expr, compiled.references, tuple(problems), node.span)


class Texts:
    """Compiles the texts and expressions of one agent. `files` collects the prompt files that were read."""

    def __init__(self, resource: Resource[AgentSpec], fetch: Fetch) -> None:
        self._resource = resource
        self._fetch = fetch
        self.files: set[str] = set()

    def of_state(
        self, spec: StateSpec, path: tuple[Step, ...], environment: Mapping[str, SchemaData]
    ) -> dict[str, CompiledText]:
        """The `instructions` and the `prompt` of a state that calls a model; nothing for other states."""
        if isinstance(spec, ApprovalStateSpec):
            return {"message": self._compile(spec.message, (*path, "message"), environment)}
        if not isinstance(spec, AgentStateSpec | ModelStateSpec):
            return {}
        own = path and spec.instructions is not None
        instructions = (
            spec.instructions if spec.instructions is not None else self._resource.spec.instructions
        )
        at = (*path, "instructions") if own else ("instructions",)
        texts = {"instructions": self._compile(instructions, at, environment)}
        if spec.prompt is None:
            texts["prompt"] = CompiledText(
                _INPUT_AS_JSON, frozenset({("input",)}), (), self._resource.span(*path)
            )
        else:
            texts["prompt"] = self._compile(spec.prompt, (*path, "prompt"), environment)
        return texts

    def exprs_of(self, spec: StateSpec, path: tuple[Step, ...]) -> dict[str, BoundExpr]:
        """The expressions of a state by their place: `arguments/NAME`, `choices/N/value`, `output`."""
        places = {"/".join(map(str, place)): (*path, *place) for place in _places(spec)}
        compiled = {}
        for name, place in places.items():
            node = self._resource.at(*place) if path else None
            if node is None:
                # An implied end state, or one without `output`: there is no YAML to point at.
                value = spec.output if isinstance(spec, EndStateSpec) else None
                text = "null" if value is None else str(value)
                node = Scalar(str(value) if value is not None else None, self._resource.span(*path), text)
            bound = compile_bound(node)
            key = name.rpartition("/")[2] if isinstance(place[-1], str) else str(place[-2])
            wanted = key in _LOOKED_AT and not isinstance(
                spec, ToolStateSpec | HandoffStateSpec | ApprovalStateSpec
            )
            if wanted and not bound.problems and not isinstance(bound.expr, Ref):
                finding = ac212_invalid_reference.report(
                    bound.span, f"`{key}` is not a reference", "write the value to look at as `${…}`"
                )
                bound = BoundExpr(bound.expr, bound.references, (finding,), bound.span)
            compiled[name] = bound
        return compiled

    def _compile(
        self, prompt: PromptFile, at: tuple[Step, ...], environment: Mapping[str, SchemaData]
    ) -> CompiledText:
        span = self._resource.span(*at)
        if prompt.file is not None:
            file = self._fetch(prompt.file)
            if isinstance(file, str):
                named = self._resource.span(*at, "file")
                finding = ac110_unreadable_file.report(named, prompt.file, file)
                return CompiledText((), frozenset(), (finding,), span)
            self.files.add(file.path)
            text, node = file.text, None
        else:
            text, node, file = prompt.text or "", self._resource.at(*at), self._resource.file

        included: dict[str, SourceFile] = {}
        reasons: dict[str, str] = {}

        def include(name: str) -> str | None:
            found = self._fetch(name)
            if isinstance(found, str):
                reasons[name] = found
                return None
            self.files.add(found.path)
            included[name] = found
            return found.text

        compiled = compile_template(text, environment, include)
        problems = []
        for problem in compiled.problems:
            if problem.file is None:
                place = _place(problem, file, node, span)
            else:
                place = _place(problem, included[problem.file], None, span)
            if problem.code == ac110_unreadable_file.RULE.code:
                problems.append(
                    ac110_unreadable_file.report(place, problem.message, reasons[problem.message])
                )
            else:
                rule = _RULES[problem.code]
                problems.append(rule.at(place, problem.message, help=problem.help))
        return CompiledText(compiled.template, compiled.reads, tuple(problems), span)


#: Keys whose value is one reference.
_LOOKED_AT = frozenset({"value", "over", "quotes", "grounds"})


def _places(spec: StateSpec) -> Iterator[tuple[Step, ...]]:
    """Where a state has expressions."""
    match spec:
        case ToolStateSpec():
            yield from (("arguments", name) for name in spec.arguments)
        case ChoiceStateSpec():
            yield from (("choices", index, "value") for index in range(len(spec.choices)))
        case MapStateSpec():
            yield ("over",)
        case ApprovalStateSpec():
            yield from (("show", name) for name in spec.show)
        case RetrieveStateSpec():
            yield ("query",)
        case VerifyStateSpec():
            yield ("value",)
            if spec.quotes is not None:
                yield ("quotes",)
            yield from (("grounds", index) for index in range(len(spec.grounds)))
        case HandoffStateSpec():
            yield from (("input", name) for name in spec.input)
        case EndStateSpec():
            yield ("output",)


def _place(problem: TemplateProblem, file: SourceFile, node: Node | None, span: Span) -> Span:
    """Where a place in a template is in its file: exact for files, literal blocks and one-line scalars."""
    if problem.file is not None or node is None:
        return Span(problem.file or file.path, problem.line, problem.column, problem.line, problem.end_column)
    if not isinstance(node, Scalar):
        return span
    begin = node.span
    if node.block:
        line = begin.line + problem.line
        if line > len(file.lines):
            return begin
        content = file.lines[line - 1]
        indent = _indent_of_block(file, begin.line)
        if content[:indent].strip():
            return begin
        return Span(file.path, line, indent + problem.column, line, indent + problem.end_column)
    if begin.line == begin.end_line and problem.line == 1:
        shift = begin.column - 1 + (1 if node.quoted else 0)
        return Span(file.path, begin.line, shift + problem.column, begin.line, shift + problem.end_column)
    return Span(file.path, begin.line, begin.column, begin.line, begin.column + 1)


def _indent_of_block(file: SourceFile, header: int) -> int:
    """How far a block scalar is indented: as far as its first line that is not empty."""
    for line in file.lines[header:]:
        if line.strip():
            return len(line) - len(line.lstrip(" "))
    return 0
