"""Chooses what the conformance tests talk to: a simulated service, or with HYTHE_TEST_AZURE=1 a real subscription.

On Azure it is the subscription that `hythe.connect("azure")` finds, by AZURE_CLIENT_ID and its like, a managed identity
or the az CLI's login; some hundred seconds of small containers are paid for.  HYTHE_TEST_REGION is the region, eastus
unless it is set.  What only Hythe can do is marked `only_hythe`, with the reason, and skipped there.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

import hythe
from hythe import ContainerInstanceManagementClient, aio
from hythe.client._sync.group import Group
from hythe.models import Container, ContainerGroup, EnvironmentVariable, ResourceRequests, ResourceRequirements
from hythe.testing import Outcome, Scripted, running_service

FOLDER = "hythe-conformance"
IMAGE = "mcr.microsoft.com/cbl-mariner/busybox:2.0"
COMMANDS = {
    "talks": ["sh", "-c", "echo one; echo two >&2; exit 3"],
    "works": ["sh", "-c", "echo done"],
    "waits": ["sh", "-c", "echo up; sleep 3600"],
}
"""What containers do, by name; a simulated service is told the same in its words."""
SIMULATED = {
    "talks": Outcome(runs_for=0.0, exit_code=3, log="one\ntwo\n"),
    "works": Outcome(runs_for=0.0, log="done\n"),
    "task": Outcome(runs_for=0.0, log="done\n"),
    "waits": Outcome(log="up\n", exec={"echo there": Scripted(out=b"there\n"), "sh": Scripted(out=b"$ ")}),
}


class Endpoint:
    """Is what the tests talk to."""

    def __init__(self) -> None:
        self.azure = os.environ.get("HYTHE_TEST_AZURE") == "1"
        self.region = os.environ.get("HYTHE_TEST_REGION", "eastus")
        self.patience = 600.0 if self.azure else 20.0
        """Seconds."""
        self._stack = ExitStack()
        self._options: dict[str, Any] = {"polling_interval": 2.0} if self.azure else {}
        if self.azure:
            self.to = "azure"
        else:
            service = self._stack.enter_context(running_service(SIMULATED))
            self.to = str(service.auth_file)
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("AZURE_AUTH_LOCATION", raising=False)
            self.client: ContainerInstanceManagementClient = hythe.connect(self.to, **self._options)
        self._stack.enter_context(self.client)
        self.client.ensure_resource_group(FOLDER, self.region)

    async def connect(self) -> aio.ContainerInstanceManagementClient:
        """Make an asynchronous client."""
        return await aio.connect(self.to, **self._options)

    def close(self) -> None:
        self._stack.close()

    def definition(self, name: str, **options: Any) -> ContainerGroup:
        """Describe a group with one container, whose name says what it does."""
        needs = ResourceRequirements(requests=ResourceRequests(cpu=1.0, memory_in_gb=1.0))
        variables = [EnvironmentVariable(name="A", value="1"), EnvironmentVariable(name="B", secure_value="hidden")]
        container = Container(
            name=name, image=IMAGE, command=COMMANDS[name], resources=needs, environment_variables=variables
        )
        members = {"restart_policy": "Never", "containers": [container], "tags": {"a": "1"}} | options
        return ContainerGroup(location=self.region, os_type="Linux", **members)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "only_hythe(reason): can't be done on Azure, and why")


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    azure = os.environ.get("HYTHE_TEST_AZURE") == "1"
    for item in items:
        if "conformance" not in item.path.parts:
            continue
        item.add_marker(pytest.mark.timeout(1800 if azure else 60))
        only = item.get_closest_marker("only_hythe")
        if only is not None and azure:
            item.add_marker(pytest.mark.skip(reason=f"only Hythe can: {only.args[0]}"))


@pytest.fixture(scope="session")
def endpoint() -> Iterator[Endpoint]:
    """Give what all tests of this folder talk to; nothing else opens a client."""
    made = Endpoint()
    yield made
    made.close()


@pytest.fixture
def aci(endpoint: Endpoint) -> ContainerInstanceManagementClient:
    return endpoint.client


@pytest.fixture
async def async_aci(endpoint: Endpoint) -> AsyncIterator[aio.ContainerInstanceManagementClient]:
    async with await endpoint.connect() as client:
        yield client


@pytest.fixture
def name(aci: ContainerInstanceManagementClient) -> Iterator[Callable[[str], str]]:
    """Give names that nobody has; what is made under them is deleted at the end."""
    made: list[str] = []

    def new(stem: str = "group") -> str:
        made.append(f"{stem}-{uuid.uuid4().hex[:8]}")
        return made[-1]

    yield new
    for each in made:
        aci.container_groups.begin_delete(FOLDER, each)


@pytest.fixture
def make(
    aci: ContainerInstanceManagementClient, endpoint: Endpoint, name: Callable[[str], str]
) -> Callable[..., Group]:
    """Create a group that does something, by name."""

    def create(what: str, **options: Any) -> Group:
        called = name(what)
        begun = aci.container_groups.begin_create_or_update(FOLDER, called, endpoint.definition(what, **options))
        begun.result(endpoint.patience)
        return aci.group(called, FOLDER)

    return create
