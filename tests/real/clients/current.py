"""The six steps with Microsoft's current clients, pointed at Hythe by nothing but its URL and authority.

Usage: python current.py RESOURCE-GROUP; HYTHE_URL and AZURE_{TENANT_ID,CLIENT_ID,CLIENT_SECRET,SUBSCRIPTION_ID} are
set, REQUESTS_CA_BUNDLE names whom to trust.  Without HYTHE_URL Azure's own hosts are asked.
"""

import os
import sys
import time
from urllib.request import urlopen

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.containerinstance import ContainerInstanceManagementClient
from azure.mgmt.containerinstance.models import (
    Container,
    ContainerGroup,
    ContainerPort,
    EnvironmentVariable,
    IpAddress,
    Port,
    ResourceRequests,
    ResourceRequirements,
)
from azure.mgmt.resource.resources import ResourceManagementClient

RG = sys.argv[1]
NEEDS = ResourceRequirements(requests=ResourceRequests(memory_in_gb=1, cpu=1.0))
URL = os.environ.get("HYTHE_URL")

WEB = Container(name="web", image="microsoft/aci-helloworld", resources=NEEDS, ports=[ContainerPort(port=80)])
SIDECAR = Container(name="sidecar", image="microsoft/aci-tutorial-sidecar", resources=NEEDS)


def group(*containers, **options):
    return ContainerGroup(location="eastus", containers=list(containers), os_type="Linux", **options)


def address(label=None):
    return IpAddress(ports=[Port(protocol="TCP", port=80)], type="Public", dns_name_label=label)


def task(name, command, variables):
    return group(
        Container(
            name=name,
            image="microsoft/aci-wordcount",
            resources=NEEDS,
            command=command,
            environment_variables=[EnvironmentVariable(name=key, value=value) for key, value in variables.items()],
        ),
        restart_policy="Never",
    )


def has_page(address):
    try:
        return b"<h1>" in urlopen(f"http://{address}/", timeout=10).read()
    except OSError:
        return False  # it runs a moment before its program listens


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def main():
    where = {"base_url": URL, "credential_scopes": [f"{URL}/.default"]} if URL else {}
    whom = {"authority": URL, "disable_instance_discovery": True} if URL else {}
    credential = ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["AZURE_CLIENT_SECRET"], **whom
    )
    subscription = os.environ["AZURE_SUBSCRIPTION_ID"]
    resources = ResourceManagementClient(credential, subscription, **where)
    aci = ContainerInstanceManagementClient(credential, subscription, **where)

    resources.resource_groups.create_or_update(RG, {"location": "eastus"})

    made = aci.container_groups.begin_create_or_update(RG, "web", group(WEB, ip_address=address(RG))).result()
    assert made.provisioning_state == "Succeeded"
    assert made.ip_address.fqdn.startswith(f"{RG}.eastus."), made.ip_address.fqdn
    wait_for(lambda: has_page(made.ip_address.ip))

    aci.container_groups.begin_create_or_update(RG, "pair", group(WEB, SIDECAR, ip_address=address())).result()
    wait_for(lambda: "200 OK" in aci.containers.list_logs(RG, "pair", "sidecar").content)

    words = task(
        "words",
        ["python", "wordcount.py", "http://shakespeare.mit.edu/romeo_juliet/full.html"],
        {"NumWords": "3", "MinLength": "9"},
    )
    aci.container_groups.begin_create_or_update(RG, "words", words).result()
    wait_for(lambda: aci.container_groups.get(RG, "words").instance_view.state == "Succeeded")
    log = aci.containers.list_logs(RG, "words", "words").content
    print(log)
    assert log.count("('") == 3, log
    for name, command in {
        "echo": ["echo", "FOO", "BAR"],
        "shell": ["/bin/sh", "-c", "echo FOO BAR && tail -f /dev/null"],
    }.items():
        aci.container_groups.begin_create_or_update(RG, name, task(name, command, {})).result()
        assert aci.containers.list_logs(RG, name, name).content == "FOO BAR\n"

    names = {"web", "pair", "words", "echo", "shell"}
    listed = list(aci.container_groups.list_by_resource_group(RG))
    assert {each.name for each in listed} == names
    assert all(each.instance_view is None for each in listed)
    assert names <= {each.name for each in aci.container_groups.list()}
    wait_for(lambda: aci.container_groups.get(RG, "echo").instance_view.state == "Succeeded")
    view = aci.container_groups.get(RG, "echo").containers[0].instance_view
    assert view.current_state.state == "Terminated" and view.current_state.exit_code == 0
    assert view.restart_count == 0 and view.current_state.start_time and view.events

    try:
        aci.container_groups.begin_create_or_update(
            RG, "bad", group(Container(name="x", image="x", resources=NEEDS, ports=[ContainerPort(port=0)]))
        )
        raise AssertionError("port 0 was taken")
    except HttpResponseError as refused:
        assert refused.status_code == 400, refused
    try:
        aci.container_groups.get(RG, "bad")
        raise AssertionError("there is a group that was refused")
    except ResourceNotFoundError as absent:
        assert absent.error.code == "ResourceNotFound"

    aci.container_groups.begin_delete(RG, "web").result()
    assert "web" not in {each.name for each in aci.container_groups.list_by_resource_group(RG)}
    resources.resource_groups.begin_delete(RG).result()
    assert not resources.resource_groups.check_existence(RG)
    assert RG not in {each.id.split("/")[4] for each in aci.container_groups.list()}
    print("all six steps are as they should be")


if __name__ == "__main__":
    main()
