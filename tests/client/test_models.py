"""Tests that models take all that people and Microsoft's package give them, and give it back."""

from __future__ import annotations

import json
import typing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hythe import models
from hythe.models import (
    Container,
    ContainerExec,
    ContainerGroup,
    ContainerGroupProfile,
    ContainerGroupProperties,
    ContainerGroupRestartPolicy,
    ContainerPort,
    ContainerProbe,
    ContainerProperties,
    EnvironmentVariable,
    ImageRegistryCredential,
    IpAddress,
    Model,
    Port,
    ResourceRequests,
    ResourceRequirements,
    Volume,
    from_json,
    to_json,
    wire_form,
)

WIRE: dict[str, Any] = {
    "location": "eastus",
    "properties": {
        "containers": [
            {
                "name": "c",
                "properties": {
                    "image": "i",
                    "ports": [{"protocol": "TCP", "port": 80}],
                    "resources": {"requests": {"memoryInGB": 1.5, "cpu": 1.0}},
                    "livenessProbe": {"exec": {"command": ["true"]}},
                },
            }
        ],
        "osType": "Linux",
        "restartPolicy": "Never",
    },
}
MADE = ContainerGroup(
    location="eastus",
    containers=[
        Container(
            name="c",
            image="i",
            ports=[ContainerPort(port=80, protocol="TCP")],
            resources=ResourceRequirements(requests=ResourceRequests(memory_in_gb=1.5, cpu=1.0)),
            liveness_probe=ContainerProbe(exec_property=ContainerExec(command=["true"])),
        )
    ],
    os_type="Linux",
    restart_policy="Never",
)
SNAKE: dict[str, Any] = {
    "location": "eastus",
    "containers": [
        {
            "name": "c",
            "image": "i",
            "ports": [{"protocol": "tcp", "port": "80"}],
            "resources": {"requests": {"memory_in_gb": 1.5, "cpu": 1}},
            "liveness_probe": {"exec_property": {"command": ["true"]}},
        }
    ],
    "os_type": "linux",
    "restart_policy": ContainerGroupRestartPolicy.NEVER,
}
YAML = """\
apiVersion: '2019-12-01'
location: eastus
name: ${GROUP}
properties:
  containers:
  - name: c
    properties:
      image: i
      ports:
      - port: 80
        protocol: tcp
      resources:
        requests:
          cpu: 1.0
          memoryInGb: 1.5
      livenessProbe: {exec: {command: ['true']}}
      environmentVariables: [{name: A, value: 1}, {name: B, value: $UNKNOWN}]
  osType: linux
  restartPolicy: never
tags: {exampleTag: tutorial}
type: Microsoft.ContainerInstance/containerGroups
"""


@pytest.mark.parametrize(
    "made",
    [
        ContainerGroup.from_dict(WIRE),
        ContainerGroup.from_dict(SNAKE),
        ContainerGroup(WIRE),
        ContainerGroup(**{**SNAKE, "os_type": "Linux"}),
        ContainerGroup(location="eastus", properties=WIRE["properties"]),
        ContainerGroup(
            location="eastus",
            properties=ContainerGroupProperties(
                containers=[Container(name="c", properties=MADE.containers[0])],
                os_type="Linux",
                restart_policy="Never",
            ),
        ),
        ContainerGroup.deserialize(json.dumps(WIRE)),
        from_json(ContainerGroup, json.dumps(WIRE)),
    ],
)
def test_the_same_group_in_every_form(made: ContainerGroup) -> None:
    assert made.as_dict() == WIRE
    assert msgspec.json.decode(to_json(made)) == WIRE
    assert made == MADE


def test_models_are_equal_by_value() -> None:
    assert ContainerGroup.from_dict(WIRE) == MADE
    assert ContainerGroup.from_dict({**WIRE, "location": "westus"}) != MADE
    assert Port(port=80) != ContainerPort(port=80)


def test_dicts_inside_become_models() -> None:
    group = ContainerGroup(**SNAKE)
    assert group.containers is not None
    assert group.containers[0].image == "i"
    group.containers.append({"name": "d", "image": "j"})  # type: ignore[arg-type]
    assert group.as_dict()["properties"]["containers"][1] == {"name": "d", "properties": {"image": "j"}}


def test_properties_is_what_stands_there_on_the_wire() -> None:
    group = ContainerGroup.from_dict(WIRE)
    assert group.properties.os_type == "Linux"
    group.properties.os_type = "Windows"
    assert group.os_type == "Windows"
    assert isinstance(group.containers[0].properties, ContainerProperties)


