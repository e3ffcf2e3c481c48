"""Tests that pods become groups and groups pods."""

from __future__ import annotations

import pytest
import yaml

from hythe import from_pod, to_pod
from hythe.client.pod_values import PodError, cores, gigabytes
from hythe.models import ContainerGroup, ContainerGroupIdentity

FULL = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  restartPolicy: OnFailure
  initContainers: [{name: first, image: tool, command: [prepare], env: [{name: A, value: "1"}]}]
  containers:
  - name: web
    image: nginx
    command: [nginx]
    args: ["-g", "daemon off;"]
    ports: [{containerPort: 80}, {containerPort: 53, protocol: UDP}]
    env:
    - {name: TOKEN, valueFrom: {secretKeyRef: {name: keys, key: token}}}
    - {name: MODE, valueFrom: {configMapKeyRef: {name: settings, key: mode}}}
    resources: {requests: {cpu: 500m, memory: 512Mi}, limits: {cpu: "1"}}
    volumeMounts: [{name: keys, mountPath: /keys, readOnly: true}, {name: share, mountPath: /share}]
    livenessProbe: {httpGet: {path: /, port: 80, scheme: HTTP, httpHeaders: [{name: A, value: b}]}, periodSeconds: 5}
    readinessProbe: {exec: {command: [ready]}, failureThreshold: 2}
    securityContext: {runAsUser: 5, capabilities: {drop: [ALL]}}
  volumes:
  - {name: keys, secret: {secretName: keys}}
  - {name: files, configMap: {name: settings}}
  - {name: scratch, emptyDir: {}}
  - {name: share, azureFile: {secretName: account, shareName: data}}
  - {name: code, gitRepo: {repository: "https://example.org/x", revision: main}}
  dnsConfig: {nameservers: [10.0.0.1], searches: [a.b], options: [{name: ndots, value: "2"}]}
