"""Bundles on disk: links, pipes, folders and unreadable files end in one clear line."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentc_runtime import bundle as ir
from agentc_runtime import verify
from agentc_runtime.verify import BundleError, load_bundle, read_bundle

Pack = Callable[..., dict[str, bytes]]
EXTRA = {"prompts/deep/look.txt": b"hello\n"}


@pytest.fixture
def folder(tmp_path: Path, pack: Pack) -> Path:
    root = tmp_path / "bundle"
    for name, data in pack(extra=EXTRA).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def refused(path: Path) -> BundleError:
    with pytest.raises(BundleError) as caught:
        read_bundle(path)
    assert str(caught.value).isprintable()
    return caught.value


def test_a_folder_loads_as_its_files_do(folder: Path, pack: Pack) -> None:
    assert read_bundle(folder) == load_bundle(pack(extra=EXTRA))
    # The folder itself may be reached by a link: that is how a new bundle is activated.
    link = folder.with_name("current")
    link.symlink_to(folder)
    assert read_bundle(link) == read_bundle(folder)


@pytest.mark.parametrize("name", [ir.MANIFEST, ir.PROGRAM, ir.SOURCE_MAP, *EXTRA])
def test_every_file_is_missed_by_its_path(folder: Path, name: str) -> None:
    (folder / name).unlink()
    error = refused(folder)
    assert error.path in (str(folder / name), str((folder / name).parent))
    assert "missing" in error.message or "empty folder" in error.message


@pytest.mark.parametrize("name", [ir.PROGRAM, ir.SOURCE_MAP, *EXTRA])
@pytest.mark.parametrize("grown", [-1, 0, 1])
def test_every_changed_file_is_named(folder: Path, name: str, grown: int) -> None:
    data = (folder / name).read_bytes()
    changed = {-1: data[:-1], 0: bytes([data[0] ^ 1]) + data[1:], 1: data + b"\n"}[grown]
    (folder / name).write_bytes(changed)
    error = refused(folder)
    assert error.path == str(folder / name)
    assert "build the bundle again" in error.message


@pytest.mark.parametrize("name", [ir.MANIFEST, ir.PROGRAM, ir.SOURCE_MAP, *EXTRA])
def test_links_are_refused_even_to_the_same_bytes(folder: Path, name: str) -> None:
    outside = folder.with_name("outside")
    (folder / name).rename(outside)
    (folder / name).symlink_to(outside)
    error = refused(folder)
    assert error.path == str(folder / name)
    assert "a link" in error.message


def test_a_linked_folder_is_refused(folder: Path) -> None:
    (folder / "prompts").rename(folder.with_name("outside"))
    (folder / "prompts").symlink_to(folder.with_name("outside"))
    assert "a link" in refused(folder).message


def test_special_files_are_refused_and_not_waited_for(folder: Path) -> None:
    (folder / ir.PROGRAM).unlink()
    os.mkfifo(folder / ir.PROGRAM)
    error = refused(folder)
    assert error.path == str(folder / ir.PROGRAM)
    assert "special file" in error.message


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_swapped_in_after_the_listing_is_not_read(folder: Path, kind: str) -> None:
    """The race: the listing saw a plain file, and something else is there when it is opened."""
    target = folder / ir.PROGRAM
    target.unlink()
    if kind == "link":
        target.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(target)
    else:
        target.mkdir()
    with pytest.raises(BundleError) as caught:
        verify._read(folder, ir.PROGRAM, 1000)
    assert caught.value.path == str(target)


def test_extra_files_and_folders_are_refused(folder: Path) -> None:
    (folder / "prompts" / ".hidden").write_bytes(b"")
    error = refused(folder)
    assert (error.path, error.message[:19]) == (str(folder / "prompts/.hidden"), "not in the manifest")
    (folder / "prompts" / ".hidden").unlink()
    (folder / "void").mkdir()
    assert refused(folder).path == str(folder / "void")


@pytest.mark.parametrize("name", [ir.MANIFEST, ir.PROGRAM, ir.SOURCE_MAP])
def test_a_folder_where_a_file_is_expected(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    error = refused(folder)
    assert error.path == str(folder / name)
    assert "a folder" in error.message


def test_what_is_no_bundle_at_all(tmp_path: Path) -> None:
    assert "no such file or directory" in refused(tmp_path / "absent").message
    (tmp_path / "file").write_text("{}")
    assert "a file, and a bundle is a folder" in refused(tmp_path / "file").message
    (tmp_path / "empty").mkdir()
    assert "empty folder" in refused(tmp_path / "empty").message
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "README.md").write_text("hello")
    assert refused(tmp_path / "other").path == str(tmp_path / "other" / ir.MANIFEST)
    assert "can't be read" in refused(tmp_path / "nul\0byte").message
    assert "can't be read" in refused(tmp_path / ("x" * 300)).message


def test_names_that_are_no_text_are_shown_escaped(folder: Path) -> None:
    (folder / os.fsdecode(b"\xff\x1b[31m")).write_bytes(b"")
    assert refused(folder).path.endswith("\\udcff\\x1b[31m")


def test_huge_files_are_refused_unread(folder: Path) -> None:
    """Sparse files of a terabyte: reading one would end the test run."""
    os.truncate(folder / ir.PROGRAM, 2**40)
    assert f"{2**40} bytes where" in refused(folder).message
    os.truncate(folder / ir.MANIFEST, 2**40)
    assert refused(folder).path == str(folder / ir.MANIFEST)


def test_too_many_entries_are_refused(folder: Path) -> None:
    for index in range(verify.MAX_ENTRIES + 1):
        (folder / f"{index}.txt").touch()
    assert "more than 10000 entries" in refused(folder).message


@pytest.fixture
def unprivileged(folder: Path) -> Iterator[Path]:
    """The bundle where `nobody` may read it; tests run as root otherwise see every file."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    shutil.copytree(folder, root / "bundle")
    was_root = os.geteuid() == 0
    try:
        if was_root:
            os.chown(root / "bundle", 65534, 65534)
            os.seteuid(65534)
        yield root / "bundle"
    finally:
        if was_root:
            os.seteuid(0)
        (root / "bundle").chmod(0o755)
        shutil.rmtree(root)


def test_no_permission_to_read_the_folder(unprivileged: Path) -> None:
    read_bundle(unprivileged)
    unprivileged.chmod(0)
    error = refused(unprivileged)
    assert (error.path, "permission denied" in error.message) == (str(unprivileged), True)


def test_no_permission_to_read_a_file(unprivileged: Path) -> None:
    target = unprivileged / ir.PROGRAM
    target.unlink()
    target.touch(0)
    error = refused(unprivileged)
    assert (error.path, "permission denied" in error.message) == (str(target), True)
