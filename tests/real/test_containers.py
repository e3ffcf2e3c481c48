"""What a user sees of one service with real containers."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest

from hythe.errors import OperationFailed, ServiceError
from hythe.models import EnvironmentVariable, ImageRegistryCredential
from hythe.service.streams.logs import YOUNG_SECONDS

from .conftest import TOOLS, Running, container, group, hythe, page, reach, wait_for, web

pytestmark = pytest.mark.containers


def create(real: Running, folder: str, name: str, what: object) -> object:
    return real.aci.container_groups.begin_create_or_update(folder, name, what).result()


def test_a_log_that_is_still_empty_is_waited_for(real: Running) -> None:
    folder = real.folder("late")

    def waited(name: str, script: str, says: str) -> float:
        """Give the seconds for which the log was waited for: the fewest of some tries, as a busy machine adds some."""
        took: list[float] = []
        while len(took) < 3 and min(took, default=9.0) >= 2.5:
            task = container(image=TOOLS, command=["sh", "-c", script])
            create(real, folder, f"{name}-{len(took)}", group(task, restart_policy="Never"))
            begun = time.monotonic()
            assert real.log(folder, f"{name}-{len(took)}") == says
            took.append(time.monotonic() - begun)
            (held,) = real.aci.container_groups.get(folder, f"{name}-{len(took) - 1}").containers
            age = datetime.now(UTC) - held.instance_view.current_state.start_time
            assert says or age > timedelta(seconds=YOUNG_SECONDS)
        return min(took)

    assert waited("late", "sleep 1; echo late; sleep 100", "late\n") < 2.5
    assert 1.5 < waited("silent", "sleep 100", "") < 3.5


def test_exit_codes_decide_how_a_task_ended(real: Running) -> None:
    folder = real.folder("codes")
    real.run(folder, "fails", "echo no; exit 3")
    seen = real.aci.container_groups.get(folder, "fails")

    assert seen.instance_view.state == "Failed"
    assert seen.containers[0].instance_view.current_state.exit_code == 3
    assert seen.containers[0].instance_view.restart_count == 0


def test_an_exit_restarts_a_container_that_always_runs(real: Running) -> None:
    folder = real.folder("always")
    create(real, folder, "g", group(container(image=TOOLS, command=["sh", "-c", "echo once; sleep 0.5"])))

    view = wait_for(
        lambda: (seen := real.aci.container_groups.get(folder, "g").containers[0].instance_view).restart_count and seen
    )

    assert view.previous_state.state == "Terminated"
    assert real.state(folder, "g") == "Running"


def test_containers_have_few_rights(real: Running) -> None:
    said = real.run(real.folder("rights"), "g", "grep -E 'CapEff|Seccomp:|NoNewPrivs' /proc/self/status; ls /dev")

    fields = dict(line.split(":\t") for line in said.splitlines() if ":\t" in line)
    capabilities = int(fields["CapEff"], 16)
    assert fields["Seccomp"] == "2"
    assert not capabilities >> 13 & 1, "NET_RAW"
    assert not capabilities >> 21 & 1, "SYS_ADMIN"
    assert "kmsg" not in said and "sda" not in said and "vda" not in said


def test_groups_cannot_reach_each_other_nor_a_port_that_is_not_public(real: Running) -> None:
    folder = real.folder("apart")
    made = create(real, folder, "web", web())
    address = made.ip_address.ip
    assert b"<h1>" in page(address)

    said = real.run(folder, "other", reach(address))

    assert said.strip() == "apart"


def test_groups_of_one_name_in_two_resource_groups_never_touch(real: Running) -> None:
    one, two = real.folder("one"), real.folder("two")
    first = create(real, one, "same", web())
    second = create(real, two, "same", web())
    assert first.ip_address.ip != second.ip_address.ip

    real.aci.container_groups.begin_delete(one, "same").result()

    assert b"<h1>" in page(second.ip_address.ip)
    assert real.state(two, "same") == "Running"
    real.resources.resource_groups.begin_delete(one).result()
    assert real.state(two, "same") == "Running"


def test_stop_start_restart_and_update(real: Running) -> None:
    folder = real.folder("verbs")
    made = create(real, folder, "g", web())
    groups = real.aci.container_groups

    groups.stop(folder, "g")
    assert real.state(folder, "g") == "Stopped"
    with pytest.raises(OSError):
        urlopen(f"http://{made.ip_address.ip}/", timeout=2)
    groups.begin_start(folder, "g").result()
    assert real.state(folder, "g") == "Running"
    again = groups.get(folder, "g")
    assert again.ip_address.ip == made.ip_address.ip
    assert b"<h1>" in page(made.ip_address.ip)

    groups.begin_restart(folder, "g").result()
    after = groups.get(folder, "g").containers[0].instance_view.current_state.start_time
    assert after > again.containers[0].instance_view.current_state.start_time

    changed = web()
    changed.containers[0].environment_variables = [EnvironmentVariable(name="A", value="b")]
    create(real, folder, "g", changed)
    assert groups.get(folder, "g").containers[0].environment_variables[0].value == "b"
    assert b"<h1>" in page(made.ip_address.ip)


def test_an_image_that_cannot_be_had_is_refused_and_nothing_is_made(real: Running) -> None:
    folder = real.folder("nothing")
    with pytest.raises(ServiceError) as refused:
        create(real, folder, "g", group(container(image="localhost:1/no/such:image")))

    assert refused.value.code == "InaccessibleImage"
    assert list(real.aci.container_groups.list_by_resource_group(folder)) == []


def test_a_command_that_is_not_there_fails_the_operation_and_says_so(real: Running) -> None:
    folder = real.folder("nosuch")
    never = group(container(image=TOOLS, command=["/no/such/program"]), restart_policy="Never")
    with pytest.raises(OperationFailed) as failed:
        create(real, folder, "g", never)

    assert "/no/such/program" in str(failed.value)


def test_aliases_and_imported_images(real: Running) -> None:
    where = real.data_dir
    listed = hythe("image", "ls", data_dir=where).stdout
    assert "hythe.local/samples/wordcount:1" in listed
    archive = next((where / "cache").glob("helloworld-*.tar"))
    assert "hythe.local/samples/helloworld:1" in hythe("image", "import", str(archive), data_dir=where).stdout
    assert hythe("image", "alias", "example/page:2", "hythe.local/samples/helloworld:1", data_dir=where).returncode == 0

    made = create(real, real.folder("alias"), "g", web_of("example/page:2"))

    assert b"<h1>" in page(made.ip_address.ip)
    assert hythe("image", "alias", "example/page:2", data_dir=where).returncode == 0
    assert "example/page:2" not in hythe("image", "ls", data_dir=where).stdout
    gone = hythe("image", "rm", "example/no:1", data_dir=where)
    assert gone.returncode == 3 and "no image" in gone.stderr


def web_of(image: str) -> object:
    made = web()
    made.containers[0].image = image
    return made


def test_secrets_stay_secret(real: Running) -> None:
    folder = real.folder("secrets")
    secret, password = "x7Qf-secret-value", "p4Zw-registry-password"
    task = container(
        image=TOOLS,
        command=["sh", "-c", "echo ${#TOKEN}; sleep 100"],
        environment_variables=[EnvironmentVariable(name="TOKEN", secure_value=secret)],
    )
    credentials = [ImageRegistryCredential(server="registry.example", username="u", password=password)]
    described = group(task, image_registry_credentials=credentials)
    made = create(real, folder, "g", described)

    assert wait_for(lambda: real.log(folder, "g")) == f"{len(secret)}\n"
    assert secret not in repr(described) and password not in repr(described)
    assert secret not in repr(made) and secret not in repr(real.aci.container_groups.get(folder, "g"))
    said = [*(real.data_dir.glob("service.log*")), *real.data_dir.glob("hythe.db*")]
    said += [real.data_dir / "engine" / "containerd.log"]
    said += [Path(folder, name) for folder, _, names in os.walk(real.data_dir / "engine" / "logs") for name in names]
    read = {}
    for path in said:
        with contextlib.suppress(FileNotFoundError):  # logs of another group that is just being removed
            read[path] = path.read_bytes()
    assert len(read) > 3 and any(f" F {len(secret)}\n".encode() in text for text in read.values())
    for path, text in read.items():
        assert secret.encode() not in text and password.encode() not in text, path
    for name in ("my.azureauth", "secrets.key", "tls", "hythe.db", "engine"):
        assert (real.data_dir / name).stat().st_mode & 0o077 == 0, name


@pytest.mark.parametrize("asked", [0.5, 2])
def test_cpu_and_memory_limits_are_those_of_the_group(real: Running, asked: float) -> None:
    folder = real.folder(f"limits-{int(asked * 10)}")
    task = container(image=TOOLS, command=["sleep", "100"])
    task.resources.requests.memory_in_gb = asked
    create(real, folder, "g", group(task))

    found = wait_for(lambda: [line for line in real.ctr("tasks", "ls", "-q") if line])
    limits = []
    for identity in found:
        with contextlib.suppress(subprocess.CalledProcessError):  # one that begins again and again is just not there
            limits.append(spec_memory(real, identity))

    assert int(asked * 1e9) in limits or int(asked * 2**30) in limits, limits


def spec_memory(real: Running, identity: str) -> int:
    document = json.loads("\n".join(real.ctr("containers", "info", identity)))
    return document["Spec"]["linux"]["resources"].get("memory", {}).get("limit", 0)
