"""Makes and finds what `create` names around a group, as `az container create` does: subnet, workspace, role."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec

from ..client.documents import decode, decode_page
from ..errors import Conflict, NotFound
from ..models import (
    AddressSpace,
    Delegation,
    RoleAssignment,
    RoleDefinition,
    SharedKeys,
    Subnet,
    VirtualNetwork,
    Workspace,
    to_builtins,
    to_json,
)
from .exits import NOT_FOUND, Said
from .progress import step

if TYPE_CHECKING:
    from ..client._sync.container_instances import ContainerInstanceManagementClient

_NETWORK, _AUTHORIZATION, _WORKSPACES = "2022-01-01", "2022-04-01", "2020-08-01"
"""Versions of the APIs beside that of container groups."""
_DELEGATE = "Microsoft.ContainerInstance/containerGroups"


def subnet_id(vnet: str | None, subnet: str, subscription: str, folder: str) -> str:
    """Write the id of a subnet that is named by its id, or by its name and the name or the id of its network."""
    if subnet.startswith("/"):
        return subnet
    if not vnet:
        raise click.UsageError(f"'{subnet}' is no id: give --vnet too.")
    if not vnet.startswith("/"):
        vnet = (
            f"/subscriptions/{subscription}/resourceGroups/{folder}/providers/Microsoft.Network/virtualNetworks/{vnet}"
        )
    return f"{vnet}/subnets/{subnet}"


def ready_subnet(
    client: ContainerInstanceManagementClient, subnet: str, location: str, network_range: str, subnet_range: str
) -> None:
    """See to it that there is a subnet of this id that container groups may join."""
    at = subnet.lower().rfind("/subnets/")
    if at < 0:
        raise click.UsageError(f"'{subnet}' is no id of a subnet.")
    network, name = subnet[:at], subnet[at + len("/subnets/") :]
    doing = f"get subnet '{name}'"
    body = _get(client, subnet, doing)
    found = decode(Subnet, body, doing) if body else None
    if found is not None and found.delegations:
        others = [
            each.service_name for each in found.delegations if (each.service_name or "").lower() != _DELEGATE.lower()
        ]
        if others:
            raise Said(f"cannot use subnet '{name}': it is delegated to {others[0]}. Choose another --subnet.")
        return
    delegation = Delegation(name=_DELEGATE, service_name=_DELEGATE)
    if body is not None:
        # what it was, with members that this library does not know, such as its rules
        wanted = msgspec.json.decode(body)
        wanted.setdefault("properties", {})["delegations"] = [to_builtins(delegation)]
        _put(client, subnet, msgspec.json.encode(wanted), f"let container groups into subnet '{name}'")
        return
    short = network.rpartition("/")[2]
    if _get(client, network, f"get virtual network '{short}'") is None:
        made = VirtualNetwork(location=location, address_space=AddressSpace(address_prefixes=[network_range]))
        _put(client, network, to_json(made), f"make virtual network '{short}'")
    fresh = Subnet(address_prefix=subnet_range, delegations=[delegation])
    _put(client, subnet, to_json(fresh), f"make subnet '{name}'")


def _get(client: ContainerInstanceManagementClient, id_: str, doing: str) -> bytes | None:
    """Get something of a network, None if it is not there."""
    session = client._session
    try:
        return session.send("GET", session.root_url(*_names(id_), api_version=_NETWORK), doing=doing).body
    except NotFound as why:
        if why.code in ("SubscriptionNotFound", "ResourceGroupNotFound"):
            raise
        return None


def _put(client: ContainerInstanceManagementClient, id_: str, body: bytes, doing: str) -> None:
    from ..client._sync.poller import AzureOperationPoller, nothing

    session = client._session
    url = session.root_url(*_names(id_), api_version=_NETWORK)
    with step(doing):
        AzureOperationPoller.start(session, "PUT", url, nothing, doing=doing, body=body).result()


def _names(id_: str) -> list[str]:
    return id_.strip("/").split("/")


class Found(NamedTuple):
    """A log workspace by what a group names it by."""

    id: str
    customer_id: str
    key: str

    def __repr__(self) -> str:
        """Leave out the key."""
        return f"Found(id={self.id!r})"


def workspace(client: ContainerInstanceManagementClient, wanted: str) -> Found:
    """Find a log workspace of the subscription by its name or its customer id, and its key."""
    session = client._session
    doing = f"find the log workspace {wanted!r}"
    kind = ("providers", "Microsoft.OperationalInsights", "workspaces")
    url: str | None = session.url(*kind, api_version=_WORKSPACES)
    while url:
        every, url = decode_page(Workspace, session.send("GET", url, doing=doing).body, doing)
        for each in every:
            if each.id and each.customer_id and wanted.lower() in ((each.name or "").lower(), each.customer_id.lower()):
                asked = session.root_url(*_names(each.id), "sharedKeys", api_version=_WORKSPACES)
                keys = decode(SharedKeys, session.send("POST", asked, doing=doing).body, doing)
                return Found(each.id, each.customer_id, keys.primary_shared_key or "")
    raise Said(
        f"there is no log workspace '{wanted}' in the subscription. "
        "Give its name, or its customer id with --log-analytics-workspace-key.",
        NOT_FOUND,
    )


def give_role(client: ContainerInstanceManagementClient, principal: str, definition: str, scope: str) -> None:
    """Give a principal the role of this id over a scope; that it has it already is no error."""
    session = client._session
    wanted = RoleAssignment(
        role_definition_id=definition, principal_id=principal,
        principal_type="ServicePrincipal",  # so Azure does not look in a directory that has not heard of it yet
    )  # fmt: skip
    # its name follows from what it says, so that doing it again does it once
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}|{definition}|{principal}".lower()))
    assignment = (*_names(scope), "providers", "Microsoft.Authorization", "roleAssignments", name)
    doing = f"give the group's identity a role over {scope}"
    try:
        session.send(
            "PUT", session.root_url(*assignment, api_version=_AUTHORIZATION), doing=doing,
            body=to_json(wanted),
        )  # fmt: skip
    except Conflict as why:
        if why.code != "RoleAssignmentExists":
            raise


def role_id(client: ContainerInstanceManagementClient, role: str, scope: str) -> str:
    """Give the id of a role that is named by its name or its id."""
    session = client._session
    if role.startswith("/"):
        return role
    definitions = ("providers", "Microsoft.Authorization", "roleDefinitions")
    try:
        return f"/subscriptions/{session.subscription_id}/{'/'.join(definitions)}/{uuid.UUID(role)}"
    except ValueError:
        pass  # a name
    doing = f"find the role {role!r}"
    quoted = role.replace("'", "''")
    url = session.root_url(
        *_names(scope), *definitions, query={"$filter": f"roleName eq '{quoted}'"}, api_version=_AUTHORIZATION
    )
    every, _ = decode_page(RoleDefinition, session.send("GET", url, doing=doing).body, doing)
    for each in every:
        if each.id:
            return each.id
    raise Said(f"there is no role '{role}'. Give the name or the id of one: Contributor, Reader ...", NOT_FOUND)
