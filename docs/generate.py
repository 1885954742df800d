"""Write the pages of the reference, and refresh the demo in the README.

    python docs/generate.py           writes docs/reference/*.md
    python docs/generate.py --demo    runs `make demo` and puts its output into README.md

The pages are committed; `tests/docs` fails when they are out of step with the code.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import click

from agentc.checks.registry import RULES
from agentc.cli import cli
from agentc.diagnostics import Rule, is_about_change
from agentc.syntax.kinds import KINDS, schema_of
from agentc_runtime import refusals
from agentc_runtime.telemetry import names

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
README = ROOT / "README.md"
DEMO = re.compile(r"(<!-- demo -->\n).*?(<!-- /demo -->)", re.DOTALL)
#: The README shows the demo from this paragraph on, and what is before it folded.
INJECTED = re.compile(r"^# The next ticket holds a prompt injection", re.MULTILINE)

FAMILIES = {
    "AC1": "Syntax",
    "AC2": "Names and references",
    "AC3": "Types and templates",
    "AC4": "Permissions",
    "AC5": "Data flow",
    "AC6": "Workflow",
    "AC7": "OpenAPI",
    "AC8": "Governance",
    "AC9": "Changes",
}
REFUSAL_FAMILIES = {
    "AR1": "Calls",
    "AR2": "Permissions",
    "AR3": "Egress",
    "AR4": "Responses",
    "AR5": "Limits of a run",
}

Node = Mapping[str, object]


def pages() -> dict[str, str]:
    """File name in `docs/reference` → text."""
    return {
        "kinds.md": kinds(),
        "rules.md": rules(),
        "refusals.md": refusal_rules(),
        "cli.md": commands(),
        "telemetry.md": telemetry(),
    }


def _page(title: str, *parts: str) -> str:
    note = "<!-- Written by docs/generate.py: change the code, then run `python docs/generate.py`. -->"
    return "\n\n".join((note, f"# {title}", *parts)) + "\n"


# --- telemetry -----------------------------------------------------------------------------------------


def telemetry() -> str:
    """Every name under which telemetry leaves a run."""
    written = {
        name: value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)
    }
    events = sorted(value for name, value in written.items() if name.startswith("EVENT_"))
    attributes = sorted(
        value for name, value in written.items() if "." in value and not name.startswith("EVENT_")
    )
    rows = ["| metric | kind | unit | |", "| --- | --- | --- | --- |"]
    rows += [f"| `{one.name}` | {one.kind} | `{one.unit}` | {one.description} |" for one in names.METRICS]
    return _page(
        "Telemetry",
        "What [`agentc run --otel`](../how-to/observe-runs.md) tells. Names that begin with `gen_ai.` are "
        "OpenTelemetry's semantic conventions for generative AI.",
        "## Metrics",
        "\n".join(rows),
        "## Events",
        "Events on spans, and the event names of log records.",
        "\n".join(f"- `{name}`" for name in events),
        "## Attributes",
        "\n".join(f"- `{name}`" for name in attributes),
    )


# --- kinds ---------------------------------------------------------------------------------------------


def kinds() -> str:
    """Every kind with every key, from the same models that the compiler reads specs with."""
    parts = [
        (
            "One YAML document is one resource: `apiVersion: agentc/v1`, `kind`, `metadata` and `spec`. "
            "A key that is not listed here is an error. The same as JSON Schema: [schemas](../../schemas). "
            "Durations are written `500ms`, `30s`, `5m`, `24h`, `7d`. Money is in US dollars."
        ),
        "Kinds: " + ", ".join(f"[{kind}](#{kind.lower()})" for kind in KINDS) + ".",
        "## metadata",
    ]
    shared = cast("dict[str, Node]", schema_of("Project")["$defs"])
    parts += [str(shared["Metadata"]["description"]), _fields(shared["Metadata"])]
    seen = {"Metadata", "JsonSchema", "JsonValue", "PromptFile"}
    for kind, model in KINDS.items():
        definitions = cast("dict[str, Node]", schema_of(kind)["$defs"])
        parts.append(f"## {kind}")
        for name in _reachable(model.__name__, definitions):
            if name in seen:
                continue
            seen.add(name)
            heading = "" if name == model.__name__ else f"### {_words(name)}\n\n"
            parts += [f"{heading}{definitions[name]['description']}", _fields(definitions[name])]
    parts += [
        "## JSON Schema",
        (
            "Limits, conditions, inputs and outputs are JSON Schemas (2020-12) of a closed subset. A keyword "
            "that is not here is an error (AC301)."
        ),
        ", ".join(f"`{name}`" for name in _keywords()) + ".",
    ]
    return _page("Kinds", *parts)


def _keywords() -> list[str]:
    definition = cast("dict[str, Node]", schema_of("Agent")["$defs"])["JsonSchema"]
    options = cast("list[Node]", definition["anyOf"])
    return sorted(cast("Node", options[1]["properties"]))


def _reachable(name: str, definitions: Mapping[str, Node], seen: set[str] | None = None) -> Iterator[str]:
    seen = set() if seen is None else seen
    if name in seen:
        return
    seen.add(name)
    yield name
    for match in re.findall(r"'\$ref': '#/\$defs/(\w+)'", str(definitions[name])):
        yield from _reachable(match, definitions, seen)


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Spec")).lower()


def _fields(definition: Node) -> str:
    required = cast("list[str]", definition.get("required", []))
    rows = ["| key | value | default | |", "| --- | --- | --- | --- |"]
    for key, field in cast("Mapping[str, Node]", definition.get("properties", {})).items():
        default = "**required**" if key in required else _default(field.get("default"))
        rows.append(f"| `{key}` | {_type(field)} | {default} | {_cell(str(field.get('description', '')))} |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _default(value: object) -> str:
    if value in (None, {}, [], ""):
        return ""
    if isinstance(value, dict):
        return "as its keys say"
    if isinstance(value, list | tuple):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{value}`"


def _type(field: Node) -> str:
    if "$ref" in field:
        name = str(field["$ref"]).rpartition("/")[2]
        if name == "JsonSchema":
            return "[JSON Schema](#json-schema)"
        return "any value" if name == "JsonValue" else f"[{_words(name)}](#{_words(name).replace(' ', '-')})"
    for word in ("oneOf", "anyOf"):
        if word in field:
            options = [o for o in cast("list[Node]", field[word]) if o.get("type") != "null"]
            return " or ".join(dict.fromkeys(_type(option) for option in options))
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in cast("list[object]", field["enum"]))
    if field.get("type") == "array":
        return f"list of {_type(cast('Node', field.get('items', {})))}"
    if field.get("type") == "object":
        if "properties" in field:
            return "`{ " + ", ".join(cast("Node", field["properties"])) + " }`"
        patterns = cast("Mapping[str, Node]", field.get("patternProperties", {}))
        value = next(iter(patterns.values()), field.get("additionalProperties", {}))
        return f"map of {_type(cast('Node', value))}"
    if "^[1-9][0-9]{0,8}(ms|s|m|h|d)$" in str(field.get("pattern")):
        return "duration"
    return {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}.get(
        str(field.get("type")), "any value"
    )


# --- rules ---------------------------------------------------------------------------------------------


def rules() -> str:
    """Every rule of the compiler with its examples, which the tests run."""
    parts = [
        (
            "What `agentc validate` finds, by family, and `agentc diff` in a change (AC9). "
            "`agentc explain CODE` prints one rule. "
            "The level is a default: a project sets it in `agentc.yaml` under `rules`, except for AC1, "
            "AC2, AC301 to AC310 and AC9. Examples are laid over the project that `agentc init` writes; "
            "`# <- CODE` marks where the finding stands."
        ),
        "| code | level | |\n| --- | --- | --- |\n"
        + "\n".join(
            f"| [{rule.code}](#{_anchor(rule)}) | {rule.level} | {_cell(rule.title)} |"
            for rule in RULES.values()
        ),
    ]
    for family, title in FAMILIES.items():
        parts.append(f"## {family}: {title}")
        for rule in RULES.values():
            if rule.code.startswith(family):
                parts += [
                    f"### {rule.code} {rule.name}",
                    f"{rule.title[:1].upper()}{rule.title[1:]} ({rule.level}). {rule.why}",
                    *_examples(rule),
                ]
    return _page("Rules of the compiler", *parts)


def _examples(rule: Rule) -> Iterator[str]:
    if is_about_change(rule.code):
        yield f"Before:\n\n{_example(rule.good)}"
        yield f"After:\n\n{_example(rule.bad)}"
    else:
        yield f"Fails:\n\n{_example(rule.bad)}"
        yield f"Passes:\n\n{_example(rule.good)}"


def _anchor(rule: Rule) -> str:
    return f"{rule.code.lower()}-{rule.name}"


def _example(text: str) -> str:
    """The example as a block of code. What can't be seen is written as an escape."""
    seen = "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )
    return f"````yaml\n{seen.rstrip()}\n````"


