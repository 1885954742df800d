"""A signed bundle that was changed in any way does not load: a thousand changes, and the ones to think of."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import random
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentc.emit import write_bundle
from agentc_runtime.archive import pack
from agentc_runtime.trust.judge import judge
from agentc_runtime.trust.policy import TrustPolicy
from agentc_runtime.verify import (
    Bundle,
    BundleError,
    attestation_path,
    load_archive,
    load_bundle,
    read_bundle,
)

Files = dict[str, bytes]
MUTATIONS = 1000


def load(read: Callable[[], Bundle], policy: TrustPolicy) -> BundleError | None:
    """Why the bundle does not load, `None` if it does. Anything but a refusal in words is a failure."""
    try:
        judge(read(), policy, datetime.now(UTC))
    except BundleError as error:
        found = error
    else:
        return None
    assert str(found).isprintable()
    return found


def flipped(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 20))):
        place = draw.randrange(len(changed))
        changed[place] ^= 1 << draw.randrange(8)
    return bytes(changed) if bytes(changed) != data else flipped(data, draw)


def resealed(files: Files, path: str, data: bytes) -> Files:
    """As an attacker does it who knows that an attestation's name comes from its bytes."""
    kind = path.partition("/")[2].partition("-")[0]
    rest = {name: value for name, value in files.items() if name != path}
    return {**rest, attestation_path(kind, data): data}


def changed_files(files: Files, draw: random.Random) -> Files:
    """One change to the files of a bundle: bytes, names, or how many there are."""
    name = draw.choice(sorted(files))
    data, rest = files[name], {key: value for key, value in files.items() if key != name}
    match draw.randrange(8):
        case 0:
            return {**rest, name: flipped(data, draw)}
        case 1:
            return {**rest, name: data[: draw.randrange(len(data))]}
        case 2:
            return {**rest, name: data + draw.randbytes(draw.randrange(1, 64))}
        case 3:
            return rest
        case 4:
            return {
                **rest,
                draw.choice((f"{name}x", name.upper(), f"../{name}", f"/{name}", f"a/{name}")): data,
            }
        case 5:
            extra = draw.choice(
                ("extra.json", "attestations/x.json", "attestations/eval-0123456789abcdef.json")
            )
            return {**files, extra: draw.choice((b"{}", data))}
        case 6:
            other = draw.choice([key for key in sorted(files) if files[key] != data])
            return {**rest, name: files[other], other: data}
        case _:
            said = draw.choice([key for key in sorted(files) if key.startswith("attestations/")])
            return resealed(files, said, flipped(files[said], draw))


def changed_archive(files: Files, draw: random.Random) -> bytes:
    """One change to the bytes of an archive, or another archive of the same files."""
    whole = pack(files)
    match draw.randrange(5):
        case 0:
            return flipped(whole, draw)
        case 1:
            return whole[: draw.randrange(len(whole))]
        case 2:
            return whole + draw.choice((b"\0" * 512, draw.randbytes(512), whole))
        case 3:
            names = sorted(files)
            while names == sorted(files):
                draw.shuffle(names)
            return written([(tarfile.TarInfo(name), files[name]) for name in names])
        case _:
            changed = tarfile.TarInfo(name := draw.choice(sorted(files)))
            attribute, value = draw.choice(
                (
                    ("mtime", 1),
                    ("uid", 1),
                    ("mode", 0o755),
                    ("uname", "root"),
                    ("type", tarfile.LNKTYPE),
                    ("type", tarfile.SYMTYPE),
                )
            )
            setattr(changed, attribute, value)
            return written([(changed if n == name else tarfile.TarInfo(n), files[n]) for n in sorted(files)])


