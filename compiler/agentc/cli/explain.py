"""`agentc explain`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..diagnostics import Rule, did_you_mean, is_about_change
from . import InputError
from .options import text_or_json

_CHECKS = Path(__file__).parents[1] / "checks"


@click.command("explain")
@click.argument("code", required=False)
@text_or_json("How it is written.")
def command(code: str | None, format_: str) -> int:
    """Explain a rule: what it finds, why it exists, an example that fails and one that passes.

    Without CODE, list all rules.

    \b
    Example:
      agentc explain AC401
    """
    if code is None:
        _list(format_)
        return 0
    wanted = code.upper()
    if wanted.startswith("AR"):
        return _refusal(wanted, format_)
    modules = _modules()
    if wanted not in modules:
        raise InputError(f"no rule `{code}`; {did_you_mean(wanted, [*modules, *_refusal_codes()])}")
    rule = load_rule(modules[wanted])
    if format_ == "json":
        click.echo(json.dumps(rule._asdict(), indent=2))
        return 0
    click.echo(f"{rule.code} {rule.name}: {rule.title} ({rule.level})\n\n{_wrap(rule.why)}\n")
    if is_about_change(wanted):
        click.echo(f"Before:\n\n{_indent(rule.good)}\nAfter:\n\n{_indent(rule.bad)}")
        return 0
    click.echo(f"Fails:\n\n{_indent(rule.bad)}\nPasses:\n\n{_indent(rule.good)}")
    return 0


def _modules() -> dict[str, str]:
    """Rule code → module, from the file names: `explain` imports only the rule that it explains."""
    return {path.stem[:5].upper(): path.stem for path in sorted(_CHECKS.glob("ac[0-9][0-9][0-9]_*.py"))}


def load_rule(module: str) -> Rule:
    """The rule that a module of `agentc.checks` defines.

    The rule is read from the source and not imported: a check's imports are the whole compiler.
    """
    import ast

    source = (_CHECKS / f"{module}.py").read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == "RULE":
                words = {str(word.arg): ast.literal_eval(word.value) for word in node.value.keywords}
                return Rule(**words)
    raise LookupError(f"{module} defines no RULE")


def _refusal_codes() -> list[str]:
    from agentc_runtime.refusals import RULES

    return list(RULES)


def _refusal(code: str, format_: str) -> int:
    from agentc_runtime.refusals import RULES

    if code not in RULES:
        raise InputError(f"no rule `{code}`; {did_you_mean(code, RULES)}")
    rule = RULES[code]
    if format_ == "json":
        click.echo(json.dumps(rule._asdict(), indent=2))
    else:
        click.echo(f"{rule.code}: {rule.title} (refused at run time)\n\n{_wrap(rule.why)}\n\nFix: {rule.fix}")
    return 0


def _list(format_: str) -> None:
    from agentc_runtime.refusals import RULES

    rules = [load_rule(module) for module in _modules().values()]
    if format_ == "json":
        rows = [
            {"code": rule.code, "name": rule.name, "title": rule.title, "level": rule.level} for rule in rules
        ]
        click.echo(json.dumps(rows + [{"code": r.code, "title": r.title} for r in RULES.values()], indent=2))
        return
    click.echo("Rules of the compiler:")
    for rule in rules:
        click.echo(f"  {rule.code}  {rule.level:<8} {rule.title}")
    click.echo("\nRefusals of the runtime:")
    for refusal in RULES.values():
        click.echo(f"  {refusal.code}  {refusal.title}")


def _wrap(text: str) -> str:
    import textwrap

    return textwrap.fill(text, 100)


def _indent(text: str) -> str:
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))
