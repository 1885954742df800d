"""`benchmarks/openapi_corpus.py` over a folder that holds more than documents."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "openapi_corpus.py"
FILES = {
    "good.json": '{"info": {"openapi": "9"}, "paths": {"/a": {"get": {}, "put": {}}}, "openapi": "3.1.0"}',
    "sub/old.yml": "# first\nswagger: '2.0'\npaths: {/a: {get: {security: [{gone: []}]}}}\n",
    "sub/three.yaml": "paths: {/a: {additionalOperations: {COPY: {}}}}\nopenapi: 3.2.0\n",
    "broken.yaml": "openapi: 3.0.0\npaths: [\n",
    "future.json": '{"openapi": "5.0.0"}',
    "about.json": '{"documents": [{"openapi": "3.0.0"}], "text": "{ openapi: 3"}',
    "about.yaml": "documents:\n  openapi: 3.0.0\n",
    "garbage.json": "\x00\x01",
    "empty.yaml": "",
    "notes.txt": "openapi: 3.0.0",
}


def test_a_folder_is_measured(tmp_path: Path) -> None:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere.json")
    command = [sys.executable, str(SCRIPT), str(tmp_path), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    *rest, last = done.stdout.splitlines()
    report = json.loads(last)
    rows = {row["document"]: row for row in map(json.loads, rest[-report["documents"] :])}
    assert set(rows) == {"good.json", "sub/old.yml", "sub/three.yaml", "broken.yaml", "future.json"}
    figures = ("operations", "compiled", "diagnosed", "crashed", "refused")
    assert [report[name] for name in figures] == [4, 2, 2, 0, 2]
    assert report["share"] == 0.5
    assert report["codes"] == {"AC705": 1, "AC706": 1}
    assert rows["broken.yaml"]["problem"].startswith("3:1: ")
    assert all(row["mib"] > 1 and row["seconds"] >= 0 for row in rows.values())


def test_one_file_is_measured_and_a_missing_one_is_said(tmp_path: Path) -> None:
    file = tmp_path / "api"
    file.write_text(FILES["good.json"])
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(file)], check=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout.splitlines()[-1])["compiled"] == 2
    gone = subprocess.run([sys.executable, str(SCRIPT), "gone"], check=False, capture_output=True, text=True)
    assert gone.returncode == 2
    assert "`gone`" in gone.stderr or "gone is not there" in gone.stderr
