"""The terminal that a command is typed into: its size, its raw mode, and what is typed."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..client._sync.sessions import ContainerSession

_MOST = 1 << 16


def size() -> tuple[int, int]:
    """Give the rows and columns of the terminal, or the usual ones."""
    try:
        columns, rows = os.get_terminal_size(sys.stdin.fileno())
    except (OSError, ValueError):  # none, or not even a file
        return 24, 80
    return (rows, columns) if rows and columns else (24, 80)


@contextlib.contextmanager
def typing(session: ContainerSession, *, raw: bool) -> Iterator[None]:
    """Send what comes from standard input, and with ``raw`` each key as it is pressed and each new size.

    A thread reads, because the session is read meanwhile; it ends with the block.
    """
    inward, outward = os.pipe()
    thread = threading.Thread(target=_type, args=(session, inward, raw), name="hythe-typing", daemon=True)
    with _raw_mode() if raw else contextlib.nullcontext(), _sizes(outward) if raw else contextlib.nullcontext():
        thread.start()
        try:
            yield
        finally:
            os.close(outward)
            thread.join(1.0)
            os.close(inward)


@contextlib.contextmanager
def _raw_mode() -> Iterator[None]:
    """Have the terminal give each key as it is pressed, Ctrl-C too."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    tty.setraw(keyboard)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _sizes(outward: int) -> Iterator[None]:
    """Have each new size of the terminal told through a pipe: the thread that types may send, a signal may not."""

    def tell(number: int, frame: object) -> None:
        with contextlib.suppress(OSError):
            os.write(outward, b"s")

    before = signal.signal(signal.SIGWINCH, tell)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def _type(session: ContainerSession, inward: int, raw: bool) -> None:
    from ..errors import HytheError

    keyboard = sys.stdin.fileno()
    with contextlib.suppress(HytheError, OSError):  # the command has ended, and reading it says how
        while True:
            ready, _, _ = select.select([keyboard, inward], [], [])
            if inward in ready:
                if not os.read(inward, 1):
                    return
                session.resize(*size())
            if keyboard in ready:
                data = os.read(keyboard, _MOST)
                if data:
                    session.write(data)
                    continue
                if session.knows_exit_code:
                    session.end_input()
                return
