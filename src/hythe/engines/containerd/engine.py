"""Runs container groups on containerd: a group is a pod sandbox with containers in it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import socket
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from ...models import ContainerGroup, ContainerProbe, ImageRegistryCredential
from .. import pod
from ..base import (
    VOLUMES,
    Action,
    Busy,
    Capabilities,
    EngineError,
    Happened,
    Lost,
    Observed,
    Plan,
    PrepareVolume,
    PullImage,
    Refused,
    RemoveContainer,
    RemoveSandbox,
    RemoveVolumes,
    RunContainer,
    RunSandbox,
    SandboxSeen,
    StartContainer,
    StopContainer,
    Transient,
    Uid,
    Want,
    WriteConfigMap,
)
from ..offers import Checked, FindShare
from . import daemon, existing, inside, leftovers, network, probing, tasks
from .clone import Cloner, GitLimits
from .config import SANDBOX_IMAGE, Place
from .garbage import DiskLimits, collect, used
from .images import STALLED, Alias, ImageShelf, Shelf, credential_for, normalise
from .isolate import cut_off
from .leaving import Leaving
from .proto import cri_pb2 as cri
from .proto import events_pb2 as events
from .registries import why
from .rpc import AlreadyExists, Containerd, NotFound
from .runtime import Runtime, remove_container, remove_sandbox
from .sandbox import INSTALLATION, UID, container_config, log_path, sandbox_config, seccomp_file
from .sight import Sight
from .streams import Streams
from .vnets import VirtualNetworks
from .volumes import Volumes

log = logging.getLogger(__name__)

_AT_ONCE = 8
_TRIED = "OCI runtime"
"""Is in every error of a start that came as far as the runtime."""
_PULL_PATIENCE = 1.0
"""Seconds for which a pull is waited for; then it goes on beside the pass, which must stay ready for other wishes."""


class ContainerdEngine(Streams):
    """The engine of one Linux box."""

    name = "containerd"

    def __init__(
        self,
        place: Place,
        *,
        aliases: dict[str, Alias] | None = None,
        backoff: pod.Backoff | None = None,
        runtime: str = "auto",
        foreign: bool = False,
        git: GitLimits | None = None,
        grace: int = pod.GRACE,
        disk: DiskLimits | None = None,
        stalled: float = STALLED,
        local_registries: Sequence[str] = (),
    ) -> None:
        super().__init__(place)
        self._images = ImageShelf(place, aliases or {}, stalled=stalled, local=local_registries)
        self._backoff = backoff or pod.Backoff()
        self._grace = grace
        self._disk = disk
        self._runtime = Runtime(place, runtime, foreign=foreign)
        self._volumes = Volumes(place, Cloner(place, self._images, self._runtime, git or GitLimits()))
        self._containerd: Containerd | None = None
        self._sight = Sight(place.installation)
        self._made: dict[Uid, SandboxSeen] = {}
        """Sandboxes made since the last look at their groups: the next step needs them, and a look costs."""
        self._pulling: dict[tuple[Uid, str, str], tuple[asyncio.Task[tuple[str, bool]], int]] = {}
        """Pulls that groups wait for, by group, container and image."""
        self._leaving = Leaving(place.installation, self._forget_files)
        self._hints: asyncio.Queue[Uid | EngineError] = asyncio.Queue()
        self._vnets = VirtualNetworks(place)
        self._sandbox_image: str | None = None
        """What a containerd that was there already takes for its sandboxes, until it has it."""
        self.can = Capabilities(engine=self.name, subnets=True, kept_ranges=(str(network.POOL),))

    @property
    def find_share(self) -> FindShare:
        """The port to the file shares."""
        return self._volumes.find_share

    @find_share.setter
    def find_share(self, find: FindShare) -> None:
        self._volumes.find_share = find

    # --- opening and closing ---

    @property
    def containerd(self) -> Containerd:
        """The connection.  Raises `Lost` before `open`."""
        if self._containerd is None:
            raise Lost("containerd is not connected")
        return self._containerd

    async def open(self) -> None:
        """Start containerd if it does not run, set up the network, and find out which runtime works."""
        self.place.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        await network.set_up(self.place)
        await self._vnets.open()
        self._volumes.open()
        if self.place.address is None:
            self._containerd = await daemon.ensure(self.place)
        else:
            self._containerd, self._sandbox_image = await existing.connect(self.place, self.place.address)
        await self.open_streams()
        version = await self.containerd.version()
        self.can = Capabilities(
            engine=self.name,
            runtime=version,
            volumes=VOLUMES,
            init_containers=True,
            probes=True,
            subnets=True,
            kept_ranges=(str(network.POOL),),
        )

    async def close(self) -> None:
        """Let go of the connection; containerd and the containers go on."""
        for pull, _ in self._pulling.values():
            pull.cancel()
        self._pulling.clear()
        await self._leaving.finish()
        await self.close_streams()
        if self._containerd is not None:
            await self._containerd.close()
            self._containerd = None

    async def teardown(self, *, purge: bool) -> None:
        """Remove groups and network rules, and stop containerd if it is our own; with ``purge`` remove files too."""
        if self._containerd is None:
            if self.place.address is not None:
                self._containerd = existing.reconnect(self.place, self.place.address)
            elif daemon.running_pid(self.place) or self._survivors():
                await self.open()
        if self._containerd is not None:
            groups = [uid async for uid in self.owned()]
            for start in range(0, len(groups), _AT_ONCE):
                await asyncio.gather(*(self._remove_group(uid) for uid in groups[start : start + _AT_ONCE]))
        await self.close()
        self._volumes.close()
        if self.place.address is None:
            await daemon.stop(self.place)
            await asyncio.to_thread(leftovers.end_all, self.place)
            daemon.clear(self.place)
        else:
            shutil.rmtree(self.place.state, ignore_errors=True)
        await self._vnets.tear_down()
        await network.tear_down(self.place)
        if purge:
            shutil.rmtree(self.place.root, ignore_errors=True)

    def _survivors(self) -> bool:
        """Tell whether containers went on although their containerd died: it must come back to end them."""
        return bool(leftovers.found(self.place))

    async def _remove_group(self, uid: Uid) -> None:
        seen = await self.observe(uid)
        for sandbox in (*seen.stale, *([seen.sandbox.id] if seen.sandbox else ())):
            await self._remove_sandbox(sandbox)

    # --- the four questions ---

    async def observe(self, uid: Uid) -> Observed:
        """Look at the sandboxes and containers that carry this uid."""
        self._made.pop(uid, None)
        return self._volumes.add_to(await self._sight.observe(self.containerd, uid), uid)

    async def glance(self) -> dict[Uid, frozenset[tuple[str, int]]]:
        """Look at all groups at once."""
        return await self._sight.glance(self.containerd)

    def plan(self, want: Want, seen: Observed, now: datetime) -> Plan:
        """Decide by the common planner."""
        return pod.plan(want, seen, now, self._backoff, grace=self._grace)

    async def act(self, want: Want, seen: Observed, action: Action) -> tuple[Happened, ...]:
        """Do one step."""
        try:
            match action:
                case RunSandbox(attempt=attempt):
                    await self._run_sandbox(want.uid, attempt, want.group)
                case RemoveSandbox(id=identity):
                    await self._remove_sandbox(identity)
                case PrepareVolume():
                    sandbox = self._made.get(want.uid) or seen.sandbox
                    await self._volumes.prepare(self.containerd, want, sandbox, action)
                case RemoveVolumes(names=names):
                    await self._volumes.remove(want.uid, names)
                case WriteConfigMap():
                    self._volumes.write_config_map(want, action)
                case PullImage(container=container, image=image):
                    return await self._pull(want, container, image)
                case RunContainer():
                    return await self._run_container(want, self._made.get(want.uid) or seen.sandbox, action)
                case StartContainer(name=name, id=identity):
                    return await self._start_container(name, identity)
                case StopContainer():
                    return await self._stop_container(want, action)
                case RemoveContainer(id=identity):
                    await self._remove_container(identity)
        except (NotFound, AlreadyExists):
            # Gone, or made, by an earlier try of the same step: the next look tells.
            return ()
        except OSError as error:  # a full disk, most often
            raise Transient(f"cannot write {error.filename or self.place.root}: {error.strerror}", 5) from None
        return ()

    async def owned(self, *, ready: bool = False) -> AsyncIterator[Uid]:
        """Give the uid of every sandbox with our label."""
        ours = cri.PodSandboxFilter(label_selector={INSTALLATION: self.place.installation})
        if ready:
            ours.state.state = cri.SANDBOX_READY
        answer = await self.containerd.call(
            "ListPodSandbox", cri.ListPodSandboxRequest(filter=ours), cri.ListPodSandboxResponse
        )
        for uid in {sandbox.labels[UID] for sandbox in answer.items}:
            if uid not in self._leaving:
                yield Uid(uid)

    def kept(self) -> set[Uid]:
        """Give every group of which files are kept, whether or not anything of it runs."""
        return {uid for uid in self._volumes.uids() if uid not in self._leaving}

    async def forget(self, uid: Uid) -> None:
        """End all processes of a group; what they leave, its logs too, is removed right after."""
        for key in [each for each in self._pulling if each[0] == uid]:
            self._pulling.pop(key)[0].cancel()
        await self._leaving.end(self.containerd, uid)
        await self._vnets.leave(uid)  # its address there may be given to another group from now on

    async def _forget_files(self, uid: Uid) -> None:
        self._made.pop(uid, None)
        self._sight.forget(uid)
        await self._volumes.forget(uid)
        await asyncio.to_thread(shutil.rmtree, self.place.logs / uid, ignore_errors=True)

    # --- steps ---

    async def _run_sandbox(self, uid: Uid, attempt: int, group: ContainerGroup | None = None) -> None:
        if self._sandbox_image is not None:
            await existing.provide_sandbox_image(self.containerd, self.place, self._images, self._sandbox_image)
            self._sandbox_image = None
        runtime = await self._runtime.choose(self.containerd)
        (self.place.logs / uid).mkdir(parents=True, exist_ok=True)
        config = sandbox_config(self.place, uid, attempt, self._runtime.seccomp, group)
        request = cri.RunPodSandboxRequest(config=config, runtime_handler=runtime)
        try:
            answer = await self.containerd.call("RunPodSandbox", request, cri.RunPodSandboxResponse)
            self._made[uid] = SandboxSeen(id=answer.pod_sandbox_id, ready=True, attempt=attempt)
            self._sight.owners[answer.pod_sandbox_id] = uid
        except Transient as error:
            if SANDBOX_IMAGE in str(error):
                raise Transient(f"the sandbox image is missing: {error}", retry_after=5) from None
            raise

    async def warm(self, uid: Uid) -> None:
        """Make a sandbox ahead of its group."""
        with contextlib.suppress(AlreadyExists):
            await self._run_sandbox(uid, 0)

    async def _remove_sandbox(self, identity: str) -> None:
        await remove_sandbox(self.containerd, identity)
        self._sight.drop(identity)

    async def _pull(self, want: Want, container: str, image: str) -> tuple[Happened, ...]:
        key = (want.uid, container, image)
        pull, epoch = self._pulling.get(key, (None, want.epoch))
        if pull is not None and pull.done() and epoch != want.epoch:
            pull = None  # how it ended was of interest before the group was stopped
        begins = () if pull else (Happened(container=container, name="Pulling", message=f'pulling image "{image}"'),)
        if pull is None:
            if await self._images.present(self.containerd, image, want.subscription):
                return ()
            credential = credential_for(image, want.group.image_registry_credentials or ())
            pull = asyncio.create_task(self._images.ensure(self.containerd, image, want.subscription, credential))
            pull.add_done_callback(lambda done: None if done.cancelled() else self._pulled(want.uid, done))
            self._pulling[key] = pull, want.epoch
        await asyncio.wait({pull}, timeout=_PULL_PATIENCE)
        if not pull.done():
            raise Busy(f'pulling image "{image}"', begins)
        self._pulling.pop(key, None)
        _, pulled = pull.result()
        if not pulled:
            return ()
        return *begins, Happened(container=container, name="Pulled", message=f'Successfully pulled image "{image}"')

    def _pulled(self, uid: Uid, pull: asyncio.Task[tuple[str, bool]]) -> None:
        pull.exception()  # told by the pass over the group
        self._hints.put_nowait(uid)

    async def _run_container(
        self, want: Want, sandbox: SandboxSeen | None, action: RunContainer
    ) -> tuple[Happened, ...]:
        container = pod.find(want.group, action.name)
        if container is None or sandbox is None or not sandbox.ready:
            return ()  # the world moved on: the next look decides
        image = await self._images.present(self.containerd, container.image or "", want.subscription)
        if image is None:
            raise Refused("ErrImageNeverPull", f'image "{container.image}" went away', container.name)
        config = container_config(
            self.place,
            want,
            container,
            image=image,
            attempt=action.attempt,
            spec=action.spec,
            seccomp=self._runtime.seccomp,
            mounts=self._volumes.mounts(want, container),
        )
        if not pod.has_network(want.group):
            await cut_off(sandbox.id, await self._first_process(sandbox.id))
        elif want.joined is not None:
            await self._vnets.join(want.uid, want.joined, sandbox.id, await self._first_process(sandbox.id))
        path = self.place.logs / want.uid / log_path(action.name, want.epoch, action.attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with seccomp_file(self.place, container, config):
                answer = await self.containerd.call(
                    "CreateContainer",
                    cri.CreateContainerRequest(
                        pod_sandbox_id=sandbox.id,
                        config=config,
                        sandbox_config=sandbox_config(
                            self.place, want.uid, sandbox.attempt, self._runtime.seccomp, want.group
                        ),
                    ),
                    cri.CreateContainerResponse,
                )
        except Transient as error:
            raise Refused("CreateContainerError", str(error), container.name) from None
        self._sight.owners[answer.container_id] = want.uid
        made = Happened(container=action.name, name="Created", message="Created container")
        return made, *await self._start_container(action.name, answer.container_id)

    async def _first_process(self, sandbox: str) -> int:
        """Give the id of the process that holds a sandbox's namespaces."""
        return (await tasks.task(self.containerd, sandbox)).pid

    async def _start_container(self, name: str, identity: str) -> tuple[Happened, ...]:
        try:
            await self.containerd.call(
                "StartContainer", cri.StartContainerRequest(container_id=identity), cri.StartContainerResponse
            )
        except (Transient, NotFound, AlreadyExists) as error:
            if _TRIED in str(error):
                # CRI now has it as ended with the reason StartError: the restart policy decides what follows.
                self._sight.refused.add(identity)
                message = f"Error: Failed to start container {name}, Error response: {error}"
                return (Happened(container=name, name="Failed", message=message, type="Warning"),)
            if "already in starting state" in str(error):  # a service that died asked for the same
                raise Transient(f"cannot start container {name} yet: {error}", retry_after=0.5) from None
            if not isinstance(error, Transient):
                raise
            # No fault of the container's: it is begun once more.
            raise Refused("RunContainerError", f"{error}", name) from None
        return (Happened(container=name, name="Started", message="Started container"),)

    async def _stop_container(self, want: Want, action: StopContainer) -> tuple[Happened, ...]:
        await self.containerd.call(
            "StopContainer",
            cri.StopContainerRequest(container_id=action.id, timeout=action.grace),
            cri.StopContainerResponse,
            timeout=action.grace + 30.0,
        )
        message = f"Killing container {want.name}-{action.name} (platform initiated)."
        return (Happened(container=action.name, name="Killing", message=message),)

    async def _remove_container(self, identity: str) -> None:
        await remove_container(self.containerd, identity)
        self._sight.drop(identity)

    # --- what more this engine offers ---

    async def watch(self) -> AsyncIterator[Uid]:
        """Give the group of every container, sandbox and pull that ended, at once.  Starts containerd if it died."""
        if self.place.address is None and daemon.running_pid(self.place) is None:
            log.error("containerd has ended: it is started again")
            await (await daemon.ensure(self.place)).close()  # our own connection finds it again by itself
        chores = [asyncio.create_task(self._hear_of_ends())]
        if self.place.address is None:
            ending = leftovers.end_forgotten(self.place, self._sight, lambda: self.containerd)
            chores.append(asyncio.create_task(ending))
        try:
            while True:
                hint = await self._hints.get()
                if isinstance(hint, EngineError):
                    raise hint
                yield hint
        finally:
            for chore in chores:
                chore.cancel()

    async def _hear_of_ends(self) -> None:
        """Turn the ends of processes into hints, and the end of that into the last one."""
        try:
            async for end in self.containerd.announced():
                uid = self._sight.owners.get(end.container_id)
                if uid is None:
                    continue  # one that was never looked at: the slow re-list finds it
                if isinstance(end, events.TaskOOM):
                    if end.container_id not in self._sight.starved:
                        self._hints.put_nowait(uid)  # it may come after the end
                    self._sight.starved.add(end.container_id)
                    continue
                if end.id and end.id != end.container_id:
                    continue  # a process of an exec
                self._sight.ended.add(end.container_id)
                self._hints.put_nowait(uid)
        except EngineError as error:
            self._hints.put_nowait(error)
        else:
            self._hints.put_nowait(Lost("containerd tells of nothing any more"))

    async def admits(
        self, image: str, subscription: str, credentials: Sequence[ImageRegistryCredential], patience: float
    ) -> tuple[str, str] | None:
        """Say why an image can't be had.  The pull itself is the question: if it takes longer, it goes on."""
        pull = asyncio.ensure_future(
            self._images.ensure(self.containerd, image, subscription, credential_for(image, credentials))
        )
        done, _ = await asyncio.wait({pull}, timeout=patience)
        if not done:
            pull.add_done_callback(lambda task: task.exception())  # the pass over the group reports it
            return None
        try:
            pull.result()
        except Refused as error:
            log.info("%s", error)
            return why(normalise(image), error)
        except (Lost, Transient):
            pass  # the pass over the group asks again
        return None

    async def probe(self, container: str, address: str | None, ask: ContainerProbe, seconds: float) -> Checked:
        """Run a probe once."""
        return await probing.run(self.containerd, container, address, ask, seconds)

    async def listen(self, uid: Uid, address: str, port: int) -> socket.socket:
        """Give a listening socket in the network namespace of a group."""
        sandbox = self._made.get(uid) or (await self._sight.observe(self.containerd, uid)).sandbox
        if sandbox is None or not sandbox.ready:
            raise Transient("cannot listen inside a group that has no sandbox yet")
        with contextlib.suppress(NotFound):
            return await inside.listen(await self._first_process(sandbox.id), address, port)
        raise Transient("cannot listen inside a group whose sandbox is gone")

    def listen_outside(self) -> socket.socket | None:
        """Give a listening socket for what groups without a listener of their own ask at the address of tokens."""
        try:
            return network.listen(self.place)
        except OSError as error:
            log.error("groups without an identity get no answer at %s: %s", network.TOKENS, error)
            return None

    async def rejoin(self, want: Want, seen: Observed) -> None:
        """Give a running group the ways to what its virtual network covers now."""
        sandbox = seen.sandbox if pod.has_network(want.group) else None
        if want.joined is None or sandbox is None or self._vnets.has(want.uid, want.joined, sandbox.id):
            return
        try:
            await self._vnets.join(want.uid, want.joined, sandbox.id, await self._first_process(sandbox.id))
        except NotFound:
            pass  # it has ended: the next look tells
        except Refused as error:
            raise Transient(str(error)) from None

    async def collect(self) -> list[str]:
        """Remove images that nothing uses if the disk is too full."""
        if self._disk is None:
            return []
        return await collect(self._images, self.containerd, self._disk, lambda: used(self.place.root))

    @property
    def shelf(self) -> Shelf:
        """What the owner of an installation may do with its images."""
        return Shelf(self._images, lambda: self.containerd)
