"""Tests the other pure rules: retries, addresses, errors, auth files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hythe import errors
from hythe.client.addresses import is_loopback, origin, resource_url, safe_base
from hythe.client.auth_file import read_auth_file
from hythe.client.documents import error_of
from hythe.client.retry import delay_before_retry
from hythe.client.transport import Response
from hythe.errors import ConnectionFailed, CredentialError, Reason, ServiceError
from hythe.models import Event

from .script import answer, fault


@pytest.mark.parametrize(
    ("outcome", "idempotent", "delay"),
    [
        (answer(200), True, None),
        (answer(500), True, 0.2),
        (answer(500), False, None),
        (answer(501), True, None),
        (answer(503), True, 0.2),
        (answer(503), False, None),
        (answer(429, retry_after="3"), True, 3),
        (answer(429, retry_after="3"), False, 3),
        (answer(429, retry_after="61"), True, None),
        (answer(404, retry_after="1"), True, None),
        ("refused", True, 0.2),
        ("refused", False, 0.2),
        ("lost", True, 0.2),
        ("lost", False, None),
        ("timeout", True, None),
        ("untrusted", True, None),
    ],
)
def test_retry_rules(outcome: Response | Reason, idempotent: bool, delay: float | None) -> None:
    happened = outcome if isinstance(outcome, Response) else ConnectionFailed("x", reason=outcome)
    assert delay_before_retry(happened, tries=1, idempotent=idempotent, jitter=0.5) == delay
    assert delay_before_retry(happened, tries=4, idempotent=idempotent, jitter=0.5) is None
    assert delay_before_retry(happened, tries=1, idempotent=idempotent, jitter=0.5, retries=0) is None
    assert delay_before_retry(happened, tries=1, idempotent=idempotent, jitter=0.5, remaining=0.1) is None


def test_back_off_doubles_and_is_never_the_same_for_all() -> None:
    def delays(jitter: float) -> list[float | None]:
        return [delay_before_retry(answer(503), tries=n, idempotent=True, jitter=jitter) for n in (1, 2, 3)]

    assert delays(0) == [0.1, 0.2, 0.4]
    assert delays(1) == pytest.approx([0.3, 0.6, 1.2])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://localhost:8443/x", True),
        ("https://aci.dsts.LOCALHOST./", True),
        ("http://127.0.0.1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:80/", True),
        ("https://127.0.0.1.example/", False),
        ("https://localhost.example/", False),
        ("https://127.0.0.1@example/", False),
        ("https://management.azure.com", False),
    ],
)
def test_what_is_on_this_machine(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


def test_origins() -> None:
    assert origin("HTTPS://Host/x") == origin("https://host:443") == "https://host:443"
    assert origin("http://[::1]/") == "http://[::1]:80"
    for bad in ("", "host", "ftp://host", "//host/x", "https://", "https://host:port/"):
        with pytest.raises(ValueError, match=r"."):
            origin(bad)


@pytest.mark.parametrize("url", ["https://u:p@host", "https://host?x=1", "https://host#x", "http://host", "host:1"])
def test_addresses_that_are_no_base(url: str) -> None:
    with pytest.raises(ValueError, match=r"base_url|absolute"):
        safe_base(url, "base_url")


def test_bases_may_have_a_path() -> None:
    assert safe_base("https://host/arm/", "base_url") == "https://host/arm"
    assert resource_url("https://host/arm", ["a b", "c"], {"v": "1"}) == "https://host/arm/a%20b/c?v=1"


def test_details_are_shown() -> None:
    details = [{"code": "A", "message": "first", "target": "$.x"}, {"oops": 1}]
    body = {"error": {"code": "Many", "message": "several", "details": details}}
    error = error_of(answer(400, body, **{"x-ms-request-id": "r:1"}), "do it")
    assert isinstance(error, errors.InvalidRequest)
    assert [(one.code, one.target) for one in error.details] == [("A", "$.x")]
    assert "first [A] $.x" in str(error)
    assert error.request_id == "r:1"


@pytest.mark.parametrize(
    ("body", "said"), [(b"", "gave no reason"), (b"plain words", "plain words"), (b'{"error":{}}', "gave no reason")]
)
def test_an_error_without_an_arm_body(body: bytes, said: str) -> None:
    assert said in str(error_of(answer(502, body), "do it"))


def test_the_tree_is_the_one_that_is_drawn() -> None:
    drawn = errors.__doc__ or ""
    for name in errors.__all__:
        if name != "Detail":
            assert name in drawn


AUTH = {
    "clientId": "app",
    "clientSecret": "s3cret",
    "subscriptionId": "sub",
    "tenantId": "tenant",
    "activeDirectoryEndpointUrl": "https://localhost:8443",
    "resourceManagerEndpointUrl": "https://localhost:8443/",
    "galleryEndpointUrl": None,
}


def test_an_auth_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "my.azureauth"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(AUTH).encode())
    auth = read_auth_file(file)
    assert (auth.client_id, auth.client_secret, auth.loopback_ca) == ("app", "s3cret", None)
    assert "s3cret" not in repr(auth)
    (tmp_path / "ca.pem").write_text("x")
    assert read_auth_file(file).loopback_ca == str(tmp_path / "ca.pem")


def test_no_auth_file_is_named() -> None:
    with pytest.raises(CredentialError, match="AZURE_AUTH_LOCATION is not set"):
        read_auth_file()


def test_the_auth_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match="No such file"):
        read_auth_file(tmp_path / "missing")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"clientSecret": "s3cret" oops'])
def test_the_auth_file_is_no_json_object(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad"
    file.write_text(text)
    with pytest.raises(CredentialError, match="not a JSON object") as caught:
        read_auth_file(file)
    assert "s3cret" not in str(caught.value)


def test_the_auth_file_lacks_members(tmp_path: Path) -> None:
    file = tmp_path / "short"
    file.write_text(json.dumps({**AUTH, "clientSecret": "", "tenantId": None}))
    with pytest.raises(CredentialError, match="it has no clientSecret, tenantId"):
        read_auth_file(file)


@pytest.mark.parametrize(
    ("status", "code", "cls"),
    [
        (400, "InaccessibleImage", errors.ImageInaccessible),
        (409, "RegistryErrorResponse", errors.ImageInaccessible),
        (400, "X", errors.InvalidRequest),
        (401, "X", errors.AuthenticationFailed),
        (403, "X", errors.Forbidden),
        (404, "X", errors.NotFound),
        (409, "ContainerGroupTransitioning", errors.Conflict),
        (409, "ContainerGroupQuotaReached", errors.QuotaExceeded),
        (400, "ContainerGroupQuotaReached", errors.QuotaExceeded),
        (409, "MissingSubscriptionRegistration", errors.NotRegistered),
        (429, "X", errors.Throttled),
        (418, "X", ServiceError),
        (500, "X", errors.ServiceFault),
        (503, "ServiceUnavailable", errors.ServiceFault),
    ],
)
def test_every_error_has_a_meaning_and_says_what_to_do_next(status: int, code: str, cls: type[ServiceError]) -> None:
    error = error_of(fault(status, code, "It is so.", x_ms_request_id="r"), "do it")
    assert type(error) is cls
    assert isinstance(error, ServiceError)
    assert cls.advice or cls is ServiceError
    first, *advice = str(error).splitlines()
    assert first == f"cannot do it: It is so. [{code}, HTTP {status}]"
    assert advice == [cls.advice] * bool(cls.advice)
    assert error.request_id == "r"


@pytest.mark.parametrize(
    ("code", "message", "events", "advice"),
    [
        ("InaccessibleImage", "no", [], "Check the image's name"),
        ("RegistryErrorResponse", "no", [], "Check the image's name"),
        ("OperationFailed", "no", [Event(name="Failed", message="Failed to pull image", type="Warning")], "registry"),
        ("X", "container group quota 'StandardCores' exceeded", [], "quota raised"),
        ("X", "Output: mount error(13)", [], "share"),
        ("OperationCanceled", "x", [], "Somebody canceled"),
        ("X", "y", [], "Get the resource"),
    ],
)
def test_a_failed_operation_says_what_to_do_next(code: str, message: str, events: list[Event], advice: str) -> None:
    error = errors.OperationFailed("do it", code=code, message=message, events=events)
    first, *middle, last = str(error).splitlines()
    assert first == f"cannot do it: {message} [{code}]"
    assert middle == [f"  - {event.name}: {event.message}" for event in events]
    assert advice in last
    assert error.events == tuple(events)


def test_an_error_that_stands_for_several_means_what_they_mean() -> None:
    details = [{"code": "InaccessibleImage", "message": "One."}, {"code": "InaccessibleImage", "message": "Two."}]
    body = {"error": {"code": "MultipleErrorsOccurred", "message": "Multiple error occurred: x.", "details": details}}
    made = error_of(answer(400, body), "create it")
    assert type(made) is errors.ImageInaccessible and len(made.details) == 2


def test_too_many_cores_are_told_by_the_message() -> None:
    message = "container group quota 'StandardCores' exceeded in region 'eastus'. Limit: '10', Usage: '0'."
    body = {"error": {"code": "ServiceUnavailable", "message": message}}
    made = error_of(answer(409, body), "create it")
    assert type(made) is errors.QuotaExceeded and "another region" in str(made)
