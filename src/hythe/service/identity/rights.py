"""Decides who may do what: built-in roles, assigned over a scope and all that is below it.

Assignments are resources like others (`kinds.authorization`); this keeps a copy of them that is as old as the last
change, so that a request costs no query.
"""

from __future__ import annotations

import re
import time
import uuid
from functools import lru_cache

import msgspec
from msgspec import Struct

from ...wire.ids import ResourceId, parse
from ..store import Change, Outcome, Row, SqlStore

ASSIGNMENTS = "roleAssignments"
"""`Row.kind` of a role assignment."""


class Role(Struct, frozen=True, kw_only=True):
    """A built-in role."""

    id: str
    name: str
    description: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()


OWNER = Role(
    id="8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    name="Owner",
    description="Grants full access to manage all resources, including the ability to assign roles.",
    actions=("*",),
)
CONTRIBUTOR = Role(
    id="b24988ac-6180-42a0-ab88-20f7382dd24c",
    name="Contributor",
    description="Grants full access to manage all resources, but does not allow to assign roles.",
    actions=("*",),
    not_actions=(
        "Microsoft.Authorization/*/Delete",
        "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action",
    ),
)
READER = Role(
    id="acdd72a7-3385-48ef-bd42-f606fba81ae7",
    name="Reader",
    description="View all resources, but does not allow to make any changes.",
    actions=("*/read",),
)
ACI_CONTRIBUTOR = Role(
    id="5d977122-f97e-4b4d-a52f-6b43003ddb4d",
    name="Azure Container Instances Contributor Role",
    description="Grants read/write access to container groups.",
    actions=(
        "Microsoft.Authorization/*/read",
        "Microsoft.ContainerInstance/containerGroups/*",
        "Microsoft.Insights/alertRules/*",
        "Microsoft.ResourceHealth/availabilityStatuses/read",
        "Microsoft.Resources/deployments/*",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        "Microsoft.Support/*",
    ),
)
ROLES: tuple[Role, ...] = (OWNER, CONTRIBUTOR, READER, ACI_CONTRIBUTOR)
_BY_ID = {role.id: role for role in ROLES}


def role_of(definition_id: str) -> Role | None:
    """Find a role by the last part of a role definition's id."""
    return _BY_ID.get(definition_id.rpartition("/")[2].lower())


def role_named(word: str) -> Role | None:
    """Find a role by its name or its id, in any case."""
    return next((role for role in ROLES if role.name.lower() == word.lower()), None) or role_of(word)


@lru_cache(maxsize=4096)
def permits(role_id: str, action: str) -> bool:
    """Tell whether a role allows an action; ``*`` stands for any text, and case does not matter."""
    role = _BY_ID[role_id]
    return _any(role.actions, action) and not _any(role.not_actions, action)


def _any(patterns: tuple[str, ...], action: str) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE | re.DOTALL) for pattern in patterns
    )


class _Properties(Struct, rename="camel"):
    role_definition_id: str
    principal_id: str
    scope: str


class _Assignment(Struct):
    properties: _Properties


def within(scope: str, held: str) -> bool:
    """Tell whether a scope is, or lies below, another; both in lower case, ``""`` being the tenant."""
    return not held or scope == held or scope.startswith(f"{held}/")


class Rights:
    """Answers from the assignments in the store."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._seen = -1
        self._held: dict[str, list[tuple[str, str]]] = {}

    def may(self, object_id: str, action: str, scope: str) -> bool:
        """Tell whether a principal may do something over a scope (an id in lower case, ``""`` for the tenant)."""
        return any(within(scope, held) and permits(role, action) for held, role in self._of(object_id))

    def sees(self, object_id: str, scope: str) -> bool:
        """Tell whether a principal has any role over a scope, or over something in it."""
        return any(within(scope, held) or within(held, scope) for held, _ in self._of(object_id))

    def _of(self, object_id: str) -> list[tuple[str, str]]:
        changes = self._store.changes(ASSIGNMENTS)
        if changes != self._seen:
            held: dict[str, list[tuple[str, str]]] = {}
            for row in self._store.every(ASSIGNMENTS):
                if row.desired == "gone":
                    continue
                each = msgspec.json.decode(row.spec, type=_Assignment).properties
                role = role_of(each.role_definition_id)
                if role is not None:
                    held.setdefault(each.principal_id, []).append((each.scope.rstrip("/").lower(), role.id))
            self._held, self._seen = held, changes
        return self._held.get(object_id.lower(), [])


def grant(store: SqlStore, principal_id: str, role: Role, scope: str) -> None:
    """Assign a role over a scope: an id, or ``""`` for the tenant.  Raises ValueError if that is no id."""
    over = parse(scope)
    if over is None:
        raise ValueError(f"cannot assign a role over '{scope}': that is no id. Give /subscriptions/<id> or one below.")
    text = over.text
    identity = ResourceId(
        subscription=over.subscription,
        resource_group=over.resource_group,
        type="Microsoft.Authorization/roleAssignments",
        name=str(uuid.uuid4()),
        scope=text,
    )
    now = time.time()
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    definition = f"{text}/providers/Microsoft.Authorization/roleDefinitions/{role.id}"
    properties = {
        "scope": text or "/",
        "roleDefinitionId": definition,
        "principalId": principal_id.lower(),
        "principalType": "ServicePrincipal",
        "createdOn": moment,
        "updatedOn": moment,
    }
    row = Row(
        key=identity.key,
        kind=ASSIGNMENTS,
        subscription=over.subscription.lower(),
        resource_group=over.resource_group.lower(),
        name=identity.name,
        id=identity.text,
        uid=uuid.uuid4().hex,
        spec=msgspec.json.encode({"properties": properties}),
        changed_at=now,
    )
    store.declare(Change(row=row))
    done = Outcome(
        key=row.key, uid=row.uid, generation=1, status=b"{}", provisioning_state="Succeeded", done=True
    )  # nothing has to be carried out
    store.settle(done, now)
