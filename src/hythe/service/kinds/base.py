"""What a kind of resource declares; the verbs in `service.resource` are the same for all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from ...models import AzureFileVolume, ImageRegistryCredential, Model
from ...wire.ids import ResourceId
from ...wire.tags import PublishedPort
from ..identity.managed import UserIdentity
from ..store import Row, SqlStore

Accessible = Callable[[str, str, Sequence[ImageRegistryCredential]], Awaitable[bool]]
"""Port: can a subscription have an image with these credentials?"""

ShareProblem = Callable[[AzureFileVolume], tuple[str, str] | None]
"""Port: why can't a file share be used?  A code and a sentence, or None if it can."""


Ports = Callable[[str, Sequence[PublishedPort]], None]
"""Port: may the resource with this key have these ports of the machine?  Raises `Fault`."""


def any_port(key: str, ports: Sequence[PublishedPort]) -> None:
    """Let everybody have every port: for services without a machine of their own."""


def _no_user_identity(_: str) -> None:
    return None


class Admission(Struct, kw_only=True):
    """What a kind may ask when it decides whether a definition can be promised."""

    store: SqlStore
    accessible: Accessible
    share: ShareProblem
    dns_suffix: str
    tenant: str
    ports: Ports = any_port
    allow_privileged: bool = False
    """Whether containers may have power over the machine."""
    user_identity: UserIdentity = _no_user_identity


class Shown(Struct, kw_only=True, frozen=True):
    """How a resource is asked for."""

    api_version: str
    instance_view: bool = True


class Kind(Protocol):
    """One kind of resource."""

    name: str
    """As in `Row.kind`."""
    type: str
    """As ARM writes it."""

    def read(self, body: bytes, identity: ResourceId) -> Any:
        """Read a definition leniently.  Raises `Fault`."""

    def read_again(self, spec: bytes) -> Any:
        """Read a stored definition."""

    def validate(self, wanted: Any, identity: ResourceId) -> None:
        """Check a definition by itself.  Raises one `Fault` with all problems."""

    async def admit(self, wanted: Any, held: Row | None, identity: ResourceId, admission: Admission) -> Any:
        """Check a definition against the world, and give it with what the service fills in.  Raises `Fault`."""

    def public(self, wanted: Any) -> bytes:
        """Give the definition as JSON, without secrets."""

    def whole(self, wanted: Any) -> bytes | None:
        """Give the definition as JSON with its secrets, or None if it has none."""

    def show(self, row: Row, shown: Shown) -> Model:
        """Give a resource as it is answered."""
