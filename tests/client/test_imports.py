"""Tests what importing costs and what the package offers."""

from __future__ import annotations

import subprocess
import sys
import time

import hythe
from hythe import aio
from hythe.aio import operations as aio_operations

_PROGRAM = """
import sys, time
start = time.perf_counter()
from hythe import ContainerInstanceManagementClient
from hythe.models import ContainerGroup
took = time.perf_counter() - start
loud = {"httpx2", "httpcore2", "requests", "asyncio", "click", "rich"} & set(sys.modules)
print(took, *loud)
"""


def test_importing_is_quick_and_loads_no_http_library() -> None:
    command = [sys.executable, "-c", _PROGRAM]
    took: list[float] = []
    while len(took) < 20 and min(took, default=1.0) >= 0.10:  # whatever else the machine does is in it too
        time.sleep(0.1 * len(took))
        seconds, *loud = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        assert loud == []
        took.append(float(seconds))
    assert min(took) < 0.10


def test_every_public_name_is_there() -> None:
    assert hythe.__all__ == sorted(hythe.__all__)
    for name in hythe.__all__:
        assert getattr(hythe, name) is not None
    assert dir(hythe) == sorted(hythe.__all__)
    assert not hasattr(hythe, "nothing")


def test_the_asynchronous_names_are_the_same() -> None:
    both = set(hythe.__all__) & set(aio.__all__)
    assert {"ContainerInstanceManagementClient", "ResourceManagementClient", "LROPoller"} <= both
    for name in both - {"get_client_from_auth_file", "clouds", "operations"}:
        assert getattr(hythe, name).__name__ == getattr(aio, name).__name__
        assert getattr(hythe, name) is not getattr(aio, name)


def test_groups_of_operations_have_their_classes_and_their_models_where_microsofts_have_them() -> None:
    assert set(hythe.operations.__all__) == set(aio_operations.__all__)
    assert aio.operations is aio_operations
    for client_class, operations in (
        (hythe.ContainerInstanceManagementClient, hythe.operations),
        (aio.ContainerInstanceManagementClient, aio_operations),
    ):
        client = client_class(hythe.StaticTokenCredential("t"), "s", "https://localhost:1")
        assert client.api_version == client.DEFAULT_API_VERSION
        made = {type(getattr(client, name)) for name in dir(client) if not name.startswith("_")}
        assert {getattr(operations, name) for name in operations.__all__} <= made
        assert client.container_groups.models is hythe.models
        assert client.container_groups.api_version == client.api_version


def test_the_models_are_loaded_as_few_as_before() -> None:
    program = "import sys, hythe.models; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names = [name for name in done.stdout.split() if name.startswith("hythe.models.")]
    loaded = {name.removeprefix("hythe.models.") for name in names}
    assert loaded == {"_base", "_reading", "_twin", "common", "container_group", "enums", "resources"}
