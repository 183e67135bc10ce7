"""The archive as a file: written with the same bytes every time, and read without trusting it.

It is a zip file: its table of contents can be read without unpacking, anywhere and by Zenodo, and nothing in it can be
a link, a device or an owner once it is unpacked here.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from must.errors import ResultsError
from must.files import write_atomically

CHECKSUMS = "SHA256SUMS"
"""A line for each other file, as ``sha256sum --check`` reads them."""
MOST_FILES = 200_000
MOST_GROWTH, FREE_GROWTH = 100, 100_000_000
"""An archive may hold this many times its own bytes, and this many more; logs take a tenth."""
_BLOCK = 1 << 20
_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that the format knows: when a file was copied says nothing."""
_LINE = re.compile(r"([0-9a-f]{64})  ([^\r\n]+)")

Content = Path | bytes
"""A file to be copied, or what is to be in one."""


def write_archive(path: Path, files: Mapping[str, Content]) -> None:
    """Write files and their checksums, sorted by name; the same files give the same bytes with the same zlib.

    Args:
        path: The archive; written as a whole or not at all.
        files: Name in the archive, with slashes -> content.
    """
    sums = "".join(f"{_digest(files[name])}  {name}\n" for name in sorted(files))
    content = {**files, CHECKSUMS: sums.encode()}

    def write(target: BinaryIO) -> None:
        with zipfile.ZipFile(target, "w") as archive:
            for name in sorted(content):
                info = zipfile.ZipInfo(name, _TIME)
                info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
                info.external_attr = (stat.S_IFREG | 0o644) << 16
                _copy(content[name], archive, info)

    write_atomically(path, write)


def _copy(content: Content, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    if isinstance(content, bytes):
        archive.writestr(info, content)
        return
    info.file_size = content.stat().st_size  # whether the long form is needed is decided before
    with content.open("rb") as source, archive.open(info, "w") as target:
        shutil.copyfileobj(source, target, _BLOCK)


def _digest(content: Content) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpack(path: Path, directory: Path) -> None:
    """Unpack an archive and check every file of it against its checksum.

    Args:
        path: The archive, of whatever origin.
        directory: An empty one; nothing is written outside of it.

    Raises:
        ResultsError: It is not an archive of ``must export``, it is damaged, or it was made to do harm.
    """
    if not path.is_file():
        raise ResultsError(f"{path}: is {'no file' if path.exists() else 'not there'}; give what must export wrote")
    try:
        with zipfile.ZipFile(path) as archive:
            members = _checked(path, archive)
            if shutil.disk_usage(directory).free < sum(info.file_size for info in members):
                raise ResultsError(f"{directory}: no room to unpack {path}; set TMPDIR to another disk")
            found = {info.filename: _unpack(archive, info, directory) for info in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error) as e:
        raise _refused(
            path, f"is not a sound zip file ({' '.join(str(e).split())[:120] or type(e).__name__})"
        ) from None
    _check_sums(path, directory, found)


def _checked(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of an archive, without folders, after a look at all that is said of them."""
    listed = archive.infolist()
    if len(listed) > MOST_FILES:
        raise _refused(path, f"holds {len(listed)} files, more than {MOST_FILES}")
    limit = MOST_GROWTH * path.stat().st_size + FREE_GROWTH
    if (total := sum(info.file_size for info in listed)) > limit:
        raise _refused(path, f"would grow to {total} bytes, more than {limit}")
    seen: set[str] = set()
    for info in listed:
        name, kind = info.filename, stat.S_IFMT(info.external_attr >> 16)
        parts = name.removesuffix("/").split("/")
        bad = any(not part or part in (".", "..") or len(part.encode()) > 255 for part in parts)
        if bad or len(name) > 2000 or not name.isprintable() or "\\" in name or info.orig_filename != name:
            raise _refused(path, f"holds a file of the name {name!r:.100}")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or info.flag_bits & 1:
            raise _refused(path, f"{name}: is a link, a device or encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refused(path, f"{name}: is compressed in a way that must does not use")
        if name in seen:
            raise _refused(path, f"{name}: is there twice")
        seen.add(name)
    files = [info for info in listed if not info.is_dir()]
    above = {name[:at] for name in seen for at, sign in enumerate(name) if sign == "/" and at < len(name) - 1}
    if both := sorted(above & {info.filename for info in files}):
        raise _refused(path, f"{both[0]}: is a file and a folder")
    return files


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, directory: Path) -> str:
    """Write one file, no longer than it is said to be; return its SHA-256."""
    target, digest = directory / info.filename, hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as source, target.open("xb") as file:
        left = info.file_size
        while block := source.read(min(_BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                raise zipfile.BadZipFile(f"{info.filename} is longer than it says")
            digest.update(block)
            file.write(block)
    if left:
        raise zipfile.BadZipFile(f"{info.filename} breaks off")
    return digest.hexdigest()


def _check_sums(path: Path, directory: Path, found: dict[str, str]) -> None:
    if found.pop(CHECKSUMS, None) is None:
        raise _refused(path, f"holds no {CHECKSUMS}")
    expected: dict[str, str] = {}
    for number, line in enumerate((directory / CHECKSUMS).read_bytes().decode(errors="replace").splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise _refused(path, f"{CHECKSUMS}: line {number} is none of sha256sum's")
        expected[match[2]] = match[1]
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            raise _refused(path, f"{name}: is missing, though {CHECKSUMS} names it")
        if name not in expected:
            raise _refused(path, f"{name}: {CHECKSUMS} does not name it")
        if found[name] != expected[name]:
            raise _refused(path, f"{name}: was changed: it does not match {CHECKSUMS}")


def _refused(path: Path, reason: str) -> ResultsError:
    return ResultsError(
        f"{path}: {reason}; take the archive anew from where it was published, or make it (must export)"
    )