def test_members_by_their_names_on_the_wire() -> None:
    group = ContainerGroup.from_dict(WIRE)
    assert group["location"] == "eastus"
    assert group["properties"]["osType"] == "Linux"
    assert group.get("tags") is None
    assert group.get("nothing", 1) == 1
    assert "properties" in group and "tags" not in group
    assert sorted(group.keys()) == ["location", "properties"]
    assert dict(group.containers[0].ports[0].items()) == {"protocol": "TCP", "port": 80}
    group["tags"] = {"a": "b"}
    assert group.tags == {"a": "b"}
    assert {"a": "b"} in group.values()
    with pytest.raises(KeyError):
        group["nothing"]


def test_older_names_of_a_probe() -> None:
    run = ContainerExec(command=["true"])
    assert ContainerProbe(exec_=run) == ContainerProbe(exec_property=run)  # type: ignore[call-arg]
    assert ContainerProbe(exec_property=run).exec_ is run


def test_the_network_profile_of_old_programs_is_the_first_subnet() -> None:
    old, new = models.ContainerGroupNetworkProfile(id="/old"), models.ContainerGroupSubnetId(id="/old")
    group = ContainerGroup(location="x", network_profile=old)  # type: ignore[call-arg]
    assert group == ContainerGroup(location="x", subnet_ids=[new]) and group.network_profile == old
    assert json.loads(to_json(group)) == {"location": "x", "properties": {"subnetIds": [{"id": "/old"}]}}
    assert ContainerGroup(location="x", network_profile={"id": "/old"}) == group  # type: ignore[call-arg]
    assert ContainerGroup.from_dict({"location": "x", "network_profile": {"id": "/old"}}) == group
    assert ContainerGroup.from_yaml("{location: x, properties: {networkProfile: {id: /old}}}") == group
    assert ContainerGroup.from_dict({"properties": {"networkProfile": None}}) == ContainerGroup()
    assert ContainerGroup(network_profile=None, subnet_ids=[new]).subnet_ids == [new]  # type: ignore[call-arg]
    group.network_profile = None
    assert group.subnet_ids is None and group.network_profile is None
    group.network_profile = old
    assert group.subnet_ids == [new]


def test_a_flat_dict_as_of_the_packages_up_to_10_1() -> None:
    assert MADE.as_dict(flat=True)["containers"][0]["resources"] == {"requests": {"memory_in_gb": 1.5, "cpu": 1.0}}
    assert ContainerGroup.from_dict(MADE.as_dict(flat=True)) == MADE


def test_what_only_the_service_writes_is_left_out_on_request() -> None:
    group = ContainerGroup(
        id="/x", name="n", provisioning_state="Succeeded", ip_address=IpAddress(type="Public", fqdn="f"),
        containers=[Container(name="c", instance_view={"restart_count": 1})],
    )  # fmt: skip
    kept = {
        "name": "n",
        "properties": {"ipAddress": {"type": "Public"}, "containers": [{"name": "c", "properties": {}}]},
    }
    assert group.serialize() == group.as_dict(exclude_readonly=True) == kept
    assert group.serialize(keep_readonly=True)["id"] == "/x"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "give a mapping"),
        ({"containers": 1}, "Expected `array"),
        ({"ip_address": {"ports": [{"port": []}]}}, "port"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=f"cannot make a ContainerGroup.*{said}"):
        ContainerGroup.from_dict(value)


def test_a_body_keeps_members_that_are_not_known() -> None:
    body = wire_form(ContainerGroup, {"newThing": 1, "properties": {"other": {"a": Port(port=1)}}, "os_type": "Linux"})
    assert body == {"newThing": 1, "properties": {"other": {"a": {"port": 1}}, "osType": "Linux"}}


def test_a_repr_shows_no_secret() -> None:
    share = {"share_name": "a", "storage_account_name": "b", "storage_account_key": "s3cret"}
    shown = repr(
        [
            EnvironmentVariable(name="A", secure_value="s3cret"),
            ImageRegistryCredential(server="s", username="u", password="s3cret"),
            Volume(name="v", secret={"f": "s3cret"}),
            Volume(name="v", azure_file=share),
            Volume(
                name="v", azure_file={"share_name": "a", "storage_account_name": "b", "storage_account_key": "s3cret"}
            ),
        ]
    )
    assert "s3cret" not in shown
    assert "***" in shown


def test_yaml_of_az() -> None:
    group = ContainerGroup.from_yaml(YAML, {"GROUP": "web"})
    assert group.name == "web"
    assert group.type is None
    assert group.containers[0].ports == [ContainerPort(port=80, protocol="TCP")]
    assert group.containers[0].resources.requests.memory_in_gb == 1.5
    assert [each.value for each in group.containers[0].environment_variables] == ["1", "$UNKNOWN"]
    assert (group.os_type, group.restart_policy) == ("Linux", "Never")
    assert ContainerGroup.from_yaml(group.to_yaml()) == group
    assert ContainerGroup.from_yaml(YAML).name == "${GROUP}"


