"""`hythe run`: one command in a group of its own, as `docker run`."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from .asking import Asking, asks, split
from .exits import FAILED, INTERRUPTED, own_fault
from .progress import result, step

if TYPE_CHECKING:
    from ..client._sync.group import Group
    from ..models import ContainerGroup, Volume, VolumeMount

_PORT = re.compile(r"(?:(?P<here>[0-9]+):)?(?P<there>[0-9]+)(?:/(?P<protocol>tcp|udp))?", re.IGNORECASE)


def task_options(function: Any) -> Any:
    """Give a command the options for what runs and with what."""
    for option in reversed((
        click.option("-e", "--env", "environment", multiple=True, metavar="NAME[=VALUE]",
                     help="A variable; without a value that of this shell."),
        click.option("--secret", "secret", multiple=True, metavar="NAME[=VALUE]",
                     help="A variable that no answer shows."),
        click.option("-v", "--volume", "volumes", multiple=True, metavar="[SOURCE:]PATH[:ro]",
                     help="SOURCE is a file share, ACCOUNT/SHARE, or the path of a folder that is one; without it an "
                     "empty directory."),
        click.option("--cpu", type=float, default=1.0, show_default=True, help="Cores."),
        click.option("--memory", type=float, default=1.5, show_default=True, help="GB of memory."),
        click.option("-l", "--location", metavar="REGION", help="Region (default: the resource group's)."),
    )):  # fmt: skip
        function = option(function)
    return function


@click.command(context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@asks(shows=False)
@click.option("-n", "--name", "named", metavar="NAME", help="Name of the group (default: a new one).")
@click.option("-d", "--detach", is_flag=True, help="Print the group's name and return.")
@click.option("--rm", is_flag=True, help="Delete the group at the end.")
@click.option(
    "-p",
    "--publish",
    "ports",
    multiple=True,
    metavar="[PORT:]PORT[/udp]",
    help="A port of the group's address, TCP unless /udp follows; with two, the first is one of this machine.",
)
@click.option(
    "--restart",
    type=click.Choice(["Never", "OnFailure", "Always"], case_sensitive=False),
    default="Never",
    show_default=True,
    help="Whether a container that has ended is started again.",
)
@task_options
@click.argument("image")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def run(
    ask: Asking, named: str | None, detach: bool, rm: bool, ports: Sequence[str], restart: str, image: str,
    command: Sequence[str], **given: Any,
) -> None:  # fmt: skip
    """Run COMMAND in a new container of IMAGE, show what it writes, and end with its exit code.

    Options come before IMAGE.  Ctrl-C stops the container and deletes the group.  Otherwise the group stays, for
    `hythe logs` and `hythe show`, unless --rm is given.
    """
    if detach and rm:
        raise click.UsageError("--rm deletes the group at the end, and --detach does not wait for it: give one.")
    command = command[1:] if command[:1] == ("--",) else command  # as kubectl has it
    folder, name = split(named) if named else (None, f"run-{uuid.uuid4().hex[:8]}")
    folder = folder or ask.resource_group
    with own_fault():
        location = ask.located(given.pop("location"), folder)
        group = ask.client.group(name, folder)
        wanted = _define(ask, name, image, command, ports, restart, location, given)
        _refuse_existing(group)
        if detach:
            result(_begin(ask, group, wanted), group, f"start {name}")
            click.echo(name)
            return
        raise SystemExit(_watched(ask, group, wanted, rm))


def _begin(ask: Asking, group: Group, wanted: ContainerGroup) -> Any:
    return ask.client.container_groups.begin_create_or_update(group.resource_group, group.name, wanted)


def _refuse_existing(group: Group) -> None:
    from ..errors import NotFound

    try:
        group.get()
    except NotFound:
        return
    raise click.UsageError(f"there is a group '{group.name}': choose another --name, or `hythe rm {group.name}`.")


def _watched(ask: Asking, group: Group, wanted: ContainerGroup, rm: bool) -> int:
    """Run a group to its end and give its exit code; it does not outlive an interruption."""
    try:
        with _terminations():
            poller = _begin(ask, group, wanted)
            result(poller, group, f"start {group.name}")
            for line in group.logs(group.name, follow=True):
                click.echo(line.text)
                sys.stdout.flush()
            code = _exit_code(group)
    except BaseException as why:
        with step(f"stop {group.name}"):
            _remove(group)
        if isinstance(why, KeyboardInterrupt):
            return INTERRUPTED
        raise
    if rm:
        _remove(group)
    return code


def _exit_code(group: Group) -> int:
    from ..client.outcomes import container_state

    ended = group.wait("Terminated")
    state = container_state((ended.containers or [])[0])
    if state is None or state.exit_code is None:
        click.echo(f"{group.name} was stopped.", err=True)
        return FAILED
    return state.exit_code


def _remove(group: Group) -> None:
    from ..errors import NotFound

    with contextlib.suppress(NotFound):
        group.delete()


@contextlib.contextmanager
def _terminations() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end things as Ctrl-C does."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = [(number, signal.signal(number, interrupt)) for number in (signal.SIGTERM, signal.SIGHUP)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _define(
    ask: Asking, name: str, image: str, command: Sequence[str], ports: Sequence[str], restart: str, location: str,
    given: dict[str, Any],
) -> ContainerGroup:  # fmt: skip
    from ..models import (
        Container,
        ContainerGroup,
        ContainerPort,
        IpAddress,
        Port,
        ResourceRequests,
        ResourceRequirements,
    )
    from ..wire.tags import PUBLISH
    from .definition import variables

    opened, published = _ports(ports)
    volumes, mounts = task_volumes(ask, given["volumes"])
    requests = ResourceRequests(cpu=given["cpu"], memory_in_gb=given["memory"])
    container = Container(
        name=name,
        image=image,
        command=list(command) or None,
        environment_variables=variables(from_shell(given["environment"]), from_shell(given["secret"])),
        resources=ResourceRequirements(requests=requests),
        ports=[ContainerPort(port=port, protocol=protocol) for port, protocol in opened] or None,
        volume_mounts=mounts or None,
    )
    return ContainerGroup(
        location=location,
        os_type="Linux",
        containers=[container],
        restart_policy=restart,
        ip_address=IpAddress(type="Public", ports=[Port(port=port, protocol=protocol) for port, protocol in opened])
        if opened
        else None,
        volumes=volumes or None,
        tags={PUBLISH: ",".join(published)} if published else None,
    )


def _ports(words: Sequence[str]) -> tuple[list[tuple[int, str]], list[str]]:
    """Read -p: the ports of the group's address with their protocols, and what of this machine leads to them."""
    opened: dict[tuple[int, str], None] = {}
    published = []
    for word in words:
        found = _PORT.fullmatch(word)
        if found is None:
            raise click.UsageError(f"--publish takes PORT or PORT:PORT, and /tcp or /udp behind it, not '{word}'.")
        here, there = found["here"], int(found["there"])
        udp = (found["protocol"] or "").lower() == "udp"
        opened[there, "UDP" if udp else "TCP"] = None
        if here:
            published.append(f"{here}:{there}{'/udp' if udp else ''}")
    return list(opened), published


