"""Record the evals of the example projects again, with the stand-in for a model.

    python tests/support/record_evals.py                        all that can be recorded
    python tests/support/record_evals.py --openapi FILE issues  with the document of its toolset

`specs/PROJECT/recordings/evals/*.jsonl` is what `agentc eval` replays. A real provider is recorded by
`agentc eval specs/PROJECT --record all`, with its key set.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from record import ROOT, RecordError, admit, agentc
from stand_in import StandIn

PROJECTS = {"support": ("triage", None), "issues": ("issue-triage", "github")}
KEYS = {"OPENAI_API_KEY": "key-of-the-recording", "ANTHROPIC_API_KEY": "key-of-the-recording"}


def behind(project: Path, url: str) -> None:
    """Put the models of a copied project behind a provider on loopback."""
    spec = project / "agentc.yaml"
    text = spec.read_text(encoding="utf-8")
    text = text.replace("provider: openai", f"provider: openai\n      base_url: {url}/v1")
    text = text.replace("private_hosts: [", f'private_hosts: ["{url.removeprefix("http://")}", ')
    spec.write_text(text, encoding="utf-8")
    admit(project / "assertions.yaml", url)


def record(name: str, document: Path | None) -> bytes:
    """The recording of a project's eval.

    Raises:
        RecordError: a case does not pass.
    """
    eval_name, toolset = PROJECTS[name]
    with tempfile.TemporaryDirectory() as folder, StandIn() as model:
        project = Path(folder) / "project"
        shutil.copytree(ROOT / "specs" / name, project, ignore=shutil.ignore_patterns("recordings"))
        behind(project, model.url)
        if toolset is not None and document is not None:
            agentc("import", "openapi", document, "--project", project, "--toolset", toolset)
        said = agentc("eval", project, "--eval", eval_name, "--record", "all", "--no-store", secrets=KEYS)
        if said:
            raise RecordError(said)
        return (project / "recordings" / "evals" / f"{eval_name}.jsonl").read_bytes()


def main() -> int:
    """Record; the exit code."""
    parser = argparse.ArgumentParser(description="record the evals of the example projects again")
    parser.add_argument("names", nargs="*", default=None, help="projects; all when left out")
    parser.add_argument("--openapi", type=Path, help="the OpenAPI document of a project without its own")
    options = parser.parse_args()
    failed = False
    for name in options.names or PROJECTS:
        eval_name, toolset = PROJECTS[name]
        if toolset is not None and options.openapi is None:
            print(f"{name}: skipped: pass the document of its toolset with --openapi")
            continue
        try:
            data = record(name, options.openapi)
        except RecordError as error:
            print(f"{name}: {error}")
            failed = True
            continue
        target = ROOT / "specs" / name / "recordings" / "evals" / f"{eval_name}.jsonl"
        target.parent.mkdir(parents=True, exist_ok=True)
        same = target.exists() and target.read_bytes() == data
        target.write_bytes(data)
        print(f"{name}: {'up to date' if same else 'recorded'}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
