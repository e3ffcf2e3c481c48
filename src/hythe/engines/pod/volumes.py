"""Decides what is to be done about the volumes of a group before its containers start.  Pure.

As with the kubelet, only volumes that a container mounts are made ready, and as long as one of them can't be had no
container of the group is started.  What a volume holds lives until the group is stopped, deleted, or begins anew after
it has ended; a restart keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..base import Action, Observed, PrepareVolume, Record, Refused, RemoveVolumes, Want, WriteConfigMap
from .spec import config_digest, config_maps, volume_digest


def failed_mount(volume: str, why: str) -> Refused:
    """Say as the kubelet does that a volume can't be mounted."""
    return Refused("FailedMount", f'MountVolume.SetUp failed for volume "{volume}": {why}')


def mounted_by(want: Want) -> dict[str, tuple[str, ...]]:
    """Give the containers that mount each volume, by volume; a volume that none mounts is left out."""
    users: dict[str, list[str]] = {}
    for one in (*(want.group.init_containers or ()), *(want.group.containers or ())):
        for mount in one.volume_mounts or ():
            users.setdefault(mount.name, []).append(one.name)
    return {name: tuple(names) for name, names in users.items()}


def volume_steps(
    want: Want, seen: Observed, records: dict[str, Record], now: datetime, waits: list[datetime]
) -> list[Action]:
    """Give the steps that make all mounted volumes ready; add to ``waits`` when a failed one is tried again."""
    held = seen.volumes
    steps: list[Action] = []
    runs = any(one.state in ("running", "unknown") for one in seen.containers)
    if not runs and any(one.epoch != want.epoch for one in held.values()):
        steps.append(RemoveVolumes(names=(*held,)))  # the group begins anew: nothing of its former life may be seen
        held = {}
    users = mounted_by(want)
    known = {one.name for one in want.group.volumes or () if one.name in users}
    if held.keys() - known:
        steps.append(RemoveVolumes(names=(*sorted(held.keys() - known),)))
    for volume in want.group.volumes or ():
        names = users.get(volume.name)
        spec = volume_digest(volume)
        ready = held.get(volume.name)
        if names is None or (ready is not None and (ready.spec, ready.epoch) == (spec, want.epoch)):
            continue
        again = max((at for name in names if (at := records[name].retry_at)), default=now)
        if again > now:
            waits.append(again)
        else:
            steps.append(PrepareVolume(volume=volume.name, spec=spec, containers=names))
    return steps


def config_steps(want: Want, seen: Observed) -> Iterator[Action]:
    """Give the steps that bring the files of every config map up to date, while containers run too."""
    files = config_maps(want.group)
    for one in want.group.containers or ():
        spec = config_digest(files.get(one.name))
        if seen.config_maps.get(one.name, "") != spec:
            yield WriteConfigMap(container=one.name, spec=spec)
