"""Volumes and config maps in real containers: what they hold, how long, and that no link leads out of them."""

from __future__ import annotations

import base64
import http.server
import ipaddress
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hythe.errors import HytheError
from hythe.models import AzureFileVolume, ConfigMap, GitRepoVolume, Volume, VolumeMount

from .conftest import TOOLS, Running, container, group, hythe, traces, wait_for, web

pytestmark = pytest.mark.containers

SECRET = "s3cr3t-word-of-the-test"
ACCOUNT = "testaccount"
STAY = "trap exit TERM; sleep 1000 & wait"


def shell(script: str, name: str = "c", **options: Any) -> Any:
    return container(name, image=TOOLS, command=["sh", "-c", script], **options)


def put(service: Running, folder: str, name: str, what: Any) -> Any:
    return service.aci.container_groups.begin_create_or_update(folder, name, what).result()


def once(
    service: Running, folder: str, name: str, script: str, volumes: list[Volume], mounts: list[VolumeMount]
) -> str:
    """Run a script with volumes to its end and give its log."""
    task = shell(script, volume_mounts=mounts)
    put(service, folder, name, group(task, volumes=volumes, restart_policy="Never"))
    wait_for(lambda: service.state(folder, name) in ("Succeeded", "Failed"))
    return service.log(folder, name)


def mount(name: str, path: str, read_only: bool | None = None) -> VolumeMount:
    return VolumeMount(name=name, mount_path=path, read_only=read_only)


def share(service: Running, name: str, *options: str) -> AzureFileVolume:
    done = hythe("share", "create", *options, f"{ACCOUNT}/{name}", data_dir=service.data_dir)
    assert done.returncode == 0, done.stderr
    return AzureFileVolume(share_name=name, storage_account_name=ACCOUNT, storage_account_key=done.stdout.strip())


def volumes_of(service: Running) -> Path:
    return service.data_dir / "engine" / "volumes"


def delete(service: Running, folder: str) -> None:
    service.resources.resource_groups.begin_delete(folder).result()


def test_empty_dir_is_shared_survives_a_crash_and_goes_with_stop_and_delete(real: Running) -> None:
    folder = real.folder("empty")
    script = "echo x >> /data/runs; wc -l < /data/runs; [ $(wc -l < /data/runs) -ge 2 ] || exit 1; " + STAY
    writer = shell(script, "w", volume_mounts=[mount("v", "/data")])
    reader = shell(STAY, "r", volume_mounts=[mount("v", "/else", read_only=True)])
    what = group(writer, reader, volumes=[Volume(name="v", empty_dir={})])

    put(real, folder, "g", what)
    wait_for(lambda: real.aci.container_groups.get(folder, "g").containers[0].instance_view.restart_count >= 1)
    runs = wait_for(lambda: next(volumes_of(real).glob("*/data/v/runs"), None))
    wait_for(lambda: len(runs.read_text().split()) >= 2)
    held = runs.parent
    real.aci.container_groups.stop(folder, "g")
    wait_for(lambda: not held.exists())
    real.aci.container_groups.begin_start(folder, "g").result()
    wait_for((held / "runs").exists)
    delete(real, folder)

    wait_for(lambda: not held.parent.parent.exists())


def test_read_only_is_honoured(real: Running) -> None:
    folder = real.folder("ro")
    log = once(
        real, folder, "g", "touch /a/x 2>&- || echo no; touch /b/y && echo yes",
        [Volume(name="v", empty_dir={}), Volume(name="s", azure_file=share(real, "roshare"))],
        [mount("v", "/a", read_only=True), mount("s", "/b")],
    )  # fmt: skip
    of_volume = msgspec.structs.replace(share(real, "roshare"), read_only=True)
    second = once(
        real,
        folder,
        "h",
        "ls /b; touch /b/z 2>&- || echo no",
        [Volume(name="s", azure_file=of_volume)],
        [mount("s", "/b")],
    )
    delete(real, folder)

    assert log == "no\nyes\n"
    assert second == "y\nno\n"


