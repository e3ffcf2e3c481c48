"""Azure's command line, unmodified, with Hythe as a cloud of its own: what people type, on real containers."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import yaml
from environments import environment, pinned

from ..conftest import HYTHE, TOOLS, Proved, Running, wait_for
from ..test_registry import PASSWORD, USER, Registry, registry
from ..test_volumes import git_server

__all__ = ["git_server", "registry"]  # fixtures

PINS = Path(__file__).parent / "pins" / "azure-cli.txt"
GROUPS = "Microsoft.ContainerInstance/containerGroups"
CLIENT = "azure-cli"
VERSION = pinned(PINS, CLIENT)
NEEDS = ("--os-type", "Linux", "--cpu", "0.5", "--memory", "0.5")
STAY = "trap exit TERM; while true; do sleep 0.1; done"

pytestmark = [pytest.mark.clients, pytest.mark.containers, pytest.mark.timeout(900)]


class Refused(Exception):
    """What a command said when it ended with another code than 0."""


class Az:
    """Runs commands with a configuration of their own."""

    def __init__(self, real: Running, config: Path, proved: Proved | None = None) -> None:
        self.real = real
        self.config = config
        self.proved = proved

    @property
    def variables(self) -> dict[str, str]:
        bundle = self.real.facts["REQUESTS_CA_BUNDLE"]
        return os.environ | {
            "AZURE_CONFIG_DIR": str(self.config),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "REQUESTS_CA_BUNDLE": bundle,
            "WEBSOCKET_CLIENT_CA_BUNDLE": bundle,
        }

    def begin(self, *words: str | Path) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.command(*words), env=self.variables, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    @staticmethod
    def command(*words: str | Path) -> list[str | Path]:
        return [environment(PINS), "-m", "azure.cli", *words]

    def text(self, *words: str | Path, keys: str = "") -> str:
        """Give what a command printed."""
        process = self.begin(*words)
        out, err = process.communicate(keys, timeout=120)
        if process.returncode:
            raise Refused(err)
        assert "Traceback" not in err, err
        return out

    def __call__(self, *words: str | Path) -> Any:
        """Give the JSON that a command printed."""
        said = self.text(*words, "--output", "json")
        return json.loads(said) if said.strip() else None

    def did(self, *operations: str) -> None:
        """Say that commands did what they should."""
        assert self.proved
        for each in operations:
            self.proved(CLIENT, VERSION, f"az {each}")

    def create(self, folder: str, name: str, *options: str | Path, image: str = TOOLS) -> Any:
        return self("container", "create", "-g", folder, "-n", name, "--image", image, *NEEDS, *options)

    def state(self, folder: str, name: str) -> str:
        return str(self.real.state(folder, name))


def sign_in(az: Az) -> None:
    facts = az.real.facts
    az("cloud", "register", "-n", "Hythe", "--endpoint-resource-manager", facts["url"])
    az("cloud", "set", "-n", "Hythe")
    who = ("-u", facts["client_id"], "-p", facts["client_secret"], "--tenant", facts["tenant"])
    (account,) = [each for each in az("login", "--service-principal", *who) if each["id"] == facts["subscription"]]
    assert account["cloudName"] == "Hythe"


@pytest.fixture(scope="module")
def config(real: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sign in once."""
    folder = tmp_path_factory.mktemp("az")
    sign_in(Az(real, folder))
    return folder


@pytest.fixture
def az(real: Running, config: Path, proved: Proved) -> Az:
    return Az(real, config, proved)


