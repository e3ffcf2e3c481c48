"""Follows the containers of groups that name a log workspace, and posts what they write and what happens to them.

One task for each container reads its log, run after run, and posts it in batches; it reads on when a batch was taken,
so no more than one of each is in memory, and what a workspace can't take now waits in the log files until those are
rotated away.  What they hold of a group that is there is posted at least once: a death of the service may repeat the
lines of its last seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from ...engines.base import EngineError, Uid
from ...engines.offers import Follow, Run
from ...models import ContainerGroup, LogAnalytics
from ..store import Row, SqlStore, Status, StoreFailed, View
from .posting import EVENTS, LOGS, LONGEST_MESSAGE, NotNow, NotTaken, Record, Target, post

log = logging.getLogger(__name__)

Poster = Callable[[Target, str, list[Record], datetime], None]
Sleep = Callable[[float], Awaitable[object]]

_MOST_LINES, _MOST_BYTES = 1000, 1 << 20
"""Of one post."""
_GATHER_SECONDS = 1.0
"""How long a line waits for others."""
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_AT_ONCE = 4
"""Posts at a time."""
_KEEP_SECONDS = 2.0
_LONGEST_LINE = LONGEST_MESSAGE + 64
"""Bytes of a line that are held while its end has not come: a record's, and the time before them."""
_NO_RUN: Run = (-1, -1)


class _Group(Struct, kw_only=True):
    uid: str
    name: str
    location: str
    os_type: str
    images: dict[str, str]
    """By container."""
    target: Target
    followed: dict[str, str] = {}
    """By container: the start of the newest run when its log was last looked at."""
    done: dict[str, Run] = {}
    """By container: the newest run of which everything was posted."""
    tasks: dict[str, asyncio.Task[None]] = {}
    """By container; the events' under the empty name."""
    told: dict[tuple[str, str, str], int] = {}
    """By container, name and message of an event: the count that was posted."""
    waiting: set[str] = set()
    """Those whose task has to end before there is another look."""


