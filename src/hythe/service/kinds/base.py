"""What a kind of resource declares; the verbs in `service.resource` are the same for all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ...models import AzureFileVolume, ContainerGroupProfile, ImageRegistryCredential, Model, Resource
from ...wire import lenient
from ...wire.faults import Fault
from ...wire.ids import ResourceId
from ...wire.tags import PublishedPort
from ..call import Caller
from ..identity.managed import UserIdentity
from ..store import Row, SqlStore

Accessible = Callable[[str, str, Sequence[ImageRegistryCredential]], Awaitable[tuple[str, str] | None]]
"""Port: why can't a subscription have an image with these credentials?  None if it can.

Else InaccessibleImage with a sentence more or none, RegistryErrorResponse with the registry that failed, or
OsVersionNotSupported.
"""

Profile = Callable[[ResourceId, int | None], ContainerGroupProfile | None]
"""Port: a revision of a profile with its secrets, the newest if None; None if there is none."""

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
    profile: Profile
    may: Callable[[Caller, str, str], bool]
    """Port: may a caller do something to a resource that the definition names?"""
    ports: Ports = any_port
    allow_privileged: bool = False
    """Whether containers may have power over the machine."""
    user_identity: UserIdentity = _no_user_identity
    kept_ranges: tuple[str, ...] = ()
    """Of which the engine gives groups their addresses on this machine."""


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
    noun: str
    """What people call one of them."""
    busy_code: str
    """What a change is answered with (409) while another one goes on."""
    keeps_revisions: bool
    """Each definition can still be read when a newer one has followed."""

    def read(self, body: bytes, identity: ResourceId) -> Any:
        """Read a definition leniently.  Raises `Fault`."""

    def read_again(self, spec: bytes) -> Any:
        """Read a stored definition."""

    def resolve(self, wanted: Any, identity: ResourceId, admission: Admission, caller: Caller | None) -> Any:
        """Put in what the definition refers to, as far as the caller may use it.  Raises `Fault`.

        Control declares without a caller what a caller was allowed to ask for.
        """

    def patched(self, held: Any, body: bytes) -> Any:
        """Give a definition with the changes that a PATCH asks for.  Raises `Fault`."""

    def admit_tags(self, held: Any, after: Any, identity: ResourceId, admission: Admission) -> None:
        """Check tags that a PATCH changes against the world, right before they are written.  Raises `Fault`."""

    def idle(self, row: Row) -> bool:
        """Tell whether nothing of it runs, because it was stopped or has ended: a start or a PUT runs it anew."""

    def validate(self, wanted: Any, identity: ResourceId) -> None:
        """Check a definition by itself.  Raises one `Fault` with all problems."""

    async def admit(self, wanted: Any, held: Row | None, identity: ResourceId, admission: Admission) -> Any:
        """Check a definition against the world, and give it with what the service fills in.  Raises `Fault`."""

    async def admit_again(self, held: Any, verb: str, identity: ResourceId, admission: Admission) -> None:
        """Check against the world what is about to ``start`` or ``restart``.  Raises `Fault`."""

    def refuse_removal(self, row: Row, store: SqlStore) -> None:
        """Refuse to delete what others need.  Raises `Fault`."""

    def public(self, wanted: Any) -> bytes:
        """Give the definition as JSON, without secrets."""

    def whole(self, wanted: Any) -> bytes | None:
        """Give the definition as JSON with its secrets, or None if it has none."""

    def show(self, row: Row, shown: Shown) -> Model:
        """Give a resource as it is answered."""


class Defaults:
    """What is so for most kinds."""

    keeps_revisions = False
    busy_code = "AnotherOperationInProgress"

    def resolve(self, wanted: Any, identity: ResourceId, admission: Admission, caller: Caller | None) -> Any:
        """Give it as it is: it refers to nothing."""
        return wanted

    def patched(self, held: Any, body: bytes) -> Any:
        """Replace the tags."""
        asked = lenient.read(Resource, body)
        return held if asked.tags is None else replace(held, tags=asked.tags)

    def admit_tags(self, held: Any, after: Any, identity: ResourceId, admission: Admission) -> None:
        """Take any: they mean nothing to this service."""

    def idle(self, row: Row) -> bool:
        """Say no: it is not something that runs."""
        return False

    async def admit_again(self, held: Any, verb: str, identity: ResourceId, admission: Admission) -> None:
        """Let it: it needs nothing that may have gone."""

    def refuse_removal(self, row: Row, store: SqlStore) -> None:
        """Let it go: nothing needs it."""

    def whole(self, wanted: Any) -> bytes | None:
        """Give None: it has no secrets."""
        return None


def location(asked: str | None, identity: ResourceId, admission: Admission) -> str:
    """Give the region of a resource, which is its resource group's unless it names one, as Azure compares it."""
    if not asked:
        folder = admission.store.get(
            ResourceId(subscription=identity.subscription, resource_group=identity.resource_group).key
        )
        asked = msgspec.json.decode(folder.spec).get("location") if folder else None
        if not asked:
            raise Fault(400, "LocationRequired", "The location property is required for this definition.")
    return region(asked)


def region(written: str) -> str:
    """Write a region as Azure compares it: ``West US`` is ``westus``."""
    return written.replace(" ", "").lower()


def refuse_move(held: str | None, wanted: str, identity: ResourceId) -> None:
    """Refuse another location than the one that a resource has."""
    if held != wanted:
        raise Fault(
            409,
            "InvalidResourceLocation",
            f"The resource '{identity.name}' already exists in location '{held}' in resource group "
            f"'{identity.resource_group}'. A resource with the same name cannot be created in location "
            f"'{wanted}'. Please select a new resource name.",
        )
