"""Tests `hythe container` and its short forms against a service with simulated containers."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from hythe.models import ContainerGroup

from ..free_ports import free_port
from .conftest import HYTHE, Service, clean_environment, sentence

Hythe = Callable[..., Result]
AS_WITH_AZ = """
container create -g mine -n web --image registry.example/web --cpu 0.5 --memory 0.25 --os-type Linux
--ports 80 443 --protocol TCP --ip-address Public --restart-policy OnFailure -l westeurope
-e A=1 B=x=y --secure-environment-variables TOKEN=hush --config-map conf=yes
--secrets key=hush --secrets-mount-path /secrets --registry-username me --registry-password hush
--command-line "sh -c 'echo hi'"
"""


def ok(result: Result) -> str:
    assert result.exit_code == 0, (result.stdout, result.stderr, result.exception)
    return result.stdout


def shown(result: Result) -> Any:
    return json.loads(ok(result))


@pytest.fixture
def web(hythe: Hythe) -> str:
    """Give a group that runs, of whose name no other test knows."""
    return ok(hythe("run", "-d", "-p", "80", "nginx")).strip()


def test_create_with_the_arguments_of_az(hythe: Hythe) -> None:
    made = shown(hythe(*shlex.split(AS_WITH_AZ)))

    (container,) = made["containers"]
    assert container["command"] == ["sh", "-c", "echo hi"]
    assert container["environmentVariables"] == [
        {"name": "A", "value": "1"}, {"name": "B", "value": "x=y"}, {"name": "TOKEN"},
    ]  # fmt: skip
    assert container["resources"]["requests"] == {"cpu": 0.5, "memoryInGB": 0.25}
    assert [port["port"] for port in container["ports"]] == [80, 443]
    assert container["volumeMounts"] == [{"name": "secrets", "mountPath": "/secrets"}]
    assert made["ipAddress"]["ip"] and [port["port"] for port in made["ipAddress"]["ports"]] == [80, 443]
    assert made["imageRegistryCredentials"] == [{"server": "registry.example", "username": "me"}]
    assert (made["name"], made["resourceGroup"], made["location"]) == ("web", "mine", "westeurope")
    assert made["restartPolicy"] == "OnFailure"
    assert "hush" not in json.dumps(made)
    assert container["configMap"]["keyValuePairs"] == {"conf": "yes"}


def test_run_publishes_ports_of_both_protocols(hythe: Hythe) -> None:
    here, name = free_port(), "resolver"
    asked = ["-p", f"{here}:53/udp", "-p", "53/TCP", "-p", "53/udp", "-p", "8053"]
    ok(hythe("run", "-d", "-n", name, *asked, "nginx"))

    made = shown(hythe("show", name, "-o", "json"))

    ports = [(each["port"], each["protocol"]) for each in made["ipAddress"]["ports"]]
    assert ports == [(53, "UDP"), (53, "TCP"), (8053, "TCP")]
    assert [(each["port"], each["protocol"]) for each in made["containers"][0]["ports"]] == ports
    assert made["tags"] == {"hythe.publish": f"{here}:53/udp"}


def test_a_secret_that_is_not_given_is_asked_for_on_a_terminal(service: Service) -> None:
    name = ["--image", "r.example/x", "-n", "asked", "--registry-username", "me", "--no-wait"]
    ours, theirs = pty.openpty()
    environment = clean_environment() | {"HYTHE_HOME": str(service.data_dir)}
    with subprocess.Popen(
        [*HYTHE, "container", "create", *name], env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,  # or it would ask on the terminal of whoever runs the tests
    ) as program:
        os.close(theirs)
        said = b""
        while b"Image registry password: " not in said:
            said += os.read(ours, 1024)
        os.write(ours, b"hush\n")
        with contextlib.suppress(OSError):  # what a terminal gives when its program has ended
            while block := os.read(ours, 1024):
                said += block
        assert program.wait(30) == 0, said
    os.close(ours)
    assert b"hush" not in said
    found = json.loads(service("container", "show", "asked").stdout)
    assert found["imageRegistryCredentials"] == [{"server": "r.example", "username": "me"}]


def test_the_resource_group_is_made_and_named_by_the_environment(hythe: Hythe, web: str) -> None:
    assert shown(hythe("container", "show", web))["resourceGroup"] == "hythe"
    other = ok(hythe("run", "-d", "nginx", env={"HYTHE_RESOURCE_GROUP": "mine"})).strip()
    found = shown(hythe("container", "list", "-g", "mine", "--query", "[].name"))
    assert other in found and web not in found
    assert {other, web} <= set(shown(hythe("container", "list", "--query", "[].name")))


def test_lists_show_how_groups_are(hythe: Hythe, web: str) -> None:
    (state,) = shown(hythe("container", "list", "--query", f"[?name=='{web}'].instanceView.state"))
    assert state == "Running"
    (line,) = [each for each in ok(hythe("ls", "-g", "hythe")).splitlines() if each.startswith(web)]
    assert line.split()[2] == "Running"


def test_a_group_is_named_in_three_ways(hythe: Hythe, web: str) -> None:
    found = shown(hythe("container", "show", "-n", web))
    assert shown(hythe("container", "show", f"hythe/{web}")) == found
    assert shown(hythe("container", "show", "--ids", found["id"])) == found
    assert shown(hythe("container", "show", web, f"hythe/{web}")) == [found, found]


def test_every_form_of_output(hythe: Hythe, web: str) -> None:
    header, line = ok(hythe("show", web)).splitlines()
    assert header.split()[:4] == ["Name", "ResourceGroup", "Status", "Image"]
    assert line.split()[:4] == [web, "hythe", "Running", "nginx"]
    assert ok(hythe("show", web, "-o", "tsv", "--query", "[name, ipAddress.ports[0].port]")) == f"{web}\n80\n"
    assert ok(hythe("show", web, "-o", "tsv", "--query", "[[name, osType]]")) == f"{web}\tLinux\n"
    assert f"name: {web}\n" in ok(hythe("show", web, "-o", "yaml"))
    assert ok(hythe("show", web, "-o", "none")) == ""
    assert ok(hythe("show", web, "--query", "{n: name, s: instanceView.state}")).split() == ["N", "S", web, "Running"]
    assert hythe("show", web, "--query", "[").exit_code == 2


def test_without_a_terminal_the_long_forms_write_json(hythe: Hythe, web: str) -> None:
    assert shown(hythe("container", "show", web, "--query", "name")) == web
    assert ok(hythe("container", "show", web, "--query", "name", env={"HYTHE_OUTPUT": "tsv"})) == f"{web}\n"


def test_stop_start_restart_delete(hythe: Hythe, web: str) -> None:
    def state() -> str:
        return str(shown(hythe("container", "show", web, "--query", "instanceView.state")))

    ok(hythe("stop", web))
    assert shown(hythe("wait", web, "--for", "stopped", "-o", "json"))["name"] == web
    ok(hythe("container", "start", "-n", web))
    assert state() == "Running"
    ok(hythe("restart", web))
    assert state() == "Running"
    assert "give --yes" in hythe("rm", web).stderr
    assert ok(hythe("rm", "-y", web)) == ""
    assert hythe("show", web).exit_code == 3


def test_nothing_is_deleted_if_one_name_is_wrong(hythe: Hythe, web: str) -> None:
    done = hythe("rm", "-y", web, "not-there-at-all")

    assert done.exit_code == 3
    assert "hythe ls" in sentence(done, code=3)
    ok(hythe("show", web))


def test_what_was_exported_can_be_created_and_is_the_same(hythe: Hythe, web: str, tmp_path: Path) -> None:
    ok(hythe("container", "export", "-n", web, "-f", str(tmp_path / "web.yaml")))
    assert ok(hythe("container", "export", web)) == (tmp_path / "web.yaml").read_text()

    again = shown(hythe("container", "create", "-g", "mine", "--file", str(tmp_path / "web.yaml")))

    was = ContainerGroup.from_yaml((tmp_path / "web.yaml").read_text())
    assert (again["name"], again["resourceGroup"]) == (web, "mine")
    assert [each.image for each in was.containers or ()] == [each["image"] for each in again["containers"]]
    other = hythe("container", "create", "-n", "other", "--file", str(tmp_path / "web.yaml"))
    assert (other.exit_code, "not for 'other'" in other.stderr) == (2, True)


def test_variables_of_the_environment_stand_in_a_file(hythe: Hythe, tmp_path: Path) -> None:
    (tmp_path / "g.yaml").write_text(
        "{name: $NAME, location: x, properties: {osType: Linux, containers: [{name: c, properties: {image: '${IMAGE}', "
        "resources: {requests: {cpu: 1, memoryInGB: 1}}}}]}}"
    )
    made = shown(
        hythe("container", "create", "-f", str(tmp_path / "g.yaml"), env={"NAME": "from-file", "IMAGE": "nginx"})
    )
    assert (made["name"], made["containers"][0]["image"]) == ("from-file", "nginx")


def test_why_events_and_wait(hythe: Hythe, web: str) -> None:
    assert ok(hythe("why", web)) == f"Group '{web}' is Running; nothing is wrong with it.\n"
    (event, *_) = shown(hythe("events", web, "-o", "json"))
    assert (event["group"], event["container"], event["name"]) == (web, web, "Started")
    assert "Started container" in ok(hythe("events", web))
    late = hythe("wait", web, "--for", "Succeeded", "--timeout", "0.1")
    assert "not Succeeded" in sentence(late, code=5)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["show"], 2, "name at least one"),
        (["logs", "not-there-at-all"], 3, "`hythe ls` shows the groups"),
        (["container", "create", "x"], 2, "--image"),
        (["container", "create", "--image", "x"], 2, "name the container group"),
        (["container", "create", "x", "--image", "x", "--gitrepo-url", "u"], 2, "--gitrepo-mount-path"),
        (["container", "create", "x", "--image", "x", "--secrets", "hush", "--secrets-mount-path", "/s"], 2, "'hush'"),
        (["container", "create", "x", "--image", "x", "--subnet", "s"], 2, "--vnet"),
        (["container", "create", "x", "--image", "x", "--vnet", "v"], 2, "--subnet"),
        (["container", "create", "x", "--image", "x", "--subnet", "/s", "--ip-address", "Public"], 2, "private"),
        (["container", "create", "x", "--image", "x", "--role", "Reader"], 2, "--scope"),
        (["container", "create", "x", "--image", "x", "--scope", "/"], 2, "--assign-identity"),
        (["container", "create", "x", "--image", "x", "--log-analytics-workspace-key", "k"], 2, "-workspace too"),
        (["container", "create", "x", "--image", "x", "--log-analytics-workspace", "none"], 3, "customer id"),
        (["container", "create", "x", "--image", "x", "--command-line", "'"], 2, "split"),
        (["container", "create", "x", "--image", "x", "--registry-username", "u"], 2, "--registry-login-server"),
        (["container", "create", "x", "--image", "r.io/x", "--registry-username", "u"], 2, "--registry-password"),
        (["container", "create", "x", "--image", "r.io/x", "--registry-password", "hush"], 2, "--registry-username"),
        (["container", "create", "x", "--image", "x", "--registry-login-server", "r.io"], 2, "--registry-username"),
        (["show", "a/b/c"], 2, "names no group"),
        (["run", "-p", "http", "nginx"], 125, "--publish"),
        (["run", "-p", "53/sctp", "nginx"], 125, "/udp"),
        (["run", "-e", "NOT_SET_HERE", "nginx"], 2, "NOT_SET_HERE"),
        (["run", "-v", "data", "nginx"], 2, "begins with /"),
        (["run", "-v", "nobody/none:/x", "nginx"], 125, "no storage account"),
        (["run", "-v", "/nowhere:/x", "nginx"], 125, "hythe share"),
        (["run", "--rm", "-d", "nginx"], 2, "give one"),
        (["ls", "--cloud", "mars"], 1, "mars"),
        (["ls", "--context", "none"], 3, "no context"),
    ],
)
def test_what_is_wrong_is_said_with_the_next_step(hythe: Hythe, arguments: list[str], code: int, says: str) -> None:
    done = hythe(*arguments)

    assert says in done.stderr
    assert "Traceback" not in done.stdout + done.stderr and isinstance(done.exception, SystemExit)
    assert done.exit_code == (2 if code == 125 and "Usage:" in done.stderr else code)


def test_without_a_service_the_way_out_is_named(cli: Hythe, tmp_path: Path) -> None:
    done = cli("ls", env={"HYTHE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)})

    said = sentence(done, code=4)
    assert "hythe up" in said and "--cloud azure" in said


def test_azure_is_not_chosen_because_an_auth_file_is_named(
    cli: Hythe, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_AUTH_LOCATION", str(tmp_path / "azure.json"))
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", "x")

    ok(cli("ls", env={"HYTHE_HOME": str(service.data_dir), "XDG_CONFIG_HOME": str(tmp_path)}))


def test_profiles_and_sets(hythe: Hythe) -> None:
    names = ["container", "container-group-profile"]
    first = shown(hythe(*names, "create", "-n", "p", "--image", "nginx", "--cpu", "1", "--memory", "1"))
    second = shown(hythe(*names, "create", "p", "--image", "caddy", "--ports", "80", "--ip-address", "Public"))

    assert (first["revision"], second["revision"]) == (1, 2)
    assert [each["revision"] for each in shown(hythe(*names, "list-revisions", "p"))] == [1, 2]
    assert shown(hythe(*names, "show-revision", "p", "-r", "1"))["containers"][0]["image"] == "nginx"
    assert "p" in shown(hythe(*names, "list", "--query", "[].name"))
    assert hythe(*names, "create", "p", "--image", "x", "--subnet", "s").exit_code == 2
    zoned = shown(hythe(*names, "create", "zoned", "--image", "nginx", "--zone", "1", "--privileged"))
    assert zoned["zones"] == ["1"] and zoned["containers"][0]["securityContext"] == {"privileged": True}
    assert shown(hythe(*names, "show", "--ids", zoned["id"])) == zoned
    assert ok(hythe(*names, "create", "zoned", "--image", "caddy", "--no-wait")) == ""
    ok(hythe(*names, "delete", "zoned", "--yes"))
    made = shown(
        hythe("ngroup", "create", "s", "--profile", "p", "--revision", "1", "--count", "2", "--prefix", "of-s-")
    )
    assert made["elasticProfile"]["desiredCount"] == 2
    assert "s" in shown(hythe("ngroup", "list", "-g", "hythe", "--query", "[].name"))
    groups = shown(hythe("container", "list", "-g", "hythe", "--query", "[?starts_with(name, 'of-s-')].name"))
    assert len(groups) == 2
    _, line = ok(hythe("ngroup", "show", "s", "-o", "table")).splitlines()
    assert (line.split()[0], line.split()[3:5]) == ("s", ["2", "p"])
    for verb in ("stop", "start", "restart"):
        ok(hythe("ngroup", verb, "s"))
    ok(hythe("ngroup", "delete", "-y", "s"))
    assert ok(hythe("container", "delete", "-y", "-n", "zoned")) == "", "as az: it is not there, as is wanted"
    assert hythe("rm", "-y", "zoned").exit_code == 3
    assert hythe("ngroup", "show", "s").exit_code == 3

    ok(hythe(*names, "delete", "p", "--yes"))
    assert hythe(*names, "show", "p").exit_code == 3


def test_top_shows_what_is_used_against_what_is_allowed(hythe: Hythe, web: str) -> None:
    deadline = time.monotonic() + 60
    while not (found := shown(hythe("top", web, "-o", "json"))):  # it is measured each second
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (usage,) = found

    assert (usage["group"], usage["container"], usage["cpuLimit"], usage["memoryLimit"]) == (web, web, 1, 1.5 * 2**30)
    assert web in ok(hythe("top"))
