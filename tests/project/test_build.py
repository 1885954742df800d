"""The same specs give the same bytes, wherever and however they are compiled, and say what they allow."""

from __future__ import annotations

import os
import re
import shutil

import pytest

#: Read by Python at its start: it is 400 days later than the machine says.
ANOTHER_DAY = """
import datetime, time
real, real_ns, then = time.time, time.time_ns, 400 * 86400
time.time = lambda: real() + then
time.time_ns = lambda: real_ns() + then * 10**9
class Later(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)
    @classmethod
    def utcnow(cls):
        return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)
datetime.datetime = Later
"""


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_two_builds_are_the_same_bytes(agentc, kit, triage, tmp_path):
    # the second copy is made in the other order, is older, and lies elsewhere
    source, copy = kit.root / "specs/support", tmp_path / "a folder" / "ünicode"
    files = sorted(path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    for number, path in enumerate(reversed(files)):
        target = copy / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        os.utime(target, (number * 86400, number * 86400))
    clock = tmp_path / "clock"
    clock.mkdir()
    (clock / "sitecustomize.py").write_text(ANOTHER_DAY)
    before = os.umask(0o077)
    try:
        agentc(
            "build",
            ".",
            "--out",
            tmp_path / "dist",
            cwd=copy,
            environment={
                "PYTHONPATH": str(clock),
                "PYTHONHASHSEED": "4711",
                "TZ": "Pacific/Kiritimati",
                "LC_ALL": "C",
                "HOME": str(tmp_path),
                "USER": "somebody",
                "AGENTC_CACHE_DIR": "",
            },
        )
    finally:
        os.umask(before)
    assert content(tmp_path / "dist/triage-1.0.0") == content(triage)


def test_a_bundle_holds_no_place_and_no_time(triage, kit):
    for name, data in content(triage).items():
        text = data.decode()
        assert str(kit.root) not in text
        assert not re.search(r"/(home|root|tmp|usr)/|\b20\d\d-\d\d-\d\d\b|demo-token", text), name


def test_inspect_says_what_the_agent_may_do(agentc, triage, kit, snapshot):
    assert kit.normal(agentc("inspect", triage).stdout) == snapshot
    assert agentc("verify", triage).stdout.startswith("ok")


@pytest.mark.parametrize("damage", ["changed", "added", "removed"])
def test_a_damaged_bundle_does_not_run(agentc, triage, ticket, tmp_path, damage):
    bundle = tmp_path / "bundle"
    shutil.copytree(triage, bundle)
    program = next(path for path in bundle.iterdir() if path.name.startswith("program"))
    match damage:
        case "changed":
            program.write_bytes(program.read_bytes().replace(b'"maximum":50', b'"maximum":99'))
        case "added":
            (bundle / "more.json").write_text("{}")
        case "removed":
            program.unlink()
    said = agentc("run", bundle, *ticket("T-1001"), "--no-store", code=2).stderr
    assert "is not a bundle that can be run" in said
    agentc("verify", bundle, code=1)
