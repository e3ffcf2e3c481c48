"""The little of Microsoft Graph that `az role assignment` asks: who a principal is, by its ids."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from ...models import ManagedIdentity, from_json
from ...wire.faults import Fault, invalid_content
from ..answers import Answer, plain
from ..call import Call
from ..kinds import IDENTITIES
from .api import Api

_BY_NAME = re.compile(r"servicePrincipalNames/any\(c:\s*c eq '([^']*)'\)", re.IGNORECASE)
_BY_FIELD = re.compile(r"(appId|displayName|id) eq '([^']*)'", re.IGNORECASE)
_MOST_IDS = 1000


class _Ids(Struct):
    ids: list[str] = []


def _everybody(api: Api) -> Iterator[dict[str, object]]:
    for each in api.store.principals():
        yield _shown(each.object_id, each.app_id, each.display_name, "Application")
    for row in api.store.every(IDENTITIES.name):
        held = from_json(ManagedIdentity, row.spec)
        yield _shown(held.principal_id or "", held.client_id or "", row.name, "ManagedIdentity")


def _shown(object_id: str, app_id: str, name: str, kind: str) -> dict[str, object]:
    return {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        "id": object_id,
        "appId": app_id,
        "displayName": name,
        "appDisplayName": name,
        "servicePrincipalType": kind,
        "servicePrincipalNames": [app_id],
    }


def service_principals(api: Api, call: Call) -> Answer:
    """List service principals, all or those with an id or a name."""
    wanted = call.query.get("$filter", "")
    named, field = _BY_NAME.fullmatch(wanted.strip()), _BY_FIELD.fullmatch(wanted.strip())
    if wanted and not named and not field:
        raise Fault(400, "Request_UnsupportedQuery", "This filter is not offered: ask for an appId, id or displayName.")
    member, value = ("appId", named[1]) if named else (field[1], field[2]) if field else ("", "")
    found = [
        each for each in _everybody(api)
        if not member or str(next(text for name, text in each.items() if name.lower() == member.lower())).lower()
        == value.lower()
    ]  # fmt: skip
    return plain({"value": found})


def by_ids(api: Api, call: Call) -> Answer:
    """Give the principals that have one of some object ids."""
    try:
        asked = {each.lower() for each in msgspec.json.decode(call.body or b"{}", type=_Ids).ids[:_MOST_IDS]}
    except msgspec.DecodeError as error:
        raise invalid_content(str(error)) from None
    return plain({"value": [each for each in _everybody(api) if each["id"] in asked]})
