"""Volumes through the API, on the simulated engine: what is refused, what is hidden, what waits."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from hythe.engines.sim import Outcome, SimulatedEngine
from hythe.models import GitRepoVolume
from hythe.service.settings import ShareSettings
from hythe.service.shares import CannotShare, Shares
from hythe.service.store import SqlStore
from hythe.service.vault import Vault

from .harness import GROUPS, Service, container, group, running

TEXT = base64.b64encode(b"text").decode()


def volume(name: str = "v", **source: Any) -> dict[str, Any]:
    return {"name": name} | (source or {"emptyDir": {}})


def git(url: str = "https://example.org/r.git", **more: str) -> dict[str, Any]:
    return volume(gitRepo={"repository": url} | more)


def azure(**more: Any) -> dict[str, Any]:
    return volume(azureFile={"shareName": "data", "storageAccountName": "acc", "storageAccountKey": "k"} | more)


def mounts(*where: tuple[str, str]) -> dict[str, Any]:
    return container(volumeMounts=[{"name": name, "mountPath": path} for name, path in where])


def at(path: str) -> dict[str, Any]:
    return group(mounts(("v", path)), volumes=[volume()])


BAD = [
    (group(volumes=[volume(), volume()]), "DuplicateVolumes"),
    (group(volumes=[volume(f"v{i}") for i in range(21)]), "TooManyVolumes"),
    *[(group(volumes=[volume(name)]), "InvalidVolumeName") for name in ("../x", "A", "", ".", "a--b", "a/b", "x" * 64)],
    (group(volumes=[{"name": "v"}]), "InvalidVolume"),
    (group(volumes=[volume(emptyDir={}, secret={})]), "InvalidVolume"),
    (group(volumes=[volume(emptyDir={"medium": "Memory"})]), "InvalidVolume"),
    (group(volumes=[volume(secretReference={"a": "b"})]), "FeatureNotSupported"),
    *[(group(volumes=[volume(secret={key: TEXT})]), "InvalidSecretVolume") for key in ("../x", "..", ".", "a/b", "")],
    (group(volumes=[volume(secret={"a": "not base64!"})]), "InvalidSecretVolume"),
    *[
        (group(volumes=[git(url)]), "InvalidGitRepoVolume")
        for url in ("ssh://example.org/r", "file:///etc", "https:///r", "https://example.org/", "git@example.org:r",
                    "https://example.org/a b", "http://user:pa/ss@example.org/r", "https://***@example.org/r",
                    "ext::sh -c x")
    ],
    *[(group(volumes=[git(directory=each)]), "InvalidGitRepoVolume") for each in ("..", "a/../b", "/a", "a:b")],
    *[(group(volumes=[git(revision=each)]), "InvalidGitRepoVolume") for each in ("--upload-pack=x", "a..b", "a b")],
    *[
        (group(volumes=[azure(shareName=each)]), "InvalidAzureFileVolume")
        for each in ("../x", "ab", "A" * 5, "a--b", "a/b")
    ],
    (group(volumes=[azure(storageAccountName="../x")]), "InvalidAzureFileVolume"),
    (group(volumes=[azure(storageAccountKey=None)]), "StorageAccountKeyNotSpecified"),
    (group(volumes=[azure(storageAccountKeyReference="x")]), "FeatureNotSupported"),
    (group(mounts(("other", "/a")), volumes=[volume()]), "VolumeNotFound"),
    (group(mounts(("v", "/a"), ("v", "/b")), volumes=[volume()]), "DuplicateVolumeMounts"),
    (group(mounts(("v", "/a"), ("w", "/a/")), volumes=[volume(), volume("w")]), "DuplicateMountPaths"),
    (group(mounts(("v", "/a//b"), ("w", "/a/./b")), volumes=[volume(), volume("w")]), "DuplicateMountPaths"),
    *[
        (at(path), "InvalidMountPath")
        for path in ("", "a", "/", "//", "/a/../b", "/a:b", "/proc/x", "/sys", "/dev", "/mnt/configmap/web", "/a\n")
    ],
    *[
        (group(container(configMap={"keyValuePairs": {key: "x"}})), "InvalidConfigMap")
        for key in ("../x", "..", "a/b", "..data", "")
    ],
]  # fmt: skip


@pytest.mark.parametrize(("body", "code"), BAD)
async def test_refused_with_its_code_and_nothing_created(body: dict[str, Any], code: str) -> None:
    async with running() as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/web", body)
        ran = service.engine.groups

    assert (reply.status, reply.code) == (400, code), reply.json
    assert ran == {}


async def test_no_answer_shows_a_secret_and_the_engine_gets_it() -> None:
    volumes = [
        volume("s", secret={"key": TEXT}),
        volume("g", gitRepo={"repository": "https://user:word@example.org/r.git", "directory": "."}),
    ]
    body = group(mounts(("s", "/s"), ("g", "/g")), volumes=volumes)
    async with running() as service:
        await service.make_folder()
        put = await service.ask("PUT", f"{GROUPS}/web", body)
        got = await service.ask("GET", f"{GROUPS}/web")
        row = service.store.opened(service.store.keys("containerGroups")[0])
        assert row is not None
        from hythe.service.control.status import Memory

        whole = service.groups.want(row, Memory()).group

    for reply in (put, got):
        assert reply.status in (200, 201)
        assert TEXT.encode() not in reply.raw and b"word" not in reply.raw
        assert reply.json["properties"]["volumes"] == [
            {"name": "s", "secret": {}},
            {"name": "g", "gitRepo": {"repository": "https://***@example.org/r.git", "directory": "."}},
        ]
    assert TEXT.encode() not in row.spec and b"word" not in row.spec
    assert whole.volumes and whole.volumes[0].secret == {"key": TEXT}
    assert "word" in (whole.volumes[1].git_repo or GitRepoVolume(repository="")).repository
    assert "word" not in repr(whole) and TEXT not in repr(whole)


async def test_volume_that_cannot_be_mounted_shows_with_those_who_wait_for_it_and_is_tried_again() -> None:
    engine = SimulatedEngine({"v": Outcome(mount_error="no such host")})
    body = group(container("a", volumeMounts=[{"name": "v", "mountPath": "/a"}]), container("b"), volumes=[git()])
    async with running(engine=engine) as service:
        await service.make_folder()
        put = await service.ask("PUT", f"{GROUPS}/web", body)
        waiting = (await service.ask("GET", f"{GROUPS}/web")).json["properties"]
        engine.outcomes.clear()
        key = service.store.keys("containerGroups")[0]
        row = service.store.get(key)
        assert row is not None and row.wake_at is not None

    views = {one["name"]: one["properties"]["instanceView"] for one in waiting["containers"]}
    assert put.status == 201
    assert waiting["instanceView"]["state"] == "Pending"
    assert views["a"]["events"][0]["name"] == "FailedMount"
    assert views["a"]["events"][0]["message"] == 'MountVolume.SetUp failed for volume "v": no such host'
    assert views["a"]["currentState"]["detailStatus"].startswith("FailedMount: ")
    assert views["b"]["currentState"]["state"] == "Waiting"


async def test_stop_takes_what_volumes_hold_and_start_makes_them_anew() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", at("/v"))
        (held,) = service.engine.groups.values()
        before = {**held.volumes}
        await service.ask("POST", f"{GROUPS}/web/stop")
        stopped = {**held.volumes}
        await service.ask("POST", f"{GROUPS}/web/start")
        for _ in range(100):
            if held.volumes:
                break
            await asyncio.sleep(0.01)
        after = {**held.volumes}

    assert (before.keys(), stopped, after.keys()) == ({"v"}, {}, {"v"})


async def test_config_map_changes_without_a_restart() -> None:
    def body(**pairs: str) -> dict[str, Any]:
        return group(container(configMap={"keyValuePairs": pairs}))

    async with running() as service:
        await service.make_folder()
        seen = []
        for each in (body(), body(a="1"), body(a="2"), body()):
            await service.ask("PUT", f"{GROUPS}/web", each, version="2024-05-01-preview")
            (held,) = service.engine.groups.values()
            (one,) = held.containers.values()
            seen.append((one.id, held.config_maps.get("web", "")))

    assert len({identity for identity, _ in seen}) == 1
    assert seen[0][1] == seen[3][1] == "" and len({spec for _, spec in seen}) == 3


# --- shares ---


@pytest.fixture
def shares(tmp_path: Path) -> Shares:
    (tmp_path / "outside").mkdir()
    configured = ShareSettings(account="host", name="outside", path=str(tmp_path / "outside"))
    return Shares(SqlStore(None), Vault(b"k" * 32), tmp_path / "shares", [configured])


def wants(shares: Shares, account: str, name: str, key: str | None = None, **more: Any) -> Any:
    from hythe.models import AzureFileVolume

    key = shares.key(account) if key is None else key
    return AzureFileVolume(share_name=name, storage_account_name=account, storage_account_key=key, **more)


async def test_share_is_found_with_the_right_key_only(shares: Shares, tmp_path: Path) -> None:
    key = shares.create("acc", "data", 0)

    assert shares.problem(wants(shares, "acc", "data", key)) is None
    assert await shares.find(wants(shares, "acc", "data", key)) == tmp_path / "shares" / "acc" / "data"
    assert await shares.find(wants(shares, "host", "outside")) == tmp_path / "outside"
    for wrong in ("", "x", key[:-1], shares.key("host")):
        problem = shares.problem(wants(shares, "acc", "data", wrong))
        assert problem is not None and problem[0] == "InvalidStorageAccountKey"
        assert not wrong or wrong not in problem[1]
    assert (shares.problem(wants(shares, "none", "data", "")) or ("",))[0] == "InvalidStorageAccountKey"
    assert (shares.problem(wants(shares, "acc", "other", key)) or ("",))[0] == "ShareNotFound"
    renewed = shares.key("acc", renew=True)
    assert renewed != key
    assert (shares.problem(wants(shares, "acc", "data", key)) or ("",))[0] == "InvalidStorageAccountKey"


async def test_quota_stops_copies_and_mounts_for_writing(shares: Shares, tmp_path: Path) -> None:
    shares.create("acc", "data", 1e-6)  # some 1,073 bytes
    (tmp_path / "large").write_bytes(b"x" * 2000)
    with pytest.raises(CannotShare, match="quota"):
        await shares.copy("acc", "data", "large", str(tmp_path / "large"), into=True)
    assert list((tmp_path / "shares" / "acc" / "data").iterdir()) == []

    (tmp_path / "shares" / "acc" / "data" / "by-container").write_bytes(b"x" * 2000)
    with pytest.raises(CannotShare) as full:
        await shares.find(wants(shares, "acc", "data"))
    assert full.value.code == "ShareFull"
    await shares.find(wants(shares, "acc", "data", read_only=True))


@pytest.mark.parametrize("name", ["../x", "a", "a--b", "A-B-C", "-abc", "a/b", "x" * 64])
def test_share_names_lead_nowhere(shares: Shares, name: str, tmp_path: Path) -> None:
    with pytest.raises(CannotShare) as wrong:
        shares.create("acc", name, 0)
    assert wrong.value.code == "InvalidShareName"
    assert not (tmp_path / "shares").exists()


async def test_folder_whose_place_a_link_has_taken_is_not_mounted(shares: Shares, tmp_path: Path) -> None:
    (tmp_path / "outside").rmdir()
    (tmp_path / "outside").symlink_to("/etc")

    with pytest.raises(CannotShare, match="symbolic link"):
        await shares.find(wants(shares, "host", "outside"))
    with pytest.raises(CannotShare, match="symbolic link"):
        await shares.copy("host", "outside", "passwd", str(tmp_path / "copy"), into=False)


async def test_copies_files_and_directories_both_ways_and_leaves_links_out(shares: Shares, tmp_path: Path) -> None:
    shares.create("acc", "data", 0)
    root = tmp_path / "shares" / "acc" / "data"
    tree = tmp_path / "tree"
    (tree / "in").mkdir(parents=True)
    (tree / "in" / "file").write_text("content")
    (tree / "script").write_text("x")
    (tree / "script").chmod(0o4755)
    (tree / "link").symlink_to("/etc/passwd")

    copied = await shares.copy("acc", "data", "", str(tree), into=True)
    await shares.copy("acc", "data", "there", str(tree / "script"), into=True)
    back = await shares.copy("acc", "data", "tree", str(tmp_path / "back"), into=False)
    await shares.copy("acc", "data", "", str(tmp_path / "all"), into=False)

    assert (copied.files, copied.left_out, back.files) == (2, 1, 2)
    assert (root / "tree" / "in" / "file").read_text() == (tmp_path / "back" / "in" / "file").read_text() == "content"
    assert (root / "tree" / "script").stat().st_mode & 0o7777 == 0o755
    assert not (root / "tree" / "link").is_symlink()
    assert (tmp_path / "all" / "tree" / "in" / "file").read_text() == "content"
    assert not list(root.rglob(".hythe-*"))


@pytest.mark.parametrize("inside", ["../../hythe.db", "a/../../x"])
async def test_copy_out_of_the_share_is_refused(shares: Shares, inside: str, tmp_path: Path) -> None:
    shares.create("acc", "data", 0)
    with pytest.raises(CannotShare):
        await shares.copy("acc", "data", inside, str(tmp_path / "copy"), into=False)
    assert not (tmp_path / "copy").exists()


async def test_share_goes_with_what_it_holds_unless_it_is_mounted(shares: Shares, tmp_path: Path) -> None:
    key = shares.create("acc", "data", 2)
    assert shares.create("acc", "more", 0) == key
    (tmp_path / "shares" / "acc" / "data" / "file").touch()
    assert [(each.account, each.share, each.quota_gb) for each in await shares.listed()] == [
        ("acc", "data", 2), ("acc", "more", 0), ("host", "outside", 0),
    ]  # fmt: skip

    shares.remove("acc", "data")
    shares.remove("acc", "more")

    assert not (tmp_path / "shares" / "acc" / "data").exists()
    with pytest.raises(CannotShare):
        shares.key("acc")
    with pytest.raises(CannotShare, match="settings"):
        shares.remove("host", "outside")


async def test_put_asks_for_the_key(tmp_path: Path) -> None:
    async with running() as without:
        await without.make_folder()
        none = await without.ask("PUT", f"{GROUPS}/web", group(volumes=[azure()]))
    store = SqlStore(None)
    shares = Shares(store, Vault(b"k" * 32), tmp_path)
    key = shares.create("acc", "data", 0)
    service = Service(SimulatedEngine(), store, shares=shares)
    service.loop.start()
    try:
        await service.make_folder()
        wrong = await service.ask("PUT", f"{GROUPS}/web", group(volumes=[azure(storageAccountKey="d3Jvbmc=")]))
        body = group(mounts(("v", "/v")), volumes=[azure(storageAccountKey=key)])
        right = await service.ask("PUT", f"{GROUPS}/web", body)
        with pytest.raises(CannotShare, match="mount it"):
            shares.remove("acc", "data")
    finally:
        await service.loop.stop()
        await service.engine.close()
        store.close()

    assert none.code == "FeatureNotSupported"
    assert (wrong.status, wrong.code) == (400, "InvalidStorageAccountKey")
    assert "d3Jvbmc" not in wrong.raw.decode()
    assert right.json["properties"]["provisioningState"] == "Succeeded"
    assert right.json["properties"]["volumes"][0]["azureFile"] == {"shareName": "data", "storageAccountName": "acc"}
    assert key.encode() not in right.raw