def refusal_rules() -> str:
    """Every rule that the runtime refuses by."""
    parts = [
        (
            "What the runtime refuses, in transcripts, in the audit log and to the model. Each refusal names "
            "the rule, the value that broke it and the spec line that governs it. `agentc explain CODE` "
            "prints one."
        ),
    ]
    for family, title in REFUSAL_FAMILIES.items():
        rows = ["| code | refused because | why it exists | what to do |", "| --- | --- | --- | --- |"]
        rows += [
            f"| {rule.code} | {_cell(rule.title)} | {_cell(rule.why)} | {_cell(rule.fix)} |"
            for rule in refusals.RULES.values()
            if rule.code.startswith(family)
        ]
        parts += [f"## {family}: {title}", "\n".join(rows)]
    return _page("Refusals of the runtime", *parts)


# --- commands ------------------------------------------------------------------------------------------


def commands() -> str:
    """The help of every command."""
    parts = [
        (
            "Exit codes: 0 ok, 1 findings, a failed run or a changed log, 2 wrong usage or input that can't "
            "be read, 3 an error in agentc itself. Colour only on a terminal; `NO_COLOR` is obeyed. "
            "`AGENTC_CACHE_DIR` says where `validate` keeps its cache; empty turns it off."
        )
    ]
    parts += [f"## {name}\n\n```text\n{text.rstrip()}\n```" for name, text in _helps(cli, None, "agentc")]
    return _page("Commands", *parts)


