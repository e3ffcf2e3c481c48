"""The settings of a service: one frozen struct, read from `<data-dir>/hythe.toml` and the command line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from .kinds.rules import share_named


class ContainerdSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How containerd is used."""

    address: str | None = None
    """Socket of a containerd that is there already; one of our own is started unless it is given."""
    runtime: str = "auto"
    """crun, runc, or auto: crun where it works."""
    foreign: bool = False
    """Let containers run programs of older architectures too (32-bit x86); each container then starts later."""


class BackoffSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long restarts wait, in seconds."""

    first: float = 10.0
    most: float = 300.0
    reset_after: float = 600.0


class GitSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the clone of a gitRepo volume may take."""

    seconds: float = 300.0
    megabytes: int = 1024


class ShareSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file share that is a folder of this machine: ``[[shares]]``, with ``account``, ``name`` and ``path``."""

    account: str
    name: str
    path: str
    """An absolute path without symbolic links; no share may lie in another one."""
    quota_gb: float = 0.0
    """Most that it may hold, in GB of 2**30 bytes; 0 for no limit."""


class ImageSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When images that nothing uses are removed: by how full the disk is, in percent."""

    high: float = 85.0
    """From here on, pulled images that nothing uses are removed, the longest unused first.  0 for never."""
    low: float = 80.0
    """Down to here."""
    stalled_seconds: float = 60.0
    """A pull has failed if the registry sends nothing for so long."""
    local_registries: tuple[str, ...] = ()
    """Registries near this machine that groups may name: ``localhost:5000``; or without a port.

    Others are refused on every address of this machine and on links to it (127.0.0.0/8, ::1, 169.254.0.0/16,
    fe80::/10), in container groups (10.208.0.0/13), and under names that lead there: whoever may put a group would
    reach this machine's own services, or other groups, by them.
    """


class EngineSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What runs the containers."""

    name: str = "containerd"
    """containerd, or sim for simulated containers."""
    containerd: ContainerdSettings = ContainerdSettings()
    backoff: BackoffSettings = BackoffSettings()
    pool: int = 2
    """How many sandboxes are kept ready for new groups, some 14 MB each; 0 for none."""
    git: GitSettings = GitSettings()
    grace_seconds: int = 30
    """How long a container may take to end when it is asked to; then it is killed."""
    images: ImageSettings = ImageSettings()


class QuotaSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most that a subscription can have in one location."""

    groups: int = 100
    cores: int = 100
    """Sum of the CPU requests of its groups."""


class SandboxSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the sandboxes of a sandbox group may take."""

    token_seconds: float = 900.0
    """How long a token opens them."""
    most: int = 50
    """Most of them at a time, in each group."""
    lifetime_seconds: float = 3600.0
    """After which they go by themselves, unless they were asked for a shorter time."""
    exec_seconds: float = 300.0
    """Longest a command may run."""
    output_bytes: int = 1 << 20
    """Most of each output of a command in an answer."""


class ServiceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the service answers."""

    host: str = "127.0.0.1"
    port: int = 8443
    identity_port: int = 0
    """Where IDENTITY_ENDPOINT is on 127.0.0.1, for programs on this machine; 0 for any free port."""
    names: tuple[str, ...] = ()
    """Further host names for the certificate, and that a request may be addressed to."""
    dns_suffix: str = "azurecontainer.localhost"
    """Last part of the host names of groups: ``<label>.<region>.<suffix>``."""
    answer_seconds: float = 1.0
    """How long a PUT waits for its group to run before it answers that it goes on."""
    hold_seconds: float = 30.0
    """How long an operation's URL holds a request until the operation is done."""
    provisioning_seconds: float = 1800.0
    """After which a group that can't be started has failed; a group may ask for less."""
    allow_privileged: bool = False
    """Whether containers may be privileged or have capabilities added: both give them power over this machine."""
    log_limit: int = 4 << 20
    """Most bytes of log in one answer."""
    access_log: bool = False
    lists_with_instance_view: bool = False
    """Lists show instance views although the caller did not ask with ``$expand=instanceView``."""
    quotas: QuotaSettings = QuotaSettings()
    sandboxes: SandboxSettings = SandboxSettings()


class GatewaySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ways to groups besides their addresses; not for simulated containers."""

    host: str = "127.0.0.1"
    port: int | None = None
    """Where groups answer under their host names, in clear and with TLS: 80 if that is free; 0 for nowhere."""
    dns_port: int = 0
    """Where DNS questions about groups are answered; 0 for nowhere."""
    publish_host: str = "127.0.0.1"
    """Address of this machine on which the ports of the tag ``hythe.publish`` are opened."""


class LogAnalyticsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where what containers write is posted if their group names a log workspace."""

    url: str = ""
    """An http or https address that takes what Azure Monitor's HTTP Data Collector API does, without ``/api/logs``;
    ``{workspaceId}`` in it stands for the workspace that the group names.  Empty: nothing is posted."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    data_dir: Path = Path("/var/lib/hythe")
    service: ServiceSettings = ServiceSettings()
    engine: EngineSettings = EngineSettings()
    gateway: GatewaySettings = GatewaySettings()
    log_analytics: LogAnalyticsSettings = LogAnalyticsSettings()
    shares: tuple[ShareSettings, ...] = ()
    """Folders of this machine that groups may mount as file shares; `hythe share create` makes further ones."""


def load(data_dir: Path, *, port: int | None = None, engine: str | None = None) -> Settings:
    """Read the settings of a data dir; what the command line names wins.  Raises ValueError with a sentence."""
    path = data_dir / "hythe.toml"
    settings = Settings()
    if path.exists():
        try:
            settings = msgspec.convert(tomllib.loads(path.read_text()), Settings)
            _check_shares(settings, data_dir)
            _check_url(settings.log_analytics.url)
        except (tomllib.TOMLDecodeError, ValueError) as error:
            raise ValueError(f"cannot read {path}: {error}") from None
    settings = msgspec.structs.replace(settings, data_dir=data_dir)
    if port is not None:
        settings = msgspec.structs.replace(settings, service=msgspec.structs.replace(settings.service, port=port))
    if engine is not None:
        settings = msgspec.structs.replace(settings, engine=msgspec.structs.replace(settings.engine, name=engine))
    return settings


def _check_url(url: str) -> None:
    """Refuse what no logs can be posted to.  Raises ValueError."""
    found = urlsplit(url)
    if url and (found.scheme not in ("http", "https") or not found.hostname):
        raise ValueError(f"log_analytics.url must be an http or https address, not '{url}'")


def _check_shares(settings: Settings, data_dir: Path) -> None:
    """Refuse shares that lie in one another or in the data dir: a container could plant a link there.

    Raises ValueError.
    """
    for one in settings.shares:
        what = f"the share {one.account}/{one.name}"
        if not share_named(one.account, one.name):
            raise ValueError(
                f"{what} is not named right: 3 to 24 lowercase letters and numbers for an account, 3 to 63 lowercase "
                "letters, numbers and single hyphens for a share"
            )
        path = Path(one.path)
        if not path.is_absolute() or ".." in path.parts or path == Path("/"):
            raise ValueError(f"the path {path} of {what} must be absolute, without '..'")
        others = [Path(other.path) for other in settings.shares if other is not one] + [data_dir]
        if any(path.is_relative_to(other) or other.is_relative_to(path) for other in others):
            raise ValueError(f"the path {path} of {what} is, holds or lies in another share or the data dir")
