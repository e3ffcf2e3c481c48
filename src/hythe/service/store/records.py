"""What the store holds, as plain data.  Each field says who writes it; nobody else does."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from ...models import ContainerPropertiesInstanceView, Event


class Row(Struct, kw_only=True):
    """One resource: a container group, a resource group."""

    key: str
    """The ARM id in lower case.  Written by: API."""
    kind: str
    """Written by: API."""
    subscription: str
    """In lower case.  Written by: API."""
    resource_group: str
    """In lower case.  Written by: API."""
    name: str
    """As the caller wrote it.  Written by: API."""
    id: str
    """As the caller wrote it.  Written by: API."""
    uid: str
    """Identity of this life of the resource; a resource made again has another.  Written by: API."""
    spec: bytes
    """The definition as JSON, without secrets.  Written by: API."""
    secrets: bytes | None = None
    """What `spec` lacks, encrypted; never part of what API reads select.  Written by: API."""
    desired: str = "run"
    """run, stop or gone.  Written by: API."""
    epoch: int = 0
    """Raised by start and restart.  Written by: API."""
    generation: int = 1
    """Raised by every change.  Written by: API."""
    changed_at: float = 0.0
    """When the generation was raised, in seconds since 1970.  Written by: API."""
    status: bytes = b""
    """What control knows, as JSON.  Written by: control."""
    provisioning_state: str = "Pending"
    """Written by: API on a change (Pending, Updating, Deleting), control afterwards."""
    settled_generation: int = 0
    """The newest generation that was carried out.  Written by: control."""
    wake_at: float | None = None
    """When it is due, in seconds since 1970; None for not at all.  Written by: API (now), control."""
    parent: str = ""
    """Id of the resource that it was made for, as that one's row has it: a set, a sandbox group.  Written by: API."""
    parent_epoch: int = 0
    """The parent's epoch that it has followed: a start or restart of the parent reaches it once.  Written by: API."""
    subnet: str = ""
    """ARM id, in lower case, of the subnet that it is in; empty for none.  Never changes.  Written by: API."""
    address: str = ""
    """Its address there, which it has until its row goes.  Written by: API."""

    @property
    def folder(self) -> str:
        """Key of the resource group that it lies in, or is; empty if it lies in none."""
        return f"/subscriptions/{self.subscription}/resourcegroups/{self.resource_group}" if self.resource_group else ""


class View(Struct, kw_only=True, omit_defaults=True):
    """What a caller sees of a group's life.  Written by: control."""

    state: str = "Pending"
    ip: str | None = None
    containers: dict[str, ContainerPropertiesInstanceView] = {}
    """By name, init containers too."""
    events: list[Event] = []
    """Of the group itself."""
    ready: dict[str, bool] = {}
    """By name, containers with a readiness probe only: whether it runs and the probe lets it be reached."""


class Status(Struct, kw_only=True, omit_defaults=True):
    """The part of a row's status that the API reads; control keeps its own memory beside it."""

    view: View = field(default_factory=View)


class StepState(Struct, kw_only=True, omit_defaults=True):
    """Where one resource of a deployment stands.  Written by: control."""

    id: str
    type: str
    state: str = "Running"
    """Running, Succeeded or Failed."""
    generation: int = 0
    """Of the resource, with which it is done."""
    begun_at: float = 0.0
    ended_at: float = 0.0
    code: str = ""
    message: str = ""


class DeploymentStatus(Struct, kw_only=True, omit_defaults=True):
    """The status of a deployment's row.  Written by: control."""

    generation: int = 0
    """The generation that this is about."""
    begun_at: float = 0.0
    ended_at: float = 0.0
    steps: dict[str, StepState] = {}
    """By the resource's key."""
    outputs: dict[str, Any] = {}
    code: str = ""
    message: str = ""


class Operation(Struct, kw_only=True):
    """Something long that was asked for.  Opened by the API, closed by control."""

    id: str
    key: str
    """Of the resource."""
    resource_id: str
    """As the caller wrote it."""
    subscription: str
    generation: int
    """The generation of the resource with which it is done."""
    started_at: float
    status: str = "Pending"
    error_code: str = ""
    error_message: str = ""
    events: bytes = b"[]"
    """The events of the containers at its end, as JSON."""


class Note(Struct, kw_only=True, frozen=True):
    """A definition that changes along with another resource; what it belongs to becomes due, and nothing more."""

    key: str
    uid: str
    spec: bytes


class Change(Struct, kw_only=True):
    """What the API wants written in one transaction."""

    row: Row
    """With the generation it should have: one more than the row it was made from, 1 for a new one."""
    operation: Operation | None = None
    keep_secrets: bool = False
    """The definition is the old one: its secrets stay as they are."""
    from_warm: bool = False
    """The row's uid is that of a sandbox made ahead: it is taken in the same transaction."""
    with_contents: bool = False
    """Everything in the same resource group is to be gone too."""
    keep_revision: bool = False
    """The definition can be read under its generation for as long as the resource lives."""
    note: Note | None = None
    """What changes in another resource at the same moment."""


class Outcome(Struct, kw_only=True):
    """What control found out in one pass, written in one transaction."""

    key: str
    uid: str
    generation: int
    """The generation that was worked on; a newer one is left alone, and due at once."""
    status: bytes
    provisioning_state: str
    done: bool
    """The generation is carried out, or has failed for good: its operations end."""
    wake_at: float | None = None
    error_code: str = ""
    error_message: str = ""
    events: bytes = b"[]"
    gone: bool = False
    """Nothing is left of it: the row goes."""


class Subscription(Struct, kw_only=True, frozen=True):
    """What resource groups belong to."""

    id: str
    name: str
    tenant: str


class Principal(Struct, kw_only=True, frozen=True):
    """Someone who may sign in.  The secret is kept as a hash only."""

    app_id: str
    object_id: str
    tenant: str
    display_name: str
    secret_hash: str
    created_at: float


class Share(Struct, kw_only=True, frozen=True):
    """A file share.  Written by: the owner's routes."""

    account: str
    name: str
    quota_gb: float = 0.0
    """Most that it may hold, in GB of 2**30 bytes; 0 for no limit."""
