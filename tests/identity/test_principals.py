"""Tests service principals: how they sign in, and that nobody keeps their secrets."""

from __future__ import annotations

import re

import msgspec
import pytest

from hythe.service.identity import principals as module
from hythe.service.identity.principals import Principals, UnknownPrincipal, WrongSecret, hash_secret, matches
from hythe.service.store import Principal

from .conftest import SUBSCRIPTION, TENANT, URL, Desk


class Memory:
    """Keeps principals as the database does."""

    def __init__(self) -> None:
        self.kept: dict[str, Principal] = {}

    def principal(self, app_id: str) -> Principal | None:
        return self.kept.get(app_id.lower())

    def add_principal(self, principal: Principal) -> None:
        self.kept[principal.app_id] = principal


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def principals(memory: Memory) -> Principals:
    return Principals(memory, clock=lambda: 1234.5)


async def test_a_principal_signs_in_with_its_secret_and_nothing_else(principals: Principals) -> None:
    made, secret = principals.create("worker", TENANT)
    assert (made.display_name, made.tenant, made.created_at) == ("worker", TENANT, 1234.5)
    for wrong in ("", secret[:-1], secret + "x", secret.swapcase(), made.secret_hash):
        with pytest.raises(WrongSecret):
            await principals.sign_in(made.app_id, wrong)
    assert await principals.sign_in(made.app_id, secret) == made
    assert await principals.sign_in(made.app_id.upper(), secret) == made


async def test_nobody_signs_in_as_somebody_else(principals: Principals) -> None:
    one, its_secret = principals.create("one", TENANT)
    other, _ = principals.create("other", TENANT)
    await principals.sign_in(one.app_id, its_secret)
    with pytest.raises(WrongSecret):
        await principals.sign_in(other.app_id, its_secret)
    for secret in (its_secret, ""):  # the empty one is what is compared with where there is nobody
        with pytest.raises(UnknownPrincipal):
            await principals.sign_in("nobody", secret)


async def test_a_secret_that_was_right_is_checked_quickly_until_it_changes(
    principals: Principals, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, secret = principals.create("worker", TENANT)
    slow: list[str] = []
    monkeypatch.setattr(module, "matches", lambda *given: slow.append(given[0]) or matches(*given))
    for _ in range(3):
        await principals.sign_in(made.app_id, secret)
    assert slow == [secret]
    memory.add_principal(msgspec.structs.replace(made, secret_hash=hash_secret("new")))
    with pytest.raises(WrongSecret):
        await principals.sign_in(made.app_id, secret)


async def test_signing_in_where_nobody_is_takes_the_slow_way_too(
    principals: Principals, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow: list[str] = []
    monkeypatch.setattr(module, "matches", lambda *given: slow.append(given[0]) or matches(*given))
    with pytest.raises(UnknownPrincipal):
        await principals.sign_in("nobody", "guess")
    assert slow == ["guess"]


def test_secrets_are_long_and_need_no_quotes_in_a_shell(principals: Principals) -> None:
    made = [principals.create("worker", TENANT) for _ in range(3)]
    assert all(re.fullmatch("[A-Za-z0-9]{40}", secret) for _, secret in made)
    assert len({secret for _, secret in made}) == len({each.app_id for each, _ in made}) == 3


def test_equal_secrets_have_different_hashes() -> None:
    one, other = hash_secret("same"), hash_secret("same")
    assert one != other
    assert one.startswith("scrypt$16384$8$1$")
    assert matches("same", one) and matches("same", other) and not matches("Same", one)


def test_the_secret_is_nowhere_on_disk_but_in_the_owners_auth_file(desk: Desk) -> None:
    issued = msgspec.json.decode(desk.identity.new_principal("worker", SUBSCRIPTION, URL, None, ()))
    owner = desk.auth["clientSecret"]
    everything = {path.name: path.read_bytes() for path in desk.folder.rglob("*") if path.is_file()}
    assert any(issued["clientId"].encode() in raw for name, raw in everything.items() if name.startswith("hythe.db"))
    assert [name for name, raw in everything.items() if issued["clientSecret"].encode() in raw] == []
    assert [name for name, raw in everything.items() if owner.encode() in raw] == ["my.azureauth"]


async def test_principals_are_still_known_after_a_restart(desk: Desk) -> None:
    issued = msgspec.json.decode(desk.identity.new_principal("worker", SUBSCRIPTION, URL, None, ()))
    found = await Principals(desk.store).sign_in(issued["clientId"], issued["clientSecret"])
    assert (found.display_name, found.tenant) == ("worker", TENANT)
