"""Keeps container group profiles and their revisions."""

from __future__ import annotations

from typing import Unpack

from hythe.client.options import CallOptions
from hythe.models import ContainerGroupProfile, ContainerGroupProfilePatch
from hythe.wire.ids import PROVIDER

from .operation_group import Given, OperationGroup
from .pager import Pager

_KIND = "containerGroupProfiles"


class CGProfilesOperations(OperationGroup):
    """Is ``client.cg_profiles``."""

    def list_by_subscription(self, **options: Unpack[CallOptions]) -> Pager[ContainerGroupProfile]:
        """Iterate over the profiles of the subscription.

        Operation ``CGProfiles_ListBySubscription``.
        """
        doing = "list the container group profiles of the subscription"
        return self._list(ContainerGroupProfile, ("providers", PROVIDER, _KIND), doing, options)

    def list_by_resource_group(
        self, resource_group_name: str, **options: Unpack[CallOptions]
    ) -> Pager[ContainerGroupProfile]:
        """Iterate over the profiles of a resource group.

        Operation ``CGProfiles_ListByResourceGroup``.
        """
        doing = f"list the container group profiles of resource group {resource_group_name!r}"
        return self._list(ContainerGroupProfile, self._path(resource_group_name, _KIND), doing, options)


class ContainerGroupProfileOperations(OperationGroup):
    """Is ``client.container_group_profile``."""

    async def get_by_revision_number(
        self,
        resource_group_name: str,
        container_group_profile_name: str,
        revision_number: str | int,
        **options: Unpack[CallOptions],
    ) -> ContainerGroupProfile:
        """Return one revision of a profile.

        Operation ``CGProfile_GetByRevisionNumber``.
        """
        doing = f"get revision {revision_number} of container group profile {container_group_profile_name!r}"
        path = self._path(resource_group_name, _KIND, container_group_profile_name, "revisions", str(revision_number))
        return await self._read(ContainerGroupProfile, path, doing, options)

    def list_all_revisions(
        self, resource_group_name: str, container_group_profile_name: str, **options: Unpack[CallOptions]
    ) -> Pager[ContainerGroupProfile]:
        """Iterate over all revisions of a profile.

        Operation ``CGProfile_ListAllRevisions``.
        """
        doing = f"list the revisions of container group profile {container_group_profile_name!r}"
        path = self._path(resource_group_name, _KIND, container_group_profile_name, "revisions")
        return self._list(ContainerGroupProfile, path, doing, options)


class _ProfileVerbs(OperationGroup):
    """Creates, reads, changes and deletes profiles, under the names that both kinds of operations share."""

    async def get(
        self, resource_group_name: str, container_group_profile_name: str, **options: Unpack[CallOptions]
    ) -> ContainerGroupProfile:
        """Return the newest revision of a profile.

        Operation ``CGProfile_Get``.
        """
        doing = f"get container group profile {container_group_profile_name!r}"
        path = self._path(resource_group_name, _KIND, container_group_profile_name)
        return await self._read(ContainerGroupProfile, path, doing, options)

    async def create_or_update(
        self,
        resource_group_name: str,
        container_group_profile_name: str,
        container_group_profile: Given,
        **options: Unpack[CallOptions],
    ) -> ContainerGroupProfile:
        """Create a profile, or add a revision to it.

        Operation ``CGProfile_CreateOrUpdate``.
        """
        doing = f"create container group profile {container_group_profile_name!r}"
        path = self._path(resource_group_name, _KIND, container_group_profile_name)
        return await self._write("PUT", ContainerGroupProfile, path, container_group_profile, doing, options)

    async def update(
        self,
        resource_group_name: str,
        container_group_profile_name: str,
        properties: Given,
        **options: Unpack[CallOptions],
    ) -> ContainerGroupProfile:
        """Replace the tags of a profile, given as a `ContainerGroupProfilePatch`.

        Operation ``CGProfile_Update``.
        """
        doing = f"update container group profile {container_group_profile_name!r}"
        path = self._path(resource_group_name, _KIND, container_group_profile_name)
        return await self._write(
            "PATCH", ContainerGroupProfile, path, properties, doing, options, accepts=ContainerGroupProfilePatch
        )

    async def delete(
        self, resource_group_name: str, container_group_profile_name: str, **options: Unpack[CallOptions]
    ) -> None:
        """Delete a profile with all its revisions.

        Operation ``CGProfile_Delete``.
        """
        doing = f"delete container group profile {container_group_profile_name!r}"
        path = self._path(resource_group_name, _KIND, container_group_profile_name)
        await self._do("DELETE", path, doing, options)


class CGProfileOperations(_ProfileVerbs, ContainerGroupProfileOperations):
    """Is ``client.cg_profile``."""


class ContainerGroupProfilesOperations(_ProfileVerbs):
    """Is ``client.container_group_profiles``, what ``cg_profile`` and ``cg_profiles`` were called before 10.2.0b2."""

    async def patch(
        self,
        resource_group_name: str,
        container_group_profile_name: str,
        properties: Given,
        **options: Unpack[CallOptions],
    ) -> ContainerGroupProfile:
        """Replace the tags of a profile: the older name of ``update``.

        Operation ``CGProfile_Update``.
        """
        return await self.update(resource_group_name, container_group_profile_name, properties, **options)

    def list(self, **options: Unpack[CallOptions]) -> Pager[ContainerGroupProfile]:
        """Iterate over the profiles of the subscription.

        Operation ``CGProfiles_ListBySubscription``.
        """
        return CGProfilesOperations(self._session).list_by_subscription(**options)

    def list_by_resource_group(
        self, resource_group_name: str, **options: Unpack[CallOptions]
    ) -> Pager[ContainerGroupProfile]:
        """Iterate over the profiles of a resource group.

        Operation ``CGProfiles_ListByResourceGroup``.
        """
        return CGProfilesOperations(self._session).list_by_resource_group(resource_group_name, **options)