def test_secrets_are_files_on_tmpfs_and_never_on_disk(real: Running) -> None:
    folder = real.folder("secret")
    files = {"pass": base64.b64encode(SECRET.encode()).decode(), "bin": base64.b64encode(b"\0\xff").decode()}
    script = (
        "cat /s/pass; stat -c ' %a %u' /s/pass; stat -f -c %T /s; od -An -tx1 /s/bin; touch /s/x 2>&- || echo no; "
        + STAY
    )
    put(real, folder, "g", group(shell(script, volume_mounts=[mount("v", "/s")]),
                                 volumes=[Volume(name="v", secret=files)]))  # fmt: skip
    wait_for(lambda: "no" in real.log(folder, "g"))
    log = real.log(folder, "g")
    shown = real.aci.container_groups.get(folder, "g")
    grep = ["grep", "-rlaF", "-e", SECRET, "-e", files["pass"], str(real.data_dir)]
    found = subprocess.run(grep, capture_output=True, text=True, check=False).stdout.split()
    delete(real, folder)

    assert f"{SECRET} 644 0\n" in log
    assert "tmpfs" in log and "00 ff" in log and log.splitlines()[-1] == "no"
    assert shown.volumes[0].secret == {}
    assert all("/logs/" in each for each in found), "the container printed it itself"
    secrets = Path(f"/run/hythe/{real.installation}/secrets")
    wait_for(lambda: not [*secrets.iterdir()])


def test_changed_secret_restarts_only_those_that_mount_it(real: Running) -> None:
    folder = real.folder("change")

    def what(word: str) -> Any:
        files = {"word": base64.b64encode(word.encode()).decode()}
        return group(
            shell("echo $(cat /s/word); " + STAY, "a", volume_mounts=[mount("v", "/s")]),
            shell(STAY, "b"),
            volumes=[Volume(name="v", secret=files)],
        )

    put(real, folder, "g", what("one"))
    before = real.aci.container_groups.get(folder, "g").containers
    put(real, folder, "g", what("two"))
    wait_for(lambda: real.log(folder, "g", "a") == "two\n")
    after = real.aci.container_groups.get(folder, "g").containers
    delete(real, folder)

    def begun(which: Any) -> list[Any]:
        return [one.instance_view.current_state.start_time for one in which]

    assert begun(before)[0] != begun(after)[0]
    assert begun(before)[1] == begun(after)[1]


def test_config_map_is_updated_in_the_running_container(real: Running) -> None:
    folder = real.folder("config")

    def what(pairs: dict[str, str] | None) -> Any:
        script = "cd /mnt/configmap/c; while :; do echo $(ls) $(cat key 2>/dev/null); sleep 0.1; done"
        return group(shell(script, config_map=None if pairs is None else ConfigMap(key_value_pairs=pairs)))

    put(real, folder, "g", what(None))
    for pairs, says in (({"key": "one", "other": "x"}, "key other one"), ({"key": "two"}, "key two"), ({}, "")):
        put(real, folder, "g", what(pairs))
        wait_for(lambda says=says: [each.strip() for each in real.log(folder, "g").splitlines()[-1:]] == [says])
    view = real.aci.container_groups.get(folder, "g").containers[0].instance_view
    delete(real, folder)

    assert view.restart_count == 0
    assert [event.name for event in view.events].count("Started") == 1


