"""Says what went wrong on the client's side, as one tree of exceptions.

::

    HytheError
    ├── ServiceError            the service answered 400 or more: status, code, message, details
    │   ├── InvalidRequest          400: the request has to be changed
    │   │   └── ImageInaccessible       the image can't be had
    │   ├── AuthenticationFailed    401: no good token (also named Unauthorized)
    │   ├── Forbidden               403: a good token without the right
    │   ├── NotFound                404: no such resource
    │   ├── Conflict                409: the resource is in a state that forbids it
    │   │   ├── QuotaExceeded           more cores or groups than the subscription may have
    │   │   └── NotRegistered           the subscription has not been prepared for container groups
    │   ├── Throttled               429: too many requests; retry_after tells how long to wait
    │   └── ServiceFault            500 and more: the service is at fault, not the request
    ├── OperationFailed         an accepted operation ended badly: code, message, events
    ├── StillRunning            result(timeout=...) came before the end (also a TimeoutError)
    ├── UnexpectedAnswer        an answer that can't be read, or that must not be followed
    ├── NotOffered              the service that is talked to can't do this at all
    ├── ConnectionFailed        no answer at all: reason is refused, untrusted, timeout or lost
    └── CredentialError         no token, or no usable auth file
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from .models import Event
from .wire.faults import Detail

__all__ = [
    "AuthenticationFailed",
    "Conflict",
    "ConnectionFailed",
    "CredentialError",
    "Detail",
    "Forbidden",
    "HytheError",
    "ImageInaccessible",
    "InvalidRequest",
    "NotFound",
    "NotOffered",
    "NotRegistered",
    "OperationFailed",
    "QuotaExceeded",
    "ServiceError",
    "ServiceFault",
    "StillRunning",
    "Throttled",
    "Unauthorized",
    "UnexpectedAnswer",
]

Reason = Literal["refused", "untrusted", "timeout", "lost"]
"""Why there is no answer: nobody listened, the certificate is not trusted, too slow, or broken off on the way."""


class HytheError(Exception):
    """Is the root: catch it to catch whatever this library raises about the service."""


class ServiceError(HytheError):
    """Carries an answer of 400 or more: HTTP ``status``, the service's ``code``, ``message`` and ``details``."""

    advice: ClassVar[str] = ""

    def __init__(
        self,
        doing: str,
        *,
        status: int,
        code: str,
        message: str,
        details: Sequence[Detail] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        # Hythe's own sentences begin so already
        said = message.rstrip() if message.startswith("cannot ") else f"cannot {doing}: {message.rstrip()}"
        lines = [f"{said} [{code}, HTTP {status}]"]
        lines += [f"  - {detail.message} [{detail.code}] {detail.target}".rstrip() for detail in details]
        if self.advice:
            lines.append(self.advice)
        super().__init__("\n".join(lines))
        self.status = status
        self.code = code
        self.message = message
        self.details: tuple[Detail, ...] = tuple(details)
        self.request_id = request_id
        self.retry_after = retry_after


class InvalidRequest(ServiceError):
    """Reports a request that the service refuses as it is (400)."""

    advice = "Change the request as the message says and send it again."


class ImageInaccessible(InvalidRequest):
    """Reports an image that can't be had: it is not there, or its registry fails (409 instead of 400)."""

    advice = (
        "Check the image's name and tag, image_registry_credentials if its registry is private, and that the registry "
        "can be reached."
    )


class AuthenticationFailed(ServiceError):
    """Reports a request whose token is missing, expired or made by somebody else (401)."""

    advice = "Check the credential, and that its authority belongs to the service at base_url."


Unauthorized = AuthenticationFailed


class Forbidden(ServiceError):
    """Reports a good token without the right to do this (403)."""

    advice = "Ask the owner of the subscription for a role that allows it."


class NotFound(ServiceError):
    """Reports a resource that does not exist (404)."""

    advice = "Check the names and the subscription, or create it first."


class Conflict(ServiceError):
    """Reports a resource whose present state forbids this (409)."""

    advice = "Wait until the operation that runs now has ended, then try again."


class QuotaExceeded(Conflict):
    """Reports that the subscription would have more cores or groups in the region than it may."""

    advice = (
        "Delete groups, ask for less, use another region, or have the quota raised; location.list_usage() shows it."
    )


class NotRegistered(Conflict):
    """Reports a subscription that has not been prepared for container groups."""

    advice = "Run `az provider register --namespace Microsoft.ContainerInstance` once, wait a minute, then try again."


class ServiceFault(ServiceError):
    """Reports a fault of the service (500 and more); ``request_id`` is what its support asks for."""

    advice = "Try again later; the request may have been carried out, so get the resource first."


class Throttled(ServiceError):
    """Reports too many requests (429); ``retry_after`` is the number of seconds to wait, if the service said so."""

    advice = "Wait a while, then try again."


class OperationFailed(HytheError):
    """Reports that an accepted operation ended as Failed or Canceled: ``code``, ``message``, ``events``."""

    def __init__(self, doing: str, *, code: str, message: str, events: Sequence[Event] = ()) -> None:
        lines = [f"cannot {doing}: {message.rstrip()} [{code}]"]
        lines += [f"  - {event.name}: {event.message}" for event in events if event.type == "Warning"]
        lines.append(_advice(code, message, events))
        super().__init__("\n".join(lines))
        self.code = code
        self.message = message
        self.events: tuple[Event, ...] = tuple(events)


def _advice(code: str, message: str, events: Sequence[Event]) -> str:
    """Say what to do about an operation that failed, from what it said."""
    said = " ".join([code, message, *(f"{event.name} {event.message}" for event in events)]).lower()
    if "quota" in said:
        return QuotaExceeded.advice
    if "inaccessibleimage" in said or "registryerrorresponse" in said or ("pull" in said and "failed" in said):
        return ImageInaccessible.advice
    if "mount" in said:
        return "Check the volume's share, account and key, and that the share can be reached."
    if code.lower().endswith("canceled"):
        return "Somebody canceled it, or another change took its place: get the resource to see its state."
    return "Get the resource to see its state and events, change what they name, then try again."


class StillRunning(HytheError, TimeoutError):
    """Reports that an operation had not ended within the time given; the poller can be asked again."""


class UnexpectedAnswer(HytheError):
    """Reports an answer that is not what the service promises, or that points where no token may go."""


class NotOffered(HytheError):
    """Reports what the service that is talked to can't do, whatever is asked: the message says what can be done."""


class ConnectionFailed(HytheError):
    """Reports that no answer came, and by ``reason`` why."""

    def __init__(self, message: str, *, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


class CredentialError(HytheError):
    """Reports that no token could be had: wrong secret, unknown tenant, unusable auth file."""