def test_yaml_is_written_as_az_reads_it() -> None:
    written = MADE.to_yaml(api_version="2023-05-01")
    value = msgspec.yaml.decode(written)
    assert list(value) == ["apiVersion", "location", "properties", "type"]
    assert value["apiVersion"] == "2023-05-01"
    assert value["type"] == "Microsoft.ContainerInstance/containerGroups"
    assert ContainerGroupProfile.from_yaml(ContainerGroupProfile(name="p", os_type="Linux").to_yaml()).name == "p"


@pytest.mark.parametrize("text", ["a: [", "- 1", "properties: {containers: 3}"])
def test_yaml_that_is_no_group(text: str) -> None:
    with pytest.raises(ValueError, match="cannot "):
        ContainerGroup.from_yaml(text)


def every_model() -> list[type[Model]]:
    found = [getattr(models, name) for name in models.__all__]
    return [each for each in found if isinstance(each, type) and issubclass(each, Model) and each is not Model]


def sample(model: type[Model], depth: int = 0) -> Any:
    """Fill every member of a model."""
    return model(**{f.name: value_of(f.type, depth) for f in msgspec.structs.fields(model)})


def value_of(hint: Any, depth: int) -> Any:
    if isinstance(hint, type) and issubclass(hint, Model):
        return sample(hint, depth + 1) if depth < 6 else None
    args = [arg for arg in typing.get_args(hint) if arg is not type(None)]
    if typing.get_origin(hint) is list:
        return [value for value in [value_of(args[0], depth)] if value is not None]
    if typing.get_origin(hint) is dict:
        return {"k": value_of(args[1], depth)}
    if args:
        return value_of(args[0], depth)
    simple = {str: "x", int: 1, float: 1.5, bool: True, datetime: datetime(2026, 1, 2, tzinfo=UTC), Any: {"a": 1}}
    return simple[hint]


@pytest.mark.parametrize("model", every_model(), ids=lambda model: model.__name__)
def test_every_model_goes_round_in_every_form(model: type[Model]) -> None:
    full = sample(model)
    assert from_json(model, to_json(full)) == full
    assert model.from_dict(full.as_dict()) == full
    assert model.from_dict(full.as_dict(flat=True)) == full
    assert model(**{name: getattr(full, name) for name in model.__struct_fields__}) == full


def test_the_examples_of_the_contract_go_round() -> None:
    folder = Path(__file__).parents[3] / "shared" / "contract" / "examples-2026-07-01"
    if not folder.is_dir():
        pytest.skip("the contract is not beside the checkout")
    seen = 0
    for path in sorted(folder.glob("*.json")):
        body = json.loads(path.read_text())["parameters"].get("containerGroup")
        if body:
            group = ContainerGroup.from_dict(body)
            assert ContainerGroup.from_yaml(group.to_yaml()) == ContainerGroup.from_dict(group.serialize())
            seen += 1
    assert seen


def test_a_notebook_shows_a_group_without_its_secrets() -> None:
    group = ContainerGroup.from_dict(
        {
            "name": "a<b", "location": "eastus",
            "properties": {
                "osType": "Linux", "instanceView": {"state": "Running"},
                "ipAddress": {"type": "Public", "ip": "1.2.3.4", "ports": [{"port": 80}]},
                "containers": [{"name": "c", "properties": {
                    "image": "i", "environmentVariables": [{"name": "S", "secureValue": "hidden"}],
                    "instanceView": {"restartCount": 2, "currentState": {"state": "Waiting", "detailStatus": "<b>"}},
                }}],
            },
        }
    )  # fmt: skip
    shown = group._repr_html_()
    assert "<strong>a&lt;b</strong> <em>Running</em>" in shown and "1.2.3.4, ports 80" in shown
    assert "<td>c</td><td>i</td><td>Waiting (&lt;b&gt;)</td><td></td><td>2</td>" in shown
    assert "hidden" not in shown and "<td>" in ContainerGroup(containers=[Container(name="c")])._repr_html_()


def test_the_user_info_of_a_repository_is_masked() -> None:
    volume = models.GitRepoVolume(repository="https://me:hush@host/r.git", revision="main")
    assert volume.masked().repository == "https://***@host/r.git"
    assert volume.repository == "https://me:hush@host/r.git" and "hush" not in repr(volume)


def test_the_wire_form_of_a_model_is_a_type_of_its_own() -> None:
    twin = models.wire_type(ContainerGroup)
    assert twin is not ContainerGroup and "properties" in twin.__struct_fields__
