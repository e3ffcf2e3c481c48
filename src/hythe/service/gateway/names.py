"""Finds the group that a host name belongs to, and the port that a request for it is meant for."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from ...models import ContainerGroup, IpAddress, from_json
from ..store import Row, SqlStore, Status, View

_HTTP, _HTTPS = 80, 443


class Target(Struct, frozen=True, kw_only=True):
    """Where a group is reached."""

    group: str
    address: str
    port: int


class NotThere(Exception):
    """Says why a name leads nowhere: a status of HTTP and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Names:
    """The host names of groups: ``<label>.<region>.<suffix>``, and with a port before it for another than the usual."""

    def __init__(self, store: SqlStore, suffix: str) -> None:
        self._store = store
        self._suffix = suffix.lower().strip(".")

    def covers(self, host: str) -> bool:
        """Tell whether a host name could be a group's."""
        return host.lower().rstrip(".").endswith(f".{self._suffix}")

    def address(self, host: str) -> str | None:
        """Give the address of the group with a name, or None; for the DNS responder."""
        found = self._find(host.lower().rstrip("."))
        return found[1].ip if found else None

    def target(self, host: str, *, secure: bool) -> Target:
        """Say where a request for a host is meant to go.  Raises `NotThere`."""
        name = host.lower().rstrip(".")
        found = self._find(name)
        wanted = None
        if found is None:
            first, _, rest = name.partition(".")
            if first.isdecimal():
                found, wanted = self._find(rest), int(first)
        if found is None:
            raise NotThere(404, f"There is no container group with the name {name}.")
        address, view, row = found
        if view.ip is None or view.state != "Running":
            raise NotThere(503, f"The container group {row.name} is not running: it is {view.state}.")
        if not all(view.ready.values()):
            raise NotThere(503, f"The container group {row.name} is not ready: a readiness probe fails.")
        open_ports = [each.port for each in address.ports or () if (each.protocol or "TCP") == "TCP"]
        return Target(group=row.name, address=view.ip, port=_port(row.name, open_ports, wanted, secure=secure))

    def _find(self, name: str) -> tuple[IpAddress, View, Row] | None:
        if not self.covers(name) or not name.isascii():
            return None
        row = self._store.holding_text("containerGroups", f'"fqdn":"{name}"')
        if row is None or row.desired == "gone":
            return None
        address = from_json(ContainerGroup, row.spec).ip_address
        if address is None or address.fqdn != name or address.type != "Public":
            return None
        view = msgspec.json.decode(row.status, type=Status).view if row.status else View()
        return address, view, row


def _port(group: str, open_ports: list[int], wanted: int | None, *, secure: bool) -> int:
    """Choose among the published ports: the one asked for, else the usual one, else the first."""
    if wanted is not None:
        if wanted not in open_ports:
            raise NotThere(404, f"The container group {group} does not publish port {wanted}.")
        return wanted
    for usual in (_HTTP, _HTTPS) if not secure else (_HTTP,):
        if usual in open_ports:
            return usual
    if not open_ports:
        raise NotThere(404, f"The container group {group} publishes no TCP port.")
    return open_ports[0]