def test_shares_outlive_groups_are_shared_and_have_keys(real: Running, tmp_path: Path) -> None:
    folder = real.folder("shares")
    files = share(real, "common")
    volumes, mounts = [Volume(name="v", azure_file=files)], [mount("v", "/s")]
    once(real, folder, "first", "echo hello > /s/file", volumes, mounts)
    real.aci.container_groups.begin_delete(folder, "first").result()
    log = once(real, folder, "second", "cat /s/file", volumes, mounts)
    shown = real.aci.container_groups.get(folder, "second").volumes[0].azure_file
    wrong = msgspec.structs.replace(files, storage_account_key=base64.b64encode(b"x" * 64).decode())
    with pytest.raises(HytheError) as refused:
        put(real, folder, "third", group(shell("true", volume_mounts=mounts),
                                         volumes=[Volume(name="v", azure_file=wrong)]))  # fmt: skip
    in_use = hythe("share", "rm", f"{ACCOUNT}/common", data_dir=real.data_dir)
    out = hythe("share", "cp", f"{ACCOUNT}/common:file", str(tmp_path / "copy"), data_dir=real.data_dir)
    delete(real, folder)
    removed = hythe("share", "rm", f"{ACCOUNT}/common", data_dir=real.data_dir)

    assert log == "hello\n"
    assert shown.storage_account_key is None
    assert refused.value.code == "InvalidStorageAccountKey"  # type: ignore[attr-defined]
    assert files.storage_account_key not in str(refused.value)
    assert in_use.returncode == 1 and "mount it" in in_use.stderr
    assert out.returncode == 0 and (tmp_path / "copy").read_text() == "hello\n"
    assert removed.returncode == 0, removed.stderr
    assert not (real.data_dir / "shares" / ACCOUNT / "common").exists()


def test_planted_links_lead_no_copy_and_no_mount_out(real: Running, tmp_path: Path) -> None:
    folder = real.folder("links")
    files = share(real, "planted")
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "file").write_text("new")
    script = f"cd /s; ln -s {tmp_path}/victim name; ln -s {tmp_path} dir; ln -s /etc inner; ln -s /etc/passwd link"
    volumes, mounts = [Volume(name="v", azure_file=files)], [mount("v", "/s")]
    once(real, folder, "plants", script, volumes, mounts)

    for target in ("name", "dir/victim", "dir"):
        hythe("share", "cp", str(tmp_path / "file"), f"{ACCOUNT}/planted:{target}", data_dir=real.data_dir)
    for source in ("link", "dir/victim", "inner/passwd", "../../hythe.db"):
        out = hythe("share", "cp", f"{ACCOUNT}/planted:{source}", str(tmp_path / "out"), data_dir=real.data_dir)
        assert not (tmp_path / "out").exists(), out
    nested = group(
        shell("true", volume_mounts=[mount("v", "/s"), mount("w", "/s/inner")]),
        volumes=[*volumes, Volume(name="w", empty_dir={})],
        restart_policy="Never",
    )
    real.aci.container_groups.begin_create_or_update(folder, "nested", nested)
    waiting = wait_for(
        lambda: real.aci.container_groups.get(folder, "nested").containers[0].instance_view.current_state.detail_status
    )
    delete(real, folder)

    assert (tmp_path / "victim").read_text() == "untouched"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "victim"]
    assert "a symbolic link lies on the way" in waiting
    root = real.data_dir / "shares" / ACCOUNT / "planted"
    assert not (root / "name").is_symlink() and (root / "name").read_text() == "new", "the link was replaced"


def test_group_that_cannot_mount_waits_and_says_so(real: Running) -> None:
    folder = real.folder("waits")
    source = GitRepoVolume(repository="http://127.0.0.1:9/none.git")
    what = group(shell("true", volume_mounts=[mount("v", "/g")]), volumes=[Volume(name="v", git_repo=source)])
    real.aci.container_groups.begin_create_or_update(folder, "g", what)

    view = wait_for(
        lambda: (view := real.aci.container_groups.get(folder, "g").containers[0].instance_view).events and view, 120
    )
    state = real.state(folder, "g")
    delete(real, folder)

    assert [event.name for event in view.events] == ["FailedMount"]
    assert 'MountVolume.SetUp failed for volume "v"' in view.events[0].message
    assert view.current_state.state == "Waiting" and view.current_state.detail_status.startswith("FailedMount: ")
    assert state == "Pending"


