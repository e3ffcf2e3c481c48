"""Role assignments: who has which role over which scope."""

from __future__ import annotations

import re
import time

from msgspec.structs import replace

from ...models import RoleAssignment
from ...wire.faults import Fault, invalid_content
from ...wire.ids import ResourceId
from ..identity.rights import ASSIGNMENTS, role_of
from ..store import Row
from .base import Admission, Shown
from .records import Record

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class RoleAssignments(Record[RoleAssignment]):
    """The kind of role assignments; they extend a tenant, a subscription, a resource group or a resource."""

    name = ASSIGNMENTS
    type = "Microsoft.Authorization/roleAssignments"
    noun = "role assignment"
    model = RoleAssignment
    read_only = ("id", "name", "type", "scope", "created_on", "updated_on")

    def validate(self, wanted: RoleAssignment, identity: ResourceId) -> None:
        """Check the name, the role and the principal."""
        if not _GUID.fullmatch(identity.name):
            raise Fault(
                400, "InvalidRoleAssignmentId", f"The role assignment ID '{identity.name}' is not valid. "
                "The role assignment ID must be a GUID.",
            )  # fmt: skip
        if not wanted.principal_id or not wanted.role_definition_id:
            lacks = "roleDefinitionId" if wanted.principal_id else "principalId"
            raise invalid_content(f"Required property '{lacks}' not found in JSON. Path 'properties'.")
        if not _GUID.fullmatch(wanted.principal_id):
            raise Fault(
                400,
                "InvalidPrincipalId",
                f"The principal ID '{wanted.principal_id}' is not valid. Principal ID must be a GUID.",
            )
        if role_of(wanted.role_definition_id) is None:
            raise Fault(
                400,
                "RoleDefinitionDoesNotExist",
                f"The specified role definition with ID '{wanted.role_definition_id.rpartition('/')[2]}' does not "
                "exist. This service has the roles Owner, Contributor, Reader and Azure Container Instances "
                "Contributor Role.",
            )

    async def admit(
        self, wanted: RoleAssignment, held: Row | None, identity: ResourceId, admission: Admission
    ) -> RoleAssignment:
        """Refuse the same assignment twice, and another one under the same name."""
        role = role_of(wanted.role_definition_id or "")
        if held is not None:
            before = self.read_again(held.spec)
            before_role = role_of(before.role_definition_id or "")
            if (before.principal_id, before_role) != ((wanted.principal_id or "").lower(), role):
                raise Fault(
                    400,
                    "RoleAssignmentUpdateNotPermitted",
                    "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
                )
            return replace(before, description=wanted.description, updated_on=_now())
        for row in admission.store.every(self.name):
            other = self.read_again(row.spec)
            same = other.principal_id == (wanted.principal_id or "").lower()
            if (
                same
                and role_of(other.role_definition_id or "") == role
                and (other.scope or "").lower() == (identity.scope.lower() or "/")
            ):
                raise Fault(
                    409,
                    "RoleAssignmentExists",
                    f"The role assignment already exists. The ID of the existing role assignment is {row.name}.",
                )
        now = _now()
        return replace(
            wanted,
            scope=identity.scope or "/",
            principal_id=(wanted.principal_id or "").lower(),
            principal_type=wanted.principal_type or "ServicePrincipal",
            created_on=now,
            updated_on=now,
        )

    def show(self, row: Row, shown: Shown) -> RoleAssignment:
        """Give an assignment as it is answered."""
        held = self.read_again(row.spec)
        definition = definition_id(held.role_definition_id or "", row.subscription)
        return replace(held, id=row.id, name=row.name, type=self.type, role_definition_id=definition)


def definition_id(any_id: str, subscription: str) -> str:
    """Give the id of a role definition as a subscription sees it, or as the tenant does: clients compare ids."""
    head = f"/subscriptions/{subscription}" if subscription else ""
    return f"{head}/providers/Microsoft.Authorization/roleDefinitions/{any_id.rpartition('/')[2]}"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
