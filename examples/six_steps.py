"""All six steps in one program, with what it sees on the way.  Ends with 1 if anything is not as it should be.

export AZURE_AUTH_LOCATION=my.azureauth     # from: hythe sp create --sdk-auth > my.azureauth
python examples/six_steps.py
"""

import ast
import time
from urllib.error import URLError
from urllib.request import urlopen

from hythe import ContainerInstanceManagementClient, ResourceManagementClient, get_client_from_auth_file
from hythe.models import (
    Container,
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

RESOURCE_GROUP = "hythe-six-steps"
REGION = "eastus"
PAGE, SIDECAR, WORDCOUNT = "microsoft/aci-helloworld", "microsoft/aci-tutorial-sidecar", "microsoft/aci-wordcount"
TEXT = "http://shakespeare.mit.edu/romeo_juliet/full.html"

begun = time.monotonic()


def say(text: str) -> None:
    """Print a line with the time since the start."""
    print(f"[{time.monotonic() - begun:5.2f} s] {text}", flush=True)


def show(text: str) -> None:
    """Print what a container said."""
    print("\n".join(f"          | {line}" for line in text.rstrip().splitlines()), flush=True)


def page_of(address: str) -> str:
    """Get the page of a group, which runs a moment before its server listens."""
    for _ in range(50):
        try:
            with urlopen(f"http://{address}/") as page:
                return page.read().decode()
        except URLError:
            time.sleep(0.1)
    raise SystemExit(f"nobody answers at http://{address}/")


def container(name: str, image: str, **options: object) -> Container:
    """Describe a container with 1 CPU and 1 GB."""
    resources = ResourceRequirements(requests=ResourceRequests(cpu=1, memory_in_gb=1))
    return Container(name=name, image=image, resources=resources, **options)


def group(*containers: Container, **options: object) -> ContainerGroup:
    """Describe a container group."""
    return ContainerGroup(location=REGION, os_type=OperatingSystemTypes.linux, containers=list(containers), **options)


def public(label: str | None = None) -> IpAddress:
    """Describe a public address that answers on port 80."""
    port = Port(protocol=ContainerGroupNetworkProtocol.tcp, port=80)
    return IpAddress(type="Public", ports=[port], dns_name_label=label)


def run_task(aci: ContainerInstanceManagementClient, name: str, command: list[str], **variables: str) -> str:
    """Run a command once, in place of the image's own, and give what it wrote."""
    environment = [EnvironmentVariable(name=key, value=value) for key, value in variables.items()]
    poller = aci.container_groups.create_or_update(
        RESOURCE_GROUP,
        name,
        group(
            container("task", WORDCOUNT, command=command, environment_variables=environment),
            restart_policy=ContainerGroupRestartPolicy.never,
        ),
    )
    poller.add_done_callback(lambda method: say(f"{name}: {method.status()}"))
    while not poller.done():
        poller.wait(1)
    while aci.container_groups.get(RESOURCE_GROUP, name).instance_view.state in ("Pending", "Running"):
        log = aci.container.list_logs(RESOURCE_GROUP, name, "task").content
        if "tail" in str(command) and log:  # this one goes on until it is deleted
            return log
        time.sleep(0.1)
    return aci.containers.list_logs(RESOURCE_GROUP, name, "task").content


say("1. Sign in with the file that AZURE_AUTH_LOCATION names")
with (
    get_client_from_auth_file(ResourceManagementClient) as resources,
    get_client_from_auth_file(ContainerInstanceManagementClient) as aci,
):
    resources.resource_groups.create_or_update(RESOURCE_GROUP, {"location": REGION})

    say("2. A single container with a public address")
    web = group(container("web", PAGE, ports=[ContainerPort(port=80)]), ip_address=public("hythe-six-steps"))
    web = aci.container_groups.create_or_update(RESOURCE_GROUP, "web", web).result()
    say(f"{web.name} runs at http://{web.ip_address.ip}/, also called {web.ip_address.fqdn}; it serves this page:")
    html = page_of(web.ip_address.ip)
    show(html)
    assert "<h1>" in html

    say("3. Several containers: a sidecar asks the application over localhost")
    pair = group(
        container("app", PAGE, ports=[ContainerPort(port=80)]), container("sidecar", SIDECAR), ip_address=public()
    )
    aci.container_groups.create_or_update(RESOURCE_GROUP, "pair", pair).result()
    while "HTTP/1.1 200 OK" not in (log := aci.containers.list_logs(RESOURCE_GROUP, "pair", "sidecar").content):
        time.sleep(0.1)
    show(log)

    say("4. Tasks: the words of a play that have 8 letters or more; one command; several commands")
    words = run_task(aci, "words", ["python", "wordcount.py", TEXT], NumWords="5", MinLength="8")
    show(words)
    counted = ast.literal_eval(next(line for line in words.splitlines() if line.startswith("[(")))
    assert len(counted) == 5 and all(len(word) >= 8 and count > 0 for word, count in counted), words
    assert run_task(aci, "echo", ["echo", "FOO", "BAR"]) == "FOO BAR\n"
    assert run_task(aci, "shell", ["/bin/sh", "-c", "echo FOO BAR && tail -f /dev/null"]) == "FOO BAR\n"

    say("5. List and get")
    names = sorted(each.name for each in aci.container_groups.list_by_resource_group(RESOURCE_GROUP))
    assert names == ["echo", "pair", "shell", "web", "words"], names
    assert set(names) <= {each.name for each in aci.container_groups.list()}
    for name in names:
        seen = aci.container_groups.get(RESOURCE_GROUP, name)
        for each in seen.containers:
            now = each.instance_view.current_state
            code = "" if now.exit_code is None else f", exit code {now.exit_code}"
            say(f"{name:5} {seen.instance_view.state:9} {each.name}: {now.state} since {now.start_time:%H:%M:%S}{code}")

    say("6. Delete a group, then the resource group with the rest")
    aci.container_groups.begin_delete(RESOURCE_GROUP, "web").result()
    resources.resource_groups.begin_delete(RESOURCE_GROUP).result()
    assert not resources.resource_groups.check_existence(RESOURCE_GROUP)
    assert RESOURCE_GROUP not in {each.id.split("/")[4] for each in aci.container_groups.list()}
say("Done: all six steps are as they should be")
