"""Makes one container group of the services of a compose file.  What a group can't do is an error that names the key.

All containers of a group share one network: what compose reaches as ``db:5432`` is at ``localhost:5432``.  So that the
names of services go on working, an init container writes them as ``127.0.0.1`` into ``/etc/hosts``, which the
containers of a group share, on Hythe as on Azure.  ``names_image`` is its image, any that has ``/bin/sh``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec.yaml

from hythe.models import (
    Container,
    ContainerExec,
    ContainerGroup,
    ContainerPort,
    ContainerProbe,
    EnvironmentVariable,
    InitContainerDefinition,
    IpAddress,
    Port,
    ResourceLimits,
    ResourceRequests,
    ResourceRequirements,
    SecurityContextCapabilitiesDefinition,
    SecurityContextDefinition,
)
from hythe.wire.tags import PUBLISH

from . import compose_values as values
from .compose_mounts import Mounts
from .compose_values import ComposeError

NAMES_IMAGE = "mcr.microsoft.com/cbl-mariner/busybox:2.0"
NAMES = "names"
"""The init container that lets the names of services lead to localhost."""
_CPU, _MEMORY = 1.0, 1.5
_TOP = frozenset({"name", "version", "services", "volumes", "secrets", "configs", "networks"})
_SERVICE = frozenset({
    "image", "command", "entrypoint", "environment", "env_file", "ports", "expose", "volumes", "secrets", "configs",
    "healthcheck", "depends_on", "restart", "deploy", "container_name", "user", "privileged", "cap_add", "cap_drop",
    "cpus", "mem_limit", "mem_reservation", "networks", "platform", "annotations", "labels",
})  # fmt: skip
_INSTEAD = {
    "build": "build the image first, and name it by 'image'",
    "network_mode": "all services of a group share one network",
    "links": "the services of a group reach each other by their names without it",
    "working_dir": "a container group takes the image's; change it in the command",
    "extends": "write the service out",
    "profiles": "keep what is started apart in a file of its own",
    "scale": "a group has each container once",
}
_RESTART = {"no": "Never", "always": "Always", "unless-stopped": "Always", "on-failure": "OnFailure"}


def from_compose(
    path: str | os.PathLike[str], *, location: str | None = None, names_image: str | None = NAMES_IMAGE
) -> ContainerGroup:
    """Read the services of a compose file as one group, which is named after the file's ``name`` or its folder.

    Variables come from the environment and from ``.env`` beside the file.  ``command`` takes the place of the image's
    entrypoint too, because a group can't tell them apart.  ``healthcheck`` becomes a readiness probe, a volume without
    a driver lasts as long as the group, and one with ``driver: azure_file`` is a share (``driver_opts``:
    ``share_name``, ``storage_account_name``, ``storage_account_key``).  With ``names_image=None`` the names of
    services lead nowhere.  Raises `ComposeError` for what a group can't do, and OSError.
    """
    file = Path(path)
    folder = file.resolve().parent
    variables = _variables(folder)
    try:
        document = msgspec.yaml.decode(file.read_bytes())
    except msgspec.DecodeError as why:
        raise ComposeError(str(file), f"it can't be read: {why}") from None
    if not isinstance(document, dict) or not isinstance(document.get("services"), dict) or not document["services"]:
        raise ComposeError("services", f"{file.name} has none")
    document = values.interpolated(document, variables, "")
    for key in document:
        if key not in _TOP and not key.startswith("x-"):
            raise ComposeError(key, "a container group has no such thing")
    name = str(document.get("name") or folder.name)
    for service, said in document["services"].items():
        if not isinstance(said, dict):
            raise ComposeError(f"services.{service}", "it must be a mapping")
    try:
        return _Reader(document, folder, variables).group(_tidy(name), location, names_image)
    except (AttributeError, TypeError, KeyError) as why:
        raise ComposeError(file.name, f"something in it is not of the kind that it must be: {why}") from None


def _variables(folder: Path) -> dict[str, str]:
    beside = folder / ".env"
    written = values.env_lines(beside.read_text()) if beside.is_file() else {}
    return {name: text for name, text in written.items() if text is not None} | dict(os.environ)


def _tidy(name: str) -> str:
    """Make a name that a container or group may have."""
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:63] or "compose"


class _Reader:
    """Reads the services of one document."""

    def __init__(self, document: dict[str, Any], folder: Path, variables: Mapping[str, str]) -> None:
        self._services: dict[str, dict[str, Any]] = document["services"]
        self._folder = folder
        self._variables = variables
        self._mounts = Mounts(document, folder, variables)
        self._ports: dict[tuple[int, str], str] = {}
        self._published: list[str] = []
        """Ports of this machine that lead to others: the tag `PUBLISH`, which means nothing to Azure."""
        self._first = self._run_first()

    def group(self, name: str, location: str | None, names_image: str | None) -> ContainerGroup:
        """Write the group."""
        ordered = self._ordered()
        made = {service: self._container(service, f"services.{service}") for service in ordered}
        later = [made[service] for service in ordered if service not in self._first]
        inits = [_as_init(made[service], service) for service in ordered if service in self._first]
        if len(later) > 1 and names_image is not None:
            hosts = f"echo 127.0.0.1 {' '.join(self._host_names(ordered))} >>/etc/hosts"
            command = ["/bin/sh", "-c", hosts]
            inits.insert(0, InitContainerDefinition(name=NAMES, image=names_image, command=command))
        ports = [Port(port=port, protocol=protocol) for port, protocol in self._ports]
        return ContainerGroup(
            name=name,
            location=location,
            os_type="Linux",
            containers=later,
            init_containers=inits or None,
            restart_policy=self._restart_policy(ordered),
            volumes=self._mounts.volumes or None,
            ip_address=IpAddress(type="Public", ports=ports) if ports else None,
            tags={PUBLISH: ",".join(self._published)} if self._published else None,
        )

    # --- the whole ---

    def _host_names(self, ordered: list[str]) -> list[str]:
        names = dict.fromkeys(ordered)
        names |= dict.fromkeys(str(self._services[one].get("container_name") or one) for one in ordered)
        for name in names:
            if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
                raise ComposeError(f"services.{name}", "this can't be the name of a host")
        return [name for name in names if name not in self._first]

    def _needs(self, service: str) -> dict[str, str]:
        """Read ``depends_on``: what must be there before, and in which state."""
        key = f"services.{service}.depends_on"
        said = self._services[service].get("depends_on") or {}
        if isinstance(said, list):
            said = {each: {} for each in said}
        found = {}
        for name, how in said.items():
            if name not in self._services:
                raise ComposeError(f"{key}.{name}", "there is no such service")
            for word in how or {}:
                if word not in ("condition", "required"):
                    raise ComposeError(f"{key}.{name}.{word}", "a group has no such thing")
            condition = (how or {}).get("condition", "service_started")
            if condition == "service_healthy":
                raise ComposeError(
                    f"{key}.{name}.condition",
                    "a group starts its containers one after the other and waits for none to be healthy: use "
                    "service_started and let the program try again, or service_completed_successfully for what ends",
                )
            found[name] = str(condition)
        return found

    def _run_first(self) -> set[str]:
        """Find the services that others want to have ended: they become init containers."""
        first = set()
        for service in self._services:
            for name, condition in self._needs(service).items():
                if condition == "service_completed_successfully":
                    first.add(name)
        for name in first:
            for needed in self._needs(name):
                if needed not in first:
                    raise ComposeError(
                        f"services.{name}.depends_on.{needed}",
                        f"{name} runs to its end before the others start, so it can't need one of them",
                    )
        return first

    def _ordered(self) -> list[str]:
        """Put services behind those that they need."""
        done: list[str] = []

        def add(service: str, above: tuple[str, ...]) -> None:
            if service in above:
                raise ComposeError(f"services.{service}.depends_on", f"{' needs '.join((*above, service))}")
            if service not in done:
                for name in self._needs(service):
                    add(name, (*above, service))
                done.append(service)

        for service in self._services:
            add(service, ())
        return done

    def _restart_policy(self, ordered: list[str]) -> Any:
        found: dict[str, str] = {}
        for service in ordered:
            if service in self._first:
                continue
            said = self._services[service].get("restart", "no")
            policy = _RESTART.get("no" if said is False else str(said))
            if policy is None:
                raise ComposeError(f"services.{service}.restart", f"{said!r} is none of {', '.join(_RESTART)}")
            found.setdefault(policy, service)
        if len(found) > 1:
            (one, first), (other, second) = list(found.items())[:2]
            raise ComposeError(
                f"services.{second}.restart", f"a group has one restart policy: {first} has {one}, {second} has {other}"
            )
        return next(iter(found), "Never")

    # --- one service ---

    def _container(self, service: str, key: str) -> Container:
        said = self._services[service]
        for name in said:
            if name not in _SERVICE and not name.startswith("x-"):
                raise ComposeError(f"{key}.{name}", _INSTEAD.get(name, "a container group has no such thing"))
        if not said.get("image"):
            raise ComposeError(f"{key}.image", "there is none")
        self._check(said, key)
        named = [each for index, value in enumerate(said.get("ports") or ())
                 for each in values.ports(value, f"{key}.ports[{index}]")]  # fmt: skip
        ports = [(port, protocol) for port, protocol, _ in named]
        self._published += [
            f"{host}:{port}" + ("/udp" if protocol == "UDP" else "")
            for port, protocol, host in named
            if host is not None
        ]
        if ports and service in self._first:
            raise ComposeError(f"{key}.ports", "it runs to its end before the others start, and serves nothing")
        for port in ports:
            other = self._ports.setdefault(port, service)
            if other != service:
                raise ComposeError(f"{key}.ports", f"{other} has port {port[0]} already, and all share one network")
        entrypoint = values.words(said.get("entrypoint"), f"{key}.entrypoint")
        command = values.words(said.get("command"), f"{key}.command")
        return Container(
            name=_tidy(str(said.get("container_name") or service)),
            image=str(said["image"]),
            command=[*(entrypoint or ()), *(command or ())] or None,
            environment_variables=self._environment(said, key) or None,
            ports=[ContainerPort(port=port, protocol=protocol) for port, protocol in ports] or None,
            resources=_resources(said, key),
            volume_mounts=self._mounts.of(service, said, key) or None,
            readiness_probe=_probe(said.get("healthcheck"), f"{key}.healthcheck"),
            security_context=_security(said, key),
        )

    def _check(self, said: dict[str, Any], key: str) -> None:
        networks = said.get("networks") or []
        if [*networks] not in ([], ["default"]):
            raise ComposeError(f"{key}.networks", "all services of a group share one network")
        if str(said.get("platform", "linux/amd64")).split("/")[0] != "linux":
            raise ComposeError(f"{key}.platform", "only Linux can be run")

    def _environment(self, said: dict[str, Any], key: str) -> list[EnvironmentVariable]:
        found: dict[str, str | None] = {}
        files = said.get("env_file") or []
        for index, each in enumerate(files if isinstance(files, list) else [files]):
            where = f"{key}.env_file[{index}]"
            entry = each if isinstance(each, Mapping) else {"path": each}
            file = self._folder / str(entry["path"])
            if file.is_file():
                found |= values.env_lines(file.read_text())
            elif entry.get("required", True):
                raise ComposeError(where, f"there is no file {file}")
        found |= values.environment(said.get("environment"), f"{key}.environment")
        known = {name: self._variables.get(name) if text is None else text for name, text in found.items()}
        return [EnvironmentVariable(name=name, value=text) for name, text in known.items() if text is not None]


def _as_init(container: Container, service: str) -> InitContainerDefinition:
    if container.readiness_probe is not None:
        raise ComposeError(f"services.{service}.healthcheck", "it runs to its end before the others start")
    return InitContainerDefinition(
        name=container.name,
        image=container.image,
        command=container.command,
        environment_variables=container.environment_variables,
        volume_mounts=container.volume_mounts,
        security_context=container.security_context,
    )


def _resources(said: dict[str, Any], key: str) -> ResourceRequirements:
    deploy = said.get("deploy") or {}
    for name, value in deploy.items():
        if name != "resources" and not (name == "replicas" and value == 1):
            raise ComposeError(f"{key}.deploy.{name}", "a group has each container once, and one restart policy")
    found: dict[str, dict[str, Any]] = {"limits": {}, "reservations": {}}
    if "cpus" in said:
        found["limits"]["cpu"] = values.number(said["cpus"], f"{key}.cpus")
    for name, kind in (("mem_limit", "limits"), ("mem_reservation", "reservations")):
        if name in said:
            found[kind]["memory_in_gb"] = values.gigabytes(said[name], f"{key}.{name}")
    for kind, asked in (deploy.get("resources") or {}).items():
        where = f"{key}.deploy.resources.{kind}"
        if kind not in found:
            raise ComposeError(where, "only limits and reservations are known")
        for name, value in (asked or {}).items():
            if name == "cpus":
                found[kind]["cpu"] = values.number(value, f"{where}.cpus")
            elif name == "memory":
                found[kind]["memory_in_gb"] = values.gigabytes(value, f"{where}.memory")
            else:
                raise ComposeError(f"{where}.{name}", "only cpus and memory can be given")
    limits = found["limits"]
    asked = {"cpu": _CPU, "memory_in_gb": _MEMORY} | limits | found["reservations"]
    return ResourceRequirements(requests=ResourceRequests(**asked), limits=ResourceLimits(**limits) if limits else None)


def _probe(said: Any, key: str) -> ContainerProbe | None:
    if said is None or said.get("disable") or said.get("test") in ("NONE", ["NONE"]):
        return None
    test = said.get("test")
    if isinstance(test, str):
        command = ["/bin/sh", "-c", test]
    elif isinstance(test, list) and test[:1] == ["CMD-SHELL"]:
        command = ["/bin/sh", "-c", *map(str, test[1:])]
    elif isinstance(test, list) and test[:1] == ["CMD"] and test[1:]:
        command = [str(each) for each in test[1:]]
    else:
        raise ComposeError(f"{key}.test", "it must be a text, or a list that begins with CMD or CMD-SHELL")
    known = {
        "interval": "period_seconds", "timeout": "timeout_seconds", "start_period": "initial_delay_seconds",
        "retries": "failure_threshold",
    }  # fmt: skip
    times: dict[str, Any] = {}
    for name, value in said.items():
        if name in known:
            read = values.number if name == "retries" else values.seconds
            times[known[name]] = int(read(value, f"{key}.{name}"))
        elif name not in ("test", "disable"):
            raise ComposeError(f"{key}.{name}", "a probe has no such thing")
    return ContainerProbe(exec_property=ContainerExec(command=command), **times)


def _security(said: dict[str, Any], key: str) -> SecurityContextDefinition | None:
    members: dict[str, Any] = {}
    if said.get("privileged"):
        members["privileged"] = True
    if said.get("cap_add") or said.get("cap_drop"):
        members["capabilities"] = SecurityContextCapabilitiesDefinition(
            add=said.get("cap_add"), drop=said.get("cap_drop")
        )
    if "user" in said:
        user, _, group = str(said["user"]).partition(":")
        if not user.isdecimal() or (group and not group.isdecimal()):
            raise ComposeError(f"{key}.user", "give the user's number: a group knows no names of users")
        members["run_as_user"] = int(user)
        if group:
            members["run_as_group"] = int(group)
    return SecurityContextDefinition(**members) if members else None
