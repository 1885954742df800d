"""A bundle loads exactly as it was built: whatever was changed, added, removed or moved is refused."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc_runtime import bundle as ir
from agentc_runtime.canonical import canonical
from agentc_runtime.verify import MAX_BYTES, BundleError, load_bundle

Pack = Callable[..., dict[str, bytes]]


def refused(files: dict[str, bytes]) -> str:
    with pytest.raises(BundleError) as caught:
        load_bundle(files)
    text = str(caught.value)
    assert text == f"{caught.value.path}: {caught.value.message}"
    assert text.isprintable()
    return text


def test_what_was_built_loads(pack: Pack, program: ir.Program) -> None:
    files = pack(extra={"evidence/eval.json": b"{}", "prompts/look.txt": b"hello\n"})
    loaded = load_bundle(files)
    assert loaded.program == program
    assert loaded.digest == hashlib.sha256(files[ir.MANIFEST]).hexdigest()
    assert loaded.manifest.agent == program.agent
    assert ir.locate(loaded.source_map, "agent/name") == ir.Position(
        file="agents/triage.yaml", line=3, column=1
    )


@given(data=st.data())
def test_no_changed_byte_loads_as_the_same_bundle(pack: Pack, data: st.DataObject) -> None:
    """Without a signature a changed manifest can be another valid bundle, but never under the old digest."""
    files = pack()
    digest = load_bundle(files).digest
    name = data.draw(st.sampled_from(sorted(files)))
    index = data.draw(st.integers(0, len(files[name]) - 1))
    changed = bytearray(files[name])
    changed[index] ^= data.draw(st.integers(1, 255))
    try:
        loaded = load_bundle({**files, name: bytes(changed)})
    except BundleError:
        return
    assert name == ir.MANIFEST
    assert loaded.digest != digest


@given(data=st.data())
def test_no_other_bytes_load_in_the_place_of_a_file(pack: Pack, data: st.DataObject) -> None:
    files = pack()
    name = data.draw(st.sampled_from([ir.PROGRAM, ir.SOURCE_MAP]))
    start = data.draw(st.integers(0, len(files[name])))
    end = data.draw(st.integers(start, len(files[name])))
    changed = files[name][:start] + data.draw(st.binary(max_size=20)) + files[name][end:]
    if changed != files[name]:
        assert name in refused({**files, name: changed})


@given(data=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_manifest_is_loaded_or_refused(pack: Pack, data: bytes) -> None:
    refused({**pack(), ir.MANIFEST: data})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(data=st.data())
def test_a_program_with_any_part_replaced_is_loaded_or_refused(
    pack: Pack, program: ir.Program, data: st.DataObject
) -> None:
    """The digests are made to fit, as an attacker would make them: nothing but `BundleError` escapes."""
    tree: object = json.loads(canonical(msgspec.to_builtins(program)))
    root = {"": tree}
    node: dict[str, object] | list[object] = root
    key: str | int = ""
    while isinstance(child := node[key], dict | list) and child and data.draw(st.booleans()):  # type: ignore
        node = child
        key = data.draw(st.sampled_from(sorted(child) if isinstance(child, dict) else range(len(child))))
    node[key] = data.draw(json_values)  # type: ignore
    try:
        raw = canonical(root[""])
    except ValueError:
        return
    source_map = pack()[ir.SOURCE_MAP]
    listed = [
        {"path": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in ((ir.PROGRAM, raw), (ir.SOURCE_MAP, source_map))
    ]
    with contextlib.suppress(BundleError):
        load_bundle({**pack(files=listed), ir.PROGRAM: raw})


def test_missing_extra_and_renamed_files_are_named(pack: Pack) -> None:
    files = pack()
    for name in files:
        rest = {path: data for path, data in files.items() if path != name}
        assert refused(rest).startswith(f"{name}: missing")
        assert refused({**rest, f"{name}.bak": files[name]}).startswith(f"{name}: missing")
    assert refused({**files, "extra.txt": b""}).startswith("extra.txt: not in the manifest")
    assert refused({**files, "a\nb": b""}).startswith("a\\nb: not in the manifest")
    assert "missing, so this is not a bundle" in refused({})


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../up",
        "a/../b",
        "a//b",
        "a/",
        "./a",
        "a\\b",
        "C:/a",
        ".hidden",
        "a/.git",
        "a\nb",
        "a\n",
        "a\0b",
        "ä",
        "a" * 256,
        "manifest.json",
    ],
)
def test_unsafe_names_are_refused(pack: Pack, name: str) -> None:
    message = refused(pack(extra={name: b""}))
    assert message.startswith("manifest.json: lists") or name == "manifest.json"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"format": "agentc.bundle/2"},
            "and this runtime reads `agentc.bundle/1`",
        ),
        ({"format": "agentc.bundle/2", "added": 1}, "format is 'agentc.bundle/2'"),
        ({"format": None}, "format is None"),
        ({"added": 1}, "unknown field `added`"),
        ({"compiler": 1}, "expected `str`, got `int` - at `$.compiler`"),
        ({"files": []}, "does not list `program.json`"),
        ({"files": [{"path": "a", "sha256": "x", "size": 1}]}, "size or sha256 of `a` is malformed"),
        ({"files": [{"path": "a", "sha256": "0" * 64, "size": -1}]}, "size or sha256 of `a` is malformed"),
    ],
)
def test_manifests_are_read_strictly(pack: Pack, changes: dict[str, object], message: str) -> None:
    assert message in refused(pack(**changes))


def test_files_are_listed_once_and_in_order(pack: Pack) -> None:
    listed = json.loads(pack()[ir.MANIFEST])["files"]
    for files in (listed[::-1], [*listed, listed[-1]]):
        assert "not listed once each, in order" in refused(pack(files=files))


def test_size_is_bounded_by_what_the_manifest_says(pack: Pack) -> None:
    listed = json.loads(pack()[ir.MANIFEST])["files"]
    listed[0]["size"] = MAX_BYTES
    assert f"{MAX_BYTES} bytes" in refused(pack(files=listed))


def test_json_is_canonical_or_refused(pack: Pack, program: ir.Program) -> None:
    """With fitting digests: a duplicate key is the attack, since two readers see two programs."""
    manifest = pack()[ir.MANIFEST]
    assert "not canonical" in refused({**pack(), ir.MANIFEST: manifest + b"\n"})
    doubled = manifest.replace(b'"compiler":', b'"compiler":"x","compiler":')
    assert "not canonical" in refused({**pack(), ir.MANIFEST: doubled})
    assert "evidence/a.json: not canonical" in refused(pack(extra={"evidence/a.json": b"{ }"}))
    assert "not JSON" in refused(pack(extra={"evidence/a.json": b"{"}))
    assert "nested deeper" in refused(pack(extra={"evidence/a.json": b"[" * 100_000}))
    assert "source_map.json: expected `int`" in refused(
        pack(extra={ir.SOURCE_MAP: b'{"agent":{"column":1,"file":"a","line":"3"}}'})
    )
    assert "program.json: object contains unknown field `allow_all`" in refused(
        pack(extra={ir.PROGRAM: canonical({**msgspec.to_builtins(program), "allow_all": True})})
    )


def test_manifest_and_program_name_the_same_agent(pack: Pack) -> None:
    other = {"name": "other", "version": "1.0.0", "owner": "support", "description": "sorts tickets"}
    assert "program.json: agent is not the one" in refused(pack(agent=other))
