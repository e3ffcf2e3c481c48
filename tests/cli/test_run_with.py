"""Tests `hythe run-with`: programs that were written for Azure, against Hythe and unchanged."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from .conftest import HYTHE, Service, clean_environment, run, sentence

SEEN = """
import json, os, pathlib
kept = dict(os.environ)
auth = pathlib.Path(kept["AZURE_AUTH_LOCATION"])
bundle = pathlib.Path(kept["SSL_CERT_FILE"])
print(json.dumps({
    "environment": kept,
    "auth": json.loads(auth.read_text()),
    "auth_mode": auth.stat().st_mode & 0o777,
    "folder_mode": auth.parent.stat().st_mode & 0o777,
    "bundle": bundle.read_text(),
    "files": sorted(path.name for path in auth.parent.iterdir()),
}))
"""
METADATA = "https://management.azure.com/metadata/endpoints?api-version=2022-09-01"


def seen(service: Service, **environment: str) -> dict[str, Any]:
    """Give what a program finds when it starts."""
    return json.loads(service.python(SEEN, **environment))  # type: ignore[no-any-return]


# --- exit codes and signals ---


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_the_exit_code_is_the_programs(service: Service, code: int) -> None:
    assert service.run_with("sh", "-c", f"exit {code}").returncode == code


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGINT"])
def test_a_program_that_a_signal_ended_ends_as_in_a_shell(service: Service, name: str) -> None:
    done = service.run_with("sh", "-c", f"kill -{name.removeprefix('SIG')} $$")
    assert done.returncode == 128 + signal.Signals[name]


def test_a_program_that_is_not_there_is_127(service: Service) -> None:
    done = service.run_with("no-such-program")
    assert done.returncode == 127
    assert done.stderr == "Error: cannot run no-such-program: there is no such program.\n"


def test_a_program_that_can_not_be_run_is_126(service: Service, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("x")
    done = service.run_with(str(tmp_path / "text"))
    assert done.returncode == 126
    assert done.stderr == f"Error: cannot run {tmp_path / 'text'}: Permission denied.\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_are_passed_on(service: Service, number: signal.Signals) -> None:
    program = (
        "import signal, sys\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(9))\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()"
    )
    command = [*HYTHE, "run-with", "--data-dir", str(service.data_dir), "--", sys.executable, "-c", program]
    with subprocess.Popen(
        command, env=clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout and running.stdout.readline() == "ready\n"
            running.send_signal(number)
            assert running.wait(60) == 9
        finally:
            running.kill()


def test_options_and_streams_are_the_programs(service: Service) -> None:
    show = "import sys; print(sys.argv[1:]); sys.stderr.write('aside'); print(sys.stdin.read())"
    done = subprocess.run(
        [*HYTHE, "run-with", sys.executable, "-c", show, "--help", "--data-dir", "x", "--", "-h"],
        env=clean_environment() | {"HYTHE_HOME": str(service.data_dir)},
        input="given", capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "['--help', '--data-dir', 'x', '--', '-h']\ngiven\n"
    assert done.stderr == "aside"


def test_without_a_program_it_is_a_usage_error(service: Service) -> None:
    assert service("run-with").returncode == 2


# --- what the program finds ---


def test_the_program_finds_hythes_credentials_where_it_looks_for_azures(service: Service) -> None:
    found, facts = seen(service), service.facts
    given = found["environment"]
    assert {name: given[name] for name in given if name.startswith(("AZURE_", "HYTHE_U"))} == {
        "AZURE_TENANT_ID": facts["tenant"],
        "AZURE_CLIENT_ID": facts["client_id"],
        "AZURE_CLIENT_SECRET": facts["client_secret"],
        "AZURE_SUBSCRIPTION_ID": facts["subscription"],
        "AZURE_AUTH_LOCATION": given["AZURE_AUTH_LOCATION"],
        "HYTHE_URL": facts["url"],
    }
    assert found["auth"] == json.loads(service.auth_file.read_text()) | {
        "activeDirectoryEndpointUrl": "https://login.microsoftonline.com",
        "resourceManagerEndpointUrl": "https://management.azure.com/",
    }
    assert (found["auth_mode"], found["folder_mode"]) == (0o600, 0o700)


def test_the_program_is_led_through_the_proxy_and_trusts_it(service: Service) -> None:
    found = seen(service)
    given = found["environment"]
    proxy = urlsplit(given["HTTPS_PROXY"])
    assert (proxy.scheme, proxy.hostname, given["https_proxy"]) == ("http", "127.0.0.1", given["HTTPS_PROXY"])
    assert proxy.username and proxy.password
    assert given["NO_PROXY"] == given["no_proxy"] == "localhost,127.0.0.1,::1"
    bundles = {given[name] for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS",
                                        "WEBSOCKET_CLIENT_CA_BUNDLE")}  # fmt: skip
    assert len(bundles) == 1
    assert "CURL_CA_BUNDLE" not in given
    assert found["bundle"].startswith((service.data_dir / "ca-bundle.pem").read_text())
    assert "PRIVATE" not in found["bundle"]


def test_nothing_of_a_run_is_left_and_its_key_is_on_no_disk(service: Service) -> None:
    found = seen(service)
    assert not Path(found["environment"]["AZURE_AUTH_LOCATION"]).parent.exists()
    assert found["files"] == ["ca-bundle.pem", "decrypting.sock", "my.azureauth"]


def test_what_the_user_has_set_stays(service: Service, tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text("{}")
    own = {
        "AZURE_CLIENT_ID": "mine",
        "AZURE_SUBSCRIPTION_ID": "my-subscription",
        "AZURE_AUTH_LOCATION": str(tmp_path / "own.json"),
        "NO_PROXY": "intranet.example",
        "MARK": "kept",
    }
    given = seen(service, **own)["environment"]
    assert {name: given[name] for name in own if name != "NO_PROXY"} == {
        name: value for name, value in own.items() if name != "NO_PROXY"
    }
    assert "AZURE_CLIENT_SECRET" not in given and "AZURE_TENANT_ID" not in given
    assert given["NO_PROXY"] == given["no_proxy"] == "intranet.example,localhost,127.0.0.1,::1"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("*", ""),
        (".azure.com,intranet.example", "intranet.example,"),
        ("management.azure.com, 10.0.0.0/8", "10.0.0.0/8,"),
        ("*.microsoftonline.com,eastus.management.azure.com:443", ""),
        ("notazure.com,.other.azure.com", "notazure.com,.other.azure.com,"),
    ],
)
def test_no_proxy_leads_no_program_past_hythe_to_azure(service: Service, given: str, kept: str) -> None:
    found = seen(service, NO_PROXY=given, no_proxy=given)["environment"]
    assert found["NO_PROXY"] == found["no_proxy"] == f"{kept}localhost,127.0.0.1,::1"


def test_regions_and_other_clouds_lead_to_hythe(service: Service) -> None:
    program = """