class Collector:
    """Does it for all groups of a service."""

    def __init__(
        self,
        store: SqlStore,
        engine: object,
        definition: Callable[[str], ContainerGroup | None],
        url: str,
        *,
        path: Path | None = None,
        clock: Callable[[], datetime],
        sleep: Sleep = asyncio.sleep,
        poster: Poster = post,
    ) -> None:
        """Take a port that opens a group's definition with its secrets, by key; ``path`` keeps what was posted."""
        self._store = store
        self._engine = engine if isinstance(engine, Follow) else None
        self._definition = definition
        self._url = url
        self._path = path
        self._clock = clock
        self._sleep = sleep
        self._poster = poster
        self._groups: dict[str, _Group] = {}
        """By key."""
        self._posted: dict[str, str] = {}
        """By uid and container: the time of the newest line, or event, that was posted."""
        self._kept = self._posted.copy()
        self._changed: set[str] = set()
        self._stirred = asyncio.Event()
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    # --- life ---

    def start(self) -> None:
        """Begin."""
        known = self._store.uids("containerGroups")
        self._posted = {place: at for place, at in self._read().items() if place.partition("/")[0] in known}
        self._spawn(self._attend_all())
        self._spawn(self._keep_now_and_then())

    async def stop(self) -> None:
        """End; what was not posted is posted by the next run."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._keep()

    async def look(self, key: str) -> None:
        """Take notice that a resource was worked on.  It takes no time: callers wait behind it."""
        if "/containergroups/" in key:
            self._again(key)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _read(self) -> dict[str, str]:
        """Read what was posted by earlier runs of the service; a file that can't be read is as good as none."""
        if self._path is None:
            return {}
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, msgspec.DecodeError) as error:
            log.warning("cannot read %s, so what is in log files is posted again: %s", self._path, error)
            return {}

    def _keep(self) -> None:
        if self._path is None or self._posted == self._kept:
            return
        now = self._posted.copy()
        partial = self._path.with_suffix(".partial")
        try:
            partial.write_bytes(msgspec.json.encode(now))
            partial.replace(self._path)
        except OSError as error:  # tried again soon
            log.warning("cannot write down in %s what was posted: %s", self._path, error)
        else:
            self._kept = now

    async def _keep_now_and_then(self) -> None:
        while True:
            await self._sleep(_KEEP_SECONDS)
            self._keep()

    # --- who is followed ---

    async def _attend_all(self) -> None:
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            while self._changed:
                key = self._changed.pop()
                try:
                    self._attend(key)
                except Exception:
                    log.exception("cannot follow %s for its workspace", key)
                await asyncio.sleep(0)

    def _attend(self, key: str) -> None:
        row = self._store.get(key)
        held = self._groups.get(key)
        if held is not None and (row is None or row.uid != held.uid):
            del self._groups[key]  # what still follows it ends with its containers
            for place in [each for each in self._posted if each.partition("/")[0] == held.uid]:
                del self._posted[place]
            held = None
        asked = row is not None and b'"logAnalytics"' in row.spec
        group = self._group(key, row) if row is not None and asked and row.status else None
        if row is None or group is None:
            if held is not None:  # it asks for it no more, or not in a way that works
                for task in self._groups.pop(key).tasks.values():
                    task.cancel()
            return
        if held is not None:  # what follows it posts to the workspace that is named now
            held.target, held.images, held.location, held.os_type = (
                group.target, group.images, group.location, group.os_type
            )  # fmt: skip
            group = held
        self._groups[key] = group
        view = msgspec.json.decode(row.status, type=Status).view
        if self._engine is not None:
            self._follow_runs(key, group, view, self._engine)
        if self._free_for(key, group, ""):
            group.tasks[""] = self._spawn(self._post_events(key, group, view))

    def _free_for(self, key: str, group: _Group, name: str) -> bool:
        """Tell whether a task may begin; else there is another look when the one before has ended."""
        before = group.tasks.get(name)
        if before is None or before.done():
            return True
        if name not in group.waiting:
            group.waiting.add(name)

            def again(_: object) -> None:
                group.waiting.discard(name)
                self._again(key)

            before.add_done_callback(again)
        return False

    def _again(self, key: str) -> None:
        self._changed.add(key)
        self._stirred.set()

    def _group(self, key: str, row: Row) -> _Group | None:
        wanted = self._definition(key)
        asked: LogAnalytics | None = wanted.diagnostics.log_analytics if wanted and wanted.diagnostics else None
        if wanted is None or asked is None:
            return None
        target = Target(url=self._url, workspace=asked.workspace_id, key=asked.workspace_key or "")
        problem = target.problem()
        if problem is not None:
            log.warning("%s: nothing is posted to its workspace: %s", key, problem)
            return None
        return _Group(
            uid=row.uid,
            name=row.name,
            location=wanted.location or "",
            os_type=wanted.os_type or "Linux",
            images={one.name: one.image or "" for one in (*(wanted.init_containers or ()), *(wanted.containers or ()))},
            target=target,
        )

    def _follow_runs(self, key: str, group: _Group, view: View, engine: Follow) -> None:
        """Follow each container that has begun a run since its log was last looked at."""
        for name, one in view.containers.items():
            began = next(
                (str(each.start_time) for each in (one.current_state, one.previous_state) if each and each.start_time),
                "",
            )
            if name not in group.images or not began or group.followed.get(name) == began:
                continue
            if self._free_for(key, group, name):
                group.followed[name] = began
                group.tasks[name] = self._spawn(self._follow(key, group, name, engine))

    # --- posting ---

    async def _follow(self, key: str, group: _Group, name: str, engine: Follow) -> None:
        """Post what the runs of a container wrote that are kept, and what the newest one writes until it has ended."""
        try:
            runs = [run for run in await engine.runs(Uid(group.uid), name) if run > group.done.get(name, _NO_RUN)]
            for run in runs:
                before = self._posted.get(f"{group.uid}/{name}")
                if not await self._follow_run(key, group, name, engine, run):
                    return
                # The newest may be begun once more, if its start was cut short: then it has written nothing.
                if run != runs[-1] or self._posted.get(f"{group.uid}/{name}") != before:
                    group.done[name] = run
        except (EngineError, OSError, StoreFailed) as error:
            log.warning("%s: cannot read what '%s' writes: %s", group.name, name, error)
            group.followed.pop(name, None)  # to be tried again, from the newest line that was posted on
            await self._sleep(_FIRST_WAIT)
            self._again(key)

    async def _follow_run(self, key: str, group: _Group, name: str, engine: Follow, run: Run) -> bool:
        """Post what a run writes, until it has ended; False if the group is gone."""
        place = f"{group.uid}/{name}"
        image = group.images.get(name, "")  # an update may take the container away while its last lines are posted
        stream = engine.follow(Uid(group.uid), name, tail=None, timestamps=True, run=run, limit=None)
        async with aclosing(stream), aclosing(_batches(stream, self._posted.get(place, ""))) as batches:
            async for lines in batches:
                records = [self._line(group, name, image, at, text) for at, text in lines]
                if not await self._post(group, LOGS, records):
                    return False
                self._note(key, group, place, max((at for at, _ in lines), key=_moment))
        return True

    def _note(self, key: str, group: _Group, place: str, at: str) -> None:
        """Remember the time of the newest thing that was posted, unless the group is gone by now."""
        if self._groups.get(key) is group:
            self._posted[place] = at

    def _line(self, group: _Group, name: str, image: str, at: str, text: str) -> Record:
        return self._about(group, name) | {
            "TimeGenerated": at,
            "ContainerImage": image,
            "Message": text,
            "Source": "LoggingAgent",
        }

    def _about(self, group: _Group, name: str) -> dict[str, str | int | None]:
        return {
            "ContainerGroup": group.name,
            "ContainerGroupInstanceId": group.uid,
            "ContainerName": name,
            "Location": group.location,
            "OSType": group.os_type,
        }

    async def _post_events(self, key: str, group: _Group, view: View) -> None:
        """Post the events that are newer than those that were posted."""
        place = f"{group.uid}/"
        since = self._posted.get(place, "")
        found = [
            (str(event.last_timestamp), name, event)
            for name, one in view.containers.items()
            for event in one.events or ()
            if str(event.last_timestamp) >= since  # two may have happened in one second
            and group.told.get((name, event.name or "", event.message or "")) != event.count
        ]
        found.sort(key=lambda each: each[0])
        records: list[Record] = [
            self._about(group, name)
            | {
                "TimeGenerated": at,
                "Count": event.count,
                "FirstTimestamp": str(event.first_timestamp),
                "LastTimestamp": at,
                "Message": event.message,
                "Reason": event.name,
            }
            for at, name, event in found
        ]
        if records and await self._post(group, EVENTS, records):
            self._note(key, group, place, found[-1][0])
            group.told |= {(name, event.name or "", event.message or ""): event.count or 0 for _, name, event in found}

    async def _post(self, group: _Group, table: str, records: list[Record]) -> bool:
        """Post until it is taken, refused for good, or the group is gone; False then."""
        wait = _FIRST_WAIT
        while True:
            try:
                async with self._free:
                    await self._posted_once(group.target, table, records)
            except NotTaken as error:
                log.warning("%s: %d records are lost: %s", group.name, len(records), error)
                return True
            except NotNow as error:
                if self._store.key_of(group.uid) is None:
                    log.warning("%s is gone, and %d records with it: %s", group.name, len(records), error)
                    return False
                log.info("%s: tried again in %.0f s: %s", group.name, wait, error)
                await self._sleep(wait)
                wait = min(_LONGEST_WAIT, 2 * wait)
            else:
                return True

    async def _posted_once(self, target: Target, table: str, records: list[Record]) -> None:
        posting = asyncio.ensure_future(asyncio.to_thread(self._poster, target, table, records, self._clock()))
        try:
            await asyncio.shield(posting)
        except asyncio.CancelledError:
            # No thread can be ended: what it gets posted is noted first, or the next run would post it again.
            await asyncio.wait({posting})
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - this is a coroutine
            task.cancel()  # at the next wait
            posting.result()


