"""The one table of routes: method, path, the operation's name in the contract, its handler, the right that it needs.

Paths are matched without regard to case, and ``//`` counts as ``/``: clients send both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from types import ModuleType
from typing import Any
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace

from ..wire import ids
from .answers import Answer, empty
from .call import Call, Lro
from .handlers import (
    Api,
    authorization,
    deployments,
    description,
    directory,
    folders,
    generic,
    graph,
    groups,
    insights,
    locations,
    n_groups,
    network,
    owner,
    profiles,
    records,
    sandbox_groups,
    streams,
    workspaces,
)  # fmt: skip
from .handlers.records import Records

Handler = Callable[[Api, Call], "Answer | Awaitable[Answer]"]

S = "/subscriptions/{subscriptionId}"
RG = S + "/resourceGroups/{resourceGroupName}"
P = "/providers/Microsoft.ContainerInstance"
G = RG + P + "/containerGroups/{containerGroupName}"
C = G + "/containers/{containerName}"
CGP = RG + P + "/containerGroupProfiles/{containerGroupProfileName}"
N = RG + P + "/ngroups/{ngroupsName}"
L = S + P + "/locations/{location}"
LINK = (RG + "/providers/Microsoft.Network/virtualNetworks/{virtualNetworkName}/subnets/{subnetName}"
        + P + "/serviceAssociationLinks/default")  # fmt: skip


class Route(Struct, frozen=True, kw_only=True):
    """One operation."""

    method: str
    path: str
    name: str
    """operationId of the contract, or a name of our own."""
    handler: Handler
    action: str = ""
    """The right that a caller needs, as role definitions write it; empty where being signed in is enough."""
    provider: str = "Microsoft.ContainerInstance"
    """Whose api-versions are accepted: that provider's, any date for Microsoft.Resources, none for our own."""
    open: bool = False
    """Answered without a token."""
    bearer: bool = False
    """With ``open``: the handler checks the token, which is not one of the authority's."""
    lro: Lro = Lro()
    """Success codes, and where the end of the operation can be seen."""
    streamed: bool = False
    """Reads its body as it comes, of whatever size."""


def _route(method: str, path: str, name: str, handler: Handler, action: str = "", **more: object) -> Route:
    return Route(method=method, path=path, name=name, handler=handler, action=action, **more)  # type: ignore[arg-type]


_GROUP = "Microsoft.ContainerInstance/containerGroups"
_LOCATION = "Microsoft.ContainerInstance/locations"
SOCKET = "(websocket)"
"""Stands for a method in a route that the handshake of a websocket leads to; no method of HTTP can be called so."""
_ARM = {"provider": "Microsoft.Resources"}
_OWN = {"provider": ""}
_TOKEN: dict[str, Any] = {"provider": "", "open": True, "bearer": True}
_PROFILE = "Microsoft.ContainerInstance/containerGroupProfiles"
_SET = "Microsoft.ContainerInstance/ngroups"
_BOX = "Microsoft.ContainerInstance/sandboxGroups"

# How operations answer: see `Lro`.
_BOTH = ("Azure-AsyncOperation", "Location")
_AT_ONCE = Lro(hold=True)
_STOP = Lro(hold=True, done=204, idle=204, headers=())
_RESTART = Lro(done=204, pending=204)
_START = Lro(done=202, pending=202, always=True, idle=204, headers=_BOTH)
_SET_PUT = Lro(word="operationStatuses")
_SET_PATCH = Lro(pending=202, headers=_BOTH, word="operationStatuses")
_SET_202 = Lro(done=202, pending=202, always=True, body=False, headers=_BOTH, word="operationStatuses")

_SUBNET = "Microsoft.Network/virtualNetworks/subnets"
ANY = "/{scope}"
"""Whatever id stands before: a resource, a resource group, a subscription, or nothing."""
TAGS = ANY + "/providers/Microsoft.Resources/tags/default"
SUBNETS = RG + "/providers/Microsoft.Network/virtualNetworks/{virtualNetworkName}/subnets"