---
{apiVersion: v1, kind: Secret, metadata: {name: keys}, stringData: {token: t0ken}}
---
apiVersion: v1
kind: Secret
metadata: {name: account}
stringData: {azurestorageaccountname: acc, azurestorageaccountkey: a2V5}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {mode: fast}}
---
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {service.beta.kubernetes.io/azure-dns-label-name: label}}
spec: {type: LoadBalancer, ports: [{port: 80}]}
"""


def test_a_pod_becomes_a_group() -> None:
    group = from_pod(FULL, location="eastus")
    assert (group.name, group.location, group.tags, group.restart_policy) == (
        "web", "eastus", {"app": "web"}, "OnFailure",
    )  # fmt: skip
    (web,) = group.containers
    assert web.command == ["nginx", "-g", "daemon off;"]
    assert [(one.name, one.value, one.secure_value) for one in web.environment_variables] == [
        ("TOKEN", None, "t0ken"), ("MODE", "fast", None),
    ]  # fmt: skip
    assert (web.resources.requests.cpu, web.resources.requests.memory_in_gb, web.resources.limits.cpu) == (0.5, 0.5, 1)
    assert (web.liveness_probe.http_get.port, web.liveness_probe.period_seconds) == (80, 5)
    volumes = {volume.name: volume for volume in group.volumes}
    assert volumes["keys"].secret == {"token": "dDBrZW4="} and volumes["files"].secret == {"mode": "ZmFzdA=="}
    assert volumes["share"].azure_file.storage_account_key == "a2V5"
    assert (group.ip_address.dns_name_label, group.ip_address.ports[0].port) == ("label", 80)
    assert (group.dns_config.search_domains, group.dns_config.options) == ("a.b", "ndots:2")


def test_a_group_becomes_a_pod_and_comes_back() -> None:
    group = from_pod(FULL)
    assert from_pod(to_pod(group)) == group
    assert "t0ken" not in to_pod(group)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("spec: {containers: [{name: a, image: i, tty: true}]}", "spec.containers[0].tty"),
        ("spec: {containers: [{name: a, image: i}], hostNetwork: true}", "spec.hostNetwork"),
        ("spec: {containers: [{name: a, image: i, args: [x]}]}", "spec.containers[0].args"),
        ("spec: {containers: [{name: a, image: i, livenessProbe: {tcpSocket: {port: 1}}}]}",
         "spec.containers[0].livenessProbe.tcpSocket"),
        ("spec: {containers: [{name: a, image: i, resources: {limits: {cpu: lots}}}]}",
         "spec.containers[0].resources.limits.cpu"),
        ("spec: {containers: [{name: a, image: i}], volumes: [{name: v, hostPath: {path: /}}]}",
         "spec.volumes[0].hostPath"),
        ("spec: {containers: [{name: a, image: i}], volumes: [{name: v, secret: {secretName: no}}]}",
         "spec.volumes[0].secret.secretName"),
        ("spec: {containers: []}", "spec.containers"),
        ("spec: {containers: [{name: a, image: i}], volumes: [{name: v, emptyDir: {medium: Memory}}]}",
         "spec.volumes[0].emptyDir.medium"),
        ("spec: {containers: [{name: a, image: i}], volumes: [{name: v, emptyDir: {sizeLimit: 1Gi}}]}",
         "spec.volumes[0].emptyDir.sizeLimit"),
        ("spec: {containers: [{name: a, image: i, imagePullPolicy: Never}]}", "spec.containers[0].imagePullPolicy"),
        ("spec: {containers: [{name: a, image: i}], initContainers: [{name: b, image: i, imagePullPolicy: Always}]}",
         "spec.initContainers[0].imagePullPolicy"),
        ("spec: {containers: [{name: a, image: i, imagePullPolicy: Now}]}", "spec.containers[0].imagePullPolicy"),
        ("spec: {containers: [{name: a, image: i}], terminationGracePeriodSeconds: 1.5}",
         "spec.terminationGracePeriodSeconds"),
        ("spec: {containers: [{name: a, image: i}], terminationGracePeriodSeconds: -1}",
         "spec.terminationGracePeriodSeconds"),
    ],
)  # fmt: skip
def test_what_a_group_can_not_do_names_its_key(text: str, key: str) -> None:
    with pytest.raises(PodError) as caught:
        from_pod(f"kind: Pod\nmetadata: {{name: a}}\n{text}")
    assert caught.value.key == key


@pytest.mark.parametrize(
    "text",
    [
        "{containers: [{name: a, image: i, imagePullPolicy: IfNotPresent}]}",
        "{containers: [{name: a, image: 'i@sha256:1', imagePullPolicy: Always}]}",
        "{containers: [{name: a, image: i}], volumes: [{name: v, emptyDir: {medium: '', sizeLimit: null}}]}",
    ],
)
def test_what_a_group_does_anyway_may_be_said(text: str) -> None:
    assert from_pod(f"kind: Pod\nmetadata: {{name: a}}\nspec: {text}").name == "a"


def test_the_time_to_end_in_is_a_tag_and_comes_back() -> None:
    spec = "spec: {containers: [{name: a, image: i, ports: [{containerPort: 80}]}], terminationGracePeriodSeconds: 90}"
    text = f"kind: Pod\nmetadata: {{name: a, labels: {{app: web}}}}\n{spec}"
    service = "kind: Service\nspec: {type: LoadBalancer, ports: [{port: 80}]}"
    group = from_pod(f"{text}\n---\n{service}")
    assert group.tags == {"app": "web", "hythe.shutdown-grace": "90"}

    pod, balancer = yaml.safe_load_all(to_pod(group))

    assert pod["spec"]["terminationGracePeriodSeconds"] == 90
    assert pod["metadata"]["labels"] == balancer["spec"]["selector"] == {"app": "web"}
    assert from_pod(to_pod(group)) == group


@pytest.mark.parametrize(("tag", "seconds"), [("0", 0), ("PT1M", 60)])
def test_the_tag_is_read_as_the_service_reads_it(tag: str, seconds: int) -> None:
    group = ContainerGroup(name="a", location="x", containers=[], tags={"hythe.shutdown-grace": tag})
    assert yaml.safe_load(to_pod(group))["spec"]["terminationGracePeriodSeconds"] == seconds


@pytest.mark.parametrize("tag", ["soon", "-PT1S", ""])
def test_a_tag_that_is_no_time_is_named(tag: str) -> None:
    with pytest.raises(PodError, match=r"tags\.hythe\.shutdown-grace"):
        to_pod(ContainerGroup(location="x", containers=[], tags={"hythe.shutdown-grace": tag}))


@pytest.mark.parametrize("text", ["kind: Deployment", "", "a: [", "[]", "kind: Secret\nmetadata: {name: a}"])
def test_what_is_no_pod_is_refused(text: str) -> None:
    with pytest.raises(PodError):
        from_pod(text)


def test_what_a_pod_can_not_do_is_named() -> None:
    with pytest.raises(PodError, match="identity"):
        to_pod(ContainerGroup(location="x", containers=[], identity=ContainerGroupIdentity(type="SystemAssigned")))


def test_quantities() -> None:
    assert [cores(each, "k") for each in ("500m", 2, "0.1")] == [0.5, 2.0, 0.1]
    assert [gigabytes(each, "k") for each in ("1Gi", "512Mi", 1 << 30)] == [1.0, 0.5, 1.0]
    assert round(gigabytes("1G", "k"), 3) == 0.931
