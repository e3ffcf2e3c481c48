"""Says how a command ended: exit codes, and errors of the library as a sentence and the next step."""

from __future__ import annotations

import contextlib
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

_CODES = {
    "NotFound": NOT_FOUND,
    "ConnectionFailed": UNREACHABLE,
    "CredentialError": UNREACHABLE,
    "AuthenticationFailed": UNREACHABLE,
    "StillRunning": TOO_SLOW,
}
_STEPS = {
    "NotFound": "`hythe ls` shows the groups that there are; -g chooses the resource group.",
    "ImageInaccessible": "Check the image's name and tag, and --registry-username and --registry-password if it is "
    "private.",
    "AuthenticationFailed": "Check the credentials: `hythe context show` says which are used.",
    "InvalidRequest": "Change what the message names and try again.",
}
"""What to do, where the library speaks of Python."""


class Said(click.ClickException):
    """An error in words, with the exit code that stands for its meaning."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click declares it for the class, and reads it from the object


def explained(error: Exception) -> Said | None:
    """Make the words for an error of the library; None for what nobody foresaw."""
    errors = sys.modules.get("hythe.errors")
    if isinstance(error, ValueError) and str(error).startswith("cannot "):
        return Said(str(error))
    if errors is None or not isinstance(error, errors.HytheError):
        return None
    lines = str(error).splitlines()
    for each in type(error).__mro__:
        step = _STEPS.get(each.__name__)
        if step and getattr(error, "code", "") != "InvalidResourceType":  # a kind that this service does not have
            if lines[-1] == getattr(error, "advice", None):
                lines.pop()
            lines.append(step)
            break
    code = next((_CODES[each.__name__] for each in type(error).__mro__ if each.__name__ in _CODES), FAILED)
    if type(error) is errors.HytheError:  # the root itself is raised where no service is
        code = UNREACHABLE
    return Said(" ".join(lines) if len(lines) <= 2 else "\n".join(lines), code)  # noqa: PLR2004


@contextlib.contextmanager
def own_fault() -> Iterator[None]:
    """Give what goes wrong within the exit code that no command of a container should have."""
    try:
        yield
    except click.UsageError:
        raise
    except click.ClickException as error:
        raise Said(error.message, OWN_FAULT) from None
    except Exception as error:
        said = explained(error)
        if said is None:
            raise
        raise Said(said.message, OWN_FAULT) from None
