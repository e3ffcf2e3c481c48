"""One pass over a deployment: look at what was asked for, ask for what is ready, and end when nothing is left.

A resource is asked for once everything that it comes after is there.  Asking twice is harmless: it is a PUT of the
same definition, so a pass that died is simply made again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from ..store import DeploymentStatus, Outcome, Row, StepState
from .groups import Clock

log = logging.getLogger(__name__)

_AT_ONCE = 8
"""Resources that one pass asks for side by side."""
_LOOK_SOON, _LOOK_LATER = 0.1, 2.0
"""Seconds until running resources are looked at again: soon at first."""


class Todo(Struct, frozen=True, kw_only=True):
    """One resource of a deployment."""

    key: str
    id: str
    type: str
    after: tuple[str, ...]


class Look(Struct, frozen=True, kw_only=True):
    """How a resource stands."""

    state: str
    """Running, Succeeded or Failed."""
    code: str = ""
    message: str = ""


class CannotDeploy(Exception):
    """Says why a resource, or a whole deployment, can't be had."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Busy(Exception):
    """Says that a resource is busy with something else: ask again later."""


class Deployer(Protocol):
    """Knows templates, and how resources are asked for."""

    def todos(self, row: Row) -> Sequence[Todo]:
        """Give the resources in order.  Raises `CannotDeploy`."""

    async def declare(self, row: Row, key: str) -> int:
        """Ask for a resource; give the generation with which it is done.  Raises `CannotDeploy` or `Busy`."""

    def changed(self, row: Row) -> bool:
        """Tell whether something else is wanted by now, such as to be canceled."""

    def look(self, key: str, generation: int) -> Look:
        """Tell how a resource stands."""

    async def outputs(self, row: Row) -> dict[str, Any]:
        """Evaluate the outputs.  Raises `CannotDeploy`."""


class DeploymentPass:
    """Works on deployments; holds no state of its own."""

    def __init__(self, deployer: Deployer, clock: Clock) -> None:
        self._deployer = deployer
        self._clock = clock

    async def __call__(self, row: Row) -> Outcome:
        """Do what is due for a deployment."""
        memory = msgspec.json.decode(row.status, type=DeploymentStatus) if row.status else DeploymentStatus()
        now = self._clock().timestamp()
        if row.desired == "gone":
            return self._outcome(row, memory, "Succeeded", gone=True)
        if row.settled_generation == row.generation:
            return self._outcome(row, memory, row.provisioning_state)
        if row.desired == "stop":
            memory.generation, memory.ended_at = row.generation, now
            memory.code, memory.message = "DeploymentCanceled", "The deployment was canceled."
            return self._outcome(row, memory, "Canceled")
        if memory.generation != row.generation:
            memory = DeploymentStatus(generation=row.generation, begun_at=row.changed_at)
        try:
            todos = self._deployer.todos(row)
            self._look(memory, now)
            busy = await self._ask(row, todos, memory)
            if busy or any(each.state == "Running" for each in memory.steps.values()):
                return self._outcome(row, memory, "Running", wake_at=now + self._soon(memory, now))
            failed = [each for each in memory.steps.values() if each.state == "Failed"]
            if failed:
                raise CannotDeploy("DeploymentFailed", "; ".join(f"{each.id}: {each.message}" for each in failed[:10]))
            memory.outputs = await self._deployer.outputs(row)
        except CannotDeploy as error:
            memory.code, memory.message, memory.ended_at = error.code, error.message, self._clock().timestamp()
            return self._outcome(row, memory, "Failed")
        memory.ended_at = self._clock().timestamp()
        return self._outcome(row, memory, "Succeeded")

    def _look(self, memory: DeploymentStatus, now: float) -> None:
        for key, step in memory.steps.items():
            if step.state == "Running":
                found = self._deployer.look(key, step.generation)
                step.state, step.code, step.message = found.state, found.code, found.message
                step.ended_at = now if found.state != "Running" else 0.0

    async def _ask(self, row: Row, todos: Sequence[Todo], memory: DeploymentStatus) -> bool:
        """Ask for what is ready, until nothing more is; tell whether something has to wait for another's end."""
        mine = {each.key for each in todos}
        waiting: set[str] = set()
        while True:
            ready = [
                each for each in todos
                if each.key not in memory.steps and each.key not in waiting
                and all(key not in mine or self._is_done(memory, key) for key in each.after)
            ][:_AT_ONCE]  # fmt: skip
            if not ready:
                return bool(waiting)
            if self._deployer.changed(row):
                return True
            for each, started in zip(
                ready, await asyncio.gather(*(self._start(row, each) for each in ready)), strict=True
            ):
                if started is None:
                    waiting.add(each.key)
                else:
                    memory.steps[each.key] = started

    @staticmethod
    def _is_done(memory: DeploymentStatus, key: str) -> bool:
        step = memory.steps.get(key)
        return step is not None and step.state == "Succeeded"

    async def _start(self, row: Row, todo: Todo) -> StepState | None:
        """Ask for one resource; None if it is busy."""
        begun = self._clock().timestamp()
        step = StepState(id=todo.id, type=todo.type, begun_at=begun)
        try:
            step.generation = await self._deployer.declare(row, todo.key)
            found = self._deployer.look(todo.key, step.generation)
        except Busy:
            return None
        except CannotDeploy as error:
            found = Look(state="Failed", code=error.code, message=error.message)
        step.state, step.code, step.message = found.state, found.code, found.message
        if found.state != "Running":
            step.ended_at = self._clock().timestamp()
        return step

    @staticmethod
    def _soon(memory: DeploymentStatus, now: float) -> float:
        return min(_LOOK_LATER, max(_LOOK_SOON, (now - memory.begun_at) / 10))

    @staticmethod
    def _outcome(
        row: Row, memory: DeploymentStatus, state: str, *, wake_at: float | None = None, gone: bool = False
    ) -> Outcome:
        failed = state in ("Failed", "Canceled")
        return Outcome(
            key=row.key,
            uid=row.uid,
            generation=row.generation,
            status=msgspec.json.encode(memory),
            provisioning_state=state,
            done=state != "Running",
            wake_at=wake_at,
            error_code=memory.code if failed else "",
            error_message=memory.message if failed else "",
            gone=gone,
        )
