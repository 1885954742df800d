"""The door to template compilation. Jinja is imported only when a text has something of Jinja's in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from agentc_runtime.expressions import Schema, Template, Text
from agentc_runtime.template import paths

from .problems import TemplateProblem

#: How many items a loop goes over. A prompt with more is a mistake, or an attack by whoever made the list.
LOOP_LIMIT: Final = 100


class CompiledTemplate(NamedTuple):
    """A template, what is wrong with it in the order found, and the paths from the root that it reads.

    With problems the template lacks the parts that have them.
    """

    template: Template
    problems: tuple[TemplateProblem, ...]
    reads: frozenset[tuple[str, ...]]


def compile_template(
    text: str,
    roots: Mapping[str, Schema],
    includes: Callable[[str], str | None],
    *,
    loop_limit: int = LOOP_LIMIT,
) -> CompiledTemplate:
    """Compiles the Jinja subset: text, value paths with filters, if, for, include, macro, raw, comments.

    Semantics are Jinja's with its default settings: line ends become `\\n`, one at the end is dropped.
    `roots` types the data: root name (`input`, `session`, `states`) → closed JSON Schema. A path to
    nothing declared is AC306. A declared value may be absent at run time and is then empty text, so an
    optional value needs no `default`. `includes` reads a file by its name; `None` means that it can't,
    which is AC110.
    """
    if not any(mark in text for mark in ("{{", "{%", "{#")):
        plain = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
        return CompiledTemplate((Text(text=plain),) if plain else (), (), frozenset())
    from .statements import Lowering

    lowering = Lowering(includes, loop_limit)
    template = lowering.whole(text, roots)
    return CompiledTemplate(template, lowering.findings.problems(), paths(template))
