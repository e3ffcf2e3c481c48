"""Deployments: what was asked for together, by whom, and how far it came."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from ...models import Deployment, Model, from_json, to_json
from ...wire.faults import Fault
from ...wire.ids import ResourceId
from ...wire.templates import MOST_RESOURCES
from ..store import DeploymentStatus, Row
from .base import Admission, Defaults, Shown
from .records import check_name

_LONGEST_NAME = 64
_STATES = {"Pending": "Accepted", "Creating": "Running", "Updating": "Running"}


class Deployed(Model, kw_only=True):
    """A deployment as it is stored: checked, with every parameter's value."""

    __outer__: ClassVar[tuple[str, ...]] = ("location", "tags")
    __secrets__: ClassVar[frozenset[str]] = frozenset(("secure",))

    location: str | None = None
    tags: dict[str, str] | None = None
    mode: str = "Incremental"
    template: dict[str, Any] = {}  # noqa: RUF012 - msgspec copies it
    """Encrypted in the store: people write secrets into templates."""
    types: dict[str, str] = {}  # noqa: RUF012
    """Types of all parameters by name."""
    parameters: dict[str, Any] = {}  # noqa: RUF012
    """Values by name, without the secure ones."""
    secure: dict[str, Any] | None = None
    """Values of secure parameters: encrypted in the store."""
    app_id: str = ""
    """Who deploys: the resources are asked for with this caller's rights."""
    object_id: str = ""
    tenant: str = ""
    base_url: str = ""
    moment: float = 0.0
    """What utcNow() gives, in seconds since 1970."""
    seed: str = ""
    """What newGuid() is made of."""
    correlation: str = ""
    """The seed of the outermost deployment, which those nested in it share."""
    outer: str = ""
    """The seed of the deployment that this one is nested in, or empty."""
    count: int = 0
    """How many resources this deployment's template asks for, and those which had its name in the same whole."""


class Deployments(Defaults):
    """The kind of deployments; their handlers write the definition, callers do not."""

    name = "deployments"
    type = "Microsoft.Resources/deployments"
    noun = "deployment"

    def read(self, body: bytes, identity: ResourceId) -> Deployed:
        """Read a definition as the handler wrote it."""
        return from_json(Deployed, body)

    def read_again(self, spec: bytes) -> Deployed:
        """Read a stored definition."""
        return from_json(Deployed, spec)

    def validate(self, wanted: Deployed, identity: ResourceId) -> None:
        """Check the name."""
        check_name(self.type, identity.name, _LONGEST_NAME)

    async def admit(self, wanted: Deployed, held: Row | None, identity: ResourceId, admission: Admission) -> Deployed:
        """Bound what it asks for together with all that it is nested in and beside; the handler has checked the rest.

        Counted is what was asked for, not what there is: nested deployments may take each other's names.
        """
        before = self.read_again(held.spec) if held else None
        if before and before.correlation == wanted.correlation and before.outer != wanted.outer:
            wanted = replace(wanted, count=wanted.count + before.count)
        mark = f'"correlation":"{wanted.correlation}"'  # new with each outermost one: nothing else can have it yet
        specs = admission.store.holders(self.name, mark, apart_from=identity.key) if wanted.outer else []
        together = [each for each in map(self.read_again, specs) if each.correlation == wanted.correlation]
        if wanted.count + sum(each.count for each in together) > MOST_RESOURCES:
            raise Fault(
                400,
                "InvalidTemplate",
                f"Deployment template validation failed: 'The template and those nested with it have more than "
                f"{MOST_RESOURCES} resources'.",
            )
        return wanted

    def public(self, wanted: Deployed) -> bytes:
        """Give the definition without template and secure parameters."""
        return to_json(replace(wanted, secure=None, template={}))

    def whole(self, wanted: Deployed) -> bytes | None:
        """Give the definition with template and secure parameters."""
        return to_json(wanted)

    def show(self, row: Row, shown: Shown) -> Model:
        """Give a deployment as it is answered."""
        held = self.read_again(row.spec)
        status = msgspec.json.decode(row.status, type=DeploymentStatus) if row.status else DeploymentStatus()
        if status.generation != row.generation:
            status = DeploymentStatus(begun_at=row.changed_at)
        state = _STATES.get(row.provisioning_state, row.provisioning_state)
        taken = max(0.0, (status.ended_at or time.time()) - (status.begun_at or row.changed_at))
        return Deployment(
            id=row.id,
            name=row.name,
            type=self.type,
            location=held.location,
            tags=held.tags,
            mode=held.mode,
            parameters=shown_parameters(held),
            outputs=status.outputs or None,
            output_resources=[{"id": each.id} for each in status.steps.values() if each.state == "Succeeded"],
            dependencies=[],
            providers=[],
            correlation_id=held.correlation or held.seed,
            timestamp=moment(status.ended_at or row.changed_at),
            duration=f"PT{taken:.3f}S",
            error=error_of(status) if status.code and state in ("Failed", "Canceled") else None,
            provisioning_state="Deleting" if row.desired == "gone" else state,
        )


def shown_parameters(held: Deployed) -> dict[str, Any]:
    """Give parameters as answers show them: secure ones without their values."""
    out: dict[str, Any] = {}
    for name, type_ in held.types.items():
        out[name] = {"type": type_[:1].upper() + type_[1:]}
        if name in held.parameters:
            out[name]["value"] = held.parameters[name]
    return out


def error_of(status: DeploymentStatus) -> dict[str, Any]:
    """Give the error document of a deployment that failed."""
    details = [
        {"code": each.code or "ResourceDeploymentFailure", "message": each.message, "target": each.id}
        for each in status.steps.values()
        if each.state == "Failed"
    ]
    return {"code": status.code, "message": status.message, "details": details}


def moment(seconds: float) -> str:
    """Write a moment."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