def _resource(type_: str, name: str, param: str, module: ModuleType | Records) -> tuple[Route, ...]:
    """Give the routes that a resource of a resource group usually has."""
    path = f"/providers/{type_}"
    return (
        _route("GET", S + path, f"{name}_List", module.list_all, f"{type_}/read", **_ARM),
        _route("GET", RG + path, f"{name}_ListByResourceGroup", module.list_in, f"{type_}/read", **_ARM),
        _route("GET", f"{RG}{path}/{param}", f"{name}_Get", module.get, f"{type_}/read", **_ARM),
        _route("PUT", f"{RG}{path}/{param}", f"{name}_CreateOrUpdate", module.put, f"{type_}/write", **_ARM),
        _route("PATCH", f"{RG}{path}/{param}", f"{name}_Update", module.patch, f"{type_}/write", **_ARM),
        _route("DELETE", f"{RG}{path}/{param}", f"{name}_Delete", module.delete, f"{type_}/delete", **_ARM),
    )


def _on_any_scope(type_: str, name: str, param: str, module: ModuleType) -> tuple[Route, ...]:
    """Give the routes of what extends any scope."""
    path = f"{ANY}/providers/{type_}"
    return (
        _route("GET", path, f"{name}_ListForScope", module.list_, f"{type_}/read", **_ARM),
        _route("GET", f"{path}/{param}", f"{name}_Get", module.get, f"{type_}/read", **_ARM),
        _route("PUT", f"{path}/{param}", f"{name}_Create", module.put, f"{type_}/write", **_ARM),
        _route("DELETE", f"{path}/{param}", f"{name}_Delete", module.delete, f"{type_}/delete", **_ARM),
    )


def _deployments(where: str, suffix: str) -> tuple[Route, ...]:
    """Give the routes of deployments to a resource group or a subscription."""
    type_ = "Microsoft.Resources/deployments"
    all_ = f"{where}/providers/{type_}"
    one = f"{all_}/{{deploymentName}}"
    # Azure's path for the operations of a resource group's deployment has no provider in it.
    steps = f"{where}/deployments/{{deploymentName}}/operations" if where == RG else f"{one}/operations"
    return tuple(
        _route(method, path, f"Deployments_{name}{suffix}", handler, f"{type_}/{action}", **_ARM)
        for method, path, name, handler, action in (
            ("GET", all_, "List", deployments.list_, "read"),
            ("HEAD", one, "CheckExistence", deployments.check, "read"),
            ("GET", one, "Get", deployments.get, "read"),
            ("PUT", one, "CreateOrUpdate", deployments.put, "write"),
            ("DELETE", one, "Delete", deployments.delete, "delete"),
            ("POST", f"{one}/validate", "Validate", deployments.validate, "validate/action"),
            ("POST", f"{one}/whatIf", "WhatIf", deployments.what_if, "whatIf/action"),
            ("POST", f"{one}/cancel", "Cancel", deployments.cancel, "cancel/action"),
            ("POST", f"{one}/exportTemplate", "ExportTemplate", deployments.export, "exportTemplate/action"),
            ("GET", steps, "ListOperations", deployments.list_operations, "operations/read"),
            ("GET", f"{steps}/{{operationId}}", "GetOperation", deployments.get_operation, "operations/read"),
        )
    )


def _only_whether(handler: Handler) -> Handler:
    """Answer 204 if there is what a handler shows."""

    async def check(api: Api, call: Call) -> Answer:
        """Tell whether a resource is there."""
        answer = handler(api, call)
        if isawaitable(answer):
            await answer
        return empty(204)

    return check


