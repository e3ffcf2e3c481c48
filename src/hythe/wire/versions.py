"""The api-versions that exist, and what differs between them."""

from __future__ import annotations

CONTAINER_INSTANCE = (
    "2017-08-01-preview", "2017-10-01-preview", "2017-12-01-preview", "2018-02-01-preview", "2018-04-01",
    "2018-06-01", "2018-09-01", "2018-10-01", "2019-12-01", "2020-11-01", "2021-03-01", "2021-07-01", "2021-09-01",
    "2021-10-01", "2022-04-01-preview", "2022-09-01", "2022-10-01-preview", "2023-02-01-preview", "2023-05-01",
    "2023-05-15-preview", "2024-05-01-preview", "2024-09-01-preview", "2024-10-01-preview", "2024-11-01-preview",
    "2025-09-01", "2026-06-01-preview", "2026-07-01", "2026-08-01-preview",
)  # fmt: skip
"""Every published api-version of Microsoft.ContainerInstance, oldest first."""

NEWEST = "2026-07-01"

OPERATION_MONITOR = "2018-06-01"
"""The api-version in an operation's URL, whatever the caller used."""


def start_answers_202(api_version: str) -> bool:
    """Tell whether POST start answers 202; older clients take 204 only."""
    return api_version >= "2021"


def idle_start_answers_202(api_version: str) -> bool:
    """Tell whether POST start of a group that runs already answers 202 too; the clients of 2021 take nothing else."""
    return "2021" <= api_version < "2022"


def shows_timeouts(api_version: str) -> bool:
    """Tell whether a group shows ``provisioningTimeoutInSeconds`` and ``isCustomProvisioningTimeout``."""
    return api_version == "2023-02-01-preview" or api_version >= "2023-05-01"


def shows_config_maps(api_version: str) -> bool:
    """Tell whether a group shows config maps and ``isCreatedFromStandbyPool``."""
    return api_version >= "2024-05-01-preview"


def shows_usage_ids(api_version: str) -> bool:
    """Tell whether the ``usages`` of a location have ids; before, each was an object of name and numbers only."""
    return api_version >= "2021-09-01"
