"""Where an installation's containerd lives and what it is called.  Plain data, made from one folder and one id."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class Place(Struct, frozen=True, kw_only=True):
    """The names and paths of one installation: two of them never share any."""

    installation: str
    """Eight hex digits, made on first start."""
    root: Path
    """The engine's folder in the data dir: images, logs, records of images."""
    address: str | None = None
    """Socket of a containerd that is there already; None for one of our own."""

    @property
    def state(self) -> Path:
        """The folder below /run: gone after a reboot, as everything in it is."""
        return Path("/run/hythe") / self.installation

    @property
    def socket(self) -> str:
        """Path of containerd's socket."""
        return self.address or str(self.state / "containerd.sock")

    @property
    def logs(self) -> Path:
        """Folder of the container logs, one folder a group."""
        return self.root / "logs"

    @property
    def volumes(self) -> Path:
        """Folder of what volumes hold, one folder a group."""
        return self.root / "volumes"

    @property
    def secrets(self) -> Path:
        """Where the tmpfs for secrets is mounted."""
        return self.state / "secrets"

    @property
    def cache(self) -> Path:
        """Folder of the archives of images that were made here."""
        return self.root.parent / "cache"

    @property
    def chain(self) -> str:
        """Name of the iptables chains."""
        return f"HYTHE-{self.installation}"

    @property
    def network(self) -> str:
        """Name of the CNI network."""
        return f"hythe-{self.installation}"


CNI_PLUGINS = "/usr/lib/cni"
SANDBOX_IMAGE = "hythe.local/pause:1"

_CONFIG = """\
# Written by Hythe at every start of its containerd.
version = 2
root = "{root}/containerd"
state = "{state}/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp",
]

[grpc]
  address = "{socket}"

[plugins."io.containerd.grpc.v1.cri"]
  # Lowering the OOM score needs a right that root does not have everywhere.
  restrict_oom_score_adj = true
  sandbox_image = "{sandbox_image}"
  disable_tcp_service = true
  max_container_log_line_size = 65536

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_plugins}"
    conf_dir = "{root}/cni"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.crun]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.crun.options]
        BinaryName = "/usr/bin/crun"
"""


def containerd_config(place: Place) -> str:
    """Give the configuration of Hythe's own containerd."""
    return _CONFIG.format(
        root=place.root,
        state=place.state,
        socket=place.socket,
        sandbox_image=SANDBOX_IMAGE,
        cni_plugins=CNI_PLUGINS,
    )
