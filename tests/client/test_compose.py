"""Tests that compose files become groups, and that what can't be done is named."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from hythe import from_compose
from hythe.client.compose_values import ComposeError, env_lines, gigabytes, interpolated, seconds
from hythe.models import ContainerGroup

FULL = """
name: My App
services:
  web:
    image: "nginx:${TAG:-1}"
    ports: ["80:80", "443", {target: 53, protocol: udp}]
    environment: {MODE: fast, DEBUG: true, FROM_OUTSIDE: }
    env_file: [web.env, {path: nosuch.env, required: false}]
    depends_on: {db: {condition: service_started}, migrate: {condition: service_completed_successfully}}
    entrypoint: /entry
    command: serve --all "a b"
    restart: always
    volumes: ["data:/data:ro", "/scratch", {type: volume, source: shared, target: /shared}]
    secrets: [token, {source: token, target: /etc/keys/key}]
    configs: [{source: conf, target: /etc/app/app.conf}]
    healthcheck: {test: "curl localhost", interval: 1m30s, timeout: 500ms, retries: 4, start_period: 10s}
    deploy: {resources: {limits: {cpus: "0.5", memory: 512M}, reservations: {cpus: "0.25"}}}
    user: "1000:100"
    cap_add: [NET_ADMIN]
  db: {image: postgres, restart: unless-stopped, volumes: ["data:/var/lib"], mem_limit: 2g, container_name: Data_Base}
  migrate: {image: tool, command: [migrate, 1]}
volumes:
  data:
  shared: {driver: azure_file, driver_opts: {share_name: s, storage_account_name: acc, storage_account_key: k}}
secrets: {token: {file: token.txt}}
configs: {conf: {content: "x=$$1"}}
x-note: ignored
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ContainerGroup:
    monkeypatch.setenv("FROM_OUTSIDE", "yes")
    (tmp_path / ".env").write_text("TAG=2\n# comment\n")
    (tmp_path / "web.env").write_text("MODE=slow\nQUOTED='a # b'\nPLAIN=c # d\n")
    (tmp_path / "token.txt").write_bytes(b"t0ken")
    (tmp_path / "compose.yaml").write_text(FULL)
    return from_compose(tmp_path / "compose.yaml", location="eastus", names_image="box")


def test_services_become_containers(made: ContainerGroup) -> None:
    assert (made.name, made.location, made.restart_policy, made.os_type) == ("my-app", "eastus", "Always", "Linux")
    assert [one.name for one in made.containers] == ["data-base", "web"]
    web = made.containers[1]
    assert (web.image, web.command) == ("nginx:2", ["/entry", "serve", "--all", "a b"])
    assert {one.name: one.value for one in web.environment_variables} == {
        "MODE": "fast", "QUOTED": "a # b", "PLAIN": "c", "DEBUG": "true", "FROM_OUTSIDE": "yes",
    }  # fmt: skip
    assert [(port.port, port.protocol) for port in made.ip_address.ports] == [(80, "TCP"), (443, "TCP"), (53, "UDP")]
    probe = web.readiness_probe
    assert probe.exec_property.command == ["/bin/sh", "-c", "curl localhost"]
    assert (probe.period_seconds, probe.timeout_seconds, probe.failure_threshold, probe.initial_delay_seconds) == (
        90, 1, 4, 10,
    )  # fmt: skip
    assert (web.resources.requests.cpu, web.resources.requests.memory_in_gb) == (0.25, 0.5)
    assert (web.resources.limits.cpu, web.resources.limits.memory_in_gb) == (0.5, 0.5)
    assert made.containers[0].resources.requests.memory_in_gb == 2.0
    assert (web.security_context.run_as_user, web.security_context.run_as_group) == (1000, 100)
    assert web.security_context.capabilities.add == ["NET_ADMIN"]


