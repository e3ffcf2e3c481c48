"""Roles: what they are, and who has which over what."""

from __future__ import annotations

from msgspec.structs import replace

from ...models import Permission, RoleAssignment, RoleDefinition, from_json
from ...wire import filters, ids
from ...wire.faults import Fault
from ...wire.ids import ResourceId
from ..answers import Answer, listed, shown
from ..call import Call
from ..identity.rights import ROLES, Role, role_of, within
from ..kinds import ROLE_ASSIGNMENTS
from ..kinds.authorization import definition_id
from ..kinds.networks import subnet
from .api import Api

_CALLED = frozenset(("call",))
_EQUAL = frozenset(("eq",))
_ASSIGNMENT_FILTER = {"atscope": _CALLED, "assignedto": _CALLED, "principalid": _EQUAL}
_DEFINITION_FILTER = {"atscope": _CALLED, "atscopeandbelow": _CALLED, "rolename": _EQUAL, "type": _EQUAL}


def _identity(call: Call) -> ResourceId:
    scope = ids.parse(call.params["scope"]) or ResourceId()
    return ResourceId(
        subscription=scope.subscription,
        resource_group=scope.resource_group,
        type=ROLE_ASSIGNMENTS.type,
        name=call.params["roleAssignmentName"],
        scope=call.params["scope"],
    )


def _check_scope(api: Api, call: Call) -> None:
    """Refuse a scope that is not there."""
    scope = ids.parse(call.params["scope"])
    if scope is None or not scope.subscription:
        return
    api.resources.home(scope, call)
    if scope.type and api.store.get(scope.key) is None and subnet(api.store, scope.text) is None:
        raise Fault(404, "ResourceNotFound", f"The Resource '{scope.type}/{scope.name}' under resource group "
                    f"'{scope.resource_group}' was not found.")  # fmt: skip


def list_(api: Api, call: Call) -> Answer:
    """List the assignments that count over a scope, and unless ``atScope()`` is asked for also those below it."""
    _check_scope(api, call)
    terms = filters.parse(call.query.get("$filter", ""), _ASSIGNMENT_FILTER)
    here = call.params["scope"].lower()
    only_here = any(term.name == "atscope" for term in terms)
    who = {term.text.lower() for term in terms if term.name in ("principalid", "assignedto")}
    found = []
    for row in api.store.every(ROLE_ASSIGNMENTS.name):
        each = from_json(RoleAssignment, row.spec)
        held = (each.scope or "").rstrip("/").lower()
        below = not only_here and within(held, here)
        if (within(here, held) or below) and (not who or {each.principal_id} == who):
            definition = definition_id(each.role_definition_id or "", call.subscription)
            found.append(replace(each, id=row.id, name=row.name, type=ROLE_ASSIGNMENTS.type,
                                 role_definition_id=definition))  # fmt: skip
    return listed(found)


def get(api: Api, call: Call) -> Answer:
    """Show an assignment."""
    return api.resources.get(ROLE_ASSIGNMENTS, _identity(call), call)


async def put(api: Api, call: Call) -> Answer:
    """Assign a role."""
    _check_scope(api, call)
    return await api.resources.put(ROLE_ASSIGNMENTS, _identity(call), call)


async def delete(api: Api, call: Call) -> Answer:
    """Take a role away."""
    return await api.resources.delete(ROLE_ASSIGNMENTS, _identity(call), call)


def list_definitions(api: Api, call: Call) -> Answer:
    """List the roles."""
    terms = filters.parse(call.query.get("$filter", ""), _DEFINITION_FILTER)
    names = [term.text.lower() for term in terms if term.name == "rolename"]
    custom = any(term.name == "type" and term.text.lower() != "builtinrole" for term in terms)
    return listed(
        _definition(role, call) for role in ROLES if not custom and (not names or names == [role.name.lower()])
    )


def get_definition(api: Api, call: Call) -> Answer:
    """Show a role."""
    role = role_of(call.params["roleDefinitionId"])
    if role is None:
        raise Fault(
            404,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{call.params['roleDefinitionId']}' does not exist.",
        )
    return shown(_definition(role, call))


def _definition(role: Role, call: Call) -> RoleDefinition:
    return RoleDefinition(
        id=definition_id(role.id, call.subscription),
        name=role.id,
        type="Microsoft.Authorization/roleDefinitions",
        role_name=role.name,
        role_type="BuiltInRole",
        description=role.description,
        permissions=[Permission(actions=[*role.actions], not_actions=[*role.not_actions])],
        assignable_scopes=["/"],
    )
