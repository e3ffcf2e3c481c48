"""The library on real containers: running, commands, followed logs, files, ports, compose."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from hythe import ContainerInstanceManagementClient, from_compose
from hythe.aio import ContainerInstanceManagementClient as AsyncClient
from hythe.aio import get_client_from_auth_file
from hythe.client._sync.group import Group

from .conftest import PAGE, TOOLS, Running, container, group, wait_for
from .streaming import SIZE

pytestmark = pytest.mark.containers


@pytest.fixture(scope="module")
def shell(real: Running) -> Iterator[Group]:
    """Give a group whose one container waits to be used."""
    folder = real.folder("library-shell")
    waiting = group(container(image=TOOLS, command=["sleep", "600"]), restart_policy="Never")
    real.aci.container_groups.begin_create_or_update(folder, "shell", waiting).result()
    made = real.aci.group("shell", folder)
    yield made
    made.delete()


def client(real: Running) -> ContainerInstanceManagementClient:
    return real.aci


def test_run_gives_exit_code_log_and_times(real: Running) -> None:
    result = client(real).run(TOOLS, ["sh", "-c", "echo out; echo err >&2; exit 3"], cpu=0.5, memory_in_gb=0.5)
    assert result.exit_code == 3 and set(result.log.split()) == {"out", "err"}
    assert result.duration is not None and 0 <= result.duration.total_seconds() < result.waited


def test_a_command_in_a_running_container(shell: Group) -> None:
    done = shell.exec(["sh", "-c", "cat; echo err >&2; exit 4"], input=b"x" * (1 << 20))
    assert (done.stdout_bytes, done.stderr, done.exit_code) == (b"x" * (1 << 20), "err\n", 4)
    assert shell.exec("nosuch").exit_code == 127


def test_a_terminal(shell: Group) -> None:
    with shell.open("sh", tty=True, rows=30, columns=100) as session:
        session.write(f"{SIZE}; exit 5\n".encode())
        seen = b""
        while (piece := session.read()) is not None:
            seen += piece.data
        assert b"30 100" in seen and session.exit_code == 5


async def test_a_log_is_followed_as_it_is_written(real: Running) -> None:
    folder = real.folder("library")
    script = ["sh", "-c", "for n in 1 2 3; do echo line $n; sleep 0.1; done; echo -n last"]
    task = group(container("a", image=TOOLS, command=script), container("b", image=TOOLS, command=script),
                 restart_policy="Never")  # fmt: skip
    async with get_client_from_auth_file(AsyncClient, real.data_dir / "my.azureauth") as aci:
        poller = await aci.container_groups.begin_create_or_update(folder, "task", task)
        await poller.result()
        lines = [line async for line in aci.group("task", folder).logs(follow=True)]
        await aci.group("task", folder).delete()
    for name in ("a", "b"):
        assert [line.text for line in lines if line.container == name] == ["line 1", "line 2", "line 3", "last"]


def test_files_go_in_and_out(shell: Group, tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "file").write_bytes(bytes(range(256)) * 1000)
    shell.copy_in(tmp_path / "in", "/tmp/there")
    assert shell.exec("wc -c /tmp/there/deep/file").stdout.split()[0] == "256000"
    shell.exec(["sh", "-c", "ln -s deep /tmp/there/link"])
    back = shell.copy_out("/tmp/there", tmp_path / "back")
    assert (back / "link" / "file").read_bytes() == bytes(range(256)) * 1000


def test_a_port_that_is_not_published(real: Running) -> None:
    folder = real.folder("library")
    real.aci.container_groups.begin_create_or_update(folder, "page", group(container(image=PAGE))).result()
    page = real.aci.group("page", folder)
    with page.forward(80) as forward:

        def got() -> bytes:
            with contextlib.suppress(OSError):  # it runs a moment before its program listens
                return urlopen(f"http://localhost:{forward.port}/", timeout=20).read()
            return b""

        assert b"<h1>" in wait_for(got)
        assert b"<h1>" in urlopen(f"http://localhost:{forward.port}/", timeout=20).read()
    page.delete()


def test_services_of_a_compose_file_reach_each_other_by_name(real: Running, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        f"name: pair\nservices:\n"
        f"  page: {{image: {PAGE}, cpus: 0.5, mem_limit: 512m, container_name: the-page}}\n"
        f"  asks: {{image: {TOOLS}, cpus: 0.5, mem_limit: 512m, depends_on: [page], command: [sleep, '600']}}\n"
    )
    made = from_compose(tmp_path / "compose.yaml", names_image=TOOLS)
    folder = real.folder("library")
    assert real.aci.apply(made, resource_group=folder).action == "create"
    asks = real.aci.group("pair", folder)
    program = "import urllib.request as u; print(u.urlopen('http://page/').status, u.urlopen('http://the-page').status)"
    wait_for(lambda: asks.exec(["python3", "-c", program], container="asks").stdout == "200 200\n")
    assert real.aci.apply(made, resource_group=folder).action == "none"
    asks.delete()
