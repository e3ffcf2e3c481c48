"""Reads Kubernetes pods as container groups and writes groups as pods.  Pure.

A file may have several documents: the pod, the Secrets and ConfigMaps that it names, and a Service of the type
LoadBalancer, which is the group's public address.  What a group, or a pod, can't be is an error that names the key.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import yaml

from hythe.models import (
    AzureFileVolume,
    Container,
    ContainerExec,
    ContainerGroup,
    ContainerHttpGet,
    ContainerPort,
    ContainerProbe,
    DnsConfiguration,
    EnvironmentVariable,
    GitRepoVolume,
    HttpHeader,
    InitContainerDefinition,
    IpAddress,
    Port,
    ResourceLimits,
    ResourceRequests,
    ResourceRequirements,
    SecurityContextCapabilitiesDefinition,
    SecurityContextDefinition,
    Volume,
    VolumeMount,
)
from hythe.wire.tags import GRACE

from .pod_values import DNS_LABEL, PodError, cores, gigabytes, only

_ACCOUNT, _KEY = "azurestorageaccountname", "azurestorageaccountkey"
_PROBE = {
    "initialDelaySeconds": "initial_delay_seconds", "periodSeconds": "period_seconds",
    "failureThreshold": "failure_threshold", "successThreshold": "success_threshold",
    "timeoutSeconds": "timeout_seconds",
}  # fmt: skip
_CPU, _MEMORY = 1.0, 1.5


def from_pod(text: str | bytes, *, location: str | None = None) -> ContainerGroup:
    """Read a pod as a group.  Raises `PodError` for what a group can't do."""
    try:
        documents = [each for each in yaml.safe_load_all(text) if each is not None]
    except yaml.YAMLError as why:
        raise PodError("the file", f"it can't be read: {why}") from None
    found: dict[str, list[dict[str, Any]]] = {"Pod": [], "Secret": [], "ConfigMap": [], "Service": []}
    for each in documents:
        kind = each.get("kind") if isinstance(each, dict) else None
        if kind not in found:
            raise PodError(f"kind {kind}", f"only {', '.join(found)} can be read")
        found[kind].append(each)
    if len(found["Pod"]) != 1 or len(found["Service"]) > 1:
        raise PodError("kind", "there must be one Pod, and one Service at most")
    try:
        return _Reader(found).group(location)
    except KeyError as missing:
        raise PodError(str(missing.args[0]), "it is missing") from None
    except (AttributeError, TypeError, ValueError) as why:
        if isinstance(why, PodError):
            raise
        raise PodError("the file", f"something in it is not of the kind that it must be: {why}") from None


