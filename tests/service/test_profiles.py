"""Container group profiles, their revisions, and groups made from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hythe.service.call import Caller
from hythe.service.settings import ServiceSettings

from .harness import FOLDER, GROUPS, OTHER, SUBSCRIPTION, Service, container, group, running

PROVIDER = f"{FOLDER}/providers/Microsoft.ContainerInstance"
PROFILES = f"{PROVIDER}/containerGroupProfiles"
NEW = "2025-09-01"
EXAMPLES = Path(__file__).parents[3] / "shared" / "contract" / "examples-2026-07-01"


async def put(service: Service, name: str = "p", *containers: dict[str, Any], **properties: object) -> Any:
    return await service.ask("PUT", f"{PROFILES}/{name}", group(*containers, **properties), version=NEW)


def reference(name: str = "p", revision: int | None = None) -> dict[str, Any]:
    return {"id": f"{PROFILES}/{name}"} | ({"revision": revision} if revision else {})


def made_from(name: str = "p", revision: int | None = None, **properties: object) -> dict[str, Any]:
    return {"location": "eastus", "properties": {"containerGroupProfile": reference(name, revision)} | properties}


@pytest.mark.proves(
    "CGProfile_CreateOrUpdate", "CGProfile_Get", "CGProfile_GetByRevisionNumber", "CGProfile_ListAllRevisions"
)
async def test_every_put_makes_a_revision_and_old_ones_keep_their_content() -> None:
    async with running() as service:
        await service.make_folder()

        first = await put(service, "p", container(command=["one"]))
        second = await put(service, "p", container(command=["two"]))

        newest = await service.ask("GET", f"{PROFILES}/p", version=NEW)
        old = await service.ask("GET", f"{PROFILES}/p/revisions/1", version=NEW)
        every = await service.ask("GET", f"{PROFILES}/p/revisions", version=NEW)
        missing = await service.ask("GET", f"{PROFILES}/p/revisions/3", version=NEW)
    assert (first.status, first.json["properties"]["revision"]) == (201, 1)
    assert (second.status, second.json["properties"]["revision"]) == (200, 2)
    assert "azure-asyncoperation" not in first.headers
    assert newest.json == second.json
    assert old.json["properties"]["containers"][0]["properties"]["command"] == ["one"]
    assert {old.json[name] for name in ("id", "name", "type")} == {newest.json[name] for name in ("id", "name", "type")}
    assert [each["properties"]["revision"] for each in every.json["value"]] == [1, 2]
    assert (missing.status, missing.code) == (404, "ResourceNotFound")


@pytest.mark.proves("CGProfile_Update")
async def test_tags_are_patched_without_a_new_revision() -> None:
    async with running() as service:
        await service.make_folder()
        await put(service)
        await put(service)

        patched = await service.ask("PATCH", f"{PROFILES}/p", {"tags": {"a": "b"}}, version=NEW)

        revision = await service.ask("GET", f"{PROFILES}/p/revisions/2", version=NEW)
        before = await service.ask("GET", f"{PROFILES}/p/revisions/1", version=NEW)
    assert (patched.status, patched.json["tags"], patched.json["properties"]["revision"]) == (200, {"a": "b"}, 2)
    assert revision.json == patched.json
    assert "tags" not in before.json


@pytest.mark.proves("CGProfile_Delete")
async def test_delete_answers_200_without_a_body_then_204_and_takes_the_revisions_along() -> None:
    async with running() as service:
        await service.make_folder()
        await put(service)

        gone = await service.ask("DELETE", f"{PROFILES}/p", version=NEW)
        again = await service.ask("DELETE", f"{PROFILES}/p", version=NEW)

        await put(service)
        revisions = await service.ask("GET", f"{PROFILES}/p/revisions", version=NEW)
        left = service.store._connection.exec_driver_sql("SELECT count(*) FROM revisions").scalar_one()
    assert (gone.status, gone.raw, again.status) == (200, b"", 204)
    assert len(revisions.json["value"]) == left == 1


@pytest.mark.proves("CGProfiles_ListByResourceGroup", "CGProfiles_ListBySubscription")
async def test_lists_show_the_newest_revision_of_a_subscription_and_of_a_resource_group() -> None:
    async with running() as service:
        await service.make_folder()
        await put(service, "a")
        await put(service, "b")
        await put(service, "b")

        inside = await service.ask("GET", PROFILES, version=NEW)
        every = await service.ask("GET", PROFILES.replace("/resourceGroups/rg", ""), version=NEW)
        other = await service.ask("GET", PROFILES.replace("/resourceGroups/rg", "").replace(SUBSCRIPTION, OTHER),
                                  version=NEW)  # fmt: skip
    assert [(each["name"], each["properties"]["revision"]) for each in inside.json["value"]] == [("a", 1), ("b", 2)]
    assert every.json == inside.json
    assert other.json == {"value": []}


async def test_a_profile_is_checked_by_the_rules_of_groups_and_all_problems_are_told() -> None:
    async with running() as service:
        await service.make_folder()
        wrong = group(container("Bad_Name", image=""), timeToLive="soon", useKrypton=True)

        reply = await service.ask("PUT", f"{PROFILES}/-p", wrong, version=NEW)

    codes = [each["code"] for each in reply.json["error"]["details"]]
    assert reply.status == 400
    assert codes == [
        "InvalidResourceName", "InvalidContainerName", "InvalidImageName", "InvalidDuration", "FeatureNotSupported",
    ]  # fmt: skip


async def test_a_time_to_live_and_a_grace_period_become_tags_of_the_group() -> None:
    async with running() as service:
        await service.make_folder()
        profile = await put(service, "p", shutdownGracePeriod="PT1M30S", timeToLive="1970-01-01T01:00:00Z")
        made = await service.ask("PUT", f"{GROUPS}/g", made_from(), version=NEW)
    assert profile.json["properties"]["timeToLive"] == "1970-01-01T01:00:00Z"
    assert made.json["tags"] == {"hythe.shutdown-grace": "90", "hythe.ttl": "3600"}


async def test_tags_of_this_service_are_checked() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/g", group())
        wrong = [
            await service.ask("PUT", f"{GROUPS}/w", group() | {"tags": tags})
            for tags in ({"hythe.network": "some"}, {"hythe.shutdown-grace": "soon"}, {"hythe.lifetime": "1"})
        ]
        patched = await service.ask("PATCH", f"{GROUPS}/g", {"tags": {"hythe.network": "some"}})
        address = {"type": "Public", "ports": [{"port": 80}]}
        cut_off = group(container(ports=[{"port": 80}]), ipAddress=address) | {"tags": {"hythe.network": "none"}}
        addressed = await service.ask("PUT", f"{GROUPS}/w", cut_off)
    assert [(each.status, each.code) for each in (*wrong, patched)] == [(400, "InvalidTag")] * 4
    assert (addressed.status, addressed.code) == (400, "InvalidIpAddressType")


async def test_upper_case_and_underscores_are_good_in_the_name_of_a_profile() -> None:
    async with running() as service:
        await service.make_folder()
        assert (await put(service, "My_Profile")).status == 201


async def test_a_group_takes_everything_from_the_revision_that_it_names() -> None:
    async with running() as service:
        await service.make_folder()
        await put(service, "p", container(command=["one"]), restartPolicy="OnFailure")
        await put(service, "p", container(command=["two"]))

        old = await service.ask("PUT", f"{GROUPS}/old", made_from(revision=1), version=NEW)
        new = await service.ask("PUT", f"{GROUPS}/new", made_from(containers=[{"name": "web"}]), version=NEW)

    assert (old.status, new.status) == (201, 201)
    assert old.json["properties"]["containers"][0]["properties"]["command"] == ["one"]
    assert old.json["properties"]["restartPolicy"] == "OnFailure"
    assert old.json["properties"]["instanceView"]["state"] == "Running"
    assert new.json["properties"]["containers"][0]["properties"]["command"] == ["two"]
    assert new.json["properties"]["containerGroupProfile"] == reference(revision=2)


async def test_containers_of_such_a_group_carry_names_and_config_maps() -> None:
    async with running() as service:
        await service.make_folder()
        await put(service, "p", container("a"), container("b"))
        only = {"name": "b", "properties": {"configMap": {"keyValuePairs": {"key": "value"}}}}

        made = await service.ask("PUT", f"{GROUPS}/g", made_from(containers=[only]), version=NEW)

    one, other = made.json["properties"]["containers"]
    assert made.status == 201
    assert (one["name"], other["name"]) == ("a", "b")
    assert other["properties"]["image"] == "image"
    assert other["properties"]["configMap"] == {"keyValuePairs": {"key": "value"}}
    assert not (one["properties"].get("configMap") or {}).get("keyValuePairs")


async def test_the_one_container_of_a_profile_has_the_name_that_the_group_gives_it() -> None:
    async with running() as service:
        await service.make_folder()
        await put(service, "p", container("p"))
        only = {"name": "g", "properties": {"configMap": {"keyValuePairs": {}}}}  # as `az container create` sends it

        made = await service.ask("PUT", f"{GROUPS}/g", made_from(containers=[only]), version=NEW)
        again = await service.ask("PUT", f"{GROUPS}/g", made.json, version=NEW)
        other = await service.ask("PUT", f"{GROUPS}/h", made_from(containers=[container("h", image="x")]), version=NEW)

    (one,) = made.json["properties"]["containers"]
    assert (made.status, one["name"], one["properties"]["image"]) == (201, "g", "image")
    assert (again.status, again.json) == (200, made.json)
    assert (other.status, other.code) == (400, "InvalidContainerGroupProfileOverride")


async def test_what_a_get_of_such_a_group_gave_can_be_put_again() -> None:
    async with running() as service:
        await service.make_folder()
        await put(service, "p", container(command=["one"]))
        body = (await service.ask("PUT", f"{GROUPS}/g", made_from(), version=NEW)).json

        again = await service.ask("PUT", f"{GROUPS}/g", body, version=NEW)

    assert (again.status, again.json) == (200, body)


async def test_containers_of_such_a_group_carry_nothing_but_a_name_and_a_config_map() -> None:
    async with running() as service:
        await service.make_folder()
        await put(service, "p", container(), container("b"))

        other = await service.ask("PUT", f"{GROUPS}/g", made_from(containers=[container(image="other")]), version=NEW)
        unknown = await service.ask("PUT", f"{GROUPS}/g", made_from(containers=[{"name": "x"}]), version=NEW)

        missing = await service.ask("GET", f"{GROUPS}/g", version=NEW)
    assert (other.status, other.code) == (400, "InvalidContainerGroupProfileOverride")
    assert (unknown.status, unknown.code) == (400, "InvalidContainerGroupProfileOverride")
    assert missing.status == 404


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        ({"id": f"{PROFILES}/none"}, "ContainerGroupProfileNotFound"),
        ({"id": f"{PROFILES}/p", "revision": 7}, "ContainerGroupProfileNotFound"),
        ({"id": "p"}, "LinkedInvalidPropertyId"),
        ({"id": f"{GROUPS}/p"}, "LinkedInvalidPropertyId"),
    ],
)
async def test_a_profile_that_is_not_there_is_told(profile: dict[str, Any], code: str) -> None:
    async with running() as service:
        await service.make_folder()
        await put(service)

        body = {"location": "eastus", "properties": {"containerGroupProfile": profile}}
        reply = await service.ask("PUT", f"{GROUPS}/g", body, version=NEW)

    assert (reply.status, reply.code) == (400, code)


async def test_a_profile_that_the_caller_may_not_read_stays_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    def may(self: object, caller: Caller, action: str, scope: str) -> bool:
        return action != "Microsoft.ContainerInstance/containerGroupProfiles/read"

    monkeypatch.setattr("tests.service.harness.Everybody.may", may)
    async with running() as service:
        await service.make_folder()
        await put(service)

        reply = await service.ask("PUT", f"{GROUPS}/g", made_from(), version=NEW)

    assert (reply.status, reply.code) == (403, "LinkedAuthorizationFailed")


async def test_secrets_of_a_profile_reach_the_containers_and_nobody_else() -> None:
    secret = {"name": "KEY", "secureValue": "very-secret"}
    async with running() as service:
        await service.make_folder()
        shown = await put(service, "p", container(environmentVariables=[secret]))
        revision = await service.ask("GET", f"{PROFILES}/p/revisions/1", version=NEW)
        made = await service.ask("PUT", f"{GROUPS}/g", made_from(), version=NEW)

        rows = service.store._connection.exec_driver_sql(
            "SELECT spec, secrets FROM resources UNION ALL SELECT spec, secrets FROM revisions"
        ).all()
        service.store._connection.commit()
        row = service.store.opened(f"{GROUPS}/g".lower())
        assert row is not None
        assert row.secrets is not None
        group_ = json.loads(service.vault.open(row.secrets, row.uid))
    assert all(b"very-secret" not in (part or b"") for row in rows for part in row)
    assert all(b"very-secret" not in reply.raw for reply in (shown, revision, made))
    assert made.json["properties"]["containers"][0]["properties"]["environmentVariables"] == [{"name": "KEY"}]
    assert group_["properties"]["containers"][0]["properties"]["environmentVariables"] == [secret]


async def test_the_example_of_the_contract_is_accepted_but_for_what_is_refused() -> None:
    path = EXAMPLES / "ContainerGroupProfileListAllRevisions.json"
    if not path.exists():
        pytest.skip("the contract is not beside the checkout")
    shown = json.loads(path.read_text())["responses"]["200"]["body"]["value"][0]
    for each in shown["properties"]["containers"]:
        del each["properties"]["volumeMounts"]
    del shown["properties"]["volumes"]
    told = json.loads(json.dumps(shown["properties"]["imageRegistryCredentials"]))
    shown["properties"]["imageRegistryCredentials"][0]["password"] = "very-secret"  # an answer has none
    async with running(settings=ServiceSettings()) as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{PROFILES}/demo1", shown, version="2026-07-01")
    assert reply.status == 201
    assert reply.json["properties"]["imageRegistryCredentials"] == told
    assert "ip" not in reply.json["properties"]["ipAddress"]
