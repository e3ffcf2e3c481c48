"""Offers the client of Microsoft.ContainerInstance: container groups and what belongs to them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Unpack

from hythe.client.addresses import is_loopback
from hythe.client.documents import decode, encode
from hythe.client.outcomes import RunResult
from hythe.client.task_definition import TaskOptions
from hythe.models import ResourceGroup
from hythe.wire.versions import NEWEST

from .client import Client
from .container_groups import ContainerGroupsOperations
from .session import Session

if TYPE_CHECKING:
    from hythe.client.changes import Plan

    from . import tasks
    from .applying import Definition
    from .containers import ContainersOperations
    from .group import Group
    from .locations import (
        ContainerGroupUsageOperations,
        LocationOperations,
        Operations,
        SubnetServiceAssociationLinkOperations,
    )
    from .n_groups import NGroupsOperations
    from .profiles import (
        CGProfileOperations,
        CGProfilesOperations,
        ContainerGroupProfileOperations,
        ContainerGroupProfilesOperations,
    )
    from .sandbox_groups import SandboxGroupsOperations

DEFAULT_RESOURCE_GROUP = "hythe"
"""Where groups go that are put into no other."""
_RESOURCES_VERSION = "2021-04-01"
_HERE = "local"
_OPERATIONS = {
    "containers": ("containers", "ContainersOperations"),
    "location": ("locations", "LocationOperations"),
    "operations": ("locations", "Operations"),
    "subnet_service_association_link": ("locations", "SubnetServiceAssociationLinkOperations"),
    "cg_profile": ("profiles", "CGProfileOperations"),
    "cg_profiles": ("profiles", "CGProfilesOperations"),
    "ngroups": ("n_groups", "NGroupsOperations"),
    "sandbox_groups": ("sandbox_groups", "SandboxGroupsOperations"),
    # older names
    "container_group_usage": ("locations", "ContainerGroupUsageOperations"),
    "container_group_profiles": ("profiles", "ContainerGroupProfilesOperations"),
    "container_group_profile": ("profiles", "ContainerGroupProfileOperations"),
}
"""Modules and classes of the groups of operations that are loaded when they are first used."""
_OLD_NAMES = {"container": "containers", "service_association_link": "subnet_service_association_link"}


class ContainerInstanceManagementClient(Client):
    """Runs container groups, on Hythe or on Azure."""

    DEFAULT_API_VERSION: ClassVar[str] = NEWEST

    container_groups: ContainerGroupsOperations
    containers: ContainersOperations
    location: LocationOperations
    operations: Operations
    subnet_service_association_link: SubnetServiceAssociationLinkOperations
    cg_profile: CGProfileOperations
    cg_profiles: CGProfilesOperations
    ngroups: NGroupsOperations
    sandbox_groups: SandboxGroupsOperations
    # older names
    container: ContainersOperations
    container_group_usage: ContainerGroupUsageOperations
    container_group_profiles: ContainerGroupProfilesOperations
    container_group_profile: ContainerGroupProfileOperations
    service_association_link: SubnetServiceAssociationLinkOperations

    def _add_operations(self, session: Session) -> None:
        self.container_groups = ContainerGroupsOperations(session)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Load a group of operations when it is first used."""
            if name in _OLD_NAMES:
                found = getattr(self, _OLD_NAMES[name])
            elif name in _OPERATIONS:
                module, kind = _OPERATIONS[name]
                found = getattr(import_module(f".{module}", __package__), kind)(self._session)
            else:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            setattr(self, name, found)
            return found

    def __dir__(self) -> list[str]:
        """List also what is loaded later."""
        return sorted({*super().__dir__(), *_OPERATIONS, *_OLD_NAMES})

    def group(self, name: str, resource_group: str = DEFAULT_RESOURCE_GROUP) -> Group:
        """Give a handle of one group: ``logs(follow=True)``, ``wait()``, ``why()`` and more.  Asks nothing.

        Hythe's own.
        """
        from .group import Group

        return Group(self, resource_group, name)

    async def run(
        self,
        image: str,
        command: tasks.Command | None = None,
        *,
        resource_group: str = DEFAULT_RESOURCE_GROUP,
        name: str | None = None,
        timeout: float | None = None,
        keep: bool = False,
        **options: Unpack[TaskOptions],
    ) -> RunResult:
        """Run a command in a group of its own, wait for its end, and return exit code, log and times.

        A command in one text is split as a shell would; it is not given to a shell.  The group is deleted at the end,
        whatever happens, unless ``keep`` is set; the resource group is made if there is none.  Raises
        `OperationFailed` if the command can't be run, and `StillRunning` after ``timeout`` seconds.

        Hythe's own, by ``ContainerGroups_CreateOrUpdate``, ``Containers_ListLogs``, ``ContainerGroups_Delete``.
        """
        from . import tasks

        return await tasks.run(
            self, image, command, resource_group=resource_group, name=name, timeout=timeout, keep=keep, options=options
        )

    async def map(
        self,
        image: str,
        commands: Iterable[tasks.Command],
        *,
        parallel: int = 4,
        retries: int = 0,
        on_result: tasks.Progress | None = None,
        resource_group: str = DEFAULT_RESOURCE_GROUP,
        timeout: float | None = None,
        **options: Unpack[TaskOptions],
    ) -> list[RunResult]:
        """Run many commands as `run` does, ``parallel`` at a time, and return their results in the commands' order.

        One that does not end with exit code 0, or finds no room or no service for a while, is run again up to
        ``retries`` times; then its result is Failed, and says why in ``detail``.  ``on_result(done, all, result)``
        is called for each.  ``timeout`` is in seconds, for each try.

        Hythe's own, by ``ContainerGroups_CreateOrUpdate``, ``Containers_ListLogs``, ``ContainerGroups_Delete``.
        """
        from . import tasks

        return await tasks.run_many(
            self, image, commands, parallel=parallel, retries=retries, on_result=on_result,
            resource_group=resource_group, timeout=timeout, options=options,
        )  # fmt: skip

    async def plan(
        self, definition: Definition, *, resource_group: str = DEFAULT_RESOURCE_GROUP, name: str | None = None
    ) -> Plan:
        """Say what `apply` would change; nothing is changed.  ``str()`` of the plan is meant for people.

        Hythe's own, by ``ContainerGroups_Get``.
        """
        from . import applying

        found, _ = await applying.plan(self, definition, resource_group, name)
        return found

    async def apply(
        self,
        definition: Definition,
        *,
        resource_group: str = DEFAULT_RESOURCE_GROUP,
        name: str | None = None,
        force: bool = False,
        timeout: float | None = None,
    ) -> Plan:
        """Make a group what a definition says, wait until that is done, and return what was done.

        ``definition`` is a `ContainerGroup` or the path of a file: compose, pod, or that of ``az container create``.
        ``name`` is the group's, whatever the definition says; without it the definition's own.
        Nothing is sent if all is so already; other tags alone restart nothing; what can't be changed in place (sizes,
        restart policy, region) has the group deleted and made again.  Secrets are not shown by the service and so not
        compared: ``force`` sends all again.  Raises `OperationFailed`, `StillRunning` after ``timeout`` seconds, and
        ValueError for a file that can't be used.

        Hythe's own, by ``ContainerGroups_Get``, ``ContainerGroups_CreateOrUpdate``.
        """
        from . import applying

        return await applying.apply(
            self, definition, resource_group=resource_group, name=name, force=force, timeout=timeout
        )

    async def ensure_resource_group(self, name: str, location: str | None = None) -> str:
        """Make a resource group unless there is one, and return its location.

        On Azure the location of a new one must be given; raises ValueError if it is not.

        Hythe's own, by ``ResourceGroups_Get``, ``ResourceGroups_CreateOrUpdate``.
        """
        doing = f"find or make resource group {name!r}"
        url = self._session.url("resourceGroups", name, api_version=_RESOURCES_VERSION)
        response = await self._session.send("GET", url, doing=doing, allow={404})
        if response.status == 404:  # noqa: PLR2004
            if location is None and not is_loopback(self._session.base_url):
                raise ValueError(f"cannot {doing}: there is none, and Azure has to be told where: give location=")
            body = encode(ResourceGroup(location=location or _HERE), ResourceGroup)
            response = await self._session.send("PUT", url, doing=doing, body=body)
        return decode(ResourceGroup, response.body, doing).location or _HERE
