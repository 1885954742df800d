"""OpenAPI documents to operations that can become tools. No OpenAPI is read at run time."""

from .compile import compile_operations
from .model import CompiledOperation, Credential, DocumentResult, Entry
from .position import problem_span
from .problem import Problem

__all__ = [
    "CompiledOperation",
    "Credential",
    "DocumentResult",
    "Entry",
    "Problem",
    "compile_operations",
    "problem_span",
]