def test_volumes_secrets_and_configs_are_mounted(made: ContainerGroup) -> None:
    by_name = {volume.name: volume for volume in made.volumes}
    mounts = {mount.mount_path: mount for mount in made.containers[1].volume_mounts}
    assert set(mounts) == {"/data", "/scratch", "/shared", "/run/secrets", "/etc/keys", "/etc/app"}
    assert mounts["/data"].read_only and by_name["data"].empty_dir == {}
    assert by_name["shared"].azure_file.storage_account_key == "k"
    assert {path: by_name[mounts[path].name].secret for path in ("/run/secrets", "/etc/keys", "/etc/app")} == {
        "/run/secrets": {"token": base64.b64encode(b"t0ken").decode()},
        "/etc/keys": {"key": base64.b64encode(b"t0ken").decode()},
        "/etc/app": {"app.conf": base64.b64encode(b"x=$1").decode()},
    }
    assert made.containers[0].volume_mounts[0].name == "data"


def test_what_must_end_before_runs_first_and_names_lead_to_localhost(made: ContainerGroup) -> None:
    names, migrate = made.init_containers
    assert names.command == ["/bin/sh", "-c", "echo 127.0.0.1 db web Data_Base >>/etc/hosts"]
    assert (names.image, migrate.command) == ("box", ["migrate", "1"])


def test_another_port_of_this_machine_is_asked_for_by_tag(tmp_path: Path) -> None:
    text = "services: {a: {image: i, ports: ['8080:80', {target: 443, published: 8443}, 90, '5353:53/udp']}}"
    (tmp_path / "c.yaml").write_text(text)
    made = from_compose(tmp_path / "c.yaml")
    assert made.ip_address is not None and made.ip_address.ports is not None
    assert [port.port for port in made.ip_address.ports] == [80, 443, 90, 53]
    assert made.tags == {"hythe.publish": "8080:80,8443:443,5353:53/udp"}


