"""What can be asked of any scope alike: its tags."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from ...models import TagsPatch, TagsResource
from ...wire import ids, lenient
from ...wire.faults import Fault, invalid_content
from ...wire.ids import ResourceId
from ..answers import Answer, empty, shown
from ..call import Call
from ..kinds import BY_NAME, SUBSCRIPTION_TAGS
from ..store import Row
from .api import Api

_MOST_TAGS = 50


def _scope(api: Api, call: Call) -> tuple[ResourceId, Row | None]:
    """Give the scope and its row; None for a subscription that was never tagged."""
    scope = ids.parse(call.params["scope"])
    if scope is None or not scope.subscription:
        raise Fault(400, "InvalidScope", "Tags are for a subscription, a resource group or a resource.")
    if not scope.resource_group and not scope.type:
        api.resources.subscription(call)
        return scope, api.store.get(_of_subscription(scope).key)
    api.resources.home(scope, call)
    row = api.store.get(scope.key)
    if row is None:
        raise Fault(404, "ResourceNotFound", f"The Resource '{scope.type}/{scope.name}' under resource group "
                    f"'{scope.resource_group}' was not found.")  # fmt: skip
    if not hasattr(BY_NAME[row.kind].read_again(row.spec), "tags"):
        raise Fault(400, "InvalidScope", f"A resource of the type '{BY_NAME[row.kind].type}' has no tags.")
    return scope, row


def _of_subscription(scope: ResourceId) -> ResourceId:
    return ResourceId(subscription=scope.subscription, type=SUBSCRIPTION_TAGS.type, name="default")


def _held(row: Row | None) -> dict[str, str]:
    if row is None:
        return {}
    spec = msgspec.json.decode(row.spec)
    return dict((spec["properties"] if row.kind == SUBSCRIPTION_TAGS.name else spec).get("tags") or {})


def get_tags(api: Api, call: Call) -> Answer:
    """Show the tags of a scope."""
    scope, row = _scope(api, call)
    return _shown(scope, _held(row))


async def put_tags(api: Api, call: Call) -> Answer:
    """Replace the tags of a scope."""
    scope, row = _scope(api, call)
    return await _write(api, call, scope, row, lenient.read(TagsResource, call.body).tags or {})


async def patch_tags(api: Api, call: Call) -> Answer:
    """Replace, merge or delete tags of a scope."""
    scope, row = _scope(api, call)
    asked = lenient.read(TagsPatch, call.body)
    tags, held = asked.tags or {}, _held(row)
    same = {name.lower() for name in tags}
    match (asked.operation or "").lower():
        case "replace":
            held = tags
        case "merge":
            held = {name: text for name, text in held.items() if name.lower() not in same} | tags
        case "delete":
            gone = {name.lower(): text for name, text in tags.items()}
            held = {name: text for name, text in held.items() if gone.get(name.lower()) not in ("", text)}
        case other:
            raise invalid_content(f"The operation '{other}' is not one of 'Replace,Merge,Delete'")
    return await _write(api, call, scope, row, held)


async def delete_tags(api: Api, call: Call) -> Answer:
    """Take all tags of a scope away."""
    scope, row = _scope(api, call)
    if _held(row):
        await _write(api, call, scope, row, {})
    return empty(200)


async def _write(api: Api, call: Call, scope: ResourceId, row: Row | None, tags: dict[str, str]) -> Answer:
    if len(tags) > _MOST_TAGS:
        raise Fault(400, "InvalidTagCount", f"The number of tags {len(tags)} is more than {_MOST_TAGS}.")
    if not scope.resource_group and not scope.type:
        body = msgspec.json.encode({"properties": {"tags": tags}})
        await api.resources.put(SUBSCRIPTION_TAGS, _of_subscription(scope), replace(call, body=body))
    elif row is not None:
        await api.resources.patch(BY_NAME[row.kind], scope, replace(call, body=msgspec.json.encode({"tags": tags})))
    return _shown(scope, tags)


def _shown(scope: ResourceId, tags: dict[str, str]) -> Answer:
    where = f"{scope.text}/providers/Microsoft.Resources/tags/default"
    return shown(TagsResource(id=where, name="default", type="Microsoft.Resources/tags", tags=tags))