class _Git(http.server.SimpleHTTPRequestHandler):
    """Serves repositories to who knows user and password."""

    def do_GET(self) -> None:
        word = base64.b64encode(f"user:{SECRET}".encode()).decode()
        if "/private" in self.path and self.headers.get("Authorization") != f"Basic {word}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def git_server(real: Running, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Serve a repository, with a submodule and a hook that must not run, at an address that containers reach."""
    work = tmp_path / "work"

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"]
        subprocess.run(["git", *identity, *arguments], cwd=work, check=True, capture_output=True)

    work.mkdir()
    git("init", "--quiet", "--initial-branch=main")
    (work / "file").write_text("one\n")
    (work / "link").symlink_to("/etc/hostname")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    git("tag", "first")
    (work / "file").write_text("two\n")
    git("submodule", "--quiet", "add", str(work), "inner")
    git("commit", "--quiet", "-a", "-m", "two")
    served = tmp_path / "served"
    served.mkdir()
    for name in ("public.git", "private.git"):
        git("clone", "--quiet", "--bare", str(work), str(served / name))
        subprocess.run(["git", "update-server-info"], cwd=served / name, check=True)
    folder = real.folder("gitserver")
    address = put(real, folder, "link", web()).ip_address.ip  # while it runs the host's end of its link is there
    host = next(ipaddress.ip_network((real.data_dir / "engine" / "subnet").read_text().strip()).hosts())
    assert ipaddress.ip_address(address) != host
    server = http.server.ThreadingHTTPServer((str(host), 0), lambda *a: _Git(*a, directory=str(served)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{host}:{server.server_port}", work
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        delete(real, folder)


def test_git_repositories_are_cloned_without_submodules_and_secrets(
    real: Running, git_server: tuple[str, Path]
) -> None:
    where, _ = git_server
    folder = real.folder("git")
    private = f"http://user:{SECRET}@{where}/private.git"
    volumes = [
        Volume(name="named", git_repo=GitRepoVolume(repository=f"http://{where}/public.git")),
        Volume(name="root", git_repo=GitRepoVolume(repository=private, directory=".", revision="first")),
        Volume(name="deep", git_repo=GitRepoVolume(repository=f"http://{where}/public.git", directory="a/b")),
    ]
    script = (
        "cat /n/public/file; ls -A /n/public/inner | wc -l; cat /r/file; cat /r/.git/config; cat /d/a/b/file;"
        "ls /r/.git/hooks 2>/dev/null | wc -l; ls -la /r/.git; touch /r/new && echo written; " + STAY
    )
    mounts = [mount("named", "/n"), mount("root", "/r"), mount("deep", "/d")]
    put(real, folder, "g", group(shell(script, volume_mounts=mounts), volumes=volumes))
    wait_for(lambda: "written" in real.log(folder, "g"))
    log = real.log(folder, "g")
    shown = real.aci.container_groups.get(folder, "g")
    left = subprocess.run(["grep", "-rlaF", SECRET, str(real.data_dir)], capture_output=True, text=True, check=False)
    names = [one.name for one in shown.containers]
    delete(real, folder)

    assert log.startswith("two\n0\none\n")
    assert f"url = http://{where}/private.git" in log and SECRET not in log
    assert log.count("two\n") == 2
    assert shown.volumes[1].git_repo.repository == f"http://***@{where}/private.git"
    assert names == ["c"]
    assert left.stdout == ""


def test_git_repository_that_asks_for_another_password_is_refused_without_telling_it(
    real: Running, git_server: tuple[str, Path]
) -> None:
    where, _ = git_server
    folder = real.folder("gitno")
    source = GitRepoVolume(repository=f"http://user:not-{SECRET}@{where}/private.git")
    what = group(shell("true", volume_mounts=[mount("v", "/g")]), volumes=[Volume(name="v", git_repo=source)])
    real.aci.container_groups.begin_create_or_update(folder, "g", what)
    view = wait_for(
        lambda: (view := real.aci.container_groups.get(folder, "g").containers[0].instance_view).events and view, 120
    )
    delete(real, folder)

    assert view.events[0].name == "FailedMount"
    assert "Authentication failed" in view.events[0].message
    assert SECRET not in view.events[0].message


def folders_of(real: Running) -> set[str]:
    where = volumes_of(real)
    return {each.name for each in where.iterdir()} if where.exists() else set()


def test_nothing_is_left_after_a_delete(fresh: Running) -> None:
    fresh.up()
    before = traces(fresh)
    folder = fresh.folder("nothing")
    volumes = [
        Volume(name="e", empty_dir={}),
        Volume(name="s", secret={"k": base64.b64encode(b"v").decode()}),
        Volume(name="a", azure_file=share(fresh, "staying")),
    ]
    mounts = [mount("e", "/e"), mount("s", "/s"), mount("a", "/a")]
    put(fresh, folder, "g", group(shell(STAY, volume_mounts=mounts), volumes=volumes))
    assert traces(fresh) != before
    delete(fresh, folder)

    wait_for(lambda: traces(fresh) == before and not folders_of(fresh))
    assert (fresh.data_dir / "shares" / ACCOUNT / "staying").is_dir()


def test_volumes_come_back_with_the_group_and_a_clone_that_is_too_large_does_not(
    fresh: Running, git_server: tuple[str, Path], tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    outside.chmod(0o777)
    fresh.settings += "[engine.git]\nmegabytes = 0\n"
    fresh.settings += f'[[shares]]\naccount = "{ACCOUNT}"\nname = "outside"\npath = "{outside}"\n'
    before = traces(fresh)
    fresh.up()
    folder = fresh.folder("back")
    key = hythe("share", "key", ACCOUNT, data_dir=fresh.data_dir).stdout.strip()
    of_host = AzureFileVolume(share_name="outside", storage_account_name=ACCOUNT, storage_account_key=key)
    volumes = [
        Volume(name="e", empty_dir={}),
        Volume(name="s", secret={"k": base64.b64encode(SECRET.encode()).decode()}),
        Volume(name="a", azure_file=of_host),
    ]
    script = "echo x >> /e/starts; echo $(cat /s/k) >> /a/seen; cat /mnt/configmap/c/key >> /a/seen; " + STAY
    what = shell(
        script,
        volume_mounts=[mount("e", "/e"), mount("s", "/s"), mount("a", "/a")],
        config_map=ConfigMap(key_value_pairs={"key": "of the map\n"}),
    )
    put(fresh, folder, "g", group(what, volumes=volumes))
    seen = outside / "seen"
    wait_for(lambda: seen.exists() and len(seen.read_text().splitlines()) == 2)
    secrets = Path(f"/run/hythe/{fresh.installation}/secrets")
    mounted = secrets.is_mount()
    fresh.down()
    gone = traces(fresh) == before and not secrets.exists()

    fresh.up()
    wait_for(lambda: len(seen.read_text().splitlines()) == 4)
    source = GitRepoVolume(repository=f"http://{git_server[0]}/public.git")
    large = group(shell("true", volume_mounts=[mount("v", "/g")]), volumes=[Volume(name="v", git_repo=source)])
    fresh.aci.container_groups.begin_create_or_update(folder, "large", large)
    view = wait_for(
        lambda: (view := fresh.aci.container_groups.get(folder, "large").containers[0].instance_view).events and view
    )

    assert mounted and gone
    assert seen.read_text() == f"{SECRET}\nof the map\n" * 2
    assert len(next(volumes_of(fresh).glob("*/data/e/starts")).read_text().split()) == 2
    assert "larger than 0 MB" in view.events[0].message
    fresh.down("--purge")
    assert traces(fresh) == before
    assert seen.exists(), "a folder that the settings name is its owner's"