async def _batches(stream: AsyncGenerator[bytes, None], since: str) -> AsyncGenerator[list[tuple[str, str]], None]:
    """Give time and text of the lines of a stream that are newer than ``since``: soon, and not one by one."""
    lines: list[tuple[str, str]] = []
    size, left = 0, b""
    coming: asyncio.Future[bytes] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(stream))
            done, _ = await asyncio.wait({coming}, timeout=_GATHER_SECONDS if lines else None)
            if done:
                try:
                    chunk = coming.result()
                except StopAsyncIteration:
                    break
                finally:
                    coming = None
                whole, _, left = (left + chunk).rpartition(b"\n")
                left = left[:_LONGEST_LINE]
                for each in whole.split(b"\n") if whole else ():
                    line = _parted(each)
                    if since and _moment(line[0]) <= _moment(since):
                        continue
                    since = ""  # of two streams that write at once, one's may come later and be older
                    lines.append(line)
                    size += len(each)
                    if len(lines) >= _MOST_LINES or size >= _MOST_BYTES:
                        yield lines
                        lines, size = [], 0
            elif lines:
                yield lines
                lines, size = [], 0
        if left and _moment(_parted(left)[0]) > _moment(since):  # the last line of a run need not have an end
            lines.append(_parted(left))
        if lines:
            yield lines
    finally:
        if coming is not None:  # a stream can't be closed while it is read
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, EngineError, OSError):
                await coming


def _moment(at: str) -> str:
    """Give a time such that texts compare as times do: zeros at its end are not written."""
    return at.removesuffix("Z")


def _parted(line: bytes) -> tuple[str, str]:
    """Give time and text of a line, as much as a record may have."""
    at, _, text = line.partition(b" ")
    return at.decode(errors="replace"), text[:LONGEST_MESSAGE].decode(errors="replace")