@pytest.fixture
def folder(az: Az, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give a resource group for one test."""
    name = "az-" + request.node.name.removeprefix("test_").replace("_", "-")[:40]
    az("group", "create", "-n", name, "-l", "eastus")
    yield name
    az("group", "delete", "-n", name, "-y")
    assert az.text("group", "exists", "-n", name).strip() == "false"


def test_groups(az: Az, folder: str) -> None:
    az.did("cloud register", "login")
    assert az("group", "show", "-n", folder)["properties"]["provisioningState"] == "Succeeded"
    assert folder in [each["name"] for each in az("group", "list")]
    assert az("group", "update", "-n", folder, "--tags", "a=b")["tags"] == {"a": "b"}
    az.did("group create", "group show", "group list", "group update", "group exists", "group delete")
    assert "eastus" in [each["name"] for each in az("account", "list-locations")]
    assert az("provider", "show", "-n", "Microsoft.ContainerInstance")["registrationState"] == "Registered"
    az("provider", "register", "-n", "Microsoft.ContainerInstance", "--wait")
    az.did("account list-locations", "provider show", "provider register")


def test_life(az: Az, folder: str) -> None:
    secret = ("--secrets", "k=v", "--secrets-mount-path", "/secrets")
    variables = ("--environment-variables", "A=1", "--secure-environment-variables", "B=2")
    address = ("--ip-address", "Public", "--ports", "80", "--dns-name-label", "az-life")
    script = f'cat /secrets/k; echo "-$A-$B-"; {STAY}'
    made = az.create(folder, "one", *secret, *variables, *address, "--command-line", f"sh -c '{script}'")
    assert made["provisioningState"] == "Succeeded" and made["ipAddress"]["fqdn"].startswith("az-life.eastus.")
    assert made["volumes"][0]["secret"] != {"k": "dg=="}
    assert az.text("container", "logs", "-g", folder, "-n", "one").strip() == "v-1-2-"
    az.did("container create", "container create --secrets", "container create --secure-environment-variables",
           "container create --ip-address --dns-name-label", "container logs")  # fmt: skip

    shown = az("container", "show", "-g", folder, "-n", "one")
    assert shown["instanceView"]["state"] == "Running" and "2" not in str(
        shown["containers"][0]["environmentVariables"][1]
    )
    assert [each["name"] for each in az("container", "list", "-g", folder)] == ["one"]
    assert "one" in [each["name"] for each in az("container", "list")]
    (listed,) = az("resource", "list", "-g", folder)
    assert listed["type"] == GROUPS
    assert az("resource", "show", "--ids", listed["id"])["name"] == "one"
    az.did("container show", "container list", "resource list", "resource show")

    keys = "echo $((6 * 7))\nexit\n"
    assert "42" in az.text("container", "exec", "-g", folder, "-n", "one", "--exec-command", "/bin/sh", keys=keys)
    az.did("container exec")

    for verb, state in (("stop", "Stopped"), ("start", "Running"), ("restart", "Running")):
        az("container", verb, "-g", folder, "-n", "one")
        wait_for(lambda state=state: az.state(folder, "one") == state)
        az.did(f"container {verb}")
    az("container", "delete", "-g", folder, "-n", "one", "-y")
    assert az("container", "list", "-g", folder) == []
    az.did("container delete")


def test_followed_logs(az: Az, folder: str) -> None:
    script = "for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 1; done"
    az.create(folder, "job", "--restart-policy", "Never", "--command-line", f"sh -c '{script}'", "--no-wait")
    both = {
        "container attach": az.begin("container", "attach", "-g", folder, "-n", "job"),
        "container logs --follow": az.begin("container", "logs", "--follow", "-g", folder, "-n", "job"),
    }
    for operation, process in both.items():
        out, err = process.communicate("", timeout=100)
        assert process.returncode == 0 and "line 1" in out and "line 8" in out, out + err
        az.did(operation)


def test_files_and_exports(az: Az, folder: str, tmp_path: Path) -> None:
    asked, exported = tmp_path / "asked.yaml", tmp_path / "exported.yaml"
    needs = {"requests": {"cpu": 0.5, "memoryInGb": 0.5}}
    container = {"name": "c", "properties": {"image": TOOLS, "command": ["sh", "-c", STAY], "resources": needs,
                                             "ports": [{"port": 80, "protocol": "tcp"}]}}  # fmt: skip
    address = {"type": "Public", "ports": [{"protocol": "tcp", "port": 80}], "dnsNameLabel": "az-file"}
    asked.write_text(yaml.safe_dump({
        "apiVersion": "2021-10-01", "location": "eastus", "name": "one", "type": GROUPS,
        "properties": {"containers": [container], "osType": "Linux", "ipAddress": address}, "tags": {"a": "b"},
    }))  # fmt: skip
    az("container", "create", "-g", folder, "--file", asked)
    shown = az("container", "show", "-g", folder, "-n", "one")
    assert shown["instanceView"]["state"] == "Running" and shown["tags"] == {"a": "b"}
    az.did("container create --file")

    az("container", "export", "-g", folder, "-n", "one", "-f", exported)
    az.did("container export")
    az("container", "delete", "-g", folder, "-n", "one", "-y")
    az("container", "create", "-g", folder, "-n", "one", "--file", exported)
    again = az("container", "show", "-g", folder, "-n", "one")
    assert (
        again["containers"][0]["command"] == ["sh", "-c", STAY]
        and again["ipAddress"]["fqdn"] == shown["ipAddress"]["fqdn"]
    )
    az.did("container create --file of an export")


def test_repositories(az: Az, folder: str, git_server: tuple[str, Path]) -> None:
    where, _ = git_server
    az.create(
        folder, "one", "--gitrepo-url", f"http://{where}/public.git", "--gitrepo-mount-path", "/git",
        "--gitrepo-dir", ".", "--command-line", f"sh -c 'cat /git/file; {STAY}'",
    )  # fmt: skip
    assert az.text("container", "logs", "-g", folder, "-n", "one").strip() == "two"
    az.did("container create --gitrepo-url")


def test_registries(az: Az, folder: str, registry: Registry) -> None:
    image = f"{registry.image}:1"
    server = ("--registry-login-server", f"127.0.0.1:{registry.server_port}", "--registry-username", USER)
    with pytest.raises(Refused, match="InaccessibleImage"):
        az.create(folder, "one", *server, "--registry-password", "wrong", image=image)
    made = az.create(folder, "one", *server, "--registry-password", PASSWORD, image=image)
    assert made["instanceView"]["state"] == "Running" and PASSWORD not in str(made)
    az.did("container create --registry-login-server")


def test_identities(az: Az, folder: str) -> None:
    ours = az("identity", "create", "-g", folder, "-n", "me")
    az.did("identity create")
    made = az.create(folder, "one", "--assign-identity", ours["id"], "--command-line", f"sh -c '{STAY}'")
    (held,) = made["identity"]["userAssignedIdentities"].values()
    assert held["principalId"] == ours["principalId"]
    made = az.create(folder, "two", "--assign-identity", "--command-line", f"sh -c '{STAY}'")
    assert made["identity"]["type"] == "SystemAssigned" and made["identity"]["principalId"]
    az.did("container create --assign-identity")


def test_profiles(az: Az, folder: str) -> None:
    where = ("-g", folder, "-n", "p")
    profiles = ("container", "container-group-profile")
    needs = ("--image", TOOLS, *NEEDS, "-l", "eastus", "--command-line", f"sh -c 'cat /mnt/*; {STAY}'")
    assert [az(*profiles, "create", *where, *needs)["revision"] for _ in range(2)] == [1, 2]
    shown = az(*profiles, "show", *where)
    assert shown["revision"] == 2
    assert [each["name"] for each in az(*profiles, "list", "-g", folder)] == ["p"]
    assert az(*profiles, "show-revision", *where, "-r", "1")["revision"] == 1
    assert [each["revision"] for each in az(*profiles, "list-revisions", *where)] == [1, 2]
    of_profile = ("--container-group-profile-id", shown["id"], "--container-group-profile-revision", "1")
    az("container", "create", "-g", folder, "-n", "one", "-l", "eastus", *of_profile, "--config-map", "word=hello")
    made = az("container", "show", "-g", folder, "-n", "one")
    assert made["containers"][0]["image"] == TOOLS and made["containerGroupProfile"]["revision"] == 1
    assert az.state(folder, "one") == "Running"
    az(*profiles, "delete", *where, "-y")
    assert az(*profiles, "list", "-g", folder) == []
    for verb in ("create", "show", "list", "show-revision", "list-revisions", "delete"):
        az.did(f"container container-group-profile {verb}")
    az.did("container create --container-group-profile-id --config-map")


def test_workspaces_of_logs(az: Az, folder: str) -> None:
    workspace = "11111111-1111-1111-1111-111111111111"
    key = ("--log-analytics-workspace-key", "bm90LXRvLWJlLXRvbGQ=")
    made = az.create(folder, "one", "--log-analytics-workspace", workspace, *key, "--command-line", f"sh -c '{STAY}'")
    assert made["diagnostics"]["logAnalytics"]["workspaceId"] == workspace and key[1] not in str(made)
    az.did("container create --log-analytics-workspace")


def test_workspaces_by_name(az: Az, folder: str) -> None:
    held = az("monitor", "log-analytics", "workspace", "create", "-g", folder, "-n", "logs")
    made = az.create(folder, "one", "--log-analytics-workspace", "logs", "--command-line", f"sh -c '{STAY}'")
    assert made["diagnostics"]["logAnalytics"]["workspaceId"] == held["customerId"]
    assert made["tags"] == {"oms-resource-link": held["id"]}
    az.did("monitor log-analytics workspace create", "container create --log-analytics-workspace NAME")


def test_virtual_networks(az: Az, folder: str) -> None:
    where = ("--vnet", "v", "--subnet", "s", "--command-line", f"sh -c '{STAY}'")
    first = az.create(folder, "one", *where, "--ports", "80")
    second = az.create(folder, "two", *where, "--ip-address", "Private")
    assert (first["ipAddress"]["type"], first["ipAddress"]["ip"]) == ("Private", "10.0.0.4")
    assert (second["ipAddress"]["type"], second["ipAddress"]["ip"]) == ("Private", "10.0.0.5")
    (subnet,) = first["subnetIds"]
    assert subnet["id"].endswith("/virtualNetworks/v/subnets/s")
    with pytest.raises(Refused, match="InUseSubnetCannotBeDeleted"):
        az("network", "vnet", "subnet", "delete", "-g", folder, "--vnet-name", "v", "-n", "s")
    more = ("-n", "t", "--address-prefixes", "10.0.1.0/24")
    az("network", "vnet", "subnet", "create", "-g", folder, "--vnet-name", "v", *more)
    assert az.create(folder, "three", "--vnet", "v", "--subnet", "t")["ipAddress"]["ip"] == "10.0.1.4"
    az.did("container create --vnet", "network vnet subnet create", "network vnet subnet delete")


def test_what_this_service_does_not_offer_is_refused_with_a_sentence(az: Az, folder: str) -> None:
    for operation, options, what in (
        ("container create --os-type Windows", ("--os-type", "Windows"), "Windows containers"),
    ):
        sentence = f"The container group 'one' asks for {what}, which this service does not offer."
        with pytest.raises(Refused, match=sentence):
            az.create(folder, "one", *options)
        assert az.proved
        az.proved(CLIENT, VERSION, f"az {operation}", f"refused: {sentence}")


def test_deployments(az: Az, folder: str, tmp_path: Path) -> None:
    template = tmp_path / "template.json"
    container = {
        "image": TOOLS,
        "command": ["sh", "-c", STAY],
        "resources": {"requests": {"cpu": 0.5, "memoryInGB": 0.5}},
    }
    template.write_text(json.dumps({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {"name": {"type": "string"}},
        "resources": [{
            "type": GROUPS, "apiVersion": "2023-05-01", "name": "[parameters('name')]",
            "location": "[resourceGroup().location]",
            "properties": {"osType": "Linux", "containers": [{"name": "c", "properties": container}]},
        }],
        "outputs": {"id": {"type": "string", "value": f"[resourceId('{GROUPS}', parameters('name'))]"}},
    }))  # fmt: skip
    made = az(
        "deployment",
        "group",
        "create",
        "-g",
        folder,
        "-n",
        "d",
        "--template-file",
        template,
        "--parameters",
        "name=one",
    )
    assert made["properties"]["outputs"]["id"]["value"].endswith("/containerGroups/one")
    assert az("container", "show", "-g", folder, "-n", "one")["instanceView"]["state"] == "Running"
    assert az("deployment", "group", "show", "-g", folder, "-n", "d")["properties"]["provisioningState"] == "Succeeded"
    assert [each["name"] for each in az("deployment", "group", "list", "-g", folder)] == ["d"]
    az.did("deployment group create", "deployment group show", "deployment group list")


def test_azures_own_cloud(real: Running, tmp_path: Path, proved: Proved) -> None:
    """Nothing is registered and no variable is set: run-with leads Azure's names here."""
    az = Az(real, tmp_path)
    facts = real.facts
    plain = {name: value for name, value in az.variables.items() if name not in ("REQUESTS_CA_BUNDLE",)}
    who = f'-u {facts["client_id"]} -p "$AZURE_CLIENT_SECRET" --tenant {facts["tenant"]}'
    script = f'"$@" login --service-principal {who} -o none && "$@" container list -o json'
    command = [*HYTHE, "run-with", "--data-dir", real.data_dir, "--", "sh", "-c", script, "az", *az.command()]
    done = subprocess.run(command, env=plain, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and isinstance(json.loads(done.stdout), list), done.stderr
    proved(CLIENT, VERSION, "az login to AzureCloud, by hythe run-with")


def test_create_takes_little_more_than_az_itself(az: Az, folder: str) -> None:
    def seconds(*words: str) -> float:
        begun = time.monotonic()
        az.text(*words)
        return time.monotonic() - begun

    create = ("container", "create", "-g", folder, "--image", "microsoft/aci-helloworld", *NEEDS, "-n")
    own, all_ = [], []
    for turn in range(5):
        own.append(seconds("version"))
        all_.append(seconds(*create, f"group-{turn}"))
    more = median(all_) - median(own)
    assert more < 1.5
    assert az.proved
    result = f"works, takes {more:.1f} s more than `az version` ({median(own):.1f} s)"
    az.proved(CLIENT, VERSION, "az container create of an image that is there", result)