def from_shell(words: Sequence[str]) -> dict[str, str]:
    """Read NAME=VALUE, or NAME with the value that it has in this shell."""
    made = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals and name not in os.environ:
            raise click.UsageError(f"the variable {name} is not set in this shell: write {name}=VALUE.")
        made[name] = value if equals else os.environ[name]
    return made


def task_volumes(ask: Asking, words: Sequence[str]) -> tuple[list[Volume], list[VolumeMount]]:
    """Read -v: volumes and where the container sees them."""
    from ..models import Volume, VolumeMount

    volumes, mounts = [], []
    for number, word in enumerate(words, 1):
        rest = word.removesuffix(":ro")
        source, _, path = rest.rpartition(":")
        if not path.startswith("/"):
            raise click.UsageError(f"--volume takes [SOURCE:]PATH[:ro] with a PATH that begins with /, not '{word}'.")
        name = f"volume{number}"
        made = Volume(name=name, azure_file=_share(ask, source)) if source else Volume(name=name, empty_dir={})
        volumes.append(made)
        mounts.append(VolumeMount(name=name, mount_path=path, read_only=True if rest != word else None))
    return volumes, mounts


def _share(ask: Asking, source: str) -> Any:
    """Find a file share, and its account's key: on this machine its owner may ask for it."""
    from ..models import AzureFileVolume
    from .share import account_key, share_at

    if ask.is_azure:
        key = os.environ.get("AZURE_STORAGE_KEY")
        if not key:
            raise click.UsageError("on Azure --volume needs the storage account's key: set AZURE_STORAGE_KEY.")
        account, _, share = source.partition("/")
    else:
        account, _, share = (share_at(source) if source.startswith(("/", ".", "~")) else source).partition("/")
        key = account_key(account)
    if not account or not share or "/" in share:
        raise click.UsageError(f"'{source}' is no share: write ACCOUNT/SHARE.")
    return AzureFileVolume(share_name=share, storage_account_name=account, storage_account_key=key)