import json, urllib.request
for name in ("westeurope.management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn"):
    url = f"https://{name}/metadata/endpoints?api-version=2022-09-01"
    print(json.load(urllib.request.urlopen(url, timeout=20))["resourceManager"])
"""
    assert service.python(program).split() == [
        "https://westeurope.management.azure.com", "https://management.usgovcloudapi.net",
        "https://management.chinacloudapi.cn",
    ]  # fmt: skip


def test_every_name_of_an_authority_leads_to_hythes(service: Service) -> None:
    names = ("login.microsoftonline.com", "login-us.microsoftonline.com", "login.usgovcloudapi.net",
             "eastus.login.microsoft.com")  # fmt: skip
    program = """
import json, sys, urllib.request
for name in sys.argv[1:]:
    url = f"https://{name}/common/v2.0/.well-known/openid-configuration"
    print(json.load(urllib.request.urlopen(url, timeout=20))["token_endpoint"])
"""
    done = service("run-with", "--only", "--", sys.executable, "-c", program, *names)
    assert done.stdout.split() == [f"https://{name}/common/oauth2/v2.0/token" for name in names], done.stderr


OTHERS = """
import sys, urllib.request
for url in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(url, timeout=20).status)
    except OSError as why:
        print(why)
"""


def test_with_only_nothing_else_is_reached(service: Service) -> None:
    others = ("https://example.com/", "http://example.com/", "https://management.azure.com:444/")
    done = service("run-with", "--only", "--", sys.executable, "-c", OTHERS, METADATA, *others, NO_PROXY="example.com")
    first, *refused = done.stdout.splitlines()
    assert first == "200", done.stderr
    assert ["403" in refused[0], "405" in refused[1], "403" in refused[2]] == [True] * 3, refused


# --- in a shell ---


def test_a_shell_is_led_to_hythe_until_it_ends(service: Service, tmp_path: Path) -> None:
    ask = f"import urllib.request as r; print(r.urlopen({METADATA!r}, timeout=20).status)"
    hythe = " ".join(HYTHE)
    script = f"""
