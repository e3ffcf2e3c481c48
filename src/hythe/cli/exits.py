"""Says how a command ended: exit codes, and errors of the library as a sentence and the next step."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator

import click

FAILED = 1
"""The service refused, an operation failed, or a check said no."""
WRITTEN_WRONG = 2
NOT_FOUND = 3
UNREACHABLE = 4
"""No service, or no token for it."""
TOO_SLOW = 5
OWN_FAULT = 125
"""Of commands whose exit code is that of a container: the command itself could not do its work."""
INTERRUPTED = 130

MEANINGS = {
    0: "it is done",
    FAILED: "the service refused, an operation failed, or some of several commands did",
    WRITTEN_WRONG: "the command was written wrong",
    NOT_FOUND: "there is no such group, container, profile or other resource",
    UNREACHABLE: "the service can't be reached, or does not accept the credentials",
    TOO_SLOW: "what was waited for did not come in the time given",
    OWN_FAULT: "`run` and `exec` only: they could not run the command; otherwise they end with its exit code",
    INTERRUPTED: "it was interrupted (Ctrl-C)",
}
"""For the reference page."""

DEBUG = "hythe.debug"
"""Where click's context says that an error's way through the code is to be shown."""
_CODES = {
    "NotFound": NOT_FOUND,
    "ConnectionFailed": UNREACHABLE,
    "CredentialError": UNREACHABLE,
    "AuthenticationFailed": UNREACHABLE,
    "StillRunning": TOO_SLOW,
}
ASKING = "hythe.asking"
"""Where a command's `Asking` is in click's context, for what it knows when something was not found."""
_BY_CODE = {
    "SubscriptionNotFound": "`hythe subscription ls` shows those of this machine; --subscription chooses one.",
    "PathNotFound": "Look what is there: `hythe exec GROUP ls /`.",
    "ContainerLogNotAvailable": "`hythe why GROUP` tells how its containers are.",
    "ContainerNotFound": "Name one of these by --container-name.",
    "ResourceGroupNotFound": "`hythe ls` shows the groups of all resource groups; -g chooses the resource group.",
}
_STEPS = {
    "NotFound": "`hythe ls` shows the groups that there are; -g chooses the resource group.",
    "ImageInaccessible": "Check the image's name and tag, --registry-username and --registry-password if it is "
    "private, and that the registry can be reached.",
    "AuthenticationFailed": "Check the credentials: `hythe context show` says which are used.",
    "InvalidRequest": "Change what the message names and try again.",
    "StillRunning": "`hythe why` tells how it is; it goes on meanwhile.",
}
"""What to do, where the library speaks of Python."""


_IN_PYTHON = re.compile(r" (The operation goes on: a|A)sk [^.]*timeout=( and deadline=)?\.$")
"""The next step of errors that have one in their sentence, for programs."""


class Said(click.ClickException):
    """An error in words, with the exit code that stands for its meaning."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click declares it for the class, and reads it from the object


def explained(error: Exception) -> Said | None:
    """Make the words for an error of the library; None for what nobody foresaw."""
    said = _said(error)
    context = click.get_current_context(silent=True)
    foreseen = said is not None or error.__cause__ is not None
    if foreseen and context is not None and context.meta.get(DEBUG):
        import traceback

        traceback.print_exception(error)
    return said


def _said(error: Exception) -> Said | None:
    errors = sys.modules.get("hythe.errors")
    if isinstance(error, ValueError) and str(error).startswith("cannot "):
        return Said(str(error))
    if errors is None or not isinstance(error, errors.HytheError):
        return None
    lines = _IN_PYTHON.sub("", str(error)).splitlines()
    step = _near(error) or _BY_CODE.get(getattr(error, "code", "")) or _of_meaning(error)
    if step and getattr(error, "code", "") != "InvalidResourceType":  # a kind that this service does not have
        if lines[-1] == getattr(error, "advice", None):
            lines.pop()
        lines.append(step)
    code = next((_CODES[each.__name__] for each in type(error).__mro__ if each.__name__ in _CODES), FAILED)
    if type(error) is errors.HytheError:  # the root itself is raised where no service is
        code = UNREACHABLE
    return Said(" ".join(lines) if len(lines) <= 2 else "\n".join(lines), code)  # noqa: PLR2004


def _of_meaning(error: Exception) -> str:
    return next((_STEPS[each.__name__] for each in type(error).__mro__ if each.__name__ in _STEPS), "")


def _near(error: Exception) -> str:
    """Ask whether another group or container was meant."""
    context = click.get_current_context(silent=True)
    asking = context.meta.get(ASKING) if context is not None else None
    if asking is None or getattr(error, "code", "") not in ("ResourceNotFound", "ResourceGroupNotFound"):
        return ""
    with contextlib.closing(asking), contextlib.suppress(Exception):  # who asks in vain is told so anyhow
        said: str = asking.nearest()
        return said
    return ""


@contextlib.contextmanager
def own_fault() -> Iterator[None]:
    """Give what goes wrong within the exit code that no command of a container should have."""
    try:
        yield
    except click.UsageError:
        raise
    except click.ClickException as error:
        raise Said(error.message, OWN_FAULT) from error.__cause__
    except Exception as error:
        said = explained(error)
        if said is None:
            raise
        raise Said(said.message, OWN_FAULT) from None
