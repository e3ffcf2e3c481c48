"""Works inside the network namespaces of groups, in threads that enter one and end: no other thread leaves its own."""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_GET_FLAGS, _UP = 0x8913, 0x1
_DELETE_LINK, _REQUEST, _ACK = 17, 0x1, 0x4
_NETLINK_SECONDS = 5


def enter(namespace: int) -> None:
    """Move the calling thread into the namespace of an open file.  Python has `os.setns` only from 3.12 on."""
    if _LIBC.setns(namespace, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


async def work_in(namespace: int, work: Callable[[], T]) -> T:
    """Give what some work gives that is done in the namespace of an open file.  Raises OSError.

    The file may be closed as soon as nobody waits any more.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    held = os.dup(namespace)  # the thread goes on when whoever waits for it is cancelled, and closes the file

    def tell(result: T | Exception) -> None:
        if done.done():  # nobody waits any more
            if isinstance(result, socket.socket):
                result.close()
        elif isinstance(result, Exception):
            done.set_exception(result)
        else:
            done.set_result(result)

    def run() -> None:
        result: T | Exception
        try:
            enter(held)
            result = work()
        except Exception as error:  # whatever it is, somebody waits for it
            result = error
        finally:
            os.close(held)
        loop.call_soon_threadsafe(tell, result)

    threading.Thread(target=run, name="netns", daemon=True).start()
    return await done


def delete_link(name: str) -> None:
    """Delete a network device of the calling thread's namespace; gone already is fine."""
    try:
        index = socket.if_nametoindex(name)
    except OSError:
        return
    body = struct.pack("BxHiII", socket.AF_UNSPEC, 0, index, 0, 0)
    head = struct.pack("IHHII", 16 + len(body), _DELETE_LINK, _REQUEST | _ACK, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.settimeout(_NETLINK_SECONDS)
        netlink.send(head + body)
        (code,) = struct.unpack_from("i", netlink.recv(4096), 16)
    if code:
        raise OSError(-code, os.strerror(-code))


def links_up() -> set[str]:
    """Name the network devices of the calling thread's namespace that are up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:

        def up(name: str) -> bool:
            asked = struct.pack("16sH14x", name.encode(), 0)
            flags: int = struct.unpack_from("H", fcntl.ioctl(any_socket, _GET_FLAGS, asked), 16)[0]
            return bool(flags & _UP)

        return {name for _, name in socket.if_nameindex() if up(name)}
