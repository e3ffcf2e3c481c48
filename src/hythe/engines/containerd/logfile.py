"""Reads container logs in the format of CRI: ``<time> <stream> <P|F> <text>``, P for a line that goes on."""

from __future__ import annotations

import os
from pathlib import Path

_BLOCK = 1 << 16


def _last_bytes(path: Path, limit: int) -> tuple[bytes, bool]:
    """Give the end of a file, at most ``limit`` bytes, and whether that is all of it."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - limit))
        return file.read(), size <= limit


def read(path: Path, *, tail: int | None, timestamps: bool, limit: int) -> str:
    """Give what a container wrote, both streams in order: the last ``tail`` lines, at most ``limit`` bytes."""
    # A line of the file carries some 40 bytes more than its text.
    raw, whole = _last_bytes(path, limit + limit // 2 + _BLOCK)
    lines = raw.split(b"\n")
    if not whole:
        lines = lines[1:]
    texts: list[bytes] = []
    open_line = False
    for line in lines:
        stamp, _, rest = line.partition(b" ")
        _, _, rest = rest.partition(b" ")
        mark, space, text = rest.partition(b" ")
        if not space:
            continue
        if open_line:
            texts[-1] += text
        else:
            texts.append(stamp + b" " + text if timestamps else text)
        open_line = mark == b"P"
    if tail is not None:
        texts = texts[-tail:] if tail > 0 else []
    content = b"\n".join(texts)
    if texts and not open_line:
        content += b"\n"
    return content[-limit:].decode("utf-8", errors="replace")
