"""Which members a body of a network may have: what is kept, what the service writes, what is refused.  Pure.

Microsoft.Network refuses a member that it does not know, rather than drop it, and so does this.  What would have an
effect that this service can't give is refused too, unless it is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from ...wire.faults import Detail, Fault, bad_request, invalid_content

_OUTER = frozenset({"id", "name", "type", "location", "tags", "etag", "properties"})


class _Members(Struct, frozen=True, kw_only=True):
    what: str
    type: str
    """As Microsoft.Network calls the properties."""
    kept: frozenset[str]
    """In lower case: stored and given back."""
    written: frozenset[str]
    """Only the service writes them: dropped, as they come with whatever was read before."""
    refused: Mapping[str, str]
    """What is meant by each, in words."""


_NETWORK = _Members(
    what="virtual network",
    type="VirtualNetworkPropertiesFormat",
    kept=frozenset(
        {"addressspace", "subnets", "dhcpoptions", "flowtimeoutinminutes", "enablevmprotection",
         "enableddosprotection", "privateendpointvnetpolicies"}
    ),
    written=frozenset({"provisioningstate", "resourceguid", "flowlogs", "defaultpublicnatgateway"}),
    refused={
        "virtualnetworkpeerings": "peerings with other networks",
        "ddosprotectionplan": "a DDoS protection plan",
        "bgpcommunities": "BGP communities",
        "encryption": "encryption",
        "ipallocations": "IP allocations",
    },
)  # fmt: skip
_SUBNET = _Members(
    what="subnet",
    type="SubnetPropertiesFormat",
    kept=frozenset(
        {"addressprefix", "addressprefixes", "delegations", "serviceendpoints", "defaultoutboundaccess",
         "privateendpointnetworkpolicies", "privatelinkservicenetworkpolicies"}
    ),
    written=frozenset(
        {"provisioningstate", "ipconfigurations", "ipconfigurationprofiles", "privateendpoints", "purpose",
         "resourcenavigationlinks", "serviceassociationlinks"}
    ),
    refused={
        "networksecuritygroup": "a network security group",
        "routetable": "a route table",
        "natgateway": "a NAT gateway",
        "serviceendpointpolicies": "policies of service endpoints",
        "applicationgatewayipconfigurations": "an application gateway",
        "ipallocations": "IP allocations",
        "ipampoolprefixallocations": "a pool of addresses",
        "sharingscope": "sharing with others",
    },
)  # fmt: skip
_BAD = (("enableddosprotection", True, "DDoS protection"), ("defaultoutboundaccess", False, "no way out"))
"""Members of which one value only would have an effect."""


def check_network(body: bytes) -> None:
    """Refuse members that a network, or one of its subnets, can't have.  Raises `Fault`."""
    found = _decoded(body)
    problems = [*_problems(found, _NETWORK, "")]
    subnets = _get(_get(found, "properties"), "subnets")
    for index, each in enumerate(subnets if isinstance(subnets, list) else ()):
        problems += _problems(each, _SUBNET, f"properties.subnets[{index}].")
    _raise(problems)


def check_subnet(body: bytes) -> None:
    """Refuse members that a subnet can't have.  Raises `Fault`."""
    _raise([*_problems(_decoded(body), _SUBNET, "")])


def _raise(problems: list[Detail]) -> None:
    unknown = [each for each in problems if each.code == "InvalidJson"]
    if unknown:
        raise Fault(400, "InvalidRequestFormat", "Cannot parse the request.", details=unknown)
    if problems:
        raise bad_request(problems)


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise invalid_content(str(error)) from None


def _get(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        return None
    return next((held for member, held in value.items() if member.lower() == name), None)


def _problems(value: Any, members: _Members, path: str) -> Iterator[Detail]:
    if not isinstance(value, dict):
        return  # the reader says what is wrong with it
    name = _get(value, "name")
    for member in value:
        if member.lower() not in _OUTER:
            yield _unknown(member, members.type.removesuffix("PropertiesFormat"), f"{path}{member}")
    properties = _get(value, "properties")
    for member, held in (properties if isinstance(properties, dict) else {}).items():
        low, target = member.lower(), f"{path}properties.{member}"
        what = members.refused.get(low) if held not in (None, False, [], {}, "") else None
        what = what or next((words for each, bad, words in _BAD if each == low and held is bad), None)
        if what is not None:
            yield _no(members, name, what, target)
        elif low not in members.kept | members.written | members.refused.keys():
            yield _unknown(member, members.type, target)


def _no(members: _Members, name: Any, what: str, target: str) -> Detail:
    named = f" '{name}'" if isinstance(name, str) else ""
    message = f"The {members.what}{named} asks for {what}, which this service does not offer."
    return Detail(code="FeatureNotSupported", message=message, target=target)


def _unknown(member: str, type_: str, target: str) -> Detail:
    message = f"Could not find member '{member}' on object of type '{type_}'. Path '{target}'."
    return Detail(code="InvalidJson", message=message, target=target)
