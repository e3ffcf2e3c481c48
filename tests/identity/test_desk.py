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
from hythe.service.identity.rights import ACI_CONTRIBUTOR, CONTRIBUTOR, OWNER, READER, Role
from hythe.service.store import Outcome, SqlStore

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
    made = json.loads(desk.identity.new_principal("worker", "other-subscription", "https://box.example:8443", None, ()))
    assert made.keys() == before.keys()
    assert made["clientSecret"] != before["clientSecret"]
    assert (made["subscriptionId"], made["resourceManagerEndpointUrl"]) == (
        "other-subscription", "https://box.example:8443/",
    )  # fmt: skip
    assert desk.auth == before


# --- who may do what ---


def caller(desk: Desk, app_id: str) -> Caller:
    found = desk.store.principal(app_id)
    assert found is not None
    return Caller(app_id=found.app_id, object_id=found.object_id, tenant=found.tenant)


def made(desk: Desk, role: Role | None, *scopes: str) -> Caller:
    document = json.loads(desk.identity.new_principal("worker", SUBSCRIPTION, URL, role, scopes))
    return caller(desk, document["clientId"])


SUB = f"/subscriptions/{SUBSCRIPTION}"
RG = f"{SUB}/resourcegroups/rg"
WEB = f"{RG}/providers/microsoft.containerinstance/containergroups/web"
ACI = "Microsoft.ContainerInstance/containerGroups"
ASSIGN = "Microsoft.Authorization/roleAssignments/write"


def test_the_owner_may_do_everything_and_what_others_may_not(lasting: Desk) -> None:
    owner = caller(lasting, lasting.auth["clientId"])
    for action in (f"{ACI}/write", ASSIGN, "Hythe/owner"):
        assert lasting.identity.may(owner, action, WEB)
    contributor = made(lasting, OWNER, "")
    assert lasting.identity.may(contributor, ASSIGN, WEB)
    assert not lasting.identity.may(contributor, "Hythe/owner", "/")


@pytest.mark.parametrize(
    ("role", "allowed", "denied"),
    [
        (CONTRIBUTOR, [f"{ACI}/write", f"{ACI}/containers/exec/action", "Microsoft.Authorization/roleAssignments/read"],
         [ASSIGN, "microsoft.authorization/roleassignments/DELETE"]),
        (READER, [f"{ACI}/read", f"{ACI}/containers/logs/read", "Microsoft.Network/virtualNetworks/read"],
         [f"{ACI}/write", f"{ACI}/containers/exec/action", f"{ACI}/containers/attach/action", f"{ACI}/start/action"]),
        (ACI_CONTRIBUTOR, [f"{ACI}/delete", f"{ACI}/containers/attach/action",
                           "Microsoft.Resources/deployments/write"],
         ["Microsoft.Network/virtualNetworks/read", "Microsoft.Resources/subscriptions/resourceGroups/write", ASSIGN]),
    ],
)  # fmt: skip
def test_roles(lasting: Desk, role: Role, allowed: list[str], denied: list[str]) -> None:
    somebody = made(lasting, role, SUB)
    for action in allowed:
        assert lasting.identity.may(somebody, action, WEB), action
    for action in denied:
        assert not lasting.identity.may(somebody, action, WEB), action


def test_a_role_counts_for_its_scope_and_below(desk: Desk) -> None:
    somebody = made(desk, READER, RG)
    may = desk.identity.may
    assert may(somebody, f"{ACI}/read", RG) and may(somebody, f"{ACI}/read", WEB)
    for elsewhere in (SUB, f"{RG}x", f"{SUB}/resourcegroups/other", "/", "/subscriptions/other/resourcegroups/rg"):
        assert not may(somebody, f"{ACI}/read", elsewhere), elsewhere
    assert desk.identity.sees(somebody, SUB) and desk.identity.sees(somebody, WEB)
    assert not desk.identity.sees(somebody, f"{SUB}/resourcegroups/other")
    assert not desk.identity.may(made(desk, None), f"{ACI}/read", RG)


def test_a_data_dir_of_before_keeps_its_principals(desk: Desk) -> None:
    worker = made(desk, None)
    for row in desk.store.every("roleAssignments"):  # a data dir of before had no assignments, and no such fact
        desk.store.settle(Outcome(key=row.key, uid=row.uid, generation=1, status=b"", provisioning_state="", done=True,
                                  gone=True), 0)  # fmt: skip
    desk.store._connection.exec_driver_sql("DELETE FROM facts WHERE name = 'rights'")
    desk.store._connection.commit()
    identity = start_again(desk)
    assert identity.may(caller(desk, desk.auth["clientId"]), ASSIGN, WEB)
    assert identity.may(worker, f"{ACI}/write", WEB) and not identity.may(worker, ASSIGN, WEB)


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
        "localhost.", "Management.Azure.com.:443", "login-us.microsoftonline.com", "login.usgovcloudapi.net",
    ],
)  # fmt: skip
def test_names_of_the_service(lasting: Desk, host: str) -> None:
    assert lasting.identity.answers_for(host)


@pytest.mark.parametrize(
    "host",
    [
        "", ":8443", "example.com", "localhost.example.com", "notlocalhost", "127.0.0.1.example.com", "127.0.0.2",
        "[::2]:8443", "x.management.azure.com", "management.azure.com.example.com", f"x.{NAME}",
        "localhost@example.com", "example.com/.localhost", "example.com:1.localhost", ".localhost", "localhost..",
        "localhost:x", '"><x>.localhost',
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
