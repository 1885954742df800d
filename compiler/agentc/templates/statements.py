"""Jinja's syntax tree to the runtime's nodes. Includes and macros are expanded here and leave no trace."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from jinja2 import nodes

from agentc_runtime.expressions import For, If, Predicate, Schema, Slot, Template, TemplateNode, Text
from agentc_runtime.template import LOOP, RenderError, render
from agentc_runtime.values import ABSENT

from ..diagnostics import did_you_mean
from ..schematypes import items_of, types_of
from .conditions import condition_of, depth_of
from .filtering import filters_of
from .parsing import Unparsable, parse
from .problems import name_pattern
from .scope import Data, Findings, Scope, Unit, Value, value_of, written

#: Bounds of one template: includes inside includes, expansions, nodes, and nesting, below the runtime's.
MAX_INCLUDES: Final = 16
MAX_EXPANSIONS: Final = 1_000
MAX_NODES: Final = 20_000
MAX_NESTING: Final = 48

_LOOP: Final[Schema] = {
    "type": "object",
    "properties": {
        "index": {"type": "integer"},
        "index0": {"type": "integer"},
        "length": {"type": "integer"},
        "first": {"type": "boolean"},
        "last": {"type": "boolean"},
    },
    "additionalProperties": False,
}
#: Statement → its tag, and what to do instead.
_REFUSED: Final[Mapping[type[nodes.Node], tuple[str, str]]] = {
    nodes.Assign: ("set", "write the value where it is used"),
    nodes.AssignBlock: ("set", "write the text where it is used, or make it a macro"),
    nodes.With: ("with", "write the value where it is used"),
    nodes.CallBlock: ("call", "pass values to a macro"),
    nodes.FilterBlock: ("filter", "apply the filter to each value"),
    nodes.Block: ("block", "use `{% include %}`"),
    nodes.Extends: ("extends", "use `{% include %}`"),
    nodes.Import: ("import", "define the macro in this file"),
    nodes.FromImport: ("from", "define the macro in this file"),
    nodes.ScopedEvalContextModifier: ("autoescape", "prompts are plain text"),
}


class _TooLargeError(Exception):
    """The template grows over a bound: there is no use in going on."""


class Lowering:
    """Lowers one template and all that it includes."""

    def __init__(self, includes: Callable[[str], str | None], loop_limit: int) -> None:
        self.findings = Findings()
        self._includes = includes
        self._loop_limit = loop_limit
        self._units: dict[str, Unit | None] = {}
        self._expansions = 0
        self._nodes = 0
        self._called: set[int] = set()
        self._roots: Mapping[str, Value] = {}

    def whole(self, text: str, roots: Mapping[str, Schema]) -> Template:
        """The template's nodes; empty if it can't be parsed or grows too large."""
        unit = self._parsed(text, None)
        if unit is None:
            return ()
        self._roots = {name: Data((name,), schema) for name, schema in roots.items()}
        scope = Scope(unit, self._roots, frozenset(roots))
        try:
            return self._unit(scope)
        except _TooLargeError as error:
            self.findings.add(unit, 1, r"\S", "AC305", str(error))
        except RecursionError:
            self.findings.add(unit, 1, r"\S", "AC304", "the template nests too deep")
        return ()

    def _parsed(self, text: str, file: str | None) -> Unit | None:
        parsed = parse(text, file)
        if isinstance(parsed, Unparsable):
            self.findings.add(parsed.unit, parsed.line, parsed.pattern, "AC304", parsed.message, parsed.help)
            return None
        return parsed

    def _unit(self, scope: Scope) -> Template:
        """A whole text. Macros that nobody calls are lowered too, for what is wrong with them."""
        lowered = self._body(scope.unit.body, scope)
        for macro in scope.unit.macros.values():
            if id(macro) not in self._called:
                self._called.add(id(macro))
                arguments = {argument.name: Data((argument.name,), {}) for argument in macro.args}
                self._body(macro.body, replace(scope, names={**self._roots, **arguments}))
        return lowered

    def _body(self, body: Sequence[nodes.Node], scope: Scope) -> Template:
        found: list[TemplateNode] = []
        for statement in body:
            for node in self._statement(statement, scope):
                if isinstance(node, Text) and found and isinstance(found[-1], Text):
                    found[-1] = Text(text=found[-1].text + node.text)
                elif not isinstance(node, Text) or node.text:
                    found.append(node)
        self._nodes += len(found)
        if self._nodes > MAX_NODES:
            raise _TooLargeError(f"the template expands to more than {MAX_NODES:,} parts")
        return tuple(found)

    def _statement(self, node: nodes.Node, scope: Scope) -> Template:
        match node:
            case nodes.Output(nodes=parts):
                return tuple(one for part in parts for one in self._output(part, scope))
            case nodes.If():
                return self._if(node, scope)
            case nodes.For():
                return self._for(node, scope)
            case nodes.Include():
                return self._include(node, scope)
            case nodes.Macro(name=name):
                if scope.unit.macros.get(name) is not node:
                    message = f"macro `{name}` is not at the top of its file, or is there twice"
                    self._refuse(
                        node, scope, name_pattern(name), message, "define it once, outside of blocks"
                    )
                return ()
        tag, hint = _REFUSED.get(type(node), (type(node).__name__.lower(), None))
        self._refuse(node, scope, name_pattern(tag), f"`{{% {tag} %}}` is not supported", hint)
        return ()

    def _refuse(
        self,
        node: nodes.Node,
        scope: Scope,
        pattern: str,
        message: str,
        hint: str | None = None,
        code: str = "AC305",
    ) -> None:
        self.findings.add(scope.unit, node.lineno, pattern, code, message, hint)

    def _output(self, node: nodes.Node, scope: Scope) -> Template:
        if isinstance(node, nodes.TemplateData):
            return (Text(text=node.data),)
        if isinstance(node, nodes.CondExpr):
            then = self._output(node.expr1, scope)
            otherwise = self._output(node.expr2, scope) if node.expr2 is not None else ()
            return self._choice(node.test, then, otherwise, scope)
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            return self._call(node, node.node.name, scope)
        chain: list[nodes.Filter] = []
        while isinstance(node, nodes.Filter) and node.node is not None:
            chain.insert(0, node)
            node = node.node
        value = value_of(node, scope, self.findings)
        filters = filters_of(chain, value, scope, self.findings) if value is not None else None
        if value is None or filters is None:
            return ()
        if isinstance(value, Data):
            return (Slot(path=value.path, filters=filters),)
        known = {} if value.value is ABSENT else {"value": value.value}
        try:
            return (Text(text=render((Slot(path=("value",), filters=filters),), known)),)
        except RenderError as error:
            self._refuse(node, scope, r"(?<=\{\{).*?(?=\}\})", str(error), code="AC310")
            return ()

    def _choice(self, test: nodes.Node, then: Template, otherwise: Template, scope: Scope) -> Template:
        condition = condition_of(test, scope, self.findings)
        if condition is None or isinstance(condition, bool):
            return then if condition else otherwise
        if depth_of(condition) > MAX_NESTING:
            self._refuse(test, scope, name_pattern("if"), f"the condition nests deeper than {MAX_NESTING}")
            return ()
        return (If(condition=condition, then=then, otherwise=otherwise),)

    def _if(self, node: nodes.If, scope: Scope) -> Template:
        inner = self._deeper(node, scope, "if", len(node.elif_))
        branches = [(branch, self._body(branch.body, inner)) for branch in (node, *node.elif_)]
        lowered = self._body(node.else_, inner)
        for branch, then in reversed(branches):
            lowered = self._choice(branch.test, then, lowered, scope)
        return lowered

    def _deeper(self, node: nodes.Node, scope: Scope, tag: str, more: int = 0) -> Scope:
        """The scope inside a block. `open` names the blocks around: it is as long as the nesting is deep."""
        if len(scope.open) + more >= MAX_NESTING:
            self._refuse(node, scope, name_pattern(tag), f"blocks nest deeper than {MAX_NESTING}")
            raise _TooLargeError(f"the template nests deeper than {MAX_NESTING}")
        return replace(scope, open=(*scope.open, *([""] * (more + 1))))

    def _for(self, node: nodes.For, scope: Scope) -> Template:
        if not isinstance(node.target, nodes.Name) or node.test is not None or node.recursive:
            message = "a loop binds one name, without a condition and not recursively"
            self._refuse(node, scope, name_pattern("for"), message, "put an `{% if %}` inside the loop")
            return ()
        inner = self._deeper(node, scope, "for")
        source = value_of(node.iter, scope, self.findings)
        if source is None:
            return ()
        types = types_of(source.schema) if isinstance(source, Data) else frozenset[str]()
        if not isinstance(source, Data) or "array" not in types:
            name = ".".join(written(node.iter))
            shown = " or ".join(f"`{one}`" for one in sorted(types - {"integer"} or types)) or "a literal"
            message = (
                f"a loop goes over a list, and `{name}` is {shown}" if name else "a loop goes over a list"
            )
            self._refuse(node.iter, scope, name_pattern(name or "for"), message, code="AC310")
            return ()
        target, name, count = node.target.name, node.target.name, 1
        while name in scope.taken:
            count += 1
            name = f"{target}_{count}"
        names = {
            **scope.names,
            target: Data((name,), items_of(source.schema)),
            "loop": Data((name + LOOP,), _LOOP),
        }
        body = self._body(node.body, replace(inner, names=names, taken=scope.taken | {name}))
        loop: Template = (For(name=name, path=source.path, body=body, limit=self._loop_limit),)
        if not node.else_:
            return loop
        otherwise = self._body(node.else_, inner)
        return (If(condition=Predicate(path=source.path, op="truthy"), then=loop, otherwise=otherwise),)

    def _expanded(self) -> None:
        self._expansions += 1
        if self._expansions > MAX_EXPANSIONS:
            raise _TooLargeError(f"includes and macros expand more than {MAX_EXPANSIONS:,} times")

    def _include(self, node: nodes.Include, scope: Scope) -> Template:
        name = node.template.value if isinstance(node.template, nodes.Const) else None
        if not isinstance(name, str) or not node.with_context:
            message = (
                "an include names one file" if node.with_context else "an include sees what is around it"
            )
            self._refuse(node, scope, name_pattern("include"), message, 'write `{% include "file" %}`')
            return ()
        self._expanded()
        around = [one for one in scope.open if one.startswith("file ")]
        if f"file {name}" in around or len(around) >= MAX_INCLUDES:
            chain = " → ".join(f"`{one.removeprefix('file ')}`" for one in [*around, f"file {name}"])
            self._refuse(node, scope, name_pattern("include"), f"the files include each other: {chain}")
            return ()
        if name not in self._units:
            text = self._includes(name)
            self._units[name] = self._parsed(text, name) if text is not None else None
            if text is None:
                pattern = re.escape(name) if name else name_pattern("include")
                self._refuse(node, scope, pattern, name, code="AC110")
        unit = self._units[name]
        if unit is None:
            return ()
        inner = self._deeper(node, scope, "include")
        return self._unit(replace(inner, unit=unit, open=(*inner.open, f"file {name}")))

    def _call(self, node: nodes.Call, name: str, scope: Scope) -> Template:
        macro = scope.unit.macros.get(name)
        if macro is None:
            known = did_you_mean(name, scope.unit.macros)
            self._refuse(node, scope, name_pattern(name), f"there is no macro `{name}`", known, code="AC306")
            return ()
        self._expanded()
        self._called.add(id(macro))
        if f"macro {name}" in scope.open:
            self._refuse(node, scope, name_pattern(name), f"macro `{name}` calls itself")
            return ()
        arguments = self._arguments(node, macro, scope)
        if arguments is None:
            return ()
        inner = self._deeper(node, scope, name)
        inner = replace(inner, names={**self._roots, **arguments}, open=(*inner.open, f"macro {name}"))
        return self._body(macro.body, inner)

    def _arguments(self, node: nodes.Call, macro: nodes.Macro, scope: Scope) -> dict[str, Value] | None:
        parameters = [argument.name for argument in macro.args]
        defaults = dict(zip(parameters[len(parameters) - len(macro.defaults) :], macro.defaults, strict=True))
        given: dict[str, nodes.Node] = dict(zip(parameters, node.args, strict=False))
        wrong = None
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            wrong = "arguments are written one by one"
        elif len(node.args) > len(parameters):
            wrong = f"macro `{macro.name}` takes {len(parameters)} arguments, and {len(node.args)} are given"
        for keyword in node.kwargs:
            if keyword.key not in parameters or keyword.key in given:
                wrong = wrong or f"macro `{macro.name}` takes no other argument `{keyword.key}`"
            given[keyword.key] = keyword.value
        missing = [name for name in parameters if name not in {**given, **defaults}]
        if missing and wrong is None:
            wrong = f"macro `{macro.name}` needs the argument `{missing[0]}`"
        if wrong is not None:
            self._refuse(node, scope, name_pattern(macro.name), wrong)
            return None
        values = {name: value_of({**defaults, **given}[name], scope, self.findings) for name in parameters}
        found = {name: value for name, value in values.items() if value is not None}
        return found if len(found) == len(values) else None
