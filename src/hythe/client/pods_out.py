"""Writes container groups as Kubernetes pods; `pods` reads them back.  Pure."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import yaml

from hythe.models import (
    Container,
    ContainerGroup,
    ContainerProbe,
    InitContainerDefinition,
    ResourceLimits,
    ResourceRequests,
    Volume,
)
from hythe.wire.tags import GRACE

from .pod_values import DNS_LABEL, PodError

_NOT_IN_PODS = (
    "identity", "diagnostics", "subnet_ids", "encryption_properties", "extensions", "confidential_compute_properties",
    "identity_acls", "container_group_profile", "standby_pool_profile", "secret_references", "zones",
    "image_registry_credentials",
)  # fmt: skip
_HANDLED = {"Regular": None, "Standard": None}


def to_pod(group: ContainerGroup) -> str:
    """Write a group as YAML: the pod, a Secret for what is secret, a Service for its public address.

    It holds secrets.  Raises `PodError` for what a pod can't have.
    """
    for name in _NOT_IN_PODS:
        if getattr(group, name):
            raise PodError(name, "a pod has no such thing; take it out first")
    for name in ("sku", "priority"):
        if getattr(group, name) not in (None, *_HANDLED):
            raise PodError(name, "a pod has no such thing; take it out first")
    return _Writer(group).text()


class _Writer:
    def __init__(self, group: ContainerGroup) -> None:
        self._group = group
        self._name = group.name or "group"
        self._labels = {name: value for name, value in (group.tags or {}).items() if name != GRACE}
        self._secrets: list[dict[str, Any]] = []

    def text(self) -> str:
        """Write all documents."""
        group = self._group
        spec = _there(
            containers=[self._container(each) for each in group.containers or ()],
            initContainers=[self._common(each) for each in group.init_containers or ()],
            volumes=[self._volume(each) for each in group.volumes or ()],
            restartPolicy=group.restart_policy or "Always",
            terminationGracePeriodSeconds=_grace((group.tags or {}).get(GRACE)),
            dnsConfig=_dns(group),
            os={"name": "windows"} if group.os_type == "Windows" else None,
        )
        metadata = _there(name=self._name, labels=self._labels)
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        documents = [pod, *self._secrets, *self._service()]
        return str(yaml.safe_dump_all(documents, sort_keys=False))

    def _service(self) -> list[dict[str, Any]]:
        address = self._group.ip_address
        if address is None:
            return []
        if address.type == "Private":
            raise PodError("ip_address.type", "a private address belongs to a virtual network; take it out first")
        notes = {DNS_LABEL: address.dns_name_label} if address.dns_name_label else None
        ports = [
            _there(name=f"port-{each.port}-{str(each.protocol or 'TCP').lower()}", port=each.port,
                   protocol=str(each.protocol or "TCP"))
            for each in address.ports or ()
        ]  # fmt: skip
        spec = _there(type="LoadBalancer", selector=self._labels, ports=ports)
        metadata = _there(name=self._name, annotations=notes)
        return [{"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}]

    def _secret(self, name: str, data: dict[str, str]) -> None:
        made = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}
        self._secrets.append(made)

    def _common(self, said: Container | InitContainerDefinition) -> dict[str, Any]:
        context = said.security_context
        if context is not None and context.seccomp_profile is not None:
            raise PodError(f"{said.name}.security_context.seccomp_profile", "a pod names a file of its node here")
        rights = context.capabilities if context else None
        env, hidden = [], {}
        for each in said.environment_variables or ():
            if each.secure_value is not None:
                hidden[each.name] = base64.b64encode(each.secure_value.encode()).decode()
                ref = {"name": f"{said.name}-environment", "key": each.name}
                env.append({"name": each.name, "valueFrom": {"secretKeyRef": ref}})
            elif each.secure_value_reference is not None:
                raise PodError(f"{said.name}.environment_variables.{each.name}", "it names a key vault's secret")
            else:
                env.append({"name": each.name, "value": each.value or ""})
        if hidden:
            self._secret(f"{said.name}-environment", hidden)
        return _there(
            name=said.name,
            image=said.image,
            command=said.command,
            env=env,
            volumeMounts=[
                _there(name=each.name, mountPath=each.mount_path, readOnly=each.read_only)
                for each in said.volume_mounts or ()
            ],
            securityContext=_there(
                privileged=context.privileged,
                allowPrivilegeEscalation=context.allow_privilege_escalation,
                runAsUser=context.run_as_user,
                runAsGroup=context.run_as_group,
                capabilities=_there(add=rights.add, drop=rights.drop) if rights else None,
            )
            if context
            else None,
        )

    def _container(self, said: Container) -> dict[str, Any]:
        if said.config_map is not None:
            raise PodError(f"{said.name}.config_map", "a pod has no such thing; take it out first")
        amounts = {}
        for kind in ("requests", "limits"):
            each: ResourceRequests | ResourceLimits | None = getattr(said.resources, kind, None)
            if each is None:
                continue
            if each.gpu is not None:
                raise PodError(f"{said.name}.resources.{kind}.gpu", "a pod asks for GPUs of its cluster; take it out")
            memory = None if each.memory_in_gb is None else f"{round(each.memory_in_gb * 1024)}Mi"
            amounts[kind] = _there(cpu=None if each.cpu is None else f"{round(each.cpu * 1000)}m", memory=memory)
        return self._common(said) | _there(
            ports=[
                _there(containerPort=each.port, protocol=None if each.protocol is None else str(each.protocol))
                for each in said.ports or ()
            ],
            resources=amounts,
            livenessProbe=_probe(said.liveness_probe),
            readinessProbe=_probe(said.readiness_probe),
        )

    def _volume(self, said: Volume) -> dict[str, Any]:
        if said.secret is not None:
            self._secret(said.name, said.secret)
            return {"name": said.name, "secret": {"secretName": said.name}}
        if said.azure_file is not None:
            share = said.azure_file
            data = {"azurestorageaccountname": share.storage_account_name}
            if share.storage_account_key is not None:
                data["azurestorageaccountkey"] = share.storage_account_key
            self._secret(said.name, {name: base64.b64encode(text.encode()).decode() for name, text in data.items()})
            named = _there(secretName=said.name, shareName=share.share_name, readOnly=share.read_only)
            return {"name": said.name, "azureFile": named}
        if said.git_repo is not None:
            git = said.git_repo
            return {
                "name": said.name,
                "gitRepo": _there(repository=git.repository, revision=git.revision, directory=git.directory),
            }
        if said.secret_reference is not None:
            raise PodError(f"volumes.{said.name}.secret_reference", "it names a key vault's secrets")
        return {"name": said.name, "emptyDir": {}}


def _there(**members: Any) -> dict[str, Any]:
    """Leave out what is not there."""
    return {name: value for name, value in members.items() if value is not None and value not in ([], {})}


def _grace(tag: str | None) -> int | None:
    """Read the tag as the service does, in seconds: ``90`` or ``PT1M30S``."""
    if tag is None:
        return None
    try:
        found = float(tag) if tag.isdecimal() else msgspec.convert(tag, timedelta).total_seconds()
    except msgspec.ValidationError:
        found = -1.0
    if found < 0:
        raise PodError(f"tags.{GRACE}", f"{tag!r} is no number of seconds or ISO 8601 duration")
    return round(found)


def _probe(said: ContainerProbe | None) -> dict[str, Any] | None:
    if said is None:
        return None
    http = said.http_get
    headers: Sequence[Any] = (http.http_headers or ()) if http else ()
    return _there(
        exec={"command": said.exec_property.command} if said.exec_property else None,
        httpGet=_there(
            path=http.path, port=http.port, scheme=None if http.scheme is None else str(http.scheme),
            httpHeaders=[{"name": each.name, "value": each.value} for each in headers],
        ) if http else None,
        initialDelaySeconds=said.initial_delay_seconds,
        periodSeconds=said.period_seconds,
        failureThreshold=said.failure_threshold,
        successThreshold=said.success_threshold,
        timeoutSeconds=said.timeout_seconds,
    )  # fmt: skip


def _dns(group: ContainerGroup) -> dict[str, Any] | None:
    said = group.dns_config
    if said is None:
        return None
    options = [each.partition(":") for each in (said.options or "").split()]
    return _there(
        nameservers=said.name_servers,
        searches=(said.search_domains or "").split(),
        options=[_there(name=name, value=value or None) for name, _, value in options],
    )
