"""What is in the image that a process runs in, as a digest.

The workflow hands the digest on (``MUST_IMAGE_DIGEST``). Where the image was started by itself, it is computed from the
image's file as `containers/fingerprint.sh content` does: the SHA-256 of the file system in it, since the file itself
holds the time when it was built.
"""

from __future__ import annotations

import hashlib
import logging
import os
import struct
from functools import cache
from pathlib import Path
from typing import BinaryIO

DIGEST_VARIABLE = "MUST_IMAGE_DIGEST"
MAGIC_AT, MAGIC = 32, b"SIF_MAGIC\0"
HEADER = struct.Struct("<88x3q16x")
"""The part of a SIF file's header that counts: number of descriptors, where they begin, their length."""
DESCRIPTOR = struct.Struct("<i?12x2q40x128x4s380x")
"""Type, whether it is used, offset, size, and the first detail, for a partition its type of file system."""
PARTITION, SQUASHFS = 0x4004, (1).to_bytes(4, "little")
BLOCK = 1 << 20

log = logging.getLogger("must")


@cache
def image_digest(image: str) -> str | None:
    """Return the content digest of the image that this process runs in, or None if its file cannot be read from inside.

    Args:
        image: Its path on the host.
    """
    if os.environ.get(DIGEST_VARIABLE):
        return os.environ[DIGEST_VARIABLE]
    try:
        return content_digest(Path(image))
    except (OSError, ValueError) as error:
        log.warning(
            "the manifest names no digest of the image, since its file cannot be read from inside (%s: %s); "
            'start it with --bind "$(dirname IMAGE)", or with --env %s="$(cat IMAGE.digest)"',
            *(image, error, DIGEST_VARIABLE),
        )
        return None


def content_digest(image: Path) -> str:
    """Compute the SHA-256 of the file system in an image.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not a SIF file with a squashfs in it, or it is cut off.
    """
    with image.open("rb") as file:
        offset, left = _file_system(file)
        file.seek(offset)
        digest = hashlib.sha256()
        while left:
            block = file.read(min(BLOCK, left))
            if not block:
                raise ValueError("it is cut off")
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()


def _file_system(file: BinaryIO) -> tuple[int, int]:
    """Return offset and size, in bytes, of the first squashfs."""
    head = file.read(HEADER.size)
    if len(head) < HEADER.size or not head.startswith(MAGIC, MAGIC_AT):
        raise ValueError("it is not a SIF file")
    number, offset, _ = HEADER.unpack(head)
    file.seek(offset)
    for _ in range(number):
        entry = file.read(DESCRIPTOR.size)
        if len(entry) < DESCRIPTOR.size:
            break
        kind, used, start, size, detail = DESCRIPTOR.unpack(entry)
        if kind == PARTITION and used and detail == SQUASHFS:
            return start, size
    raise ValueError("there is no squashfs in it")
