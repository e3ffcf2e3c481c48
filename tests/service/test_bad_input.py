"""Bad input: the code and sentence that Azure has, nothing created, nothing lost."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest

from hythe.engines.sim import Outcome

from .harness import FOLDER, GROUPS, SUBSCRIPTION, Everybody, container, group, running


def without(body: dict[str, Any], *path: str | int) -> dict[str, Any]:
    """Copy a body without one member."""
    copied = copy.deepcopy(body)
    place: Any = copied
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return copied


def posted(**members: object) -> dict[str, Any]:
    return {"logAnalytics": {"workspaceId": "w", "workspaceKey": "a2V5"} | members}


def seccomp(**members: object) -> str:
    return base64.b64encode(json.dumps({"defaultAction": "SCMP_ACT_ALLOW"} | members).encode()).decode()


REQUESTS = ("properties", "containers", 0, "properties", "resources", "requests")
ADDRESS = {"type": "Public", "ports": [{"port": 80}]}

BAD = [
    ("web", without(group(), "properties", "osType"), "InvalidOsType"),
    ("web", group(osType="Windows"), "FeatureNotSupported"),
    ("Web", group(), "InvalidContainerGroupName"),
    ("w--b", group(), "InvalidContainerGroupName"),
    ("web", group(container("Bad_Name")), "InvalidContainerName"),
    ("web", group(container("a"), container("a")), "DuplicateContainerNames"),
    ("web", without(group(), *REQUESTS), "ResourceRequestsNotSpecified"),
    ("web", without(group(), *REQUESTS, "cpu"), "ResourceSomeRequestsNotSpecified"),
    ("web", group(container(ports=[{"port": 0}])), "InvalidContainerPorts"),
    ("web", group(container(ports=[{"port": 65536}])), "InvalidContainerPorts"),
    ("web", group(container("a", ports=[{"port": 1}]), container("b", ports=[{"port": 1}])), "DuplicateContainerPorts"),
    ("web", group(ipAddress={"type": "Public", "ports": []}), "MissingIpAddressPorts"),
    ("web", group(ipAddress=ADDRESS), "UnreferencedIpAddressPorts"),
    (
        "web",
        group(container(ports=[{"port": 80}]), ipAddress=ADDRESS | {"dnsNameLabel": "No"}),
        "InvalidDnsNameLabel",
    ),
    (
        "web",
        group(container(environmentVariables=[{"name": "1x", "value": "v"}])),
        "InvalidContainerEnvironmentVariable",
    ),
    ("web", group(container(environmentVariables=[{"name": "A"}])), "InvalidEnvironmentVariable"),
    (
        "web",
        group(container(environmentVariables=[{"name": "A", "value": "a", "secureValue": "b"}])),
        "InvalidEnvironmentVariable",
    ),
    (
        "web",
        group(imageRegistryCredentials=[{"server": "a"}, {"server": "b"}]),
        "MoreImageRegistryCredentialsThanContainers",
    ),
    ("web", group(restartPolicy="Sometimes"), "InvalidRestartPolicy"),
    ("web", group(diagnostics=posted(logType="Everything")), "InvalidLogAnalyticsLogType"),
    ("web", group(diagnostics=posted(logType="ContainerInstanceLogs", metadata={})), "LogAnalyticsMetadataNotAllowed"),
    ("web", group(diagnostics=posted(metadata={"node-name": "n"})), "LogAnalyticsMetadataNotAllowed"),
    ("web", group(container(image="")), "InvalidImageName"),
    ("web", group(container(image="nowhere")), "InaccessibleImage"),
    ("web", group(container(securityContext={"privileged": True})), "PrivilegedContainerNotAllowed"),
    (
        "web",
        group(container(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}})),
        "PrivilegedContainerNotAllowed",
    ),
    ("web", group(container(securityContext={"capabilities": {"drop": ["FLY"]}})), "InvalidSecurityContext"),
    ("web", group(container(securityContext={"runAsGroup": 1})), "InvalidSecurityContext"),
    ("web", group(container(securityContext={"runAsUser": -1})), "InvalidSecurityContext"),
    ("web", group(container(securityContext={"seccompProfile": "not base64!"})), "InvalidSecurityContext"),
    (
        "web",
        group(container(securityContext={"seccompProfile": seccomp(listenerPath="/run/x.sock")})),
        "InvalidSecurityContext",
    ),
    ("web", group(container(livenessProbe={})), "InvalidProbe"),
    ("web", group(container(livenessProbe={"exec": {"command": []}})), "InvalidProbe"),
    ("web", group(container(livenessProbe={"exec": {"command": ["x"]}, "httpGet": {"port": 80}})), "InvalidProbe"),
    ("web", group(container(livenessProbe={"exec": {"command": ["x"]}, "successThreshold": 2})), "InvalidProbe"),
    ("web", group(container(readinessProbe={"exec": {"command": ["x"]}, "periodSeconds": 0})), "InvalidProbe"),
    ("web", group(container(readinessProbe={"httpGet": {"port": 0}})), "InvalidProbe"),
    ("web", group(container(readinessProbe={"httpGet": {"port": 80, "scheme": "ftp"}})), "InvalidProbe"),
    ("web", group(container(readinessProbe={"httpGet": {"port": 80, "path": "/a b"}})), "InvalidProbe"),
    (
        "web",
        group(
            container(readinessProbe={"httpGet": {"port": 80, "httpHeaders": [{"name": "A", "value": "b\r\nC: d"}]}})
        ),
        "InvalidProbe",
    ),
    ("web", group(dnsConfig={"nameServers": ["one.example"]}), "InvalidDnsConfig"),
    ("web", group(dnsConfig={"nameServers": []}), "InvalidDnsConfig"),
    (
        "web",
        group(dnsConfig={"nameServers": ["192.0.2.1"], "options": "a\nnameserver 192.0.2.9 x:y"}),
        "InvalidDnsConfig",
    ),
    ("web", group(provisioningTimeoutInSeconds=0), "InvalidProvisioningTimeout"),
    ("web", group(provisioningTimeoutInSeconds=1801), "InvalidProvisioningTimeout"),
    ("web", group() | {"tags": {"hythe.ttl": "soon"}}, "InvalidTag"),
    ("web", group() | {"tags": {"hythe.nonsense": "1"}}, "InvalidTag"),
    ("web", group() | {"identity": {"type": "UserAssigned"}}, "InvalidIdentity"),
    ("web", group() | {"identity": {"type": "UserAssigned", "userAssignedIdentities": {"/x": {}}}}, "InvalidIdentity"),
    ("web", group() | {"identity": {"type": "Borrowed"}}, "InvalidIdentity"),
    ("web", group(subnetIds=[{"id": "x"}]), "LinkedInvalidPropertyId"),
    (
        "web",
        group(container(resources={"requests": {"cpu": 1, "memoryInGB": 1}, "limits": {"cpu": 0.5, "memoryInGB": 1}})),
        "ResourceLimitsLessThanRequests",
    ),
    (
        "web",
        group(container(resources={"requests": {"cpu": 1, "memoryInGB": 1}, "limits": {"cpu": 2, "memoryInGB": 1}})),
        "ContainerLimitGreaterThanContainerGroupTotalRequest",
    ),
    ("web", group(container(resources={"requests": {"cpu": 0, "memoryInGB": 1}})), "InvalidResourceRequests"),
    ("web", group(container(resources={"requests": {"cpu": 1, "memoryInGB": 1e99}})), "InvalidResourceRequests"),
    ("web", group(priority="Low"), "PriorityNotSpecified"),
    (
        "web",
        group(container(ports=[{"port": 80}]), ipAddress=ADDRESS, priority="Spot"),
        "SpotPriorityContainerGroupNotSupportedForInboundConnectivity",
    ),
    ("web", group(priority="Spot", sku="Dedicated"), "SpotPriorityContainerGroupNotSupportedInSku"),
    (
        "web",
        group(
            container(resources={"requests": {"cpu": 1, "memoryInGB": 1, "gpu": {"count": 1, "sku": "V100"}}}),
            priority="Spot",
        ),
        "SpotPriorityContainerGroupWithGPUResourcesNotSupported",
    ),
    ("web", group(priority="Spot", subnetIds=[{"id": "x"}]), "SpotPriorityContainerGroupNotSupportedInVirtualNetwork"),
    ("web", group(priority="Spot") | {"zones": ["1"]}, "SpotPriorityContainerGroupNotSupportedInZones"),
    (
        "web",
        group(container(ports=[{"port": 80}]), ipAddress=ADDRESS, subnetIds=[{"id": "x"}]),
        "InvalidIpAddressTypeForNetworkProfile",
    ),
    (
        "web",
        group(container(ports=[{"port": 80}]), ipAddress=ADDRESS | {"type": "Private"}),
        "InvalidIpAddressTypeForNetworkProfile",
    ),
    (
        "web",
        group(
            container(ports=[{"port": 80}]),
            ipAddress=ADDRESS | {"type": "Private", "dnsNameLabel": "hello"},
            subnetIds=[{"id": "x"}],
        ),
        "DnsNameLabelNotSupportedForNetworkProfile",
    ),
    (
        "web",
        group(container(ports=[{"port": 80}]), ipAddress=ADDRESS | {"autoGeneratedDomainNameLabelScope": "Mine"}),
        "InvalidAutoGeneratedDomainNameLabelScope",
    ),
    ("web", group(container(ports=[{"port": 80, "protocol": "SCTP"}])), "InvalidPortProtocol"),
    ("web", group(imageRegistryCredentials=[{"server": "a", "username": "u"}]), "InvalidImageRegistryCredential"),
    ("web", group(subnetIds=[{"id": "/x/networkProfiles/p"}]), "NetworkProfileNotFound"),
    ("web", {"location": "eastus"}, "InvalidOsType"),
    ("web", {"location": "eastus", "properties": {"osType": "Linux", "containers": "x"}}, "InvalidRequestContent"),
    ("web", [], "InvalidRequestContent"),
]


@pytest.mark.parametrize(("name", "body", "code"), BAD)
async def test_refused_with_its_code_and_nothing_created(name: str, body: Any, code: str) -> None:
    async with running({"nowhere": Outcome(pull_error="not there")}) as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/{name}", body)
        held = (await service.ask("GET", GROUPS)).json["value"]
        ran = service.engine.groups

    assert (reply.status, reply.code) == (400, code)
    assert reply.json["error"]["message"]
    assert (held, ran) == ([], {})
    assert "retry-after" not in reply.headers


@pytest.mark.parametrize("raw", [b"", b"{", b'{"a":', b"\xff\xfe", b"nonsense", b"[" * 100_000])
async def test_malformed_json(raw: bytes) -> None:
    async with running() as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/web", raw=raw)

    assert (reply.status, reply.code) == (400, "InvalidRequestContent")


async def test_every_problem_is_reported_with_its_path() -> None:
    body = group(container("A", ports=[{"port": 0}]), container("b", image=""))
    async with running() as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/web", body)

    details = {each["code"]: each["target"] for each in reply.json["error"]["details"]}
    assert details == {
        "InvalidContainerName": "properties.containers[0].name",
        "InvalidContainerPorts": "properties.containers[0].properties.ports",
        "InvalidImageName": "properties.containers[1].properties.image",
    }
    assert reply.code == "InvalidContainerName"


async def test_one_problem_is_reported_once() -> None:
    async with running() as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/web", group() | {"tags": {"hythe.nonsense": "1"}})

    assert (reply.json["error"]["target"], "details" in reply.json["error"]) == ("tags.hythe.nonsense", False)


async def test_several_images_that_can_not_be_had_are_told_together() -> None:
    outcomes = {"a": Outcome(pull_error="no"), "b": Outcome(pull_error="RegistryErrorResponse index.docker.io")}
    body = group(container("one", image="a"), container("two", image="b"), container("three", image="a"))
    async with running(outcomes) as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/web", body)

    assert (reply.status, reply.code) == (400, "MultipleErrorsOccurred")
    assert reply.json["error"]["message"] == (
        "Multiple error occurred: 'BadRequest':'InaccessibleImage':'The image 'a' in container group 'web' is not "
        "accessible. Please check the image and registry credential.';'Conflict':'RegistryErrorResponse':'An error "
        "response is received from the docker registry 'index.docker.io'. Please retry later.'."
    )
    codes = [each["code"] for each in reply.json["error"]["details"]]
    assert codes == ["InaccessibleImage", "RegistryErrorResponse"]


async def test_a_group_whose_image_is_gone_is_not_started_anew() -> None:
    outcomes: dict[str, Outcome] = {}
    async with running(outcomes) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())
        service.engine.outcomes["image"] = Outcome(pull_error="gone")
        restarted = await service.ask("POST", f"{GROUPS}/web/restart")
        running_on = (await service.ask("GET", f"{GROUPS}/web")).json["properties"]["instanceView"]["state"]
        await service.ask("POST", f"{GROUPS}/web/stop")
        started = await service.ask("POST", f"{GROUPS}/web/start")
        del service.engine.outcomes["image"]
        again = await service.ask("POST", f"{GROUPS}/web/start")

    assert (restarted.status, restarted.code, running_on) == (400, "MultipleErrorsOccurred", "Running")
    assert restarted.json["error"]["message"].startswith("Multiple error occurred: 'BadRequest':'InaccessibleImage':'")
    assert (started.status, started.code, again.status) == (400, "InaccessibleImage", 202)


async def test_missing_member_is_named_with_its_path() -> None:
    body = group(container(environmentVariables=[{"value": "x"}]))
    async with running() as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/web", body)

    assert "Required property 'name' not found in JSON" in reply.json["error"]["message"]
    assert "environmentVariables[0]" in reply.json["error"]["message"]


async def test_what_cannot_be_changed_in_place() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())
        policy = await service.ask("PUT", f"{GROUPS}/web", group(restartPolicy="Never"))
        size = await service.ask(
            "PUT",
            f"{GROUPS}/web",
            group(container(resources={"requests": {"cpu": 2, "memoryInGB": 1}})),
        )
        place = await service.ask("PUT", f"{GROUPS}/web", group() | {"location": "westus"})
        same = await service.ask("GET", f"{GROUPS}/web")

    assert policy.code == size.code == "InvalidContainerGroupUpdate"
    assert (place.status, place.code) == (409, "InvalidResourceLocation")
    assert same.json["properties"]["instanceView"]["state"] == "Running"


async def test_a_registry_that_fails_is_another_trouble_than_a_missing_image() -> None:
    outcome = Outcome(pull_error="RegistryErrorResponse index.docker.io")
    async with running({"nowhere": outcome}) as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/web", group(container(image="nowhere")))

    assert (reply.status, reply.code) == (409, "RegistryErrorResponse")
    assert "docker registry 'index.docker.io'. Please retry later." in reply.json["error"]["message"]


async def test_an_image_of_another_system() -> None:
    async with running({"nano": Outcome(pull_error="OsVersionNotSupported")}) as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/web", group(container(image="nano")))

    assert (reply.status, reply.code) == (400, "OsVersionNotSupported")
    assert reply.json["error"]["message"] == "The OS version of image 'nano' is not supported."


async def test_a_policy_that_is_no_base64_is_told_although_none_is_taken() -> None:
    async with running() as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/web", group(confidentialComputeProperties={"ccePolicy": "%%%"}))

    details = {each["code"]: each["message"] for each in reply.json["error"]["details"]}
    assert details["InvalidCcePolicy"] == "The CCE Policy is not valid Base64."
    assert "FeatureNotSupported" in details


async def test_subnet_cannot_be_changed_in_place() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())
        row = service.store.get(f"{GROUPS}/web".lower())
        spec = row.spec.replace(b'"osType"', b'"subnetIds":[{"id":"/a"}],"osType"')
        service.store.annotate(row.key, row.uid, spec, wake_at=0.0)
        await service.ask("POST", f"{GROUPS}/web/stop")
        reply = await service.ask("PUT", f"{GROUPS}/web", group())

    assert (reply.status, reply.code) == (400, "InvalidContainerGroupUpdate")


async def test_group_that_has_ended_is_made_anew_with_what_it_asks_for() -> None:
    wanted = group(container(resources={"requests": {"cpu": 2, "memoryInGB": 1}}), restartPolicy="Never")
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())
        await service.ask("POST", f"{GROUPS}/web/stop")
        reply = await service.ask("PUT", f"{GROUPS}/web", wanted)

    assert reply.status == 200
    assert reply.json["properties"]["instanceView"]["state"] == "Running"
    assert reply.json["properties"]["containers"][0]["properties"]["resources"]["requests"]["cpu"] == 2


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"{GROUPS}/none", 404, "ResourceNotFound"),
        ("POST", f"{GROUPS}/none/stop", 404, "ResourceNotFound"),
        ("GET", f"{GROUPS}/none/containers/c/logs", 404, "ResourceNotFound"),
        ("GET", GROUPS.replace("/rg/", "/other/"), 404, "ResourceGroupNotFound"),
        ("GET", f"{GROUPS.replace('/rg/', '/other/')}/web", 404, "ResourceGroupNotFound"),
        ("GET", GROUPS.replace(SUBSCRIPTION, "33333333-3333-3333-3333-333333333333"), 404, "SubscriptionNotFound"),
        ("GET", f"{FOLDER}/providers/Microsoft.Nothing/things", 404, "InvalidResourceNamespace"),
        ("GET", f"{FOLDER}/providers/Microsoft.ContainerInstance/things", 404, "InvalidResourceType"),
        ("GET", "/nothing", 404, "NotFound"),
        ("POST", GROUPS, 405, "MethodNotAllowed"),
    ],
)
async def test_what_is_not_there(method: str, path: str, status: int, code: str) -> None:
    async with running() as service:
        await service.make_folder()
        reply = await service.ask(method, path)

    assert (reply.status, reply.code) == (status, code)


@pytest.mark.parametrize(
    ("method", "path", "version", "status", "code"),
    [
        ("GET", f"{GROUPS}/web", None, 400, "MissingApiVersionParameter"),
        ("GET", f"{GROUPS}/web", "newest", 400, "InvalidApiVersionParameter"),
        ("PUT", f"{GROUPS}/web", "1999-01-01", 400, "NoRegisteredProviderFound"),
        ("GET", GROUPS, "1999-01-01", 404, "InvalidResourceType"),
    ],
)
async def test_api_version(method: str, path: str, version: str | None, status: int, code: str) -> None:
    async with running() as service:
        await service.make_folder()
        reply = await service.ask(method, path, group(), version=version)

    assert (reply.status, reply.code) == (status, code)


async def test_no_token_and_no_bearer() -> None:
    async with running() as service:
        none = await service.ask("GET", GROUPS, headers={"authorization": ""})
        basic = await service.ask("GET", GROUPS, headers={"authorization": "Basic eDp5"})

    assert (none.status, none.code) == (401, "AuthenticationFailed")
    assert (basic.status, basic.code) == (401, "AuthenticationFailedInvalidHeader")
    assert none.headers["www-authenticate"].startswith("Bearer authorization_uri=")


async def test_foreign_host_is_refused() -> None:
    async with running() as service:
        reply = await service.ask("GET", GROUPS, headers={"host": "evil.example"})

    assert (reply.status, reply.code) == (421, "MisdirectedRequest")


class WithAuthority(Everybody):
    """Has an authority, which tells when it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def authority(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(dict(scope["headers"])[b"host"].decode())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    def is_authority_path(self, path: str) -> bool:
        return path.endswith("/oauth2/token")


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", ""])
async def test_foreign_host_is_refused_where_tokens_are_given_too(host: str) -> None:
    identity = WithAuthority()
    async with running(identity=identity) as service:
        reply = await service.ask("POST", "/common/oauth2/token", headers={"host": host, "authorization": ""})
        known = await service.ask("POST", "/common/oauth2/token", headers={"authorization": ""})

    assert (reply.status, reply.code, known.status) == (421, "MisdirectedRequest", 200)
    assert identity.asked == ["localhost"]


@pytest.mark.parametrize("path", ["/common/oauth2/token", GROUPS])
@pytest.mark.parametrize("hosts", [("localhost", "evil.example"), ("evil.example", "localhost")])
async def test_two_hosts_are_none(path: str, hosts: tuple[str, str]) -> None:
    identity = WithAuthority()
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    async with running(identity=identity) as service:
        headers = [(b"host", host.encode()) for host in hosts]
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
        await service.gate(scope, receive, send)

    assert (sent[0]["status"], identity.asked) == (421, [])


async def test_a_fault_of_the_service_says_nothing_of_its_inside() -> None:
    async with running() as service:
        await service.make_folder()

        def broken(*_: object) -> None:
            raise RuntimeError("inside")

        service.store.get = broken  # type: ignore[assignment,method-assign]
        reply = await service.ask("GET", f"{GROUPS}/web")

    assert (reply.status, reply.code) == (500, "InternalServerError")
    assert b"inside" not in reply.raw