def _with_existence(routes: tuple[Route, ...]) -> tuple[Route, ...]:
    """Add what ARM's clients ask before they put a resource (checkExistenceById): HEAD, of all that can be put."""
    can = {(route.method, route.path) for route in routes if route.provider}
    return routes + tuple(
        replace(
            route,
            method="HEAD",
            name=route.name.replace("_Get", "_CheckExistence"),
            handler=_only_whether(route.handler),
        )
        for route in routes
        if route.method == "GET" and "_Get" in route.name
        and ("PUT", route.path) in can and ("HEAD", route.path) not in can
    )  # fmt: skip


ROUTES: tuple[Route, ...] = _with_existence((
    _route("GET", P + "/operations", "Operations_List", locations.operations),
    _route("GET", L + "/usages", "Location_ListUsage", locations.usages, f"{_LOCATION}/usages/read"),
    _route("GET", L + "/capabilities", "Location_ListCapabilities", locations.capabilities,
           f"{_LOCATION}/capabilities/read"),
    _route("GET", L + "/cachedImages", "Location_ListCachedImages", locations.cached_images,
           f"{_LOCATION}/cachedImages/read"),
    _route("DELETE", LINK, "SubnetServiceAssociationLink_Delete", locations.unlink_subnet,
           "Microsoft.ContainerInstance/serviceAssociationLinks/delete"),
    _route("GET", S + P + "/containerGroups", "ContainerGroups_List", groups.list_all, f"{_GROUP}/read"),
    _route("GET", RG + P + "/containerGroups", "ContainerGroups_ListByResourceGroup",
           groups.list_in, f"{_GROUP}/read"),
    _route("GET", G, "ContainerGroups_Get", groups.get, f"{_GROUP}/read"),
    _route("PUT", G, "ContainerGroups_CreateOrUpdate", groups.put, f"{_GROUP}/write"),
    _route("PATCH", G, "ContainerGroups_Update", groups.patch, f"{_GROUP}/write"),
    _route("DELETE", G, "ContainerGroups_Delete", groups.delete, f"{_GROUP}/delete",
           lro=_AT_ONCE),
    _route("POST", G + "/start", "ContainerGroups_Start", groups.start, f"{_GROUP}/start/action", lro=_START),
    _route("POST", G + "/stop", "ContainerGroups_Stop", groups.stop, f"{_GROUP}/stop/action", lro=_STOP),
    _route("POST", G + "/restart", "ContainerGroups_Restart", groups.restart, f"{_GROUP}/restart/action",
           lro=_RESTART),
    _route("GET", G + "/outboundNetworkDependenciesEndpoints",
           "ContainerGroups_GetOutboundNetworkDependenciesEndpoints", groups.outbound,
           f"{_GROUP}/outboundNetworkDependenciesEndpoints/read"),
    _route("GET", C + "/logs", "Containers_ListLogs", streams.logs, f"{_GROUP}/containers/logs/read"),
    _route("POST", C + "/exec", "Containers_ExecuteCommand", streams.exec, f"{_GROUP}/containers/exec/action"),
    _route("POST", C + "/attach", "Containers_Attach", streams.attach, f"{_GROUP}/containers/attach/action"),
    _route(SOCKET, "/execstream/sessionId/{sessionId}", "exec_session", streams.exec_session, open=True, **_OWN),
    _route(SOCKET, "/logstream/sessionId/{sessionId}", "attach_session", streams.attach_session, open=True, **_OWN),
    _route(SOCKET, G + "/portForward", "port_forward", streams.forward, f"{_GROUP}/portForward/action"),
    _route("GET", C + "/archive", "copy_out", streams.copy_out, f"{_GROUP}/containers/exec/action"),
    _route("PUT", C + "/archive", "copy_in", streams.copy_in, f"{_GROUP}/containers/exec/action", streamed=True),
    _route("GET", G + "/stats", "ContainerGroups_Stats", insights.stats, f"{_GROUP}/read"),
    _route("GET", G + "/providers/Microsoft.Insights/metrics", "Metrics_List", insights.metrics,
           insights.READ_METRICS, **_ARM),
    _route("GET", G + "/providers/Microsoft.Insights/metricDefinitions", "MetricDefinitions_List",
           insights.definitions, "Microsoft.Insights/metricDefinitions/read", **_ARM),
    _route("GET", "/metrics", "prometheus", insights.prometheus, **_OWN),
    _route("GET", L + "/operations/{operationId}", "monitor", groups.operation),
    _route("GET", S + P + "/locations/{location}/operationStatuses/{operationId}", "monitor", groups.operation),

    _route("GET", S + P + "/containerGroupProfiles", "CGProfiles_ListBySubscription",
           profiles.list_all, f"{_PROFILE}/read"),
    _route("GET", RG + P + "/containerGroupProfiles", "CGProfiles_ListByResourceGroup",
           profiles.list_in, f"{_PROFILE}/read"),
    _route("GET", CGP, "CGProfile_Get", profiles.get, f"{_PROFILE}/read"),
    _route("PUT", CGP, "CGProfile_CreateOrUpdate", profiles.put, f"{_PROFILE}/write", lro=_AT_ONCE),
    _route("PATCH", CGP, "CGProfile_Update", profiles.patch, f"{_PROFILE}/write", lro=_AT_ONCE),
    _route("DELETE", CGP, "CGProfile_Delete", profiles.delete, f"{_PROFILE}/delete",
           lro=Lro(hold=True, body=False)),
    _route("GET", CGP + "/revisions", "CGProfile_ListAllRevisions", profiles.list_revisions,
           f"{_PROFILE}/revisions/read"),
    _route("GET", CGP + "/revisions/{revisionNumber}", "CGProfile_GetByRevisionNumber", profiles.get_revision,
           f"{_PROFILE}/revisions/read"),

    _route("GET", S + P + "/ngroups", "NGroups_List", n_groups.list_all, f"{_SET}/read"),
    _route("GET", RG + P + "/ngroups", "NGroups_ListByResourceGroup", n_groups.list_in, f"{_SET}/read"),
    _route("GET", N, "NGroups_Get", n_groups.get, f"{_SET}/read"),
    _route("PUT", N, "NGroups_CreateOrUpdate", n_groups.put, f"{_SET}/write", lro=_SET_PUT),
    _route("PATCH", N, "NGroups_Update", n_groups.patch, f"{_SET}/write", lro=_SET_PATCH),
    _route("DELETE", N, "NGroups_Delete", n_groups.delete, f"{_SET}/delete", lro=_SET_202),
    _route("POST", N + "/start", "NGroups_Start", n_groups.start, f"{_SET}/start/action", lro=_SET_202),
    _route("POST", N + "/stop", "NGroups_Stop", n_groups.stop, f"{_SET}/stop/action", lro=_STOP),
    _route("POST", N + "/restart", "NGroups_Restart", n_groups.restart, f"{_SET}/restart/action", lro=_SET_202),

    # In 2026-08-01-preview sandbox groups are called aiAgentsGroups: the same resources under another name.
    *(route for word, name in (("sandboxGroups", "SandboxGroups"), ("aiAgentsGroups", "AiAgentsGroups")) for route in (
        _route("GET", f"{S}{P}/{word}", f"{name}_ListBySubscription", sandbox_groups.list_all, f"{_BOX}/read"),
        _route("GET", f"{RG}{P}/{word}", f"{name}_ListByResourceGroup", sandbox_groups.list_in, f"{_BOX}/read"),
        _route("GET", f"{RG}{P}/{word}/{{sandboxGroupName}}", f"{name}_Get", sandbox_groups.get, f"{_BOX}/read"),
        _route("PUT", f"{RG}{P}/{word}/{{sandboxGroupName}}", f"{name}_CreateOrUpdate", sandbox_groups.put,
               f"{_BOX}/write", lro=_SET_PUT),
        _route("PATCH", f"{RG}{P}/{word}/{{sandboxGroupName}}", f"{name}_Update", sandbox_groups.patch,
               f"{_BOX}/write", lro=_SET_PATCH),
        _route("DELETE", f"{RG}{P}/{word}/{{sandboxGroupName}}", f"{name}_Delete", sandbox_groups.delete,
               f"{_BOX}/delete", lro=_SET_202),
        _route("POST", f"{RG}{P}/{word}/{{sandboxGroupName}}/connect", f"{name}_Connect", sandbox_groups.connect,
               f"{_BOX}/connect/action"),
    )),

    _route("GET", "/subscriptions", "Subscriptions_List", directory.subscriptions, **_ARM),
    _route("GET", S, "Subscriptions_Get", directory.subscription, **_ARM),
    _route("GET", "/tenants", "Tenants_List", directory.tenants, **_ARM),
    _route("GET", S + "/locations", "Subscriptions_ListLocations", directory.locations, **_ARM),
    _route("GET", S + "/providers", "Providers_List", directory.list_providers, **_ARM),
    _route("GET", S + "/providers/{resourceProviderNamespace}", "Providers_Get", directory.get_provider, **_ARM),
    _route("POST", S + "/providers/{resourceProviderNamespace}/register", "Providers_Register",
           directory.register, **_ARM),
    _route("POST", S + "/providers/{resourceProviderNamespace}/unregister", "Providers_Unregister",
           directory.unregister, "Microsoft.Resources/providers/unregister/action", **_ARM),
    _route("GET", S + "/resources", "Resources_List", folders.list_all_resources, **_ARM),
    _route("GET", S + "/resourceGroups", "ResourceGroups_List", folders.list_all, **_ARM),
    _route("HEAD", RG, "ResourceGroups_CheckExistence", folders.check,
           "Microsoft.Resources/subscriptions/resourceGroups/read", **_ARM),
    _route("GET", RG, "ResourceGroups_Get", folders.get,
           "Microsoft.Resources/subscriptions/resourceGroups/read", **_ARM),
    _route("PUT", RG, "ResourceGroups_CreateOrUpdate", folders.put,
           "Microsoft.Resources/subscriptions/resourceGroups/write", **_ARM),
    _route("PATCH", RG, "ResourceGroups_Update", folders.patch,
           "Microsoft.Resources/subscriptions/resourceGroups/write", **_ARM),
    _route("DELETE", RG, "ResourceGroups_Delete", folders.delete,
           "Microsoft.Resources/subscriptions/resourceGroups/delete", **_ARM),
    _route("GET", RG + "/resources", "Resources_ListByResourceGroup", folders.list_resources,
           "Microsoft.Resources/subscriptions/resourceGroups/resources/read", **_ARM),
    _route("GET", S + "/operationresults/{operationId}", "operationresults", folders.operation_result, **_ARM),
    _route("GET", "/metadata/endpoints", "Metadata_Endpoints", directory.metadata, open=True, **_ARM),

    _route("POST", "/hythe/sandboxes", "sandbox_create", sandbox_groups.create_sandbox, **_TOKEN),
    _route("GET", "/hythe/sandboxes", "sandbox_list", sandbox_groups.list_sandboxes, **_TOKEN),
    _route("GET", "/hythe/sandboxes/{sandboxId}", "sandbox_get", sandbox_groups.get_sandbox, **_TOKEN),
    _route("DELETE", "/hythe/sandboxes/{sandboxId}", "sandbox_delete", sandbox_groups.delete_sandbox, **_TOKEN),
    _route("POST", "/hythe/sandboxes/{sandboxId}/exec", "sandbox_exec", sandbox_groups.exec_sandbox, **_TOKEN),

    *_on_any_scope("Microsoft.Authorization/roleAssignments", "RoleAssignments", "{roleAssignmentName}", authorization),
    _route("GET", ANY + "/providers/Microsoft.Authorization/roleDefinitions", "RoleDefinitions_List",
           authorization.list_definitions, "Microsoft.Authorization/roleDefinitions/read", **_ARM),
    _route("GET", ANY + "/providers/Microsoft.Authorization/roleDefinitions/{roleDefinitionId}",
           "RoleDefinitions_Get", authorization.get_definition, "Microsoft.Authorization/roleDefinitions/read", **_ARM),
    _route("GET", TAGS, "Tags_GetAtScope", generic.get_tags, "Microsoft.Resources/tags/read", **_ARM),
    _route("PUT", TAGS, "Tags_CreateOrUpdateAtScope", generic.put_tags, "Microsoft.Resources/tags/write", **_ARM),
    _route("PATCH", TAGS, "Tags_UpdateAtScope", generic.patch_tags, "Microsoft.Resources/tags/write", **_ARM),
    _route("DELETE", TAGS, "Tags_DeleteAtScope", generic.delete_tags, "Microsoft.Resources/tags/delete", **_ARM),

    *_resource("Microsoft.ManagedIdentity/userAssignedIdentities", "UserAssignedIdentities", "{resourceName}",
               records.identities),
    *_resource("Microsoft.Network/virtualNetworks", "VirtualNetworks", "{virtualNetworkName}", network),
    _route("GET", SUBNETS, "Subnets_List", network.list_subnets, f"{_SUBNET}/read", **_ARM),
    _route("GET", SUBNETS + "/{subnetName}", "Subnets_Get", network.get_subnet, f"{_SUBNET}/read", **_ARM),
    _route("PUT", SUBNETS + "/{subnetName}", "Subnets_CreateOrUpdate", network.put_subnet, f"{_SUBNET}/write", **_ARM),
    _route("DELETE", SUBNETS + "/{subnetName}", "Subnets_Delete", network.delete_subnet, f"{_SUBNET}/delete", **_ARM),
    *_resource("Microsoft.Network/networkProfiles", "NetworkProfiles", "{networkProfileName}",
               records.network_profiles),
    *_resource("Microsoft.OperationalInsights/workspaces", "Workspaces", "{workspaceName}", records.workspaces),
    _route("POST", RG + "/providers/Microsoft.OperationalInsights/workspaces/{workspaceName}/sharedKeys",
           "SharedKeys_GetSharedKeys", workspaces.shared_keys,
           "Microsoft.OperationalInsights/workspaces/sharedKeys/action", **_ARM),
    *_deployments(RG, ""),
    *_deployments(S, "AtSubscriptionScope"),

    _route("GET", "/v1.0/servicePrincipals", "graph_service_principals", graph.service_principals, **_OWN),
    _route("POST", "/v1.0/directoryObjects/getByIds", "graph_by_ids", graph.by_ids, **_OWN),

    _route("GET", "/openapi.json", "openapi", description.document, open=True, **_OWN),
    _route("GET", "/openapi", "openapi_page", description.page, open=True, **_OWN),
    _route("GET", "/hythe/health", "health", owner.health, open=True, **_OWN),
    _route("POST", "/hythe/service-principals", "sp_create", owner.create_principal, "Hythe/owner", **_OWN),
    _route("POST", "/hythe/subscriptions", "subscription_create", owner.create_subscription, "Hythe/owner", **_OWN),
    _route("DELETE", "/hythe/subscriptions/{subscriptionId}", "subscription_remove", owner.remove_subscription,
           "Hythe/owner", **_OWN),
    _route("POST", "/hythe/host-identity", "host_identity", owner.host_identity, "Hythe/owner", **_OWN),
    _route("POST", "/hythe/intercept", "intercept", owner.intercept, "Hythe/owner", **_OWN),
    _route("GET", "/hythe/images", "image_list", owner.list_images, "Hythe/owner", **_OWN),
    _route("PUT", "/hythe/images", "image_import", owner.import_image, "Hythe/owner", **_OWN),
    _route("DELETE", "/hythe/images", "image_remove", owner.remove_image, "Hythe/owner", **_OWN),
    _route("PUT", "/hythe/image-aliases", "image_alias", owner.alias_image, "Hythe/owner", **_OWN),
    _route("GET", "/hythe/shares", "share_list", owner.list_shares, "Hythe/owner", **_OWN),
    _route("PUT", "/hythe/shares", "share_create", owner.create_share, "Hythe/owner", **_OWN),
    _route("DELETE", "/hythe/shares", "share_remove", owner.remove_share, "Hythe/owner", **_OWN),
    _route("POST", "/hythe/share-keys", "share_key", owner.share_key, "Hythe/owner", **_OWN),
    _route("POST", "/hythe/share-copies", "share_copy", owner.copy_share, "Hythe/owner", **_OWN),
))  # fmt: skip