def written(members: list[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.USTAR_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def test_what_was_signed_loads(signed: Files, policy_of, tmp_path: Path) -> None:
    write_bundle(signed, tmp_path / "bundle")
    (tmp_path / "bundle.tar").write_bytes(pack(signed))
    whole = load_bundle(signed)
    assert load(lambda: whole, policy_of()) is None
    assert read_bundle(tmp_path / "bundle") == read_bundle(tmp_path / "bundle.tar") == whole


def test_none_of_a_thousand_mutations_loads(signed: Files, policy_of) -> None:
    draw, policy = random.Random(6), policy_of()
    loaded, said = [], set()
    for number in range(MUTATIONS):
        state = draw.getstate()
        if number % 2:
            files = changed_files(signed, draw)
            error = load(lambda files=files: load_bundle(files), policy)
        else:
            data = changed_archive(signed, draw)
            error = load(lambda data=data: load_archive(data), policy)
        if error is None:
            loaded.append((number, state))
        else:
            said.add(error.message[:20])
    assert loaded == []
    assert len(said) > 8, "they were refused for many reasons"


def on_disk(bundle: Path) -> Iterator[Callable[[], None]]:
    """What can be done to a folder that bytes in memory can't show."""
    program, said = bundle / "program.json", next((bundle / "attestations").glob("provenance-*"))
    outside = bundle.with_name("outside")
    yield lambda: (program.rename(outside), program.symlink_to(outside))
    yield lambda: (said.rename(outside), said.symlink_to(outside))
    yield lambda: ((bundle / "attestations").rename(outside), (bundle / "attestations").symlink_to(outside))
    yield (bundle / "attestations" / "new").mkdir
    yield lambda: os.mkfifo(bundle / "attestations" / "provenance-0123456789abcdef.json")
    yield lambda: (bundle / "extra").symlink_to("/etc/passwd")
    yield lambda: (program.unlink(), os.mkfifo(program))
    yield lambda: (bundle / "attestations" / ".hidden").write_text("{}")


@pytest.mark.parametrize("number", range(8))
def test_links_and_special_files_on_the_disk(signed: Files, policy_of, tmp_path: Path, number: int) -> None:
    bundle = tmp_path / "bundle"
    write_bundle(signed, bundle)
    list(on_disk(bundle))[number]()
    assert load(lambda: read_bundle(bundle), policy_of()) is not None


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize(
    "member",
    [
        link("attestations/provenance", "/etc/passwd"),
        link("program.json", "../program.json"),
        link("program.json", "manifest.json", tarfile.LNKTYPE),
        link("pipe", "", tarfile.FIFOTYPE),
        link("folder", "", tarfile.DIRTYPE),
        tarfile.TarInfo("../escapes"),
        tarfile.TarInfo("/absolute"),
        tarfile.TarInfo("a/../../b"),
    ],
    ids=lambda member: f"{member.name} {member.linkname}",
)
def test_an_archive_with_links_or_ways_out(signed: Files, policy_of, member: tarfile.TarInfo) -> None:
    members = [(tarfile.TarInfo(name), signed[name]) for name in sorted(signed)]
    for at in (0, len(members)):
        data = written([*members[:at], (member, b""), *members[at:]])
        assert load(lambda data=data: load_archive(data), policy_of()) is not None


def test_bombs(signed: Files, policy_of) -> None:
    """Compressed, sparse, or lying about its size: read without taking the memory that it asks for."""
    zipped = gzip.compress(b"\0" * 50_000_000)
    many = written([(tarfile.TarInfo(f"f{number}"), b"") for number in range(10_002)])
    lying = tarfile.TarInfo("program.json")
    lying.size = 8**11 - 1
    header = lying.tobuf(tarfile.USTAR_FORMAT)
    sparse = tarfile.TarInfo("program.json")
    sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(2**40)}
    for data in (
        zipped,
        many,
        header,
        written([(sparse, b"0\n" + b"\0" * 510)], tarfile.PAX_FORMAT),
        b"",
        b"\0" * 10240,
    ):
        error = load(lambda data=data: load_archive(data), policy_of())
        assert error is not None
        assert error.path == "archive" or "missing" in error.message


def test_an_attestation_with_other_words_and_the_old_signature(signed: Files, policy_of) -> None:
    path = next(name for name in signed if name.startswith("attestations/eval-"))
    envelope = json.loads(signed[path])
    payload = base64.b64decode(envelope["payload"]).replace(b"0.97", b"0.99")
    envelope["payload"] = base64.b64encode(payload).decode()
    forged = json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()
    error = load(lambda: load_bundle(resealed(signed, path, forged)), policy_of())
    assert error is not None
    assert "the signature of `ci` is false" in error.message


def test_a_signature_of_another_bundle_is_not_this_ones(signed: Files, unsigned: Files, policy_of) -> None:
    other = json.loads(unsigned["manifest.json"])
    other["compiler"] = "agentc 9.9.9"
    manifest = json.dumps(other, sort_keys=True, separators=(",", ":")).encode()
    error = load(lambda: load_bundle({**signed, "manifest.json": manifest}), policy_of())
    assert error is not None
    assert "is about another bundle" in error.message
