"""What the ports of containers and addresses have in common.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ....models import ContainerPort, Port
from ....wire.faults import Detail

_PROTOCOLS = ("TCP", "UDP")


def protocol_problems(ports: Iterable[ContainerPort | Port], of_what: str, path: str) -> Iterator[Detail]:
    """Check the protocols; a port without one is TCP."""
    for index, each in enumerate(ports):
        if each.protocol not in (None, *_PROTOCOLS):
            yield Detail(
                code="InvalidPortProtocol",
                message=f"The protocol '{each.protocol}' of port '{each.port}' in {of_what} is invalid. "
                f"The value must be one of '{','.join(_PROTOCOLS)}'.",
                target=f"{path}[{index}].protocol",
            )
