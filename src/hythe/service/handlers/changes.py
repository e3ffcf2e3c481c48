"""What a deployment would change: the definition that a template asks for beside the one that is there."""

from __future__ import annotations

from typing import Any

import msgspec

from ...wire import ids
from ...wire.faults import Fault
from ...wire.templates import Plan, Step, TemplateError
from ..call import Call
from ..kinds import BY_NAME, BY_TYPE, DEPLOYMENTS, Shown
from ..kinds.deployments import Deployed
from .api import Api


async def compared(api: Api, call: Call, wanted: Deployed, plan: Plan, step: Step) -> dict[str, Any]:
    """Give one change: Create, Modify, NoChange, or Deploy where it can't be told.

    That is before other resources are there, and with keys of theirs, which this answer must not show.
    """
    change: dict[str, Any] = {"resourceId": step.id}
    identity, kind = ids.parse(step.id), BY_TYPE.get(step.type.lower())
    held = api.store.get(step.key)
    if call.caller is None or identity is None or kind is None or kind is DEPLOYMENTS or plan.needs_keys(step):
        return change | {"changeType": "Deploy"}
    try:
        body = await api.deployer.body(plan, step, call.caller, wanted.base_url)
    except (TemplateError, Fault):  # it refers to something that is not there yet
        return change | {"changeType": "Deploy"}
    asked = kind.read_again(kind.public(kind.read(msgspec.json.encode(body), identity))).as_dict()
    after = asked | {"id": step.id, "name": step.name, "type": step.type, "apiVersion": step.api_version}
    if held is None or held.kind not in BY_NAME:
        return change | {"changeType": "Create", "after": after}
    shown = BY_NAME[held.kind].show(held, Shown(api_version=call.api_version, instance_view=False))
    before = shown.as_dict()
    delta = [*_delta(before, asked, "")]
    kind_of_change = "Modify" if delta else "NoChange"
    return change | {"changeType": kind_of_change, "before": before, "after": after, "delta": delta}


def _delta(before: Any, after: Any, path: str) -> list[dict[str, Any]]:
    """Compare what is asked for with what is there; what is not asked for is left alone."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            change
            for name, each in after.items()
            for change in _delta(before.get(name), each, f"{path}.{name}" if path else name)
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            change
            for at, (one, other) in enumerate(zip(before, after, strict=True))
            for change in _delta(one, other, f"{path}[{at}]")
        ]
    if before == after or (path == "location" and str(after).replace(" ", "").lower() == before):
        return []
    kind = "Create" if before is None else "Delete" if after is None else "Modify"
    return [{"path": path, "propertyChangeType": kind, "before": before, "after": after}]
