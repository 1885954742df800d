"""Jinja templates, compiled away: text in, the runtime's literals and slots out."""

from .compiling import CompiledTemplate, compile_template
from .problems import TemplateProblem

__all__ = ["CompiledTemplate", "TemplateProblem", "compile_template"]