eval "$({hythe} env --intercept)" || exit 3
{sys.executable} -c '{ask.replace("'", '"')}'
echo "$HYTHE_INTERCEPT_PID" "$(dirname "$SSL_CERT_FILE")"
"""
    done = run("bash", "-c", script, HYTHE_HOME=str(service.data_dir))
    assert done.returncode == 0, done.stderr
    status, rest = done.stdout.splitlines()
    pid, folder = rest.split()
    assert status == "200"
    for _ in range(1200):
        if not Path(folder).exists() and not Path(f"/proc/{pid}/exe").exists():
            break
        time.sleep(0.05)
    else:
        raise AssertionError("the proxy outlives its shell")


def test_a_shell_is_told_what_is_wrong(service: Service, tmp_path: Path) -> None:
    assert "none runs there" in sentence(service("env", "--intercept", "--data-dir", str(tmp_path)), code=4)
    assert "cannot watch process" in sentence(service("env", "--intercept", "--while", "4194304"))
    assert service("env", "--only").returncode == 2


def test_variables_that_point_at_hythe_already_are_led_to_azures_names(service: Service) -> None:
    found = seen(service, AZURE_AUTH_LOCATION=str(service.auth_file), CURL_CA_BUNDLE="somewhere")
    assert found["auth"]["resourceManagerEndpointUrl"] == "https://management.azure.com/"
    given = found["environment"]
    assert given["CURL_CA_BUNDLE"] == given["SSL_CERT_FILE"]


def test_secrets_are_on_no_command_line(service: Service) -> None:
    program = """
import os, pathlib, urllib.parse
hidden = [os.environ["AZURE_CLIENT_SECRET"], urllib.parse.urlsplit(os.environ["HTTPS_PROXY"]).password]
lines = []
for each in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
    try:
        lines.append(each.read_bytes().decode(errors="replace"))
    except OSError:
        pass  # that one has just ended
print(any("\\0run-with\\0" in line for line in lines), any(secret in line for secret in hidden for line in lines))
"""
    assert service.python(program) == "True False\n"


# --- programs ---


def test_the_name_of_azure_leads_to_hythe(service: Service) -> None:
    said = service.python(f"import urllib.request as r; print(r.urlopen({METADATA!r}, timeout=20).read().decode())")
    found = json.loads(said)
    assert found["name"] == "Hythe"
    assert found["resourceManager"] == "https://management.azure.com"
    assert found["authentication"]["loginEndpoint"] == "https://management.azure.com/adfs"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_is_led_to_hythe_too(service: Service) -> None:
    done = service.run_with("curl", "-sS", "--max-time", "20", METADATA)
    assert json.loads(done.stdout or "{}").get("name") == "Hythe", done.stderr


def test_our_library_works_unchanged_with_the_auth_file_of_the_run(service: Service) -> None:
    program = """
from hythe import ContainerInstanceManagementClient, ResourceManagementClient, get_client_from_auth_file
with get_client_from_auth_file(ResourceManagementClient) as resources:
    print(resources.resource_groups.create_or_update("run-with", {"location": "eastus"}).name)
with get_client_from_auth_file(ContainerInstanceManagementClient) as aci:
    needs = {"requests": {"cpu": 1, "memoryInGB": 1}}
    container = {"name": "c", "properties": {"image": "image", "resources": needs}}
    group = {"location": "eastus", "properties": {"osType": "Linux", "containers": [container]}}
    print(aci.container_groups.begin_create_or_update("run-with", "web", group).result().provisioning_state)
    print([each.name for each in aci.container_groups.list_by_resource_group("run-with")])
"""
    assert service.python(program) == "run-with\nSucceeded\n['web']\n"


def test_our_library_works_unchanged_with_azures_own_addresses(service: Service) -> None:
    program = """
import os
from hythe import ClientSecretCredential, ResourceManagementClient
who = ClientSecretCredential(*(os.environ["AZURE_" + name] for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")))
with ResourceManagementClient(who, os.environ["AZURE_SUBSCRIPTION_ID"]) as resources:
    resources.resource_groups.create_or_update("by-default", {"location": "eastus"})
    print(resources.resource_groups.check_existence("by-default"))
"""
    assert service.python(program) == "True\n"


def test_an_asynchronous_program_works_too(service: Service) -> None:
    program = """
import asyncio
from hythe import get_client_from_auth_file
from hythe.aio import ResourceManagementClient
async def main():
    async with get_client_from_auth_file(ResourceManagementClient) as resources:
        await resources.resource_groups.create_or_update("async", {"location": "eastus"})
        print(await resources.resource_groups.check_existence("async"))
asyncio.run(main())
"""
    assert service.python(program) == "True\n"


def test_without_the_runs_authority_the_program_refuses(service: Service) -> None:
    program = f"""
import ssl, sys, urllib.error, urllib.request
try:
    urllib.request.urlopen({METADATA!r}, timeout=20, context=ssl.create_default_context(cafile=sys.argv[1]))
except urllib.error.URLError as why:
    print(type(why.reason).__name__)
"""
    assert service.python(program, str(service.data_dir / "ca.pem")) == "SSLCertVerificationError\n"
