"""Record the model traffic of the example projects again, after a prompt, a tool or a schema has changed.

    python tests/support/record.py                    writes PROJECT/recordings/NAME.json for every script
    python tests/support/record.py triage             only this one
    python tests/support/record.py --check            writes nothing; exit code 1 when one is out of date
    python tests/support/record.py --openapi FILE     with the document that a project does not hold itself

A script in `tests/support/scripts` says what the model answers, turn by turn (see `fake_provider.py`), and
how the agent is run: it stands in for a model where no provider is to be had. The run itself is the real one:
`agentc run --record` on a copy of the project whose models are behind the fake provider and whose service
runs on a free port. A cassette holds no host, so that the recording answers for the project as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fake_provider import FakeProvider

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).resolve().parent / "scripts"
#: Stands for a provider's key; it must not be found in a recording.
KEY = "key-of-the-recording"


class RecordError(Exception):
    """A script that can't be recorded: one line that says why."""


def record(script: dict[str, Any], document: Path | None) -> bytes:
    """Run the script's agent against the fake provider; the cassette's bytes.

    `document` is imported into the toolset that the script names, if it names one.

    Raises:
        RecordError: the run failed, or did not use exactly the script's turns.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        service(script) as service_url,
        FakeProvider(script["turns"]) as provider,
    ):
        project = Path(folder) / "project"
        shutil.copytree(ROOT / script["project"], project, ignore=shutil.ignore_patterns("recordings"))
        redirect(project / "agentc.yaml", provider.url, script["service"]["variable"], service_url)
        admit(project / "assertions.yaml", provider.url)
        if "toolset" in script and document is not None:
            agentc("import", "openapi", document, "--project", project, "--toolset", script["toolset"])
        cassette = Path(folder) / "cassette.json"
        said = agentc(
            *("run", project, "--agent", script["agent"], "--record", cassette, "--no-store"),
            *("--input", json.dumps(script["input"]), "--session", json.dumps(script["session"])),
            answers=script["answers"],
            secrets={**script["service"]["secrets"], "OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY},
        )
        if len(provider.requests) != len(script["turns"]):
            used, there = len(provider.requests), len(script["turns"])
            raise RecordError(f"the run used {used} of the script's {there} turns:\n{said}")
        return (
            in_order(cassette.read_bytes())
            if any("when" in turn for turn in script["turns"])
            else cassette.read_bytes()
        )


def in_order(cassette: bytes) -> bytes:
    """A cassette of models that were asked at the same time, in an order that is the same each time."""
    kept = json.loads(cassette)
    kept["entries"].sort(key=lambda entry: json.dumps(entry["request"], sort_keys=True))
    return (json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def agentc(*arguments: str | Path, answers: str = "", secrets: Mapping[str, str] | None = None) -> str:
    """Run the command; what it wrote to standard error. Raises `RecordError` when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "agentc", *arguments],
        input=answers,
        env={**os.environ, **(secrets or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RecordError(
            f"`agentc {arguments[0]}` ended with exit code {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stderr


def redirect(spec: Path, provider: str, variable: str, service_url: str) -> None:
    """Put the models of a copied project behind `provider`, and its service at `service_url`."""
    text = spec.read_text(encoding="utf-8")
    base = f"\n      base_url: {provider}/v1"
    hosts = ", ".join(f'"{url.removeprefix("http://")}"' for url in (provider, service_url))
    for pattern, replacement in (
        (r"^( +provider: openai)$", rf"\1{base}"),
        (rf"^( +{variable}): http://127\.0\.0\.1:\d+$", rf"\1: {service_url}"),
        (r"^( +private_hosts): .*$", rf"\1: [{hosts}]"),
    ):
        text, found = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        if not found:
            raise RecordError(f"`{spec.name}` has no line like `{pattern}`")
    spec.write_text(text, encoding="utf-8")


def admit(asserted: Path, provider: str) -> None:
    """Let a project's assertion on hosts, if it has one, name the fake provider in place of the real one."""
    if asserted.is_file():
        text = asserted.read_text(encoding="utf-8")
        asserted.write_text(text.replace("https://api.openai.com", provider), encoding="utf-8")


@contextmanager
def service(script: dict[str, Any]) -> Iterator[str]:
    """The script's service on a free port; its base URL."""
    command = [sys.executable, str(ROOT / script["service"]["program"]), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> int:
    """Record or check; the exit code."""
    parser = argparse.ArgumentParser(description="record the example projects' model traffic again")
    parser.add_argument("names", nargs="*", help="scripts; all of them when left out")
    parser.add_argument("--check", action="store_true", help="only say which recordings are out of date")
    parser.add_argument("--openapi", type=Path, help="the OpenAPI document of a script that names a toolset")
    options = parser.parse_args()
    failed = False
    for path in sorted(SCRIPTS.glob("*.json")):
        if options.names and path.stem not in options.names:
            continue
        script = json.loads(path.read_text(encoding="utf-8"))
        target = ROOT / script["project"] / "recordings" / path.name
        if "toolset" in script and options.openapi is None:
            print(f"{path.stem}: skipped: pass the document of its toolset with --openapi")
            continue
        try:
            data = record(script, options.openapi)
        except RecordError as error:
            print(f"{path.stem}: {error}")
            failed = True
            continue
        if target.exists() and target.read_bytes() == data:
            print(f"{path.stem}: up to date")
        elif options.check:
            print(f"{path.stem}: out of date: run `python tests/support/record.py {path.stem}`")
            failed = True
        else:
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(data)
            print(f"{path.stem}: recorded")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
