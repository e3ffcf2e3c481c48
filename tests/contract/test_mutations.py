"""Definitions with random damage: always an answer of the contract, never a failure of the service."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.service.harness import GROUPS, container, group, running

from .test_own import complaints

WHOLE = group(
    container(
        "web",
        ports=[{"port": 80, "protocol": "TCP"}],
        environmentVariables=[{"name": "A", "value": "b"}, {"name": "S", "secureValue": "s"}],
        command=["serve", "--all"],
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
        livenessProbe={"httpGet": {"path": "/", "port": 80, "scheme": "http"}, "periodSeconds": 3},
        securityContext={"runAsUser": 7, "capabilities": {"drop": ["ALL"]}},
        configMap={"keyValuePairs": {"k": "v"}},
        resources={"requests": {"cpu": 0.5, "memoryInGB": 0.5}, "limits": {"cpu": 0.5, "memoryInGB": 0.5}},
    ),
    initContainers=[{"name": "first", "properties": {"image": "image"}}],
    ipAddress={"type": "Public", "ports": [{"port": 80}], "dnsNameLabel": "hello"},
    imageRegistryCredentials=[{"server": "r.example", "username": "u", "password": "p"}],
    volumes=[{"name": "v", "emptyDir": {}}],
    restartPolicy="OnFailure",
    priority="Regular",
    subnetIds=[{"id": "/subnet", "name": "s"}],
    dnsConfig={"nameServers": ["1.1.1.1"], "searchDomains": "a b"},
    diagnostics={"logAnalytics": {"workspaceId": "w", "workspaceKey": "k", "metadata": {"a": "b"}}},
    extensions=[{"name": "x", "properties": {"extensionType": "e", "version": "1", "settings": {"a": 1}}}],
) | {"zones": ["1"], "tags": {"a": "b"}, "identity": {"type": "None"}}

MODEST = group(
    container("web", ports=[{"port": 80, "protocol": "TCP"}], environmentVariables=[{"name": "A", "value": "b"}]),
    ipAddress={"type": "Public", "ports": [{"port": 80}], "dnsNameLabel": "hello"},
    diagnostics={"logAnalytics": {"workspaceId": "w", "workspaceKey": "k", "metadata": {"a": "b"}}},
    extensions=[{"name": "x", "properties": {"extensionType": "e", "version": "1", "settings": {"a": 1}}}],
) | {"zones": ["1"], "tags": {"a": "b"}}
"""All of it is offered by every engine, so that damage is also let in."""

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 2**40, 0.0, "", "x" * 300, "\u0000", "группа", "../..", [], [None], [[]], {}, {"a": None},
    {"properties": {}}, {"name": "x"}, "80", "Linux", [{}], {"": ""},
)  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Give every member of every object and list: the container and the key."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


def damaged() -> Any:
    body = copy.deepcopy(random.choice((WHOLE, MODEST)))
    for _ in range(random.randint(1, 4)):
        every = list(places(body))
        if not every:
            break
        holder, key = random.choice(every)
        if isinstance(holder, dict) and random.random() < 0.5:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(random.choice(ODD))
    return body


@pytest.mark.parametrize("version", ["2018-10-01", "2026-07-01"])
async def test_damage(version: str) -> None:
    codes = set()
    async with running() as service:
        await service.make_folder()
        for _ in range(150):
            body = damaged()
            reply = await service.ask("PUT", f"{GROUPS}/web", body, version=version)
            assert reply.status in (200, 201, 400, 409), (json.dumps(body), reply.raw)
            if version == "2026-07-01":
                assert complaints("ContainerGroups_CreateOrUpdate", reply.status, reply.raw) == []
            codes.add(reply.json.get("error", {}).get("code"))
            if reply.status < 300:
                assert (await service.ask("GET", f"{GROUPS}/web", version=version)).status == 200
                await service.ask("DELETE", f"{GROUPS}/web", version=version)

    assert len(codes) > 3
