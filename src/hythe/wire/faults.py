"""Faults: what the service says when it can't do something.  One class; one function per known code.

Codes and sentences are the ones that Azure's own service uses, so that programs that match on them work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus

import msgspec
from msgspec import Struct

SEVERAL = "MultipleErrorsOccurred"
"""The code of an error that stands for those in its details."""


class Detail(Struct, kw_only=True, omit_defaults=True):
    """One problem of a request: its code, a sentence, and the JSON path of the member it is about."""

    code: str
    message: str
    target: str = ""


class Fault(Exception):
    """An answer of 400 or more: ``{"error": {"code", "message", "target"?, "details"?}}``."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str = "",
        details: Sequence[Detail] = (),
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.details = tuple(details)
        self.headers = tuple(headers)

    @property
    def body(self) -> bytes:
        """The ARM error document."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.target:
            error["target"] = self.target
        if self.details:
            error["details"] = self.details
        return msgspec.json.encode({"error": error})


def bad_request(problems: Sequence[Detail]) -> Fault:
    """Report every problem of a body: the first is the code of the answer, all are its details."""
    first = problems[0]
    if len(problems) == 1:
        return Fault(400, first.code, first.message, target=first.target)
    return Fault(400, first.code, first.message, details=problems)


def several(faults: Sequence[Fault]) -> Fault:
    """Report what else than the body is wrong, all in one, as Azure does for images: its texts stand in the message."""
    told = ";".join(
        f"'{HTTPStatus(fault.status).phrase.replace(' ', '')}':'{fault.code}':'{fault.message}'" for fault in faults
    )
    details = [Detail(code=fault.code, message=fault.message, target=fault.target) for fault in faults]
    return Fault(faults[0].status, SEVERAL, f"Multiple error occurred: {told}.", details=details)


def invalid_content(why: str) -> Fault:
    """Report a body that can't be read."""
    return Fault(
        400, "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{why}'."
    )


def resource_not_found(type_: str, name: str, resource_group: str) -> Fault:
    """Report a resource that does not exist."""
    return Fault(
        404,
        "ResourceNotFound",
        f"The Resource '{type_}/{name}' under resource group '{resource_group}' was not found.",
    )


def resource_group_not_found(name: str) -> Fault:
    """Report a resource group that does not exist."""
    return Fault(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def subscription_not_found(subscription: str) -> Fault:
    """Report a subscription that does not exist."""
    return Fault(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def unauthorized(code: str, message: str, authority: str) -> Fault:
    """Report a request without a good token, naming the authority that gives one."""
    challenge = f'Bearer authorization_uri="{authority}", error="invalid_token", error_description="{message}"'
    return Fault(401, code, message, headers=[("WWW-Authenticate", challenge)])


def forbidden(app_id: str, object_id: str, action: str, scope: str) -> Fault:
    """Report a caller who lacks a right."""
    return Fault(
        403,
        "AuthorizationFailed",
        f"The client '{app_id}' with object id '{object_id}' does not have authorization to perform action '{action}' "
        f"over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials.",
    )


def link_forbidden(app_id: str, object_id: str, action: str, linked: str) -> Fault:
    """Report a caller who lacks a right over something that a definition makes use of."""
    return Fault(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{app_id}' with object id '{object_id}' has permission to perform the action on the resource; "
        f"however, it does not have permission to perform action '{action}' on the linked scope '{linked}' or the "
        "linked scope is invalid.",
    )


def quota_exceeded(quota: str, location: str, *, limit: float, usage: float, requested: float) -> Fault:
    """Report a quota of a subscription in a location that a group would exceed."""
    return Fault(
        409,
        "ServiceUnavailable",
        f"Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota '{quota}' exceeded in "
        f"region '{location}'. Limit: '{limit:g}', Usage: '{usage:g}' Requested: '{requested:g}'.",
    )


def transitioning(name: str, noun: str = "container group", *, code: str = "ContainerGroupTransitioning") -> Fault:
    """Report a resource that is busy with another operation."""
    return Fault(409, code, f"The {noun} '{name}' is still transitioning, please retry later.")


def stopped(name: str, resource_group: str) -> Fault:
    """Report a group that is stopped."""
    return Fault(
        409, "ContainerGroupStopped", f"Container Group '{name}' in resource group '{resource_group}' is stopped."
    )


def log_not_available(container: str, group: str) -> Fault:
    """Report a container that has not started yet."""
    return Fault(
        404,
        "ContainerLogNotAvailable",
        f"Log of container '{container}' in container group '{group}' is not available yet. "
        "Please check container 'InstanceView' for more information or retry later.",
    )
