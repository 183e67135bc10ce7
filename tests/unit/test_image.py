"""The digest of an image, from files in the SIF format; that it is Apptainer's own, tests/cluster holds."""

import hashlib
import struct

import pytest

from must.image import DIGEST_VARIABLE, content_digest, image_digest

CONTENT = b"hsqs" + bytes(range(256)) * 40


def sif(*descriptors: tuple[int, bool, int, bytes], magic: bytes = b"SIF_MAGIC\0") -> bytes:
    """Write an image: its descriptors are (type, used, type of file system, content)."""
    start = 128 + 585 * len(descriptors)
    table, data = b"", b""
    for number, (kind, used, system, content) in enumerate(descriptors, 1):
        table += struct.pack("<i?III", kind, used, number, 1, 0)
        table += struct.pack("<7q", start + len(data), len(content), len(content), 0, 0, 0, 0)
        table += b"name".ljust(128, b"\0") + struct.pack("<ii", system, 2).ljust(384, b"\0")
        data += content
    head = b"#!/usr/bin/env run-singularity\n\0" + magic + b"01\x0002\0" + bytes(16)
    head += struct.pack("<8q", 0, 0, 0, len(descriptors), 128, len(table), start, len(data))
    return head + table + data


DEFINITION = (0x4001, True, 0, b"Bootstrap: docker")
UNUSED = (0x4004, False, 1, b"an older one")
OVERLAY = (0x4004, True, 2, b"ext3")
SQUASHFS = (0x4004, True, 1, CONTENT)


@pytest.fixture
def image(tmp_path, monkeypatch):
    image_digest.cache_clear()
    monkeypatch.delenv(DIGEST_VARIABLE, raising=False)
    path = tmp_path / "must.sif"
    path.write_bytes(sif(DEFINITION, UNUSED, OVERLAY, SQUASHFS))
    yield path
    image_digest.cache_clear()


def test_the_digest_is_that_of_the_squashfs(image):
    assert content_digest(image) == hashlib.sha256(CONTENT).hexdigest()
    assert image_digest(str(image)) == hashlib.sha256(CONTENT).hexdigest()


def test_the_digest_that_the_workflow_hands_on_is_not_computed_again(image, monkeypatch):
    image.unlink()
    monkeypatch.setenv(DIGEST_VARIABLE, "abc")
    assert image_digest(str(image)) == "abc"


@pytest.mark.parametrize(
    "content",
    [b"", b"not an image", sif(DEFINITION), sif(SQUASHFS, magic=b"OTHER"), sif(SQUASHFS)[:-1], sif(SQUASHFS)[:300]],
)
def test_what_is_no_image_or_cut_off_has_no_digest(image, caplog, content):
    image.write_bytes(content)
    with pytest.raises(ValueError, match=r"it is|there is"):
        content_digest(image)
    assert image_digest(str(image)) is None
    assert caplog.text.count(DIGEST_VARIABLE) == 1
