"""A bundle as one file: a USTAR archive of which there is exactly one for a set of files.

Sorted by name, owned by nobody, of no time, not compressed. Reading writes the archive again and compares:
what would come out otherwise in any byte, such as a link, another order or bytes after the end, is refused.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

#: The most bytes of an archive: those of the largest bundle, and room for the headers of its files.
MAX_ARCHIVE_BYTES = 288 * 1024 * 1024
MAX_MEMBERS = 10_000


def pack(files: Mapping[str, bytes]) -> bytes:
    """The archive of `files`, by their path in the bundle.

    Raises:
        ValueError: a name that USTAR can't hold.
    """
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(files[name]), 0o644, 0
            archive.addfile(member, io.BytesIO(files[name]))
    return out.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The files in an archive that `pack` could have written. Nothing is written to the disk.

    Raises:
        ValueError: any other bytes. The message is one line.
    """
    if len(data) > MAX_ARCHIVE_BYTES:
        raise ValueError(f"larger than {MAX_ARCHIVE_BYTES} bytes")
    files: dict[str, bytes] = {}
    try:
        # "r:" takes no compression: a small file that becomes a large one is not read at all
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                if member.type != tarfile.REGTYPE or member.sparse is not None or member.name in files:
                    raise ValueError("holds something else than plain files, each once")
                if len(files) == MAX_MEMBERS:
                    raise ValueError(f"holds more than {MAX_MEMBERS} files")
                content = archive.extractfile(member)
                files[member.name] = content.read() if content is not None else b""
        same = pack(files) == data
    except (tarfile.TarError, OSError, EOFError, UnicodeError, RecursionError, OverflowError) as error:
        raise ValueError("not a tar archive that can be read") from error
    if not same:
        raise ValueError("not written as `agentc` writes archives, so it was changed since")
    return files