class _Reader:
    def __init__(self, found: Mapping[str, list[dict[str, Any]]]) -> None:
        self._pod = found["Pod"][0]
        self._service = found["Service"][0] if found["Service"] else None
        self._secrets = {each["metadata"]["name"]: _secret(each) for each in found["Secret"]}
        self._maps = {each["metadata"]["name"]: _strings(each.get("data")) for each in found["ConfigMap"]}

    def group(self, location: str | None) -> ContainerGroup:
        spec, metadata = self._pod.get("spec") or {}, self._pod.get("metadata") or {}
        only(
            spec, "spec", "containers", "initContainers", "volumes", "restartPolicy", "dnsConfig", "dnsPolicy", "os",
            "automountServiceAccountToken", "enableServiceLinks", "terminationGracePeriodSeconds",
        )  # fmt: skip
        if not spec.get("containers"):
            raise PodError("spec.containers", "there are none")
        containers = [self._container(each, f"spec.containers[{i}]") for i, each in enumerate(spec["containers"])]
        inits = [
            self._init(each, f"spec.initContainers[{i}]") for i, each in enumerate(spec.get("initContainers") or ())
        ]
        volumes = [self._volume(each, f"spec.volumes[{i}]") for i, each in enumerate(spec.get("volumes") or ())]
        return ContainerGroup(
            name=metadata.get("name"),
            location=location,
            tags=_strings(metadata.get("labels")) | _grace(spec.get("terminationGracePeriodSeconds")) or None,
            os_type="Windows" if (spec.get("os") or {}).get("name") == "windows" else "Linux",
            containers=containers,
            init_containers=inits or None,
            volumes=volumes or None,
            restart_policy=spec.get("restartPolicy", "Always"),
            dns_config=_dns(spec.get("dnsConfig")),
            ip_address=self._address(),
        )

    def _address(self) -> IpAddress | None:
        if self._service is None:
            return None
        spec = self._service.get("spec") or {}
        if spec.get("type") != "LoadBalancer":
            raise PodError("Service spec.type", "only LoadBalancer can be a group's address")
        ports = []
        for each in spec.get("ports") or ():
            if each.get("targetPort", each["port"]) != each["port"]:
                raise PodError("Service spec.ports.targetPort", "a group publishes a port under its own number")
            ports.append(Port(port=each["port"], protocol=each.get("protocol", "TCP")))
        notes = (self._service.get("metadata") or {}).get("annotations") or {}
        return IpAddress(type="Public", ports=ports, dns_name_label=notes.get(DNS_LABEL))

    # --- containers ---

    def _container(self, said: dict[str, Any], key: str) -> Container:
        only(
            said, key, "name", "image", "command", "args", "env", "ports", "resources", "volumeMounts", "livenessProbe",
            "readinessProbe", "securityContext", "imagePullPolicy", "terminationMessagePath",
            "terminationMessagePolicy",
        )  # fmt: skip
        ports = []
        for index, each in enumerate(said.get("ports") or ()):
            only(each, f"{key}.ports[{index}]", "containerPort", "protocol", "name")
            ports.append(ContainerPort(port=each["containerPort"], protocol=each.get("protocol")))
        return Container(
            **self._common(said, key),
            ports=ports or None,
            resources=_resources(said.get("resources") or {}, f"{key}.resources"),
            liveness_probe=_probe(said.get("livenessProbe"), f"{key}.livenessProbe"),
            readiness_probe=_probe(said.get("readinessProbe"), f"{key}.readinessProbe"),
        )

    def _init(self, said: dict[str, Any], key: str) -> InitContainerDefinition:
        only(
            said, key, "name", "image", "command", "args", "env", "volumeMounts", "securityContext", "imagePullPolicy",
            "terminationMessagePath", "terminationMessagePolicy",
        )  # fmt: skip
        return InitContainerDefinition(**self._common(said, key))

    def _common(self, said: dict[str, Any], key: str) -> dict[str, Any]:
        if said.get("args") and not said.get("command"):
            raise PodError(f"{key}.args", "a group's command takes the place of the entrypoint too: give command")
        _pulled(said.get("imagePullPolicy"), said.get("image"), f"{key}.imagePullPolicy")
        mounts = []
        for index, each in enumerate(said.get("volumeMounts") or ()):
            only(each, f"{key}.volumeMounts[{index}]", "name", "mountPath", "readOnly")
            mounts.append(VolumeMount(name=each["name"], mount_path=each["mountPath"], read_only=each.get("readOnly")))
        env = [self._variable(each, f"{key}.env[{index}]") for index, each in enumerate(said.get("env") or ())]
        return {
            "name": said.get("name"),
            "image": said.get("image"),
            "command": [*(said.get("command") or ()), *(said.get("args") or ())] or None,
            "environment_variables": env or None,
            "volume_mounts": mounts or None,
            "security_context": _security(said.get("securityContext"), f"{key}.securityContext"),
        }

    def _variable(self, said: dict[str, Any], key: str) -> EnvironmentVariable:
        source = said.get("valueFrom")
        if source is None:
            return EnvironmentVariable(name=said["name"], value=str(said.get("value", "")))
        only(source, f"{key}.valueFrom", "secretKeyRef", "configMapKeyRef")
        if "secretKeyRef" in source:
            ref = source["secretKeyRef"]
            content = self._find(self._secrets, "Secret", ref["name"], ref["key"], f"{key}.valueFrom.secretKeyRef")
            return EnvironmentVariable(name=said["name"], secure_value=base64.b64decode(content).decode())
        ref = source["configMapKeyRef"]
        content = self._find(self._maps, "ConfigMap", ref["name"], ref["key"], f"{key}.valueFrom.configMapKeyRef")
        return EnvironmentVariable(name=said["name"], value=content)

    def _find(self, known: Mapping[str, dict[str, str]], kind: str, name: str, entry: str, key: str) -> str:
        if entry not in known.get(name, {}):
            raise PodError(key, f"the file has no {kind} {name} with {entry}")
        return known[name][entry]

    # --- volumes ---

    def _volume(self, said: dict[str, Any], key: str) -> Volume:
        only(said, key, "name", "emptyDir", "secret", "configMap", "azureFile", "gitRepo")
        name = said["name"]
        if "secret" in said or "configMap" in said:
            return Volume(name=name, secret=self._files(said, key))
        if "azureFile" in said:
            share = said["azureFile"]
            secret = self._secrets.get(share.get("secretName"), {})
            if _ACCOUNT not in secret:
                raise PodError(f"{key}.azureFile.secretName", f"the file has no Secret of that name with {_ACCOUNT}")
            return Volume(
                name=name,
                azure_file=AzureFileVolume(
                    share_name=share["shareName"],
                    read_only=share.get("readOnly"),
                    storage_account_name=base64.b64decode(secret[_ACCOUNT]).decode(),
                    storage_account_key=base64.b64decode(secret[_KEY]).decode() if _KEY in secret else None,
                ),
            )
        if "gitRepo" in said:
            repository = said["gitRepo"]
            return Volume(
                name=name,
                git_repo=GitRepoVolume(
                    repository=repository["repository"],
                    revision=repository.get("revision"),
                    directory=repository.get("directory"),
                ),
            )
        _empty(said.get("emptyDir") or {}, f"{key}.emptyDir")
        return Volume(name=name, empty_dir={})

    def _files(self, said: dict[str, Any], key: str) -> dict[str, str]:
        kind, word = ("secret", "secretName") if "secret" in said else ("configMap", "name")
        only(said[kind], f"{key}.{kind}", word)
        known = self._secrets if kind == "secret" else {
            name: {entry: base64.b64encode(text.encode()).decode() for entry, text in each.items()}
            for name, each in self._maps.items()
        }  # fmt: skip
        if said[kind][word] not in known:
            raise PodError(f"{key}.{kind}.{word}", f"the file has no {said[kind][word]} of that kind")
        return known[said[kind][word]]


