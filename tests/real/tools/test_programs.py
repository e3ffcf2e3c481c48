"""Programs that use Azure, unmodified and without a setting of Hythe's: led here by `hythe run-with` alone."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from environments import environment, pinned

from ..conftest import HYTHE, Proved, Running, web

HERE = Path(__file__).parent

pytestmark = [pytest.mark.clients, pytest.mark.containers, pytest.mark.timeout(900)]


def run_with(real: Running, variables: dict[str, str], *command: str | Path) -> str:
    asked = [*HYTHE, "run-with", "--only", "--data-dir", real.data_dir, "--", *command]
    done = subprocess.run(asked, env=os.environ | variables, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def test_prefects_worker(real: Running, proved: Proved, tmp_path: Path) -> None:
    """The deployment of a template, the group's state and log, and its deletion are what the worker asks for."""
    variables = {
        "PREFECT_HOME": str(tmp_path),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    pins = HERE / "pins" / "prefect.txt"
    python = environment(pins)
    said = run_with(real, variables, python, HERE / "programs" / "prefect_worker.py", "prefect")
    assert "the worker did what it should" in said and "a flow ran here" in said
    for operation in ("flow run", "flow run that fails", "streamed output", "deletion of the group"):
        proved("prefect-azure", pinned(pins, "prefect-azure"), f"AzureContainerWorker: {operation}")


def test_airflows_operator(real: Running, proved: Proved, tmp_path: Path) -> None:
    facts = real.facts
    connection = {
        "conn_type": "azure_container_instance",
        "login": facts["client_id"],
        "password": facts["client_secret"],
        "extra": {"tenantId": facts["tenant"], "subscriptionId": facts["subscription"]},
    }
    variables = {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW_CONN_AZURE_DEFAULT": json.dumps(connection),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
    }
    pins = HERE / "pins" / "airflow.txt"
    python = environment(pins)
    real.folder("airflow")
    said = run_with(real, variables, python, HERE / "programs" / "airflow_operator.py", "airflow")
    assert "the operator did what it should" in said
    real.resources.resource_groups.begin_delete("airflow").result()
    client = "apache-airflow-providers-microsoft-azure"
    version = pinned(pins, client)
    for method in ("test_connection", "create_or_update", "exists", "get_state", "get_logs", "delete"):
        proved(client, version, f"AzureContainerInstanceHook.{method}")
    for operation in ("execute", "execute of a container that fails", "secured variables", "logs to XCom"):
        proved(client, version, f"AzureContainerInstancesOperator: {operation}")


def test_custodians_policies(real: Running, proved: Proved, tmp_path: Path) -> None:
    """Cloud Custodian finds groups by what they are, tags and deletes them."""
    pins = HERE / "pins" / "c7n.txt"
    folder = real.folder("custodian")
    for name in ("watched", "other"):
        real.aci.container_groups.begin_create_or_update(folder, name, web()).result()
    command = [environment(pins).parent / "custodian", "run", "--output-dir", tmp_path, "--cache-period", "0"]

    mark = HERE / "programs" / "custodian_mark.yml"
    said = run_with(real, {}, *command, mark)
    assert "Action 'tag' modified 'watched'" in said
    tags = {each.name: each.tags for each in real.aci.container_groups.list_by_resource_group(folder)}
    assert tags["watched"] == {"owner": "nobody"} and not tags["other"]

    run_with(real, {}, *command, HERE / "programs" / "custodian_remove.yml")
    assert [each.name for each in real.aci.container_groups.list_by_resource_group(folder)] == ["other"]
    real.resources.resource_groups.begin_delete(folder).result()
    for operation in ("filters", "tag", "delete"):
        proved("c7n-azure", pinned(pins, "c7n-azure"), f"azure.container-group: {operation}")


def test_ansibles_modules(real: Running, proved: Proved, tmp_path: Path) -> None:
    """A play makes a group, asks for it again, which changes nothing, reads it and removes it."""
    pins = HERE / "pins" / "ansible.txt"
    facts = real.facts
    variables = {
        "AZURE_CLIENT_ID": facts["client_id"],
        "AZURE_SECRET": facts["client_secret"],
        "AZURE_TENANT": facts["tenant"],
        "AZURE_SUBSCRIPTION_ID": facts["subscription"],
        "ANSIBLE_HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
    }
    python = environment(pins)
    said = run_with(
        real, variables, python.parent / "ansible-playbook", "-i", "localhost,", HERE / "programs" / "ansible_play.yml"
    )
    assert "failed=0" in said and "changed=4" in said, said
    for operation in ("azure_rm_resourcegroup", "azure_rm_containerinstance", "azure_rm_containerinstance_info"):
        proved("ansible", pinned(pins, "ansible"), f"azure.azcollection.{operation}")
