"""`agentc init`: what it writes validates, editors find its schemas, and nothing is overwritten."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest
import yaml

from agentc.checks.base import BASE


@pytest.mark.parametrize("name", ["support", "Support Team!", "日本", "1st", "-", "a" * 200])
def test_the_project_has_no_findings_and_builds(agentc, folder, name):
    done = agentc("init", name)
    assert (done.code, done.err) == (0, "")
    assert f"wrote {name}/agentc.yaml" in done.out
    assert agentc("validate", name, "--strict") == (0, "no findings in 5 files\n", "")
    assert agentc("build", name).code == 0
    assert agentc("inspect", name).code == 0


def test_the_current_folder_is_the_default(agentc, folder):
    assert agentc("init").code == 0
    assert agentc("validate", "--strict").code == 0
    assert "name: here," in (folder / "agentc.yaml").read_text()


def test_an_editor_finds_a_schema_that_each_spec_fits(agentc, folder):
    agentc("init", "desk")
    specs = [path for path in (folder / "desk").glob("*.yaml") if "apiVersion: agentc/" in path.read_text()]
    assert len(specs) == 4
    for path in specs:
        first = path.read_text().splitlines()[0]
        modeline = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert modeline is not None
        schema = json.loads((path.parent / modeline[1]).read_text())
        spec = yaml.safe_load(path.read_text())
        assert schema["title"] == spec["kind"]
        jsonschema.Draft202012Validator(schema).validate(spec)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate({**spec, "spce": {}})


@pytest.mark.parametrize("name", [*BASE, "schemas/Agent.json"])
@pytest.mark.parametrize("kind", ["file", "folder", "dangling link"])
def test_what_is_there_already_is_left_alone(agentc, folder, name, kind):
    there = folder / "desk" / name
    there.parent.mkdir(parents=True)
    if kind == "file":
        there.write_text("mine")
    elif kind == "folder":
        there.mkdir()
    else:
        there.symlink_to(folder / "elsewhere")
    done = agentc("init", "desk")
    told = f"error: `desk/{name}` exists already: choose another folder, or remove it\n"
    assert done == (2, "", told)
    assert [path.name for path in (folder / "desk").rglob("*") if not path.is_dir() or path == there] == [
        there.name
    ]
    assert not (folder / "elsewhere").exists()
    assert kind != "file" or there.read_text() == "mine"


def test_a_folder_that_cannot_be_made(agentc, folder):
    (folder / "file").write_text("")
    assert agentc("init", "file").code == 2
    done = agentc("init", "file/below")
    assert (done.code, done.err) == (2, "error: can't write into `file/below`: Not a directory\n")
