"""The docstrings under the fields of models, for the schemas and the reference.

pydantic reads them itself when it is told to (`use_attribute_docstrings`), from the source of every class
that is imported. That is half of the time that importing the language takes, and nobody who checks a spec
needs it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Final

from .common import Closed

_BUILT: Final = frozenset({"__pydantic_core_schema__", "__pydantic_validator__", "__pydantic_serializer__"})


def describe() -> None:
    """Give the fields of all models that are imported the docstrings that stand under them."""
    models = list(dict.fromkeys(_below(Closed)))
    for model in models:
        inherited = [base for base in model.__mro__[1:] if issubclass(base, Closed)]
        docs: dict[str, str] = {}
        for one in (*reversed(inherited), model):
            docs.update(_docstrings(one))
        for name, field in model.model_fields.items():
            if field.description is None:
                field.description = docs.get(name)
    # what was built is forgotten in all of them first: a model takes those that it holds as they are
    for model in models:
        for built in _BUILT & model.__dict__.keys():
            delattr(model, built)
        model.__pydantic_complete__ = False
    for model in models:
        model.model_rebuild(force=True)


def _below(model: type[Closed]) -> Iterator[type[Closed]]:
    for one in model.__subclasses__():
        yield one
        yield from _below(one)


def _docstrings(model: type[Closed]) -> Iterator[tuple[str, str]]:
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(node, ast.ClassDef)
    for said, following in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(said, ast.AnnAssign)
            and isinstance(said.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
        ):
            yield said.target.id, inspect.cleandoc(following.value.value)