def test_one_service_needs_no_names(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("services: {a: {image: i}}")
    made = from_compose(tmp_path / "c.yaml")
    assert made.init_containers is None and made.ip_address is None and made.restart_policy == "Never"


@pytest.mark.parametrize(
    ("service", "key"),
    [
        ("{build: .}", "services.a.build"),
        ("{image: i, hostname: h}", "services.a.hostname"),
        ("{image: i, ports: ['8080-8081:80-81/udp']}", "services.a.ports[0]"),
        ("{image: i, ports: ['8080-8081:80-81']}", "services.a.ports[0]"),
        ("{image: i, ports: ['127.0.0.1:80:80']}", "services.a.ports[0]"),
        ("{image: i, volumes: ['./x:/x']}", "services.a.volumes[0]"),
        ("{image: i, volumes: ['nosuch:/x']}", "services.a.volumes[0]"),
        ("{image: i, volumes: [{type: bind, source: /x, target: /x}]}", "services.a.volumes[0].type"),
        ("{image: i, networks: [front]}", "services.a.networks"),
        ("{image: i, deploy: {replicas: 2}}", "services.a.deploy.replicas"),
        ("{image: i, deploy: {resources: {limits: {pids: 1}}}}", "services.a.deploy.resources.limits.pids"),
        ("{image: i, restart: 'on-failure:3'}", "services.a.restart"),
        ("{image: i, depends_on: {b: {condition: service_healthy}}}", "services.a.depends_on.b.condition"),
        ("{image: i, depends_on: [c]}", "services.a.depends_on.c"),
        ("{image: i, healthcheck: {test: x, interval: soon}}", "services.a.healthcheck.interval"),
        ("{image: i, healthcheck: {test: [x]}}", "services.a.healthcheck.test"),
        ("{image: i, user: me}", "services.a.user"),
        ("{image: i, env_file: none.env}", "services.a.env_file[0]"),
        ("{image: i, secrets: [s]}", "services.a.secrets[0]"),
        ("{image: 'i:${NOSUCH_VARIABLE:?}'}", "services.a.image"),
        ("{image: i, restart: always}", "services.b.restart"),
        ('{image: i, command: "\'"}', "services.a.command"),
        ("{image: i, mem_limit: much}", "services.a.mem_limit"),
        ("{image: i, platform: windows/amd64}", "services.a.platform"),
    ],
)
def test_what_can_not_be_done_names_its_key(service: str, key: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(f"services: {{a: {service}, b: {{image: i}}}}")
    with pytest.raises(ComposeError, match="cannot use") as caught:
        from_compose(tmp_path / "c.yaml")
    assert caught.value.key == key


@pytest.mark.parametrize(
    "text", ["", "[]", "services: {}", "services: [a]", "services: {a: [x]}", "a: [", "models: {}"]
)
def test_what_is_no_compose_file_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ComposeError):
        from_compose(tmp_path / "c.yaml")


def test_the_small_languages() -> None:
    known = {"A": "a", "EMPTY": ""}
    for text, meant in (
        ("$A", "a"), ("${A}b", "ab"), ("$$A", "$A"), ("${EMPTY:-d}", "d"), ("${EMPTY-d}", ""), ("${NO-d}", "d"),
        ("${A:+yes}", "yes"), ("${NO:+yes}", ""), ("${NO}", ""), ("100%", "100%"),
        ("${NO:-${NONE:-d}}!", "d!"), ("${NO:-${A}-$A}/${A}", "a-a/a"), ("${NO-${EMPTY-d}}", ""),
        ("${EMPTY:-${NO-${EMPTY:-deep}}}", "deep"), ("${A:+<${NO:-${A}}>}", "<a>"), ("${EMPTY+${NO:-d}}", "d"),
        ("${A:-${NO:?unwanted}}", "a"), ("${A:?${NO}}", "a"), ("${A?why}", "a"), ("${NO:-$$A $${A}}", "$A ${A}"),
        ("$${NO:-${A}}", "${NO:-a}"), ("${NO:-{}}", "{}"), ("${A:-$${x}}", "a"), ("$A$A-${A}", "aa-a"),
    ):  # fmt: skip
        assert interpolated({"k": [text]}, known, "") == {"k": [meant]}, text
    loop = {"A": "$A ${NO"}
    assert interpolated("$A ${B:-$A}", loop, "") == "$A ${NO $A ${NO"
    assert [seconds(each, "k") for each in ("1h", "1m1.6s", "20ms", 7)] == [3600, 62, 1, 7]
    assert [gigabytes(each, "k") for each in ("1g", "512MB", "1.5GiB", 1 << 30)] == [1.0, 0.5, 1.5, 1.0]
    assert env_lines('export A=1\nB\nC="x"\n') == {"A": "1", "B": None, "C": "x"}


@pytest.mark.parametrize(
    "text",
    ["$", "5$", "$5", "$(date)", "${", "${}", "${A", "${ A}", "${A }", "${A!}", "${A:}", "${A:-b", "${A:-${B}",
     "${NO:-$5}", "${NO:-${B!}}", "${É}"],
)  # fmt: skip
def test_what_begins_no_variable_names_its_key_and_not_the_text(text: str) -> None:
    with pytest.raises(ComposeError, match=r"write \$\$") as caught:
        interpolated({"services": {"a": {"command": ["sh", "hush" + text]}}}, {}, "")
    assert caught.value.key == "services.a.command[1]" and "hush" not in str(caught.value)


def test_a_variable_that_must_be_set_names_its_key_and_says_why_with_variables() -> None:
    for text in ("${NO:?see $A}", "${EMPTY:?see ${A}}", "${OTHER-${NO?see ${NONE:-a}}}"):
        with pytest.raises(ComposeError, match="is not set: see a") as caught:
            interpolated({"image": text}, {"A": "a", "EMPTY": ""}, "")
        assert caught.value.key == "image"


def test_a_variable_within_another_is_put_into_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGE_OF_THE_TEST", raising=False)
    text = "services: {a: {image: '${IMAGE_OF_THE_TEST:-${OTHER_OF_THE_TEST:-nginx}}'}}"
    (tmp_path / "c.yaml").write_text(text)
    (tmp_path / ".env").write_text("OTHER_OF_THE_TEST=caddy")
    assert (from_compose(tmp_path / "c.yaml").containers or [])[0].image == "caddy"
