"""Pictures made by hand: as small as a browser still draws, or broken where a test wants it."""

import zlib
from struct import pack


def png(width: int = 120, height: int = 40, colour: bytes = b"\x3c\x48\xb8") -> bytes:
    """Return a PNG of one colour."""
    rows = (b"\x00" + colour * width) * height
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(rows)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))


def jpeg(width: int = 120, height: int = 40, before: bytes = b"", frame: int = 0xC0) -> bytes:
    """Return the beginning of a JPEG: some segments, then the header of its frame."""
    head = b"\xff" + bytes([frame]) + pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + before + segment(0xE0, b"JFIF\x00" + bytes(9)) + head + b"\xff\xd9"


def segment(marker: int, data: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + pack(">H", len(data) + 2) + data
