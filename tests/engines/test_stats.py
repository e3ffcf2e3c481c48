"""Which files tell what a container uses, for every way in which cgroups are mounted, and how they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from hythe.engines.containerd.stats import CgroupFiles, GroupMeter, Mount, folder, parse_devices, parse_mounts

V1 = """\
30 20 0:25 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
31 20 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 20 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
33 20 0:28 / /proc rw - proc proc rw
"""
V2 = "30 20 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID = V1 + "34 20 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"


def test_version_1_has_a_folder_for_each_controller() -> None:
    membership = "4:memory:/k8s.io/abc\n3:cpu,cpuacct:/k8s.io/abc\n1:name=systemd:/\n"
    mounts = parse_mounts(V1)

    assert folder(mounts, membership, "cpuacct") == ("/sys/fs/cgroup/cpu,cpuacct/k8s.io/abc", 1)
    assert folder(mounts, membership, "memory") == ("/sys/fs/cgroup/memory/k8s.io/abc", 1)


def test_version_2_has_one_folder_for_all() -> None:
    mounts = parse_mounts(V2)

    for controller in ("cpuacct", "memory"):
        assert folder(mounts, "0::/k8s.io/abc\n", controller) == ("/sys/fs/cgroup/k8s.io/abc", 2)


def test_where_both_are_mounted_version_1_has_what_its_lines_name() -> None:
    mounts = parse_mounts(HYBRID)
    membership = "3:cpu,cpuacct:/k8s.io/abc\n0::/other/abc\n"

    assert folder(mounts, membership, "cpuacct") == ("/sys/fs/cgroup/cpu,cpuacct/k8s.io/abc", 1)
    assert folder(mounts, membership, "memory") == ("/sys/fs/cgroup/unified/other/abc", 2)


def test_a_service_inside_a_cgroup_sees_what_lies_below_it() -> None:
    mounts = parse_mounts("30 20 0:25 /docker/me /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n")

    assert folder(mounts, "4:memory:/docker/me/k8s.io/abc\n", "memory") == ("/sys/fs/cgroup/memory/k8s.io/abc", 1)


def test_no_hierarchy_no_folder() -> None:
    assert folder((), "4:memory:/a\n0::/a\n", "memory") is None
    assert folder((), "0::/a\n", "memory") is None


@pytest.fixture
def second(tmp_path: Path) -> CgroupFiles:
    """Give the files of a container on version 2."""
    place = tmp_path / "abc"
    place.mkdir()
    (place / "cpu.stat").write_text("usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n")
    (place / "memory.current").write_text("9000\n")
    (place / "memory.stat").write_text("anon 1\ninactive_anon 7\nactive_anon 8\ninactive_file 2000\nactive_file 4\n")
    return CgroupFiles("run", "0::/abc", (Mount(controllers=frozenset(), root="/", point=str(tmp_path)),))


def test_reads_version_2(second: CgroupFiles) -> None:
    used = second.read()
    second.close()

    assert (used.id, used.cpu, used.memory) == ("run", 1_500_000, 7000)


def test_reads_version_1_with_what_lies_below(tmp_path: Path) -> None:
    (tmp_path / "cpuacct.usage").write_text("123456789\n")
    (tmp_path / "memory.usage_in_bytes").write_text("9000\n")
    (tmp_path / "memory.stat").write_text("inactive_file 1\ntotal_inactive_file 2500\ntotal_active_file 3\n")
    mount = Mount(controllers=frozenset({"cpuacct", "memory"}), root="/", point=str(tmp_path))

    files = CgroupFiles("run", "3:cpuacct:/\n4:memory:/\n", (mount,))
    used = files.read()
    files.close()

    assert (used.cpu, used.memory) == (123456789, 6500)


def test_more_to_drop_than_held_is_nothing_held(second: CgroupFiles, tmp_path: Path) -> None:
    (tmp_path / "abc" / "memory.current").write_text("1000\n")
    used = second.read()
    second.close()

    assert used.memory == 0


def test_a_cgroup_that_is_gone_is_not_opened(tmp_path: Path) -> None:
    mounts = (Mount(controllers=frozenset(), root="/", point=str(tmp_path)),)

    with pytest.raises(OSError, match=r"cpu\.stat"):
        CgroupFiles("run", "0::/abc", mounts)
    with pytest.raises(OSError, match="no cgroup"):
        CgroupFiles("run", "0::/abc", ())


def test_a_meter_leaves_out_what_has_ended(second: CgroupFiles, tmp_path: Path) -> None:
    meter = GroupMeter({"web": second}, None)
    assert {*meter.read().containers} == {"web"}

    (tmp_path / "abc" / "memory.current").write_text("")
    after = meter.read()
    meter.close()

    assert after.containers == {}
    assert (after.received, after.sent) == (None, None)


def test_sums_devices_but_the_loopback() -> None:
    text = b"""Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier
    lo:  100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0: 2000      2    0    0    0     0          0         0      300       3    0    0    0     0       0          0
  eth1:    5      2    0    0    0     0          0         0      7       3    0    0    0     0       0          0
"""
    assert parse_devices(text) == (2005, 307)