def _strings(said: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(name): str(value) for name, value in (said or {}).items()}


def _grace(said: Any) -> dict[str, str]:
    """Give the tag that lets containers have as long between being asked to end and being killed."""
    if said is None:
        return {}
    if not isinstance(said, int) or isinstance(said, bool) or said < 0:
        raise PodError("spec.terminationGracePeriodSeconds", f"{said!r} is no whole number of seconds")
    return {GRACE: str(said)}


def _pulled(policy: Any, image: Any, key: str) -> None:
    """See that an image is got as a group gets it: it is pulled if it is not there, and used as it is if it is.

    What a digest names never changes, so it is the same image however often it is asked for.
    """
    if policy == "Never":
        raise PodError(key, "a group pulls an image that is not there. Leave the policy out if it may")
    if policy == "Always" and "@" not in str(image):
        raise PodError(
            key,
            "a group uses an image that is there without asking its registry again. Leave the policy out if that "
            "will do, or name the image by its digest",
        )
    if policy not in (None, "", "Always", "IfNotPresent"):
        raise PodError(key, f"{policy!r} is none of IfNotPresent, Always, Never")


def _empty(said: dict[str, Any], key: str) -> None:
    """See that a directory is one on the disk without a bound, the only kind that groups have."""
    only(said, key, "medium", "sizeLimit")
    if said.get("medium"):
        raise PodError(f"{key}.medium", "the empty directory of a group is on the disk: take it out if that will do")
    if said.get("sizeLimit") is not None:
        raise PodError(f"{key}.sizeLimit", "nothing bounds the empty directory of a group: take it out")