class Found(Struct, frozen=True, kw_only=True):
    """A route and what its path names."""

    route: Route
    params: dict[str, str]
    scope: str = ""
    """The path in lower case, decoded, without doubled slashes: what a right is needed over."""


# The same few paths are asked for again and again.
_MOST_REMEMBERED, _LONGEST_REMEMBERED = 512, 400


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


class Table:
    """Finds routes."""

    def __init__(self, routes: tuple[Route, ...] = ROUTES) -> None:
        self._by_length: dict[int, list[tuple[list[str], Route]]] = {}
        self._anywhere: list[tuple[list[str], Route]] = []
        self._found: dict[tuple[str, str], Found] = {}
        for route in routes:
            parts = [part if part.startswith("{") else part.lower() for part in _parts(route.path)]
            if parts[0] == "{scope}":
                self._anywhere.append((parts[1:], route))
            else:
                self._by_length.setdefault(len(parts), []).append((parts, route))

    def find(self, method: str, raw_path: str) -> Found | list[str] | None:
        """Give the route of a request, the methods that its path has instead, or None for an unknown path."""
        known = self._found.get((method, raw_path))
        if known is not None:
            return known
        found = self._look(method, raw_path)
        if isinstance(found, Found) and len(raw_path) < _LONGEST_REMEMBERED:
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            self._found[method, raw_path] = found
        return found

    def _look(self, method: str, raw_path: str) -> Found | list[str] | None:
        parts = [unquote(part) for part in _parts(raw_path)]
        if any("/" in part for part in parts):
            return None  # no name has a slash in it: encoded, it would make another id than the path says
        lower = [part.lower() for part in parts]
        others: list[str] = []
        for pattern, route in self._by_length.get(len(parts), ()):
            if all(want == have or want[0] == "{" for want, have in zip(pattern, lower, strict=True)):
                if route.method == method:
                    params = {want[1:-1]: part for want, part in zip(pattern, parts, strict=True) if want[0] == "{"}
                    return Found(route=route, params=params, scope="/" + "/".join(lower))
                others.append(route.method)
        return self._find_anywhere(method, parts, lower, others) or others or None

    def _find_anywhere(self, method: str, parts: list[str], lower: list[str], others: list[str]) -> Found | None:
        """Find what can be asked of any scope: its path's end is fixed, what stands before is an id."""
        for pattern, route in self._anywhere:
            at = len(parts) - len(pattern)
            if at < 0 or not all(
                want == have or want[0] == "{" for want, have in zip(pattern, lower[at:], strict=True)
            ):
                continue
            scope = ids.parse("/".join(parts[:at]))
            if scope is None:
                continue
            if route.method != method:
                others.append(route.method)
                continue
            params = {want[1:-1]: part for want, part in zip(pattern, parts[at:], strict=True) if want[0] == "{"}
            params |= {"scope": "/" + "/".join(parts[:at]) if at else "", "subscriptionId": scope.subscription}
            if scope.resource_group:
                params["resourceGroupName"] = scope.resource_group
            return Found(route=route, params=params, scope="/" + "/".join(lower))
        return None
