"""Resource groups: the folders that resources are in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from ...models import GenericResourceExpanded, Model, to_json
from ...wire import filters
from ...wire.faults import Fault, resource_group_not_found
from ...wire.filters import Term
from .. import paging
from ..answers import Answer, empty, page
from ..call import Call
from ..kinds import BY_NAME, DEPLOYMENTS, RESOURCE_GROUPS, ROLE_ASSIGNMENTS, SUBSCRIPTION_TAGS, Shown
from ..store import Row
from .api import Api

_NOT_LISTED = frozenset(kind.name for kind in (RESOURCE_GROUPS, ROLE_ASSIGNMENTS, DEPLOYMENTS, SUBSCRIPTION_TAGS))
"""What Azure does not count among the resources of a group either."""
_COMPARED = frozenset(("eq", "ne"))
_TAGS = {"tagname": frozenset(("eq", "startswith")), "tagvalue": frozenset(("eq",))}
_GROUP_FILTER = _TAGS | {"name": _COMPARED | {"substringof"}, "location": _COMPARED}
_RESOURCE_FILTER = _GROUP_FILTER | {"resourcetype": _COMPARED, "resourcegroup": _COMPARED | {"substringof"}}


def list_all(api: Api, call: Call) -> Answer:
    """List the resource groups of a subscription in which the caller has a role."""
    terms = filters.parse(call.query.get("$filter", ""), _GROUP_FILTER)
    how = Shown(api_version=call.api_version)
    subscription = api.resources.subscription(call)
    after = paging.key_after(call.query)
    return _page(
        call,
        (
            (row.key, RESOURCE_GROUPS.show(row, how))
            for row in api.store.listed(RESOURCE_GROUPS.name, subscription, after=after)
            if api.shows(call.caller, row.key) and _passes(row, msgspec.json.decode(row.spec), terms)
        ),
    )


def check(api: Api, call: Call) -> Answer:
    """Tell whether a resource group is there."""
    api.resources.subscription(call)
    if api.store.get(call.resource_group.key) is None:
        raise resource_group_not_found(call.params["resourceGroupName"])
    return empty(204)


def get(api: Api, call: Call) -> Answer:
    """Show a resource group."""
    api.resources.folder(call)
    return api.resources.get(RESOURCE_GROUPS, call.resource_group, call)


async def put(api: Api, call: Call) -> Answer:
    """Create or update a resource group."""
    return await api.resources.put(RESOURCE_GROUPS, call.resource_group, call)


async def patch(api: Api, call: Call) -> Answer:
    """Replace a resource group's tags."""
    return await api.resources.patch(RESOURCE_GROUPS, call.resource_group, call)


def delete(api: Api, call: Call) -> Answer:
    """Delete a resource group and what is in it."""
    return api.resources.delete_folder(call)


async def operation_result(api: Api, call: Call) -> Answer:
    """Show whether a deletion has ended."""
    api.check_operation(call)
    return await api.resources.operation_result(call)


def list_resources(api: Api, call: Call) -> Answer:
    """List what is in a resource group."""
    folder = api.resources.folder(call)
    return _resources(api, call, folder.subscription, folder.resource_group)


def list_all_resources(api: Api, call: Call) -> Answer:
    """List what is in a subscription, as far as the caller may read it."""
    return _resources(api, call, api.resources.subscription(call), None)


def _resources(api: Api, call: Call, subscription: str, folder: str | None) -> Answer:
    terms = filters.parse(call.query.get("$filter", ""), _RESOURCE_FILTER)
    rows = api.store.listed(None, subscription, folder, after=paging.key_after(call.query))
    return _page(call, _shown(api, call, rows, terms))


def _shown(api: Api, call: Call, rows: list[Row], terms: list[Term]) -> Iterator[tuple[str, Model]]:
    """Give key and short form of every resource that is listed, passes the filter and may be read."""
    expanded = call.query.get("$expand", "").lower()
    for row in rows:
        kind = BY_NAME.get(row.kind)
        if kind is None or row.kind in _NOT_LISTED or call.caller is None:
            continue
        held = msgspec.json.decode(row.spec)
        if not _passes(row, held, terms) or not api.rights.may(call.caller, f"{kind.type}/read", row.key):
            continue
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row.changed_at))
        yield (
            row.key,
            GenericResourceExpanded(
                id=row.id,
                name=row.name,
                type=kind.type,
                location=held.get("location"),
                tags=held.get("tags"),
                changed_time=moment if "changedtime" in expanded else None,
                provisioning_state=row.provisioning_state if "provisioningstate" in expanded else None,
            ),
        )


def _page(call: Call, found: Iterator[tuple[str, Model]]) -> Answer:
    """Answer with one page of what was found, of at most ``$top`` in all, and where the next page is."""
    top = _top(call)
    size = paging.SIZE if top is None else min(top, paging.SIZE)
    items = [*islice(found, size + 1)]
    more = len(items) > size and size != top
    items = items[:size]
    rest = call if top is None else replace(call, query=call.query | {"$top": str(top - size)})
    return page([to_json(model) for _, model in items], paging.next_link(rest, items[-1][0]) if more else None)


def _passes(row: Row, held: dict[str, Any], terms: list[Term]) -> bool:
    """Tell whether a resource passes a filter."""
    tags: dict[str, str] = held.get("tags") or {}
    values = {
        "name": row.name,
        "resourcetype": BY_NAME[row.kind].type,
        "resourcegroup": row.resource_group,
        "location": held.get("location") or "",
    }
    wanted_tag = next((term.text.lower() for term in terms if term.name == "tagname"), None)
    for term in terms:
        if term.name == "tagname":
            if not any(term.holds(name) for name in tags):
                return False
        elif term.name == "tagvalue":
            if not any(term.holds(text) for name, text in tags.items() if wanted_tag in (None, name.lower())):
                return False
        elif not term.holds(values[term.name]):
            return False
    return True


def _top(call: Call) -> int | None:
    """Read how many items are asked for at most."""
    given = call.query.get("$top")
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or not int(given[:9]) > 0:
        raise Fault(400, "InvalidQueryParameter", f"The value '{given[:20]}' of the query parameter $top is invalid.")
    return int(given[:9])
