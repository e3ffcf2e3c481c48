"""The six steps as a program of 2018 does them: Azure's own hosts, Microsoft's clients of that year, nothing of Hythe.

Usage: python old.py RESOURCE-GROUP; AZURE_AUTH_LOCATION names a file of `az ad sp create-for-rbac --sdk-auth`.
"""

import sys
import time
from urllib.request import urlopen

from azure.common.client_factory import get_client_from_auth_file
from azure.mgmt.containerinstance import ContainerInstanceManagementClient
from azure.mgmt.containerinstance.models import (
    Container,
    ContainerExecRequestTerminalSize,
    ContainerGroup,
    ContainerGroupNetworkProtocol,
    ContainerGroupRestartPolicy,
    ContainerPort,
    EnvironmentVariable,
    IpAddress,
    OperatingSystemTypes,
    Port,
    ResourceRequests,
    ResourceRequirements,
)
from azure.mgmt.resource import ResourceManagementClient

RG = sys.argv[1]
NEEDS = ResourceRequirements(requests=ResourceRequests(memory_in_gb=1, cpu=1.0))


def group(*containers, **options):
    return ContainerGroup(location="eastus", containers=list(containers), os_type=OperatingSystemTypes.linux, **options)


def address(label=None):
    ports = [Port(protocol=ContainerGroupNetworkProtocol.tcp, port=80)]
    return IpAddress(ports=ports, type="Public", dns_name_label=label)


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def has_page(address):
    try:
        return b"<h1>" in urlopen(f"http://{address}/", timeout=10).read()
    except OSError:
        return False  # it runs a moment before its program listens


def run_task(name, command, variables):
    task = Container(
        name=name,
        image="microsoft/aci-wordcount",
        resources=NEEDS,
        command=command,
        environment_variables=[EnvironmentVariable(name=key, value=value) for key, value in variables.items()],
    )
    poller = aci.container_groups.create_or_update(
        RG, name, group(task, restart_policy=ContainerGroupRestartPolicy.never)
    )
    while not poller.done():
        time.sleep(0.2)
    assert poller.result().provisioning_state == "Succeeded"
    return aci.container.list_logs(RG, name, name).content


resources = get_client_from_auth_file(ResourceManagementClient)
aci = get_client_from_auth_file(ContainerInstanceManagementClient)
assert resources.config.base_url.startswith("https://management.azure.com")

resources.resource_groups.create_or_update(RG, {"location": "eastus"})

web = Container(
    name="web", image="microsoft/aci-helloworld", resources=NEEDS, ports=[ContainerPort(port=80, protocol="TCP")]
)
aci.container_groups.create_or_update(RG, "web", group(web, ip_address=address(RG))).result()
made = aci.container_groups.get(RG, "web")
assert made.ip_address.fqdn.startswith(f"{RG}.eastus."), made.ip_address.fqdn
wait_for(lambda: has_page(made.ip_address.ip))

sidecar = Container(name="sidecar", image="microsoft/aci-tutorial-sidecar", resources=NEEDS)
aci.container_groups.create_or_update(RG, "pair", group(web, sidecar, ip_address=address())).result()
wait_for(lambda: "200 OK" in aci.container.list_logs(RG, "pair", "sidecar").content)

words = run_task(
    "words",
    ["python", "wordcount.py", "http://shakespeare.mit.edu/romeo_juliet/full.html"],
    {"NumWords": "3", "MinLength": "9"},
)
print(words)
assert words.count("('") == 3, words
assert run_task("echo", ["echo", "FOO", "BAR"], {}) == "FOO BAR\n"
assert run_task("shell", ["/bin/sh", "-c", "echo FOO BAR && tail -f /dev/null"], {}) == "FOO BAR\n"

names = {"web", "pair", "words", "echo", "shell"}
listed = list(aci.container_groups.list_by_resource_group(RG))
assert {each.name for each in listed} == names
assert all(each.instance_view is None for each in listed)
assert names <= {each.name for each in aci.container_groups.list()}
seen = aci.container_groups.get(RG, "echo")
wait_for(lambda: aci.container_groups.get(RG, "echo").instance_view.state == "Succeeded")
state = aci.container_groups.get(RG, "echo").containers[0].instance_view
assert state.current_state.state == "Terminated" and state.current_state.exit_code == 0
assert state.restart_count == 0 and state.current_state.start_time and state.events

# --- what the six steps leave out ---
assert aci.container_groups.update(RG, "shell", tags={"a": "b"}).tags == {"a": "b"}
session = aci.container.execute_command(
    RG, "shell", "shell", "/bin/sh", ContainerExecRequestTerminalSize(rows=24, cols=80)
)
assert session.web_socket_uri.startswith("wss://") and session.password
aci.container_groups.stop(RG, "shell")
wait_for(lambda: aci.container_groups.get(RG, "shell").instance_view.state == "Stopped")
aci.container_groups.start(RG, "shell").wait()
wait_for(lambda: aci.container_groups.get(RG, "shell").instance_view.state == "Running")
aci.container_groups.restart(RG, "shell").wait()
wait_for(lambda: aci.container_groups.get(RG, "shell").instance_view.state == "Running")
assert "ContainerGroups" in {each.name.value for each in aci.container_group_usage.list("eastus").value}
assert "Microsoft.ContainerInstance/containerGroups/read" in {each.name for each in aci.operations.list().value}

for name in sorted(names - {"shell"}):
    aci.container_groups.delete(RG, name)
assert [each.name for each in aci.container_groups.list_by_resource_group(RG)] == ["shell"]
resources.resource_groups.delete(RG).wait()
assert not resources.resource_groups.check_existence(RG)
assert RG not in {each.id.split("/")[4] for each in aci.container_groups.list()}
print("all six steps are as they should be")
for operation in (
    "CreateOrUpdate",
    "Get",
    "List",
    "ListByResourceGroup",
    "Update",
    "Stop",
    "Start",
    "Restart",
    "Delete",
):
    print(f"proved: ContainerGroups_{operation}")
for operation in ("Containers_ListLogs", "Containers_ExecuteCommand", "Location_ListUsage", "Operations_List"):
    print(f"proved: {operation}")
