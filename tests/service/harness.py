"""A service in this process: the simulated engine, a database in memory, every caller let in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Struct

from hythe.engines.sim import SimulatedEngine
from hythe.service.build import build
from hythe.service.call import Caller
from hythe.service.settings import ServiceSettings
from hythe.service.store import SqlStore, Subscription
from hythe.service.vault import Vault

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
FOLDER = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
GROUPS = f"{FOLDER}/providers/Microsoft.ContainerInstance/containerGroups"
VERSION = "2023-05-01"


class Reply(Struct):
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def code(self) -> str:
        return self.json["error"]["code"]


class Everybody:
    """Lets every caller in."""

    async def authority(self, *_: object) -> None:
        raise AssertionError

    def is_authority_path(self, path: str) -> bool:
        return False

    def verify(self, token: str) -> Caller:
        return Caller(app_id="app", object_id="object", tenant="t")

    def answers_for(self, host: str) -> bool:
        return host == "localhost"

    def may(self, caller: Caller, action: str, scope: str) -> bool:
        return True

    def sees(self, caller: Caller, scope: str) -> bool:
        return True

    def new_principal(self, display_name: str, subscription: str, url: str, role: object, scopes: object) -> bytes:
        return b"{}"

    def managed_token(self, client_id: str, object_id: str, audience: str) -> tuple[str, int]:
        return f"token for {client_id} {object_id} {audience}", 2_000_000_000

    def host_variables(self, name: str) -> dict[str, str] | None:
        return None

    def intercept(self) -> dict[str, object]:
        return {}


class Service:
    """What a test holds."""

    def __init__(
        self,
        engine: Any,
        store: SqlStore,
        settings: ServiceSettings | None = None,
        vault: Any = None,
        identity: Any = None,
        shares: Any = None,
        **parts: Any,
    ) -> None:
        self.engine = engine
        self.store = store
        if not store.subscriptions():
            for each in (SUBSCRIPTION, OTHER):
                store.add_subscription(Subscription(id=each, name="test", tenant="t"))
        self.vault = vault or Vault(b"k" * 32)
        built = build(
            settings or ServiceSettings(hold_seconds=5),
            store=store,
            engine=engine,
            vault=self.vault,
            identity=identity or Everybody(),
            tenant="t",
            images=None,
            shares=shares,
            **parts,
        )
        self.gate, self.loop, self.api, self.groups = built.gate, built.loop, built.api, built.groups
        self.sampler = built.sampler
        self.collector: Any = built.collector

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        version: str | None = VERSION,
        query: str = "",
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        path, _, given = path.removeprefix("https://localhost").partition("?")
        words = [word for word in (given, query) if word]
        if version and "api-version" not in given:
            words.append(f"api-version={version}")
        sent = raw if raw is not None else json.dumps(body).encode() if body is not None else b""
        named = {"host": "localhost", "authorization": "Bearer x"} | (headers or {})
        messages: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": sent}

        async def send(message: Any) -> None:
            messages.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": "&".join(words).encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items() if value],
        }
        await self.gate(scope, receive, send)
        got = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        return Reply(messages[0]["status"], got, messages[1]["body"])

    async def make_folder(self, path: str = FOLDER) -> None:
        assert (await self.ask("PUT", path, {"location": "eastus"}, version="2021-04-01")).status in (200, 201)


@asynccontextmanager
async def running(
    outcomes: Any = None,
    *,
    store: SqlStore | None = None,
    engine: Any = None,
    settings: ServiceSettings | None = None,
    identity: Any = None,
    **parts: Any,
) -> AsyncIterator[Service]:
    """Run a service until the end of the block."""
    engine = engine or SimulatedEngine(outcomes)
    service = Service(engine, store or SqlStore(None), settings, identity=identity, **parts)
    service.loop.start()
    try:
        yield service
    finally:
        await service.loop.stop()
        await service.sampler.stop()
        await engine.close()
        if store is None:
            service.store.close()


def container(name: str = "web", image: str = "image", **properties: object) -> dict[str, Any]:
    base: dict[str, Any] = {"image": image, "resources": {"requests": {"cpu": 1, "memoryInGB": 1}}}
    return {"name": name, "properties": base | properties}


def group(*containers: dict[str, Any], **properties: object) -> dict[str, Any]:
    body: dict[str, Any] = {"osType": "Linux", "containers": [*containers] or [container()]}
    return {"location": "eastus", "properties": body | properties}
