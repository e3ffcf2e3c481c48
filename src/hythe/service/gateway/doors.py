"""Opens and closes all ways to groups besides their addresses, as the settings say."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

from ..installation import CannotStart, listen
from ..settings import GatewaySettings
from ..store import SqlStore
from .http import ContextFor, Gateway
from .names import Names
from .publish import Publisher

if TYPE_CHECKING:
    from .dns import Responder

log = logging.getLogger(__name__)

_USUAL_PORT = 80


class Doors:
    """The gateway, the DNS responder and the published ports of one service."""

    def __init__(self, settings: GatewaySettings, store: SqlStore, suffix: str, certificate_for: ContextFor) -> None:
        self._settings = settings
        self._store = store
        self._names = Names(store, suffix)
        self._gateway = Gateway(self._names, certificate_for)
        self._responder: Responder | None = None
        self.publisher = Publisher(store, settings.publish_host)
        self.port: int | None = None
        """Of the gateway; None if there is none."""

    async def open(self) -> None:
        """Begin to answer.  Raises `CannotStart` for a port that was asked for and can't be had."""
        listener = self._listener()
        if listener is not None:
            self.port = listener.getsockname()[1]
            self._gateway.start(listener)
        if self._settings.dns_port:
            from .dns import Responder  # its library takes 2 MB, and few ask for it

            self._responder = Responder(self._names)
            try:
                await self._responder.start(self._settings.host, self._settings.dns_port)
            except OSError as error:
                raise CannotStart(
                    f"cannot answer DNS questions on port {self._settings.dns_port}: {error.strerror}. "
                    "Choose another with gateway.dns_port in hythe.toml."
                ) from None
        for key in self._store.keys("containerGroups"):
            await self.publisher.refresh(key)

    def _listener(self) -> socket.socket | None:
        wanted = self._settings.port
        if wanted == 0:
            return None
        try:
            return listen(self._settings.host, _USUAL_PORT if wanted is None else wanted)
        except CannotStart as error:
            if wanted is not None:
                raise
            log.info("no gateway: %s Set gateway.port in hythe.toml.", error)
            return None

    async def close(self) -> None:
        """Stop answering."""
        await self._gateway.stop()
        if self._responder is not None:
            self._responder.stop()
        await self.publisher.stop()