def _helps(command: click.Command, parent: click.Context | None, name: str) -> Iterator[tuple[str, str]]:
    context = click.Context(
        command,
        parent=parent,
        info_name=name,
        terminal_width=100,
        max_content_width=100,
        help_option_names=["-h", "--help"] if parent is None else None,
        color=False,
    )
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from _helps(found, context, child)


# --- the demo ------------------------------------------------------------------------------------------


def demo() -> str:
    """What `make demo` prints, as the README shows it: what differs between two runs is taken out."""
    done = subprocess.run(
        ["bash", "specs/support/demo.sh"],  # noqa: S607  the same bash that `make demo` finds
        cwd=ROOT,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin", "HOME": str(Path.home())},
        capture_output=True,
        text=True,
        check=True,
    )
    text = steady(done.stdout)
    found = INJECTED.search(text)
    if found is None:
        raise SystemExit(f"the demo prints no line that begins `{INJECTED.pattern[1:]}`")
    before, after = text[: found.start()].rstrip(), text[found.start() :].rstrip()
    return (
        f"```console\n{after}\n```\n\n"
        "<details><summary>What the demo does before that: check, build, inspect, and a run that goes well"
        f"</summary>\n\n```console\n{before}\n```\n\n</details>\n"
    )


def steady(text: str) -> str:
    """The text without run ids, times, digests of the log and the person at the terminal."""
    for pattern, instead in (
        (r"\b\d{8}T\d{6}Z-[0-9a-f]{12}\b", "…"),
        (r"\b\d+\.\d s$", "… s"),
        (r"\b[\d,]+ bytes$", "… bytes"),
        (r"(head|sha256:)( ?)[0-9a-f]{12,64}\b", r"\1\2…"),
        (r"((?:approved|rejected) by )\S+$", r"\1…"),
    ):
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return text.strip("\n") + "\n"


def shown_demo() -> str:
    """The demo as the README shows it."""
    found = DEMO.search(README.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("README.md has no block between `<!-- demo -->` and `<!-- /demo -->`")
    return found[0].removeprefix(found[1]).removesuffix(found[2])


def main() -> None:
    """Write the pages, or the demo."""
    if sys.argv[1:] == ["--demo"]:
        shown_demo()
        output = demo()
        text = DEMO.sub(
            lambda found: found[1] + output + found[2], README.read_text(encoding="utf-8"), count=1
        )
        README.write_text(text, encoding="utf-8")
        return
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
