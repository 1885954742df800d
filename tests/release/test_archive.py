"""One archive for a set of files, and no other is read."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc_runtime.archive import pack, unpack

NAMES = st.text("abcXYZ019._-/", min_size=1, max_size=90).filter(lambda name: not name.endswith("/"))


@given(st.dictionaries(NAMES, st.binary(max_size=2000), max_size=8))
def test_what_is_packed_comes_out_again(files: dict[str, bytes]) -> None:
    assert unpack(pack(files)) == files


@given(st.binary(max_size=3000))
def test_other_bytes_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^[ -~]+$"):
        unpack(data)


def test_tar_reads_it_too(signed: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=BytesIO(pack(signed))) as archive:
        assert archive.getnames() == sorted(signed)
        assert {member.mtime for member in archive} == {0}
    listed = subprocess.run(["tar", "-tf", "-"], input=pack(signed), capture_output=True, check=True)
    assert listed.stdout.decode().split() == sorted(signed)


def test_another_process_writes_the_same(unsigned: dict[str, bytes]) -> None:
    script = (
        "import sys; from agentc_runtime.archive import pack, unpack\n"
        "sys.stdout.buffer.write(pack(unpack(sys.stdin.buffer.read())))"
    )
    environment = {"PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", script], input=pack(unsigned), capture_output=True, check=True, env=environment
    )
    assert done.stdout == pack(unsigned)


def test_a_name_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="name"):
        pack({"a" * 101: b""})
