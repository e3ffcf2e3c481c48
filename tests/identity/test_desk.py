"""Tests identity as a whole: the owner of the first start, the names of the service, and who may do what."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from hythe.client.auth_file import read_auth_file
from hythe.service.call import Caller
from hythe.service.identity.desk import AZURE_NAMES, Identity
from hythe.service.identity.principals import Principals
from hythe.service.store import SqlStore

from .conftest import NAME, SUBSCRIPTION, TENANT, URL, Desk, open_desk


def start_again(desk: Desk, url: str = URL) -> Identity:
    identity = Identity(desk.folder, desk.store, tenant=TENANT, names=(NAME,))
    identity.first_principal(url, SUBSCRIPTION)
    return identity


# --- the owner ---


async def test_the_first_start_makes_an_owner_who_can_sign_in(desk: Desk) -> None:
    owner = await Principals(desk.store).sign_in(desk.auth["clientId"], desk.auth["clientSecret"])
    assert owner.tenant == desk.auth["tenantId"] == TENANT
    assert desk.auth["subscriptionId"] == SUBSCRIPTION
    assert desk.store.fact("owner") == owner.app_id


async def test_another_port_readdresses_the_auth_file_and_keeps_the_secret(desk: Desk) -> None:
    before = desk.auth
    start_again(desk, "https://localhost:9000")
    assert desk.auth == before | {
        "activeDirectoryEndpointUrl": "https://localhost:9000",
        "resourceManagerEndpointUrl": "https://localhost:9000/",
    }
    assert (desk.folder / "my.azureauth").stat().st_mode & 0o777 == 0o600
    await Principals(desk.store).sign_in(desk.auth["clientId"], desk.auth["clientSecret"])


def test_a_start_at_the_same_address_changes_nothing(desk: Desk) -> None:
    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in desk.folder.rglob("*") if "hythe.db" not in path.name
                and path.is_file()}  # fmt: skip

    before = contents()
    start_again(desk)
    assert contents() == before


async def test_a_start_that_died_before_the_owner_was_noted_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as first:
        first.setattr(SqlStore, "add_fact", die)
        with pytest.raises(KeyboardInterrupt):
            open_desk(tmp_path)
    desk = open_desk(tmp_path)
    owner = await Principals(desk.store).sign_in(desk.auth["clientId"], desk.auth["clientSecret"])
    assert desk.store.fact("owner") == owner.app_id
    desk.store.close()


def test_a_new_principal_is_shown_once_and_written_into_no_file(desk: Desk) -> None:
    before = desk.auth
    made = json.loads(desk.identity.new_principal("worker", "other-subscription", "https://box.example:8443"))
    assert made.keys() == before.keys()
    assert made["clientSecret"] != before["clientSecret"]
    assert (made["subscriptionId"], made["resourceManagerEndpointUrl"]) == (
        "other-subscription", "https://box.example:8443/",
    )  # fmt: skip
    assert desk.auth == before


# --- who may do what ---


def test_everybody_uses_the_api_and_the_owner_does_the_rest(lasting: Desk) -> None:
    owner = Caller(app_id=lasting.auth["clientId"], object_id="o", tenant=TENANT)
    made = json.loads(lasting.identity.new_principal("other", SUBSCRIPTION, URL))
    other = Caller(app_id=made["clientId"], object_id="o", tenant=TENANT)
    for action in ("", "Microsoft.ContainerInstance/containerGroups/write"):
        assert lasting.identity.may(owner, action, "/") and lasting.identity.may(other, action, "/")
    assert lasting.identity.may(owner, "Hythe/owner", "/")
    assert not lasting.identity.may(other, "Hythe/owner", "/")


def test_a_managed_identity_has_real_tokens_and_no_rights_of_its_own(lasting: Desk) -> None:
    token, expires = lasting.identity.managed_token("client", "object", "https://vault.example/")

    caller = lasting.identity.verify(token)
    assert (caller.app_id, caller.object_id, caller.tenant) == ("client", "object", TENANT)
    assert expires > time.time() + 3000
    assert not lasting.identity.may(caller, "Microsoft.ContainerInstance/containerGroups/read", "/")


# --- names ---


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST:8443", "127.0.0.1:8443", "[::1]", "[::1]:8443", "aci.dsts.localhost:8443",
        "web.eastus.azurecontainer.localhost", NAME, f"{NAME.upper()}:443", *AZURE_NAMES, f"{AZURE_NAMES[0]}:443",
    ],
)  # fmt: skip
def test_names_of_the_service(lasting: Desk, host: str) -> None:
    assert lasting.identity.answers_for(host)


@pytest.mark.parametrize(
    "host",
    [
        "", ":8443", "example.com", "localhost.example.com", "notlocalhost", "127.0.0.1.example.com", "127.0.0.2",
        "[::2]:8443", "x.management.azure.com", "management.azure.com.example.com", f"x.{NAME}",
        "localhost@example.com",
    ],
)  # fmt: skip
def test_names_of_others(lasting: Desk, host: str) -> None:
    assert not lasting.identity.answers_for(host)


def test_the_intercept_is_for_azures_names_and_new_each_time(lasting: Desk) -> None:
    one, other = lasting.identity.intercept(), lasting.identity.intercept()
    assert one.keys() == {"names", "certificate", "key", "ca"}
    assert one["names"] == list(AZURE_NAMES)
    assert not {one["key"], one["ca"]} & {other["key"], other["ca"]}


# --- what is never shown ---


def test_no_repr_shows_a_secret(lasting: Desk) -> None:
    secret = lasting.auth["clientSecret"]
    key = (lasting.folder / "tls" / "token.key").read_text().splitlines()[1]
    shown = "".join(
        map(repr, [lasting.identity, *vars(lasting.identity).values(), read_auth_file(lasting.folder / "my.azureauth")])
    )
    assert secret not in shown
    assert key not in shown