def _secret(said: dict[str, Any]) -> dict[str, str]:
    """Give a Secret's values in base64."""
    plain = {name: base64.b64encode(text.encode()).decode() for name, text in _strings(said.get("stringData")).items()}
    return {name: re.sub(r"\s", "", text) for name, text in _strings(said.get("data")).items()} | plain


def _resources(said: dict[str, Any], key: str) -> ResourceRequirements:
    only(said, key, "requests", "limits")
    read: dict[str, dict[str, Any]] = {"requests": {}, "limits": {}}
    for kind, found in read.items():
        asked = said.get(kind) or {}
        only(asked, f"{key}.{kind}", "cpu", "memory")
        if "cpu" in asked:
            found["cpu"] = cores(asked["cpu"], f"{key}.{kind}.cpu")
        if "memory" in asked:
            found["memory_in_gb"] = gigabytes(asked["memory"], f"{key}.{kind}.memory")
    limits = read["limits"]
    requests: dict[str, Any] = {"cpu": _CPU, "memory_in_gb": _MEMORY, **limits, **read["requests"]}
    return ResourceRequirements(
        requests=ResourceRequests(**requests), limits=ResourceLimits(**limits) if limits else None
    )


def _probe(said: dict[str, Any] | None, key: str) -> ContainerProbe | None:
    if said is None:
        return None
    only(said, key, "exec", "httpGet", *_PROBE)
    http = said.get("httpGet")
    members: dict[str, Any] = {_PROBE[name]: value for name, value in said.items() if name in _PROBE}
    if "exec" in said:
        members["exec_property"] = ContainerExec(command=said["exec"]["command"])
    if http is not None:
        only(http, f"{key}.httpGet", "path", "port", "scheme", "httpHeaders")
        if not isinstance(http["port"], int):
            raise PodError(f"{key}.httpGet.port", "give the port's number")
        headers = [HttpHeader(name=each["name"], value=each["value"]) for each in http.get("httpHeaders") or ()]
        members["http_get"] = ContainerHttpGet(
            port=http["port"], path=http.get("path"), scheme=http.get("scheme"), http_headers=headers or None
        )
    return ContainerProbe(**members)


def _security(said: dict[str, Any] | None, key: str) -> SecurityContextDefinition | None:
    if not said:
        return None
    only(said, key, "privileged", "allowPrivilegeEscalation", "runAsUser", "runAsGroup", "capabilities")
    rights = said.get("capabilities")
    return SecurityContextDefinition(
        privileged=said.get("privileged"),
        allow_privilege_escalation=said.get("allowPrivilegeEscalation"),
        run_as_user=said.get("runAsUser"),
        run_as_group=said.get("runAsGroup"),
        capabilities=SecurityContextCapabilitiesDefinition(add=rights.get("add"), drop=rights.get("drop"))
        if rights
        else None,
    )


def _dns(said: dict[str, Any] | None) -> DnsConfiguration | None:
    if not said:
        return None
    only(said, "spec.dnsConfig", "nameservers", "searches", "options")
    options = [each["name"] + (f":{each['value']}" if "value" in each else "") for each in said.get("options") or ()]
    return DnsConfiguration(
        name_servers=said.get("nameservers") or [],
        search_domains=" ".join(said.get("searches") or ()) or None,
        options=" ".join(options) or None,
    )
