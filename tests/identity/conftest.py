"""Identities in folders of their own, and a way to ask one's authority."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from msgspec import Struct

from hythe.service.identity.desk import Identity
from hythe.service.store import SqlStore

TENANT = "0c0c0c0c-1111-4222-8333-444455556666"
SUBSCRIPTION = "9d9d9d9d-1111-4222-8333-444455556666"
URL = "https://localhost:8443"
NAME = "box.example"
"""A further name of the service."""


class Desk(Struct):
    """An identity, where it lives, and its owner."""

    identity: Identity
    store: SqlStore
    folder: Path

    @property
    def auth(self) -> dict[str, str]:
        """The owner's auth file."""
        return json.loads((self.folder / "my.azureauth").read_text())


def open_desk(folder: Path) -> Desk:
    store = SqlStore(folder / "hythe.db")
    identity = Identity(folder, store, tenant=TENANT, names=(NAME,))
    identity.first_principal(URL, SUBSCRIPTION)
    return Desk(identity, store, folder)


@pytest.fixture(autouse=True)
def _own_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the environment says about certificates."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = open_desk(tmp_path)
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Give one that many tests ask and none changes."""
    made = open_desk(tmp_path_factory.mktemp("identity"))
    yield made
    made.store.close()


@pytest.fixture
async def authority(lasting: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=lasting.identity.authority)
    async with httpx2.AsyncClient(transport=transport, base_url=URL) as client:
        yield client


@pytest.fixture
def form(lasting: Desk) -> dict[str, str]:
    """Give what the owner sends to sign in."""
    return {
        "grant_type": "client_credentials",
        "client_id": lasting.auth["clientId"],
        "client_secret": lasting.auth["clientSecret"],
    }
