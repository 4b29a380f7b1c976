"""A file, compressed or not -> a stream of its bytes, which stops where a small file unfolds into a huge one.

Compression is told by the first bytes, not by the name. Several gzip members or Zstandard frames in a row are one
stream.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from extractor.corpus.extras import need

GZIP, ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"
"""Bytes 2 to 4 of a Zstandard frame that holds no data."""
LARGEST_RATIO = 500
"""Web pages unfold to 5 to 20 times their size, very uniform ones to 100; gzip cannot do more than 1,032."""
FREE = 1 << 28
"""Bytes that any file may unfold to, whatever the ratio."""
_STEP = 1 << 12
"""Compressed bytes at a time: of the worst kind they unfold to 128 MiB, of gzip to 4."""


class DamagedFileError(Exception):
    """A compressed file that cannot be read on; the message says why."""


def open_file(path: Path) -> BinaryIO:
    """A file's bytes. OSError if it cannot be opened, and for a pipe or device, which may never end or begin."""
    return open(path, "rb", opener=_open_regular)


def _open_regular(name: str, flags: int) -> int:
    # opening a pipe that nobody writes to would wait for ever
    descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", name)
    return descriptor


def open_unfolded(path: Path, *, buffered: bool = True) -> BinaryIO:
    """A stream of the file's bytes, unfolded if it is compressed. OSError if it cannot be opened.

    buffered: for lines. Without, a read gives what there is, so nothing before a damaged place is lost.

    Reading raises DamagedFileError at a broken or cut end, and past LARGEST_RATIO.
    """
    file = open_file(path)
    try:
        head = file.read(4)
        file.seek(0)
        if not is_compressed(head):
            return file
        unfolding = _Unfolding(file, gzip=head.startswith(GZIP))
        return io.BufferedReader(unfolding, 1 << 17) if buffered else cast(BinaryIO, unfolding)
    except BaseException:
        file.close()
        raise


def bytes_read(stream: BinaryIO) -> int:
    """How much of its file a stream of open_unfolded() has read, about: it may have read on."""
    raw = getattr(stream, "raw", stream)
    return raw.taken if isinstance(raw, _Unfolding) else stream.tell()


def is_compressed(head: bytes) -> bool:
    """Whether the first four bytes are those of gzip or Zstandard."""
    return head.startswith(GZIP) or head == ZSTANDARD or (head[1:] == _SKIPPABLE and head[0] >> 4 == 5)


class _Unfolding(io.RawIOBase):
    def __init__(self, file: BinaryIO, *, gzip: bool) -> None:
        self._file = file
        self._taken = self._given = 0
        self._waiting, self._unfolded = b"", memoryview(b"")
        self._begin: Callable[[], Any]
        if gzip:
            self._begin, self._error = partial(zlib.decompressobj, wbits=31), zlib.error
        else:
            zstandard = need("zstandard")
            self._begin, self._error = zstandard.ZstdDecompressor().decompressobj, zstandard.ZstdError
        self._member = self._begin()

    @property
    def taken(self) -> int:
        """Compressed bytes that were unfolded."""
        return self._taken

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._given - len(self._unfolded)

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        while not self._unfolded:
            self._waiting = self._waiting or self._file.read(_STEP)
            if not self._waiting:
                if not self._member.eof and self._taken:
                    raise DamagedFileError("the compressed file ends early")
                return 0
            self._unfold()
        count = min(len(buffer), len(self._unfolded))
        buffer[:count] = self._unfolded[:count]
        self._unfolded = self._unfolded[count:]
        return count

    def _unfold(self) -> None:
        if self._member.eof:
            if not self._waiting.strip(b"\0"):  # padding, as tape archives have it
                self._waiting = b""
                return
            self._member = self._begin()
        try:
            self._unfolded = memoryview(self._member.decompress(self._waiting))
        except self._error as error:
            raise DamagedFileError(f"the compressed file is damaged ({error})") from None
        left = self._member.unused_data if self._member.eof else b""
        self._taken += len(self._waiting) - len(left)
        self._given += len(self._unfolded)
        self._waiting = left
        if self._given > max(FREE, LARGEST_RATIO * self._taken):
            raise DamagedFileError(f"unfolds to more than {LARGEST_RATIO} times its size; not read on")
