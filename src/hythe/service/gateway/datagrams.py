"""Carries datagrams between a UDP port of this machine and a port of a group, both ways."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

from msgspec import Struct

_IDLE_SECONDS = 60.0
_MOST_SENDERS = 256
"""Of one port: each costs a descriptor."""
_AT_ONCE = 64
"""Most datagrams that are carried before others have their turn."""
_LARGEST = 65535

Target = tuple[str, int]


class _Sender(Struct, kw_only=True):
    """Somebody who sent something, with the socket by which the group answers just them."""

    far: socket.socket
    target: Target
    used: float
    """When something last went either way, by the loop's clock."""


class Datagrams:
    """An open UDP port."""

    def __init__(self, host: str, port: int, target: Callable[[], Target | None]) -> None:
        """Begin to listen; ``target`` says where a datagram is to go now, None for nowhere.  Raises OSError."""
        self._target = target
        self._loop = asyncio.get_running_loop()
        self._senders: dict[Any, _Sender] = {}
        """By address, the one that was silent for longest first."""
        self._tidying: asyncio.TimerHandle | None = None
        self._near = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._near.setblocking(False)
            self._near.bind((host, port))
        except OSError:
            self._near.close()
            raise
        self._loop.add_reader(self._near, self._from_near)

    def close(self) -> None:
        """Give the port back."""
        if self._tidying is not None:
            self._tidying.cancel()
        for address in [*self._senders]:
            self._drop(address)
        self._loop.remove_reader(self._near)
        self._near.close()

    def _from_near(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, address = self._near.recvfrom(_LARGEST)
            except OSError:  # nothing more, or word that an answer did not arrive
                return
            target = self._target()
            if target is None:
                continue
            with contextlib.suppress(OSError):  # datagrams may be lost
                self._sender(address, target).far.send(data)

    def _sender(self, address: Any, target: Target) -> _Sender:
        held = self._senders.pop(address, None)
        if held is not None and held.target != target:
            self._close(held)
            held = None
        if held is None:
            if len(self._senders) >= _MOST_SENDERS:
                self._drop(next(iter(self._senders)))
            far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                far.setblocking(False)
                far.connect(target)
            except OSError:
                far.close()
                raise
            held = _Sender(far=far, target=target, used=0.0)
            self._loop.add_reader(far, self._from_far, address, far)
        held.used = self._loop.time()
        self._senders[address] = held
        if self._tidying is None:
            self._tidying = self._loop.call_later(_IDLE_SECONDS, self._tidy)
        return held

    def _from_far(self, address: Any, far: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                data = far.recv(_LARGEST)
            except OSError:  # nothing more, or word that nobody listens there
                return
            self._senders[address].used = self._loop.time()
            with contextlib.suppress(OSError):
                self._near.sendto(data, address)

    def _tidy(self) -> None:
        """Forget senders between whom and the group nothing went for a while."""
        oldest = self._loop.time() - _IDLE_SECONDS
        for address in [address for address, one in self._senders.items() if one.used <= oldest]:
            self._drop(address)
        self._tidying = self._loop.call_later(_IDLE_SECONDS, self._tidy) if self._senders else None

    def _drop(self, address: Any) -> None:
        self._close(self._senders.pop(address))

    def _close(self, one: _Sender) -> None:
        self._loop.remove_reader(one.far)
        one.far.close()
