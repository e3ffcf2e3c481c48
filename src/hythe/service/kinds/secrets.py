"""What of a definition nobody may read.  Pure."""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import replace

from ...models import ContainerGroup, ContainerGroupProfile, Volume

G = TypeVar("G", ContainerGroup, ContainerGroupProfile)


def without_secrets(group: G) -> G:
    """Give a definition as it may be read."""
    return replace(
        group,
        containers=[
            replace(
                one,
                environment_variables=[replace(each, secure_value=None) for each in one.environment_variables or ()],
            )
            for one in group.containers or ()
        ],
        init_containers=[
            replace(
                one,
                environment_variables=[replace(each, secure_value=None) for each in one.environment_variables or ()],
            )
            for one in group.init_containers or ()
        ],
        volumes=group.volumes and [_without_secret(each) for each in group.volumes],
        image_registry_credentials=group.image_registry_credentials
        and [replace(each, password=None) for each in group.image_registry_credentials],
        extensions=group.extensions and [replace(each, protected_settings=None) for each in group.extensions],
        diagnostics=group.diagnostics
        and group.diagnostics.log_analytics
        and replace(
            group.diagnostics,
            log_analytics=replace(group.diagnostics.log_analytics, workspace_key=None, workspace_resource_id=None),
        ),
    )


def _without_secret(volume: Volume) -> Volume:
    """Give a volume as answers show it: no secret files, no storage key, no user info in a URL."""
    share, repository = volume.azure_file, volume.git_repo
    return replace(
        volume,
        secret={} if volume.secret is not None else None,
        azure_file=replace(share, storage_account_key=None) if share else None,
        git_repo=repository.masked() if repository else None,
    )
