"""Holds what all services of this process have in common: a thread with an event loop, certificates, one principal.

Making keys and hashing secrets takes most of a service's start, so that is done once.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
import threading
import uuid
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hythe.service.identity.authfile import NAME, readdress_auth_file
from hythe.service.identity.desk import Identity
from hythe.service.store import SqlStore

T = TypeVar("T")

_FILES = ("ca.pem", "ca-bundle.pem", NAME)
_PLACEHOLDER = "https://localhost"


class Ground:
    """Is there once in a process, from the first service on until the process ends."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hythe-testing-"))
        self.tenant, self.subscription = str(uuid.uuid4()), str(uuid.uuid4())
        self._store = SqlStore(None)
        self.identity = Identity(self.folder, self._store, tenant=self.tenant, names=())
        self.identity.first_principal(_PLACEHOLDER, self.subscription)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hythe-testing", daemon=True)
        self._thread.start()
        atexit.register(self._close)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Have something done in the event loop of the services, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def data_dir(self, url: str) -> Path:
        """Make the folder that a service of this address would have."""
        made = Path(tempfile.mkdtemp(dir=self.folder, prefix="service-"))
        for name in _FILES:
            shutil.copy2(self.folder / name, made / name)
        readdress_auth_file(made, url)
        return made

    def _close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._store.close()
        shutil.rmtree(self.folder, ignore_errors=True)


_lock = threading.Lock()
_made: list[Ground] = []


def ground() -> Ground:
    """Give the one of this process, made on first use."""
    with _lock:
        if not _made:
            _made.append(Ground())
        return _made[0]
